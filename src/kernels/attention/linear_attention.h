/* linear_attention.h: the recurrence of linear attention for one head of keys and a block of the columns of its state.
 */
#ifndef ONRI_KERNELS_LINEAR_ATTENTION_H
#define ONRI_KERNELS_LINEAR_ATTENTION_H

#include <stddef.h>

enum { ONRI_LINEAR_COLUMNS = 32 }; /* of a block; behind the last column of a head they are zero */

/* For each step: state = decay state; u = v, or with beta: beta (v - state^T k); state += k u^T; y = scale state^T q
 * for each of the query heads that share the state. */
struct onri_linear_attention {
  size_t steps, width, columns, query_heads; /* columns <= ONRI_LINEAR_COLUMNS */
  const float *q;                            /* [steps][query_heads][width], rows q_step apart */
  const float *k;                            /* [steps][width], k_step */
  const float *v;                            /* [steps][columns], v_step */
  const float *decay;                        /* [steps][width or 1], decay_step; NULL: none */
  const float *beta;                         /* [steps], beta_step; NULL: none */
  float *y;                                  /* [steps][query_heads][columns], y_step, heads y_head apart */
  size_t q_step, k_step, v_step, decay_step, beta_step, y_step, y_head;
  size_t decay_stride; /* 1: a decay for each row of the state, 0: one for all */
  float scale;
  float *state; /* [width][ONRI_LINEAR_COLUMNS] */
};

void onri_linear_attention(const struct onri_linear_attention *attention);

/* What a level has. */
struct onri_linear_attention_kernels {
  void (*run)(const struct onri_linear_attention *attention);
};

#endif
