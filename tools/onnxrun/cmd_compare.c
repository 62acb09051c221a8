/* cmd_compare.c: what each layer writes, beside a reference: files, or the same model without rewrites in plain C.
 * Layers that were fused are compared by the value that they end in. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "npy.h"
#include "onnxrun/sequence.h"
#include "print.h"
#include "step_values.h"

enum phase { TAKE_NAMES, TAKE_VALUES, COMPARE_VALUES };

struct comparison {
  const struct options *options;
  enum phase phase;
  struct step_counts counts;
  struct tensor_list names; /* of values that the model as it is run has; without tensors; sorted */
  struct references reference;
  int is_rounded; /* 8-bit numbers are off by a step: what comes behind them is off by as much */
  size_t compared, different;
  struct line first;      /* what is wrong with the first one that differs */
  struct listing missing; /* values that the reference does not have */
  cJSON *rows;            /* NULL: text */
  int no_memory;
};

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
  const int64_t count = onr_desc_elements(&expected->desc) * (is_complex_type(expected->desc.dtype) ? 2 : 1);
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
  const enum onr_dtype dtype = expected->desc.dtype;
  if (onr_dtype_size(dtype) == 1 && (is_real_type(dtype) || dtype == ONR_DTYPE_U8 || dtype == ONR_DTYPE_I8))
    c->is_rounded = 1;
  return c->is_rounded && isfinite(d->largest) && d->rms <= allowed;
}

static int same_shape(const struct onr_desc *a, const struct onr_desc *b) {
  int same = a->rank == b->rank;
  for (int32_t k = 0; same && k < a->rank; k++) same = a->dim[k] == b->dim[k];
  return same;
}

/* A rewrite may compute in another type of floats. */
static int same_kind(const struct onr_desc *a, const struct onr_desc *b) {
  return a->dtype == b->dtype ||
         (is_real_type(a->dtype) && is_real_type(b->dtype) && !is_complex_type(a->dtype) && !is_complex_type(b->dtype));
}

static const struct distance none = {.worst = -1}, apart = {.worst = -1, .rms = INFINITY, .largest = INFINITY};

static void judge(struct comparison *c, const struct onr_tensor *found, const struct onr_tensor *expected,
                  struct distance *d, struct line *reason);

/* Of what holds others, as far as the worst of them. */
static void judge_entries(struct comparison *c, const struct onr_tensor *found, const struct onr_tensor *expected,
                          struct distance *d, struct line *reason) {
  const int64_t count = onr_sequence_length(expected);
  *d = apart;
  if (onr_sequence_length(found) != count) {
    line_add(reason, "expected %lld entries, found %lld", (long long)count, (long long)onr_sequence_length(found));
    return;
  }
  *d = none;
  for (int64_t i = 0; i < count; i++) {
    const struct onr_tensor f = onr_sequence_entry(found, i), e = onr_sequence_entry(expected, i);
    struct distance of_entry;
    struct line why = {0};
    judge(c, &f, &e, &of_entry, &why);
    if (of_entry.rms > d->rms) d->rms = of_entry.rms;
    if (of_entry.largest > d->largest) d->largest = of_entry.largest;
    if (why.text[0] && !reason->text[0]) line_add(reason, "entry %lld: %s", (long long)i, why.text);
  }
}

static void judge_numbers(struct comparison *c, const struct onr_tensor *found, const struct onr_tensor *expected,
                          struct distance *d, struct line *reason) {
  const struct onr_desc *e = &expected->desc;
  *d = measure(c->options, found, expected);
  if (d->wrong && !is_rounding(c, expected, d))
    line_add(reason, "%lld of %lld elements differ; worst at %s: expected %.9g, found %.9g", (long long)d->wrong,
             (long long)onr_desc_elements(e), place_of(e, d->worst).text, d->expected, d->found);
}

static void judge_text(const struct onr_tensor *found, const struct onr_tensor *expected, struct distance *d,
                       struct line *reason) {
  char why[300];
  const int same = agrees(found, expected, 0, 0, why, sizeof(why));
  *d = same ? none : apart;
  if (!same) line_add(reason, "%s", why);
}

/* Words for what is wrong; "": nothing is. */
static void judge(struct comparison *c, const struct onr_tensor *found, const struct onr_tensor *expected,
                  struct distance *d, struct line *reason) {
  const struct onr_desc *f = &found->desc;
  struct onr_tensor wanted = *expected;
  char a[160], b[160];
  /* NumPy's files have the bits of what NumPy has no type for. */
  if (npy_stands_for(wanted.desc.dtype, f->dtype)) wanted.desc.dtype = f->dtype;
  const struct onr_desc *e = &wanted.desc;
  const int holds_others = f->dtype == e->dtype && f->dtype > ONR_DTYPE_LAST_IN_FILES;
  if (holds_others) {
    judge_entries(c, found, &wanted, d, reason);
  } else if (!same_shape(f, e) || !same_kind(f, e)) {
    *d = apart;
    line_add(reason, "expected %s, found %s", onr_desc_format(e, a, sizeof(a)), onr_desc_format(f, b, sizeof(b)));
  } else if (f->dtype == ONR_DTYPE_STRING) {
    judge_text(found, &wanted, d, reason);
  } else {
    judge_numbers(c, found, &wanted, d, reason);
  }
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
         info->module_path[0] ? " in " : "", shown(info->module_path).text);
}

static void compare(struct comparison *c, const struct onr_node_run *run, const struct step_value *value) {
  const struct named_tensor *reference = find_reference(&c->reference, value->key);
  struct onr_node_info info = {.size = sizeof(info)};
  struct line reason = {0};
  struct distance d;
  if (!reference) {
    listing_add(&c->missing, "'%s'", value->key);
    return;
  }
  onr_node_run_info(run, &info);
  judge(c, &value->tensor, &reference->tensor, &d, &reason);
  c->compared++;
  if (reason.text[0] && !c->different++)
    line_add(&c->first, "node %zu, %s (%s%s%s%s%s), writes '%s': %s", run->node, info.layer, shown(info.op_type).text,
             info.module_path[0] ? " in "
             : info.name[0]      ? " "
                                 : "",
             shown(info.module_path[0] ? info.module_path : info.name).text, info.source[0] ? " at " : "",
             shown(info.source).text, shown(value->key).text, reason.text);
  if (c->rows) add_row(c, run, &info, value, &d, reason.text);
  else print_row(&info, value, &d, reason.text, c->compared == 1);
}

/* --- runs --- */

static void take(struct comparison *c, const struct step_value *value) {
  if (c->phase == TAKE_VALUES && !find_by_name(&c->names, value->key)) return;
  struct named_tensor *item = list_add(c->phase == TAKE_NAMES ? &c->names : &c->reference.list, value->key);
  if (!item || (c->phase == TAKE_VALUES && !copy_value(&value->tensor, &item->tensor))) c->no_memory = 1;
}

static void watch(void *context, const struct onr_node_run *run) {
  struct comparison *c = context;
  struct step_value value;
  /* Names of files and archives are those of the outermost graph. */
  if (c->options->reference && !c->reference.has_turns && run->parent != ONR_NO_NODE) return;
  for (size_t i = 0; i < run->num_outputs && !c->no_memory; i++) {
    if (!step_value(&c->counts, run, i, &value)) continue;
    if (c->phase == COMPARE_VALUES) compare(c, run, &value);
    else take(c, &value);
    step_value_clear(&value);
  }
}

static int run_phase(struct comparison *c, const struct loaded *l, struct inputs *inputs, enum phase phase) {
  c->phase = phase;
  step_counts_clear(&c->counts);
  const int code = run_each(c->options, l, inputs, NULL, NULL);
  if (code) return code;
  if (c->no_memory || c->counts.no_memory) return complain(EXIT_OTHER, "no memory for what the layers write");
  if (phase == TAKE_NAMES) sort_by_name(&c->names);
  if (phase == TAKE_VALUES) sort_by_name(&c->reference.list);
  return 0;
}

/* The inputs of another session of the same model. */
static int share_inputs(const struct loaded *l, const struct inputs *inputs) {
  struct onr_error error = {0};
  for (size_t i = 0; i < inputs->list.count; i++) {
    const int index = onr_model_find_input(l->model, inputs->list.items[i].name);
    const struct onr_tensor first = frame_of(&inputs->list.items[i], 0);
    const enum onr_status status = onr_session_set_input(l->session, (size_t)index, &first, &error);
    if (status != ONR_STATUS_OK) return report_failure(status, l->path, &error);
  }
  return 0;
}

/* The reference that needs no file: no rewrites, plain C. */
static int run_portable(struct comparison *c, struct inputs *inputs) {
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

/* A reference may hold the inputs that it was computed from: those that are not given. */
static int take_inputs(const struct comparison *c, const struct loaded *l, const struct inputs *inputs) {
  struct onr_error error = {0};
  for (size_t i = 0; i < onr_model_num_inputs(l->model); i++) {
    const char *name = onr_model_input(l->model, i)->name;
    const struct named_tensor *given = list_find(&inputs->list, name);
    if (given && (size_t)(given - inputs->list.items) < inputs->num_files) continue;
    const struct named_tensor *x = find_reference(&c->reference, name);
    const enum onr_status status = x ? onr_session_set_input(l->session, i, &x->tensor, &error) : ONR_STATUS_OK;
    if (status != ONR_STATUS_OK) return report_failure(status, c->options->reference, &error);
  }
  return 0;
}

/* --- the command --- */

static int nothing_in_common(struct comparison *c) {
  struct listing has = {0};
  for (size_t i = 0; i < c->reference.list.count; i++) listing_add(&has, "'%s'", c->reference.list.items[i].name);
  return complain(EXIT_USAGE, "%s: has none of the values that the model writes: it has %s, the model writes %s",
                  c->options->reference, has.count ? listing_text(&has) : "none", listing_text(&c->missing));
}

static int tell(struct comparison *c) {
  const char *with = c->options->reference ? c->options->reference : "plain C without rewrites";
  if (!c->compared && !c->options->reference)
    return complain(EXIT_USAGE, "%s: nothing to compare: no node writes a value of the file", c->options->paths[0]);
  if (!c->compared) return nothing_in_common(c);
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
  int code = options->reference ? read_references(options, &c.reference) : 0;
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
  list_clear(&c.reference.list);
  unload(&l);
  clear_inputs(&inputs);
  return code;
}
