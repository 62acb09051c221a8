/* conv.h: what conv and conv_transpose share: the choice of a kernel, packing and running. */
#ifndef ONRI_LAYER_CONV_H
#define ONRI_LAYER_CONV_H

#include "kernels/conv/conv_gemm.h"
#include "layers/conv/conv_pieces.h"
#include "layers/conv/conv_scale.h"
#include "layers/conv/conv_tail.h"
#include "layers/conv/conv_winograd.h"
#include "layers/elementwise/widened.h"
#include "params/conv.h"

struct onri_conv_prepared {
  struct onri_xnn_packed xnn;
  int32_t tuned;       /* enum onri_xnn_fit; ALWAYS: xnn holds the only copy of the weights */
  int32_t finite_only; /* xnn is for images of finite numbers */
  void *weights;       /* packed for the portable or a depthwise kernel; NULL: they are an input of run */
  int32_t planes;      /* depthwise, channels-first; the weights are finite */
  int32_t grouped;     /* weights is packed for the kernel of a few channels a group */
  enum onri_conv_form form;
  const struct onri_conv_way *way; /* of a transposed product; NULL: it is none */
  float *product;                  /* packed for conv_gemm.h, */
  float *product_bias;             /* and its bias; NULL: an input of run */
  void *half;                      /* packed for conv_half.h */
  struct onri_conv_winograd winograd;
};

/* An operator that all plans of a session share, and whose sizes it has now. */
struct onri_conv_kept {
  struct xnn_operator *op;
  struct onri_xnn_conv xnn;
  const struct onri_conv_state *user; /* NULL: nobody's */
};

struct onri_conv_state {
  struct onri_conv_tail tail;
  struct onri_conv conv;
  struct onri_xnn_conv xnn;
  struct xnn_operator *op;        /* this plan's, */
  struct onri_conv_kept *kept;    /* or the session's; */
  struct onri_conv_pieces pieces; /* or those of pieces; none of them: the portable kernel */
  size_t scratch;                 /* of XNNPACK, of Winograd's method, or conv_gemm.h for so many */
  size_t threads;
  size_t product_bias; /* in scratch, where it is not prepared */
  size_t products;     /* in scratch, of conv_shuffle.h or conv_spread.h, or packed weights of conv_variable.h */
  size_t scaled;       /* in scratch, of conv_scale.h */
  int32_t depthwise;   /* vectors of channels instead of the portable kernel */
  int32_t variable;    /* a product of weights that are an input of run, of this form */
  enum onri_conv_form form;
  int32_t winograd; /* by winograd_plan; the portable kernel where x is not finite */
  struct onri_winograd_plan winograd_plan;
  size_t x, weight, packed, bias, residual, y; /* offsets of widened.h, where XNNPACK does not compute */
};

/* dtypes, ranks, and weight and bias against x. */
enum onr_status onri_conv_check_inputs(const struct onr_call *call, int64_t groups, int transposed);
/* The weights are constant and, as far as is known before x is, sound: they can be packed. */
int onri_conv_can_pack(const struct onr_call *call, int64_t groups, int transposed);
/* Everything that follows from the descriptors of inputs 0 to 2 and struct onr_conv_params. */
enum onr_status onri_conv_geometry(const struct onr_call *call, struct onri_conv *c, struct onr_desc *out);
enum onr_status onri_conv_transpose_geometry(const struct onr_call *call, struct onri_conv *c, struct onr_desc *out);
/* The part of it that follows from weights alone, when they can be packed. */
enum onr_status onri_conv_geometry_of_weights(const struct onr_call *call, struct onri_conv *c);
/* The same of conv_transpose; of weights: as for an image of one pixel. */
enum onr_status onri_conv_transpose_geometry(const struct onr_call *call, struct onri_conv *c, struct onr_desc *out);
enum onr_status onri_conv_transpose_geometry_of_weights(const struct onr_call *call, struct onri_conv *c);
/* Packs constant weights for the geometry c (sizes as onri_xnn_conv_fit wants them) and marks them packed_inputs,
 * unless a plan may need them. channels_last: y is, and so is x unless x_channels_first. */
enum onr_status onri_conv_prepare(struct onr_call *call, const struct onri_conv *c, int channels_last,
                                  int x_channels_first);
enum onr_status onri_conv_plan(struct onr_call *call, const struct onri_conv *c, const struct onr_clamp *clamp,
                               const struct onr_tail *tail);
enum onr_status onri_conv_run(struct onr_call *call);
void onri_conv_release_state(void *state, struct onr_env *env);
void onri_conv_release_kept(void *kept, struct onr_env *env);
void onri_conv_release_prepared(void *prepared, struct onr_env *env);
uint32_t onri_conv_kernel_types(const void *params, enum onr_kernel kernel);
int64_t onri_conv_multiply_adds(const struct onri_conv *c);
/* The same where there are many channels, more where there are few. */
int64_t onri_conv_steps(const struct onri_conv *c);

#endif
