"""Prints the operators of the installed onnx package, one version a line:

    domain operator since inputs_min inputs_max outputs_min outputs_max

python tests/onnx/suite/make_schemas.py > tests/onnx/suite/schemas.txt
"""

import onnx.defs


def bound(value):
    return "*" if value >= 2**31 - 1 else str(value)


def main():
    rows = []
    for schema in onnx.defs.get_all_schemas_with_history():
        if not schema.deprecated:
            rows.append((schema.domain or "ai.onnx", schema.name,
                         schema.since_version, schema.min_input,
                         bound(schema.max_input), schema.min_output,
                         bound(schema.max_output)))
    for row in sorted(rows):
        print(*row)


if __name__ == "__main__":
    main()
