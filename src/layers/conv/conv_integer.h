/* conv_integer.h: what the two paths of conv_integer and qlinear_conv share. */
#ifndef ONRI_CONV_INTEGER_H
#define ONRI_CONV_INTEGER_H

#include "layers/conv/conv.h"
#include "xnn/xnn_qconv.h"

#define ONRI_NO_ROLE 255
/* Which inputs are what; ONRI_NO_ROLE where there is no such input. */
struct onri_qconv_roles {
  uint8_t x, x_scale, x_zero, weight, w_scale, w_zero, y_scale, y_zero, bias;
};

struct onri_qconv_prepared {
  struct onri_xnn_packed xnn;
  int32_t fit; /* enum onri_xnn_fit; NEVER: nothing is packed in xnn; ALWAYS: it holds the only copy of the weights */
  struct onri_xnn_qconv tuned; /* when xnn is packed */
  float *scales;               /* [M] of the weights, for `tuned` */
  float *weights;              /* differences, packed for the portable kernel; NULL: not constant */
};

struct onri_qconv_state {
  struct onri_conv conv;
  struct xnn_operator *op;
  struct onri_xnn_conv shape;
  size_t x, weight, packed, scratch; /* offsets in scratch */
};

/* x and the weights as a call of conv with float32 operands: shapes are those of conv. */
struct onri_qconv_plain {
  struct onr_call call;
  struct onr_desc in[2];
  const void *inputs[2];
};
void onri_qconv_plain(const struct onr_call *call, const struct onri_qconv_roles *r, struct onri_qconv_plain *plain);

/* --- path through XNNPACK --- */
/* In prepare: packs when XNNPACK computes this convolution exactly; prepared->fit says whether. */
enum onr_status onri_qconv_tuned_prepare(struct onr_call *call, const struct onri_qconv_roles *r,
                                         const struct onri_conv *c);
/* Makes state->op, where the sizes fit. */
enum onr_status onri_qconv_tuned_plan(struct onr_call *call, const struct onri_qconv_roles *r);
enum onr_status onri_qconv_tuned_run(struct onr_call *call, const struct onri_qconv_roles *r);

#endif
