/* Each level's keys, peaks and masks against loops over them, at lengths around those of vectors and blocks. */
#include <math.h>
#include <string.h>

#include "support/sweep.h"

#include "kernels/index/top_k.h"
#include "kernels/kernels.h"

enum { MOST = 400 };

static int64_t key_at(const void *keys, size_t size, size_t i) {
  return size == 4 ? ((const int32_t *)keys)[i] : ((const int64_t *)keys)[i];
}

/* Keys are in the order of the numbers: NaN above all, -0 as 0. */
static void check_order(const struct onri_top_k_kernels *kernels, enum onri_class class, const void *x,
                        const double *values, size_t count) {
  const size_t size = onri_class_size(class);
  int64_t keys[MOST], reversed[MOST];
  kernels->keys(class, x, count, 1, keys);
  kernels->keys(class, x, count, 0, reversed);
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j += 7) {
      const double a = values[i], b = values[j];
      const int greater = isnan(a) ? !isnan(b) : a > b, equal = (isnan(a) && isnan(b)) || a == b;
      assert_int_equal(key_at(keys, size, i) > key_at(keys, size, j), greater);
      assert_int_equal(key_at(keys, size, i) == key_at(keys, size, j), equal);
      assert_int_equal(key_at(reversed, size, i) < key_at(reversed, size, j), greater);
    }
}

static void check_keys(const struct onri_top_k_kernels *kernels, size_t count) {
  static const double special[] = {NAN, -NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-42, -1e-42};
  double values[MOST];
  float floats[MOST];
  int64_t integers[MOST];
  for (size_t i = 0; i < count; i++) {
    values[i] = i % 5 == 0 ? special[i / 5 % 8] : (double)(i * 7919 % 101) - 50;
    floats[i] = (float)values[i];
    values[i] = (double)floats[i];
  }
  check_order(kernels, ONRI_CLASS_F32, floats, values, count);
  check_order(kernels, ONRI_CLASS_F64, values, values, count);
  for (size_t i = 0; i < count; i++) {
    integers[i] = i % 5 == 0 ? INT64_MIN : (int64_t)(i * 7919 % 101) - 50;
    values[i] = (double)integers[i];
  }
  check_order(kernels, ONRI_CLASS_I64, integers, values, count);
  for (size_t i = 0; i < count; i++) values[i] = (double)(uint64_t)integers[i];
  for (size_t i = 0; i < count; i++) integers[i] = (int64_t)(uint64_t)(values[i] < 1.8e19 ? values[i] : 0);
  for (size_t i = 0; i < count; i++) values[i] = (double)(uint64_t)integers[i];
  check_order(kernels, ONRI_CLASS_U64, integers, values, count);
}

static void check_found(const struct onri_top_k_kernels *kernels, size_t size, size_t count) {
  int32_t narrow[MOST];
  int64_t wide[MOST], peaks[MOST];
  uint64_t above[MOST / ONRI_TOP_K_BLOCK + 1];
  for (size_t i = 0; i < count; i++) {
    narrow[i] = (int32_t)(i * 2654435761u);
    wide[i] = size == 4 ? narrow[i] : (int64_t)(i * 0x9E3779B97F4A7C15u);
  }
  const void *keys = size == 4 ? (const void *)narrow : wide;
  for (size_t k = 0; k < count; k += count / 3 + 1) {
    kernels->above(size, keys, count, wide[k], above);
    for (size_t i = 0; i < (count + ONRI_TOP_K_BLOCK - 1) / ONRI_TOP_K_BLOCK * ONRI_TOP_K_BLOCK; i++)
      assert_int_equal(above[i / ONRI_TOP_K_BLOCK] >> i % ONRI_TOP_K_BLOCK & 1, i < count && wide[i] > wide[k]);
  }
  for (size_t groups = ONRI_TOP_K_BLOCK; groups <= count; groups += ONRI_TOP_K_BLOCK) {
    kernels->peaks(size, keys, count, groups, peaks);
    for (size_t j = 0; j < groups; j++) {
      int64_t best = wide[j];
      for (size_t i = j; i < count; i += groups) best = wide[i] > best ? wide[i] : best;
      assert_int_equal(key_at(peaks, size, j), best);
    }
  }
}

/* Keys of which many are alike, and the least there is among them. */
static void check_best(const struct onri_top_k_kernels *kernels, size_t size, size_t count, size_t k) {
  int32_t narrow[ONRI_TOP_K_BLOCK];
  int64_t wide[ONRI_TOP_K_BLOCK], at[ONRI_TOP_K_BLOCK];
  uint8_t taken[ONRI_TOP_K_BLOCK] = {0};
  for (size_t i = 0; i < count; i++) {
    wide[i] = i % 3 == 1 ? (size == 4 ? INT32_MIN : INT64_MIN) : (int64_t)(i * 7919 % 11) - 5;
    narrow[i] = (int32_t)wide[i];
  }
  kernels->best(size, size == 4 ? (const void *)narrow : wide, count, k, at);
  for (size_t n = 0; n < k; n++) {
    size_t is = count;
    for (size_t i = 0; i < count; i++)
      if (!taken[i] && (is == count || wide[i] > wide[is])) is = i;
    taken[is] = 1;
    assert_int_equal(at[n], is);
  }
}

static void test_best(void **state) {
  (void)state;
  for (enum onri_cpu_level level = 0; level <= onri_cpu_level(); level++)
    for (size_t count = 1; count <= ONRI_TOP_K_BLOCK; count++)
      for (size_t k = 1; k <= count; k += 1 + k / 2) {
        check_best(onri_kernels_at(top_k, level), 4, count, k);
        check_best(onri_kernels_at(top_k, level), 8, count, k);
      }
}

/* Ties, NaN and both zeros; rows longer than the columns that are looked at. */
static void check_columns(const struct onri_top_k_kernels *kernels, size_t count, size_t length, size_t k,
                          int largest) {
  static const float special[] = {NAN, -NAN, INFINITY, -INFINITY, 0.0f, -0.0f};
  enum { ROW = 60 };
  float x[40 * ROW], values[ONRI_TOP_K_COLUMNS * ROW];
  int32_t at[ONRI_TOP_K_COLUMNS * ROW];
  int64_t keys[40];
  const struct onri_top_k_columns columns = {x, ROW, count, length, k, largest, values, at};
  for (size_t i = 0; i < length * ROW; i++) x[i] = i % 7 == 0 ? special[i / 7 % 6] : (float)(i * 7919 % 13) - 6;
  kernels->columns(&columns);
  for (size_t c = 0; c < count; c++) {
    float line[40];
    for (size_t i = 0; i < length; i++) line[i] = x[i * ROW + c];
    kernels->keys(ONRI_CLASS_F32, line, length, largest, keys);
    uint8_t taken[40] = {0};
    for (size_t n = 0; n < k; n++) {
      size_t is = length;
      for (size_t i = 0; i < length; i++)
        if (!taken[i] && (is == length || key_at(keys, 4, i) > key_at(keys, 4, is))) is = i;
      taken[is] = 1;
      assert_int_equal(at[n * count + c], is);
      assert_memory_equal(&values[n * count + c], &line[is], sizeof(float));
    }
  }
}

static void test_columns(void **state) {
  (void)state;
  for (enum onri_cpu_level level = 0; level <= onri_cpu_level(); level++)
    for (size_t count = 1; count <= 40; count += 1 + count / 3)
      for (size_t length = 1; length <= 40; length += 1 + length / 4)
        for (size_t k = 1; k <= length && k <= ONRI_TOP_K_COLUMNS; k++)
          for (int largest = 0; largest < 2; largest++)
            check_columns(onri_kernels_at(top_k, level), count, length, k, largest);
}

static void test_levels(void **state) {
  static const size_t counts[] = {1, 3, 8, 17, 63, 64, 65, 130, 200, 399};
  (void)state;
  for (enum onri_cpu_level level = 0; level <= onri_cpu_level(); level++)
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
      const struct onri_top_k_kernels *kernels = onri_kernels_at(top_k, level);
      check_keys(kernels, counts[c]);
      check_found(kernels, 4, counts[c]);
      check_found(kernels, 8, counts[c]);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels), cmocka_unit_test(test_best),
                                     cmocka_unit_test(test_columns)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
