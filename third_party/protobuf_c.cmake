# protobuf-c: sets ONNXRUN_PROTOBUF_C_INCLUDE, ONNXRUN_PROTOC_C, and ONNXRUN_PROTOBUF_C_LIBRARY, or, where the target of a cross build
# has no protobuf-c, ONNXRUN_PROTOBUF_C_FILE: its one C file, from its source, compiled into the library.
include("${CMAKE_CURRENT_LIST_DIR}/directories.cmake")
find_program(ONNXRUN_PROTOC_C NAMES protoc-c)
find_path(ONNXRUN_PROTOBUF_C_INCLUDE protobuf-c/protobuf-c.h)
if(ONNXRUN_OPS_FROM) # of the archive a program has what it calls
  find_library(ONNXRUN_PROTOBUF_C_LIBRARY NAMES libprotobuf-c.a protobuf-c)
endif()
find_library(ONNXRUN_PROTOBUF_C_LIBRARY protobuf-c)
mark_as_advanced(ONNXRUN_PROTOBUF_C_INCLUDE ONNXRUN_PROTOBUF_C_LIBRARY ONNXRUN_PROTOC_C)
set(ONNXRUN_PROTOBUF_C_FILE "")
if(CMAKE_CROSSCOMPILING AND ONNXRUN_PROTOC_C AND NOT (ONNXRUN_PROTOBUF_C_INCLUDE AND ONNXRUN_PROTOBUF_C_LIBRARY))
  onnxrun_cache_directory(cache)
  set(folder "${PROJECT_BINARY_DIR}/protobuf-c")
  set(ONNXRUN_PROTOBUF_C_FILE "${folder}/protobuf-c/protobuf-c.c")
  set(ONNXRUN_PROTOBUF_C_INCLUDE "${folder}")
  set(ONNXRUN_PROTOBUF_C_LIBRARY "")
  onnxrun_deps_directory(deps)
  add_custom_command(OUTPUT "${ONNXRUN_PROTOBUF_C_FILE}" "${folder}/protobuf-c/protobuf-c.h"
    COMMAND "${CMAKE_COMMAND}" "-DTARGET=${folder}" "-DDOWNLOADS=${cache}/downloads" "-DDEPS=${deps}"
            -P "${CMAKE_CURRENT_LIST_DIR}/source_protobuf_c.cmake"
    COMMENT "protobuf-c from source" USES_TERMINAL VERBATIM)
  message(STATUS "protobuf-c: from source")
elseif(NOT ONNXRUN_PROTOBUF_C_INCLUDE OR NOT ONNXRUN_PROTOBUF_C_LIBRARY OR NOT ONNXRUN_PROTOC_C)
  message(FATAL_ERROR "onnxrun: reading ONNX files needs protobuf-c: its library, its headers and its compiler protoc-c "
                      "(Debian, Ubuntu: libprotobuf-c-dev and protobuf-c-compiler). tools/setup installs them; "
                      "-DONNXRUN_ONNX=OFF builds the layer library without.")
endif()
