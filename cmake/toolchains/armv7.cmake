# Linux on 32-bit ARM with NEON (ARMv7-A, hard float).
set(triple arm-linux-gnueabihf)
set(CMAKE_SYSTEM_PROCESSOR armv7)
set(emulator qemu-arm)
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
