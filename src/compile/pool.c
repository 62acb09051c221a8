/* pool.c: windows that are reduced, and interpolation. */
#include "layers/conv/window.h"
#include "layers/pool/pool.h"

#include <string.h>

#include "compile/source.h"
#include "layers/resize/resize_axis.h"

/* A call of a layer, as far as its descriptors go. */
static struct onr_call descriptors(struct onri_source *s, struct onr_error *ignored) {
  struct onr_desc *in = onri_temporary(s, (s->num_in + 8) * sizeof(*in));
  const void **inputs = onri_temporary(s, (s->num_in + 8) * sizeof(*inputs));
  for (size_t i = 0; in && inputs && i < s->num_in; i++)
    if (s->in[i].present) in[i] = s->in[i].desc, inputs[i] = s->in[i].known;
  return (struct onr_call){.params = s->params,
                           .num_in = s->num_in,
                           .num_out = 1,
                           .in = in,
                           .inputs = inputs,
                           .env = s->env,
                           .error = ignored};
}

/* --- pools --- */

/* What the parts' loops need of each axis. */
static void put_axes(struct onri_source *s, const struct onri_pool *p) {
  for (int d = 0; d < 3; d++) {
    const struct onri_axis *a = &p->axis[d];
    onri_line(s, "  {%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld},", (long long)a->in, (long long)a->out,
              (long long)a->kernel, (long long)a->stride, (long long)a->dilation, (long long)a->begin,
              (long long)a->end, (long long)p->x.stride[d], (long long)p->y.stride[d]);
  }
}

static void write_pool(struct onri_source *s, enum onri_pool_kind kind) {
  static const char *const names[] = {"max_pool", "average_pool", "lp_pool"};
  struct onr_error ignored = {0};
  const struct onr_call call = descriptors(s, &ignored);
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  struct onri_pool p;
  struct onr_desc out;
  char part[32];
  if (!call.in || onri_pool_geometry(&call, kind, &p, &out) != ONR_STATUS_OK) {
    s->why = "its window";
    return;
  }
  if (kind != ONRI_POOL_MAX && dtype != ONR_DTYPE_F32 && dtype != ONR_DTYPE_F64) {
    s->why = "its type";
    return;
  }
  snprintf(part, sizeof(part), "%s_T", names[kind]);
  onri_use(s, part, dtype);
  onri_line(s, "%s_%s(%s, %s, (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld, %d}, (const int32_t[3][10]){",
            names[kind], onri_c_short(dtype), onri_in(s, 0).text, onri_out(s, 0).text, (long long)p.x.batch,
            (long long)p.x.channels, (long long)p.x.batch_stride, (long long)p.x.channel_stride,
            (long long)p.y.batch_stride, (long long)p.y.channel_stride, p.adaptive);
  put_axes(s, &p);
  if (kind == ONRI_POOL_MAX)
    onri_line(s, "}, %s, %d, %d);", onri_has_out(s, 1) ? onri_out(s, 1).text : "NULL", p.column_order, p.plane_indices);
  else if (kind == ONRI_POOL_AVERAGE) onri_line(s, "}, %d, %lld);", p.count_padding, (long long)p.divisor);
  else onri_line(s, "}, %d);", p.p);
}

static void emit_max_pool(struct onri_source *s) { write_pool(s, ONRI_POOL_MAX); }
static void emit_average_pool(struct onri_source *s) { write_pool(s, ONRI_POOL_AVERAGE); }
static void emit_lp_pool(struct onri_source *s) { write_pool(s, ONRI_POOL_LP); }

static void emit_max_unpool(struct onri_source *s) {
  const struct onr_max_unpool_params *p = s->params;
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  if (p->plane_indices || p->channels_last || onri_has_in(s, 2)) {
    s->why = "its indices count in another image";
    return;
  }
  onri_use(s, "max_unpool_T", dtype);
  onri_line(s, "memset(%s, 0, %zu);", onri_out(s, 0).text, onr_desc_bytes(&s->out[0].desc));
  onri_line(s, "if (max_unpool_%s(%s, %s, %s, %lld, %lld)) return 1;", onri_c_short(dtype), onri_in(s, 0).text,
            onri_in(s, 1).text, onri_out(s, 0).text, onri_count(&s->in[0]), onri_count(&s->out[0]));
}

/* --- interpolation: one axis after the other --- */

void onri_emit_interpolation(struct onri_source *s) {
  const struct onr_resize_params *p = s->params;
  struct onr_error ignored = {0};
  const struct onr_call call = descriptors(s, &ignored);
  struct onri_resize_axis axis[ONR_MAX_RANK];
  struct onr_desc desc = s->in[0].desc;
  char x[48];
  int32_t left = 0;
  if (desc.dtype != ONR_DTYPE_F32 || p->coordinates == ONR_RESIZE_TF_CROP_AND_RESIZE || !call.in ||
      onri_resize_geometry(&call, axis) != ONR_STATUS_OK) {
    s->why = "its coordinates or its type";
    return;
  }
  for (int32_t d = 0; d < desc.rank; d++) left += axis[d].active;
  if (!left && !onri_alias(s, 0, 0, 0))
    onri_line(s, "memcpy(%s, %s, %zu);", onri_out(s, 0).text, onri_in(s, 0).text, onr_desc_bytes(&desc));
  snprintf(x, sizeof(x), "%s", onri_in(s, 0).text);
  for (int32_t d = 0; d < desc.rank && s->status == ONR_STATUS_OK; d++) {
    struct onri_resize_axis *a = &axis[d];
    char y[48];
    if (!a->active) continue;
    if (onri_resize_axis_taps(p, a, &ignored) != ONR_STATUS_OK) s->why = "its axes";
    const size_t entries = (size_t)(a->out * a->taps);
    float *weight = onri_temporary(s, entries * sizeof(*weight));
    a->weight = weight;
    a->index = onri_temporary(s, entries * sizeof(*a->index));
    a->outside = onri_temporary(s, (size_t)a->out);
    if (!weight || !a->index || !a->outside) return;
    onri_resize_axis_fill(p, a, 0);
    const long long outer = onri_extent(&desc, 0, d), inner = onri_extent(&desc, d + 1, desc.rank);
    desc.dim[d] = a->out;
    if (--left) snprintf(y, sizeof(y), "((float *)s%d)", onri_scratch(s, onr_desc_bytes(&desc)));
    else snprintf(y, sizeof(y), "%s", onri_out(s, 0).text);
    onri_use(s, "interpolate", ONR_DTYPE_NONE);
    onri_line(s, "interpolate(%s, %s, w%d, w%d, %lld, %lld, %lld, %lld, %d);", x, y,
              onri_weights_add(s, ONR_DTYPE_I32, a->index, entries),
              onri_weights_add(s, ONR_DTYPE_F32, weight, entries), outer, (long long)a->in, (long long)a->out, inner,
              a->taps);
    memcpy(x, y, sizeof(x));
  }
}

static void emit_grid_sample(struct onri_source *s) {
  const struct onr_grid_sample_params *p = s->params;
  struct onri_image x, y;
  struct onr_error ignored;
  int32_t spatial = 0;
  if (s->in[0].desc.dtype != ONR_DTYPE_F32 || s->in[1].desc.dtype != ONR_DTYPE_F32 ||
      onri_image_view(&s->in[0].desc, p->channels_last, &x, &spatial, &ignored) != ONR_STATUS_OK ||
      onri_image_view(&s->out[0].desc, p->channels_last, &y, &spatial, &ignored) != ONR_STATUS_OK) {
    s->why = "its type";
    return;
  }
  onri_use(s, "grid_sample", ONR_DTYPE_NONE);
  onri_line(s, "grid_sample(%s, %s, %s, (const int32_t[]){%lld, %lld, %lld, %d, %lld, %lld, %lld, %lld, %lld, %lld,",
            onri_in(s, 0).text, onri_in(s, 1).text, onri_out(s, 0).text, (long long)x.batch, (long long)x.channels,
            (long long)(y.size[0] * y.size[1] * y.size[2]), spatial, (long long)x.size[0], (long long)x.size[1],
            (long long)x.size[2], (long long)x.stride[0], (long long)x.stride[1], (long long)x.stride[2]);
  onri_line(s, "  %lld, %lld, %lld, %lld, %lld}, %d, %d, %d);", (long long)x.batch_stride, (long long)x.channel_stride,
            (long long)y.batch_stride, (long long)y.channel_stride, (long long)y.stride[2], (int)p->mode,
            (int)p->padding, p->align_corners != 0);
}

const struct onri_emitter onri_emitters_pool[] = {
    {&onri_layer_grid_sample, emit_grid_sample, 0},   {&onri_layer_max_pool, emit_max_pool, 0},
    {&onri_layer_average_pool, emit_average_pool, 0}, {&onri_layer_lp_pool, emit_lp_pool, 0},
    {&onri_layer_max_unpool, emit_max_unpool, 0},     {NULL, NULL, 0},
};
