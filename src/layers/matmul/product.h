/* product.h: what linear, matmul and gemm share: one product of two operands in all its forms and its ways to be
 * computed. Inputs are A, B, an optional bias and an optional residual, as inputs 0, 1, 2, 3 of the call. */
#ifndef ONRI_PRODUCT_H
#define ONRI_PRODUCT_H

#include "base/types.h"
#include "kernels/matmul/half_product.h"
#include "kernels/matmul/sgemm.h"
#include "layers/elementwise/tail.h"
#include "params/params.h"

/* What a layer's parameters say. */
struct onri_product_form {
  int transpose_a, transpose_b;
  float alpha, beta;
  struct onr_clamp clamp;
  struct onr_tail tail;
  struct onr_columns columns;
  int32_t bias_rank_max;
  int32_t a_rank, b_rank; /* 0: any */
};

/* What the shapes say: batches of [m, k] x [k, n]. */
struct onri_product {
  enum onr_dtype dtype;
  size_t m, n, k, batches;
  size_t first_column, all_columns; /* of B; n of them from the first on */
  int32_t num_batch_dims;
  int64_t batch[ONR_MAX_RANK], a_batch[ONR_MAX_RANK],
      b_batch[ONR_MAX_RANK]; /* dims of the result, strides of A and B */
  size_t a_row, a_col, b_row, b_col, bias_row, bias_col;
  int has_bias, has_residual;
};

/* The model's. */
struct onri_product_prepared {
  void *panels;          /* B for kernels/matmul/sgemm.h when it is a constant matrix, or NULL */
  enum onr_dtype narrow; /* of panels: float16 or bfloat16 where they hold all of it, else NONE */
  int32_t half;          /* panels are those of kernels/matmul/half_product.h */
};

enum onri_product_way { ONRI_PRODUCT_NOTHING, ONRI_PRODUCT_VECTOR, ONRI_PRODUCT_HALF, ONRI_PRODUCT_PORTABLE };

struct onri_product_state {
  enum onri_product_way way;
  struct onri_product product;
  struct onri_sgemm_plan vector; /* VECTOR */
  struct onri_product_prepared b;
  struct onri_tail tail;
  int convert;                                                 /* operands pass through scratch in their class */
  size_t a_at, b_at, bias_at, residual_at, c_at, workspace_at; /* offsets in scratch */
};

/* Shapes checked; *out is the result's descriptor. */
enum onr_status onri_product_shape(const struct onr_call *call, const struct onri_product_form *form,
                                   struct onri_product *product, struct onr_desc *out);
/* For builds for a model alone: whether a constant operand B of this kind is packed when the model is prepared; whether
 * its columns may be so few that there is a way of its own. */
int onri_product_packs(const struct onr_desc *b);
int onri_product_may_be_few(const struct onr_desc *b);
enum onr_status onri_product_prepare(struct onr_call *call, const struct onri_product_form *form,
                                     struct onri_product_prepared *prepared);
enum onr_status onri_product_plan(struct onr_call *call, const struct onri_product_form *form,
                                  const struct onri_product_prepared *prepared, struct onri_product_state *state);
/* For the layer's kernel_types. */
uint32_t onri_product_kernel_types(const void *params, enum onr_kernel kernel);
enum onr_status onri_product_run(struct onr_call *call, const struct onri_product_form *form,
                                 struct onri_product_state *state);
void onri_product_release_prepared(void *prepared, struct onr_env *env);
int64_t onri_product_multiply_adds(const struct onri_product *product);

#endif
