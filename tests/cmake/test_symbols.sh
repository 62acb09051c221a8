#!/bin/sh
# The arrows of symbols: what an object file takes from another must be allowed by cmake/architecture.txt, as its includes must.
# A declaration written by hand, or a table that passes a function on, is no way around it.
set -eu
build=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
objects=$build/CMakeFiles
command -v nm >/dev/null || { echo "there is no nm to read object files with" >&2; exit 77; }

# Objects of files that have moved may still lie there.
(for part in "$objects"/onnxrun_objects.dir "$objects"/onnxrun_kernels_*.dir; do
  cd "$part" && find src onnx -name '*.o' 2>/dev/null | while read -r object; do
    if [ -f "$root/${object%.o}" ]; then echo "$object"; fi
  done | xargs nm -A
done) |
  awk -v table="$root/cmake/architecture.txt" '
    function room_of(path, best, r) {
      best = ""
      for (r in uses) if (index(path, r "/") == 1 && length(r) > length(best)) best = r
      return best
    }
    BEGIN {
      while ((getline line < table) > 0) {
        if (line !~ /^[a-z]/) continue
        split(line, part, "|")
        gsub(/ /, "", part[1])
        uses[part[1]] = " " part[2] " "
      }
    }
    {
      file = $1
      sub(/:.*/, "", file)
      kind = $(NF - 1)
      if (kind == "U") taken[file, $NF] = 1
      else if (kind ~ /^[TDRBC]$/) home[$NF] = file
    }
    END {
      for (key in taken) {
        split(key, part, SUBSEP)
        if (!(part[2] in home)) continue
        from = room_of(part[1])
        to = room_of(home[part[2]])
        checked++
        if (from == to || index(uses[from], " " to " ")) continue
        printf "%s takes %s from %s\n", part[1], part[2], home[part[2]]
        wrong++
      }
      if (!checked) { print "no symbols were found"; exit 1 }
      printf "%d uses of symbols, %d against cmake/architecture.txt\n", checked, wrong
      exit wrong > 0
    }'
