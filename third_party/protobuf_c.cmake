# protobuf-c: its compiler makes the structs of onnx.proto; they are filled by onnx/file/decode.c, so its library is not needed. Sets
# ONNXRUN_PROTOC_C and ONNXRUN_PROTOBUF_C_INCLUDE, and, where a cross build has not got the header, ONNXRUN_PROTOBUF_C_HEADER: it is made then.
include("${CMAKE_CURRENT_LIST_DIR}/directories.cmake")
find_program(ONNXRUN_PROTOC_C NAMES protoc-c)
find_path(ONNXRUN_PROTOBUF_C_INCLUDE protobuf-c/protobuf-c.h)
mark_as_advanced(ONNXRUN_PROTOBUF_C_INCLUDE ONNXRUN_PROTOC_C)
set(ONNXRUN_PROTOBUF_C_HEADER "")
if(ONNXRUN_PROTOC_C AND CMAKE_CROSSCOMPILING AND NOT ONNXRUN_PROTOBUF_C_INCLUDE)
  set(folder "${PROJECT_BINARY_DIR}/protobuf-c")
  onnxrun_cache_directory(cache)
  onnxrun_deps_directory(deps)
  set(ONNXRUN_PROTOBUF_C_HEADER "${folder}/protobuf-c/protobuf-c.h")
  set(ONNXRUN_PROTOBUF_C_INCLUDE "${folder}")
  add_custom_command(OUTPUT "${ONNXRUN_PROTOBUF_C_HEADER}"
    COMMAND "${CMAKE_COMMAND}" "-DTARGET=${folder}" "-DDOWNLOADS=${cache}/downloads" "-DDEPS=${deps}" -P "${CMAKE_CURRENT_LIST_DIR}/source_protobuf_c.cmake"
    COMMENT "protobuf-c's header from source" USES_TERMINAL VERBATIM)
  message(STATUS "protobuf-c: its header from source")
elseif(NOT ONNXRUN_PROTOBUF_C_INCLUDE OR NOT ONNXRUN_PROTOC_C)
  message(FATAL_ERROR "onnxrun: reading ONNX files needs protobuf-c's header and its compiler protoc-c "
                      "(Debian, Ubuntu: libprotobuf-c-dev and protobuf-c-compiler). tools/setup installs them; "
                      "-DONNXRUN_ONNX=OFF builds the layer library without.")
endif()
