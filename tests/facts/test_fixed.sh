#!/bin/sh
# Exports with open dimensions become the same layers as with these dimensions fixed, but for those of `differences`: there
# fixed sizes make constants of what is computed from positions (embeddings and angles of 0 .. length).
# usage: test_fixed.sh BUILD_DIR
set -u
differences="cached_decoder_dynamo cached_decoder_ts causal_transformer_dynamo causal_transformer_ts rotary_dynamo rotary_ts"
fixtures=$(cd "$(dirname "$0")/../fixtures" && pwd)
result=$("$1/tests/facts_check_fixed" "$fixtures"/*/)
found=$(echo "$result" | sed -n "s|^DIFFERS $fixtures/\(.*\)/\$|\1|p" | tr '\n' ' ')
echo "$result"
if [ "$found" != "$differences " ]; then
  echo "FAIL: expected other layers in: $differences; found them in: $found"
  exit 1
fi
