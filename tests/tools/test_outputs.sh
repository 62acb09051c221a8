#!/bin/sh
# Files for outputs: a name for each, errors of writing, and standard output that cannot be written.
# usage: test_outputs.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
python3 - "$work" <<'PY'
import sys
from model_writer import *
work = sys.argv[1]
def scaled(path, names):
    """Output k is x + k."""
    constants = [floats(f"k{i}", [1], [i]) for i in range(len(names))]
    write(path, [node("Add", ["x", f"k{i}"], [name]) for i, name in enumerate(names)], [("x", FLOAT, [1])],
          [(name, FLOAT, [1]) for name in names], constants)
scaled(work + "/names.onnx", ["a/b", "a:b", "a_b", "a b", "a_b_1", ".hidden", "_hidden", "../up", "n" * 300, "n" * 301, "Y", "y"])
write(work + "/sequence.onnx", [node("SequenceConstruct", ["x", "x"], ["y"])], [("x", FLOAT, [1])], [("y", FLOAT, None)])
identity(work + "/strings.onnx", STRING)
write(work + "/frobnicate.onnx", [node("Strange", ["x"], ["y"])], [("x", FLOAT, [1])], [("y", FLOAT, [1])])
PY
cd "$work" || exit 1

# Twelve outputs, twelve files, each with its own value, those that need no change under their own names.
expect 0 "" "$tool" run names.onnx -o results --seed 1
[ "$(ls -A results | wc -l)" = 12 ] || fail "12 outputs, these files: $(ls -A results)"
[ -z "$(ls -A | grep up)" ] || fail "a file outside of the folder"
for name in a_b a_b_1 _hidden Y y; do [ -e results/$name.npy ] || fail "no $name.npy"; done
"$tool" run names.onnx -o again --seed 1 2>/dev/null | sed 's/.* -> //' >paths
python3 - <<'PY' || fail "outputs are not in their own files"
import sys
from array_reader import read
values = [read(open(line.strip(), "rb").read())[1][0] for line in open("paths")]
sys.exit(len(values) != 12 or any(abs(v - values[0] - i) > 1e-5 for i, v in enumerate(values)))
PY
expect 0 "" "$tool" run sequence.onnx -o results
[ -e results/y/0.npy ] && [ -e results/y/1.npy ] || fail "no files of a sequence"

# Weights beside a model, or in another folder, are read, and so not written over.
mkdir elsewhere
python3 - <<'PY'
import struct
from model_writer import *
def beside(name, location):
    return (number(1, 2) + number(2, FLOAT) + piece(8, name) + piece(13, piece(1, "location") + piece(2, location)) + number(14, 1))
write("outside.onnx", [node("Add", ["x", "w"], ["h"]), node("Add", ["h", "v"], ["y"])], [("x", FLOAT, [2])], [("y", FLOAT, [2])],
      [beside("w", "y.npy"), beside("v", "v.json")])
for path in ("y.npy", "elsewhere/v.json"):
    open(path, "wb").write(struct.pack("<2f", 1, 2))
PY
for words in "run outside.onnx -o ." "run outside.onnx -o y.npy" "run outside.onnx -o elsewhere/v.json" "run outside.onnx --dump-all ." "bench outside.onnx --seconds 0 -o y.npy" \
  "bench outside.onnx --seconds 0 --kernels -o elsewhere/v.json" "report outside.onnx --seconds 0 -o y.npy"; do
  case $words in report*) [ -f "$(dirname "$tool")/share/onnxrun/report/page.html" ] || continue ;; esac
  expect 2 "which would be lost" "$tool" $words --external-data elsewhere -i x=[1,2]
  [ "$(stat -c %s y.npy elsewhere/v.json | tr '\n' ' ')" = "8 8 " ] || fail "$words lost weights"
done

# A slash behind a folder is no second one.
expect 0 "" "$tool" run sequence.onnx -o new/er/folder/
holds " -> new/er/folder/y/$"

# Folders are made, as many as are missing, but not for a file; FILE.npy is a file, of a model of one output; - is standard output.
python3 - <<'PY'
from model_writer import *
identity("one.onnx", shape=[2])
identity("two.onnx", shape=[2], name="y", result="z")
write("pair.onnx", [node("Neg", ["x"], ["a"]), node("Neg", ["a"], ["b"])], [("x", FLOAT, [2])], [("a", FLOAT, [2]), ("b", FLOAT, [2])])
PY
expect 0 "" "$tool" run one.onnx -o some/new/folder/
[ -f some/new/folder/y.npy ] || fail "no some/new/folder/y.npy"
mkdir -p other/new
expect 0 "" "$tool" run one.onnx -i some/new/folder/y.npy -o other/new/out.npy
cmp some/new/folder/y.npy other/new/out.npy || fail "no other/new/out.npy"
expect 0 "" "$tool" run one.onnx -i other/new/out.npy -o out.npy
holds "^y float32\[2\] -> out.npy$"
cmp out.npy other/new/out.npy || fail "no out.npy"
expect 2 "-o pair.npy: the model has 2 outputs; -o DIR writes a file for each" "$tool" run pair.onnx -o pair.npy
expect 2 "-o seq.npy: output 'y' is a sequence, no single array; -o DIR writes its entries" "$tool" run sequence.onnx -i x=again/y.npy -o seq.npy
expect 2 "-o -: output 'y' is a sequence" "$tool" run sequence.onnx -i x=again/y.npy -o -
mkdir folder.npy
expect 0 "" "$tool" run one.onnx -o folder.npy
[ -f folder.npy/y.npy ] || fail "no folder.npy/y.npy"
[ ! -e pair.npy ] && [ ! -e seq.npy ] || fail "files of runs that failed"
expect 0 "" "$tool" run one.onnx -i out.npy -o -
cmp out out.npy || fail "-o - is not the file"
"$tool" run one.onnx -i out.npy -o - | "$tool" run two.onnx -i - -o piped.npy >/dev/null || fail "two models in a pipe"
cmp piped.npy out.npy || fail "what came through the pipe"
expect 0 "" "$tool" run pair.onnx -i out.npy -o pairs
"$tool" run pair.onnx -i out.npy -o - | cat >pair.stream
cat pairs/a.npy pairs/b.npy | cmp - pair.stream || fail "two outputs are not one behind the other"
expect 2 "--show draws on standard output" "$tool" run one.onnx -o - --show
expect 4 "" "$tool" run frobnicate.onnx -o never/made
[ ! -e never ] || fail "a model that cannot be loaded has made a folder"

# Errors of writing say which file and why.
touch plain
expect 5 "plain: cannot be made a folder: File exists" "$tool" run names.onnx -i x=again/y.npy -o plain/new/out
expect 5 "plain: cannot be made a folder: File exists" "$tool" run names.onnx -i x=again/y.npy -o plain
mkdir full
ln -s /dev/full full/y.npy
python3 - <<'PY'
from model_writer import identity
identity("y.onnx", shape=[1])
PY
if [ -e /dev/full ]; then
  expect 5 "full/y.npy: cannot be written: No space left" "$tool" run y.onnx -i x=again/y.npy -o full

  # Every command, help too, fails when what it prints does not arrive: a full device, or no standard output at all.
  for words in "help" "--help" "--version" "help run" "run --help" "ops" "ops Conv" "ops --json" "info y.onnx" "info --json y.onnx" \
    "run y.onnx -i x=again/y.npy" "run y.onnx -i x=again/y.npy -o -" "run y.onnx -i x=again/y.npy -o results" "bench y.onnx -i x=again/y.npy --seconds 0" \
    "bench y.onnx -i x=again/y.npy --seconds 0 --json --profile" "check $fixtures/linear_2d_ts" "check --json $fixtures/linear_2d_ts" \
    "run $fixtures/demo/model.onnx -i $fixtures/demo/digits.npy --show"; do
    for target in /dev/full closed; do
      if [ $target = closed ]; then "$tool" $words >&- 2>err; else "$tool" $words >$target 2>err; fi
      found=$?
      [ $found = 5 ] || fail "'$words' with standard output $target: expected exit code 5, found $found"
      grep -q "standard output cannot be written: " err || fail "'$words' with standard output $target says: $(cat err)"
    done
  done
  # What could not be printed has not landed in the files that were written.
  cmp -s results/y.npy again/y.npy || fail "standard output was closed, and what was printed went into a file"
  # An error of its own stays.
  "$tool" run nowhere.onnx >&- 2>err
  [ $? = 5 ] || fail "no file and no standard output"
  "$tool" walk >/dev/full 2>/dev/null
  [ $? = 2 ] || fail "usage errors print nothing"
  "$tool" run y.onnx -i x=again/y.npy >"$work/out.txt" 2>&- || fail "no standard error: exit code $?"
fi
# A file that may not grow any more, or be opened, is one error, too, that says why, and leaves nothing behind.
python3 - <<'PY'
from model_writer import FLOAT, floats, node, write
write("heavy.onnx", [node("Add", ["x", "w"], ["y"])], [("x", FLOAT, [1])], [("y", FLOAT, [5000])], [floats("w", [5000], [1] * 5000)])
PY
for words in "run heavy.onnx -i x=again/y.npy -o grown" "optimise heavy.onnx -o grown.onnx" "pack heavy.onnx -o grown.onr"; do
  expect 5 "grown.*cannot be written" sh -c "ulimit -f 1; exec '$tool' $words"
done
[ ! -e grown.onnx ] && [ ! -e grown.onr ] || fail "half a file was left"
grep -q fsanitize "$1/build.ninja" 2>/dev/null ||
  expect 5 "cannot open the directory '.': this process has too many files open" sh -c "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n 4; exec '$tool' info heavy.onnx"
# What is read is not written over, whatever wrote the name and whatever the name is: inputs, answers, and a recipe with what it names.
mkdir kept kept/lbl && cp "$fixtures"/demo/*.* kept && cd kept || exit 1
for name in probabilities linear linked; do cp digits.npy $name.npy; done
cp labels.npy lbl/probabilities.npy
mkdir links && ln -s ../linked.npy links/probabilities.npy && ln linked.npy index.json
python3 -c 'import json; json.dump([str(i) for i in range(10)], open("names.json", "w"))'
echo '{"inputs": {"picture": {"range": 1}}, "labels": "names.json"}' >model.json
ls -R >../listed && cat *.npy *.json model.onnx lbl/* >../before
while read -r reason words; do
  expect 2 "^onnxrun: [a-z]*: .* is $reason.*, which would be lost$" "$tool" run model.onnx $words
done <<'END'
an.input -i probabilities.npy -o .
an.input -i linear.npy --dump-all .
an.input -i linked.npy -o links
an.input -i linked.npy --dump-all .
an.input -i linear.npy -o links/../linear.npy
a.file.that.is.read -i digit.png -o model.json
a.file.that.is.read -i digit.png -o names.json
a.file.that.is.read --top 3 -o names.json
a.file.that.is.read -i digits.npy --labels lbl/probabilities.npy -o lbl
a.file.that.is.read -i digits.npy --labels lbl/probabilities.npy --show -o lbl
END
cp digits.npy model.c
expect 2 "compile: \./model.c is an input, which would be lost" "$tool" compile model.onnx -i model.c
rm model.c
ls -R | cmp -s - ../listed && cat *.npy *.json model.onnx lbl/* | cmp -s - ../before || fail "what is read was written over, or something made"
# Files of an earlier run are written anew, also where a JSON beside the model is no recipe.
rm model.json
for words in "-o ." "--dump-all values" "-o model.json"; do
  for time in first second; do expect 0 "" "$tool" run model.onnx -i digits.npy $words; done
done
cd ..

finish
