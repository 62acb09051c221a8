/* matmul.h: parameters of the matrix products. All zero is a plain product. */
#ifndef ONNXRUN_LAYERS_MATMUL_H
#define ONNXRUN_LAYERS_MATMUL_H

#include <stdint.h>

#include "params/clamp.h"
#include "params/tail.h"

/* All of them: y = tail(clamp(product + bias + residual)); residual and tail of floats alone. */

/* The product with some columns of B (and of the bias) alone, as if the others were not there. count 0: all. */
struct onr_columns {
  int64_t first, count;
};

/* linear: y [..., out] = x [..., in] W^T + b.
 * inputs  x, W [out, in] (or [in, out]), b [out], residual (both optional; the latter as y); floating-point */
struct onr_linear_params {
  int32_t weight_transposed; /* non-zero: W is [in, out] */
  struct onr_clamp clamp;
  struct onr_tail tail;
  struct onr_columns columns;
};

/* matmul: NumPy's matmul: [..., m, k] x [..., k, n], batch dimensions broadcast, rank-1 operands allowed.
 * inputs  A, B, bias (optional; broadcast over the last axis of the result: [n] or [1]), residual (optional; as the
 *         result); any number type */
struct onr_matmul_params {
  int32_t transpose_a, transpose_b; /* the last two dimensions are swapped first; not for rank 1 */
  float scale;                      /* the product is multiplied by it; 0 means 1 */
  struct onr_clamp clamp;
  struct onr_tail tail;
  struct onr_columns columns;
};

/* gemm: alpha op(A) op(B) + beta C; op transposes when its flag is set.
 * inputs  A, B of rank 2, C (optional; broadcast to [m, n]), residual (optional; [m, n]); any number type */
struct onr_gemm_params {
  float alpha, beta; /* taken as they are: 0 is 0 */
  int32_t transpose_a, transpose_b;
  struct onr_clamp clamp;
  struct onr_tail tail;
  struct onr_columns columns;
};

/* matmul_integer: int32 product of 8-bit matrices. inputs A, B, A's zero point, B's zero point (optional; scalar, or
 * one a row of A, one a column of B). No parameters. qlinear_matmul: quantised product. inputs a, a_scale, a_zero, b,
 * b_scale, b_zero, y_scale, y_zero, bias int32 [n] in steps of a_scale * b_scale (optional; one scale of A; not for
 * float8). No parameters. matmul_integer_real: the same product in real numbers, float32. inputs a, b, a_scale,
 * b_scale, a_zero, b_zero, bias float32 [n] (the last three optional). No parameters. com.microsoft
 * MatMulIntegerToFloat-1. */

/* matmul_nbits: y [..., n] = A [..., k] B + bias, B of `bits` bits an element with a scale and a zero point for each
 * block of k. inputs  A; B uint8 [n, blocks, block * bits / 8], lowest bits first; scales [n, blocks] of A's type; zero
 * points (optional: 2^(bits - 1)), packed like B [n, blocks] with rows of whole bytes, or of A's type; the block of
 * each of k (int32 [k], optional: in order); bias [n] (optional). All but A and bias are constants of so many elements
 *         in any shape. com.microsoft MatMulNBits-1. */
struct onr_matmul_nbits_params {
  int32_t bits;  /* 2, 4 or 8 */
  int32_t block; /* a power of 2, at least 16 */
  int64_t n, k;
  int32_t in_bytes; /* A may be quantised to 8 bits, a block at a time */
};

#define ONR_EINSUM_MAX_TEXT 256
/* einsum: NumPy's einsum with explicit or implicit output. One or more inputs of one number type. */
struct onr_einsum_params {
  char equation[ONR_EINSUM_MAX_TEXT]; /* NUL-terminated, "bij,bjk->bik" */
};

/* solve: X of A X = B. inputs A [..., n, n], B [n] or [..., n, k] (optional; without it X is A's inverse);
 * floating-point. A singular matrix is an ARITHMETIC error. */
struct onr_solve_params {
  int32_t transpose_a; /* non-zero: A^T X = B */
};

#endif
