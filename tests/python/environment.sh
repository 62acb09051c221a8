# What the tests of the package share, to be sourced with $build set: the environment in which Python finds the build's package.
module=$build/python/onnxrun/_onnxrun.abi3.so
if [ ! -e "$module" ]; then
  echo "the package was not built: there are no headers of CPython 3.11 or newer (Debian: python3-dev)"
  exit 77
fi
export PYTHONPATH="$build/python" PYTHONDONTWRITEBYTECODE=1
# Under the sanitizers Python is a program without them: their runtime has to be there first. Leaks are Python's own.
if nm -D --undefined-only "$module" | grep -q __asan_init; then
  compiler=$(sed -n 's/^set(CMAKE_C_COMPILER "\(.*\)")$/\1/p' "$build"/CMakeFiles/*/CMakeCCompiler.cmake)
  runtime=$("$compiler" -print-file-name="libclang_rt.asan-$(uname -m).so")
  if [ ! -e "$runtime" ]; then
    echo "the sanitizers' runtime is not there as a shared library: $runtime"
    exit 77
  fi
  export LD_PRELOAD="$runtime" ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc
fi
