/* cmd_compare.c: what each layer writes, beside a reference: files, or the same model without rewrites in plain C.
 * Layers that were fused are compared by the value that they end in. */
#define _POSIX_C_SOURCE 200809L
#include <cjson/cJSON.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "print.h"
#include "step_values.h"

enum phase { TAKE_NAMES, TAKE_VALUES, COMPARE_VALUES };

struct comparison {
  const struct options *options;
  enum phase phase;
  struct step_counts counts;
  struct tensor_list names;     /* of values that the model as it is run has; without tensors */
  struct tensor_list reference; /* sorted by name, as names are once they are read */
  int is_main_only;             /* a reference from files has no turns of loops */
  int is_rounded;               /* 8-bit numbers are off by a step: what comes behind them is off by as much */
  size_t compared, different;
  struct line first; /* what is wrong with the first one that differs */
  cJSON *rows;       /* NULL: text */
  int no_memory;
};

/* --- names --- */

static int by_name(const void *left, const void *right) {
  const struct named_tensor *a = left, *b = right;
  return strcmp(a->name, b->name);
}

static void sort(struct tensor_list *list) {
  if (list->count) qsort(list->items, list->count, sizeof(*list->items), by_name);
}

static const struct named_tensor *find(const struct tensor_list *list, const char *name) {
  const struct named_tensor key = {.name = (char *)(uintptr_t)name};
  return list->count ? bsearch(&key, list->items, list->count, sizeof(*list->items), by_name) : NULL;
}

/* Files are named as run --dump-all does it. */
static const struct named_tensor *find_reference(const struct comparison *c, const char *key) {
  char clean[201];
  const struct named_tensor *found = find(&c->reference, key);
  file_name_of(key, clean, sizeof(clean));
  return found || !c->is_main_only ? found : find(&c->reference, clean);
}

/* --- two values --- */

struct distance {
  double rms;     /* of the differences, beside that of what is expected */
  double largest; /* difference */
  int64_t wrong, worst;
  double expected, found; /* at the worst place */
};

static double mean_square(const struct onr_tensor *x, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    const double v = number_at(x, i).real;
    if (isfinite(v)) sum += v * v;
  }
  return count ? sum / (double)count : 0;
}

/* An element is allowed A + R * (|expected| + rms of all that is expected): sums that cancel out are as far off as
 * what they are made of. */
static struct distance measure(const struct options *options, const struct onr_tensor *found,
                               const struct onr_tensor *expected) {
  const int is_complex = expected->desc.dtype == ONR_DTYPE_C64 || expected->desc.dtype == ONR_DTYPE_C128;
  const int64_t count = onr_desc_elements(&expected->desc) * (is_complex ? 2 : 1);
  const double rms = sqrt(mean_square(expected, count));
  struct distance d = {.worst = -1};
  double sum = 0, worst_excess = -1;
  for (int64_t i = 0; i < count; i++) {
    const struct number e = number_at(expected, i), f = number_at(found, i);
    if (e.real == f.real || (isnan(e.real) && isnan(f.real))) continue;
    const double off = fabs(f.real - e.real);
    const double allowed = e.kind == REAL ? options->atol + options->rtol * (fabs(e.real) + rms) : 0;
    const double excess = isnan(off) ? INFINITY : off - allowed;
    if (isfinite(off)) sum += off * off;
    if (off > d.largest || isnan(off)) d.largest = isnan(off) ? INFINITY : off;
    d.wrong += excess > 0;
    if (excess > worst_excess || d.worst < 0) {
      worst_excess = excess;
      d.worst = i;
      d.expected = e.real;
      d.found = f.real;
    }
  }
  d.rms = sum > 0 ? sqrt(sum / (double)count) / (rms > 0 ? rms : 1) : 0;
  return d;
}

/* "[0,3,1]" */
static struct shown place_of(const struct onr_desc *desc, int64_t i) {
  struct shown place = {"["};
  int64_t index[ONR_MAX_RANK];
  size_t used = 1;
  for (int32_t d = desc->rank; d-- > 0; i /= desc->dim[d]) index[d] = i % desc->dim[d];
  for (int32_t d = 0; d < desc->rank; d++)
    used += (size_t)snprintf(place.text + used, sizeof(place.text) - used, "%s%lld", d ? "," : "", (long long)index[d]);
  snprintf(place.text + used, sizeof(place.text) - used, "]");
  return place;
}

/* A real number between two quantized ones becomes the one or the other, so such values, and what is computed from
 * them, are looked at as a whole. */
static int is_rounding(struct comparison *c, const struct onr_tensor *expected, const struct distance *d) {
  const double allowed = 0.1;
  if (expected->desc.dtype == ONR_DTYPE_U8 || expected->desc.dtype == ONR_DTYPE_I8) c->is_rounded = 1;
  return c->is_rounded && isfinite(d->largest) && d->rms <= allowed;
}

/* Words for what is wrong; "": nothing is. */
static struct line judge(struct comparison *c, const struct onr_tensor *found, const struct onr_tensor *expected,
                         struct distance *d) {
  const struct onr_desc *f = &found->desc, *e = &expected->desc;
  struct line reason = {0};
  char a[160], b[160];
  int same = f->rank == e->rank;
  for (int32_t k = 0; same && k < f->rank; k++) same = f->dim[k] == e->dim[k];
  *d = (struct distance){.worst = -1, .rms = INFINITY, .largest = INFINITY};
  /* A rewrite may compute in another type of floats. */
  if (!same || (f->dtype != e->dtype && (number_at(found, 0).kind != REAL || number_at(expected, 0).kind != REAL))) {
    line_add(&reason, "expected %s, found %s", onr_desc_format(e, a, sizeof(a)), onr_desc_format(f, b, sizeof(b)));
    return reason;
  }
  *d = measure(c->options, found, expected);
  if (d->wrong && !is_rounding(c, expected, d))
    line_add(&reason, "%lld of %lld elements differ; worst at %s: expected %.9g, found %.9g", (long long)d->wrong,
             (long long)onr_desc_elements(e), place_of(e, d->worst).text, d->expected, d->found);
  return reason;
}

/* --- rows --- */

static void add_row(struct comparison *c, const struct onr_node_run *run, const struct onr_node_info *info,
                    const struct step_value *value, const struct distance *d, const char *reason) {
  cJSON *row = cJSON_CreateObject();
  char text[160];
  cJSON_AddStringToObject(row, "value", value->key);
  cJSON_AddStringToObject(row, "type", onr_desc_format(&value->tensor.desc, text, sizeof(text)));
  cJSON_AddNumberToObject(row, "node", (double)run->node);
  cJSON_AddStringToObject(row, "layer", info->layer);
  cJSON_AddStringToObject(row, "operator", info->op_type);
  cJSON_AddStringToObject(row, "name", info->name);
  cJSON_AddStringToObject(row, "module", info->module_path);
  cJSON_AddStringToObject(row, "source", info->source);
  cJSON_AddBoolToObject(row, "agrees", !reason[0]);
  if (isfinite(d->rms)) cJSON_AddNumberToObject(row, "rms_error", d->rms);
  if (isfinite(d->largest)) cJSON_AddNumberToObject(row, "largest_difference", d->largest);
  if (reason[0]) cJSON_AddStringToObject(row, "reason", reason);
  cJSON_AddItemToArray(c->rows, row);
}

static void print_row(const struct onr_node_info *info, const struct step_value *value, const struct distance *d,
                      const char *reason, int is_first) {
  char text[160];
  if (is_first) printf("%4s %9s %9s  %-18s %-26s %s\n", "", "rms error", "largest", "layer", "output", "value");
  printf("%s%-4s%s %9.2g %9.2g  %-18s %-26s %s%s%s\n", colour(stdout, reason[0] ? RED : GREEN).text,
         reason[0] ? "FAIL" : "ok", no_colour(stdout), d->rms, d->largest, info->layer,
         onr_desc_format(&value->tensor.desc, text, sizeof(text)), shown(value->key).text,
         info->module_path[0] ? " in " : "", info->module_path);
}

static void compare(struct comparison *c, const struct onr_node_run *run, const struct step_value *value) {
  const struct named_tensor *reference = find_reference(c, value->key);
  struct onr_node_info info = {.size = sizeof(info)};
  struct distance d;
  if (!reference) return;
  onr_node_run_info(run, &info);
  const struct line reason = judge(c, &value->tensor, &reference->tensor, &d);
  c->compared++;
  if (reason.text[0] && !c->different++)
    line_add(&c->first, "node %zu, %s (%s%s%s%s%s), writes '%s': %s", run->node, info.layer, info.op_type,
             info.module_path[0] ? " in "
             : info.name[0]      ? " "
                                 : "",
             info.module_path[0] ? info.module_path : info.name, info.source[0] ? " at " : "", info.source,
             shown(value->key).text, reason.text);
  if (c->rows) add_row(c, run, &info, value, &d, reason.text);
  else print_row(&info, value, &d, reason.text, c->compared == 1);
}

/* --- runs --- */

static void take(struct comparison *c, const struct step_value *value) {
  const size_t bytes = onr_desc_bytes(&value->tensor.desc);
  if (c->phase == TAKE_VALUES && !find(&c->names, value->key)) return;
  struct named_tensor *item = list_add(c->phase == TAKE_NAMES ? &c->names : &c->reference, value->key);
  void *copy = item && c->phase == TAKE_VALUES ? malloc(bytes + 1) : NULL;
  if (!item || (c->phase == TAKE_VALUES && !copy)) c->no_memory = 1;
  if (!copy) return;
  memcpy(copy, value->tensor.data, bytes);
  item->tensor = (struct onr_tensor){value->tensor.desc, copy};
}

static void watch(void *context, const struct onr_node_run *run) {
  struct comparison *c = context;
  struct step_value value;
  if (c->is_main_only && run->parent != ONR_NO_NODE) return;
  for (size_t i = 0; i < run->num_outputs && !c->no_memory; i++) {
    if (step_value(&c->counts, run, i, &value)) {
      if (c->phase == COMPARE_VALUES) compare(c, run, &value);
      else take(c, &value);
    }
    free(value.copy);
  }
}

static int run_phase(struct comparison *c, const struct loaded *l, const struct inputs *inputs, enum phase phase) {
  struct onr_error error = {0};
  c->phase = phase;
  step_counts_clear(&c->counts);
  const enum onr_status status = onr_session_run(l->session, &error);
  if (status != ONR_STATUS_OK) return report_run_failure(status, c->options, l, inputs, &error);
  if (c->no_memory) return complain(EXIT_OTHER, "no memory for what the layers write");
  if (phase == TAKE_NAMES) sort(&c->names);
  if (phase == TAKE_VALUES) sort(&c->reference);
  return 0;
}

/* The inputs of another session of the same model. */
static int share_inputs(const struct loaded *l, const struct inputs *inputs) {
  struct onr_error error = {0};
  for (size_t i = 0; i < inputs->list.count; i++) {
    const int index = onr_model_find_input(l->model, inputs->list.items[i].name);
    const enum onr_status status =
        onr_session_set_input(l->session, (size_t)index, &inputs->list.items[i].tensor, &error);
    if (status != ONR_STATUS_OK) return report_failure(status, l->path, &error);
  }
  return 0;
}

/* The reference that needs no file: no rewrites, plain C. */
static int run_portable(struct comparison *c, const struct inputs *inputs) {
  struct options own = *c->options;
  struct loaded l = {0};
  own.backend = ONR_BACKEND_PORTABLE;
  own.disabled_passes = "all";
  own.packed = NULL;
  own.watch = watch;
  own.watch_context = c;
  int code = load(&own, c->options->paths[0], &l);
  if (!code) code = share_inputs(&l, inputs);
  if (!code) code = run_phase(c, &l, inputs, TAKE_VALUES);
  unload(&l);
  return code;
}

/* --- references from files --- */

static int has_ending(const char *name, const char *ending) {
  const size_t length = strlen(name), n = strlen(ending);
  return length > n && !strcmp(name + length - n, ending);
}

/* What has no name has that of its file. */
static int read_file(struct comparison *c, const char *path, const char *file) {
  const size_t before = c->reference.count;
  char stem[256];
  const int code = read_values(c->options, path, ONR_DTYPE_NONE, &c->reference);
  snprintf(stem, sizeof(stem), "%.*s", (int)strcspn(file, "/"), file);
  char *dot = strrchr(stem, '.');
  if (dot) *dot = '\0';
  if (!code && c->reference.count == before + 1 && !c->reference.items[before].name[0])
    return list_rename(&c->reference.items[before], stem) ? 0 : complain(EXIT_OTHER, "%s: no memory", path);
  return code;
}

static int read_folder(struct comparison *c, const char *folder) {
  struct dirent **entries = NULL;
  const int count = scandir(folder, &entries, NULL, alphasort);
  int code = count < 0 ? complain_file(folder, "cannot be read") : 0;
  for (int i = 0; i < count; i++) {
    char path[4096];
    const char *name = entries[i]->d_name;
    const int fits = snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path);
    if (!code && fits && (has_ending(name, ".npy") || has_ending(name, ".npz") || has_ending(name, ".pb")))
      code = read_file(c, path, name);
    free(entries[i]);
  }
  free(entries);
  return code;
}

static int read_reference(struct comparison *c) {
  const char *path = c->options->reference;
  const char *slash = strrchr(path, '/');
  struct stat info;
  c->is_main_only = 1;
  const int is_folder = !stat(path, &info) && S_ISDIR(info.st_mode);
  const int code = is_folder ? read_folder(c, path) : read_file(c, path, slash ? slash + 1 : path);
  sort(&c->reference);
  return code;
}

/* A reference may hold the inputs that it was computed from: those that are not given. */
static int take_inputs(const struct comparison *c, const struct loaded *l, const struct inputs *inputs) {
  struct onr_error error = {0};
  for (size_t i = 0; i < onr_model_num_inputs(l->model); i++) {
    const char *name = onr_model_input(l->model, i)->name;
    const struct named_tensor *given = list_find(&inputs->list, name);
    if (given && (size_t)(given - inputs->list.items) < inputs->num_files) continue;
    const struct named_tensor *x = find_reference(c, name);
    const enum onr_status status = x ? onr_session_set_input(l->session, i, &x->tensor, &error) : ONR_STATUS_OK;
    if (status != ONR_STATUS_OK) return report_failure(status, c->options->reference, &error);
  }
  return 0;
}

/* --- the command --- */

static int tell(struct comparison *c) {
  const char *with = c->options->reference ? c->options->reference : "plain C without rewrites";
  if (!c->compared)
    return complain(EXIT_USAGE, "%s: has none of the values that the model writes; names are those of the file", with);
  if (c->rows) {
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "reference", with);
    cJSON_AddNumberToObject(root, "compared", (double)c->compared);
    cJSON_AddNumberToObject(root, "different", (double)c->different);
    if (c->different) cJSON_AddStringToObject(root, "first", c->first.text);
    cJSON_AddItemToObject(root, "values", c->rows);
    c->rows = NULL;
    const int code = print_json(root, 0);
    return code ? code : c->different ? EXIT_DIFFERENT : EXIT_OK;
  }
  printf("%zu values compared with %s, %zu differ\n", c->compared, shown(with).text, c->different);
  if (!c->different) return EXIT_OK;
  printf("first: %s\n", c->first.text);
  return EXIT_DIFFERENT;
}

int command_compare(const struct options *options) {
  struct comparison c = {.options = options, .rows = options->json ? cJSON_CreateArray() : NULL};
  struct options own = *options;
  struct inputs inputs = {0};
  struct loaded l = {0};
  own.watch = watch;
  own.watch_context = &c;
  int code = options->reference ? read_reference(&c) : 0;
  if (!code) code = load(&own, options->paths[0], &l);
  if (!code) code = make_inputs(&own, &l, &inputs, NULL);
  if (!code && options->reference) code = take_inputs(&c, &l, &inputs);
  if (!code && !options->reference) code = run_phase(&c, &l, &inputs, TAKE_NAMES);
  if (!code && !options->reference) code = run_portable(&c, &inputs);
  if (!code) code = run_phase(&c, &l, &inputs, COMPARE_VALUES);
  if (!code) code = tell(&c);
  if (!options->reference && (!code || code == EXIT_DIFFERENT)) say_what_is_random(options, &inputs);
  cJSON_Delete(c.rows);
  step_counts_clear(&c.counts);
  list_clear(&c.names);
  list_clear(&c.reference);
  unload(&l);
  clear_inputs(&inputs);
  return code;
}
