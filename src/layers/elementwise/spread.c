/* spread.c: see onri_broadcast_each in broadcast.h. A row of a few elements is done before a kernel for it has begun:
 * the last dimensions that are a few hundred elements together, the period, are copied element by element instead,
 * period after period, and the kernel has one long row. */
#include "kernels/move/places.h"
#include "layers/elementwise/broadcast.h"

_Static_assert((int)ONRI_PERIOD == ONRI_PLACES, "a period is a block of places");

enum { ROOM = 16384 /* bytes, shared by the operands */ };

struct spread {
  const struct onri_broadcast *b;
  int32_t outer;               /* dimensions in front of the period */
  size_t at[ONR_MAX_RANK + 1]; /* where the next period lies in them */
  size_t block;                /* elements of a tile, whole periods */
  struct onri_operands operands;
  char *room[ONRI_BROADCAST_MAX];                 /* NULL: the operand lies as the result does */
  int is_fixed[ONRI_BROADCAST_MAX];               /* every period is the same, and is there already */
  int is_one[ONRI_BROADCAST_MAX];                 /* a period repeats one element */
  uint8_t index[ONRI_BROADCAST_MAX][ONRI_PERIOD]; /* where the period's elements lie in the operand */
};

static int is_dense(const struct onri_broadcast *b, size_t k) {
  size_t elements = 1;
  for (int32_t d = b->rank; d-- > 0; elements *= b->dim[d])
    if (b->dim[d] > 1 && b->stride[k][d] != elements) return 0;
  return 1;
}

/* Elements `first` and so on of a period that begins at element `start` of the operand, and of the `times - 1` behind
 * it, which are `step` elements apart. */
static void copy_periods(const struct spread *s, size_t k, size_t start, size_t first, size_t count, size_t times,
                         size_t step, void *to) {
  const size_t size = s->operands.size[k];
  onri_copy_places(&(struct onri_places){.index = s->is_one[k] ? NULL : s->index[k] + first,
                                         .size = size,
                                         .run = 1,
                                         .count = count,
                                         .blocks = times,
                                         .x = (const char *)s->operands.x[k] + start * size,
                                         .y = to,
                                         .x_step = (ptrdiff_t)(step * size),
                                         .y_step = (ptrdiff_t)(count * size)});
}

static void find_places(const struct spread *s, size_t k, uint8_t *index) {
  const struct onri_broadcast *b = s->b;
  size_t count = 1;
  index[0] = 0;
  for (int32_t d = b->rank; d-- > s->outer; count *= b->dim[d])
    for (size_t i = 1; i < b->dim[d]; i++)
      for (size_t j = 0; j < count; j++) index[i * count + j] = (uint8_t)(index[j] + i * b->stride[k][d]);
}

static void start_spread(struct spread *s, size_t begin, size_t end, size_t most, char *room) {
  const struct onri_broadcast *b = s->b;
  const size_t share = ROOM / b->operands / 64 * 64, room_of = share - ONRI_PLACES_SLACK;
  size_t period = 1, widest = 1, index = begin / b->period;
  for (s->outer = b->rank; period < b->period;) period *= b->dim[--s->outer];
  for (int32_t d = s->outer; d-- > 0; index /= b->dim[d]) s->at[d] = index % b->dim[d];
  for (size_t k = 0; k < b->operands; k++) widest = s->operands.size[k] > widest ? s->operands.size[k] : widest;
  const size_t needed = begin % b->period + end - begin + b->period - 1; /* no more is copied for what is fixed */
  if (most > needed) most = needed;
  s->block = (most < room_of / widest ? most : room_of / widest) / b->period * b->period;
  for (size_t k = 0; k < b->operands; k++) {
    s->room[k] = is_dense(b, k) ? NULL : room + k * share;
    if (!s->room[k]) continue;
    s->is_fixed[k] = 1;
    for (int32_t d = 0; d < s->outer; d++) s->is_fixed[k] &= b->stride[k][d] == 0;
    find_places(s, k, s->index[k]);
    s->is_one[k] = s->index[k][b->period - 1] == 0;
    if (s->is_fixed[k]) copy_periods(s, k, 0, 0, b->period, s->block / b->period, 0, s->room[k]);
  }
}

/* The next pieces of all operands that change, from element `first` of a period on. */
static void fill(struct spread *s, size_t first, size_t count) {
  const struct onri_broadcast *b = s->b;
  const int32_t last = s->outer - 1;
  for (size_t done = 0, piece; done < count; done += piece) {
    const size_t left = count - done, rest = b->period - first, whole = left / b->period;
    const size_t row = last < 0 ? 1 : b->dim[last] - s->at[last];
    const size_t times = rest < b->period || whole == 0 ? 1 : whole < row ? whole : row;
    const size_t each = times > 1 || rest < left ? rest : left;
    for (size_t k = 0; k < b->operands; k++) {
      size_t start = 0;
      if (!s->room[k] || s->is_fixed[k]) continue;
      for (int32_t d = 0; d <= last; d++) start += s->at[d] * b->stride[k][d];
      copy_periods(s, k, start, first, each, times, last < 0 ? 0 : b->stride[k][last],
                   s->room[k] + done * s->operands.size[k]);
    }
    piece = each * times;
    first = (first + each) % b->period;
    if (first > 0 || last < 0) continue;
    s->at[last] += times;
    for (int32_t d = last; d > 0 && s->at[d] == b->dim[d]; d--) s->at[d] = 0, s->at[d - 1]++;
  }
}

static void spread_each(const struct onri_broadcast *b, const struct onri_operands *operands, size_t begin, size_t end,
                        size_t most, onri_tile_body body, void *context) {
  char room[ROOM] __attribute__((aligned(64)));
  struct spread s;
  size_t first = begin % b->period;
  s.b = b;
  s.operands = *operands;
  start_spread(&s, begin, end, most, room);
  for (size_t count; begin < end; begin += count) {
    const size_t left = end - begin, here = s.block - first;
    struct onri_tile tile = {.rows = 1, .count = left < here ? left : here, .offset = begin};
    const void *at[ONRI_BROADCAST_MAX];
    count = tile.count;
    fill(&s, first, count);
    for (size_t k = 0; k < b->operands; k++) {
      const char *x = s.room[k] ? s.room[k] : (const char *)operands->x[k] + begin * operands->size[k];
      at[k] = s.room[k] && s.is_fixed[k] ? x + first * operands->size[k] : x;
      tile.step[k] = 1;
    }
    body(context, &tile, at);
    first = (first + count) % b->period;
  }
}

void onri_broadcast_each(const struct onri_broadcast *b, const struct onri_operands *operands, size_t begin, size_t end,
                         size_t most, onri_tile_body body, void *context) {
  struct onri_tile tile;
  const void *at[ONRI_BROADCAST_MAX];
  if (b->period > 0) {
    spread_each(b, operands, begin, end, most, body, context);
    return;
  }
  for (; begin < end; begin += tile.rows * tile.count) {
    onri_broadcast_tile(b, begin, end, most, &tile);
    for (size_t k = 0; k < b->operands; k++) at[k] = (const char *)operands->x[k] + tile.operand[k] * operands->size[k];
    body(context, &tile, at);
  }
}
