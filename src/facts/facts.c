/* facts.c: one sweep over a graph. */
#include "facts/facts.h"

#include <string.h>

#include "base/numbers/convert.h"
#include "base/shape.h"
#include "facts/rules.h"
#include "onnxrun/model.h" /* ONR_UNKNOWN_DIM */

static const struct onri_fact nothing = {.rank = ONRI_UNKNOWN_RANK, .num_elements = -1};

/* --- for rules --- */

const struct onri_fact *onri_fact_in(const struct onri_deduction *d, int32_t i) {
  return onri_fact_has(d, i) ? &d->facts->of[d->node->in[i]] : &nothing;
}

void onri_fact_copy(struct onri_fact *to, const struct onri_fact *from) {
  *to = *from;
  to->num_elements = -1;
  to->elements = NULL;
}

onri_expr onri_fact_new_dim(struct onri_deduction *d) { return onri_expr_symbol(d->exprs, NULL, 0); }

onri_expr onri_fact_product(struct onri_deduction *d, const struct onri_fact *x, int32_t from, int32_t to) {
  onri_expr product = onri_fact_number(d, 1);
  for (int32_t i = from; i < to; i++) product = onri_expr_mul(d->exprs, product, x->dim[i]);
  return product;
}

onri_expr *onri_fact_make(struct onri_deduction *d, int32_t count) {
  if (count < 0 || count > ONRI_FACT_ELEMENTS) return NULL;
  onri_expr *elements = onri_arena_allocate(&d->facts->arena, (size_t)(count + 1) * sizeof(*elements));
  if (!elements) return NULL;
  d->out[0].elements = elements;
  d->out[0].num_elements = count;
  return elements;
}

/* Types of tensors whose contents are looked at. */
#define WHOLE (ONRI_DTYPE_BIT(ONR_DTYPE_I64) | ONRI_DTYPE_BIT(ONR_DTYPE_I32) | ONRI_DTYPE_BIT(ONR_DTYPE_BOOL))

/* Elements of a tensor whose contents are numbers. */
static void take_numbers(struct onri_facts *facts, struct onri_fact *fact, const void *data) {
  int64_t values[ONRI_FACT_ELEMENTS], count = 1;
  for (int32_t i = 0; i < fact->rank; i++) {
    int64_t dim;
    if (!onri_expr_is_number(&facts->exprs, fact->dim[i], &dim) || dim > ONRI_FACT_ELEMENTS) return;
    count *= dim;
    if (count > ONRI_FACT_ELEMENTS) return;
  }
  if (!onri_dtype_in(WHOLE, fact->dtype) || fact->rank == ONRI_UNKNOWN_RANK) return;
  onri_expr *elements = onri_arena_allocate(&facts->arena, (size_t)(count + 1) * sizeof(*elements));
  if (!elements) return;
  if (fact->dtype == ONR_DTYPE_BOOL)
    for (int64_t i = 0; i < count; i++) values[i] = ((const uint8_t *)data)[i] != 0;
  else if (count) onri_load(fact->dtype, data, (size_t)count, values);
  for (int64_t i = 0; i < count; i++) elements[i] = onri_expr_number(&facts->exprs, values[i]);
  fact->elements = elements;
  fact->num_elements = (int32_t)count;
}

const onri_expr *onri_fact_elements(const struct onri_deduction *d, int32_t i, int32_t *count) {
  if (!ONRI_HERE(WHOLE) || !onri_fact_has(d, i)) return NULL;
  const int32_t v = d->node->in[i];
  struct onri_fact *fact = &d->facts->of[v];
  if (fact->num_elements < 0 && d->facts->numbers.known[v]) take_numbers(d->facts, fact, d->facts->numbers.known[v]);
  *count = fact->num_elements;
  return fact->num_elements < 0 ? NULL : fact->elements;
}

int onri_fact_numbers(const struct onri_deduction *d, int32_t i, int64_t *values, int32_t capacity, int32_t *count) {
  const onri_expr *elements = onri_fact_elements(d, i, count);
  if (!elements || *count > capacity) return 0;
  for (int32_t k = 0; k < *count; k++)
    if (!onri_expr_is_number(d->exprs, elements[k], &values[k])) return 0;
  return 1;
}

/* --- numbers --- */

/* The descriptor of a fact whose rank is known; -1 where a dimension is no number, and everywhere when no tensor has
 * those that are: layers and passes multiply dimensions of what they are told. Returns whether all are numbers. */
static int desc_of(const struct onri_facts *facts, const struct onri_fact *fact, struct onr_desc *desc) {
  int is_whole = fact->dtype != ONR_DTYPE_NONE && fact->rank != ONRI_UNKNOWN_RANK;
  *desc = (struct onr_desc){.dtype = fact->dtype, .rank = fact->rank};
  for (int32_t i = 0; i < fact->rank; i++) {
    if (onri_expr_is_number(&facts->exprs, fact->dim[i], &desc->dim[i]) && desc->dim[i] >= 0) continue;
    desc->dim[i] = ONR_UNKNOWN_DIM;
    is_whole = 0;
  }
  if (onri_desc_check_known(desc, facts->numbers.env, NULL) == ONR_STATUS_OK) return is_whole;
  for (int32_t i = 0; i < desc->rank; i++) desc->dim[i] = ONR_UNKNOWN_DIM;
  return 0;
}

static struct onri_fact fact_of(struct onri_facts *facts, const struct onr_desc *desc) {
  struct onri_fact fact = {.dtype = desc->dtype, .rank = desc->rank, .num_elements = -1};
  if (onri_dtype_is_block(desc->dtype)) fact.rank = ONRI_UNKNOWN_RANK;
  for (int32_t i = 0; i < fact.rank; i++)
    fact.dim[i] =
        desc->dim[i] < 0 ? onri_expr_symbol(&facts->exprs, NULL, 0) : onri_expr_number(&facts->exprs, desc->dim[i]);
  return fact;
}

/* Elements that a rule found, all numbers: contents of a constant from here on. */
static void publish_elements(struct onri_facts *facts, int32_t v) {
  const struct onri_fact *fact = &facts->of[v];
  struct onri_inference *f = &facts->numbers;
  int64_t values[ONRI_FACT_ELEMENTS];
  const int is_bool = fact->dtype == ONR_DTYPE_BOOL;
  if (!ONRI_HERE(WHOLE) || fact->num_elements < 0 || f->known[v] || !onri_dtype_in(WHOLE, fact->dtype) ||
      onr_desc_elements(&f->descs[v]) != fact->num_elements)
    return;
  for (int32_t i = 0; i < fact->num_elements; i++)
    if (!onri_expr_is_number(&facts->exprs, fact->elements[i], &values[i])) return;
  struct onri_constant *constant = onri_constant_create(f->env, &f->descs[v]);
  if (!constant) return;
  if (is_bool)
    for (int32_t i = 0; i < fact->num_elements; i++) ((uint8_t *)constant->data)[i] = values[i] != 0;
  else if (fact->num_elements) onri_store(fact->dtype, values, (size_t)fact->num_elements, constant->data);
  f->contents[v] = constant;
  f->known[v] = constant->data;
}

/* Takes over what was deduced of value v. */
static void settle(struct onri_facts *facts, int32_t v, const struct onri_fact *fact) {
  struct onr_desc desc;
  facts->of[v] = *fact;
  if (onri_dtype_is_block(fact->dtype)) facts->of[v].rank = ONRI_UNKNOWN_RANK; /* bytes: nobody's dimensions */
  if (!desc_of(facts, fact, &desc)) return;
  facts->numbers.descs[v] = desc;
  publish_elements(facts, v);
}

/* --- one node --- */

static int is_settled(const struct onri_facts *facts, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE && facts->of[node->out[i]].rank == ONRI_UNKNOWN_RANK) return 0;
  return 1;
}

static int all_are_numbers(const struct onri_facts *facts, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_in; i++)
    if (node->in[i] != ONRI_NONE && facts->numbers.descs[node->in[i]].rank == ONRI_UNKNOWN_RANK) return 0;
  return 1;
}

/* A sequence where the layer wants a tensor: no run goes on. */
static int has_misplaced_container(const struct onri_facts *facts, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_in; i++) {
    if (node->in[i] == ONRI_NONE || !onri_dtype_is_block(facts->of[node->in[i]].dtype)) continue;
    const uint32_t types = onri_input_types(node->layer, node->params, (size_t)i);
    if (onri_types_as(types) < 0 && !(types >> facts->of[node->in[i]].dtype & 1)) return 1;
  }
  return 0;
}

/* A type that the layer does not take, or two that should be one: no run goes on. */
static int has_wrong_type(const struct onri_facts *facts, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_in; i++) {
    const enum onr_dtype dtype = node->in[i] == ONRI_NONE ? ONR_DTYPE_NONE : facts->of[node->in[i]].dtype;
    const uint32_t types = onri_input_types(node->layer, node->params, (size_t)i);
    const int32_t as = onri_types_as(types), other = as >= 0 && as < node->num_in ? node->in[as] : ONRI_NONE;
    if (dtype == ONR_DTYPE_NONE) continue;
    if (as < 0 && !(types >> dtype & 1)) return 1;
    if (other != ONRI_NONE && facts->of[other].dtype != ONR_DTYPE_NONE && facts->of[other].dtype != dtype) return 1;
  }
  return 0;
}

/* Asks the layer's rule; outputs begin as unknown. */
static enum onr_status ask_rule(struct onri_facts *facts, const struct onri_node *node, struct onri_deduction *d,
                                struct onr_error *error) {
  const onri_deduce_fn rule = onri_deduce_find(node->layer);
  *d = (struct onri_deduction){.facts = facts, .exprs = &facts->exprs, .node = node};
  if (!onri_grow(facts->graph->env->allocator, &facts->out, sizeof(*facts->out), &facts->out_capacity,
                 (size_t)node->num_out + 1))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer shapes");
  d->out = facts->out;
  for (int32_t i = 0; i < node->num_out; i++) d->out[i] = nothing;
  if (onri_num_bodies(node)) return onri_facts_of_bodies(d, error);
  if (rule) rule(d);
  else if (ONRI_PART(samples) && !node->layer->control) {
    facts->samples = 1;
    return onri_facts_fit(d, error);
  }
  return ONR_STATUS_OK;
}

static enum onr_status deduce_symbolic(struct onri_facts *facts, const struct onri_node *node,
                                       struct onr_error *error) {
  struct onri_deduction d;
  ONR_TRY(ask_rule(facts, node, &d, error));
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE) settle(facts, node->out[i], &d.out[i]);
  return ONR_STATUS_OK;
}

/* Shapes are numbers, but elements may be computed from shapes that are not. */
static enum onr_status take_elements(struct onri_facts *facts, const struct onri_node *node, struct onr_error *error) {
  struct onri_deduction d;
  int is_computed = 0;
  for (int32_t i = 0; i < node->num_in; i++)
    is_computed |= node->in[i] != ONRI_NONE && facts->of[node->in[i]].num_elements >= 0;
  if (!is_computed || !onri_deduce_find(node->layer)) return ONR_STATUS_OK;
  ONR_TRY(ask_rule(facts, node, &d, error));
  for (int32_t i = 0; i < node->num_out; i++) {
    const int32_t v = node->out[i];
    if (v == ONRI_NONE || facts->numbers.known[v] || d.out[i].num_elements < 0 ||
        d.out[i].num_elements != onr_desc_elements(&facts->numbers.descs[v]))
      continue;
    facts->of[v].elements = d.out[i].elements;
    facts->of[v].num_elements = d.out[i].num_elements;
    publish_elements(facts, v);
  }
  return ONR_STATUS_OK;
}

/* What no other sizes could mend. */
static int is_final(const struct onri_facts *facts, enum onr_status status) {
  if (status == ONR_STATUS_NO_MEMORY || status == ONR_STATUS_CANCELLED || status == ONR_STATUS_INTERNAL) return 1;
  return status != ONR_STATUS_OK && facts->exact && facts->is_main;
}

static enum onr_status deduce(struct onri_facts *facts, const struct onri_node *node, struct onr_error *error) {
  enum onri_inferred inferred = ONRI_BLOCKED;
  if (all_are_numbers(facts, node)) {
    struct onr_error why = {0};
    const enum onr_status status = onri_inference_step(&facts->numbers, node, &inferred, &why);
    if (is_final(facts, status)) {
      if (error) *error = why;
      return status;
    }
    facts->exprs.contradicts |= status != ONR_STATUS_OK;
    if (status != ONR_STATUS_OK) return ONR_STATUS_OK;
  }
  facts->exprs.contradicts |= has_wrong_type(facts, node);
  if (has_misplaced_container(facts, node)) return ONR_STATUS_OK;
  if (inferred != ONRI_INFERRED) return deduce_symbolic(facts, node, error);
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE) facts->of[node->out[i]] = fact_of(facts, &facts->numbers.descs[node->out[i]]);
  return take_elements(facts, node, error);
}

/* --- all nodes --- */

/* Facts of values that the graph has got since: constants and the inputs that are not looked at yet. */
static enum onr_status make_room(struct onri_facts *facts, struct onr_error *error) {
  const struct onri_graph *graph = facts->graph;
  if (!onri_grow(graph->env->allocator, &facts->of, sizeof(*facts->of), &facts->capacity, graph->num_values + 1))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the shapes of %zu values", graph->num_values);
  for (; facts->num_values < graph->num_values; facts->num_values++) {
    const struct onri_constant *constant = graph->values[facts->num_values].constant;
    facts->of[facts->num_values] = constant ? fact_of(facts, &constant->desc) : nothing;
  }
  return ONR_STATUS_OK;
}

/* Equal names are equal sizes: a session checks that. */
static onri_expr named_symbol(struct onri_facts *facts, const char *name, size_t upto) {
  const struct onri_graph *graph = facts->graph;
  for (size_t i = 0; name && i < upto; i++) {
    const struct onri_value *value = &graph->values[graph->inputs[i]];
    for (int32_t k = 0; value->dim_names && k < value->desc.rank; k++)
      if (value->desc.dim[k] < 0 && value->dim_names[k] && !strcmp(value->dim_names[k], name))
        return facts->of[graph->inputs[i]].dim[k];
  }
  const int32_t ordinal = facts->exprs.num_symbols;
  int64_t least = 0;
  for (int32_t i = 0; i < facts->num_positive; i++)
    if (facts->positive[i].count == 1 && facts->positive[i].symbols[0] == ordinal) least = 1;
  return onri_expr_symbol(&facts->exprs, name, least);
}

enum { BODIES_MOST = 256 };
enum {
  CONTENT_BYTES = 4096 /* contents that are computed: shapes, not masks ... */,
  CONTENT_ROOM = 2 << 20 /* in all */
};
enum { NAMED_MOST = 256 /* inputs whose names are compared with each other */ };

static void take_input(struct onri_facts *facts, size_t i) {
  const struct onri_graph *graph = facts->graph;
  const struct onri_value *value = &graph->values[graph->inputs[i]];
  struct onri_fact fact = {.dtype = value->desc.dtype, .rank = value->desc.rank, .num_elements = -1};
  if (fact.dtype == ONR_DTYPE_NONE) fact.rank = ONRI_UNKNOWN_RANK;
  facts->of[graph->inputs[i]] = fact;
  for (int32_t k = 0; k < fact.rank; k++) {
    const char *name = value->dim_names ? value->dim_names[k] : NULL;
    struct onri_fact *own = &facts->of[graph->inputs[i]];
    own->dim[k] = onri_expr_number(&facts->exprs, 0); /* not met by the search of its own name */
    if (value->desc.dim[k] >= 0) {
      own->dim[k] = onri_expr_number(&facts->exprs, value->desc.dim[k]);
      continue;
    }
    onri_expr same = ONRI_EXPR_ANY;
    for (int32_t j = 0; name && j < k; j++)
      if (value->desc.dim[j] < 0 && value->dim_names[j] && !strcmp(value->dim_names[j], name)) same = own->dim[j];
    own->dim[k] = same != ONRI_EXPR_ANY ? same : named_symbol(facts, name, i < NAMED_MOST ? i : 0);
  }
  fact = facts->of[graph->inputs[i]];
  settle(facts, graph->inputs[i], &fact);
  if (fact.rank == ONRI_UNKNOWN_RANK) facts->exact = 0;
  for (int32_t k = 0; k < fact.rank; k++) facts->exact &= value->desc.dim[k] >= 0;
}

static void write_desc(struct onri_facts *facts, const struct onri_node *node) {
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE) desc_of(facts, &facts->of[node->out[i]], &facts->graph->values[node->out[i]].desc);
}

static enum onr_status sweep(struct onri_facts *facts, struct onr_error *error) {
  const struct onri_graph *graph = facts->graph;
  for (size_t n = 0; n < graph->num_nodes; n++) {
    if (n % 256 == 0) ONR_TRY(onri_env_poll(graph->env, error));
    if (!is_settled(facts, &graph->nodes[n])) ONR_TRY(deduce(facts, &graph->nodes[n], error));
    write_desc(facts, &graph->nodes[n]);
  }
  return ONR_STATUS_OK;
}

static enum onr_status begin(struct onri_facts *facts, struct onri_graph *graph, struct onr_error *error) {
  facts->graph = graph;
  facts->exact = 1;
  facts->bodies_left = BODIES_MOST;
  onri_arena_init(&facts->arena, graph->env->allocator, 0);
  onri_exprs_init(&facts->exprs, graph->env->allocator);
  ONR_TRY(onri_inference_init(&facts->numbers, graph, graph->env, 1, error));
  ONR_TRY(make_room(facts, error));
  for (size_t i = 0; i < graph->num_inputs; i++) take_input(facts, i);
  facts->num_input_symbols = facts->exprs.num_symbols;
  for (int32_t i = 0; i < facts->num_positive; i++)
    onri_expr_is_positive(&facts->exprs, facts->positive[i].symbols, facts->positive[i].count);
  if (!facts->exact) {
    facts->numbers.content_bytes = CONTENT_BYTES;
    facts->numbers.room = CONTENT_ROOM;
  }
  return sweep(facts, error);
}

enum onr_status onri_facts_begin(struct onri_facts *facts, struct onri_graph *graph, int is_main,
                                 struct onr_error *error) {
  struct onri_facts next = {.is_main = is_main, .depth = facts->depth};
  *facts = next;
  ONR_TRY(begin(facts, graph, error));
  if (!facts->num_positive) return ONR_STATUS_OK;
  next.num_positive = facts->num_positive;
  memcpy(next.positive, facts->positive, sizeof(next.positive));
  onri_facts_clear(facts);
  *facts = next;
  return begin(facts, graph, error);
}

void onri_fact_is_positive(struct onri_deduction *d, onri_expr dim) {
  struct onri_facts *facts = d->facts;
  struct onri_positive found = {.count = 0};
  onri_expr sum = onri_expr_number(d->exprs, 0);
  if (!facts->is_main || onri_expr_least(d->exprs, dim) != 0 || facts->num_positive == ONRI_FACT_POSITIVE ||
      !onri_expr_symbols(d->exprs, dim, found.symbols, ONRI_FACT_SUMMANDS, &found.count))
    return;
  for (int32_t i = 0; i < found.count; i++) {
    if (found.symbols[i] >= facts->num_input_symbols) return;
    sum = onri_expr_add(d->exprs, sum, onri_expr_of_symbol(d->exprs, found.symbols[i]));
  }
  if (!found.count || !onri_expr_is_same(sum, dim)) return;
  for (int32_t i = 0; i < facts->num_positive; i++)
    if (!memcmp(&facts->positive[i], &found, sizeof(found))) return;
  facts->positive[facts->num_positive++] = found;
}

/* --- after a pass --- */

/* A pass may make a value in another way, but not with another shape. What no run has may follow in several ways. */
static enum onr_status compare(const struct onri_facts *facts, int32_t v, const struct onri_fact *again,
                               const struct onri_node *node, struct onr_error *error) {
  const struct onri_fact *before = &facts->of[v];
  struct onr_desc was, is;
  char texts[2][160];
  if (before->rank == ONRI_UNKNOWN_RANK || again->rank == ONRI_UNKNOWN_RANK || facts->exprs.contradicts)
    return ONR_STATUS_OK;
  desc_of(facts, before, &was);
  desc_of(facts, again, &is);
  int is_same = was.rank == is.rank && (was.dtype == is.dtype || !was.dtype || !is.dtype);
  for (int32_t i = 0; is_same && i < was.rank; i++)
    is_same = was.dim[i] == is.dim[i] || was.dim[i] < 0 || is.dim[i] < 0;
  if (is_same) return ONR_STATUS_OK;
  return onri_node_blame(
      node,
      onr_fail(error, ONR_STATUS_INTERNAL, "a value was %s and is %s",
               onr_desc_format(&was, texts[0], sizeof(texts[0])), onr_desc_format(&is, texts[1], sizeof(texts[1]))),
      error);
}

/* Deduces a node whose outputs are known once more; what was known of them stays. */
static enum onr_status check_again(struct onri_facts *facts, const struct onri_node *node, struct onri_fact *before,
                                   struct onr_error *error) {
  enum onr_status status;
  for (int32_t i = 0; i < node->num_out; i++)
    if (node->out[i] != ONRI_NONE) before[i] = facts->of[node->out[i]];
  status = deduce(facts, node, error);
  for (int32_t i = 0; i < node->num_out; i++) {
    if (node->out[i] == ONRI_NONE) continue;
    const struct onri_fact again = facts->of[node->out[i]];
    facts->of[node->out[i]] = before[i];
    if (status == ONR_STATUS_OK) status = compare(facts, node->out[i], &again, node, error);
  }
  return status;
}

enum onr_status onri_facts_update(struct onri_facts *facts, struct onr_error *error) {
  const struct onri_graph *graph = facts->graph;
  const struct onr_allocator *allocator = graph->env->allocator;
  enum onr_status status;
  ONR_TRY(onri_inference_grow(&facts->numbers, 1, error));
  ONR_TRY(make_room(facts, error));
  struct onri_fact *before = onri_allocate(allocator, facts->numbers.width * sizeof(*before));
  if (!before) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to infer shapes");
  status = onri_env_poll(graph->env, error);
  for (size_t n = 0; n < graph->num_nodes && status == ONR_STATUS_OK; n++) {
    const struct onri_node *node = &graph->nodes[n];
    const int is_new = !is_settled(facts, node);
    if (is_new) status = deduce(facts, node, error);
    else if (!onri_num_bodies(node)) status = check_again(facts, node, before, error);
    if (is_new) write_desc(facts, node);
  }
  onri_release(allocator, before);
  return status;
}

void onri_facts_clear(struct onri_facts *facts) {
  if (!facts->graph) return;
  const struct onr_allocator *allocator = facts->graph->env->allocator;
  onri_inference_clear(&facts->numbers);
  onri_exprs_clear(&facts->exprs);
  onri_release(allocator, facts->of);
  onri_release(allocator, facts->out);
  onri_release(allocator, facts->values);
  onri_arena_clear(&facts->arena);
  *facts = (struct onri_facts){.graph = NULL};
}

struct onri_constant *onri_facts_contents(const struct onri_facts *facts, int32_t v) {
  return facts->is_main && (size_t)v < facts->num_values ? facts->numbers.contents[v] : NULL;
}

int32_t onri_facts_dims(struct onri_facts *facts, int32_t v, onri_expr dims[ONR_MAX_RANK]) {
  const int is_new = (size_t)v >= facts->num_values;
  const struct onr_desc *desc = &facts->graph->values[v].desc;
  for (int32_t k = 0; k < desc->rank; k++) {
    if (desc->dim[k] >= 0) dims[k] = onri_expr_number(&facts->exprs, desc->dim[k]);
    else dims[k] = is_new || facts->of[v].rank != desc->rank ? ONRI_EXPR_ANY : facts->of[v].dim[k];
  }
  return desc->rank;
}

int onri_facts_same_dim(const struct onri_facts *facts, int32_t a, int32_t i, int32_t b, int32_t j) {
  if ((size_t)a >= facts->num_values || (size_t)b >= facts->num_values) return 0;
  const struct onri_fact *x = &facts->of[a], *y = &facts->of[b];
  return i < x->rank && j < y->rank && onri_expr_is_same(x->dim[i], y->dim[j]);
}
