#!/bin/sh
# Every call into the C library that can fail does so in turn, once and from then on: memory, files, maps, threads. The tool ends with an
# error of its own, or with the right result; never by a signal, and never with other numbers.
# (info leaves out what it cannot find out.)
# usage: test_faults.sh BUILD_DIR [POINTS]      at most POINTS of the calls of a kind for each command (default 25), spread over all
set -u
. "$(dirname "$0")/../tools/expect.sh"
library=$(cd "$1" && pwd)/tests/libfaults_inject.so
points=${2:-25}
if [ ! -e "$library" ]; then
  echo "calls can be made to fail on Linux with glibc alone"
  exit 77
fi
if grep -q fsanitize "$1/build.ninja"; then
  echo "a sanitizer's runtime must come first, before a library that is preloaded"
  exit 77
fi
cp -r "$fixtures/demo" "$fixtures/cached_decoder_ts" "$fixtures/conv_bn_relu_ts" "$work"
cd "$work" || exit 1
tried=0

# KIND AT ON COMMAND: its exit status; what it prints is in found.
once() {
  kind=$1 at=$2 on=$3
  shift 3
  rm -rf out packed packed.onr
  timeout 60 env ${on:+FAULT_ON=1} FAULT_KIND="$kind" FAULT_AT="$at" FAULT_LOG="$work/count" LD_PRELOAD="$library" "$@" >found 2>found.err
}

# Numbers that are the same in every run.
result() { { cat found; [ ! -d out ] || cat out/*.npy; } | cksum; }

# KINDS COMMAND
try() {
  kinds=$1
  shift
  for kind in $kinds; do
    once "$kind" 0 "" "$@" || { fail "$* fails without a fault: $(cat found.err)"; return; }
    expected=$(result)
    count=$(cat count)
    # The library starts as many threads as it is asked for before pthreadpool does, which does not look whether its own start.
    [ "$kind" != thread ] || count=$((count / 2))
    step=$((count / points + 1))
    for on in "" 1; do
      [ "$kind$on" != eintr1 ] || continue # whoever is interrupted tries again, for ever
      at=1
      while [ $at -le "$count" ]; do
        once "$kind" $at "$on" "$@"
        status=$?
        tried=$((tried + 1))
        case $status in
          0) [ "$2" = info ] || [ "$(result)" = "$expected" ] || fail "$*: $kind $at${on:+ and all after it}: success with another result" ;;
          2 | 3 | 4 | 5) [ -s found.err ] || fail "$*: $kind $at${on:+ and all after it}: status $status without a word" ;;
          1) [ "$2" = check ] && grep -q "^FAIL" found || fail "$*: $kind $at${on:+ and all after it}: other results" ;;
          *) fail "$*: $kind $at${on:+ and all after it}: status $status: $(head -3 found.err)" ;;
        esac
        at=$((at + step))
      done
    done
  done
}

try "malloc open read fstat short eintr" "$tool" run conv_bn_relu_ts/model.onnx -o out
try "thread" "$tool" run conv_bn_relu_ts/model.onnx --threads 4 -o out
try "malloc open read fstat mmap write short eintr" "$tool" run conv_bn_relu_ts/model.onnx --packed packed -o out
try "malloc open fstat" "$tool" info conv_bn_relu_ts/model.onnx
try "malloc open read fstat" "$tool" check conv_bn_relu_ts
"$tool" pack conv_bn_relu_ts/model.onnx -o kept >/dev/null || fail "pack"
try "malloc open read fstat mmap write short eintr" "$tool" pack conv_bn_relu_ts/model.onnx -o packed
try "open fstat mmap" "$tool" run conv_bn_relu_ts/model.onnx --packed kept -o out
"$tool" pack conv_bn_relu_ts/model.onnx -o kept.onr >/dev/null || fail "pack"
try "malloc open read fstat mmap write short eintr" "$tool" pack conv_bn_relu_ts/model.onnx -o packed.onr
try "malloc open read fstat mmap" "$tool" run kept.onr -o out
try "malloc" "$tool" ops

# A disk that is full after so many blocks, wherever the library's or the C library's own writes end: an error and no file, or the whole one.
full() {
  target=$1
  shift
  blocks=1 # one for what it says
  while [ $blocks -lt 200 ]; do
    rm -f "$target"
    tried=$((tried + 1))
    if (ulimit -f $blocks && exec "$@") >found 2>found.err; then return; fi
    [ -s found.err ] || fail "$* with $blocks blocks: no word"
    [ ! -e "$target" ] || fail "$* with $blocks blocks: an error, and a file"
    blocks=$((blocks + 1))
  done
  fail "$*: no number of blocks is enough"
}
full packed "$tool" pack conv_bn_relu_ts/model.onnx -o packed
full packed.onr "$tool" pack conv_bn_relu_ts/model.onnx -o packed.onr
full better.onnx "$tool" optimise conv_bn_relu_ts/model.onnx -o better.onnx
echo "$tried faults"
[ $tried -ge 300 ] || [ "$points" -lt 25 ] || fail "only $tried faults were tried"
finish
