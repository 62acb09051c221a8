/* runtime.h: what the caller may hand in: memory, threads, limits, a cancel flag, a choice of kernels. */
#ifndef ONNXRUN_RUNTIME_H
#define ONNXRUN_RUNTIME_H

#include <stdint.h>

#include "onnxrun/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All memory of a model and its sessions comes from here. Thread rule: both functions may be called from several
 * threads at once. allocate returns NULL on failure; alignment is a power of two, at most 4096. release accepts NULL.
 */
struct onr_allocator {
  void *context;
  void *(*allocate)(void *context, size_t bytes, size_t alignment);
  void (*release)(void *context, void *memory);
};

/* Bounds on what a file, or the shapes given at run time, can make the library do. 0 means the default in brackets.
 * What goes beyond one fails with LIMIT and a message that names it. */
struct onr_limits {
  size_t size;         /* sizeof(struct onr_limits), see api.h */
  uint64_t file_bytes; /* the model file without lifted tensor data [2 GiB] */
  uint64_t nodes;      /* nodes of all graphs together, after functions are inlined and nodes of many inputs written out
                          [1,000,000] */
  uint64_t depth;      /* nested graphs and functions [64] */
  uint64_t name_bytes; /* one name in the file [65,536] */
  uint64_t tensor_bytes; /* one tensor in memory [16 GiB, 1 GiB with 32-bit pointers, and no more than total_bytes'
                            default] */
  uint64_t total_bytes;  /* all memory of a model with one session, while loading too [half of what the machine, or the
                            container, has;  2 GiB at most with 32-bit pointers, and where it cannot be asked] */
  uint64_t loop_iterations; /* all iterations of all Loop and Scan nodes in one run [10,000,000] */
  uint64_t plan_bytes; /* plans that one session keeps, those of loop bodies and what kernels hold for them included;
                          the least recently used go first [64 MiB, and beside the largest plan no more than 2 MiB or an
                          eighth of what the model and the session hold] */
  uint64_t work; /* operations of one run, as the shapes tell before it begins: multiply-adds, or elements where there
                    are more; iterations of loops add up. More than the model's bytes deserve is refused rather than
                    run for hours [25 * 10^9, 16,384 for each byte of weights and inputs, and 1 for each pair of a byte
                    of the weights and a byte of the inputs; 10^12 take about a minute of optimised kernels] */
};
ONR_SIZED(onr_limits)

/* About one limit; static storage. */
struct onr_limit_info {
  size_t size;       /* sizeof(struct onr_limit_info), see api.h */
  const char *name;  /* "total_bytes" */
  const char *text;  /* what it bounds, in a few words */
  uint64_t standard; /* its default on this machine */
  int is_bytes;      /* else a count */
};
ONR_SIZED(onr_limit_info)
ONR_API size_t onr_num_limits(void);
/* ARGUMENT when index is out of range. */
ONR_API enum onr_status onr_limit(size_t index, struct onr_limit_info *info);
/* Sets a limit, of a struct that has its size, by its name to a number above 0, also with a unit behind it: of bytes K,
 * M, G or T or with iB (of 1024: "64M", "64MiB") or with B (of 1000: "64MB"), of counts k, M, G or T (of 1000).
 * ARGUMENT otherwise. */
ONR_API enum onr_status onr_limits_set(struct onr_limits *limits, const char *name, const char *value,
                                       struct onr_error *error);

/* A pool of threads. Idle threads sleep. One pool may serve many sessions, also at the same time: a layer that finds
 * the threads at work is computed by the thread that asks for it alone. */
struct onr_threads;
/* num_threads counts the calling thread; 0 means one for each core that the process may use. NULL allocator: malloc.
 * NO_MEMORY when the system does not start as many threads. */
ONR_API enum onr_status onr_threads_create(uint32_t num_threads, const struct onr_allocator *allocator,
                                           struct onr_threads **threads, struct onr_error *error);
/* Threads of the caller's own, instead of a pool of ours. */
struct onr_thread_pool {
  size_t size;          /* sizeof(struct onr_thread_pool), see api.h */
  uint32_t num_threads; /* that it has, the calling one counted; 1..1024 */
  void *context;        /* first argument of run */
  /* Calls task(argument, i) once for every i from 0 to count - 1, on any threads and in any order, also one after the
   * other, and returns when all have returned. count is at most num_threads. */
  void (*run)(void *context, size_t count, void (*task)(void *argument, size_t i), void *argument);
};
ONR_SIZED(onr_thread_pool)
/* pool is copied; its context must outlive the threads. XNNPACK takes its share of it where it was
 * built with onnxrun; an XNNPACK of the system runs on the calling thread. */
ONR_API enum onr_status onr_threads_create_custom(const struct onr_thread_pool *pool,
                                                  const struct onr_allocator *allocator, struct onr_threads **threads,
                                                  struct onr_error *error);
ONR_API uint32_t onr_threads_count(const struct onr_threads *threads); /* 1 for NULL */
ONR_API void onr_threads_destroy(struct onr_threads *threads);         /* accepts NULL */

/* A flag by which one thread, or a signal handler, stops what another one does: a load or a run that was given it ends
 * with CANCELLED within some 100 ms, and so does each that begins while it is set. The caller owns it and starts with a
 * zeroed one; it must outlive those that were given it. The functions below are atomic; flag is theirs alone. */
struct onr_cancel {
  int flag;
};
ONR_API void onr_cancel_set(struct onr_cancel *cancel);
ONR_API void onr_cancel_clear(struct onr_cancel *cancel);
ONR_API int onr_cancel_is_set(const struct onr_cancel *cancel); /* 0 for NULL */

enum onr_backend {
  ONR_BACKEND_AUTO = 0,     /* XNNPACK and tuned kernels where they are faster */
  ONR_BACKEND_PORTABLE = 1, /* the plain C reference of every layer */
};

/* How exact floating-point layers are. */
enum onr_precision {
  ONR_PRECISION_EXACT = 0, /* arithmetic of float32 (float64 where tensors are) */
  /* Products and convolutions with constant weights compute in float16 where the processor can and it is faster
   * (AVX512-FP16, ARMv8.2), and keep half of the weights' bytes: twice the speed there. Operands are scaled by powers
   * of two, so that none overflows, and rounded to 11 bits; 64 products at a time are added in float16, these sums in
   * float32. A result is wrong by 0.0012 of the root of the sum of its squared products mostly, by 66 * 2^-11 of the
   * sum of their sizes at most (and by 2^-26 of the largest ones for each product). Which layers do is told by struct
   * onr_node_info: method is HALF, or note says why not. */
  ONR_PRECISION_FAST = 1,
};

/* What computes a layer. */
enum onr_kernel {
  ONR_KERNEL_PORTABLE = 0, /* plain C: every layer has it */
  ONR_KERNEL_VECTOR = 1,   /* our own, in the widest variant that the processor has */
  ONR_KERNEL_XNNPACK = 2,
  ONR_NUM_KERNELS
};
/* By which method a convolution or a product is computed. A layer has a rule that chooses one. */
enum onr_method {
  ONR_METHOD_RULE = 0,       /* the rule's; of a node: there is but one */
  ONR_METHOD_DIRECT = 1,     /* plain loops */
  ONR_METHOD_DEPTHWISE = 2,  /* vectors of channels */
  ONR_METHOD_PRODUCT = 3,    /* packed weights times rows, or times panels of pixels */
  ONR_METHOD_WINOGRAD_2 = 4, /* Winograd's, tiles of so many outputs a side */
  ONR_METHOD_WINOGRAD_4 = 5,
  ONR_METHOD_WINOGRAD_6 = 6,
  ONR_METHOD_XNNPACK = 7, /* whatever XNNPACK does */
  ONR_METHOD_HALF = 8,    /* a product in float16, of ONR_PRECISION_FAST */
  ONR_NUM_METHODS
};
/* "rule", "direct", "winograd4" ...; "?" for another number. Static storage. */
ONR_API const char *onr_method_name(enum onr_method method);
/* "portable", "vector", "xnnpack"; "?" for another number. Static storage. */
ONR_API const char *onr_kernel_name(enum onr_kernel kernel);

#ifdef __cplusplus
}
#endif
#endif
