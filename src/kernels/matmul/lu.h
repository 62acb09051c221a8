/* lu.h: systems of linear equations by elimination with row exchanges, in double. */
#ifndef ONRI_LU_H
#define ONRI_LU_H

#include "base/env.h"

/* a [n][n] becomes the factors of its rows exchanged: U, and below the diagonal L, whose own diagonal is 1. exchanged
 * [n]: the row that row k changed places with before step k. *sign: 1, -1 after an odd number of exchanges, 0 when a
 * pivot is 0: then *step is its column, and the rest is not eliminated. CANCELLED when the caller wishes. */
enum onr_status onri_lu_factor(double *a, size_t n, size_t *exchanged, int *sign, size_t *step,
                               const struct onr_env *env, struct onr_error *error);
/* b [n][k] becomes x with A x = b. */
enum onr_status onri_lu_solve(const double *lu, const size_t *exchanged, size_t n, double *b, size_t k,
                              const struct onr_env *env, struct onr_error *error);

#endif
