/* max_unpool.c: puts each x where its index says in an image of zeros: what max_pool took, goes back.
 *
 * input 0   x             [N, C, spatial...] (1 to 3 of them), or channels-last
 * input 1   indices       int64, shape of x: positions in the unpooled image (as [N, C, spatial...], row order)
 * input 2   output_shape  int64 [rank], in the order [N, C, spatial...], optional
 * output 0  y
 * ONNX      MaxUnpool-9..22; torch.nn.MaxUnpool1d to MaxUnpool3d
 * path      portable, elements of any float dtype are moved as they are
 */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/index/accumulate.h"
#include "kernels/move/copy.h"
#include "layers/index/indices.h"
#include "layers/layers.h"
#include "layers/conv/window.h"

struct max_unpool_state {
  int64_t inferred[ONR_MAX_SPATIAL]; /* the image that indices count in; with leading 1s */
  struct onri_image x, y;
  int32_t by_plane, channels_last, same_size; /* same_size: y is that image */
};

static enum onr_status inferred_size(const struct onr_call *call, const struct onri_image *x, int32_t spatial,
                                     int64_t size[ONR_MAX_SPATIAL]) {
  const struct onr_max_unpool_params *p = call->params;
  struct onri_axis axis[ONR_MAX_SPATIAL] = {{0}};
  if (p->window.rank != spatial)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "a kernel of %d dimensions does not fit an image of %d",
                    p->window.rank, spatial);
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) axis[i].in = x->size[i];
  for (int32_t i = 0; i < spatial; i++) {
    axis[ONR_MAX_SPATIAL - spatial + i].kernel = p->window.kernel[i];
    if (p->window.kernel[i] < 1)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a kernel of at least 1, found %lld",
                      (long long)p->window.kernel[i]);
  }
  ONR_TRY(onri_window_resolve(&p->window, spatial, axis, call->error));
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) {
    const struct onri_axis *a = &axis[i];
    size[i] = i < ONR_MAX_SPATIAL - spatial
                  ? 1
                  : (a->in - 1) * a->stride - a->begin - a->end + a->kernel; /* each below 2^31 */
    const int64_t wanted =
        p->plane_indices && i >= ONR_MAX_SPATIAL - spatial ? p->output[i - (ONR_MAX_SPATIAL - spatial)] : 0;
    if (wanted < 0 || (wanted > 0 && (wanted <= size[i] - a->stride || wanted >= size[i] + a->stride)))
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                      "expected an output size above %lld and below %lld, found %lld", (long long)(size[i] - a->stride),
                      (long long)(size[i] + a->stride), (long long)wanted);
    if (wanted > 0) size[i] = wanted;
    if (size[i] < 1 || size[i] > INT32_MAX)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "an image of %lld pixels unpools to %lld", (long long)a->in,
                      (long long)size[i]);
  }
  return ONR_STATUS_OK;
}

static enum onr_status max_unpool_infer(struct onr_call *call) {
  const struct onr_max_unpool_params *p = call->params;
  struct onri_image x;
  struct onri_axis axis[ONR_MAX_SPATIAL] = {{0}};
  int64_t size[ONR_MAX_SPATIAL], shape[ONR_MAX_RANK];
  int32_t spatial = 0;
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last, &x, &spatial, call->error));
  for (int32_t d = 0; d < call->in[0].rank; d++)
    if (call->in[1].rank != call->in[0].rank || call->in[1].dim[d] != call->in[0].dim[d])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected indices of the shape of the input");
  ONR_TRY(inferred_size(call, &x, spatial, size));
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) axis[i].out = size[i];
  if (onri_has(call, 2)) {
    size_t count;
    ONR_TRY(onri_read_ints(call, 2, shape, ONR_MAX_RANK, &count));
    if (count != (size_t)spatial + 2 || shape[0] != x.batch || shape[1] != x.channels)
      return onr_fail(call->error, ONR_STATUS_SHAPE,
                      "expected an output_shape [%lld, %lld, ...] of %d values, found %zu", (long long)x.batch,
                      (long long)x.channels, spatial + 2, count);
    for (int32_t i = 0; i < spatial; i++) {
      struct onri_axis *a = &axis[ONR_MAX_SPATIAL - spatial + i];
      if (shape[2 + i] < a->out)
        return onr_fail(call->error, ONR_STATUS_SHAPE, "output_shape %lld is below the unpooled size %lld",
                        (long long)shape[2 + i], (long long)a->out);
      a->out = shape[2 + i];
    }
  }
  call->out[0] = onri_image_desc(call->in[0].dtype, p->channels_last, x.batch, x.channels, spatial, axis);
  return ONR_STATUS_OK;
}

static enum onr_status max_unpool_plan(struct onr_call *call) {
  const struct onr_max_unpool_params *p = call->params;
  struct max_unpool_state *s = call->state;
  int32_t spatial = 0;
  s->by_plane = p->plane_indices;
  s->channels_last = p->channels_last;
  ONR_TRY(onri_image_view(&call->in[0], p->channels_last, &s->x, &spatial, call->error));
  ONR_TRY(inferred_size(call, &s->x, spatial, s->inferred));
  ONR_TRY(onri_image_view(&call->out[0], p->channels_last, &s->y, &spatial, call->error));
  s->same_size = memcmp(s->inferred, s->y.size, sizeof(s->inferred)) == 0;
  return ONR_STATUS_OK;
}

/* The channel of one batch entry, counted in all, that element i of x belongs to. */
static int64_t plane_of(const struct max_unpool_state *s, int64_t i) {
  const int64_t pixels = s->x.size[0] * s->x.size[1] * s->x.size[2];
  return s->channels_last ? i / s->x.channels / pixels * s->x.channels + i % s->x.channels : i / pixels;
}

/* Where pixel `at` of the image that indices count in lies in an image of y. */
static int64_t pixel_offset(const struct max_unpool_state *s, int64_t at) {
  if (s->same_size) return at * s->y.stride[2];
  return at / s->inferred[2] / s->inferred[1] * s->y.stride[0] + at / s->inferred[2] % s->inferred[1] * s->y.stride[1] +
         at % s->inferred[2] * s->y.stride[2];
}

static int64_t offset_of(const struct max_unpool_state *s, int64_t i, int64_t index, int64_t pixels) {
  const int64_t plane = s->by_plane ? plane_of(s, i) : index / pixels;
  return plane / s->y.channels * s->y.batch_stride + plane % s->y.channels * s->y.channel_stride +
         pixel_offset(s, index % pixels);
}

enum { PART = 4096 };

static int all_in(const int64_t *indices, int64_t count, int64_t limit) {
  uint64_t outside = 0; /* the highest bit: one of the two is negative */
  for (int64_t i = 0; i < count; i++) outside |= (uint64_t)indices[i] | ((uint64_t)limit - 1 - (uint64_t)indices[i]);
  return !(outside >> 63);
}

static enum onr_status max_unpool_run(struct onr_call *call) {
  const struct max_unpool_state *s = call->state;
  const size_t element = onr_dtype_size(call->in[0].dtype);
  const int dense = s->same_size && !s->channels_last; /* indices count y's elements as they lie */
  const int64_t *indices = call->inputs[1];
  const int64_t pixels = s->inferred[0] * s->inferred[1] * s->inferred[2];
  const int64_t count = onr_desc_elements(&call->in[0]),
                limit = (s->by_plane ? 1 : s->y.batch * s->y.channels) * pixels;
  onri_zero_bytes(call->env, call->outputs[0], onr_desc_bytes(&call->out[0]));
  struct onri_pace pace = {call->env, 0};
  if (dense && !s->by_plane && all_in(indices, count, limit)) {
    for (int64_t i = 0; i < count && !onri_pace_stop(&pace, 4 * PART); i += PART)
      onri_accumulate_at(call->in[0].dtype, ONR_REDUCTION_NONE, call->outputs[0], indices + i,
                         (const unsigned char *)call->inputs[0] + (size_t)i * element,
                         (size_t)(count - i < PART ? count - i : PART));
    return ONR_STATUS_OK;
  }
  for (int64_t i = 0; i < count && !onri_pace_stop(&pace, 8); i++) {
    const int64_t index = indices[i];
    if (index < 0 || index >= limit)
      return onr_fail(call->error, ONR_STATUS_INDEX, "index %lld is outside of an output of %lld elements",
                      (long long)index, (long long)limit);
    const int64_t to = dense && !s->by_plane ? index : offset_of(s, i, index, pixels);
    onri_copy_element((unsigned char *)call->outputs[0] + (size_t)to * element,
                      (const unsigned char *)call->inputs[0] + (size_t)i * element, element);
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_max_unpool = {
    .name = "max_unpool",
    .inputs_min = 2,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPE_BIT(ONR_DTYPE_I64), ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 4,
    .layout = ONRI_LAYOUT_UNPOOL,
    .layout_param = offsetof(struct onr_max_unpool_params, channels_last),
    .params_size = sizeof(struct onr_max_unpool_params),
    .state_size = sizeof(struct max_unpool_state),
    .infer = max_unpool_infer,
    .plan = max_unpool_plan,
    .run = max_unpool_run,
};
