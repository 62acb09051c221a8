/* peak.c: what the machine can do at most: multiply-adds from registers, and bytes from memory, on some threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Chains of multiply-adds that do not wait for each other, in vectors of the widest kind that the processor has. */
enum { CHAINS = 16, TURNS = 20000, ROUNDS = 12, MOST_THREADS = 64 };
enum { BYTES = 32 << 20 }; /* a thread; more than caches hold */

#define CHAIN_BODY(bytes)                                      \
  typedef float vec __attribute__((vector_size(bytes)));       \
  vec a[CHAINS], m = (vec){0} + scale, sum = {0};              \
  for (int i = 0; i < CHAINS; i++) a[i] = (vec){0} + (float)i; \
  for (int t = 0; t < TURNS; t++)                              \
    for (int i = 0; i < CHAINS; i++) a[i] = a[i] * m + m;      \
  for (int i = 0; i < CHAINS; i++) sum += a[i];                \
  *sink = sum[0];                                              \
  return 2.0 * CHAINS * TURNS * (bytes) / sizeof(float);

static double chains_16(float scale, volatile float *sink) { CHAIN_BODY(16) }
#ifdef __x86_64__
__attribute__((target("avx2,fma"))) static double chains_32(float scale, volatile float *sink) { CHAIN_BODY(32) }
__attribute__((target("avx512f"))) static double chains_64(float scale, volatile float *sink) { CHAIN_BODY(64) }
#endif

static double chains(float scale, volatile float *sink) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return chains_64(scale, sink);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return chains_32(scale, sink);
#endif
  return chains_16(scale, sink);
}

struct worker {
  pthread_t thread;
  uint64_t *data;
  double operations_ms, bytes_ms; /* the best round's */
  double operations;
};

static void keep_best(double *best, double ms) {
  if (ms > 0 && (*best == 0 || ms < *best)) *best = ms;
}

static void multiply(struct worker *w) {
  volatile float sink;
  const double start = now_ms();
  w->operations = chains(0.5f, &sink);
  keep_best(&w->operations_ms, now_ms() - start);
}

static void read_all(struct worker *w) {
  volatile uint64_t keep;
  uint64_t sum[8] = {0};
  const double start = now_ms();
  for (size_t i = 0; i < BYTES / sizeof(*w->data); i += 8)
    for (size_t k = 0; k < 8; k++) sum[k] += w->data[i + k];
  keep_best(&w->bytes_ms, now_ms() - start);
  keep = sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
  (void)keep;
}

static void *work(void *argument) {
  for (int round = 0; round < ROUNDS; round++) multiply(argument);
  for (int round = 0; round < ROUNDS; round++) read_all(argument);
  return NULL;
}

struct peak measure_peak(uint32_t threads) {
  struct peak peak = {0};
  if (threads > MOST_THREADS) threads = MOST_THREADS;
  struct worker *workers = calloc(threads, sizeof(*workers));
  uint64_t *data = calloc(threads, BYTES);
  uint32_t started = 0;
  for (; workers && data && started < threads; started++) {
    workers[started].data = data + started * (BYTES / sizeof(*data));
    memset(workers[started].data, 1, BYTES);
  }
  for (started = 0; workers && data && started + 1 < threads; started++)
    if (pthread_create(&workers[started].thread, NULL, work, &workers[started])) break;
  if (workers && data) work(&workers[threads - 1]);
  for (uint32_t i = 0; i < started; i++) pthread_join(workers[i].thread, NULL);
  for (uint32_t i = 0; workers && data && i < threads; i++) {
    if (workers[i].operations_ms > 0) peak.gflops += workers[i].operations / workers[i].operations_ms / 1e6;
    if (workers[i].bytes_ms > 0) peak.gbytes += BYTES / workers[i].bytes_ms / 1e6;
  }
  free(workers);
  free(data);
  return peak;
}
