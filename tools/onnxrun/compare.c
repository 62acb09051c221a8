/* compare: found against expected, element by element. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static double half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31) return fraction ? NAN : sign * INFINITY;
  return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double bfloat_value(uint16_t bits) {
  const uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, sizeof(value));
  return (double)value;
}

/* Floating-point types that are compared with a tolerance; the others must be the same. Complex numbers count as two. */
static int real_value(const struct onr_tensor *t, int64_t i, double *value) {
  switch (t->desc.dtype) {
    case ONR_DTYPE_C64:
    case ONR_DTYPE_F32: *value = (double)((const float *)t->data)[i]; return 1;
    case ONR_DTYPE_C128:
    case ONR_DTYPE_F64: *value = ((const double *)t->data)[i]; return 1;
    case ONR_DTYPE_F16: *value = half_value(((const uint16_t *)t->data)[i]); return 1;
    case ONR_DTYPE_BF16: *value = bfloat_value(((const uint16_t *)t->data)[i]); return 1;
    default: return 0;
  }
}

static int compare_reals(const struct onr_tensor *found, const struct onr_tensor *expected, double rtol, double atol, char *reason,
                         size_t size) {
  const int is_complex = expected->desc.dtype == ONR_DTYPE_C64 || expected->desc.dtype == ONR_DTYPE_C128;
  const int64_t count = onr_desc_elements(&expected->desc) * (is_complex ? 2 : 1);
  const double two_bfloat16_ulps = 1.0 / 64; /* as the ONNX backend suite's own runner allows */
  int64_t worst = -1, wrong = 0;
  double worst_excess = 0;
  if (expected->desc.dtype == ONR_DTYPE_BF16 && rtol < two_bfloat16_ulps) rtol = two_bfloat16_ulps;
  for (int64_t i = 0; i < count; i++) {
    double f = 0, e = 0;
    real_value(found, i, &f);
    real_value(expected, i, &e);
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
  double f = 0, e = 0;
  real_value(found, worst, &f);
  real_value(expected, worst, &e);
  snprintf(reason, size, "%lld of %lld elements differ; worst at %lld: expected %.7g, found %.7g", (long long)wrong,
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
static int compare_entries(const struct onr_tensor *found, const struct onr_tensor *expected, double rtol, double atol, char *reason,
                           size_t size) {
  const int64_t count = onr_sequence_length(expected);
  if (onr_sequence_length(found) != count) {
    snprintf(reason, size, "expected %lld entries, found %lld", (long long)count, (long long)onr_sequence_length(found));
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

int agrees(const struct onr_tensor *found, const struct onr_tensor *expected, double rtol, double atol, char *reason, size_t size) {
  double unused;
  if (found->desc.dtype == expected->desc.dtype && onr_sequence_length(expected) >= 0)
    return compare_entries(found, expected, rtol, atol, reason, size);
  if (!onr_desc_equal(&found->desc, &expected->desc)) {
    char f[160], e[160];
    snprintf(reason, size, "expected %s, found %s", onr_desc_format(&expected->desc, e, sizeof(e)),
             onr_desc_format(&found->desc, f, sizeof(f)));
    return 0;
  }
  const int64_t count = onr_desc_elements(&expected->desc);
  if (!count || real_value(expected, 0, &unused)) return compare_reals(found, expected, rtol, atol, reason, size);
  for (int64_t i = 0; i < count; i++)
    if (!same_element(found, expected, i)) {
      snprintf(reason, size, "element %lld of %lld differs", (long long)i, (long long)count);
      return 0;
    }
  return 1;
}
