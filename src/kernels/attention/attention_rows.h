/* attention_rows.h: float32 attention of some rows of queries, for each instruction set. */
#ifndef ONRI_ATTENTION_ROWS_H
#define ONRI_ATTENTION_ROWS_H

#include "kernels/attention/attention.h"

/* Query rows of heads that share keys: row r is of head `head` + r / queries, query r % queries. */
struct onri_attention_job {
  size_t batch, head, first_row, rows;
  size_t most_rows; /* of a job: how rows are computed does not depend on where jobs end */
  float *scratch;   /* onri_attention_kernels.scratch_floats of it, 64-byte aligned */
};

struct onri_attention_kernels {
  size_t rows;                                                           /* of a tile */
  size_t (*scratch_floats)(const struct onri_attention *a, size_t rows); /* SIZE_MAX: too many */
  void (*run)(const struct onri_attention *a, const struct onri_attention_job *job);
};

/* Double, an item at a time. */
size_t onri_attention_f64_items(const struct onri_attention *a);
void onri_attention_f64_item(const struct onri_attention *a, size_t item);

#endif
