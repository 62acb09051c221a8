/* einsum against sums over all values of all labels. */
#include <math.h>
#include <string.h>

#include "support/layer_test.h"

#include "base/numbers/convert.h"
#include "layers/layers.h"

enum { CAPACITY = 8192, OPERANDS = 4 };

struct einsum_case {
  const char *equation, *plain; /* plain: the same without spaces and ellipses, with "->" */
  int64_t dims[OPERANDS][5];    /* each ends with -1 */
};

static float x[OPERANDS][CAPACITY];

static int32_t rank_of(const int64_t *dims) {
  int32_t rank = 0;
  while (dims[rank] >= 0) rank++;
  return rank;
}

/* Position in an operand with these letters; dimensions of 1 are broadcast. */
static size_t position(const char *letters, size_t count, const int64_t *dims, const int64_t *value) {
  size_t at = 0;
  for (size_t i = 0; i < count; i++)
    at = at * (size_t)dims[i] + (dims[i] == 1 ? 0 : (size_t)value[(unsigned char)letters[i]]);
  return at;
}

struct terms {
  const char *start[OPERANDS + 1];
  size_t length[OPERANDS + 1], count; /* the last one is the result */
};

static struct terms split(const char *plain) {
  struct terms t = {.start = {plain}};
  for (const char *c = plain;; c++) {
    if (*c == ',' || *c == '-' || *c == '\0') t.count++;
    if (*c == '\0') return t;
    if (*c == ',') t.start[t.count] = c + 1;
    if (*c == '-') t.start[t.count] = ++c + 1;
    if (*c != ',' && *c != '>') t.length[t.count]++;
  }
}

static size_t reference(const struct einsum_case *c, double *y, int64_t *out_dims) {
  const struct terms t = split(c->plain);
  int64_t size[128] = {0}, value[128] = {0};
  char letters[16];
  size_t num_letters = 0, results = 1;
  for (size_t i = 0; i + 1 < t.count; i++)
    for (size_t d = 0; d < t.length[i]; d++) {
      const unsigned char l = (unsigned char)t.start[i][d];
      if (size[l] == 0) letters[num_letters++] = (char)l;
      if (c->dims[i][d] > size[l]) size[l] = c->dims[i][d];
    }
  const char *out = t.start[t.count - 1];
  const size_t rank = t.length[t.count - 1];
  for (size_t d = 0; d < rank; d++) {
    out_dims[d] = size[(unsigned char)out[d]];
    results *= (size_t)out_dims[d];
  }
  for (size_t i = 0; i < results; i++) y[i] = 0;
  for (;;) {
    double product = 1;
    for (size_t i = 0; i + 1 < t.count; i++)
      product *= (double)x[i][position(t.start[i], t.length[i], c->dims[i], value)];
    y[position(out, rank, out_dims, value)] += product;
    size_t l = 0;
    while (l < num_letters && ++value[(unsigned char)letters[l]] == size[(unsigned char)letters[l]])
      value[(unsigned char)letters[l++]] = 0;
    if (l == num_letters) return results;
  }
}

static const struct einsum_case cases[] = {
    {"ij,jk->ik", "ij,jk->ik", {{3, 4, -1}, {4, 5, -1}}},
    {"ij,jk", "ij,jk->ik", {{3, 4, -1}, {4, 5, -1}}},
    {" i j , k j -> k i ", "ij,kj->ki", {{3, 4, -1}, {5, 4, -1}}},
    {"bij,bjk->bik", "bij,bjk->bik", {{2, 3, 4, -1}, {2, 4, 5, -1}}},
    {"...ij,...jk->...ik", "abij,abjk->abik", {{2, 3, 4, 5, -1}, {2, 3, 5, 2, -1}}},
    {"...ij,...jk->...ik", "abij,bjk->abik", {{2, 3, 4, 5, -1}, {3, 5, 2, -1}}},
    {"...ij,...jk->...ik", "abij,abjk->abik", {{2, 1, 4, 5, -1}, {1, 3, 5, 2, -1}}},
    {"bhqd,bhkd->bhqk", "bhqd,bhkd->bhqk", {{2, 3, 4, 5, -1}, {2, 3, 6, 5, -1}}},
    {"bqhd,bkhd->bhqk", "bqhd,bkhd->bhqk", {{2, 4, 3, 5, -1}, {2, 6, 3, 5, -1}}},
    {"bhqk,bkhd->bqhd", "bhqk,bkhd->bqhd", {{2, 3, 4, 6, -1}, {2, 6, 3, 5, -1}}},
    {"ii->i", "ii->i", {{5, 5, -1}}},
    {"ii", "ii->", {{5, 5, -1}}},
    {"bii->b", "bii->b", {{3, 5, 5, -1}}},
    {"ij->ji", "ij->ji", {{3, 70, -1}}},
    {"ij->", "ij->", {{3, 7, -1}}},
    {"...i->...", "abi->ab", {{2, 3, 7, -1}}},
    {"i...->...", "iab->ab", {{2, 3, 7, -1}}},
    {"i,j->ij", "i,j->ij", {{3, -1}, {4, -1}}},
    {"i,i->", "i,i->", {{7, -1}, {7, -1}}},
    {"i,i->i", "i,i->i", {{7, -1}, {7, -1}}},
    {"ij,kl->il", "ij,kl->il", {{3, 4, -1}, {2, 5, -1}}},
    {"ijk,jil->kl", "ijk,jil->kl", {{3, 4, 5, -1}, {4, 3, 2, -1}}},
    {"abc,cd,def->feb", "abc,cd,def->feb", {{2, 3, 4, -1}, {4, 5, -1}, {5, 2, 3, -1}}},
    {"bn,anm,bm->ba", "bn,anm,bm->ba", {{2, 3, -1}, {4, 3, 5, -1}, {2, 5, -1}}},
    {"i,j,k,l->lkji", "i,j,k,l->lkji", {{2, -1}, {3, -1}, {4, -1}, {5, -1}}},
    {"bA,aB", "bA,aB->ABab", {{2, 3, -1}, {4, 5, -1}}},
    {"ij,j->i", "ij,j->i", {{3, 1, -1}, {4, -1}}},
    {"ij,jk->ik", "ij,jk->ik", {{70, 30, -1}, {30, 80, -1}}},
    {"->", "->", {{-1}}},
    {",->", ",->", {{-1}, {-1}}},
};

static void run_case(const struct einsum_case *c, enum onr_dtype dtype) {
  static double expected[CAPACITY], raw[CAPACITY], wide[CAPACITY];
  static float found[CAPACITY];
  struct onr_einsum_params params = {.equation = ""};
  int64_t out_dims[8];
  const size_t operands = split(c->plain).count - 1;
  struct layer_test t = {.layer = &onri_layer_einsum, .params = &params, .num_out = 1, .threads = 2};
  memcpy(params.equation, c->equation, strlen(c->equation));
  for (size_t i = 0; i < operands; i++) {
    const struct onr_desc desc = onr_desc_make(dtype, rank_of(c->dims[i]), c->dims[i]);
    const size_t count = (size_t)onr_desc_elements(&desc);
    fill_random(x[i], count, -3.99f, 3.99f, (uint32_t)i + 1);
    for (size_t j = 0; j < count; j++) x[i][j] = dtype == ONR_DTYPE_F32 ? x[i][j] : truncf(x[i][j]);
    for (size_t j = 0; j < count; j++) {
      if (dtype == ONR_DTYPE_F64) raw[j] = (double)x[i][j];
      if (dtype == ONR_DTYPE_I64) ((int64_t *)(void *)raw)[j] = (int64_t)x[i][j];
    }
    if (dtype == ONR_DTYPE_F16) onri_store(dtype, x[i], count, raw);
    layer_test_input(&t, dtype, desc.rank, c->dims[i], dtype == ONR_DTYPE_F32 ? (const void *)x[i] : (const void *)raw);
  }
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  const size_t results = reference(c, expected, out_dims);
  assert_int_equal(onr_desc_elements(&t.out[0].desc), results);
  for (int32_t d = 0; d < t.out[0].desc.rank; d++) assert_int_equal(t.out[0].desc.dim[d], out_dims[d]);
  if (dtype == ONR_DTYPE_F32 || dtype == ONR_DTYPE_F16) {
    onri_load(dtype, t.out[0].data, results, found);
    for (size_t i = 0; i < results; i++) wide[i] = (double)found[i];
  }
  for (size_t i = 0; i < results; i++) {
    if (dtype == ONR_DTYPE_F64) wide[i] = ((const double *)t.out[0].data)[i];
    if (dtype == ONR_DTYPE_I64) wide[i] = (double)((const int64_t *)t.out[0].data)[i];
    const double tolerance = (dtype == ONR_DTYPE_F32   ? 1e-5
                              : dtype == ONR_DTYPE_F16 ? 1e-3
                                                       : 0) *
                             (1 + fabs(expected[i]));
    if (fabs(wide[i] - expected[i]) > tolerance)
      fail_msg("%s, element %zu: %g, expected %g", c->equation, i, wide[i], expected[i]);
  }
  layer_test_clear(&t);
}

static void test_equations(void **unused) {
  const enum onr_dtype dtypes[] = {ONR_DTYPE_F32, ONR_DTYPE_F64, ONR_DTYPE_I64, ONR_DTYPE_F16};
  (void)unused;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int d = 0; d < 4; d++) run_case(&cases[i], dtypes[d]);
}

static enum onr_status status_of(const char *equation, size_t inputs, int32_t rank, int64_t second) {
  static const float data[64];
  struct onr_einsum_params params = {.equation = ""};
  struct layer_test t = {.layer = &onri_layer_einsum, .params = &params, .num_out = 1};
  memcpy(params.equation, equation, strlen(equation));
  layer_test_input(&t, ONR_DTYPE_F32, rank, (int64_t[]){2, 3}, data);
  if (inputs == 2) layer_test_input(&t, ONR_DTYPE_F32, rank, (int64_t[]){second, 4}, data);
  const enum onr_status status = layer_test_run(&t);
  layer_test_clear(&t);
  return status;
}

static void test_wrong_equations(void **unused) {
  static const char *const wrong[] = {
      "",        "->",          "ii...ii,..->", "iiiiiiiiiiiiiiiiiiii", "ab,bc->zz", "ab,bc->aa",       "ab,bc-",
      "ab,bc-c", "ab,bc->a->c", "ab,b1->a",     "ab,bc,cd->ad",         "ab->a",     "a......b,bc->ac", "abc,bc->a",
      "a,bc->a"};
  (void)unused;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
    assert_int_equal(status_of(wrong[i], 2, 2, 3), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of("ij,jk->", 1, 2, 3), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(status_of("ij,jk->ik", 2, 2, 5), ONR_STATUS_SHAPE);
  assert_int_equal(status_of("ij,jk->ik", 2, 2, 3), ONR_STATUS_OK);
}

static void test_nothing_to_sum(void **unused) {
  const float zeros[8] = {0}, data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  struct onr_einsum_params params = {.equation = "ij,jk->ik"};
  struct layer_test t = {.layer = &onri_layer_einsum, .params = &params, .num_out = 1};
  (void)unused;
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){2, 0}, data);
  layer_test_input(&t, ONR_DTYPE_F32, 2, (int64_t[]){0, 4}, data);
  assert_int_equal(layer_test_run(&t), ONR_STATUS_OK);
  assert_memory_equal(t.out[0].data, zeros, sizeof(zeros));
  layer_test_clear(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_equations),
      cmocka_unit_test(test_wrong_equations),
      cmocka_unit_test(test_nothing_to_sum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
