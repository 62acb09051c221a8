/* rows_control.c: layers with bodies, sequences and optionals. */
#include <string.h>

#include "onnx/write/spell.h"

size_t onri_formal_inputs(const struct onri_node *node) {
  const struct onr_scan_params *scan = node->params;
  if (node->layer == &onri_layer_if) return 1;
  if (node->layer == &onri_layer_loop) return 2 + (size_t)((const struct onr_loop_params *)node->params)->num_carried;
  if (node->layer == &onri_layer_scan) return (size_t)(scan->num_states + scan->num_scan_inputs);
  return (size_t)((const struct onr_sequence_map_params *)node->params)->num_mapped;
}

static const char *say_if(struct onri_spell *s, const struct onri_spelling *row) {
  onri_say_begin(s, NULL, row->op, row->since);
  const size_t begin = s->begin; /* bodies have nodes of their own */
  onri_say_operands(s);
  onri_say_body(s, "then_branch", 0, 0);
  onri_say_body(s, "else_branch", 1, 0);
  s->begin = begin;
  onri_say_end(s);
  return NULL;
}

/* An axis or direction each, unless all are 0. */
static void say_scan_list(struct onri_spell *s, const char *name, const int32_t *values, size_t count) {
  int64_t list[ONR_SCAN_MAX], any = 0;
  for (size_t i = 0; i < count; i++) any |= list[i] = values[i];
  if (any) onri_say_ints(s, name, list, count);
}

static void say_scan_attributes(struct onri_spell *s) {
  const struct onr_scan_params *p = s->node->params;
  const size_t in = (size_t)p->num_scan_inputs, out = s->node->bodies[0]->num_outputs - (size_t)p->num_states;
  onri_say_int(s, "num_scan_inputs", p->num_scan_inputs);
  say_scan_list(s, "scan_input_axes", p->input_axis, in);
  say_scan_list(s, "scan_output_axes", p->output_axis, out);
  say_scan_list(s, "scan_input_directions", p->input_reverse, in);
  say_scan_list(s, "scan_output_directions", p->output_reverse, out);
}

static const char *say_loop(struct onri_spell *s, const struct onri_spelling *row) {
  onri_say_begin(s, NULL, row->op, row->since);
  const size_t begin = s->begin;
  onri_say_operands(s);
  if (row->layer == &onri_layer_scan) say_scan_attributes(s);
  onri_say_body(s, "body", 0, onri_formal_inputs(s->node));
  s->begin = begin;
  onri_say_end(s);
  return NULL;
}

/* Without entries the operator names a type, which the layer does not know; and so has the empty optional. */
static const char *say_construct(struct onri_spell *s, const struct onri_spelling *row) {
  return s->node->num_in ? onri_say_row(s, row) : "the type of what it does not hold is not known";
}

static const struct onri_field split_to_sequence[] = {
    ONRI_ATTRIBUTE("axis", INT32, struct onr_split_to_sequence_params, axis),
    ONRI_ATTRIBUTE("keepdims", INT32, struct onr_split_to_sequence_params, keep_dims),
};
static const struct onri_field concat_from_sequence[] = {
    ONRI_ATTRIBUTE("axis", INT32, struct onr_concat_from_sequence_params, axis),
    ONRI_ATTRIBUTE("new_axis", INT32, struct onr_concat_from_sequence_params, new_axis),
};

static const struct onri_spelling rows[] = {
    {.layer = &onri_layer_if, .op = "If", .since = 16, .say = say_if},
    {.layer = &onri_layer_loop, .op = "Loop", .since = 16, .say = say_loop},
    {.layer = &onri_layer_scan, .op = "Scan", .since = 16, .say = say_loop},
    {.layer = &onri_layer_sequence_map, .op = "SequenceMap", .since = 17, .say = say_loop},
    {.layer = &onri_layer_sequence_construct, .op = "SequenceConstruct", .since = 11, .say = say_construct},
    {.layer = &onri_layer_sequence_insert, .op = "SequenceInsert", .since = 11},
    {.layer = &onri_layer_sequence_erase, .op = "SequenceErase", .since = 11},
    {.layer = &onri_layer_sequence_at, .op = "SequenceAt", .since = 11},
    {.layer = &onri_layer_sequence_length, .op = "SequenceLength", .since = 11},
    {.layer = &onri_layer_split_to_sequence, .op = "SplitToSequence", .since = 11, ONRI_FIELDS(split_to_sequence)},
    {.layer = &onri_layer_concat_from_sequence,
     .op = "ConcatFromSequence",
     .since = 11,
     ONRI_FIELDS(concat_from_sequence)},
    {.layer = &onri_layer_optional, .op = "Optional", .since = 15, .say = say_construct},
    {.layer = &onri_layer_optional_has_element, .op = "OptionalHasElement", .since = 18},
    {.layer = &onri_layer_optional_get_element, .op = "OptionalGetElement", .since = 18},
};
const struct onri_spellings onri_rows_control = {rows, sizeof(rows) / sizeof(rows[0])};
