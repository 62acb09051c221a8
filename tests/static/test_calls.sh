#!/bin/sh
# No recursion but what tests/static/recursion.txt knows a bound of, no frame without one, no chain of calls that takes much stack, and no
# layer that never looks at the cancel flag.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
for program in gcc python3; do
  command -v $program >/dev/null || {
    echo "skipped: no $program"
    exit 77
  }
done
exec python3 -B "$here/calls.py" "$build" "$build/tests/calls"
