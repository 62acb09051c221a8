/* answers.c: outputs that are scores of classes. */
#include <math.h>

#include "tool.h"

double answer_score(const struct answers *a, int64_t n, int64_t class) {
  return number_at(a->y, n * a->classes + class).real;
}

/* Whether each row sums up to 1, as it is or as exponents. */
static int sums_to_one(const struct answers *a, int as_logarithm) {
  for (int64_t n = 0; n < a->count; n++) {
    double sum = 0;
    for (int64_t c = 0; c < a->classes; c++) {
      const double s = answer_score(a, n, c);
      if (as_logarithm ? !(s <= 1e-6) : !(s >= 0 && s <= 1 + 1e-6)) return 0;
      sum += as_logarithm ? exp(s) : s;
    }
    if (a->classes > 1 && !(fabs(sum - 1) < 1e-3)) return 0;
  }
  return 1;
}

int read_answers(const struct onr_tensor *y, int64_t count, struct answers *a) {
  if (y->desc.rank < 1) return 0;
  *a = (struct answers){y, count < 0 ? y->desc.dim[0] : count, y->desc.rank > 1 ? y->desc.dim[1] : 1, LOGITS};
  if (y->desc.dim[0] != a->count || a->classes < 1 || onr_desc_elements(&y->desc) != a->count * a->classes ||
      !a->count || number_at(y, 0).kind != REAL || is_complex_type(y->desc.dtype))
    return 0;
  if (sums_to_one(a, 0)) a->meaning = PROBABILITIES;
  else if (a->classes > 1 && sums_to_one(a, 1)) a->meaning = LOG_PROBABILITIES;
  return 1;
}

/* Of numbers that may be infinite: those that are largest share all of it. */
static double softmax(const struct answers *a, int64_t n, double s) {
  double most = -INFINITY, sum = 0;
  int64_t largest = 0;
  for (int64_t c = 0; c < a->classes; c++) most = fmax(most, answer_score(a, n, c));
  for (int64_t c = 0; c < a->classes; c++) {
    const double score = answer_score(a, n, c);
    largest += score == most;
    sum += exp(score - most);
  }
  return !isinf(most) ? exp(s - most) / sum : s == most ? 1 / (double)largest : 0;
}

double answer_probability(const struct answers *a, int64_t n, int64_t class) {
  const double s = answer_score(a, n, class);
  if (a->meaning == PROBABILITIES) return s;
  if (a->meaning == LOG_PROBABILITIES) return exp(s);
  if (a->classes == 1) return 1 / (1 + exp(-s));
  return softmax(a, n, s);
}

const char *answer_source(const struct answers *a) {
  if (a->meaning == PROBABILITIES) return NULL;
  return a->meaning == LOG_PROBABILITIES ? "exponents" : a->classes == 1 ? "sigmoid" : "softmax";
}
