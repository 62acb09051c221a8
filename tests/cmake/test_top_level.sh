#!/bin/sh
# What is committed lies in the folders that CONTRIBUTING.md names: a copy that was added from a wrong folder shows here.
set -eu
cd "$(dirname "$0")/../.."
git rev-parse --git-dir >/dev/null 2>&1 || exit 77 # an archive has what it has
allowed=" .ci .clang-format .editorconfig .gitignore CHANGELOG.md CMakeLists.txt CMakePresets.json CONTRIBUTING.md LICENSE README.md
 SECURITY.md cmake docs examples include onnx pyproject.toml python src tests third_party tools wasm "
failed=0
for name in $(git ls-files | sed 's#/.*##' | sort -u); do
  case $allowed in
    *[[:space:]]"$name"[[:space:]]*) ;;
    *)
      echo "FAIL: $name does not belong to the top level"
      failed=1
      ;;
  esac
done
exit $failed
