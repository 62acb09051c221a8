#!/bin/sh
# The package's types: a program that uses them compiles, wrong uses do not, and they declare what the module exports.
# usage: types.sh PACKAGE
set -eu
command -v tsc >/dev/null || {
  echo "no TypeScript (Debian: node-typescript)"
  exit 77
}
here=$(cd "$(dirname "$0")" && pwd)
tsc --noEmit --strict --noUncheckedIndexedAccess --target es2022 --module esnext --moduleResolution node --lib es2022,dom "$here/types.ts"
declared=$(sed -n 's/^export \(class\|function\) \([A-Za-z]*\).*/\2/p' "$1/onnxrun.d.ts" | sort | tr '\n' ' ')
exported=$(node --input-type=module -e "console.log(Object.keys(await import('$1/onnxrun.js')).sort().join(' '))")
[ "$declared" = "$exported " ] || {
  echo "declared: $declared; exported: $exported"
  exit 1
}
