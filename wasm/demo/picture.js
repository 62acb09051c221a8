// A picture as classifiers want it: its middle, [1, 3, height, width] or [1, height, width, 3], scaled.

const SCALES = {
  imagenet: { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  unit: { mean: [0, 0, 0], deviation: [1, 1, 1] },
  signed: { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
};
const USUAL = 224; // where the model leaves its size open

/** How the input is laid out; null: it is not one of pictures. */
export function layoutOf({ dtype, shape }) {
  if (dtype !== 'float32' || shape?.length !== 4) return null;
  const isLast = shape[3] === 3;
  if (!isLast && shape[1] !== 3) return null;
  const [height, width] = (isLast ? [shape[1], shape[2]] : [shape[2], shape[3]]).map((dim) => (typeof dim === 'number' ? dim : USUAL));
  return { isLast, height, width };
}

/** Draws the middle of the picture on the canvas, in the size of the layout, and returns its pixels. */
export function cropTo(canvas, picture, { width, height }) {
  Object.assign(canvas, { width, height });
  const scale = Math.max(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  return context.getImageData(0, 0, width, height).data;
}

/** RGBA bytes as an input of the model. */
export function tensorOf(pixels, { isLast, width, height }, scaleName) {
  const { mean, deviation } = SCALES[scaleName];
  const count = width * height;
  const data = new Float32Array(3 * count);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < count; i++) data[isLast ? 3 * i + c : c * count + i] = (pixels[4 * i + c] / 255 - mean[c]) / deviation[c];
  return { data, shape: isLast ? [1, height, width, 3] : [1, 3, height, width] };
}

/** Probabilities: the scores themselves where they are such, else by softmax. */
export function probabilitiesOf(scores) {
  const sum = scores.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) < 1e-3 && scores.every((score) => score >= 0)) return [...scores];
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Array.from(scores, (score) => Math.exp(score - most));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}
