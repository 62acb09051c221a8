/* cmd_bench.c: load, first run, and many runs. */
#define _POSIX_C_SOURCE 200809L
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tool.h"

enum { MOST_RUNS = 1000000, FEWEST_RUNS = 3, MOST_ROWS = 40 };
enum { MOST_SAMPLES = 1001, SAMPLE_BYTES = 64 << 20 };

struct timing {
  double load_ms, first_ms, min_ms, median_ms, p90_ms;
  size_t runs;
};

/* With --profile: the times of each node in the last runs, so that its median stands beside the median of whole runs.
 */
struct samples {
  size_t nodes, capacity, runs; /* capacity: runs that are kept */
  uint64_t *total_ns;           /* [nodes], of all runs so far */
  uint64_t *ns;                 /* [nodes, capacity] */
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

/* --- times of nodes --- */

/* What a run has added to each node's total, which starts anew where a part was planned again. */
static void take_sample(const struct loaded *l, struct samples *s, int is_kept) {
  for (size_t i = 0; i < s->nodes; i++) {
    struct onr_node_info node = {.size = sizeof(node)};
    if (onr_session_node(l->session, i, &node) != ONR_STATUS_OK) continue;
    const uint64_t before = node.total_ns < s->total_ns[i] ? 0 : s->total_ns[i];
    if (is_kept) s->ns[i * s->capacity + s->runs % s->capacity] = node.total_ns - before;
    s->total_ns[i] = node.total_ns;
  }
  s->runs += is_kept;
}

/* After the first run, which counts for none. */
static int start_samples(const struct loaded *l, struct samples *s) {
  s->nodes = onr_session_num_nodes(l->session);
  s->capacity = SAMPLE_BYTES / sizeof(*s->ns) / (s->nodes + 1);
  if (s->capacity > MOST_SAMPLES) s->capacity = MOST_SAMPLES;
  if (s->capacity < FEWEST_RUNS) s->capacity = FEWEST_RUNS;
  s->total_ns = calloc(s->nodes + 1, sizeof(*s->total_ns));
  s->ns = calloc(s->nodes + 1, s->capacity * sizeof(*s->ns));
  if (!s->total_ns || !s->ns) return complain(EXIT_OTHER, "no memory for a profile");
  take_sample(l, s, 0);
  return 0;
}

static void clear_samples(struct samples *s) {
  free(s->total_ns);
  free(s->ns);
}

/* --- measuring --- */

static int measure(const struct options *options, const struct loaded *l, const struct inputs *inputs, struct timing *t,
                   struct samples *samples) {
  double *times = malloc(MOST_RUNS * sizeof(*times));
  struct onr_error error = {0};
  enum onr_status status;
  if (!times) return complain(EXIT_OTHER, "no memory for %d times", MOST_RUNS);
  t->load_ms = l->load_ms;
  t->first_ms = run_once(l, &status, &error);
  int code = status == ONR_STATUS_OK && options->profile ? start_samples(l, samples) : 0;
  const double end = now_ms() + options->seconds * 1e3;
  while (!code && status == ONR_STATUS_OK && t->runs < MOST_RUNS && (t->runs < FEWEST_RUNS || now_ms() < end)) {
    times[t->runs++] = run_once(l, &status, &error);
    if (options->profile) take_sample(l, samples, 1);
  }
  if (!code && status == ONR_STATUS_OK) {
    qsort(times, t->runs, sizeof(*times), smaller);
    t->min_ms = times[0];
    t->median_ms = times[t->runs / 2];
    t->p90_ms = times[t->runs * 9 / 10];
  }
  free(times);
  return status == ONR_STATUS_OK ? code : report_run_failure(status, options, l, inputs, &error);
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

/* --- the profile --- */

struct profile_row {
  struct onr_node_info node;
  double median_ms, share; /* of the sum of all medians */
};

struct profile {
  struct profile_row *rows; /* slowest first */
  size_t count, runs;       /* the medians are of the last `runs` */
};

static int slower_first(const void *a, const void *b) {
  const double x = ((const struct profile_row *)a)->median_ms, y = ((const struct profile_row *)b)->median_ms;
  return x > y ? -1 : x < y;
}

static int fewer(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* rows NULL: out of memory. Sorts the samples. */
static struct profile make_profile(const struct loaded *l, struct samples *s) {
  struct profile p = {.count = s->nodes, .runs = s->runs < s->capacity ? s->runs : s->capacity};
  const size_t now = onr_session_num_nodes(l->session);
  double sum = 0;
  if (now < p.count) p.count = now;
  p.rows = calloc(p.count + 1, sizeof(*p.rows));
  for (size_t i = 0; p.rows && i < p.count; i++) {
    uint64_t *ns = s->ns + i * s->capacity;
    p.rows[i].node = onr_node_info_init();
    onr_session_node(l->session, i, &p.rows[i].node);
    qsort(ns, p.runs, sizeof(*ns), fewer);
    p.rows[i].median_ms = (double)ns[p.runs / 2] / 1e6;
    sum += p.rows[i].median_ms;
  }
  for (size_t i = 0; p.rows && i < p.count && sum > 0; i++) p.rows[i].share = p.rows[i].median_ms / sum;
  if (p.rows) qsort(p.rows, p.count, sizeof(*p.rows), slower_first);
  return p;
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

static int add_profile(cJSON *root, const struct loaded *l, struct samples *samples) {
  const struct profile p = make_profile(l, samples);
  if (!p.rows) return complain(EXIT_OTHER, "no memory for a profile");
  cJSON_AddNumberToObject(root, "profile_runs", (double)p.runs);
  cJSON *array = cJSON_AddArrayToObject(root, "profile");
  for (size_t i = 0; i < p.count; i++) {
    const struct onr_node_info *n = &p.rows[i].node;
    cJSON *item = cJSON_CreateObject();
    char text[160];
    cJSON_AddStringToObject(item, "layer", n->layer);
    cJSON_AddStringToObject(item, "kernel", onr_kernel_name(n->kernel));
    cJSON_AddStringToObject(item, "name", n->name);
    cJSON_AddStringToObject(item, "module", n->module_path);
    cJSON_AddStringToObject(item, "output",
                            n->output.dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(&n->output, text, sizeof(text)));
    cJSON_AddNumberToObject(item, "median_ms", p.rows[i].median_ms);
    cJSON_AddNumberToObject(item, "share", p.rows[i].share);
    cJSON_AddNumberToObject(item, "multiply_adds", (double)n->multiply_adds);
    cJSON_AddItemToArray(array, item);
  }
  free(p.rows);
  return 0;
}

static int tell_json(const struct options *options, const struct loaded *l, const struct inputs *inputs,
                     const struct timing *t, struct samples *samples) {
  struct onr_model_info info = {.size = sizeof(info)};
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
  cJSON_AddBoolToObject(root, "packed", info.packed == ONR_PACKED_MAPPED);
  cJSON_AddStringToObject(root, "kernel_library", onr_kernel_library());
  const int code = options->profile ? add_profile(root, l, samples) : 0;
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
  struct onr_model_info info = {.size = sizeof(info)};
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
static int print_profile(const struct loaded *l, struct samples *samples) {
  const struct profile p = make_profile(l, samples);
  if (!p.rows) return complain(EXIT_OTHER, "no memory for a profile");
  printf("\nprofile: medians of %s%zu runs\n", p.runs < samples->runs ? "the last " : "", p.runs);
  printf("%7s %10s %8s  %-18s %-8s %-28s %s\n", "share", "median", "GFLOP/s", "layer", "kernel", "output", "node");
  for (size_t i = 0; i < p.count && i < MOST_ROWS; i++) {
    const struct onr_node_info *n = &p.rows[i].node;
    const double ms = p.rows[i].median_ms;
    char text[160];
    printf("%6.1f%% %10s %8.1f  %-18s %-8s %-28s %s\n", p.rows[i].share * 100, shown_time(ms).text,
           ms > 0 ? 2.0 * (double)n->multiply_adds / ms / 1e6 : 0, n->layer, onr_kernel_name(n->kernel),
           n->output.dtype == ONR_DTYPE_NONE ? "?" : onr_desc_format(&n->output, text, sizeof(text)),
           n->module_path[0] ? n->module_path : n->name);
  }
  if (p.count > MOST_ROWS) printf("%zu more nodes; --json has all\n", p.count - MOST_ROWS);
  free(p.rows);
  return EXIT_OK;
}

int command_bench(const struct options *options) {
  struct loaded l;
  struct inputs inputs;
  struct timing t = {0};
  struct samples samples = {0};
  if (options->kernels) return bench_kernels(options);
  int code = load(options, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(options, &l, &inputs, NULL);
  if (!code) code = measure(options, &l, &inputs, &t, &samples);
  if (!code && options->json) {
    code = tell_json(options, &l, &inputs, &t, &samples);
  } else if (!code) {
    say_what_is_random(options, &inputs);
    print_text(&l, &t);
    if (options->profile) code = print_profile(&l, &samples);
  }
  clear_samples(&samples);
  unload(&l);
  clear_inputs(&inputs);
  return code;
}
