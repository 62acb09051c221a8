/* elementwise.h: layers that work on each element by itself. Binary and ternary ones broadcast as NumPy does. */
#ifndef ONNXRUN_LAYERS_ELEMENTWISE_H
#define ONNXRUN_LAYERS_ELEMENTWISE_H

#include "onnxrun/layer.h"
#include "params/clamp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- unary: y = f(x) ---
 * name, text, types of x. alpha and beta are used where they are named. Types: FLOAT (float16, bfloat16, float32,
 * float64), FLOAT8 (FLOAT and the four of 8 bits with a mantissa), SIGNED (FLOAT and signed integers), NUMBER (SIGNED
 * and unsigned integers), INTEGER, BOOL, ANY. */
#define ONR_UNARY_LIST(X)                                                                                \
  X(ABS, "abs", NUMBER)                                                                                  \
  X(NEG, "neg", SIGNED)                                                                                  \
  X(SIGN, "sign", NUMBER)                                                                                \
  X(CEIL, "ceil", FLOAT)                                                                                 \
  X(FLOOR, "floor", FLOAT)                                                                               \
  X(ROUND, "round", FLOAT) /* half to even */                                                            \
  X(SQRT, "sqrt", FLOAT)                                                                                 \
  X(RECIPROCAL, "reciprocal", FLOAT)                                                                     \
  X(EXP, "exp", FLOAT)                                                                                   \
  X(LOG, "log", FLOAT)                                                                                   \
  X(SIN, "sin", FLOAT)                                                                                   \
  X(COS, "cos", FLOAT)                                                                                   \
  X(TAN, "tan", FLOAT)                                                                                   \
  X(ASIN, "asin", FLOAT)                                                                                 \
  X(ACOS, "acos", FLOAT)                                                                                 \
  X(ATAN, "atan", FLOAT)                                                                                 \
  X(SINH, "sinh", FLOAT)                                                                                 \
  X(COSH, "cosh", FLOAT)                                                                                 \
  X(TANH, "tanh", FLOAT)                                                                                 \
  X(ASINH, "asinh", FLOAT)                                                                               \
  X(ACOSH, "acosh", FLOAT)                                                                               \
  X(ATANH, "atanh", FLOAT)                                                                               \
  X(ERF, "erf", NUMBER) /* of integers: cut to an integer */                                             \
  X(SIGMOID, "sigmoid", FLOAT)                                                                           \
  X(RELU, "relu", SIGNED)                                                                                \
  X(LEAKY_RELU, "leaky_relu", FLOAT)             /* x < 0 ? alpha x : x */                               \
  X(ELU, "elu", FLOAT)                           /* x < 0 ? alpha (exp(x) - 1) : x */                    \
  X(CELU, "celu", FLOAT)                         /* max(0, x) + min(0, alpha (exp(x / alpha) - 1)) */    \
  X(SELU, "selu", FLOAT)                         /* beta (x > 0 ? x : alpha (exp(x) - 1)) */             \
  X(HARD_SIGMOID, "hard_sigmoid", FLOAT)         /* max(0, min(1, alpha x + beta)) */                    \
  X(HARD_SWISH, "hard_swish", FLOAT)             /* x max(0, min(1, alpha x + beta)); 1/6 and 1/2 */     \
  X(SOFTPLUS, "softplus", FLOAT)                 /* log(1 + exp(x)) */                                   \
  X(SOFTSIGN, "softsign", FLOAT)                 /* x / (1 + |x|) */                                     \
  X(THRESHOLDED_RELU, "thresholded_relu", FLOAT) /* x > alpha ? x : 0 */                                 \
  X(GELU, "gelu", FLOAT)                         /* x / 2 (1 + erf(x / sqrt 2)) */                       \
  X(GELU_TANH, "gelu_tanh", FLOAT)               /* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */ \
  X(MISH, "mish", FLOAT)                         /* x tanh(softplus(x)) */                               \
  X(SWISH, "swish", FLOAT)                       /* x sigmoid(alpha x); SiLU for alpha 1 */              \
  X(SHRINK, "shrink", NUMBER)                    /* x < -alpha ? x + beta : x > alpha ? x - beta : 0 */  \
  X(CLIP, "clip", FLOAT)                         /* min(max(x, alpha), beta); NaN stays NaN */           \
  X(AFFINE, "affine", FLOAT)                     /* alpha x + beta */                                    \
  X(SQUARE, "square", FLOAT)                     /* x x */                                               \
  X(NOT, "not", BOOL)                                                                                    \
  X(BITWISE_NOT, "bitwise_not", INTEGER)                                                                 \
  X(IS_NAN, "is_nan", FLOAT8) /* gives bool */                                                           \
  X(IS_INF, "is_inf", FLOAT8) /* gives bool; alpha != 0: counts -inf, beta != 0: +inf */

enum onr_unary {
#define ONR_X(name, text, types) ONR_UNARY_##name,
  ONR_UNARY_LIST(ONR_X)
#undef ONR_X
      ONR_NUM_UNARY
};

struct onr_unary_params {
  enum onr_unary op;
  float alpha, beta;
};

/* --- binary: y = f(a, b), broadcast ---
 * name, text, types of a and b (as above), 1: the result is bool. Integer division by zero is an ARITHMETIC error; the
 * least value divided by -1 wraps to itself. Both inputs have one type, except POW, whose exponent may have another. */
#define ONR_BINARY_LIST(X)                                                               \
  X(ADD, "add", NUMBER, 0)                                                               \
  X(SUB, "sub", NUMBER, 0)                                                               \
  X(MUL, "mul", NUMBER, 0)                                                               \
  X(DIV, "div", NUMBER, 0) /* integers: toward zero */                                   \
  X(POW, "pow", NUMBER, 0)                                                               \
  X(MOD, "mod", NUMBER, 0)   /* result has the sign of b */                              \
  X(FMOD, "fmod", NUMBER, 0) /* result has the sign of a */                              \
  X(MIN, "min", NUMBER, 0)   /* NaN when either is NaN; MAX too */                       \
  X(MAX, "max", NUMBER, 0)                                                               \
  X(PRELU, "prelu", NUMBER, 0) /* a < 0 ? a b : a */                                     \
  X(EQUAL, "equal", ANY, 1)                                                              \
  X(LESS, "less", NUMBER, 1)                                                             \
  X(GREATER, "greater", NUMBER, 1)                                                       \
  X(LESS_OR_EQUAL, "less_or_equal", NUMBER, 1)                                           \
  X(GREATER_OR_EQUAL, "greater_or_equal", NUMBER, 1)                                     \
  X(AND, "and", BOOL, 1)                                                                 \
  X(OR, "or", BOOL, 1)                                                                   \
  X(XOR, "xor", BOOL, 1)                                                                 \
  X(BITWISE_AND, "bitwise_and", INTEGER, 0)                                              \
  X(BITWISE_OR, "bitwise_or", INTEGER, 0)                                                \
  X(BITWISE_XOR, "bitwise_xor", INTEGER, 0)                                              \
  X(SHIFT_LEFT, "shift_left", INTEGER, 0)   /* by a negative amount or by all bits: 0 */ \
  X(SHIFT_RIGHT, "shift_right", INTEGER, 0) /* the same; -1 for a negative a */

enum onr_binary {
#define ONR_X(name, text, types, is_bool) ONR_BINARY_##name,
  ONR_BINARY_LIST(ONR_X)
#undef ONR_X
      ONR_NUM_BINARY
};

struct onr_binary_params {
  enum onr_binary op;
  struct onr_clamp clamp; /* of the result; ADD, SUB, MUL and DIV of float types */
};

/* where: y = condition ? x : y, broadcast. Inputs: condition (bool), x, y of one type (any). No parameters. */

/* clip: y = min(max(x, least), most). Inputs: x, least (optional), most (optional), scalars of x's type; any number.
 * Where least > most the result is most; a NaN in x stays, a NaN bound gives NaN. No parameters. For bounds that are
 * known and float types, unary CLIP does the same faster. */

/* cast: to another type. Floats become integers by truncation: NaN gives 0; int32, int64 and uint64 saturate above, the
 * other types wrap. Integers wrap; anything but 0 is true. Float targets round to nearest even. Strings are made as
 * NumPy writes numbers; those that are read must be decimal numbers in the range of the type (DATA), and floats that
 * are too large are infinite. */
enum onr_cast_rounding { ONR_CAST_UP, ONR_CAST_DOWN, ONR_CAST_NEAREST }; /* for float8e8m0 alone */
struct onr_cast_params {
  enum onr_dtype to;
  int32_t unsaturated; /* 1: what overflows a float8 becomes infinity or NaN instead of the largest value */
  enum onr_cast_rounding rounding;
};

/* cast_like: cast to the type of input 1; `to` is not read. */

/* quantize_linear: y = saturate(round(x / scale) + zero_point). Inputs: x, scale, zero_point (optional, the output
 * type). dequantize_linear: y = (x - zero_point) scale. scale is a scalar; or [dim[axis]]; or, with block_size > 0, of
 * x's rank with ceil(dim[axis] / block_size) on the axis. zero_point has the shape of scale. */
struct onr_quantize_params {
  int64_t axis;                /* may be negative */
  int64_t block_size;          /* 0: not blocked */
  enum onr_dtype output_dtype; /* NONE: that of zero_point, else uint8; dequantize: that of scale */
  enum onr_dtype precision;    /* quantize: type of the division; NONE: that of scale */
  int32_t unsaturated;         /* quantize to float8, as in cast */
};

/* dynamic_quantize_linear: x (float32) -> y (uint8), scale (float32), zero_point (uint8), from the range of x. No
 * parameters. */

/* dropout: in training each element is 0 with the probability ratio, else x / (1 - ratio); outside of it y is x.
 * Inputs: x, ratio (optional scalar in [0, 1), 0.5 by default), training (optional, bool scalar). Outputs: y, mask (1
 * where x was kept). The numbers drawn are those of numpy.random.RandomState(seed), in row order. */
struct onr_dropout_params {
  int32_t mask_like_x; /* 1: the mask has x's type, 0: bool */
  uint64_t seed;
};

/* align: the same elements with dimensions of 1 behind, so that dimension 0 lies at `axis` of a tensor of input 1's
 * rank: [3, 4] at axis 1 of rank 4 is [3, 4, 1], and broadcasts there. Inputs: x, like (only its rank is used). */
struct onr_align_params {
  int32_t axis; /* may be negative: counted from the end of like */
};

/* fused_elementwise: up to ONR_FUSED_STEPS element-wise operations in one pass over memory, in float32.
 *
 * v = input 0; then each step makes a new v; the last v is the output. Inputs broadcast against each other; the output
 * has their common shape. They are float32, or integers of 8 or 16 bits that stand for (x - zero) scale; those of the
 * output are rounded and saturated as in quantize_linear, and may have no step before them. A step's operand is one of
 * the inputs (0: the start of the chain once more) or a constant:
 *
 *   {ONR_FUSED_UNARY, ONR_UNARY_SIGMOID}                               v = sigmoid(v)
 *   {ONR_FUSED_UNARY, ONR_UNARY_CLIP, .alpha = 0, .beta = 6}           v = min(max(v, 0), 6)
 *   {ONR_FUSED_BINARY, ONR_BINARY_MUL, .operand = 0}                   v = v input0             (SiLU after the first)
 *   {ONR_FUSED_BINARY, ONR_BINARY_ADD, .operand = ONR_FUSED_CONSTANT, .constant = 3}   v = v + 3
 *   {ONR_FUSED_REVERSED, ONR_BINARY_SUB, .operand = 1}                 v = input1 - v
 *
 * Ops: every unary one of float32 with a float32 result; ADD, SUB, MUL, DIV, POW, MIN, MAX, PRELU. */
#define ONR_FUSED_STEPS 8
#define ONR_FUSED_INPUTS 8
#define ONR_FUSED_BYTES 4 /* inputs that are integers */
#define ONR_FUSED_CONSTANT (-1)
enum onr_fused_kind { ONR_FUSED_UNARY, ONR_FUSED_BINARY, ONR_FUSED_REVERSED };
struct onr_fused_step {
  enum onr_fused_kind kind;
  int32_t op;      /* enum onr_unary or enum onr_binary */
  int32_t operand; /* binary: input, or ONR_FUSED_CONSTANT */
  float constant;
  float alpha, beta;      /* unary: as in struct onr_unary_params */
  struct onr_clamp clamp; /* binary: as in struct onr_binary_params */
};
struct onr_fused_bytes {
  float scale;
  int32_t zero;
  int32_t dtype; /* of enum onr_dtype: 8 or 16 bits; NONE: float32 */
};
struct onr_fused_elementwise_params {
  int32_t num_steps;
  struct onr_fused_step steps[ONR_FUSED_STEPS];
  struct onr_fused_bytes input[ONR_FUSED_INPUTS], output;
};

/* byte_pieces: a float32 layer whose input 0, or output, or both are such integers: they become float32 a piece at a
 * time, which stays in the cache. */
struct onr_layer;
struct onr_byte_pieces_params {
  const struct onr_layer *layer; /* of byte_pieces.h's table */
  const void *params;            /* that layer's; as long-lived as these */
  struct onr_fused_bytes input, output;
};

#ifdef __cplusplus
}
#endif
#endif
