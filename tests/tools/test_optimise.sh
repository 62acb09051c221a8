#!/bin/sh
# optimise: what it writes runs as its source does, and is smaller; what cannot be said is told, and nothing is left behind. Results beside those of other
# programs are onnx/test_optimise.sh's.
# usage: test_optimise.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
model=$fixtures/transformer_encoder_layer_ts/model.onnx

expect 0 "" "$tool" optimise "$model" -o "$work/small.onnx"
holds "small.onnx: [0-9]* nodes ([0-9]* before), [0-9.]* KiB$"
set -- $(sed -n 's/.*: \([0-9]*\) nodes (\([0-9]*\) before),.*/\1 \2/p' "$work/out")
[ "$1" -lt "$2" ] || fail "expected fewer nodes than $2, found $1"
expect 0 "" "$tool" info "$model"
grep -A9 -i inputs "$work/out" >"$work/before"
mkdir "$work/case"
cp -r "$fixtures"/transformer_encoder_layer_ts/test_data_set_* "$work/case"
cp "$work/small.onnx" "$work/case/model.onnx"
expect 0 "" "$tool" check "$work/case"

# Once more it stays as it is, over itself too.
cp "$work/small.onnx" "$work/again.onnx"
expect 0 "" "$tool" optimise "$work/again.onnx" -o "$work/again.onnx"
cmp -s "$work/small.onnx" "$work/again.onnx" || fail "an optimised model is not what it becomes"
expect 0 "" "$tool" optimise "$model" -o "$work/threads.onnx" --threads 2
cmp -s "$work/small.onnx" "$work/threads.onnx" || fail "threads change the file"
expect 0 "" "$tool" optimise "$model" -o "$work/plain.onnx" --disable-passes all
holds "plain.onnx: "

# Weights beside the model: above 2 GiB, or the limit of bytes. It runs as the other does, and is written over itself, too.
demo=$fixtures/demo/model.onnx
limit="--limit file_bytes=25k"
mkdir "$work/beside"
cp -r "$fixtures"/demo/test_data_set_* "$work/beside"
expect 0 "" "$tool" optimise "$demo" -o "$work/whole.onnx"
holds "whole.onnx: .*, [0-9.]* KiB$"
expect 0 "" "$tool" optimise "$demo" -o "$work/beside/model.onnx" $limit
holds "model.onnx: .*, [0-9.]* KiB, and [0-9.]* KiB of weights in $work/beside/model.onnx.data$"
[ "$(stat -c %s "$work/whole.onnx")" -gt 40000 ] || fail "the model is too small for this test"
[ "$(stat -c %s "$work/beside/model.onnx")" -lt 25000 ] || fail "the limit is not kept"
[ "$(stat -c %s "$work/beside/model.onnx.data")" -gt 30000 ] || fail "no weights beside it"
expect 0 "" "$tool" check "$work/beside"
expect 0 "" "$tool" optimise "$work/beside/model.onnx" -o "$work/beside/again"
cmp -s "$work/whole.onnx" "$work/beside/again" || fail "weights from beside the model are others"
cp "$work/beside/model.onnx" "$work/beside/first"
cp "$work/beside/model.onnx.data" "$work/beside/first.data"
expect 0 "" "$tool" optimise "$work/beside/model.onnx" -o "$work/beside/model.onnx" $limit
for file in "" .data; do cmp -s "$work/beside/model.onnx$file" "$work/beside/first$file" || fail "over itself model.onnx$file is another"; done
[ "$(ls "$work/beside" | grep -c tmp)" = 0 ] || fail "something is left beside it"
mv "$work/beside/model.onnx.data" "$work/beside/moved"
expect 1 "" "$tool" check "$work/beside"
rm "$work/whole.onnx"

# Only an ONNX file is replaced, or one without a byte; weights only where there is the model that they belong to.
printf 'BMW, and more text\n' >"$work/text"
printf '\010\003\020\001\042\014' >"$work/tensor" # a TensorProto: dims, data_type, float_data
: >"$work/empty"
for file in text tensor; do
  cp "$work/$file" "$work/kept"
  expect 5 "'$work/$file': there is a file of something else in its place$" "$tool" optimise "$model" -o "$work/$file"
  cmp -s "$work/$file" "$work/kept" || fail "$file was written over"
done
expect 0 "" "$tool" optimise "$demo" -o "$work/empty"
cp "$work/text" "$work/new.data"
expect 5 "'$work/new.data': there is a file of something else in its place$" "$tool" optimise "$demo" -o "$work/new" $limit
cmp -s "$work/text" "$work/new.data" || fail "weights were written over something else"
[ ! -e "$work/new" ] || fail "a model without its weights"

# What has no form.
expect 4 "" "$tool" optimise "$fixtures/onnxrun_max_pool/model.onnx" -o "$work/none.onnx"
grep -q "UNSUPPORTED: .*some of it cannot be said in ONNX:" "$work/err" || fail "$(cat "$work/err")"
grep -q "^  2 x MaxUnpool (layer max_unpool): it counts indices in each channel" "$work/err" || fail "$(cat "$work/err")"
[ ! -e "$work/none.onnx" ] || fail "half a model"
expect 0 "" "$tool" pack "$model" -o "$work/model.onr"
expect 2 "a packed model has no weights" "$tool" optimise "$work/model.onr" -o "$work/none.onnx"

# Mistakes.
expect 2 "-o FILE says where the model goes" "$tool" optimise "$model"
expect 3 "" "$tool" optimise "$0" -o "$work/none.onnx"
expect 5 "IO: '$work/nowhere/x.onnx': no file can be created beside it: there is no such folder$" "$tool" optimise "$model" -o "$work/nowhere/x.onnx"
expect 2 "no graph rewrite is called" "$tool" optimise "$model" -o "$work/none.onnx" --disable-passes nonsense
[ ! -e "$work/none.onnx" ] || fail "a file after a mistake"
[ "$(ls "$work" | grep -c onnx)" = 4 ] || fail "something is left behind: $(ls "$work")"
finish
