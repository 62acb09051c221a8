"""Functions of the library that nothing calls: neither the library, nor the tool, nor a test.

unused.py BUILD ROOT: reads the symbols of BUILD's object files. What a file calls of its own has no symbol that is missing, so its text is
looked at, too.
"""
import os
import re
import subprocess
import sys

# Called where this build does not: XNNPACK's calls have other names in its copy; fences are for builds under a sanitizer.
ELSEWHERE = re.compile(r"onri_(pool_parallelize_|fence_(open|close)$)")
LIBRARY = re.compile(r"/onnxrun_(objects|kernels_\w+)\.dir/")


def objects(build):
    for folder, _, names in os.walk(os.path.join(build, "CMakeFiles")):
        for name in names:
            if name.endswith(".o"):
                yield os.path.join(folder, name)


def symbols(files):
    """(object, kind, name) of each symbol."""
    for i in range(0, len(files), 200):
        text = subprocess.run(["nm", "-A", *files[i:i + 200]], capture_output=True, text=True, check=True).stdout
        yield from re.findall(r"^(.+?):[0-9a-f ]* (\w) (\S+)$", text, re.M)


def source_of(name, root):
    """The text that an object file was made of; empty where it is gone."""
    path = os.path.join(root, re.sub(r"^.*?\.dir/", "", name)[:-2])
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    build, root = sys.argv[1:]
    made, wanted = {}, set()
    for name, kind, symbol in symbols(sorted(objects(build))):
        if kind == "U":
            wanted.add(symbol)
        elif kind == "T" and symbol.startswith("onri_") and LIBRARY.search(name):
            made[symbol] = name
    if len(made) < 500:
        sys.exit(f"unused.py: expected the library's functions in {build}; found {len(made)}")
    unused = [(s, n) for s, n in sorted(made.items()) if s not in wanted and not ELSEWHERE.match(s)]
    unused = [(s, n) for s, n in unused if len(re.findall(rf"\b{s}\b", source_of(n, root))) == 1]
    print(f"{len(made)} functions, {len(unused)} that nothing calls")
    for symbol, name in unused:
        print(f"nothing calls {symbol} ({re.sub(r'^.*?.dir/', '', name)[:-2]})")
    sys.exit(bool(unused))


if __name__ == "__main__":
    main()
