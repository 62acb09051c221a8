# Brings the libraries of the cache entry PREFIX into FOLDER of a build tree; with OBJCOPY, XNNPACK's calls of pthreadpool are renamed
# on the way (see pool_bridge.cmake). Run as a script:
#   cmake -DPREFIX=DIR -DFOLDER=DIR -DOBJCOPY=PROGRAM -P link_xnnpack.cmake
cmake_minimum_required(VERSION 3.21)
file(MAKE_DIRECTORY "${FOLDER}")
foreach(name IN ITEMS microkernels-prod pthreadpool cpuinfo XNNPACK)
  file(CREATE_LINK "${PREFIX}/lib/lib${name}.a" "${FOLDER}/lib${name}.a" COPY_ON_ERROR)
endforeach()
if(NOT OBJCOPY)
  return()
endif()
file(STRINGS "${PREFIX}/include/pthreadpool/pthreadpool.h" lines REGEX "pthreadpool_(parallelize_[0-9a-z_]+|get_threads_count)\\(")
set(renames "")
foreach(line IN LISTS lines)
  string(REGEX MATCH "pthreadpool_(parallelize_[0-9a-z_]+|get_threads_count)\\(" unused "${line}")
  list(APPEND renames "pthreadpool_${CMAKE_MATCH_1} onri_pool_${CMAKE_MATCH_1}\n")
endforeach()
list(REMOVE_DUPLICATES renames)
list(JOIN renames "" renames)
file(WRITE "${FOLDER}/renames" "${renames}")
file(REMOVE "${FOLDER}/libXNNPACK.a")
execute_process(COMMAND "${OBJCOPY}" "--redefine-syms=${FOLDER}/renames" "${PREFIX}/lib/libXNNPACK.a" "${FOLDER}/libXNNPACK.a"
                RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "onnxrun: ${OBJCOPY} does not rename symbols in ${PREFIX}/lib/libXNNPACK.a; -DCMAKE_OBJCOPY= builds without it: "
                      "where a caller brings its own threads, XNNPACK then runs on one")
endif()
