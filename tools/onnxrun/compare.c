/* compare.c: found against expected, element by element. Floating-point types are compared with a tolerance; the others
 * must be the same. Complex numbers count as two. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "onnxrun/sequence.h"
#include "tool.h"

static int compare_reals(const struct onr_tensor *found, const struct onr_tensor *expected, double rtol, double atol,
                         char *reason, size_t size) {
  const int is_complex = is_complex_type(expected->desc.dtype);
  const int64_t count = onr_desc_elements(&expected->desc) * (is_complex ? 2 : 1);
  const double two_bfloat16_ulps = 1.0 / 64; /* as the ONNX backend suite's own runner allows */
  int64_t worst = -1, wrong = 0;
  double worst_excess = 0;
  if (expected->desc.dtype == ONR_DTYPE_BF16 && rtol < two_bfloat16_ulps) rtol = two_bfloat16_ulps;
  for (int64_t i = 0; i < count; i++) {
    const double f = number_at(found, i).real, e = number_at(expected, i).real;
    if (f == e || (isnan(f) && isnan(e))) continue;
    const double excess = fabs(f - e) / (atol + rtol * fabs(e) + 1e-300);
    if (excess <= 1) continue;
    wrong++;
    if (worst < 0 || !(excess <= worst_excess)) {
      worst = i;
      worst_excess = excess;
    }
  }
  if (worst < 0) return 1;
  const double f = number_at(found, worst).real, e = number_at(expected, worst).real;
  snprintf(reason, size, "%lld of %lld elements differ; worst at %lld: expected %.9g, found %.9g", (long long)wrong,
           (long long)count, (long long)worst, e, f);
  return 0;
}

static int same_element(const struct onr_tensor *a, const struct onr_tensor *b, int64_t i) {
  if (a->desc.dtype == ONR_DTYPE_STRING) {
    const struct onr_string *x = (const struct onr_string *)a->data + i, *y = (const struct onr_string *)b->data + i;
    return x->length == y->length && memcmp(x->text, y->text, x->length) == 0;
  }
  const size_t n = onr_dtype_size(a->desc.dtype);
  return memcmp((const char *)a->data + (size_t)i * n, (const char *)b->data + (size_t)i * n, n) == 0;
}

/* Sequences and optionals agree when their entries do. */
static int compare_entries(const struct onr_tensor *found, const struct onr_tensor *expected, double rtol, double atol,
                           char *reason, size_t size) {
  const int64_t count = onr_sequence_length(expected);
  if (onr_sequence_length(found) != count) {
    snprintf(reason, size, "expected %lld entries, found %lld", (long long)count,
             (long long)onr_sequence_length(found));
    return 0;
  }
  for (int64_t i = 0; i < count; i++) {
    const struct onr_tensor f = onr_sequence_entry(found, i), e = onr_sequence_entry(expected, i);
    char why[300];
    if (agrees(&f, &e, rtol, atol, why, sizeof(why))) continue;
    snprintf(reason, size, "entry %lld: %s", (long long)i, why);
    return 0;
  }
  return 1;
}

int agrees(const struct onr_tensor *found, const struct onr_tensor *expected, double rtol, double atol, char *reason,
           size_t size) {
  if (found->desc.dtype == expected->desc.dtype && onr_sequence_length(expected) >= 0)
    return compare_entries(found, expected, rtol, atol, reason, size);
  if (!onr_desc_equal(&found->desc, &expected->desc)) {
    char f[160], e[160];
    snprintf(reason, size, "expected %s, found %s", onr_desc_format(&expected->desc, e, sizeof(e)),
             onr_desc_format(&found->desc, f, sizeof(f)));
    return 0;
  }
  const int64_t count = onr_desc_elements(&expected->desc);
  if (!count || number_at(expected, 0).kind == REAL) return compare_reals(found, expected, rtol, atol, reason, size);
  for (int64_t i = 0; i < count; i++)
    if (!same_element(found, expected, i)) {
      snprintf(reason, size, "element %lld of %lld differs", (long long)i, (long long)count);
      return 0;
    }
  return 1;
}
