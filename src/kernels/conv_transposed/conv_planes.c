/* conv_planes.c: see conv_planes.h. */
#include "kernels/conv_transposed/conv_planes.h"

#include <string.h>

#include "kernels/move/transpose.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

int64_t onri_first_place(const struct onri_axis *a) { return a->begin / a->stride; }

int64_t onri_places(const struct onri_axis *a) {
  return a->out > 0 ? (a->out - 1 + a->begin) / a->stride - onri_first_place(a) + 1 : 0;
}

/* Output o of an axis is place *q of a plane of phase *rest. */
static void place_of(const struct onri_axis *a, int64_t o, int64_t *q, int64_t *rest) {
  *q = (o + a->begin) / a->stride - onri_first_place(a);
  *rest = (o + a->begin) % a->stride;
}

/* Place i of each line in turn. Lines of one set lie equally far apart. */
static void weave(const float *const *lines, int64_t stride, int64_t q, int64_t count, float *y) {
  const ptrdiff_t step = stride > 1 ? lines[1] - lines[0] : 0, size = (ptrdiff_t)sizeof(float);
  int64_t alike = 1;
  while (alike < stride && lines[alike] - lines[alike - 1] == step) alike++;
  const struct onri_transpose t = {.x = (const char *)(lines[0] + q),
                                   .y = (char *)y,
                                   .x_stride = step * size,
                                   .y_stride = (ptrdiff_t)stride * size,
                                   .num_a = (size_t)count,
                                   .num_b = (size_t)stride};
  if (stride == 1) memcpy(y, lines[0] + q, (size_t)count * sizeof(float));
  else if (alike == stride) onri_transpose_32(&t);
  else
    for (int64_t i = 0; i < count; i++)
      for (int64_t k = 0; k < stride; k++) y[i * stride + k] = lines[k][q + i];
}

/* lines: of the phases of axis 2, from the place of output 0 on, which leaves `rest`. */
static void shuffle_row(const struct onri_axis *a, const float *const *lines, int64_t rest, float *y, int64_t y_pixel) {
  int64_t q = 0, o = 0;
  for (; o < a->out && (rest > 0 || y_pixel != 1); o++) {
    y[o * y_pixel] = lines[rest][q];
    if (++rest == a->stride) rest = 0, q++;
  }
  const int64_t whole = (a->out - o) / a->stride;
  if (whole > 0) weave(lines, a->stride, q, whole, y + o);
  q += whole, o += whole * a->stride;
  for (rest = 0; o < a->out; o++) y[o] = lines[rest++][q];
}

/* Outputs of an axis that lie at places [q, q + count). */
static int64_t first_output(const struct onri_axis *a, int64_t q) {
  return most(0, (q + onri_first_place(a)) * a->stride - a->begin);
}

/* Rows o0, o1 of channels [begin, end). */
static void shuffle_channels(const struct onri_phase_planes *b, int64_t begin, int64_t end, int64_t o0, int64_t o1) {
  const struct onri_conv *c = b->c;
  const struct onri_axis *a = c->axis;
  const float *lines[ONRI_MOST_PHASES];
  int64_t q0, q1, q2, rest0, rest1, rest2;
  place_of(&a[0], o0, &q0, &rest0);
  place_of(&a[1], o1, &q1, &rest1);
  place_of(&a[2], 0, &q2, &rest2);
  const int64_t phase = (rest0 * a[1].stride + rest1) * a[2].stride,
                at = ((q0 - b->plane) * b->rows + q1 - b->row) * b->columns + q2,
                size = b->depth * b->rows * b->columns;
  float *y = b->y + b->n * c->y.batch_stride + o0 * c->y.stride[0] + o1 * c->y.stride[1];
  for (int64_t channel = begin; channel < end; channel++) {
    const int64_t g = channel / c->group_out, m = channel - g * c->group_out;
    for (int64_t i = 0; i < a[2].stride; i++) {
      const int64_t plane = b->phase[phase + i].first + g * b->phase[phase + i].group + m;
      lines[i] = b->planes + plane * size + at;
    }
    shuffle_row(&a[2], lines, rest2, y + channel * c->y.channel_stride, c->y.stride[2]);
  }
}

/* Rows of outputs of some channels. */
void onri_phase_planes_shuffle(void *context, size_t begin, size_t end) {
  const struct onri_phase_planes *b = context;
  const struct onri_axis *a = b->c->axis;
  const int64_t first1 = first_output(&a[1], b->row), last1 = least(a[1].out, first_output(&a[1], b->row + b->rows));
  const int64_t first0 = first_output(&a[0], b->plane),
                last0 = least(a[0].out, first_output(&a[0], b->plane + b->depth));
  for (int64_t o0 = first0; o0 < last0; o0++)
    for (int64_t o1 = first1; o1 < last1; o1++) shuffle_channels(b, (int64_t)begin, (int64_t)end, o0, o1);
}
