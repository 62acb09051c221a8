#include "layers/quantize/quantize_grid.h"

#include "base/shape.h"

static enum onr_status wrong_scale(const struct onr_call *call, const char *expected) {
  char x[160], scale[160];
  return onr_fail(call->error, ONR_STATUS_SHAPE, "expected %s for %s, found a scale of %s", expected,
                  onr_desc_format(&call->in[0], x, sizeof(x)), onr_desc_format(&call->in[1], scale, sizeof(scale)));
}

static enum onr_status check_zero_point(const struct onr_call *call) {
  const struct onr_desc *scale = &call->in[1], *zero = &call->in[2];
  if (!onri_has(call, 2)) return ONR_STATUS_OK;
  int same = scale->rank == zero->rank;
  for (int32_t d = 0; d < scale->rank && same; d++) same = scale->dim[d] == zero->dim[d];
  if (!same && !(onr_desc_elements(scale) == 1 && onr_desc_elements(zero) == 1)) {
    char a[160], b[160];
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected a zero point of the scale's shape %s, found %s",
                    onr_desc_format(scale, a, sizeof(a)), onr_desc_format(zero, b, sizeof(b)));
  }
  return ONR_STATUS_OK;
}

static enum onr_status make_blocks(const struct onr_call *call, struct onri_quantize_grid *grid, int32_t axis) {
  const struct onr_quantize_params *p = call->params;
  const struct onr_desc *x = &call->in[0], *scale = &call->in[1];
  const int64_t blocks = x->dim[axis] / p->block_size + (x->dim[axis] % p->block_size != 0);
  int fits = scale->rank == x->rank;
  for (int32_t d = 0; d < x->rank && fits; d++) fits = scale->dim[d] == (d == axis ? blocks : x->dim[d]);
  if (!fits) return wrong_scale(call, "one scale a block");
  grid->kind = ONRI_GRID_BLOCK;
  grid->block = (size_t)p->block_size;
  grid->num_blocks = (size_t)blocks;
  return ONR_STATUS_OK;
}

enum onr_status onri_quantize_grid_make(const struct onr_call *call, struct onri_quantize_grid *grid) {
  const struct onr_quantize_params *p = call->params;
  const struct onr_desc *x = &call->in[0], *scale = &call->in[1];
  int32_t axis;
  *grid = (struct onri_quantize_grid){.kind = ONRI_GRID_TENSOR};
  if (p->block_size < 0)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "block size %lld is negative", (long long)p->block_size);
  ONR_TRY(check_zero_point(call));
  if (scale->rank <= 1 && onr_desc_elements(scale) == 1 && p->block_size == 0) return ONR_STATUS_OK;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  if (x->rank == 0) return wrong_scale(call, "a scalar scale");
  grid->length = (size_t)x->dim[axis];
  grid->inner = (size_t)onri_product(x, axis + 1, x->rank);
  if (p->block_size > 0) return make_blocks(call, grid, axis);
  if (scale->rank != 1 || scale->dim[0] != x->dim[axis])
    return wrong_scale(call, "one scale, or one a slice of the axis,");
  grid->kind = ONRI_GRID_AXIS;
  return ONR_STATUS_OK;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

struct onri_quantize_run onri_quantize_grid_run(const struct onri_quantize_grid *grid, size_t begin, size_t most) {
  if (grid->kind == ONRI_GRID_TENSOR) return (struct onri_quantize_run){most, 0, 0};
  const size_t i = begin % grid->inner, d = begin / grid->inner % grid->length,
               outer = begin / grid->inner / grid->length;
  if (grid->kind == ONRI_GRID_AXIS) {
    if (grid->inner == 1) return (struct onri_quantize_run){least(grid->length - d, most), d, 1};
    return (struct onri_quantize_run){least(grid->inner - i, most), d, 0};
  }
  const size_t slice = outer * grid->num_blocks + d / grid->block;
  if (grid->inner == 1)
    return (struct onri_quantize_run){least(least(grid->block - d % grid->block, grid->length - d), most), slice, 0};
  return (struct onri_quantize_run){least(grid->inner - i, most), slice * grid->inner + i, 1};
}
