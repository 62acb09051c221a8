/* affine_grid.c: the grid that grid_sample takes, from affine maps.
 *
 * input 0   theta  [N, 2, 3] or [N, 3, 4]
 * input 1   size   int64 [4] or [5]: [N, C, spatial...]
 * output 0  grid   [N, spatial..., 2 or 3]
 * ONNX      AffineGrid-20
 * path      portable, in float64
 */
#include "base/env.h"
#include "base/shape.h"
#include "layers/layers.h"
#include "layers/elementwise/widened.h"

struct affine_grid_state {
  int64_t size[3]; /* depth, height, width; leading 1 */
  size_t theta, grid;
};

static enum onr_status read_size(const struct onr_call *call, int64_t size[5], int32_t *spatial) {
  size_t count;
  ONR_TRY(onri_read_ints(call, 1, size, 5, &count));
  if (count != 4 && count != 5)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a size of 4 or 5 values, found %zu", count);
  *spatial = (int32_t)count - 2;
  for (size_t i = 0; i < count; i++)
    if (size[i] < 0)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected sizes of at least 0, found %lld",
                      (long long)size[i]);
  return ONR_STATUS_OK;
}

static enum onr_status affine_grid_infer(struct onr_call *call) {
  int64_t size[5], dims[5];
  int32_t spatial = 0;
  ONR_TRY(onri_expect_rank(call, 0, 3, 3));
  ONR_TRY(read_size(call, size, &spatial));
  const struct onr_desc *theta = &call->in[0];
  if (theta->dim[0] != size[0] || theta->dim[1] != spatial || theta->dim[2] != spatial + 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected theta [%lld, %d, %d], found [%lld, %lld, %lld]",
                    (long long)size[0], spatial, spatial + 1, (long long)theta->dim[0], (long long)theta->dim[1],
                    (long long)theta->dim[2]);
  dims[0] = size[0];
  for (int32_t i = 0; i < spatial; i++) dims[1 + i] = size[2 + i];
  dims[spatial + 1] = spatial;
  call->out[0] = onr_desc_make(theta->dtype, spatial + 2, dims);
  return ONR_STATUS_OK;
}

static enum onr_status affine_grid_plan(struct onr_call *call) {
  struct affine_grid_state *s = call->state;
  const int32_t spatial = call->out[0].rank - 2;
  for (int32_t i = 0; i < 3; i++) s->size[i] = i < 3 - spatial ? 1 : call->out[0].dim[1 + i - (3 - spatial)];
  ONR_TRY(onri_widened_plan(call, &call->in[0], &s->theta));
  return onri_widened_plan(call, &call->out[0], &s->grid);
}

/* Middle of pixel i in [-1, 1]. */
static double coordinate(int64_t i, int64_t size, int32_t align_corners) {
  if (!align_corners) return (2.0 * (double)i + 1) / (double)size - 1;
  return size > 1 ? 2.0 * (double)i / (double)(size - 1) - 1 : -1;
}

enum { COLUMNS = 512 };

/* Columns of one row of pixels: theta times (x, y, z, 1), summed in this order. x: positions of the columns. */
#define DEFINE_ROW(name, T)                                                                                      \
  static void name(const double *theta, int32_t spatial, const double *x, const double *rest, int64_t columns,   \
                   T *restrict grid) {                                                                           \
    const double *t = theta, y = rest[0], z = rest[1];                                                           \
    if (spatial == 2)                                                                                            \
      for (int64_t i = 0; i < columns; i++) {                                                                    \
        grid[2 * i] = (T)(t[0] * x[i] + t[1] * y + t[2]);                                                        \
        grid[2 * i + 1] = (T)(t[3] * x[i] + t[4] * y + t[5]);                                                    \
      }                                                                                                          \
    else                                                                                                         \
      for (int64_t i = 0; i < columns; i++)                                                                      \
        for (int row = 0; row < 3; row++)                                                                        \
          grid[3 * i + row] = (T)(t[4 * row] * x[i] + t[4 * row + 1] * y + t[4 * row + 2] * z + t[4 * row + 3]); \
  }
DEFINE_ROW(row_f32, float)
DEFINE_ROW(row_f64, double)

static enum onr_status affine_grid_run(struct onr_call *call) {
  const struct onr_affine_grid_params *p = call->params;
  const struct affine_grid_state *s = call->state;
  const int32_t spatial = call->out[0].rank - 2, wide = onri_is_double(call->in[0].dtype);
  const void *given = onri_widened_input(call, 0, s->theta);
  void *grid = onri_widened_output(call, 0, s->grid);
  const int64_t rows = s->size[0] * s->size[1], width = s->size[2];
  struct onri_pace pace = {call->env, 0};
  for (int64_t first = 0; first < width; first += COLUMNS) {
    const int64_t columns = width - first < COLUMNS ? width - first : COLUMNS;
    double x[COLUMNS], theta[12];
    for (int64_t i = 0; i < columns; i++) x[i] = coordinate(first + i, width, p->align_corners);
    for (int64_t row = 0; row < call->out[0].dim[0] * rows; row++) {
      const double rest[] = {coordinate(row % s->size[1], s->size[1], p->align_corners),
                             coordinate(row / s->size[1] % s->size[0], s->size[0], p->align_corners)};
      const int64_t at = (row * width + first) * spatial, n = row / rows;
      if (onri_pace_stop(&pace, 16 + (uint64_t)columns)) return ONR_STATUS_OK;
      for (int32_t i = 0; i < spatial * (spatial + 1); i++) {
        const int64_t from = n * spatial * (spatial + 1) + i;
        theta[i] = wide ? ((const double *)given)[from] : (double)((const float *)given)[from];
      }
      if (wide) row_f64(theta, spatial, x, rest, columns, (double *)grid + at);
      else row_f32(theta, spatial, x, rest, columns, (float *)grid + at);
    }
  }
  onri_widened_finish(call, 0, s->grid);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_affine_grid = {
    .name = "affine_grid",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 2,
    .params_size = sizeof(struct onr_affine_grid_params),
    .state_size = sizeof(struct affine_grid_state),
    .infer = affine_grid_infer,
    .plan = affine_grid_plan,
    .run = affine_grid_run,
};
