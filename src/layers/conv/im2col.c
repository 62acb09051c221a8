/* im2col.c: the elements under each position of a sliding window as a column (torch.nn.Unfold).
 *
 * input 0   x  [N, C, spatial...] (1 to 3 of them), any dtype
 * output 0  y  [N, C * product of kernel, L]: L positions
 * path      portable: one strided copy, in which elements of x come several times
 */
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/move/copy.h"
#include "layers/layers.h"
#include "layers/conv/window.h"

enum { DIMS = 2 + 2 * ONR_MAX_SPATIAL };

struct im2col_state {
  struct onri_copy copy;
};

static enum onr_status geometry(const struct onr_call *call, struct onri_image *x,
                                struct onri_axis axis[ONR_MAX_SPATIAL], struct onr_desc *out) {
  const struct onr_im2col_params *p = call->params;
  int32_t spatial = 0;
  ONR_TRY(onri_image_view(&call->in[0], 0, x, &spatial, call->error));
  if (p->window.rank != spatial)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "a kernel of %d dimensions does not fit an image of %d",
                    p->window.rank, spatial);
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) axis[i].in = x->size[i];
  for (int32_t i = 0; i < spatial; i++) {
    struct onri_axis *a = &axis[ONR_MAX_SPATIAL - spatial + i];
    a->kernel = p->window.kernel[i];
    if (a->kernel < 1)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a kernel of at least 1, found %lld",
                      (long long)a->kernel);
    if (p->window.pad_begin[i] != 0 || p->window.pad_end[i] != 0)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected no padding");
  }
  ONR_TRY(onri_window_resolve(&p->window, spatial, axis, call->error));
  ONR_TRY(onri_window_output(0, 1, spatial, axis, call->error));
  int64_t rows = x->channels, columns = 1;
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++)
    if (!onri_mul_i64(rows, axis[i].kernel, &rows) || !onri_mul_i64(columns, axis[i].out, &columns))
      return onr_fail(call->error, ONR_STATUS_LIMIT, "the columns of this image overflow");
  *out = onr_desc_make(call->in[0].dtype, 3, (int64_t[]){x->batch, rows, columns});
  return ONR_STATUS_OK;
}

static enum onr_status im2col_infer(struct onr_call *call) {
  struct onri_image x;
  struct onri_axis axis[ONR_MAX_SPATIAL] = {{0}};
  return geometry(call, &x, axis, &call->out[0]);
}

static enum onr_status im2col_plan(struct onr_call *call) {
  struct im2col_state *s = call->state;
  struct onri_image x;
  struct onri_axis axis[ONR_MAX_SPATIAL] = {{0}};
  struct onr_desc out;
  ONR_TRY(geometry(call, &x, axis, &out));
  if (onr_desc_elements(&out) == 0) return ONR_STATUS_OK;
  int64_t size[DIMS] = {x.batch, x.channels}, stride[DIMS] = {x.batch_stride, x.channel_stride};
  for (int32_t i = 0; i < ONR_MAX_SPATIAL; i++) { /* steps that are taken lie inside the image; others could overflow */
    size[2 + i] = axis[i].kernel;
    stride[2 + i] = axis[i].kernel > 1 ? axis[i].dilation * x.stride[i] : 0;
    size[2 + ONR_MAX_SPATIAL + i] = axis[i].out;
    stride[2 + ONR_MAX_SPATIAL + i] = axis[i].out > 1 ? axis[i].stride * x.stride[i] : 0;
  }
  onri_copy_make(&s->copy, onr_dtype_size(out.dtype), DIMS, size, stride, NULL);
  return ONR_STATUS_OK;
}

static enum onr_status im2col_run(struct onr_call *call) {
  const struct im2col_state *s = call->state;
  if (onr_desc_elements(&call->out[0])) onri_copy_run(&s->copy, call->env, call->inputs[0], call->outputs[0]);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_im2col = {
    .name = "im2col",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_im2col_params),
    .state_size = sizeof(struct im2col_state),
    .infer = im2col_infer,
    .plan = im2col_plan,
    .run = im2col_run,
};
