/* copy.c: see copy.h. Any copy is brought to a form of two inner loops (a, b) over elements of 1, 2, 4, 8 or 16 bytes,
 * or over longer contiguous blocks, inside a counter over the remaining dimensions. */
#include "kernels/move/copy.h"

#include "base/types.h"

#include <string.h>

#include "kernels/kernels.h"

#define TASK_BYTES ((size_t)32 * 1024)
#define TILE 16 /* chunks of a transpose are a multiple of this */

struct element16 {
  uint64_t part[2];
};

/* Inner kernels. memcpy of a constant size is a plain load or store that does not care about alignment. */
struct inner {
  const char *x;
  char *y;
  size_t num_a, num_b;
  ptrdiff_t x_a, x_b, y_a, y_b;
};

#define DEFINE_COPY(T, bits)                                                                  \
  static void repeat_##bits(const struct inner *k) {                                          \
    for (size_t a = 0; a < k->num_a; a++) {                                                   \
      T value;                                                                                \
      memcpy(&value, k->x + (ptrdiff_t)a * k->x_a, sizeof(value));                            \
      char *y = k->y + (ptrdiff_t)a * k->y_a;                                                 \
      for (size_t b = 0; b < k->num_b; b++) memcpy(y + b * sizeof(T), &value, sizeof(value)); \
    }                                                                                         \
  }                                                                                           \
  static void strided_##bits(const struct inner *k) {                                         \
    for (size_t a = 0; a < k->num_a; a++) {                                                   \
      const char *x = k->x + (ptrdiff_t)a * k->x_a;                                           \
      char *y = k->y + (ptrdiff_t)a * k->y_a;                                                 \
      for (size_t b = 0; b < k->num_b; b++, x += k->x_b, y += k->y_b) {                       \
        T value;                                                                              \
        memcpy(&value, x, sizeof(value));                                                     \
        memcpy(y, &value, sizeof(value));                                                     \
      }                                                                                       \
    }                                                                                         \
  }                                                                                           \
  static void copy_##bits(const struct inner *k) {                                            \
    const ptrdiff_t size = (ptrdiff_t)sizeof(T);                                              \
    if (k->y_b == size && k->x_b == 0) {                                                      \
      repeat_##bits(k);                                                                       \
    } else if (k->y_b == size && k->x_a == size && k->num_a > 1) {                            \
      const struct onri_transpose t = {k->x, k->y, k->x_b, k->y_a, k->num_a, k->num_b};       \
      onri_transpose_##bits(&t);                                                              \
    } else {                                                                                  \
      strided_##bits(k);                                                                      \
    }                                                                                         \
  }

DEFINE_COPY(uint8_t, 8)
DEFINE_COPY(uint16_t, 16)
DEFINE_COPY(uint32_t, 32)
DEFINE_COPY(uint64_t, 64)
DEFINE_COPY(struct element16, 128)

static void copy_block(const char *x, char *y, size_t bytes) {
  if (!onri_kernels(transpose)->blocks(&(struct onri_blocks){x, y, 0, 0, bytes, 1})) memcpy(y, x, bytes);
}

/* What is there already is copied twice as long each time. */
static void repeat_block(const char *x, char *y, size_t bytes, size_t count) {
  copy_block(x, y, bytes);
  for (size_t done = bytes, all = bytes * count; done < all; done *= 2)
    copy_block(y, y + done, all - done < done ? all - done : done);
}

/* Where both lie alike against lines of the cache, the processor's instruction for strings, which the C library takes
 * for long blocks, reads no line that it is to write: half as long again as vectors need. Where not, it takes longer.
 */
static int is_for_library(const char *x, const char *y, size_t bytes) {
  enum { LONG = 1 << 14, LINE = 64 };
  return bytes >= LONG && ((uintptr_t)x - (uintptr_t)y) % LINE == 0;
}

/* In the order in which they are read: the processor fetches ahead what is read, and waits for no write. */
static void copy_blocks(const struct inner *k, size_t bytes) {
  const int a_inside = k->num_a > 1 && (k->num_b == 1 || (k->x_a >= 0 && k->x_a < k->x_b));
  const size_t outer = a_inside ? k->num_b : k->num_a, inner = a_inside ? k->num_a : k->num_b;
  const ptrdiff_t x_outer = a_inside ? k->x_b : k->x_a, x_inner = a_inside ? k->x_a : k->x_b;
  const ptrdiff_t y_outer = a_inside ? k->y_b : k->y_a, y_inner = a_inside ? k->y_a : k->y_b;
  if (x_inner == 0 && y_inner == (ptrdiff_t)bytes && inner > 2) {
    for (size_t i = 0; i < outer; i++)
      repeat_block(k->x + (ptrdiff_t)i * x_outer, k->y + (ptrdiff_t)i * y_outer, bytes, inner);
    return;
  }
  for (size_t i = 0; i < outer; i++) {
    const char *x = k->x + (ptrdiff_t)i * x_outer;
    char *y = k->y + (ptrdiff_t)i * y_outer;
    if (!is_for_library(x, y, bytes) &&
        onri_kernels(transpose)->blocks(&(struct onri_blocks){x, y, x_inner, y_inner, bytes, inner}))
      continue;
    for (size_t j = 0; j < inner; j++, x += x_inner, y += y_inner) memcpy(y, x, bytes);
  }
}

static void permute_blocks(const struct onri_copy *c, const struct inner *k) {
  struct onri_permutation p = {c->index, c->words, k->num_b, k->x, k->y, k->x_b, k->y_b};
  for (size_t a = 0; a < k->num_a; a++, p.x += k->x_a, p.y += k->y_a) onri_kernels(transpose)->permute(&p);
}

static void gather_blocks(const struct onri_copy *c, const struct inner *k) {
  struct onri_places p = {c->place, c->element, c->run, c->places, k->num_b, k->x, k->y, k->x_b, k->y_b};
  for (size_t a = 0; a < k->num_a; a++) {
    p.x = k->x + (ptrdiff_t)a * k->x_a, p.y = k->y + (ptrdiff_t)a * k->y_a;
    onri_copy_places(&p);
  }
}

static int is_element_size(size_t size) { return size == 1 || size == 2 || size == 4 || size == 8 || size == 16; }

static void remove_dim(struct onri_copy *c, int32_t d) {
  c->rank--;
  for (int32_t i = d; i < c->rank; i++) {
    c->dim[i] = c->dim[i + 1];
    c->x_stride[i] = c->x_stride[i + 1];
    c->y_stride[i] = c->y_stride[i + 1];
  }
}

/* Drop dims of 1, merge neighbours that are one run in both arrays, take contiguous inner runs as blocks. */
static void simplify(struct onri_copy *c) {
  for (int32_t d = c->rank - 1; d >= 0; d--)
    if (c->dim[d] == 1) remove_dim(c, d);
  for (int32_t d = c->rank - 2; d >= 0; d--) {
    const ptrdiff_t n = (ptrdiff_t)c->dim[d + 1];
    if (c->x_stride[d] == c->x_stride[d + 1] * n && c->y_stride[d] == c->y_stride[d + 1] * n) {
      c->x_stride[d] = c->x_stride[d + 1];
      c->y_stride[d] = c->y_stride[d + 1];
      c->dim[d] *= c->dim[d + 1];
      remove_dim(c, d + 1);
    }
  }
  const int32_t last = c->rank - 1;
  const ptrdiff_t size = (ptrdiff_t)c->size;
  if (last >= 0 && c->x_stride[last] == size && c->y_stride[last] == size) {
    c->size *= c->dim[last];
    remove_dim(c, last);
  }
}

static void take_inner(struct onri_copy *c, int32_t d, size_t *num, ptrdiff_t *x, ptrdiff_t *y) {
  if (d < 0) return;
  *num = c->dim[d];
  *x = c->x_stride[d];
  *y = c->y_stride[d];
  remove_dim(c, d);
}

/* The words of a block of the last dimensions from `d` on, if it is dense in x and in y, and small; else 0. */
static size_t words_of_block(const struct onri_copy *c, int32_t d) {
  size_t bytes = c->size;
  for (int32_t i = c->rank - 1; i >= d; i--) {
    if (c->y_stride[i] != (ptrdiff_t)bytes || c->dim[i] > sizeof(c->index) / bytes) return 0;
    bytes *= c->dim[i];
  }
  for (size_t dense = c->size; dense < bytes;) { /* in x, they follow one another in some order */
    int32_t next = d;
    while (next < c->rank && c->x_stride[next] != (ptrdiff_t)dense) next++;
    if (next == c->rank) return 0;
    dense *= c->dim[next];
  }
  return bytes / 4;
}

/* Small blocks whose elements change places among themselves are moved as a whole. */
static void take_block(struct onri_copy *c) {
  const size_t size = c->size;
  int32_t first = c->rank;
  c->words = 0;
  if (c->rank < 2 || !is_element_size(size) || size < 4) return;
  for (int32_t d = c->rank - 2; d >= 0; d--) {
    const size_t words = words_of_block(c, d);
    if (words == 0 || words > onri_kernels(transpose)->permuted_words) continue;
    for (size_t i = 0; i < words; i++) {
      size_t element = i * 4 / size, at = i * 4 % size;
      for (int32_t k = c->rank - 1; k >= d; k--) {
        at += element % c->dim[k] * (size_t)c->x_stride[k];
        element /= c->dim[k];
      }
      c->index[i] = (int32_t)(at / 4);
    }
    c->words = words;
    first = d;
  }
  if (c->words == 0) return;
  c->rank = first;
  c->size = c->words * 4;
}

/* Dense small blocks in y of elements that lie near each other in x, in any order and any number of times, where two
 * loops would have few turns. `size`: bytes of an element; runs of a few are an innermost dimension. */
static void take_places(struct onri_copy *c, size_t size) {
  enum { FEW = 64 /* elements */, SHORT = 32, SHORT_REPEATED = 128, WIDE = 4 /* bytes of a run */ };
  const int32_t last = c->rank - 1, repeats = last >= 0 && c->x_stride[last] == 0;
  const size_t run = c->size / size, longest = repeats ? SHORT_REPEATED : SHORT, each = c->size < WIDE ? 1 : run;
  const int32_t loops = run > 1 ? 1 : 2; /* of those that are inside */
  size_t count = run, span = run - 1, turns = run;
  int32_t first = c->rank;
  c->places = 0;
  if (c->words > 0 || c->rank <= loops || !is_element_size(size) || (run > 1 && c->size > longest)) return;
  for (int32_t d = last; d > last - loops; d--) turns *= c->dim[d] < FEW ? c->dim[d] : FEW;
  if (turns >= FEW) return;
  for (; first > 0; first--) {
    const int32_t d = first - 1;
    const size_t step = (size_t)c->x_stride[d] / size, reach = (c->dim[d] - 1) * step;
    if (c->y_stride[d] != (ptrdiff_t)(count * size) || c->x_stride[d] < 0 || step * size != (size_t)c->x_stride[d] ||
        c->dim[d] > ONRI_PLACES / count || step >= ONRI_PLACES || reach >= ONRI_PLACES - span)
      break;
    count *= c->dim[d], span += reach;
  }
  if (first > last + 1 - loops) return;
  for (size_t i = 0; i < count; i += each) {
    size_t element = i / run, at = i % run;
    for (int32_t d = last; d >= first; d--) {
      at += element % c->dim[d] * ((size_t)c->x_stride[d] / size);
      element /= c->dim[d];
    }
    c->place[i / each] = (uint8_t)at;
  }
  c->places = count / each, c->element = size, c->run = each;
  c->rank = first;
  c->size = count * size;
}

void onri_copy_plan(struct onri_copy *c) {
  c->num_tasks = 0;
  c->num_a = c->num_b = 1;
  c->x_a = c->x_b = c->y_a = c->y_b = 0;
  for (int32_t d = 0; d < c->rank; d++)
    if (c->dim[d] == 0) return;
  if (c->size == 0) return;
  const size_t size = c->size;
  simplify(c);
  take_block(c);
  take_places(c, size);

  c->block = c->size;
  c->num_blocks = 1;
  if (c->size >= TASK_BYTES) {
    c->block = TASK_BYTES;
    c->num_blocks = (c->size + TASK_BYTES - 1) / TASK_BYTES;
    c->chunk = c->num_chunks = 1;
    c->cut_a = 1;
  } else {
    take_inner(c, c->rank - 1, &c->num_b, &c->x_b, &c->y_b);
    int32_t a = c->rank - 1;
    if (c->words == 0 && c->places == 0 && is_element_size(c->size) && c->y_b == (ptrdiff_t)c->size && c->x_b != 0)
      for (int32_t d = c->rank - 1; d >= 0; d--)
        if (c->x_stride[d] == (ptrdiff_t)c->size) a = d;
    take_inner(c, a, &c->num_a, &c->x_a, &c->y_a);
    c->cut_a = c->num_a >= c->num_b;
    const size_t longer = c->cut_a ? c->num_a : c->num_b, shorter = c->cut_a ? c->num_b : c->num_a;
    c->chunk = TASK_BYTES / c->size / shorter / TILE * TILE;
    if (c->chunk < TILE) c->chunk = TILE;
    c->num_chunks = (longer + c->chunk - 1) / c->chunk;
  }
  c->num_tasks = c->num_blocks * c->num_chunks;
  for (int32_t d = 0; d < c->rank; d++) c->num_tasks *= c->dim[d];
  const size_t one = c->num_a * c->num_b * c->block;
  c->grain = c->num_chunks > 1 || one >= TASK_BYTES ? 1 : TASK_BYTES / one;
}

struct job {
  const struct onri_copy *copy;
  const char *x;
  char *y;
};

/* Task number -> chunk, block and a counter over the outer dims. */
struct counter {
  size_t chunk, block;
  size_t index[ONRI_COPY_MAX_RANK];
  ptrdiff_t x, y;
};

static void counter_start(struct counter *n, const struct onri_copy *c, size_t task) {
  n->chunk = task % c->num_chunks;
  task /= c->num_chunks;
  n->block = task % c->num_blocks;
  task /= c->num_blocks;
  n->x = n->y = 0;
  for (int32_t d = c->rank - 1; d >= 0; d--) {
    n->index[d] = task % c->dim[d];
    task /= c->dim[d];
    n->x += (ptrdiff_t)n->index[d] * c->x_stride[d];
    n->y += (ptrdiff_t)n->index[d] * c->y_stride[d];
  }
}

static void counter_next(struct counter *n, const struct onri_copy *c) {
  if (++n->chunk < c->num_chunks) return;
  n->chunk = 0;
  if (++n->block < c->num_blocks) return;
  n->block = 0;
  for (int32_t d = c->rank - 1; d >= 0; d--) {
    n->x += c->x_stride[d];
    n->y += c->y_stride[d];
    if (++n->index[d] < c->dim[d]) return;
    n->x -= (ptrdiff_t)c->dim[d] * c->x_stride[d];
    n->y -= (ptrdiff_t)c->dim[d] * c->y_stride[d];
    n->index[d] = 0;
  }
}

static void run_task(const struct job *job, const struct counter *n) {
  const struct onri_copy *c = job->copy;
  struct inner k = {job->x + n->x, job->y + n->y, c->num_a, c->num_b, c->x_a, c->x_b, c->y_a, c->y_b};
  const size_t first = n->chunk * c->chunk;
  if (c->cut_a) {
    k.num_a = c->num_a - first < c->chunk ? c->num_a - first : c->chunk;
    k.x += (ptrdiff_t)first * c->x_a;
    k.y += (ptrdiff_t)first * c->y_a;
  } else {
    k.num_b = c->num_b - first < c->chunk ? c->num_b - first : c->chunk;
    k.x += (ptrdiff_t)first * c->x_b;
    k.y += (ptrdiff_t)first * c->y_b;
  }
  if (c->words > 0) {
    permute_blocks(c, &k);
    return;
  }
  if (c->places > 0) {
    gather_blocks(c, &k);
    return;
  }
  switch (c->size) {
    case 1:
      if (ONRI_HERE_1) copy_8(&k);
      return;
    case 2:
      if (ONRI_HERE_2) copy_16(&k);
      return;
    case 4: copy_32(&k); return;
    case 8: copy_64(&k); return;
    case 16:
      if (ONRI_HERE_16) copy_128(&k);
      return;
    default: break;
  }
  const size_t offset = n->block * c->block;
  k.x += offset;
  k.y += offset;
  copy_blocks(&k, c->size - offset < c->block ? c->size - offset : c->block);
}

static void run_tasks(void *context, size_t begin, size_t end) {
  const struct job *job = context;
  struct counter n;
  counter_start(&n, job->copy, begin);
  for (size_t task = begin; task < end; task++) {
    run_task(job, &n);
    counter_next(&n, job->copy);
  }
}

void onri_copy_run(const struct onri_copy *copy, struct onr_env *env, const void *x, void *y) {
  struct job job = {copy, x, y};
  if (copy->num_tasks == 0) return;
  if (copy->num_tasks <= copy->grain) {
    run_tasks(&job, 0, copy->num_tasks);
  } else {
    onr_parallel_for(env, copy->num_tasks, copy->grain, run_tasks, &job);
  }
}

void onri_copy_make(struct onri_copy *c, size_t size, int32_t rank, const int64_t *dims, const int64_t *x_strides,
                    const int64_t *y_strides) {
  int64_t dense = 1;
  c->size = size;
  c->rank = rank;
  for (int32_t d = rank - 1; d >= 0; d--) {
    c->dim[d] = (size_t)dims[d];
    c->x_stride[d] = (ptrdiff_t)(x_strides ? x_strides[d] : dense) * (ptrdiff_t)size;
    c->y_stride[d] = (ptrdiff_t)(y_strides ? y_strides[d] : dense) * (ptrdiff_t)size;
    dense *= dims[d];
  }
  onri_copy_plan(c);
}

int onri_copy_is_contiguous(const struct onri_copy *c) {
  return c->rank == 0 && c->num_a == 1 && c->num_b == 1 && c->words == 0 && c->places == 0;
}

void onri_copy_bytes(struct onr_env *env, const void *x, void *y, size_t bytes) {
  struct onri_copy copy = {.size = bytes};
  onri_copy_plan(&copy);
  onri_copy_run(&copy, env, x, y);
}

static void zero_part(void *y, size_t begin, size_t end) { memset((char *)y + begin, 0, end - begin); }

void onri_zero_bytes(struct onr_env *env, void *y, size_t bytes) {
  onr_parallel_for(env, bytes, 1 << 18, zero_part, y);
}
