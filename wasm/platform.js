// What Node.js and browsers do differently: reading files, counting cores, starting workers.

export const isNode = typeof process === 'object' && Boolean(process.versions?.node);

export const node = isNode
  ? {
      fs: await import('node:fs/promises'),
      os: await import('node:os'),
      url: await import('node:url'),
      workers: await import('node:worker_threads'),
    }
  : null;

/** Memory can be shared, so there can be threads: always in Node.js, in pages that are cross-origin isolated. */
export const canShare = typeof SharedArrayBuffer === 'function' && (isNode || globalThis.crossOriginIsolated === true);

/** A thread may sleep here; only a page's own may not. */
export const mayWait = isNode || typeof document === 'undefined';

export function coreCount() {
  if (isNode) return node.os.availableParallelism?.() ?? node.os.cpus().length;
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

function isFile(url) {
  return isNode && url.protocol === 'file:';
}

/** `source` is relative to the page; in Node.js, what has no scheme is a path. */
export function resolveUrl(source) {
  if (source instanceof URL) return source;
  if (isNode && !/^[a-z][a-z0-9+.-]+:/i.test(source)) return node.url.pathToFileURL(source);
  return new URL(source, globalThis.document?.baseURI ?? globalThis.location?.href);
}

async function fetchOk(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return response;
}

export async function readBytes(url) {
  if (isFile(url)) return node.fs.readFile(url);
  return new Uint8Array(await (await fetchOk(url)).arrayBuffer());
}

export async function compile(url) {
  if (isFile(url)) return WebAssembly.compile(await node.fs.readFile(url));
  const response = await fetchOk(url);
  const isTyped = response.headers.get('content-type')?.startsWith('application/wasm');
  if (isTyped && WebAssembly.compileStreaming) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** A worker of module `url`, with the same few functions on either platform. It keeps no process alive by itself. */
export function startWorker(url) {
  const worker = isNode ? new node.workers.Worker(url) : new Worker(url, { type: 'module' });
  if (isNode) worker.unref();
  const on = (name, call) => (isNode ? worker.on(name, call) : worker.addEventListener(name, call));
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    onMessage: (call) => on('message', (event) => call(isNode ? event : event.data)),
    onError: (call) => on('error', (event) => call(isNode ? event : new Error(event.message ?? 'a worker did not start'))),
    keepAlive: (yes) => isNode && (yes ? worker.ref() : worker.unref()),
    terminate: () => worker.terminate(),
  };
}

/** Inside of a worker: the other end. */
export function parentPort() {
  const port = isNode ? node.workers.parentPort : globalThis;
  return {
    post: (message, transfer = []) => port.postMessage(message, transfer),
    onMessage: (call) => (isNode ? port.on('message', call) : port.addEventListener('message', (event) => call(event.data))),
  };
}
