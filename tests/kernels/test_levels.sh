#!/bin/sh
# Every kernel that is compiled for several instruction sets is tried on each of them: what headers in src/kernels declare
# as NAME_avx2 stands in a KERNEL_LEVELS(NAME) of a test here, and has its sisters.
set -eu
cd "$(dirname "$0")/../.."
names=$(grep -rhoE '\bonri_\w+_avx2\b' src/kernels --include='*.h' | sed 's/_avx2$//' | sort -u)
files=$(find src/kernels -name '*_avx2.c')
[ -n "$names" ] && [ -n "$files" ]
failed=0
for name in $names; do
  for level in base avx512; do
    grep -rqE "\b${name}_$level\b" src/kernels --include='*.h' || { echo "FAIL: $name has no variant for $level"; failed=1; }
  done
  grep -rqE "KERNEL_LEVELS\(&?$name\)" tests/kernels || { echo "FAIL: no test of tests/kernels tries $name on every level"; failed=1; }
done
for file in $files; do
  [ -f "${file%_avx2.c}_avx512.c" ] || { echo "FAIL: $file has no sister for AVX-512"; failed=1; }
done
echo "$(echo "$names" | wc -l) kernels with variants"
exit $failed
