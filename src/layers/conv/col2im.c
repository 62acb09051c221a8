/* col2im.c: adds up the columns of sliding blocks into an image (torch.nn.Fold).
 *
 * input 0   x            [N, C * product of block, L]: L blocks
 * input 1   image shape  int64 [spatial] (1 to 3)
 * input 2   block shape  int64 [spatial]
 * output 0  y            [N, C, image...]
 * ONNX      Col2Im-18
 * path      any number, complex too, or bool; each row of the image gathers what falls on it; integers wrap, bools are
 * or-ed
 */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/numbers/convert.h"
#include "base/shape.h"
#include "kernels/conv_transposed/col2im.h"
#include "kernels/kernels.h"
#include "layers/layers.h"
#include "layers/elementwise/scratch.h"
#include "layers/conv/window.h"

enum { MOST_TAPS = 64 };

struct col2im_state {
  struct onri_axis axis[ONR_MAX_SPATIAL]; /* in: blocks, out: image */
  int64_t batch, channels;
  size_t x, y; /* in scratch, for types that are converted */
};

struct work {
  const struct col2im_state *s;
  enum onri_class class;
  int64_t parts; /* of an element: 2 for complex numbers */
  size_t size;   /* of a part */
  const void *x;
  void *y;
};

static enum onr_status read_shapes(const struct onr_call *call, int64_t image[ONR_MAX_SPATIAL],
                                   int64_t block[ONR_MAX_SPATIAL], int32_t *spatial) {
  size_t count, block_count;
  ONR_TRY(onri_read_ints(call, 1, image, ONR_MAX_SPATIAL, &count));
  ONR_TRY(onri_read_ints(call, 2, block, ONR_MAX_SPATIAL, &block_count));
  if (count == 0 || count != block_count)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "an image of %zu dimensions does not fit blocks of %zu", count,
                    block_count);
  for (size_t i = 0; i < count; i++)
    if (image[i] < 1 || image[i] > INT32_MAX || block[i] < 1 || block[i] > INT32_MAX)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected image and block sizes from 1 to %d, found %lld and %lld",
                      INT32_MAX, (long long)image[i], (long long)block[i]);
  *spatial = (int32_t)count;
  return ONR_STATUS_OK;
}

static enum onr_status geometry(const struct onr_call *call, struct col2im_state *s, struct onr_desc *out) {
  const struct onr_col2im_params *p = call->params;
  int64_t image[ONR_MAX_SPATIAL], block[ONR_MAX_SPATIAL], taps = 1, blocks = 1, dims[2 + ONR_MAX_SPATIAL];
  int32_t spatial = 0;
  if (!((ONRI_DTYPES_NUMBER | ONRI_DTYPE_BIT(ONR_DTYPE_BOOL)) >> onri_dtype_part(call->in[0].dtype) & 1))
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "col2im of %s is not supported",
                    onr_dtype_name(call->in[0].dtype));
  ONR_TRY(onri_expect_rank(call, 0, 3, 3));
  ONR_TRY(read_shapes(call, image, block, &spatial));
  const int32_t lead = ONR_MAX_SPATIAL - spatial;
  for (int32_t i = 0; i < spatial; i++) s->axis[lead + i].in = image[i], s->axis[lead + i].kernel = block[i];
  ONR_TRY(onri_window_resolve(&p->window, spatial, s->axis, call->error));
  ONR_TRY(onri_window_output(0, 1, spatial, s->axis, call->error));
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) {
    struct onri_axis *a = &s->axis[i];
    const int64_t pixels = a->in;
    a->in = a->out; /* seen from the image, the blocks are the input */
    a->out = pixels;
    if (!onri_mul_i64(taps, a->kernel, &taps) || !onri_mul_i64(blocks, a->in, &blocks))
      return onr_fail(call->error, ONR_STATUS_SHAPE, "the number of blocks overflows");
  }
  s->batch = call->in[0].dim[0];
  s->channels = call->in[0].dim[1] / taps;
  if (call->in[0].dim[1] % taps != 0 || call->in[0].dim[2] != blocks)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected [N, a multiple of %lld, %lld], found [%lld, %lld, %lld]",
                    (long long)taps, (long long)blocks, (long long)call->in[0].dim[0], (long long)call->in[0].dim[1],
                    (long long)call->in[0].dim[2]);
  dims[0] = s->batch, dims[1] = s->channels;
  for (int32_t i = 0; i < spatial; i++) dims[2 + i] = image[i];
  *out = onr_desc_make(call->in[0].dtype, spatial + 2, dims);
  return ONR_STATUS_OK;
}

static enum onr_status col2im_infer(struct onr_call *call) {
  struct col2im_state s;
  return geometry(call, &s, &call->out[0]);
}

static enum onr_status col2im_plan(struct onr_call *call) {
  struct col2im_state *s = call->state;
  struct onr_desc out;
  ONR_TRY(geometry(call, s, &out));
  if (onri_is_native(onri_dtype_part(call->in[0].dtype))) return ONR_STATUS_OK;
  s->x = onri_scratch_take(call, onri_class_bytes(&call->in[0]));
  s->y = onri_scratch_take(call, onri_class_bytes(&call->out[0]));
  return ONR_STATUS_OK;
}

/* Elements 0, step, 2 step, ... of y += elements [0, count) of x; integers wrap. */
#define DEFINE_ADD(name, T)                                                                                \
  static void add_##name(T *restrict y, int64_t step, const T *restrict x, int64_t count, int64_t parts) { \
    for (int64_t part = 0; part < parts; part++)                                                           \
      for (int64_t i = 0; i < count; i++) y[i * step * parts + part] += x[i * parts + part];               \
  }
DEFINE_ADD(f32, float)
DEFINE_ADD(f64, double)
DEFINE_ADD(u64, uint64_t)

/* The blocks [*first, *last) of which tap k lies in the image along this axis. */
static void blocks_of_tap(const struct onri_axis *a, int64_t k, int64_t *first, int64_t *last) {
  const int64_t shift = k * a->dilation - a->begin; /* block i puts it at i * stride + shift */
  *first = shift < 0 ? -shift : 0;
  *last = shift < a->out ? a->out - shift : 0;
  if (a->stride > 1) { /* divisions take longer than short rows */
    *first = (*first + a->stride - 1) / a->stride;
    *last = (*last + a->stride - 1) / a->stride;
  }
  if (*last > a->in) *last = a->in;
}

/* Rows of the image onto which the same taps of the window fall. Those that fall side by side wait for each other. */
struct rows {
  char *y;
  size_t count;
  struct onri_col2im_tap tap[MOST_TAPS];
  size_t taps;
};

static void add_taps(const struct work *w, struct rows *rows) {
  const struct onri_axis *a = &w->s->axis[2];
  const struct onri_col2im_rows given = {
      rows->tap, rows->taps, rows->count, (size_t)(a->out * w->parts), (size_t)(a->in * w->parts), rows->y};
  if (rows->taps > 0) onri_kernels(col2im)->add(w->class, &given);
  rows->taps = 0;
}

/* Tap k along the last axis, from element `from` of x on; only where the stride is 1 are there several rows. */
static void add_row(const struct work *w, int64_t from, int64_t k, struct rows *rows) {
  const struct onri_axis *a = &w->s->axis[2];
  int64_t first, last;
  blocks_of_tap(a, k, &first, &last);
  if (first >= last) return;
  const int64_t to = (first * a->stride + k * a->dilation - a->begin) * w->parts;
  const char *x = (const char *)w->x + (size_t)((from + first) * w->parts) * w->size;
  if (a->stride == 1) {
    if (rows->taps == MOST_TAPS) add_taps(w, rows);
    rows->tap[rows->taps++] = (struct onri_col2im_tap){x, (size_t)to, (size_t)(to + (last - first) * w->parts)};
    return;
  }
  void *y = rows->y + (size_t)to * w->size;
  if (w->class == ONRI_CLASS_F32) add_f32(y, a->stride, (const void *)x, last - first, w->parts);
  else if (w->class == ONRI_CLASS_F64) add_f64(y, a->stride, (const void *)x, last - first, w->parts);
  else add_u64(y, a->stride, (const void *)x, last - first, w->parts);
}

/* How many rows from `o` on have the same taps. */
static int64_t alike(const struct onri_axis *a, int64_t o, int64_t most) {
  for (int64_t k = 0; k < a->kernel; k++) {
    const int64_t begin = k * a->dilation - a->begin - o, end = begin + a->in;
    if (begin > 0 && begin < most) most = begin;
    if (end > 0 && end < most) most = end;
  }
  return most;
}

static void add_window(const struct work *w, int64_t plane, int64_t o0, int64_t o1, struct rows *rows) {
  const struct onri_axis *a = w->s->axis;
  const int64_t blocks = a[0].in * a[1].in * a[2].in, taps = a[0].kernel * a[1].kernel * a[2].kernel;
  int64_t i[2];
  for (int64_t k0 = 0; k0 < a[0].kernel; k0++) {
    if (!onri_axis_tap_transposed(&a[0], o0, k0, &i[0])) continue;
    for (int64_t k1 = 0; k1 < a[1].kernel; k1++) {
      if (!onri_axis_tap_transposed(&a[1], o1, k1, &i[1])) continue;
      const int64_t tap = plane * taps + (k0 * a[1].kernel + k1) * a[2].kernel, row = (i[0] * a[1].in + i[1]) * a[2].in;
      for (int64_t k2 = 0; k2 < a[2].kernel; k2++) add_row(w, (tap + k2) * blocks + row, k2, rows);
    }
  }
  add_taps(w, rows);
}

/* An item is one row of one channel of the image. */
static void add_rows(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_axis *a = w->s->axis;
  const size_t line = (size_t)(a[2].out * w->parts) * w->size;
  struct rows rows = {.taps = 0};
  memset((char *)w->y + begin * line, 0, (end - begin) * line);
  for (size_t item = begin; item < end; item += rows.count) {
    const int64_t o1 = (int64_t)item % a[1].out, o0 = (int64_t)item / a[1].out % a[0].out;
    const int64_t left = (int64_t)(end - item), most = left < a[1].out - o1 ? left : a[1].out - o1;
    rows.y = (char *)w->y + item * line;
    rows.count = a[1].stride == 1 && a[2].stride == 1 ? (size_t)alike(&a[1], o1, most) : 1;
    add_window(w, (int64_t)item / a[1].out / a[0].out, o0, o1, &rows);
  }
}

static enum onr_status col2im_run(struct onr_call *call) {
  const struct col2im_state *s = call->state;
  const enum onr_dtype dtype = call->in[0].dtype;
  struct work w = {.s = s,
                   .class = onri_dtype_class(onri_dtype_part(dtype)),
                   .parts = (int64_t)onri_dtype_parts(dtype),
                   .size = onri_class_size(onri_dtype_class(onri_dtype_part(dtype))),
                   .x = call->inputs[0],
                   .y = call->outputs[0]};
  if (!onri_is_native(onri_dtype_part(dtype)))
    w.x = onri_converted_input(call, 0, s->x), w.y = (char *)call->scratch + s->y;
  onr_parallel_for(call->env, (size_t)(s->batch * s->channels * s->axis[0].out * s->axis[1].out), 8, add_rows, &w);
  if (w.y != call->outputs[0])
    onri_convert(call->env, dtype, w.y, call->outputs[0], (size_t)onr_desc_elements(&call->out[0]), 1);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_col2im = {
    .name = "col2im",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {0, ONRI_DTYPES_INDEX, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 6,
    .params_size = sizeof(struct onr_col2im_params),
    .state_size = sizeof(struct col2im_state),
    .infer = col2im_infer,
    .plan = col2im_plan,
    .run = col2im_run,
};
