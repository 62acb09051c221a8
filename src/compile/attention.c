/* attention.c: attention and what stands around it, Einstein sums, and losses. */
#include <math.h>
#include <string.h>

#include "compile/source.h"
#include "layers/matmul/einsum_parse.h"

enum { Q, K, V, MASK, PAST_K, PAST_V, LENGTHS };
enum { Y, PRESENT_K, PRESENT_V, SCORES };

static struct onri_name in_or_null(struct onri_source *s, size_t i) {
  return onri_in(s, onri_has_in(s, i) ? i : s->num_in);
}
static struct onri_name out_or_null(struct onri_source *s, size_t i) {
  return onri_out(s, onri_has_out(s, i) ? i : s->num_out);
}

/* [batch, heads, rows, width], and the steps of the first three. */
struct heads {
  long long batch, heads, rows, width, step[3];
};

static struct heads heads_of(const struct onr_desc *x, int64_t heads, int inner) {
  struct heads h;
  if (x->rank == 3) h = (struct heads){x->dim[0], heads, x->dim[1], heads ? x->dim[2] / heads : 0, {0}};
  else if (inner) h = (struct heads){x->dim[0], x->dim[2], x->dim[1], x->dim[3], {0}};
  else h = (struct heads){x->dim[0], x->dim[1], x->dim[2], x->dim[3], {0}};
  inner |= x->rank == 3;
  h.step[0] = h.heads * h.rows * h.width;
  h.step[1] = inner ? h.width : h.rows * h.width;
  h.step[2] = inner ? h.heads * h.width : h.width;
  return h;
}

static void put_steps(struct onri_source *s, const struct heads *h) {
  onri_line(s, "  %lld, %lld, %lld,", h->step[0], h->step[1], h->step[2]);
}

/* Steps of batch, head and row in the mask, its keys, its kind. */
static void put_mask(struct onri_source *s, const struct heads *q) {
  (void)q;
  long long step[4] = {0}, next = 1;
  if (!onri_has_in(s, MASK)) {
    onri_line(s, "  0, 0, 0, 0, 0,");
    return;
  }
  const struct onr_desc *m = &s->in[MASK].desc;
  for (int32_t d = m->rank, to = 3; d-- > 0; to--) {
    step[to] = m->dim[d] == 1 ? 0 : next;
    next *= m->dim[d];
  }
  const int is_bool = m->dtype == ONR_DTYPE_BOOL;
  if (!is_bool && m->dtype != s->in[Q].desc.dtype) s->why = "its mask has another type";
  onri_line(s, "  %lld, %lld, %lld, %lld, %d,", step[0], step[1], step[2], (long long)m->dim[m->rank - 1],
            is_bool ? 1 : 2);
}

static void write_present(struct onri_source *s, size_t out, size_t in, size_t past, const struct heads *h) {
  if (!onri_has_out(s, out)) return;
  const enum onr_dtype dtype = s->in[in].desc.dtype;
  const long long rows = onri_has_in(s, past) ? s->in[past].desc.dim[2] : 0;
  onri_use(s, "join_past_T", dtype);
  onri_line(s, "join_past_%s(%s, %s, %s, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld);", onri_c_short(dtype),
            onri_in(s, rows ? past : in).text, onri_in(s, in).text, onri_out(s, out).text, h->batch, h->heads, rows,
            h->rows, h->width, h->step[0], h->step[1], h->step[2]);
}

static void emit_attention(struct onri_source *s) {
  const struct onr_attention_params *p = s->params;
  const enum onr_dtype dtype = s->in[Q].desc.dtype;
  const struct heads q = heads_of(&s->in[Q].desc, p->heads, p->q_heads_inner);
  const struct heads k = heads_of(&s->in[K].desc, p->kv_heads, p->kv_heads_inner);
  const struct heads v = heads_of(&s->in[V].desc, p->kv_heads, p->kv_heads_inner);
  const int has_past = onri_has_in(s, PAST_K);
  const struct heads past_k = has_past ? heads_of(&s->in[PAST_K].desc, 0, 0) : k;
  const struct heads past_v = has_past ? heads_of(&s->in[PAST_V].desc, 0, 0) : v;
  const struct heads y = heads_of(&s->out[Y].desc, q.heads, p->y_heads_inner);
  const long long past = has_past ? past_k.rows : 0;
  if (s->in[V].desc.dtype != dtype || s->in[K].desc.dtype != dtype) s->why = "its operands differ in type";
  const int32_t own = onri_scratch(s, (size_t)(past + k.rows) * onr_dtype_size(dtype));
  onri_use(s, "attention_T", dtype);
  onri_line(s, "attention_%s(%s, %s, %s, %s, %s, %s, %s, %s, %s, s%d, (const int32_t[]){", onri_c_short(dtype),
            onri_in(s, Q).text, onri_in(s, K).text, onri_in(s, V).text, in_or_null(s, MASK).text,
            onri_in(s, has_past ? PAST_K : K).text, onri_in(s, has_past ? PAST_V : V).text, in_or_null(s, LENGTHS).text,
            onri_out(s, Y).text, out_or_null(s, SCORES).text, own);
  onri_line(s, "  %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld,", q.batch, q.heads, k.heads, q.rows, past, k.rows,
            q.width, v.width);
  put_steps(s, &q);
  put_steps(s, &k);
  put_steps(s, &v);
  put_steps(s, &past_k);
  put_steps(s, &past_v);
  put_steps(s, &y);
  put_mask(s, &q);
  const double scale = p->scale != 0.0f ? (double)p->scale : 1 / sqrt((double)q.width);
  onri_line(s, "  %d, %lld, %lld, %d, %d}, %s, %s);", p->causal, p->has_window_left ? (long long)p->window_left : -1,
            p->has_window_right ? (long long)p->window_right : -1, (int)p->blind_query,
            onri_has_out(s, SCORES) ? (int)p->qk_output : -1, onri_c_float(scale, dtype).text,
            onri_c_float((double)p->softcap, dtype).text);
  write_present(s, PRESENT_K, K, PAST_K, &k);
  write_present(s, PRESENT_V, V, PAST_V, &v);
}

static void emit_rotary(struct onri_source *s) {
  const struct onr_rotary_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc, *angles = &s->in[1].desc;
  const struct heads h = heads_of(x, p->heads, 0);
  const long long half = (p->rotary_size ? p->rotary_size : h.width) / 2;
  const int has_positions = onri_has_in(s, 3);
  if (angles->dtype != x->dtype) s->why = "its angles have another type";
  onri_use(s, "rotate_T", x->dtype);
  onri_line(
      s,
      "if (rotate_%s(%s, %s, %s, %s, %s, %lld, (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %d, %lld, %lld, %lld})) return 1;",
      onri_c_short(x->dtype), onri_in(s, 0).text, onri_out(s, 0).text, onri_in(s, 1).text, onri_in(s, 2).text,
      in_or_null(s, 3).text, has_positions ? (long long)angles->dim[0] : h.batch * h.rows, h.batch, h.heads, h.rows,
      h.width, half, p->interleaved, h.step[0], h.step[1], h.step[2]);
}

/* --- einsum: loops over all labels --- */

static long long step_of(const struct onri_einsum *e, const struct onri_einsum_term *term, const struct onr_desc *d,
                         int label) {
  long long step = 1, sum = 0;
  (void)e;
  for (int32_t i = term->count; i-- > 0; step *= d->dim[i])
    if (term->label[i] == label && d->dim[i] != 1) sum += step;
  return sum;
}

static void put_place(struct onri_source *s, struct onri_text *t, const struct onri_einsum *e,
                      const struct onri_einsum_term *term, const struct onr_desc *d, const uint8_t *used) {
  onri_text_format(s, t, "[0");
  for (int l = 0; l < ONRI_EINSUM_LABELS; l++)
    if (used[l] && step_of(e, term, d, l)) onri_text_format(s, t, " + i%d * %lld", l, step_of(e, term, d, l));
  onri_text_format(s, t, "]");
}

static void emit_einsum(struct onri_source *s) {
  const struct onr_einsum_params *p = s->params;
  const char *type = onri_c_type(s->in[0].desc.dtype);
  struct onr_desc *in = onri_temporary(s, s->num_in * sizeof(*in));
  struct onri_einsum *e = onri_temporary(s, sizeof(*e));
  struct onr_error ignored = {0};
  uint8_t used[ONRI_EINSUM_LABELS] = {0}, kept[ONRI_EINSUM_LABELS] = {0};
  struct onri_text t = {0}, arguments = {0};
  if (!in || !e) return;
  for (size_t i = 0; i < s->num_in; i++) in[i] = s->in[i].desc;
  const struct onr_call call = {
      .params = p, .num_in = s->num_in, .num_out = 1, .in = in, .env = s->env, .error = &ignored};
  if (onri_einsum_parse(&call, p->equation, e) != ONR_STATUS_OK) {
    s->why = "its equation";
    return;
  }
  for (size_t i = 0; i < e->operands; i++)
    for (int32_t d = 0; d < e->in[i].count; d++) used[e->in[i].label[d]] = 1;
  for (int32_t d = 0; d < e->out.count; d++) kept[e->out.label[d]] = 1;
  onri_text_format(s, &t, "(");
  for (size_t i = 0; i < s->num_in; i++) {
    onri_text_format(s, &t, "const %s *restrict x%zu, ", type, i);
    onri_text_format(s, &arguments, "%s, ", onri_in(s, i).text);
  }
  onri_text_format(s, &t, "%s *restrict y) {\n", type);
  onri_text_format(s, &arguments, "%s", onri_out(s, 0).text);
  for (int l = 0; l < ONRI_EINSUM_LABELS; l++)
    if (kept[l]) onri_text_format(s, &t, "  for (int i%d = 0; i%d < %lld; i%d++)\n", l, l, (long long)e->size[l], l);
  onri_text_format(s, &t, "  {\n    %s sum = 0;\n", type);
  for (int l = 0; l < ONRI_EINSUM_LABELS; l++)
    if (used[l] && !kept[l])
      onri_text_format(s, &t, "    for (int i%d = 0; i%d < %lld; i%d++)\n", l, l, (long long)e->size[l], l);
  onri_text_format(s, &t, "    sum += 1");
  for (size_t i = 0; i < s->num_in; i++) {
    onri_text_format(s, &t, " * x%zu", i);
    put_place(s, &t, e, &e->in[i], &s->in[i].desc, used);
  }
  onri_text_format(s, &t, ";\n    y");
  put_place(s, &t, e, &e->out, &s->out[0].desc, used);
  onri_text_format(s, &t, " = sum;\n  }\n}\n");
  onri_function(s, "einsum", &t, arguments.data);
  onri_text_clear(s, &arguments);
}

static void emit_nll_loss(struct onri_source *s) {
  const struct onr_nll_loss_params *p = s->params;
  const struct onr_desc *x = &s->in[0].desc;
  onri_use(s, "nll_loss_T", x->dtype);
  onri_line(s, "if (nll_loss_%s(%s, %s, %d, %s, %s, %lld, %lld, %lld, %lld, %d, %d)) return 1;", onri_c_short(x->dtype),
            onri_in(s, 0).text, onri_in(s, 1).text, s->in[1].desc.dtype == ONR_DTYPE_I64 ? 8 : 4, in_or_null(s, 2).text,
            onri_out(s, 0).text, (long long)x->dim[0], (long long)x->dim[1], onri_extent(x, 2, x->rank),
            (long long)p->ignored, p->has_ignored, (int)p->reduction);
}

static void emit_linear_attention(struct onri_source *s) {
  enum { PAST = 3, DECAY, BETA };
  const struct onr_linear_attention_params *p = s->params;
  const struct onr_desc *q = &s->in[Q].desc, *v = &s->in[V].desc;
  const long long e = q->dim[2] / p->heads, f = v->dim[2] / p->kv_heads,
                  count = (long long)q->dim[0] * p->kv_heads * e * f;
  char state[40];
  if (onri_has_out(s, 1)) snprintf(state, sizeof(state), "%s", onri_out(s, 1).text);
  else snprintf(state, sizeof(state), "((float *)s%d)", onri_scratch(s, (size_t)count * sizeof(float)));
  if (onri_has_in(s, PAST))
    onri_line(s, "memcpy(%s, %s, %zu);", state, onri_in(s, PAST).text, (size_t)count * sizeof(float));
  else onri_line(s, "memset(%s, 0, %zu);", state, (size_t)count * sizeof(float));
  onri_use(s, "linear_attention", ONR_DTYPE_NONE);
  onri_line(s, "linear_attention(%s, %s, %s, %s, %s, %s, %s,", onri_in(s, Q).text, onri_in(s, K).text,
            onri_in(s, V).text, in_or_null(s, DECAY).text, in_or_null(s, BETA).text, onri_out(s, Y).text, state);
  onri_line(s, "  (const int32_t[]){%lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld}, %s);", (long long)q->dim[0],
            (long long)q->dim[1], (long long)p->heads, (long long)p->kv_heads, e, f,
            onri_has_in(s, DECAY) ? (long long)s->in[DECAY].desc.dim[2] : 0,
            onri_has_in(s, BETA) ? (long long)s->in[BETA].desc.dim[2] : 0,
            onri_c_float(p->scale != 0.0f ? (double)p->scale : 1 / sqrt((double)e), ONR_DTYPE_F32).text);
}

/* It carries the last elements of a sequence to the next call, as attention does its keys. */
static void emit_causal_conv(struct onri_source *s) {
  enum { X, WEIGHT, BIAS, PAST };
  const struct onr_causal_conv_params *p = s->params;
  const struct onr_desc *x = &s->in[X].desc;
  onri_use(s, "causal_conv_T", ONR_DTYPE_F32);
  onri_line(s, "causal_conv_f32(%s, %s, %s, %s, %s, %s, %lld, %lld, %lld, %lld, %d);", onri_in(s, X).text,
            onri_in(s, WEIGHT).text, in_or_null(s, BIAS).text, in_or_null(s, PAST).text, onri_out(s, 0).text,
            out_or_null(s, 1).text, (long long)(x->dim[0] * x->dim[1]), (long long)x->dim[1], (long long)x->dim[2],
            (long long)s->in[WEIGHT].desc.dim[2], p->silu != 0);
}

const struct onri_emitter onri_emitters_attention[] = {
    {&onri_layer_attention, emit_attention, 0},
    {&onri_layer_linear_attention, emit_linear_attention, 0},
    {&onri_layer_causal_conv, emit_causal_conv, 0},
    {&onri_layer_rotary_embedding, emit_rotary, 0},
    {&onri_layer_einsum, emit_einsum, 0},
    {&onri_layer_nll_loss, emit_nll_loss, 0},
    {NULL, NULL, 0},
};
