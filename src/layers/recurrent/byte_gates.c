/* byte_gates.c: see byte_gates.h. */
#include "layers/recurrent/byte_gates.h"

#include <math.h>
#include <string.h>

#include "base/memory/blocks.h"
#include "base/services.h"
#include "kernels/quantize/byte_product.h"
#include "layers/elementwise/scratch.h"
#include "layers/quantize/dynamic_quantize.h"

static size_t block_bytes(size_t k, size_t n) { return onri_byte_columns_bytes(onri_byte_depth_of(k), n); }

static void pack(const void *weights, int is_signed, size_t directions, size_t k, size_t n, char *to) {
  const struct onri_byte_depth depth = onri_byte_depth_of(k);
  for (size_t d = 0; d < directions; d++, to += block_bytes(k, n)) {
    const struct onri_byte_matrix matrix = {
        .b = (const char *)weights + d * k * n, .inner = k, .inner_step = n, .column_step = 1, .is_signed = is_signed};
    onri_byte_columns_pack(onri_byte_columns_in(to, depth, n), &matrix, depth, n);
  }
}

static int is_signed(const struct onr_call *call, size_t input) { return call->in[input].dtype == ONR_DTYPE_I8; }

enum onr_status onri_byte_gates_prepare(struct onr_call *call, size_t input, void **packed) {
  const struct onr_desc *desc = &call->in[input];
  const void *data;
  if (!call->inputs[input] || desc->rank != 3 || onr_desc_elements(desc) == 0) return ONR_STATUS_OK;
  const size_t directions = (size_t)desc->dim[0], k = (size_t)desc->dim[1], n = (size_t)desc->dim[2],
               bytes = onri_size_of((size_t[]){block_bytes(k, n), directions}, 2);
  call->packed_inputs |= (uint64_t)1 << input;
  *packed = bytes == SIZE_MAX ? NULL : onri_block_recall(call->env, bytes);
  if (*packed) return ONR_STATUS_OK;
  ONR_TRY(onri_call_contents(call, input, &data));
  *packed = bytes == SIZE_MAX ? NULL : onri_block_begin(call->env, bytes);
  if (!*packed) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "out of memory for packed weights");
  pack(data, is_signed(call, input), directions, k, n, *packed);
  *packed = onri_block_end(call->env, *packed, bytes);
  return ONR_STATUS_OK;
}

static size_t take(struct onr_call *call, size_t a, size_t b, size_t size) {
  return onri_scratch_take(call, onri_size_of((size_t[]){a, b, size}, 3));
}

void onri_byte_gates_plan(struct onr_call *call, struct onri_byte_gates *g, const void *packed, size_t rows) {
  if (!packed) g->columns_at = take(call, g->directions, block_bytes(g->k, g->n), 1);
  g->zeros_at = take(call, g->directions, g->n, sizeof(int32_t));
  g->scales_at = take(call, g->directions, g->n, sizeof(float));
  g->rows_at = take(call, rows, g->k, 1);
}

const void *onri_byte_gates_begin(struct onr_call *call, const struct onri_byte_gates *g, const void *packed) {
  char *scratch = call->scratch;
  int32_t *zeros = (int32_t *)(void *)(scratch + g->zeros_at);
  const size_t zero = g->scale + 1, each = call->in[zero].rank == 1 ? g->n : 1;
  for (size_t i = 0; i < g->directions * g->n; i++)
    zeros[i] = onri_value8(call->in[zero].dtype, call->inputs[zero], i / each);
  if (packed) return packed;
  if (g->k > 0)
    pack(call->inputs[g->input], is_signed(call, g->input), g->directions, g->k, g->n, scratch + g->columns_at);
  return scratch + g->columns_at;
}

struct job {
  const struct onri_byte_gates_product *p;
  const struct onri_byte_gates *g;
  const uint8_t *rows;
  const float *scales; /* [directions][n] */
};

static void load_rows(const void *context, size_t batch, size_t row, size_t rows, size_t from, size_t depth, char *to,
                      size_t to_row) {
  const struct job *job = context;
  const size_t k = job->g->k;
  (void)batch;
  onri_byte_pack_rows(job->rows + row * k + from, k, rows, depth, 0, to, to_row);
}

static float *reals_at(const void *context, size_t batch, size_t row, size_t column, struct onri_byte_reals *r) {
  const struct job *job = context;
  const struct onri_byte_gates_product *p = job->p;
  *r = (struct onri_byte_reals){job->scales + batch * job->g->n + column, 1, NULL, -INFINITY, INFINITY};
  return p->y + batch * p->y_direction + row * p->y_row + column;
}

/* No depth: sums of nothing. */
static void clear(const struct onri_byte_gates_product *p, size_t n) {
  for (size_t d = 0; d < p->directions; d++)
    for (size_t r = 0; r < p->rows; r++) memset(p->y + d * p->y_direction + r * p->y_row, 0, n * sizeof(float));
}

/* Of the results of a direction. */
static void set_scales(const struct onr_call *call, const struct onri_byte_gates *g, size_t d, float x, float *scales) {
  const float *w = call->inputs[g->scale];
  if (call->in[g->scale].rank == 1)
    for (size_t j = 0; j < g->n; j++) scales[j] = x * w[d];
  else
    for (size_t j = 0; j < g->n; j++) scales[j] = x * w[d * g->n + j];
}

void onri_byte_gates_multiply(const struct onr_call *call, const struct onri_byte_gates *g,
                              const struct onri_byte_gates_product *p, struct onr_env *env) {
  const size_t at = p->first * g->n;
  char *scratch = call->scratch;
  float *scales = (float *)(void *)(scratch + g->scales_at) + at;
  uint8_t *rows = (uint8_t *)scratch + g->rows_at + p->first * p->rows * g->k;
  const struct job job = {p, g, rows, scales};
  if (g->k == 0) {
    clear(p, g->n);
    return;
  }
  const struct onri_dynamic_steps x = onri_dynamic_quantise(env, p->x, p->rows * g->k, rows);
  for (size_t d = 0; d < p->directions; d++) set_scales(call, g, p->first + d, x.scale, scales + d * g->n);
  const struct onri_byte_product product = {.batches = p->directions,
                                            .m = p->rows,
                                            .n = g->n,
                                            .k = onri_byte_depth_of(g->k),
                                            .b_signed = is_signed(call, g->input),
                                            .columns = (const char *)p->columns + p->first * block_bytes(g->k, g->n),
                                            .num_columns = p->directions,
                                            .a_zero = &x.zero,
                                            .b_zero = (const int32_t *)(void *)(scratch + g->zeros_at) + at,
                                            .b_zero_step = call->in[g->scale + 1].rank > 1,
                                            .b_zero_block = g->n,
                                            .context = &job,
                                            .load = load_rows,
                                            .reals_at = reals_at,
                                            .y_row = p->y_row * sizeof(float)};
  onri_byte_product(&product, env);
}
