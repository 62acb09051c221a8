#!/bin/sh
# Every committed model against PyTorch's outputs: tuned and portable kernels, without rewrites, with two threads.
# usage: test_fixtures.sh BUILD_DIR
set -eu
here=$(dirname "$0")
tool=$1/onnxrun
failed=0
passed=0
for mode in "--backend auto" "--backend portable" "--disable-passes all" "--backend portable --disable-passes all" "--threads 2"; do
  # shellcheck disable=SC2086 # words on purpose
  result=$("$tool" check $mode --rtol 1e-3 --atol 1e-4 "$here/../fixtures") || true
  printf '%s\n' "$result" | sed -n "/^ok /!s|^|$mode: |p"
  case $(printf '%s\n' "$result" | tail -n 1) in
    *" passed, "*" failed") ;;
    *)
      echo "$mode: the tool stopped in the middle"
      exit 1
      ;;
  esac
  last=$(printf '%s\n' "$result" | tail -n 1)
  passed=$((passed + $(printf '%s' "$last" | sed 's/ passed.*//')))
  failed=$((failed + $(printf '%s' "$last" | sed 's/.* passed, //; s/ failed//')))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
