/* state.c: see state.h. */
#include "exec/state.h"

#include <string.h>

#include "base/numbers/cache_rows.h"
#include "base/numbers/checked.h"
#include "base/shape.h"

/* --- what the graph does with it --- */

/* It has the rank of what it goes on with, whether the graph tells its own or not. */
int32_t onri_state_past(const struct onri_graph *graph, int32_t out) {
  const int32_t producer = graph->values[out].producer;
  const struct onri_node *node = producer == ONRI_NONE ? NULL : &graph->nodes[producer];
  if (!node || !node->layer->goes_on) return ONRI_NONE;
  for (int32_t o = 0; o < node->num_out; o++)
    for (int32_t i = 0; node->out[o] == out && i < node->num_in; i++)
      if (node->in[i] != ONRI_NONE &&
          node->layer->goes_on(node->params, (size_t)o, graph->values[node->in[i]].desc.rank) == i)
        return node->in[i];
  return ONRI_NONE;
}

/* Whether a node may read value v, which has room: it knows caches, or looks at shapes alone. */
static int knows(const struct onri_node *node, int32_t v, int32_t rank) {
  if (node->layer->flags & ONR_LAYER_SHAPE_ONLY) return 1;
  for (int32_t i = 0; i < node->num_in; i++)
    if (node->in[i] == v && (!node->layer->takes_room || !node->layer->takes_room(node->params, (size_t)i, rank)))
      return 0;
  return 1;
}

static size_t count_reads(const struct onri_node *node, int32_t v) {
  size_t reads = 0;
  for (int32_t i = 0; i < node->num_in; i++) reads += node->in[i] == v;
  return reads;
}

int onri_state_can_grow(const struct onri_graph *graph, int32_t in, int32_t out) {
  const int32_t rank = graph->values[in].desc.rank;
  size_t outputs = 0;
  if (rank < 3 || onri_state_past(graph, out) != in) return 0;
  for (size_t i = 0; i < graph->num_outputs; i++) {
    if (graph->outputs[i] == in) return 0;
    outputs += graph->outputs[i] == out;
  }
  for (size_t n = 0; n < graph->num_nodes; n++) {
    const struct onri_node *node = &graph->nodes[n];
    const size_t reads = count_reads(node, in);
    if (!knows(node, in, rank) || !knows(node, out, rank)) return 0;
    /* Whoever else reads what was there might come when more has been written. */
    if (reads && !(node->layer->flags & ONR_LAYER_SHAPE_ONLY) &&
        (reads > 1 || (int32_t)n != graph->values[out].producer))
      return 0;
  }
  return outputs == 1;
}

int onri_state_can_be_int8(const struct onri_graph *graph, int32_t out) {
  const int32_t producer = graph->values[out].producer;
  return producer != ONRI_NONE && (graph->nodes[producer].layer->flags & ONR_LAYER_INT8_CACHES) != 0;
}

/* --- its memory --- */

/* A cache [outer, rows, row bytes]. */
struct extent {
  size_t outer, rows, row;
};

static struct extent extent_of(const struct onr_desc *desc) {
  return (struct extent){(size_t)onri_product(desc, 0, desc->rank - 2), (size_t)desc->dim[desc->rank - 2],
                         (size_t)desc->dim[desc->rank - 1] * onr_dtype_size(desc->dtype)};
}

static void copy_rows(const struct extent *e, const char *from, size_t from_rows, char *to, size_t to_rows) {
  for (size_t i = 0; i < e->outer && e->rows; i++)
    memcpy(to + i * to_rows * e->row, from + i * from_rows * e->row, e->rows * e->row);
}

/* Memory for an eighth more rows than are needed, so that adding row by row is linear and little is idle. Its size
 * fits: that of the tensor was checked, and memory for the rest is only wished for. */
static enum onr_status take(struct onri_run *run, const struct onr_desc *desc, struct onri_buffer *buffer,
                            int64_t *rows, struct onr_error *error) {
  enum { LEAST = 16 };
  const struct extent e = extent_of(desc);
  const size_t bytes = onr_desc_bytes(desc), all = e.outer * e.row;
  size_t more;
  if (!onri_mul_size(all, e.rows / 8 + LEAST, &more)) more = 0;
  ONR_TRY(onri_buffer_renew(run, buffer, bytes + ONR_SLACK_BYTES, more, error));
  *rows = all ? (int64_t)((buffer->bytes - ONR_SLACK_BYTES) / all) : desc->dim[desc->rank - 2];
  return ONR_STATUS_OK;
}

enum onr_status onri_state_make_room(struct onri_run *run, struct onri_state *state, const struct onr_desc *desc,
                                     struct onr_tensor *past, struct onr_error *error) {
  const int is_inside = state->rows > 0 && past->data == state->side[0].data;
  struct onri_buffer cache = {0};
  int64_t rows;
  if (is_inside && desc->dim[desc->rank - 2] <= state->rows) return ONR_STATUS_OK;
  if (!is_inside) {
    state->rows = 0;
    onri_buffer_release(run, &state->side[0]);
  }
  ONR_TRY(take(run, desc, &cache, &rows, error));
  if (is_inside) {
    const struct extent old = extent_of(&past->desc);
    copy_rows(&old, past->data, (size_t)state->rows, cache.data, (size_t)rows);
    past->data = cache.data;
    onri_buffer_release(run, &state->side[0]);
  }
  state->side[0] = cache;
  state->rows = rows;
  return ONR_STATUS_OK;
}

enum onr_status onri_state_next(struct onri_run *run, struct onri_state *state, const struct onr_desc *desc,
                                struct onr_error *error) {
  return onri_buffer_grow(run, &state->side[!state->last], onr_desc_bytes(desc) + ONR_SLACK_BYTES, 0, error);
}

enum onr_status onri_state_flatten(struct onri_run *run, const struct onri_state *state, const struct onr_desc *desc,
                                   struct onri_buffer *buffer, struct onr_error *error) {
  const struct extent e = extent_of(desc);
  ONR_TRY(onri_buffer_grow(run, buffer, onr_desc_bytes(desc) + ONR_SLACK_BYTES, 0, error));
  copy_rows(&e, state->side[0].data, (size_t)state->rows, buffer->data, e.rows);
  return ONR_STATUS_OK;
}

enum onr_status onri_state_widen(struct onri_run *run, const struct onri_state *state, enum onr_dtype dtype,
                                 struct onr_desc *desc, struct onri_buffer *buffer, struct onr_error *error) {
  const struct extent e = extent_of(desc);
  const size_t width = e.row - ONRI_CACHE_SCALE_BYTES, bytes = width * onr_dtype_size(dtype);
  desc->dtype = dtype;
  desc->dim[desc->rank - 1] = (int64_t)width;
  ONR_TRY(onri_desc_check(desc, &run->env, error));
  ONR_TRY(onri_buffer_grow(run, buffer, onr_desc_bytes(desc) + ONR_SLACK_BYTES, 0, error));
  for (size_t i = 0; i < e.outer; i++)
    for (size_t r = 0; r < e.rows; r++)
      onri_cache_widen((const int8_t *)state->side[0].data + (i * (size_t)state->rows + r) * e.row, width, dtype,
                       (char *)buffer->data + (i * e.rows + r) * bytes);
  return ONR_STATUS_OK;
}

enum onr_status onri_state_narrow(struct onri_run *run, struct onr_tensor *x, struct onri_buffer *buffer,
                                  struct onr_error *error) {
  const struct extent from = extent_of(&x->desc);
  const size_t width = (size_t)x->desc.dim[x->desc.rank - 1];
  struct onr_desc desc = x->desc;
  desc.dtype = ONR_DTYPE_I8;
  if (!onri_add_i64(desc.dim[desc.rank - 1], ONRI_CACHE_SCALE_BYTES, &desc.dim[desc.rank - 1]))
    return onr_fail(error, ONR_STATUS_LIMIT, "a state's rows exceed 64 bits");
  ONR_TRY(onri_desc_check(&desc, &run->env, error));
  ONR_TRY(onri_buffer_grow(run, buffer, onr_desc_bytes(&desc) + ONR_SLACK_BYTES, 0, error));
  const size_t row = extent_of(&desc).row;
  for (size_t i = 0; i < from.outer * from.rows; i++)
    onri_cache_narrow(x->desc.dtype, (const char *)x->data + i * from.row, width, (int8_t *)buffer->data + i * row);
  *x = (struct onr_tensor){desc, buffer->data};
  return ONR_STATUS_OK;
}

void onri_state_release(struct onri_run *run, struct onri_state *state) {
  onri_buffer_release(run, &state->side[0]);
  onri_buffer_release(run, &state->side[1]);
  onri_buffer_release(run, &state->first);
}
