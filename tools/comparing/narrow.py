"""Runs main.py with onnxrun and its peers held to AVX2, whatever wider instructions the processor has.

Each of them asks the processor by the instruction cpuid, some in ways of their own. So in a copy of them (links, but for what is
changed) every cpuid becomes an instruction that there is none of, and narrow.c, which is preloaded, answers it without AVX-512, AMX and
AVX-VNNI. Needs Linux on x86-64, a C compiler, objdump and readelf.
"""

import os
import re
import shutil
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
MARK = b"\x0e\x06"  # as narrow.c knows it
CPUID = b"\x0f\xa2"
OTHERS = re.compile(r"/(numpy|scipy|matplotlib|pillow|PIL|fontTools|pip)[^/]*/")  # that compute nothing here


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sections(path):
    """(address, place in the file, bytes) of each."""
    for line in output_of("readelf", "-SW", path).splitlines():
        if part := re.search(r"\] +\S+ +(?:PROGBITS) +([0-9a-f]+) +([0-9a-f]+) +([0-9a-f]+) ", line):
            yield [int(number, 16) for number in part.groups()]


def narrow(path, target):
    """Writes the program or library with other instructions in place of cpuid; returns of how many."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    if data[:4] != b"\x7fELF" or CPUID not in data:
        return 0
    asked = [int(line.split(":")[0], 16) for line in output_of("objdump", "-d", "--no-show-raw-insn", path).splitlines() if re.search(r"\tcpuid\b", line)]
    parts = list(sections(path)) if asked else []
    for address in asked:
        at = next(place + address - start for start, place, size in parts if start and start <= address < start + size)
        if data[at:at + 2] != CPUID:
            sys.exit(f"tools/compare: {path} has no cpuid at {address:x}, where objdump finds one")
        data[at:at + 2] = MARK
    if asked:
        mode = os.stat(path).st_mode
        if os.path.exists(target):
            os.remove(target)  # it is a link to what is not to be changed
        with open(target, "wb") as file:
            file.write(data)
        os.chmod(target, mode)
    return len(asked)


def copied_environment():
    """The folder of a Python environment like this one, held to AVX2; made once."""
    with open(__file__, "rb") as file:
        copy = f"{sys.prefix}-avx2-{zlib.crc32(file.read()):08x}"
    if os.path.exists(os.path.join(copy, "complete-avx2")):
        return copy
    print(f"copying the peers to {copy}, held to AVX2 (once)", file=sys.stderr)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(sys.prefix, copy, symlinks=True, copy_function=os.link)
    for folder, _, names in os.walk(copy):
        for name in names:
            path = os.path.join(folder, name)
            if re.search(r"\.so(\.|$)", name) and not os.path.islink(path) and not OTHERS.search(path):
                if count := narrow(path, path):
                    print(f"  {name}: asks {count} times", file=sys.stderr)
    with open(os.path.join(copy, "complete-avx2"), "w"):
        pass
    return copy


def main(arguments):
    copy = copied_environment()
    program, library = os.path.join(copy, "onnxrun"), os.path.join(copy, "narrow.so")
    at = arguments.index("--onnxrun") if "--onnxrun" in arguments else None
    given = arguments[at + 1] if at is not None else os.path.join(HERE, "..", "..", "build", "onnxrun")
    if at is not None:
        del arguments[at:at + 2]
    if not narrow(given, program):
        sys.exit(f"tools/compare: {given} never asks what the processor can do")
    subprocess.run([os.environ.get("CC", "cc"), "-O1", "-shared", "-fPIC", "-o", library, os.path.join(HERE, "narrow.c")], check=True)
    python = os.path.join(copy, "bin", "python")
    command = [python, "-B", os.path.join(HERE, "main.py"), "--onnxrun", program, *arguments]
    os.execve(python, command, dict(os.environ, LD_PRELOAD=library))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"tools/compare: {error}")
