# protobuf-c: sets ONNXRUN_PROTOBUF_C_INCLUDE, ONNXRUN_PROTOC_C, and ONNXRUN_PROTOBUF_C_LIBRARY, or, where the target of a cross build
# has no protobuf-c and in small builds, ONNXRUN_PROTOBUF_C_FILE: its one C file, from its source, compiled into the library.
include("${CMAKE_CURRENT_LIST_DIR}/directories.cmake")
find_program(ONNXRUN_PROTOC_C NAMES protoc-c)
find_path(ONNXRUN_PROTOBUF_C_INCLUDE protobuf-c/protobuf-c.h)
if(ONNXRUN_OPS_FROM) # of an archive a program has less
  find_library(ONNXRUN_PROTOBUF_C_LIBRARY NAMES libprotobuf-c.a protobuf-c)
endif()
find_library(ONNXRUN_PROTOBUF_C_LIBRARY protobuf-c)
mark_as_advanced(ONNXRUN_PROTOBUF_C_INCLUDE ONNXRUN_PROTOBUF_C_LIBRARY ONNXRUN_PROTOC_C)
set(ONNXRUN_PROTOBUF_C_FILE "")
set(folder "${PROJECT_BINARY_DIR}/protobuf-c")
onnxrun_cache_directory(cache)
onnxrun_deps_directory(deps)
set(fetch "${CMAKE_COMMAND}" "-DTARGET=${folder}" "-DDOWNLOADS=${cache}/downloads" "-DDEPS=${deps}" -P "${CMAKE_CURRENT_LIST_DIR}/source_protobuf_c.cmake")
set(found FALSE)
if(ONNXRUN_PROTOBUF_C_INCLUDE AND ONNXRUN_PROTOBUF_C_LIBRARY)
  set(found TRUE)
endif()
# Compiled a section a function, a program has of it what it calls; of the distribution's archive it has all.
if(ONNXRUN_OPS_FROM AND ONNXRUN_PROTOC_C AND NOT EXISTS "${folder}/LICENSE")
  execute_process(COMMAND ${fetch} OUTPUT_QUIET ERROR_QUIET)
endif()
if(ONNXRUN_PROTOC_C AND (CMAKE_CROSSCOMPILING AND NOT found OR ONNXRUN_OPS_FROM AND EXISTS "${folder}/LICENSE"))
  set(ONNXRUN_PROTOBUF_C_FILE "${folder}/protobuf-c/protobuf-c.c")
  set(ONNXRUN_PROTOBUF_C_INCLUDE "${folder}")
  set(ONNXRUN_PROTOBUF_C_LIBRARY "")
  add_custom_command(OUTPUT "${ONNXRUN_PROTOBUF_C_FILE}" "${folder}/protobuf-c/protobuf-c.h"
    COMMAND ${fetch} COMMENT "protobuf-c from source" USES_TERMINAL VERBATIM)
  message(STATUS "protobuf-c: from source")
elseif(NOT ONNXRUN_PROTOBUF_C_INCLUDE OR NOT ONNXRUN_PROTOBUF_C_LIBRARY OR NOT ONNXRUN_PROTOC_C)
  message(FATAL_ERROR "onnxrun: reading ONNX files needs protobuf-c: its library, its headers and its compiler protoc-c "
                      "(Debian, Ubuntu: libprotobuf-c-dev and protobuf-c-compiler). tools/setup installs them; "
                      "-DONNXRUN_ONNX=OFF builds the layer library without.")
endif()
