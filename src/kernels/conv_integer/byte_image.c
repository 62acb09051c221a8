/* byte_image.c: see byte_image.h. */
#include "kernels/conv_integer/byte_image.h"

#include "base/numbers/checked.h"

enum { TIMES = 4, SOME = 4096 };

struct onri_byte_depth onri_byte_window(const struct onri_conv *c) {
  const size_t taps = (size_t)onri_conv_taps(c), in = (size_t)c->group_in, side = (size_t)c->axis[2].kernel;
  if (c->groups == 1 && c->axis[2].dilation == 1) return (struct onri_byte_depth){taps / side, side * in};
  return (struct onri_byte_depth){taps, in};
}

/* Positions under any window, padding included. */
static size_t extent(const struct onri_axis *a) {
  return (size_t)((a->out - 1) * a->stride + (a->kernel - 1) * a->dilation + 1);
}

static size_t channels_of(const struct onri_conv *c) { return (size_t)(c->groups * c->group_in); }

int onri_byte_image_lies(const struct onri_conv *c, int x_signed) {
  const struct onri_byte_depth window = onri_byte_window(c);
  if (!onri_byte_lies_packed(x_signed) || window.run % ONRI_BYTE_GROUP || c->x.channel_stride != 1) return 0;
  if (window.run > (size_t)c->group_in && c->x.stride[2] != c->group_in) return 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (c->axis[a].begin || extent(&c->axis[a]) > (size_t)c->axis[a].in) return 0;
  return 1;
}

/* The padded image's elements; SIZE_MAX where there are too many. */
static size_t elements_of(const struct onri_conv *c) {
  size_t elements = channels_of(c);
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (!onri_mul_size(elements, extent(&c->axis[a]), &elements)) return SIZE_MAX;
  return elements;
}

size_t onri_byte_image_padded_bytes(const struct onri_conv *c) {
  size_t bytes;
  return onri_mul_size(elements_of(c), onri_byte_cell(), &bytes) ? bytes : SIZE_MAX;
}

size_t onri_byte_image_bytes(const struct onri_conv *c) {
  size_t given = channels_of(c), made = (size_t)(c->groups * c->group_out), most;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++)
    if (!onri_mul_size(given, (size_t)c->axis[a].in, &given) || !onri_mul_size(made, (size_t)c->axis[a].out, &made))
      return SIZE_MAX;
  if (!onri_add_size(given, made, &most) || !onri_add_size(most, SOME, &most) || elements_of(c) / TIMES > most)
    return SIZE_MAX;
  return onri_byte_image_padded_bytes(c);
}

struct onri_byte_image onri_byte_image_in_place(const struct onri_conv *c, const void *x) {
  struct onri_byte_image image = {.x = x, .batch_step = (size_t)c->x.batch_stride};
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) image.step[a] = (size_t)c->x.stride[a];
  return image;
}

struct packing {
  const struct onri_conv *c;
  const char *x;
  int x_signed, zero;
  char *to;
};

/* Positions [begin, end) of a line, which lie in the image. */
static void pack_inside(const struct packing *p, const char *line, int64_t begin, int64_t end, char *to) {
  const struct onri_image *x = &p->c->x;
  const size_t channels = channels_of(p->c), cell = onri_byte_cell(), count = (size_t)(end - begin);
  if (x->channel_stride == 1 && x->stride[2] == (int64_t)channels) {
    onri_byte_pack(line + begin * x->stride[2], count * channels, p->x_signed, to);
    return;
  }
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < channels; j++)
      onri_byte_pack(line + (begin + (int64_t)i) * x->stride[2] + (int64_t)j * x->channel_stride, 1, p->x_signed,
                     to + (i * channels + j) * cell);
}

static int64_t clamped(int64_t i, int64_t most) { return i < 0 ? 0 : i > most ? most : i; }

static void pack_line(const struct packing *p, const char *line, char *to) {
  const struct onri_axis *a = &p->c->axis[2];
  const size_t pixel = channels_of(p->c), bytes = pixel * onri_byte_cell();
  const int64_t length = (int64_t)extent(a), left = clamped(a->begin, length),
                right = clamped(a->begin + a->in, length), first = clamped(-a->begin, a->in);
  onri_byte_fill(p->zero, (size_t)left * pixel, p->x_signed, to);
  if (right > left) pack_inside(p, line, first, first + right - left, to + (size_t)left * bytes);
  const int64_t behind = right > left ? right : left;
  onri_byte_fill(p->zero, (size_t)(length - behind) * pixel, p->x_signed, to + (size_t)behind * bytes);
}

static size_t line_elements(const struct onri_conv *c) { return extent(&c->axis[2]) * channels_of(c); }

/* A line of a plane of the image at x, both counted from where its padding begins. */
static void pack_line_of(const struct packing *p, const char *x, size_t plane, size_t line, char *to) {
  const struct onri_axis *axis = p->c->axis;
  const int64_t i0 = (int64_t)plane - axis[0].begin, i1 = (int64_t)line - axis[1].begin;
  if (i0 < 0 || i0 >= axis[0].in || i1 < 0 || i1 >= axis[1].in)
    onri_byte_fill(p->zero, line_elements(p->c), p->x_signed, to);
  else pack_line(p, x + i0 * p->c->x.stride[0] + i1 * p->c->x.stride[1], to);
}

static void pack_lines(void *context, size_t begin, size_t end) {
  const struct packing *p = context;
  const struct onri_axis *axis = p->c->axis;
  const size_t lines = extent(&axis[1]), planes = extent(&axis[0]), bytes = line_elements(p->c) * onri_byte_cell();
  for (size_t item = begin; item < end; item++)
    pack_line_of(p, p->x + (int64_t)(item / lines / planes) * p->c->x.batch_stride, item / lines % planes, item % lines,
                 p->to + item * bytes);
}

/* Where lines and planes of so many lines lie one behind the other. */
static struct onri_byte_image image_at(const struct onri_conv *c, const void *at, size_t lines) {
  struct onri_byte_image image = {.x = at};
  image.step[2] = channels_of(c) * onri_byte_cell();
  image.step[1] = line_elements(c) * onri_byte_cell();
  image.step[0] = image.step[1] * lines;
  return image;
}

struct onri_byte_image onri_byte_image_pack(const struct onri_conv *c, const void *x, int x_signed, int zero,
                                            size_t first, size_t count, void *to, struct onr_env *env) {
  struct packing p = {c, (const char *)x + (int64_t)first * c->x.batch_stride, x_signed, zero, to};
  struct onri_byte_image image = image_at(c, to, extent(&c->axis[1]));
  image.batch_step = image.step[0] * extent(&c->axis[0]);
  onr_parallel_for(env, count * extent(&c->axis[0]) * extent(&c->axis[1]), 8, pack_lines, &p);
  return image;
}

size_t onri_byte_strip_bytes(const struct onri_conv *c, const struct onri_byte_strip *strip) {
  return strip->planes * strip->lines * line_elements(c) * onri_byte_cell();
}

struct onri_byte_image onri_byte_strip_pack(const struct onri_conv *c, const void *x, int x_signed, int zero,
                                            size_t batch, const struct onri_byte_strip *strip, void *to) {
  const struct packing p = {c, (const char *)x + (int64_t)batch * c->x.batch_stride, x_signed, zero, to};
  const struct onri_byte_image image = image_at(c, to, strip->lines);
  for (size_t i0 = 0; i0 < strip->planes; i0++)
    for (size_t i1 = 0; i1 < strip->lines; i1++)
      pack_line_of(&p, p.x, strip->plane + i0, strip->line + i1, p.to + i0 * image.step[0] + i1 * image.step[1]);
  return image;
}

void onri_byte_image_runs(const struct onri_conv *c, const struct onri_byte_image *image, size_t *runs) {
  const struct onri_axis *axis = c->axis;
  const size_t count = onri_byte_window(c).runs, across = count / (size_t)(axis[0].kernel * axis[1].kernel);
  for (size_t i = 0; i < count; i++) {
    const size_t k[] = {i / across / (size_t)axis[1].kernel, i / across % (size_t)axis[1].kernel, i % across};
    runs[i] = 0;
    for (int a = 0; a < ONR_MAX_SPATIAL; a++) runs[i] += k[a] * (size_t)axis[a].dilation * image->step[a];
  }
}

void onri_byte_image_windows(const struct onri_conv *c, const struct onri_byte_image *image, size_t batch, size_t group,
                             size_t pixel, size_t count, const char **begins) {
  const size_t out1 = (size_t)c->axis[1].out, out2 = (size_t)c->axis[2].out,
               step0 = (size_t)c->axis[0].stride * image->step[0], step1 = (size_t)c->axis[1].stride * image->step[1],
               step2 = (size_t)c->axis[2].stride * image->step[2];
  const char *x = image->x + batch * image->batch_step + group * (size_t)c->group_in * onri_byte_cell();
  for (size_t i = 0; i < count;) { /* row by row */
    const size_t row = (pixel + i) / out2, column = (pixel + i) % out2;
    const char *at = x + row / out1 * step0 + row % out1 * step1 + column * step2;
    for (size_t o2 = column; o2 < out2 && i < count; o2++, i++, at += step2) begins[i] = at;
  }
}
