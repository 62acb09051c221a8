"""The nine models of the README's speed table, and a decoder for `--quantized`, exported from PyTorch with seeded random
weights: models.py FOLDER"""

import importlib.util
import os
import sys
import warnings


def unet(torch, channels=16):
    nn = torch.nn

    def block(a, b):
        return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU())

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            sizes = [channels << i for i in range(4)]
            self.down = nn.ModuleList(block(a, b) for a, b in zip([3, *sizes], sizes))
            self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in zip(sizes, sizes[1:]))
            self.join = nn.ModuleList(block(2 * a, a) for a in sizes[:-1])
            self.last = nn.Conv2d(channels, 2, 1)

        def forward(self, x):
            kept = []
            for i, down in enumerate(self.down):
                x = down(torch.nn.functional.max_pool2d(x, 2) if i else x)
                kept.append(x)
            for i in reversed(range(3)):
                x = self.join[i](torch.cat([kept[i], self.up[i](x)], 1))
            return self.last(x)

    return UNet()


def decoder(torch, layers=6, width=512, heads=8, words=8000):
    """Takes tokens, and the keys and values of each layer so far."""
    nn = torch.nn

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
            self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x, keys, values):
            y = self.before(x)
            q, k, v = (f(y).unflatten(2, (heads, -1)).transpose(1, 2) for f in (self.q, self.k, self.v))
            keys, values = torch.cat([keys, k], 2), torch.cat([values, v], 2)
            tokens, all_tokens = q.shape[2], keys.shape[2]
            mask = torch.ones(tokens, all_tokens, dtype=torch.bool).tril(all_tokens - tokens)
            x = x + self.out(nn.functional.scaled_dot_product_attention(q, keys, values, mask).transpose(1, 2).flatten(2))
            return x + self.down(nn.functional.gelu(self.up(self.between(x)))), keys, values

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.norm, self.head = nn.Embedding(words, width), nn.LayerNorm(width), nn.Linear(width, words, bias=False)
            self.layers = nn.ModuleList(Layer() for _ in range(layers))

        def forward(self, tokens, *past):
            x, present = self.words(tokens), []
            for i, layer in enumerate(self.layers):
                x, *both = layer(x, *past[2 * i:2 * i + 2])
                present += both
            return self.head(self.norm(x)), *present

    def inputs(tokens, before):
        past = [torch.randn(1, heads, before, width // heads) for _ in range(2 * layers)]
        return torch.randint(words, (1, tokens)), *past

    return Decoder(), inputs


def networks(torch, torchvision):
    """Name, module, inputs."""
    nn = torch.nn
    picture = torch.randn(1, 3, 224, 224)
    yield "mlp", nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 30), nn.ReLU(), nn.Linear(30, 4)), torch.randn(1, 20)
    for name in ("mobilenet_v3_small", "mobilenet_v2", "efficientnet_b0"):
        yield name, torchvision.models.get_model(name, weights=None), picture
    yield "unet16", unet(torch), torch.randn(1, 3, 256, 256)

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(256, 256, 2, bidirectional=True)

        def forward(self, x):
            return self.lstm(x)[0]

    yield "lstm2bi", Recurrent(), torch.randn(100, 1, 256)
    yield "bert6x384", nn.TransformerEncoder(nn.TransformerEncoderLayer(384, 12, 1536, activation="gelu", batch_first=True), 6, enable_nested_tensor=False), torch.randn(1, 128, 384)
    for name in ("resnet50", "convnext_tiny"):
        yield name, torchvision.models.get_model(name, weights=None), picture
    module, inputs = decoder(torch)
    yield "decoder_step", module, inputs(1, 64)
    yield "decoder_prompt", module, inputs(64, 1)


def to_litert(module, inputs, path):
    import litert_torch
    litert_torch.convert(module, inputs).export(path)


def to_executorch(module, inputs, path):
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower
    program = to_edge_transform_and_lower(torch.export.export(module, inputs), partitioner=[XnnpackPartitioner()]).to_executorch()
    with open(path, "wb") as file:
        file.write(program.buffer)


# Peers that have no way from ONNX, where what converts for them is installed.
CONVERTERS = {".tflite": ("litert_torch", to_litert), ".pte": ("executorch", to_executorch)}


def convert(module, inputs, path):
    for suffix, (package, converter) in CONVERTERS.items():
        if not importlib.util.find_spec(package):
            continue
        file = os.path.splitext(path)[0] + suffix
        try:
            converter(module, inputs, file)
            print(file, flush=True)
        except Exception as error:  # not every model converts
            print(f"{file}: {package} does not convert it: {type(error).__name__}: {str(error).strip().splitlines()[0][:200] if str(error).strip() else ''}", flush=True)


def make(folder):
    import torch
    import torchvision
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    for name, module, x in networks(torch, torchvision):
        path = os.path.join(folder, name, "model.onnx")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        names = {} if isinstance(x, tuple) else {"input_names": ["x"], "output_names": ["y"]}
        torch.onnx.export(module.eval(), x if isinstance(x, tuple) else (x,), path, opset_version=20, dynamo=True, external_data=False, verbose=False, **names)
        print(path, flush=True)
        if not name.startswith("decoder"):
            with torch.random.fork_rng():  # the next modules are the same with and without
                convert(module, x if isinstance(x, tuple) else (x,), path)


if __name__ == "__main__":
    make(sys.argv[1])
