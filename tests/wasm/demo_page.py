"""The demo in Chromium as a person uses it: digits are drawn with the mouse, a picture is classified. 77: there is no Chromium.

    demo_page.py PACKAGE [SCREENSHOTS]
"""
import json
import math
import pathlib
import struct
import sys
import tempfile
import threading
import time
import zlib

here = pathlib.Path(__file__).resolve().parent
package = pathlib.Path(sys.argv[1]).resolve()
shots = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
sys.path[:0] = [str(here.parent / "tools"), str(package / "demo")]
sys.dont_write_bytecode = True

import serve  # noqa: E402  (found through the path above)
from browser import Browser, find  # noqa: E402

fixtures = here.parent / "fixtures"
WIDTH, HEIGHT = 30, 24
COLOUR = (200, 100, 50)

# Polylines in parts of the pad, as people draw them.
DIGITS = {
    "0": [[(0.5 + 0.22 * math.sin(2 * math.pi * i / 24), 0.5 - 0.36 * math.cos(2 * math.pi * i / 24)) for i in range(25)]],
    "1": [[(0.40, 0.30), (0.52, 0.15), (0.52, 0.85)]],
    "4": [[(0.50, 0.12), (0.28, 0.58), (0.74, 0.58)], [(0.60, 0.40), (0.58, 0.88)]],
    "7": [[(0.25, 0.18), (0.74, 0.18), (0.45, 0.86)]],
}


def check(condition, *what):
    if not condition:
        sys.exit(f"demo: {what}")


def wait_for(page, script, seconds=60):
    """The first value of the script that is not false."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = page.evaluate(script)
        if value:
            return value
        time.sleep(0.05)
    sys.exit(f"demo: {script}: not within {seconds} s; the console says {page.messages}")


def text_of(page, name):
    return page.evaluate(f"document.getElementById({json.dumps(name)}).textContent")


def draw(page, strokes):
    page.evaluate("document.getElementById('pad').scrollIntoView({block: 'center', behavior: 'instant'})")
    x, y, width, height = page.evaluate("(() => { const r = document.getElementById('pad').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()")
    for stroke in strokes:
        for i, (a, b) in enumerate(stroke):
            kind = "mouseMoved" if i else "mousePressed"
            page.call("Input.dispatchMouseEvent", type=kind, x=x + a * width, y=y + b * height, button="left", buttons=1, clickCount=1)
        page.call("Input.dispatchMouseEvent", type="mouseReleased", x=x + stroke[-1][0] * width, y=y + stroke[-1][1] * height, button="left", clickCount=1)


def read_digits(page):
    for digit, strokes in DIGITS.items():
        page.click_on("#clear")
        wait_for(page, "document.getElementById('digit').textContent === '–'")
        draw(page, strokes)
        wait_for(page, f"document.getElementById('digit').textContent === '{digit}'", 15)
        check(page.evaluate("document.querySelectorAll('#digit-scores li').length") == 10, "ten scores")
        best = page.evaluate("document.querySelector('#digit-scores li.best .name').textContent")
        check(best == digit, digit, "is drawn, the longest bar is that of", best)
        check("ms" in text_of(page, "digit-time"), text_of(page, "digit-time"))


def choose(page, name, *paths):
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector=f"#{name}")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])


def write_png(path):
    rows = (b"\0" + bytes(COLOUR) * WIDTH) * HEIGHT

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def classify(page, folder):
    picture, names = folder / "picture.png", folder / "names.txt"
    write_png(picture)
    names.write_text("".join(f"name {i}\n" for i in range(1000)))
    model = fixtures / "cnn_dynamic_batch_ts" / "model.onnx"
    choose(page, "model", model)
    wait_for(page, "document.getElementById('model-text').textContent.includes('loaded in')")
    choose(page, "names", names)
    choose(page, "picture", picture)
    shown = wait_for(page, "document.getElementById('picture-time').textContent")
    check("ms" in shown, shown)
    rows = page.evaluate("[...document.querySelectorAll('#picture-scores li')].map((row) => [...row.children].map((part) => part.textContent))")
    # What the page shows is what the model says of the pixels as torchvision's weights want them, made here.
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    pixels = [[(colour / 255 - m) / d] * 144 for colour, m, d in zip(COLOUR, mean, deviation)]
    data = page.evaluate(f"""(async () => {{
        const {{ load }} = await import('../onnxrun.js');
        const model = await load(document.getElementById('model').files[0], {{ threads: 1 }});
        const data = new Float32Array({json.dumps(sum(pixels, []))});
        const results = await model.run({{ [model.inputs[0].name]: {{ data, shape: [1, 3, 12, 12] }} }});
        model.free();
        return [...Object.values(results)[0].data];
    }})()""")
    check(abs(sum(data) - 1) < 1e-5, "the model ends in a softmax", data)
    expected = sorted(((value, f"name {i}") for i, value in enumerate(data)), reverse=True)[:5]
    check([row[0] for row in rows] == [name for _, name in expected], rows, expected)
    check(all(abs(float(row[2].split()[0]) - 100 * value) < 0.11 for row, (value, _) in zip(rows, expected)), rows, expected)
    damaged = folder / "damaged.onnx"
    damaged.write_bytes(model.read_bytes()[:200])
    choose(page, "model", damaged)
    problem = wait_for(page, "document.getElementById('problem').textContent")
    check("(PARSE)" in problem, problem)


def open_demo(browser, port, **view):
    page = browser.open(f"http://localhost:{port}/demo/", **view)
    wait_for(page, "document.getElementById('engine').textContent.includes('ready')")
    width = view.get("width", 1280)
    check(page.evaluate("document.documentElement.scrollWidth") <= width, "wider than its window of", width)
    check(all(request.startswith((f"http://localhost:{port}/", "data:", "blob:")) for request in page.requests), page.requests)
    return page


def with_server(isolated, work):
    server = serve.make(0, isolated)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        work(server.server_address[1])
    finally:
        server.shutdown()


def isolated_page(browser, folder, port):
    page = open_demo(browser, port)
    check(page.evaluate("crossOriginIsolated"), "not isolated")
    cores = page.evaluate("navigator.hardwareConcurrency")
    check(cores == 1 or f"{min(cores, 4)} threads" in text_of(page, "engine"), cores, text_of(page, "engine"))
    read_digits(page)
    classify(page, folder)
    if shots:
        page.screenshot(shots / "demo-picture.png")
    check(not page.messages, "the console says", page.messages)
    for width in (400, 1280):
        for dark in (False, True):
            page = open_demo(browser, port, width=width, dark=dark)
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            check((sum(int(part) for part in colour[4:-1].split(",")) < 150) == dark, colour, dark)
            draw(page, DIGITS["7"])
            wait_for(page, "document.getElementById('digit').textContent === '7'", 15)
            if shots:
                page.screenshot(shots / f"demo-{width}-{'dark' if dark else 'light'}.png")


def plain_page(browser, folder, port):
    page = open_demo(browser, port)
    check(not page.evaluate("crossOriginIsolated"), "isolated")
    check("one thread" in text_of(page, "engine"), text_of(page, "engine"))
    check(not any("threads.wasm" in request for request in page.requests), "both builds are loaded")
    read_digits(page)
    classify(page, folder)
    check(not page.messages, "the console says", page.messages)


def main():
    program = find()
    if not program:
        return 77
    with Browser(program) as browser, tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with_server(True, lambda port: isolated_page(browser, folder, port))
        with_server(False, lambda port: plain_page(browser, folder, port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
