/* fit.c: layers without a rule, asked with several sizes.
 *
 * What infer says of them is taken where it is a number that no size changes, or a dimension of an input that it meets
 * for all sizes. Such layers pass dimensions on or have those of their parameters and weights; one that computes a size
 * (a sum, a quotient, a clamp) has a rule, or that size stays unknown. */
#include <string.h>

#include "base/numbers/checked.h"
#include "facts/rules.h"

enum { SAMPLES = 7, ENOUGH = 3, VARIABLES = 32, SYMBOLS_MOST = 32 };

/* The dimensions of the inputs that are no numbers, each once, and the sizes that they get in each sample. */
struct variables {
  int32_t count;
  onri_expr expr[VARIABLES];
  int64_t size[SAMPLES][VARIABLES];
};

/* What infer says of the outputs in the samples that went through. */
struct answers {
  int32_t count, telling; /* samples; those in which sizes differ from each other */
  int sample[SAMPLES];
  struct onr_desc (*desc)[SAMPLES]; /* [num_out] */
};

/* Size of the j-th variable or symbol: all differ from each other but in the last two samples, where what must be
 * equal, or broadcasts, is. */
static int64_t size_in(int sample, int32_t j) {
  static const int64_t first[SAMPLES] = {97, 24, 512, 5, 1021, 48, 6}, step[SAMPLES] = {2, 6, 64, 1, 10, 0, 0};
  return first[sample] + step[sample] * j;
}

static int32_t find_variable(const struct variables *v, onri_expr expr) {
  for (int32_t j = 0; j < v->count; j++)
    if (v->expr[j] == expr) return j;
  return -1;
}

/* 0 where an input is not known well enough to ask. */
static int list_variables(struct onri_deduction *d, struct variables *v) {
  int64_t number;
  v->count = 0;
  for (int32_t i = 0; i < d->node->num_in; i++) {
    if (!onri_fact_has(d, i)) continue;
    const struct onri_fact *x = onri_fact_in(d, i);
    if (x->dtype == ONR_DTYPE_NONE || x->rank == ONRI_UNKNOWN_RANK) return 0;
    for (int32_t k = 0; k < x->rank; k++) {
      if (x->dim[k] == ONRI_EXPR_ANY) return 0;
      if (onri_expr_is_number(d->exprs, x->dim[k], &number) || find_variable(v, x->dim[k]) >= 0) continue;
      if (v->count == VARIABLES) return 0;
      v->expr[v->count++] = x->dim[k];
    }
  }
  return 1;
}

/* Sizes of sample s that need not have to do with each other. */
static int free_sizes(struct onri_deduction *d, struct variables *v, int s) {
  (void)d;
  for (int32_t j = 0; j < v->count; j++) v->size[s][j] = size_in(s, j);
  return 1;
}

/* Sizes that follow from sizes of the symbols: where a layer wants one dimension to be the sum of two others. */
static int bound_sizes(struct onri_deduction *d, struct variables *v, int s) {
  int32_t list[SYMBOLS_MOST], count = 0;
  for (int32_t j = 0; j < v->count; j++)
    if (!onri_expr_symbols(d->exprs, v->expr[j], list, SYMBOLS_MOST, &count)) return 0;
  for (int32_t j = 0; j < count; j++) d->facts->values[list[j]] = size_in(s, j);
  for (int32_t j = 0; j < v->count; j++)
    if (!onri_expr_evaluate(d->exprs, v->expr[j], d->facts->values, &v->size[s][j]) || v->size[s][j] < 0) return 0;
  return 1;
}

/* Layers multiply dimensions that somebody has checked. */
static int has_product(const struct onr_desc *desc) {
  int64_t product = 64; /* bytes of an element, and more */
  for (int32_t k = 0; k < desc->rank; k++)
    if (!onri_mul_i64(product, desc->dim[k] ? desc->dim[k] : 1, &product)) return 0;
  return 1;
}

/* Descriptors of the inputs in sample s. 0 where contents that decide shapes are not known, or sizes are no run's. */
static int gather(struct onri_deduction *d, const struct variables *v, int s) {
  struct onri_inference *f = &d->facts->numbers;
  const size_t room = onri_inputs_room(d->node->layer, (size_t)d->node->num_in);
  for (size_t i = 0; i < room; i++) {
    f->in[i] = (struct onr_desc){0};
    f->inputs[i] = NULL;
  }
  for (int32_t i = 0; i < d->node->num_in; i++) {
    if (!onri_fact_has(d, i)) continue;
    const struct onri_fact *x = onri_fact_in(d, i);
    f->in[i] = (struct onr_desc){.dtype = x->dtype, .rank = x->rank};
    for (int32_t k = 0; k < x->rank; k++)
      if (!onri_expr_is_number(d->exprs, x->dim[k], &f->in[i].dim[k]))
        f->in[i].dim[k] = v->size[s][find_variable(v, x->dim[k])];
    f->inputs[i] = f->known[d->node->in[i]];
    if (!has_product(&f->in[i])) return 0;
    if (!f->inputs[i] && i < 32 && d->node->layer->shape_inputs >> i & 1) return 0;
  }
  return 1;
}

static int is_inferred(struct onri_deduction *d, const struct variables *v, int s) {
  struct onri_inference *f = &d->facts->numbers;
  struct onr_error ignored = {0};
  if (!gather(d, v, s)) return 0;
  struct onr_call call = {.params = d->node->params,
                          .num_in = (size_t)d->node->num_in,
                          .num_out = (size_t)d->node->num_out,
                          .in = f->in,
                          .out = f->out,
                          .inputs = f->inputs,
                          .env = f->env,
                          .error = &ignored,
                          .in_place = -1};
  return onri_call_infer(d->node->layer, &call) == ONR_STATUS_OK;
}

static void ask(struct onri_deduction *d, int (*choose)(struct onri_deduction *, struct variables *, int),
                struct variables *v, struct answers *a) {
  a->count = a->telling = 0;
  for (int s = 0; s < SAMPLES; s++) {
    if (!choose(d, v, s) || !is_inferred(d, v, s)) continue;
    for (int32_t i = 0; i < d->node->num_out; i++) a->desc[i][a->count] = d->facts->numbers.out[i];
    a->sample[a->count++] = s;
    a->telling += s < SAMPLES - 2;
  }
}

/* Dimension k of output i: the number, or the one variable, that all samples show. Where both do, neither is sure. */
static onri_expr fit_dim(struct onri_deduction *d, const struct variables *v, const struct answers *a, int32_t i,
                         int32_t k) {
  const struct onr_desc *seen = a->desc[i];
  int is_number = 1, matches = 0;
  onri_expr found = ONRI_EXPR_ANY;
  for (int32_t s = 1; s < a->count; s++) is_number &= seen[s].dim[k] == seen[0].dim[k];
  for (int32_t j = 0; j < v->count; j++) {
    int is_met = 1;
    for (int32_t s = 0; s < a->count; s++) is_met &= v->size[a->sample[s]][j] == seen[s].dim[k];
    if (is_met) found = v->expr[j];
    matches += is_met;
  }
  if (is_number && !matches) return onri_fact_number(d, seen[0].dim[k]);
  return !is_number && matches == 1 ? found : onri_fact_new_dim(d);
}

static void fit_output(struct onri_deduction *d, const struct variables *v, const struct answers *a, int32_t i) {
  const struct onr_desc *seen = a->desc[i];
  const int is_open = d->node->layer->flags & ONR_LAYER_DYNAMIC || (v->count && a->telling < ENOUGH);
  for (int32_t s = 1; s < a->count; s++)
    if (seen[s].rank != seen[0].rank || seen[s].dtype != seen[0].dtype) return;
  if (seen[0].dtype == ONR_DTYPE_NONE) return;
  d->out[i].dtype = seen[0].dtype;
  d->out[i].rank = seen[0].rank;
  for (int32_t k = 0; k < seen[0].rank; k++) d->out[i].dim[k] = is_open ? onri_fact_new_dim(d) : fit_dim(d, v, a, i, k);
}

enum onr_status onri_facts_fit(struct onri_deduction *d, struct onr_error *error) {
  struct onri_facts *facts = d->facts;
  const struct onr_allocator *allocator = facts->graph->env->allocator;
  struct variables v;
  struct answers a;
  if (!list_variables(d, &v)) return ONR_STATUS_OK;
  if (!onri_grow(allocator, &facts->values, sizeof(*facts->values), &facts->values_capacity,
                 (size_t)d->exprs->num_symbols + 1))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer shapes");
  a.desc = onri_allocate_zeroed(allocator, (size_t)(d->node->num_out + 1) * sizeof(*a.desc));
  if (!a.desc) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer shapes");
  ask(d, free_sizes, &v, &a);
  if (a.telling < ENOUGH) ask(d, bound_sizes, &v, &a);
  for (int32_t i = 0; i < d->node->num_out && (a.count >= ENOUGH || (v.count == 0 && a.count)); i++)
    fit_output(d, &v, &a, i);
  onri_release(allocator, a.desc);
  return ONR_STATUS_OK;
}
