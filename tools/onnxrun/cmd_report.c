/* cmd_report.c: all that is known of a model and of a run of it, in one page. The page is a file that the build has put
 * together; here it gets its data. */
#define _POSIX_C_SOURCE 200809L /* readlink */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#include "onnxrun/version.h"
#include "report.h"

enum { FEWEST_RUNS = 5, MOST_RUNS = 100000, MOST_EVENTS = 20000 };

/* --- the page --- */

/* Where this program is; 0: nobody knows. */
static int find_tool(char *path, size_t size) {
#ifdef __APPLE__
  uint32_t room = (uint32_t)size;
  return !_NSGetExecutablePath(path, &room);
#else
  const ssize_t length = readlink("/proc/self/exe", path, size);
  if (length <= 0 || (size_t)length >= size) return 0;
  path[length] = '\0';
  return 1;
#endif
}

/* The files that the build has put beside the tool, or the installation in its place; 0: there are none. */
static int find_pages(char folder[4096]) {
  static const char *const places[] = {"/share/onnxrun/report", "/../share/onnxrun/report"};
  char path[4096 + 64], page[4096 + 128];
  if (!find_tool(path, 4000)) return 0;
  char *slash = strrchr(path, '/');
  for (size_t i = 0; slash && i < 2; i++) {
    memcpy(slash, places[i], strlen(places[i]) + 1);
    snprintf(page, sizeof(page), "%s/page.html", path);
    snprintf(folder, 4096, "%s", path);
    if (!access(page, R_OK)) return 1;
  }
  return 0;
}

/* All of a file, to be freed. */
static char *read_text(const char *folder, const char *name) {
  char path[4096 + 128], *text = NULL;
  long size = -1;
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (file && !fseek(file, 0, SEEK_END) && (size = ftell(file)) > 0) text = malloc((size_t)size + 1);
  if (text) {
    rewind(file);
    text[fread(text, 1, (size_t)size, file)] = '\0';
  }
  if (file) fclose(file);
  return text;
}

/* Puts the other parts where page.html names them: "@page.css@". Takes data. */
static int put_page(FILE *file, const char *folder, cJSON *data) {
  static const char *const parts[] = {"page.css", "data", "d3.min.js", "dagre.min.js", "page.js"};
  char *page = read_text(folder, "page.html");
  const char *at = page;
  int code = 0;
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && at && !code; i++) {
    char marker[64];
    snprintf(marker, sizeof(marker), "@%s@", parts[i]);
    const char *hole = strstr(at, marker);
    char *text = hole && strcmp(parts[i], "data") ? read_text(folder, parts[i]) : NULL;
    if (hole) fwrite(at, 1, (size_t)(hole - at), file);
    at = hole ? hole + strlen(marker) : NULL;
    if (text) {
      fputs(text, file);
    } else if (hole && data) {
      code = write_json(file, data, 1, "<>&");
      data = NULL;
    } else {
      at = NULL;
    }
    free(text);
  }
  if (at) fputs(at, file);
  else if (!code) code = complain(EXIT_OTHER, "report: %s is not complete; build or install once more", folder);
  cJSON_Delete(data);
  free(page);
  return code;
}

static int write_page(const char *path, const char *folder, cJSON *data) {
  const int is_stream = !strcmp(path, "-");
  FILE *file = is_stream ? stdout : fopen(path, "w");
  if (!file) {
    cJSON_Delete(data);
    return complain_file(path, "cannot be written");
  }
  int code = put_page(file, folder, data);
  if (is_stream) return code;
  errno = 0;
  const int failed = fflush(file) || ferror(file);
  if ((fclose(file) || failed) && !code) code = complain_file(path, "cannot be written");
  if (!code) printf("%s: open it in a browser\n", shown(path).text);
  return code;
}

/* --- a run --- */

struct reporter {
  struct profile profile;
  struct report_graph graph;
  int is_timed;
  double first_ms, min_ms, median_ms;
};

static void watch(void *context, const struct onr_node_run *run) {
  struct reporter *r = context;
  if (r->is_timed) profile_watch(&r->profile, run);
  else report_take_node(&r->graph, run);
}

static int smaller(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The first run, those that are timed, and one more that is looked at. */
static enum onr_status measure(const struct options *options, const struct loaded *l, struct reporter *r,
                               struct onr_error *error) {
  double *times = malloc(MOST_RUNS * sizeof(*times)), start = now_ms();
  const double end = start + options->seconds * 1e3;
  enum onr_status status = ONR_STATUS_OK;
  size_t runs = 0;
  r->is_timed = 1;
  for (size_t i = 0; times && status == ONR_STATUS_OK && runs < MOST_RUNS && (runs < FEWEST_RUNS || now_ms() < end);
       i++) {
    profile_begin(&r->profile);
    start = now_ms();
    status = onr_session_run(l->session, error);
    if (!i) {
      r->first_ms = now_ms() - start;
      continue;
    }
    times[runs++] = now_ms() - start;
    profile_end(&r->profile);
  }
  if (runs) {
    qsort(times, runs, sizeof(*times), smaller);
    r->min_ms = times[0];
    r->median_ms = times[runs / 2];
  }
  free(times);
  return status;
}

static int run(const struct options *options, const struct loaded *l, const struct inputs *inputs, struct reporter *r) {
  struct onr_error error = {0};
  enum onr_status status = measure(options, l, r, &error);
  int code = status == ONR_STATUS_OK ? profile_finish(&r->profile) : 0;
  if (status == ONR_STATUS_OK && !code) {
    r->is_timed = 0;
    r->graph.profile = &r->profile;
    r->graph.nodes = cJSON_CreateArray();
    status = onr_session_run(l->session, &error);
    if (r->graph.no_memory) code = complain(EXIT_OTHER, "no memory for a report");
  }
  return status == ONR_STATUS_OK ? code : report_run_failure(status, options, l, inputs, &error);
}

/* --- data --- */

static void add_processor(cJSON *machine) {
  FILE *file = fopen("/proc/cpuinfo", "r");
  char line[256];
  while (file && fgets(line, sizeof(line), file)) {
    char *colon = strstr(line, ": ");
    if (strncmp(line, "model name", 10) || !colon) continue;
    colon[strcspn(colon, "\n")] = '\0';
    cJSON_AddStringToObject(machine, "processor", colon + 2);
    break;
  }
  if (file) fclose(file);
}

static void add_machine(cJSON *root, const struct loaded *l) {
  cJSON *machine = cJSON_AddObjectToObject(root, "machine");
  const uint32_t threads = onr_threads_count(l->threads);
  const struct peak peak = measure_peak(threads);
  add_processor(machine);
  cJSON_AddNumberToObject(machine, "threads", threads);
  cJSON_AddNumberToObject(machine, "peak_gflops", peak.gflops);
  cJSON_AddNumberToObject(machine, "peak_gbytes", peak.gbytes);
  cJSON_AddStringToObject(machine, "version", onr_version());
  cJSON_AddStringToObject(machine, "kernel_library", onr_kernel_library());
}

static void add_model(cJSON *root, const struct loaded *l) {
  struct onr_model_info info = {.size = sizeof(info)};
  cJSON *model = cJSON_AddObjectToObject(root, "model");
  const char *slash = strrchr(l->path, '/');
  onr_model_get_info(l->model, &info);
  cJSON_AddStringToObject(model, "file", slash ? slash + 1 : l->path);
  cJSON_AddStringToObject(model, "path", l->path);
  cJSON_AddStringToObject(model, "graph", info.graph_name);
  cJSON_AddStringToObject(model, "producer", info.producer_name);
  cJSON_AddStringToObject(model, "producer_version", info.producer_version);
  cJSON_AddNumberToObject(model, "opset", (double)info.opset);
  cJSON_AddNumberToObject(model, "parameters", (double)info.parameters);
  cJSON_AddNumberToObject(model, "weight_bytes", (double)info.weight_bytes);
  cJSON_AddNumberToObject(model, "nodes_in_file", (double)info.num_nodes_in_file);
}

static void add_modules(cJSON *root, const struct onr_model *model) {
  cJSON *array = cJSON_AddArrayToObject(root, "module_kinds");
  for (size_t i = 0; i < onr_model_num_modules(model); i++) {
    const struct onr_module_info *m = onr_model_module(model, i);
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "path", m->path);
    cJSON_AddStringToObject(item, "kind", m->kind);
    cJSON_AddNumberToObject(item, "parameters", (double)m->parameters);
    cJSON_AddItemToArray(array, item);
  }
}

static void add_float_layers(cJSON *root, const struct onr_model *model) {
  cJSON *array = cJSON_AddArrayToObject(root, "float_layers");
  for (size_t i = 0; i < onr_model_num_float_layers(model); i++) {
    const struct onr_float_layer *f = onr_model_float_layer(model, i);
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "layer", f->layer);
    cJSON_AddStringToObject(item, "name", f->name);
    cJSON_AddStringToObject(item, "module", f->module_path);
    cJSON_AddStringToObject(item, "reason", f->reason);
    cJSON_AddItemToArray(array, item);
  }
}

static void add_inputs(cJSON *root, const struct loaded *l, const struct inputs *inputs) {
  cJSON *array = cJSON_AddArrayToObject(root, "inputs");
  char text[160];
  for (size_t i = 0; i < inputs->list.count; i++) {
    const struct named_tensor *x = &inputs->list.items[i];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", x->name);
    cJSON_AddStringToObject(item, "type", onr_desc_format(&x->tensor.desc, text, sizeof(text)));
    cJSON_AddBoolToObject(item, "random", i >= inputs->num_files);
    cJSON_AddItemToArray(array, item);
  }
  array = cJSON_AddArrayToObject(root, "outputs");
  for (size_t i = 0; i < onr_model_num_outputs(l->model); i++) {
    struct onr_tensor y;
    if (onr_session_get_output(l->session, i, &y, NULL) != ONR_STATUS_OK) continue;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "name", onr_model_output(l->model, i)->name);
    cJSON_AddStringToObject(item, "type", onr_desc_format(&y.desc, text, sizeof(text)));
    cJSON_AddItemToArray(array, item);
  }
}

/* [node, begin, duration] in microseconds; bodies are left out first where there are many. */
static void add_events(cJSON *root, const struct profile *p) {
  cJSON *array = cJSON_AddArrayToObject(root, "events");
  const int only_main = p->fastest.count > MOST_EVENTS;
  size_t kept = 0;
  for (size_t i = 0; i < p->fastest.count && kept < MOST_EVENTS; i++) {
    const struct profile_event *e = &p->fastest.events[i];
    if (only_main && p->nodes[e->node].parent != ONR_NO_NODE) continue;
    const double numbers[] = {(double)e->node, (double)(e->begin_ns - p->fastest.start_ns) / 1e3,
                              (double)(e->end_ns - e->begin_ns) / 1e3};
    cJSON_AddItemToArray(array, cJSON_CreateDoubleArray(numbers, 3));
    kept++;
  }
  cJSON_AddNumberToObject(root, "num_events", (double)(p->fastest.count + p->fastest.lost));
}

static cJSON *make_data(const struct loaded *l, const struct inputs *inputs, struct reporter *r,
                        struct report_file *file) {
  cJSON *root = cJSON_CreateObject(), *times = cJSON_AddObjectToObject(root, "times");
  add_model(root, l);
  add_machine(root, l);
  cJSON_AddNumberToObject(times, "load_ms", l->load_ms);
  cJSON_AddNumberToObject(times, "first_ms", r->first_ms);
  cJSON_AddNumberToObject(times, "min_ms", r->min_ms);
  cJSON_AddNumberToObject(times, "median_ms", r->median_ms);
  cJSON_AddNumberToObject(times, "runs", (double)r->profile.runs);
  add_inputs(root, l, inputs);
  cJSON_AddItemToObject(root, "values", report_values_json(&r->graph, l->model));
  cJSON_AddItemToObject(root, "memory", report_memory_json(&r->graph, onr_session_arena_bytes(l->session)));
  report_file_match(file, &r->graph, root);
  cJSON_AddItemToObject(root, "weights", report_file_weights(file));
  cJSON_AddItemToObject(root, "nodes", r->graph.nodes);
  r->graph.nodes = NULL;
  add_events(root, &r->profile);
  add_modules(root, l->model);
  add_float_layers(root, l->model);
  profile_add_json(root, &r->profile);
  return root;
}

int command_report(const struct options *options) {
  const char *path = options->output ? options->output : "report.html";
  struct options own = *options;
  struct reporter r = {0};
  struct report_file *file = NULL;
  struct loaded l = {0};
  struct inputs inputs = {0};
  char folder[4096];
  if (!find_pages(folder))
    return complain(EXIT_OTHER,
                    "report: this build has no page to fill in; install node-d3 and node-dagre-layout (so Debian and "
                    "Ubuntu call them; tools/setup does) and build once more");
  own.watch = watch;
  own.watch_context = &r;
  int code = report_file_read(options, &file);
  if (!code) code = load(&own, options->paths[0], &l);
  if (!code) code = make_inputs(&own, &l, &inputs, NULL);
  if (!code && strcmp(path, "-")) code = check_kept(path);
  if (!code) code = run(options, &l, &inputs, &r);
  if (!code) code = write_page(path, folder, make_data(&l, &inputs, &r, file));
  if (!code) say_what_is_random(options, &inputs);
  report_graph_clear(&r.graph);
  profile_clear(&r.profile);
  report_file_clear(file);
  unload(&l);
  clear_inputs(&inputs);
  return code;
}
