#!/bin/sh
# Thousands of .npy and .npz files that are nearly right: the tool and a second reader agree on which are arrays, and on their values;
# every other ends in one line, soon, in little memory.
# usage: test_npy_hostile.sh BUILD_DIR [FILES [SEED]]
set -u
. "$(dirname "$0")/expect.sh"
(
  grep -q 'fsanitize' "$1/build.ninja" 2>/dev/null || ulimit -v 1000000
  python3 "$here/hostile_arrays.py" "$tool" "$work" "${2:-300}" "${3:-1}"
) || fail "see above"
finish
