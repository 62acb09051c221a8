/* svm.c: support vector machines: svm_kernel compares rows with support vectors, svm_vote lets each pair of classes
 * decide. */
#include <math.h>
#include <string.h>

#include "kernels/convert/convert.h"
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/elementwise/vecmath.h"
#include "layers/layers.h"

/* --- svm_kernel: x [n, features], vectors [m, features] --- */

static enum onr_status check_vectors(const struct onr_call *call) { return onri_expect_rank(call, 1, 2, 2); }

static enum onr_status kernel_infer(struct onr_call *call) {
  const struct onr_desc *x = &call->in[0], *v = &call->in[1];
  ONR_TRY(check_vectors(call));
  ONR_TRY(onri_expect_rank(call, 0, 1, 2));
  if (x->dim[x->rank - 1] != v->dim[1])
    return onr_fail(call->error, ONR_STATUS_SHAPE, "a row has %lld features, a support vector %lld",
                    (long long)x->dim[x->rank - 1], (long long)v->dim[1]);
  call->out[0] = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){x->rank == 2 ? x->dim[0] : 1, v->dim[0]});
  return ONR_STATUS_OK;
}

/* x in float32, when it is not. */
static enum onr_status kernel_plan(struct onr_call *call) {
  const size_t elements = (size_t)onr_desc_elements(&call->in[0]);
  if (call->in[0].dtype != ONR_DTYPE_F32 && !onri_mul_size(elements, sizeof(float), &call->scratch_bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT,
                    "the scratch memory of the support vectors exceeds the address space");
  return ONR_STATUS_OK;
}

/* The vectors [features][m], so that a row is compared with all of them at once. */
struct kernel_prepared {
  float *columns;
};

static enum onr_status kernel_prepare(struct onr_call *call) {
  struct kernel_prepared *prepared = call->prepared;
  const float *vectors = call->inputs[1];
  const size_t m = (size_t)call->in[1].dim[0], n = (size_t)call->in[1].dim[1];
  if (!vectors) return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "support vectors must be constants");
  ONR_TRY(check_vectors(call));
  prepared->columns = onr_env_allocate(call->env, m * n * sizeof(float));
  if (!prepared->columns) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for %zu support vectors", m);
  for (size_t v = 0; v < m; v++)
    for (size_t f = 0; f < n; f++) prepared->columns[f * m + v] = vectors[v * n + f];
  call->packed_inputs = 1u << 1;
  return ONR_STATUS_OK;
}

static void kernel_release(void *prepared, struct onr_env *env) {
  onr_env_release(env, ((struct kernel_prepared *)prepared)->columns);
}

/* y[v]: sum over features of x v, or of (x - v)^2. */
static void compare_row(const float *x, const float *columns, size_t n, size_t m, int distance, float *y) {
  memset(y, 0, m * sizeof(*y));
  for (size_t f = 0; f < n; f++) {
    const float *column = columns + f * m, value = x[f];
    if (distance)
      for (size_t v = 0; v < m; v++) y[v] += (value - column[v]) * (value - column[v]);
    else
      for (size_t v = 0; v < m; v++) y[v] += value * column[v];
  }
}

static void finish_row(const struct onr_svm_kernel_params *p, float *y, size_t m) {
  const float scale = p->kernel == ONR_SVM_RBF ? -p->gamma : p->gamma, shift = p->kernel == ONR_SVM_RBF ? 0 : p->coef0;
  if (p->kernel == ONR_SVM_LINEAR) return;
  for (size_t v = 0; v < m; v++) y[v] = scale * y[v] + shift;
  if (p->kernel == ONR_SVM_RBF) onri_exp_f32(y, y, m);
  if (p->kernel == ONR_SVM_SIGMOID) onri_tanh_f32(y, y, m);
  for (size_t v = 0; p->kernel == ONR_SVM_POLY && v < m; v++) y[v] = powf(y[v], p->degree);
}

static void kernel_rows(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct onr_svm_kernel_params *p = call->params;
  const struct kernel_prepared *prepared = call->prepared;
  const size_t m = (size_t)call->in[1].dim[0], n = (size_t)call->in[1].dim[1];
  const struct onri_cast cast = {.from = call->in[0].dtype, .to = ONR_DTYPE_F32};
  for (size_t row = begin; row < end && !onr_env_cancelled(call->env); row++) {
    const float *x = (const float *)call->inputs[0] + row * n;
    float *y = (float *)call->outputs[0] + row * m;
    if (cast.from != ONR_DTYPE_F32) {
      float *converted = (float *)call->scratch + row * n;
      onri_convert_elements(&cast, (const char *)call->inputs[0] + row * n * onr_dtype_size(cast.from), converted, n);
      x = converted;
    }
    compare_row(x, prepared->columns, n, m, p->kernel == ONR_SVM_RBF, y);
    finish_row(p, y, m);
  }
}

static enum onr_status kernel_run(struct onr_call *call) {
  onr_parallel_for(call->env, (size_t)call->out[0].dim[0], 4, kernel_rows, call);
  return ONR_STATUS_OK;
}

/* --- svm_vote: kernel values [n, m], coefficients [classes - 1, m], rho [pairs], prob_a, prob_b --- */

enum { KERNEL, COEFFICIENTS, RHO, PROB_A, PROB_B, PARTS = 16 };
enum { CLASS, SCORES };

static size_t pairs_of(const struct onr_svm_vote_params *p) {
  return (size_t)p->num_classes * (p->num_classes - 1) / 2;
}

static enum onr_status vote_infer(struct onr_call *call) {
  const struct onr_svm_vote_params *p = call->params;
  const int64_t pairs = (int64_t)pairs_of(p), vectors = call->in[KERNEL].dim[1], rows = call->in[KERNEL].dim[0];
  const struct onr_desc coefficients =
      onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){(int64_t)p->num_classes - 1, vectors});
  const struct onr_desc per_pair = onr_desc_make(ONR_DTYPE_F32, 1, &pairs);
  int64_t sum = 0;
  ONR_TRY(onri_expect_rank(call, KERNEL, 2, 2));
  if (p->num_classes < 2)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected 2 classes or more, found %u", p->num_classes);
  for (uint32_t c = 0; c < p->num_classes; c++)
    if (p->vectors_per_class[c] < 0 || !onri_add_i64(sum, p->vectors_per_class[c], &sum))
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "class %u has %lld support vectors", c,
                      (long long)p->vectors_per_class[c]);
  if (sum != vectors)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "the classes have %lld support vectors, the kernel %lld",
                    (long long)sum, (long long)vectors);
  for (size_t i = COEFFICIENTS; i < call->num_in; i++) {
    const struct onr_desc *expected = i == COEFFICIENTS ? &coefficients : &per_pair;
    char wanted[96], found[96];
    if (onri_has(call, i) && !onr_desc_equal(&call->in[i], expected))
      return onr_fail(call->error, ONR_STATUS_SHAPE, "input %zu: expected %s, found %s", i,
                      onr_desc_format(expected, wanted, sizeof(wanted)),
                      onr_desc_format(&call->in[i], found, sizeof(found)));
  }
  if (onri_has(call, PROB_A) != onri_has(call, PROB_B))
    return onr_fail(call->error, ONR_STATUS_ARITY, "expected prob_a and prob_b, or neither");
  call->out[CLASS] = onr_desc_make(ONR_DTYPE_I64, 1, &rows);
  if (call->num_out > SCORES)
    call->out[SCORES] =
        onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){rows, onri_has(call, PROB_A) ? p->num_classes : pairs});
  return ONR_STATUS_OK;
}

/* Of one thread; all in float64. */
struct vote_room {
  double *scores; /* [pairs] */
  double *votes;  /* [classes] */
  double *r, *q;  /* [classes][classes] */
  double *p, *qp; /* [classes] */
};

static size_t room_elements(const struct onr_svm_vote_params *p) {
  const size_t k = p->num_classes;
  return pairs_of(p) + 3 * k + 2 * k * k;
}

static enum onr_status vote_plan(struct onr_call *call) {
  const struct onr_svm_vote_params *p = call->params;
  if (!onri_mul_size(room_elements(p), PARTS * sizeof(double), &call->scratch_bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "%u classes are too many", p->num_classes);
  return ONR_STATUS_OK;
}

/* Each pair i < j is decided by the support vectors of both. */
static void decide_pairs(const struct onr_call *call, const float *kernel, const struct vote_room *room) {
  const struct onr_svm_vote_params *p = call->params;
  const float *coefficients = call->inputs[COEFFICIENTS], *rho = call->inputs[RHO];
  const size_t k = p->num_classes, vectors = (size_t)call->in[KERNEL].dim[1];
  size_t pair = 0, first_i = 0;
  for (size_t i = 0; i < k; i++) room->votes[i] = 0;
  for (size_t i = 0; i < k; first_i += (size_t)p->vectors_per_class[i], i++) {
    const size_t end_i = first_i + (size_t)p->vectors_per_class[i];
    size_t first_j = end_i;
    for (size_t j = i + 1; j < k; first_j += (size_t)p->vectors_per_class[j], j++, pair++) {
      double sum = 0;
      for (size_t v = first_i; v < end_i; v++) sum += (double)coefficients[(j - 1) * vectors + v] * (double)kernel[v];
      for (size_t v = first_j; v < first_j + (size_t)p->vectors_per_class[j]; v++)
        sum += (double)coefficients[i * vectors + v] * (double)kernel[v];
      sum += (double)rho[pair];
      room->scores[pair] = sum;
      room->votes[sum > 0 ? i : j] += 1;
    }
  }
}

/* Probability that it is class i, given that it is i or j, from the score of the pair. */
static void pair_probabilities(const struct onr_call *call, const struct vote_room *room, size_t k) {
  const float *a = call->inputs[PROB_A], *b = call->inputs[PROB_B];
  size_t pair = 0;
  for (size_t i = 0; i < k; i++)
    for (size_t j = i + 1; j < k; j++, pair++) {
      double r = 1 / (1 + exp(room->scores[pair] * (double)a[pair] + (double)b[pair]));
      r = r < 1e-7 ? 1e-7 : r > 1 - 1e-7 ? 1 - 1e-7 : r;
      room->r[i * k + j] = r;
      room->r[j * k + i] = 1 - r;
    }
}

/* Probabilities p of the classes that contradict those of the pairs least (pairwise coupling): the minimum of p' Q p,
 * one class after the other until it hardly changes. */
static void couple(const struct vote_room *room, size_t k) {
  const double *r = room->r;
  double *q = room->q, *p = room->p, *qp = room->qp;
  for (size_t i = 0; i < k; i++) {
    p[i] = 1 / (double)k;
    q[i * k + i] = 0;
    for (size_t j = 0; j < k; j++) {
      if (j == i) continue;
      q[i * k + i] += r[j * k + i] * r[j * k + i];
      q[i * k + j] = -r[j * k + i] * r[i * k + j];
    }
  }
  for (size_t step = 0; step < (k > 100 ? k : 100); step++) {
    double pqp = 0, error = 0;
    for (size_t i = 0; i < k; i++) {
      qp[i] = 0;
      for (size_t j = 0; j < k; j++) qp[i] += q[i * k + j] * p[j];
      pqp += p[i] * qp[i];
    }
    for (size_t i = 0; i < k; i++) error = fmax(error, fabs(qp[i] - pqp));
    if (error < 0.005 / (double)k) break;
    for (size_t i = 0; i < k; i++) {
      const double change = (pqp - qp[i]) / q[i * k + i], norm = 1 + change;
      p[i] += change;
      pqp = (pqp + change * (change * q[i * k + i] + 2 * qp[i])) / norm / norm;
      for (size_t j = 0; j < k; j++) {
        qp[j] = (qp[j] + change * q[i * k + j]) / norm;
        p[j] /= norm;
      }
    }
  }
}

static void vote_part(void *context, size_t part, size_t end) {
  const struct onr_call *call = context;
  const struct onr_svm_vote_params *p = call->params;
  const size_t k = p->num_classes, pairs = pairs_of(p), rows = (size_t)call->in[KERNEL].dim[0],
               vectors = (size_t)call->in[KERNEL].dim[1];
  const int probable = onri_has(call, PROB_A);
  for (; part < end; part++) {
    double *at = (double *)call->scratch + part * room_elements(p);
    const struct vote_room room = {
        at, at + pairs, at + pairs + 3 * k, at + pairs + 3 * k + k * k, at + pairs + k, at + pairs + 2 * k};
    for (size_t row = part; row < rows && !onr_env_cancelled(call->env); row += PARTS) {
      size_t best = 0;
      decide_pairs(call, (const float *)call->inputs[KERNEL] + row * vectors, &room);
      for (size_t i = 1; i < k; i++)
        if (room.votes[i] > room.votes[best]) best = i;
      if (call->outputs[CLASS]) ((int64_t *)call->outputs[CLASS])[row] = (int64_t)best;
      if (call->num_out <= SCORES || !call->outputs[SCORES]) continue;
      if (probable) {
        pair_probabilities(call, &room, k);
        couple(&room, k);
      }
      const size_t width = probable ? k : pairs;
      onri_store_f64(ONR_DTYPE_F32, probable ? room.p : room.scores, width,
                     (float *)call->outputs[SCORES] + row * width);
    }
  }
}

static enum onr_status vote_run(struct onr_call *call) {
  onr_parallel_for(call->env, PARTS, 1, vote_part, call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_svm_kernel = {.name = "svm_kernel",
                                                .inputs_min = 2,
                                                .inputs_max = 2,
                                                .outputs_min = 1,
                                                .outputs_max = 1,
                                                .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPE_BIT(ONR_DTYPE_F32)},
                                                .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_F32),
                                                .flags = ONR_LAYER_HEAVY,
                                                .params_size = sizeof(struct onr_svm_kernel_params),
                                                .prepared_size = sizeof(struct kernel_prepared),
                                                .infer = kernel_infer,
                                                .prepare = kernel_prepare,
                                                .plan = kernel_plan,
                                                .run = kernel_run,
                                                .release_prepared = kernel_release};
const struct onr_layer onri_layer_svm_vote = {
    .name = "svm_vote",
    .inputs_min = 3,
    .inputs_max = 5,
    .outputs_min = 1,
    .outputs_max = 2,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_F32),
              ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPE_BIT(ONR_DTYPE_F32)},
    .flags = ONR_LAYER_HEAVY,
    .params_size = sizeof(struct onr_svm_vote_params),
    .infer = vote_infer,
    .plan = vote_plan,
    .run = vote_run};
