#!/bin/sh
# Old operator versions, every tensor type, random geometry and special numbers against history/expected.txt: a case that passes although it should not is a
# failure too.
# usage: test_history.sh BUILD_DIR      ONNXRUN_HISTORY: where tools/test wrote the cases (default: in the cache)
set -u
tool=$1/onnxrun
here=$(cd "$(dirname "$0")" && pwd)
sum=$(cat "$here"/history/*.py "$here/history/requirements.txt" | cksum)
history=${ONNXRUN_HISTORY:-${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}/onnx-history-${sum%% *}}
if [ ! -e "$history/complete" ]; then
  echo "no cases in $history; tools/test writes them"
  exit 77
fi
results=$(mktemp)
trap 'rm -f "$results"' EXIT
"$tool" check --rtol 1e-2 --atol 1e-3 "$history/types" >"$results"
"$tool" check --rtol 1e-3 --atol 2e-4 "$history/quantised" >>"$results" # one step of 16 bits, none of 8
"$tool" check --rtol 1e-3 --atol 1e-5 "$history/forms" "$history/versions" "$history/geometry" "$history/specials" >>"$results"
# expected.txt: NAME ok | NAME fail REASON. Where two references differ on this processor only, the generator leaves a case
# out, so a few may be missing.
awk '
  function result(line) { return line ~ /^ok / ? "ok" : "fail" }
  FNR == NR { if ($0 !~ /^#/ && NF) { expected[$1] = $2; listed++ } next }
  /^(ok|FAIL|UNSUPPORTED) / {
    name = $2; sub(/:$/, "", name); seen[name] = 1; total++
    if (!(name in expected)) { print "not in expected.txt: " $0; wrong++; next }
    if (expected[name] == result($0)) { agree++; if (result($0) == "ok") passed++; next }
    if (expected[name] == "fail") print "passes although expected.txt says that it does not: " name
    else print $0
    wrong++
  }
  END {
    for (name in expected) if (!(name in seen)) { print "did not run: " name; missing++ }
    printf "%d cases: %d pass, %d fail as expected, %d not as expected, %d did not run\n", total, passed, agree - passed, wrong, missing
    exit wrong > 0 || listed == 0 || missing * 50 > listed
  }
' "$here/history/expected.txt" "$results"
