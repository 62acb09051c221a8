# clang with Debian's cross libraries (g++-TRIPLE) and those of other packages for the target's architecture (multiarch), or what
# third_party/companions.cmake built in their place. A toolchain of this folder sets `triple`, perhaps `multiarch` (if that is another
# name) and `emulator`, and includes this.
if(NOT multiarch)
  set(multiarch "${triple}")
endif()
set(CMAKE_SYSTEM_NAME Linux)
find_program(ONNXRUN_CROSS_CLANG NAMES clang clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 clang-13 REQUIRED)
find_program(ONNXRUN_CROSS_CLANGXX NAMES clang++ clang++-21 clang++-20 clang++-19 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14
             clang++-13 REQUIRED)
set(CMAKE_C_COMPILER "${ONNXRUN_CROSS_CLANG}")
set(CMAKE_CXX_COMPILER "${ONNXRUN_CROSS_CLANGXX}")
foreach(language IN ITEMS C CXX ASM)
  set(CMAKE_${language}_COMPILER_TARGET "${triple}")
endforeach()
foreach(program IN ITEMS AR RANLIB OBJCOPY STRIP NM)
  string(TOLOWER "${program}" name)
  find_program(ONNXRUN_CROSS_${program}_${triple} NAMES "${triple}-${name}" "llvm-${name}" REQUIRED)
  set(CMAKE_${program} "${ONNXRUN_CROSS_${program}_${triple}}" CACHE FILEPATH "")
endforeach()

# Libraries of the target alone; programs of the machine that builds. Debian's headers are those of every architecture.
set(CMAKE_LIBRARY_ARCHITECTURE "${multiarch}")
set(CMAKE_SYSTEM_LIBRARY_PATH "/usr/lib/${multiarch}" "/usr/${triple}/lib")
set(CMAKE_SYSTEM_IGNORE_PATH "/usr/lib" "/usr/local/lib" "/lib")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
include("${CMAKE_CURRENT_LIST_DIR}/../../third_party/directories.cmake")
onnxrun_cache_directory(cache)
list(APPEND CMAKE_PREFIX_PATH "${cache}/${triple}")
list(REMOVE_DUPLICATES CMAKE_PREFIX_PATH)
if(EXISTS "${cache}/${triple}/lib/libz.a") # archives, which say nothing of what they need
  foreach(language IN ITEMS C CXX)
    set(CMAKE_${language}_STANDARD_LIBRARIES "${cache}/${triple}/lib/libz.a -lm" CACHE STRING "")
  endforeach()
endif()
set(ENV{PKG_CONFIG_LIBDIR} "/usr/lib/${multiarch}/pkgconfig:/usr/share/pkgconfig")

# Tests run under it.
if(emulator)
  find_program(ONNXRUN_EMULATOR_${triple} NAMES "${emulator}")
  if(ONNXRUN_EMULATOR_${triple})
    set(CMAKE_CROSSCOMPILING_EMULATOR "${ONNXRUN_EMULATOR_${triple}}")
    if(NOT EXISTS "/lib/${multiarch}/libc.so.6") # Debian's C library for cross building
      list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -L "/usr/${triple}")
    endif()
  endif()
endif()
