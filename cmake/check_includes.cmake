# The architecture as a test: which folder may include from which. Run as cmake -DROOT=DIR -P check_includes.cmake
#
# Public headers (onnxrun/...), the folder's own files and the C library are open to everyone.
cmake_minimum_required(VERSION 3.21)

#   folder           may include from                    and these libraries
set(table
  "include/onnxrun | |"
  "src/base        | |                                   pthreadpool.h"
  "src/kernels     | base |"
  "src/xnn         | base |                              xnnpack.h pthreadpool.h"
  "src/regex       | base |                              pcre2.h"
  "src/picture     | base |                              jpeglib.h jerror.h png.h tiffio.h webp/decode.h openjpeg.h"
  "src/graph       | base |"
  "src/layers      | base kernels xnn regex picture |"
  "src/passes      | base graph layers |"
  "src/exec        | base graph layers passes |"
  "src/nn          | base graph layers exec |"
  "onnx            | base graph layers exec |              onnx.pb-c.h protobuf-c/protobuf-c.h"
  "tools/onnxrun   | |")

# Headers that are nobody's unless a row above names them.
set(libraries xnnpack.h pthreadpool.h cpuinfo.h experiments-config.h fxdiv.h pcre2.h jpeglib.h jerror.h png.h tiffio.h webp/decode.h openjpeg.h
              onnx.pb-c.h)

set(wrong 0)
set(checked 0)
foreach(row IN LISTS table)
  string(REGEX MATCH "^([^ |]+) *\\| *([^|]*)\\| *(.*)$" unused "${row}")
  set(folder "${CMAKE_MATCH_1}")
  separate_arguments(folders UNIX_COMMAND "${CMAKE_MATCH_2}")
  separate_arguments(allowed_libraries UNIX_COMMAND "${CMAKE_MATCH_3}")
  get_filename_component(own "${folder}" NAME)
  list(APPEND folders onnxrun ${own})
  list(REMOVE_DUPLICATES folders)

  file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${folder}/*.c" "${ROOT}/${folder}/*.h" "${ROOT}/${folder}/*.inc")
  foreach(file IN LISTS files)
    math(EXPR checked "${checked} + 1")
    file(STRINGS "${ROOT}/${file}" includes REGEX "^[ \t]*#[ \t]*include[ \t]*[\"<]")
    foreach(line IN LISTS includes)
      string(REGEX MATCH "include[ \t]*([\"<])([^\">]+)" unused "${line}")
      set(quote "${CMAKE_MATCH_1}")
      set(header "${CMAKE_MATCH_2}")
      string(REGEX REPLACE "/.*" "" from "${header}")
      if(header IN_LIST allowed_libraries)
        continue()
      elseif(header IN_LIST libraries OR header MATCHES "^protobuf-c/|\\.\\./")
        set(reason "only the folders that the table names may")
      elseif(quote STREQUAL "<" OR NOT header MATCHES "/" OR from IN_LIST folders)
        continue()
      else()
        list(JOIN folders ", " reason)
        string(PREPEND reason "it may include from ")
      endif()
      math(EXPR wrong "${wrong} + 1")
      message("${file} includes ${header}: ${reason}")
    endforeach()
  endforeach()
endforeach()

if(checked EQUAL 0)
  message(FATAL_ERROR "no source files under ${ROOT}: nothing was checked")
elseif(wrong GREATER 0)
  message(FATAL_ERROR "${wrong} includes against the architecture (the table: cmake/check_includes.cmake)")
endif()
message("${checked} files, all includes as the table allows")
