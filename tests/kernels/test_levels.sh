#!/bin/sh
# Every family of kernels that is compiled for several instruction sets is tried on each of them: of those that kernels.h lists,
# each has a test here that goes over onri_kernels_at(FAMILY, level).
set -eu
cd "$(dirname "$0")/../.."
families=$(grep -hoE '\bFAMILY\((\w+)\)' src/kernels/kernels.h | sed 's/.*(//; s/)//' | sort -u)
[ "$(echo "$families" | wc -l)" -gt 10 ]
failed=0
for family in $families; do
  grep -q "onri_kernels_at($family, " tests/kernels/*.c || { echo "FAIL: no test of tests/kernels tries $family on every level"; failed=1; }
done
echo "$(echo "$families" | wc -l) families of kernels"
exit $failed
