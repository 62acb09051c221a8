/* integer_product.h: products of 8-bit matrices behind matmul_integer and qlinear_matmul: integers through
 * kernels/quantize/byte_product.h, float8 through float32. */
#ifndef ONRI_INTEGER_PRODUCT_H
#define ONRI_INTEGER_PRODUCT_H

#include "kernels/dims.h"
#include "layers/elementwise/scratch.h"
#include "layers/matmul/product.h"

/* Which inputs are what. A missing one is ONRI_NO_ROLE. */
#define ONRI_NO_ROLE 255
struct onri_integer_roles {
  uint8_t a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero, bias;
};

struct onri_integer_prepared {
  void *columns; /* B, when it is constant */
};

struct onri_integer_state {
  struct onri_product product;
  struct onri_dims a_zero, b_zero;   /* as seen from A and B */
  struct onri_dims a_scale, b_scale; /* as seen from the result */
  size_t columns_at;                 /* B, packed in each run */
  size_t a_zeros_at, b_zeros_at;     /* of each row of A, of each column of each matrix of B */
  size_t scales_at;                  /* of the results' columns, where all rows share them */
  size_t last_at;                    /* A's last row, where rows are read where they lie, a little further */
  size_t a_at;                       /* float8: differences of A */
};

/* A list of one value a row of A counts as a column. */
struct onr_desc onri_integer_aligned(const struct onr_call *call, size_t i, int of_rows);
/* Some operand or the result is float8. */
int onri_integer_is_float8(const struct onr_call *call, const struct onri_integer_roles *r);
/* Element i of an input of any number type. */
float onri_integer_value(const struct onr_call *call, size_t input, size_t i);

enum onr_status onri_integer_prepare(struct onr_call *call, const struct onri_integer_roles *r);
void onri_integer_release_prepared(void *prepared, struct onr_env *env);
/* The product is in the state. */
enum onr_status onri_integer_plan(struct onr_call *call, const struct onri_integer_roles *r,
                                  const struct onr_desc *out);
enum onr_status onri_integer_run(struct onr_call *call, const struct onri_integer_roles *r);
/* What there is of run where something is float8. */
enum onr_status onri_float8_run(struct onr_call *call, const struct onri_integer_roles *r);

#endif
