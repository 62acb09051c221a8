/* elementwise.c: loops over broadcast operands, and the expressions inside them. */
#include <math.h>
#include <string.h>

#include "compile/source.h"

/* --- loops --- */

enum { MOST_OPERANDS = ONR_FUSED_INPUTS };

/* Loops over the output; adjacent dimensions that all operands walk through evenly are one. */
struct nest {
  int32_t rank;
  int64_t dim[ONR_MAX_RANK];
  size_t operands;
  int64_t stride[MOST_OPERANDS][ONR_MAX_RANK];
};

static void broadcast_strides(const struct onr_desc *x, const struct onr_desc *y, int64_t *stride) {
  int64_t step = 1;
  for (int32_t d = y->rank; d-- > 0;) {
    const int32_t e = d - (y->rank - x->rank);
    const int64_t size = e < 0 ? 1 : x->dim[e];
    stride[d] = size == 1 ? 0 : step;
    step *= size;
  }
}

static int joins(const struct nest *n, int32_t d) {
  for (size_t i = 0; i < n->operands; i++)
    if (n->stride[i][d] != n->stride[i][d + 1] * n->dim[d + 1]) return 0;
  return 1;
}

static void remove_dim(struct nest *n, int32_t d) {
  n->rank--;
  for (int32_t k = d; k < n->rank; k++) {
    n->dim[k] = n->dim[k + 1];
    for (size_t i = 0; i < n->operands; i++) n->stride[i][k] = n->stride[i][k + 1];
  }
}

static struct nest make_nest(const struct onr_desc *y, const struct onri_operand *in, size_t count) {
  struct nest n = {.rank = y->rank, .operands = count};
  memcpy(n.dim, y->dim, sizeof(n.dim));
  for (size_t i = 0; i < count; i++)
    if (in[i].present) broadcast_strides(&in[i].desc, y, n.stride[i]);
  for (int32_t d = n.rank; d-- > 0;)
    if (n.dim[d] == 1) remove_dim(&n, d);
  for (int32_t d = n.rank - 1; d-- > 0;)
    if (joins(&n, d)) {
      n.dim[d + 1] *= n.dim[d];
      remove_dim(&n, d);
    }
  return n;
}

/* "i0 * 12 + i1" for a subscript */
static void put_subscript(struct onri_source *s, struct onri_text *t, const struct nest *n, const int64_t *stride) {
  int any = 0;
  for (int32_t d = 0; d < n->rank; d++) {
    if (!stride[d]) continue;
    if (stride[d] == 1) onri_text_format(s, t, "%si%d", any ? " + " : "", d);
    else onri_text_format(s, t, "%si%d * %lld", any ? " + " : "", d, (long long)stride[d]);
    any = 1;
  }
  if (!any) onri_text_format(s, t, "0");
}

/* A function that is being written: (const T0 *restrict x0, ..., T *restrict y). */
struct loops {
  struct nest nest;
  struct onri_text text, arguments;
  enum onr_dtype y;
};

static void begin_loops(struct onri_source *s, struct loops *l, const struct onri_operand *in, size_t count) {
  *l = (struct loops){.nest = make_nest(&s->out[0].desc, in, count), .y = s->out[0].desc.dtype};
  onri_text_format(s, &l->text, "(");
  for (size_t i = 0; i < count; i++) {
    if (!in[i].present) continue;
    onri_text_format(s, &l->text, "const %s *restrict x%zu, ", onri_c_type(in[i].desc.dtype), i);
    onri_text_format(s, &l->arguments, "%s, ", onri_in(s, (size_t)(&in[i] - s->in)).text);
  }
  onri_text_format(s, &l->text, "%s *restrict y) {\n", onri_c_type(l->y));
  onri_text_format(s, &l->arguments, "%s", onri_out(s, 0).text);
  for (int32_t d = 0; d < l->nest.rank; d++)
    onri_text_format(s, &l->text, "  for (int i%d = 0; i%d < %lld; i%d++)%s\n", d, d, (long long)l->nest.dim[d], d,
                     d == l->nest.rank - 1 ? " {" : "");
  if (!l->nest.rank) onri_text_format(s, &l->text, "  {\n");
}

/* A declaration of operand i: "const float a = x0[i0];" */
static void load_operand(struct onri_source *s, struct loops *l, size_t i, enum onr_dtype dtype, const char *name) {
  onri_text_format(s, &l->text, "    const %s %s = x%zu[", onri_c_type(dtype), name, i);
  put_subscript(s, &l->text, &l->nest, l->nest.stride[i]);
  onri_text_format(s, &l->text, "];\n");
}

static void end_loops(struct onri_source *s, struct loops *l, const char *name, const char *value) {
  int64_t stride[ONR_MAX_RANK], step = 1;
  for (int32_t d = l->nest.rank; d-- > 0; step *= l->nest.dim[d]) stride[d] = step;
  onri_text_format(s, &l->text, "    y[");
  put_subscript(s, &l->text, &l->nest, stride);
  onri_text_format(s, &l->text, "] = (%s)(%s);\n  }\n}\n", onri_c_type(l->y), value);
  onri_function(s, name, &l->text, l->arguments.data);
  onri_text_clear(s, &l->arguments);
}

/* --- expressions --- */

/* In an expression: $ the operand (or a), & the second one, @ alpha, % beta, # the ending of C's functions of the type,
 * ! the ending of ours; `part` is what it calls of ours. */
struct expression {
  const char *text, *part;
};

static const struct expression float_unary[ONR_NUM_UNARY] = {
    [ONR_UNARY_ABS] = {"fabs#($)", NULL},
    [ONR_UNARY_NEG] = {"-$", NULL},
    [ONR_UNARY_SIGN] = {"$ > 0 ? 1 : $ < 0 ? -1 : $", NULL},
    [ONR_UNARY_CEIL] = {"ceil#($)", NULL},
    [ONR_UNARY_FLOOR] = {"floor#($)", NULL},
    [ONR_UNARY_ROUND] = {"rint#($)", NULL},
    [ONR_UNARY_SQRT] = {"sqrt#($)", NULL},
    [ONR_UNARY_RECIPROCAL] = {"1 / $", NULL},
    [ONR_UNARY_EXP] = {"EXP_!($)", "EXP_T"},
    [ONR_UNARY_LOG] = {"log#($)", NULL},
    [ONR_UNARY_SIN] = {"sin#($)", NULL},
    [ONR_UNARY_COS] = {"cos#($)", NULL},
    [ONR_UNARY_TAN] = {"tan#($)", NULL},
    [ONR_UNARY_ASIN] = {"asin#($)", NULL},
    [ONR_UNARY_ACOS] = {"acos#($)", NULL},
    [ONR_UNARY_ATAN] = {"atan#($)", NULL},
    [ONR_UNARY_SINH] = {"sinh#($)", NULL},
    [ONR_UNARY_COSH] = {"cosh#($)", NULL},
    [ONR_UNARY_TANH] = {"TANH_!($)", "TANH_T"},
    [ONR_UNARY_ASINH] = {"asinh#($)", NULL},
    [ONR_UNARY_ACOSH] = {"acosh#($)", NULL},
    [ONR_UNARY_ATANH] = {"atanh#($)", NULL},
    [ONR_UNARY_ERF] = {"erf#($)", NULL},
    [ONR_UNARY_SIGMOID] = {"sigmoid_!($)", "sigmoid_T"},
    [ONR_UNARY_RELU] = {"$ < 0 ? 0 : $", NULL},
    [ONR_UNARY_LEAKY_RELU] = {"$ < 0 ? @ * $ : $", NULL},
    [ONR_UNARY_ELU] = {"$ < 0 ? @ * expm1#($) : $", NULL},
    [ONR_UNARY_CELU] = {"$ > 0 ? $ : @ * expm1#($ / @)", NULL},
    [ONR_UNARY_SELU] = {"% * ($ > 0 ? $ : @ * expm1#($))", NULL},
    [ONR_UNARY_HARD_SIGMOID] = {"limit_!(@ * $ + %, 0, 1)", "limit_T"},
    [ONR_UNARY_HARD_SWISH] = {"$ * limit_!(@ * $ + %, 0, 1)", "limit_T"},
    [ONR_UNARY_SOFTPLUS] = {"softplus_!($)", "softplus_T"},
    [ONR_UNARY_SOFTSIGN] = {"$ / (1 + fabs#($))", NULL},
    [ONR_UNARY_THRESHOLDED_RELU] = {"$ <= @ ? 0 : $", NULL},
    [ONR_UNARY_GELU] = {"0.5f * $ * (1 + erf#($ * (%T)0.70710678118654752440))", NULL},
    [ONR_UNARY_GELU_TANH] = {"gelu_tanh_!($)", "gelu_tanh_T"},
    [ONR_UNARY_MISH] = {"$ * tanh#(softplus_!($))", "softplus_T"},
    [ONR_UNARY_SWISH] = {"$ * sigmoid_!(@ * $)", "sigmoid_T"},
    [ONR_UNARY_SHRINK] = {"$ < -(@) ? $ + % : $ > @ ? $ - (%) : $ == $ ? 0 : $", NULL},
    [ONR_UNARY_CLIP] = {"limit_!($, @, %)", "limit_T"},
    [ONR_UNARY_AFFINE] = {"@ * $ + %", NULL},
    [ONR_UNARY_SQUARE] = {"$ * $", NULL},
    [ONR_UNARY_IS_NAN] = {"$ != $", NULL},
    [ONR_UNARY_IS_INF] = {"(% != 0 && $ > 0 && isinf($)) || (@ != 0 && $ < 0 && isinf($))", NULL},
};
static const struct expression integer_unary[ONR_NUM_UNARY] = {
    [ONR_UNARY_ABS] = {"$ < 0 ? 0 - (uint64_t)$ : (uint64_t)$", NULL},
    [ONR_UNARY_NEG] = {"0 - (uint64_t)$", NULL},
    [ONR_UNARY_SIGN] = {"($ > 0) - ($ < 0)", NULL},
    [ONR_UNARY_ERF] = {"erff((float)$)", NULL},
    [ONR_UNARY_RELU] = {"$ < 0 ? 0 : $", NULL},
    [ONR_UNARY_SHRINK] = {"(double)$ < -(@) ? (double)$ + % : (double)$ > @ ? (double)$ - (%) : 0", NULL},
    [ONR_UNARY_NOT] = {"$ == 0", NULL},
    [ONR_UNARY_BITWISE_NOT] = {"~$", NULL},
};

/* Where a comparison with 0 would be no question. */
static const struct expression unsigned_unary[ONR_NUM_UNARY] = {
    [ONR_UNARY_ABS] = {"$", NULL},
    [ONR_UNARY_SIGN] = {"$ > 0", NULL},
    [ONR_UNARY_ERF] = {"erff((float)$)", NULL},
    [ONR_UNARY_RELU] = {"$", NULL},
    [ONR_UNARY_NOT] = {"$ == 0", NULL},
    [ONR_UNARY_BITWISE_NOT] = {"~$", NULL},
    [ONR_UNARY_SHRINK] = {"(double)$ < -(@) ? (double)$ + % : (double)$ > @ ? (double)$ - (%) : 0", NULL},
};

#define ORDER                                                                                                         \
  [ONR_BINARY_EQUAL] = {"$ == &", NULL}, [ONR_BINARY_LESS] = {"$ < &", NULL}, [ONR_BINARY_GREATER] = {"$ > &", NULL}, \
  [ONR_BINARY_LESS_OR_EQUAL] = {"$ <= &", NULL}, [ONR_BINARY_GREATER_OR_EQUAL] = {"$ >= &", NULL}
static const struct expression float_binary[ONR_NUM_BINARY] = {
    ORDER,
    [ONR_BINARY_ADD] = {"$ + &", NULL},
    [ONR_BINARY_SUB] = {"$ - &", NULL},
    [ONR_BINARY_MUL] = {"$ * &", NULL},
    [ONR_BINARY_DIV] = {"$ / &", NULL},
    [ONR_BINARY_POW] = {"pow#($, &)", NULL},
    [ONR_BINARY_MOD] = {"floor_mod_!($, &)", "floor_mod_T"},
    [ONR_BINARY_FMOD] = {"fmod#($, &)", NULL},
    [ONR_BINARY_MIN] = {"$ < & || $ != $ ? $ : &", NULL},
    [ONR_BINARY_MAX] = {"$ > & || $ != $ ? $ : &", NULL},
    [ONR_BINARY_PRELU] = {"$ < 0 ? $ * & : $", NULL},
};
static const struct expression integer_binary[ONR_NUM_BINARY] = {
    ORDER,
    [ONR_BINARY_ADD] = {"(uint64_t)$ + (uint64_t)&", NULL},
    [ONR_BINARY_SUB] = {"(uint64_t)$ - (uint64_t)&", NULL},
    [ONR_BINARY_MUL] = {"(uint64_t)$ * (uint64_t)&", NULL},
    [ONR_BINARY_DIV] = {"quotient_!($, &)", "quotient_T"},
    [ONR_BINARY_POW] = {"integer_power((int64_t)$, (int64_t)&)", "integer_power"},
    [ONR_BINARY_MOD] = {"integer_mod_!($, &)", "integer_mod_T"},
    [ONR_BINARY_FMOD] = {"remainder_!($, &)", "remainder_T"},
    [ONR_BINARY_MIN] = {"$ < & ? $ : &", NULL},
    [ONR_BINARY_MAX] = {"$ > & ? $ : &", NULL},
    [ONR_BINARY_PRELU] = {"$ < 0 ? (uint64_t)$ * (uint64_t)& : (uint64_t)$", NULL},
    [ONR_BINARY_AND] = {"$ && &", NULL},
    [ONR_BINARY_OR] = {"$ || &", NULL},
    [ONR_BINARY_XOR] = {"!$ != !&", NULL},
    [ONR_BINARY_BITWISE_AND] = {"$ & &", NULL},
    [ONR_BINARY_BITWISE_OR] = {"$ | &", NULL},
    [ONR_BINARY_BITWISE_XOR] = {"$ ^ &", NULL},
    [ONR_BINARY_SHIFT_LEFT] = {"shift_left_!($, &)", "shift_left_T"},
    [ONR_BINARY_SHIFT_RIGHT] = {"shift_right_!($, &)", "shift_right_T"},
};

static int is_float(enum onr_dtype dtype) { return dtype == ONR_DTYPE_F32 || dtype == ONR_DTYPE_F64; }

static int is_unsigned(enum onr_dtype t) {
  return t == ONR_DTYPE_U8 || t == ONR_DTYPE_U16 || t == ONR_DTYPE_U32 || t == ONR_DTYPE_U64 || t == ONR_DTYPE_BOOL;
}

struct words {
  const char *a, *b;
  double alpha, beta;
};

static int expand(struct onri_source *s, const struct expression *e, enum onr_dtype dtype, const struct words *words,
                  char *text, size_t size) {
  size_t length = 0;
  if (!e->text) return 0;
  if (e->part) onri_use(s, e->part, dtype);
  const enum onr_dtype real = is_float(dtype) ? dtype : ONR_DTYPE_F64;
  const struct onri_number alpha = onri_c_float(words->alpha, real), beta = onri_c_float(words->beta, real);
  for (const char *at = e->text; *at; at++) {
    const char one[2] = {*at, '\0'}, *word = one;
    switch (*at) {
      case '$': word = words->a; break;
      case '&':
        if (at[1] == '&' || (at > e->text && at[-1] == '&')) break;               /* C's && */
        if (at[1] == ' ' && at > e->text && at[-1] == ' ' && at[2] == '&') break; /* "$ & &": the first is C's */
        word = words->b;
        break;
      case '@': word = alpha.text; break;
      case '%':
        word = at[1] == 'T' ? onri_c_type(dtype) : beta.text;
        at += at[1] == 'T';
        break;
      case '#': word = dtype == ONR_DTYPE_F64 ? "" : "f"; break;
      case '!':
        if (at[1] != '=' && at > e->text && at[-1] == '_') word = onri_c_short(dtype);
        break;
      default: break;
    }
    if (length + strlen(word) >= size) return 0;
    memcpy(text + length, word, strlen(word) + 1);
    length += strlen(word);
  }
  return 1;
}

int onri_unary_expression(struct onri_source *s, const struct onr_unary_params *p, enum onr_dtype dtype, const char *v,
                          char *text, size_t size) {
  const struct words words = {v, "", (double)p->alpha, (double)p->beta};
  const struct expression *table = is_float(dtype) ? float_unary : is_unsigned(dtype) ? unsigned_unary : integer_unary;
  return expand(s, &table[p->op], dtype, &words, text, size);
}

static int binary_expression(struct onri_source *s, int32_t op, enum onr_dtype dtype, const char *a, const char *b,
                             char *text, size_t size) {
  const struct words words = {a, b, 0, 0};
  const struct expression *table = is_float(dtype) ? float_binary : integer_binary;
  if (is_unsigned(dtype) && op == ONR_BINARY_PRELU) return snprintf(text, size, "((void)%s, %s)", b, a) > 0;
  if (!is_float(dtype) && op == ONR_BINARY_AND) return snprintf(text, size, "%s && %s", a, b) > 0;
  return expand(s, &table[op], dtype, &words, text, size);
}

static void clamp_line(struct onri_source *s, struct onri_text *text, const struct onr_clamp *clamp,
                       enum onr_dtype dtype) {
  if (!clamp->enabled) return;
  onri_use(s, "limit_T", dtype);
  onri_text_format(s, text, "    v = limit_%s(v, %s, %s);\n", onri_c_short(dtype),
                   onri_c_float((double)clamp->min, dtype).text, onri_c_float((double)clamp->max, dtype).text);
}

void onri_finish(struct onri_source *s, const char *y, enum onr_dtype dtype, long long count, const char *residual,
                 const struct onr_clamp *clamp, const struct onr_tail *tail) {
  const char *type = onri_c_type(dtype);
  struct onri_text text = {0};
  char value[512] = "", arguments[128];
  if (!residual && !(clamp && clamp->enabled) && !(tail && tail->enabled)) return;
  onri_text_format(s, &text, "(%s%s%s%s *restrict y) {\n  for (int i = 0; i < %lld; i++) {\n    %s v = y[i]%s;\n",
                   residual ? "const " : "", residual ? type : "", residual ? " *restrict r, " : "", type, count, type,
                   residual ? " + r[i]" : "");
  if (clamp) clamp_line(s, &text, clamp, dtype);
  if (tail && tail->enabled) {
    if (!onri_unary_expression(s, &tail->function, dtype, "v", value, sizeof(value))) s->why = "its activation";
    onri_text_format(s, &text, "    v = %s;\n", value);
  }
  onri_text_format(s, &text, "    y[i] = v;\n  }\n}\n");
  snprintf(arguments, sizeof(arguments), "%s%s%s", residual ? residual : "", residual ? ", " : "", y);
  onri_function(s, "finish", &text, arguments);
}

/* --- layers --- */

static void emit_unary(struct onri_source *s) {
  const struct onr_unary_params *p = s->params;
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  char value[512];
  struct loops l;
  if (!onri_unary_expression(s, p, dtype, "v", value, sizeof(value))) {
    s->why = "there is no such function of its type";
    return;
  }
  begin_loops(s, &l, s->in, 1);
  load_operand(s, &l, 0, dtype, "v");
  end_loops(s, &l, "unary", value);
}

static void emit_binary(struct onri_source *s) {
  const struct onr_binary_params *p = s->params;
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  char value[512];
  struct loops l;
  if (s->in[1].desc.dtype != dtype && p->op != ONR_BINARY_POW) s->why = "its operands differ in type";
  if (!binary_expression(s, (int32_t)p->op, dtype, "a", "b", value, sizeof(value)))
    s->why = "there is no such function of its type";
  if (s->in[1].desc.dtype != dtype && !is_float(dtype)) { /* an integer to a power of another type */
    onri_use(s, "integer_power", dtype);
    snprintf(value, sizeof(value),
             is_float(s->in[1].desc.dtype) ? "pow((double)a, (double)b)" : "integer_power((int64_t)a, (int64_t)b)");
  }
  if (s->why) return;
  begin_loops(s, &l, s->in, 2);
  load_operand(s, &l, 0, dtype, "a");
  load_operand(s, &l, 1, s->in[1].desc.dtype, "b");
  if (p->clamp.enabled) {
    onri_text_format(s, &l.text, "    %s v = %s;\n", onri_c_type(dtype), value);
    clamp_line(s, &l.text, &p->clamp, dtype);
    snprintf(value, sizeof(value), "v");
  }
  end_loops(s, &l, "binary", value);
}

static void emit_where(struct onri_source *s) {
  struct loops l;
  begin_loops(s, &l, s->in, 3);
  load_operand(s, &l, 0, s->in[0].desc.dtype, "c");
  load_operand(s, &l, 1, s->in[1].desc.dtype, "a");
  load_operand(s, &l, 2, s->in[2].desc.dtype, "b");
  end_loops(s, &l, "where", "c ? a : b");
}

static void emit_clip(struct onri_source *s) {
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  const size_t count = s->num_in < 3 ? s->num_in : 3;
  struct loops l;
  begin_loops(s, &l, s->in, count);
  load_operand(s, &l, 0, dtype, "x");
  if (onri_has_in(s, 1)) load_operand(s, &l, 1, dtype, "least");
  if (onri_has_in(s, 2)) load_operand(s, &l, 2, dtype, "most");
  onri_text_format(s, &l.text, "    %s v = x;\n", onri_c_type(dtype));
  const int real = is_float(dtype); /* a bound that is NaN makes NaN */
  if (onri_has_in(s, 1))
    onri_text_format(s, &l.text, "    v = v < least%s ? least : v;\n", real ? " || least != least" : "");
  if (onri_has_in(s, 2))
    onri_text_format(s, &l.text, "    v = v > most%s ? most : v;\n", real ? " || most != most" : "");
  end_loops(s, &l, "clip", "v");
}

/* What integers of a few bits keep of a wider one. */
static void keep_few_bits(enum onr_dtype t, char *value, size_t size) {
  char wide[64];
  snprintf(wide, sizeof(wide), "%s", value);
  if (t == ONR_DTYPE_I4) snprintf(value, size, "(int)((%s & 15) ^ 8) - 8", wide);
  else if (t == ONR_DTYPE_I2) snprintf(value, size, "(int)((%s & 3) ^ 2) - 2", wide);
  else if (t == ONR_DTYPE_U4 || t == ONR_DTYPE_U2) snprintf(value, size, "%s & %d", wide, t == ONR_DTYPE_U4 ? 15 : 3);
}

static void cast_to(struct onri_source *s, enum onr_dtype to) {
  const enum onr_dtype from = s->in[0].desc.dtype;
  char value[96] = "v";
  struct loops l;
  if (from == ONR_DTYPE_F64 && to == ONR_DTYPE_F32 && s->out[0].name[0]) { /* and then to half a float */
    onri_use(s, "odd_float", ONR_DTYPE_NONE);
    snprintf(value, sizeof(value), "odd_float(v)");
  }
  if (to == ONR_DTYPE_BOOL) snprintf(value, sizeof(value), "v != 0");
  else if (is_float(from) && !is_float(to)) {
    const enum onr_dtype wide = to == ONR_DTYPE_I32   ? ONR_DTYPE_I32
                                : to == ONR_DTYPE_U64 ? ONR_DTYPE_U64
                                                      : ONR_DTYPE_I64;
    const char *part = wide == ONR_DTYPE_I32 ? "to_i32" : wide == ONR_DTYPE_U64 ? "to_u64" : "to_i64";
    onri_use(s, part, ONR_DTYPE_NONE);
    snprintf(value, sizeof(value), "%s((double)v)", part);
  }
  keep_few_bits(to, value, sizeof(value));
  begin_loops(s, &l, s->in, 1);
  load_operand(s, &l, 0, from, "v");
  end_loops(s, &l, "cast", value);
}

static void emit_cast(struct onri_source *s) {
  const struct onr_cast_params *p = s->params;
  s->unsaturated = p->unsaturated, s->rounding = p->rounding;
  cast_to(s, s->out[0].desc.dtype);
}

/* --- chains --- */

static void load_fused(struct onri_source *s, struct loops *l, const struct onr_fused_elementwise_params *p, size_t i) {
  char name[16];
  const struct onr_fused_bytes *bytes = &p->input[i];
  snprintf(name, sizeof(name), bytes->dtype ? "q%zu" : "a%zu", i);
  load_operand(s, l, i, s->in[i].desc.dtype, name);
  if (bytes->dtype)
    onri_text_format(s, &l->text, "    const float a%zu = (float)(q%zu - %d) * %s;\n", i, i, bytes->zero,
                     onri_c_float((double)bytes->scale, ONR_DTYPE_F32).text);
}

static int fused_step(struct onri_source *s, const struct onr_fused_step *step, char *value, size_t size) {
  char operand[48];
  if (step->kind == ONR_FUSED_UNARY) {
    const struct onr_unary_params unary = {(enum onr_unary)step->op, step->alpha, step->beta};
    return onri_unary_expression(s, &unary, ONR_DTYPE_F32, "v", value, size);
  }
  if (step->operand == ONR_FUSED_CONSTANT)
    snprintf(operand, sizeof(operand), "(%s)", onri_c_float((double)step->constant, ONR_DTYPE_F32).text);
  else snprintf(operand, sizeof(operand), "a%d", step->operand);
  const int reversed = step->kind == ONR_FUSED_REVERSED;
  return binary_expression(s, step->op, ONR_DTYPE_F32, reversed ? operand : "v", reversed ? "v" : operand, value, size);
}

static void emit_fused(struct onri_source *s) {
  const struct onr_fused_elementwise_params *p = s->params;
  char value[512];
  struct loops l;
  if (s->num_in > MOST_OPERANDS) {
    s->why = "it has too many operands";
    return;
  }
  begin_loops(s, &l, s->in, s->num_in);
  for (size_t i = 0; i < s->num_in; i++)
    if (s->in[i].present) load_fused(s, &l, p, i);
  onri_text_format(s, &l.text, "    float v = a0;\n");
  for (int32_t i = 0; i < p->num_steps; i++) {
    if (!fused_step(s, &p->steps[i], value, sizeof(value))) s->why = "one of its steps";
    onri_text_format(s, &l.text, "    v = %s;\n", value);
    if (p->steps[i].kind != ONR_FUSED_UNARY) clamp_line(s, &l.text, &p->steps[i].clamp, ONR_DTYPE_F32);
  }
  snprintf(value, sizeof(value), "v");
  if (p->output.dtype) {
    onri_use(s, p->output.dtype == ONR_DTYPE_U8 ? "saturate_u8" : "saturate_i8", ONR_DTYPE_NONE);
    snprintf(value, sizeof(value), "saturate_%s(v / %s, %d)", p->output.dtype == ONR_DTYPE_U8 ? "u8" : "i8",
             onri_c_float((double)p->output.scale, ONR_DTYPE_F32).text, p->output.zero);
  }
  end_loops(s, &l, "fused", value);
}

/* Outside of training x is passed on. */
static void emit_dropout(struct onri_source *s) {
  const struct onr_dropout_params *p = s->params;
  if (onri_has_in(s, 2) && (!s->in[2].known || *(const uint8_t *)s->in[2].known)) {
    s->why = "it draws random numbers";
    return;
  }
  if (onri_has_out(s, 1)) {
    if (p->mask_like_x) s->why = "its mask has x's type";
    onri_line(s, "memset(%s, 1, %lld);", onri_out(s, 1).text, onri_count(&s->out[1]));
  }
  if (!onri_alias(s, 0, 0, 0))
    onri_line(s, "memcpy(%s, %s, %zu);", onri_out(s, 0).text, onri_in(s, 0).text, onr_desc_bytes(&s->in[0].desc));
}

const struct onri_emitter onri_emitters_elementwise[] = {
    {&onri_layer_unary, emit_unary, 0},
    {&onri_layer_binary, emit_binary, 0},
    {&onri_layer_where, emit_where, 1},
    {&onri_layer_clip, emit_clip, 0},
    {&onri_layer_cast, emit_cast, 0},
    {&onri_layer_cast_like, emit_cast, 0},
    {&onri_layer_fused_elementwise, emit_fused, 0},
    {&onri_layer_dropout, emit_dropout, 1},
    {NULL, NULL, 0},
};
