# protobuf-c from the system: sets PROTOBUF_C_INCLUDE, PROTOBUF_C_LIBRARY, PROTOC_C.
find_path(PROTOBUF_C_INCLUDE protobuf-c/protobuf-c.h)
find_library(PROTOBUF_C_LIBRARY protobuf-c)
find_program(PROTOC_C NAMES protoc-c)
mark_as_advanced(PROTOBUF_C_INCLUDE PROTOBUF_C_LIBRARY PROTOC_C)
if(NOT PROTOBUF_C_INCLUDE OR NOT PROTOBUF_C_LIBRARY OR NOT PROTOC_C)
  message(FATAL_ERROR "onnxrun: reading ONNX files needs protobuf-c: its library, its headers and its compiler protoc-c "
                      "(Debian, Ubuntu: libprotobuf-c-dev and protobuf-c-compiler). tools/setup installs them; "
                      "-DONNXRUN_ONNX=OFF builds the layer library without.")
endif()
