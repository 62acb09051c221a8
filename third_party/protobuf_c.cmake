# protobuf-c from the system: sets ONNXRUN_PROTOBUF_C_INCLUDE, ONNXRUN_PROTOBUF_C_LIBRARY, ONNXRUN_PROTOC_C.
find_path(ONNXRUN_PROTOBUF_C_INCLUDE protobuf-c/protobuf-c.h)
find_library(ONNXRUN_PROTOBUF_C_LIBRARY protobuf-c)
find_program(ONNXRUN_PROTOC_C NAMES protoc-c)
mark_as_advanced(ONNXRUN_PROTOBUF_C_INCLUDE ONNXRUN_PROTOBUF_C_LIBRARY ONNXRUN_PROTOC_C)
if(NOT ONNXRUN_PROTOBUF_C_INCLUDE OR NOT ONNXRUN_PROTOBUF_C_LIBRARY OR NOT ONNXRUN_PROTOC_C)
  message(FATAL_ERROR "onnxrun: reading ONNX files needs protobuf-c: its library, its headers and its compiler protoc-c "
                      "(Debian, Ubuntu: libprotobuf-c-dev and protobuf-c-compiler). tools/setup installs them; "
                      "-DONNXRUN_ONNX=OFF builds the layer library without.")
endif()
