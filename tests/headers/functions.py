#!/usr/bin/env python3
"""The public functions, as the headers declare them.

usage: functions.py list INCLUDE     one name a line
       functions.py calls INCLUDE FILE   writes a C file that calls each of them with NULL for each of its pointers (null_calls.h)
"""
import pathlib
import re
import sys

# Pointers that may be NULL, by the comments of the headers: "FUNCTION ARGUMENT", * for any function.
MAY_BE_NULL = """
* error  * options  * allocator
onr_threads_count threads  onr_fail format
onr_registry_add domain  onr_registry_add parse
onr_desc_make dims  onr_net_input dims
onr_cancel_is_set cancel
onr_session_set_input tensor  onr_session_bind_output data
onr_sequence_desc entries  onr_sequence_write entries
onr_tensor_file_load name  onr_tensor_release tensor
onr_weight data  onr_parallel_for context
onr_net_layer params  onr_net_layer in  onr_net_layer out  onr_net_constant data
* indices  * h_n  * c_n  * c1  * masks
onr_dropout p  onr_dropout1d p  onr_dropout2d p  onr_dropout3d p  onr_alpha_dropout p  onr_feature_alpha_dropout p
onr_batch_norm1d weights  onr_batch_norm2d weights  onr_batch_norm3d weights
onr_instance_norm1d weights  onr_instance_norm2d weights  onr_instance_norm3d weights
onr_multihead_attention weights
onr_env_release memory
onr_model_optimise info
onr_session_want_outputs indices  onr_session_add_states names  onr_session_add_states count
"""


def split(text):
    """At the commas that stand in no parentheses."""
    parts, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


class Argument:
    def __init__(self, text):
        pointer = re.match(r"(.*)\(\*(\w+)\)(\(.*\))$", text)
        array = re.match(r"(.*?)(\w+)\[\d*\]$", text)
        if pointer:
            self.type, self.name = f"{pointer[1].strip()} (*){pointer[3]}", pointer[2]
        elif array:
            self.type, self.name = array[1].strip() + " *", array[2]
        else:
            plain = re.match(r"(.*?)(\w+)$", text)
            self.type, self.name = plain[1].strip(), plain[2]
        self.is_pointer = "*" in self.type


class Function:
    def __init__(self, declaration):
        match = re.match(r"(.*?)(\w+)\((.*)\)$", declaration)
        self.returns, self.name = match[1].strip(), match[2]
        arguments = [] if match[3] == "void" else split(match[3])
        self.is_variadic = arguments[-1:] == ["..."]
        self.arguments = [Argument(text) for text in arguments if text != "..."]

    def may_be_null(self, argument):
        rows = MAY_BE_NULL.split()
        rows = list(zip(rows[::2], rows[1::2]))
        return ("*", argument.name) in rows or (self.name, argument.name) in rows


def functions_of(include):
    functions = {}
    for header in sorted(pathlib.Path(include).rglob("*.h")):
        text = re.sub(r"/\*.*?\*/", " ", header.read_text(), flags=re.S)
        text = re.sub(r"^\s*#.*$", " ", text, flags=re.M)
        for declaration in re.findall(r"\bONR_API\b([^;{]*);", text):
            declaration = re.sub(r"ONR_\w+\([\d, ]*\)\s*$", "", " ".join(declaration.split())).strip()
            function = Function(declaration)
            functions[function.name] = function
    return [functions[name] for name in sorted(functions)]


def print_calls(functions):
    headers = ["compile", "layer", "net", "nn", "onnxrun", "operators", "sequence", "tensor_file"]
    print("/* Made by functions.py. */")
    for header in headers:
        print(f'#include "onnxrun/{header}.h"')
    print('#include "headers/null_calls.h"\n')
    for function in functions:
        given = []
        for i, argument in enumerate(function.arguments):
            kind = argument.type.replace("const ", "")
            name = kind.split()[1] if kind.startswith("struct ") else kind.split()[0]
            stars = argument.type.count("*") if "(" not in argument.type else 9
            if argument.is_pointer:
                value = f"ARGUMENT({i}, {argument.type}, \"{name}\", {stars})"
            elif kind.startswith("struct"):
                value = f"({kind}){{0}}"
            elif kind == "int" and function.arguments[0].type == "struct onr_net *":
                value = "f->x"
            else:
                value = "1"
            given.append(value)
        print(f"static void call_{function.name}(struct fixture *f) {{")
        call = f"{function.name}({', '.join(given)})"
        if function.returns == "enum onr_status":
            print(f"  f->status = {call};")
        elif function.returns == "int" and function.arguments and function.arguments[0].type == "struct onr_net *":
            print(f"  f->value = {call};")
        else:
            print(f"  (void)f, (void){call};")
        print("}")
    print("\nconst struct function functions[] = {")
    for function in functions:
        pointers = sum(1 << i for i, a in enumerate(function.arguments) if a.is_pointer)
        needed = sum(1 << i for i, a in enumerate(function.arguments) if a.is_pointer and not function.may_be_null(a))
        error = sum(1 << i for i, a in enumerate(function.arguments) if a.type == "struct onr_error *")
        of_net = bool(function.arguments) and function.arguments[0].type == "struct onr_net *"
        kind = "STATUS" if function.returns == "enum onr_status" else "NET" if of_net else "OTHER"
        print(f'    {{"{function.name}", call_{function.name}, {kind}, {pointers:#x}, {needed:#x}, {error:#x}}},')
    print("};")
    print("const size_t num_functions = sizeof(functions) / sizeof(functions[0]);")


def main():
    functions = functions_of(sys.argv[2])
    if not functions:
        sys.exit("no functions are declared in " + sys.argv[2])
    if sys.argv[1] == "list":
        print("\n".join(function.name for function in functions))
    else:
        with open(sys.argv[3], "w") as sys.stdout:
            print_calls(functions)


main()
