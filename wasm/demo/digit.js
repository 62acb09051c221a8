// Strokes of a drawing as the network of tools/train_demo.py knows digits: 8 x 8 counts of the black pixels of 32 x 32.

const [SIZE, CELLS] = [32, 8];
const CELL = SIZE / CELLS;
const PEN = 4.2; // as thick as the pens of the people that it has learned from
const ROOM = SIZE - PEN;

/** Of the drawing, as large as fits into the 32 x 32 with its shape kept, in the middle. */
function placement(strokes) {
  const xs = strokes.flat().map((point) => point.x);
  const ys = strokes.flat().map((point) => point.y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = ROOM / Math.max(right - left, bottom - top, 1);
  return { scale, x: SIZE / 2 - (scale * (left + right)) / 2, y: SIZE / 2 - (scale * (top + bottom)) / 2 };
}

function render(strokes) {
  const context = new OffscreenCanvas(SIZE, SIZE).getContext('2d', { willReadFrequently: true });
  const { scale, x, y } = placement(strokes);
  Object.assign(context, { lineWidth: PEN, lineCap: 'round', lineJoin: 'round' });
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach((point) => context.lineTo(point.x * scale + x, point.y * scale + y));
    if (stroke.length === 1) context.lineTo(stroke[0].x * scale + x, stroke[0].y * scale + y + 0.01);
    context.stroke();
  }
  return context.getImageData(0, 0, SIZE, SIZE).data;
}

/** @param {{x: number, y: number}[][]} strokes @returns {Float32Array} 64 levels from 0 to 1 */
export function digitOf(strokes) {
  const pixels = render(strokes);
  const levels = new Float32Array(CELLS * CELLS);
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++) if (pixels[4 * (y * SIZE + x) + 3] >= 128) levels[Math.floor(y / CELL) * CELLS + Math.floor(x / CELL)] += 1 / (CELL * CELL);
  return levels;
}
