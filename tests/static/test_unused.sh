#!/bin/sh
# Every function that files of the library share is called by something.
# usage: test_unused.sh BUILD_DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for program in nm python3; do
  command -v $program >/dev/null || {
    echo "skipped: no $program"
    exit 77
  }
done
grep -q '^ONNXRUN_XNNPACK:BOOL=ON' "$1/CMakeCache.txt" || {
  echo "skipped: what calls XNNPACK is not in $1"
  exit 77
}
exec python3 -B "$here/unused.py" "$1" "$(cd "$here/../.." && pwd)"
