/* team.h: threads that JavaScript has started, each with an instance of the module on the same memory, as a pool of
 * struct onr_thread_pool. There is no other way: WebAssembly starts no threads, and a page's own thread may not sleep.
 */
#ifndef ONNXRUN_WASM_TEAM_H
#define ONNXRUN_WASM_TEAM_H

#include <stddef.h>
#include <stdint.h>

/* Before any of the others calls team_work. may_wait: the thread that calls team_run is allowed to sleep. */
void team_begin(uint32_t num_threads, int may_wait);
/* Takes part in all that is run, as thread `index` from 1 on; does not return. */
void team_work(uint32_t index);
/* struct onr_thread_pool's; context is not used. */
void team_run(void *context, size_t count, void (*task)(void *argument, size_t i), void *argument);

#endif
