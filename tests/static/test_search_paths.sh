#!/bin/sh
# No program or module looks for libraries in the current folder, which a stranger may have filled: neither by an empty entry
# of its search path nor by a relative one.
set -eu
build=$1
command -v readelf >/dev/null || {
  echo "skipped: no readelf"
  exit 77
}
checked=0
for file in "$build/onnxrun" "$build"/*.so "$build"/python/onnxrun/*.so "$build"/examples/* "$build"/tests/base_*; do
  [ -f "$file" ] || continue
  path=$(readelf -d "$file" 2>/dev/null | sed -n 's/.*(R\(UN\)\{0,1\}PATH).*\[\(.*\)\]/\2/p') || continue
  checked=$((checked + 1))
  case :$path: in
    ::) ;;
    *::* | *:[!/\$]*)
      echo "$file looks for libraries in '$path': entries that name the current folder" >&2
      exit 1
      ;;
  esac
done
[ "$checked" -gt 0 ] || {
  echo "found no program in $build" >&2
  exit 1
}
