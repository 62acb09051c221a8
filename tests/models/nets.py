"""Small fixtures: tiny nets, control flow, and nets of single operators."""

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from cases import Lambda, case, randn

IMAGE = {"x": {0: "batch", 2: "height", 3: "width"}}


# ---- blocks of well-known architectures

@case("channel_shuffle_block", randn(1, 8, 6, 6))
def channel_shuffle_block():
    class Shuffle(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch = nn.Sequential(
                nn.Conv2d(4, 4, 1), nn.ReLU(),
                nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.BatchNorm2d(4),
                nn.Conv2d(4, 4, 1), nn.ReLU())

        def forward(self, x):
            left, right = x.chunk(2, dim=1)
            x = torch.cat((left, self.branch(right)), dim=1)
            n, c, h, w = x.shape
            x = x.view(n, 2, c // 2, h, w).transpose(1, 2)
            return x.reshape(n, c, h, w)

    return Shuffle()


@case("squeeze_excite", randn(1, 8, 7, 7), dynamic=IMAGE,
      more=(randn(2, 8, 5, 6),))
def squeeze_excite():
    class SqueezeExcite(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(8, 8, 3, padding=1)
            self.act = nn.Hardswish()
            self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1),
                                      nn.Conv2d(8, 4, 1), nn.ReLU(),
                                      nn.Conv2d(4, 8, 1), nn.Hardsigmoid())

        def forward(self, x):
            y = self.act(self.conv(x))
            return y * self.gate(y)

    return SqueezeExcite()


@case("inverted_residual", randn(1, 6, 8, 8), ts=(17, 11))
def inverted_residual():
    class InvertedResidual(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(6, 18, 1, bias=False), nn.BatchNorm2d(18), nn.ReLU6(),
                nn.Conv2d(18, 18, 3, padding=1, groups=18, bias=False),
                nn.BatchNorm2d(18), nn.ReLU6(),
                nn.Conv2d(18, 6, 1, bias=False), nn.BatchNorm2d(6))

        def forward(self, x):
            return x + self.body(x)

    return InvertedResidual()


@case("unet", randn(1, 1, 16, 16), dynamic=IMAGE, more=(randn(2, 1, 24, 32),))
def unet():
    def block(inputs, outputs):
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs),
            nn.ReLU())

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down1, self.down2 = block(1, 4), block(4, 8)
            self.bottom = block(8, 12)
            self.up2 = nn.ConvTranspose2d(12, 8, 2, stride=2)
            self.merge2 = block(16, 8)
            self.up1 = nn.Upsample(scale_factor=2, mode="bilinear",
                                   align_corners=False)
            self.merge1 = block(12, 4)
            self.head = nn.Conv2d(4, 2, 1)

        def forward(self, x):
            a = self.down1(x)
            b = self.down2(F.max_pool2d(a, 2))
            x = self.bottom(F.max_pool2d(b, 2))
            x = self.merge2(torch.cat((self.up2(x), b), 1))
            x = self.merge1(torch.cat((self.up1(x), a), 1))
            return self.head(x)

    return UNet()


@case("cnn_dynamic_batch", randn(2, 3, 12, 12), dynamic={"x": {0: "batch"}},
      more=(randn(1, 3, 12, 12), randn(5, 3, 12, 12)))
def cnn_dynamic_batch():
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.SiLU(), nn.MaxPool2d(2),
                         nn.Conv2d(6, 8, 3), nn.LeakyReLU(0.1), nn.Flatten(),
                         nn.Dropout(), nn.Linear(72, 5), nn.Softmax(1))


@case("cnn_dynamic_image", randn(1, 3, 13, 10), dynamic=IMAGE,
      more=(randn(2, 3, 9, 15),))
def cnn_dynamic_image():
    return nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.GELU(),
                         nn.Upsample(scale_factor=2), nn.Conv2d(6, 4, 3),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten())


def one_step(past, time=1):
    return lambda: (torch.randint(0, 20, (1, time)),
                    *(torch.randn(1, 2, past, 8) for _ in range(4)))


@case("cached_decoder", one_step(5, 2),
      names=("ids", "past_k0", "past_v0", "past_k1", "past_v1"),
      outputs=("y", "k0", "v0", "k1", "v1"),
      dynamic={"ids": {1: "time"},
               **{f"past_{x}": {2: "past"} for x in ("k0", "v0", "k1", "v1")}},
      more=(one_step(9), one_step(1)))
def cached_decoder():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(16), nn.LayerNorm(16)
            self.qkv = nn.Linear(16, 48)
            self.out = nn.Linear(16, 16)
            self.forth = nn.Sequential(nn.Linear(16, 32), nn.GELU(),
                                       nn.Linear(32, 16))

        def forward(self, x, k, v, mask):
            time = x.shape[1]
            q, more_k, more_v = self.qkv(self.norm1(x)).view(
                1, time, 3, 2, 8).permute(2, 0, 3, 1, 4)
            k, v = torch.cat((k, more_k), 2), torch.cat((v, more_v), 2)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            x = x + self.out(y.transpose(1, 2).reshape(1, time, 16))
            return x + self.forth(self.norm2(x)), k, v

    class Decoder(nn.Module):
        """Tokens behind those whose keys and values are given."""

        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(20, 16)
            self.blocks = nn.ModuleList((Block(), Block()))
            self.head = nn.Linear(16, 20)

        def forward(self, ids, k0, v0, k1, v1):
            time, past = ids.shape[1], k0.shape[2]
            at = torch.arange(past, past + time)
            mask = torch.arange(past + time)[None, :] <= at[:, None]
            turns = at[:, None] / torch.arange(1, 17)[None, :]
            x = self.tokens(ids) + torch.sin(turns)
            x, k0, v0 = self.blocks[0](x, k0, v0, mask)
            x, k1, v1 = self.blocks[1](x, k1, v1, mask)
            return self.head(x), k0, v0, k1, v1

    return Decoder()


@case("causal_transformer", lambda: (torch.randint(0, 20, (2, 7)),),
      names=("ids",), dynamic={"ids": {0: "batch", 1: "time"}},
      more=(lambda: (torch.randint(0, 20, (1, 11)),),
            lambda: (torch.randint(0, 20, (3, 2)),)))
def causal_transformer():
    class Causal(nn.Module):
        """Attention written by hand, its mask built from the input's shape."""

        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(20, 16)
            self.places = nn.Embedding(12, 16)
            self.norm = nn.LayerNorm(16)
            self.qkv = nn.Linear(16, 48)
            self.out = nn.Linear(16, 16)
            self.head = nn.Linear(16, 20, bias=False)

        def forward(self, ids):
            batch, time = ids.shape
            places = torch.arange(time)
            x = self.tokens(ids) + self.places(places)
            q, k, v = self.qkv(self.norm(x)).chunk(3, dim=-1)
            q, k, v = (t.reshape(batch, time, 2, 8).transpose(1, 2)
                       for t in (q, k, v))
            scores = q @ k.transpose(-2, -1) / 8 ** 0.5
            mask = places[:, None] < places[None, :]
            scores = scores.masked_fill(mask, float("-inf"))
            y = (scores.softmax(-1) @ v).transpose(1, 2)
            return self.head(x + self.out(y.reshape(batch, time, 16)))

    return Causal()


# ---- control flow (TorchScript needs torch.jit.script for it)

@case("cond", randn(2, 5), more=(lambda: (-torch.ones(2, 5) * 3,),), ts=())
def cond():
    class Cond(nn.Module):
        def __init__(self):
            super().__init__()
            self.yes, self.no = nn.Linear(5, 4), nn.Linear(5, 4)

        def forward(self, x):
            return torch.cond(x.sum() > -10, lambda x: self.yes(x).relu(),
                              lambda x: self.no(x) * 2, (x,))

    return Cond()


@case("while_loop", lambda: (torch.randn(3, 4), torch.tensor(5)),
      names=("x", "steps"), ts=(),
      more=(lambda: (torch.randn(3, 4), torch.tensor(0)),
            lambda: (torch.randn(3, 4), torch.tensor(2))))
def while_loop():
    from torch._higher_order_ops.while_loop import while_loop as loop

    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.step = nn.Linear(4, 4)

        def forward(self, x, steps):
            def go_on(i, x):
                return i < steps

            def body(i, x):
                return i + 1, torch.tanh(self.step(x))

            return loop(go_on, body, (torch.zeros((), dtype=torch.int64), x))[1]

    return Loop()


class ScriptedLoop(nn.Module):
    """A loop and a branch that TorchScript keeps as Loop and If."""

    def __init__(self):
        super().__init__()
        self.step = nn.Linear(4, 4)

    def forward(self, x, steps: torch.Tensor):
        for i in range(int(steps)):
            if bool(x.sum() > 0):
                x = torch.tanh(self.step(x))
            else:
                x = x + float(i) + 0.5
        return x


@case("scripted_loop", lambda: (torch.randn(3, 4), torch.tensor(4)),
      names=("x", "steps"), dynamo=(), ts=(17,),
      more=(lambda: (-torch.ones(3, 4), torch.tensor(3)),))
def scripted_loop():
    return ScriptedLoop()


# ---- operators

@case("shape_ops", lambda: (torch.randn(4, 6), torch.tensor([3, 0, 5])),
      names=("x", "index"),
      outputs=("sliced", "joined", "split", "picked", "gathered", "chosen",
               "scattered", "flipped"), ts=(17, 11, 13))
def shape_ops():
    def shape_ops(x, index):
        a, b, c = torch.split(x, [1, 2, 3], dim=1)
        return (x[1:, ::2], torch.cat((b, a, c), 1),
                torch.stack((x, x * 2), 1).unsqueeze(0).unsqueeze(2).squeeze(0),
                x.index_select(1, index),
                x.gather(1, index.expand(4, 3)),
                torch.where(x > 0, x, x.mean(1, keepdim=True)),
                x.scatter(1, index.expand(4, 3), 7.0),
                x.flip(1).roll(1, 0).transpose(0, 1))
    return Lambda(shape_ops)


@case("reductions", randn(2, 3, 5),
      outputs=("sum", "mean", "max", "min", "prod", "norm", "logsumexp", "std",
               "all", "any"), ts=(17, 11))
def reductions():
    def reductions(x):
        return (x.sum(1), x.mean((0, 2), keepdim=True), x.amax(-1), x.amin(0),
                x.prod(2), x.norm(dim=1), x.logsumexp(1), x.std(2),
                (x > -1).all(1), (x > 1).any(2))
    return Lambda(reductions)


@case("topk_sort", randn(3, 9),
      outputs=("values", "indices", "sorted", "order", "argmax", "argmin",
               "max", "where"), ts=(17, 11))
def topk_sort():
    def topk_sort(x):
        values, indices = x.topk(4, 1)
        ordered, order = x.sort(0, descending=True)
        top, where = x.max(1, keepdim=True)
        return (values, indices, ordered, order, x.argmax(1), x.argmin(0),
                top, where)
    return Lambda(topk_sort)


@case("einsum", lambda: (torch.randn(2, 3, 4), torch.randn(2, 5, 4)),
      names=("x", "z"), outputs=("dots", "outer"))
def einsum():
    return Lambda(lambda x, z: (torch.einsum("bik,bjk->bij", x, z),
                                torch.einsum("bik,bjk->kij", x, z)))


@case("pad_modes", randn(1, 2, 5, 6),
      outputs=("constant", "reflect", "replicate", "circular", "cropped"),
      ts=(17, 9, 11))
def pad_modes():
    return Lambda(lambda x: (F.pad(x, (1, 2, 0, 3), value=0.5),
                             F.pad(x, (2, 1, 3, 0), mode="reflect"),
                             F.pad(x, (1, 3, 2, 2), mode="replicate"),
                             F.pad(x, (1, 2, 2, 1), mode="circular"),
                             F.pad(x, (-1, -2, 1, 0))))


@case("cumsum_triangles", randn(4, 6), outputs=("sum", "lower", "upper"))
def cumsum_triangles():
    return Lambda(lambda x: (x.cumsum(1), x.tril(1), x.triu(-1)))


@case("expand_tile", randn(1, 3, 1),
      outputs=("expanded", "tiled", "interleaved", "broadcast"))
def expand_tile():
    return Lambda(lambda x: (x.expand(2, 3, 4), x.repeat(2, 1, 3),
                             x.repeat_interleave(2, 1),
                             x + torch.arange(5.0)))


@case("bool_masks", lambda: (torch.randn(3, 5), torch.rand(3, 5) > 0.4),
      names=("x", "keep"), outputs=("filled", "both", "counts", "numbers"))
def bool_masks():
    def bool_masks(x, keep):
        small = x.abs() < 1
        both = (small & keep) | (~keep & (x >= 0.5)) ^ (x != x)
        return (x.masked_fill(~keep, -2.5), both, keep.sum(1),
                both.float() * 2 - keep.to(torch.float32))
    return Lambda(bool_masks)


@case("nonzero", lambda: (torch.tensor([[0., 2., 0.], [3., 0., 4.]]),),
      outputs=("places",))
def nonzero():
    return Lambda(torch.nonzero)


@case("integer_maths", lambda: (torch.tensor([[7, -7, 8], [-9, 5, 0]]),
                                torch.tensor([[2, 2, -3], [4, -5, 6]])),
      names=("x", "z"), outputs=("sums", "floor", "trunc", "mod", "less"))
def integer_maths():
    return Lambda(lambda x, z: (x * 3 + z, torch.div(x, z, rounding_mode="floor"),
                                torch.div(x, z, rounding_mode="trunc"),
                                torch.remainder(x, z), x < z))


@case("float_maths", lambda: (torch.rand(3, 7) * 3 + 0.2,),
      outputs=("roots", "exponents", "waves", "rounded", "clipped", "signed"),
      ts=(17, 11))
def float_maths():
    return Lambda(lambda x: (x.sqrt() + x.rsqrt() + x.reciprocal(),
                             x.exp() + x.log() + x.pow(1.7) + 2 ** x,
                             x.sin() + x.cos() + x.atan() + x.tan(),
                             (x * 4).round() + x.floor() - x.ceil(),
                             x.clamp(min=0.7) + x.clamp(0.5, 2.0) + (-x).abs(),
                             x.erf() + torch.sign(x - 1)))


@case("rotary", randn(1, 5, 2, 8), dynamic={"x": {1: "time"}},
      more=(randn(1, 9, 2, 8),))
def rotary():
    class Rotary(nn.Module):
        def forward(self, x):
            rate = 10000.0 ** (-torch.arange(0, 8, 2) / 8)
            angle = torch.arange(x.shape[1])[:, None] * rate
            angle = torch.cat((angle, angle), -1)[:, None, :]
            half = torch.cat((-x[..., 4:], x[..., :4]), -1)
            return x * angle.cos() + half * angle.sin()

    return Rotary()


@case("matmul_broadcast", lambda: (torch.randn(2, 1, 3, 4),
                                   torch.randn(5, 4, 2), torch.randn(4)),
      names=("x", "z", "v"), outputs=("stacked", "vector", "scaled"))
def matmul_broadcast():
    return Lambda(lambda x, z, v: (x @ z, x @ v,
                                   torch.baddbmm(z[:, :2], z[:, :2], z[:, 2:],
                                                 beta=0.5, alpha=2)))


@case("index_put", lambda: (torch.randn(4, 5), torch.tensor([2, 0]),
                            torch.randn(2, 5)),
      names=("x", "rows", "values"), outputs=("replaced", "added", "picked"))
def index_put():
    def index_put(x, rows, values):
        return (x.index_put((rows,), values),
                x.scatter_add(0, rows[:, None].expand(2, 5), values),
                x[rows, rows + 1])
    return Lambda(index_put)


@case("cnn_f16", lambda: (torch.randn(1, 3, 10, 10).half(),))
def cnn_f16():
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(),
                         nn.Conv2d(8, 4, 3), nn.Sigmoid(), nn.Flatten(),
                         nn.LayerNorm(16), nn.Linear(16, 5)).half()


def boxes():
    corner = torch.rand(12, 2) * 8
    return torch.cat((corner, corner + 1 + torch.rand(12, 2) * 5), 1)


@case("nms", lambda: (boxes(), torch.rand(12)), names=("boxes", "scores"),
      outputs=("kept",))
def nms():
    return Lambda(lambda boxes, scores: torchvision.ops.nms(boxes, scores, 0.3))


@case("roi_align", lambda: (torch.randn(1, 2, 14, 14),
                            torch.cat((torch.zeros(12, 1), boxes()), 1)),
      names=("x", "boxes"))
def roi_align():
    return Lambda(lambda x, boxes: torchvision.ops.roi_align(
        x, boxes, (3, 3), 0.8, 2, aligned=True))
