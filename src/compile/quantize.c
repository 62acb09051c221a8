/* quantize.c: bytes that stand for real numbers, and products and convolutions of them. */
#include <math.h>
#include <string.h>

#include "compile/image.h"
#include "compile/product.h"
#include "layers/matmul/product.h"

/* --- quantize_linear, dequantize_linear --- */

/* Scales along `axis` in blocks: entry (o * blocks + a / block) * inner + i, or one for each of the axis. */
struct grid {
  long long outer, length, inner, block, entries;
  int by_inner;
};

static struct grid grid_of(const struct onri_source *s) {
  const struct onr_quantize_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc, *scale = &s->in[1].desc;
  struct grid g = {1, 1, onri_count(&s->in[0]), 1, 1, 0};
  if (onr_desc_elements(scale) == 1 && p->block_size == 0) return g;
  const int32_t axis = (int32_t)(p->axis < 0 ? p->axis + x->rank : p->axis);
  g = (struct grid){onri_extent(x, 0, axis), x->dim[axis], onri_extent(x, axis + 1, x->rank), 1, x->dim[axis], 0};
  if (p->block_size > 0) g.block = p->block_size, g.entries = scale->dim[axis], g.by_inner = 1;
  return g;
}

static const char *place_text(const struct grid *g, char *text, size_t size) {
  if (g->by_inner) snprintf(text, size, "((o * %lldLL + a / %lld) * %lldLL + i)", g->entries, g->block, g->inner);
  else snprintf(text, size, "a");
  return text;
}

static int is_small(enum onr_dtype t) {
  return t == ONR_DTYPE_I4 || t == ONR_DTYPE_U4 || t == ONR_DTYPE_I2 || t == ONR_DTYPE_U2;
}

/* Least and greatest value of an integer type. */
static void bounds(enum onr_dtype t, long long *low, long long *high) {
  const int bits = t == ONR_DTYPE_I4 || t == ONR_DTYPE_U4   ? 4
                   : t == ONR_DTYPE_I2 || t == ONR_DTYPE_U2 ? 2
                                                            : 8 * (int)onr_dtype_size(t);
  const int is_signed =
      t == ONR_DTYPE_I8 || t == ONR_DTYPE_I16 || t == ONR_DTYPE_I32 || t == ONR_DTYPE_I4 || t == ONR_DTYPE_I2;
  *low = is_signed ? -(1LL << (bits - 1)) : 0;
  *high = (1LL << (bits - is_signed)) - 1;
}

static int is_integer(enum onr_dtype t) {
  return is_small(t) || t == ONR_DTYPE_I8 || t == ONR_DTYPE_U8 || t == ONR_DTYPE_I16 || t == ONR_DTYPE_U16 ||
         t == ONR_DTYPE_I32;
}

/* The function's head and loops; "at" is the element, "e" the entry of scale and zero point. */
static void begin(struct onri_source *s, struct onri_text *t, struct onri_text *arguments, const struct grid *g) {
  char place[128];
  const int has_zero = onri_has_in(s, 2);
  onri_text_format(s, t, "(const %s *restrict x, const %s *restrict scale, ", onri_c_type(s->in[0].desc.dtype),
                   onri_c_type(s->in[1].desc.dtype));
  onri_text_format(s, arguments, "%s, %s, ", onri_in(s, 0).text, onri_in(s, 1).text);
  if (has_zero) {
    onri_text_format(s, t, "const %s *restrict zero, ", onri_c_type(s->in[2].desc.dtype));
    onri_text_format(s, arguments, "%s, ", onri_in(s, 2).text);
  }
  onri_text_format(s, t, "%s *restrict y) {\n", onri_c_type(s->out[0].desc.dtype));
  onri_text_format(s, arguments, "%s", onri_out(s, 0).text);
  onri_text_format(
      s, t,
      "  for (int o = 0; o < %lld; o++)\n  for (int a = 0; a < %lld; a++)\n  for (int i = 0; i < %lld; i++) {\n"
      "    const ptrdiff_t at = (o * (ptrdiff_t)%lld + a) * %lld + i, e = %s;\n",
      g->outer, g->length, g->inner, g->length, g->inner, place_text(g, place, sizeof(place)));
}

static void end(struct onri_source *s, const char *name, struct onri_text *t, struct onri_text *arguments) {
  onri_text_format(s, t, "  }\n}\n");
  onri_function(s, name, t, arguments->data);
  onri_text_clear(s, arguments);
}

static void emit_quantize(struct onri_source *s) {
  const struct onr_quantize_params *p = s->params;
  const enum onr_dtype y = s->out[0].desc.dtype;
  const struct grid g = grid_of(s);
  struct onri_text t = {0}, arguments = {0};
  long long low, high;
  const int is_real = y == ONR_DTYPE_F32; /* which is narrowed afterwards */
  if ((!is_integer(y) && !is_real) || (p->precision != ONR_DTYPE_NONE && p->precision != ONR_DTYPE_F32) ||
      s->graph->values[s->in[1].value].desc.dtype == ONR_DTYPE_F16 ||
      s->graph->values[s->in[1].value].desc.dtype == ONR_DTYPE_BF16) {
    s->why = "its type";
    return;
  }
  s->unsaturated = p->unsaturated;
  begin(s, &t, &arguments, &g);
  if (is_real) {
    onri_text_format(s, &t, "    y[at] = (float)x[at] / (float)scale[e]%s;\n", onri_has_in(s, 2) ? " + zero[e]" : "");
    end(s, "quantize", &t, &arguments);
    return;
  }
  bounds(y, &low, &high);
  onri_text_format(s, &t,
                   "    const float q = (float)x[at] / (float)scale[e], v = rintf(q != q ? 0 : q) + %s;\n"
                   "    y[at] = (%s)(v < %lld ? %lld : v > %lld ? %lld : v);\n",
                   onri_has_in(s, 2) ? "(float)zero[e]" : "0", onri_c_type(y), low, low, high, high);
  end(s, "quantize", &t, &arguments);
}

static void emit_dequantize(struct onri_source *s) {
  const enum onr_dtype x = s->in[0].desc.dtype, y = s->out[0].desc.dtype;
  const struct grid g = grid_of(s);
  struct onri_text t = {0}, arguments = {0};
  if (!is_integer(x) && x != ONR_DTYPE_F32) { /* of which one of 8 bits or less was made */
    s->why = "its type";
    return;
  }
  begin(s, &t, &arguments, &g);
  onri_text_format(
      s, &t,
      onri_has_in(s, 2) ? "    y[at] = ((%s)x[at] - (%s)zero[e]) * scale[e];\n" : "    y[at] = (%s)x[at] * scale[e];\n",
      onri_c_type(y), onri_c_type(y));
  end(s, "dequantize", &t, &arguments);
}

static void emit_dynamic_quantize(struct onri_source *s) {
  onri_use(s, "dynamic_quantize", ONR_DTYPE_NONE);
  onri_line(s, "dynamic_quantize(%s, %s, %s, %s, %lld);", onri_in(s, 0).text, onri_out(s, 0).text, onri_out(s, 1).text,
            onri_out(s, 2).text, onri_count(&s->in[0]));
}

/* --- products of bytes --- */

enum { NONE = 255 };
/* Which input is what. */
struct roles {
  uint8_t x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
};
static const struct roles roles_integer = {0, NONE, 2, 1, NONE, 3, NONE, NONE, NONE};
static const struct roles roles_quantised = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const struct roles roles_real = {0, 2, 4, 1, 3, 5, NONE, NONE, 6};

static int is_byte(enum onr_dtype t) { return t == ONR_DTYPE_I8 || t == ONR_DTYPE_U8; }

static int32_t byte_at(const struct onri_operand *o, long long i) {
  return o->desc.dtype == ONR_DTYPE_U8 ? ((const uint8_t *)o->known)[i] : ((const int8_t *)o->known)[i];
}

/* What all products of one node share. */
struct bytes {
  const struct roles *r;
  int64_t depth, columns; /* of the weights of a group */
  int64_t groups;
  char zeros[24], scales[24], bias[24];
  int32_t x_zero, y_zero;
  double low, high;
};

static int is_known_or_absent(const struct onri_source *s, uint8_t i) {
  return i == NONE || !onri_has_in(s, i) || s->in[i].known;
}

/* Weights [depth][columns] in panels as signed bytes: unsigned ones less 128. w(group, k, n) is at list[...]. */
static int32_t byte_panels(struct onri_source *s, const struct bytes *b, const int32_t *weights) {
  int8_t *panels = onri_allocate(s->env->allocator, (size_t)(b->depth * b->columns) + 1), *next = panels;
  if (!panels) {
    onri_no_memory(s);
    return 0;
  }
  for (int64_t first = 0; first < b->columns; first += ONRI_PANEL)
    for (int64_t k = 0; k < b->depth; k++)
      for (int64_t j = first; j < b->columns && j < first + ONRI_PANEL; j++)
        *next++ = (int8_t)weights[k * b->columns + j];
  return onri_weights_take(s, ONR_DTYPE_I8, panels, (size_t)(b->depth * b->columns));
}

static int has_known_numbers(const struct onri_source *s, const struct roles *r) {
  const uint8_t all[] = {r->x_scale, r->x_zero, r->w_scale, r->w_zero, r->y_scale, r->y_zero, r->bias};
  int known = 1;
  for (size_t i = 0; i < sizeof(all); i++) known &= is_known_or_absent(s, all[i]);
  return known;
}

/* Scales, zero points and bias of all columns; what is not known leaves s->why. */
static void settle(struct onri_source *s, struct bytes *b) {
  const struct roles *r = b->r;
  const int64_t n = b->columns * b->groups;
  const int shift = s->in[r->w].desc.dtype == ONR_DTYPE_U8 ? 128 : 0;
  if (!s->in[r->w].known || !has_known_numbers(s, r)) s->why = "its weights or scales are data";
  int32_t *zeros = onri_temporary(s, (size_t)n * sizeof(*zeros)), any = 0;
  float *scales = onri_temporary(s, (size_t)n * sizeof(*scales));
  if (!zeros || !scales || s->why) return;
  const int has_zero = r->w_zero != NONE && onri_has_in(s, r->w_zero);
  if (has_zero && onri_count(&s->in[r->w_zero]) != 1 && onri_count(&s->in[r->w_zero]) != n) s->why = "its zero points";
  if (r->x_zero != NONE && onri_has_in(s, r->x_zero)) {
    if (onri_count(&s->in[r->x_zero]) != 1) s->why = "its zero points";
    b->x_zero = byte_at(&s->in[r->x_zero], 0);
  }
  if (r->y_zero != NONE) b->y_zero = byte_at(&s->in[r->y_zero], 0);
  for (int64_t j = 0; j < n && !s->why; j++) {
    zeros[j] = (has_zero ? byte_at(&s->in[r->w_zero], onri_count(&s->in[r->w_zero]) > 1 ? j : 0) : 0) - shift;
    any |= zeros[j];
  }
  snprintf(b->zeros, sizeof(b->zeros), "NULL");
  if (any) snprintf(b->zeros, sizeof(b->zeros), "w%d", onri_weights_add(s, ONR_DTYPE_I32, zeros, (size_t)n));
  snprintf(b->scales, sizeof(b->scales), "NULL");
  if (r->x_scale != NONE && !s->why) {
    const struct onri_operand *w = &s->in[r->w_scale];
    if (onri_count(&s->in[r->x_scale]) != 1 || (onri_count(w) != 1 && onri_count(w) != n) ||
        w->desc.dtype != ONR_DTYPE_F32) {
      s->why = "its scales";
      return;
    }
    const float x = *(const float *)s->in[r->x_scale].known,
                y = r->y_scale == NONE ? 1 : *(const float *)s->in[r->y_scale].known;
    for (int64_t j = 0; j < n; j++) scales[j] = x * ((const float *)w->known)[onri_count(w) > 1 ? j : 0] / y;
    snprintf(b->scales, sizeof(b->scales), "w%d", onri_weights_add(s, ONR_DTYPE_F32, scales, (size_t)n));
  }
  snprintf(b->bias, sizeof(b->bias), "%s",
           onri_in(s, r->bias != NONE && onri_has_in(s, r->bias) ? r->bias : s->num_in).text);
}

static const char *kind_of(const struct onri_source *s, const struct roles *r) {
  return r->x_scale == NONE                     ? "sums"
         : r->y_scale == NONE                   ? "reals"
         : s->out[0].desc.dtype == ONR_DTYPE_U8 ? "u8"
                                                : "i8";
}

/* One product: rows as onri_write_product has them. */
static void write_bytes(struct onri_source *s, const struct bytes *b, const char *x, int32_t w, const char *y,
                        const long long *count, const long long *step, long long y_step, const char *offsets,
                        long long runs, long long length, int64_t first) {
  const enum onr_dtype xt = s->in[b->r->x].desc.dtype, yt = s->out[0].desc.dtype;
  char part[48], zeros[40] = "NULL", scales[40] = "NULL", bias[40] = "NULL";
  const char *kind = kind_of(s, b->r);
  if (strcmp(b->zeros, "NULL")) snprintf(zeros, sizeof(zeros), "%s + %lld", b->zeros, (long long)first);
  if (strcmp(b->scales, "NULL")) snprintf(scales, sizeof(scales), "%s + %lld", b->scales, (long long)first);
  if (strcmp(b->bias, "NULL")) snprintf(bias, sizeof(bias), "%s + %lld", b->bias, (long long)first);
  snprintf(part, sizeof(part), "store_%s", kind);
  onri_use(s, part, ONR_DTYPE_NONE);
  onri_use(s, "product_bytes_T", xt);
  onri_line(
      s,
      "product_bytes_%s(%s, w%d, %s, %s, %zu, (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld}, %lld, %lld, %s, "
      "%lld, %lld, %d, &(struct byte_store){%s, %s, %s, %d, %s, %s});",
      onri_c_short(xt), x, w, zeros, y, onr_dtype_size(yt), count[0], count[1], count[2], step[0], step[1], step[2],
      (long long)b->columns, y_step, offsets, runs, length, b->x_zero, part, scales, bias, b->y_zero,
      onri_c_float(b->low, ONR_DTYPE_F32).text, onri_c_float(b->high, ONR_DTYPE_F32).text);
}

/* The only element of an input, as an int; 0 of none. */
static struct onri_name number_in(struct onri_source *s, uint8_t i) {
  struct onri_name text = {"0"};
  if (i == NONE || !onri_has_in(s, i)) return text;
  if (onri_count(&s->in[i]) != 1) s->why = "its zero points";
  snprintf(text.text, sizeof(text.text), "%.18s[0]", onri_in(s, i).text);
  return text;
}

/* Scales of n columns in memory of its own; "NULL": none. */
static struct onri_name scales_of_data(struct onri_source *s, const struct roles *r, long long n) {
  struct onri_name text = {"NULL"};
  if (r->x_scale == NONE) return text;
  const long long count = onri_count(&s->in[r->w_scale]);
  if (onri_count(&s->in[r->x_scale]) != 1 || (count != 1 && count != n) ||
      (r->y_scale != NONE && onri_count(&s->in[r->y_scale]) != 1) || s->in[r->w_scale].desc.dtype != ONR_DTYPE_F32) {
    s->why = "its scales";
    return text;
  }
  const int32_t own = onri_scratch(s, (size_t)n * sizeof(float));
  onri_use(s, "product_scales", ONR_DTYPE_NONE);
  onri_line(s, "product_scales(%s, %s, %d, %s, (float *)s%d, %lld);", onri_in(s, r->x_scale).text,
            onri_in(s, r->w_scale).text, count > 1, r->y_scale == NONE ? "NULL" : onri_in(s, r->y_scale).text, own, n);
  snprintf(text.text, sizeof(text.text), "(float *)s%d", own);
  return text;
}

/* Operand i as integers of 32 bits, less its zero point: the number of their memory. */
static int32_t wide_operand(struct onri_source *s, uint8_t i, uint8_t zero) {
  const struct onri_operand *o = &s->in[i];
  const int32_t own = onri_scratch(s, (size_t)onri_count(o) * sizeof(int32_t));
  onri_use(s, "bytes_less_T", o->desc.dtype);
  onri_line(s, "bytes_less_%s(%s, (int32_t *)s%d, %lld, %s);", onri_c_short(o->desc.dtype), onri_in(s, i).text, own,
            onri_count(o), number_in(s, zero).text);
  return own;
}

/* Both operands are data: they become wide integers, whose products are summed up. */
static void matmul_of_data(struct onri_source *s, const struct roles *r) {
  const struct onr_desc *a = &s->in[r->x].desc, *w = &s->in[r->w].desc, *y = &s->out[0].desc;
  const long long batch = onri_extent(y, 0, y->rank - 2), some = onri_extent(w, 0, w->rank - 2);
  const long long m = a->dim[a->rank - 2], k = a->dim[a->rank - 1], n = w->dim[w->rank - 1];
  if (onri_extent(a, 0, a->rank - 2) != batch || (some != batch && some != 1)) {
    s->why = "its operands";
    return;
  }
  const int32_t rows = wide_operand(s, r->x, r->x_zero), columns = wide_operand(s, r->w, r->w_zero),
                sums = onri_scratch(s, (size_t)(m * n) * sizeof(int32_t));
  const struct onri_name scales = scales_of_data(s, r, n);
  const int has_bias = r->bias != NONE && onri_has_in(s, r->bias);
  char store[32];
  snprintf(store, sizeof(store), "store_%s", kind_of(s, r));
  onri_use(s, store, ONR_DTYPE_NONE);
  onri_use(s, "product_any_T", ONR_DTYPE_I32);
  onri_use(s, "store_rows", ONR_DTYPE_NONE);
  onri_line(s, "for (int i = 0; i < %lld; i++) {", batch);
  onri_line(s, "  product_any_i32((int32_t *)s%d + i * %lld, (int32_t *)s%d + i * %lld, (int32_t *)s%d,", rows, m * k,
            columns, some > 1 ? k * n : 0, sums);
  onri_line(s, "                  %lld, %lld, %lld, %lld, 1, %lld, 1, 1);", m, n, k, k, n);
  onri_line(s, "  store_rows((int32_t *)s%d, %lld, %lld, (char *)%s + i * %lld, %zu,", sums, m, n, onri_out(s, 0).text,
            m * n * (long long)onr_dtype_size(y->dtype), onr_dtype_size(y->dtype));
  onri_line(s, "             &(struct byte_store){%s, %s, %s, %s, -INFINITY, INFINITY});", store, scales.text,
            has_bias ? onri_in(s, r->bias).text : "NULL", number_in(s, r->y_zero).text);
  onri_line(s, "}");
}

static void matmul_bytes(struct onri_source *s, const struct roles *r) {
  static const int32_t zero = 0;
  const struct onr_desc *a = &s->in[r->x].desc, *w = &s->in[r->w].desc;
  struct bytes b = {.r = r, .groups = 1, .low = -(double)INFINITY, .high = (double)INFINITY};
  if (!is_byte(a->dtype) || !is_byte(w->dtype) || w->rank < 2 || a->rank < 2 || !onri_count(&s->in[r->w])) {
    s->why = "its operands";
    return;
  }
  if (!s->in[r->w].known || w->rank > 2 || !has_known_numbers(s, r)) {
    matmul_of_data(s, r);
    return;
  }
  b.depth = w->dim[0], b.columns = w->dim[1];
  settle(s, &b);
  if (s->why) return;
  const int shift = w->dtype == ONR_DTYPE_U8 ? 128 : 0;
  int32_t *list = onri_temporary(s, (size_t)(b.depth * b.columns) * sizeof(*list));
  for (int64_t i = 0; list && i < b.depth * b.columns; i++) list[i] = byte_at(&s->in[r->w], i) - shift;
  if (!list) return;
  char offsets[24];
  snprintf(offsets, sizeof(offsets), "w%d", onri_weights_add(s, ONR_DTYPE_I32, &zero, 1));
  write_bytes(s, &b, onri_in(s, r->x).text, byte_panels(s, &b, list), onri_out(s, 0).text,
              (const long long[]){1, 1, onri_extent(a, 0, a->rank - 1)}, (const long long[]){0, 0, (long long)b.depth},
              (long long)b.columns, offsets, 1, (long long)b.depth, 0);
}

static void emit_matmul_integer(struct onri_source *s) { matmul_bytes(s, &roles_integer); }
static void emit_qlinear_matmul(struct onri_source *s) { matmul_bytes(s, &roles_quantised); }
static void emit_matmul_integer_real(struct onri_source *s) { matmul_bytes(s, &roles_real); }

static void conv_bytes(struct onri_source *s, const struct roles *r) {
  const struct onr_conv_params *p = s->params;
  const struct onr_desc *weight = &s->in[r->w].desc;
  struct onri_windows w;
  struct onri_padded x;
  struct bytes b = {.r = r, .groups = p->groups ? p->groups : 1, .low = -(double)INFINITY, .high = (double)INFINITY};
  char fill[16], offsets[24], y[40];
  if (!onri_windows_of(s, &p->window, weight->dim + 2, p->channels_last, p->channels_last, &w)) {
    s->why = "its window";
    return;
  }
  const struct onri_axis *a = w.axis;
  const int64_t taps = a[0].kernel * a[1].kernel * a[2].kernel, in = w.x.channels / b.groups;
  b.depth = taps * in, b.columns = w.y.channels / b.groups;
  if (p->clamp.enabled) b.low = (double)p->clamp.min, b.high = (double)p->clamp.max;
  if (p->clamp.enabled && r->y_scale != NONE && s->in[r->y_scale].known)
    b.low /= (double)*(const float *)s->in[r->y_scale].known, b.high /= (double)*(const float *)s->in[r->y_scale].known;
  settle(s, &b);
  if (s->why) return;
  const enum onr_dtype xt = s->in[r->x].desc.dtype, yt = s->out[0].desc.dtype;
  snprintf(fill, sizeof(fill), "%d", b.x_zero);
  onri_write_padded(s, &w, xt, onri_in(s, r->x).text, fill, &x);
  const int scratch = w.y.channel_stride != 1 && w.y.size[0] * w.y.size[1] * w.y.size[2] != 1;
  if (scratch) snprintf(y, sizeof(y), "((%s *)s%d)", onri_c_type(yt), onri_scratch(s, onr_desc_bytes(&s->out[0].desc)));
  else snprintf(y, sizeof(y), "%s", onri_out(s, 0).text);
  const int shift = weight->dtype == ONR_DTYPE_U8 ? 128 : 0;
  const int depthwise = in == 1 && b.columns == 1 && b.groups > 1;
  const int joined = a[2].dilation == 1 && b.groups == 1 && x.stride[2] == in;
  int32_t *list = onri_temporary(s, (size_t)(b.depth * b.columns * (depthwise ? b.groups : 1)) * sizeof(*list));
  int32_t *places = onri_temporary(s, (size_t)taps * sizeof(*places)), *next = places;
  if (!list || !places) return;
  for (int64_t d = 0; d < a[0].kernel; d++)
    for (int64_t h = 0; h < a[1].kernel; h++)
      for (int64_t k = 0; k < (joined ? 1 : a[2].kernel); k++)
        *next++ = (int32_t)(d * a[0].dilation * x.stride[0] + h * a[1].dilation * x.stride[1] +
                            k * a[2].dilation * x.stride[2]);
  const long long runs = next - places, length = (long long)(in * (joined ? a[2].kernel : 1));
  snprintf(offsets, sizeof(offsets), "w%d", onri_weights_add(s, ONR_DTYPE_I32, places, (size_t)runs));
  const long long count[] = {a[0].out, a[1].out, a[2].out};
  const long long step[] = {a[0].stride * x.stride[0], a[1].stride * x.stride[1], a[2].stride * x.stride[2]};
  const long long pixels = count[0] * count[1] * count[2];
  if (depthwise) {
    for (int64_t t = 0; t < taps; t++)
      for (int64_t m = 0; m < b.groups; m++) list[t * b.groups + m] = byte_at(&s->in[r->w], m * taps + t) - shift;
    int8_t *narrow = onri_temporary(s, (size_t)(taps * b.groups));
    for (int64_t i = 0; narrow && i < taps * b.groups; i++) narrow[i] = (int8_t)list[i];
    if (!narrow) return;
    const int32_t at = onri_weights_add(s, ONR_DTYPE_I8, narrow, (size_t)(taps * b.groups));
    const char *kind = kind_of(s, r);
    char part[32];
    snprintf(part, sizeof(part), "store_%s", kind);
    onri_use(s, part, ONR_DTYPE_NONE);
    onri_use(s, "depthwise_bytes_T", xt);
    onri_line(
        s,
        "depthwise_bytes_%s(%s, w%d, %s, %s, %zu, (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld}, "
        "%lld, %s, %lld, %d, &(struct byte_store){%s, %s, %s, %d, %s, %s});",
        onri_c_short(xt), x.name, at, b.zeros, y, onr_dtype_size(yt), (long long)w.y.batch, count[0], count[1],
        count[2], (long long)x.batch_stride, step[0], step[1], step[2], (long long)b.groups, offsets, (long long)taps,
        b.x_zero, part, b.scales, b.bias, b.y_zero, onri_c_float(b.low, ONR_DTYPE_F32).text,
        onri_c_float(b.high, ONR_DTYPE_F32).text);
  }
  for (int64_t g = 0; g < b.groups && !depthwise; g++) {
    for (int64_t t = 0; t < taps; t++)
      for (int64_t i = 0; i < in; i++)
        for (int64_t m = 0; m < b.columns; m++)
          list[(t * in + i) * b.columns + m] = byte_at(&s->in[r->w], ((g * b.columns + m) * in + i) * taps + t) - shift;
    const int32_t panels = byte_panels(s, &b, list);
    for (int64_t n = 0; n < w.y.batch; n++) {
      char from[96], to[96];
      snprintf(from, sizeof(from), "%s + %lld", x.name, (long long)(n * x.batch_stride + g * in));
      snprintf(to, sizeof(to), "%s + %lld", y, (long long)(n * pixels * w.y.channels + g * b.columns));
      write_bytes(s, &b, from, panels, to, count, step, (long long)w.y.channels, offsets, runs, length, g * b.columns);
    }
  }
  if (!scratch) return;
  onri_use(s, "channels_first_T", yt);
  onri_line(s, "channels_first_%s(%s, %s, %lld, %lld, %lld);", onri_c_short(yt), y, onri_out(s, 0).text,
            (long long)w.y.batch, pixels, (long long)w.y.channels);
}

static void emit_conv_integer(struct onri_source *s) { conv_bytes(s, &roles_integer); }
static void emit_qlinear_conv(struct onri_source *s) { conv_bytes(s, &roles_quantised); }
static void emit_conv_integer_real(struct onri_source *s) { conv_bytes(s, &roles_real); }

const struct onri_emitter onri_emitters_quantize[] = {
    {&onri_layer_quantize_linear, emit_quantize, 0},
    {&onri_layer_dequantize_linear, emit_dequantize, 0},
    {&onri_layer_dynamic_quantize_linear, emit_dynamic_quantize, 0},
    {&onri_layer_matmul_integer, emit_matmul_integer, 0},
    {&onri_layer_qlinear_matmul, emit_qlinear_matmul, 0},
    {&onri_layer_matmul_integer_real, emit_matmul_integer_real, 0},
    {&onri_layer_conv_integer, emit_conv_integer, 0},
    {&onri_layer_qlinear_conv, emit_qlinear_conv, 0},
    {&onri_layer_conv_integer_real, emit_conv_integer_real, 0},
    {NULL, NULL, 0},
};
