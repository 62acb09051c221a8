/** Neural networks from ONNX files, in WebAssembly. */

/** The element types of ONNX. Those of 8 bits and fewer that JavaScript has no array for are bytes. */
export type DType =
  | 'float32' | 'float64' | 'float16' | 'bfloat16'
  | 'int8' | 'int16' | 'int32' | 'int64'
  | 'uint8' | 'uint16' | 'uint32' | 'uint64'
  | 'bool' | 'string' | 'complex64' | 'complex128'
  | 'float8e4m3fn' | 'float8e4m3fnuz' | 'float8e5m2' | 'float8e5m2fnuz' | 'float8e8m0'
  | 'uint4' | 'int4' | 'uint2' | 'int2' | 'float4e2m1' | 'float6e2m3' | 'float6e3m2';

/** Types of values that hold tensors. */
export type ContainerType = 'sequence' | 'optional' | 'map';

/**
 * float16 and bfloat16 are bit patterns in a Uint16Array (a Float16Array is taken, too), int64 and uint64 are BigInts,
 * bool is a Uint8Array of 0 and 1, complex numbers are pairs in a Float32Array or Float64Array.
 */
export type TensorData =
  | Float32Array | Float64Array
  | Int8Array | Int16Array | Int32Array | BigInt64Array
  | Uint8Array | Uint8ClampedArray | Uint16Array | Uint32Array | BigUint64Array
  | string[];

/** A dense row-major tensor. Its data is JavaScript's own: nothing changes it later. */
export interface Tensor<D extends TensorData = TensorData> {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: D;
}

/** A sequence, an optional (of none or one entry) or a map (of two: its keys and its values). */
export interface Container {
  readonly dtype: ContainerType;
  readonly entries: readonly (Output | null)[];
}

export type Output = Tensor | Container;

/** What an input is given as. */
export interface InputTensor {
  /** Of the array type that the element type of the input has. It is copied. */
  data: TensorData;
  /** May be left out where the model leaves no more than one dimension open. */
  shape?: readonly number[];
  /** Needed in sequences alone. */
  dtype?: DType;
}

export type Input = InputTensor | TensorData | readonly (InputTensor | Container)[] | Container;

/** An input or output as the model declares it. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType | ContainerType | '?';
  /** A number; the name of a dimension that the caller chooses, or null where it has none. null: not declared, or no tensor. */
  readonly shape: readonly (number | string | null)[] | null;
  /** Of a sequence, map or optional: "seq(tensor(float))". */
  readonly type?: string;
  /** Of inputs: it has a default and may be left out. */
  readonly optional?: boolean;
}

/** Names of onnxrun/status.h. */
export type Status =
  | 'PARSE' | 'VERSION' | 'GRAPH' | 'ARITY' | 'TYPE' | 'SHAPE' | 'ATTRIBUTE' | 'DATA' | 'EXTERNAL' | 'UNSUPPORTED'
  | 'LIMIT' | 'INDEX' | 'ARITHMETIC' | 'ARGUMENT' | 'STATE' | 'NO_MEMORY' | 'CANCELLED' | 'IO' | 'INTERNAL';

export class OnnxrunError extends Error {
  constructor(status: Status, message: string, where?: string);
  readonly name: 'OnnxrunError';
  readonly status: Status;
  /** The node of the model that it happened in, or "". */
  readonly where: string;
}

export type Source = string | URL | ArrayBuffer | ArrayBufferView | Response | Blob;

/** Limits of onnxrun/runtime.h: numbers above 0, or text with a unit behind it ("64MiB"). */
export interface Limits {
  file_bytes?: number | string;
  nodes?: number | string;
  depth?: number | string;
  name_bytes?: number | string;
  tensor_bytes?: number | string;
  total_bytes?: number | string;
  loop_iterations?: number | string;
  plan_bytes?: number | string;
  work?: number | string;
}

export interface LoadOptions {
  /**
   * Threads, the calling one counted. Default: as many as there are cores, 4 at most. More than one only where memory can
   * be shared: in Node.js, and in pages that are cross-origin isolated; elsewhere it is 1, whatever is asked for.
   * Results do not depend on it.
   */
  threads?: number;
  /** Bounds on what a file can make the library do. */
  limits?: Limits;
  /** Files that the model keeps weights in, by the names that it uses: {"model.onnx.data": url}. */
  externalData?: Record<string, Source>;
  /** Load and run in a worker, so that the calling thread stays free. */
  worker?: boolean;
}

/** One model with the memory that it runs in. */
export interface Model {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly threads: number;
  /** Bytes of WebAssembly's memory that it has now. */
  readonly memoryBytes: number;
  /**
   * Runs the model: one value for each input that is not optional, by name. Calls that overlap are run one after the other.
   * @throws {OnnxrunError}
   */
  run(inputs: Record<string, Input>): Promise<Record<string, Output>>;
  /** Gives back memory and threads at once; it may be called again. A model that nobody holds is freed in time. */
  free(): void;
}

/**
 * Loads a model: bytes, or where they are. In Node.js a string without a scheme is a path.
 * @throws {OnnxrunError}
 */
export function load(source: Source, options?: LoadOptions): Promise<Model>;

/** "onnxrun 0.1.0 (kernels: none)" */
export function version(): Promise<string>;
