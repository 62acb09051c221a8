/* bench: load, first run, and many runs. */
#define _POSIX_C_SOURCE 200809L
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tool.h"

enum { MOST_RUNS = 1000000, FEWEST_RUNS = 3 };

struct timing {
  double load_ms, first_ms, min_ms, median_ms, p90_ms;
  size_t runs;
};

static int smaller(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double run_once(const struct loaded *l, enum onr_status *status, struct onr_error *error) {
  const double start = now_ms();
  *status = onr_session_run(l->session, error);
  return now_ms() - start;
}

static int measure(const struct options *options, const struct loaded *l, struct timing *t) {
  double *times = malloc(MOST_RUNS * sizeof(*times));
  struct onr_error error = {0};
  enum onr_status status;
  if (!times) return complain(EXIT_OTHER, "no memory for %d times", MOST_RUNS);
  t->load_ms = l->load_ms;
  t->first_ms = run_once(l, &status, &error);
  const double end = now_ms() + options->seconds * 1e3;
  while (status == ONR_STATUS_OK && t->runs < MOST_RUNS && (t->runs < FEWEST_RUNS || now_ms() < end))
    times[t->runs++] = run_once(l, &status, &error);
  if (status == ONR_STATUS_OK) {
    qsort(times, t->runs, sizeof(*times), smaller);
    t->min_ms = times[0];
    t->median_ms = times[t->runs / 2];
    t->p90_ms = times[t->runs * 9 / 10];
  }
  free(times);
  return status == ONR_STATUS_OK ? EXIT_OK : report_failure(status, &error);
}

/* Linux's own count starts anew with each program; getrusage's goes on from the program that started this one. */
static int64_t peak_rss(void) {
  FILE *file = fopen("/proc/self/status", "r");
  struct rusage usage;
  char line[256];
  long long kib = 0;
  while (file && !kib && fgets(line, sizeof(line), file))
    if (sscanf(line, "VmHWM: %lld kB", &kib) != 1) kib = 0;
  if (file) fclose(file);
  if (kib) return kib * 1024;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

static void print_json(const struct options *options, const struct loaded *l, const struct tensor_list *inputs, const struct timing *t) {
  struct onr_model_info info;
  cJSON *root = cJSON_CreateObject(), *shapes = cJSON_AddObjectToObject(root, "inputs");
  onr_model_get_info(l->model, &info);
  cJSON_AddStringToObject(root, "model", options->paths[0]);
  cJSON_AddNumberToObject(root, "threads", onr_threads_count(l->threads));
  cJSON_AddNumberToObject(root, "load_ms", t->load_ms);
  cJSON_AddNumberToObject(root, "first_ms", t->first_ms);
  cJSON_AddNumberToObject(root, "min_ms", t->min_ms);
  cJSON_AddNumberToObject(root, "median_ms", t->median_ms);
  cJSON_AddNumberToObject(root, "p90_ms", t->p90_ms);
  cJSON_AddNumberToObject(root, "runs", (double)t->runs);
  cJSON_AddNumberToObject(root, "arena_bytes", (double)onr_session_arena_bytes(l->session));
  cJSON_AddNumberToObject(root, "weight_bytes", (double)info.weight_bytes);
  cJSON_AddNumberToObject(root, "peak_rss_bytes", (double)peak_rss());
  cJSON_AddStringToObject(root, "kernel_library", onr_kernel_library());
  for (size_t i = 0; i < inputs->count; i++) {
    cJSON *dims = cJSON_AddArrayToObject(shapes, inputs->items[i].name);
    for (int32_t d = 0; d < inputs->items[i].tensor.desc.rank; d++)
      cJSON_AddItemToArray(dims, cJSON_CreateNumber((double)inputs->items[i].tensor.desc.dim[d]));
  }
  char *text = cJSON_PrintUnformatted(root);
  puts(text ? text : "{}");
  free(text);
  cJSON_Delete(root);
}

static void print_text(const struct loaded *l, const struct timing *t) {
  struct onr_model_info info;
  onr_model_get_info(l->model, &info);
  printf("load   %9.3f ms\nfirst  %9.3f ms\nmin    %9.3f ms\nmedian %9.3f ms\np90    %9.3f ms   (%zu runs, %u thread%s)\n", t->load_ms,
         t->first_ms, t->min_ms, t->median_ms, t->p90_ms, t->runs, onr_threads_count(l->threads),
         onr_threads_count(l->threads) == 1 ? "" : "s");
  printf("memory %9.1f MiB weights, %.1f MiB arena, %.1f MiB peak of the process\n", (double)info.weight_bytes / 1048576,
         (double)onr_session_arena_bytes(l->session) / 1048576, (double)peak_rss() / 1048576);
}

static int slower_first(const void *a, const void *b) {
  const uint64_t x = ((const struct onr_node_info *)a)->total_ns, y = ((const struct onr_node_info *)b)->total_ns;
  return x > y ? -1 : x < y;
}

/* The nodes that take the most time, with their speed where multiply-adds are known. */
static int print_profile(const struct loaded *l) {
  const size_t count = onr_session_num_nodes(l->session);
  struct onr_node_info *nodes = malloc((count + 1) * sizeof(*nodes));
  double total = 0;
  if (!nodes) return complain(EXIT_OTHER, "no memory for a profile");
  for (size_t i = 0; i < count; i++) {
    onr_session_node(l->session, i, &nodes[i]);
    total += (double)nodes[i].total_ns;
  }
  qsort(nodes, count, sizeof(*nodes), slower_first);
  printf("\n%7s %9s %8s  %-18s %-8s %-28s %s\n", "share", "us", "GFLOP/s", "layer", "kernel", "output", "node");
  for (size_t i = 0; i < count && i < 40; i++) {
    const struct onr_node_info *n = &nodes[i];
    const double us = (double)n->total_ns / (double)(n->runs ? n->runs : 1) / 1e3;
    char text[160];
    printf("%6.1f%% %9.1f %8.1f  %-18s %-8s %-28s %s\n", total > 0 ? (double)n->total_ns / total * 100 : 0, us,
           us > 0 ? 2.0 * (double)n->multiply_adds / us / 1e3 : 0, n->layer, onr_kernel_name(n->kernel), onr_desc_format(&n->output, text, sizeof(text)),
           n->module_path[0] ? n->module_path : n->name);
  }
  free(nodes);
  return EXIT_OK;
}

int command_bench(const struct options *options) {
  struct loaded l;
  struct tensor_list inputs = {0};
  struct timing t = {0};
  int code = load(options, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(options, &l, &inputs);
  if (!code) code = measure(options, &l, &t);
  if (!code && options->json) print_json(options, &l, &inputs, &t);
  else if (!code) print_text(&l, &t);
  if (!code && options->profile && !options->json) code = print_profile(&l);
  unload(&l);
  list_clear(&inputs);
  return code;
}
