"""Opens the pages of FOLDER in Chromium as a person does, and compares what they show with what bench tells. 77: there is no Chromium.

    report_page.py FOLDER MODEL     MODEL: of conv_bn_relu_dynamo.html
"""
import json
import pathlib
import re
import sys

from browser import Browser, find

folder = pathlib.Path(sys.argv[1])
program = find()
if not program:
    sys.exit(77)


def data_of(name):
    text = (folder / f"{name}.html").read_text()
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def check(name, condition, *what):
    if not condition:
        sys.exit(f"{name}: {what}")


def open_page(browser, name, **view):
    page = browser.open((folder / f"{name}.html").as_uri(), **view)
    check(name, not page.messages, "the console says", page.messages)
    check(name, len(page.requests) == 1, "it loads", page.requests)
    width = view.get("width", 1280)
    check(name, page.evaluate("document.documentElement.scrollWidth") <= width, "wider than its window of", width)
    return page


def details(page):
    return dict(page.evaluate("[...document.querySelectorAll('#details dt')].map((dt) => [dt.textContent, dt.nextSibling.textContent])"))


def shown_time(ms):
    """As page.js writes it: three digits and a unit."""
    for unit, size in (("s", 1e3), ("ms", 1), ("µs", 1e-3), ("ns", 1e-6)):
        if ms >= size * 0.9995 or unit == "ns":
            return f"{float(f'{ms / size:.3g}'):g} {unit}" if ms else "0"
    return ""


def same_numbers(browser, name):
    data, bench = data_of(name), json.loads((folder / f"{name}.json").read_text())
    page = open_page(browser, name)
    # What does not change from run to run is what bench tells of the same model.
    constant = ("node", "layer", "kernel", "operator", "name", "module", "source", "output", "calls", "multiply_adds")
    told, page_nodes = ([{key: row[key] for key in constant} for row in sorted(rows, key=lambda r: r["node"])] for rows in (bench["profile"], data["nodes"]))
    check(name, told == page_nodes, "nodes differ from those of bench")
    check(name, data["memory"]["arena_bytes"] == bench["arena_bytes"], "arena")
    # Every row of the table says what the JSON says.
    page.evaluate("document.getElementById('more-rows').click()")
    rows = page.evaluate("""[...document.querySelectorAll('#table tbody tr')].map((row) => [Number(row.dataset.node),
        row.querySelector('td.time').textContent, [...row.cells].map((c) => c.textContent)])""")
    check(name, {row[0] for row in rows} == {n["node"] for n in data["nodes"]}, "rows", len(rows))
    times = {n["node"]: n["median_ms"] for n in data["nodes"]}
    for number, text, cells in rows:
        check(name, text.replace(",", "") == shown_time(times[number]), "node", number, text, times[number])
    check(name, [times[row[0]] for row in rows] == sorted(times.values(), reverse=True), "the slowest come first")
    # A number that stands in two places is the same there.
    tiles = page.evaluate("[...document.querySelectorAll('#tiles .tile')].map((t) => [t.children[0].textContent, t.children[1].textContent])")
    said = details(page)
    counted = next(value for value, text in tiles if text.startswith("nodes in the file"))
    check(name, counted == f"{data['model']['nodes_in_file']} → {len(data['nodes'])}" and said["nodes"] == str(len(data["nodes"])), tiles, said)
    (total,) = {data["model"]["parameters"], sum(module["parameters"] for module in data["module_kinds"])}
    check(name, said.get("parameters", "0") == f"{total:,}" and any(text.startswith("parameters") for value, text in tiles), tiles, said, total)
    # A node is clicked, and its details are shown.
    leaf = next(n for n in data["nodes"] if page.evaluate(f"Boolean(document.getElementById('box-n{n['node']}'))"))
    page.click_on(f"#box-n{leaf['node']}")
    found = details(page)
    check(name, found["node"] == str(leaf["node"]) and found["operator"] == leaf["operator"] and found["output"] == leaf["output"], found)
    check(name, found["time"].replace(",", "").startswith(shown_time(leaf["median_ms"])), found["time"], leaf["median_ms"])
    check(name, page.evaluate("document.querySelectorAll('.box.chosen').length") == 1, "one box is chosen")
    # No two boxes say the same.
    texts = page.evaluate("[...document.querySelectorAll('.box.leaf, .box.group')].map((b) => [...b.querySelectorAll('text')].map((t) => t.textContent).join(', '))")
    check(name, len(set(texts)) == len(texts), "boxes of one text", sorted(t for t in texts if texts.count(t) > 1))
    # What is above the roof is explained, and nothing else is.
    machine = data["machine"]
    points = [(2 * n["multiply_adds"] / n["bytes"], 2 * n["multiply_adds"] / n["median_ms"] / 1e6) for n in data["nodes"]
              if n["multiply_adds"] and n["median_ms"] and n["bytes"]]
    hint = page.evaluate("[...document.querySelectorAll('#roofline .hint')].map((p) => p.textContent).join()").lower() if points else ""
    check(name, ("above the peak" in hint) == any(y > machine["peak_gflops"] for _, y in points), hint)
    slope = any(x * machine["peak_gbytes"] < y <= machine["peak_gflops"] for x, y in points)
    check(name, ("above the slope" in hint) == slope, hint, points)
    # A header is clicked, and rows are in another order.
    page.evaluate("[...document.querySelectorAll('#table th button')].find((b) => b.textContent === 'layer').click()")
    layers = page.evaluate("[...document.querySelectorAll('#table tbody tr')].map((row) => row.cells[1].textContent)")
    check(name, layers == sorted(layers), "not sorted by layer")
    # The peak of the memory plan is that of its blocks.
    if data["memory"]["blocks"]:
        sums = [0] * data["memory"]["steps"]
        for _, _, size, first, last in data["memory"]["blocks"]:
            for step in range(first, min(last, len(sums) - 1) + 1):
                sums[step] += size
        text = page.evaluate("document.getElementById('peak-text').textContent")
        value, unit = re.match(r"peak: (\S+) (\w+)", text).groups()
        scale = {"bytes": 1, "KiB": 1024, "MiB": 1 << 20}[unit]
        check(name, abs(float(value.replace(",", "")) * scale / max(sums) - 1) < 0.01, text, max(sums))
        check(name, max(sums) <= data["memory"]["arena_bytes"], "more than the arena")
        for a in data["memory"]["blocks"]:
            for b in data["memory"]["blocks"]:
                apart = a is b or a[1] + a[2] <= b[1] or b[1] + b[2] <= a[1] or a[4] < b[3] or b[4] < a[3]
                check(name, apart, "two values at one place and time", a, b)
    check(name, not page.messages, "the console says", page.messages)
    return page


with Browser(program) as browser:
    page = same_numbers(browser, "conv_bn_relu_dynamo")
    conv = next(n for n in data_of("conv_bn_relu_dynamo")["nodes"] if n["layer"] == "conv")
    operators = [f["operator"] for f in conv["from"]]
    check("conv_bn_relu_dynamo", "Conv" in operators and "Relu" in operators, "what was fused", operators)
    weights = data_of("conv_bn_relu_dynamo")["weights"]
    check("conv_bn_relu_dynamo", any(w["name"] == "0.weight" and sum(w["bins"]) == w["elements"] for w in weights), "weights", weights)
    for name in ("scripted_loop_ts", "transformer_encoder_layer_dynamo", "conv_bn_relu_ts"):
        same_numbers(browser, name)

    # Thousands of nodes open in groups, and a search finds one of them.
    for name in ("deep", "flat"):
        page = open_page(browser, name)
        boxes = page.evaluate("document.querySelectorAll('.box').length")
        check(name, 3 <= boxes <= 80, boxes, "boxes")
        last = max(data_of(name)["nodes"], key=lambda n: n["node"])
        page.evaluate(f"document.getElementById('find').value = {json.dumps(last['module'] or last['layer'])}; document.getElementById('find').dispatchEvent(new Event('input'))")
        page.evaluate("document.querySelector('#found button').click()")
        check(name, details(page).get("operator"), "nothing was found")
        page.evaluate("document.getElementById('close-all').click()")
        check(name, 1 <= page.evaluate("document.querySelectorAll('.box').length") <= 80, "closed")
        check(name, not page.messages, page.messages)

    for view in ({"width": 1280}, {"width": 400}, {"width": 400, "dark": True}):
        for name in ("evil", "conv_bn_relu_dynamo"):
            page = open_page(browser, name, **view)
            check(name, page.evaluate("window.evil") is None, "markup of a model ran")
            back = page.evaluate("getComputedStyle(document.body).backgroundColor")
            check(name, (sum(map(int, re.findall(r"\d+", back)[:3])) < 150) == view.get("dark", False), view, back)
    page = open_page(browser, "many")
    said = page.evaluate("document.getElementById('subtitle').textContent")
    check("many", "past3 float32[2,3] (random) and 56 others → y float32[2,3]" in said and "past4" not in said, said)
    page = open_page(browser, "evil")
    node = data_of("evil")["nodes"][0]
    page.click_on(f"#box-n{node['node']}")
    check("evil", details(page)["name"] == node["name"] and "<script>" in node["name"], details(page))
    check("evil", page.evaluate("window.evil") is None, "markup of a model ran")
