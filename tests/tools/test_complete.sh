#!/bin/sh
# Completion and the man page have every command and option that the help has, and say what bash, zsh and man understand.
# usage: test_complete.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
cd "$work" || exit 1
for program in bash zsh man; do "$tool" help $program >$program.text || fail "help $program"; done
"$tool" help >help
options=$(sed -n 's/^  .*--\([a-z0-9-]*\).*\[.*/\1/p; s/^  \(-., \)*--\([a-z0-9-]*\).*/\2/p' help | grep -v version | sort -u)
[ "$(echo $commands | wc -w)" -ge 7 ] || fail "too few commands: $commands"
[ "$(echo $options | wc -w)" -ge 30 ] || fail "too few options: $options"

# bash: what follows a beginning.
cat >ask.sh <<'TEXT'
. ./bash.text
words=("$@")
COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
compopt() { :; }
_onnxrun
printf '%s\n' "${COMPREPLY[@]}"
TEXT
ask() {
  bash ask.sh onnxrun "$@" >out 2>err || fail "completion of '$*': $(cat err)"
  [ ! -s err ] || fail "completion of '$*' complains: $(cat err)"
}
if command -v bash >/dev/null; then
  ask ""
  for command in $commands help; do grep -qx $command out || fail "bash does not complete the command $command"; done
  ask ru && [ "$(cat out)" = run ] || fail "ru: $(cat out)"
  ask run --thr && [ "$(cat out)" = --threads ] || fail "run --thr: $(cat out)"
  for command in $commands; do
    ask $command --
    sort out >found
    "$tool" help $command | sed -n 's/^  \(-., \)*\(--[a-z0-9-]*\).*/\2/p' | sort -u >expected
    cmp -s expected found || fail "options of $command: $(diff expected found)"
  done
  ask bench --format "" && [ "$(tr '\n' ' ' <out)" = "table json csv trace " ] || fail "--format: $(cat out)"
  ask bench --format j && [ "$(cat out)" = json ] || fail "--format j: $(cat out)"
  ask run --backend p && [ "$(cat out)" = portable ] || fail "--backend p: $(cat out)"
  touch picture.png picture.jpg
  ask run -i x=pic && [ "$(sort out | tr '\n' ' ')" = "picture.jpg picture.png " ] || fail "files behind NAME=: $(cat out)"
  ask run --threads "" && [ "$(cat out)" = "" ] || fail "a number is no file: $(cat out)"
fi
if command -v zsh >/dev/null; then zsh -n zsh.text || fail "zsh does not parse it"; fi
grep -q -- "--format.*:(table json csv trace)'" zsh.text || fail "zsh does not know what --format takes"
for command in $commands; do grep -q "^    $command)" zsh.text || fail "zsh does not know $command"; done
for option in $options; do
  grep -q -- "--$option[^a-z0-9-]" zsh.text || fail "zsh does not know --$option"
  tr -d '\\' <man.text | grep -q -- "^\.B .*--$option\( \|$\)" || fail "the man page does not know --$option"
done
for command in $commands; do grep -q "^\.B $command " man.text || fail "the man page does not know $command"; done
if command -v groff >/dev/null; then
  groff -man -Tutf8 -ww man.text >page 2>err
  [ ! -s err ] || fail "groff complains: $(cat err)"
  grep -q "onnxrun - run, describe" page || fail "the page has no name"
fi
expect 2 "unknown command 'fish'" "$tool" help fish
finish
