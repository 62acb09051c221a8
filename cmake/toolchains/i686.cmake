# Linux on 32-bit x86 with SSE2, which floats are computed with: by the old unit, sums and products have other bits.
set(triple i686-linux-gnu)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(multiarch i386-linux-gnu)
foreach(language IN ITEMS C CXX)
  set(CMAKE_${language}_FLAGS_INIT "-msse2 -mfpmath=sse")
endforeach()
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
# A 64-bit kernel runs these itself; by some emulator the tests know that they are another machine's.
set(CMAKE_CROSSCOMPILING_EMULATOR env)
