"""What clang-tidy, cppcheck and gcc's analyzer find in the library, the tool and the Python extension, beside findings.txt.

analyse.py BUILD [TOOL...]      TOOL: clang-tidy, cppcheck, fanalyzer; default all

findings.txt has a line for each finding that is none, with the reason:

    TOOL | FILE | CHECK | what the message contains | REASON        (FILE and CHECK may be patterns of a shell)

Exit status 1: something is found that is not in it, or (where all tools ran) a line of it fits nothing.
"""
import fnmatch
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PARTS = ("onnxrun_objects.dir", "onnxrun_kernels_base.dir", "onnxrun_tool.dir", "onnxrun_python.dir")
# Of bugprone and cert, all but what says of C what it means of C++, or asks for another manner than ours.
TIDY = ["-*", "bugprone-*", "cert-*",
        "-bugprone-easily-swappable-parameters",  # functions of a library of arrays take sizes
        "-bugprone-sizeof-expression",  # sizes of arrays of pointers are meant
        "-bugprone-suspicious-string-compare",  # if (strcmp(a, b)) is our manner
        "-bugprone-macro-parentheses",  # arguments are names and types, too
        "-bugprone-reserved-identifier", "-cert-dcl37-c", "-cert-dcl51-cpp",  # _POSIX_C_SOURCE
        "-bugprone-misplaced-widening-cast",  # (size_t)(a + b) of two small counts says what the sum is used as
        "-cert-err33-c",  # snprintf into buffers that bound messages, fprintf to the user
        "-bugprone-narrowing-conversions"]  # as -Wconversion, which is on, but without looking at ranges
LINE = {
    "clang-tidy": re.compile(r"^(.+?):(\d+):\d+: (?:warning|error): (.+) \[([\w.,-]+)\]$", re.M),
    "cppcheck": re.compile(r"^(.+?):(\d+): \w+: (.+) \[(\w+)\]$", re.M),
    "fanalyzer": re.compile(r"^(.+?):(\d+):\d+: warning: (.+) \[(?:CWE-\d+\] \[)?(-Wanalyzer-[\w-]+)\]$", re.M),
}


def entries(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        found = [e for e in json.load(file) if shlex.split(e["command"])[shlex.split(e["command"]).index("-o") + 1].split("/")[1] in PARTS]
    if len(found) < 300:
        sys.exit(f"analyse.py: expected the library's sources in {build}/compile_commands.json; found {len(found)}")
    return found


def run(words, folder=None):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


def tidy(entry, folder):
    return run(["clang-tidy", "-p", folder, "--quiet", "-checks=" + ",".join(TIDY), os.path.join(entry["directory"], entry["file"])])


def analyzer(entry, _folder):
    words = shlex.split(entry["command"])
    first = next(i for i, w in enumerate(words) if w.startswith("-"))
    kept = [w for w in words[first:words.index("-o")] if not w.startswith(("-O", "-f", "-W"))]
    return run(["gcc", *kept, "-O1", "-w", "-fanalyzer", "-Wanalyzer-too-complex", "-o", os.devnull, "-c", entry["file"]], entry["directory"])


def cppcheck(found, folder):
    return run(["cppcheck", f"--project={folder}/compile_commands.json", "--enable=warning,performance,portability", "--library=posix", "-q",
                "--suppress=*:*/generated/*", "--suppress=missingIncludeSystem", f"-j{os.cpu_count()}", "--template={file}:{line}: {severity}: {message} [{id}]"])


def findings(tool, text):
    for path, line, message, check in LINE[tool].findall(text):
        path = os.path.relpath(os.path.realpath(os.path.join(ROOT, path) if not os.path.isabs(path) else path), ROOT)
        yield tool, re.sub(r"^(\.\./)+", "", path), int(line), check, message


def listed():
    with open(os.path.join(HERE, "findings.txt"), encoding="utf-8") as file:
        return [[w.strip() for w in line.split("|", 4)] for line in file if line.strip() and not line.startswith("#")]


def main():
    build = os.path.abspath(sys.argv[1])
    tools = sys.argv[2:] or list(LINE)
    found, folder = entries(build), os.path.join(build, "tests", "analysed")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump([dict(e, file=os.path.join(e["directory"], e["file"])) for e in found], file)
    all_, rows = set(), listed()
    for tool in tools:
        if tool == "cppcheck":
            texts = [cppcheck(found, folder)]
        else:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                texts = list(pool.map(lambda e: (tidy if tool == "clang-tidy" else analyzer)(e, folder), found))
        all_.update(f for text in texts for f in findings(tool, text))
    used, wrong = [False] * len(rows), []
    for tool, path, line, check, message in sorted(all_):
        fitting = [i for i, r in enumerate(rows) if r[0] == tool and fnmatch.fnmatch(path, r[1]) and fnmatch.fnmatch(check, r[2]) and r[3] in message]
        for i in fitting:
            used[i] = True
        if not fitting:
            wrong.append(f"{tool}: {path}:{line}: {message} [{check}]")
    if len(tools) == len(LINE):
        wrong += [f"findings.txt has what is not found: {' | '.join(r)}" for r, u in zip(rows, used) if not u]
    print("\n".join(wrong))
    print(f"{len(all_)} findings of {', '.join(tools)}; {len(wrong)} are new")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
