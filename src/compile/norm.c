/* norm.c: softmax, and slices that are centred and scaled. */
#include <string.h>

#include "compile/source.h"

static int32_t axis_of(int64_t axis, const struct onr_desc *d) { return (int32_t)(axis < 0 ? axis + d->rank : axis); }

/* --- softmax --- */

static void write_softmax(struct onri_source *s, const char *name) {
  const struct onr_softmax_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  const int32_t axis = axis_of(p->axis, x);
  const int32_t end = p->flatten ? x->rank : axis + 1;
  char part[32];
  snprintf(part, sizeof(part), "%s_T", name);
  onri_use(s, part, x->dtype);
  onri_line(s, "%s_%s(%s, %s, %lld, %lld, %lld);", name, onri_c_short(x->dtype), onri_in(s, 0).text,
            onri_out(s, 0).text, onri_extent(x, 0, axis), onri_extent(x, axis, end > x->rank ? x->rank : end),
            onri_extent(x, end, x->rank));
}

static void emit_softmax(struct onri_source *s) { write_softmax(s, "softmax"); }
static void emit_log_softmax(struct onri_source *s) { write_softmax(s, "log_softmax"); }
static void emit_hardmax(struct onri_source *s) { write_softmax(s, "hardmax"); }

/* --- slices --- */

enum kind { VARIANCE, STD, RMS, L1, L2 };

/* Slices [outer][groups] of `rows` runs; an element's scale and bias are at group * s[0] + row * s[1] + place in the
 * run * s[2]. */
struct slices {
  long long outer, outer_step, groups, group_step, rows, row_step, run;
  int scale_step[3];
  double epsilon;
  enum kind kind;
};

static void write_slices(struct onri_source *s, const struct slices *n, const char *scale, const char *bias) {
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  onri_use(s, "normalize_T", dtype);
  onri_line(s,
            "normalize_%s(%s, %s, %s, %s, (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld, %lld, %d, %d, %d}, %d, "
            "%s, %s, %s);",
            onri_c_short(dtype), onri_in(s, 0).text, onri_out(s, 0).text, scale, bias, n->outer, n->outer_step,
            n->groups, n->group_step, n->rows, n->row_step, n->run, n->scale_step[0], n->scale_step[1],
            n->scale_step[2], (int)n->kind, onri_c_float(n->epsilon, ONR_DTYPE_F64).text,
            onri_out(s, onri_has_out(s, 1) ? 1 : s->num_out).text,
            onri_out(s, onri_has_out(s, 2) ? 2 : s->num_out).text);
}

/* Input i with one entry for each of `entries`, of x's type. "NULL": omitted. */
static struct onri_name entries_of(struct onri_source *s, size_t i, const struct onr_desc *entries) {
  const struct onri_name none = {"NULL"};
  if (!onri_has_in(s, i)) return none;
  const struct onri_operand *o = &s->in[i];
  const long long count = (long long)onr_desc_elements(entries);
  if (o->desc.dtype != s->in[0].desc.dtype) s->why = "its scale has another type";
  if (onri_count(o) == count) return onri_in(s, i);
  if (!o->known) {
    s->why = "its scale is broadcast";
    return none;
  }
  const size_t size = onr_dtype_size(o->desc.dtype);
  char *list = onri_temporary(s, (size_t)count * size);
  for (long long k = 0; list && k < count; k++) {
    long long rest = k, at = 0, step = 1;
    for (int32_t d = entries->rank; d-- > 0; rest /= entries->dim[d]) {
      const int32_t e = d - (entries->rank - o->desc.rank);
      if (e < 0) break;
      if (o->desc.dim[e] != 1) at += rest % entries->dim[d] * step;
      step *= o->desc.dim[e];
    }
    memcpy(list + (size_t)k * size, (const char *)o->known + (size_t)at * size, size);
  }
  struct onri_name name;
  snprintf(name.text, sizeof(name.text), "w%d", onri_weights_add(s, o->desc.dtype, list, (size_t)count));
  return name;
}

static void write_tail_norm(struct onri_source *s, int64_t given, double epsilon, enum kind kind) {
  const struct onr_desc *x = &s->in[0].desc;
  const int32_t axis = axis_of(given, x);
  const long long run = onri_extent(x, axis, x->rank);
  struct onr_desc entries = {.dtype = x->dtype, .rank = x->rank - axis};
  for (int32_t d = axis; d < x->rank; d++) entries.dim[d - axis] = x->dim[d];
  const struct slices n = {.outer = onri_extent(x, 0, axis),
                           .outer_step = run,
                           .groups = 1,
                           .rows = 1,
                           .run = run,
                           .scale_step = {0, 0, 1},
                           .epsilon = epsilon,
                           .kind = kind};
  const struct onri_name scale = entries_of(s, 1, &entries), bias = entries_of(s, 2, &entries);
  write_slices(s, &n, scale.text, bias.text);
}

static void emit_layer_norm(struct onri_source *s) {
  const struct onr_layer_norm_params *p = s->params;
  write_tail_norm(s, p->axis, (double)p->epsilon, VARIANCE);
}

static void emit_rms_norm(struct onri_source *s) {
  const struct onr_rms_norm_params *p = s->params;
  write_tail_norm(s, p->axis, (double)p->epsilon, RMS);
}

static void write_groups(struct onri_source *s, long long groups, double epsilon, int last, int per_group) {
  const struct onr_desc *x = &s->in[0].desc;
  const long long channels = x->dim[last ? x->rank - 1 : 1], own = groups ? channels / groups : 0;
  const long long pixels = channels ? onri_extent(x, 1, x->rank) / channels : 0;
  const struct onr_desc entries = {.dtype = x->dtype, .rank = 1, .dim = {per_group ? groups : channels}};
  struct slices n = {
      .outer = x->dim[0], .outer_step = channels * pixels, .groups = groups, .epsilon = epsilon, .kind = VARIANCE};
  if (last) n.group_step = own, n.rows = pixels, n.row_step = channels, n.run = own;
  else n.group_step = own * pixels, n.rows = own, n.row_step = pixels, n.run = pixels;
  n.scale_step[0] = per_group ? 1 : (int)own;
  n.scale_step[1] = !per_group && !last;
  n.scale_step[2] = !per_group && last;
  const struct onri_name scale = entries_of(s, 1, &entries), bias = entries_of(s, 2, &entries);
  write_slices(s, &n, scale.text, bias.text);
}

static void emit_group_norm(struct onri_source *s) {
  const struct onr_group_norm_params *p = s->params;
  write_groups(s, p->groups, (double)p->epsilon, p->channels_last, p->scale_per_group);
}

static void emit_instance_norm(struct onri_source *s) {
  const struct onr_instance_norm_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  write_groups(s, x->dim[p->channels_last ? x->rank - 1 : 1], (double)p->epsilon, p->channels_last, 0);
}

/* Slices along the dimensions of a mask, which may be kept, reduced, kept, reduced in this order. */
static void write_masked(struct onri_source *s, const uint8_t *mask, double epsilon, enum kind kind) {
  const struct onr_desc *x = &s->in[0].desc;
  long long size[4] = {1, 1, 1, 1};
  int at = 0;
  for (int32_t d = 0; d < x->rank; d++) {
    while (at < 4 && (at & 1) != mask[d]) at++;
    if (at == 4) {
      s->why = "its axes";
      return;
    }
    size[at] *= x->dim[d];
  }
  const struct slices n = {.outer = size[0],
                           .outer_step = size[1] * size[2] * size[3],
                           .groups = size[2],
                           .group_step = size[3],
                           .rows = size[1],
                           .row_step = size[2] * size[3],
                           .run = size[3],
                           .epsilon = epsilon,
                           .kind = kind};
  write_slices(s, &n, "NULL", "NULL");
}

static void emit_lp_norm(struct onri_source *s) {
  const struct onr_lp_norm_params *p = s->params;
  uint8_t mask[ONR_MAX_RANK] = {0};
  mask[axis_of(p->axis, &s->in[0].desc)] = 1;
  write_masked(s, mask, 0, p->p == 1 ? L1 : L2);
}

static void emit_mean_variance_norm(struct onri_source *s) {
  const struct onr_mean_variance_norm_params *p = s->params;
  uint8_t mask[ONR_MAX_RANK] = {0};
  for (int32_t i = 0; i < p->num_axes; i++) mask[axis_of(p->axes[i], &s->in[0].desc)] = 1;
  write_masked(s, mask, 1e-9, STD);
}

/* --- by channels --- */

static void emit_batch_norm(struct onri_source *s) {
  const struct onr_batch_norm_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  const int32_t axis = p->channels_last ? x->rank - 1 : x->rank > 1 ? 1 : 0;
  if (p->training || onri_has_out(s, 1)) {
    s->why = "it trains";
    return;
  }
  for (size_t i = 1; i < 5; i++)
    if (s->in[i].desc.dtype != x->dtype) s->why = "its scale has another type";
  onri_use(s, "batch_norm_T", x->dtype);
  onri_line(s, "batch_norm_%s(%s, %s, %s, %s, %s, %s, %lld, %lld, %lld, %s);", onri_c_short(x->dtype),
            onri_in(s, 0).text, onri_out(s, 0).text, onri_in(s, 1).text, onri_in(s, 2).text, onri_in(s, 3).text,
            onri_in(s, 4).text, x->rank > 1 ? onri_extent(x, 0, axis) : 1, (long long)x->dim[axis],
            onri_extent(x, axis + 1, x->rank), onri_c_float((double)p->epsilon, x->dtype).text);
}

static void emit_lrn(struct onri_source *s) {
  const struct onr_lrn_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  const int32_t axis = p->channels_last ? x->rank - 1 : 1;
  if (p->odd_before || p->keep_first) {
    s->why = "its window";
    return;
  }
  onri_use(s, "lrn_T", x->dtype);
  onri_line(s, "lrn_%s(%s, %s, %lld, %lld, %lld, %lld, %s, %s, %s);", onri_c_short(x->dtype), onri_in(s, 0).text,
            onri_out(s, 0).text, onri_extent(x, 0, axis), (long long)x->dim[axis], onri_extent(x, axis + 1, x->rank),
            (long long)p->size, onri_c_float((double)p->alpha, ONR_DTYPE_F64).text,
            onri_c_float((double)p->beta, ONR_DTYPE_F64).text, onri_c_float((double)p->bias, ONR_DTYPE_F64).text);
}

const struct onri_emitter onri_emitters_norm[] = {
    {&onri_layer_softmax, emit_softmax, 0},
    {&onri_layer_log_softmax, emit_log_softmax, 0},
    {&onri_layer_hardmax, emit_hardmax, 0},
    {&onri_layer_layer_norm, emit_layer_norm, 0},
    {&onri_layer_rms_norm, emit_rms_norm, 0},
    {&onri_layer_group_norm, emit_group_norm, 0},
    {&onri_layer_instance_norm, emit_instance_norm, 0},
    {&onri_layer_lp_norm, emit_lp_norm, 0},
    {&onri_layer_mean_variance_norm, emit_mean_variance_norm, 0},
    {&onri_layer_batch_norm, emit_batch_norm, 0},
    {&onri_layer_lrn, emit_lrn, 0},
    {NULL, NULL, 0},
};
