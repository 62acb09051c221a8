/* rules_image.c: windows that slide over images, and images of another size. */
#include <math.h>
#include <string.h>

#include "facts/rules.h"

/* The stored dimension that spatial axis i is. */
static int32_t spatial_dim(int32_t channels_last, int32_t i) { return channels_last ? i + 1 : i + 2; }
static int32_t channel_dim(int32_t channels_last, int32_t rank) { return channels_last ? rank - 1 : 1; }

/* One axis of a window. */
struct axis {
  int64_t stride, dilation, pad, pad_end; /* pad: both ends together */
  int is_same;
  int is_wrong; /* no layer takes it: then it is that of no parameters */
};

static int is_small(int64_t value) { return value >= -INT32_MAX && value <= INT32_MAX; }

static struct axis axis_of(const struct onr_window *w, int32_t i) {
  struct axis a = {.stride = 1, .dilation = 1};
  if (w->rank > 0 &&
      !(is_small(w->stride[i]) && is_small(w->dilation[i]) && is_small(w->pad_begin[i]) && is_small(w->pad_end[i]))) {
    a.is_wrong = 1;
    return a;
  }
  a.is_same = w->auto_pad == ONR_AUTO_PAD_SAME_UPPER || w->auto_pad == ONR_AUTO_PAD_SAME_LOWER;
  if (w->rank == 0) return a;
  if (w->stride[i]) a.stride = w->stride[i];
  if (w->dilation[i]) a.dilation = w->dilation[i];
  if (w->auto_pad != ONR_AUTO_PAD_NOTSET) return a;
  a.pad = w->pad_begin[i] + w->pad_end[i];
  a.pad_end = w->pad_end[i];
  return a;
}

/* Windows along one axis. Rounded up, the last one must begin in the image: where that is not sure, nothing is. */
static onri_expr window_count(struct onri_deduction *d, const struct axis *a, onri_expr in, onri_expr kernel,
                              int rounds_up) {
  struct onri_exprs *x = d->exprs;
  const onri_expr one = onri_fact_number(d, 1), stride = onri_fact_number(d, a->stride);
  int64_t k;
  if (a->is_wrong) return ONRI_EXPR_ANY;
  onri_fact_is_positive(d, in);
  if (a->is_same) return onri_expr_div(x, onri_expr_add(x, in, onri_fact_number(d, a->stride - 1)), stride);
  if (rounds_up &&
      (!onri_expr_is_number(x, kernel, &k) || !is_small(k) || a->stride + a->pad_end > (k - 1) * a->dilation + 1))
    return ONRI_EXPR_ANY;
  const onri_expr reach = onri_expr_mul(x, onri_expr_sub(x, kernel, one), onri_fact_number(d, a->dilation));
  onri_expr room = onri_expr_sub(x, onri_expr_add(x, in, onri_fact_number(d, a->pad - 1)), reach);
  if (rounds_up) room = onri_expr_add(x, room, onri_fact_number(d, a->stride - 1));
  return onri_expr_add(x, onri_expr_div(x, room, stride), one);
}

static void convolve(struct onri_deduction *d, int32_t weight, enum onr_dtype dtype) {
  const struct onr_conv_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0), *w = onri_fact_in(d, weight);
  struct onri_fact *out = &d->out[0];
  out->dtype = dtype;
  const int32_t rank = onri_fact_has_rank(x) ? x->rank : w->rank;
  if (rank < 3 || rank > ONR_MAX_SPATIAL + 2) return;
  out->rank = rank;
  for (int32_t k = 0; k < rank; k++) out->dim[k] = ONRI_EXPR_ANY;
  if (onri_fact_has_rank(x)) out->dim[0] = x->dim[0];
  if (w->rank == rank) out->dim[channel_dim(p->channels_last, rank)] = w->dim[0];
  for (int32_t i = 0; i < rank - 2 && x->rank == rank && w->rank == rank; i++) {
    const struct axis a = axis_of(&p->window, i);
    const int32_t from = spatial_dim(p->channels_last && !p->x_channels_first, i);
    out->dim[spatial_dim(p->channels_last, i)] = window_count(d, &a, x->dim[from], w->dim[2 + i], 0);
  }
  for (int32_t k = 0; k < rank; k++) out->dim[k] = onri_fact_or_new(d, out->dim[k]);
}

void onri_deduce_conv(struct onri_deduction *d) { convolve(d, 1, onri_fact_in(d, 0)->dtype); }
void onri_deduce_conv_integer(struct onri_deduction *d) { convolve(d, 1, ONR_DTYPE_I32); }
void onri_deduce_conv_integer_real(struct onri_deduction *d) { convolve(d, 1, ONR_DTYPE_F32); }
void onri_deduce_qlinear_conv(struct onri_deduction *d) { convolve(d, 3, onri_fact_in(d, 7)->dtype); }

/* stride * (in - 1) + output_padding + dilated kernel - padding; stride * in with SAME. */
static void convolve_transposed(struct onri_deduction *d, int32_t weight, enum onr_dtype dtype) {
  const struct onr_conv_transpose_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0), *w = onri_fact_in(d, weight);
  struct onri_exprs *e = d->exprs;
  struct onri_fact *out = &d->out[0];
  out->dtype = dtype;
  if (x->rank < 3 || x->rank > ONR_MAX_SPATIAL + 2 || w->rank != x->rank) return;
  out->rank = x->rank;
  out->dim[0] = x->dim[0];
  const onri_expr groups = onri_fact_number(d, p->groups ? p->groups : 1);
  out->dim[channel_dim(p->channels_last, x->rank)] = onri_fact_or_new(d, onri_expr_mul(e, w->dim[1], groups));
  for (int32_t i = 0; i < x->rank - 2; i++) {
    const struct axis a = axis_of(&p->window, i);
    const int32_t k = spatial_dim(p->channels_last, i);
    const onri_expr reach =
        onri_expr_mul(e, onri_expr_sub(e, w->dim[2 + i], onri_fact_number(d, 1)), onri_fact_number(d, a.dilation));
    onri_expr size =
        onri_expr_mul(e, onri_expr_sub(e, x->dim[k], onri_fact_number(d, 1)), onri_fact_number(d, a.stride));
    const int64_t padding = is_small(p->output_padding[i]) ? p->output_padding[i] : 0;
    size = onri_expr_add(e, onri_expr_add(e, size, reach), onri_fact_number(d, 1 + padding - a.pad));
    if (p->has_output_shape) size = onri_fact_number(d, p->output_shape[i]);
    else if (p->output_size[i] > 0) size = onri_fact_number(d, p->output_size[i]);
    else if (a.is_same || a.is_wrong || padding != p->output_padding[i]) size = ONRI_EXPR_ANY;
    out->dim[k] = onri_fact_or_new(d, size);
  }
}

void onri_deduce_conv_transpose(struct onri_deduction *d) { convolve_transposed(d, 1, onri_fact_in(d, 0)->dtype); }
void onri_deduce_qlinear_conv_transpose(struct onri_deduction *d) {
  convolve_transposed(d, 3, onri_fact_in(d, 7)->dtype);
}

void onri_deduce_pool(struct onri_deduction *d) {
  const struct onr_pool_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  onri_fact_copy(out, x);
  if (x->rank < 3 || x->rank > ONR_MAX_SPATIAL + 2) out->rank = ONRI_UNKNOWN_RANK;
  for (int32_t i = 0; i < out->rank - 2; i++) {
    const int32_t k = spatial_dim(p->channels_last, i);
    if (p->adaptive) {
      if (p->output[i]) out->dim[k] = onri_fact_number(d, p->output[i]);
      else if (p->ratio[i] != 0) out->dim[k] = onri_fact_new_dim(d);
      continue;
    }
    const struct axis a = axis_of(&p->window, i);
    out->dim[k] = onri_fact_or_new(
        d, window_count(d, &a, x->dim[k], onri_fact_number(d, p->window.kernel[i]), p->ceil_mode != 0));
  }
  if (d->node->num_out < 2) return;
  onri_fact_copy(&d->out[1], out);
  d->out[1].dtype = ONR_DTYPE_I64;
}

/* --- blocks --- */

/* Spatial dimensions times up over down, channels the other way twice. */
static void rearrange(struct onri_deduction *d, int32_t channels_last, int64_t block, int grows) {
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_exprs *e = d->exprs;
  struct onri_fact *out = &d->out[0];
  onri_fact_copy(out, x);
  if (x->rank != 4) {
    out->rank = ONRI_UNKNOWN_RANK;
    return;
  }
  const onri_expr b = onri_fact_number(d, block), bb = onri_expr_mul(e, b, b);
  const int32_t c = channel_dim(channels_last, 4);
  for (int32_t k = 1; k < 4; k++) {
    const onri_expr by = k == c ? bb : b;
    const int multiplies = (k == c) != grows;
    out->dim[k] = onri_fact_or_new(d, multiplies ? onri_expr_mul(e, x->dim[k], by) : onri_expr_div(e, x->dim[k], by));
  }
}

void onri_deduce_depth_to_space(struct onri_deduction *d) {
  const struct onr_block_params *p = d->node->params;
  rearrange(d, p->channels_last, p->block_size, 1);
}
void onri_deduce_space_to_depth(struct onri_deduction *d) {
  const struct onr_block_params *p = d->node->params;
  rearrange(d, p->channels_last, p->block_size, 0);
}

/* --- resize --- */

/* floor(in * scale) for a scale that is a whole number, or one over a power of two. */
static onri_expr scaled(struct onri_deduction *d, onri_expr in, double scale) {
  if (scale >= 1 && scale == floor(scale) && scale < 65536)
    return onri_expr_mul(d->exprs, in, onri_fact_number(d, (int64_t)scale));
  if (scale > 0 && scale < 1 && 1 / scale < 65536 && frexp(scale, &(int){0}) == 0.5)
    return onri_expr_div(d->exprs, in, onri_fact_number(d, (int64_t)(1 / scale)));
  return ONRI_EXPR_ANY;
}

static double scale_at(const struct onr_resize_params *p, const void *scales, int32_t i) {
  return p->wide_scales ? ((const double *)scales)[i] : (double)((const float *)scales)[i];
}

void onri_deduce_resize(struct onri_deduction *d) {
  const struct onr_resize_params *p = d->node->params;
  const struct onri_fact *x = onri_fact_in(d, 0);
  struct onri_fact *out = &d->out[0];
  int32_t num_sizes = 0;
  const onri_expr *sizes = onri_fact_elements(d, 3, &num_sizes);
  const int has_scales = onri_fact_has(d, 2) && !(sizes && num_sizes);
  const void *scales = has_scales ? d->facts->numbers.known[d->node->in[2]] : NULL;
  const int32_t count = p->num_axes > 0 ? p->num_axes : x->rank;
  int64_t num_scales = 0;
  onri_fact_copy(out, x);
  if (!onri_fact_has_rank(x)) return;
  if (scales && (onri_fact_in(d, 2)->rank != 1 ||
                 !onri_expr_is_number(d->exprs, onri_fact_in(d, 2)->dim[0], &num_scales) || num_scales != count))
    scales = NULL;
  for (int32_t i = 0; i < count && i < ONR_MAX_RANK; i++) {
    int32_t k = p->num_axes > 0 ? onri_fact_axis(p->axes[i], x->rank) : i;
    if (k < 0 || k >= x->rank) continue;
    if (p->channels_last && x->rank >= 3 && k > 0) k = k == 1 ? x->rank - 1 : k - 1;
    onri_expr size = ONRI_EXPR_ANY;
    if (scales) size = scaled(d, x->dim[k], scale_at(p, scales, i));
    else if (!has_scales && sizes && num_sizes == count && p->aspect == ONR_RESIZE_STRETCH) size = sizes[i];
    out->dim[k] = onri_fact_or_new(d, size);
  }
}
