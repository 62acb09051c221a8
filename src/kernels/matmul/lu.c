#include "kernels/matmul/lu.h"

#include <math.h>

static void swap_rows(double *x, double *y, size_t n) {
  for (size_t j = 0; j < n && x != y; j++) {
    const double t = x[j];
    x[j] = y[j];
    y[j] = t;
  }
}

static void subtract(double *restrict y, double factor, const double *restrict x, size_t n) {
  /* also for a factor of 0, which makes NaN of NaN and of infinities */
  for (size_t j = 0; j < n; j++) y[j] -= factor * x[j];
}

enum onr_status onri_lu_factor(double *a, size_t n, size_t *exchanged, int *sign, size_t *step,
                               const struct onr_env *env, struct onr_error *error) {
  *sign = 1;
  for (size_t k = *step = 0; k < n; k++, *step = k) {
    size_t pivot = k;
    ONR_TRY(onri_env_poll(env, error));
    for (size_t i = k + 1; i < n; i++)
      if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
    exchanged[k] = pivot;
    if (a[pivot * n + k] == 0) {
      *sign = 0;
      return ONR_STATUS_OK;
    }
    if (pivot != k) *sign = -*sign;
    swap_rows(a + k * n, a + pivot * n, n);
    for (size_t i = k + 1; i < n; i++) {
      a[i * n + k] /= a[k * n + k];
      subtract(a + i * n + k + 1, a[i * n + k], a + k * n + k + 1, n - k - 1);
    }
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_lu_solve(const double *lu, const size_t *exchanged, size_t n, double *b, size_t k,
                              const struct onr_env *env, struct onr_error *error) {
  for (size_t i = 0; i < n; i++) swap_rows(b + i * k, b + exchanged[i] * k, k);
  for (size_t i = 0; i < n; i++) {
    ONR_TRY(onri_env_poll(env, error));
    for (size_t j = 0; j < i; j++) subtract(b + i * k, lu[i * n + j], b + j * k, k);
  }
  for (size_t i = n; i-- > 0;) {
    ONR_TRY(onri_env_poll(env, error));
    for (size_t j = i + 1; j < n; j++) subtract(b + i * k, lu[i * n + j], b + j * k, k);
    for (size_t j = 0; j < k; j++) b[i * k + j] /= lu[i * n + i];
  }
  return ONR_STATUS_OK;
}
