#!/bin/sh
# tools/fuzz-graphs finds, reduces and stores what differs: with a program that dislikes every model with a Tile, one Tile stays.
# usage: test_fuzz.sh BUILD_DIR
set -u
here=$(cd "$(dirname "$0")" && pwd)
python=$(ls -d "${ONNXRUN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/onnxrun}/generator-"*-"$(cksum "$here/history/requirements.txt" | cut -d' ' -f1)" 2>/dev/null)/bin/python
if [ ! -x "$python" ]; then
  echo "no Python with ONNX Runtime; tools/test makes it"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/onnxrun" <<'END'
#!/bin/sh
for last; do :; done
find "$last" -name model.onnx | xargs grep -l Tile | sed 's|.*/\(.*\)/model.onnx|FAIL \1: it has a Tile|'
END
chmod +x "$work/onnxrun"
fuzz() { "$python" -B -W ignore "$here/graphs/fuzz.py" --seed 1 --graphs 20 --out "$work/out" --onnxrun "$1" >"$work/log" 2>&1; }

fuzz "$work/onnxrun"
status=$?
found=$(grep -c "it has a Tile" "$work/log")
reduced=$(grep -c "left of it: Tile$" "$work/log")
if [ $status != 1 ] || [ "$found" = 0 ] || [ "$reduced" != "$found" ] || ! grep -q "Tile" "$work"/out/*/repeat.txt; then
  cat "$work/log"
  echo "FAIL: expected status 1, and each graph with a Tile reduced to it; found status $status, $reduced of $found"
  exit 1
fi
fuzz "$1/onnxrun" || { cat "$work/log"; echo "FAIL: onnxrun differs"; exit 1; }
grep -q " 0 differ" "$work/log"
