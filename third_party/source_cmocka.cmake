# Fetches cmocka's source and leaves its one C file and its headers in TARGET/cmocka. Run as a script:
#   cmake -DTARGET=DIR -DDOWNLOADS=DIR [-DDEPS=DIR] -P source_cmocka.cmake
cmake_minimum_required(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/versions.cmake")
set(WANTED ${ONNXRUN_COMPANIONS})
list(FILTER WANTED INCLUDE REGEX "^cmocka")
set(SOURCES "${TARGET}/source")
include("${CMAKE_CURRENT_LIST_DIR}/fetch.cmake")
file(MAKE_DIRECTORY "${TARGET}/cmocka")
foreach(name IN ITEMS src/cmocka.c include/cmocka.h include/cmocka_private.h COPYING)
  get_filename_component(file "${name}" NAME)
  file(RENAME "${SOURCES}/cmocka/${name}" "${TARGET}/cmocka/${file}")
endforeach()
file(REMOVE_RECURSE "${SOURCES}")
