"""Prints the operators of the installed onnx package, one version a line:

    domain operator since inputs_min inputs_max outputs_min outputs_max variable types

variable and types are those of input 0 ("-" without inputs): the name of the type variable, and the element types that it
may have, as onnxrun spells them, separated by commas.

python tests/onnx/suite/make_schemas.py > tests/onnx/suite/schemas.txt
"""

import re

import onnx.defs

NAMES = {"float": "float32", "double": "float64"}


def bound(value):
    return "*" if value >= 2**31 - 1 else str(value)


def element(text):
    """tensor(float) is float32, seq(tensor(float)) a sequence."""
    kind = re.match(r"\w+", text).group()
    if kind in ("seq", "optional", "map"):
        return {"seq": "sequence"}.get(kind, kind)
    name = re.search(r"\((\w+)\)", text).group(1)
    return NAMES.get(name, name)


def first_input(schema):
    if not schema.inputs:
        return "-", "-"
    formal = schema.inputs[0]
    types = sorted({element(text) for text in formal.types})
    variable = formal.type_str if re.fullmatch(r"\w+", formal.type_str) else "-"
    return variable, ",".join(types)


def main():
    rows = []
    for schema in onnx.defs.get_all_schemas_with_history():
        if not schema.deprecated:
            rows.append((schema.domain or "ai.onnx", schema.name,
                         schema.since_version, schema.min_input,
                         bound(schema.max_input), schema.min_output,
                         bound(schema.max_output), *first_input(schema)))
    for row in sorted(rows):
        print(*row)


if __name__ == "__main__":
    main()
