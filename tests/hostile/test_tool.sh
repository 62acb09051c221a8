#!/bin/sh
# The tool on hostile models: every command that reads one ends with a status of its own and with a word, never by a signal, and in time.
# usage: test_tool.sh BUILD_DIR [STEP]      one case of STEP (default 8); ONNXRUN_HOSTILE as in test_hostile.sh
set -u
. "$(dirname "$0")/../tools/expect.sh"
corpus=${ONNXRUN_HOSTILE:-$("$(dirname "$0")/corpus_folder")}
step=${2:-8}
if [ ! -e "$corpus/complete" ]; then
  echo "no corpus in $corpus; tools/test writes it"
  exit 77
fi
cd "$work" || exit 1
tried=0
try() {
  tried=$((tried + 1))
  timeout 60 "$tool" "$@" --limit total_bytes=268435456 --limit work=1000000000 >out 2>&1
  status=$?
  [ $status -le 5 ] || fail "$*: status $status: $(tail -1 out)"
  [ $status = 0 ] || [ -s out ] || fail "$*: status $status without a word"
  rm -rf made*
}
for name in $(awk -F'\t' -v step="$step" 'NR % step == 1 { print $1 }' "$corpus/cases.tsv"); do
  model=$corpus/$name/model.onnx
  try info "$model"
  try optimise "$model" -o made.onnx
  try pack "$model" -o made
  try pack "$model" -o made.onr
  try compile "$model" -o made --name made
done
[ $tried -ge 500 ] || [ "$step" -gt 8 ] || fail "only $tried commands were tried"
finish
