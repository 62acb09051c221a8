# The package for JavaScript, in wasm/ of the build folder: what lies in wasm/ of the source, and the library as WebAssembly twice over: with
# threads, for where memory can be shared, and without. No JavaScript of Emscripten's is in it: what the module asks of a system is in
# wasm/files.js, how threads are started in wasm/instance.js.
set(package "${PROJECT_BINARY_DIR}/wasm")
file(GLOB_RECURSE package_files RELATIVE "${PROJECT_SOURCE_DIR}/wasm" CONFIGURE_DEPENDS
  wasm/*.js wasm/*.json wasm/*.ts wasm/*.md wasm/*.html wasm/*.css wasm/*.py)
set(copies "")
function(onnxrun_copy_to_package from to)
  add_custom_command(OUTPUT "${package}/${to}" COMMAND "${CMAKE_COMMAND}" -E copy "${PROJECT_SOURCE_DIR}/${from}" "${package}/${to}"
    DEPENDS "${from}" COMMENT "wasm/${to}" VERBATIM)
  set(copies "${copies};${package}/${to}" PARENT_SCOPE)
endfunction()
foreach(file IN LISTS package_files)
  onnxrun_copy_to_package("wasm/${file}" "${file}")
endforeach()
foreach(file IN ITEMS LICENSE CHANGELOG.md)
  onnxrun_copy_to_package("${file}" "${file}")
endforeach()
onnxrun_copy_to_package(tests/fixtures/demo/model.onnx demo/digits.onnx)
onnxrun_copy_to_package(tests/fixtures/demo/model.onnx.data demo/digits.onnx.data)
add_custom_target(onnxrun_package ALL DEPENDS ${copies})

add_library(onnxrun_binding OBJECT wasm/binding.c wasm/memory.c wasm/system.c wasm/team.c)
target_link_libraries(onnxrun_binding PRIVATE onnxrun)
target_compile_options(onnxrun_binding PRIVATE $<TARGET_PROPERTY:onnxrun_internal_flags,INTERFACE_COMPILE_OPTIONS>)

# 256 pages at first (wasm/instance.js), as many as there are addresses at last.
set(link_flags --no-entry -sINITIAL_MEMORY=16777216 -sMAXIMUM_MEMORY=4294967296 -sALLOW_MEMORY_GROWTH -sMALLOC=emmalloc -sFILESYSTEM=0
    -sEXPORTED_FUNCTIONS=_malloc,_free -sSTANDALONE_WASM)
foreach(variant IN ITEMS "onnxrun" "onnxrun-threads")
  string(MAKE_C_IDENTIFIER "${variant}_wasm" target)
  add_executable(${target} $<TARGET_OBJECTS:onnxrun_binding>)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME "${variant}" SUFFIX .wasm LINKER_LANGUAGE C RUNTIME_OUTPUT_DIRECTORY "${package}")
  target_link_libraries(${target} PRIVATE onnxrun)
  target_link_options(${target} PRIVATE ${link_flags})
  add_dependencies(onnxrun_package ${target})
endforeach()
# The threads are ours, not Emscripten's, so its C library is that of one thread; memory.c locks what it has to be locked.
target_link_options(onnxrun_threads_wasm PRIVATE -Wl,--import-memory,--shared-memory,--no-check-features
  -Wl,--export-if-defined=__wasm_init_tls,--export-if-defined=__tls_size)

# Its own tests, in JavaScript.
enable_testing()
find_program(ONNXRUN_NODE NAMES node nodejs)
mark_as_advanced(ONNXRUN_NODE)
function(onnxrun_add_node_test name script)
  add_test(NAME wasm/${name} COMMAND "${ONNXRUN_NODE}" "${PROJECT_SOURCE_DIR}/tests/wasm/${script}" ${ARGN})
  set_tests_properties(wasm/${name} PROPERTIES ENVIRONMENT "ONNXRUN_PACKAGE=${package}" TIMEOUT 1800 SKIP_RETURN_CODE 77)
endfunction()
if(ONNXRUN_NODE)
  onnxrun_add_node_test(package package.test.mjs)
  onnxrun_add_node_test(suite suite.test.mjs suite)
  onnxrun_add_node_test(history suite.test.mjs history)
  onnxrun_add_node_test(hostile hostile.test.mjs)
endif()
add_test(NAME wasm/types COMMAND sh "${PROJECT_SOURCE_DIR}/tests/wasm/types.sh" "${package}")
set_tests_properties(wasm/types PROPERTIES SKIP_RETURN_CODE 77)
find_program(ONNXRUN_PYTHON python3)
mark_as_advanced(ONNXRUN_PYTHON)
if(ONNXRUN_PYTHON)
  add_test(NAME wasm/demo COMMAND "${ONNXRUN_PYTHON}" "${PROJECT_SOURCE_DIR}/tests/wasm/demo_page.py" "${package}")
  set_tests_properties(wasm/demo PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()
