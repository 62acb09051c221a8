/* einsum.c: Einstein's summation of any equation.
 *
 * inputs    one or more tensors of one number type
 * output 0  as the equation says
 * path      two operands at a time, left to right, as one batched matrix product: labels of both that are still needed
 * are batch dimensions, labels of both that are not are summed over, and what only one has and nobody needs is summed
 *           up before. Operands that do not lie as the product wants them are copied. */
#include <string.h>

#include "base/shape.h"
#include "kernels/kernels.h"
#include "kernels/matmul/gemm.h"
#include "kernels/move/copy.h"
#include "kernels/reduce/reduce_lines.h"
#include "layers/matmul/einsum_parse.h"
#include "layers/elementwise/scratch.h"
#include "params/params.h"

enum { LABELS = ONRI_EINSUM_LABELS, TILE_ROWS = 64, TILE_COLUMNS = 256 };

/* Dimensions and strides in elements, outermost first. */
struct walk {
  int32_t count;
  size_t total, dim[LABELS], stride[LABELS];
};

/* Memory as seen by labels. */
struct view {
  uint64_t labels; /* which it has */
  size_t stride[LABELS];
};

/* A copy of a view in a new order, with some labels summed up. */
struct gather {
  struct walk kept, summed;
};

struct step {
  struct walk batch; /* of the result; its strides are those of a, b_stride those of b */
  size_t b_stride[LABELS];
  size_t m, n, k, a_row, a_col, b_row, b_col;
  int copy_a, copy_b;
  struct gather gather_a, gather_b;
  size_t a_at, b_at, c_at;
};

struct einsum_state {
  struct onri_einsum equation;
  uint8_t order[LABELS]; /* all labels: those of the result first, as it has them */
  size_t operand_at[ONRI_EINSUM_OPERANDS], y_at;
  struct step step[ONRI_EINSUM_OPERANDS];
  struct gather last;
  int needs_last; /* the last product is not yet the result */
};

static uint64_t bit(int label) { return (uint64_t)1 << label; }

static enum onr_status einsum_infer(struct onr_call *call) {
  const struct onr_einsum_params *p = call->params;
  struct onri_einsum e;
  ONR_TRY(onri_einsum_parse(call, p->equation, &e));
  struct onr_desc y = {.dtype = call->in[0].dtype, .rank = e.out.count};
  for (int32_t d = 0; d < e.out.count; d++) y.dim[d] = e.size[e.out.label[d]];
  call->out[0] = y;
  return ONR_STATUS_OK;
}

/* --- plan --- */

static void walk_add(struct walk *w, size_t dim, size_t stride) {
  w->dim[w->count] = dim;
  w->stride[w->count++] = stride;
  w->total = onri_size_of((size_t[]){w->total, dim}, 2);
}

/* Dimensions that lie one behind the other as one are one: lines are as long as they can be. */
static void walk_merge(struct walk *w) {
  int32_t last = 0;
  for (int32_t d = 1; d < w->count; d++) {
    if (w->stride[last] == w->dim[d] * w->stride[d]) w->dim[last] *= w->dim[d];
    else w->dim[++last] = w->dim[d];
    w->stride[last] = w->stride[d];
  }
  if (w->count > 0) w->count = last + 1;
}

/* An operand: a label that stands twice walks the diagonal; a dimension of 1 that others broadcast is not there. */
static struct view view_of(const struct onri_einsum *e, const struct onr_desc *x, const struct onri_einsum_term *term) {
  struct view v = {0};
  int64_t strides[ONR_MAX_RANK];
  onri_strides(x, strides);
  for (int32_t d = 0; d < x->rank; d++) {
    const int label = term->label[d];
    if (x->dim[d] == 1 && e->size[label] != 1) continue;
    v.labels |= bit(label);
    v.stride[label] += (size_t)strides[d];
  }
  return v;
}

/* The labels of `mask` in the order of the result. */
static void walk_labels(const struct einsum_state *s, const struct view *v, uint64_t mask, struct walk *w) {
  for (int i = 0; i < LABELS; i++)
    if (mask & bit(s->order[i])) walk_add(w, (size_t)s->equation.size[s->order[i]], v->stride[s->order[i]]);
}

static struct gather gather_of(const struct einsum_state *s, const struct view *v, const uint64_t *groups, size_t count,
                               uint64_t summed) {
  struct gather g = {.kept.total = 1, .summed.total = 1};
  for (size_t i = 0; i < count; i++) walk_labels(s, v, groups[i], &g.kept);
  walk_labels(s, v, summed, &g.summed);
  walk_merge(&g.summed);
  return g;
}

/* Strides of dense memory in the order of the groups. */
static struct view dense_view(const struct einsum_state *s, const uint64_t *groups, size_t count) {
  struct view v = {0};
  size_t stride = 1;
  for (size_t g = count; g-- > 0;)
    for (int i = LABELS; i-- > 0;)
      if (groups[g] & bit(s->order[i])) {
        v.labels |= groups[g];
        v.stride[s->order[i]] = stride;
        stride *= (size_t)s->equation.size[s->order[i]];
      }
  return v;
}

static size_t total_of(const struct einsum_state *s, uint64_t mask) {
  size_t total = 1;
  for (int l = 0; l < LABELS; l++)
    if (mask & bit(l)) total = onri_size_of((size_t[]){total, (size_t)s->equation.size[l]}, 2);
  return total;
}

/* The stride by which a whole group is walked; 0 for an empty one. Returns 0 when the group is not evenly spaced. */
static int even_stride(const struct einsum_state *s, const struct view *v, uint64_t group, size_t *stride) {
  size_t expected = 0;
  *stride = 0;
  for (int i = LABELS; i-- > 0;) {
    const int label = s->order[i];
    if (!(group & bit(label))) continue;
    if (expected == 0) *stride = v->stride[label];
    else if (v->stride[label] != expected) return 0;
    expected = v->stride[label] * (size_t)s->equation.size[label];
  }
  return 1;
}

/* Operand of a product in rows and columns; copied (into *at) when it is not evenly spaced or something is summed up
 * first. */
static int plan_operand(struct onr_call *call, const struct einsum_state *s, struct view *v, const uint64_t *groups,
                        uint64_t summed, struct gather *gather, size_t *row, size_t *column, size_t *at) {
  int copy = summed != 0;
  if (!even_stride(s, v, groups[1], row) || !even_stride(s, v, groups[2], column)) copy = 1;
  if (!copy) return 0;
  const size_t size = onri_class_size(onri_dtype_class(call->in[0].dtype));
  *gather = gather_of(s, v, groups, 3, summed);
  *at = onri_scratch_take(call, onri_size_of((size_t[]){gather->kept.total, size}, 2));
  *v = dense_view(s, groups, 3);
  (void)even_stride(s, v, groups[1], row);
  (void)even_stride(s, v, groups[2], column);
  return 1;
}

/* The product of two views; a becomes the view of the result. */
static void plan_step(struct onr_call *call, struct einsum_state *s, struct step *step, struct view *a, struct view *b,
                      uint64_t needed) {
  const uint64_t both = a->labels & b->labels, batch = both & needed, inner = both & ~needed;
  const uint64_t rows = a->labels & ~b->labels & needed, columns = b->labels & ~a->labels & needed;
  const uint64_t of_a[] = {batch, rows, inner}, of_b[] = {batch, inner, columns}, of_c[] = {batch, rows, columns};
  const size_t size = onri_class_size(onri_dtype_class(call->in[0].dtype));
  struct walk batch_b = {.total = 1};
  *step = (struct step){.batch.total = 1};
  step->copy_a = plan_operand(call, s, a, of_a, a->labels & ~b->labels & ~needed, &step->gather_a, &step->a_row,
                              &step->a_col, &step->a_at);
  step->copy_b = plan_operand(call, s, b, of_b, b->labels & ~a->labels & ~needed, &step->gather_b, &step->b_row,
                              &step->b_col, &step->b_at);
  walk_labels(s, a, batch, &step->batch);
  walk_labels(s, b, batch, &batch_b);
  memcpy(step->b_stride, batch_b.stride, sizeof(step->b_stride));
  step->m = total_of(s, rows);
  step->n = total_of(s, columns);
  step->k = total_of(s, inner);
  step->c_at = onri_scratch_take(call, onri_size_of((size_t[]){step->batch.total, step->m, step->n, size}, 4));
  *a = dense_view(s, of_c, 3);
}

static void set_order(struct einsum_state *s) {
  uint64_t done = 0;
  int count = 0;
  for (int32_t i = 0; i < s->equation.out.count; i++) {
    s->order[count++] = s->equation.out.label[i];
    done |= bit(s->equation.out.label[i]);
  }
  for (int l = 0; l < LABELS; l++)
    if (!(done & bit(l))) s->order[count++] = (uint8_t)l;
}

/* True when the view is the dense result already. */
static int is_result(const struct einsum_state *s, const struct view *v, uint64_t out) {
  const struct view dense = dense_view(s, &out, 1);
  for (int l = 0; l < LABELS; l++)
    if ((out & bit(l)) && s->equation.size[l] != 1 && (!(v->labels & bit(l)) || v->stride[l] != dense.stride[l]))
      return 0;
  return 1;
}

static enum onr_status einsum_plan(struct onr_call *call) {
  const struct onr_einsum_params *p = call->params;
  struct einsum_state *s = call->state;
  const struct onri_einsum *e = &s->equation;
  uint64_t out = 0, later[ONRI_EINSUM_OPERANDS + 1];
  ONR_TRY(onri_einsum_parse(call, p->equation, &s->equation));
  set_order(s);
  for (int32_t i = 0; i < e->out.count; i++) out |= bit(e->out.label[i]);
  later[e->operands] = out;
  for (size_t i = e->operands; i-- > 0;) {
    later[i] = later[i + 1];
    for (int32_t d = 0; d < e->in[i].count; d++) later[i] |= bit(e->in[i].label[d]);
  }
  const int native = onri_is_native(call->in[0].dtype);
  for (size_t i = 0; i < e->operands && !native; i++)
    s->operand_at[i] = onri_scratch_take(call, onri_class_bytes(&call->in[i]));
  if (e->operands > 1 && onri_dtype_class(call->in[0].dtype) == ONRI_CLASS_F32) call->kernel = ONR_KERNEL_VECTOR;
  struct view result = view_of(e, &call->in[0], &e->in[0]);
  for (size_t i = 1; i < e->operands; i++) {
    struct view next = view_of(e, &call->in[i], &e->in[i]);
    plan_step(call, s, &s->step[i], &result, &next, later[i + 1]);
  }
  s->needs_last = e->operands == 1 || !is_result(s, &result, out);
  s->last = gather_of(s, &result, &out, 1, result.labels & ~out);
  if (!native) s->y_at = onri_scratch_take(call, onri_class_bytes(&call->out[0]));
  return ONR_STATUS_OK;
}

/* --- run --- */

struct copy {
  const struct gather *gather;
  enum onri_class class;
  const void *from;
  void *to;
};

static size_t walk_offset(const struct walk *w, int32_t count, size_t index) {
  size_t offset = 0;
  for (int32_t d = count; d-- > 0; index /= w->dim[d]) offset += index % w->dim[d] * w->stride[d];
  return offset;
}

static double sum_of(const float *x, size_t count, size_t stride) {
  double sum = 0;
  if (stride == 1) return onri_kernels(reduce)->run[ONRI_TAKE_SUM](x, count, 0, 0);
  for (size_t i = 0; i < count; i++) sum += (double)x[i * stride];
  return sum;
}

static void copy_element(const struct copy *c, size_t from, size_t to) {
  const struct walk *summed = &c->gather->summed;
  double real = 0.0;
  uint64_t whole = 0;
  if (summed->count == 0 && c->class == ONRI_CLASS_F32) {
    ((float *)c->to)[to] = ((const float *)c->from)[from];
    return;
  }
  const int32_t outer = summed->count > 0 ? summed->count - 1 : 0;
  const size_t line = summed->count > 0 ? summed->dim[outer] : 1,
               stride = summed->count > 0 ? summed->stride[outer] : 0;
  for (size_t i = 0; i < summed->total; i += line) {
    const size_t start = from + walk_offset(summed, outer, i / line);
    if (c->class == ONRI_CLASS_F32) real += sum_of((const float *)c->from + start, line, stride);
    for (size_t j = 0, at = start; j < line && c->class != ONRI_CLASS_F32; j++, at += stride)
      if (c->class == ONRI_CLASS_F64) real += ((const double *)c->from)[at];
      else whole += ((const uint64_t *)c->from)[at];
  }
  if (c->class == ONRI_CLASS_F32) ((float *)c->to)[to] = (float)real;
  else if (c->class == ONRI_CLASS_F64) ((double *)c->to)[to] = real;
  else ((uint64_t *)c->to)[to] = whole;
}

/* Items are lines along the innermost dimension. */
static void copy_lines(void *context, size_t begin, size_t end) {
  const struct copy *c = context;
  const struct walk *kept = &c->gather->kept;
  const int32_t outer = kept->count - 1;
  const size_t line = kept->dim[outer], stride = kept->stride[outer];
  for (size_t i = begin; i < end; i++) {
    const size_t from = walk_offset(kept, outer, i);
    for (size_t j = 0; j < line; j++) copy_element(c, from + j * stride, i * line + j);
  }
}

static void run_gather(struct onr_call *call, const struct gather *gather, const void *from, void *to) {
  const struct walk *kept = &gather->kept;
  struct copy c = {gather, onri_dtype_class(call->in[0].dtype), from, to};
  if (kept->total == 0) return;
  if (gather->summed.count == 0 && kept->count <= ONRI_COPY_MAX_RANK) { /* nothing but another order */
    struct onri_copy copy;
    int64_t dims[ONRI_COPY_MAX_RANK], strides[ONRI_COPY_MAX_RANK];
    for (int32_t d = 0; d < kept->count; d++) dims[d] = (int64_t)kept->dim[d], strides[d] = (int64_t)kept->stride[d];
    onri_copy_make(&copy, onri_class_size(c.class), kept->count, dims, strides, NULL);
    onri_copy_run(&copy, call->env, from, to);
    return;
  }
  if (gather->kept.count == 0) {
    copy_element(&c, 0, 0);
    return;
  }
  const size_t line = gather->kept.dim[gather->kept.count - 1], work = line * (gather->summed.total + 1);
  onr_parallel_for(call->env, gather->kept.total / line, work >= 8192 ? 1 : 8192 / work, copy_lines, &c);
}

struct product {
  const struct onr_env *env;
  const struct step *step;
  enum onri_class class;
  const char *a, *b;
  char *c;
  size_t down, across;
};

/* One number: a product of a row and a column that lie in a piece each. */
static int dot(const struct onri_gemm *g, enum onri_class class) {
  const float *a = g->a, *b = g->b;
  double sum[4] = {0};
  size_t i = 0;
  if (class != ONRI_CLASS_F32 || g->m * g->n != 1 || g->k > 4096 || g->a_col != 1 || g->b_row != 1) return 0;
  for (; i + 4 <= g->k; i += 4)
    for (size_t l = 0; l < 4; l++) sum[l] += (double)a[i + l] * (double)b[i + l];
  for (; i < g->k; i++) sum[0] += (double)a[i] * (double)b[i];
  *(float *)g->c = (float)(sum[0] + sum[1] + (sum[2] + sum[3]));
  return 1;
}

static void product_tiles(void *context, size_t begin, size_t end) {
  const struct product *p = context;
  const struct step *s = p->step;
  const size_t size = onri_class_size(p->class);
  for (size_t item = begin; item < end; item++) {
    const size_t batch = item / (p->down * p->across), tile = item % (p->down * p->across);
    const size_t row = tile / p->across * TILE_ROWS, column = tile % p->across * TILE_COLUMNS;
    size_t a_at = 0, b_at = 0, rest = batch;
    for (int32_t d = s->batch.count; d-- > 0; rest /= s->batch.dim[d]) {
      a_at += rest % s->batch.dim[d] * s->batch.stride[d];
      b_at += rest % s->batch.dim[d] * s->b_stride[d];
    }
    const struct onri_gemm whole = {.m = s->m,
                                    .n = s->n,
                                    .k = s->k,
                                    .a = p->a + a_at * size,
                                    .a_row = s->a_row,
                                    .a_col = s->a_col,
                                    .b = p->b + b_at * size,
                                    .b_row = s->b_row,
                                    .b_col = s->b_col,
                                    .c = p->c + batch * s->m * s->n * size,
                                    .c_row = s->n,
                                    .alpha = 1.0};
    if (dot(&whole, p->class)) continue;
    const struct onri_gemm part = onri_gemm_part(p->class, &whole, row, s->m - row < TILE_ROWS ? s->m - row : TILE_ROWS,
                                                 column, s->n - column < TILE_COLUMNS ? s->n - column : TILE_COLUMNS);
    onri_gemm_long(p->class, &part, p->env);
  }
}

static void run_step(struct onr_call *call, const struct step *s, const void *a, const void *b, void *c) {
  char *scratch = call->scratch;
  struct product p = {call->env, s, onri_dtype_class(call->in[0].dtype), a, b, c, 0, 0};
  if (s->copy_a) {
    run_gather(call, &s->gather_a, a, scratch + s->a_at);
    p.a = scratch + s->a_at;
  }
  if (s->copy_b) {
    run_gather(call, &s->gather_b, b, scratch + s->b_at);
    p.b = scratch + s->b_at;
  }
  p.down = (s->m + TILE_ROWS - 1) / TILE_ROWS;
  p.across = (s->n + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const size_t work = s->m * s->n * s->k;
  onr_parallel_for(call->env, s->batch.total * p.down * p.across, work < 4096 ? 4096 / (work + 1) + 1 : 1,
                   product_tiles, &p);
}

static enum onr_status einsum_run(struct onr_call *call) {
  struct einsum_state *s = call->state;
  const enum onr_dtype dtype = call->in[0].dtype;
  const size_t operands = s->equation.operands, elements = (size_t)onr_desc_elements(&call->out[0]);
  char *scratch = call->scratch;
  void *y = onri_is_native(dtype) ? call->outputs[0] : scratch + s->y_at;
  if (elements == 0) return ONR_STATUS_OK;
  const void *result = onri_converted_input(call, 0, s->operand_at[0]);
  for (size_t i = 1; i < operands; i++) {
    void *to = i + 1 == operands && !s->needs_last ? y : scratch + s->step[i].c_at;
    run_step(call, &s->step[i], result, onri_converted_input(call, i, s->operand_at[i]), to);
    result = to;
  }
  if (s->needs_last) run_gather(call, &s->last, result, y);
  if (!onri_is_native(dtype)) onri_convert(call->env, dtype, y, call->outputs[0], elements, 1);
  return ONR_STATUS_OK;
}

static int64_t einsum_multiply_adds(const struct onr_call *call) {
  const struct onr_einsum_params *p = call->params;
  struct onri_einsum e;
  size_t product = 1;
  if (call->num_in < 2 || onri_einsum_parse(call, p->equation, &e) != ONR_STATUS_OK) return 0;
  for (int l = 0; l < LABELS; l++)
    if (e.size[l] >= 0) product = onri_size_of((size_t[]){product, (size_t)e.size[l]}, 2);
  return (uint64_t)product > INT64_MAX ? INT64_MAX : (int64_t)product;
}

static uint32_t einsum_kernel_types(const void *params, enum onr_kernel kernel) {
  (void)params;
  return kernel == ONR_KERNEL_VECTOR ? ONRI_DTYPES_F32_AND_HALF : 0;
}

const struct onr_layer onri_layer_einsum = {
    .name = "einsum",
    .inputs_min = 1,
    .inputs_max = ONR_VARIADIC,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_NUMBER, ONR_AS_INPUT(0)},
    .output_type = ONR_AS_INPUT(0),
    .params_size = sizeof(struct onr_einsum_params),
    .state_size = sizeof(struct einsum_state),
    .infer = einsum_infer,
    .plan = einsum_plan,
    .run = einsum_run,
    .multiply_adds = einsum_multiply_adds,
    .kernel_types = einsum_kernel_types,
};
