# Programs a user would write; built and run with the tests.
file(GLOB examples CONFIGURE_DEPENDS examples/*.c)
add_custom_target(onnxrun_examples)
if(NOT TARGET onnxrun_tool) # cJSON is looked for with the tool
  list(FILTER examples EXCLUDE REGEX "/safetensors\\.c$")
endif()
if(WIN32) # filters of Linux' system calls
  list(FILTER examples EXCLUDE REGEX "/sandbox\\.c$")
endif()
foreach(example IN LISTS examples)
  get_filename_component(name "${example}" NAME_WE)
  add_executable(example_${name} "${example}")
  set_target_properties(example_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples")
  target_compile_options(example_${name} PRIVATE -Wall -Wextra -Wpedantic)
  target_link_libraries(example_${name} PRIVATE onnxrun m)
  add_dependencies(onnxrun_examples example_${name})
endforeach()
if(TARGET example_safetensors)
  target_include_directories(example_safetensors SYSTEM PRIVATE "${ONNXRUN_CJSON_INCLUDE}")
  target_link_libraries(example_safetensors PRIVATE "${ONNXRUN_CJSON_LIBRARY}")
endif()
add_test(NAME examples/run_model
         COMMAND example_run_model "${PROJECT_SOURCE_DIR}/tests/fixtures/linear_2d_dynamo/model.onnx")
if(TARGET example_sandbox)
  add_test(NAME examples/sandbox
           COMMAND example_sandbox "${PROJECT_SOURCE_DIR}/tests/fixtures/conv_bn_relu_ts/model.onnx")
  # Leaks are looked for by system calls that the sandbox has no more.
  set_tests_properties(examples/sandbox PROPERTIES SKIP_RETURN_CODE 77 ENVIRONMENT ASAN_OPTIONS=detect_leaks=0)
endif()
add_test(NAME examples/own_layer COMMAND example_own_layer "${PROJECT_SOURCE_DIR}/tests/nn/own_layer.onnx")
add_test(NAME examples/network COMMAND example_network "${PROJECT_SOURCE_DIR}/tests/nn/network.bin")
add_test(NAME examples/generate
         COMMAND example_generate "${PROJECT_SOURCE_DIR}/tests/fixtures/cached_decoder_ts/model.onnx" 8 1 2 3)
