# The package for JavaScript, in wasm/ of the build folder: what lies in wasm/ of the source, and the library as WebAssembly twice over: with
# threads, for where memory can be shared, and without. No JavaScript of Emscripten's is in it: what the module asks of a system is in
# wasm/files.js, how threads are started in wasm/instance.js.
set(package "${PROJECT_BINARY_DIR}/wasm")
file(GLOB package_files RELATIVE "${PROJECT_SOURCE_DIR}/wasm" CONFIGURE_DEPENDS wasm/*.js wasm/*.json wasm/*.ts wasm/*.md)
set(copies "")
foreach(file IN LISTS package_files)
  add_custom_command(OUTPUT "${package}/${file}" COMMAND "${CMAKE_COMMAND}" -E copy "${PROJECT_SOURCE_DIR}/wasm/${file}" "${package}/${file}"
    DEPENDS "wasm/${file}" VERBATIM)
  list(APPEND copies "${package}/${file}")
endforeach()
foreach(file IN ITEMS LICENSE CHANGELOG.md)
  add_custom_command(OUTPUT "${package}/${file}" COMMAND "${CMAKE_COMMAND}" -E copy "${PROJECT_SOURCE_DIR}/${file}" "${package}/${file}"
    DEPENDS "${file}" VERBATIM)
  list(APPEND copies "${package}/${file}")
endforeach()
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
if(ONNXRUN_NODE)
  add_test(NAME wasm/package COMMAND "${ONNXRUN_NODE}" --test "${PROJECT_SOURCE_DIR}/tests/wasm/package.test.mjs")
  set_tests_properties(wasm/package PROPERTIES ENVIRONMENT "ONNXRUN_PACKAGE=${package}" TIMEOUT 900)
endif()
add_test(NAME wasm/types COMMAND sh "${PROJECT_SOURCE_DIR}/tests/wasm/test_types.sh" "${package}")
set_tests_properties(wasm/types PROPERTIES SKIP_RETURN_CODE 77)
