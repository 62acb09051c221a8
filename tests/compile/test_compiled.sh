#!/bin/sh
# Every fixture, and a part of ONNX's suite, as C: compiled without a warning, run, compared with the expected values.
# test_compiled.sh BUILD [EVERY]: every so manieth case of the suite (default 12).
set -eu
build=$1
every=${2:-12}
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^onnx==//p' "$here/../onnx/suite/requirements.txt")
suite=${ONNXRUN_SUITE:-${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}/onnx-suite-$version}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# check NAME CASE...: what is unsupported is in unsupported_NAME.txt, and nothing else
check() {
  name=$1
  shift
  mkdir "$work/$name"
  "$build/tests/compile_check" "$work/$name" "${CC:-cc} -O1" "$@" >"$work/$name.log" || status=1
  grep '^FAIL' "$work/$name.log" || :
  tail -n 1 "$work/$name.log"
  sed -n 's/^UNSUPPORTED \([^:]*\):.*/\1/p' "$work/$name.log" | LC_ALL=C sort >"$work/$name.found"
  [ -z "${ONNXRUN_UPDATE:-}" ] || cp "$work/$name.found" "$here/unsupported_$name.txt"
}

check fixtures $(ls -d "$here"/../fixtures/*_ts* "$here"/../fixtures/*_dynamo* "$here"/kws_int8)
if ! diff "$here/unsupported_fixtures.txt" "$work/fixtures.found"; then
  echo "the list of fixtures that cannot be written as C is not up to date; ONNXRUN_UPDATE=1 writes it"
  status=1
fi
if [ -e "$suite/complete" ]; then
  check suite $(ls -d "$suite"/node/test_* "$suite"/pytorch-*/test_* | awk "NR % $every == 0")
  if [ "$every" = 1 ]; then diff "$here/unsupported_suite.txt" "$work/suite.found" || status=1
  elif grep -vxFf "$here/unsupported_suite.txt" "$work/suite.found"; then
    echo "cases of the suite that could be written as C"
    status=1
  fi
else
  echo "without ONNX's suite, which is not there: $suite"
fi
exit $status
