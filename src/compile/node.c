/* node.c: each node that is needed becomes steps of the program, written by its family. */
#include <string.h>

#include "base/numbers/convert.h"
#include "base/text/text.h"
#include "compile/program.h"

static const struct onri_emitter *const lists[] = {
#define ONRI_X(name) onri_emitters_##name,
    ONRI_EMITTER_LISTS(ONRI_X)
#undef ONRI_X
};

static const struct onri_emitter *find_emitter(const struct onr_layer *layer) {
  for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
    for (const struct onri_emitter *e = lists[i]; e->layer; e++)
      if (e->layer == layer) return e;
  return NULL;
}

/* --- operands --- */

static int32_t root_of(const struct onri_source *s, int32_t v) { return s->places[v].root; }

/* A value is read or written in this step. */
static void touch(struct onri_source *s, int32_t v) {
  struct onri_place *root = &s->places[root_of(s, v)];
  if (root->first < 0) root->first = s->steps;
  root->last = s->steps;
  s->places[v].used = 1;
}

static struct onri_name name_of(struct onri_source *s, const struct onri_operand *o, int present) {
  struct onri_name name = {"NULL"};
  if (!present) return name;
  if (o->name[0]) memcpy(name.text, o->name, sizeof(name.text));
  else if (o->known)
    snprintf(name.text, sizeof(name.text), "w%d",
             onri_weights_add(s, o->desc.dtype, o->known, (size_t)onr_desc_elements(&o->desc)));
  else {
    snprintf(name.text, sizeof(name.text), "t%d", o->value);
    touch(s, o->value);
  }
  return name;
}

struct onri_name onri_in(struct onri_source *s, size_t i) {
  return name_of(s, &s->in[i], onri_has_in(s, i));
}

struct onri_name onri_out(struct onri_source *s, size_t i) {
  return name_of(s, &s->out[i], onri_has_out(s, i));
}

int onri_alias(struct onri_source *s, size_t i, size_t j, size_t offset) {
  const struct onri_operand *in = &s->in[j], *out = &s->out[i];
  struct onri_place *place = &s->places[out->value];
  if (place->output != ONRI_NONE || in->name[0] || out->name[0]) return 0;
  if (in->known) {
    const struct onr_desc *d = &in->desc;
    const int32_t w = onri_weights_add(s, d->dtype, in->known, (size_t)onr_desc_elements(d));
    place->weight = w;
    place->offset = offset;
    return 1;
  }
  const struct onri_place *of = &s->places[in->value];
  place->root = of->root;
  place->weight = of->weight;
  place->offset = of->offset + offset;
  touch(s, in->value);
  return 1;
}

/* float16, bfloat16 and smaller */
static int is_half(enum onr_dtype dtype) { return onri_dtype_class(dtype) == ONRI_CLASS_F32 && dtype != ONR_DTYPE_F32; }

static void widen_constant(struct onri_source *s, struct onri_operand *o) {
  const size_t count = (size_t)onr_desc_elements(&o->desc);
  float *wide = onri_temporary(s, count * sizeof(*wide));
  if (!wide) return;
  onri_load(o->desc.dtype, o->known, count, wide);
  o->known = wide;
  o->desc.dtype = ONR_DTYPE_F32;
}

/* The part that converts, and what it is told behind its arrays and their size. */
struct conversion {
  const char *part;
  char format[80];
};

static struct conversion widening(enum onr_dtype dtype) {
  const struct onri_small_format *f = onri_small_format(dtype);
  struct conversion c = {dtype == ONR_DTYPE_F16    ? "widen_f16"
                         : dtype == ONR_DTYPE_BF16 ? "widen_bf16"
                         : f                       ? "widen_small"
                                                   : "widen_power",
                         ""};
  if (f)
    snprintf(c.format, sizeof(c.format), ", %d, %d, %d, %d, %d, %d", f->mantissa_bits, f->sign_bit, f->bias,
             f->max_code, f->infinity, f->unsigned_zero);
  return c;
}

static struct conversion narrowing(const struct onri_source *s, enum onr_dtype dtype) {
  const struct onri_small_format *f = onri_small_format(dtype);
  struct conversion c = {dtype == ONR_DTYPE_F16    ? "narrow_f16"
                         : dtype == ONR_DTYPE_BF16 ? "narrow_bf16"
                         : f                       ? "narrow_small"
                                                   : "narrow_power",
                         ""};
  if (f)
    snprintf(c.format, sizeof(c.format), ", %d, %d, %d, %d, %d, %d, %d", f->mantissa_bits, f->sign_bit, f->bias,
             f->max_code, s->unsaturated ? f->over_code : f->max_code, f->nan_code, f->unsigned_zero);
  else if (dtype == ONR_DTYPE_F8E8M0)
    snprintf(c.format, sizeof(c.format), ", %d, %d", !s->unsaturated, (int)s->rounding);
  return c;
}

static void widen_in(struct onri_source *s, size_t i) {
  struct onri_operand *o = &s->in[i];
  if (!o->present || !is_half(o->desc.dtype)) return;
  if (o->known) {
    widen_constant(s, o);
    return;
  }
  const struct conversion c = widening(o->desc.dtype);
  const long long count = onri_count(o);
  const struct onri_name x = onri_in(s, i);
  const int32_t own = onri_scratch(s, (size_t)count * sizeof(float));
  onri_use(s, c.part, ONR_DTYPE_NONE);
  onri_line(s, "%s(%s, (float *)s%d, %lld%s);", c.part, x.text, own, count, c.format);
  snprintf(o->name, sizeof(o->name), "((float *)s%d)", own);
  o->desc.dtype = ONR_DTYPE_F32;
}

/* The type that the result is narrowed to afterwards, or NONE. */
static enum onr_dtype widen_out(struct onri_source *s, size_t i) {
  struct onri_operand *o = &s->out[i];
  const enum onr_dtype dtype = o->desc.dtype;
  if (!o->present || !is_half(dtype)) return ONR_DTYPE_NONE;
  const int32_t own = onri_scratch(s, (size_t)onri_count(o) * sizeof(float));
  snprintf(o->name, sizeof(o->name), "((float *)s%d)", own);
  o->desc.dtype = ONR_DTYPE_F32;
  return dtype;
}

static void narrow_out(struct onri_source *s, size_t i, enum onr_dtype dtype) {
  struct onri_operand *o = &s->out[i];
  if (dtype == ONR_DTYPE_NONE) return;
  const struct onri_name wide = onri_out(s, i);
  const struct conversion c = narrowing(s, dtype);
  o->name[0] = '\0';
  onri_use(s, c.part, ONR_DTYPE_NONE);
  onri_line(s, "%s(%s, %s, %lld%s);", c.part, wide.text, onri_out(s, i).text, onri_count(o), c.format);
}

/* --- nodes --- */

static void set_operand(struct onri_source *s, struct onri_operand *o, int32_t value) {
  *o = (struct onri_operand){.value = value, .present = value != ONRI_NONE};
  if (!o->present) return;
  o->desc = s->facts.descs[value];
  o->known = s->facts.known[value];
  const struct onri_constant *constant = s->graph->values[value].constant;
  if (s->status == ONR_STATUS_OK && !o->known && constant) {
    const enum onr_status status = onri_constant_load(s->graph->values[value].constant, s->error);
    if (status != ONR_STATUS_OK) s->status = status;
    o->known = constant->data;
  }
}

static const char *check_operands(const struct onri_operand *o, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!o[i].present) continue;
    if (o[i].desc.rank < 0) return "its shapes are known only when it runs";
    if (!onri_c_type(o[i].desc.dtype)) return "its type has none in C";
    for (int32_t d = 0; d < o[i].desc.rank; d++)
      if (o[i].desc.dim[d] < 0) return "its shapes are known only when it runs";
  }
  return NULL;
}

static int is_empty(const struct onri_source *s) {
  for (size_t i = 0; i < s->num_out; i++)
    if (s->out[i].present && onri_count(&s->out[i])) return 0;
  return 1;
}

static void comment(struct onri_source *s) {
  const struct onri_origin *origin = s->node->origin;
  char text[200], name[64], path[104];
  onri_escape_string(origin->name, name, sizeof(name));
  onri_escape_string(origin->module_path, path, sizeof(path));
  snprintf(text, sizeof(text), "%s %s%s%s", s->node->layer->name, name, path[0] ? ", " : "", path);
  for (char *c = text; *c; c++)
    if (*c == '*' || *c == '\\' || *c == '?') *c = '.'; /* nothing ends the comment, or is a trigraph */
  onri_line(s, "/* %d: %s */", s->steps, text);
}

static void emit_node(struct onri_source *s, const struct onri_emitter *emitter) {
  enum onr_dtype halves[ONRI_MOST_INPUTS];
  if (s->num_out > ONRI_MOST_INPUTS) {
    s->why = "it has too many outputs";
    return;
  }
  comment(s);
  for (size_t i = 0; i < s->num_out; i++)
    if (s->out[i].present) touch(s, s->out[i].value);
  for (size_t i = 0; !emitter->keeps_half && i < s->num_in; i++) widen_in(s, i);
  for (size_t i = 0; i < s->num_out; i++) halves[i] = emitter->keeps_half ? ONR_DTYPE_NONE : widen_out(s, i);
  emitter->emit(s);
  for (size_t i = 0; i < s->num_out; i++) narrow_out(s, i, halves[i]);
}

static enum onr_status begin_node(struct onri_source *s, const struct onri_node *node) {
  s->node = node;
  s->why = NULL;
  s->unsaturated = 0, s->rounding = ONR_CAST_UP;
  s->params = node->params;
  s->num_in = (size_t)node->num_in;
  s->num_out = (size_t)node->num_out;
  s->in = onri_temporary(s, s->num_in * sizeof(*s->in));
  s->out = onri_temporary(s, s->num_out * sizeof(*s->out));
  if (!s->in || !s->out) return s->status;
  for (size_t i = 0; i < s->num_in; i++) set_operand(s, &s->in[i], node->in[i]);
  for (size_t i = 0; i < s->num_out; i++) set_operand(s, &s->out[i], node->out[i]);
  return s->status;
}

static const char *write_node(struct onri_source *s) {
  const struct onri_emitter *emitter = find_emitter(s->node->layer);
  const char *why = check_operands(s->in, s->num_in);
  if (!why) why = check_operands(s->out, s->num_out);
  if (why) return why;
  if (is_empty(s)) return NULL;
  if (!emitter) return "no C is written for it yet";
  emit_node(s, emitter);
  s->steps++;
  return s->why;
}

/* --- what is needed --- */

static int is_known(const struct onri_source *s, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE && !s->facts.known[node->out[i]]) return 0;
  return 1;
}

static int is_needed(const struct onri_node *node, const uint8_t *needed) {
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE && needed[node->out[i]]) return 1;
  return 0;
}

/* A mark for each value that is read. */
static const uint8_t *find_needed(struct onri_source *s) {
  uint8_t *needed = onri_temporary(s, s->graph->num_values);
  if (!needed) return NULL;
  for (size_t i = 0; i < s->graph->num_outputs; i++) needed[s->graph->outputs[i]] = 1;
  for (size_t n = s->graph->num_nodes; n-- > 0;) {
    const struct onri_node *node = &s->graph->nodes[n];
    if (!node->layer || !is_needed(node, needed) || is_known(s, node)) continue;
    for (int32_t i = 0; i < node->num_in; i++)
      if (node->in[i] != ONRI_NONE) needed[node->in[i]] = 1;
  }
  return needed;
}

static enum onr_status start_places(struct onri_source *s) {
  s->places = onri_temporary(s, s->graph->num_values * sizeof(*s->places));
  if (!s->places) return s->status;
  for (size_t v = 0; v < s->graph->num_values; v++) {
    s->places[v] = (struct onri_place){
        .root = (int32_t)v, .first = -1, .last = -1, .input = ONRI_NONE, .output = ONRI_NONE, .weight = ONRI_NONE};
    if (s->facts.descs[v].rank >= 0) s->places[v].bytes = onr_desc_bytes(&s->facts.descs[v]);
  }
  for (size_t i = 0; i < s->graph->num_inputs; i++) s->places[s->graph->inputs[i]].input = (int32_t)i;
  for (size_t i = s->graph->num_outputs; i-- > 0;) {
    const int32_t v = s->graph->outputs[i];
    const int is_made = s->graph->values[v].producer != ONRI_NONE && !s->facts.known[v];
    if (is_made) s->places[v].output = (int32_t)i;
  }
  return ONR_STATUS_OK;
}

/* Outputs that no step writes: inputs, constants, and what is an output twice. */
static void copy_outputs(struct onri_source *s) {
  for (size_t i = 0; i < s->graph->num_outputs && s->status == ONR_STATUS_OK; i++) {
    struct onri_operand o;
    const int32_t v = s->graph->outputs[i];
    if (s->places[v].output == (int32_t)i) continue;
    set_operand(s, &o, v);
    const size_t bytes = onr_desc_bytes(&o.desc);
    if (!bytes) continue;
    onri_line(s, "memcpy(y%zu, %s, %zu);", i, name_of(s, &o, 1).text, bytes);
    s->steps++;
  }
}

/* --- what cannot be written --- */

static void report(struct onri_source *s, const char *why, int *count) {
  const struct onri_origin *origin = s->node->origin;
  struct onr_error line;
  char op[64], name[64], path[84];
  onri_escape_string(origin->op_type[0] ? origin->op_type : s->node->layer->name, op, sizeof(op));
  onri_escape_string(origin->name, name, sizeof(name));
  onri_escape_string(origin->module_path, path, sizeof(path));
  onr_fail(&line, ONR_STATUS_UNSUPPORTED, "%s%s%s%s%s%s (%s): %s", op, name[0] ? " '" : "", name, name[0] ? "'" : "",
           path[0] ? " in " : "", path, s->node->layer->name, why);
  if (s->options.report) s->options.report(s->options.context, line.message);
  if (!(*count)++) *s->error_line = line;
}

enum onr_status onri_source_nodes(struct onri_source *s) {
  struct onr_error first;
  int unsupported = 0;
  s->error_line = &first;
  ONR_TRY(start_places(s));
  const uint8_t *needed = find_needed(s);
  for (size_t n = 0; needed && n < s->graph->num_nodes && s->status == ONR_STATUS_OK; n++) {
    const struct onri_node *node = &s->graph->nodes[n];
    if (!node->layer || !is_needed(node, needed) || is_known(s, node)) continue;
    ONR_TRY(begin_node(s, node));
    const char *why = write_node(s);
    if (s->status == ONR_STATUS_OK && why) report(s, why, &unsupported);
  }
  if (s->status != ONR_STATUS_OK) return s->status;
  if (unsupported > 1)
    return onr_fail(s->error, ONR_STATUS_UNSUPPORTED, "%d nodes cannot be written as C; first %s", unsupported,
                    first.message);
  if (unsupported) return onr_fail(s->error, ONR_STATUS_UNSUPPORTED, "cannot be written as C: %s", first.message);
  copy_outputs(s);
  return s->status;
}
