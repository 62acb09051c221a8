/* byte_lines.c: see byte_lines.h. */
#include "kernels/conv_integer/byte_lines.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/conv_integer/byte_planes_row.h"
#include "kernels/kernels.h"

enum { POSITIONS = 4096 /* of a strip, where a row has no more */ };

/* Tap k leaves remainder k % parts of them, in the order in which taps come. */
static size_t parts_of(const struct onri_axis *a) {
  const int64_t period = a->stride / onri_common_divisor(a->stride, a->dilation);
  return (size_t)(period < a->kernel ? period : a->kernel);
}
static size_t count_of(const struct onri_axis *a) {
  return (size_t)(a->out + (a->kernel - 1) * a->dilation / a->stride);
}

int onri_byte_lines_set(const struct onri_axis axis[ONR_MAX_SPATIAL], struct onri_byte_lines *l) {
  size_t inner = 1, parts = 1;
  memcpy(l->axis, axis, sizeof(l->axis));
  struct onri_axis strip[ONR_MAX_SPATIAL];
  memcpy(strip, axis, sizeof(strip));
  l->along = axis[0].out > 1 ? 0 : axis[1].out > 1 ? 1 : 2;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) parts *= l->parts[i] = parts_of(&axis[i]);
  for (int i = l->along + 1; i < ONR_MAX_SPATIAL; i++)
    if (!onri_mul_size(inner, count_of(&axis[i]), &inner)) return 0;
  struct onri_axis *along = &strip[l->along];
  const int64_t most = inner < POSITIONS ? (int64_t)(POSITIONS / inner) : 1;
  l->rows = most < along->out ? most : along->out;
  l->strips = (size_t)((along->out - 1) / l->rows + 1);
  along->out = l->rows;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) l->count[i] = count_of(&strip[i]);
  return onri_mul_size(l->count[0], l->count[1], &l->part) && onri_mul_size(l->part, l->count[2], &l->part) &&
         onri_mul_size(l->part, parts, &l->plane) && onri_round_up(l->part, ONRI_BYTE_VECTOR, &l->positions);
}

void onri_byte_lines_strip(const struct onri_byte_lines *l, size_t index, struct onri_byte_strip_of *s) {
  memcpy(s->axis, l->axis, sizeof(s->axis));
  struct onri_axis *along = &s->axis[l->along];
  s->first = (int64_t)index * l->rows;
  along->out = along->out - s->first < l->rows ? along->out - s->first : l->rows;
  along->begin -= s->first * along->stride;
  s->positions =
      (((size_t)s->axis[0].out - 1) * l->count[1] + (size_t)s->axis[1].out - 1) * l->count[2] + (size_t)s->axis[2].out;
}

static int64_t clamped(int64_t i, int64_t most) { return i < 0 ? 0 : i > most ? most : i; }

/* Of a line: pixels [begin, end) of `count` lie in the image, the first of them `from` bytes behind its begin, `step`
 * bytes apart; the others are `outside`. */
struct line {
  int64_t begin, end, count, from, step;
  uint8_t outside, flip;
  void (*take)(const uint8_t *x, size_t step, size_t count, uint8_t flip, uint8_t *to);
};

static struct line line_of(const struct onri_axis *a, int64_t first, int64_t pixel) {
  struct line l = {.count = (int64_t)count_of(a), .step = a->stride * pixel, .take = onri_kernels(byte_planes)->take};
  l.begin = clamped(onri_ceil_div(-first, a->stride), l.count);
  l.end = clamped(onri_ceil_div(a->in - first, a->stride), l.count);
  if (l.end < l.begin) l.end = l.begin;
  l.from = (first + l.begin * a->stride) * pixel;
  return l;
}

static void pack_line(const struct line *l, const uint8_t *line, uint8_t *to) {
  if (l->begin > 0) memset(to, l->outside, (size_t)l->begin);
  l->take(line + l->from, (size_t)l->step, (size_t)(l->end - l->begin), l->flip, to + l->begin);
  if (l->end < l->count) memset(to + l->end, l->outside, (size_t)(l->count - l->end));
}

/* The pixels with the remainders of taps `tap`. */
static void pack_part(const struct onri_byte_lines *l, const struct onri_byte_strip_of *s, const uint8_t *x,
                      const int64_t stride[ONR_MAX_SPATIAL], const int64_t tap[ONR_MAX_SPATIAL], struct line *line,
                      uint8_t *to) {
  const struct onri_axis *a = s->axis;
  const uint8_t outside = line->outside, flip = line->flip;
  int64_t first[ONR_MAX_SPATIAL];
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) first[i] = tap[i] * a[i].dilation % a[i].stride - a[i].begin;
  *line = line_of(&a[2], first[2], stride[2]);
  line->outside = outside, line->flip = flip;
  const int64_t planes = (int64_t)count_of(&a[0]), lines = (int64_t)count_of(&a[1]);
  for (int64_t i0 = 0; i0 < planes; i0++) {
    const int64_t at0 = first[0] + i0 * a[0].stride;
    uint8_t *plane = to + (size_t)i0 * l->count[1] * l->count[2];
    for (int64_t i1 = 0; i1 < lines; i1++, plane += l->count[2]) {
      const int64_t at1 = first[1] + i1 * a[1].stride;
      if (at0 >= 0 && at0 < a[0].in && at1 >= 0 && at1 < a[1].in)
        pack_line(line, x + at0 * stride[0] + at1 * stride[1], plane);
      else memset(plane, outside, (size_t)line->count);
    }
  }
}

void onri_byte_lines_pack(const struct onri_byte_lines *l, const struct onri_byte_strip_of *s, const uint8_t *x,
                          const int64_t stride[ONR_MAX_SPATIAL], uint8_t outside, uint8_t flip, uint8_t *to) {
  const size_t *parts = l->parts;
  struct line line = {.outside = outside ^ flip, .flip = flip};
  for (size_t part = 0; part < parts[0] * parts[1] * parts[2]; part++, to += l->part) {
    const int64_t tap[] = {(int64_t)(part / parts[2] / parts[1]), (int64_t)(part / parts[2] % parts[1]),
                           (int64_t)(part % parts[2])};
    pack_part(l, s, x, stride, tap, &line, to);
  }
}

size_t onri_byte_lines_distance(const struct onri_byte_lines *l, size_t tap) {
  const struct onri_axis *a = l->axis;
  const size_t k2 = (size_t)a[2].kernel, k1 = (size_t)a[1].kernel, k[] = {tap / k2 / k1, tap / k2 % k1, tap % k2};
  size_t part = 0, at = 0;
  for (int i = 0; i < ONR_MAX_SPATIAL; i++) {
    part = part * l->parts[i] + k[i] % l->parts[i];
    at = at * l->count[i] + k[i] * (size_t)a[i].dilation / (size_t)a[i].stride;
  }
  return part * l->part + at;
}

void onri_byte_lines_store(const struct onri_byte_lines *l, const struct onri_byte_strip_of *s, const void *positions,
                           size_t size, void *y, const int64_t stride[ONR_MAX_SPATIAL]) {
  const struct onri_axis *a = s->axis;
  const size_t count = (size_t)a[2].out;
  const int64_t step = stride[2] * (int64_t)size;
  char *to = (char *)y + s->first * stride[l->along] * (int64_t)size;
  for (int64_t i0 = 0; i0 < a[0].out; i0++)
    for (int64_t i1 = 0; i1 < a[1].out; i1++) {
      const char *row = (const char *)positions + ((size_t)i0 * l->count[1] + (size_t)i1) * l->count[2] * size;
      char *at = to + (i0 * stride[0] + i1 * stride[1]) * (int64_t)size;
      if (step == (int64_t)size) memcpy(at, row, count * size);
      else
        for (size_t i = 0; i < count; i++) memcpy(at + (int64_t)i * step, row + i * size, size);
    }
}
