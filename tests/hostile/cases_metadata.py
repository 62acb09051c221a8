"""Hostile files: what PyTorch's exporter says of its modules, broken. The model is sound, so it loads all the same."""

from corpus import *

SIGNATURE = 'pkg.torch.export.ExportedProgram.graph_signature'


def described(signature, scopes, classes, fx, nodes=1):
    """A chain of sums that says these things of itself."""
    values = ['x'] + ['v%d' % i for i in range(nodes - 1)] + ['y']
    m = model([N('Add', [values[i], 'w'], [values[i + 1]]) for i in range(nodes)], G4, O4,
              [W(4)])
    m.graph.metadata_props.add(key=SIGNATURE, value=signature)
    for n in m.graph.node:
        n.metadata_props.add(key='pkg.torch.onnx.name_scopes', value=scopes)
        n.metadata_props.add(key='pkg.torch.onnx.class_hierarchy', value=classes)
        n.metadata_props.add(key='pkg.torch.onnx.fx_node', value=fx)
    return m


case('M01_open_quotes', 'any', 'OK', 'lists and lines that end in the middle')(
    lambda d: described("p_w: PARAMETER target='w", "['', 'a", "['", '%p_w, %')
)
case('M02_lists_differ', 'any', 'OK', 'more scopes than classes, and the other way round')(
    lambda d: described("p_w: PARAMETER target='w'\np_w: PARAMETER target='w'", "['', 'a', 'a.b', 'a.b.c', 'n']", "['K']", '%p_w')
)
case('M03_many_parameters', 'any', 'OK', '20000 parameters that are nowhere, named by 2000 nodes: linear time')(
    lambda d: described('\n'.join("p_%d: PARAMETER target='m%d.w'" % (i, i) for i in range(20000)), "['', 'a', 'n']",
                        "['K', 'L', 'n']", ' '.join('%%p_%d' % i for i in range(300)), nodes=2000)
)
case('M04_deep_path', 'any', 'OK', 'a module 5000 levels deep, and one of escapes')(
    lambda d: described("p_w: PARAMETER target='" + 'a.' * 5000 + "w'", "['', '" + '.'.join('a' * 5000) + "', 'n']",
                        "['K', '\\\\x00\\n\\t', 'n']", '%p_w')
)
case('M05_long_token', 'any', 'OK', 'a name of a megabyte after a percent sign')(
    lambda d: described("p_w: PARAMETER target='w'", "['', 'n']", "['K', 'n']", '%' + 'p' * 1000000)
)
