/* cmd_bench.c: load, first run, and many runs. */
#define _POSIX_C_SOURCE 200809L
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "profile.h"

enum { MOST_RUNS = 1000000, FEWEST_RUNS = 3 };

struct timing {
  double load_ms, first_ms, min_ms, median_ms, p90_ms;
  size_t runs;
};

static int smaller(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double run_once(const struct loaded *l, struct profile *profile, enum onr_status *status,
                       struct onr_error *error) {
  profile_begin(profile);
  const double start = now_ms();
  *status = onr_session_run(l->session, error);
  return now_ms() - start;
}

/* --- measuring --- */

static int measure(const struct options *options, const struct loaded *l, const struct inputs *inputs, struct timing *t,
                   struct profile *profile) {
  double *times = malloc(MOST_RUNS * sizeof(*times));
  struct onr_error error = {0};
  enum onr_status status;
  if (!times) return complain(EXIT_OTHER, "no memory for %d times", MOST_RUNS);
  t->load_ms = l->load_ms;
  t->first_ms = run_once(l, profile, &status, &error);
  const double end = now_ms() + options->seconds * 1e3;
  while (status == ONR_STATUS_OK && t->runs < MOST_RUNS && (t->runs < FEWEST_RUNS || now_ms() < end)) {
    times[t->runs++] = run_once(l, profile, &status, &error);
    profile_end(profile);
    progress("%zu runs, %.1f s to go", t->runs, end > now_ms() ? (end - now_ms()) / 1e3 : 0);
  }
  progress_end();
  if (status == ONR_STATUS_OK) {
    qsort(times, t->runs, sizeof(*times), smaller);
    t->min_ms = times[0];
    t->median_ms = times[t->runs / 2];
    t->p90_ms = times[t->runs * 9 / 10];
  }
  free(times);
  return status == ONR_STATUS_OK ? 0 : report_run_failure(status, options, l, inputs, &error);
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

static int tell_json(const struct options *options, const struct loaded *l, const struct inputs *inputs,
                     const struct timing *t, const struct profile *profile) {
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
  if (options->profile) profile_add_json(root, profile);
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

/* What follows is printed there. */
static int begin_output(const struct options *options) {
  const char *path = options->output;
  if (!path || !strcmp(path, "-")) return 0;
  const int code = check_kept(path);
  if (code || freopen(path, "w", stdout)) return code;
  return complain_file(path, "cannot be written");
}

static int end_output(const struct options *options, int code) {
  errno = 0;
  if (!options->output || (!fflush(stdout) && !ferror(stdout))) return code;
  clearerr(stdout);
  return complain_file(options->output, "cannot be written");
}

static int tell(const struct options *options, const struct loaded *l, const struct inputs *inputs,
                const struct timing *t, const struct profile *profile) {
  switch (options->json ? FORMAT_JSON : options->format) {
    case FORMAT_JSON: return tell_json(options, l, inputs, t, profile);
    case FORMAT_CSV: profile_csv(profile); return EXIT_OK;
    case FORMAT_TRACE: return profile_trace(profile, l->path);
    case FORMAT_TABLE: break;
  }
  say_what_is_random(options, inputs);
  print_text(l, t);
  if (options->profile) profile_print(profile);
  return EXIT_OK;
}

int command_bench(const struct options *options) {
  struct loaded l;
  struct inputs inputs;
  struct timing t = {0};
  struct profile profile = {0};
  struct options own = *options;
  if (options->kernels) return end_output(options, bench_kernels(options, begin_output));
  if (options->profile) {
    own.watch = profile_watch;
    own.watch_context = &profile;
  }
  int code = load(&own, options->paths[0], &l);
  if (code) return code;
  code = make_inputs(options, &l, &inputs, NULL);
  if (!code && options->output) code = check_kept(options->output); /* before the time is spent */
  if (!code) code = measure(options, &l, &inputs, &t, &profile);
  if (!code && options->profile) code = profile_finish(&profile);
  if (!code) code = begin_output(options);
  if (!code) code = end_output(options, tell(options, &l, &inputs, &t, &profile));
  profile_clear(&profile);
  unload(&l);
  clear_inputs(&inputs);
  return code;
}
