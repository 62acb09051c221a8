/* reduce.c: sums, extremes and their places along axes. */
#include <string.h>

#include "compile/source.h"

static int is_float(enum onr_dtype t) { return t == ONR_DTYPE_F32 || t == ONR_DTYPE_F64; }

/* In the expressions: a the sum so far, v an element, n how many there are. # is the ending of C's functions. */
struct reduction {
  const char *start, *step, *end;
};
static const struct reduction reductions[ONR_NUM_REDUCE_OPS] = {
    [ONR_REDUCE_SUM] = {"0", "a += v", "a"},
    [ONR_REDUCE_MEAN] = {"0", "a += v", "a / n"},
    [ONR_REDUCE_MAX] = {NULL, "a = a >= v ? a : v", "a"},
    [ONR_REDUCE_MIN] = {NULL, "a = a <= v ? a : v", "a"},
    [ONR_REDUCE_PROD] = {"1", "a *= v", "a"},
    [ONR_REDUCE_L1] = {"0", "a += v < 0 ? -v : v", "a"},
    [ONR_REDUCE_L2] = {"0", "a += v * v", "sqrt#(a)"},
    [ONR_REDUCE_LOG_SUM] = {"0", "a += v", "log#(a)"},
    [ONR_REDUCE_LOG_SUM_EXP] = {"0", "a += exp#(v - most)", "log#(a) + most"},
    [ONR_REDUCE_SUM_SQUARE] = {"0", "a += v * v", "a"},
};

/* Dimensions of x, those of one kind side by side joined; the reduced ones marked. */
struct shape {
  int32_t rank;
  int64_t dim[ONR_MAX_RANK];
  uint8_t reduced[ONR_MAX_RANK];
};

static void add_dim(struct shape *h, int64_t size, uint8_t reduced) {
  if (size == 1) return;
  if (h->rank && h->reduced[h->rank - 1] == reduced) {
    h->dim[h->rank - 1] *= size;
    return;
  }
  h->dim[h->rank] = size;
  h->reduced[h->rank++] = reduced;
}

static void put(struct onri_source *s, struct onri_text *text, const char *format, enum onr_dtype dtype) {
  for (const char *at = format; *at; at++) {
    if (*at != '#') onri_text_add(s, text, at, 1);
    else if (dtype != ONR_DTYPE_F64) onri_text_add(s, text, "f", 1);
  }
}

static void open_loops(struct onri_source *s, struct onri_text *t, const struct shape *h, int reduced) {
  for (int32_t d = 0; d < h->rank; d++)
    if (h->reduced[d] == reduced)
      onri_text_format(s, t, "  for (int i%d = 0; i%d < %lld; i%d++)\n", d, d, (long long)h->dim[d], d);
}

static void put_place(struct onri_source *s, struct onri_text *t, const struct shape *h, int all) {
  int64_t step[ONR_MAX_RANK], next = 1;
  for (int32_t d = h->rank; d-- > 0;)
    if (all || !h->reduced[d]) step[d] = next, next *= h->dim[d];
  onri_text_format(s, t, "0");
  for (int32_t d = 0; d < h->rank; d++)
    if (all || !h->reduced[d]) onri_text_format(s, t, " + i%d * %lld", d, (long long)step[d]);
}

/* Accumulators of one result; integers in 64 bits. */
static void write_reduction(struct onri_source *s, const struct shape *h, enum onr_reduce_op op, int64_t count) {
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  const struct reduction *r = &reductions[op];
  const char *type = onri_c_type(dtype), *wide = is_float(dtype)          ? type
                                                 : dtype == ONR_DTYPE_U64 ? "uint64_t"
                                                                          : "int64_t";
  struct onri_text t = {0};
  char arguments[64];
  onri_text_format(s, &t, "(const %s *restrict x, %s *restrict y) {\n  const %s n = %lld;\n  (void)n;\n", type, type,
                   wide, (long long)(count ? count : 1));
  open_loops(s, &t, h, 0);
  onri_text_format(s, &t, "  {\n    ");
  if (op == ONR_REDUCE_LOG_SUM_EXP) {
    onri_text_format(s, &t, "%s most = -INFINITY;\n", wide);
    open_loops(s, &t, h, 1);
    onri_text_format(s, &t, "    {\n      const %s v = x[", wide);
    put_place(s, &t, h, 1);
    onri_text_format(
        s, &t,
        "];\n      most = v > most ? v : most;\n    }\n    if (most == -INFINITY || most == INFINITY) most = 0;\n    ");
  }
  if (r->start) onri_text_format(s, &t, "%s a = %s;\n", wide, r->start);
  else { /* the first element is a result like any other */ struct shape first = *h;
    int64_t next = 1, step[ONR_MAX_RANK];
    for (int32_t d = h->rank; d-- > 0; next *= h->dim[d]) step[d] = next;
    onri_text_format(s, &t, "%s a = x[0", wide);
    for (int32_t d = 0; d < h->rank; d++)
      if (!first.reduced[d]) onri_text_format(s, &t, " + i%d * %lld", d, (long long)step[d]);
    onri_text_format(s, &t, "];\n");
  }
  open_loops(s, &t, h, 1);
  onri_text_format(s, &t, "    {\n      const %s v = x[", wide);
  put_place(s, &t, h, 1);
  onri_text_format(s, &t, "];\n      ");
  if (!r->start && is_float(dtype)) onri_text_format(s, &t, "if (a == a) "); /* NaN stays */
  put(s, &t, r->step, is_float(dtype) ? dtype : ONR_DTYPE_F64);
  onri_text_format(s, &t, ";\n    }\n    y[");
  put_place(s, &t, h, 0);
  onri_text_format(s, &t, "] = (%s)(", type);
  put(s, &t, r->end, is_float(dtype) ? dtype : ONR_DTYPE_F64);
  onri_text_format(s, &t, ");\n  }\n}\n");
  snprintf(arguments, sizeof(arguments), "%s, %s", onri_in(s, 0).text, onri_out(s, 0).text);
  onri_function(s, "reduce", &t, arguments);
}

/* Sums whose innermost dimension stays: rows are added to rows. */
static int write_rows(struct onri_source *s, const struct shape *h, enum onr_reduce_op op, int64_t count) {
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  if ((op != ONR_REDUCE_SUM && op != ONR_REDUCE_MEAN) || !is_float(dtype) || h->rank < 2 || h->rank > 3 ||
      h->reduced[h->rank - 1] || !h->reduced[h->rank - 2])
    return 0;
  onri_use(s, "add_rows_T", dtype);
  onri_line(s, "add_rows_%s(%s, %s, %lld, %lld, %lld, %s);", onri_c_short(dtype), onri_in(s, 0).text,
            onri_out(s, 0).text, h->rank == 3 ? (long long)h->dim[0] : 1, (long long)h->dim[h->rank - 2],
            (long long)h->dim[h->rank - 1], onri_c_float(op == ONR_REDUCE_MEAN ? (double)count : 1, dtype).text);
  return 1;
}

static void reduce(struct onri_source *s, const uint8_t *mask, enum onr_reduce_op op) {
  const struct onr_desc *x = &s->in[0].desc;
  struct shape h = {0};
  int64_t count = 1;
  for (int32_t d = 0; d < x->rank; d++) {
    add_dim(&h, x->dim[d], mask[d]);
    if (mask[d]) count *= x->dim[d];
  }
  if (!count && !reductions[op].start) s->why = "it reduces nothing";
  else if (!write_rows(s, &h, op, count)) write_reduction(s, &h, op, count);
}

static void emit_reduce(struct onri_source *s) {
  const struct onr_reduce_params *p = s->params;
  uint8_t mask[ONR_MAX_RANK] = {0};
  const int has_axes = onri_has_in(s, 1) && onri_count(&s->in[1]) > 0;
  if (has_axes && !s->in[1].known) {
    s->why = "its axes are data";
    return;
  }
  for (long long i = 0; has_axes && i < onri_count(&s->in[1]); i++) {
    const int64_t axis = ((const int64_t *)s->in[1].known)[i];
    mask[axis < 0 ? axis + s->in[0].desc.rank : axis] = 1;
  }
  if (!has_axes && !p->noop_with_empty_axes) memset(mask, 1, sizeof(mask));
  reduce(s, mask, p->op);
}

static void emit_sum_to(struct onri_source *s) {
  const struct onr_desc *x = &s->in[0].desc, *like = &s->in[1].desc;
  uint8_t mask[ONR_MAX_RANK] = {0};
  for (int32_t d = 0; d < x->rank; d++) {
    const int32_t e = d - (x->rank - like->rank);
    mask[d] = e < 0 || (like->dim[e] == 1 && x->dim[d] != 1);
  }
  reduce(s, mask, ONR_REDUCE_SUM);
}

static void global(struct onri_source *s, enum onr_reduce_op op) {
  const struct onr_global_pool_params *p = s->params;
  const int32_t rank = s->in[0].desc.rank;
  uint8_t mask[ONR_MAX_RANK] = {0};
  for (int32_t d = p->channels_last ? 1 : 2; d < rank - (p->channels_last ? 1 : 0); d++) mask[d] = 1;
  reduce(s, mask, op);
}

static void emit_global_average(struct onri_source *s) { global(s, ONR_REDUCE_MEAN); }
static void emit_global_max(struct onri_source *s) { global(s, ONR_REDUCE_MAX); }
static void emit_global_lp(struct onri_source *s) {
  const struct onr_global_pool_params *p = s->params;
  if (p->p != 1 && p->p != 2) s->why = "its power";
  global(s, p->p == 1 ? ONR_REDUCE_L1 : ONR_REDUCE_L2);
}

/* --- along one axis --- */

static long long outer_of(const struct onr_desc *x, int32_t axis) { return onri_extent(x, 0, axis); }
static long long inner_of(const struct onr_desc *x, int32_t axis) { return onri_extent(x, axis + 1, x->rank); }
static int32_t axis_of(int64_t axis, const struct onr_desc *x) { return (int32_t)(axis < 0 ? axis + x->rank : axis); }

static void emit_arg_reduce(struct onri_source *s) {
  const struct onr_arg_reduce_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  const int32_t axis = axis_of(p->axis, x);
  onri_use(s, "arg_reduce_T", x->dtype);
  onri_line(s, "arg_reduce_%s(%s, %s, %lld, %lld, %lld, %d, %d);", onri_c_short(x->dtype), onri_in(s, 0).text,
            onri_out(s, 0).text, outer_of(x, axis), x->rank ? (long long)x->dim[axis] : 1, inner_of(x, axis),
            p->minimum, p->select_last);
}

static void cumulate(struct onri_source *s, int product) {
  const struct onr_cumulative_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  if (!s->in[1].known) {
    s->why = "its axis is data";
    return;
  }
  const int64_t given =
      s->in[1].desc.dtype == ONR_DTYPE_I64 ? *(const int64_t *)s->in[1].known : *(const int32_t *)s->in[1].known;
  const int32_t axis = axis_of(given, x);
  onri_use(s, "cumulate_T", x->dtype);
  onri_line(s, "cumulate_%s(%s, %s, %lld, %lld, %lld, %d, %d, %d);", onri_c_short(x->dtype), onri_in(s, 0).text,
            onri_out(s, 0).text, outer_of(x, axis), (long long)x->dim[axis], inner_of(x, axis), product, p->exclusive,
            p->reverse);
}
static void emit_cum_sum(struct onri_source *s) { cumulate(s, 0); }
static void emit_cum_prod(struct onri_source *s) { cumulate(s, 1); }

static void emit_top_k(struct onri_source *s) {
  const struct onr_top_k_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  const int32_t axis = axis_of(p->axis, x);
  const size_t some = onri_has_out(s, 0) ? 0 : 1;
  onri_use(s, "top_k_T", x->dtype);
  onri_line(s, "top_k_%s(%s, %s, %s, %lld, %lld, %lld, %lld, %d, s%d);", onri_c_short(x->dtype), onri_in(s, 0).text,
            onri_out(s, 0).text, onri_out(s, onri_has_out(s, 1) ? 1 : s->num_out).text, outer_of(x, axis),
            (long long)x->dim[axis], inner_of(x, axis), (long long)s->out[some].desc.dim[axis], p->largest,
            onri_scratch(s, (size_t)x->dim[axis] * sizeof(int32_t) * 2));
}

static void emit_one_hot(struct onri_source *s) {
  const struct onr_one_hot_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc, *y = &s->out[0].desc;
  const int32_t axis = (int32_t)(p->axis < 0 ? p->axis + y->rank : p->axis);
  onri_use(s, "one_hot_T", y->dtype);
  if (x->dtype != ONR_DTYPE_I64 && x->dtype != ONR_DTYPE_I32) {
    onri_use(s, "to_i64_list_T", x->dtype);
    const int32_t own = onri_scratch(s, (size_t)onri_count(&s->in[0]) * sizeof(int64_t));
    onri_line(s, "to_i64_list_%s(%s, s%d, %lld);", onri_c_short(x->dtype), onri_in(s, 0).text, own,
              onri_count(&s->in[0]));
    onri_line(s, "one_hot_%s(s%d, 8, %s, %s, %lld, %lld, %lld);", onri_c_short(y->dtype), own, onri_in(s, 2).text,
              onri_out(s, 0).text, onri_extent(y, 0, axis), (long long)y->dim[axis], inner_of(y, axis));
    return;
  }
  onri_line(s, "one_hot_%s(%s, %d, %s, %s, %lld, %lld, %lld);", onri_c_short(y->dtype), onri_in(s, 0).text,
            x->dtype == ONR_DTYPE_I64 ? 8 : 4, onri_in(s, 2).text, onri_out(s, 0).text, onri_extent(y, 0, axis),
            (long long)y->dim[axis], inner_of(y, axis));
}

const struct onri_emitter onri_emitters_reduce[] = {
    {&onri_layer_reduce, emit_reduce, 0},
    {&onri_layer_sum_to, emit_sum_to, 0},
    {&onri_layer_global_average_pool, emit_global_average, 0},
    {&onri_layer_global_max_pool, emit_global_max, 0},
    {&onri_layer_global_lp_pool, emit_global_lp, 0},
    {&onri_layer_arg_reduce, emit_arg_reduce, 0},
    {&onri_layer_cum_sum, emit_cum_sum, 0},
    {&onri_layer_cum_prod, emit_cum_prod, 0},
    {&onri_layer_top_k, emit_top_k, 0},
    {&onri_layer_one_hot, emit_one_hot, 0},
    {NULL, NULL, 0},
};
