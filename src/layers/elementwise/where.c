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

/* Both are read, whichever is taken, and each way to read them is a loop of its own: the compiler makes vectors of it.
 */
#define LOOP(element_a, element_b)            \
  for (size_t i = 0; i < s->count; i++) {     \
    const uint8_t c = condition[i];           \
    const T p = (element_a), q = (element_b); \
    y[i] = c ? p : q;                         \
  }
#define SELECT(name, type)                                                                  \
  static void select_##name(const struct selection *s) {                                    \
    typedef type T;                                                                         \
    const uint8_t *condition = s->condition;                                                \
    const T *a = s->a, *b = s->b, one_a = *a, one_b = *b, one = *condition ? one_a : one_b; \
    T *y = s->y;                                                                            \
    if (!s->condition_step)                                                                 \
      for (size_t i = 0; i < s->count; i++) y[i] = one;                                     \
    else if (s->a_step && s->b_step) LOOP(a[i], b[i])                                       \
    else if (s->a_step) LOOP(a[i], one_b)                                                   \
    else if (s->b_step) LOOP(one_a, b[i])                                                   \
    else LOOP(one_a, one_b)                                                                 \
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

/* One condition for a whole row: a copy, unless one element is repeated. */
static int copy_row(const struct selection *s, size_t size) {
  const void *from = *s->condition ? s->a : s->b;
  if (s->condition_step || !(*s->condition ? s->a_step : s->b_step)) return 0;
  if (from != s->y) memcpy(s->y, from, s->count * size);
  return 1;
}

static void where_tile(void *context, const struct onri_tile *tile, const void *const *at) {
  const struct onr_call *call = context;
  const size_t size = onr_dtype_size(call->out[0].dtype);
  void (*select)(const struct selection *s) = select_of_size(size);
  for (size_t r = 0; r < tile->rows; r++) {
    const struct selection s = {.condition = (const uint8_t *)at[0] + r * tile->row[0],
                                .a = (const char *)at[1] + r * tile->row[1] * size,
                                .b = (const char *)at[2] + r * tile->row[2] * size,
                                .y = (char *)call->outputs[0] + (tile->offset + r * tile->count) * size,
                                .condition_step = tile->step[0],
                                .a_step = tile->step[1],
                                .b_step = tile->step[2],
                                .count = tile->count};
    if (!copy_row(&s, size)) select(&s);
  }
}

static void where_part(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct where_state *state = call->state;
  const size_t size = onr_dtype_size(call->out[0].dtype);
  const struct onri_operands operands = {{call->inputs[0], call->inputs[1], call->inputs[2]}, {1, size, size}};
  onri_broadcast_each(&state->broadcast, &operands, begin, end, SIZE_MAX, where_tile, context);
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
    .flags = ONRI_LAYER_NO_PRODUCTS,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_BOOL), 0, ONR_AS_INPUT(1)},
    .output_type = ONR_AS_INPUT(1),
    .state_size = sizeof(struct where_state),
    .layout = ONR_LAYOUT_ELEMENTWISE,
    .infer = where_infer,
    .plan = where_plan,
    .run = where_run,
};
