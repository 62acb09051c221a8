#!/bin/sh
# The Python package: its version is the tool's, and what is built from it has the licence inside.
# usage: test_python_package.sh BUILD_DIR
set -u
. "$(dirname "$0")/expect.sh"
root=$(cd "$here/../.." && pwd)
version=$("$tool" --version | sed 's/^onnxrun \([^ ]*\).*/\1/')
declared=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$root/python/onnxrun/__init__.py")
[ "$declared" = "$version" ] || fail "onnxrun.__version__ is '$declared', the tool is '$version'"
grep -q 'dynamic = \["version"\]' "$root/python/pyproject.toml" || fail "pyproject.toml has a version of its own"

if ! python3 -c 'import setuptools' 2>/dev/null; then
  echo "no setuptools for $(command -v python3): the package cannot be built here"
  [ $failures = 0 ] && exit 77
  finish
fi
cp -rL "$root/python" "$work/package" # the build writes beside its sources
cd "$work/package" || exit 1
# A wheel, or where the package `wheel` is missing the archive of sources that it is made from.
python3 - "$work/built" >"$work/out" 2>&1 <<'PY' || { fail "the package is not built:"; cat "$work/out"; }
import os, sys
import setuptools.build_meta as backend
os.makedirs(sys.argv[1])
try:
    import wheel
    backend.build_wheel(sys.argv[1])
except ImportError:
    backend.build_sdist(sys.argv[1])
PY
python3 - "$work/built" "$version" "$root/LICENSE" <<'PY' || fail "what is built"
import os, sys, tarfile, zipfile
folder, version, text = sys.argv[1:]
(path,) = (os.path.join(folder, name) for name in os.listdir(folder))
if path.endswith(".whl"):
    archive = zipfile.ZipFile(path)
    names, read = archive.namelist(), archive.read
else:
    archive = tarfile.open(path)
    names, read = archive.getnames(), lambda name: archive.extractfile(name).read()
(metadata,) = [n for n in names if n.endswith("/METADATA") or n.count("/") == 1 and n.endswith("/PKG-INFO")]
licences = [n for n in names if os.path.basename(n) == "LICENSE"]
fields = read(metadata).decode().split("\n\n")[0].splitlines()
good = f"Version: {version}" in fields and any(f.startswith("License") and "Apache-2.0" in f for f in fields)
good = good and len(licences) == 1 and read(licences[0]) == open(text, "rb").read()
good = good and any(n.endswith("onnxrun/exporter.py") for n in names)
print(os.path.basename(path), fields if not good else "", licences)
sys.exit(not good)
PY
finish
