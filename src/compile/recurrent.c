/* recurrent.c: LSTM, GRU and the plain recurrent layer: the products with the input at once, then step by step. */
#include "layers/recurrent/recurrent.h"

#include <string.h>

#include "compile/source.h"

/* Activations by the number of parts/recurrent_function.inc. */
static void put_functions(struct onri_source *s, enum onri_recurrent_kind kind, size_t count, size_t directions) {
  static const enum onr_recurrent_activation usual[][3] = {
      [ONRI_LSTM] = {ONR_RECURRENT_SIGMOID, ONR_RECURRENT_TANH, ONR_RECURRENT_TANH},
      [ONRI_GRU] = {ONR_RECURRENT_SIGMOID, ONR_RECURRENT_TANH, ONR_RECURRENT_DEFAULT},
      [ONRI_RNN] = {ONR_RECURRENT_TANH, ONR_RECURRENT_DEFAULT, ONR_RECURRENT_DEFAULT}};
  const struct onr_recurrent_params *p = s->params;
  for (size_t i = 0; i < count * directions; i++) {
    const struct onr_recurrent_function *f = &p->functions[i];
    const int named = f->kind != ONR_RECURRENT_DEFAULT;
    onri_line(s, "  {%d, %s, %s},", (int)(named ? f->kind : usual[kind][i % count]),
              onri_c_float((double)f->alpha, ONR_DTYPE_F32).text, onri_c_float((double)f->beta, ONR_DTYPE_F32).text);
  }
}

static struct onri_name in_or_null(struct onri_source *s, size_t i) {
  return onri_in(s, onri_has_in(s, i) ? i : s->num_in);
}
static struct onri_name out_or_null(struct onri_source *s, size_t i) {
  return onri_out(s, onri_has_out(s, i) ? i : s->num_out);
}

static void write_recurrent(struct onri_source *s, enum onri_recurrent_kind kind, const char *name, size_t functions) {
  const struct onr_recurrent_params *p = s->params;
  struct onr_desc in[ONRI_PROJECTION + 1] = {{0}};
  struct onr_error ignored = {0};
  struct onri_recurrent_shape h;
  const enum onr_dtype dtype = s->in[0].desc.dtype;
  for (size_t i = 0; i < s->num_in && i <= ONRI_PROJECTION; i++)
    if (s->in[i].present) in[i] = s->in[i].desc;
  const struct onr_call call = {
      .params = p, .num_in = s->num_in, .num_out = s->num_out, .in = in, .env = s->env, .error = &ignored};
  if (onri_recurrent_shape(&call, kind, &h) != ONR_STATUS_OK || h.projects) {
    s->why = "its shapes";
    return;
  }
  const size_t states = h.batch * h.hidden;
  const int32_t own = onri_scratch(s, (states * 2 + 3 * h.gates * h.hidden) * onr_dtype_size(dtype));
  char part[16];
  snprintf(part, sizeof(part), "%s_T", name);
  onri_use(s, part, dtype);
  onri_line(s, "{");
  onri_line(s, "static const struct recurrent_function f[] = {");
  put_functions(s, kind, functions, h.directions);
  onri_line(s, "};");
  onri_line(s, "%s_%s(%s, %s, %s, %s, %s, %s,", name, onri_c_short(dtype), onri_in(s, 0).text, onri_in(s, 1).text,
            onri_in(s, 2).text, in_or_null(s, 3).text, in_or_null(s, 4).text, in_or_null(s, 5).text);
  if (kind == ONRI_LSTM)
    onri_line(s, "  %s, %s, %s,", in_or_null(s, 6).text, in_or_null(s, 7).text, out_or_null(s, 2).text);
  onri_line(s, "  %s, %s, s%d, (const int32_t[]){%zu, %zu, %zu, %zu, %zu, %d, %d, %d, %d}, f, %s);",
            out_or_null(s, 0).text, out_or_null(s, 1).text, own, h.steps, h.batch, h.input, h.hidden, h.directions,
            p->direction == ONR_DIRECTION_REVERSE, p->layout, p->linear_before_reset, p->input_forget,
            p->has_clip ? onri_c_float((double)p->clip, dtype).text : "INFINITY");
  onri_line(s, "}");
}

static void emit_lstm(struct onri_source *s) { write_recurrent(s, ONRI_LSTM, "lstm", 3); }
static void emit_gru(struct onri_source *s) { write_recurrent(s, ONRI_GRU, "gru", 2); }
static void emit_rnn(struct onri_source *s) { write_recurrent(s, ONRI_RNN, "rnn", 1); }

const struct onri_emitter onri_emitters_recurrent[] = {
    {&onri_layer_lstm, emit_lstm, 0},
    {&onri_layer_gru, emit_gru, 0},
    {&onri_layer_rnn, emit_rnn, 0},
    {NULL, NULL, 0},
};
