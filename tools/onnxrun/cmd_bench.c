/* cmd_bench.c: load, first run, and many runs. */
#define _POSIX_C_SOURCE 200809L
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tool.h"

enum { MOST_RUNS = 1000000, FEWEST_RUNS = 3, MOST_ROWS = 40 };

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

static int measure(const struct options *options, const struct loaded *l, const struct inputs *inputs,
                   struct timing *t) {
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
  return status == ONR_STATUS_OK ? EXIT_OK : report_run_failure(status, l, inputs, &error);
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

static int slower_first(const void *a, const void *b) {
  const uint64_t x = ((const struct onr_node_info *)a)->total_ns, y = ((const struct onr_node_info *)b)->total_ns;
  return x > y ? -1 : x < y;
}

/* The nodes, those that took most time first; NULL: out of memory. */
static struct onr_node_info *slowest_nodes(const struct loaded *l, size_t *count, double *total_ns) {
  *count = onr_session_num_nodes(l->session);
  *total_ns = 0;
  struct onr_node_info *nodes = malloc((*count + 1) * sizeof(*nodes));
  for (size_t i = 0; nodes && i < *count; i++) {
    onr_session_node(l->session, i, &nodes[i]);
    *total_ns += (double)nodes[i].total_ns;
  }
  if (nodes) qsort(nodes, *count, sizeof(*nodes), slower_first);
  return nodes;
}

static double mean_ms(const struct onr_node_info *node) {
  return (double)node->total_ns / (double)(node->runs ? node->runs : 1) / 1e6;
}

/* --- JSON --- */

static void add_inputs(cJSON *root, const struct inputs *inputs) {
  cJSON *shapes = cJSON_AddObjectToObject(root, "inputs"), *random = cJSON_AddArrayToObject(root, "random_inputs");
  cJSON *guessed = cJSON_AddObjectToObject(root, "guessed_dims");
  char text[640];
  for (size_t i = 0; i < inputs->list.count; i++) {
    const struct named_tensor *item = &inputs->list.items[i];
    cJSON *dims = cJSON_AddArrayToObject(shapes, item->name);
    for (int32_t d = 0; d < item->tensor.desc.rank; d++)
      cJSON_AddItemToArray(dims, cJSON_CreateNumber((double)item->tensor.desc.dim[d]));
    if (i >= inputs->num_files) cJSON_AddItemToArray(random, cJSON_CreateString(item->name));
  }
  for (size_t k = 0; k < inputs->num_guessed; k++) {
    const struct guess *guess = &inputs->guessed[k];
    cJSON_AddNumberToObject(guessed, dim_label(guess->info, guess->d, text, sizeof(text)), (double)guess->size);
  }
}

static int add_profile(cJSON *root, const struct loaded *l) {
  size_t count;
  double total_ns;
  struct onr_node_info *nodes = slowest_nodes(l, &count, &total_ns);
  cJSON *array = cJSON_AddArrayToObject(root, "profile");
  if (!nodes) return complain(EXIT_OTHER, "no memory for a profile");
  for (size_t i = 0; i < count; i++) {
    cJSON *item = cJSON_CreateObject();
    char text[160];
    cJSON_AddStringToObject(item, "layer", nodes[i].layer);
    cJSON_AddStringToObject(item, "kernel", onr_kernel_name(nodes[i].kernel));
    cJSON_AddStringToObject(item, "name", nodes[i].name);
    cJSON_AddStringToObject(item, "module", nodes[i].module_path);
    cJSON_AddStringToObject(
        item, "output",
        nodes[i].output.dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(&nodes[i].output, text, sizeof(text)));
    cJSON_AddNumberToObject(item, "ms", mean_ms(&nodes[i]));
    cJSON_AddNumberToObject(item, "share", total_ns > 0 ? (double)nodes[i].total_ns / total_ns : 0);
    cJSON_AddNumberToObject(item, "multiply_adds", (double)nodes[i].multiply_adds);
    cJSON_AddItemToArray(array, item);
  }
  free(nodes);
  return 0;
}

static int tell_json(const struct options *options, const struct loaded *l, const struct inputs *inputs,
                     const struct timing *t) {
  struct onr_model_info info;
  cJSON *root = cJSON_CreateObject();
  onr_model_get_info(l->model, &info);
  add_inputs(root, inputs);
  cJSON_AddStringToObject(root, "model", l->path);
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
  const int code = options->profile ? add_profile(root, l) : 0;
  if (code) {
    cJSON_Delete(root);
    return code;
  }
  return print_json(root, 1);
}

/* --- text --- */

static void print_time(const char *name, double ms) { printf("%-6s %10s", name, shown_time(ms).text); }

static void print_text(const struct loaded *l, const struct timing *t) {
  const uint32_t threads = onr_threads_count(l->threads);
  struct onr_model_info info;
  onr_model_get_info(l->model, &info);
  print_time("load", t->load_ms);
  print_time("\nfirst", t->first_ms);
  print_time("\nmin", t->min_ms);
  print_time("\nmedian", t->median_ms);
  print_time("\np90", t->p90_ms);
  printf("   (%zu runs, %u thread%s)\n", t->runs, threads, threads == 1 ? "" : "s");
  printf("memory %s weights, %s arena, %s peak of the process\n", shown_bytes_count((double)info.weight_bytes).text,
         shown_bytes_count((double)onr_session_arena_bytes(l->session)).text,
         shown_bytes_count((double)peak_rss()).text);
}

/* The nodes that take the most time, with their speed where multiply-adds are known. */
static int print_profile(const struct loaded *l) {
  size_t count;
  double total_ns;
  struct onr_node_info *nodes = slowest_nodes(l, &count, &total_ns);
  if (!nodes) return complain(EXIT_OTHER, "no memory for a profile");
  printf("\n%7s %10s %8s  %-18s %-8s %-28s %s\n", "share", "time", "GFLOP/s", "layer", "kernel", "output", "node");
  for (size_t i = 0; i < count && i < MOST_ROWS; i++) {
    const struct onr_node_info *n = &nodes[i];
    const double ms = mean_ms(n);
    char text[160];
    printf("%6.1f%% %10s %8.1f  %-18s %-8s %-28s %s\n", total_ns > 0 ? (double)n->total_ns / total_ns * 100 : 0,
           shown_time(ms).text, ms > 0 ? 2.0 * (double)n->multiply_adds / ms / 1e6 : 0, n->layer,
           onr_kernel_name(n->kernel),
           n->output.dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(&n->output, text, sizeof(text)),
           n->module_path[0] ? n->module_path : n->name);
  }
  if (count > MOST_ROWS) printf("%zu more nodes; --json has all\n", count - MOST_ROWS);
  free(nodes);
  return EXIT_OK;
}

int command_bench(const struct options *options) {
  struct loaded l;
  struct inputs inputs;
  struct timing t = {0};
  int code = load(options, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(options, &l, &inputs, NULL);
  if (!code) code = measure(options, &l, &inputs, &t);
  if (!code && options->json) {
    code = tell_json(options, &l, &inputs, &t);
  } else if (!code) {
    say_what_is_random(options, &inputs);
    print_text(&l, &t);
    if (options->profile) code = print_profile(&l);
  }
  unload(&l);
  clear_inputs(&inputs);
  return code;
}
