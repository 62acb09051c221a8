#!/bin/sh
# README.md as it is typed: the tool's commands, the examples, the program in C, and the three ways to link a program of one's own.
# usage: test_readme.sh BUILD_DIR
set -eu
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAIL: $1" >&2
  [ ! -s "$work/log" ] || cat "$work/log" >&2
  exit 1
}

# The indented block that has a line with that text, without its indentation.
block() {
  awk -v text="$1" '
    /^    / { lines = lines gap substr($0, 5) "\n"; gap = ""; found = found || index($0, text); next }
    /^$/ { if (lines) gap = gap "\n"; next }
    found { exit }
    { lines = gap = ""; found = 0 }
    END { if (found) printf "%s", lines }' "$root/README.md"
}

# Runs each line of a block in a checkout; no line may fail, and there are that many.
run_lines() {
  [ "$(wc -l <"$work/lines")" = "$1" ] || fail "expected $1 lines: $(cat "$work/lines")"
  while IFS= read -r line; do
    (cd "$work/checkout" && sh -c "$line") >"$work/log" 2>&1 </dev/null || fail "'$line' fails"
    [ -s "$work/log" ] || fail "'$line' prints nothing"
  done <"$work/lines"
}

cache() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
compiler=$(sed -n 's/^set(CMAKE_C_COMPILER "\(.*\)")$/\1/p' "$build"/CMakeFiles/*/CMakeCCompiler.cmake)
flags=$(cache CMAKE_C_FLAGS)
fixture=$root/tests/fixtures/mlp_ts

# The tool, on somebody's model; and the examples.
mkdir "$work/checkout"
ln -s "$build" "$work/checkout/build"
ln -s "$root/tests" "$work/checkout/tests"
ln -s "$fixture" "$work/checkout/folder"
cp "$fixture"/model.onnx* "$work/checkout"
"$build/onnxrun" run "$fixture/model.onnx" -i "$fixture/test_data_set_0/input_0.pb" -o "$work/checkout/y.npy" >/dev/null
python3 - "$work/checkout/x.npy" <<'END'
import struct, sys
text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 10), }"
open(sys.argv[1], "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(40))
END
block 'onnxrun info model.onnx' | sed 's/^\$ //' >"$work/lines"
run_lines 10
[ -f "$work/checkout/results/y.npy" ] || fail "no results of 'run ... -o results': $(ls "$work/checkout/results")"
block 'examples/example_run_model' >"$work/lines"
run_lines 3

# The program in C is one: it compiles as it stands.
block '#include <onnxrun/onnxrun.h>' >"$work/block.c"
{ sed -n 1p "$work/block.c"; printf '#include <stdio.h>\nint main(void) {\nstatic float pixels[3 * 224 * 224];\n'; sed 1d "$work/block.c"; printf 'return 0;\n}\n'; } >"$work/readme.c"
"$compiler" -std=c11 -Wall -Wextra -Werror -fsyntax-only "-I$root/include" "$work/readme.c" >"$work/log" 2>&1 || fail "the program of README.md"

# Linking: the installed library by CMake and by pkg-config, and a checkout beside the program.
runs() {
  "$1" "$fixture/model.onnx" >"$work/log" 2>&1 || fail "$1 does not run"
}
if [ "$(cache ONNXRUN_INSTALL)" = ON ]; then
  cmake --install "$build" --prefix "$work/prefix" >"$work/log" 2>&1 || fail "cmake --install"
  cmp "$root/LICENSE" "$work/prefix/share/doc/onnxrun/LICENSE" || fail "LICENSE is not installed"
  mkdir "$work/found"
  block 'find_package(onnxrun' >"$work/found/CMakeLists.txt"
  cp "$root/examples/run_model.c" "$work/found/program.c"
  (cd "$work/found" && cmake -B build -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=$work/prefix" "-DCMAKE_C_COMPILER=$compiler" \
    "-DCMAKE_C_FLAGS=$flags" && cmake --build build) >"$work/log" 2>&1 || fail "find_package"
  runs "$work/found/build/program"
  if command -v pkg-config >/dev/null; then
    block '$(pkg-config' | sed "s|^cc |\"$compiler\" $flags |" >"$work/line"
    PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name onnxrun.pc)")
    export PKG_CONFIG_PATH
    (cd "$work/found" && sh -e "$work/line") >"$work/log" 2>&1 || fail "pkg-config"
    runs "$work/found/program"
    # A space in the prefix: what pkg-config prints is for the shell to read.
    mv "$work/prefix" "$work/pre fix"
    PKG_CONFIG_PATH=$(dirname "$(find "$work/pre fix" -name onnxrun.pc)")
    rm "$work/found/program"
    sed 's/.*/eval "&"/' "$work/line" >"$work/line_of_words"
    (cd "$work/found" && sh -e "$work/line_of_words") >"$work/log" 2>&1 || fail "pkg-config, with a space in the prefix"
    runs "$work/found/program"
  fi
fi
mkdir "$work/beside"
ln -s "$root" "$work/beside/onnxrun"
cp "$root/examples/run_model.c" "$work/beside/program.c"
block 'add_subdirectory(onnxrun)' >"$work/beside/CMakeLists.txt"
# Without optimisation, which is not what is tried here and takes longest.
(cd "$work/beside" && cmake -G Ninja -B build -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_COMPILER=$compiler" "-DONNXRUN_XNNPACK=$(cache ONNXRUN_XNNPACK)" &&
  cmake --build build --target program) >"$work/log" 2>&1 || fail "add_subdirectory"
runs "$work/beside/build/program"
echo "README.md holds"
