"""Inputs that look real: a voice, a chord, rendered text, small graphs."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Formant frequencies (Hz) of vowels, in the order in which they are spoken.
VOWELS = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240),
          (530, 1840, 2480), (570, 840, 2410)]


def _resonator(signal, frequency, bandwidth, rate):
    """A second-order filter: one formant of the vocal tract."""
    radius = np.exp(-np.pi * bandwidth / rate)
    a1 = 2 * radius * np.cos(2 * np.pi * frequency / rate)
    a2 = -radius * radius
    out = np.zeros_like(signal)
    y1 = y2 = 0.0
    for i, x in enumerate(signal):
        y = (1 - radius) * x + a1 * y1 + a2 * y2
        out[i], y1, y2 = y, y, y1
    return out


def speech(seconds, rate, seed=0):
    """Vowels of a falling pitch with hisses and pauses between them.

    Starts and ends in (almost) silence, so that a voice detector has both
    answers to give.
    """
    random = np.random.default_rng(seed)
    total = int(seconds * rate)
    pitch = 140 * (1 - 0.25 * np.arange(total) / total)
    pitch *= 1 + 0.03 * np.sin(2 * np.pi * 4 * np.arange(total) / rate)
    phase = np.cumsum(pitch / rate)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    voice = np.zeros(total)
    syllable = int(0.16 * rate)
    for i, start in enumerate(range(0, total, syllable)):
        part = slice(start, min(start + syllable, total))
        sound = pulses[part] + 0.002 * random.standard_normal(
            len(pulses[part]))
        filtered = sum(gain * _resonator(sound, f, 80 + 40 * k, rate)
                       for k, (f, gain) in enumerate(
                           zip(VOWELS[i % 5], (1.0, 0.6, 0.3)))
                       if f < rate / 2)
        hiss = np.diff(random.standard_normal(len(sound)), prepend=0.0)
        envelope = np.sin(np.pi * np.arange(len(sound)) / len(sound)) ** 0.5
        voice[part] = filtered * envelope + 0.004 * hiss * (i % 3 == 1)
    quiet = int(0.12 * total)
    voice[:quiet] = voice[total - quiet:] = 0
    voice = 0.3 * voice / np.abs(voice).max()
    return (voice + 1e-4 * random.standard_normal(total)).astype(np.float32)


def chord(samples, rate, notes):
    """Plucked notes (Hz) with overtones that fade."""
    time = np.arange(samples) / rate
    sound = sum(np.sin(2 * np.pi * note * k * time) * np.exp(-(1 + k) * time) / k
                for note in notes for k in range(1, 6))
    return (0.4 * sound / np.abs(sound).max()).astype(np.float32)


def text_picture(text, height, size, margin=8):
    """Black text on white as grey levels, [height, width] uint8."""
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = font.getbbox(text)
    width = int(right - left) + 2 * margin
    picture = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(picture)
    draw.text((margin - left, (height - (bottom - top)) / 2 - top), text,
              font=font, fill=0)
    return np.asarray(picture)


def text_page(lines, width, height, size=22):
    """Several lines of text, [height, width] uint8."""
    picture = Image.new("L", (width, height), 245)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=size)
    for i, line in enumerate(lines):
        draw.text((24 + 12 * i, 24 + 2.4 * size * i), line, font=font, fill=20)
    return np.asarray(picture)


def as_rgb(picture):
    """Grey levels to [1, 3, H, W] float32 in -1..1."""
    scaled = picture.astype(np.float32) / 127.5 - 1
    return np.repeat(scaled[None, None], 3, axis=1)


def ring(atoms, tail, seed):
    """A ring with a chain on it: node and edge features of a small graph."""
    random = np.random.default_rng(seed)
    bonds = [(i, (i + 1) % atoms) for i in range(atoms)]
    bonds += [(atoms + i - 1, atoms + i) for i in range(1, tail)]
    if tail:
        bonds.append((0, atoms))
    nodes = atoms + tail
    adjacency = np.zeros((nodes, nodes))
    for a, b in bonds:
        adjacency[a, b] = adjacency[b, a] = 1
    degree = adjacency.sum(1)
    values, vectors = np.linalg.eigh(np.diag(degree) - adjacency)
    walk = adjacency / degree[:, None]
    power, returns = np.eye(nodes), []
    for _ in range(16):
        power = power @ walk
        returns.append(np.diag(power))
    kinds = random.integers(0, 4, nodes)
    features = np.zeros((nodes, 85))
    features[np.arange(nodes), kinds * 9] = 1
    features[:, -5] = degree / 4
    features[:atoms, -1] = 1
    edges = np.array(bonds + [(b, a) for a, b in bonds]).T
    kinds = np.tile(random.integers(0, 4, len(bonds)), 2)
    edge_features = np.zeros((edges.shape[1], 13))
    edge_features[np.arange(edges.shape[1]), kinds] = 1
    first = min(8, nodes)
    padded = np.zeros((nodes, 8))
    padded[:, :first] = vectors[:, :first]
    eigenvalues = np.zeros(8)
    eigenvalues[:first] = values[:first]
    return {"feat": features, "edge_feat": edge_features, "edge_index": edges,
            "laplacian_eigvec": padded,
            "laplacian_eigval": np.tile(eigenvalues, (nodes, 1)),
            "rw_return_probs": np.array(returns).T}


def batch_of_graphs(graphs):
    """Several graphs as one that is not connected."""
    offsets = np.cumsum([0] + [len(g["feat"]) for g in graphs])
    joined = {}
    for key in graphs[0]:
        if key == "edge_index":
            joined[key] = np.concatenate(
                [g[key] + o for g, o in zip(graphs, offsets)], 1)
        else:
            joined[key] = np.concatenate(
                [g[key] for g in graphs]).astype(np.float32)
    joined["edge_index"] = joined["edge_index"].astype(np.int64)
    joined["batch"] = np.concatenate(
        [np.full(len(g["feat"]), i) for i, g in enumerate(graphs)]
    ).astype(np.int64)
    joined["graph_slots"] = np.zeros(len(graphs), np.float32)
    return joined
