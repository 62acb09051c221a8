#!/bin/sh
# --plugin: the library of docs/your_own_layer.md, as it stands there, and libraries that are none.
# usage: test_plugin.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
root=$(cd "$here/../.." && pwd)
compiler=$(sed -n 's/^set(CMAKE_C_COMPILER "\(.*\)")$/\1/p' "$1"/CMakeFiles/*/CMakeCCompiler.cmake)
cd "$work" || exit 1
awk '/^```c$/ { text = ""; inside = 1; next } /^```$/ { if (inside && text ~ /onr_plugin\(/) printf "%s", text; inside = 0 } inside { text = text $0 "\n" }' \
  "$root/docs/your_own_layer.md" >scale.c
"$compiler" -shared -fPIC -Wall -Wextra -Werror "-I$root/include" scale.c -o scale.so || fail "the library of docs/your_own_layer.md"
python3 - <<'PY'
from model_writer import *
write("model.onnx", [node("Scale", ["x"], ["y"], domain="example.layers")], [("x", FLOAT, [2])], [("y", FLOAT, [2])], domains=["example.layers"])
PY
expect 4 "nothing of domain 'example.layers' is known" "$tool" run model.onnx -i "x=[1, 2]"
for path in scale.so ./scale.so "$work/scale.so"; do
  expect 0 "" "$tool" run model.onnx -i "x=[1, 2]" --plugin $path
  holds "^y float32\[2\] 2 4$"
done
expect 0 "" "$tool" bench model.onnx --seconds 0 --profile --plugin scale.so
holds "scale"
expect 0 "" "$tool" info model.onnx --plugin scale.so
mkdir -p case/test_data_set_0
cp model.onnx case
"$tool" run model.onnx -i "x=[1, 2]" --plugin scale.so -o - >case/test_data_set_0/output_0.npy
"$tool" run model.onnx -i "x=[0.5, 1]" --plugin scale.so -o - >case/test_data_set_0/input_0.npy
expect 0 "" "$tool" check case --plugin scale.so

echo 'int other;' >other.c
"$compiler" -shared -fPIC other.c -o other.so
expect 2 "ARGUMENT: .*--plugin: other.so has no function onr_plugin" "$tool" run model.onnx --plugin other.so
echo 'int onr_plugin = 7;' >data.c
"$compiler" -shared -fPIC data.c -o data.so
expect 2 "ARGUMENT: .*--plugin: data.so: onr_plugin is no function, but data" "$tool" run model.onnx --plugin data.so
echo "no library" >text.so
expect 2 "ARGUMENT: .*--plugin: .*text.so" "$tool" run model.onnx --plugin text.so
expect 5 "IO: .*--plugin: nowhere.so: No such file" "$tool" run model.onnx --plugin nowhere.so
cat >bad.c <<'TEXT'
#include <onnxrun/layer.h>
enum onr_status onr_plugin(struct onr_registry *registry, struct onr_error *error) {
  (void)registry;
  return onr_fail(error, ONR_STATUS_STATE, "not today");
}
TEXT
"$compiler" -shared -fPIC "-I$root/include" bad.c -o bad.so
expect 5 "STATE: .*not today" "$tool" run model.onnx --plugin bad.so
finish
