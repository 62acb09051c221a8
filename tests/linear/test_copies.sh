#!/bin/sh
# Models of so many copies of one take work in proportion to that number: every operator, layer and rewrite of the committed models and of
# ONNX's suite, as tests/linear/copies.c chooses and makes them; valgrind counts instructions. uncovered.txt has the layers and rewrites
# that none of these models has.
# usage: test_copies.sh BUILD_DIR [NODES [FOLDER...]]      NODES of the smaller (default 60); FOLDER: of one model, instead of all chosen
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v valgrind >/dev/null; then
  echo "no valgrind, which counts the instructions; apt-get install valgrind"
  exit 77
fi
if grep -q 'fsanitize' "$1/build.ninja" 2>/dev/null; then
  echo "the release build is counted, not one with sanitizers"
  exit 77
fi
version=$(sed -n 's/^onnx==//p' "$here/../onnx/suite/requirements.txt")
suite=${ONNXRUN_SUITE:-${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}/onnx-suite-$version}
if [ ! -e "$suite/complete" ]; then
  echo "no suite in $suite; tools/test writes it"
  exit 77
fi
program=$1/tests/linear_copies
nodes=${2:-60}
shift
[ $# -gt 0 ] && shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ONNXRUN_CPU=base # valgrind does not know the widest registers
failed=0

# Cases of old versions and the hostile corpus have what the suite has not, where they are in the cache.
more=
for folder in "${suite%/*}"/onnx-history-*/ "$("$here/../hostile/corpus_folder")"; do
  if [ -e "$folder/complete" ]; then more="$more $folder"; fi
done

if [ $# = 0 ]; then
  "$program" choose "$here/../fixtures" "$suite/node" "$suite/simple" "$suite/pytorch-converted" "$suite/pytorch-operator" $more >"$work/chosen" 2>"$work/log"
  sed -n 's/^missing //p' "$work/chosen" | sort >"$work/missing"
  sed -n 's/^\([a-z][^|]*[^ |]\) *|.*/\1/p' "$here/uncovered.txt" | sort >"$work/known"
  comm -23 "$work/missing" "$work/known" | sed 's/^/FAIL: no model here has the /' >"$work/new"
  comm -13 "$work/missing" "$work/known" | sed 's/^/FAIL: uncovered.txt has what is covered: /' >>"$work/new"
  if [ -s "$work/new" ]; then
    cat "$work/new"
    failed=1
  fi
  grep -v '^missing ' "$work/chosen" >"$work/folders"
else
  printf '%s\n' "$@" >"$work/folders"
fi
# COUNTS NODES FOLDERS: callgrind's files, half of them by each of two processes.
count() {
  split -n l/2 "$3" "$1."
  for part in "$1".a?; do
    [ -s "$part" ] || continue
    xargs valgrind --tool=callgrind --callgrind-out-file="$part.counts" "$program" count "$2" <"$part" >"$part.log" 2>&1 || touch "$part.failed" &
  done
  wait
  for part in "$1".a?.failed; do
    [ -e "$part" ] || continue
    cat "${part%.failed}.log"
    failed=1
  done
}

# COUNTS: those of which four times as many copies take more than 5.76 times the instructions (two doublings that each multiply by 2.4), and
# how much. In a file: desc: Trigger: Client Request: FOLDER COPIES; then the total.
judge() {
  awk '
    FNR == 1 { name = "" }
    /^desc: Trigger: Client Request: / { name = $5; copies = $6 }
    /^(totals|summary): / && name {
      if (name in first) {
        counted++
        less = first[name] < $2 ? first[name] : $2; more = first[name] + $2 - less
        percent = more * 100 / less
        if (percent > worst) { worst = percent; which = name }
        if (percent >= 576) printf "%s %.0f\n", name, percent
      } else first[name] = $2
      name = ""
    }
    END {
      sub(/.*\//, "", which)
      printf "%d models, the worst %s: four times as many copies take %.0f %% of the instructions\n", counted, which, worst >"/dev/stderr"
      exit !counted
    }
  ' "$1".a?.counts* || failed=1
}

count "$work/first" "$nodes" "$work/folders"
judge "$work/first" >"$work/doubtful"
# Memory that grows in steps makes a difference where there is little of it: these once more, and larger.
if [ -s "$work/doubtful" ]; then
  sed 's/ .*//' "$work/doubtful" >"$work/again"
  count "$work/second" $((8 * nodes)) "$work/again"
  judge "$work/second" >"$work/wrong"
  sed 's/^/FAIL: more than in proportion (in percent, four times as many copies): /' "$work/wrong"
  [ ! -s "$work/wrong" ] || failed=1
fi
exit $failed
