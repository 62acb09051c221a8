/* Sums, products, extremes and their places on every instruction set, against loops in double: lines by themselves and
 * side by side, packed and apart, of every length that ends a vector, with NaN, infinities and equal elements. */
#include "support/sweep.h"

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "kernels/reduce/reduce_lines.h"

enum { MOST = 3000, COLUMNS = 64, CASES = 3000 };

static float x[MOST];
static double wide[MOST];

static double take(enum onri_take what, double acc, double v, double centre) {
  switch (what) {
    case ONRI_TAKE_SUM: return acc + v;
    case ONRI_TAKE_ABS: return acc + fabs(v);
    case ONRI_TAKE_SQUARE: return acc + (v - centre) * (v - centre);
    case ONRI_TAKE_EXP: return acc + exp(v - centre);
    case ONRI_TAKE_PROD: return acc * v;
    case ONRI_TAKE_MAX: return isnan(acc) || isnan(v) ? (double)NAN : v > acc ? v : acc;
    default: return isnan(acc) || isnan(v) ? (double)NAN : v < acc ? v : acc;
  }
}

static int beats(double v, double best, int minimum, int last) {
  if (isnan(best)) return last && isnan(v);
  if (isnan(v)) return 1;
  return (minimum ? v < best : v > best) || (last && v == best);
}

/* Few different values, so that some are equal, or many. */
static void fill(struct sweep *s, int product) {
  const uint32_t special = sweep_chance(s, 4) ? 3 : 0;
  sweep_fill(s, ONR_DTYPE_F32, MOST, product ? 1.3 : 4, special, x, wide);
  if (sweep_chance(s, 2))
    for (size_t i = 0; i < MOST; i++)
      if (isfinite(wide[i])) wide[i] = rint(wide[i]), x[i] = (float)wide[i];
}

static void expect_within(const char *what, int level, int op, double found, double is, double allowed) {
  if (isnan(found) && isnan(is)) return;
  if (isinf(is) ? found != is : !(fabs(found - is) <= allowed + 1e-300))
    fail_msg("%s %d, level %d: %.17g instead of %.17g", what, op, level, found, is);
}
static void expect(const char *what, int level, int op, double found, double is, double size) {
  expect_within(what, level, op, found, is, op == ONRI_TAKE_EXP ? 4e-7 * is : 1e-13 * size);
}

static void check_run(struct sweep *s, int level) {
  const struct onri_reduce_kernels *kernels = onri_kernels_at(reduce, level);
  const enum onri_take what = (enum onri_take)sweep_pick(s, 0, ONRI_NUM_TAKES - 1);
  const int is_long =
      sweep_chance(s, 8) && what != ONRI_TAKE_PROD; /* else it underflows, and infinity times 0 is NaN */
  const size_t count = (size_t)(is_long ? sweep_pick(s, 1, MOST) : sweep_pick(s, 1, 150));
  const double centre = (what == ONRI_TAKE_SQUARE || what == ONRI_TAKE_EXP) && sweep_chance(s, 2) ? 0.75 : 0,
               start = onri_take_start(what);
  fill(s, what == ONRI_TAKE_PROD);
  double is = start, size = 0;
  for (size_t i = 0; i < count; i++) {
    is = take(what, is, wide[i], centre);
    size += fabs(wide[i]) * fabs(wide[i]) + fabs(is);
  }
  expect("run", level, (int)what, kernels->run[what](x, count, centre, start), is, size);
  for (int minimum = 0; minimum < 2; minimum++)
    for (int last = 0; last < 2; last++) {
      size_t place = 0;
      for (size_t i = 1; i < count; i++) place = beats(wide[i], wide[place], minimum, last) ? i : place;
      assert_int_equal(kernels->place[minimum][last](x, count), place);
    }
}

static void check_lines(struct sweep *s, int level) {
  const struct onri_reduce_kernels *kernels = onri_kernels_at(reduce, level);
  const enum onri_take what = (enum onri_take)sweep_pick(s, 0, ONRI_NUM_TAKES - 1);
  struct onri_lines lines = {
      .x = x, .columns = (size_t)sweep_pick(s, 1, COLUMNS), .rows = (size_t)sweep_pick(s, 1, 40), .column_step = 1};
  double centre[COLUMNS], acc[COLUMNS + 1];
  lines.row_step = lines.columns + (size_t)sweep_pick(s, 0, 3);
  if (sweep_chance(s, 2)) lines.column_step = lines.rows + (size_t)sweep_pick(s, 0, 3), lines.row_step = 1;
  for (size_t j = 0; j < COLUMNS; j++) centre[j] = (double)sweep_pick(s, -3, 3);
  if (sweep_chance(s, 2)) lines.centre = centre;
  fill(s, what == ONRI_TAKE_PROD);
  for (size_t j = 0; j <= COLUMNS; j++) acc[j] = onri_take_start(what);
  acc[lines.columns] = 77;
  kernels->lines[what](&lines, acc);
  for (size_t j = 0; j < lines.columns; j++) {
    double is = onri_take_start(what), size = 0;
    for (size_t r = 0; r < lines.rows; r++) {
      const double v = wide[j * lines.column_step + r * lines.row_step];
      is = take(what, is, v, lines.centre ? centre[j] : 0);
      size += 16 + v * v + fabs(is);
    }
    expect("lines", level, (int)what, acc[j], is, size);
  }
  assert_true(acc[lines.columns] == 77);
  for (int minimum = 0; minimum < 2; minimum++)
    for (int last = 0; last < 2; last++) {
      int64_t places[COLUMNS + 1];
      places[lines.columns] = 77;
      kernels->places[minimum][last](&lines, places);
      assert_int_equal(places[lines.columns], 77);
      for (size_t j = 0; j < lines.columns; j++) {
        const double *line = wide + j * lines.column_step;
        size_t place = 0;
        for (size_t r = 1; r < lines.rows; r++)
          if (beats(line[r * lines.row_step], line[place * lines.row_step], minimum, last)) place = r;
        assert_int_equal(places[j], place);
      }
    }
}

/* Doubles: a line by itself, and lines side by side. */
static void check_doubles(struct sweep *s, int level) {
  const struct onri_reduce_kernels *kernels = onri_kernels_at(reduce, level);
  const enum onri_take what = (enum onri_take)sweep_pick(s, 0, ONRI_NUM_TAKES - 1);
  const size_t columns = (size_t)sweep_pick(s, 1, COLUMNS), rows = (size_t)sweep_pick(s, 1, 40);
  const int centred = (what == ONRI_TAKE_SQUARE || what == ONRI_TAKE_EXP) && sweep_chance(s, 2);
  const int along = sweep_chance(s, 2); /* elements of a line are neighbours */
  const size_t wider = (along ? rows : columns) + (size_t)sweep_pick(s, 0, 3), step = along ? 1 : wider,
               column_step = along ? wider : 1;
  double centre[COLUMNS], acc[COLUMNS + 1], run[2] = {onri_take_start(what), onri_take_start(what)}, run_size = 0;
  fill(s, what == ONRI_TAKE_PROD);
  for (size_t j = 0; j < COLUMNS; j++) centre[j] = centred ? (double)sweep_pick(s, -3, 3) : 0;
  for (size_t j = 0; j <= COLUMNS; j++) acc[j] = j == columns ? 77 : onri_take_start(what);
  kernels->doubles[what](&(struct onri_double_rows){wide, columns, column_step, rows, step, centred ? centre : NULL},
                         acc);
  for (size_t j = 0; j < columns; j++) {
    double is = onri_take_start(what), size = 0;
    for (size_t r = 0; r < rows; r++) {
      const double v = wide[r * step + j * column_step];
      is = take(what, is, v, centre[j]);
      size += 16 + v * v + fabs(is);
    }
    expect_within("doubles", level, (int)what, acc[j], is, 1e-13 * size);
  }
  assert_true(acc[columns] == 77);
  const size_t count = what == ONRI_TAKE_PROD && columns * rows > 150 ? 150 : columns * rows;
  run[1] = kernels->double_run[what](wide, count, centre[0], run[1]);
  for (size_t i = 0; i < count; i++) {
    run[0] = take(what, run[0], wide[i], centre[0]);
    run_size += 16 + wide[i] * wide[i] + fabs(run[0]);
  }
  expect_within("run of doubles", level, (int)what, run[1], run[0], 1e-13 * run_size);
}

static int64_t integer_at(const void *from, size_t k, size_t i) {
  switch (k) {
    case 0: return ((const int8_t *)from)[i];
    case 1: return ((const int16_t *)from)[i];
    case 2: return ((const int32_t *)from)[i];
    default: return ((const int64_t *)from)[i];
  }
}

/* The greatest and the least, with a sign and without: what they are, is turned back before it is compared. */
static void check_integers(struct sweep *s, int level) {
  static int64_t values[MOST], acc[4 * COLUMNS + 1];
  const struct onri_reduce_kernels *kernels = onri_kernels_at(reduce, level);
  const size_t k = (size_t)sweep_pick(s, 0, 3), bits = (size_t)8 << k, columns = (size_t)sweep_pick(s, 1, 4 * COLUMNS),
               rows = (size_t)sweep_pick(s, 1, 10), step = columns + (size_t)sweep_pick(s, 0, 3);
  const int is_signed = sweep_chance(s, 2), minimum = sweep_chance(s, 2);
  const uint64_t all = UINT64_MAX >> (64 - bits), sign = (uint64_t)1 << (bits - 1),
                 flip = (is_signed ? 0 : sign) ^ (minimum ? all : 0);
  const int64_t least = (int64_t)(UINT64_MAX << (bits - 1));
  for (size_t i = 0; i < MOST; i++) values[i] = (int64_t)((uint64_t)sweep_next(s) << 32 ^ sweep_next(s));
  for (size_t i = 0; i < 4 * COLUMNS + 1; i++) acc[i] = (int64_t)(UINT64_MAX / all * sign);
  kernels->greatest[k](&(struct onri_integer_rows){values, columns, rows, step, flip}, acc);
  int64_t of_all = least;
  for (size_t j = 0; j <= columns; j++) {
    int64_t best = least;
    for (size_t r = 0; r < rows && j < columns; r++) {
      const uint64_t bits_of = ((uint64_t)integer_at(values, k, r * step + j) ^ flip) & all;
      const int64_t v = (int64_t)(bits_of << (64 - bits)) >> (64 - bits);
      best = v > best ? v : best;
    }
    if (integer_at(acc, k, j) != best)
      fail_msg("integers of %zu bits, column %zu of %zu, level %d", bits, j, columns, level);
    of_all = best > of_all ? best : of_all;
  }
  if (step == columns) assert_int_equal(kernels->greatest_of_run[k](values, columns * rows, flip, least), of_all);
}

static void check_added_rows(struct sweep *s, int level) {
  enum { ALL = 4000, WIDEST = 300 };
  static uint64_t rows[ALL], sum[WIDEST + 1], expected[WIDEST + 1];
  const size_t columns = (size_t)sweep_pick(s, 1, WIDEST), count = (size_t)sweep_pick(s, 0, ALL / (int64_t)columns);
  for (size_t i = 0; i < columns * count; i++) rows[i] = (uint64_t)sweep_next(s) << 33 ^ sweep_next(s);
  for (size_t j = 0; j <= WIDEST; j++) sum[j] = expected[j] = j;
  for (size_t i = 0; i < columns * count; i++) expected[i % columns] += rows[i];
  onri_kernels_at(reduce, level)->add_rows(rows, columns, count, sum);
  assert_memory_equal(sum, expected, sizeof(sum));
}

static void check_extremes(struct sweep *s, int level) {
  enum { WIDEST = 80, AFTER = 7 };
  static float y[MOST + AFTER];
  const size_t columns = (size_t)sweep_pick(s, 1, WIDEST), rows = (size_t)sweep_pick(s, 1, 12);
  const size_t count = (size_t)sweep_pick(s, 1, MOST / (int64_t)(columns * rows));
  const int minimum = sweep_chance(s, 2);
  const enum onri_take what = minimum ? ONRI_TAKE_MIN : ONRI_TAKE_MAX;
  fill(s, 0);
  for (size_t i = 0; i < MOST + AFTER; i++) y[i] = 77;
  onri_kernels_at(reduce, level)->extremes(&(struct onri_reduce_groups){x, y, count, rows, columns, minimum});
  for (size_t i = 0; i < count * columns; i++) {
    double is = onri_take_start(what);
    for (size_t row = 0; row < rows; row++)
      is = take(what, is, wide[(i / columns * rows + row) * columns + i % columns], 0);
    expect("extremes", level, (int)what, (double)y[i], is, 0);
  }
  for (size_t i = count * columns; i < MOST + AFTER; i++) assert_true(y[i] == 77);
}

static void test_every_level(void **state) {
  struct sweep s = sweep_from(51);
  (void)state;
  for (int level = 0; level <= (int)onri_cpu_level(); level++)
    for (int i = 0; i < sweep_cases(CASES); i++) {
      check_run(&s, level);
      check_lines(&s, level);
      check_doubles(&s, level);
      check_integers(&s, level);
      check_extremes(&s, level);
      if (i % 8 == 0) check_added_rows(&s, level);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_level)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
