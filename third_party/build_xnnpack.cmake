# Fetches and builds XNNPACK with its companions into PREFIX, a cache entry that other builds link. Run as a script:
#   cmake -DPREFIX=DIR -DDOWNLOADS=DIR [-DDEPS=DIR] -DSETTINGS=FILE -P build_xnnpack.cmake
# SETTINGS is a CMake initial cache (compilers and flags).
#
# Everything happens in PREFIX.work and is renamed at the very end, so an interrupted build leaves no entry;
# a lock makes a second build of the same entry wait for the first and then find it there.
cmake_minimum_required(VERSION 3.21)

function(onnxrun_fail text)
  message(FATAL_ERROR "onnxrun: ${text}\nThe log: ${LOG}")
endfunction()

get_filename_component(cache "${PREFIX}" DIRECTORY)
set(LOG "${PREFIX}.log")
set(work "${PREFIX}.work")
file(MAKE_DIRECTORY "${cache}")
file(LOCK "${PREFIX}.lock" GUARD PROCESS TIMEOUT 0 RESULT_VARIABLE busy)
if(busy)
  message(STATUS "another build of XNNPACK is under way; waiting for it")
  file(LOCK "${PREFIX}.lock" GUARD PROCESS)
endif()
if(EXISTS "${PREFIX}")
  return()
endif()
file(REMOVE_RECURSE "${work}")

include("${CMAKE_CURRENT_LIST_DIR}/versions.cmake")
set(WANTED "${ONNXRUN_SOURCES}")
set(SOURCES "${work}/source")
include("${CMAKE_CURRENT_LIST_DIR}/fetch.cmake")

set(header "${work}/source/pthreadpool/src/threadpool-common.h")
file(READ "${header}" text)
string(REPLACE "PTHREADPOOL_SPIN_WAIT_ITERATIONS 1000000" "PTHREADPOOL_SPIN_WAIT_ITERATIONS ${ONNXRUN_POOL_SPINS}"
       patched "${text}")
if(patched STREQUAL text)
  message(FATAL_ERROR "onnxrun: ${header} does not set the number of spins as expected")
endif()
file(WRITE "${header}" "${patched}")

find_program(ninja NAMES ninja ninja-build)
if(ninja)
  set(generator Ninja "-DCMAKE_MAKE_PROGRAM=${ninja}")
else()
  set(generator "Unix Makefiles")
endif()
execute_process(
  COMMAND "${CMAKE_COMMAND}" -S "${work}/source/xnnpack" -B "${work}/build" -G ${generator} -C "${SETTINGS}"
          "-DCMAKE_INSTALL_PREFIX=${work}/install" -DCMAKE_INSTALL_LIBDIR=lib
          "-DPTHREADPOOL_SOURCE_DIR=${work}/source/pthreadpool" "-DCPUINFO_SOURCE_DIR=${work}/source/cpuinfo"
          "-DFXDIV_SOURCE_DIR=${work}/source/fxdiv"
          -DCMAKE_POLICY_VERSION_MINIMUM=3.5 # CMake 4 refuses the companions' older minimum otherwise
  OUTPUT_FILE "${LOG}" ERROR_FILE "${LOG}" RESULT_VARIABLE failed)
if(failed)
  onnxrun_fail("XNNPACK's sources could not be configured (it needs a C and a C++ compiler and Python 3)")
endif()

cmake_host_system_information(RESULT jobs QUERY NUMBER_OF_LOGICAL_CORES)
if(DEFINED ENV{CMAKE_BUILD_PARALLEL_LEVEL})
  set(jobs "$ENV{CMAKE_BUILD_PARALLEL_LEVEL}")
endif()
message(STATUS "building XNNPACK, once for all checkouts (two to three minutes on two cores)")
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${work}/build" --target XNNPACK -j ${jobs}
                COMMAND sh "${CMAKE_CURRENT_LIST_DIR}/progress.sh" "${LOG}"
                RESULTS_VARIABLE results)
list(GET results 0 failed)
if(failed)
  onnxrun_fail("XNNPACK does not build with this compiler")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${work}/build"
                OUTPUT_QUIET ERROR_FILE "${LOG}.install" RESULT_VARIABLE failed)
if(failed)
  set(LOG "${LOG}.install")
  onnxrun_fail("XNNPACK was built but not installed")
endif()

# One folder of headers each, so that a part of onnxrun sees only the library it may use.
file(MAKE_DIRECTORY "${work}/entry/include/xnnpack" "${work}/entry/include/pthreadpool" "${work}/entry/licenses")
file(RENAME "${work}/install/lib" "${work}/entry/lib")
file(RENAME "${work}/install/include/pthreadpool.h" "${work}/entry/include/pthreadpool/pthreadpool.h")
foreach(header IN ITEMS xnnpack.h experiments-config.h)
  file(RENAME "${work}/install/include/${header}" "${work}/entry/include/xnnpack/${header}")
endforeach()
foreach(name IN ITEMS xnnpack pthreadpool cpuinfo fxdiv)
  file(RENAME "${work}/source/${name}/LICENSE" "${work}/entry/licenses/${name}")
endforeach()
file(RENAME "${work}/entry" "${PREFIX}")
file(REMOVE_RECURSE "${work}" "${LOG}.install")
