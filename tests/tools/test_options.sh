#!/bin/sh
# The command line: help, versions, options that a command does not take, words given twice, "did you mean".
# usage: test_options.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
model=$fixtures/linear_2d_dynamo/model.onnx

# Help comes from the table of options, in every spelling, for every command.
expect 2 "" "$tool"
for words in help --help -h; do
  expect 0 "" "$tool" $words
  holds "usage: onnxrun COMMAND"
done
for command in $commands; do
  expect 0 "" "$tool" help $command
  holds "usage: onnxrun $command"
  cp "$work/out" "$work/help"
  for words in --help -h "nowhere.onnx --help"; do
    expect 0 "" "$tool" $command $words
    cmp -s "$work/out" "$work/help" || fail "'$command $words' and 'help $command' differ"
  done
done
expect 0 "" "$tool" --version
holds "^onnxrun [0-9]"
expect 2 "expected nothing behind it" "$tool" --version now

# Every option is refused by every command that its help does not list.
expect 0 "" "$tool" help
options=$(sed -n 's/^ .*--\([a-z0-9-]*\).*/\1/p' "$work/out" | sort -u)
for command in $commands; do
  "$tool" help $command >"$work/help"
  for option in $options; do
    case $option in help | version) continue ;; esac
    line=$(grep -e "^ .*--$option" "$work/help") && continue
    expect 2 "does not take --$option" "$tool" $command --$option "$model"
  done
done
[ "$(echo $options | wc -w)" -ge 17 ] || fail "help lists too few options: $options"

# Nothing is ignored in silence.
expect 2 "--mean does nothing without --input" "$tool" run "$model" --mean 1
expect 2 "--threads is given twice" "$tool" run "$model" --threads 1 --threads=2
expect 2 "--top: expected a whole number from 1 to" "$tool" run "$model" --top 0
expect 2 "run: -: a model is read from a file, not from standard input" "$tool" run -
for words in "optimise" "pack" "bench --seconds 0" "compile --dim batch=1"; do
  expect 2 "${words%% *}: -o -: it writes a file, and none to standard output" "$tool" $words "$model" -o -
  [ ! -e ./- ] || fail "$words made a file -"
done
expect 2 "--limit nodes is given twice" "$tool" run "$model" --limit nodes=100 --limit nodes=200
expect 2 "takes no value" "$tool" bench "$model" --json=yes
expect 2 "expected a value" "$tool" bench "$model" --seconds
expect 2 "expected one path" "$tool" run "$model" "$model"
expect 2 "expected a path" "$tool" run
expect 2 "expected a path" "$tool" check
expect 2 "whole number" "$tool" bench "$model" --threads many
expect 2 "whole number" "$tool" bench "$model" --seed 99999999999999999999
expect 2 "number from 0" "$tool" bench "$model" --seconds nan
expect 2 "expected auto|portable, got .gpu." "$tool" bench "$model" --backend gpu
expect 2 "expected NAME=SIZE" "$tool" run "$model" --dim 4
expect 2 "expected NAME=VALUE" "$tool" run "$model" --limit 5
expect 2 "no limit 'memory'; there are .*total_bytes" "$tool" run "$model" --limit memory=5
expect 2 "64M, 64MiB" "$tool" run "$model" --limit total_bytes=many
expect 2 "3k" "$tool" run "$model" --limit nodes=3MB
expect 5 "the limit total_bytes of 2000 bytes" "$tool" run "$model" --limit total_bytes=2kB
expect 5 "the limit total_bytes of 2048 bytes" "$tool" run "$model" --limit total_bytes=2KiB
for value in 64M 64MB 64MiB 1GB 1GiB 1g; do expect 0 "" "$tool" run "$model" --limit total_bytes=$value --limit nodes=1k; done
expect 5 "LIMIT: .*the limit total_bytes of 2048 bytes" "$tool" run "$model" --limit total_bytes=2K
expect 0 "" "$tool" run "$model" --limit total_bytes=64M --limit nodes=100
expect 5 "nowhere: cannot be opened: No such file" "$tool" check "$work/nowhere"
expect 2 "model.onnx: no folder; check takes the one with model.onnx" "$tool" check "$model"
expect 2 "no model.onnx in it or below" "$tool" check "$work"
expect 2 "empty word" "$tool" run "$model" -o ""
expect 0 "" "$tool" run -- "$model"
expect 2 "all does nothing with --json" "$tool" run "$model" --all --json
expect 2 "all does nothing with --output" "$tool" run "$model" -o "$work/x" --all
expect 2 "json does nothing with --output" "$tool" run "$model" -o "$work/x" --json
expect 2 "json does nothing with --top" "$tool" run "$model" --top 3 --json
expect 2 "seed does nothing with --greedy" "$tool" generate "$model" --seed 1 --greedy
expect 2 "profile does nothing with --kernels" "$tool" bench "$model" --kernels --profile
expect 2 "compare: does not take --output, which is for run, bench, pack, report, compile, optimise;" "$tool" compare "$model" -o x
expect 2 "ONNXRUN_CPU: expected one of base [a-z0-9 ]*, found 'foo'" env ONNXRUN_CPU=foo "$tool" run "$model"
for level in "" $(ONNXRUN_CPU=foo "$tool" run "$model" 2>&1 | sed -n "s/.*expected one of \(.*\), found.*/\1/p"); do expect 0 "" env ONNXRUN_CPU=$level "$tool" run "$model"; done

# The names that --disable-passes takes are in the help, and are all that it takes.
"$tool" help optimise | sed -n '/^Graph rewrites:/,/^$/p' | tail -n +2 | tr -d ',' >"$work/passes"
[ "$(wc -w <"$work/passes")" -ge 20 ] || fail "few rewrites: $(cat "$work/passes")"
for pass in $(cat "$work/passes") kernels all; do expect 0 "" "$tool" run "$model" --disable-passes $pass; done
[ "$(tr ' ' '\n' <"$work/passes" | grep . | sort | uniq -d)" = "" ] || fail "a rewrite is there twice"

# What help says of an option that several commands take is what it is in that one.
for command in $commands; do
  "$tool" help $command >"$work/help"
  for option in $(sed -n 's/^  \(-., \)\{0,1\}--\([a-z0-9-]*\).*/\2/p' "$work/help"); do
    [ "$(grep -c -e "^  \(-., \)\{0,1\}--$option\( \|\$\)" "$work/help")" = 1 ] || fail "help $command has --$option more than once"
  done
  for other in $commands; do
    grep -q "[;(] *$other: " "$work/help" && fail "help $command tells of $other"
  done
done

# Every file that is named and is not there: exit code 5, the name and the system's reason, whatever the command and the option.
cd "$fixtures/demo" || exit 1
swept=0
for command in $commands; do
  right=model.onnx
  [ $command = generate ] && right="../cached_decoder_ts/model.onnx --prompt-ids 1 --greedy"
  [ $command = check ] && right=../mlp_ts
  [ $command = optimise ] && right="model.onnx -o $work/optimised.onnx"
  [ $command = ops ] || expect 5 "'nowhere.onnx': no such file\|nowhere.onnx: cannot be opened: No such file" "$tool" $command $(echo "$right" | sed 's/^[^ ]*/nowhere.onnx/')
  "$tool" help $command | sed -n 's/^ .*--\([a-z0-9-]* [A-Z.=a-z]*\).*/\1/p' >"$work/takes"
  while read -r option argument; do
    case "$option $argument" in
      "input "*) words="-i nowhere.npy" ;;
      "recipe "*) words="-i digit.png --recipe nowhere" ;;
      "output "*) continue ;;
      *" FILE" | *" PATH" | *.so) words="--$option nowhere" ;;
      *) continue ;;
    esac
    [ "$option" = packed ] && continue # what is not there costs time alone, and is told
    expect 5 "nowhere.*: No such file or directory" "$tool" $command $right $words
    swept=$((swept + 1))
  done <"$work/takes"
done
[ $swept -ge 18 ] || fail "only $swept options with files"
expect 0 "--packed nowhere: .*; weights are packed anew" "$tool" run model.onnx -i digits.npy --packed nowhere
expect 5 "directory 'nowhere': there is none" "$tool" run model.onnx -i digits.npy --external-data nowhere

# The same of every file that cannot be written, and a name of a file where a folder is to be.
for command in pack report bench optimise; do
  for file in x x.onr; do
    [ $command = bench ] && seconds="--seconds 0" || seconds=
    expect 5 "nowhere/$file.*\(such file or directory\|is no such folder\)" "$tool" $command model.onnx -o "$work/nowhere/$file" $seconds
  done
done
: >"$work/file"
expect 5 "file: .*Not a directory\|file.*File exists" "$tool" run model.onnx -i digits.npy -o "$work/file/results"
expect 5 "Not a directory\|is a file" "$tool" optimise model.onnx -o "$work/file/x.onnx"
for folder in nowhere file; do
  expect 5 "$folder/x.npy: cannot be written: No" "$tool" run model.onnx -i digits.npy -o "$work/$folder/x.npy"
done
[ ! -e "$work/nowhere" ] || fail "a folder for one file"
for words in "compile model.onnx -o $work/nowhere" "compile ../nms_dynamo/model.onnx -o $work/nowhere"; do
  "$tool" $words >/dev/null 2>"$work/err" && fail "$words: no error"
  [ ! -e "$work/nowhere" ] || fail "$words left a folder"
done
# What is wrong is named with its option.
expect 2 "name: expected an identifier of C, of 64 characters at most, got 'a b'" "$tool" compile model.onnx --dim batch=1 -o "$work/sources" --name "a b"
expect 2 "with --show labels are the right answers, numbers in a .npy" "$tool" run model.onnx -i digits.npy --show --labels names.txt
expect 2 "optimise: does not take --precision" "$tool" optimise model.onnx -o "$work/x.onnx" --precision fast
# Somebody's own source is kept, one of ours is written anew.
expect 0 "" "$tool" compile model.onnx --dim batch=1 -o "$work/sources"
expect 0 "" "$tool" compile model.onnx --dim batch=1 -o "$work/sources"
for file in model.c model.h; do
  mkdir -p "$work/own"
  echo "int main(void) { return 0; }" >"$work/own/$file"
  expect 2 "own/$file was not written by onnxrun, and would be lost" "$tool" compile model.onnx --dim batch=1 -o "$work/own"
  [ "$(cat "$work/own/$file")" = "int main(void) { return 0; }" ] && [ "$(ls "$work/own")" = $file ] || fail "$file was written over"
  rm "$work/own/$file"
done
for words in "run -i digits.npy -o $work/a.txt" "run -i digits.npy --dump-all $work/a.txt" "compile --dim batch=1 -o $work/a.txt"; do
  expect 2 "a.txt: .*folder; a folder of that name is '$work/a.txt/'" "$tool" $(echo $words | cut -d' ' -f1) model.onnx $(echo $words | cut -d' ' -f2-)
  [ -e "$work/a.txt" ] && fail "$words made something"
done
expect 0 "" "$tool" run model.onnx -i digits.npy -o "$work/a.txt/"
expect 0 "" "$tool" run model.onnx -i digits.npy -o "$work/a.txt"
expect 0 "" "$tool" run model.onnx -i digits.npy -o "$work/v1.2"
cd "$work" || exit 1

# What is said of how inputs are made is heard, or refused.
cd "$fixtures/demo" || exit 1
for words in "--rate 8000" "--frame 4" "--resize 8" "--mean 0.5" "--channels GRAY"; do
  expect 2 "run: ${words%% *} is for .*, and no input is given as such" "$tool" run model.onnx -i digits.npy $words
  expect 2 "bench: ${words%% *} is for" "$tool" bench model.onnx --seconds 0 -i digits.npy $words
done
expect 2 "run: --shape is for plain bytes" "$tool" run model.onnx -i digits.npy --shape 1x1x8x8
expect 2 "" "$tool" run model.onnx -i digit.png --channels GRAY --rate 8000
grep -q "run: --rate is for sound" "$work/err" || fail "--rate for a picture"
expect 0 "" "$tool" run model.onnx -i digit.png --channels GRAY
recipe() { printf '%s' "$1" >"$work/recipe.json"; }
for case in '{"input": {}}|expected inputs and labels, found .input.; did you mean .inputs.' '{"inputs": []}|inputs: expected an object' \
  '{"inputs": {"pictur": {}}}|the model has no input .pictur.; did you mean .picture.' '{"inputs": {"picture": 1}}|input .picture.: expected an object' \
  '{"labels": 3}|labels: expected the name of a file' '{"inputs": {"picture": {"meen": 1}}}|there is no .meen. of an input; did you mean .mean.'; do
  recipe "${case%%|*}"
  expect 2 "recipe.json: ${case#*|}" "$tool" run model.onnx -i digit.png --channels GRAY --recipe "$work/recipe.json"
done
recipe '{"inputs": {"picture": {"channels": "GRAY"}}, "labels": "names.txt"}'
cp names.txt "$work"
expect 0 "" "$tool" run model.onnx -i digit.png --recipe "$work/recipe.json" --top 1
recipe '{"inputs": {"picture": {"rate": 8000}}}'
expect 0 "" "$tool" run model.onnx -i digits.npy --recipe "$work/recipe.json"
# JSON beside the model that is no recipe is somebody else's.
mkdir -p "$work/beside"
cp model.onnx model.onnx.data "$work/beside"
printf '{"architectures": ["x"], "inputs": 3}' >"$work/beside/model.json"
expect 0 "" "$tool" run "$work/beside/model.onnx" -i digits.npy
printf '{"inputs": {}, "author": "x"}' >"$work/beside/model.json"
expect 2 "model.json: expected inputs and labels, found 'author'" "$tool" run "$work/beside/model.onnx" -i digits.npy
cd "$work" || exit 1

# --profile with --json is honoured, and the object stays one line.
expect 0 "" "$tool" bench "$model" --seconds 0 --json --profile
holds '"profile":\[{"layer"'
[ "$(wc -l <"$work/out")" = 1 ] || fail "bench --json is not one line"
[ -s "$work/err" ] && fail "bench --json writes to stderr"

# Near misses: commands, options, operators, dimensions, inputs, and names in data sets.
expect 2 "unknown command 'rnu'; did you mean 'run'?" "$tool" rnu "$model"
expect 2 "did you mean 'check'?" "$tool" help chek
expect 2 "did you mean '--version'?" "$tool" --verison
expect 2 "no option '--thread'; did you mean '--threads'?" "$tool" run "$model" --thread 2
expect 2 "no option '--sede'; did you mean '--seed'?" "$tool" run "$model" --sede=2
expect 2 "no option '-x'" "$tool" run "$model" -x
expect 2 "no operator 'conv'; did you mean 'Conv'?" "$tool" ops Relu conv
expect 2 "no operator 'LayerNormalisation'; did you mean 'LayerNormalization'?" "$tool" ops LayerNormalisation
expect 2 "no operator 'Quux'\$" "$tool" ops Quux
python3 - "$work" <<'PY'
import sys
from model_writer import *
work = sys.argv[1]
write(work + "/names.onnx", [node("Add", ["image", "mask"], ["scores"])],
      [("image", FLOAT, ["batch", 3]), ("mask", FLOAT, ["batch", None])], [("scores", FLOAT, ["batch", 3])])
PY
names=$work/names.onnx
expect 2 "no input 'imgae'; it has 'image', 'mask'; did you mean 'image'?" "$tool" run "$names" -i imgae=x.npy
expect 2 "no input 'other'; it has 'image', 'mask'\$" "$tool" run "$names" -i other=x.npy
expect 2 "no dynamic dimension 'bacth'; it has 'batch', 'mask.1'; did you mean 'batch'?" "$tool" run "$names" --dim bacth=2
expect 2 "no dynamic dimension 'n'; all are fixed: 'x' \[2,3,9,11\]$" "$tool" run "$fixtures/conv2d_ts/model.onnx" --dim n=2
expect 2 "'x.1' is fixed to 3, not dynamic; all are fixed: 'x' \[2,3,9,11\]$" "$tool" run "$fixtures/conv2d_ts/model.onnx" --dim x.1=4
expect 2 "'image.1' is fixed to 3, not dynamic; it has 'batch', 'mask.1'$" "$tool" run "$names" --dim image.1=4
expect 2 "no dynamic dimension 'image.7'; it has 'batch', 'mask.1'" "$tool" run "$names" --dim image.7=4
expect 2 "twice" "$tool" run "$names" --dim batch=2 --dim batch=2
expect 2 "twice" "$tool" run "$names" --dim batch=2 --dim mask.0=2
expect 0 "" "$tool" run "$names" --dim batch=2 --dim mask.1=1
holds "float32\[2,3\]"

# check: the arrays of a .npz are found by their names alone.
mkdir -p "$work/case/test_data_set_0"
cp "$names" "$work/case/model.onnx"
python3 - "$work/case/test_data_set_0" <<'PY'
import struct, sys, zipfile
def npy(values, shape):
    text = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + struct.pack(f"<{len(values)}f", *values)
def npz(name, **arrays):
    with zipfile.ZipFile(sys.argv[1] + "/" + name, "w") as z:
        for key, array in arrays.items():
            z.writestr(key + ".npy", array)
npz("input_0.npz", mask=npy([1], (1, 1)), image=npy([1, 2, 3], (1, 3)))
npz("output_0.npz", scores=npy([2, 3, 4], (1, 3)))
npz("other.npz", score=npy([2, 3, 4], (1, 3)))
PY
expect 0 "" "$tool" check "$work/case"
holds "ok case"

# check: names are the last folders', as long as that says which case it is; else the paths, as they were typed.
mkdir -p "$work/a/first" "$work/b"
cp -r "$work/case" "$work/a/case"
cp -r "$work/case" "$work/b/case"
rm "$work/b/case/test_data_set_0/output_0.npz"
cp -r "$work/case/." "$work/a/first"
cd "$work" || exit 1
expect 1 "" "$tool" check a/ b/case
holds "^ok a/case$"
holds "^ok first$"
holds "^FAIL b/case: "
expect 1 "" "$tool" check --json a/ b/case
holds '"path":.*"a/first"'
holds '"name":.*"b/case"'
for typed in a/first a/first/ ./a//first; do
  expect 0 "" "$tool" check $typed
  holds "^ok first$"
done
expect 5 "nowhere: cannot be opened: No such file" "$tool" check a nowhere
lacks "ok"
mv "$work/case/test_data_set_0/other.npz" "$work/case/test_data_set_0/output_0.npz"
expect 1 "no output 'score'; it has 'scores'; did you mean 'scores'?" "$tool" check "$work/case"
finish
