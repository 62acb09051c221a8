#!/bin/sh
# The scripts in tools/ answer --help at once, with what they do and how they are called, and refuse what they do not know.
# usage: test_scripts.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
tools=$(cd "$here/../../tools" && pwd)
count=0
for script in "$tools"/*; do
  [ -f "$script" ] && [ -x "$script" ] || continue
  name=$(basename "$script")
  for word in --help -h; do
    expect 0 "" timeout 20 "$script" $word
    holds "$name"
    [ "$(wc -l <"$work/out")" -ge 2 ] || fail "tools/$name $word says too little: $(cat "$work/out")"
    [ ! -s "$work/err" ] || fail "tools/$name $word complains: $(cat "$work/err")"
  done
  expect 2 "" timeout 20 "$script" --nonsense
  grep -q "$name" "$work/err" || fail "tools/$name --nonsense says: $(cat "$work/err")"
  count=$((count + 1))
done
[ $count -ge 8 ] || fail "only $count scripts were tried"

# The examples of every command's help run as they stand, in the folder that they name.
PATH=$(dirname "$tool"):$PATH
export PATH
cp -r "$fixtures/demo" "$fixtures/mlp_ts" "$fixtures/mlp_dynamo" "$fixtures/cached_decoder_ts" "$work"
cd "$work/demo" || exit 1
for command in $commands; do
  "$tool" help $command | sed -n '/^For example/,/^$/s/^  //p' >"$work/examples"
  [ -s "$work/examples" ] || fail "the help of $command has no example"
  while IFS= read -r line; do
    expect 0 "" sh -c "$line"
    [ -s "$work/out" ] || fail "'$line' prints nothing"
    case $line in "onnxrun $command "*) ;; *) fail "the help of $command has '$line'" ;; esac
  done <"$work/examples"
done
[ -f results/probabilities.npy ] || fail "the example with -o results wrote none"
for command in "" $commands; do
  [ -z "$("$tool" help $command | awk 'length($0) > 80 && !/^  onnxrun /')" ] || fail "'help $command' has lines of more than 80 columns"
done
finish
