/* memory.h: the C library's memory for several threads. Its own functions are those of one: what Emscripten has for
 * more comes with threads of Emscripten's. */
#ifndef ONNXRUN_WASM_MEMORY_H
#define ONNXRUN_WASM_MEMORY_H

#include <onnxrun/onnxrun.h>

extern const struct onr_allocator onrw_allocator;

#endif
