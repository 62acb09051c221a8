#!/bin/sh
# The ONNX backend test suite against suite/expected.txt: a case that passes although it should not is a failure too.
# usage: test_suite.sh BUILD_DIR      ONNXRUN_SUITE: where tools/test wrote the suite (default: in the cache)
#                                     ONNXRUN_SUITE_MODELS=no: operators alone, without the nine models of "light"
set -u
tool=$1/onnxrun
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^onnx==//p' "$here/suite/requirements.txt")
suite=${ONNXRUN_SUITE:-${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}/onnx-suite-$version}
if [ ! -e "$suite/complete" ]; then
  echo "no suite in $suite; tools/test writes it"
  exit 77
fi
set -- "$suite/node" "$suite/simple" "$suite/pytorch-converted" "$suite/pytorch-operator"
left_out='^light_'
if [ "${ONNXRUN_SUITE_MODELS:-yes}" = yes ]; then
  set -- "$@" "$suite/light"
  left_out='^$'
fi
expected=$(mktemp)
results=$(mktemp)
trap 'rm -f "$expected" "$results"' EXIT
grep -v "$left_out" "$here/suite/expected.txt" >"$expected"
"$tool" check --rtol 1e-3 --atol 1e-5 "$@" >"$results"
# expected.txt: NAME ok | NAME random | NAME fail REASON
awk '
  function result(line) { return line ~ /^ok / ? "ok" : "fail" }
  FNR == NR { if ($0 !~ /^#/ && NF) expected[$1] = $2; next }
  /^(ok|FAIL|UNSUPPORTED) / {
    name = $2; sub(/:$/, "", name); seen[name] = 1; total++
    if (!(name in expected)) { print "not in expected.txt: " $0; wrong++; next }
    if (expected[name] == "random") { random++; if ($0 !~ /^ok / && $0 !~ /elements differ/) { print $0; wrong++ } next }
    if (expected[name] == result($0)) { agree++; if (result($0) == "ok") passed++; next }
    if (expected[name] == "fail") print "passes although expected.txt says that it does not: " name
    else print $0
    wrong++
  }
  END {
    for (name in expected) if (!(name in seen)) { print "did not run: " name; wrong++ }
    printf "%d cases: %d pass, %d are random, %d fail as expected, %d not as expected\n", total, passed, random, agree - passed, wrong
    exit wrong > 0
  }
' "$expected" "$results"
