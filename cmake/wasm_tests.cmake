# The tests of kernels and layers in WebAssembly: they compare each vector with references, which no test of the package does so closely. cmocka is its one
# C file, as there is no package of it for this target. What runs models is tested through the package (wasm.cmake).
include(third_party/directories.cmake)
onnxrun_cache_directory(cache)
onnxrun_deps_directory(deps)
set(folder "${PROJECT_BINARY_DIR}/third_party")
add_custom_command(OUTPUT "${folder}/cmocka/cmocka.c" "${folder}/cmocka/cmocka.h"
  COMMAND "${CMAKE_COMMAND}" "-DTARGET=${folder}" "-DDOWNLOADS=${cache}/downloads" "-DDEPS=${deps}"
          -P "${PROJECT_SOURCE_DIR}/third_party/source_cmocka.cmake"
  COMMENT "cmocka from source" USES_TERMINAL VERBATIM)
file(GLOB support CONFIGURE_DEPENDS tests/support/*.c)
add_library(onnxrun_wasm_tests STATIC "${folder}/cmocka/cmocka.c" ${support})
set_source_files_properties("${folder}/cmocka/cmocka.c" PROPERTIES
  COMPILE_OPTIONS "-w" COMPILE_DEFINITIONS "HAVE_SIGNAL_H;HAVE_STRINGS_H;HAVE_MALLOC_H")
target_include_directories(onnxrun_wasm_tests PUBLIC "${folder}/cmocka" "${PROJECT_SOURCE_DIR}/tests" "${generated}" "${ONNXRUN_PROTOBUF_C_INCLUDE}")
target_compile_definitions(onnxrun_wasm_tests PUBLIC _UINTPTR_T_DEFINED "ONNXRUN_FIXTURES=\"${PROJECT_SOURCE_DIR}/tests/fixtures\"") # cmocka's own is another type
target_link_libraries(onnxrun_wasm_tests PUBLIC onnxrun_internal_flags onnxrun_internal)
# What runs once need not be optimised while it is linked.
target_link_options(onnxrun_wasm_tests PUBLIC -O1 -sINITIAL_MEMORY=67108864 -sALLOW_MEMORY_GROWTH -sEXIT_RUNTIME)

file(GLOB tests RELATIVE "${PROJECT_SOURCE_DIR}/tests" CONFIGURE_DEPENDS tests/kernels/test_*.c tests/layers/*/test_*.c)
foreach(test IN LISTS tests)
  string(REGEX REPLACE "\\.c$" "" name "${test}")
  string(REPLACE "/" "_" target "${name}")
  add_executable(${target} "tests/${test}")
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests" SUFFIX .cjs)
  target_link_libraries(${target} PRIVATE onnxrun_wasm_tests)
  # Emscripten of before Node.js 18 takes a fetch for a browser's.
  add_test(NAME ${name} COMMAND "${ONNXRUN_NODE}" -e "globalThis.fetch = undefined; require('${PROJECT_BINARY_DIR}/tests/${target}.cjs')")
  set_tests_properties(${name} PROPERTIES TIMEOUT 1200 SKIP_RETURN_CODE 77)
endforeach()
