# Fetches protobuf-c's source and leaves its header in TARGET/protobuf-c. Run as a script:
#   cmake -DTARGET=DIR -DDOWNLOADS=DIR [-DDEPS=DIR] -P source_protobuf_c.cmake
cmake_minimum_required(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/versions.cmake")
set(WANTED "${ONNXRUN_PROTOBUF_C_SOURCE}")
set(SOURCES "${TARGET}/source")
include("${CMAKE_CURRENT_LIST_DIR}/fetch.cmake")
file(MAKE_DIRECTORY "${TARGET}/protobuf-c")
file(RENAME "${SOURCES}/protobuf-c/protobuf-c/protobuf-c.h" "${TARGET}/protobuf-c/protobuf-c.h")
file(REMOVE_RECURSE "${SOURCES}")
