# What the tests of the tool share; to be sourced with the build folder as $1. Makes $work, a folder for files.
tool=$(cd "$1" && pwd)/onnxrun
here=$(cd "$(dirname "$0")" && pwd)
fixtures=$here/../fixtures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
commands=$("$tool" help | awk '/^$/ { blocks++ } blocks == 1 && /^  [a-z]/ && $1 != "help" { print $1 }')
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$here"

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

# expect CODE PATTERN COMMAND...: the exit code, and one line on stderr that matches. Without a pattern stderr may be anything.
expect() {
  code=$1
  pattern=$2
  shift 2
  "$@" >"$work/out" 2>"$work/err" </dev/null
  found=$?
  if [ $found != "$code" ]; then
    fail "'$*': expected exit code $code, found $found"
    cat "$work/err"
  elif [ -n "$pattern" ] && ! grep -q -- "$pattern" "$work/err"; then
    fail "'$*': expected '$pattern' on stderr, found:"
    cat "$work/err"
  elif [ -n "$pattern" ] && [ "$(wc -l <"$work/err")" != 1 ]; then
    fail "'$*': expected one line on stderr, found:"
    cat "$work/err"
  fi
}

# holds TEXT, lacks TEXT: stdout of the last command has it, or has it not.
holds() {
  grep -q -- "$1" "$work/out" && return
  fail "expected '$1' on stdout, found:"
  cat "$work/out"
}

lacks() {
  grep -q -- "$1" "$work/out" || return
  fail "expected no '$1' on stdout, found:"
  cat "$work/out"
}

finish() {
  echo "$(basename "$0" .sh): $failures failures"
  [ $failures = 0 ]
  exit
}
