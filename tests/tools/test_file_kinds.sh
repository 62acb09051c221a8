#!/bin/sh
# What a file is that is no ONNX: every message names the file and what it is, for models and for values.
# usage: test_file_kinds.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
python3 - "$work" "$fixtures" <<'PY'
import gzip, io, json, os, pickle, struct, sys, tarfile, zipfile
from model_writer import identity
work, fixtures = sys.argv[1:]
identity(work + "/identity.onnx")
model = open(fixtures + "/demo/model.onnx", "rb").read()
expected = open(work + "/expected", "w")
def file(name, data, text):
    open(f"{work}/{name}", "wb").write(data)
    expected.write(f"{name}\t{text}\n")
def archive(name, text, *members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for member in members:
            z.writestr(member, b"0123456789" * 10)
    file(name, out.getvalue(), text)
archive("checkpoint.pt", "a PyTorch checkpoint, .*torch.onnx.export", "w/data.pkl", "w/byteorder", "w/data/0", "w/version")
archive("script.pt", "a TorchScript archive, .*torch.onnx.export", "m/data.pkl", "m/code/__torch__.py", "m/constants.pkl", "m/version")
archive("program.pt2", "a program of torch.export", "p/archive_format", "p/models/model.json", "p/data/weights/w_0")
archive("model.keras", "a Keras model", "metadata.json", "config.json", "model.weights.h5")
archive("arrays.npz.onnx", "a NumPy archive", "x.npy")
archive("other.zip", "a zip archive", "readme")
file("old.pt", pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + b"\x80\x02M\xe9\x03.", "a PyTorch checkpoint of the old format")
file("object.pkl", pickle.dumps({"a": 1}, protocol=4), "a Python pickle")
head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
file("weights.safetensors", struct.pack("<Q", len(head)) + head + bytes(4), "a safetensors file")
file("model.gguf", b"GGUF\3\0\0\0" + bytes(64), "a GGUF file")
file("model.tflite", b"\x1c\0\0\0TFL3" + bytes(64), "a TensorFlow Lite model")
file("model.ort", b"\x1c\0\0\0ORTM" + bytes(64), "ONNX Runtime's own format")
file("model.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), "an HDF5 file (Keras")
file("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture")
file("picture.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture")
file("picture.gif", b"GIF89a" + bytes(20), "a GIF picture")
file("picture.bmp", b"BM" + bytes(60), "a BMP picture")
file("picture.webp", b"RIFF\x20\0\0\0WEBPVP8 ", "a WebP picture")
file("sound.wav", b"RIFF\x20\0\0\0WAVEfmt ", "a WAVE sound")
file("table.json", b' {"a": [1, 2]}\n', "a JSON file")
file("list.json", b"[1, 2, 3]\n", "a JSON file")
file("long.zip", b"", "a zip archive")
with zipfile.ZipFile(f"{work}/long.zip", "w") as z:
    z.writestr("readme", bytes(200000))
file("none.zip", b"PK\5\6" + bytes(18), "a zip archive")
file("marked.txt", b"\xef\xbb\xbf" + b"with a mark of its encoding\n", "a text file")
file("short.txt", b"a", "a text file")
file("blank.txt", b" \n\t ", "a text file")
for lead in range(4):  # a character is cut where the look at it ends
    file(f"cut{lead}.txt", b"a" * lead + "\U0001f600".encode() * 4000, "a text file")
file("text.txt", "Gr\u00fc\u00dfe\n".encode() * 200, "a text file")
file("page.onnx", b"<!DOCTYPE html>\n<html><title>404</title></html>", "a web page")
file("graph.xml", b'<?xml version="1.0"?>\n<net/>', "an XML file")
file("pointer.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a pointer of Git LFS .*git lfs pull")
file("model.pbtxt", b'ir_version: 8\ngraph {\n}\n', "protobuf as text")
file("empty.onnx", b"", "is empty")
file("zeros.onnx", bytes(100000), "full of zeros")
file("model.onnx.gz", gzip.compress(model), "a gzip archive, .*unpack it")
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as t:
    info = tarfile.TarInfo("m.onnx")
    info.size = len(model)
    t.addfile(info, io.BytesIO(model))
file("model.tar", tar.getvalue(), "a tar archive")
file("program", b"\x7fELF\2\1\1" + bytes(64), "a program or library")
file("cut.onnx", model[: len(model) // 2], "the file is cut off")
file("short.weights", struct.pack("<Q", 1) + b"{}", "is no ")
file("half.txt", "Gr\u00fc".encode()[:-1], "is no ")
file("noise.onnx", bytes(range(255, 0, -1)), "is no ")
PY
# The last message has the name of the file in it, and has it once.
names_it_once() {
  [ "$(grep -o -- "$1" "$work/err" | wc -l)" = 1 ] || fail "expected '$1' once in: $(cat "$work/err")"
}

os=$(printf '\t')
checked=0
while IFS="$os" read -r name text; do
  expect 3 "PARSE: .*$name.*$text" "$tool" info "$work/$name"
  names_it_once "/$name"
  checked=$((checked + 1))
  [ "$name" = cut.onnx ] && text="is an ONNX model, no value of ONNX" # which is told before that it is cut off
  case $name in *.npz.onnx | *.zip | *.pt | *.pt2 | *.keras) expect 2 "$name" "$tool" run "$work/identity.onnx" -i "x=$work/$name" ;; # read as .npz
    picture.* | sound.* | *.json | *.txt) ;; # which are inputs: test_pictures.sh, test_sound.sh, test_values.sh
    *) expect 2 "$name.*$text" "$tool" run "$work/identity.onnx" -i "x=$work/$name" ;;
  esac
  names_it_once "/$name"
  cp "$work/$name" "$work/broken.npy"
  expect 2 "" "$tool" run "$work/identity.onnx" -i "x=$work/broken.npy"
  names_it_once /broken.npy
done <"$work/expected"
[ $checked -ge 33 ] || fail "only $checked kinds of files were tried"

mkdir "$work/folder"
expect 5 "IO: .*folder' is a folder, expected a file" "$tool" run "$work/folder"
expect 5 "IO: .*nowhere.onnx': no such file" "$tool" run "$work/nowhere.onnx"
names_it_once nowhere.onnx
expect 5 "nowhere.npy: .*No such file" "$tool" run "$work/identity.onnx" -i "x=$work/nowhere.npy"
names_it_once nowhere.npy
for odd in "it's.npy" "a b.npy" "$(printf 'tab\t.npy')" "$(printf 'n%.0s' $(seq 200)).npy"; do
  : >"$work/$odd"
  expect 2 "is empty" "$tool" run "$work/identity.onnx" -i "x=$work/$odd"
  [ "$(grep -o "$work" "$work/err" | wc -l)" = 1 ] || fail "'$odd' is named more than once: $(cat "$work/err")"
done
expect 3 "PARSE: .*input_0.pb" "$tool" info "$fixtures/linear_2d_ts/test_data_set_0/input_0.pb"
expect 5 "no regular file" "$tool" info /dev/null

# Every prefix of a model is an error that names the file; none is taken for something else.
size=$(wc -c <"$fixtures/mlp_ts/model.onnx")
for part in 1 2 3 5 8 13 40 100 $((size / 3)) $((size - 200)) $((size - 1)); do
  head -c "$part" "$fixtures/mlp_ts/model.onnx" >"$work/prefix.onnx"
  expect 3 "prefix.onnx" "$tool" info "$work/prefix.onnx"
  grep -q "picture\|archive\|text\|checkpoint" "$work/err" && fail "$part bytes of a model: $(cat "$work/err")"
done
finish
