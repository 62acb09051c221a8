#!/bin/sh
# Every public header by itself, as C11 and as C++11, with all warnings; and each of its declarations exported, nothing else.
# usage: test_headers.sh BUILD_DIR
set -eu
build=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=$(sed -n 's/^set(CMAKE_C_COMPILER "\(.*\)")$/\1/p' "$build"/CMakeFiles/*/CMakeCCompiler.cmake)
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Werror"
failed=0

cd "$root/include"
for header in $(find onnxrun -name '*.h' | sort); do
  echo "#include \"$header\"" >"$work/header.c"
  echo "int header(void); int header(void) { return 0; }" >>"$work/header.c"
  for language in "c -std=c11 -Wstrict-prototypes" "c++ -std=c++11" "c++ -std=c++20"; do
    # shellcheck disable=SC2086 # words on purpose
    "$compiler" -x $language -fsyntax-only $warnings "-I$root/include" "$work/header.c" ||
      { echo "$header is no ${language%% *}"; failed=1; }
  done
done

# The header for C++ alone: the standards that it is for, and a word to others.
echo '#include "onnxrun/onnxrun.hpp"' >"$work/header.cpp"
for standard in c++17 c++20; do
  # shellcheck disable=SC2086
  "$compiler" -x c++ -std=$standard -fsyntax-only $warnings "-I$root/include" "$work/header.cpp" ||
    { echo "onnxrun.hpp is no $standard"; failed=1; }
done
"$compiler" -x c++ -std=c++14 -fsyntax-only "-I$root/include" "$work/header.cpp" 2>&1 | grep -q "onnxrun.hpp needs C++17" ||
  { echo "onnxrun.hpp does not say what it needs"; failed=1; }

# The snippets of docs/cpp.md, each the body of a function.
awk '/^```cpp$/ { print "void snippet" ++n "();\nvoid snippet" n "() {"; inside = 1; next }
     /^```$/ { if (inside) print "}"; inside = 0; next }
     inside' "$root/docs/cpp.md" >"$work/snippets"
[ "$(grep -c '^void.*{$' "$work/snippets")" -ge 2 ] || { echo "docs/cpp.md has no snippets"; failed=1; }
{ echo '#include <cstdio>'; cat "$work/header.cpp" "$work/snippets"; } >"$work/snippets.cpp"
# shellcheck disable=SC2086
"$compiler" -x c++ -std=c++17 -fsyntax-only $warnings "-I$root/include" "$work/snippets.cpp" || { echo "docs/cpp.md"; failed=1; }

# What onnxrun.h leaves out comes on demand alone.
for name in layer net nn operators sequence tensor_file; do
  if echo '#include "onnxrun/onnxrun.h"' | "$compiler" -x c -E "-I$root/include" - | grep -q "include/onnxrun/$name\.h"; then
    echo "onnxrun.h includes $name.h"
    failed=1
  fi
done

# Attributes and the like are spelt in one place.
if grep -rn "__attribute__\|__declspec\|_Atomic\|restrict" onnxrun --include='*.h' | grep -v "^onnxrun/api.h:"; then
  echo "not every compiler knows these: api.h has macros for them"
  failed=1
fi

shared=$build/tests/libonnxrun_exports.so
if [ -f "$shared" ]; then
  nm -D --defined-only "$shared" | awk '{ print $NF }' | sort >"$work/exported"
  python3 "$root/tests/headers/functions.py" list "$root/include" | sort >"$work/declared"
  if ! diff "$work/declared" "$work/exported" >"$work/difference"; then
    echo "declared (<) and exported (>) by a shared library:"
    cat "$work/difference"
    failed=1
  fi
fi
exit $failed
