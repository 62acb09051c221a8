#!/bin/sh
# The documents tell of what is there: files, public names, tests; and the excerpts of CONTRIBUTING.md are lines of the files that it
# names before them.
# usage: test_documents.sh BUILD_DIR
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
ctest --test-dir "$1" -N >"${TMPDIR:-/tmp}/tests.$$"
trap 'rm -f "${TMPDIR:-/tmp}/tests.$$"' EXIT
python3 - "$root" "${TMPDIR:-/tmp}/tests.$$" <<'PY'
import glob, os, re, sys
root, listed = sys.argv[1:]
os.chdir(root)
tests = re.findall(r"Test +#\d+: (\S+)", open(listed).read())
failures, checked = [], {"files": 0, "names": 0, "excerpts": 0, "tests": 0}

def text_of(path):
    return open(path, encoding="utf-8").read()

def exists(path):
    # BUILD folders, and words in capitals that stand for something, are the reader's.
    if re.match(r"(build|results|share|\.cache)\b", path) or re.search(r"[A-Z]{3,}|[*{$<~]|^/|^\.\.", path):
        return True
    return os.path.exists(path) or os.path.exists(os.path.join("include", path)) or os.path.exists(os.path.join("include/onnxrun", path))

public = " ".join(text_of(path) for path in glob.glob("include/onnxrun/**/*.h", recursive=True))
public += " ".join(f" {name}_init" for name in re.findall(r"ONR_SIZED\((\w+)\)", public))  # which the macro declares
inner = public + " ".join(text_of(path) for folder in ("src", "onnx", "tests/support") for path in glob.glob(f"{folder}/**/*.[chi]*", recursive=True)
                          if os.path.isfile(path))
for document in glob.glob("*.md") + glob.glob("docs/*.md"):
    text = text_of(document)
    for path in re.findall(r"`([\w.\-]+/[\w./\-*{}$<>]*)`", text) + re.findall(r"\]\(([^)#:]+)\)", text):
        checked["files"] += 1
        if not exists(path) and not os.path.exists(os.path.join(os.path.dirname(document), path)):
            failures.append(f"{document}: there is no {path}")
    for name in set(re.findall(r"\bonr_\w*[a-z0-9]\b", text)):
        checked["names"] += 1
        name = re.sub(r"^(onr_\w+)_init$", lambda m: m[1] if f"ONR_SIZED({m[1]})" in public else m[0], name)
        if not re.search(rf"\b{name}\b", inner if document == "CONTRIBUTING.md" else public):
            failures.append(f"{document}: there is no {name}")

# Blocks of code, each with the files that were named since the last one.
files, block = [], []
def check_block():
    if block and block[0].startswith("ctest") and "-R" in block[0]:
        for part in re.search(r"-R '?([^' ]*)", block[0])[1].split("|"):
            checked["tests"] += 1
            if not any(re.search(part, test) for test in tests):
                failures.append(f"CONTRIBUTING.md: no test is called {part}")
    elif block and files:
        lines = {re.sub(r"\s+", " ", line.strip()).rstrip("\\ ") for path in files for line in text_of(path).splitlines()}
        for line in block:
            checked["excerpts"] += 1
            if re.sub(r"\s+", " ", line.strip()).rstrip("\\ ") not in lines:
                failures.append(f"CONTRIBUTING.md: {' '.join(files)} has no line '{line.strip()}'")
worked = text_of("CONTRIBUTING.md").split("## Worked examples")[1]
for line in worked.splitlines() + [""]:
    if line.startswith("    "):
        block.append(line.strip())
        continue
    if block:
        check_block()
        files, block = [], []
    if line.startswith("#"):
        files = []
    files += [path for path in re.findall(r"`([\w./]+\.(?:c|h|inc))`", line) if os.path.exists(path)]
for failure in failures:
    print("FAIL:", failure)
print(checked, len(failures), "failures")
sys.exit(bool(failures) or min(checked.values()) < 10)
PY
