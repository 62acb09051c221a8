/* byte_product.h: products of matrices of 8-bit integers with exact int32 sums, which wrap: C = (A - a_zero)(B -
 * b_zero).
 *
 * B is packed once; it stays 8 bits an element. Rows of A are read where they lie, or packed a few at a time in the
 * form that this processor's instructions take. */
#ifndef ONRI_BYTE_PRODUCT_H
#define ONRI_BYTE_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/layer.h"

/* How a row of A is written for this processor: `cell` bytes an element. */
size_t onri_byte_cell(void);
/* What is added to each element then. */
int onri_byte_shift(int is_signed);
/* Whether nothing changes: A may be read where it lies. */
int onri_byte_lies_packed(int is_signed);
/* `count` elements from x on. */
void onri_byte_pack(const void *x, size_t count, int is_signed, void *to);
/* `rows` rows of as many, x_row bytes apart, to rows to_row bytes apart, one after the other; what lies between these
 * is anything. */
void onri_byte_pack_rows(const void *x, size_t x_row, size_t rows, size_t count, int is_signed, void *to,
                         size_t to_row);
/* `count` times the element `value` of a signed or unsigned matrix. */
void onri_byte_fill(int value, size_t count, int is_signed, void *to);

/* What is summed up: a row of A lies in memory as some runs of elements side by side, each of as many. */
enum { ONRI_BYTE_GROUP = 4 };
struct onri_byte_depth {
  size_t runs, run;
};
static inline struct onri_byte_depth onri_byte_depth_of(size_t k) { return (struct onri_byte_depth){1, k}; }
/* A run with the zeros in B's panels that make its length a multiple of ONRI_BYTE_GROUP: A is read as far. */
static inline size_t onri_byte_run_cells(struct onri_byte_depth k) {
  return (k.run + ONRI_BYTE_GROUP - 1) / ONRI_BYTE_GROUP * ONRI_BYTE_GROUP;
}

/* B packed: [panels][runs][a run's cells][columns of a panel] and, for each column, the sum of what was packed and what
 * was taken off before: its zero point where that is known and bytes hold all differences, which then needs no row
 * sums; else 0 of signed elements, 128 of unsigned ones. */
struct onri_byte_columns {
  int8_t *panels;
  int32_t *sums, *taken; /* [n] */
};
/* SIZE_MAX where it does not fit. All parts lie in one block. */
size_t onri_byte_columns_bytes(struct onri_byte_depth k, size_t n);
struct onri_byte_columns onri_byte_columns_in(void *block, struct onri_byte_depth k, size_t n);
/* Where B lies: element [p][j] at b + p / inner * outer_step + p % inner * inner_step + j * column_step. A matrix has
 * inner = k. */
struct onri_byte_matrix {
  const void *b;
  size_t inner, inner_step, outer_step, column_step;
  int is_signed;
  const int32_t *zeros; /* of its elements: [1], or [n] with a step of 1; NULL: not known */
  size_t zero_step;
};
void onri_byte_columns_pack(struct onri_byte_columns columns, const struct onri_byte_matrix *b,
                            struct onri_byte_depth k, size_t n);
/* Element [p][j] of what was packed, as it was given. */
int onri_byte_columns_at(struct onri_byte_columns columns, struct onri_byte_depth k, size_t p, size_t j);

/* The most columns of a tile. */
enum { ONRI_BYTE_COLUMNS = 256 };

struct onri_byte_sums {
  const int32_t *sums; /* [rows][columns], each row sums_row elements behind the other */
  size_t rows, columns, sums_row;
};

/* y[j] = round(sums[j] * scale) + zero, halves to even, held within low and high (NaN: low), as a byte. scales: one, or
 * `count` of them with a step of 1. */
struct onri_requantise {
  const float *scales;
  size_t scale_step;
  int zero, low, high;
  int below_one; /* all scales are: their products with sums fit 32 bits. 0: not known */
};

/* y[j] = sums[j] * scale + bias[j], held within low and high (NaN stays); scales as there; bias may be NULL. */
struct onri_byte_reals {
  const float *scales;
  size_t scale_step;
  const float *bias;
  float low, high;
};

struct onri_byte_product {
  size_t batches, m, n;
  struct onri_byte_depth k;
  int a_signed, b_signed;
  const void *columns; /* blocks of onri_byte_columns_bytes, `num_columns` of them */
  size_t num_columns;
  /* Which block of columns, and of a_zero, a batch takes; NULL: batch % num_columns, and the first. */
  size_t (*columns_of)(const void *context, size_t batch);
  size_t (*rows_of)(const void *context, size_t batch);
  const int32_t *a_zero; /* [1], or [m] with a step of 1; NULL: 0 */
  size_t a_zero_step, a_zero_block;
  const int32_t *b_zero; /* [1] or [n], with a step; NULL: 0; block i of columns takes those from i * b_zero_block on */
  size_t b_zero_step, b_zero_block;
  const int32_t *bias; /* [n], or NULL; block i of columns takes those from i * bias_block on */
  size_t bias_block;
  const void *context;
  /* One of both, place before load. load: elements [from, from + depth) of rows [row, row + rows) of A, which has one
   * run, packed, the first at `to`, each to_row bytes behind the other. place: where such rows begin, packed; run i
   * lies runs[i] bytes from there. What follows a row up to the end of its cells is anything that may be read. */
  void (*load)(const void *context, size_t batch, size_t row, size_t rows, size_t from, size_t depth, char *to,
               size_t to_row);
  void (*place)(const void *context, size_t batch, size_t row, size_t rows, const char **begins);
  const size_t *runs; /* NULL: one, where its row begins */
  /* Where bytes of C, or float32, go from [row][column] on, whose rows lie y_row bytes apart, and how sums become such.
   * Both NULL: finish; also where rows of A have zero points of their own. */
  uint8_t *(*bytes_at)(const void *context, size_t batch, size_t row, size_t column, struct onri_requantise *r);
  float *(*reals_at)(const void *context, size_t batch, size_t row, size_t column, struct onri_byte_reals *r);
  size_t y_row;
  /* Where sums of C go as they are, rows y_row bytes apart; NULL: finish. */
  int32_t *(*sums_at)(const void *context, size_t batch, size_t row, size_t column);
  /* What becomes of the sums of C from [row][column] on. */
  void (*finish)(const void *context, size_t batch, size_t row, size_t column, const struct onri_byte_sums *sums);
};

void onri_byte_product(const struct onri_byte_product *p, struct onr_env *env);

static inline int onri_scales_below_one(const float *scales, size_t count) {
  int below = 1;
  for (size_t i = 0; i < count; i++) below &= scales[i] < 1.0f && scales[i] > -1.0f;
  return below;
}

/* The same from column `first` on. */
static inline struct onri_requantise onri_requantise_from(const struct onri_requantise *r, size_t first) {
  struct onri_requantise from = *r;
  from.scales += first * r->scale_step;
  return from;
}
static inline struct onri_byte_reals onri_byte_reals_from(const struct onri_byte_reals *r, size_t first) {
  struct onri_byte_reals from = *r;
  from.scales += first * r->scale_step;
  if (r->bias) from.bias += first;
  return from;
}

/* The sums themselves, rows y_row elements apart. */
void onri_byte_copy(const struct onri_byte_sums *sums, int32_t *y, size_t y_row);
/* Rows of y lie y_row bytes apart. That of reals may be the sums. */
void onri_byte_reals(const struct onri_byte_reals *r, const struct onri_byte_sums *sums, void *y, size_t y_row);
void onri_requantise(const struct onri_requantise *r, const struct onri_byte_sums *sums, void *y, size_t y_row);

#endif
