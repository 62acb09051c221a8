#!/bin/sh
# report: the page as a browser shows it. Without Chromium (Debian: chromium) only what the command says and writes is tested.
# usage: test_report.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
model=$fixtures/conv_bn_relu_dynamo/model.onnx

if [ ! -f "$(dirname "$tool")/share/onnxrun/report/page.html" ]; then
  expect 5 "node-d3 and node-dagre-layout" "$tool" report "$model" -o "$work/page.html"
  finish
fi
expect 3 "" "$tool" report "$0" -o "$work/page.html"
expect 5 "nowhere/page.html: cannot be written" "$tool" report "$model" --seconds 0 -o "$work/nowhere/page.html"

# It is found beside the tool as it is installed, too; a broken installation is told.
mkdir -p "$work/bin" "$work/share/onnxrun"
cp "$tool" "$work/bin/onnxrun"
cp -r "$(dirname "$tool")/share/onnxrun/report" "$work/share/onnxrun/report"
expect 0 "" "$work/bin/onnxrun" report "$model" --seconds 0 -o "$work/page.html"
holds "open it in a browser"
for licence in "Mike Bostock" "Chris Pettitt" "Permission is hereby granted" "Redistribution and use in source"; do
  grep -q "$licence" "$work/page.html" || fail "the page has d3 and dagre without '$licence'"
done
rm "$work/share/onnxrun/report/d3.min.js"
expect 5 "is not complete" "$work/bin/onnxrun" report "$model" --seconds 0 -o "$work/broken.html"
rm -r "$work/share"
expect 5 "node-d3 and node-dagre-layout" "$work/bin/onnxrun" report "$model" --seconds 0 -o "$work/none.html"
[ ! -e "$work/none.html" ] || fail "a page without its parts"

for name in conv_bn_relu_dynamo scripted_loop_ts transformer_encoder_layer_dynamo conv_bn_relu_ts; do
  expect 0 "" "$tool" report "$fixtures/$name/model.onnx" --seconds 0 -o "$work/$name.html"
  expect 0 "" "$tool" bench "$fixtures/$name/model.onnx" --seconds 0 --profile --format json -o "$work/$name.json"
done
python3 "$here/report_models.py" "$work" || fail "models"
for name in deep flat many evil; do expect 0 "" "$tool" report "$work/$name.onnx" --seconds 0 -o "$work/$name.html"; done

python3 "$here/report_page.py" "$work" "$fixtures/conv_bn_relu_dynamo/model.onnx"
case $? in
  0) ;;
  77) echo "no Chromium: pages are not looked at" ;;
  *) fail "pages" ;;
esac
finish
