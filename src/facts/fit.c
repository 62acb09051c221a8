/* fit.c: layers without a rule, asked with several sizes.
 *
 * What infer says of them is taken where it is a number that no size changes, or a dimension of an input that it meets
 * for all sizes. Such layers pass dimensions on or have those of their parameters and weights; one that computes a size
 * (a sum, a quotient, a clamp) has a rule, or that size stays unknown. */
#include <string.h>

#include "facts/rules.h"

enum { SAMPLES = 7, ENOUGH = 3, SYMBOLS_MOST = 32 };

/* Size of the j-th symbol in each sample: all differ from each other but in the last two, where what must be equal, or
 * broadcasts, is. */
static int64_t size_in(int sample, int32_t j) {
  static const int64_t first[SAMPLES] = {97, 24, 512, 5, 1021, 48, 6}, step[SAMPLES] = {2, 6, 64, 1, 10, 0, 0};
  return first[sample] + step[sample] * j;
}

/* Descriptors of the inputs with these sizes. 0 where one is not known. */
static int gather(struct onri_deduction *d, const int64_t *values) {
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
      if (!onri_expr_evaluate(d->exprs, x->dim[k], values, &f->in[i].dim[k]) || f->in[i].dim[k] < 0) return 0;
    f->inputs[i] = f->known[d->node->in[i]];
    if (!f->inputs[i] && i < 32 && d->node->layer->shape_inputs >> i & 1) return 0;
  }
  return 1;
}

static int is_inferred(struct onri_deduction *d, const int64_t *values) {
  struct onri_inference *f = &d->facts->numbers;
  struct onr_error ignored = {0};
  if (!gather(d, values)) return 0;
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

/* The symbols of all inputs. 0 where an input is not known well enough to ask. */
static int list_symbols(struct onri_deduction *d, int32_t *list, int32_t *count) {
  *count = 0;
  for (int32_t i = 0; i < d->node->num_in; i++) {
    if (!onri_fact_has(d, i)) continue;
    const struct onri_fact *x = onri_fact_in(d, i);
    if (x->dtype == ONR_DTYPE_NONE || x->rank == ONRI_UNKNOWN_RANK) return 0;
    for (int32_t k = 0; k < x->rank; k++)
      if (x->dim[k] == ONRI_EXPR_ANY || !onri_expr_symbols(d->exprs, x->dim[k], list, SYMBOLS_MOST, count)) return 0;
  }
  return 1;
}

/* Sizes of one output in all samples that went through. */
struct seen {
  int32_t count;
  struct onr_desc desc[SAMPLES];
};

static int is_met(struct onri_deduction *d, const struct seen *seen, int64_t (*values)[SYMBOLS_MOST],
                  const int32_t *list, int32_t count, const int *sample, onri_expr expr, int32_t k) {
  for (int32_t s = 0; s < seen->count; s++) {
    int64_t size;
    for (int32_t j = 0; j < count; j++) d->facts->values[list[j]] = values[sample[s]][j];
    if (!onri_expr_evaluate(d->exprs, expr, d->facts->values, &size) || size != seen->desc[s].dim[k]) return 0;
  }
  return 1;
}

/* Dimension k of an output: the number, or the one expression among the inputs' dimensions, that all samples show. */
static onri_expr fit_dim(struct onri_deduction *d, const struct seen *seen, int64_t (*values)[SYMBOLS_MOST],
                         const int32_t *list, int32_t count, const int *sample, int32_t k) {
  int is_number = 1;
  onri_expr found = ONRI_EXPR_ANY;
  for (int32_t s = 1; s < seen->count; s++) is_number &= seen->desc[s].dim[k] == seen->desc[0].dim[k];
  if (is_number) return onri_fact_number(d, seen->desc[0].dim[k]);
  for (int32_t i = 0; i < d->node->num_in; i++) {
    const struct onri_fact *x = onri_fact_in(d, i);
    for (int32_t a = 0; a < x->rank; a++) {
      if (x->dim[a] == found || !is_met(d, seen, values, list, count, sample, x->dim[a], k)) continue;
      if (found != ONRI_EXPR_ANY) return onri_fact_new_dim(d);
      found = x->dim[a];
    }
  }
  return found != ONRI_EXPR_ANY ? found : onri_fact_new_dim(d);
}

enum onr_status onri_facts_fit(struct onri_deduction *d, struct onr_error *error) {
  struct onri_facts *facts = d->facts;
  const struct onr_allocator *allocator = facts->graph->env->allocator;
  const int is_dynamic = (d->node->layer->flags & ONR_LAYER_DYNAMIC) != 0;
  int32_t list[SYMBOLS_MOST], count;
  int64_t values[SAMPLES][SYMBOLS_MOST];
  int sample[SAMPLES], through = 0, telling = 0;
  if (!list_symbols(d, list, &count)) return ONR_STATUS_OK;
  if (!onri_grow(allocator, &facts->values, sizeof(*facts->values), &facts->values_capacity,
                 (size_t)d->exprs->num_symbols + 1))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer shapes");
  struct seen *seen = onri_allocate_zeroed(allocator, (size_t)(d->node->num_out + 1) * sizeof(*seen));
  if (!seen) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer shapes");
  for (int s = 0; s < SAMPLES; s++) {
    for (int32_t j = 0; j < count; j++) facts->values[list[j]] = values[s][j] = size_in(s, j);
    if (!is_inferred(d, facts->values)) continue;
    for (int32_t i = 0; i < d->node->num_out; i++) seen[i].desc[seen[i].count++] = facts->numbers.out[i];
    sample[through++] = s;
    telling += s < SAMPLES - 2;
  }
  for (int32_t i = 0; i < d->node->num_out && (through >= ENOUGH || (count == 0 && through)); i++) {
    const struct seen *o = &seen[i];
    struct onri_fact *out = &d->out[i];
    int is_same = 1;
    for (int32_t s = 1; s < o->count; s++)
      is_same &= o->desc[s].rank == o->desc[0].rank && o->desc[s].dtype == o->desc[0].dtype;
    if (!is_same || o->desc[0].dtype == ONR_DTYPE_NONE) continue;
    out->dtype = o->desc[0].dtype;
    out->rank = o->desc[0].rank;
    for (int32_t k = 0; k < out->rank; k++)
      out->dim[k] =
          is_dynamic || telling < ENOUGH ? onri_fact_new_dim(d) : fit_dim(d, o, values, list, count, sample, k);
  }
  onri_release(allocator, seen);
  return ONR_STATUS_OK;
}
