"""Counts the instructions of a run on 64-bit ARM, in qemu's emulator: onnxrun beside the wheels of ONNX Runtime and ncnn.

Unlike times, they are the same each time and need no processor of that kind; the emulated one is a Neoverse N1 (dot products and float16).
Of a peer what lies between two calls is counted, its Python included; of onnxrun, the tool's `bench` of few and of more runs is compared.
The plugin (count.c), a Python and the wheels are kept in the cache; Python's packages are Debian's for arm64.
"""

import argparse
import glob
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

import main as comparing
import peers
from tool import Tool, save_inputs, worst_difference

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ["python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "zlib1g", "libexpat1", "libc6", "libstdc++6", "libgcc-s1",
            "libgomp1", "libbz2-1.0", "liblzma5", "libffi8", "libssl3"]
CPU = "neoverse-n1"
# What programs read of their processor, which else would be this machine's: HWCAP comes from qemu itself.
SYSTEM = {
    "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n"
                    "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n",
    **{f"sys/devices/system/cpu/{name}": "0\n" for name in ("possible", "present", "online")},
}
# Runs that are counted beyond the first ones, at least, and the seconds after which onnxrun is asked whether there are as many.
LEAST, SECONDS = 3, (0.001, 4, 16, 64, 256)


def cache():
    return os.environ.get("ONNXRUN_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "onnxrun")


def prepare_root():
    """A folder with Debian's Python for arm64 and the wheels of aarch64.txt, made once."""
    root, wheels = os.path.join(cache(), "python-3.11-arm64"), os.path.join(HERE, "aarch64.txt")
    site = os.path.join(root, "site")
    complete = os.path.join(root, "complete")
    with open(wheels) as file:
        wanted = file.read()
    if os.path.exists(complete) and open(complete).read() == wanted:
        return root, site
    print(f"preparing a Python for arm64 in {root} (once)", file=sys.stderr)
    subprocess.run(["rm", "-rf", root], check=True)
    os.makedirs(os.path.join(root, "debs"))
    subprocess.run(["apt-get", "download", "-qq", *(f"{name}:arm64" for name in PACKAGES)], cwd=os.path.join(root, "debs"), check=True, stderr=subprocess.DEVNULL)
    for package in glob.glob(os.path.join(root, "debs", "*.deb")):
        subprocess.run(["dpkg", "-x", package, root], check=True)
    for name, text in SYSTEM.items():
        os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
        with open(os.path.join(root, name), "w") as file:
            file.write(text)
    platforms = [word for version in ("2014", "_2_27", "_2_28") for word in ("--platform", f"manylinux{version}_aarch64")]
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.11",
                    *platforms, "--target", site, "-r", wheels], check=True)
    with open(complete, "w") as file:
        file.write(wanted)
    return root, site


def emulated(root, plugin, counts):
    return ["qemu-aarch64", "-cpu", CPU, "-L", root, "-plugin", f"{plugin},to={counts}"]


def counts_of(file):
    with open(file) as lines:
        return [int(line) for line in lines]


def count_peer(key, emulator, root, site, counts, path, together, saved):
    """Instructions of a run, and the outputs. The first runs are not counted."""
    environment = dict(os.environ, PYTHONPATH=site, PYTHONDONTWRITEBYTECODE="1", OMP_NUM_THREADS="1")
    peer = peers.Peer(key, [*emulator, os.path.join(root, "usr", "bin", "python3.11")], environment)
    try:
        peer.ask(open=path, inputs=together, threads=1)
        peer.ask(count=1)
        before = len(counts_of(counts))
        peer.ask(count=LEAST)
        start, end = counts_of(counts)[before:before + 2]
        peer.ask(save=saved)
        with np.load(saved) as values:
            return (end - start) / LEAST, [values[k] for k in values]
    finally:
        peer.close()


def count_tool(tool, emulator, program, counts, path, files):
    script = tool.path
    with open(script, "w") as file:
        file.write("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in [*emulator, program]) + ' "$@"\n')
    os.chmod(script, 0o755)
    few = first = None
    for seconds in SECONDS:
        runs, count = tool.bench(path, files, seconds)["runs"], counts_of(counts)[-1]
        if few is None:
            few, first = runs, count
        if runs - few >= LEAST:
            return (count - first) / (runs - few)
    raise RuntimeError("a run takes too long")


def count_model(path, options, root, site, plugin):
    row = {"onnxrun": {}}
    with tempfile.TemporaryDirectory() as folder:
        inputs, names = comparing.describe(path)
        files, together = save_inputs(inputs, folder)
        counts = os.path.join(folder, "counts")
        tool = Tool(os.path.join(folder, "onnxrun"), 1)
        row["onnxrun"]["instructions"] = count_tool(tool, emulated(root, plugin, counts), options.onnxrun, counts, path, files)
        results = tool.outputs(path, files, os.path.join(folder, "out"), names)
        for key in options.peers:
            entry = row[key] = {}
            file = os.path.join(folder, "counts-" + key)
            try:
                entry["instructions"], arrays = count_peer(key, emulated(root, plugin, file), root, site, file, path, together,
                                                           os.path.join(folder, key + ".npz"))
                entry["difference"] = worst_difference(results, arrays)
            except (RuntimeError, OSError) as error:
                entry["error"] = str(error)[:100]
    return row


def text_of(entry):
    if "error" in entry:
        return "-"
    return f"{entry['instructions'] / 1e6:.4g}" + ("?" if entry.get("difference", 0) > 1 else "")


def read_options():
    parser = argparse.ArgumentParser(prog="tools/compare --instructions", description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL.onnx")
    parser.add_argument("--onnxrun", default=os.path.join(HERE, "..", "..", "build-aarch64", "onnxrun"), help="the tool, built by tools/build aarch64")
    parser.add_argument("--peers", type=lambda text: text.split(","), default=["onnxruntime", "ncnn"])
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args()


def main():
    options = read_options()
    root, site = prepare_root()
    converter = importlib.util.find_spec("pnnx")  # runs on this machine
    link = os.path.join(site, "pnnx")
    if converter and not os.path.lexists(link):
        os.symlink(converter.submodule_search_locations[0], link)
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        plugin = os.path.join(folder, "count.so")
        subprocess.run(["clang", "-O2", "-fPIC", "-shared", os.path.join(HERE, "count.c"), "-o", plugin], check=True)
        print(f"million instructions of a run, {CPU}; ?: computes something else\n{'model':24} {'onnxrun':>10} " +
              " ".join(f"{peers.PEERS[k].name:>13}" for k in options.peers))
        for path in options.models:
            name = comparing.name_of(path)
            try:
                row = rows[name] = count_model(os.path.abspath(path), options, root, site, plugin)
            except RuntimeError as error:
                print(f"{name:24} {error}", flush=True)
                continue
            notes = "; ".join(f"{k}: {row[k]['error']}" for k in options.peers if "error" in row[k])
            print(f"{name:24} {text_of(row['onnxrun']):>10} " + " ".join(f"{text_of(row[k]):>13}" for k in options.peers) + f"  {notes}", flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
