/* byte_gates.h: products of a recurrent layer's gates whose weights are bytes, with rows that are rounded to bytes. */
#ifndef ONRI_BYTE_GATES_H
#define ONRI_BYTE_GATES_H

#include "onnxrun/layer.h"

/* W or R: [directions][k][n]. Offsets in scratch; see the members of the same name in run. */
struct onri_byte_gates {
  size_t directions, k, n, input; /* input: of the weights among the layer's; scales and zero points: from `scale` on */
  size_t scale;
  size_t columns_at; /* packed while it runs, where that was not done before */
  size_t zeros_at, scales_at, rows_at;
};

/* In prepare: packs weights [directions, k, n] that are known; *packed stays NULL for others. */
enum onr_status onri_byte_gates_prepare(struct onr_call *call, size_t input, void **packed);
/* In plan, with the members before columns_at set. rows: of all products that run at the same time. */
void onri_byte_gates_plan(struct onr_call *call, struct onri_byte_gates *g, const void *packed, size_t rows);
/* In run, before products; returns the packed weights. */
const void *onri_byte_gates_begin(struct onr_call *call, const struct onri_byte_gates *g, const void *packed);

struct onri_byte_gates_product {
  const void *columns;      /* packed */
  size_t first, directions; /* which of them; different ones may run at the same time */
  const float *x;           /* [rows][k], which they share */
  size_t rows;
  float *y;                  /* of the first direction: [rows][n] */
  size_t y_direction, y_row; /* elements from one to the next */
};
void onri_byte_gates_multiply(const struct onr_call *call, const struct onri_byte_gates *g,
                              const struct onri_byte_gates_product *p, struct onr_env *env);

#endif
