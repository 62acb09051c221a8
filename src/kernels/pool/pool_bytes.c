/* pool_bytes.c: maxima of bytes whose pixels lie side by side, see pool.h: windows lie side by side in what
 * byte_lines.h makes of a channel. */
#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/conv_integer/byte_lines.h"
#include "kernels/kernels.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/pool_rows.h"

enum { VECTOR = ONRI_BYTE_VECTOR, SLOTS = 16 /* threads that have room of their own */, FLIP = 0x80 };

static size_t taps_of(const struct onri_pool *pool) {
  return (size_t)(pool->axis[0].kernel * pool->axis[1].kernel * pool->axis[2].kernel);
}

/* A slot has a channel as it is laid out, what is read behind it, and its positions. */
static size_t slot_bytes(const struct onri_byte_lines *l) {
  size_t bytes;
  return onri_round_up(l->plane, VECTOR, &bytes) && onri_add_size(bytes, VECTOR + l->positions, &bytes) ? bytes
                                                                                                        : SIZE_MAX;
}
static size_t terms_bytes(const struct onri_pool *pool) {
  return (taps_of(pool) * sizeof(size_t) + VECTOR - 1) / VECTOR * VECTOR;
}

int onri_pool_is_byte_planes(const struct onri_pool *pool) {
  enum { MOST_TAPS = 1 << 10, WASTE = 4 };
  struct onri_byte_lines l;
  size_t bytes;
  double windows = 1;
  if (pool->kind != ONRI_POOL_MAX || pool->adaptive || pool->plain || pool->x.stride[2] != 1 || pool->y.stride[2] != 1)
    return 0;
  for (int a = 0; a < ONR_MAX_SPATIAL; a++) {
    if (pool->axis[a].out < 1 || pool->axis[a].kernel > MOST_TAPS) return 0;
    windows *= (double)pool->axis[a].out;
  }
  return taps_of(pool) <= MOST_TAPS && onri_byte_lines_set(pool->axis, &l) && slot_bytes(&l) != SIZE_MAX &&
         onri_mul_size(slot_bytes(&l), SLOTS, &bytes) && onri_add_size(bytes, terms_bytes(pool), &bytes) &&
         (double)l.part * (double)l.strips < WASTE * windows + VECTOR;
}

static size_t slots_of(uint32_t threads) { return threads < SLOTS ? threads : SLOTS; }

size_t onri_pool_byte_planes_scratch(const struct onri_pool *pool, uint32_t threads) {
  struct onri_byte_lines l;
  return onri_byte_lines_set(pool->axis, &l) ? terms_bytes(pool) + slots_of(threads) * slot_bytes(&l) : SIZE_MAX;
}

struct work {
  const struct onri_pool *pool;
  const uint8_t *x;
  uint8_t *y, flip;
  struct onri_byte_lines lines;
  size_t *terms, slots;
  char *slot;
  struct onr_env *env;
};

/* A slot takes every so many-th strip of all channels of all images. */
static void run_slots(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_image *in = &w->pool->x, *out = &w->pool->y;
  const size_t channels = (size_t)in->channels, all = (size_t)in->batch * channels * w->lines.strips;
  for (size_t slot = begin; slot < end; slot++) {
    uint8_t *packed = (uint8_t *)w->slot + slot * slot_bytes(&w->lines),
            *made = packed + slot_bytes(&w->lines) - w->lines.positions;
    for (size_t item = slot; item < all && !onr_env_cancelled(w->env); item += w->slots) {
      const size_t plane = item / w->lines.strips;
      const int64_t n = (int64_t)(plane / channels), c = (int64_t)(plane % channels);
      struct onri_byte_strip_of strip;
      onri_byte_lines_strip(&w->lines, item % w->lines.strips, &strip);
      onri_byte_lines_pack(&w->lines, &strip, w->x + n * in->batch_stride + c * in->channel_stride, in->stride, w->flip,
                           w->flip, packed);
      onri_kernels(pool)->max_terms(packed, w->terms, taps_of(w->pool), w->flip, made, strip.positions);
      onri_byte_lines_store(&w->lines, &strip, made, 1, w->y + n * out->batch_stride + c * out->channel_stride,
                            out->stride);
    }
  }
}

void onri_pool_max_byte_planes(const struct onri_pool *pool, const void *x, void *y, int is_signed, void *scratch,
                               struct onr_env *env) {
  struct work w = {.pool = pool,
                   .x = x,
                   .y = y,
                   .flip = is_signed ? FLIP : 0,
                   .terms = scratch,
                   .slots = slots_of(onr_threads_count(env->threads)),
                   .slot = (char *)scratch + terms_bytes(pool),
                   .env = env};
  (void)onri_byte_lines_set(pool->axis, &w.lines);
  for (size_t t = 0; t < taps_of(pool); t++) w.terms[t] = onri_byte_lines_distance(&w.lines, t);
  onr_parallel_for(env, w.slots, 1, run_slots, &w);
}
