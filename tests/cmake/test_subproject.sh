#!/bin/sh
# onnxrun as a part of another CMake project: it adds nothing to the parent's cache but names of its own, installs
# nothing, builds neither tool nor tests and asks for no optional library. And: an installed tool finds a shared library beside it.
set -eu
build=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "$1" >&2
  exit 1
}

# Entries of the cache by name; what CMake and the compiler's own checks write is the same for an empty project.
entries() {
  sed -n 's/^\([A-Za-z0-9_]*\):.*/\1/p' "$1" | sort
}

compiler=$(sed -n 's/^set(CMAKE_C_COMPILER "\(.*\)")$/\1/p' "$build"/CMakeFiles/*/CMakeCCompiler.cmake)
xnnpack=$(sed -n 's/^ONNXRUN_XNNPACK:BOOL=//p' "$build/CMakeCache.txt")
configure() {
  cmake -G Ninja -S "$1" -B "$2" "-DCMAKE_C_COMPILER=$compiler" -DCMAKE_BUILD_TYPE=Release "-DONNXRUN_XNNPACK=$xnnpack" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "configuring $1 failed"; }
}

mkdir "$work/empty" "$work/parent"
cat >"$work/empty/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.21)
project(parent VERSION 1.0 LANGUAGES C)
find_package(Threads REQUIRED)
END
cp "$work/empty/CMakeLists.txt" "$work/parent/CMakeLists.txt"
cat >>"$work/parent/CMakeLists.txt" <<END
add_subdirectory("$root" onnxrun)
file(WRITE "$work/program.c" "#include <onnxrun/onnxrun.h>\nint main(void) { return !onr_version(); }\n")
add_executable(program "$work/program.c")
target_link_libraries(program PRIVATE onnxrun::onnxrun)
if(TARGET onnxrun_tool OR TARGET base_test_base)
  message(FATAL_ERROR "a part of another project brings the library alone")
endif()
if(ONNXRUN_IMAGE OR ONNXRUN_REGEX)
  message(FATAL_ERROR "optional libraries are asked for, not taken")
endif()
END
configure "$work/empty" "$work/empty-build"
configure "$work/parent" "$work/parent-build"
entries "$work/empty-build/CMakeCache.txt" >"$work/before"
entries "$work/parent-build/CMakeCache.txt" >"$work/after"
added=$(comm -13 "$work/before" "$work/after" | grep -vE '^(ONNXRUN_|onnxrun_)' || true)
[ -z "$added" ] || fail "entries of the parent's cache that are not onnxrun's: $added"
if grep -q 'file(INSTALL' "$work/parent-build/onnxrun/cmake_install.cmake" 2>/dev/null; then fail "installs into the parent"; fi

cmake -G Ninja -S "$root" -B "$work/shared" "-DCMAKE_C_COMPILER=$compiler" "-DONNXRUN_XNNPACK=$xnnpack" -DBUILD_SHARED_LIBS=ON \
  -DONNXRUN_TESTS=OFF -DCMAKE_INSTALL_LIBDIR=lib/here >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "configuring a shared build failed"; }
grep -q 'rpath.*\.\./lib/here' "$work/shared/build.ninja" || fail "the installed tool does not look for its library in ../lib/here"
