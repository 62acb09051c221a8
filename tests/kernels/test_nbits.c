/* Products with weights of 2, 4 and 8 bits, at every level, against sums in double: all kinds of zero points and types
 * of scales, rows in bytes and in float32, and columns widened from any block on. Panels are laid out here as
 * nbits_panel.h says. */
#include "kernels/kernels.h"
#include "kernels/matmul/nbits_panel.h"

#include "support/sweep.h"

enum { K = 768, MOST_COLUMNS = 32, MOST_BLOCKS = K / 16, MOST_ROWS = 19, CASES = 300 };

static int values[K][MOST_COLUMNS];
static double scales[MOST_BLOCKS][MOST_COLUMNS], zeros[MOST_BLOCKS][MOST_COLUMNS];
static uint32_t words[K / 4 * MOST_COLUMNS];
static char scale_bytes[MOST_BLOCKS * MOST_COLUMNS * 4], zero_bytes[MOST_BLOCKS * MOST_COLUMNS * 4];
static float x[MOST_ROWS][K];

static double weight(const struct onri_nbits_panel *p, size_t k, size_t block, size_t j) {
  (void)p;
  return (values[k][j] - zeros[block][j]) * scales[block][j];
}

static void fill_real(struct sweep *s, enum onr_dtype type, size_t columns, size_t blocks, double range, char *to,
                      double (*wide)[MOST_COLUMNS]) {
  for (size_t b = 0; b < blocks; b++)
    sweep_fill(s, type, columns, range, 0, to + b * columns * onr_dtype_size(type), wide[b]);
}

static struct onri_nbits_panel make(struct sweep *s, const struct onri_nbits_kernels *kernels) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F16, ONR_DTYPE_BF16};
  struct onri_nbits_panel p = {.words = words, .scales = scale_bytes, .zeros = zero_bytes};
  p.bits = 2 << sweep_pick(s, 0, 2);
  p.block = (size_t)16 << sweep_pick(s, 0, 4);
  p.blocks = K / p.block - (size_t)sweep_pick(s, 0, (int64_t)(K / p.block) - 1);
  p.real = types[sweep_pick(s, 0, 2)];
  p.kind = (enum onri_nbits_zeros)sweep_pick(s, 0, 2);
  const size_t columns = kernels->columns, a_word = (size_t)(32 / p.bits), group = kernels->group;
  memset(words, 0, sizeof(words));
  for (size_t k = 0; k < p.blocks * p.block; k++)
    for (size_t j = 0; j < columns; j++) {
      values[k][j] = (int)(sweep_next(s) >> 3 & ((1u << p.bits) - 1));
      const size_t e = k % a_word;
      words[k / a_word * columns + j] |= (uint32_t)values[k][j]
                                         << (e % group * (32 / group) + e / group * (size_t)p.bits);
    }
  fill_real(s, p.real, columns, p.blocks, 0.1, scale_bytes, scales);
  if (p.kind == ONRI_NBITS_REALS) fill_real(s, p.real, columns, p.blocks, 1 << p.bits, zero_bytes, zeros);
  for (size_t b = 0; b < p.blocks && p.kind != ONRI_NBITS_REALS; b++)
    for (size_t j = 0; j < columns; j++) {
      const unsigned zero = p.kind == ONRI_NBITS_BYTES ? sweep_next(s) & ((1u << p.bits) - 1) : 1u << (p.bits - 1);
      zeros[b][j] = zero;
      zero_bytes[b * columns + j] = (char)zero;
    }
  return p;
}

/* Sums of |a b| bound what rounding may do. */
static void check_sum(double found, double expected, double size, const char *what) {
  if (!(fabs(found - expected) <= 4e-6 * size + 1e-30))
    fail_msg("%s: %.9g instead of %.9g (of %.3g)", what, found, expected, size);
}

static void check_row(const struct onri_nbits_panel *p, const struct onri_nbits_kernels *kernels) {
  float sums[MOST_BLOCKS] = {0}, y[MOST_COLUMNS];
  for (size_t k = 0; k < p->blocks * p->block; k++) sums[k / p->block] += x[0][k];
  kernels->row(p, x[0], sums, y);
  for (size_t j = 0; j < kernels->columns; j++) {
    double sum = 0, size = 0;
    for (size_t k = 0; k < p->blocks * p->block; k++) {
      const size_t b = k / p->block;
      sum += x[0][k] * weight(p, k, b, j);
      size += fabs(x[0][k] * scales[b][j]) * (1 << p->bits);
    }
    check_sum(y[j], sum, size, "a row");
  }
}

static void check_widen(struct sweep *s, const struct onri_nbits_panel *p, const struct onri_nbits_kernels *kernels) {
  static float to[K * MOST_COLUMNS + 1];
  int32_t group[K];
  const size_t depth = p->blocks * p->block, from = (size_t)sweep_pick(s, 0, (int64_t)depth / 16 - 1) * 16,
               count = (size_t)sweep_pick(s, 1, (int64_t)(depth - from));
  const int grouped = sweep_chance(s, 2);
  for (size_t k = 0; k < depth; k++)
    group[k] = grouped ? (int32_t)sweep_pick(s, 0, (int64_t)p->blocks - 1) : (int32_t)(k / p->block);
  to[count * kernels->columns] = 77;
  kernels->widen(p, grouped ? group : NULL, from, count, to);
  assert_true(to[count * kernels->columns] == 77);
  for (size_t k = 0; k < count; k++)
    for (size_t j = 0; j < kernels->columns; j++) {
      const size_t b = (size_t)group[from + k];
      check_sum(to[k * kernels->columns + j], weight(p, from + k, b, j), fabs(scales[b][j]) * (1 << p->bits), "widen");
    }
}

/* What quantise makes of x is near it, and the sums are exactly those of the bytes. */
static void check_bytes(struct sweep *s, const struct onri_nbits_panel *p, const struct onri_nbits_kernels *kernels) {
  static char cells[MOST_ROWS * K * 2];
  static int q[MOST_ROWS][K];
  float factors[MOST_ROWS * MOST_BLOCKS], y[MOST_ROWS * MOST_COLUMNS];
  int32_t sums[MOST_ROWS * MOST_BLOCKS];
  const size_t depth = p->blocks * p->block, rows = (size_t)sweep_pick(s, 1, MOST_ROWS), cell = kernels->cell,
               count = depth - (size_t)sweep_pick(s, 0, (int64_t)p->block - 1);
  for (size_t r = 0; r < rows; r++) {
    char *own = cells + r * depth * cell;
    kernels->quantise(x[r], count, p->block, own, factors + r * p->blocks, sums + r * p->blocks);
    for (size_t b = 0; b < p->blocks; b++) {
      const float factor = factors[r * p->blocks + b];
      double most = 0;
      int32_t sum = 0;
      for (size_t k = b * p->block; k < (b + 1) * p->block; k++) {
        const double exact = k < count ? (double)x[r][k] : 0;
        q[r][k] = cell == 1 ? (int8_t)own[k] : ((int16_t *)(void *)own)[k];
        assert_true(fabs(q[r][k] * (double)factor - exact) <= 0.5001 * (double)factor);
        most = fmax(most, fabs(exact));
        sum += q[r][k];
      }
      assert_true(fabs((double)factor * 127 - most) <= 1e-6 * most);
      assert_int_equal(sums[r * p->blocks + b], sum);
    }
  }
  const struct onri_nbits_rows a = {cells, factors, sums};
  kernels->bytes(p, &a, rows, y, kernels->columns);
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < kernels->columns; j++) {
      double sum = 0, size = 0;
      for (size_t k = 0; k < depth; k++) {
        const size_t b = k / p->block;
        const double real = q[r][k] * (double)factors[r * p->blocks + b];
        sum += real * weight(p, k, b, j);
        size += fabs(real * scales[b][j]) * (1 << p->bits);
      }
      check_sum(y[r * kernels->columns + j], sum, size, "bytes");
    }
}

static void each_level_computes(void **state) {
  (void)state;
  double wide[K];
  for (int level = 0; level <= (int)onri_cpu_level(); level++) {
    const struct onri_nbits_kernels *kernels = onri_kernels_at(nbits, (enum onri_cpu_level)level);
    struct sweep s = sweep_from(5);
    assert_true(kernels->columns <= MOST_COLUMNS);
    for (int i = 0; i < sweep_cases(CASES); i++) {
      for (int r = 0; r < MOST_ROWS; r++) sweep_fill(&s, ONR_DTYPE_F32, K, 3, 0, x[r], wide);
      const struct onri_nbits_panel panel = make(&s, kernels);
      check_row(&panel, kernels);
      check_widen(&s, &panel, kernels);
      check_bytes(&s, &panel, kernels);
    }
  }
}

static void what_is_not_finite_spoils_its_block(void **state) {
  (void)state;
  static const float odd[] = {NAN, INFINITY, -INFINITY};
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < 3; i++) {
      const struct onri_nbits_kernels *kernels = onri_kernels_at(nbits, (enum onri_cpu_level)level);
      float row[32] = {1, 2, 3}, factors[2];
      char cells[64];
      int32_t sums[2];
      row[17] = odd[i];
      kernels->quantise(row, 32, 16, cells, factors, sums);
      assert_true(factors[0] == 3.0f / 127 && !isfinite(factors[1]) && sums[1] == 0);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_level_computes),
      cmocka_unit_test(what_is_not_finite_spoils_its_block),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
