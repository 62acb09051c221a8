/* where.c: y = condition ? a : b, broadcast.
 *
 * input 0   condition  bool
 * inputs    a, b       one type, any
 * output 0  y          the common shape; type of a
 */
#include <string.h>

#include "base/shape.h"
#include "layers/elementwise/broadcast.h"
#include "layers/elementwise/elementwise_types.h"
#include "layers/layers.h"

struct bytes16 {
  uint64_t low, high;
};

struct where_state {
  struct onri_broadcast broadcast;
};

static enum onr_status where_infer(struct onr_call *call) {
  struct onr_desc shape;
  ONR_TRY(onri_broadcast(&call->in[1], &call->in[2], &shape, call->error));
  return onri_broadcast(&shape, &call->in[0], &call->out[0], call->error);
}

static enum onr_status where_plan(struct onr_call *call) {
  struct where_state *s = call->state;
  const struct onr_desc *operands[3] = {&call->in[0], &call->in[1], &call->in[2]};
  onri_broadcast_make(&s->broadcast, &call->out[0], operands, 3);
  for (int32_t i = 2; i > 0; i--)
    if (onr_desc_equal(&call->in[i], &call->out[0])) call->in_place = i;
  return ONR_STATUS_OK;
}

struct selection {
  const uint8_t *condition;
  const void *a, *b;
  void *y;
  size_t condition_step, a_step, b_step, count;
};

#define SELECT(name, type)                                   \
  static void select_##name(const struct selection *s) {     \
    const type *a = s->a, *b = s->b;                         \
    type *y = s->y;                                          \
    for (size_t i = 0; i < s->count; i++) {                  \
      const type p = a[i * s->a_step], q = b[i * s->b_step]; \
      y[i] = s->condition[i * s->condition_step] ? p : q;    \
    }                                                        \
  }
SELECT(1, uint8_t)
SELECT(2, uint16_t)
SELECT(4, uint32_t)
SELECT(8, uint64_t)
SELECT(16, struct bytes16)

static void (*select_of_size(size_t bytes))(const struct selection *s) {
  switch (bytes) {
    case 1: return select_1;
    case 2: return select_2;
    case 4: return select_4;
    case 8: return select_8;
    default: return select_16;
  }
}

/* One condition for a whole row: a copy. */
static int copy_row(const struct selection *s, size_t size) {
  const void *from = *s->condition ? s->a : s->b;
  if (s->condition_step || !(*s->condition ? s->a_step : s->b_step)) return 0;
  if (from != s->y) memcpy(s->y, from, s->count * size);
  return 1;
}

static void where_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct where_state *state = call->state;
  const size_t size = onr_dtype_size(call->out[0].dtype);
  void (*select)(const struct selection *s) = select_of_size(size);
  struct onri_tile tile;
  for (; begin < end; begin += tile.rows * tile.count) {
    onri_broadcast_tile(&state->broadcast, begin, end, SIZE_MAX, &tile);
    for (size_t r = 0; r < tile.rows; r++) {
      const struct selection s = {.condition = (const uint8_t *)call->inputs[0] + tile.operand[0] + r * tile.row[0],
                                  .a = (const char *)call->inputs[1] + (tile.operand[1] + r * tile.row[1]) * size,
                                  .b = (const char *)call->inputs[2] + (tile.operand[2] + r * tile.row[2]) * size,
                                  .y = (char *)call->outputs[0] + (tile.offset + r * tile.count) * size,
                                  .condition_step = tile.step[0],
                                  .a_step = tile.step[1],
                                  .b_step = tile.step[2],
                                  .count = tile.count};
      if (!copy_row(&s, size)) select(&s);
    }
  }
}

static enum onr_status where_run(struct onr_call *call) {
  const struct where_state *s = call->state;
  onri_elementwise_for(call->env, s->broadcast.total, where_part, call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_where = {
    .name = "where",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_BOOL), 0, ONR_AS_INPUT(1)},
    .output_type = ONR_AS_INPUT(1),
    .state_size = sizeof(struct where_state),
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .infer = where_infer,
    .plan = where_plan,
    .run = where_run,
};
