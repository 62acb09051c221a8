/* product.c: matmul, gemm and linear: float32 through panels of weights, other types by plain loops. */
#include "compile/product.h"

#include <math.h>
#include <string.h>

#include "layers/matmul/product.h"

int32_t onri_panels(struct onri_source *s, const float *w, int64_t k, int64_t n, int64_t inner_step,
                    int64_t column_step, float scale) {
  float *panels = onri_allocate(s->env->allocator, (size_t)(k * n + 1) * sizeof(*panels)), *next = panels;
  if (!panels) {
    onri_no_memory(s);
    return 0;
  }
  for (int64_t first = 0; first < n; first += ONRI_PANEL) {
    const int64_t width = n - first < ONRI_PANEL ? n - first : ONRI_PANEL;
    for (int64_t i = 0; i < k; i++)
      for (int64_t j = 0; j < width; j++) *next++ = scale * w[i * inner_step + (first + j) * column_step];
  }
  return onri_weights_take(s, ONR_DTYPE_F32, panels, (size_t)(k * n));
}

void onri_write_product(struct onri_source *s, const struct onri_product_call *c) {
  const int clamps = c->clamp && c->clamp->enabled;
  if (c->count[0] * c->count[1] * c->count[2] == 1 && c->runs == 1) {
    onri_use(s, "product_row", ONR_DTYPE_NONE);
    onri_line(s, "product_row(%s, %s, %s, %s, %lld, %lld, %s, %s);", c->x, c->w, c->bias, c->y, c->columns, c->length,
              clamps ? onri_c_float((double)c->clamp->min, ONR_DTYPE_F32).text : "-INFINITY",
              clamps ? onri_c_float((double)c->clamp->max, ONR_DTYPE_F32).text : "INFINITY");
    return;
  }
  onri_use(s, "product", ONR_DTYPE_NONE);
  onri_line(
      s,
      "product(%s, %s, %s, %s, (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld}, %lld, %lld, %s, %lld, %lld, "
      "%s, %s);",
      c->x, c->w, c->bias, c->y, c->count[0], c->count[1], c->count[2], c->step[0], c->step[1], c->step[2], c->columns,
      c->y_step, c->offsets, c->runs, c->length,
      clamps ? onri_c_float((double)c->clamp->min, ONR_DTYPE_F32).text : "-INFINITY",
      clamps ? onri_c_float((double)c->clamp->max, ONR_DTYPE_F32).text : "INFINITY");
}

/* --- the three layers --- */

static struct onri_product_form form_of(const struct onri_source *s) {
  struct onri_product_form f = {.alpha = 1, .beta = 1, .bias_rank_max = ONR_MAX_RANK};
  if (s->node->layer == &onri_layer_matmul) {
    const struct onr_matmul_params *p = s->params;
    f.transpose_a = p->transpose_a, f.transpose_b = p->transpose_b;
    f.alpha = p->scale == 0.0f ? 1.0f : p->scale;
    f.clamp = p->clamp, f.tail = p->tail, f.columns = p->columns;
  } else if (s->node->layer == &onri_layer_gemm) {
    const struct onr_gemm_params *p = s->params;
    f.transpose_a = p->transpose_a, f.transpose_b = p->transpose_b;
    f.alpha = p->alpha, f.beta = p->beta;
    f.clamp = p->clamp, f.tail = p->tail, f.columns = p->columns;
  } else {
    const struct onr_linear_params *p = s->params;
    f.transpose_b = !p->weight_transposed;
    f.clamp = p->clamp, f.tail = p->tail, f.columns = p->columns;
  }
  return f;
}

static int shape(struct onri_source *s, const struct onri_product_form *form, struct onri_product *p) {
  struct onr_desc in[4] = {{0}}, out;
  struct onr_error ignored = {0};
  for (size_t i = 0; i < s->num_in && i < 4; i++)
    if (s->in[i].present) in[i] = s->in[i].desc;
  const struct onr_call call = {
      .params = s->params, .num_in = s->num_in, .num_out = 1, .in = in, .env = s->env, .error = &ignored};
  return onri_product_shape(&call, form, p, &out) == ONR_STATUS_OK;
}

struct product {
  struct onri_product_form form;
  struct onri_product p;
  char a[64], b[64], y[64], bias[32]; /* expressions of one batch */
  int bias_after;                     /* it is added by a loop of its own */
};

/* Loops over batches around what follows, which takes matrices at "ao", "bo" and "yo". */
static int begin_batches(struct onri_source *s, struct product *m) {
  const struct onri_product *p = &m->p;
  if (p->batches == 1) return 0;
  struct onri_text a = {0}, b = {0}, y = {0};
  int64_t step = (int64_t)(p->m * p->n);
  int64_t steps[ONR_MAX_RANK];
  for (int32_t d = p->num_batch_dims; d-- > 0; step *= p->batch[d]) steps[d] = step;
  for (int32_t d = 0; d < p->num_batch_dims; d++) {
    onri_line(s, "for (int b%d = 0; b%d < %lld; b%d++)%s", d, d, (long long)p->batch[d], d,
              d == p->num_batch_dims - 1 ? " {" : "");
    onri_text_format(s, &a, "%s%lld * b%d", d ? " + " : "", (long long)p->a_batch[d], d);
    onri_text_format(s, &b, "%s%lld * b%d", d ? " + " : "", (long long)p->b_batch[d], d);
    onri_text_format(s, &y, "%s%lld * b%d", d ? " + " : "", (long long)steps[d], d);
  }
  onri_line(s, "const int ao = %s, bo = %s, yo = %s;", a.data, b.data, y.data);
  onri_line(s, "(void)bo;");
  onri_text_clear(s, &a);
  onri_text_clear(s, &b);
  onri_text_clear(s, &y);
  return 1;
}

/* A bias that is one number a column, and goes into the product. */
static void settle_bias(struct onri_source *s, struct product *m) {
  const struct onri_product *p = &m->p;
  snprintf(m->bias, sizeof(m->bias), "NULL");
  if (!p->has_bias || m->form.beta == 0) return;
  if (!s->in[2].known || p->bias_row || !p->bias_col || s->in[2].desc.dtype != ONR_DTYPE_F32) {
    m->bias_after = 1;
    return;
  }
  float *bias = onri_temporary(s, p->n * sizeof(*bias));
  if (!bias) return;
  for (size_t j = 0; j < p->n; j++) bias[j] = m->form.beta * ((const float *)s->in[2].known)[p->first_column + j];
  snprintf(m->bias, sizeof(m->bias), "w%d", onri_weights_add(s, ONR_DTYPE_F32, bias, p->n));
}

/* B in panels: constant ones are made here, others while the program runs. */
static void settle_b(struct onri_source *s, struct product *m, int in_loop) {
  const struct onri_product *p = &m->p;
  const size_t first = p->first_column * p->b_col;
  const int is_one = s->in[1].known && (size_t)onr_desc_elements(&s->in[1].desc) == p->k * p->all_columns;
  if (is_one) {
    const float *b = s->in[1].known;
    snprintf(
        m->b, sizeof(m->b), "w%d",
        onri_panels(s, b + first, (int64_t)p->k, (int64_t)p->n, (int64_t)p->b_row, (int64_t)p->b_col, m->form.alpha));
    return;
  }
  const int32_t own = onri_scratch(s, p->k * p->n * sizeof(float));
  onri_use(s, "pack_panels", ONR_DTYPE_NONE);
  onri_line(s, "pack_panels(%s + %zu%s, s%d, %zu, %zu, %zu, %zu, %s);", onri_in(s, 1).text, first,
            in_loop ? " + bo" : "", own, p->k, p->n, p->b_row, p->b_col,
            onri_c_float((double)m->form.alpha, ONR_DTYPE_F32).text);
  snprintf(m->b, sizeof(m->b), "s%d", own);
}

static void settle_a(struct onri_source *s, struct product *m, int in_loop) {
  const struct onri_product *p = &m->p;
  snprintf(m->a, sizeof(m->a), "%s%s", onri_in(s, 0).text, in_loop ? " + ao" : "");
  snprintf(m->y, sizeof(m->y), "%s%s", onri_out(s, 0).text, in_loop ? " + yo" : "");
  if (p->a_col == 1) return;
  const int32_t own = onri_scratch(s, p->m * p->k * sizeof(float));
  onri_use(s, "turn", ONR_DTYPE_NONE);
  onri_line(s, "turn(%s, s%d, %zu, %zu, %zu, %zu);", m->a, own, p->m, p->k, p->a_row, p->a_col);
  snprintf(m->a, sizeof(m->a), "s%d", own);
}

static void write_float(struct onri_source *s, struct product *m, int in_loop) {
  static const int32_t zero = 0;
  const struct onri_product *p = &m->p;
  const long long a_step = p->a_col == 1 ? (long long)p->a_row : (long long)p->k;
  char offsets[16];
  settle_b(s, m, in_loop);
  settle_a(s, m, in_loop);
  settle_bias(s, m);
  snprintf(offsets, sizeof(offsets), "w%d", onri_weights_add(s, ONR_DTYPE_I32, &zero, 1));
  const struct onri_product_call call = {.x = m->a,
                                         .w = m->b,
                                         .bias = m->bias,
                                         .y = m->y,
                                         .count = {1, 1, (long long)p->m},
                                         .step = {0, 0, a_step},
                                         .columns = (long long)p->n,
                                         .y_step = (long long)p->n,
                                         .offsets = offsets,
                                         .runs = 1,
                                         .length = (long long)p->k,
                                         .clamp = m->bias_after || p->has_residual ? NULL : &m->form.clamp};
  onri_write_product(s, &call);
}

static void write_plain(struct onri_source *s, struct product *m, int in_loop) {
  const struct onri_product *p = &m->p;
  const char *name = onri_c_short(p->dtype);
  onri_use(s, "product_any_T", p->dtype);
  onri_line(s, "product_any_%s(%s%s, %s + %zu%s, %s%s, %zu, %zu, %zu, %zu, %zu, %zu, %zu, %s);", name,
            onri_in(s, 0).text, in_loop ? " + ao" : "", onri_in(s, 1).text, p->first_column * p->b_col,
            in_loop ? " + bo" : "", onri_out(s, 0).text, in_loop ? " + yo" : "", p->m, p->n, p->k, p->a_row, p->a_col,
            p->b_row, p->b_col, onri_c_float((double)m->form.alpha, ONR_DTYPE_F64).text);
  m->bias_after = p->has_bias;
}

/* The bias of any shape, residual, clamp and tail, on the whole result. */
static void write_ending(struct onri_source *s, const struct product *m) {
  const struct onri_product *p = &m->p;
  const int inside = p->dtype == ONR_DTYPE_F32 && !m->bias_after && !p->has_residual;
  if (m->bias_after) {
    onri_use(s, "add_bias_T", p->dtype);
    onri_line(s, "add_bias_%s(%s, %s + %zu, %zu, %zu, %zu, %zu, %zu, %s);", onri_c_short(p->dtype), onri_out(s, 0).text,
              onri_in(s, 2).text, p->first_column * p->bias_col, p->batches, p->m, p->n, p->bias_row, p->bias_col,
              onri_c_float((double)m->form.beta, ONR_DTYPE_F64).text);
  }
  const struct onri_name residual = onri_in(s, p->has_residual ? 3 : s->num_in);
  onri_finish(s, onri_out(s, 0).text, p->dtype, onri_count(&s->out[0]), p->has_residual ? residual.text : NULL,
              inside ? NULL : &m->form.clamp, &m->form.tail);
}

static void emit_product(struct onri_source *s) {
  struct product m = {.form = form_of(s)};
  if (!shape(s, &m.form, &m.p)) {
    s->why = "its shapes";
    return;
  }
  const int is_float = m.p.dtype == ONR_DTYPE_F32 && m.p.k > 0;
  const int in_loop = begin_batches(s, &m);
  if (is_float) write_float(s, &m, in_loop);
  else write_plain(s, &m, in_loop);
  if (in_loop) onri_line(s, "}");
  write_ending(s, &m);
}

const struct onri_emitter onri_emitters_product[] = {
    {&onri_layer_linear, emit_product, 0},
    {&onri_layer_matmul, emit_product, 0},
    {&onri_layer_gemm, emit_product, 0},
    {NULL, NULL, 0},
};
