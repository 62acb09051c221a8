/* top_k.c: the k largest or smallest elements along an axis, in order, and where they were.
 *
 * Each line goes through a heap of k (key, index) pairs whose root is the worst one kept: O(n log k), no copy of the
 * line. Most elements of a long line are no better than the root: float32 are compared with it as they are. Where many
 * are kept, those that may be among them are sorted instead. In entries of both, a greater key is
 * better. */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/shape.h"
#include "kernels/index/sort.h"
#include "kernels/kernels.h"
#include "kernels/reduce/reduce_lines.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

#define BLOCK 64
#define MAX_PARTS 16

enum { MANY = 32, SORTED_ELEMENTS = 1 << 20, BUCKETS = 2048, BUCKET_SHIFT = 64 - 11 };

static enum onr_status read_k(const struct onr_call *call, int64_t *k) {
  size_t count;
  ONR_TRY(onri_read_ints(call, 1, k, 1, &count));
  if (count != 1) return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "k has %d values: expected one", (int)count);
  return ONR_STATUS_OK;
}

static enum onr_status top_k_infer(struct onr_call *call) {
  const struct onr_top_k_params *p = call->params;
  const struct onr_desc x = call->in[0];
  int32_t axis;
  int64_t k;
  ONR_TRY(onri_expect_rank(call, 0, 1, ONR_MAX_RANK));
  ONR_TRY(onri_axis_resolve(p->axis, x.rank, &axis, call->error));
  ONR_TRY(read_k(call, &k));
  if (k < 0 || k > x.dim[axis])
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "k is %lld: expected 0..%lld, the size of axis %d", (long long)k,
                    (long long)x.dim[axis], (int)axis);
  for (size_t i = 0; i < call->num_out; i++) {
    call->out[i] = x;
    call->out[i].dim[axis] = k;
  }
  if (call->num_out > 1) call->out[1].dtype = ONR_DTYPE_I64;
  return ONR_STATUS_OK;
}

struct top_k_state {
  size_t outer, inner, length, k, num_parts;
  int sorts;
  size_t part_bytes; /* of scratch */
};

static enum onr_status top_k_plan(struct onr_call *call) {
  const struct onr_top_k_params *p = call->params;
  struct top_k_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  int32_t axis;
  size_t bytes;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  s->outer = (size_t)onri_product(x, 0, axis);
  s->inner = (size_t)onri_product(x, axis + 1, x->rank);
  s->length = (size_t)x->dim[axis];
  s->k = (size_t)call->out[0].dim[axis];
  const size_t lines = s->outer * s->inner, worth = s->length * lines / 4096 + 1;
  s->num_parts = lines < MAX_PARTS ? lines : MAX_PARTS;
  if (s->num_parts > worth) s->num_parts = worth;
  s->sorts = s->k >= MANY && s->length / s->k < MANY && s->length <= SORTED_ELEMENTS;
  if (s->sorts && s->num_parts * s->length > SORTED_ELEMENTS) s->num_parts = SORTED_ELEMENTS / s->length;
  const size_t entries = s->sorts ? s->length : s->k, each = sizeof(struct onri_sort_entry);
  if (!onri_mul_size(entries, s->sorts ? 2 * each + sizeof(uint64_t) : each, &s->part_bytes) ||
      !onri_mul_size(s->part_bytes, s->num_parts, &bytes) || !onri_add_size(bytes, 1, &call->scratch_bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of top_k exceeds the address space");
  return ONR_STATUS_OK;
}

/* a stands behind b in the result. */
static int worse(struct onri_sort_entry a, struct onri_sort_entry b) {
  return a.key != b.key ? a.key < b.key : a.index > b.index;
}

/* Entry 0 of a heap of n has just been replaced: let it sink until no child is worse. */
static void sink(struct onri_sort_entry *heap, size_t n) {
  const struct onri_sort_entry e = heap[0];
  size_t i = 0;
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && worse(heap[child + 1], heap[child])) child++;
    if (!worse(heap[child], e)) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = e;
}

static void rise(struct onri_sort_entry *heap, size_t i) {
  const struct onri_sort_entry e = heap[i];
  while (i > 0 && worse(e, heap[(i - 1) / 2])) {
    heap[i] = heap[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  heap[i] = e;
}

/* The heap in order, best first: the worst is taken off again and again. */
static void drain(struct onri_sort_entry *heap, size_t n, struct onri_pace *pace) {
  while (n > 1 && !onri_pace_stop(pace, 64)) {
    const struct onri_sort_entry worst = heap[0];
    heap[0] = heap[--n];
    sink(heap, n);
    heap[n] = worst;
  }
}

struct top_k_job {
  const struct top_k_state *s;
  const struct onr_env *env;
  enum onr_dtype dtype;
  size_t size;
  int largest;
  const char *x;
  char *values;
  int64_t *indices;
  char *scratch;
  const struct onri_reduce_kernels *reduce;
};

/* Which of a block of float32 may be better than `root`: all that may, and few others. */
static size_t contenders(const float *x, size_t count, float root, int largest, uint8_t *at) {
  size_t n = 0;
  for (size_t i = 0; i < count; i++) {
    at[n] = (uint8_t)i;
    n += largest ? !(x[i] <= root) : !(x[i] >= root); /* NaN may */
  }
  return n;
}

static void load_keys(const struct top_k_job *job, const char *x, size_t stride, size_t count, uint64_t *keys) {
  char block[BLOCK * 8];
  if (stride != job->size) {
    for (size_t i = 0; i < count; i++) onri_copy_element(block + i * job->size, x + i * stride, job->size);
    x = block;
  }
  onri_sort_keys(job->dtype, x, count, keys, job->env);
  for (size_t i = 0; i < count && !job->largest; i++) keys[i] = ~keys[i];
}

static void offer(struct onri_sort_entry *heap, size_t k, struct onri_sort_entry e) {
  if (!worse(heap[0], e)) return;
  heap[0] = e;
  sink(heap, k);
}

/* A block of float32 from element `first` of a line on, to a heap that is full. */
static void offer_block(const struct top_k_job *job, const char *line, size_t stride, size_t first, size_t count,
                        struct onri_sort_entry *heap) {
  float copied[BLOCK], root;
  uint8_t at[BLOCK];
  const float *block = (const float *)(const void *)(line + first * stride);
  memcpy(&root, line + (size_t)heap[0].index * stride, sizeof(root));
  if (stride != sizeof(root)) {
    for (size_t i = 0; i < count; i++) memcpy(&copied[i], line + (first + i) * stride, sizeof(root));
    block = copied;
  }
  const double limit = (double)root;
  const double best = job->reduce->run[job->largest ? ONRI_TAKE_MAX : ONRI_TAKE_MIN](block, count, 0, limit);
  if (best == limit) return;
  const size_t few = contenders(block, count, root, job->largest, at);
  for (size_t i = 0; i < few; i++) {
    uint64_t key;
    load_keys(job, (const char *)&block[at[i]], sizeof(root), 1, &key);
    offer(heap, job->s->k, (struct onri_sort_entry){key, (int64_t)(first + at[i])});
  }
}

static void put_line(const struct top_k_job *job, size_t line, const struct onri_sort_entry *best, size_t n,
                     struct onri_pace *pace) {
  const struct top_k_state *s = job->s;
  const size_t outer = line / s->inner, inner = line % s->inner, stride = s->inner * job->size;
  const char *x = job->x + outer * s->length * stride + inner * job->size;
  for (size_t i = 0; i < n && !onri_pace_stop(pace, 64); i++) {
    const size_t to = (outer * s->k + i) * s->inner + inner;
    if (job->values) onri_copy_element(job->values + to * job->size, x + (size_t)best[i].index * stride, job->size);
    if (job->indices) job->indices[to] = best[i].index;
  }
}

static void top_k_line(const struct top_k_job *job, size_t line, struct onri_sort_entry *heap) {
  const struct top_k_state *s = job->s;
  const size_t outer = line / s->inner, inner = line % s->inner, stride = s->inner * job->size;
  const char *x = job->x + outer * s->length * stride + inner * job->size;
  struct onri_pace pace = {job->env, 0};
  uint64_t keys[BLOCK];
  size_t n = 0;
  for (size_t first = 0; first < s->length; first += BLOCK) {
    if (onri_pace_stop(&pace, 32 * BLOCK)) return;
    const size_t count = s->length - first < BLOCK ? s->length - first : BLOCK;
    if (n == s->k && job->dtype == ONR_DTYPE_F32) {
      offer_block(job, x, stride, first, count, heap);
      continue;
    }
    load_keys(job, x + first * stride, stride, count, keys);
    for (size_t i = 0; i < count; i++) {
      const struct onri_sort_entry e = {keys[i], (int64_t)(first + i)};
      if (n < s->k) {
        heap[n] = e;
        rise(heap, n++);
      } else {
        offer(heap, n, e);
      }
    }
  }
  drain(heap, n, &pace);
  put_line(job, line, heap, n, &pace);
}

/* The bucket, by their leading bits, that the worst of the k best keys is in. */
static uint64_t lowest_bucket(const uint64_t *keys, size_t count, size_t k) {
  uint32_t found[BUCKETS] = {0};
  size_t above = 0, bucket = BUCKETS;
  for (size_t i = 0; i < count; i++) found[keys[i] >> BUCKET_SHIFT]++;
  while (above < k && bucket > 0) above += found[--bucket];
  return bucket;
}

static void sort_line(const struct top_k_job *job, size_t line, char *scratch) {
  const struct top_k_state *s = job->s;
  const size_t stride = s->inner * job->size;
  const char *x = job->x + line / s->inner * s->length * stride + line % s->inner * job->size;
  struct onri_sort_entry *entries = (struct onri_sort_entry *)(void *)scratch;
  uint64_t *keys = (uint64_t *)(void *)(entries + 2 * s->length);
  struct onri_pace pace = {job->env, 0};
  size_t n = 0;
  for (size_t first = 0; first < s->length; first += BLOCK) {
    if (onri_pace_stop(&pace, 8 * BLOCK)) return;
    load_keys(job, x + first * stride, stride, s->length - first < BLOCK ? s->length - first : BLOCK, keys + first);
  }
  const uint64_t lowest =
      4 * s->k < 3 * s->length && s->length > BUCKETS / 4 ? lowest_bucket(keys, s->length, s->k) : 0;
  for (size_t i = 0; i < s->length; i++) {
    entries[n] = (struct onri_sort_entry){~keys[i], (int64_t)i};
    n += keys[i] >> BUCKET_SHIFT >= lowest;
  }
  if (onri_sort_entries(entries, entries + s->length, n, job->env)) put_line(job, line, entries, s->k, &pace);
}

static void top_k_parts(void *context, size_t begin, size_t end) {
  const struct top_k_job *job = context;
  const size_t lines = job->s->outer * job->s->inner, parts = job->s->num_parts;
  for (size_t part = begin; part < end; part++) {
    const size_t last = lines / parts * (part + 1) + (part + 1 == parts ? lines % parts : 0);
    for (size_t line = lines / parts * part; line < last && !onr_env_cancelled(job->env); line++)
      if (job->s->sorts) sort_line(job, line, job->scratch + part * job->s->part_bytes);
      else top_k_line(job, line, (struct onri_sort_entry *)(void *)(job->scratch + part * job->s->part_bytes));
  }
}

static enum onr_status top_k_run(struct onr_call *call) {
  const struct onr_top_k_params *p = call->params;
  const struct top_k_state *s = call->state;
  struct top_k_job job = {s,
                          call->env,
                          call->in[0].dtype,
                          onr_dtype_size(call->in[0].dtype),
                          p->largest,
                          call->inputs[0],
                          call->outputs[0],
                          call->num_out > 1 ? call->outputs[1] : NULL,
                          call->scratch,
                          onri_kernels(reduce)};
  if (s->k == 0 || s->num_parts == 0) return ONR_STATUS_OK;
  onr_parallel_for(call->env, s->num_parts, 1, top_k_parts, &job);
  return ONR_STATUS_OK;
}

/* A heap of those selected: what is kept sinks through some of its levels, which lie far apart. */
static int64_t top_k_steps(const struct onr_call *call) {
  enum { ELEMENT = 16, SELECTED = 512 };
  const int64_t elements = ONRI_STEPS(onr_desc_elements(&call->in[0]), ELEMENT);
  const int64_t selected = ONRI_STEPS(onr_desc_elements(&call->out[0]), SELECTED);
  return elements > selected ? elements : selected;
}

const struct onr_layer onri_layer_top_k = {
    .name = "top_k",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 2,
    .types = {ONRI_DTYPES_NUMBER, ONRI_DTYPES_INDEX},
    .output_type = ONR_AS_INPUT(0),
    .shape_inputs = 1u << 1,
    .layout = ONR_LAYOUT_ALONG_AXIS,
    .layout_param = offsetof(struct onr_top_k_params, axis),
    .params_size = sizeof(struct onr_top_k_params),
    .state_size = sizeof(struct top_k_state),
    .infer = top_k_infer,
    .plan = top_k_plan,
    .run = top_k_run,
    .steps = top_k_steps,
};
