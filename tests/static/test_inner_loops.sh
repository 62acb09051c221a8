#!/bin/sh
# Inner loops of products hold their sums in registers, at every level of x86-64, as clang compiles them.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
for program in objdump python3; do
  command -v $program >/dev/null || {
    echo "skipped: no $program"
    exit 77
  }
done
grep -q '^CMAKE_BUILD_TYPE:STRING=Release' "$build/CMakeCache.txt" && grep -q 'CMAKE_C_COMPILER_ID "Clang"' "$build"/CMakeFiles/*/CMakeCCompiler.cmake && [ -d "$build/CMakeFiles/onnxrun_kernels_avx2.dir" ] || {
  echo "skipped: no kernels of x86-64 that clang has optimised in $build"
  exit 77
}
exec python3 -B "$here/inner_loops.py" "$build"
