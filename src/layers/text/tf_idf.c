/* tf_idf.c: how often each n-gram of a pool is found in rows of tokens.
 *
 * The n-grams of each length are sorted, so that a window of tokens finds its n-gram by narrowing a range. */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/index/sort.h"
#include "layers/layers.h"

/* Tokens that one run may look at: a minute or two of work. */
#define MOST_TOKENS ((uint64_t)1 << 32)

/* The n-grams of one length that is asked for. */
struct length_range {
  size_t n, first; /* first: number of its first n-gram */
  size_t count;
  size_t pool; /* where its tokens start */
};

struct prepared {
  struct length_range *ranges;
  size_t num_ranges;
  int64_t *order; /* [num_grams] numbers of n-grams, sorted within each range, from ranges[].first on */
};

static int int_order(int64_t x, int64_t y) { return (x > y) - (x < y); }

static int string_order(const struct onr_string *x, const struct onr_string *y) {
  const size_t shared = x->length < y->length ? x->length : y->length;
  const int order = shared > 0 ? memcmp(x->text, y->text, shared) : 0;
  return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* --- check and infer --- */

static enum onr_status wrong(const struct onr_call *call, const char *what, int64_t found) {
  return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "%s, found %lld", what, (long long)found);
}

/* Starts ascend, and what lies between two of them is whole n-grams, as many as there are columns. */
static enum onr_status check_pool(const struct onr_call *call) {
  const struct onr_tf_idf_params *p = call->params;
  size_t grams = 0;
  for (size_t i = 0; i < p->num_lengths; i++) {
    const int64_t start = p->starts[i], end = i + 1 < p->num_lengths ? p->starts[i + 1] : (int64_t)p->pool_size;
    if (start < 0 || start > end || (uint64_t)end > p->pool_size)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                      "%zu-grams lie at %lld to %lld of a pool of %zu tokens: expected ascending starts", i + 1,
                      (long long)start, (long long)end, p->pool_size);
    if ((uint64_t)(end - start) % (i + 1) != 0)
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "%lld tokens are no whole number of %zu-grams",
                      (long long)(end - start), i + 1);
    grams += (size_t)(end - start) / (i + 1);
  }
  if (grams != p->num_grams)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "%zu columns for %zu n-grams: expected one each", p->num_grams,
                    grams);
  return ONR_STATUS_OK;
}

static enum onr_status tf_idf_check(const struct onr_call *call) {
  const struct onr_tf_idf_params *p = call->params;
  if ((unsigned)p->mode > ONR_TF_IDF_BOTH) return wrong(call, "expected a known mode", p->mode);
  if (p->min_length < 1) return wrong(call, "expected n-grams of at least 1 token", p->min_length);
  if (p->max_length < p->min_length || (uint64_t)p->max_length > p->num_lengths)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a greatest length from %lld to %zu, found %lld",
                    (long long)p->min_length, p->num_lengths, (long long)p->max_length);
  if (p->max_skips < 0) return wrong(call, "expected a number of skipped tokens", p->max_skips);
  for (size_t i = 0; i < p->num_grams; i++)
    if (p->columns[i] < 0 || p->columns[i] == INT64_MAX)
      return wrong(call, "expected numbers of columns", p->columns[i]);
  return check_pool(call);
}

static enum onr_status tf_idf_infer(struct onr_call *call) {
  const struct onr_tf_idf_params *p = call->params;
  int64_t width = 0;
  ONR_TRY(onri_expect_rank(call, 0, 1, 2));
  for (size_t i = 0; i < p->num_grams; i++)
    if (p->columns[i] >= width) width = p->columns[i] + 1;
  call->out[0] = call->in[0];
  call->out[0].dtype = ONR_DTYPE_F32;
  call->out[0].dim[call->out[0].rank - 1] = width;
  return ONR_STATUS_OK;
}

/* --- prepare --- */

struct sorted_range {
  const struct onr_tf_idf_params *params;
  const struct length_range *range;
};

static int gram_order(const struct sorted_range *sorted, int64_t a, int64_t b) {
  const struct length_range *r = sorted->range;
  const size_t x = r->pool + ((size_t)a - r->first) * r->n, y = r->pool + ((size_t)b - r->first) * r->n;
  int order = 0;
  const struct onr_tf_idf_params *p = sorted->params;
  for (size_t k = 0; k < r->n && order == 0; k++)
    order = p->pool_strings ? string_order(&p->pool_strings[x + k], &p->pool_strings[y + k])
                            : int_order(p->pool_ints[x + k], p->pool_ints[y + k]);
  return order;
}

static int gram_less(const void *sorted, int64_t a, int64_t b) { return gram_order(sorted, a, b) < 0; }

static void list_ranges(const struct onr_tf_idf_params *p, struct prepared *s) {
  size_t gram = 0;
  for (size_t i = 0; i < p->num_lengths; i++) {
    const size_t end = i + 1 < p->num_lengths ? (size_t)p->starts[i + 1] : p->pool_size;
    const struct length_range range = {i + 1, gram, (end - (size_t)p->starts[i]) / (i + 1), (size_t)p->starts[i]};
    gram += range.count;
    if (range.count > 0 && (int64_t)range.n >= p->min_length && (int64_t)range.n <= p->max_length)
      s->ranges[s->num_ranges++] = range;
  }
}

static enum onr_status sort_ranges(const struct onr_call *call, const struct prepared *s, int64_t *scratch) {
  const struct onr_tf_idf_params *p = call->params;
  for (size_t i = 0; i < s->num_ranges; i++) {
    const struct sorted_range sorted = {p, &s->ranges[i]};
    int64_t *grams = s->order + sorted.range->first;
    onri_sort(grams, scratch, sorted.range->count, gram_less, &sorted, call->env);
    for (size_t g = 1; g < sorted.range->count; g++)
      if (gram_order(&sorted, grams[g - 1], grams[g]) == 0)
        return onr_fail(call->error, ONR_STATUS_ATTRIBUTE,
                        "the %zu-grams number %lld and %lld of the pool are the same", sorted.range->n,
                        (long long)(grams[g - 1] - (int64_t)sorted.range->first),
                        (long long)(grams[g] - (int64_t)sorted.range->first));
  }
  return ONR_STATUS_OK;
}

static enum onr_status tf_idf_prepare(struct onr_call *call) {
  const struct onr_tf_idf_params *p = call->params;
  struct prepared *s = call->prepared;
  s->ranges = onr_env_allocate(call->env, p->num_lengths * sizeof(*s->ranges) + 1);
  s->order = onr_env_allocate(call->env, p->num_grams * sizeof(*s->order) + 1);
  int64_t *scratch = onr_env_allocate(call->env, p->num_grams * sizeof(*scratch) + 1);
  enum onr_status status = ONR_STATUS_NO_MEMORY;
  if (s->ranges && s->order && scratch) {
    for (size_t i = 0; i < p->num_grams; i++) s->order[i] = (int64_t)i;
    list_ranges(p, s);
    status = sort_ranges(call, s, scratch);
  } else {
    onr_fail(call->error, status, "no memory for %zu n-grams", p->num_grams);
  }
  onr_env_release(call->env, scratch);
  return status;
}

static void tf_idf_release(void *prepared, struct onr_env *env) {
  struct prepared *s = prepared;
  onr_env_release(env, s->ranges);
  onr_env_release(env, s->order);
}

/* --- plan --- */

static size_t row_length(const struct onr_call *call) { return (size_t)call->in[0].dim[call->in[0].rank - 1]; }

/* Distances between the tokens of an n-gram that fit in `length` tokens; single tokens have the distance 1 alone. */
static size_t num_skips(const struct onr_tf_idf_params *p, size_t n, size_t length) {
  const uint64_t fitting = n > length ? 0 : n == 1 ? 1 : (length - 1) / (n - 1);
  return (size_t)(fitting > (uint64_t)p->max_skips ? (uint64_t)p->max_skips + 1 : fitting);
}

static enum onr_status tf_idf_plan(struct onr_call *call) {
  const struct onr_tf_idf_params *p = call->params;
  const struct prepared *s = call->prepared;
  const size_t length = row_length(call);
  uint64_t tokens = 0;
  for (size_t i = 0; i < s->num_ranges; i++) {
    const uint64_t windows = num_skips(p, s->ranges[i].n, length);
    uint64_t product;
    if (!onri_mul_u64(windows, s->ranges[i].n, &product) ||
        !onri_mul_u64(product, (uint64_t)onr_desc_elements(&call->in[0]), &product) ||
        !onri_add_u64(tokens, product, &tokens) || tokens > MOST_TOKENS)
      return onr_fail(call->error, ONR_STATUS_LIMIT,
                      "%lld tokens with n-grams of up to %lld, of which up to %lld tokens are skipped: "
                      "more than %llu tokens would be looked at",
                      (long long)onr_desc_elements(&call->in[0]), (long long)p->max_length, (long long)p->max_skips,
                      (unsigned long long)MOST_TOKENS);
  }
  return ONR_STATUS_OK;
}

/* --- run --- */

static int compare_token(const struct onr_call *call, size_t token, size_t pool) {
  const struct onr_tf_idf_params *p = call->params;
  switch (call->in[0].dtype) {
    case ONR_DTYPE_STRING:
      return string_order((const struct onr_string *)call->inputs[0] + token, &p->pool_strings[pool]);
    case ONR_DTYPE_I64: return int_order(((const int64_t *)call->inputs[0])[token], p->pool_ints[pool]);
    default: return int_order(((const int32_t *)call->inputs[0])[token], p->pool_ints[pool]);
  }
}

/* The first of the sorted n-grams [begin, end) whose token k is not less than `token` (after = 0) or is greater (after
 * = 1). */
static size_t bound(const struct onr_call *call, const struct length_range *r, size_t k, size_t begin, size_t end,
                    size_t token, int after) {
  const int64_t *grams = ((const struct prepared *)call->prepared)->order + r->first;
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    if (compare_token(call, token, r->pool + ((size_t)grams[middle] - r->first) * r->n + k) >= (after ? 0 : 1))
      begin = middle + 1;
    else end = middle;
  }
  return begin;
}

/* The number of the n-gram at token `start` of the input, with `stride` from one token to the next; -1: none. */
static int64_t find_gram(const struct onr_call *call, const struct length_range *r, size_t start, size_t stride) {
  size_t begin = 0, end = r->count;
  for (size_t k = 0; k < r->n && begin < end; k++) {
    begin = bound(call, r, k, begin, end, start + k * stride, 0);
    end = bound(call, r, k, begin, end, start + k * stride, 1);
  }
  return begin < end ? ((const struct prepared *)call->prepared)->order[r->first + begin] : -1;
}

static void count_gram(const struct onr_tf_idf_params *p, int64_t gram, float *y) {
  const float weight = p->weights && p->mode != ONR_TF_IDF_COUNT ? p->weights[gram] : 1.0f;
  if (p->mode == ONR_TF_IDF_FOUND) y[p->columns[gram]] = weight;
  else y[p->columns[gram]] += weight;
}

/* In the order in which the windows start, which decides between n-grams of one column. */
static void tf_idf_row(const struct onr_call *call, size_t row, size_t skips, float *y) {
  const struct prepared *s = call->prepared;
  const size_t length = row_length(call);
  struct onri_pace pace = {call->env, 0};
  for (size_t stride = 1; stride <= skips; stride++)
    for (size_t start = 0; start < length && !onri_pace_stop(&pace, 32 * s->num_ranges); start++)
      for (size_t i = 0; i < s->num_ranges; i++) {
        const struct length_range *r = &s->ranges[i];
        if (stride > num_skips(call->params, r->n, length - start)) {
          if (r->n == 1) continue;
          break; /* longer ones do not fit either */
        }
        const int64_t gram = find_gram(call, r, row * length + start, stride);
        if (gram >= 0) count_gram(call->params, gram, y);
      }
}

static void tf_idf_rows(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct prepared *s = call->prepared;
  const size_t width = (size_t)call->out[0].dim[call->out[0].rank - 1];
  const struct onr_tf_idf_params *p = call->params;
  const int comparable = (call->in[0].dtype == ONR_DTYPE_STRING) == (p->pool_strings != NULL);
  size_t skips = 0;
  for (size_t i = 0; comparable && i < s->num_ranges; i++) {
    const size_t n = num_skips(p, s->ranges[i].n, row_length(call));
    if (n > skips) skips = n;
  }
  for (size_t row = begin; row < end; row++) {
    float *y = (float *)call->outputs[0] + row * width;
    memset(y, 0, width * sizeof(*y));
    tf_idf_row(call, row, skips, y);
  }
}

static enum onr_status tf_idf_run(struct onr_call *call) {
  const size_t rows = call->in[0].rank == 2 ? (size_t)call->in[0].dim[0] : 1;
  onr_parallel_for(call->env, rows, 1, tf_idf_rows, call);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_tf_idf = {
    .name = "tf_idf",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_STRING) | ONRI_DTYPES_INDEX},
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_F32),
    .flags = ONR_LAYER_HEAVY,
    .params_size = sizeof(struct onr_tf_idf_params),
    .prepared_size = sizeof(struct prepared),
    .check = tf_idf_check,
    .infer = tf_idf_infer,
    .prepare = tf_idf_prepare,
    .plan = tf_idf_plan,
    .run = tf_idf_run,
    .release_prepared = tf_idf_release,
};
