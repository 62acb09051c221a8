"""Every layer of torch.nn in the forms that PyTorch's users write, one line a case.

A case is (name, module, inputs): inputs are shapes, or functions that make a tensor. small.py writes it with both
exporters; `sweep` adds all opsets that the exporters know, `dtypes` other types than float32, `dynamic` a second shape.
"""

import torch
from torch import nn
from torch.nn import functional as F

from cases import Case, Lambda

EVERY = []
SWEEP_DYNAMO = (20, 18, 19, 21, 22, 23, 24, 25)
SWEEP_TS = (17, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20)
NARROW = ("f16", "bf16", "f64")


def layer(name, build, *inputs, outputs=("y",), sweep=False, dtypes=(),
          dynamic=None, second=None, ts=True, unused=()):
    """dynamic: {axis: symbol} of the first input; second: its other shape."""
    names = tuple(f"x{i}" if i else "x" for i in range(len(inputs)))

    def make(shapes):
        return lambda: tuple(s() if callable(s) else torch.randn(s)
                             for s in shapes)

    def case(suffix, **options):
        EVERY.append(Case(name + suffix, build, make(inputs), names, outputs,
                          unused=unused, **options))

    dynamo, ts_opsets = (20,), (17,) if ts else ()
    if sweep:
        dynamo, ts_opsets = SWEEP_DYNAMO, SWEEP_TS if ts else ()
    case("", dynamo=dynamo, ts=ts_opsets)
    if dynamic:
        case("_dynamic", dynamo=(20,), ts=(17,) if ts else (),
             dynamic={"x": dynamic},
             more=(make((second, *inputs[1:])),))
    for dtype in dtypes:
        case("_" + dtype, dynamo=(20,), ts=(17,) if ts else (), dtype=dtype)


def ids(high, *shape):
    return lambda: torch.randint(0, high, shape)


def uniform(*shape, low=0.0, high=1.0):
    return lambda: torch.rand(*shape) * (high - low) + low


BATCH = {0: "batch"}
IMAGE = {0: "batch", 2: "height", 3: "width"}

# ---- linear

layer("linear", lambda: nn.Linear(12, 7), (4, 12), sweep=True, dtypes=NARROW,
      dynamic=BATCH, second=(9, 12))
layer("linear_no_bias", lambda: nn.Linear(12, 7, bias=False), (4, 12))
layer("linear_1d", lambda: nn.Linear(12, 7), (12,))
layer("linear_3d", lambda: nn.Linear(12, 7), (2, 3, 12),
      dynamic={0: "batch", 1: "time"}, second=(1, 5, 12))
layer("linear_5d", lambda: nn.Linear(6, 3), (2, 1, 3, 2, 6))
layer("linear_one", lambda: nn.Linear(1, 1), (3, 1))
layer("linear_wide", lambda: nn.Linear(67, 131), (5, 67))
layer("identity", lambda: nn.Identity(), (2, 3))
layer("bilinear", lambda: nn.Bilinear(5, 6, 3), (4, 5), (4, 6), ts=False)
layer("bilinear_no_bias", lambda: nn.Bilinear(3, 2, 4, bias=False), (5, 3),
      (5, 2), ts=False)
layer("bilinear_3d", lambda: nn.Bilinear(3, 2, 4), (2, 5, 3), (2, 5, 2),
      ts=False)

# ---- shape

layer("flatten", lambda: nn.Flatten(), (2, 3, 4, 5), dynamic=BATCH,
      second=(5, 3, 4, 5))
layer("flatten_middle", lambda: nn.Flatten(1, 2), (2, 3, 4, 5))
layer("flatten_negative", lambda: nn.Flatten(-3, -2), (2, 3, 4, 5))
layer("flatten_all", lambda: nn.Flatten(0), (2, 3, 4))
layer("unflatten", lambda: nn.Unflatten(1, (2, 3)), (4, 6, 5))
layer("unflatten_infer", lambda: nn.Unflatten(-1, (2, -1)), (4, 6))

# ---- normalization

layer("batchnorm1d", lambda: nn.BatchNorm1d(5), (4, 5))
layer("batchnorm1d_length", lambda: nn.BatchNorm1d(5), (4, 5, 7), dynamic=BATCH,
      second=(2, 5, 7))
layer("batchnorm2d", lambda: nn.BatchNorm2d(5), (2, 5, 4, 6), sweep=True,
      dtypes=NARROW, dynamic=IMAGE, second=(3, 5, 7, 2))
layer("batchnorm2d_no_affine", lambda: nn.BatchNorm2d(5, affine=False),
      (2, 5, 4, 6))
layer("batchnorm2d_no_stats",
      lambda: nn.BatchNorm2d(5, track_running_stats=False), (2, 5, 4, 6))
layer("batchnorm2d_eps", lambda: nn.BatchNorm2d(5, eps=0.1), (2, 5, 4, 6))
layer("batchnorm3d", lambda: nn.BatchNorm3d(4), (2, 4, 3, 2, 5))
layer("instancenorm1d", lambda: nn.InstanceNorm1d(4), (2, 4, 9))
layer("instancenorm1d_affine", lambda: nn.InstanceNorm1d(4, affine=True),
      (2, 4, 9))
layer("instancenorm2d", lambda: nn.InstanceNorm2d(4), (2, 4, 5, 6))
layer("instancenorm2d_affine", lambda: nn.InstanceNorm2d(4, affine=True),
      (2, 4, 5, 6), dynamic=IMAGE, second=(1, 4, 8, 3))
layer("instancenorm2d_stats", lambda: nn.InstanceNorm2d(
    4, affine=True, track_running_stats=True), (2, 4, 5, 6))
layer("instancenorm2d_unbatched", lambda: nn.InstanceNorm2d(4), (4, 5, 6))
layer("instancenorm3d", lambda: nn.InstanceNorm3d(3, affine=True),
      (2, 3, 4, 3, 2))
layer("groupnorm", lambda: nn.GroupNorm(3, 6), (2, 6, 5, 4),
      dtypes=NARROW, dynamic=IMAGE, second=(3, 6, 2, 7))
layer("groupnorm_one", lambda: nn.GroupNorm(1, 6), (2, 6, 5))
layer("groupnorm_all", lambda: nn.GroupNorm(6, 6), (2, 6, 5, 2, 3))
layer("groupnorm_no_affine", lambda: nn.GroupNorm(2, 6, affine=False), (2, 6, 5))
layer("groupnorm_2d", lambda: nn.GroupNorm(2, 6), (3, 6))
layer("layernorm", lambda: nn.LayerNorm(10), (2, 6, 10), sweep=True,
      dtypes=NARROW, dynamic={0: "batch", 1: "time"}, second=(1, 3, 10))
layer("layernorm_2d", lambda: nn.LayerNorm((4, 5)), (3, 4, 5))
layer("layernorm_no_affine", lambda: nn.LayerNorm(
    10, elementwise_affine=False), (3, 10))
layer("layernorm_no_bias", lambda: nn.LayerNorm(10, bias=False), (3, 10))
layer("layernorm_eps", lambda: nn.LayerNorm(10, eps=0.5), (3, 2, 10))
layer("rmsnorm", lambda: nn.RMSNorm(8), (2, 5, 8), dtypes=NARROW,
      ts=False, dynamic={0: "batch"}, second=(4, 5, 8))
layer("rmsnorm_eps", lambda: nn.RMSNorm(8, eps=0.1), (2, 5, 8), ts=False)
layer("rmsnorm_2d", lambda: nn.RMSNorm((5, 8)), (2, 5, 8), ts=False)
layer("rmsnorm_no_affine", lambda: nn.RMSNorm(8, elementwise_affine=False),
      (2, 5, 8), ts=False)
layer("local_response_norm", lambda: nn.LocalResponseNorm(3), (2, 7, 4, 4))
layer("local_response_norm_even", lambda: nn.LocalResponseNorm(
    4, alpha=0.5, beta=0.6, k=1.5), (2, 7, 4, 4))
layer("local_response_norm_1d", lambda: nn.LocalResponseNorm(
    5, alpha=1.0), (2, 7, 9))
layer("local_response_norm_3d", lambda: nn.LocalResponseNorm(
    3, alpha=1.0), (1, 6, 3, 4, 2))
layer("cross_map_lrn2d", lambda: nn.CrossMapLRN2d(3, alpha=0.5, k=2),
      (2, 7, 4, 5))
layer("normalize", lambda: Lambda(lambda x: F.normalize(x, dim=1)), (3, 5, 2))

# ---- dropout: nothing in inference

layer("dropout", lambda: nn.Dropout(0.4), (3, 5))
layer("dropout1d", lambda: nn.Dropout1d(0.4), (3, 5, 2))
layer("dropout2d", lambda: nn.Dropout2d(0.4), (3, 5, 2, 2))
layer("dropout3d", lambda: nn.Dropout3d(0.4), (3, 5, 2, 1, 2))
layer("alpha_dropout", lambda: nn.AlphaDropout(0.4), (3, 5))
layer("feature_alpha_dropout", lambda: nn.FeatureAlphaDropout(0.4), (3, 5, 2, 2))

# ---- activations

ACTIVATIONS = {
    "elu": lambda: nn.ELU(), "elu_alpha": lambda: nn.ELU(0.3),
    "hardshrink": lambda: nn.Hardshrink(), "hardsigmoid": lambda: nn.Hardsigmoid(),
    "hardtanh": lambda: nn.Hardtanh(), "hardtanh_range": lambda: nn.Hardtanh(-0.2, 1.5),
    "hardswish": lambda: nn.Hardswish(), "leaky_relu": lambda: nn.LeakyReLU(),
    "leaky_relu_slope": lambda: nn.LeakyReLU(0.3),
    "logsigmoid": lambda: nn.LogSigmoid(), "relu": lambda: nn.ReLU(),
    "relu6": lambda: nn.ReLU6(), "rrelu": lambda: nn.RReLU(),
    "rrelu_range": lambda: nn.RReLU(0.1, 0.7), "selu": lambda: nn.SELU(),
    "celu": lambda: nn.CELU(), "celu_alpha": lambda: nn.CELU(0.4),
    "gelu": lambda: nn.GELU(), "gelu_tanh": lambda: nn.GELU("tanh"),
    "sigmoid": lambda: nn.Sigmoid(), "silu": lambda: nn.SiLU(),
    "mish": lambda: nn.Mish(), "softplus": lambda: nn.Softplus(),
    "softplus_beta": lambda: nn.Softplus(beta=2.5),
    "softplus_threshold": lambda: nn.Softplus(threshold=1.0),
    "softshrink": lambda: nn.Softshrink(),
    "softshrink_lambda": lambda: nn.Softshrink(1.0),
    "softsign": lambda: nn.Softsign(), "tanh": lambda: nn.Tanh(),
    "tanhshrink": lambda: nn.Tanhshrink(),
    "threshold": lambda: nn.Threshold(0.2, -1.5),
    "threshold_zero": lambda: nn.Threshold(0.2, 0.0),
    "prelu": lambda: nn.PReLU(), "prelu_channels": lambda: nn.PReLU(4),
    "glu": lambda: nn.GLU(), "glu_channels": lambda: nn.GLU(1),
    "softmax": lambda: nn.Softmax(-1), "softmax_channels": lambda: nn.Softmax(1),
    "softmin": lambda: nn.Softmin(-1), "logsoftmax": lambda: nn.LogSoftmax(-1),
    "logsoftmax_channels": lambda: nn.LogSoftmax(1),
}
for _name, _build in ACTIVATIONS.items():
    layer(_name, _build, uniform(3, 4, 6, low=-5, high=5),
          sweep=_name == "softmax",
          dtypes=NARROW if _name in ("gelu", "silu", "softmax", "relu", "tanh") else ())
layer("softmax2d", lambda: nn.Softmax2d(), (2, 4, 3, 5))
layer("softmax2d_unbatched", lambda: nn.Softmax2d(), (4, 3, 5))
layer("prelu_2d", lambda: nn.PReLU(5), (3, 5))
layer("prelu_4d", lambda: nn.PReLU(5), (3, 5, 2, 2))
layer("relu_0d", lambda: nn.ReLU(), ())

# ---- padding

for _d, _shape in ((1, (2, 3, 7)), (2, (2, 3, 6, 7)), (3, (1, 2, 5, 6, 4))):
    _pads = (2, 1, 1, 3, 0, 2)[:2 * _d]
    for _kind in ("Reflection", "Replication", "Circular", "Zero"):
        if not hasattr(nn, f"{_kind}Pad{_d}d"):
            continue
        layer(f"{_kind.lower()}_pad{_d}d",
              lambda k=_kind, d=_d, p=_pads: getattr(nn, f"{k}Pad{d}d")(p), _shape)
        layer(f"{_kind.lower()}_pad{_d}d_one",
              lambda k=_kind, d=_d: getattr(nn, f"{k}Pad{d}d")(1), _shape)
    layer(f"constant_pad{_d}d",
          lambda d=_d, p=_pads: getattr(nn, f"ConstantPad{d}d")(p, 2.5), _shape)
    layer(f"constant_pad{_d}d_crop",
          lambda d=_d: getattr(nn, f"ConstantPad{d}d")((-1, 2) * d, -0.5), _shape)
layer("reflection_pad2d_unbatched", lambda: nn.ReflectionPad2d((1, 2, 0, 1)),
      (3, 6, 7))
layer("circular_pad2d_unbatched", lambda: nn.CircularPad2d((1, 2, 0, 1)), (3, 6, 7),
      ts=False)  # TorchScript's exporter never ends
