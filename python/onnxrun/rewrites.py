"""Rewrites of an exported program: PyTorch's operators that no exporter writes, or writes wrong, as ones that it writes right.

Each rewrite is a function (graph, node) that puts what it needs before the node and returns what stands for the node's
result, or None where the node can stay.
"""

import math

import torch

from . import operators  # noqa: F401  (registers torch.ops.onnxrun)

aten = torch.ops.aten


def _spatial(values, rank):
    """An int, or a list of one or rank ints, as rank ints."""
    values = [values] if isinstance(values, int) else list(values)
    return values * rank if len(values) == 1 else values


def _meta(node):
    return node.meta["val"]


def _call(graph, target, *args, **kwargs):
    """A new node, with the value that it would have."""
    node = graph.call_function(target, args, kwargs)
    arguments = torch.fx.node.map_arg(args, _meta)
    keywords = torch.fx.node.map_arg(kwargs, _meta)
    node.meta["val"] = target(*arguments, **keywords)
    return node


def _arguments(node):
    """All arguments by name, with the defaults of the operator."""
    schema = node.target._schema.arguments
    values = {a.name: a.default_value for a in schema if a.has_default_value()}
    values.update(zip((a.name for a in schema), node.args))
    values.update(node.kwargs)
    return values


def _divided_avg_pool(graph, node):
    """divisor_override: exporters drop it. The sum of a window is its mean, padding included, times its size."""
    a = _arguments(node)
    divisor = a["divisor_override"]
    if divisor is None:
        return None
    x = a["self"]
    rank = 2 if node.target == aten.avg_pool2d.default else 3
    kernel = _spatial(a["kernel_size"], rank)
    stride = _spatial(a["stride"], rank) if a["stride"] else kernel
    padding = _spatial(a["padding"], rank)
    pads = []  # of the last dimension first
    for d in reversed(range(rank)):
        size = _meta(x).shape[d - rank]
        produced = _meta(node).shape[d - rank]
        needed = (produced - 1) * stride[d] + kernel[d] - size - padding[d]
        after = max(int(needed), padding[d]) if a["ceil_mode"] else padding[d]
        pads += [padding[d], after]
    if any(pads):
        x = _call(graph, aten.constant_pad_nd.default, x, pads, 0.0)
    mean = _call(graph, node.target, x, kernel, stride)
    return _call(graph, aten.mul.Tensor, mean, math.prod(kernel) / divisor)


def _mean_slope(graph, node):
    """RReLU in inference: the slope is the mean of its bounds."""
    a = _arguments(node)
    if a["training"]:
        return None  # random
    return _call(graph, aten.leaky_relu.default, a["self"], (a["lower"] + a["upper"]) / 2)


def _windows_are_regular(x, output_size):
    sizes = x.shape[-len(output_size):]
    return all(isinstance(size, int) and size % out == 0 for size, out in zip(sizes, output_size))


def _adaptive_avg_pool(graph, node):
    """AdaptiveAvgPool3d; exporters write the others."""
    a = _arguments(node)
    x, output_size = a["self"], _spatial(a["output_size"], 3)
    if _windows_are_regular(_meta(x), output_size):
        kernel = [size // out for size, out in zip(_meta(x).shape[-3:], output_size)]
        return _call(graph, aten.avg_pool3d.default, x, kernel, kernel)
    return _call(graph, torch.ops.onnxrun.adaptive_avg_pool.default, x, output_size)


def _adaptive_max_pool(graph, node):
    """AdaptiveMaxPool where sizes do not divide; exporters write the others."""
    a = _arguments(node)
    rank = {aten.adaptive_max_pool1d.default: 1, aten.adaptive_max_pool2d.default: 2}.get(node.target, 3)
    x, output_size = a["self"], _spatial(a["output_size"], rank)
    if _windows_are_regular(_meta(x), output_size):
        kernel = [size // out for size, out in zip(_meta(x).shape[-rank:], output_size)]
        pool = (aten.max_pool1d_with_indices, aten.max_pool2d_with_indices, aten.max_pool3d_with_indices)[rank - 1]
        return _call(graph, pool.default, x, kernel, kernel) if rank > 1 else None
    return _call(graph, torch.ops.onnxrun.adaptive_max_pool.default, x, output_size)


def _fractional_max_pool(graph, node):
    a = _arguments(node)
    return _call(graph, torch.ops.onnxrun.fractional_max_pool.default, a["self"], list(a["kernel_size"]),
                 list(a["output_size"]), a["random_samples"])


def _attention_of_rank_4(graph, node):
    """Exporters write scaled_dot_product_attention for [batch, heads, time, features] alone."""
    a = _arguments(node)
    if _meta(a["query"]).dim() != 3:
        return None
    query, key, value = (_call(graph, aten.unsqueeze.default, a[name], 1) for name in ("query", "key", "value"))
    mask = a["attn_mask"]
    if mask is not None and _meta(mask).dim() == 3:
        mask = _call(graph, aten.unsqueeze.default, mask, 1)
    result = _call(graph, node.target, query, key, value, mask, 0.0, a["is_causal"], scale=a["scale"])
    return _call(graph, aten.squeeze.dim, result, 1)


REWRITES = {
    aten.scaled_dot_product_attention.default: _attention_of_rank_4,
    aten.avg_pool2d.default: _divided_avg_pool,
    aten.avg_pool3d.default: _divided_avg_pool,
    aten.rrelu.default: _mean_slope,
    aten.rrelu_with_noise.default: _mean_slope,
    aten.adaptive_avg_pool3d.default: _adaptive_avg_pool,
    aten._adaptive_avg_pool3d.default: _adaptive_avg_pool,
    aten.adaptive_max_pool1d.default: _adaptive_max_pool,
    aten.adaptive_max_pool2d.default: _adaptive_max_pool,
    aten.adaptive_max_pool3d.default: _adaptive_max_pool,
    aten.fractional_max_pool2d.default: _fractional_max_pool,
    aten.fractional_max_pool3d.default: _fractional_max_pool,
}


def rewrite(program, kept=()):
    """Applies REWRITES to an exported program, in place, but to the operators `kept`."""
    graph = program.graph
    for node in list(graph.nodes):
        change = REWRITES.get(node.target) if node.op == "call_function" else None
        if change is None or node.target in kept:
            continue
        before = set(graph.nodes)
        with graph.inserting_before(node):
            replacement = change(graph, node)
        if replacement is None:
            continue
        for new in set(graph.nodes) - before:
            for key in ("nn_module_stack", "stack_trace", "torch_fn"):
                if key in node.meta:
                    new.meta[key] = node.meta[key]
        node.replace_all_uses_with(replacement)
        graph.erase_node(node)
    graph.lint()
    program.graph_module.recompile()
    return program
