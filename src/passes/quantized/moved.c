/* moved.c: layers that only choose or move elements: they move bytes. */
#include "passes/quantized/quantized_parts.h"

static int same_steps(const struct onri_quantised *a, const struct onri_quantised *b) {
  return a->dtype == b->dtype && a->scales == 1 && b->scales == 1 && a->step == b->step && a->offset == b->offset;
}

int onri_moves_input_0(const struct onri_rewrite *rw, const struct onri_node *op, enum onr_dtype dtype) {
  static const struct onr_layer *const layers[] = {
      &onri_layer_reshape,         &onri_layer_flatten,  &onri_layer_squeeze,        &onri_layer_unsqueeze,
      &onri_layer_transpose,       &onri_layer_slice,    &onri_layer_gather,         &onri_layer_expand,
      &onri_layer_identity,        &onri_layer_tile,     &onri_layer_depth_to_space, &onri_layer_space_to_depth,
      &onri_layer_gather_elements, &onri_layer_gather_nd};
  if (op->num_out != 1 || op->num_in < 1) return 0;
  if (op->layer == &onri_layer_max_pool) return onri_is_byte(dtype);
  if (op->layer == &onri_layer_resize) {
    const struct onr_resize_params *p = op->params;
    return p->mode == ONR_RESIZE_NEAREST && p->coordinates != ONR_RESIZE_TF_CROP_AND_RESIZE;
  }
  if (op->layer == &onri_layer_pad) {
    const struct onr_pad_params *p = op->params;
    return p->mode != ONR_PAD_CONSTANT || op->num_in < 3 || op->in[2] == ONRI_NONE ||
           onri_rewrite_all_equal(rw, op->in[2], 0);
  }
  for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
    if (op->layer == layers[i]) return 1;
  return 0;
}

/* v as integers in the steps of the target, clipped as it is: what was dequantized, or quantized again; -1 when out of
 * memory. */
static int32_t in_steps_of(struct onri_rewrite *rw, int32_t v, const struct onri_node *quantize,
                           const struct onri_quantized_target *t) {
  const struct onri_quantised *y = &t->y;
  const struct onri_origin *origin = quantize->origin;
  const void *params = quantize->params;
  struct onri_quantised x;
  struct onr_desc desc = *onri_rewrite_desc(rw, v);
  if (onri_clips_nothing(t) && onri_match_steps(rw, v, &x) && same_steps(&x, y)) return x.x;
  if (!onri_clips_nothing(t)) {
    const struct onr_unary_params clip = {.op = ONR_UNARY_CLIP, .alpha = (float)t->low, .beta = (float)t->high};
    v = onri_rewrite_node(rw, &onri_layer_unary, &clip, origin, &v, 1, &desc);
  }
  desc.dtype = y->dtype;
  const int32_t in[] = {v, y->scale, y->zero};
  return v < 0 ? -1
               : onri_rewrite_node(rw, &onri_layer_quantize_linear, params, origin, in, y->zero == ONRI_NONE ? 2 : 3,
                                   &desc);
}

/* What made v and is read by nobody any more, so that it is no reader of what comes before. */
static void drop(struct onri_rewrite *rw, int32_t v) {
  for (struct onri_node *node;
       (node = onri_rewrite_producer(rw, v)) && node->num_out == 1 && node->num_in > 0 && rw->uses[v] == 0;) {
    const int32_t before = node->in[0];
    onri_rewrite_remove(rw, node);
    v = before;
  }
}

/* What is chosen or moved may as well be quantized before. Maxima, too: quantizing keeps the order. */
enum onr_status onri_quantize_moved(struct onri_rewrite *rw, struct onri_node *node,
                                    const struct onri_quantized_target *t, const struct onri_node *op) {
  struct onri_quantised x;
  int32_t in[8];
  const size_t count = (size_t)op->num_in;
  const struct onr_layer *layer = op->layer;
  const void *params = op->params;
  if (count > 8 || !onri_match_steps(rw, op->in[0], &x)) return ONR_STATUS_OK;
  const int is_pad = layer == &onri_layer_pad;
  for (size_t i = 0; i < count; i++) in[i] = op->in[i];
  if (is_pad) in[2] = onri_zero_input(rw, &t->y);  /* what stands for 0 */
  const ptrdiff_t index = node - rw->graph->nodes; /* a new node moves them */
  in[0] = in_steps_of(rw, in[0], node, t);
  if (in[0] < 0 || (is_pad && in[2] < 0)) return onri_rewrite_no_memory(rw);
  ONR_TRY(onri_rewrite_become(rw, &rw->graph->nodes[index], layer, params, in, is_pad && count < 3 ? 3 : count));
  drop(rw, t->y.x);
  return ONR_STATUS_OK;
}

/* A part of what is split is a slice. */
enum onr_status onri_quantize_split(struct onri_rewrite *rw, struct onri_node *node,
                                    const struct onri_quantized_target *t, const struct onri_node *op) {
  struct onri_quantised x;
  int64_t sizes[64], place[2] = {0}, axis = ((const struct onr_split_params *)op->params)->axis;
  size_t count;
  int32_t in[4], part = 0;
  const struct onr_desc one = onr_desc_make(ONR_DTYPE_I64, 1, (int64_t[]){1});
  if (!onri_match_steps(rw, op->in[0], &x) || op->num_in < 2 || op->in[1] == ONRI_NONE ||
      !onri_rewrite_ints(rw, op->in[1], sizes, sizeof(sizes) / sizeof(sizes[0]), &count) ||
      count != (size_t)op->num_out)
    return ONR_STATUS_OK;
  while (op->out[part] != t->v) place[0] += sizes[part++];
  place[1] = place[0] + sizes[part];
  const ptrdiff_t index = node - rw->graph->nodes; /* a new node moves them */
  in[0] = in_steps_of(rw, op->in[0], node, t);
  in[1] = onri_rewrite_data(rw, &one, &place[0]);
  in[2] = onri_rewrite_data(rw, &one, &place[1]);
  in[3] = onri_rewrite_data(rw, &one, &axis);
  for (int i = 0; i < 4; i++)
    if (in[i] < 0) return onri_rewrite_no_memory(rw);
  return onri_rewrite_become(rw, &rw->graph->nodes[index], &onri_layer_slice, NULL, in, 4);
}

/* What is put together of inputs from `first` on. */
enum onr_status onri_quantize_joined(struct onri_rewrite *rw, struct onri_node *node,
                                     const struct onri_quantized_target *t, const struct onri_node *op, size_t first) {
  struct onri_quantised x;
  const size_t count = (size_t)op->num_in;
  const struct onr_layer *layer = op->layer;
  const void *params = op->params;
  int any = 0;
  for (size_t i = first; i < count; i++) any |= onri_match_steps(rw, op->in[i], &x);
  if (!any) return ONR_STATUS_OK;
  int32_t *in = onri_arena_allocate(&rw->graph->arena, count * sizeof(*in));
  if (!in) return onri_rewrite_no_memory(rw);
  const ptrdiff_t index = node - rw->graph->nodes, op_index = op - rw->graph->nodes; /* new nodes move them */
  for (size_t i = 0; i < count; i++) {
    in[i] = rw->graph->nodes[op_index].in[i];
    if (i < first) continue;
    in[i] = in_steps_of(rw, in[i], &rw->graph->nodes[index], t);
    if (in[i] < 0) return onri_rewrite_no_memory(rw);
  }
  ONR_TRY(onri_rewrite_become(rw, &rw->graph->nodes[index], layer, params, in, count));
  drop(rw, t->y.x);
  return ONR_STATUS_OK;
}
