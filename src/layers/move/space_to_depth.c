/* depth_to_space, space_to_depth, channel_shuffle: elements of any dtype change places.
 *
 * depth_to_space   x [N, C * b * b, H, W]  ->  y [N, C, H * b, W * b], or channels-last
 * space_to_depth   the other way
 * channel_shuffle  x [N, g * C, ...]       ->  channel [g][c] of x is channel [c][g] of y
 * ONNX             DepthToSpace-1..28, SpaceToDepth-1..28; channel_shuffle is made by a fusion
 * path             portable: one strided copy
 */
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"

enum { DIMS = 6 };

/* y in order: dimension d has size[d] and steps by stride[d] elements in x. */
struct blocks_state {
  int64_t size[DIMS], stride[DIMS];
  struct onri_copy copy;
};

static enum onr_status blocks_run(struct onr_call *call) {
  const struct blocks_state *s = call->state;
  if (onr_desc_elements(&call->out[0])) onri_copy_run(&s->copy, call->env, call->inputs[0], call->outputs[0]);
  return ONR_STATUS_OK;
}

static void plan_copy(struct blocks_state *s, const struct onr_call *call) {
  onri_copy_make(&s->copy, onr_dtype_size(call->in[0].dtype), DIMS, s->size, s->stride, NULL);
}

struct image {
  int64_t n, c, h, w;
};

static struct image image_of(const struct onr_desc *d, int32_t channels_last) {
  if (channels_last) return (struct image){d->dim[0], d->dim[3], d->dim[1], d->dim[2]};
  return (struct image){d->dim[0], d->dim[1], d->dim[2], d->dim[3]};
}

static struct onr_desc desc_of(enum onr_dtype dtype, struct image i, int32_t channels_last) {
  if (channels_last) return onr_desc_make(dtype, 4, (int64_t[]){i.n, i.h, i.w, i.c});
  return onr_desc_make(dtype, 4, (int64_t[]){i.n, i.c, i.h, i.w});
}

static enum onr_status check_block(const struct onr_call *call) {
  const struct onr_block_params *p = call->params;
  ONR_TRY(onri_expect_rank(call, 0, 4, 4));
  if (p->block_size < 1 || p->block_size > INT32_MAX)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a block size from 1 to %d, found %lld", INT32_MAX,
                    (long long)p->block_size);
  return ONR_STATUS_OK;
}

static enum onr_status depth_to_space_infer(struct onr_call *call) {
  const struct onr_block_params *p = call->params;
  ONR_TRY(check_block(call));
  const int64_t b = p->block_size;
  struct image i = image_of(&call->in[0], p->channels_last);
  if (i.c % (b * b) != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld channels are no multiple of the block of %lld x %lld",
                    (long long)i.c, (long long)b, (long long)b);
  i.c /= b * b;
  if (i.h > INT64_MAX / b || i.w > INT64_MAX / b) return onr_fail(call->error, ONR_STATUS_LIMIT, "the image overflows");
  i.h *= b, i.w *= b;
  call->out[0] = desc_of(call->in[0].dtype, i, p->channels_last);
  return ONR_STATUS_OK;
}

static enum onr_status space_to_depth_infer(struct onr_call *call) {
  const struct onr_block_params *p = call->params;
  ONR_TRY(check_block(call));
  const int64_t b = p->block_size;
  struct image i = image_of(&call->in[0], p->channels_last);
  if (i.h % b != 0 || i.w % b != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "an image of %lld x %lld is no multiple of the block of %lld",
                    (long long)i.h, (long long)i.w, (long long)b);
  if (i.c > INT64_MAX / b / b) return onr_fail(call->error, ONR_STATUS_LIMIT, "the channels overflow");
  i.h /= b, i.w /= b, i.c *= b * b;
  call->out[0] = desc_of(call->in[0].dtype, i, p->channels_last);
  return ONR_STATUS_OK;
}

/* Strides in the blocked tensor [N, C * b * b, H, W] of: batch, depth, block row, block column, row, column. */
struct block_strides {
  int64_t n, c, by, bx, h, w;
};

static struct block_strides blocked(const struct onr_block_params *p, struct image small, int64_t depth) {
  const int64_t b = p->block_size, channel = p->channels_last ? 1 : small.h * small.w;
  const int64_t pixel = p->channels_last ? small.c : 1;
  struct block_strides s = {.n = small.c * small.h * small.w, .h = small.w * pixel, .w = pixel};
  if (p->order == ONR_BLOCK_DCR) s.by = b * depth * channel, s.bx = depth * channel, s.c = channel;
  else s.c = b * b * channel, s.by = b * channel, s.bx = channel;
  return s;
}

/* Strides in the plain image [N, C, H * b, W * b] of the same six. */
static struct block_strides plain(const struct onr_block_params *p, struct image large) {
  const int64_t b = p->block_size, channel = p->channels_last ? 1 : large.h * large.w;
  const int64_t pixel = p->channels_last ? large.c : 1;
  return (struct block_strides){.n = large.c * large.h * large.w,
                                .c = channel,
                                .by = large.w * pixel,
                                .bx = pixel,
                                .h = large.w * pixel * b,
                                .w = pixel * b};
}

static void set(struct blocks_state *s, int d, int64_t size, int64_t stride) {
  s->size[d] = size, s->stride[d] = stride;
}

static enum onr_status depth_to_space_plan(struct onr_call *call) {
  const struct onr_block_params *p = call->params;
  struct blocks_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  const struct image small = image_of(&call->in[0], p->channels_last);
  const int64_t b = p->block_size, depth = small.c / (b * b);
  const struct block_strides x = blocked(p, small, depth);
  const int shift = p->channels_last ? -1 : 0; /* depth comes second, or last */
  set(s, 0, small.n, x.n);
  set(s, p->channels_last ? 5 : 1, depth, x.c);
  set(s, 2 + shift, small.h, x.h);
  set(s, 3 + shift, b, x.by);
  set(s, 4 + shift, small.w, x.w);
  set(s, 5 + shift, b, x.bx);
  plan_copy(s, call);
  return ONR_STATUS_OK;
}

static enum onr_status space_to_depth_plan(struct onr_call *call) {
  const struct onr_block_params *p = call->params;
  struct blocks_state *s = call->state;
  if (onr_desc_elements(&call->out[0]) == 0) return ONR_STATUS_OK;
  const struct image large = image_of(&call->in[0], p->channels_last);
  const int64_t b = p->block_size;
  const struct block_strides x = plain(p, large);
  const int at = p->channels_last ? 3 : 1, pixel = p->channels_last ? 1 : 4;
  set(s, 0, large.n, x.n);
  set(s, pixel, large.h / b, x.h);
  set(s, pixel + 1, large.w / b, x.w);
  set(s, p->order == ONR_BLOCK_DCR ? at + 2 : at, large.c, x.c);
  set(s, p->order == ONR_BLOCK_DCR ? at : at + 1, b, x.by);
  set(s, p->order == ONR_BLOCK_DCR ? at + 1 : at + 2, b, x.bx);
  plan_copy(s, call);
  return ONR_STATUS_OK;
}

static enum onr_status channel_shuffle_infer(struct onr_call *call) {
  const struct onr_channel_shuffle_params *p = call->params;
  ONR_TRY(onri_expect_rank(call, 0, 2, ONR_MAX_RANK));
  const int64_t channels = call->in[0].dim[p->channels_last ? call->in[0].rank - 1 : 1];
  if (p->groups < 1)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected groups of at least 1, found %lld",
                    (long long)p->groups);
  if (channels % p->groups != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld channels do not split into %lld groups", (long long)channels,
                    (long long)p->groups);
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status channel_shuffle_plan(struct onr_call *call) {
  const struct onr_channel_shuffle_params *p = call->params;
  struct blocks_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  const int32_t axis = p->channels_last ? x->rank - 1 : 1;
  const int64_t inner = onri_product(x, axis + 1, x->rank), each = x->dim[axis] / p->groups;
  for (int d = 0; d < DIMS; d++) set(s, d, 1, 0);
  set(s, 2, onri_product(x, 0, axis), x->dim[axis] * inner);
  set(s, 3, each, inner);
  set(s, 4, p->groups, each * inner);
  set(s, 5, inner, 1);
  plan_copy(s, call);
  return ONR_STATUS_OK;
}

#define BLOCKS(kind, params)                           \
  const struct onr_layer onri_layer_##kind = {         \
      .name = #kind,                                   \
      .inputs_min = 1,                                 \
      .inputs_max = 1,                                 \
      .outputs_min = 1,                                \
      .outputs_max = 1,                                \
      .output_type = ONR_AS_INPUT(0),                  \
      .layout = ONRI_LAYOUT_EITHER,                    \
      .layout_param = offsetof(params, channels_last), \
      .params_size = sizeof(params),                   \
      .state_size = sizeof(struct blocks_state),       \
      .infer = kind##_infer,                           \
      .plan = kind##_plan,                             \
      .run = blocks_run,                               \
  }
BLOCKS(depth_to_space, struct onr_block_params);
BLOCKS(space_to_depth, struct onr_block_params);
BLOCKS(channel_shuffle, struct onr_channel_shuffle_params);
