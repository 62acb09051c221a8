/* A layer whose run takes long sees the cancel flag before it is through: with the flag set from the start, the end of
 * its output stays as it was. Sizes are such that each looks at the flag several times. */
#include "tests/support/layer_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/services.h"
#include "graph/graph.h"
#include "layers/layers.h"

enum { UNTOUCHED = 0xA5, MOST = 3 };

static const struct onr_cancel cancelled = {1};

struct input {
  enum onr_dtype dtype;
  int32_t rank;
  int64_t dim[4];
  int64_t value; /* of all elements of an integer type, where it matters */
  int constant;
};

struct subject {
  const struct onr_layer *layer;
  const void *params;
  struct input in[MOST];
  enum onr_backend backend;
};

struct memory {
  void *blocks[16];
  size_t count;
};

static void *take(struct memory *m, size_t bytes, int byte) {
  void *block = malloc(bytes + ONR_SLACK_BYTES + 1);
  assert_non_null(block);
  assert_true(m->count < 16);
  memset(block, byte, bytes + ONR_SLACK_BYTES + 1);
  return m->blocks[m->count++] = block;
}

static int resized;

/* A DYNAMIC layer that is cancelled does not come to say how large its output is. */
static enum onr_status resize(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data) {
  (void)call, (void)i, (void)desc;
  *data = NULL;
  resized++;
  return ONR_STATUS_OK;
}

static void *make_input(struct memory *m, const struct input *in, struct onr_desc *desc) {
  *desc = onr_desc_make(in->dtype, in->rank, in->dim);
  void *data = take(m, onr_desc_bytes(desc), 0);
  const size_t count = (size_t)onr_desc_elements(desc);
  if (in->dtype == ONR_DTYPE_F32) fill_random(data, count, -1, 1, 1);
  for (size_t i = 0; in->dtype == ONR_DTYPE_I64 && i < count; i++) ((int64_t *)data)[i] = in->value;
  return data;
}

/* Whether the last bytes of output 0 are as they were. */
static int ends_early(const struct subject *s) {
  struct memory m = {.count = 0};
  struct onr_error error = {0};
  struct onr_env env = {.allocator = &onri_malloc_allocator,
                        .limits = onri_limits_resolve(NULL),
                        .backend = s->backend,
                        .most_steps = 1 << 20};
  struct onri_executor executor = {.resize = resize};
  struct onr_desc in[MOST] = {0}, out[1] = {0};
  const void *inputs[MOST] = {NULL}, *all[MOST] = {NULL};
  void *outputs[1] = {NULL};
  struct onr_view view[1] = {{-1, 0}}, inside[MOST] = {{-1, 0}, {-1, 0}, {-1, 0}};
  struct onr_call call = {.params = s->params,
                          .num_out = 1,
                          .in = in,
                          .out = out,
                          .inputs = inputs,
                          .outputs = outputs,
                          .view = view,
                          .into = inside,
                          .env = &env,
                          .error = &error,
                          .in_place = -1,
                          .executor = &executor};
  for (; call.num_in < MOST && s->in[call.num_in].dtype != ONR_DTYPE_NONE; call.num_in++) {
    const size_t i = call.num_in;
    all[i] = make_input(&m, &s->in[i], &in[i]);
    if (s->in[i].constant) inputs[i] = all[i];
  }
  call.state = take(&m, s->layer->state_size, 0);
  call.prepared = take(&m, s->layer->prepared_size, 0);
  enum onr_status status = onri_call_infer(s->layer, &call);
  if (status == ONR_STATUS_OK) status = onri_call_prepare(s->layer, &call);
  if (status == ONR_STATUS_OK && s->layer->plan) status = s->layer->plan(&call);
  if (status != ONR_STATUS_OK) fail_msg("%s: %s", s->layer->name, error.message);
  const size_t bytes = onr_desc_bytes(&out[0]);
  unsigned char *y = s->layer->flags & ONR_LAYER_DYNAMIC ? NULL : take(&m, bytes, UNTOUCHED);
  outputs[0] = y;
  call.scratch = take(&m, call.scratch_bytes, 0);
  for (size_t i = 0; i < call.num_in; i++) inputs[i] = call.packed_inputs >> i & 1 ? NULL : all[i];
  env.cancel = &cancelled;
  resized = 0;
  status = s->layer->run(&call);
  assert_true(status == ONR_STATUS_OK || status == ONR_STATUS_CANCELLED);
  int early = y ? 1 : !resized;
  for (size_t i = 0; y && i < 8 && i < bytes; i++) early &= y[bytes - 1 - i] == UNTOUCHED;
  if (s->layer->release_state) s->layer->release_state(call.state, &env);
  if (s->layer->release_prepared) s->layer->release_prepared(call.prepared, &env);
  for (size_t i = 0; i < m.count; i++) free(m.blocks[i]);
  return early;
}

#define F(...) \
  { ONR_DTYPE_F32, __VA_ARGS__ }
#define LINE(n) F(2, {1, n}, 0, 0)

static const struct onr_softmax_params last_axis = {.axis = 1};
static const struct onr_lp_norm_params l2 = {.axis = 1, .p = 2};
static const struct onr_mean_variance_norm_params mean_variance = {.axes = {1}, .num_axes = 1};
static const struct onr_layer_norm_params layer_norm = {.axis = 1, .epsilon = 1e-5f};
static const struct onr_cumulative_params cumulative = {0};
static const struct onr_top_k_params top_k = {.axis = 1, .largest = 1};
static const struct onr_random_params normal = {
    .kind = ONR_RANDOM_NORMAL, .dtype = ONR_DTYPE_F32, .b = 1, .rank = 1, .dim = {1 << 20}};
static const struct onr_unique_params unique = {.flat = 1, .sorted = 1};
static const struct onr_scatter_nd_params scatter_nd = {.reduction = ONR_REDUCTION_NONE};
static const struct onr_scatter_elements_params scatter_elements = {.axis = 0};
static const struct onr_gather_params gather = {.axis = 0};
static const struct onr_lrn_params lrn = {.size = 512, .alpha = 1, .beta = 1, .bias = 1};
static const struct onr_dft_params dft = {0};
static const struct onr_matmul_params matmul = {0};
static const struct onr_conv_params conv = {.channels_last = 1};
static const struct onr_conv_transpose_params conv_transpose = {.channels_last = 1};
static const struct onr_pool_params pool = {.window = {.rank = 1, .kernel = {2000}}};
static const struct onr_global_pool_params global_pool = {.p = 2};
static const struct onr_unary_params erf_params = {.op = ONR_UNARY_ERF};
static const struct onr_cast_params to_half = {.to = ONR_DTYPE_F16};
static const struct onr_non_max_suppression_params suppression = {0};

static const struct subject subjects[] = {
    {.layer = &onri_layer_softmax, &last_axis, {LINE(1 << 24)}},
    {.layer = &onri_layer_softmax, &last_axis, {{ONR_DTYPE_F64, 2, {1, 1 << 22}, 0, 0}}},
    {.layer = &onri_layer_log_softmax, &last_axis, {LINE(1 << 23)}},
    {.layer = &onri_layer_hardmax, &last_axis, {LINE(1 << 22)}},
    {.layer = &onri_layer_lp_norm, &l2, {LINE(1 << 23)}},
    {.layer = &onri_layer_mean_variance_norm, &mean_variance, {LINE(1 << 23)}},
    {.layer = &onri_layer_layer_norm, &layer_norm, {LINE(1 << 23), F(1, {1 << 23}, 0, 0)}},
    {.layer = &onri_layer_cum_sum, &cumulative, {F(1, {1 << 22}, 0, 0), {ONR_DTYPE_I64, 0, {0}, 0, 0}}},
    {.layer = &onri_layer_top_k, &top_k, {LINE(1 << 20), {ONR_DTYPE_I64, 1, {1}, 1 << 19, 1}}},
    {.layer = &onri_layer_random, &normal},
    {.layer = &onri_layer_unique, &unique, {F(1, {1 << 21}, 0, 0)}},
    {.layer = &onri_layer_scatter_nd,
     &scatter_nd,
     {F(1, {9}, 0, 0), {ONR_DTYPE_I64, 2, {1 << 21, 1}, 8, 0}, F(1, {1 << 21}, 0, 0)}},
    {.layer = &onri_layer_scatter_elements,
     &scatter_elements,
     {F(1, {9}, 0, 0), {ONR_DTYPE_I64, 1, {1 << 21}, 8, 0}, F(1, {1 << 21}, 0, 0)}},
    {.layer = &onri_layer_gather, &gather, {F(1, {9}, 0, 0), {ONR_DTYPE_I64, 1, {1 << 21}, 0, 0}}},
    {.layer = &onri_layer_lrn, &lrn, {F(3, {1, 1024, 64}, 0, 0)}},
    {.layer = &onri_layer_dft, &dft, {F(3, {1, 300007, 1}, 0, 0)}},
    {.layer = &onri_layer_matmul, &matmul, {F(2, {512, 512}, 0, 0), F(2, {512, 512}, 0, 0)}},
    {.layer = &onri_layer_matmul, &matmul, {F(2, {512, 512}, 0, 0), F(2, {512, 512}, 0, 0)}, ONR_BACKEND_PORTABLE},
    {.layer = &onri_layer_matmul, &matmul, {F(2, {512, 512}, 0, 0), F(2, {512, 512}, 0, 1)}},
    {.layer = &onri_layer_conv, &conv, {F(4, {2, 40, 40, 16}, 0, 0), F(4, {16, 16, 3, 3}, 0, 1)}},
    {.layer = &onri_layer_conv, &conv, {F(4, {2, 40, 40, 16}, 0, 0), F(4, {16, 16, 3, 3}, 0, 0)}, ONR_BACKEND_PORTABLE},
    {.layer = &onri_layer_conv_transpose, &conv_transpose, {F(4, {2, 40, 40, 16}, 0, 0), F(4, {16, 16, 3, 3}, 0, 1)}},
    {.layer = &onri_layer_average_pool, &pool, {F(3, {1, 1, 100000}, 0, 0)}},
    {.layer = &onri_layer_max_pool, &pool, {F(3, {1, 1, 100000}, 0, 0)}},
    {.layer = &onri_layer_lp_pool,
     &(const struct onr_pool_params){.window = {.rank = 1, .kernel = {2000}}, .p = 3},
     {F(3, {1, 1, 100000}, 0, 0)}},
    {.layer = &onri_layer_global_lp_pool, &global_pool, {F(3, {100, 64, 5000}, 0, 0)}},
    {.layer = &onri_layer_unary, &erf_params, {F(1, {1 << 20}, 0, 0)}},
    {.layer = &onri_layer_cast, &to_half, {F(1, {1 << 20}, 0, 0)}},
    {.layer = &onri_layer_transpose,
     &(const struct onr_transpose_params){.rank = 2, .perm = {1, 0}},
     {F(2, {2048, 2048}, 0, 0)}},
    {.layer = &onri_layer_non_max_suppression,
     &suppression,
     {F(3, {1, 5000, 4}, 0, 0), F(3, {1, 1, 5000}, 0, 0), {ONR_DTYPE_I64, 0, {0}, 5000, 0}}},
    {.layer = &onri_layer_det, NULL, {F(3, {2, 200, 200}, 0, 0)}},
};

static void long_layers_end_early(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
    if (!ends_early(&subjects[i]))
      fail_msg("%s, subject %zu, does not see the cancel flag", subjects[i].layer->name, i);
}

/* One result, which a reduction writes all the same: it is not that of all elements. */
static void long_reductions_end_early(void **state) {
  static const struct onr_reduce_params sum = {.op = ONR_REDUCE_SUM};
  (void)state;
  struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL), .cancel = &cancelled};
  const size_t count = 1 << 24;
  float *x = malloc(count * sizeof(*x)), y = 0;
  int64_t at = 0;
  for (size_t i = 0; i < count; i++) x[i] = i == count - 1 ? 2.0f : 1.0f;
  const struct onr_desc in[1] = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){(int64_t)count})};
  struct onr_desc out[1];
  const void *inputs[1] = {x};
  for (int arg = 0; arg < 2; arg++) {
    const struct onr_layer *layer = arg ? &onri_layer_arg_reduce : &onri_layer_reduce;
    void *outputs[1] = {arg ? (void *)&at : (void *)&y}, *state_memory = calloc(1, layer->state_size + 1);
    struct onr_call call = {.params = arg ? (const void *)&(const struct onr_arg_reduce_params){.axis = 0} : &sum,
                            .state = state_memory,
                            .num_in = 1,
                            .num_out = 1,
                            .in = in,
                            .out = out,
                            .inputs = inputs,
                            .outputs = outputs,
                            .env = &env};
    assert_int_equal(onri_call_infer(layer, &call), ONR_STATUS_OK);
    assert_int_equal(layer->plan(&call), ONR_STATUS_OK);
    assert_int_equal(layer->run(&call), ONR_STATUS_OK);
    free(state_memory);
  }
  assert_true(y < (float)count / 2);
  assert_true(at == 0);
  free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(long_layers_end_early),
                                     cmocka_unit_test(long_reductions_end_early)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
