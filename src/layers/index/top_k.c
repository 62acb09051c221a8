/* top_k.c: the k largest or smallest elements along an axis, in order, and where they were.
 *
 * Elements become keys of which the greater is the better. The best of each of some k groups of keys bound the best k
 * from below: few keys lie above the bound, and they alone are sorted. A few are kept in order while they are found;
 * many are gathered, and cut to k where there is no room left.
 * Lines that lie apart are copied beside each other, some at a time.
 * Short lines of float32, or the best one alone: a lane of a vector each (kernels/index/top_k.h). */
#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "base/shape.h"
#include "kernels/convert/convert.h"
#include "kernels/index/sort.h"
#include "kernels/index/top_k.h"
#include "kernels/kernels.h"
#include "kernels/move/copy.h"
#include "kernels/move/transpose.h"
#include "layers/elementwise/scratch.h"
#include "layers/index/indices.h"
#include "layers/layers.h"

#define BLOCK ONRI_TOP_K_BLOCK
#define MAX_PARTS 16

enum {
  KEYS = 1 << 14,          /* that are looked at together, where k is not large */
  FEW = 16,                /* that are kept in order */
  SPARE = 1024,            /* entries beyond 2 k */
  TILE_BYTES = 1 << 20,    /* of lines that are copied */
  LINE_BYTES = 64,         /* of a cache */
  SCRATCH_BYTES = 1 << 26, /* of all parts, unless one takes more */
  BUCKETS = 256
};

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
  size_t chunk;    /* keys of a line that are looked at together */
  size_t together; /* lines whose elements lie, or are copied, one behind the other */
  int keys_of_all; /* of the lines together, at once */
  int in_columns;  /* and nothing else of this is used */
  size_t capacity; /* entries */
  size_t key_size;
  size_t spare, above, keys, peaks, tile, part_bytes; /* where in a part's scratch memory; its entries are first */
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void choose(struct top_k_state *s, size_t size) {
  const size_t most = s->k < SIZE_MAX / 32 && 16 * s->k > KEYS ? 16 * s->k : KEYS;
  s->chunk = least(s->length, most);
  s->together =
      s->inner == 1 ? KEYS / s->length : least(least(s->inner, LINE_BYTES / size), TILE_BYTES / size / s->length);
  if (s->together == 0) s->together = 1;
  s->keys_of_all = s->together * s->length <= KEYS;
  s->capacity = s->k <= FEW ? s->k : s->k > s->length / 2 ? s->length : least(s->length, 2 * s->k + SPARE);
}

/* `count` elements more of the scratch memory of a part. */
static int take(struct top_k_state *s, size_t count, size_t size, size_t *at) {
  size_t bytes;
  *at = s->part_bytes;
  return onri_mul_size(count, size, &bytes) && onri_round_up(bytes, LINE_BYTES, &bytes) &&
         onri_add_size(s->part_bytes, bytes, &s->part_bytes);
}

static enum onr_status top_k_plan(struct onr_call *call) {
  const struct onr_top_k_params *p = call->params;
  struct top_k_state *s = call->state;
  const struct onr_desc *x = &call->in[0];
  const size_t size = onr_dtype_size(x->dtype), entry = sizeof(struct onri_sort_entry);
  int32_t axis;
  size_t entries;
  ONR_TRY(onri_axis_resolve(p->axis, x->rank, &axis, call->error));
  s->outer = (size_t)onri_product(x, 0, axis);
  s->inner = (size_t)onri_product(x, axis + 1, x->rank);
  s->length = (size_t)x->dim[axis];
  s->k = (size_t)call->out[0].dim[axis];
  s->num_parts = s->part_bytes = 0;
  s->in_columns =
      x->dtype == ONR_DTYPE_F32 && s->length > 1 && onri_top_k_is_columns(s->outer, s->length, s->inner, s->k);
  if (s->in_columns) return ONR_STATUS_OK;
  const size_t lines = s->outer * s->inner;
  if (s->k == 0 || lines == 0) return ONR_STATUS_OK;
  s->key_size = onri_class_size(onri_dtype_class(x->dtype));
  choose(s, size);
  if (!take(s, s->capacity, entry, &entries) || !take(s, s->k <= FEW ? 0 : s->capacity, entry, &s->spare) ||
      !take(s, s->chunk / BLOCK + 1, sizeof(uint64_t), &s->above) ||
      !take(s, s->keys_of_all ? s->together * s->length : s->chunk, s->key_size, &s->keys) ||
      !take(s, s->chunk / 2, s->key_size, &s->peaks) ||
      !take(s, s->inner == 1 ? 0 : s->together * s->length, size, &s->tile))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of top_k exceeds the address space");
  s->num_parts = least(least(lines, MAX_PARTS), s->length * lines / 4096 + 1);
  if (s->num_parts > 1) s->num_parts = least(s->num_parts, SCRATCH_BYTES / s->part_bytes + 1);
  if (!onri_mul_size(s->part_bytes, s->num_parts, &call->scratch_bytes))
    return onr_fail(call->error, ONR_STATUS_LIMIT, "the scratch memory of top_k exceeds the address space");
  return ONR_STATUS_OK;
}

struct top_k_job {
  const struct top_k_state *s;
  const struct onr_env *env;
  enum onr_dtype dtype;
  enum onri_class class;
  size_t size;
  int largest;
  const char *x;
  char *values;
  int64_t *indices;
  char *scratch;
  const struct onri_top_k_kernels *kernels;
};

/* The best of a line so far, or, of more than FEW, some that they are among. An entry's key is less the better it is.
 */
struct best {
  struct onri_sort_entry *entries;
  size_t count;
  int64_t limit; /* the keys of all others that count are above it, unless everything counts */
  int is_open;
};

static void make_keys(const struct top_k_job *job, const char *x, size_t count, char *keys) {
  uint64_t widened[BLOCK];
  if (onri_is_native(job->dtype)) {
    job->kernels->keys(job->class, x, count, job->largest, keys);
    return;
  }
  for (size_t i = 0; i < count; i += BLOCK) {
    const size_t n = least(count - i, BLOCK);
    onri_widen(job->dtype, x + i * job->size, n, widened);
    job->kernels->keys(job->class, widened, n, job->largest, keys + i * job->s->key_size);
  }
}

static int64_t key_at(const void *keys, size_t size, size_t i) {
  return size == sizeof(int32_t) ? ((const int32_t *)keys)[i] : ((const int64_t *)keys)[i];
}

/* Keys of 32 bits lie in the upper half, so that sorting has half the digits. */
static uint64_t entry_key(int64_t key, size_t size) {
  return ~((uint64_t)key << (size == sizeof(int32_t) ? 32 : 0) ^ (uint64_t)1 << 63);
}
static int64_t key_of_entry(uint64_t key, size_t size) {
  const int64_t upper = (int64_t)(~key ^ (uint64_t)1 << 63);
  return size == sizeof(int32_t) ? upper >> 32 : upper;
}

/* A number that at least k of the peaks reach. */
static int64_t bound_of(const void *peaks, size_t size, size_t count, size_t k) {
  uint32_t found[BUCKETS] = {0};
  int64_t low = INT64_MAX, high = INT64_MIN;
  size_t above = 0, bucket = BUCKETS;
  int shift = 0;
  for (size_t i = 0; i < count; i++) {
    const int64_t key = key_at(peaks, size, i);
    low = key < low ? key : low;
    high = key > high ? key : high;
  }
  while (((uint64_t)high - (uint64_t)low) >> shift >= BUCKETS) shift++;
  for (size_t i = 0; i < count; i++) found[((uint64_t)key_at(peaks, size, i) - (uint64_t)low) >> shift]++;
  while (above < k && bucket > 0) above += found[--bucket];
  return (int64_t)((uint64_t)low + ((uint64_t)bucket << shift));
}

/* Of a line's first keys. */
static void bound(const struct top_k_job *job, const void *keys, size_t count, void *peaks, struct best *best) {
  const size_t k = job->s->k, size = job->s->key_size, half = count / 2 / BLOCK * BLOCK;
  const size_t groups = k < half / 4 ? (4 * k + BLOCK - 1) / BLOCK * BLOCK : half;
  if (groups < k + k / 4) return;
  job->kernels->peaks(size, keys, count, groups, peaks);
  const int64_t reached = bound_of(peaks, size, groups, k);
  if (reached == (size == sizeof(int32_t) ? INT32_MIN : INT64_MIN)) return;
  best->is_open = 0;
  best->limit = reached - 1;
}

/* Those of one key stay in the order of their indices, in which they come. */
static void insert(struct best *best, size_t k, struct onri_sort_entry e) {
  struct onri_sort_entry *entries = best->entries;
  if (best->count == k && e.key >= entries[k - 1].key) return;
  size_t i = best->count < k ? best->count++ : k - 1;
  for (; i > 0 && entries[i - 1].key > e.key; i--) entries[i] = entries[i - 1];
  entries[i] = e;
}

/* To the k best, in order. 0: cancelled. */
static int cut(const struct top_k_job *job, struct best *best, char *scratch) {
  const struct top_k_state *s = job->s;
  struct onri_sort_entry *spare = (struct onri_sort_entry *)(void *)(scratch + s->spare);
  if (s->k > FEW && !onri_sort_entries(best->entries, spare, best->count, job->env)) return 0;
  if (best->count < s->k) return 1;
  best->count = s->k;
  best->limit = key_of_entry(best->entries[s->k - 1].key, s->key_size);
  best->is_open = 0;
  return 1;
}

/* Keys of elements from `first` of the line on. 0: cancelled. */
static int look_at(const struct top_k_job *job, const void *keys, size_t first, size_t count, char *scratch,
                   struct best *best) {
  const struct top_k_state *s = job->s;
  uint64_t *above = (uint64_t *)(void *)(scratch + s->above);
  if (best->is_open && count >= 2 * BLOCK) bound(job, keys, count, scratch + s->peaks, best);
  if (best->is_open) memset(above, 0xFF, (count / BLOCK + 1) * sizeof(*above));
  else job->kernels->above(s->key_size, keys, count, best->limit, above);
  for (size_t i = 0; i < count; i += BLOCK) {
    uint64_t left = above[i / BLOCK];
    if (count - i < BLOCK) left &= ((uint64_t)1 << (count - i)) - 1;
    for (; left != 0; left &= left - 1) {
      const size_t at = i + (size_t)__builtin_ctzll(left);
      const struct onri_sort_entry e = {entry_key(key_at(keys, s->key_size, at), s->key_size), (int64_t)(first + at)};
      if (s->k <= FEW) insert(best, s->k, e);
      else best->entries[best->count++] = e;
    }
    if (best->count + BLOCK > s->capacity && s->capacity < s->length && s->k > FEW && !cut(job, best, scratch))
      return 0;
  }
  return 1;
}

static void put_line(const struct top_k_job *job, size_t line, const char *x, const struct onri_sort_entry *best,
                     struct onri_pace *pace) {
  const struct top_k_state *s = job->s;
  size_t to = line / s->inner * s->k * s->inner + line % s->inner;
  for (size_t i = 0; i < s->k && !onri_pace_stop(pace, 64); i++, to += s->inner) {
    if (job->values) onri_copy_element(job->values + to * job->size, x + (size_t)best[i].index * job->size, job->size);
    if (job->indices) job->indices[to] = best[i].index;
  }
}

/* x: its elements, one behind the other. keys: NULL where they are to be made. */
static void top_k_line(const struct top_k_job *job, size_t line, const char *x, const char *keys, char *scratch) {
  const struct top_k_state *s = job->s;
  struct onri_pace pace = {job->env, 0};
  struct best best = {(struct onri_sort_entry *)(void *)scratch, 0, 0, 1};
  if (s->length <= BLOCK && s->k <= FEW) {
    int64_t at[FEW];
    if (!keys) make_keys(job, x, s->length, scratch + s->keys);
    job->kernels->best(s->key_size, keys ? keys : scratch + s->keys, s->length, s->k, at);
    for (size_t i = 0; i < s->k; i++) best.entries[i].index = at[i];
    put_line(job, line, x, best.entries, &pace);
    return;
  }
  for (size_t first = 0; first < s->length; first += s->chunk) {
    const size_t count = least(s->length - first, s->chunk);
    if (onri_pace_stop(&pace, 8 * count)) return;
    if (!keys) make_keys(job, x + first * job->size, count, scratch + s->keys);
    if (!look_at(job, keys ? keys : scratch + s->keys, first, count, scratch, &best)) return;
    if (s->k <= FEW && !cut(job, &best, scratch)) return;
  }
  if (cut(job, &best, scratch)) put_line(job, line, x, best.entries, &pace);
}

/* Elements of `count` lines one behind the other. */
static const char *gather_lines(const struct top_k_job *job, size_t line, size_t count, char *tile) {
  const struct top_k_state *s = job->s;
  const size_t stride = s->inner * job->size;
  const char *x = job->x + line / s->inner * s->length * stride + line % s->inner * job->size;
  if (s->inner == 1) return x;
  const struct onri_transpose t = {x, tile, (ptrdiff_t)stride, (ptrdiff_t)(s->length * job->size), count, s->length};
  onri_transpose(&t, job->size);
  return tile;
}

static void top_k_lines(const struct top_k_job *job, size_t first, size_t last, char *scratch) {
  const struct top_k_state *s = job->s;
  char *keys = scratch + s->keys;
  size_t count;
  for (; first < last && !onr_env_cancelled(job->env); first += count) {
    count = least(s->together, last - first);
    if (s->inner > 1) count = least(count, s->inner - first % s->inner);
    const char *x = gather_lines(job, first, count, scratch + s->tile);
    if (s->keys_of_all) make_keys(job, x, count * s->length, keys);
    for (size_t i = 0; i < count; i++)
      top_k_line(job, first + i, x + i * s->length * job->size,
                 s->keys_of_all ? keys + i * s->length * s->key_size : NULL, scratch);
  }
}

static void top_k_parts(void *context, size_t begin, size_t end) {
  const struct top_k_job *job = context;
  const size_t lines = job->s->outer * job->s->inner, parts = job->s->num_parts;
  for (size_t part = begin; part < end; part++) {
    const size_t last = lines / parts * (part + 1) + (part + 1 == parts ? lines % parts : 0);
    top_k_lines(job, lines / parts * part, last, job->scratch + part * job->s->part_bytes);
  }
}

/* The best of lines of one element. */
static enum onr_status copy_all(struct onr_call *call) {
  if (call->outputs[0]) onri_copy_bytes(call->env, call->inputs[0], call->outputs[0], onr_desc_bytes(&call->out[0]));
  if (call->num_out > 1 && call->outputs[1])
    onri_zero_bytes(call->env, call->outputs[1], onr_desc_bytes(&call->out[1]));
  return ONR_STATUS_OK;
}

static enum onr_status top_k_run(struct onr_call *call) {
  const struct onr_top_k_params *p = call->params;
  const struct top_k_state *s = call->state;
  const enum onr_dtype dtype = call->in[0].dtype;
  if (s->in_columns) {
    const struct onri_top_k_lines lines = {
        s->outer,   s->length,       s->inner,         s->k,
        p->largest, call->inputs[0], call->outputs[0], call->num_out > 1 ? call->outputs[1] : NULL};
    onri_top_k_in_columns(&lines, call->env);
    return ONR_STATUS_OK;
  }
  if (s->num_parts > 0 && s->length == 1) return copy_all(call);
  struct top_k_job job = {s,
                          call->env,
                          dtype,
                          onri_dtype_class(dtype),
                          onr_dtype_size(dtype),
                          p->largest,
                          call->inputs[0],
                          call->outputs[0],
                          call->num_out > 1 ? call->outputs[1] : NULL,
                          call->scratch,
                          onri_kernels(top_k)};
  if (s->num_parts > 0) onr_parallel_for(call->env, s->num_parts, 1, top_k_parts, &job);
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
