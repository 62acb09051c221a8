"""Layers whose run never looks at the cancel flag, by the graph of calls.

A layer's run is where its table in the object points to. What it reaches by name is followed; calls by pointer (a kernel, a part of a
parallel loop) are not, so a layer that is found here may still look. cancel.txt says of each that does not why it needs not.
"""
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
LOOKS = {"onr_env_cancelled", "onri_env_poll", "onr_parallel_for"}
TABLE = re.compile(r"onri_layer_(\w+)")


def offset_of_run(include):
    """Bytes from the start of struct onr_layer, as the compiler has them."""
    source = '#include <stddef.h>\n#include "onnxrun/layer.h"\nint offset = offsetof(struct onr_layer, run);\n'
    text = subprocess.run(["gcc", "-I", include, "-S", "-o", "-", "-x", "c", "-"], input=source, capture_output=True, text=True, check=True).stdout
    return int(re.search(r"\.(?:long|word)\s+(\d+)", text).group(1))


def symbols(path):
    """(section, value) -> name of a function; name -> (section, value, size) of a table."""
    functions, tables = {}, {}
    for line in subprocess.run(["readelf", "-sW", path], capture_output=True, text=True, check=True).stdout.splitlines():
        words = line.split()
        if len(words) < 8 or not words[6].isdigit():
            continue
        value, size, kind, section, name = int(words[1], 16), int(words[2], 0), words[3], int(words[6]), words[7]
        if kind == "FUNC":
            functions[section, value] = name
        elif kind == "OBJECT" and TABLE.fullmatch(name):
            tables[name] = (section, value, size)
    return functions, tables


def sections(path):
    """Name -> number."""
    text = subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True).stdout
    return {name: int(number) for number, name in re.findall(r"\[\s*(\d+)\]\s+(\S+)", text)}


def pointers(path, numbers):
    """(section, offset) -> name and addend of what is pointed to."""
    found, section = {}, None
    for line in subprocess.run(["readelf", "-rW", path], capture_output=True, text=True, check=True).stdout.splitlines():
        head = re.match(r"Relocation section '\.rela?(\S+)'", line)
        if head:
            section = numbers.get(head.group(1))
        entry = re.match(r"([0-9a-f]+)\s+[0-9a-f]+\s+R_\S+\s+[0-9a-f]+\s+(\S+) \+ ([0-9a-f]+)", line)
        if entry:
            found[section, int(entry.group(1), 16)] = (entry.group(2), int(entry.group(3), 16))
    return found


def runs(target, include):
    """For each layer: the object it is in, and the function that its table names."""
    offset, found = offset_of_run(include), {}
    for name in sorted(os.listdir(target)):
        path = os.path.join(target, name)
        if name.endswith(".ci") or "_src_layers_" not in name:
            continue
        functions, tables = symbols(path)
        if not tables:
            continue
        numbers = sections(path)
        at = pointers(path, numbers)
        for table, (section, value, _) in tables.items():
            to = at.get((section, value + offset))
            if to:
                function = functions.get((numbers.get(to[0]), to[1]), to[0])
                found[TABLE.fullmatch(table).group(1)] = (name, function)
    return found


def reaches(start, calls, names):
    seen, work = {start}, [start]
    while work:
        function = work.pop()
        if names(function) in LOOKS:
            return True
        work += [c for c in calls.get(function, ()) if c not in seen]
        seen.update(calls.get(function, ()))
    return False


def known():
    with open(os.path.join(HERE, "cancel.txt")) as file:
        lines = [line.split("|") for line in file if line.strip() and not line.startswith("#")]
    return {layer: reason.strip() for layers, reason in lines for layer in layers.split()}


def check(target, include, calls, key_of_static, names):
    """What is wrong. key_of_static: object and function -> the key of the graph of calls."""
    layers = runs(target, include)
    if len(layers) < 100:
        return [f"cancel.py: expected the library's layers in {target}; found {len(layers)}"]
    blind = {layer for layer, (name, function) in layers.items() if not reaches(key_of_static(name, function), calls, names)}
    listed = known()
    return [f"no look at the cancel flag, and no reason in cancel.txt: {layer} ({layers[layer][1]})" for layer in sorted(blind - set(listed))] + \
           [f"cancel.txt has a layer that looks at the flag, or none: {layer}" for layer in sorted(set(listed) - blind)]
