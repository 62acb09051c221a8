/* conv.c: convolutions. The image, channels last, is padded into scratch where it has to be; each window is then a few
 * runs of memory, and the whole a product. */
#include <math.h>
#include <string.h>

#include "compile/image.h"
#include "compile/product.h"
#include "layers/conv/conv.h"

int onri_windows_of(struct onri_source *s, const struct onr_window *window, const int64_t *kernel,
                    int32_t x_channels_last, int32_t y_channels_last, struct onri_windows *w) {
  int32_t spatial;
  struct onr_error ignored = {0};
  memset(w, 0, sizeof(*w));
  if (onri_image_view(&s->in[0].desc, x_channels_last, &w->x, &w->spatial, &ignored) != ONR_STATUS_OK ||
      onri_image_view(&s->out[0].desc, y_channels_last, &w->y, &spatial, &ignored) != ONR_STATUS_OK)
    return 0;
  for (int32_t d = 0; d < ONR_MAX_SPATIAL; d++) {
    const int32_t k = d - (ONR_MAX_SPATIAL - w->spatial);
    w->axis[d].in = w->x.size[d];
    w->axis[d].kernel = k < 0 ? 1 : kernel ? kernel[k] : window->kernel[k];
  }
  if (onri_window_resolve(window, w->spatial, w->axis, &ignored) != ONR_STATUS_OK) return 0;
  for (int32_t d = 0; d < ONR_MAX_SPATIAL; d++) w->axis[d].out = w->y.size[d];
  return 1;
}

/* Pixels that windows of an axis reach, with padding on both sides. */
static int64_t reach(const struct onri_axis *a) {
  const int64_t windows = (a->out - 1) * a->stride + (a->kernel - 1) * a->dilation + 1;
  return windows > a->begin + a->in ? windows : a->begin + a->in;
}

static int is_plain(const struct onri_windows *w) {
  for (int32_t d = 0; d < ONR_MAX_SPATIAL; d++)
    if (w->axis[d].begin || reach(&w->axis[d]) > w->axis[d].in) return 0;
  return w->x.channel_stride == 1 || w->x.channels == 1;
}

void onri_write_padded(struct onri_source *s, const struct onri_windows *w, enum onr_dtype dtype, const char *x,
                       const char *fill, struct onri_padded *p) {
  const struct onri_image *i = &w->x;
  if (is_plain(w)) {
    snprintf(p->name, sizeof(p->name), "%s", x);
    p->batch_stride = i->batch_stride;
    memcpy(p->stride, i->stride, sizeof(p->stride));
    return;
  }
  int64_t step = i->channels;
  for (int32_t d = ONR_MAX_SPATIAL; d-- > 0;) {
    p->stride[d] = step;
    step *= reach(&w->axis[d]);
  }
  p->batch_stride = step;
  const int32_t own = onri_scratch(s, (size_t)(step * i->batch) * onr_dtype_size(dtype));
  const struct onri_axis *a = w->axis;
  onri_use(s, "pad_image_T", dtype);
  onri_line(s,
            "pad_image_%s(%s, s%d, %s, (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld}, "
            "(const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld});",
            onri_c_short(dtype), x, own, fill, (long long)i->batch, (long long)i->size[0], (long long)i->size[1],
            (long long)i->size[2], (long long)i->channels, (long long)i->batch_stride, (long long)i->stride[0],
            (long long)i->stride[1], (long long)i->stride[2], (long long)i->channel_stride, (long long)a[0].begin,
            (long long)a[1].begin, (long long)a[2].begin, (long long)reach(&a[0]), (long long)reach(&a[1]),
            (long long)reach(&a[2]));
  snprintf(p->name, sizeof(p->name), "((%s *)s%d)", onri_c_type(dtype), own);
}

/* --- weights and offsets --- */

/* A convolution that is being written: weights [M, C/groups, taps]. */
struct conv {
  struct onri_windows w;
  struct onri_padded x;
  int64_t groups, taps, in, out; /* channels of a group */
  char y[32];                    /* channels last */
};

static int64_t taps_of(const struct onri_windows *w) {
  return w->axis[0].kernel * w->axis[1].kernel * w->axis[2].kernel;
}

/* Runs of memory that make a window: whole rows where taps are neighbours. */
static int32_t offsets(struct onri_source *s, const struct conv *c, int64_t *runs, int64_t *length) {
  const struct onri_axis *a = c->w.axis;
  const int joined = a[2].dilation == 1 && c->groups == 1 && c->x.stride[2] == c->in;
  const int64_t columns = joined ? 1 : a[2].kernel;
  int32_t *list = onri_temporary(s, (size_t)(c->taps + 1) * sizeof(*list)), *next = list;
  if (!list) return 0;
  for (int64_t d = 0; d < a[0].kernel; d++)
    for (int64_t h = 0; h < a[1].kernel; h++)
      for (int64_t k = 0; k < columns; k++)
        *next++ = (int32_t)(d * a[0].dilation * c->x.stride[0] + h * a[1].dilation * c->x.stride[1] +
                            k * a[2].dilation * c->x.stride[2]);
  *runs = next - list;
  *length = c->in * (joined ? a[2].kernel : 1);
  return onri_weights_add(s, ONR_DTYPE_I32, list, (size_t)*runs);
}

/* Weights of one group as [taps][in][out]: what panels are made of. */
static float *by_taps(struct onri_source *s, const struct conv *c, const float *weight, int64_t group) {
  float *list = onri_allocate(s->env->allocator, (size_t)(c->taps * c->in * c->out + 1) * sizeof(*list)), *next = list;
  if (!list) {
    onri_no_memory(s);
    return NULL;
  }
  for (int64_t t = 0; t < c->taps; t++)
    for (int64_t i = 0; i < c->in; i++)
      for (int64_t m = 0; m < c->out; m++) *next++ = weight[((group * c->out + m) * c->in + i) * c->taps + t];
  return list;
}

static void write_group(struct onri_source *s, const struct conv *c, int64_t group, const struct onr_clamp *clamp) {
  const struct onri_image *y = &c->w.y;
  const struct onri_axis *a = c->w.axis;
  struct onri_product_call call = {.count = {a[0].out, a[1].out, a[2].out}, .clamp = clamp};
  char x[96], w[24], bias[32] = "NULL", target[96], list[24];
  long long runs, length;
  int64_t run_count = 0, run_length = 0;
  float *weights = by_taps(s, c, s->in[1].known, group);
  if (!weights) return;
  snprintf(list, sizeof(list), "w%d", offsets(s, c, &run_count, &run_length));
  runs = run_count, length = run_length;
  snprintf(w, sizeof(w), "w%d", onri_panels(s, weights, c->taps * c->in, c->out, c->out, 1, 1.0f));
  onri_release(s->env->allocator, weights);
  if (onri_has_in(s, 2)) snprintf(bias, sizeof(bias), "%s + %lld", onri_in(s, 2).text, (long long)(group * c->out));
  const long long pixels = (long long)(a[0].out * a[1].out * a[2].out);
  const char *loop = y->batch > 1 ? " + n * " : "";
  if (y->batch > 1) {
    onri_line(s, "for (int n = 0; n < %lld; n++)", (long long)y->batch);
    snprintf(x, sizeof(x), "%s + %lld%s%lld", c->x.name, (long long)(group * c->in), loop,
             (long long)c->x.batch_stride);
    snprintf(target, sizeof(target), "%s + %lld%s%lld", c->y, (long long)(group * c->out), loop,
             pixels * (long long)y->channels);
  } else {
    snprintf(x, sizeof(x), "%s + %lld", c->x.name, (long long)(group * c->in));
    snprintf(target, sizeof(target), "%s + %lld", c->y, (long long)(group * c->out));
  }
  call.x = x, call.w = w, call.bias = bias, call.y = target, call.offsets = list;
  call.columns = c->out, call.y_step = y->channels, call.runs = runs, call.length = length;
  for (int d = 0; d < 3; d++) call.step[d] = a[d].stride * c->x.stride[d];
  onri_write_product(s, &call);
}

/* Each channel by itself: weights [taps][channels]. */
static void write_depthwise(struct onri_source *s, const struct conv *c, const struct onr_clamp *clamp) {
  const struct onri_axis *a = c->w.axis;
  const float *weight = s->in[1].known;
  const int64_t channels = c->w.y.channels;
  float *list = onri_allocate(s->env->allocator, (size_t)(c->taps * channels) * sizeof(*list));
  int64_t runs = 0, length = 0;
  if (!list) {
    onri_no_memory(s);
    return;
  }
  for (int64_t t = 0; t < c->taps; t++)
    for (int64_t m = 0; m < channels; m++) list[t * channels + m] = weight[m * c->taps + t];
  const int32_t w = onri_weights_take(s, ONR_DTYPE_F32, list, (size_t)(c->taps * channels));
  const int32_t places = offsets(s, c, &runs, &length);
  const int clamps = clamp && clamp->enabled;
  onri_use(s, "depthwise", ONR_DTYPE_NONE);
  onri_line(s,
            "depthwise(%s, w%d, %s, %s, (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld}, %lld, w%d, "
            "%lld, %s, %s);",
            c->x.name, w, onri_in(s, onri_has_in(s, 2) ? 2 : s->num_in).text, c->y, (long long)c->w.y.batch,
            (long long)a[0].out, (long long)a[1].out, (long long)a[2].out, (long long)c->x.batch_stride,
            (long long)(a[0].stride * c->x.stride[0]), (long long)(a[1].stride * c->x.stride[1]),
            (long long)(a[2].stride * c->x.stride[2]), (long long)channels, places, (long long)runs,
            clamps ? onri_c_float((double)clamp->min, ONR_DTYPE_F32).text : "-INFINITY",
            clamps ? onri_c_float((double)clamp->max, ONR_DTYPE_F32).text : "INFINITY");
}

/* Results that lie channels last in scratch go where the output wants them. */
static void put_channels_first(struct onri_source *s, const struct conv *c, enum onr_dtype dtype) {
  const struct onri_image *y = &c->w.y;
  const int64_t pixels = y->size[0] * y->size[1] * y->size[2];
  onri_use(s, "channels_first_T", dtype);
  onri_line(s, "channels_first_%s(%s, %s, %lld, %lld, %lld);", onri_c_short(dtype), c->y, onri_out(s, 0).text,
            (long long)y->batch, (long long)pixels, (long long)y->channels);
}

static int lies_channels_last(const struct onri_image *y) {
  return y->channel_stride == 1 || y->size[0] * y->size[1] * y->size[2] == 1;
}

/* Other types, and weights that are computed: plain loops. */
static void write_any(struct onri_source *s, const struct conv *c) {
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  const struct onri_image *x = &c->w.x, *y = &c->w.y;
  const struct onri_axis *a = c->w.axis;
  onri_use(s, "conv_any_T", dtype);
  onri_line(s, "conv_any_%s(%s, %s, %s, %s, (const int32_t[]){%lld, %lld, %lld, %lld}, (const int32_t[3][10]){",
            onri_c_short(dtype), onri_in(s, 0).text, onri_in(s, 1).text,
            onri_in(s, onri_has_in(s, 2) ? 2 : s->num_in).text, onri_out(s, 0).text, (long long)y->batch,
            (long long)c->groups, (long long)c->in, (long long)c->out);
  for (int d = 0; d < 3; d++)
    onri_line(s, "  {%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld},", (long long)a[d].in, (long long)a[d].out,
              (long long)a[d].kernel, (long long)a[d].stride, (long long)a[d].dilation, (long long)a[d].begin,
              (long long)x->stride[d], (long long)y->stride[d]);
  onri_line(s, "}, %lld, %lld, %lld, %lld);", (long long)x->batch_stride, (long long)x->channel_stride,
            (long long)y->batch_stride, (long long)y->channel_stride);
}

static void emit_conv(struct onri_source *s) {
  const struct onr_conv_params *p = s->params;
  struct conv c = {.groups = p->groups ? p->groups : 1};
  const struct onr_desc *weight = &s->in[1].desc;
  if (!onri_windows_of(s, &p->window, weight->dim + 2, p->channels_last && !p->x_channels_first, p->channels_last,
                       &c.w)) {
    s->why = "its window";
    return;
  }
  c.taps = taps_of(&c.w), c.in = c.w.x.channels / c.groups, c.out = c.w.y.channels / c.groups;
  const struct onri_name residual = onri_in(s, onri_has_in(s, 3) ? 3 : s->num_in);
  const int has_residual = onri_has_in(s, 3), is_fast = s->in[0].desc.dtype == ONR_DTYPE_F32 && s->in[1].known;
  const struct onr_clamp *clamp = is_fast && !has_residual ? &p->clamp : NULL;
  if (!is_fast) write_any(s, &c);
  else {
    const int scratch = !lies_channels_last(&c.w.y);
    onri_write_padded(s, &c.w, ONR_DTYPE_F32, onri_in(s, 0).text, "0", &c.x);
    if (scratch) snprintf(c.y, sizeof(c.y), "((float *)s%d)", onri_scratch(s, onr_desc_bytes(&s->out[0].desc)));
    else snprintf(c.y, sizeof(c.y), "%s", onri_out(s, 0).text);
    if (c.in == 1 && c.out == 1 && c.groups > 1) write_depthwise(s, &c, clamp);
    else
      for (int64_t g = 0; g < c.groups && s->status == ONR_STATUS_OK; g++) write_group(s, &c, g, clamp);
    if (scratch) put_channels_first(s, &c, ONR_DTYPE_F32);
  }
  onri_finish(s, onri_out(s, 0).text, s->out[0].desc.dtype, onri_count(&s->out[0]), has_residual ? residual.text : NULL,
              clamp ? NULL : &p->clamp, &p->tail);
}

static void emit_conv_transpose(struct onri_source *s) {
  const struct onr_conv_transpose_params *p = s->params;
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  struct onri_conv plain;
  struct onr_desc in[3] = {{0}}, out;
  struct onr_error ignored = {0};
  for (size_t i = 0; i < s->num_in && i < 3; i++)
    if (s->in[i].present) in[i] = s->in[i].desc;
  const struct onr_call call = {
      .params = p, .num_in = s->num_in, .num_out = 1, .in = in, .env = s->env, .error = &ignored};
  if (onri_conv_transpose_geometry(&call, &plain, &out) != ONR_STATUS_OK) {
    s->why = "its window";
    return;
  }
  const struct onri_image *x = &plain.x, *y = &plain.y;
  const struct onri_axis *a = plain.axis;
  onri_use(s, "conv_transpose_T", dtype);
  onri_line(s, "conv_transpose_%s(%s, %s, %s, %s, (const int32_t[]){%lld, %lld, %lld, %lld}, (const int32_t[3][10]){",
            onri_c_short(dtype), onri_in(s, 0).text, onri_in(s, 1).text,
            onri_in(s, onri_has_in(s, 2) ? 2 : s->num_in).text, onri_out(s, 0).text, (long long)y->batch,
            (long long)plain.groups, (long long)(x->channels / plain.groups), (long long)(y->channels / plain.groups));
  for (int d = 0; d < 3; d++)
    onri_line(s, "  {%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld},", (long long)a[d].in, (long long)a[d].out,
              (long long)a[d].kernel, (long long)a[d].stride, (long long)a[d].dilation, (long long)a[d].begin,
              (long long)x->stride[d], (long long)y->stride[d]);
  onri_line(s, "}, %lld, %lld, %lld, %lld);", (long long)x->batch_stride, (long long)x->channel_stride,
            (long long)y->batch_stride, (long long)y->channel_stride);
  onri_finish(s, onri_out(s, 0).text, dtype, onri_count(&s->out[0]), NULL, &p->clamp, &p->tail);
}

const struct onri_emitter onri_emitters_conv[] = {
    {&onri_layer_conv, emit_conv, 0},
    {&onri_layer_conv_transpose, emit_conv_transpose, 0},
    {NULL, NULL, 0},
};
