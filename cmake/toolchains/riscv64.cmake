# Linux on 64-bit RISC-V.
set(triple riscv64-linux-gnu)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(emulator qemu-riscv64)
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
