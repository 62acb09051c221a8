/* spell.c: a row and a layer's parameters become a node. */
#include "onnx/write/spell.h"

#include <string.h>

#include "base/numbers/convert.h"

/* Of GraphProto, NodeProto, AttributeProto. */
enum { NODE = 1 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5, NODE_DOMAIN = 7 };
enum { NAME = 1, F = 2, I = 3, S = 4, T = 5, G = 6, FLOATS = 7, INTS = 8, STRINGS = 9, TYPE = 20 };
enum {
  IS_FLOAT = 1,
  IS_INT = 2,
  IS_STRING = 3,
  IS_TENSOR = 4,
  IS_GRAPH = 5,
  IS_FLOATS = 6,
  IS_INTS = 7,
  IS_STRINGS = 8
};

/* --- nodes --- */

void onri_say_begin(struct onri_spell *s, const char *domain, const char *op, int64_t since) {
  s->begin = onri_wire_begin(s->wire, NODE);
  onri_wire_text(s->wire, NODE_OP, op);
  if (domain) onri_wire_text(s->wire, NODE_DOMAIN, domain);
  const char *name = s->node_name && *s->node_name ? onri_write_name(s->file, s->node_name) : NULL;
  if (name) onri_wire_text(s->wire, NODE_NAME, name);
  s->node_name = NULL; /* one node has it */
  if (domain) s->file->uses_microsoft = 1;
  else onri_write_need(s->file, since);
  s->file->num_nodes++;
}

void onri_say_end(struct onri_spell *s) { onri_wire_end(s->wire, s->begin); }
void onri_say_in(struct onri_spell *s, const char *name) { onri_wire_text(s->wire, NODE_INPUT, name ? name : ""); }
void onri_say_out(struct onri_spell *s, const char *name) { onri_wire_text(s->wire, NODE_OUTPUT, name ? name : ""); }

void onri_say_node(struct onri_spell *s, const char *op, int64_t since, const char *const *in, size_t num_in,
                   const char *out) {
  onri_say_begin(s, NULL, op, since);
  for (size_t i = 0; i < num_in; i++) onri_say_in(s, in[i]);
  onri_say_out(s, out);
  onri_say_end(s);
}

/* --- attributes --- */

static size_t begin(struct onri_spell *s, const char *name, int type) {
  const size_t at = onri_wire_begin(s->wire, NODE_ATTRIBUTE);
  onri_wire_text(s->wire, NAME, name);
  onri_wire_int(s->wire, TYPE, type);
  return at;
}

void onri_say_int(struct onri_spell *s, const char *name, int64_t value) {
  const size_t at = begin(s, name, IS_INT);
  onri_wire_int(s->wire, I, value);
  onri_wire_end(s->wire, at);
}

void onri_say_float(struct onri_spell *s, const char *name, float value) {
  const size_t at = begin(s, name, IS_FLOAT);
  onri_wire_float(s->wire, F, value);
  onri_wire_end(s->wire, at);
}

void onri_say_text(struct onri_spell *s, const char *name, const char *text, size_t length) {
  const size_t at = begin(s, name, IS_STRING);
  onri_wire_bytes(s->wire, S, text, length);
  onri_wire_end(s->wire, at);
}

void onri_say_ints(struct onri_spell *s, const char *name, const int64_t *values, size_t count) {
  const size_t at = begin(s, name, IS_INTS);
  for (size_t i = 0; i < count; i++) onri_wire_int(s->wire, INTS, values[i]);
  onri_wire_end(s->wire, at);
}

void onri_say_floats(struct onri_spell *s, const char *name, const float *values, size_t count) {
  const size_t at = begin(s, name, IS_FLOATS);
  for (size_t i = 0; i < count; i++) onri_wire_float(s->wire, FLOATS, values[i]);
  onri_wire_end(s->wire, at);
}

void onri_say_strings(struct onri_spell *s, const char *name, const struct onr_string *strings, size_t count) {
  const size_t at = begin(s, name, IS_STRINGS);
  for (size_t i = 0; i < count; i++) onri_wire_bytes(s->wire, STRINGS, strings[i].text, strings[i].length);
  onri_wire_end(s->wire, at);
}

void onri_say_tensor(struct onri_spell *s, const char *name, const struct onr_desc *desc, const void *data) {
  const size_t at = begin(s, name, IS_TENSOR);
  onri_write_tensor(s->wire, T, NULL, desc, data);
  onri_wire_end(s->wire, at);
}

void onri_say_body(struct onri_spell *s, const char *name, int32_t b, size_t formal) {
  struct onri_graph *body = s->node->bodies[b];
  size_t first = onri_formal_inputs(s->node); /* of this body's captures */
  for (int32_t i = 0; i < b; i++) first += s->node->bodies[i]->num_inputs - formal;
  const size_t count = body->num_inputs - formal;
  const char **captured = onri_arena_allocate(&s->file->arena, (count + 1) * sizeof(*captured));
  for (size_t i = 0; captured && i < count; i++) captured[i] = onri_say_input(s, (int32_t)(first + i));
  const size_t at = begin(s, name, IS_GRAPH), graph = onri_wire_begin(s->wire, G);
  if (captured) onri_write_body(s, body, formal, captured, count);
  else s->wire->failed = 1;
  onri_wire_end(s->wire, graph);
  onri_wire_end(s->wire, at);
}

/* --- small constants --- */

const char *onri_say_list(struct onri_spell *s, const int64_t *values, size_t count) {
  const int64_t dims[1] = {(int64_t)count};
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I64, 1, dims);
  return onri_say_data(s, &desc, values);
}

const char *onri_say_filled(struct onri_spell *s, int32_t rank, const int64_t *dims, double value) {
  const enum onr_dtype dtype = s->graph->values[s->node->in[0]].desc.dtype;
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  const size_t size = onr_dtype_size(dtype), count = (size_t)onr_desc_elements(&desc);
  if (!onri_dtype_in(ONRI_DTYPES_FLOAT, dtype)) return NULL;
  char *data = onr_env_allocate(s->file->env, onr_desc_bytes(&desc));
  if (!data) return NULL;
  if (count) onri_store_f64(dtype, &value, 1, data);
  for (size_t i = 1; i < count; i++) memcpy(data + i * size, data, size);
  const char *name = onri_say_data(s, &desc, data);
  onr_env_release(s->file->env, data);
  return name;
}

const char *onri_say_number(struct onri_spell *s, double value) { return onri_say_filled(s, 0, NULL, value); }

/* --- fields --- */

static int32_t int32_at(const struct onri_spell *s, uint16_t at) {
  int32_t value;
  memcpy(&value, (const char *)s->node->params + at, sizeof(value));
  return value;
}

static const void *at(const struct onri_spell *s, const struct onri_field *field) {
  return (const char *)s->node->params + field->at;
}

static int is_zero(const void *data, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (((const char *)data)[i]) return 0;
  return 1;
}

static size_t size_of(const struct onri_spell *s, const struct onri_field *field) {
  switch (field->kind) {
    case ONRI_FIELD_INT64: return sizeof(int64_t);
    case ONRI_FIELD_INTS32: return (size_t)int32_at(s, field->extra) * sizeof(int32_t);
    case ONRI_FIELD_INTS64: return (size_t)int32_at(s, field->extra) * sizeof(int64_t);
    default: return sizeof(int32_t);
  }
}

static int is_left_out(const struct onri_spell *s, const struct onri_field *field) {
  if (field->kind == ONRI_FIELD_ONLY_ZERO) return 1;
  if (field->given > 0 && !int32_at(s, (uint16_t)(field->given - 1))) return 1;
  if (field->given < 0 && int32_at(s, (uint16_t)(-field->given - 1))) return 1;
  const int is_list = field->kind == ONRI_FIELD_INTS32 || field->kind == ONRI_FIELD_INTS64;
  if (is_list) return size_of(s, field) == 0;
  return field->since != 0 && is_zero(at(s, field), size_of(s, field));
}

/* Where an entry is 0, it is 1. */
static void say_ones(struct onri_spell *s, const char *name, const int64_t *values, int32_t rank) {
  int64_t filled[ONR_MAX_SPATIAL];
  for (int32_t i = 0; i < rank; i++) filled[i] = values[i] ? values[i] : 1;
  onri_say_ints(s, name, filled, (size_t)rank);
}

static void say_window(struct onri_spell *s, const struct onr_window *w) {
  static const char *const auto_pads[] = {NULL, "SAME_UPPER", "SAME_LOWER", "VALID"};
  int64_t pads[2 * ONR_MAX_SPATIAL];
  if (w->auto_pad) onri_say_text(s, "auto_pad", auto_pads[w->auto_pad], strlen(auto_pads[w->auto_pad]));
  if (w->rank < 1) return;
  if (w->kernel[0]) onri_say_ints(s, "kernel_shape", w->kernel, (size_t)w->rank);
  say_ones(s, "strides", w->stride, w->rank);
  if (!is_zero(w->dilation, sizeof(w->dilation))) say_ones(s, "dilations", w->dilation, w->rank);
  for (int32_t i = 0; i < w->rank; i++) pads[i] = w->pad_begin[i], pads[w->rank + i] = w->pad_end[i];
  if (!w->auto_pad) onri_say_ints(s, "pads", pads, 2 * (size_t)w->rank);
}

static void say_ints32(struct onri_spell *s, const char *name, const int32_t *values, size_t count) {
  const size_t begun = begin(s, name, IS_INTS);
  for (size_t i = 0; i < count; i++) onri_wire_int(s->wire, INTS, values[i]);
  onri_wire_end(s->wire, begun);
}

static void say_field(struct onri_spell *s, const struct onri_field *field) {
  const void *data = at(s, field);
  const struct onr_string *string = data;
  const char *text;
  if (field->since > 0) onri_write_need(s->file, field->since);
  switch (field->kind) {
    case ONRI_FIELD_INT32: onri_say_int(s, field->name, *(const int32_t *)data); break;
    case ONRI_FIELD_INT64: onri_say_int(s, field->name, *(const int64_t *)data); break;
    case ONRI_FIELD_FLOAT: onri_say_float(s, field->name, *(const float *)data); break;
    case ONRI_FIELD_NOT: onri_say_int(s, field->name, !*(const int32_t *)data); break;
    case ONRI_FIELD_TEXT: onri_say_text(s, field->name, data, strlen(data)); break;
    case ONRI_FIELD_STRING: onri_say_text(s, field->name, string->text, string->length); break;
    case ONRI_FIELD_WINDOW: say_window(s, data); break;
    case ONRI_FIELD_INTS64: onri_say_ints(s, field->name, data, (size_t)int32_at(s, field->extra)); break;
    case ONRI_FIELD_INTS32: say_ints32(s, field->name, data, (size_t)int32_at(s, field->extra)); break;
    case ONRI_FIELD_CHOICE:
      text = field->texts[*(const int32_t *)data];
      onri_say_text(s, field->name, text, strlen(text));
      break;
    default: break;
  }
}

const char *onri_fields_check(const struct onri_spell *s, const struct onri_spelling *row) {
  for (size_t i = 0; i < row->num_fields; i++) {
    const struct onri_field *field = &row->fields[i];
    if (field->kind == ONRI_FIELD_ONLY_ZERO && !is_zero(at(s, field), field->extra)) return field->name;
    if (field->kind != ONRI_FIELD_CHOICE) continue;
    size_t count = 0;
    while (field->texts[count]) count++;
    if ((uint32_t)int32_at(s, field->at) >= count) return "ONNX has no word for one of its parameters";
  }
  return NULL;
}

void onri_fields_say(struct onri_spell *s, const struct onri_spelling *row) {
  for (size_t i = 0; i < row->num_fields; i++)
    if (!is_left_out(s, &row->fields[i])) say_field(s, &row->fields[i]);
}

/* --- rows --- */

static size_t num_inputs(const struct onri_spell *s) {
  size_t count = s->node->num_bodies ? onri_formal_inputs(s->node) : (size_t)s->node->num_in;
  while (count && s->node->in[count - 1] == ONRI_NONE) count--;
  return count;
}

void onri_say_operands(struct onri_spell *s) {
  const size_t count = num_inputs(s);
  for (size_t i = 0; i < count; i++) onri_say_in(s, onri_say_input(s, (int32_t)i));
  onri_say_outputs(s);
}

void onri_say_outputs(struct onri_spell *s) {
  int32_t outputs = s->node->num_out;
  while (outputs > 1 && s->node->out[outputs - 1] == ONRI_NONE) outputs--;
  for (int32_t i = 0; i < outputs; i++) onri_say_out(s, onri_say_output(s, i));
}

static void begin_row(struct onri_spell *s, const struct onri_spelling *row, const char *op) {
  onri_say_begin(s, row->domain, op, row->since);
  onri_say_operands(s);
  onri_fields_say(s, row);
}

void onri_say_row_begin(struct onri_spell *s, const struct onri_spelling *row) { begin_row(s, row, row->op); }

const char *onri_say_row(struct onri_spell *s, const struct onri_spelling *row) {
  const char *op = row->op, *why = onri_fields_check(s, row);
  if (why) return why;
  if (row->most_in && num_inputs(s) > row->most_in) return "it has an input that the operator does not have";
  if (row->ops) {
    const int32_t which = int32_at(s, row->op_at);
    op = which >= 0 && (size_t)which < row->num_ops ? row->ops[which] : NULL;
    if (!op) return "ONNX has no operator for what it computes";
  }
  begin_row(s, row, op);
  onri_say_end(s);
  return NULL;
}

extern const struct onri_spellings onri_rows_elementwise, onri_rows_move, onri_rows_image, onri_rows_matmul,
    onri_rows_norm, onri_rows_control, onri_rows_other;

const struct onri_spelling *onri_spelling_of(const struct onr_layer *layer) {
  static const struct onri_spellings *const tables[] = {&onri_rows_elementwise, &onri_rows_move, &onri_rows_image,
                                                        &onri_rows_matmul,      &onri_rows_norm, &onri_rows_control,
                                                        &onri_rows_other};
  for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
    for (size_t i = 0; i < tables[t]->count; i++)
      if (tables[t]->rows[i].layer == layer) return &tables[t]->rows[i];
  return NULL;
}
