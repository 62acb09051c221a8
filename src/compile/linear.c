/* linear.c: layers of which each result is a sum of elements times numbers that shapes and constants tell: Fourier
 * transforms, sums of blocks, grids of a map. As those that move elements, none is written by rules of its own: the
 * layer runs once for each element, with a 1 there and 0 elsewhere, and what comes out is what that element adds. */
#include <string.h>

#include "compile/source.h"

/* Transforms beyond that belong to a library. */
enum { MOST_ELEMENTS = 1 << 12, MOST_NUMBERS = 1 << 22 };

struct linear {
  long long inputs, results;
  float *numbers; /* [results][inputs] */
  struct onr_desc *in;
  const void **operands;
};

static int set_operands(struct onri_source *s, struct linear *l, float *x) {
  l->in = onri_temporary(s, s->num_in * sizeof(*l->in));
  l->operands = onri_temporary(s, s->num_in * sizeof(*l->operands));
  if (!l->in || !l->operands) return 0;
  for (size_t i = 0; i < s->num_in; i++) {
    if (!s->in[i].present) continue;
    l->in[i] = s->in[i].desc;
    l->operands[i] = i ? s->in[i].known : x;
    if (!l->operands[i]) return 0;
  }
  return 1;
}

/* Column j of the numbers; -1: of all zeros, which make zeros. */
static int run_once(struct onri_source *s, struct linear *l, float *x, long long j) {
  struct onri_constant **results = onri_temporary(s, s->num_out * sizeof(*results));
  struct onr_error ignored;
  if (!results) return 0;
  if (j >= 0) x[j] = 1;
  const int ok = onri_node_evaluate(s->node, s->env, l->in, l->operands, results, &ignored) == ONR_STATUS_OK;
  if (j >= 0) x[j] = 0;
  if (!ok) return 0;
  const float *y = results[0]->data;
  int is_zero = 1;
  for (long long i = 0; i < l->results; i++) {
    is_zero &= y[i] == 0.0f;
    if (j >= 0) l->numbers[i * l->inputs + j] = y[i];
  }
  onri_constant_release(results[0]);
  return j >= 0 || is_zero;
}

static void write_sums(struct onri_source *s, const struct linear *l) {
  size_t count = 0;
  for (long long i = 0; i < l->inputs * l->results; i++) count += l->numbers[i] != 0.0f;
  int32_t *ends = onri_temporary(s, (size_t)l->results * sizeof(*ends)),
          *from = onri_temporary(s, (count + 1) * sizeof(*from));
  float *weights = onri_temporary(s, (count + 1) * sizeof(*weights));
  if (!ends || !from || !weights) return;
  size_t at = 0;
  for (long long i = 0; i < l->results; i++) {
    for (long long j = 0; j < l->inputs; j++)
      if (l->numbers[i * l->inputs + j] != 0.0f) from[at] = (int32_t)j, weights[at++] = l->numbers[i * l->inputs + j];
    ends[i] = (int32_t)at;
  }
  onri_use(s, "linear", ONR_DTYPE_NONE);
  onri_line(s, "linear(%s, %s, w%d, w%d, w%d, %lld);", onri_in(s, 0).text, onri_out(s, 0).text,
            onri_weights_add(s, ONR_DTYPE_I32, ends, (size_t)l->results),
            onri_weights_add(s, ONR_DTYPE_I32, from, count + 1), onri_weights_add(s, ONR_DTYPE_F32, weights, count + 1),
            l->results);
}

static void emit_linear(struct onri_source *s) {
  struct linear l = {.inputs = onri_count(&s->in[0]), .results = onri_count(&s->out[0])};
  if (s->in[0].desc.dtype != ONR_DTYPE_F32 || s->out[0].desc.dtype != ONR_DTYPE_F32) {
    s->why = "its type";
    return;
  }
  if (l.inputs > MOST_ELEMENTS || l.inputs * l.results > MOST_NUMBERS) {
    s->why = "it is too large";
    return;
  }
  float *x = onri_temporary(s, (size_t)l.inputs * sizeof(*x));
  l.numbers = onri_temporary(s, (size_t)(l.inputs * l.results) * sizeof(*l.numbers));
  if (!x || !l.numbers) return;
  int ok = set_operands(s, &l, x);
  for (long long j = -1; ok && j < l.inputs; j++) ok = run_once(s, &l, x, j);
  if (ok) write_sums(s, &l);
  else s->why = "what it multiplies by depends on data";
}

const struct onri_emitter onri_emitters_linear[] = {
    {&onri_layer_affine_grid, emit_linear, 0},
    {&onri_layer_col2im, emit_linear, 0},
    {&onri_layer_dft, emit_linear, 0},
    {&onri_layer_stft, emit_linear, 0},
    {NULL, NULL, 0},
};
