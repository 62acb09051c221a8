# XNNPACK and pthreadpool, from the system or from a cache of source builds. Sets in the including scope
#   ONNXRUN_XNNPACK_INCLUDE, ONNXRUN_PTHREADPOOL_INCLUDE   folders of xnnpack.h and of pthreadpool.h
#   ONNXRUN_XNNPACK_LIBRARIES                              files to link, in order
#   ONNXRUN_XNNPACK_BUNDLED                                TRUE when they are ours (and so have to be installed too)
#   ONNXRUN_XNNPACK_VERSION                                for people: a date, or "of the system" (it has no number)
#   ONNXRUN_XNNPACK_LICENSES                               folder with their licences, when they are ours
include(CheckCSourceCompiles)
include("${CMAKE_CURRENT_LIST_DIR}/versions.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/directories.cmake")

option(ONNXRUN_SYSTEM_XNNPACK "Use an installed XNNPACK when its API is the one we call" ON)
set(ONNXRUN_XNNPACK_CC "" CACHE FILEPATH "C compiler for XNNPACK (empty: clang when there is one)")
set(ONNXRUN_XNNPACK_FLAGS "" CACHE STRING "Further options of XNNPACK's compilation: a sanitizer")

# The API changes every few months without a version number; what we call has to compile and link as we call it.
function(onnxrun_find_system_xnnpack)
  find_path(ONNXRUN_SYSTEM_XNNPACK_INCLUDE xnnpack.h)
  find_path(ONNXRUN_SYSTEM_PTHREADPOOL_INCLUDE pthreadpool.h)
  set(libraries "")
  foreach(name IN ITEMS XNNPACK microkernels-prod pthreadpool cpuinfo)
    find_library(ONNXRUN_SYSTEM_LIB_${name} ${name})
    mark_as_advanced(ONNXRUN_SYSTEM_LIB_${name})
    if(ONNXRUN_SYSTEM_LIB_${name})
      list(APPEND libraries "${ONNXRUN_SYSTEM_LIB_${name}}")
    endif()
  endforeach()
  mark_as_advanced(ONNXRUN_SYSTEM_XNNPACK_INCLUDE ONNXRUN_SYSTEM_PTHREADPOOL_INCLUDE)
  if(NOT ONNXRUN_SYSTEM_XNNPACK_INCLUDE OR NOT ONNXRUN_SYSTEM_PTHREADPOOL_INCLUDE OR NOT libraries)
    return()
  endif()
  set(CMAKE_REQUIRED_INCLUDES "${ONNXRUN_SYSTEM_XNNPACK_INCLUDE}" "${ONNXRUN_SYSTEM_PTHREADPOOL_INCLUDE}")
  set(CMAKE_REQUIRED_LIBRARIES ${libraries} Threads::Threads m)
  set(CMAKE_REQUIRED_QUIET ON)
  check_c_source_compiles([[
    #include <pthreadpool.h>
    #include <xnnpack.h>
    int main(void) {
      xnn_operator_t op = NULL;
      size_t bytes, align, height, width;
      enum xnn_status s = xnn_create_binary_elementwise_nd(xnn_binary_add, xnn_datatype_fp32, NULL, NULL, NULL, 0, &op);
      if (s == xnn_status_success)
        s = xnn_reshape_convolution2d_nhwc_f32(op, 1, 8, 8, &bytes, &align, &height, &width, (pthreadpool_t)NULL);
      return (int)s;
    }]] ONNXRUN_SYSTEM_XNNPACK_FITS)
  if(ONNXRUN_SYSTEM_XNNPACK_FITS)
    set(ONNXRUN_XNNPACK_LIBRARIES "${libraries}" PARENT_SCOPE)
  endif()
endfunction()

# clang, because gcc spills an accumulator of XNNPACK's inner loops to the stack; else whatever builds onnxrun itself.
function(onnxrun_choose_compiler cc cxx)
  set(chosen "${ONNXRUN_XNNPACK_CC}")
  if(NOT chosen AND CMAKE_C_COMPILER_ID MATCHES "Clang")
    set(chosen "${CMAKE_C_COMPILER}")
  elseif(NOT chosen AND NOT CMAKE_CROSSCOMPILING)
    find_program(clang NAMES ${ONNXRUN_CLANG_NAMES} NO_CACHE)
    if(clang)
      set(chosen "${clang}")
    endif()
  endif()
  if(NOT chosen)
    set(chosen "${CMAKE_C_COMPILER}")
  endif()
  get_filename_component(directory "${chosen}" DIRECTORY)
  get_filename_component(name "${chosen}" NAME)
  if(name MATCHES "clang")
    string(REPLACE "clang" "clang++" name "${name}")
  elseif(name MATCHES "gcc")
    string(REPLACE "gcc" "g++" name "${name}")
  else()
    set(name c++)
  endif()
  find_program(companion NAMES "${name}" HINTS "${directory}" NO_CACHE)
  if(NOT companion)
    message(FATAL_ERROR "onnxrun: XNNPACK needs a C++ compiler: ${name}, the companion of ${chosen}, is not installed")
  endif()
  set(${cc} "${chosen}" PARENT_SCOPE)
  set(${cxx} "${companion}" PARENT_SCOPE)
endfunction()

# Sets ENTRY to a name that says what was built by which compiler; anything that changes the result is in its hash.
function(onnxrun_cache_key cc flags entry)
  execute_process(COMMAND "${cc}" --version OUTPUT_VARIABLE version RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    message(FATAL_ERROR "onnxrun: ${cc} does not run, so it cannot build XNNPACK")
  endif()
  if(version MATCHES "clang")
    set(family clang)
  else()
    set(family gcc)
    message(WARNING "onnxrun: XNNPACK will be built by ${cc}, which is not clang. The same convolutions ran at "
                    "35 GFLOP/s when built by gcc and at 95 GFLOP/s when built by clang on one core. "
                    "Install clang (or name one in ONNXRUN_XNNPACK_CC) and configure again.")
  endif()
  string(REGEX MATCH "[0-9]+\\.[0-9]+(\\.[0-9]+)?" number "${version}")
  string(REGEX MATCH "git([0-9]+)" unused "${ONNXRUN_SOURCES}")
  list(FILTER flags EXCLUDE REGEX "^CMAKE_TOOLCHAIN_FILE=") # another checkout's is the same; its hash counts
  string(SHA256 hash "${ONNXRUN_SOURCES};${ONNXRUN_POOL_SPINS};${version};${flags}")
  string(SUBSTRING "${hash}" 0 8 hash)
  set(${entry} "xnnpack-${CMAKE_MATCH_1}-${family}-${number}-${CMAKE_SYSTEM_PROCESSOR}-${hash}" PARENT_SCOPE)
endfunction()

# What the source build is configured with, as an initial cache. A toolchain goes to it whole.
function(onnxrun_xnnpack_settings cc cxx settings)
  set(sections "-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables")
  if(ONNXRUN_XNNPACK_FLAGS)
    string(APPEND sections " ${ONNXRUN_XNNPACK_FLAGS}")
  endif()
  set(variables
    # One section a function: of its hundreds of kernels and packings the linker takes those that convolutions reach.
    "CMAKE_BUILD_TYPE=Release" "CMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG ${sections}" "CMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG ${sections}"
    "CMAKE_POSITION_INDEPENDENT_CODE=ON" "CMAKE_C_VISIBILITY_PRESET=hidden" "CMAKE_CXX_VISIBILITY_PRESET=hidden"
    "XNNPACK_LIBRARY_TYPE=static" "PTHREADPOOL_LIBRARY_TYPE=static" "CPUINFO_LIBRARY_TYPE=static"
    "XNNPACK_BUILD_ALL_MICROKERNELS=OFF" "XNNPACK_BUILD_TESTS=OFF" "XNNPACK_BUILD_BENCHMARKS=OFF"
    # KleidiAI would be downloaded.
    "XNNPACK_ENABLE_KLEIDIAI=OFF" "CPUINFO_BUILD_PKG_CONFIG=OFF")
  # Kernels of its vectors take a clang of 2023.
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^riscv")
    set(CMAKE_REQUIRED_FLAGS "-march=rv64gcv")
    check_c_source_compiles("#include <riscv_vector.h>\nint main(void) { return (int)__riscv_vsetvl_e32m4(1); }" ONNXRUN_RISCV_VECTORS)
    unset(CMAKE_REQUIRED_FLAGS)
    if(NOT ONNXRUN_RISCV_VECTORS)
      list(APPEND variables "XNNPACK_ENABLE_RISCV_VECTOR=OFF")
    endif()
  endif()
  set(passed CMAKE_SYSROOT CMAKE_OSX_ARCHITECTURES CMAKE_OSX_DEPLOYMENT_TARGET CMAKE_OSX_SYSROOT)
  if(CMAKE_TOOLCHAIN_FILE)
    get_filename_component(toolchain "${CMAKE_TOOLCHAIN_FILE}" ABSOLUTE BASE_DIR "${CMAKE_BINARY_DIR}")
    if(NOT EXISTS "${toolchain}")
      get_filename_component(toolchain "${CMAKE_TOOLCHAIN_FILE}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
    endif()
    file(SHA256 "${toolchain}" hash)
    list(APPEND variables "CMAKE_TOOLCHAIN_FILE=${toolchain}" "ONNXRUN_TOOLCHAIN_HASH=${hash}")
    # What toolchains of SDKs take from the command line.
    list(APPEND passed ANDROID_ABI ANDROID_PLATFORM ANDROID_STL ANDROID_NDK PLATFORM DEPLOYMENT_TARGET)
  else()
    list(APPEND variables "CMAKE_C_COMPILER=${cc}" "CMAKE_CXX_COMPILER=${cxx}")
    list(APPEND passed CMAKE_C_COMPILER_TARGET)
    if(CMAKE_C_COMPILER_TARGET)
      list(APPEND variables "CMAKE_CXX_COMPILER_TARGET=${CMAKE_C_COMPILER_TARGET}"
                            "CMAKE_ASM_COMPILER_TARGET=${CMAKE_C_COMPILER_TARGET}")
    endif()
    if(CMAKE_CROSSCOMPILING)
      list(APPEND passed CMAKE_SYSTEM_NAME CMAKE_SYSTEM_PROCESSOR CMAKE_FIND_ROOT_PATH)
    endif()
  endif()
  foreach(variable IN LISTS passed)
    if(${variable})
      list(APPEND variables "${variable}=${${variable}}")
    endif()
  endforeach()
  set(${settings} "${variables}" PARENT_SCOPE)
endfunction()

# The libraries appear in the build tree when it is built: out of the cache, where they are built first if they are not there.
# pool_bridge.cmake says what is renamed in them.
function(onnxrun_build_xnnpack prefix settings libraries)
  set(file "${PROJECT_BINARY_DIR}/xnnpack-settings.cmake")
  set(text "")
  foreach(setting IN LISTS settings)
    string(REGEX MATCH "^([A-Z_]+)=(.*)$" unused "${setting}")
    string(APPEND text "set(${CMAKE_MATCH_1} [[${CMAKE_MATCH_2}]] CACHE STRING \"\")\n")
  endforeach()
  file(CONFIGURE OUTPUT "${file}" CONTENT "${text}" @ONLY)
  onnxrun_deps_directory(deps)
  get_filename_component(cache "${prefix}" DIRECTORY)
  if(NOT EXISTS "${prefix}")
    file(REMOVE ${libraries})
  endif()
  set(here "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
  set(objcopy "")
  if(ONNXRUN_POOL_BRIDGE)
    set(objcopy "${CMAKE_OBJCOPY}")
  endif()
  add_custom_command(OUTPUT ${libraries}
    COMMAND "${CMAKE_COMMAND}" "-DPREFIX=${prefix}" "-DDOWNLOADS=${cache}/downloads" "-DDEPS=${deps}" "-DSETTINGS=${file}"
            -P "${here}/build_xnnpack.cmake"
    COMMAND "${CMAKE_COMMAND}" "-DPREFIX=${prefix}" "-DFOLDER=${PROJECT_BINARY_DIR}/xnnpack" "-DOBJCOPY=${objcopy}"
            -P "${here}/link_xnnpack.cmake"
    COMMENT "XNNPACK: ${prefix}" USES_TERMINAL VERBATIM)
  add_custom_target(onnxrun_xnnpack DEPENDS ${libraries})
endfunction()

if(ONNXRUN_SYSTEM_XNNPACK)
  onnxrun_find_system_xnnpack()
endif()
if(ONNXRUN_XNNPACK_LIBRARIES)
  set(ONNXRUN_XNNPACK_BUNDLED FALSE)
  set(ONNXRUN_XNNPACK_VERSION "of the system")
  set(ONNXRUN_XNNPACK_INCLUDE "${ONNXRUN_SYSTEM_XNNPACK_INCLUDE}")
  set(ONNXRUN_PTHREADPOOL_INCLUDE "${ONNXRUN_SYSTEM_PTHREADPOOL_INCLUDE}")
  add_custom_target(onnxrun_xnnpack)
  message(STATUS "XNNPACK: installed on this system (${ONNXRUN_SYSTEM_LIB_XNNPACK})")
else()
  set(ONNXRUN_XNNPACK_BUNDLED TRUE)
  onnxrun_cache_directory(cache)
  if(CMAKE_TOOLCHAIN_FILE)
    set(cc "${CMAKE_C_COMPILER}")
    set(cxx "")
  else()
    onnxrun_choose_compiler(cc cxx)
  endif()
  onnxrun_xnnpack_settings("${cc}" "${cxx}" settings)
  onnxrun_cache_key("${cc}" "${settings}" entry)
  set(prefix "${cache}/${entry}")
  string(REGEX MATCH "xnnpack\\|[^|]*git([0-9][0-9][0-9][0-9])([0-9][0-9])([0-9][0-9])" unused "${ONNXRUN_SOURCES}")
  set(ONNXRUN_XNNPACK_VERSION "${CMAKE_MATCH_1}-${CMAKE_MATCH_2}-${CMAKE_MATCH_3}")
  set(ONNXRUN_XNNPACK_INCLUDE "${prefix}/include/xnnpack")
  set(ONNXRUN_PTHREADPOOL_INCLUDE "${prefix}/include/pthreadpool")
  set(ONNXRUN_XNNPACK_LICENSES "${prefix}/licenses")
  set(ONNXRUN_XNNPACK_LIBRARIES "")
  foreach(name IN ITEMS XNNPACK microkernels-prod pthreadpool cpuinfo)
    list(APPEND ONNXRUN_XNNPACK_LIBRARIES "${PROJECT_BINARY_DIR}/xnnpack/lib${name}.a")
  endforeach()
  include("${CMAKE_CURRENT_LIST_DIR}/pool_bridge.cmake")
  onnxrun_build_xnnpack("${prefix}" "${settings}" "${ONNXRUN_XNNPACK_LIBRARIES}")
  message(STATUS "XNNPACK: ${prefix}")
endif()
