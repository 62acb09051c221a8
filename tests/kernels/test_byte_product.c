/* Products of bytes at every level against sums of 64 bits: all signs and zero points, sizes that end tiles, slices and
 * vectors, extremes that would saturate, zero points one a row and one a column. */
#include "base/env.h"
#include "kernels/kernels.h"
#include "kernels/quantize/byte_tile.h"

#include "support/sweep.h"

enum { MOST_M = 60, MOST_N = 300, MOST_K = 1300, MOST_RUNS = 9, CASES = 300 };

static size_t depth; /* runs * run */
static size_t runs[MOST_RUNS];
static char placed[MOST_M * (MOST_K + MOST_RUNS * 8) * 2 + 64];
static uint8_t a[MOST_M * MOST_K], b[MOST_K * MOST_N];
static int32_t c[MOST_M * MOST_N];

static int value(const uint8_t *x, size_t i, int is_signed) { return is_signed ? (int8_t)x[i] : x[i]; }

static void load(const void *context, size_t batch, size_t row, size_t rows, size_t from, size_t count, char *to,
                 size_t to_row) {
  const struct onri_byte_product *p = context;
  (void)batch;
  for (size_t r = 0; r < rows; r++) onri_byte_pack(a + (row + r) * depth + from, count, p->a_signed, to + r * to_row);
}

/* Rows of A packed into `placed`, the runs of each apart from each other, with rubbish between them. */
static void place_all(const struct onri_byte_product *p) {
  const size_t cell = onri_byte_cell(), step = (onri_byte_run_cells(p->k) + 4) * cell;
  memset(placed, 0x5A, sizeof(placed));
  for (size_t i = 0; i < p->k.runs; i++) {
    runs[i] = i * step;
    for (size_t r = 0; r < p->m; r++)
      onri_byte_pack(a + r * depth + i * p->k.run, p->k.run, p->a_signed, placed + (r * p->k.runs + i) * step);
  }
}

static void place(const void *context, size_t batch, size_t row, size_t rows, const char **begins) {
  const struct onri_byte_product *p = context;
  (void)batch;
  for (size_t r = 0; r < rows; r++)
    begins[r] = placed + (row + r) * p->k.runs * (onri_byte_run_cells(p->k) + 4) * onri_byte_cell();
}

static void finish(const void *context, size_t batch, size_t row, size_t column, const struct onri_byte_sums *sums) {
  const struct onri_byte_product *p = context;
  (void)batch;
  for (size_t r = 0; r < sums->rows; r++)
    memcpy(c + (row + r) * p->n + column, sums->sums + r * sums->sums_row, sums->columns * sizeof(int32_t));
}

static void fill(struct sweep *s, uint8_t *x, size_t count, int extreme) {
  for (size_t i = 0; i < count; i++)
    x[i] = (uint8_t)(extreme ? (sweep_pick(s, 0, 1) ? 0x80 : 0x7F) + (extreme == 2) * 0x80 : sweep_pick(s, 0, 255));
}

static void check(struct sweep *s) {
  static const int64_t depths[] = {1, 3, 4, 17, 64, 1023, 1024, 1025, 1290};
  static int32_t a_zeros[MOST_M], b_zeros[MOST_N], bias[MOST_N];
  struct onri_byte_product p = {.batches = 1, .num_columns = 1, .load = load, .finish = finish, .runs = runs};
  p.m = (size_t)sweep_pick(s, 1, MOST_M), p.n = (size_t)sweep_pick(s, 1, MOST_N);
  depth = (size_t)(sweep_pick(s, 0, 2) ? sweep_pick(s, 1, 80) : depths[sweep_pick(s, 0, 8)]);
  p.k = onri_byte_depth_of(depth);
  if (sweep_pick(s, 0, 1)) {
    p.k.runs = (size_t)sweep_pick(s, 1, MOST_RUNS), p.k.run = (depth + p.k.runs - 1) / p.k.runs;
    if (p.k.runs * p.k.run > MOST_K) p.k.run--;
    depth = p.k.runs * p.k.run, p.place = place;
  }
  p.a_signed = (int)sweep_pick(s, 0, 1), p.b_signed = (int)sweep_pick(s, 0, 1);
  fill(s, a, p.m * depth, (int)sweep_pick(s, 0, 2)), fill(s, b, depth * p.n, (int)sweep_pick(s, 0, 2));
  for (size_t i = 0; i < MOST_M; i++) a_zeros[i] = (int32_t)sweep_pick(s, 0, 255) - (p.a_signed ? 128 : 0);
  for (size_t i = 0; i < MOST_N; i++)
    b_zeros[i] = (int32_t)sweep_pick(s, 0, 255) - (p.b_signed ? 128 : 0),
    bias[i] = (int32_t)sweep_pick(s, -100000, 100000);
  p.a_zero = sweep_pick(s, 0, 2) ? a_zeros : NULL, p.a_zero_step = (size_t)sweep_pick(s, 0, 1);
  p.b_zero = sweep_pick(s, 0, 1) ? b_zeros : NULL, p.b_zero_step = (size_t)sweep_pick(s, 0, 1);
  p.bias = sweep_pick(s, 0, 1) ? bias : NULL;
  p.context = &p;
  const int by_rows = (int)sweep_pick(s, 0, 1);
  void *block = malloc(onri_byte_columns_bytes(p.k, p.n));
  assert_non_null(block);
  const int knows_zeros = p.b_zero && sweep_chance(s, 2); /* some of them can be taken off before */
  if (knows_zeros && sweep_chance(s, 2))
    for (size_t i = 0; i < depth * p.n; i++) b[i] = (uint8_t)(b[i] % 100 + (p.b_signed ? 0 : 80));
  const struct onri_byte_matrix matrix = {.b = b,
                                          .inner = depth,
                                          .inner_step = by_rows ? p.n : 1,
                                          .column_step = by_rows ? 1 : depth,
                                          .is_signed = p.b_signed,
                                          .zeros = knows_zeros ? p.b_zero : NULL,
                                          .zero_step = p.b_zero_step};
  onri_byte_columns_pack(onri_byte_columns_in(block, p.k, p.n), &matrix, p.k, p.n);
  p.columns = block;
  if (p.place) place_all(&p);
  struct onr_env env = {0};
  onri_byte_product(&p, &env);
  for (size_t i = 0; i < p.m; i++)
    for (size_t j = 0; j < p.n; j++) {
      int64_t sum = p.bias ? bias[j] : 0;
      const int za = p.a_zero ? a_zeros[i * p.a_zero_step] : 0, zb = p.b_zero ? b_zeros[j * p.b_zero_step] : 0;
      for (size_t k = 0; k < depth; k++)
        sum += (int64_t)(value(a, i * depth + k, p.a_signed) - za) *
               (value(b, by_rows ? k * p.n + j : j * depth + k, p.b_signed) - zb);
      if (c[i * p.n + j] != (int32_t)(uint32_t)sum)
        fail_msg("%d x %d x %d: [%d][%d] is %d instead of %d", (int)p.m, (int)depth, (int)p.n, (int)i, (int)j,
                 c[i * p.n + j], (int32_t)sum);
    }
  free(block);
}

static void test_products(void **state) {
  struct sweep s = sweep_from(5);
  (void)state;
  for (int i = 0; i < CASES; i++) check(&s);
}

/* The same tile that makes bytes and real numbers, less products of factors. */
static void check_results(const struct onri_byte_product_kernels *kernels, struct onri_byte_tile *tile,
                          const int8_t *panel, int32_t *sums) {
  enum { Y_ROW = 70 };
  static const int32_t row_factors[13] = {3, -1, 7, 0, 1000, 5, -99, 8, 2, 1, 4, -6, 12};
  int32_t column_factors[64], room[13 * 64] = {0};
  float scales[64 + 3];
  uint8_t y[13 * Y_ROW], expected[13 * Y_ROW];
  for (int j = 0; j < 67; j++) scales[j] = 0.001f * (float)(j + 1);
  for (int j = 0; j < 64; j++) column_factors[j] = j * 3 - 90;
  const struct onri_requantise r = {scales, 1, 5, -128, 100, tile->num_rows % 2};
  for (size_t i = 0; i < tile->num_rows; i++)
    for (size_t j = 0; j < tile->columns; j++) sums[i * 64 + j] -= row_factors[i] * column_factors[j];
  memset(y, 99, sizeof(y)), memset(expected, 99, sizeof(expected));
  kernels->requantise(&r, &(struct onri_byte_sums){sums, tile->num_rows, tile->columns, 64}, expected, Y_ROW);
  tile->requantise = &r, tile->y = y, tile->y_row = Y_ROW;
  tile->row_factors = row_factors, tile->column_factors = column_factors;
  kernels->tile(tile, panel, room);
  assert_memory_equal(y, expected, sizeof(y));
  float real[13 * Y_ROW] = {0}, expected_real[13 * Y_ROW] = {0};
  const struct onri_byte_reals reals = {scales, 1, tile->num_rows % 2 ? scales + 3 : NULL, -9.0f, INFINITY};
  kernels->reals(&reals, &(struct onri_byte_sums){sums, tile->num_rows, tile->columns, 64}, expected_real,
                 Y_ROW * sizeof(float));
  tile->requantise = NULL, tile->reals = &reals, tile->y = (uint8_t *)real, tile->y_row = Y_ROW * sizeof(float);
  memset(room, 0, sizeof(room));
  kernels->tile(tile, panel, room);
  assert_memory_equal(real, expected_real, sizeof(real));
}

/* The tile and the packing of each level give the same sums; the driver above runs the highest. */
static void test_levels(void **state) {
  enum { ROWS = 13, DEPTH = 40 };
  struct sweep s = sweep_from(9);
  (void)state;
  for (int i = 0; i < 2 * ((int)onri_cpu_level() + 1); i++) {
    const struct onri_byte_product_kernels *kernels = onri_kernels_at(byte_product, (enum onri_cpu_level)(i / 2));
    const int is_signed = i % 2;
    int8_t panel[DEPTH * 64];
    int32_t sums[ROWS * 64];
    char cells[ROWS * DEPTH * 2];
    const char *rows[ROWS];
    const size_t run[] = {0, DEPTH / 2 * kernels->cell};
    const int32_t start[64] = {7};
    assert_true(kernels->columns <= 64);
    fill(&s, a, ROWS * DEPTH, 0), fill(&s, (uint8_t *)panel, sizeof(panel), 0);
    for (size_t r = 0; r < ROWS; r++) {
      rows[r] = cells + r * DEPTH * kernels->cell;
      kernels->pack(a + r * DEPTH, DEPTH, is_signed, cells + r * DEPTH * kernels->cell);
    }
    for (size_t count = 1; count <= ROWS; count++)
      for (size_t columns = 1; columns <= kernels->columns; columns += 7) {
        struct onri_byte_tile tile = {.rows = rows,
                                      .num_rows = count,
                                      .runs = run,
                                      .num_runs = 2,
                                      .depth = DEPTH / 2,
                                      .columns = columns,
                                      .start = count % 2 ? start : NULL,
                                      .sums_row = 64};
        memset(sums, 0, sizeof(sums));
        kernels->tile(&tile, panel, sums);
        for (size_t r = 0; r < count; r++)
          for (size_t j = 0; j < columns; j++) {
            int32_t sum = tile.start ? start[j] : 0;
            for (size_t k = 0; k < DEPTH; k++)
              sum += (value(a, r * DEPTH + k, is_signed) + kernels->shift[is_signed]) *
                     panel[k / kernels->group * kernels->group * kernels->columns + j * kernels->group +
                           k % kernels->group];
            assert_int_equal(sums[r * 64 + j], sum);
          }
        check_results(kernels, &tile, panel, sums);
      }
  }
}

static void test_requantise(void **state) {
  enum { ROWS = 7, COLUMNS = 150, Y_ROW = COLUMNS + 3 };
  static const float scales[2][7] = {{0.01f, 1e-9f, 3.0f, 0.5f, NAN, INFINITY, 1e-30f},
                                     {0.01f, 1e-9f, 0.99999994f, 0.5f, -0.3f, 0.07f, 1e-30f}};
  static const struct onri_requantise forms[] = {{.zero = 7, .low = 0, .high = 255},
                                                 {.zero = 0, .low = 0, .high = 255},
                                                 {.zero = 200, .low = 10, .high = 240},
                                                 {.zero = -3, .low = -128, .high = 127},
                                                 {.zero = 5, .low = -100, .high = 127}};
  static int32_t sums[ROWS * COLUMNS];
  static float scale[COLUMNS];
  static uint8_t y[ROWS * Y_ROW];
  (void)state;
  for (int i = 0; i < ROWS * COLUMNS; i++) sums[i] = (i % 97 - 48) * (i % 3 == 0 ? 40000000 : i % 3 == 1 ? 101 : 1);
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (size_t count = 1; count <= COLUMNS; count++) {
      struct onri_requantise r = forms[count / 2 % 5];
      for (int i = 0; i < COLUMNS; i++) scale[i] = scales[count % 2][i % 7];
      r.scales = scale, r.scale_step = 1, r.below_one = onri_scales_below_one(scale, COLUMNS);
      assert_int_equal(r.below_one, count % 2);
      const struct onri_byte_sums rows = {sums, count % ROWS + 1, count, COLUMNS};
      memset(y, 99, sizeof(y));
      onri_kernels_at(byte_product, (enum onri_cpu_level)level)->requantise(&r, &rows, y, Y_ROW);
      for (size_t i = 0; i < sizeof(y); i++) {
        const size_t row = i / Y_ROW, column = i % Y_ROW;
        const int is_result = row < rows.rows && column < count;
        const float real =
            rintf((float)sums[is_result ? row * COLUMNS + column : 0] * scale[is_result ? column : 0]) + (float)r.zero;
        const int expected = !(real > (float)r.low) ? r.low : real > (float)r.high ? r.high : (int)real;
        assert_int_equal(y[i], is_result ? (uint8_t)expected : 99);
      }
    }
}

/* The product is rounded before the bias is added. */
static void test_reals(void **state) {
  enum { ROWS = 5, COLUMNS = 41, Y_ROW = COLUMNS + 2 };
  int32_t sums[ROWS * COLUMNS];
  float scale[COLUMNS], bias[COLUMNS], y[ROWS * Y_ROW];
  (void)state;
  for (int i = 0; i < ROWS * COLUMNS; i++) sums[i] = (i % 23 - 11) * 1234567 + i;
  for (int i = 0; i < COLUMNS; i++) scale[i] = 0.001f * (float)(i + 1), bias[i] = (float)(i * i) * 0.37f - 99.1f;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (size_t count = 1; count <= COLUMNS; count++) {
      const struct onri_byte_reals r = {scale, 1, count % 2 ? bias : NULL, -5000.0f, 1e9f};
      const struct onri_byte_sums rows = {sums, count % ROWS + 1, count, COLUMNS};
      for (size_t i = 0; i < ROWS * Y_ROW; i++) y[i] = 77;
      onri_kernels_at(byte_product, (enum onri_cpu_level)level)->reals(&r, &rows, y, Y_ROW * sizeof(float));
      for (size_t i = 0; i < ROWS * Y_ROW; i++) {
        const size_t row = i / Y_ROW, column = i % Y_ROW;
        volatile float real = 77;
        if (row < rows.rows && column < count) {
          real = (float)sums[row * COLUMNS + column] * scale[column];
          if (r.bias) real = real + bias[column];
          if (real < r.low) real = r.low;
        }
        assert_true(y[i] == real);
      }
    }
}

/* Rows are packed together as one by one, and sums copied, up to what was asked for. */
static void test_rows(void **state) {
  enum { ROWS = 7, MOST = 200, GUARD = 64 };
  static uint8_t x[ROWS * MOST];
  static char together[ROWS * (MOST + 4) * 2 + GUARD], alone[MOST * 2];
  static int32_t sums[ROWS * MOST], y[ROWS * MOST];
  struct sweep s = sweep_from(15);
  (void)state;
  for (size_t i = 0; i < sizeof(x); i++) x[i] = (uint8_t)sweep_next(&s);
  for (size_t i = 0; i < ROWS * MOST; i++) sums[i] = (int32_t)sweep_next(&s);
  for (int i = 0; i < 300 * ((int)onri_cpu_level() + 1); i++) {
    const struct onri_byte_product_kernels *k = onri_kernels_at(byte_product, (enum onri_cpu_level)(i / 300));
    const size_t rows = (size_t)sweep_pick(&s, 1, ROWS), count = (size_t)sweep_pick(&s, 1, MOST),
                 to_row = (count + (size_t)sweep_pick(&s, 0, 3)) * k->cell, x_row = (size_t)sweep_pick(&s, 0, MOST);
    const int is_signed = (int)sweep_pick(&s, 0, 1);
    const size_t most = x_row * (rows - 1) + count > sizeof(x) ? 1 : rows;
    memset(together, 77, sizeof(together));
    k->pack_lines(x, x_row, most, count, is_signed, together, to_row);
    for (size_t r = 0; r < most; r++) {
      k->pack(x + r * x_row, count, is_signed, alone);
      assert_memory_equal(together + r * to_row, alone, count * k->cell);
    }
    for (size_t at = most * to_row; at < sizeof(together); at++) assert_int_equal(together[at], 77);
    for (size_t j = 0; j < ROWS * MOST; j++) y[j] = 77;
    k->copy(&(struct onri_byte_sums){sums, rows, count, MOST}, y, MOST);
    for (size_t j = 0; j < ROWS * MOST; j++) assert_int_equal(y[j], j / MOST < rows && j % MOST < count ? sums[j] : 77);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_products), cmocka_unit_test(test_levels),
                                     cmocka_unit_test(test_rows), cmocka_unit_test(test_requantise),
                                     cmocka_unit_test(test_reals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
