# Linux on 32-bit x86 with SSE2.
set(triple i686-linux-gnu)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(multiarch i386-linux-gnu)
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
