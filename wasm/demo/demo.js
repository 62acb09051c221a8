import { load, version } from '../onnxrun.js';
import { digitOf } from './digit.js';
import { cropTo, layoutOf, probabilitiesOf, tensorOf } from './picture.js';

const get = (id) => document.getElementById(id);
const TOP = 5;

function showTime(ms) {
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${ms.toFixed(0)} ms`;
}

/** rows: {name, value} with the best one marked. */
function showScores(list, rows) {
  const best = Math.max(...rows.map((row) => row.value));
  list.replaceChildren(...rows.map(({ name, value }) => {
    const item = document.createElement('li');
    item.className = value === best && best > 0 ? 'best' : '';
    const parts = ['name', 'bar', 'value'].map((part) => Object.assign(document.createElement('span'), { className: part }));
    parts[0].textContent = name;
    parts[1].style.width = `${100 * value}%`;
    parts[2].textContent = `${(100 * value).toFixed(1)} %`;
    item.append(...parts);
    return item;
  }));
}

async function timed(work) {
  const begin = performance.now();
  const result = await work();
  return { result, ms: performance.now() - begin };
}

// --- digits ---

const strokes = [];
let digits;
let isReading = false;
let isStale = false;

function drawPad() {
  const context = get('pad').getContext('2d');
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--ink');
  context.clearRect(0, 0, get('pad').width, get('pad').height);
  Object.assign(context, { lineWidth: 18, lineCap: 'round', lineJoin: 'round', strokeStyle: colour });
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach((point) => context.lineTo(point.x, point.y));
    if (stroke.length === 1) context.lineTo(stroke[0].x, stroke[0].y + 0.01);
    context.stroke();
  }
}

function drawSeen(levels) {
  const context = get('seen').getContext('2d');
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const image = context.createImageData(8, 8);
  levels.forEach((level, i) => image.data.set([isDark ? 255 : 0, isDark ? 255 : 0, isDark ? 255 : 0, Math.min(255, 256 * level)], 4 * i));
  context.putImageData(image, 0, 0);
}

function showDigit(probabilities, ms) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  get('digit').textContent = strokes.length ? best : '–';
  showScores(get('digit-scores'), Array.from(probabilities, (value, name) => ({ name, value: strokes.length ? value : 0 })));
  get('digit-time').textContent = strokes.length ? `${showTime(ms)} for the network` : '';
}

/** Reads what is drawn now; while it does, later drawings wait, and of those the last one counts. */
async function readDigit() {
  isStale = true;
  if (isReading || !digits) return;
  isReading = true;
  while (isStale) {
    isStale = false;
    const levels = strokes.length ? digitOf(strokes) : new Float32Array(64);
    drawSeen(levels);
    const { result, ms } = await timed(() => digits.run({ picture: { data: levels, shape: [1, 1, 8, 8] } }));
    showDigit(result.probabilities.data, ms);
  }
  isReading = false;
}

function listenToPad() {
  const pad = get('pad');
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return { x: ((event.clientX - box.x) * pad.width) / box.width, y: ((event.clientY - box.y) * pad.height) / box.height };
  };
  const add = (event) => {
    for (const part of event.getCoalescedEvents?.() ?? [event]) strokes.at(-1).push(place(part));
    drawPad();
    readDigit();
  };
  pad.addEventListener('pointerdown', (event) => {
    pad.setPointerCapture(event.pointerId);
    strokes.push([place(event)]);
    drawPad();
    readDigit();
  });
  pad.addEventListener('pointermove', (event) => pad.hasPointerCapture(event.pointerId) && add(event));
  get('clear').addEventListener('click', () => {
    strokes.length = 0;
    drawPad();
    readDigit();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    drawPad();
    readDigit();
  });
}

// --- pictures ---

const chosen = { model: null, layout: null, picture: null, names: [] };

async function loadModel(files) {
  const file = files.find(({ name }) => !name.endsWith('.data'));
  if (!file) throw new Error('Choose the .onnx file, too.');
  chosen.model?.free();
  chosen.model = null;
  get('model-text').textContent = `loading ${file.name} …`;
  const externalData = Object.fromEntries(files.filter((other) => other !== file).map((other) => [other.name, other]));
  const { result, ms } = await timed(() => load(file, { worker: true, externalData }));
  chosen.layout = result.inputs.length === 1 ? layoutOf(result.inputs[0]) : null;
  if (!chosen.layout) {
    result.free();
    throw new Error(`${file.name} is no classifier of pictures: expected one input of float32 [1, 3, height, width].`);
  }
  chosen.model = result;
  const size = `${chosen.layout.width} × ${chosen.layout.height}`;
  get('model-text').textContent = `${file.name}: pictures of ${size}; loaded in ${showTime(ms)}, ${Math.round(result.memoryBytes / 2 ** 20)} MiB.`;
}

async function classify() {
  const { model, layout, picture, names } = chosen;
  if (!model || !picture) return;
  get('shown').hidden = false;
  const input = tensorOf(cropTo(get('shown'), picture, layout), layout, get('scale').value);
  const runs = [];
  for (let i = 0; i < 4; i++) runs.push(await timed(() => model.run({ [model.inputs[0].name]: input })));
  const probabilities = probabilitiesOf(runs[0].result[model.outputs[0].name].data);
  const rows = probabilities.map((value, i) => ({ name: names[i] || `class ${i}`, value })).sort((a, b) => b.value - a.value);
  showScores(get('picture-scores'), rows.slice(0, TOP));
  const [first, ...later] = runs.map((run) => run.ms);
  get('picture-time').textContent = `${showTime(Math.min(...later))}; ${showTime(first)} at the first time`;
}

/** Does it, and says what went wrong. */
function attempt(work) {
  return async (event) => {
    get('problem').textContent = '';
    get('picture-time').textContent = '';
    get('picture-scores').replaceChildren();
    try {
      await work([...(event.target.files ?? [])]);
      await classify();
    } catch (error) {
      get('model-text').textContent = chosen.model ? get('model-text').textContent : 'No model yet.';
      get('problem').textContent = error.status ? `${error.message} (${error.status})` : error.message;
    }
  };
}

function listenToFields() {
  get('model').addEventListener('change', attempt(loadModel));
  get('names').addEventListener('change', attempt(async ([file]) => {
    chosen.names = file ? (await file.text()).split(/\r?\n/) : [];
  }));
  get('picture').addEventListener('change', attempt(async ([file]) => {
    chosen.picture = file ? await createImageBitmap(file) : null;
  }));
  get('scale').addEventListener('change', attempt(async () => {}));
}

async function start() {
  listenToPad();
  listenToFields();
  const { result, ms } = await timed(() => load('digits.onnx', { externalData: { 'model.onnx.data': 'digits.onnx.data' } }));
  digits = result;
  const threads = digits.threads === 1 ? 'one thread' : `${digits.threads} threads`;
  const why = globalThis.crossOriginIsolated ? '' : ' (this page is not cross-origin isolated)';
  get('engine').textContent = `${(await version()).replace(/ \(.*/, '')}, WebAssembly with SIMD, ${threads}${why}; ready after ${showTime(ms)}`;
  readDigit();
}

start().catch((error) => {
  get('engine').textContent = `It does not start: ${error.message}`;
});
