// What the module asks of a system: a folder "/" of a few files that are in JavaScript's memory (external data of a model),
// for reading only. Everything else it is refused.

const ERRNO = { badDescriptor: 8, noEntry: 44, noSystem: 52 };
const FIRST = 3; // the standard streams are before it
const MODE = { folder: 0o040555, file: 0o100444 };

/** As in struct stat of the C library. */
const STAT = { all: 88, mode: 12, size: 40, inode: 80 };

export class Files {
  /** @param {Map<string, Uint8Array>} contents by path without "/" in front */
  constructor(contents) {
    this.contents = contents;
    this.paths = [...contents.keys()];
    this.open = []; // paths by descriptor
  }

  isFolder(path) {
    return path === '' || this.paths.some((name) => name.startsWith(`${path}/`));
  }

  /** The least free descriptor, or an error below 0. */
  openPath(path) {
    if (!this.contents.has(path) && !this.isFolder(path)) return -ERRNO.noEntry;
    let fd = FIRST;
    while (this.open[fd] !== undefined) fd++;
    this.open[fd] = path;
    return fd;
  }

  /** @param {() => {buffer: ArrayBufferLike}} memory of the instance */
  imports(memory) {
    const view = () => new DataView(memory().buffer);
    const bytes = () => new Uint8Array(memory().buffer);

    const openat = (folder, address) => {
      const path = new TextDecoder().decode(bytes().slice(address, bytes().indexOf(0, address)));
      const base = path.startsWith('/') ? '' : this.open[folder];
      if (base === undefined) return -ERRNO.badDescriptor;
      return this.openPath([base, path].join('/').split('/').filter(Boolean).join('/'));
    };

    const fstat = (fd, address) => {
      const path = this.open[fd];
      if (path === undefined) return -ERRNO.badDescriptor;
      const data = this.contents.get(path);
      bytes().fill(0, address, address + STAT.all);
      view().setUint32(address + STAT.mode, data ? MODE.file : MODE.folder, true);
      view().setBigInt64(address + STAT.size, BigInt(data?.length ?? 0), true);
      view().setBigInt64(address + STAT.inode, BigInt(this.paths.indexOf(path) + 2), true);
      return 0;
    };

    const pread = (fd, vectors, count, offset, target) => {
      const data = this.contents.get(this.open[fd]);
      if (!data) return ERRNO.badDescriptor;
      let at = Number(offset);
      const begin = at;
      for (let i = 0; i < count; i++) {
        const address = view().getUint32(vectors + 8 * i, true);
        const length = view().getUint32(vectors + 8 * i + 4, true);
        const piece = data.subarray(at, at + length);
        bytes().set(piece, address);
        at += piece.length;
      }
      view().setUint32(target, at - begin, true);
      return 0;
    };

    const close = (fd) => {
      this.open[fd] = undefined;
      return 0;
    };

    const noEnvironment = (count, size) => {
      view().setUint32(count, 0, true);
      view().setUint32(size, 0, true);
      return 0;
    };

    const clock = (id, precision, address) => {
      view().setBigUint64(address, BigInt(Math.round(performance.now() * 1e6)), true);
      return 0;
    };

    return {
      env: { __syscall_openat: openat, __syscall_fstat64: fstat, emscripten_notify_memory_growth: () => {} },
      wasi_snapshot_preview1: { fd_pread: pread, fd_close: close, environ_sizes_get: noEnvironment, environ_get: () => 0, clock_time_get: clock },
    };
  }
}

/** What there is of `given`, and a refusal for all other functions that the module imports. */
export function completeImports(module, given) {
  const imports = {};
  for (const { module: space, name, kind } of WebAssembly.Module.imports(module)) {
    const found = given[space]?.[name];
    if (kind !== 'function' && !found) throw new Error(`onnxrun.wasm asks for ${space}.${name}`);
    const refusal = space === 'env' ? -ERRNO.noSystem : ERRNO.noSystem;
    (imports[space] ??= {})[name] = found ?? (() => refusal);
  }
  return imports;
}
