# Tests: every tests/**/test_NAME.c is a program with cmocka, every tests/**/test_NAME.sh a script that is given the build
# folder. Both are named by their path. tests/support/*.c are linked into every program.
find_path(ONNXRUN_CMOCKA_INCLUDE cmocka.h)
find_library(ONNXRUN_CMOCKA_LIBRARY NAMES cmocka cmocka-static)
mark_as_advanced(ONNXRUN_CMOCKA_INCLUDE ONNXRUN_CMOCKA_LIBRARY)
if(NOT ONNXRUN_CMOCKA_INCLUDE OR NOT ONNXRUN_CMOCKA_LIBRARY)
  message(FATAL_ERROR "onnxrun: the tests need cmocka (Debian, Ubuntu: libcmocka-dev). tools/setup installs it; "
                      "-DONNXRUN_TESTS=OFF builds without tests.")
endif()

file(GLOB_RECURSE tests RELATIVE "${PROJECT_SOURCE_DIR}/tests" CONFIGURE_DEPENDS tests/test_*.c tests/test_*.sh)
if(NOT ONNXRUN_XNNPACK)
  list(FILTER tests EXCLUDE REGEX "^xnn/")
endif()
if(NOT ONNXRUN_ONNX)
  list(FILTER tests EXCLUDE REGEX "^(onnx|hostile|fuzz|tools|compile|small)/")
endif()

# The library that protobuf-c's structs are otherwise filled by is compared with; nothing else needs it.
find_library(ONNXRUN_PROTOBUF_C_LIBRARY protobuf-c)
mark_as_advanced(ONNXRUN_PROTOBUF_C_LIBRARY)
if(NOT ONNXRUN_PROTOBUF_C_LIBRARY)
  list(REMOVE_ITEM tests onnx/test_protobuf_c.c)
endif()

# Tests of what Windows has not got (tests/windows.txt says of each why) are left out.
if(WIN32)
  file(STRINGS tests/windows.txt rows REGEX "^[a-z]")
  foreach(row IN LISTS rows)
    string(REGEX REPLACE " .*" "" name "${row}")
    if(NOT "${name}.c" IN_LIST tests)
      message(FATAL_ERROR "onnxrun: tests/windows.txt: there is no test ${name}")
    endif()
    list(REMOVE_ITEM tests "${name}.c")
  endforeach()
endif()

# Scripts test what is around a build on the machine that builds; of those that run models, these few run for another machine too,
# on an emulator that stands where they look for the tool.
set(script_folder "${PROJECT_BINARY_DIR}")
set(timeout 600)
set(tool_path "${PROJECT_BINARY_DIR}/onnxrun")
if(CMAKE_CROSSCOMPILING)
  set(timeout 6000)
  list(FILTER tests EXCLUDE REGEX "\\.sh$")
  if(CMAKE_CROSSCOMPILING_EMULATOR AND ONNXRUN_TOOLS AND ONNXRUN_ONNX)
    list(APPEND tests onnx/test_fixtures.sh onnx/test_suite.sh onnx/test_history.sh)
    set(script_folder "${PROJECT_BINARY_DIR}/emulated")
    set(tool_path "${script_folder}/onnxrun")
    list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
    file(CONFIGURE OUTPUT "${tool_path}" CONTENT "#!/bin/sh\nexec ${emulator} '${PROJECT_BINARY_DIR}/onnxrun${CMAKE_EXECUTABLE_SUFFIX}' \"$@\"\n" @ONLY)
    file(CHMOD "${tool_path}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endif()
endif()

file(GLOB support CONFIGURE_DEPENDS tests/support/*.c)
add_library(onnxrun_test_support INTERFACE)
target_link_libraries(onnxrun_test_support INTERFACE onnxrun_internal_flags onnxrun_internal "${ONNXRUN_CMOCKA_LIBRARY}" m)
target_include_directories(onnxrun_test_support INTERFACE "${ONNXRUN_CMOCKA_INCLUDE}" "${PROJECT_SOURCE_DIR}/tests")
target_compile_definitions(onnxrun_test_support INTERFACE
  "ONNXRUN_FIXTURES=\"${PROJECT_SOURCE_DIR}/tests/fixtures\"" "ONNXRUN_TOOL=\"${tool_path}\"")
if(CMAKE_CROSSCOMPILING_EMULATOR)
  target_compile_definitions(onnxrun_test_support INTERFACE ONNXRUN_EMULATED)
endif()
if(WIN32) # they are written for POSIX
  include(cmake/windows.cmake)
  target_link_libraries(onnxrun_test_support INTERFACE onnxrun_posix)
  target_compile_options(onnxrun_test_support INTERFACE "SHELL:-include aligned.h")
endif()
if(ONNXRUN_ONNX)
  target_include_directories(onnxrun_test_support INTERFACE "${PROJECT_BINARY_DIR}/generated" "${ONNXRUN_PROTOBUF_C_INCLUDE}")
endif()
if(support)
  add_library(onnxrun_test_helpers STATIC ${support})
  target_link_libraries(onnxrun_test_helpers PUBLIC onnxrun_test_support)
  set(linked onnxrun_test_helpers)
else()
  set(linked onnxrun_test_support)
endif()

foreach(test IN LISTS tests)
  string(REGEX REPLACE "\\.(c|sh)$" "" name "${test}")
  string(REPLACE "/" "_" target "${name}")
  if(test MATCHES "\\.c$")
    add_executable(${target} "tests/${test}")
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
    target_link_libraries(${target} PRIVATE ${linked})
    if(TARGET onnxrun_tool)
      add_dependencies(${target} onnxrun_tool)
    endif()
    add_test(NAME ${name} COMMAND ${target})
  else()
    add_test(NAME ${name} COMMAND sh "${PROJECT_SOURCE_DIR}/tests/${test}" "${script_folder}")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${timeout} SKIP_RETURN_CODE 77)
  if(ONNXRUN_COVERAGE) # processes of one program add to one file; others may look alike to clang's runtime, but are not
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "LLVM_PROFILE_FILE=${PROJECT_BINARY_DIR}/profiles/${target}-%m.profraw")
  endif()
endforeach()

if(TARGET onnx_test_protobuf_c)
  target_sources(onnx_test_protobuf_c PRIVATE "${PROJECT_BINARY_DIR}/generated/onnx.pb-c.c" tests/fuzz/wire.c)
  set_property(SOURCE "${PROJECT_BINARY_DIR}/generated/onnx.pb-c.c" PROPERTY COMPILE_OPTIONS -w)
  target_link_libraries(onnx_test_protobuf_c PRIVATE "${ONNXRUN_PROTOBUF_C_LIBRARY}")
  add_dependencies(onnx_test_protobuf_c onnxrun_proto)
endif()

if(NOT CMAKE_CROSSCOMPILING)
  add_test(NAME architecture
    COMMAND "${CMAKE_COMMAND}" "-DROOT=${PROJECT_SOURCE_DIR}" -P "${PROJECT_SOURCE_DIR}/cmake/check_includes.cmake")
endif()

if(EXISTS "${PROJECT_SOURCE_DIR}/.git" AND NOT CMAKE_CROSSCOMPILING)
  add_test(NAME format COMMAND "${PROJECT_SOURCE_DIR}/tools/format" --check)
  set_tests_properties(format PROPERTIES SKIP_RETURN_CODE 77)
endif()

# tests/hostile/test_hostile.sh runs it over the corpus that tests/hostile/hostile_gen.py writes.
if(ONNXRUN_ONNX AND NOT WIN32)
  add_executable(hostile_run_cases tests/hostile/run_cases.c)
  set_target_properties(hostile_run_cases PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(hostile_run_cases PRIVATE onnxrun_internal_flags onnxrun_internal)
  # tests/linear/test_linear.sh counts what it does.
  add_executable(linear_work tests/linear/work.c tests/support/proto_writer.c)
  set_target_properties(linear_work PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(linear_work PRIVATE onnxrun_test_support)
  # tests/linear/test_copies.sh counts what it does.
  add_executable(linear_copies tests/linear/copies.c tests/support/proto_writer.c tests/fuzz/wire.c)
  set_target_properties(linear_copies PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(linear_copies PRIVATE onnxrun_test_support)
  # tests/soak/test_soak.sh and tools/soak run it.
  add_executable(soak tests/soak/soak.c)
  set_target_properties(soak PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(soak PRIVATE onnxrun_internal_flags onnxrun Threads::Threads)
  # tests/faults/test_memory.sh runs it.
  add_executable(faults_memory tests/faults/memory.c)
  set_target_properties(faults_memory PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(faults_memory PRIVATE onnxrun_internal_flags onnxrun)
  # tests/guards/test_guards.sh runs it.
  add_executable(guards_guard tests/guards/guard.c)
  set_target_properties(guards_guard PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(guards_guard PRIVATE onnxrun_internal_flags onnxrun_internal Threads::Threads)
  # tests/facts/test_models.sh and test_fixed.sh run them.
  foreach(checker facts fixed)
    add_executable(facts_check_${checker} tests/facts/check_${checker}.c)
    set_target_properties(facts_check_${checker} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
    target_link_libraries(facts_check_${checker} PRIVATE onnxrun_test_support)
  endforeach()
endif()

if(ONNXRUN_ONNX AND UNIX AND NOT APPLE)
  include(cmake/fuzz.cmake)
endif()

# tests/compile/test_compiled.sh runs it over programs that the tool wrote.
if(ONNXRUN_ONNX AND NOT WIN32)
  add_executable(compile_check tests/compile/check_compiled.c)
  set_target_properties(compile_check PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(compile_check PRIVATE onnxrun_internal_flags onnxrun_internal ${CMAKE_DL_LIBS} m)
endif()

# A shared library as BUILD_SHARED_LIBS makes it, to see what it exports (tests/headers/test_headers.sh).
if(ONNXRUN_ONNX AND UNIX AND NOT APPLE)
  add_library(onnxrun_exports SHARED ${objects})
  set_target_properties(onnxrun_exports PROPERTIES LINKER_LANGUAGE C LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_link_libraries(onnxrun_exports PRIVATE ${dependencies})
  target_link_options(onnxrun_exports PRIVATE -Wl,--exclude-libs,ALL)
endif()

# Every public function is called with NULL; a script reads them from the headers.
find_program(ONNXRUN_PYTHON python3)
mark_as_advanced(ONNXRUN_PYTHON)
if(ONNXRUN_PYTHON AND ONNXRUN_ONNX AND NOT WIN32) # in copies of the process
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS include/onnxrun/*.h)
  set(calls "${PROJECT_BINARY_DIR}/tests/null_calls_generated.c")
  add_custom_command(OUTPUT "${calls}"
    COMMAND "${ONNXRUN_PYTHON}" "${PROJECT_SOURCE_DIR}/tests/headers/functions.py" calls "${PROJECT_SOURCE_DIR}/include" "${calls}"
    DEPENDS tests/headers/functions.py ${headers} VERBATIM)
  add_executable(headers_null_calls tests/headers/null_calls.c "${calls}")
  set_target_properties(headers_null_calls PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_include_directories(headers_null_calls PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_options(headers_null_calls PRIVATE -Wno-format-security -Werror=implicit-function-declaration)
  target_link_libraries(headers_null_calls PRIVATE onnxrun)
  add_test(NAME headers/null_calls COMMAND headers_null_calls)
  if(ONNXRUN_COVERAGE)
    set_tests_properties(headers/null_calls PROPERTIES ENVIRONMENT "LLVM_PROFILE_FILE=${PROJECT_BINARY_DIR}/profiles/null_calls-%m.profraw")
  endif()
endif()

# tests/faults/test_faults.sh preloads it.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT CMAKE_CROSSCOMPILING)
  include(CheckSymbolExists)
  check_symbol_exists(__GLIBC__ "features.h" ONNXRUN_GLIBC)
  if(ONNXRUN_GLIBC)
    add_library(faults_inject MODULE tests/faults/inject.c)
    set_target_properties(faults_inject PROPERTIES C_VISIBILITY_PRESET default LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
    target_compile_options(faults_inject PRIVATE -Wall -Wextra)
    target_link_libraries(faults_inject PRIVATE ${CMAKE_DL_LIBS} Threads::Threads)
  endif()
endif()
