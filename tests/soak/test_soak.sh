#!/bin/sh
# Load, run and destroy again and again: nothing is left behind, memory does not grow, results stay. tools/soak has counts of a day.
# usage: test_soak.sh BUILD_DIR
set -eu
soak=$1/tests/soak
fixtures=$(cd "$(dirname "$0")/../fixtures" && pwd)
[ -e /proc/self/statm ] || { echo "there is no /proc to ask for memory"; exit 77; }
cd "$fixtures"
loads=2000 runs=100000 shapes=3000 threads=20000
if grep -q fsanitize "$1/build.ninja"; then # they keep what was released for a while
  loads=20 runs=1000 shapes=20 threads=800
  export ONNXRUN_SOAK_GROWS=1
fi
"$soak" load $loads mlp_ts while_loop_dynamo conv_bn_relu_ts lstm_ts microsoft_gelu
"$soak" run $runs mlp_ts
"$soak" run $((runs / 100)) while_loop_dynamo nonzero_ts cond_dynamo
"$soak" shapes $shapes cnn_dynamic_batch_ts cnn_dynamic_image_ts lstm_dynamic_ts
"$soak" threads $threads conv_bn_relu_ts
