"use strict";
/* Everything that comes from a model reaches the page as text, never as markup. */
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
  return element;
}

/* --- numbers --- */

const digits = (x, n = 3) => Number(x.toPrecision(n)).toLocaleString("en", {maximumFractionDigits: 6});

function time(ms) {
  if (!ms) return "0";
  for (const [unit, size] of [["s", 1e3], ["ms", 1], ["µs", 1e-3]]) if (ms >= size * 0.9995) return `${digits(ms / size)} ${unit}`;
  return `${digits(ms * 1e6)} ns`;
}

function bytes(count) {
  if (!count) return "0";
  let u = 0;
  for (; count >= 1023.5 && u < 4; u++) count /= 1024;
  return `${digits(count)} ${["bytes", "KiB", "MiB", "GiB", "TiB"][u]}`;
}

function short(count) {
  let u = 0;
  for (; count >= 999.5 && u < 4; u++) count /= 1000;
  return `${digits(count)}${["", " k", " M", " G", " T"][u]}`;
}

/* At most `count` round numbers of bytes up to `most`. */
function byteTicks(most, count) {
  return d3.range(0, most * 1.0001, 2 ** Math.max(0, Math.ceil(Math.log2(most / count))));
}

/* Of a long list the first few, and how many others there are. */
const few = (words) => (words.length > 6 ? `${words.slice(0, 4).join(", ")} and ${words.length - 4} others` : words.join(", "));
const percent = (share) => (share >= 0.1 ? `${(share * 100).toFixed(0)} %` : share >= 0.0005 ? `${(share * 100).toFixed(1)} %` : share > 0 ? "< 0.1 %" : "0 %");
const gflops = (x) => (x.median_ms > 0 ? 2 * x.multiply_adds / x.median_ms / 1e6 : 0);
const gbytes = (x) => (x.median_ms > 0 ? x.bytes / x.median_ms / 1e6 : 0);
const peak = {gflops: data.machine.peak_gflops, gbytes: data.machine.peak_gbytes};

/* --- nodes and values --- */

const nodes = data.nodes, nodeByNumber = new Map(nodes.map((n) => [n.node, n]));
const valueByNumber = new Map(data.values.map((v) => [v.value, v]));
const writer = new Map(), readers = new Map();
function listIn(map, key) {
  if (!map.has(key)) map.set(key, []);
  return map.get(key);
}
for (const n of nodes) {
  for (const v of n.out) if (v !== null) writer.set(v, n);
  for (const v of n.in) if (v !== null) listIn(readers, v).push(n);
}
const kindOfModule = new Map(data.module_kinds.map((m) => [m.path, m.kind]));
/* PyTorch's count, of a module with all in it, as of the model: what constants nodes read is another number, as rewrites fold and share them. */
const parametersOf = (path) => d3.sum(data.module_kinds.filter((m) => !path || m.path === path || m.path.startsWith(`${path}.`)), (m) => m.parameters);
const elements = (count) => (count ? count.toLocaleString("en") : "");
const place = (n) => n.module || n.name || `node ${n.node}`;
const inMain = nodes.filter((n) => n.parent === undefined);

/* The layers that take the most time have a colour; the others share one. */
const palette = ["#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#76b7b2", "#c9a227", "#ff7f9d", "#9c755f"];
const colours = new Map(data.layers.slice(0, palette.length).map((g, i) => [g.name, palette[i]]));
const colour = (layer) => colours.get(layer) || "#8a93a3";

/* --- a tip beside the mouse --- */

const tip = make("div", {id: "tip", hidden: true});
document.body.append(tip);
function tell(event, text) {
  tip.textContent = text;
  tip.hidden = !text;
  if (!text) return;
  const {clientX: x, clientY: y} = event;
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - tip.offsetWidth - 6))}px`;
  tip.style.top = `${y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 8 : y + 18}px`;
}
const describe = (n) => `${n.layer} (${n.kernel})\n${place(n)}\n${n.output}\n${time(n.median_ms)}, ${percent(n.share)}` +
  (n.calls > 1 ? `, ${n.calls} calls` : "");
function tipped(selection, text) {
  return selection.on("mousemove", (d) => tell(d3.event, text(d))).on("mouseleave", () => tell(null, ""));
}

/* --- head --- */

function head() {
  const m = data.model, total = d3.sum(inMain, (n) => n.multiply_adds) + d3.sum(nodes.filter((n) => n.parent !== undefined), (n) => n.multiply_adds);
  const rate = data.times.median_ms > 0 ? 2 * total / data.times.median_ms / 1e6 : 0;
  document.title = `${m.file} - onnxrun report`;
  $("title").textContent = m.file;
  $("subtitle").textContent = [m.graph && `graph ${m.graph}`, m.producer && `made by ${m.producer} ${m.producer_version}`, `opset ${m.opset}`,
    few(data.inputs.map((x) => `${x.name} ${x.type}${x.random ? " (random)" : ""}`)) + " → " + few(data.outputs.map((y) => `${y.name} ${y.type}`))]
    .filter(Boolean).join(" · ");
  const tile = (value, text) => make("div", {className: "tile"}, make("b", {textContent: value}), make("span", {textContent: text}));
  $("tiles").append(
    tile(time(data.times.median_ms), `a run: median of ${data.times.runs.toLocaleString("en")}; fastest ${time(data.times.min_ms)}, first ${time(data.times.first_ms)}`),
    tile(time(data.times.load_ms), "to load"),
    tile(short(parametersOf("")), `parameters, ${bytes(m.weight_bytes)} in memory`),
    tile(bytes(data.memory.arena_bytes), "for what is computed (the arena)"),
    tile(`${m.nodes_in_file} → ${nodes.length}`, `nodes in the file, and as they are run${inMain.length < nodes.length ? `, ${nodes.length - inMain.length} of them in bodies` : ""}`),
    tile(`${digits(rate)} GFLOP/s`, `over a whole run${peak.gflops ? `: ${percent(rate / peak.gflops)} of the peak` : ""}`),
    tile(`${digits(peak.gflops)} GFLOP/s`, `measured peak of ${data.machine.threads} thread${data.machine.threads > 1 ? "s" : ""}; reads ${digits(peak.gbytes)} GB/s from memory`));
  $("about-text").textContent = `Written by ${data.machine.version}` +
    `${data.machine.processor ? ` on ${data.machine.processor}` : ""}. Times are medians of ${data.profile_runs} runs; a node's time is its own, without that of its bodies.`;
  $("legend").append(...[...colours].map(([layer, c]) => {
    const item = make("span", {}, make("i"), layer);
    item.firstChild.style.background = c;
    return item;
  }));
}

/* --- the tree of modules: groups of groups and of nodes --- */

const MOST_CHILDREN = 36, FIRST_BOXES = 40;
let groupCount = 0;

function group(label, path, parent) {
  return {id: `g${groupCount++}`, label, path, parent, children: [], open: false};
}

const isGroup = (box) => box.children !== undefined;

/* Thousands side by side are put into groups by their order. */
function cut(g) {
  for (const child of g.children) if (isGroup(child)) cut(child);
  if (g.children.length <= MOST_CHILDREN) return;
  const size = Math.max(12, Math.ceil(g.children.length / 24)), children = g.children;
  g.children = [];
  for (let i = 0; i < children.length; i += size) {
    const part = children.slice(i, i + size);
    if (part.length === 1) { g.children.push(part[0]); continue; }
    const sub = group(`${i + 1} to ${i + part.length} of ${children.length}`, g.path, g);
    sub.isPart = true;
    sub.children = part;
    for (const child of part) child.parent = sub;
    cut(sub);
    g.children.push(sub);
  }
}

/* A group of one is no group. */
function simplify(g) {
  g.children = g.children.map((child) => {
    if (!isGroup(child)) return child;
    simplify(child);
    if (child.children.length !== 1 || child.isBody) return child;
    const only = child.children[0];
    only.parent = g;
    if (isGroup(only)) only.label = `${child.label}.${only.label}`;
    return only;
  });
}

function sumUp(g) {
  g.all = g.children.flatMap((child) => (isGroup(child) ? sumUp(child) : [child.node]));
  g.share = d3.sum(g.all, (n) => n.share);
  g.median_ms = d3.sum(g.all, (n) => n.median_ms);
  g.multiply_adds = d3.sum(g.all, (n) => n.multiply_adds);
  g.constants = d3.sum(g.all, (n) => n.parameters);
  return g.all;
}

const boxOfNode = new Map();

/* Groups for the modules of these nodes, below g. */
function grow(g, list, bodies) {
  const byPath = new Map([["", g]]);
  const open = (path) => {
    if (byPath.has(path)) return byPath.get(path);
    const dot = path.lastIndexOf("."), outer = open(dot < 0 ? "" : path.slice(0, dot));
    const made = group(path.slice(dot + 1), path, outer);
    outer.children.push(made);
    byPath.set(path, made);
    return made;
  };
  for (const n of list) {
    let to = open(n.module);
    const box = {id: `n${n.node}`, node: n, parent: to};
    boxOfNode.set(n.node, box);
    const body = bodies.get(n.node);
    if (body) {
      const frame = group(`${n.layer} ${n.name}`, n.module, to);
      frame.isBody = true;
      to.children.push(frame);
      box.parent = to = frame;
      to.children.push(box);
      grow(to, body, bodies);
    } else {
      to.children.push(box);
    }
  }
}

function makeTree() {
  const bodies = new Map();
  for (const n of nodes) if (n.parent !== undefined) listIn(bodies, n.parent).push(n);
  const root = group("", "", null);
  grow(root, inMain, bodies);
  simplify(root);
  cut(root);
  sumUp(root);
  root.open = true;
  return root;
}

const root = makeTree();

/* Opens what is outermost first, while there is room. */
function openSome() {
  let count = root.children.length;
  const queue = root.children.filter(isGroup);
  while (queue.length) {
    const g = queue.shift();
    if (count + g.children.length - 1 > FIRST_BOXES) continue;
    g.open = true;
    count += g.children.length - 1;
    queue.push(...g.children.filter(isGroup));
  }
}

function closeAll(g) {
  for (const child of g.children) if (isGroup(child)) { child.open = false; closeAll(child); }
}

/* --- the picture of the graph --- */

const pen = make("canvas").getContext("2d");
pen.font = "12px system-ui, sans-serif";
const cutText = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const widthOf = (...lines) => Math.max(64, ...lines.map((line) => pen.measureText(line).width)) + 26;

/* What stands in a box; of twins, which would say the same, the number or the path, too. */
let twins = new Set();
function findTwins(boxes) {
  const seen = new Map();
  twins = new Set();
  for (const box of boxes) listIn(seen, linesOf(box).join("\n")).push(box);
  for (const same of seen.values()) if (same.length > 1) same.forEach((box) => twins.add(box));
}

function linesOf(box) {
  const isTwin = twins.has(box);
  if (box.value) return [cutText(box.value.name, 32), box.value.type || ""];
  if (isGroup(box)) {
    const kind = box.isPart ? "" : kindOfModule.get(box.path) || "";
    return [`+ ${cutText(isTwin && !box.isPart ? box.path : box.label, 30)}${kind && !box.isBody ? `: ${cutText(kind, 24)}` : ""}`, `${box.all.length} nodes, ${time(box.median_ms)}`];
  }
  const n = box.node, leaf = n.module.split(".").pop();
  return [`${n.layer}${leaf ? ` · ${cutText(leaf, 22)}` : ""}${isTwin ? ` #${n.node}` : ""}`, cutText(n.output, 34)];
}

/* The box that shows a node now: itself, or the closed group around it. */
function shownBox(n) {
  let box = boxOfNode.get(n.node), shown = box;
  for (let g = box.parent; g; g = g.parent) if (!g.open) shown = g;
  return shown;
}

function visible(g, boxes = [], frames = []) {
  for (const child of g.children) {
    if (!isGroup(child) || !child.open) { boxes.push(child); continue; }
    frames.push(child);
    visible(child, boxes, frames);
  }
  return {boxes, frames};
}

/* Boxes for what comes from the caller and goes to it. */
function ends() {
  const list = [], outputs = new Map(data.outputs.map((y) => [y.name, y]));
  for (const v of data.values) {
    if (v.storage === "caller" && !writer.has(v.value) && (readers.get(v.value) || []).some((n) => n.parent === undefined))
      list.push({id: `i${v.value}`, value: v, to: v.value});
    const y = outputs.get(v.name), n = writer.get(v.value);
    if (y && n && n.parent === undefined) list.push({id: `o${v.value}`, value: {name: y.name, type: y.type}, from: v.value});
  }
  return list.length > 60 ? [] : list;
}
const endBoxes = ends();

function edgesOf(boxes) {
  const shown = new Set(boxes.map((b) => b.id)), edges = new Map();
  const add = (from, to, v) => {
    if (from === to || !shown.has(from) || !shown.has(to)) return;
    const key = `${from} ${to}`, edge = edges.get(key) || {from, to, values: new Set()};
    edge.values.add(v);
    edges.set(key, edge);
  };
  for (const n of nodes)
    for (const v of n.in) if (v !== null && writer.has(v)) add(shownBox(writer.get(v)).id, shownBox(n).id, v);
  for (const box of endBoxes) {
    if (box.to !== undefined) for (const n of readers.get(box.to)) add(box.id, shownBox(n).id, box.to);
    if (box.from !== undefined) add(shownBox(writer.get(box.from)).id, box.id, box.from);
  }
  return [...edges.values()];
}

function layout(boxes, frames, edges, compound) {
  const g = new dagre.graphlib.Graph({compound});
  g.setGraph({rankdir: "TB", nodesep: 16, ranksep: 34, marginx: 12, marginy: 12});
  g.setDefaultEdgeLabel(() => ({}));
  for (const box of boxes) g.setNode(box.id, {width: box.width = widthOf(...linesOf(box)), height: box.height = 42});
  const framed = new Set(frames.map((f) => f.id));
  if (compound) {
    for (const f of frames) g.setNode(f.id, {});
    for (const box of [...boxes, ...frames]) if (box.parent && framed.has(box.parent.id)) g.setParent(box.id, box.parent.id);
  }
  for (const e of edges) g.setEdge(e.from, e.to);
  dagre.layout(g);
  return g;
}

const svg = d3.select("#graph-svg"), canvas = svg.append("g");
svg.append("defs").append("marker").attr("id", "arrow").attr("viewBox", "0 0 8 8").attr("refX", 7).attr("refY", 4)
  .attr("markerUnits", "userSpaceOnUse").attr("markerWidth", 8).attr("markerHeight", 8).attr("orient", "auto").append("path").attr("d", "M0,0L8,4L0,8z");
const zoom = d3.zoom().scaleExtent([0.02, 4])
  .filter(() => !d3.event.button && (d3.event.type !== "wheel" || d3.event.ctrlKey || document.activeElement === $("graph-svg")))
  .on("zoom", () => canvas.attr("transform", d3.event.transform));
svg.call(zoom).on("dblclick.zoom", null).attr("tabindex", -1);
let picture = {width: 1, height: 1}, chosen = null, where = new Map();

/* Around all that is in it, with room for its title. */
function framesAround(g, graph, all = new Map()) {
  const box = {x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity};
  for (const child of g.children) {
    const p = isGroup(child) && child.open ? framesAround(child, graph, all).get(child.id) : graph.node(child.id);
    const edges = p.x0 === undefined ? {x0: p.x - p.width / 2, y0: p.y - p.height / 2, x1: p.x + p.width / 2, y1: p.y + p.height / 2} : p;
    box.x0 = Math.min(box.x0, edges.x0 - 9);
    box.x1 = Math.max(box.x1, edges.x1 + 9);
    box.y0 = Math.min(box.y0, edges.y0 - 23);
    box.y1 = Math.max(box.y1, edges.y1 + 9);
  }
  return all.set(g.id, box);
}

function draw() {
  const {boxes, frames} = visible(root);
  boxes.push(...endBoxes);
  findTwins(boxes);
  const edges = edgesOf(boxes);
  let g, placed = frames;
  try {
    g = layout(boxes, frames, edges, frames.length > 0);
  } catch (error) {
    g = layout(boxes, placed = [], edges, false);
  }
  picture = g.graph();
  where = new Map(boxes.map((b) => [b.id, g.node(b.id)]));
  canvas.selectAll("*").remove();
  const around = framesAround(root, g);
  const frame = canvas.selectAll("g.frame").data(placed).enter().append("g").attr("class", "frame")
    .attr("transform", (f) => `translate(${around.get(f.id).x0},${around.get(f.id).y0})`);
  frame.append("rect").attr("rx", 8).attr("width", (f) => around.get(f.id).x1 - around.get(f.id).x0).attr("height", (f) => around.get(f.id).y1 - around.get(f.id).y0);
  frame.append("text").attr("x", 8).attr("y", 15).attr("tabindex", 0).attr("role", "button")
    .text((f) => `− ${cutText(f.label, Math.max(8, Math.floor((around.get(f.id).x1 - around.get(f.id).x0) / 8)))}`)
    .on("click", (f) => { f.open = false; draw(); choose(f); }).on("keydown", (f) => pressed(() => { f.open = false; draw(); choose(f); }));
  const line = d3.line().x((p) => p.x).y((p) => p.y).curve(d3.curveBasis);
  tipped(canvas.selectAll("path.edge").data(edges).enter().append("path").attr("class", "edge").attr("marker-end", "url(#arrow)")
    .attr("d", (e) => line(g.edge(e.from, e.to).points)),
    (e) => [...e.values].slice(0, 6).map((v) => `${valueByNumber.get(v).name || "(made by a rewrite)"} ${valueByNumber.get(v).type}`).join("\n") + (e.values.size > 6 ? "\n…" : ""));
  drawBoxes(canvas.selectAll("g.box").data(boxes, (b) => b.id).enter(), g);
  mark();
}

function pressed(action) {
  if (d3.event.key !== "Enter" && d3.event.key !== " ") return;
  d3.event.preventDefault();
  action();
}

function drawBoxes(enter, g) {
  const most = d3.max(nodes, (n) => n.share) || 1;
  const act = (b) => (b.value ? null : isGroup(b) ? (b.open = true, draw(), choose(b)) : choose(b));
  const box = enter.append("g")
    .attr("class", (b) => `box ${b.value ? "value" : isGroup(b) ? "group" : "leaf"}`)
    .attr("id", (b) => `box-${b.id}`)
    .attr("tabindex", (b) => (b.value ? null : 0)).attr("role", (b) => (b.value ? null : "button"))
    .attr("transform", (b) => { const p = g.node(b.id); return `translate(${p.x - p.width / 2},${p.y - p.height / 2})`; })
    .on("click", act).on("keydown", (b) => pressed(() => act(b)));
  box.append("rect").attr("class", "body").attr("rx", 6).attr("width", (b) => b.width).attr("height", (b) => b.height);
  box.filter((b) => b.node).append("rect").attr("rx", 2).attr("x", 4).attr("y", 6).attr("width", 4).attr("height", 30)
    .attr("fill", (b) => colour(b.node.layer));
  box.filter((b) => !b.value).append("rect").attr("x", 13).attr("y", 36).attr("height", 3).attr("rx", 1)
    .attr("width", (b) => Math.max(0, (b.width - 22) * Math.min(1, (b.node || b).share / (isGroup(b) ? 1 : most))))
    .attr("fill", (b) => (b.node ? colour(b.node.layer) : "var(--accent)"));
  box.append("text").attr("x", 13).attr("y", 17).text((b) => linesOf(b)[0]);
  box.append("text").attr("class", "soft").attr("x", 13).attr("y", 31).text((b) => linesOf(b)[1]);
  tipped(box, (b) => (b.value ? `${b.value.name}\n${b.value.type}` : isGroup(b)
    ? `${b.path || b.label}\n${b.all.length} nodes, ${time(b.median_ms)}, ${percent(b.share)}` : describe(b.node)));
}

/* As large as can be read, from the top; or all of it. */
function fit(all) {
  const {width, height} = $("graph-svg").getBoundingClientRect();
  const whole = Math.min(width / picture.width, height / picture.height);
  const scale = Math.min(1, all ? whole : Math.max(whole, Math.min(width / picture.width, 0.9), width < 600 ? 0.6 : 0.7));
  svg.call(zoom.transform, d3.zoomIdentity.translate(Math.max((width - picture.width * scale) / 2, Math.min(0, width / 2 - topX() * scale)), 4).scale(scale));
}

function topX() {
  const first = d3.min([...where.values()], (p) => p.y);
  return d3.mean([...where.values()].filter((p) => p.y < first + 1), (p) => p.x);
}

function centre(box) {
  const p = where.get(box.id);
  if (!p) return;
  const {width, height} = $("graph-svg").getBoundingClientRect(), k = Math.max(0.6, Math.min(1, d3.zoomTransform(svg.node()).k));
  svg.transition().duration(250).call(zoom.transform, d3.zoomIdentity.translate(width / 2 - p.x * k, height / 2 - p.y * k).scale(k));
}

function mark() {
  const id = chosen && chosen.id;
  canvas.selectAll("g.box").classed("chosen", (b) => b.id === id);
  canvas.selectAll("path.edge").classed("near", (e) => e.from === id || e.to === id);
}

/* --- details --- */

function pairs(list) {
  const dl = make("dl");
  for (const [key, value] of list) if (value !== "" && value !== null && value !== undefined && value !== false)
    dl.append(make("dt", {textContent: key}), make("dd", {textContent: value}));
  return dl;
}

function operands(title, numbers) {
  if (!numbers.some((v) => v !== null)) return [];
  return [make("h3", {textContent: title}), make("ul", {}, ...numbers.map((number) => {
    const v = valueByNumber.get(number);
    return make("li", {textContent: v ? `${v.name || "(made by a rewrite)"} ${v.type || ""}${v.storage === "constant" ? ", constant" : ""}` : "(omitted)"});
  }))];
}

const ofPeak = (x, most, unit) => (x ? `${digits(x)} ${unit}${most ? `, ${percent(x / most)} of the peak` : ""}` : "");

function nodeDetails(n) {
  const from = n.from || [];
  return [make("h3", {textContent: `${n.layer}: ${place(n)}`}),
    pairs([["node", n.node], ["operator", n.operator], ["name", n.name], ["module", n.module], ["module class", kindOfModule.get(n.module)], ["source", n.source],
      ["kernel", n.kernel + (n.method ? `, ${n.method}` : "")], ["why plain C", n.plain], ["output", n.output],
      ["time", `${time(n.median_ms)}, ${percent(n.share)}`], ["with its bodies", n.total_ms > n.median_ms * 1.0001 ? time(n.total_ms) : ""],
      ["calls", n.calls > 1 ? n.calls : ""], ["parent", n.parent], ["multiply-adds", n.multiply_adds ? n.multiply_adds.toLocaleString("en") : ""],
      ["speed", ofPeak(gflops(n), peak.gflops, "GFLOP/s")], ["reads and writes", bytes(n.bytes)], ["at", ofPeak(gbytes(n), peak.gbytes, "GB/s")],
      ["elements of constants", elements(n.parameters)], ["scratch", n.scratch_bytes ? bytes(n.scratch_bytes) : ""]]),
    ...(from.length > 1 ? [make("h3", {textContent: `does the work of ${from.length} nodes of the file`}),
      make("ul", {}, ...from.slice(0, 40).map((f) => make("li", {textContent: `${f.operator} ${f.name}${f.module ? ` (${f.module})` : ""}`})),
        ...(from.length > 40 ? [make("li", {textContent: `and ${from.length - 40} more`})] : []))] : []),
    ...operands("inputs", n.in), ...operands("outputs", n.out)];
}

function groupDetails(g) {
  const kinds = d3.nest().key((n) => n.layer).rollup((l) => ({count: l.length, ms: d3.sum(l, (n) => n.median_ms)})).entries(g.all)
    .sort((a, b) => b.value.ms - a.value.ms);
  return [make("h3", {textContent: g.path || g.label || "the model"}),
    pairs([["module class", kindOfModule.get(g.path)], ["nodes", g.all.length], ["time", `${time(g.median_ms)}, ${percent(g.share)}`],
      ["multiply-adds", g.multiply_adds ? short(g.multiply_adds) : ""], ["speed", ofPeak(gflops(g), peak.gflops, "GFLOP/s")],
      ["parameters", g.isPart || g.isBody ? "" : elements(parametersOf(g.path))], ["elements of constants", elements(g.constants)]]),
    make("ul", {}, ...kinds.slice(0, 12).map((k) => make("li", {textContent: `${k.value.count} × ${k.key}, ${time(k.value.ms)}`})))];
}

function choose(box) {
  chosen = box;
  $("details").replaceChildren(...(isGroup(box) ? groupDetails(box) : nodeDetails(box.node)));
  $("details").scrollTop = 0;
  mark();
  for (const row of document.querySelectorAll("#table tbody tr")) row.classList.toggle("chosen", box.node !== undefined && row.dataset.node === String(box.node.node));
}

/* From anywhere else on the page. */
function goTo(n) {
  const box = boxOfNode.get(n.node);
  for (let g = box.parent; g; g = g.parent) g.open = true;
  draw();
  choose(box);
  centre(box);
}

function show(n) {
  goTo(n);
  $("graph").scrollIntoView({behavior: "smooth"});
}

function search() {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (n) => `${n.layer} ${n.operator} ${n.name} ${n.module} ${n.source} ${n.kernel}`.toLowerCase();
  const hits = words.length ? nodes.filter((n) => words.every((w) => text(n).includes(w))).slice(0, 12) : [];
  $("found").replaceChildren(...hits.map((n) => make("button", {textContent: `${n.layer} ${place(n)}`,
    onclick: () => { $("found").replaceChildren(); goTo(n); }})));
}

/* --- bars --- */

const isNarrow = () => innerWidth < 600;
const innerWidthOf = (id) => Math.max(240, $(id).clientWidth);

const fields = {layers: "layer", modules: "module", operators: "operator", sources: "source"};
let barKey = "layers", barAmount = "time";

/* What the nodes of a group read and write in a run. */
function groupBytes(key, name) {
  const isIn = (text) => text === name || (key === "modules" && name && text.startsWith(`${name}.`));
  return d3.sum(nodes.filter((n) => isIn(n[fields[key]])), (n) => n.bytes * n.calls);
}

function bars() {
  const key = barKey, isTime = barAmount === "time", amount = (g) => (isTime ? g.median_ms : g.bytes);
  const all = data[key].filter((g) => g.name || data[key].length > 1).map((g) => ({...g, bytes: groupBytes(key, g.name)}));
  const list = all.sort((a, b) => amount(b) - amount(a)).slice(0, 14), width = innerWidthOf("bars"), row = 24;
  const left = Math.min(isNarrow() ? 120 : 190, d3.max(list, (g) => pen.measureText(g.name || "(none)").width) + 14 || 60), height = list.length * row + 26;
  $("bars").replaceChildren();
  const svg = d3.select("#bars").append("svg").attr("width", width).attr("height", height);
  const x = d3.scaleLinear([0, d3.max(list, amount) || 1], [left, width - 62]), y = d3.scaleBand(d3.range(list.length), [0, list.length * row]).padding(0.25);
  const few = isNarrow() ? 2 : 4, axis = () => (isTime ? d3.axisBottom(x).ticks(few) : d3.axisBottom(x).tickValues(byteTicks(x.domain()[1], few)));
  svg.append("g").attr("class", "grid").attr("transform", `translate(0,${list.length * row})`).call(axis().tickSize(-list.length * row).tickFormat(""));
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${list.length * row})`).call(axis().tickFormat(isTime ? time : bytes).tickSizeOuter(0));
  const bar = svg.selectAll("g.row").data(list).enter().append("g").attr("transform", (g, i) => `translate(0,${y(i)})`);
  bar.append("rect").attr("x", left).attr("width", (g) => Math.max(1, x(amount(g)) - left)).attr("height", y.bandwidth()).attr("rx", 2)
    .attr("fill", (g) => (key === "layers" ? colour(g.name) : "var(--accent)"));
  bar.append("text").attr("class", "label").attr("x", left - 6).attr("y", y.bandwidth() / 2).attr("dy", "0.35em").attr("text-anchor", "end")
    .text((g) => { const name = g.name || "(none)", most = Math.floor(left / 6.4); return name.length > most ? `…${name.slice(1 - most)}` : name; });
  bar.append("text").attr("class", "label").attr("x", (g) => x(amount(g)) + 5).attr("y", y.bandwidth() / 2).attr("dy", "0.35em").text((g) => (isTime ? percent(g.share) : bytes(g.bytes)));
  tipped(bar, (g) => `${g.name || "(none)"}\n${time(g.median_ms)}, ${percent(g.share)}\n${g.nodes} nodes${g.multiply_adds ? `, ${digits(gflops(g))} GFLOP/s` : ""}\nreads and writes ${bytes(g.bytes)}`);
  for (const button of $("group-choice").children) button.setAttribute("aria-pressed", button.dataset.key === key || button.dataset.key === barAmount);
}

function groupChoice() {
  for (const [key, text] of [["layers", "by layer"], ["modules", "by module"], ["operators", "by operator"], ["sources", "by line"]]) {
    if (!data[key].some((g) => g.name)) continue;
    const button = make("button", {textContent: text, onclick: () => { barKey = key; bars(); }});
    button.dataset.key = key;
    $("group-choice").append(button);
  }
  for (const amount of ["time", "memory"]) {
    const button = make("button", {textContent: amount, onclick: () => { barAmount = amount; bars(); }});
    button.dataset.key = amount;
    if (amount === "time") button.style.marginLeft = "0.8rem";
    $("group-choice").append(button);
  }
}

/* --- the roofline --- */

/* Why a point is where the machine's peaks let none be; "": it is not. */
function aboveRoof(d) {
  if (d.y > peak.gflops) return "above the peak: Winograd's method needs fewer multiplications than the ones that are counted";
  return d.y > d.x * peak.gbytes ? "above the slope: what lies in caches comes faster than from memory" : "";
}

function roofline() {
  const list = nodes.filter((n) => n.multiply_adds > 0 && n.median_ms > 0 && n.bytes > 0).map((n) => ({n, x: 2 * n.multiply_adds / n.bytes / 1, y: gflops(n)}));
  $("roofline").replaceChildren();
  if (!list.length || !peak.gflops || !peak.gbytes) {
    $("roofline").append(make("p", {className: "hint", textContent: "No layer of this model multiplies and adds."}));
    return;
  }
  const width = innerWidthOf("roofline"), height = 340, at = {left: 46, right: 12, top: 22, bottom: 38};
  const edge = peak.gflops / peak.gbytes;
  const x = d3.scaleLog([Math.min(d3.min(list, (d) => d.x), edge / 8) / 1.5, Math.max(d3.max(list, (d) => d.x), edge * 8) * 1.5], [at.left, width - at.right]);
  const y = d3.scaleLog([Math.max(d3.min(list, (d) => d.y) / 2, peak.gflops / 1e6), Math.max(peak.gflops, d3.max(list, (d) => d.y)) * 2], [height - at.bottom, at.top]).clamp(true);
  const size = d3.scaleSqrt([0, d3.max(list, (d) => d.n.share)], [2.5, isNarrow() ? 11 : 16]);
  const svg = d3.select("#roofline").append("svg").attr("width", width).attr("height", height);
  const ticks = isNarrow() ? 3 : 6;
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - at.bottom})`).call(d3.axisBottom(x).ticks(ticks, "~s"));
  svg.append("g").attr("class", "axis").attr("transform", `translate(${at.left},0)`).call(d3.axisLeft(y).ticks(4, "~s"));
  svg.append("text").attr("class", "label").attr("x", width - at.right).attr("y", height - 6).attr("text-anchor", "end").text("operations for each byte read or written");
  svg.append("text").attr("class", "label").attr("x", 4).attr("y", 12).text("GFLOP/s");
  const [x0, x1] = x.domain();
  svg.append("path").attr("class", "roof").attr("d", d3.line()([[x(x0), y(x0 * peak.gbytes)], [x(edge), y(peak.gflops)], [x(x1), y(peak.gflops)]]));
  tipped(svg.selectAll("circle").data(list).enter().append("circle").attr("class", "clickable").attr("cx", (d) => x(d.x)).attr("cy", (d) => y(d.y))
    .attr("r", (d) => size(d.n.share)).attr("fill", (d) => colour(d.n.layer)).attr("fill-opacity", 0.65).attr("stroke", (d) => colour(d.n.layer)).on("click", (d) => show(d.n)),
    (d) => `${describe(d.n)}\n${ofPeak(d.y, peak.gflops, "GFLOP/s")}${aboveRoof(d) ? `\n${aboveRoof(d)}` : ""}`);
  // Above the circles that lie on the roof, and never under one.
  const say = (text, right, bottom) => svg.append("text").attr("class", "label halo").attr("x", right).attr("y", bottom).attr("text-anchor", "end").text(text);
  say(`peak ${digits(peak.gflops)} GFLOP/s`, width - at.right, y(peak.gflops) - size.range()[1] - 4);
  say(`${digits(peak.gbytes)} GB/s`, x(edge / 2.2), y(peak.gflops / 2.2) - 8);
  const reasons = [...new Set(list.map(aboveRoof).filter(Boolean))];
  if (reasons.length) $("roofline").append(make("p", {className: "hint", textContent: `${reasons.join("; ").replace(/^a/, "A")}.`}));
}

/* --- the table --- */

const columns = [
  {name: "node", number: true, key: (n) => n.node, text: (n) => String(n.node)},
  {name: "layer", key: (n) => n.layer, text: (n) => n.layer, dot: true},
  {name: "where", key: place, text: place, long: true},
  {name: "operator", key: (n) => n.operator, text: (n) => n.operator},
  {name: "output", key: (n) => n.output, text: (n) => n.output},
  {name: "kernel", key: (n) => n.kernel, text: (n) => n.kernel + (n.method ? `, ${n.method}` : "")},
  {name: "calls", number: true, key: (n) => n.calls, text: (n) => String(n.calls), only: nodes.some((n) => n.calls > 1)},
  {name: "time", number: true, key: (n) => n.median_ms, text: (n) => time(n.median_ms), className: "time"},
  {name: "share", number: true, key: (n) => n.share, text: (n) => percent(n.share), share: true},
  {name: "GFLOP/s", number: true, key: gflops, text: (n) => (n.multiply_adds ? digits(gflops(n)) : "")},
  {name: "of peak", number: true, key: (n) => gflops(n) / (peak.gflops || 1), text: (n) => (n.multiply_adds && peak.gflops ? percent(gflops(n) / peak.gflops) : "")},
  {name: "GB/s", number: true, key: gbytes, text: (n) => digits(gbytes(n))},
  {name: "memory", number: true, key: (n) => n.bytes, text: (n) => bytes(n.bytes)},
  {name: "scratch", number: true, key: (n) => n.scratch_bytes, text: (n) => (n.scratch_bytes ? bytes(n.scratch_bytes) : ""), only: nodes.some((n) => n.scratch_bytes)},
  {name: "source", key: (n) => n.source, text: (n) => n.source, only: nodes.some((n) => n.source)},
].filter((c) => c.only !== false);
const sorting = {column: columns.findIndex((c) => c.name === "time"), down: true};
let mostRows = 50;

function table() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean), column = columns[sorting.column];
  const list = nodes.filter((n) => { const text = columns.map((c) => c.text(n)).join(" ").toLowerCase(); return words.every((w) => text.includes(w)); });
  list.sort((a, b) => (sorting.down ? -1 : 1) * (d3.ascending(column.key(a), column.key(b)) || d3.ascending(b.node, a.node)));
  const most = d3.max(nodes, (n) => n.share) || 1;
  const cell = (c, n) => {
    const td = make("td", {textContent: c.text(n), className: [c.number && "number", c.long && "long", c.className].filter(Boolean).join(" ")});
    if (c.share || c.dot) {
      const mark = make("span", {className: "share"});
      mark.style.background = colour(n.layer);
      mark.style.width = c.dot ? "0.65em" : `${Math.max(1, n.share / most * 60)}px`;
      if (c.dot) { mark.style.margin = "0 0.4em 0 0"; td.prepend(mark); } else { td.replaceChildren(make("span", {className: "percent", textContent: c.text(n)}), mark); td.style.textAlign = "left"; }
    }
    return td;
  };
  const head = make("tr", {}, ...columns.map((c, i) => {
    const th = make("th", {className: c.number ? "number" : ""}, make("button", {textContent: c.name + (i === sorting.column ? (sorting.down ? " ▾" : " ▴") : ""), onclick: () => {
      if (sorting.column === i) sorting.down = !sorting.down;
      else Object.assign(sorting, {column: i, down: !!c.number});
      table();
    }}));
    th.setAttribute("aria-sort", i !== sorting.column ? "none" : sorting.down ? "descending" : "ascending");
    return th;
  }));
  const rows = list.slice(0, mostRows).map((n) => {
    const row = make("tr", {onclick: () => show(n)}, ...columns.map((c) => cell(c, n)));
    row.dataset.node = n.node;
    return row;
  });
  $("table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  $("more-rows").textContent = list.length > mostRows ? `show all ${list.length} rows` : "";
}

/* --- the timeline --- */

/* Slices with a lane: modules from the outermost in, then nodes, then those of bodies. */
function slices() {
  const depthOf = (n) => (n.parent === undefined ? 0 : 1 + depthOf(nodeByNumber.get(n.parent)));
  const events = data.events.map(([node, begin, length]) => ({n: nodeByNumber.get(node), begin, end: begin + length})).filter((e) => e.n);
  const main = events.filter((e) => e.n.parent === undefined), lanes = Math.min(4, d3.max(main, (e) => (e.n.module ? e.n.module.split(".").length : 0)) || 0);
  const list = [];
  for (let lane = 0; lane < lanes; lane++) {
    let last = null;
    for (const e of main) {
      const parts = e.n.module ? e.n.module.split(".") : [], path = parts.length > lane ? parts.slice(0, lane + 1).join(".") : "";
      if (path && last && last.path === path) last.end = e.end;
      else list.push(last = {path, begin: e.begin, end: e.end, lane});
    }
  }
  for (const e of events) list.push({...e, lane: lanes + depthOf(e.n)});
  return list.filter((s) => s.n || s.path);
}

const events = slices();

function timeline() {
  const pane = $("timeline-pane"), width = innerWidthOf("timeline-pane"), lane = 24, lanes = d3.max(events, (e) => e.lane) + 1 || 1, height = lanes * lane;
  const end = d3.max(events, (e) => e.end) || 1, base = d3.scaleLinear([0, end], [0, width]);
  let x = base, ratio = devicePixelRatio || 1;
  pane.replaceChildren();
  const sheet = make("canvas", {width: width * ratio, height: height * ratio}), axis = d3.select(pane).append("svg").attr("width", width).attr("height", 24).append("g").attr("class", "axis").attr("transform", "translate(0,20)");
  sheet.style.width = `${width}px`;
  sheet.style.height = `${height}px`;
  pane.append(sheet);
  const pen = sheet.getContext("2d"), style = getComputedStyle(document.documentElement);
  const paint = () => {
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "middle";
    for (const e of events) {
      const from = x(e.begin), to = x(e.end);
      if (to < 0 || from > width) continue;
      pen.fillStyle = e.n ? colour(e.n.layer) : style.getPropertyValue("--line");
      pen.fillRect(from, e.lane * lane + 1, Math.max(0.5, to - from - 0.5), lane - 2);
      const text = e.n ? e.n.layer : e.path, left = Math.max(from, 0), room = Math.min(to, width) - left - 8;
      if (room < 16) continue;
      pen.save();
      pen.beginPath();
      pen.rect(left, e.lane * lane, room + 4, lane);
      pen.clip();
      pen.fillStyle = e.n ? "#fff" : style.getPropertyValue("--text");
      pen.fillText(text, left + 4, e.lane * lane + lane / 2);
      pen.restore();
    }
    axis.call(d3.axisTop(x).ticks(Math.max(2, width / 140)).tickFormat((us) => time(us / 1e3)));
  };
  const hit = (event) => {
    const box = sheet.getBoundingClientRect(), us = x.invert(event.clientX - box.left), at = Math.floor((event.clientY - box.top) / lane), slack = x.invert(2) - x.invert(0);
    return events.find((e) => e.lane === at && e.begin <= us && us <= e.end) || events.find((e) => e.lane === at && e.begin - slack <= us && us <= e.end + slack);
  };
  d3.select(sheet).call(d3.zoom().scaleExtent([1, Math.max(2, end * 10)]).translateExtent([[0, 0], [width, height]]).extent([[0, 0], [width, height]])
    .filter(() => !d3.event.button && (d3.event.type !== "wheel" || d3.event.ctrlKey))
    .on("zoom", () => { x = d3.event.transform.rescaleX(base); paint(); }));
  sheet.addEventListener("mousemove", (event) => { const e = hit(event); tell(event, e ? (e.n ? `${describe(e.n)}\nthis call: ${time((e.end - e.begin) / 1e3)}` : `${e.path}\n${time((e.end - e.begin) / 1e3)}`) : ""); });
  sheet.addEventListener("mouseleave", () => tell(null, ""));
  sheet.addEventListener("click", (event) => { const e = hit(event); if (e && e.n) show(e.n); });
  paint();
  $("timeline-hint").textContent = `The fastest run, ${time(end / 1e3)}: modules above, what they run below, bodies of loops under their node. Drag to move, Ctrl and the wheel to zoom.` +
    (data.num_events > data.events.length ? ` ${data.events.length} of ${data.num_events} calls are in this page.` : "");
}

/* --- memory --- */

function live(blocks, steps) {
  const change = new Array(steps + 1).fill(0);
  for (const b of blocks) { change[b.first] += b.bytes; change[Math.min(steps, b.last + 1)] -= b.bytes; }
  let sum = 0;
  return change.slice(0, steps).map((c) => (sum += c));
}

function memory() {
  const pane = $("memory-pane"), steps = data.memory.steps, arena = data.memory.arena_bytes;
  const blocks = data.memory.blocks.map(([value, offset, count, first, last]) => ({value, offset, bytes: count, first, last: Math.min(last, steps - 1)})).filter((b) => b.bytes > 0);
  pane.replaceChildren();
  if (!blocks.length) {
    $("memory-hint").textContent = "Nothing lies in the arena: values are views of others, the caller's, or have memory of their own.";
    return;
  }
  const sums = live(blocks, steps), top = d3.scan(sums, (a, b) => b - a), byStep = new Map(inMain.map((n) => [n.step, n])), peakNode = byStep.get(top);
  const width = innerWidthOf("memory-pane"), height = isNarrow() ? 300 : 380, at = {left: 62, right: 10, top: 24, bottom: 34};
  const x = d3.scaleLinear([0, steps], [at.left, width - at.right]), y = d3.scaleLinear([0, Math.max(arena, d3.max(blocks, (b) => b.offset + b.bytes))], [height - at.bottom, at.top]);
  const ticks = byteTicks(y.domain()[1], 6);
  const svg = d3.select(pane).append("svg").attr("width", width).attr("height", height);
  const hatch = svg.append("defs").append("pattern").attr("id", "hatch").attr("width", 6).attr("height", 6).attr("patternUnits", "userSpaceOnUse").attr("patternTransform", "rotate(45)");
  hatch.append("rect").attr("width", 3).attr("height", 6).attr("fill", "var(--edge)");
  svg.append("g").attr("class", "grid").attr("transform", `translate(${at.left},0)`).call(d3.axisLeft(y).tickValues(ticks).tickSize(at.left + at.right - width).tickFormat(""));
  svg.append("g").attr("class", "axis").attr("transform", `translate(${at.left},0)`).call(d3.axisLeft(y).tickValues(ticks).tickFormat(bytes));
  svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - at.bottom})`).call(d3.axisBottom(x).ticks(Math.min(steps, width / 90)).tickFormat(d3.format("d")));
  svg.append("text").attr("class", "label").attr("x", width - at.right).attr("y", height - 4).attr("text-anchor", "end").text("nodes, in the order in which they run");
  const layerOf = (b) => (b.value < 0 ? null : writer.get(b.value) || null);
  tipped(svg.selectAll("rect.block").data(blocks).enter().append("rect").attr("class", "block clickable")
    .attr("x", (b) => x(b.first)).attr("width", (b) => Math.max(1, x(b.last + 1) - x(b.first) - 0.5))
    .attr("y", (b) => y(b.offset + b.bytes)).attr("height", (b) => Math.max(0.5, y(b.offset) - y(b.offset + b.bytes)))
    .attr("fill", (b) => (b.value < 0 ? "url(#hatch)" : layerOf(b) ? colour(layerOf(b).layer) : "var(--edge)"))
    .attr("fill-opacity", 0.75).attr("stroke", "var(--card)").attr("stroke-width", 0.5)
    .on("click", (b) => { const n = layerOf(b) || byStep.get(b.first); if (n) show(n); }),
    (b) => { const v = valueByNumber.get(b.value), n = layerOf(b);
      return b.value < 0 ? `scratch memory of ${byStep.get(b.first) ? place(byStep.get(b.first)) : `step ${b.first}`}\n${bytes(b.bytes)}`
        : `${(v && v.name) || "(made by a rewrite)"}\n${v ? v.type : ""}\n${bytes(b.bytes)} at ${bytes(b.offset)}, steps ${b.first} to ${b.last}${n ? `\nwritten by ${n.layer} ${place(n)}` : ""}`; });
  const middle = x(top + 0.5), right = middle > width / 2;
  svg.append("line").attr("class", "mark").attr("x1", middle).attr("x2", middle).attr("y1", at.top - 6).attr("y2", height - at.bottom);
  const text = svg.append("text").attr("class", "mark-text").attr("y", at.top - 10).attr("id", "peak-text")
    .text(`peak: ${bytes(sums[top])} at ${peakNode ? cutText(`${peakNode.layer} ${place(peakNode)}`, isNarrow() ? 22 : 60) : `step ${top}`}`);
  const length = text.node().getComputedTextLength();
  text.attr("x", Math.max(4, Math.min(right ? middle - length : middle, width - length - 4)));
  const own = data.values.filter((v) => v.storage === "own");
  $("memory-hint").textContent = `Where each value lies in the arena of ${bytes(arena)}, from the node that writes it to the last that reads it. Most is in use at the mark: ${bytes(sums[top])}, ` +
    `so ${percent(1 - sums[top] / arena)} of the arena is the price of placing and of padding. Hatched: memory that a node alone uses.` +
    (own.length ? ` ${own.length} values have memory of their own, since only running tells their size.` : "");
}

/* --- weights --- */

let mostWeights = 12;
function weights() {
  const list = [...data.weights].sort((a, b) => b.elements - a.elements);
  $("weights-hint").textContent = list.length ? `${list.length} tensors as they are in the file, largest first. Of 1 KiB and less some are missing.` : "The file has no weights that could be read here.";
  $("weight-cards").replaceChildren(...list.slice(0, mostWeights).map((w) => {
    const card = make("div", {className: "weight"}, make("b", {textContent: w.name}), make("span", {textContent: w.type}));
    if (w.bins) {
      const svg = d3.select(card).append("svg").attr("viewBox", `0 0 ${w.bins.length} 40`).attr("preserveAspectRatio", "none");
      const y = d3.scaleLinear([0, d3.max(w.bins)], [0, 39]);
      tipped(svg.selectAll("rect").data(w.bins).enter().append("rect").attr("x", (b, i) => i + 0.05).attr("width", 0.9).attr("y", (b) => 40 - y(b)).attr("height", y),
        (b) => `${b.toLocaleString("en")} of ${w.read.toLocaleString("en")}`);
      card.append(make("div", {textContent: `${digits(w.min)} to ${digits(w.max)}, mean ${digits(w.mean)}, deviation ${digits(w.std)}`}));
    }
    if (w.zeros > w.read * 0.01) card.append(make("div", {textContent: `${percent(w.zeros / w.read)} are zero`}));
    if (w.odd) card.append(make("div", {className: "warn", textContent: `${w.odd} are not finite`}));
    if (w.read < w.elements) card.append(make("div", {textContent: `from ${w.read.toLocaleString("en")} of its elements`}));
    return card;
  }));
  $("more-weights").textContent = list.length > mostWeights ? `show all ${list.length}` : "";
}

/* --- what is slow for a reason --- */

function simpleTable(head, rows) {
  return make("div", {className: "scroll"}, make("table", {}, make("thead", {}, make("tr", {}, ...head.map((h) => make("th", {textContent: h})))),
    make("tbody", {}, ...rows.map((r) => make("tr", {onclick: r.node ? () => show(r.node) : null}, ...r.cells.map((c) => make("td", {className: "long", textContent: c})))))));
}

function notes() {
  const plain = nodes.filter((n) => n.plain), share = d3.sum(plain, (n) => n.share), pane = $("notes-pane");
  const groups = d3.nest().key((n) => `${n.layer}\n${n.plain}`).entries(plain).map((g) => ({list: g.values, share: d3.sum(g.values, (n) => n.share), ms: d3.sum(g.values, (n) => n.median_ms)})).sort((a, b) => b.ms - a.ms);
  pane.append(make("p", {textContent: plain.length ? `${plain.length} of ${nodes.length} nodes are computed by plain C; together they take ${percent(share)} of the time.` : "Every node is computed by vector code."}));
  if (plain.length) pane.append(simpleTable(["layer", "nodes", "time", "share", "why", "the slowest"], groups.slice(0, 40).map((g) => {
    const worst = g.list.reduce((a, b) => (a.median_ms >= b.median_ms ? a : b));
    return {node: worst, cells: [worst.layer, g.list.length, time(g.ms), percent(g.share), worst.plain, `${place(worst)} ${worst.output}`]};
  })));
  if (data.float_layers.length) pane.append(make("h3", {textContent: "Layers of a quantized model that compute in float32"}),
    simpleTable(["layer", "where", "why"], data.float_layers.map((f) => ({cells: [f.layer, f.module || f.name, f.reason]}))));
  if (data.num_folded) pane.append(make("h3", {textContent: `${data.num_folded} nodes of the file are not run: computed while loading, or not needed`}),
    simpleTable(["operator", "nodes"], d3.nest().key((f) => f.operator).rollup((l) => l.length).entries(data.folded).sort((a, b) => b.value - a.value).map((e) => ({cells: [e.key, e.value]}))));
}

/* --- all of it --- */

head();
openSome();
draw();
choose(root);
groupChoice();
notes();
function sized() {
  bars();
  roofline();
  timeline();
  memory();
  fit(false);
}
sized();
table();
weights();
$("zoom-in").onclick = () => svg.transition().duration(150).call(zoom.scaleBy, 1.4);
$("zoom-out").onclick = () => svg.transition().duration(150).call(zoom.scaleBy, 1 / 1.4);
$("fit").onclick = () => fit(true);
$("close-all").onclick = () => { closeAll(root); draw(); fit(false); choose(root); };
$("find").oninput = search;
$("filter").oninput = table;
$("more-rows").onclick = () => { mostRows = Infinity; table(); };
$("more-weights").onclick = () => { mostWeights = Infinity; weights(); };
let lastWidth = innerWidth;
addEventListener("resize", () => { if (innerWidth !== lastWidth) { lastWidth = innerWidth; sized(); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", timeline);
