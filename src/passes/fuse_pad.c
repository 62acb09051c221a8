/* fuse_pad.c: zeros around an image become the padding of the convolution or average pool behind. */
#include "base/numbers/checked.h"
#include "passes/match.h"

/* Pads of `node` by zeros, of spatial dimensions only and never negative: begin and end, [rank - 2] each. */
static int read_pads(const struct onri_rewrite *rw, const struct onri_node *node, int32_t rank, int64_t *begin,
                     int64_t *end) {
  const struct onr_pad_params *p = node->params;
  int64_t pads[2 * ONR_MAX_RANK], axes[ONR_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
  size_t count, num_axes = (size_t)rank;
  double value = 0;
  if (p->mode != ONR_PAD_CONSTANT || !onri_rewrite_ints(rw, node->in[1], pads, 2 * ONR_MAX_RANK, &count)) return 0;
  if (node->num_in > 2 && node->in[2] != ONRI_NONE && (!onri_rewrite_scalar(rw, node->in[2], &value) || value != 0))
    return 0;
  if (node->num_in > 3 && node->in[3] != ONRI_NONE &&
      !onri_rewrite_ints(rw, node->in[3], axes, ONR_MAX_RANK, &num_axes))
    return 0;
  if (count != 2 * num_axes) return 0;
  for (int32_t d = 0; d < ONR_MAX_SPATIAL; d++) begin[d] = end[d] = 0;
  for (size_t i = 0; i < num_axes; i++) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    const int64_t first = pads[i], last = pads[i + num_axes];
    if (axis < 0 || axis >= rank || first < 0 || last < 0) return 0;
    if (axis < 2 && (first != 0 || last != 0)) return 0;
    if (axis < 2) continue;
    begin[axis - 2] = first;
    end[axis - 2] = last;
  }
  return 1;
}

static int add_pads(struct onr_window *window, int32_t spatial, const int64_t *begin, const int64_t *end) {
  if (window->auto_pad != ONR_AUTO_PAD_NOTSET && window->auto_pad != ONR_AUTO_PAD_VALID) return 0;
  for (int32_t d = 0; d < spatial; d++) {
    const int64_t own_begin = window->rank > 0 && window->auto_pad == ONR_AUTO_PAD_NOTSET ? window->pad_begin[d] : 0;
    const int64_t own_end = window->rank > 0 && window->auto_pad == ONR_AUTO_PAD_NOTSET ? window->pad_end[d] : 0;
    if (!onri_add_i64(own_begin, begin[d], &window->pad_begin[d]) ||
        !onri_add_i64(own_end, end[d], &window->pad_end[d]))
      return 0;
  }
  window->auto_pad = ONR_AUTO_PAD_NOTSET;
  window->rank = spatial;
  return 1;
}

/* The pad in front of the node, read once; NULL when there is none that fits. */
static const struct onri_node *find_pad(const struct onri_rewrite *rw, const struct onri_node *node, int64_t *begin,
                                        int64_t *end, int32_t *spatial) {
  const struct onri_node *pad = onri_rewrite_sole(rw, node->in[0], &onri_layer_pad);
  const int32_t rank = onri_rewrite_rank(rw, node->in[0]);
  *spatial = rank - 2;
  if (!pad || rank < 3 || *spatial > ONR_MAX_SPATIAL) return NULL;
  return read_pads(rw, pad, rank, begin, end) ? pad : NULL;
}

static enum onr_status conv(struct onri_rewrite *rw, struct onri_node *node) {
  int64_t begin[ONR_MAX_SPATIAL], end[ONR_MAX_SPATIAL];
  int32_t spatial;
  enum onr_status status = ONR_STATUS_OK;
  const struct onr_conv_params *old = node->params;
  struct onr_window window = old->window;
  const struct onri_node *pad = find_pad(rw, node, begin, end, &spatial);
  if (!pad || old->channels_last || !add_pads(&window, spatial, begin, end)) return ONR_STATUS_OK;
  struct onr_conv_params *params = onri_rewrite_params(rw, node, &status);
  ONR_TRY(status);
  params->window = window;
  return onri_rewrite_set_input(rw, node, 0, pad->in[0]);
}

/* The zeros count: so must the pool's own padding, or there is none. Rounding up could put a window behind the padding.
 */
static enum onr_status average_pool(struct onri_rewrite *rw, struct onri_node *node) {
  int64_t begin[ONR_MAX_SPATIAL], end[ONR_MAX_SPATIAL];
  int32_t spatial;
  enum onr_status status = ONR_STATUS_OK;
  const struct onr_pool_params *old = node->params;
  struct onr_window window = old->window;
  const struct onri_node *pad = find_pad(rw, node, begin, end, &spatial);
  int padded = 0;
  if (!pad || old->channels_last || old->ceil_mode || window.rank != spatial) return ONR_STATUS_OK;
  for (int32_t d = 0; d < spatial; d++) padded |= window.pad_begin[d] != 0 || window.pad_end[d] != 0;
  if ((padded && !old->count_include_pad) || !add_pads(&window, spatial, begin, end)) return ONR_STATUS_OK;
  for (int32_t d = 0; d < spatial; d++)
    if (window.pad_begin[d] >= window.kernel[d] || window.pad_end[d] >= window.kernel[d]) return ONR_STATUS_OK;
  struct onr_pool_params *params = onri_rewrite_params(rw, node, &status);
  ONR_TRY(status);
  params->window = window;
  params->count_include_pad = 1;
  return onri_rewrite_set_input(rw, node, 0, pad->in[0]);
}

enum onr_status onri_pass_pad(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_conv, conv}, {&onri_layer_average_pool, average_pool}};
  return onri_rewrite_sweep(rw, rules, sizeof(rules) / sizeof(rules[0]));
}
