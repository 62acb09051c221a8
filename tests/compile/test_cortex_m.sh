#!/bin/sh
# Two models as C for a Cortex-M4 without an operating system, run by an emulator: a perceptron, and a network of bytes that
# spots words.
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
for program in arm-none-eabi-gcc qemu-system-arm; do
  if ! command -v $program >/dev/null; then
    echo "skipped: $program is not installed (Debian: gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm)"
    exit 77
  fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# words NAME FILE COUNT: the last COUNT floats of a TensorProto, its raw data, as an array
words() {
  echo "static const uint32_t $1[$3] = {"
  tail -c $(($3 * 4)) "$2" | od -An -v -tx4 | sed 's/ \([0-9a-f]\{8\}\)/ 0x\1,/g'
  echo "};"
}

# try FOLDER INPUTS OUTPUTS [OPTION...]
try() {
  case=$here/$1
  name=${1##*/}
  inputs=$2
  outputs=$3
  shift 3
  "$build/onnxrun" compile "$case/model.onnx" -o "$work" --name net --static-arena "$@" >"$work/log"
  {
    echo "#include <stdint.h>"
    words input "$case/test_data_set_0/input_0.pb" "$inputs"
    words expected "$case/test_data_set_0/output_0.pb" "$outputs"
  } >"$work/values.h"
  flags="-std=c11 -Wall -Wextra -Werror -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -O2 -ffunction-sections"
  # shellcheck disable=SC2086 # a list of flags
  arm-none-eabi-gcc $flags -I "$work" "$work/net.c" "$here/cortex_m/board.c" "$here/cortex_m/main.c" -nostartfiles \
    -T "$here/cortex_m/board.ld" -Wl,--gc-sections -lm -o "$work/net.elf"
  arm-none-eabi-gcc $flags -c "$work/net.c" -o "$work/net.o"
  if arm-none-eabi-nm -u "$work/net.o" | grep -vE ' (mem(cpy|set)|[a-z0-9]+f|__aeabi_.*)$'; then
    echo "$name: it needs more of C's library than memory and mathematics"
    exit 1
  fi
  said=$(timeout 60 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$work/net.elf" 2>&1)
  echo "$name on a Cortex-M4: $said, $(arm-none-eabi-size "$work/net.o" | awk 'NR == 2 {print $1 " bytes of code and weights, " $3 " of memory"}')"
  [ "$said" = ok ]
}

try ../fixtures/mlp_ts 30 9 --dim batch=3
try kws_int8 490 12
