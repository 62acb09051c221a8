/* conv_pieces.c: cutting, and walking over the pieces. */
#include "layers/conv/conv_pieces.h"

#include <string.h>

#include "base/env.h"

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* The axis of a piece of a transposed convolution with outputs [row, row + rows); returns the first of the inputs that
 * reach them. */
static int64_t cut_transposed(struct onri_axis *a, int64_t row, int64_t rows) {
  const int64_t reach = (a->kernel - 1) * a->dilation, from = row + a->begin - reach;
  const int64_t first = from > 0 ? (from + a->stride - 1) / a->stride : 0;
  a->in = least((row + rows - 1 + a->begin) / a->stride + 1, a->in) - first;
  a->begin += row - first * a->stride;
  a->end = most((a->in - 1) * a->stride + reach + 1 - a->begin - rows, 0);
  a->out = rows;
  return first;
}

/* Piece that begins at image n and row `row`; *first: the input row that its x begins with. */
static struct onri_xnn_conv piece_at(const struct onri_conv_pieces *p, int64_t n, int64_t row, int64_t *first) {
  struct onri_xnn_conv piece = p->whole;
  struct onri_axis *a = &piece.axis[p->axis];
  const int64_t rows = least(p->rows, a->out - row);
  *first = 0;
  piece.batch = least(p->images, p->whole.batch - n);
  if (rows < a->out) *first = piece.transposed ? cut_transposed(a, row, rows) : onri_axis_cut(a, row, rows);
  return piece;
}

static int equal(const struct onri_xnn_conv *a, const struct onri_xnn_conv *b) {
  return a->batch == b->batch && !memcmp(a->axis, b->axis, sizeof(a->axis));
}

/* The operator for a piece; -1: none yet. */
static int32_t find(const struct onri_conv_pieces *p, const struct onri_xnn_conv *piece) {
  for (int32_t i = 0; i < p->count; i++)
    if (equal(&p->shape[i], piece)) return i;
  return -1;
}

/* What lies along this axis can be cut into rows: neither what XNNPACK packed nor its choice of a kernel depends on the
 * padding there, and each piece sees a row of the image. */
static int can_cut(const struct onri_xnn_conv *c, int32_t axis) {
  const struct onri_axis *a = &c->axis[axis];
  const int64_t reach = (a->kernel - 1) * a->dilation;
  return (a->kernel > 1 || !(a->begin + a->end)) &&
         (c->transposed ? a->kernel >= a->stride : a->begin <= reach && a->end <= reach);
}

static void choose(struct onri_conv_pieces *p, int64_t multiply_adds, int64_t bound) {
  const int64_t each = multiply_adds / most(p->whole.batch, 1);
  p->images = p->whole.batch;
  p->axis = 0;
  /* Rows of the outermost axis lie together. */
  while (p->axis + 1 < ONR_MAX_SPATIAL && p->whole.axis[p->axis].in == 1 && p->whole.axis[p->axis].out == 1) p->axis++;
  p->rows = p->whole.axis[p->axis].out;
  if (multiply_adds <= bound) return;
  p->images = each < bound ? bound / each : 1;
  if (each <= bound || !can_cut(&p->whole, p->axis)) return;
  const int64_t step = p->whole.transposed ? p->whole.axis[p->axis].stride : 1; /* so that pieces are alike */
  p->rows = most(bound / most(each / p->rows, 1) / step, 1) * step;
}

static enum onr_status make(struct onri_conv_pieces *p, const struct onri_xnn_conv *piece,
                            const struct onri_xnn_packed *packed, size_t *scratch_bytes, struct onr_env *env,
                            struct onr_error *error) {
  struct xnn_operator *op = NULL;
  size_t bytes = 0;
  if (p->count < ONRI_CONV_SHAPES) ONR_TRY(onri_xnn_conv_plan(&op, packed, piece, &bytes, env, error));
  if (!op) {
    onri_conv_pieces_release(p);
    return ONR_STATUS_OK;
  }
  if (bytes > *scratch_bytes) *scratch_bytes = bytes;
  p->shape[p->count] = *piece;
  p->op[p->count++] = op;
  return ONR_STATUS_OK;
}

static enum onr_status make_all(struct onri_conv_pieces *p, const struct onri_xnn_packed *packed, size_t *scratch_bytes,
                                struct onr_env *env, struct onr_error *error) {
  *scratch_bytes = 0;
  for (int64_t n = 0; n < p->whole.batch; n += p->images)
    for (int64_t row = 0, first; row < p->whole.axis[p->axis].out; row += p->rows) {
      const struct onri_xnn_conv piece = piece_at(p, n, row, &first);
      if (find(p, &piece) >= 0) continue;
      ONR_TRY(make(p, &piece, packed, scratch_bytes, env, error));
      if (!p->count) return ONR_STATUS_OK;
    }
  return ONR_STATUS_OK;
}

enum onr_status onri_conv_pieces_plan(struct onri_conv_pieces *pieces, const struct onri_xnn_conv *whole,
                                      int64_t multiply_adds, const struct onri_xnn_packed *packed,
                                      size_t *scratch_bytes, struct onr_env *env, struct onr_error *error) {
  *pieces = (struct onri_conv_pieces){.whole = *whole};
  choose(pieces, multiply_adds, onri_xnn_most_steps(env));
  if (pieces->images >= whole->batch && pieces->rows >= whole->axis[pieces->axis].out) return ONR_STATUS_OK;
  const enum onr_status status = make_all(pieces, packed, scratch_bytes, env, error);
  if (status != ONR_STATUS_OK) onri_conv_pieces_release(pieces);
  return status;
}

enum onr_status onri_conv_pieces_run(const struct onri_conv_pieces *pieces, const struct onri_conv *c, void *scratch,
                                     const float *x, float *y, struct onr_env *env, struct onr_error *error) {
  const struct onri_conv_pieces *p = pieces;
  for (int64_t n = 0; n < p->whole.batch; n += p->images)
    for (int64_t row = 0, first; row < p->whole.axis[p->axis].out; row += p->rows) {
      const struct onri_xnn_conv piece = piece_at(p, n, row, &first);
      const int32_t i = find(p, &piece);
      if (onr_env_cancelled(env)) return ONR_STATUS_OK;
      ONR_TRY(onri_xnn_conv_run(p->op[i], &p->shape[i], scratch,
                                x + n * c->x.batch_stride + first * c->x.stride[p->axis],
                                y + n * c->y.batch_stride + row * c->y.stride[p->axis], env, error));
    }
  return ONR_STATUS_OK;
}

void onri_conv_pieces_release(struct onri_conv_pieces *pieces) {
  for (int32_t i = 0; i < pieces->count; i++) onri_xnn_delete(pieces->op[i]);
  pieces->count = 0;
}
