/* byte_product.c: see byte_product.h. A block of rows is packed, a slice of depth at a time, and multiplied by each
 * panel of B in turn, which it finds in the cache. */
#include "kernels/quantize/byte_product.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/kernels.h"
#include "kernels/quantize/byte_tile.h"

enum { ROWS = 24, COLUMNS = ONRI_BYTE_COLUMNS, DEPTH = 1024 };

static size_t rounded_up(size_t x, size_t to) { return (x + to - 1) / to * to; }

size_t onri_byte_cell(void) { return onri_kernels()->byte_product->cell; }

void onri_byte_pack(const void *x, size_t count, int is_signed, void *to) {
  onri_kernels()->byte_product->pack(x, count, is_signed, to);
}

void onri_byte_fill(int value, size_t count, int is_signed, void *to) {
  const struct onri_byte_product_kernels *kernels = onri_kernels()->byte_product;
  if (kernels->cell == 1) memset(to, is_signed ? value + kernels->shift : value, count);
  else
    for (size_t i = 0; i < count; i++) ((int16_t *)to)[i] = (int16_t)value;
}

/* --- B --- */

static size_t panels_bytes(size_t k, size_t n) {
  const size_t columns = onri_kernels()->byte_product->columns;
  size_t depth, across, bytes;
  if (!onri_add_size(k, ONRI_BYTE_GROUP - 1, &depth) || !onri_add_size(n, columns - 1, &across) ||
      !onri_mul_size(depth / ONRI_BYTE_GROUP * ONRI_BYTE_GROUP, across / columns * columns, &bytes))
    return SIZE_MAX;
  return bytes;
}

size_t onri_byte_columns_bytes(size_t k, size_t n) {
  size_t sums, bytes;
  if (!onri_mul_size(n, sizeof(int32_t), &sums) || !onri_add_size(panels_bytes(k, n), sums, &bytes) ||
      !onri_round_up(bytes, sizeof(int32_t), &bytes))
    return SIZE_MAX;
  return bytes;
}

struct onri_byte_columns onri_byte_columns_in(void *block, size_t k, size_t n) {
  return (struct onri_byte_columns){.panels = block, .sums = (int32_t *)(void *)((char *)block + panels_bytes(k, n))};
}

/* Unsigned elements of B become signed ones, 128 less. */
static uint8_t flip_of(int is_signed) { return is_signed ? 0 : 0x80; }

void onri_byte_columns_pack(struct onri_byte_columns columns, const struct onri_byte_matrix *b, size_t k, size_t n) {
  const struct onri_byte_product_kernels *kernels = onri_kernels()->byte_product;
  const size_t group = kernels->group, width = kernels->columns, depth = rounded_up(k, ONRI_BYTE_GROUP);
  const uint8_t flip = flip_of(b->is_signed);
  memset(columns.panels, 0, panels_bytes(k, n));
  for (size_t j = 0; j < n; j++) {
    int8_t *panel = columns.panels + j / width * depth * width + j % width * group;
    const uint8_t *outer = (const uint8_t *)b->b + j * b->column_step;
    uint32_t sum = 0;
    for (size_t p = 0; p < k; outer += b->outer_step)
      for (size_t i = 0; i < b->inner && p < k; i++, p++) {
        const int8_t value = (int8_t)(outer[i * b->inner_step] ^ flip);
        panel[p / group * group * width + p % group] = value;
        sum += (uint32_t)(int32_t)value;
      }
    columns.sums[j] = (int32_t)sum;
  }
}

int onri_byte_columns_at(struct onri_byte_columns columns, int is_signed, size_t k, size_t p, size_t j) {
  const struct onri_byte_product_kernels *kernels = onri_kernels()->byte_product;
  const size_t group = kernels->group, width = kernels->columns, depth = rounded_up(k, ONRI_BYTE_GROUP);
  const int8_t *panel = columns.panels + j / width * depth * width + j % width * group;
  return panel[p / group * group * width + p % group] + flip_of(is_signed);
}

/* --- the product --- */

struct work {
  const struct onri_byte_product *p;
  const struct onri_byte_product_kernels *kernels;
  size_t down, across, block_bytes;
};

/* Rows [row, row + rows) by columns [column, column + columns) of a batch. */
struct part {
  size_t batch, row, rows, column, columns;
  size_t block, a_block; /* of B's columns, of A's zero points */
};

/* What b_zero and a_zero take off the sums. A is as it was packed, so its zero points are shifted too. */
static void correct_row(const struct work *w, const struct part *t, size_t row, int32_t row_sum,
                        const int32_t *column_sums, int32_t *sums) {
  const struct onri_byte_product *p = w->p;
  const int32_t a_shift = p->a_signed ? w->kernels->shift : 0, b_shift = p->b_signed ? 0 : -128;
  const uint32_t a_zero =
      (uint32_t)((p->a_zero ? p->a_zero[t->a_block * p->a_zero_block + (t->row + row) * p->a_zero_step] : 0) + a_shift);
  const int32_t *bias = p->bias ? p->bias + t->block * p->bias_block + t->column : NULL;
  w->kernels->correct(sums, t->columns, bias, (int32_t)a_zero, column_sums);
  if (!p->b_zero && !b_shift) return;
  const int32_t *zeros = p->b_zero ? p->b_zero + t->block * p->b_zero_block + t->column * p->b_zero_step : NULL;
  const uint32_t factor = (uint32_t)row_sum - (uint32_t)p->k * a_zero;
  for (size_t j = 0; j < t->columns; j++) {
    const int32_t b_zero = (zeros ? zeros[j * p->b_zero_step] : 0) + b_shift;
    sums[j] = (int32_t)((uint32_t)sums[j] - (uint32_t)b_zero * factor);
  }
}

static void multiply(const struct work *w, const struct part *t) {
  const struct onri_byte_product *p = w->p;
  const struct onri_byte_product_kernels *kernels = w->kernels;
  const struct onri_byte_columns b = onri_byte_columns_in((char *)p->columns + t->block * w->block_bytes, p->k, p->n);
  const size_t depth = rounded_up(p->k, ONRI_BYTE_GROUP), width = kernels->columns;
  int32_t sums[ROWS * COLUMNS] __attribute__((aligned(64))) = {0}, row_sums[ROWS] = {0};
  char a[ROWS * DEPTH * 2] __attribute__((aligned(64)));
  for (size_t from = 0; from < p->k; from += DEPTH) {
    const size_t count = p->k - from < DEPTH ? p->k - from : DEPTH, cells = rounded_up(count, ONRI_BYTE_GROUP),
                 a_row = cells * kernels->cell;
    if (cells != count)
      for (size_t r = 0; r < t->rows; r++)
        memset(a + r * a_row + count * kernels->cell, 0, (cells - count) * kernels->cell);
    p->load(p->context, t->batch, t->row, t->rows, from, count, a, a_row);
    for (size_t j = 0; j < t->columns; j += width)
      kernels->tile(a, a_row, b.panels + ((t->column + j) / width * depth + from) * width, cells, t->rows, sums + j,
                    COLUMNS);
    if (p->b_zero || !p->b_signed)
      for (size_t r = 0; r < t->rows; r++)
        row_sums[r] = (int32_t)((uint32_t)row_sums[r] + (uint32_t)kernels->row_sum(a + r * a_row, count));
  }
  for (size_t r = 0; r < t->rows; r++) correct_row(w, t, r, row_sums[r], b.sums + t->column, sums + r * COLUMNS);
  p->finish(p->context, t->batch, t->row, t->rows, t->column, t->columns, sums, COLUMNS);
}

static void run_parts(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_byte_product *p = w->p;
  for (size_t item = begin; item < end; item++) {
    struct part t = {.batch = item / w->across / w->down,
                     .row = item / w->across % w->down * ROWS,
                     .column = item % w->across * COLUMNS};
    t.rows = p->m - t.row < ROWS ? p->m - t.row : ROWS;
    t.columns = p->n - t.column < COLUMNS ? p->n - t.column : COLUMNS;
    t.block = p->columns_of ? p->columns_of(p->context, t.batch) : t.batch % p->num_columns;
    t.a_block = p->rows_of ? p->rows_of(p->context, t.batch) : 0;
    multiply(w, &t);
  }
}

void onri_byte_product(const struct onri_byte_product *p, struct onr_env *env) {
  struct work w = {.p = p, .kernels = onri_kernels()->byte_product};
  w.down = (p->m + ROWS - 1) / ROWS;
  w.across = (p->n + COLUMNS - 1) / COLUMNS;
  w.block_bytes = onri_byte_columns_bytes(p->k, p->n);
  onr_parallel_for(env, p->batches * w.down * w.across, 1, run_parts, &w);
}

void onri_requantise(const struct onri_requantise *r, const int32_t *sums, size_t count, void *y) {
  onri_kernels()->byte_product->requantise(r, sums, count, y);
}

void onri_byte_reals(const float *scales, size_t scale_step, const float *bias, const int32_t *sums, size_t count,
                     float *y) {
  onri_kernels()->byte_product->reals(scales, scale_step, bias, sums, count, y);
}
