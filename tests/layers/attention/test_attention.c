/* attention and rotary_embedding against their definitions in double, with whole score matrices. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/cast.h"
#include "layers/layers.h"

enum { CAPACITY = 120000 };

struct setup {
  size_t batch, heads, kv_heads, queries, past, keys, width, value_width;
  struct onr_attention_params params; /* heads, kv_heads are filled in for rank 3 */
  int rank3, mask; /* mask: 0 none, 1 bool [L, total], 2 float [B, 1, 1, total], 3 float [H, L, total - 1], 4 bool [1,
                      total], nothing shown, 5 mask_dtype [L, total] */
  int lengths, scores;
  enum onr_dtype dtype;
  uint32_t threads;
  enum onr_dtype v_dtype, mask_dtype; /* v_dtype NONE: dtype */
  int no_y;
};

static float q[CAPACITY], k[CAPACITY], v[CAPACITY], past_k[CAPACITY], past_v[CAPACITY], mask[CAPACITY];
static unsigned char shown[CAPACITY];
static int64_t lengths[8];
static float y[CAPACITY], scores[CAPACITY], present_k[CAPACITY], present_v[CAPACITY];

/* Element e of row i of a head, whatever the layout. */
static size_t at(int inner, size_t heads, size_t rows, size_t width, size_t b, size_t h, size_t i, size_t e) {
  return inner ? ((b * rows + i) * heads + h) * width + e : ((b * heads + h) * rows + i) * width + e;
}

static double key_at(const struct setup *s, const float *x, const float *past, size_t width, size_t b, size_t h,
                     size_t j, size_t e) {
  const int inner = s->rank3 || s->params.kv_heads_inner;
  if (j < s->past) return (double)past[at(0, s->kv_heads, s->past, width, b, h, j, e)];
  return (double)x[at(inner, s->kv_heads, s->keys, width, b, h, j - s->past, e)];
}

static double bias_at(const struct setup *s, size_t b, size_t h, size_t i, size_t j) {
  const size_t total = s->past + s->keys;
  const int64_t offset = s->lengths ? lengths[b] - (int64_t)s->queries : (int64_t)s->past;
  const int64_t distance = (int64_t)j - (int64_t)i - offset;
  double bias = 0;
  if (s->mask == 1 && !shown[i * total + j]) bias = -INFINITY;
  if (s->mask == 2) bias = (double)mask[b * total + j];
  if (s->mask == 3) bias = j < total - 1 ? (double)mask[(h * s->queries + i) * (total - 1) + j] : -INFINITY;
  if (s->mask == 4) bias = -INFINITY;
  if (s->mask == 5) bias = (double)mask[i * total + j];
  if (s->params.causal && distance > 0) bias = -INFINITY;
  if (s->params.has_window_left && distance < -s->params.window_left) bias = -INFINITY;
  if (s->params.has_window_right && distance > s->params.window_right) bias = -INFINITY;
  if (s->lengths && (int64_t)j >= lengths[b]) bias = -INFINITY;
  return bias;
}

static void reference_row(const struct setup *s, size_t b, size_t h, size_t i) {
  const size_t total = s->past + s->keys, kv = h / (s->heads / s->kv_heads);
  const int inner = s->rank3 || s->params.q_heads_inner, y_inner = s->rank3 || s->params.y_heads_inner;
  double p[512], max = -INFINITY, sum = 0;
  float *shown_scores = scores + ((b * s->heads + h) * s->queries + i) * total;
  for (size_t j = 0; j < total; j++) {
    double dot = 0;
    for (size_t e = 0; e < s->width; e++)
      dot += (double)q[at(inner, s->heads, s->queries, s->width, b, h, i, e)] *
             key_at(s, k, past_k, s->width, b, kv, j, e);
    p[j] = dot * (s->params.scale != 0 ? (double)s->params.scale : 1 / sqrt((double)s->width));
    if (s->params.qk_output == ONR_QK_SCALED) shown_scores[j] = (float)p[j];
    if (s->params.softcap > 0) p[j] = (double)s->params.softcap * tanh(p[j] / (double)s->params.softcap);
    if (s->params.qk_output == ONR_QK_CAPPED) shown_scores[j] = (float)p[j];
    p[j] += bias_at(s, b, h, i, j);
    if (s->params.qk_output == ONR_QK_MASKED) shown_scores[j] = (float)p[j];
    max = fmax(max, p[j]);
  }
  for (size_t j = 0; j < total; j++) {
    p[j] = max == -INFINITY ? 0 : exp(p[j] - max);
    sum += p[j];
  }
  for (size_t j = 0; j < total; j++) p[j] = sum == 0 ? 0 : p[j] / sum;
  for (size_t j = 0; j < total && s->params.qk_output == ONR_QK_SOFTMAX; j++) shown_scores[j] = (float)p[j];
  for (size_t e = 0; e < s->value_width; e++) {
    double out = 0;
    for (size_t j = 0; j < total; j++) out += p[j] * key_at(s, v, past_v, s->value_width, b, kv, j, e);
    y[at(y_inner, s->heads, s->queries, s->value_width, b, h, i, e)] = (float)out;
  }
}

static void reference(const struct setup *s) {
  for (size_t b = 0; b < s->batch; b++)
    for (size_t h = 0; h < s->heads; h++)
      for (size_t i = 0; i < s->queries; i++) reference_row(s, b, h, i);
  for (size_t b = 0; b < s->batch; b++)
    for (size_t h = 0; h < s->kv_heads; h++)
      for (size_t j = 0; j < s->past + s->keys; j++) {
        for (size_t e = 0; e < s->width; e++)
          present_k[at(0, s->kv_heads, s->past + s->keys, s->width, b, h, j, e)] =
              (float)key_at(s, k, past_k, s->width, b, h, j, e);
        for (size_t e = 0; e < s->value_width; e++)
          present_v[at(0, s->kv_heads, s->past + s->keys, s->value_width, b, h, j, e)] =
              (float)key_at(s, v, past_v, s->value_width, b, h, j, e);
      }
}

static void add(struct layer_test *t, enum onr_dtype dtype, int32_t rank, const int64_t *dims, float *values) {
  static double raw[CAPACITY];
  const struct onr_desc desc = onr_desc_make(dtype, rank, dims);
  const size_t count = (size_t)onr_desc_elements(&desc);
  if (dtype == ONR_DTYPE_F64) {
    for (size_t i = 0; i < count; i++) raw[i] = (double)values[i];
  } else {
    onri_store(dtype, values, count, raw);
    onri_load(dtype, raw, count, values);
  }
  layer_test_input(t, dtype, rank, dims, raw);
}

static void add_heads(struct layer_test *t, const struct setup *s, int inner, size_t heads, size_t rows, size_t width,
                      float *x) {
  const int64_t b = (int64_t)s->batch, h = (int64_t)heads, r = (int64_t)rows, e = (int64_t)width;
  const enum onr_dtype dtype = x == v ? s->v_dtype : s->dtype;
  if (s->rank3) add(t, dtype, 3, (int64_t[]){b, r, h * e}, x);
  else add(t, dtype, 4, inner ? (int64_t[]){b, r, h, e} : (int64_t[]){b, h, r, e}, x);
}

static void add_mask(struct layer_test *t, const struct setup *s) {
  const int64_t total = (int64_t)(s->past + s->keys), rows = (int64_t)s->queries;
  static const unsigned char none[512];
  if (s->mask == 0) layer_test_input(t, ONR_DTYPE_BOOL, 0, NULL, NULL);
  if (s->mask == 1) layer_test_input(t, ONR_DTYPE_BOOL, 2, (int64_t[]){rows, total}, shown);
  if (s->mask == 2) add(t, s->dtype, 4, (int64_t[]){(int64_t)s->batch, 1, 1, total}, mask);
  if (s->mask == 3) add(t, s->dtype, 3, (int64_t[]){(int64_t)s->heads, rows, total - 1}, mask);
  if (s->mask == 4) layer_test_input(t, ONR_DTYPE_BOOL, 2, (int64_t[]){1, total}, none);
  if (s->mask == 5) {
    static char raw[CAPACITY * 8];
    onri_cast_elements(&(struct onri_cast){ONR_DTYPE_F32, s->mask_dtype, 0, ONRI_ROUND_NEAREST}, mask, raw, CAPACITY);
    onri_cast_elements(&(struct onri_cast){s->mask_dtype, ONR_DTYPE_F32, 0, ONRI_ROUND_NEAREST}, raw, mask, CAPACITY);
    layer_test_input(t, s->mask_dtype, 2, (int64_t[]){rows, total}, raw);
  }
}

static void compare(const struct onr_tensor *t, const float *expected) {
  static float found[CAPACITY];
  const size_t count = (size_t)onr_desc_elements(&t->desc);
  const double tolerance = t->desc.dtype == ONR_DTYPE_F16 ? 4e-3 : 5e-6;
  if (t->desc.dtype == ONR_DTYPE_F64)
    for (size_t i = 0; i < count; i++) found[i] = (float)((const double *)t->data)[i];
  else onri_load(t->desc.dtype, t->data, count, found);
  assert_close(found, expected, count, tolerance, tolerance);
}

static void check(struct setup s) {
  float *const all[] = {q, k, v, past_k, past_v, mask};
  s.dtype = s.dtype == ONR_DTYPE_NONE ? ONR_DTYPE_F32 : s.dtype;
  s.v_dtype = s.v_dtype == ONR_DTYPE_NONE ? s.dtype : s.v_dtype;
  for (uint32_t i = 0; i < 6; i++) fill_random(all[i], CAPACITY, -1.5f, 1.5f, i + 11);
  for (size_t i = 0; i < CAPACITY; i++) shown[i] = mask[i] > -0.5f;
  for (size_t i = 0; i < 8; i++) lengths[i] = (int64_t)((i * 5 + 3) % (s.keys + 1));
  if (s.rank3) {
    s.params.heads = (int64_t)s.heads;
    s.params.kv_heads = (int64_t)s.kv_heads;
  }
  struct layer_test t = {.layer = &onri_layer_attention,
                         .params = &s.params,
                         .num_out = s.scores ? 4 : 3,
                         .threads = s.threads,
                         .unwanted = s.no_y ? 1 : 0};
  add_heads(&t, &s, s.params.q_heads_inner, s.heads, s.queries, s.width, q);
  add_heads(&t, &s, s.params.kv_heads_inner, s.kv_heads, s.keys, s.width, k);
  add_heads(&t, &s, s.params.kv_heads_inner, s.kv_heads, s.keys, s.value_width, v);
  add_mask(&t, &s);
  const int64_t b = (int64_t)s.batch, h = (int64_t)s.kv_heads, p = (int64_t)s.past;
  if (s.past > 0) {
    add(&t, s.dtype, 4, (int64_t[]){b, h, p, (int64_t)s.width}, past_k);
    add(&t, s.v_dtype, 4, (int64_t[]){b, h, p, (int64_t)s.value_width}, past_v);
  } else {
    layer_test_input(&t, s.dtype, 0, NULL, NULL);
    layer_test_input(&t, s.dtype, 0, NULL, NULL);
  }
  if (s.lengths) layer_test_input(&t, ONR_DTYPE_I64, 1, &b, lengths);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  reference(&s);
  if (!s.no_y) compare(&t.out[0], y);
  compare(&t.out[1], present_k);
  compare(&t.out[2], present_v);
  if (s.scores) compare(&t.out[3], scores);
  layer_test_clear(&t);
}

static void test_plain(void **unused) {
  (void)unused;
  for (int rank3 = 0; rank3 <= 1; rank3++)
    for (int mask_kind = 0; mask_kind <= 4; mask_kind++)
      for (int causal = 0; causal <= 1; causal++) {
        const struct onr_attention_params params = {.causal = causal};
        check((struct setup){2, 3, 3, 5, 0, 7, 4, 6, params, rank3, mask_kind, .threads = 1});
        check((struct setup){2, 4, 2, 5, 3, 4, 9, 3, params, rank3, mask_kind, .threads = 1});
      }
}

static void test_many_blocks(void **unused) {
  (void)unused;
  for (uint32_t threads = 1; threads <= 2; threads++)
    for (int causal = 0; causal <= 1; causal++) {
      const struct onr_attention_params params = {.causal = causal, .scale = 0.7f};
      check((struct setup){1, 2, 1, 101, 0, 301, 33, 17, params, 0, causal, .threads = threads});
      check((struct setup){1, 2, 2, 50, 150, 131, 16, 20, params, 1, 1, .threads = threads, .scores = causal});
    }
}

static void test_scores(void **unused) {
  (void)unused;
  for (int mode = 0; mode < 4; mode++)
    for (int cap = 0; cap <= 1; cap++) {
      const struct onr_attention_params params = {
          .qk_output = (enum onr_qk_output)mode, .softcap = cap ? 0.8f : 0, .causal = 1};
      check((struct setup){2, 2, 2, 3, 0, 140, 5, 4, params, 0, 1, .scores = 1});
      check((struct setup){2, 4, 2, 6, 2, 5, 5, 4, params, 1, 4, .scores = 1});
    }
}

static void test_lengths_and_windows(void **unused) {
  (void)unused;
  for (int flags = 0; flags < 16; flags++) {
    const struct onr_attention_params params = {.causal = flags & 1,
                                                .has_window_left = flags >> 1 & 1,
                                                .window_left = 2,
                                                .has_window_right = flags >> 2 & 1,
                                                .window_right = 1};
    check((struct setup){3, 2, 1, 4, 0, 9, 5, 3, params, 0, flags >> 3, .lengths = 1});
    check((struct setup){3, 2, 1, 4, 6, 9, 5, 3, params, 0, flags >> 3, .threads = 1});
  }
}

static void test_inner_heads(void **unused) {
  (void)unused;
  for (int flags = 0; flags < 8; flags++) {
    const struct onr_attention_params params = {
        .q_heads_inner = flags & 1, .kv_heads_inner = flags >> 1 & 1, .y_heads_inner = flags >> 2};
    check((struct setup){2, 4, 2, 5, 0, 6, 7, 3, params, .threads = 1});
  }
}

static void test_number_types(void **unused) {
  (void)unused;
  const enum onr_dtype dtypes[] = {ONR_DTYPE_F16, ONR_DTYPE_F64};
  for (int i = 0; i < 2; i++)
    for (int mode = 0; mode < 4; mode++) {
      const struct onr_attention_params params = {.qk_output = (enum onr_qk_output)mode, .softcap = 2.0f, .causal = 1};
      check((struct setup){2, 2, 1, 9, 3, 8, 8, 8, params, 1, 2, .scores = 1, .dtype = dtypes[i]});
    }
}

static void test_mixed_types(void **unused) {
  const enum onr_dtype floats[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16};
  const enum onr_dtype masks[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16,
                                  ONR_DTYPE_I8,  ONR_DTYPE_U64, ONR_DTYPE_I32};
  const struct onr_attention_params params = {.causal = 1};
  (void)unused;
  for (int i = 0; i < 9; i++)
    check((struct setup){2, 2, 1, 5, 3, 8, 8, 6, params, i % 2, 1, .dtype = floats[i / 3], .v_dtype = floats[i % 3],
                         .no_y = i % 2});
  for (int i = 0; i < 18; i++)
    check((struct setup){2, 2, 1, 5, 3, 8, 8, 6, params, 0, 5, .dtype = floats[i / 6], .mask_dtype = masks[i % 6],
                         .scores = i % 2});
}

/* --- rotary --- */

static void check_rotary(enum onr_dtype dtype, int rank3, int positions, int64_t turned, int interleaved) {
  const size_t batch = 2, heads = 3, rows = 4, width = 140, half = (size_t)(turned == 0 ? 140 : turned) / 2, table = 9;
  const int64_t ids[8] = {0, 8, 3, 2, 1, 7, 4, 4};
  const struct onr_rotary_params params = {rank3 ? 3 : 0, turned, interleaved};
  const double tolerance = dtype == ONR_DTYPE_F16 ? 3e-3 : 1e-6;
  struct layer_test t = {.layer = &onri_layer_rotary_embedding, .params = &params, .num_out = 1, .threads = 2};
  fill_random(q, CAPACITY, -1, 1, 1);
  fill_random(k, CAPACITY, -1, 1, 2); /* cosines and sines: any numbers do */
  fill_random(v, CAPACITY, -1, 1, 3);
  add(&t, dtype, rank3 ? 3 : 4, rank3 ? (int64_t[]){2, 4, 420} : (int64_t[]){2, 3, 4, 140}, q);
  for (int i = 0; i < 2; i++)
    add(&t, dtype, positions ? 2 : 3, positions ? (int64_t[]){9, (int64_t)half} : (int64_t[]){2, 4, (int64_t)half},
        i ? v : k);
  if (positions) layer_test_input(&t, ONR_DTYPE_I64, 2, (int64_t[]){2, 4}, ids);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  for (size_t b = 0; b < batch; b++)
    for (size_t h = 0; h < heads; h++)
      for (size_t i = 0; i < rows; i++) {
        const size_t line = b * rows + i, angle = (positions ? (size_t)ids[line] : line) * half,
                     start = at(rank3, heads, rows, width, b, h, i, 0);
        assert_true(!positions || (size_t)ids[line] < table);
        for (size_t e = 0; e < width; e++) y[start + e] = q[start + e];
        for (size_t e = 0; e < half; e++) {
          const size_t one = start + (interleaved ? 2 * e : e), two = interleaved ? one + 1 : one + half;
          const double c = (double)k[angle + e], s = (double)v[angle + e];
          y[one] = (float)((double)q[one] * c - (double)q[two] * s);
          y[two] = (float)((double)q[one] * s + (double)q[two] * c);
        }
      }
  static float found[CAPACITY];
  static double wide[CAPACITY];
  onri_load(dtype, t.out[0].data, 3360, dtype == ONR_DTYPE_F64 ? (void *)wide : (void *)found);
  if (dtype == ONR_DTYPE_F64)
    for (size_t i = 0; i < 3360; i++) found[i] = (float)wide[i];
  assert_close(found, y, 3360, tolerance, tolerance);
  layer_test_clear(&t);
}

static void test_rotary(void **unused) {
  const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_F16};
  (void)unused;
  for (int i = 0; i < 3; i++)
    for (int flags = 0; flags < 16; flags++)
      check_rotary(dtypes[i], flags & 1, flags >> 1 & 1, flags & 4 ? 10 : 0, flags >> 3);
}

/* --- what a file can get wrong --- */

static enum onr_status status_of(const struct onr_attention_params *params, const int64_t *k_dims,
                                 const int64_t *mask_dims, const int64_t *length) {
  const int64_t dims[] = {1, 4, 3, 8};
  struct layer_test t = {.layer = &onri_layer_attention, .params = params, .num_out = 1};
  layer_test_input(&t, ONR_DTYPE_F32, 4, dims, q);
  layer_test_input(&t, ONR_DTYPE_F32, 4, k_dims, k);
  layer_test_input(&t, ONR_DTYPE_F32, 4, k_dims, v);
  layer_test_input(&t, ONR_DTYPE_F32, 2, mask_dims, !mask_dims ? NULL : mask);
  for (int i = 0; i < 2; i++) layer_test_input(&t, ONR_DTYPE_F32, 0, NULL, NULL);
  if (length) layer_test_input(&t, ONR_DTYPE_I64, 1, (int64_t[]){1}, length);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_shapes(void **unused) {
  const struct onr_attention_params plain = {0}, negative = {.softcap = -1.0f};
  const int64_t good[] = {1, 2, 5, 8}, heads[] = {1, 3, 5, 8}, width[] = {1, 2, 5, 7}, none[] = {1, 0, 5, 8},
                batch[] = {2, 2, 5, 8};
  const int64_t mask_good[] = {3, 5}, mask_rows[] = {2, 5}, mask_wide[] = {3, 6}, long_ = 6, below = -1;
  (void)unused;
  assert_int_equal(status_of(&plain, good, mask_good, NULL), ONR_STATUS_OK);
  assert_int_equal(status_of(&negative, good, NULL, NULL), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of(&plain, heads, NULL, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&plain, width, NULL, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&plain, none, NULL, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&plain, batch, NULL, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&plain, good, mask_rows, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&plain, good, mask_wide, NULL), ONR_STATUS_SHAPE);
  assert_int_equal(status_of(&plain, good, NULL, &long_), ONR_STATUS_INDEX);
  assert_int_equal(status_of(&plain, good, NULL, &below), ONR_STATUS_INDEX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plain),        cmocka_unit_test(test_many_blocks),
      cmocka_unit_test(test_scores),       cmocka_unit_test(test_lengths_and_windows),
      cmocka_unit_test(test_inner_heads),  cmocka_unit_test(test_number_types),
      cmocka_unit_test(test_mixed_types),  cmocka_unit_test(test_rotary),
      cmocka_unit_test(test_wrong_shapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
