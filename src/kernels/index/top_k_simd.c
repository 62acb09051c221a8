/* top_k_simd.c: see top_k.h. All of it runs at what the caches give. */
#include "kernels/index/top_k.h"

#include "kernels/kernels.h"
#include "kernels/simd.h"

/* --- keys: floats are ordered like their bits, negative ones the other way round --- */

INLINE vi32 keys_f32(vf32 x, vi32 flip) {
  const vi32 bits = (vi32)x, order = bits ^ (bits >> 31 & INT32_MAX);
  return i32_select(x != x, i32_set(INT32_MAX), order & (x != 0.0f)) ^ flip;
}
INLINE vi64 keys_f64(vf64 x, vi64 flip) {
  const vi64 bits = (vi64)x, order = bits ^ (bits >> 63 & INT64_MAX);
  return i64_select(x != x, i64_set(INT64_MAX), order & (vi64)(x != 0.0)) ^ flip;
}
INLINE vi64 keys_i64(vf64 x, vi64 flip) { return (vi64)x ^ flip; }

static void order_f32(const float *x, size_t count, vi32 flip, int32_t *keys) {
  size_t i = 0;
  for (; i + F32_LANES <= count; i += F32_LANES) i32_store(keys + i, keys_f32(f32_load(x + i), flip));
  if (i < count) i32_store_part(keys + i, keys_f32(f32_load_part(x + i, count - i), flip), count - i);
}

#define ORDER_64(name)                                                                                            \
  static void order_##name(const void *from, size_t count, vi64 flip, int64_t *keys) {                            \
    const double *x = from;                                                                                       \
    size_t i = 0;                                                                                                 \
    for (; i + F64_LANES <= count; i += F64_LANES) i64_store(keys + i, keys_##name(f64_load(x + i), flip));       \
    if (i < count) f64_store_part(keys + i, (vf64)keys_##name(f64_load_part(x + i, count - i), flip), count - i); \
  }
ORDER_64(f64)
ORDER_64(i64)

static void order_keys(enum onri_class class, const void *x, size_t count, int largest, void *keys) {
  const vi64 flip = i64_set(largest ? 0 : -1);
  if (class == ONRI_CLASS_F32) order_f32(x, count, (vi32)flip, keys);
  else if (class == ONRI_CLASS_F64) order_f64(x, count, flip, keys);
  else order_i64(x, count, class == ONRI_CLASS_U64 ? flip ^ INT64_MIN : flip, keys);
}

/* --- of keys of both sizes --- */

/* Keys from `count` on are never the best, unless all are the least. */
INLINE vi32 i32_load_or_least(const int32_t *keys, size_t count) {
  return i32_select(i32_first_lanes(count), i32_load_part(keys, count), i32_set(INT32_MIN));
}
INLINE vi64 i64_load_or_least(const int64_t *keys, size_t count) {
  return i64_select(i64_first_lanes(count), (vi64)f64_load_part(keys, count), i64_set(INT64_MIN));
}

#define KEYS(T, V, element, LANES, LEAST)                                                                              \
  static void peaks_##T(const element *keys, size_t count, size_t groups, element *peaks) {                            \
    memcpy(peaks, keys, groups * sizeof(*peaks));                                                                      \
    for (size_t first = groups; first < count; first += groups) {                                                      \
      const size_t n = count - first < groups ? count - first : groups;                                                \
      size_t j = 0;                                                                                                    \
      for (; j + LANES <= n; j += LANES)                                                                               \
        T##_store(peaks + j, T##_greatest(T##_load(peaks + j), T##_load(keys + first + j)));                           \
      for (; j < n; j++) peaks[j] = keys[first + j] > peaks[j] ? keys[first + j] : peaks[j];                           \
    }                                                                                                                  \
  }                                                                                                                    \
  INLINE uint64_t above_block_##T(const element *keys, V limit) {                                                      \
    uint64_t bits = 0;                                                                                                 \
    UNROLL for (int l = 0; l < ONRI_TOP_K_BLOCK; l += LANES) bits |= T##_bits(T##_load(keys + l) > limit) << l;        \
    return bits;                                                                                                       \
  }                                                                                                                    \
  static void above_##T(const element *keys, size_t count, element limit, uint64_t *above) {                           \
    const V limits = T##_set(limit);                                                                                   \
    size_t i = 0;                                                                                                      \
    for (; i + ONRI_TOP_K_BLOCK <= count; i += ONRI_TOP_K_BLOCK) *above++ = above_block_##T(keys + i, limits);         \
    if (i == count) return;                                                                                            \
    *above = 0;                                                                                                        \
    for (size_t l = 0; l < count - i; l++) *above |= (uint64_t)(keys[i + l] > limit) << l;                             \
  }                                                                                                                    \
  /* The greatest, wherever it lies; then the greatest of those below it. */                                           \
  static void best_##T(const element *keys, size_t count, size_t k, int64_t *at) {                                     \
    const uint64_t all = count < 64 ? ((uint64_t)1 << count) - 1 : UINT64_MAX;                                         \
    V limit = {0}, open = T##_set(-1);                                                                                 \
    for (size_t found = 0; found < k;) {                                                                               \
      V most = T##_set(LEAST);                                                                                         \
      uint64_t bits = 0;                                                                                               \
      for (size_t i = 0; i < count; i += LANES) {                                                                      \
        const V v = T##_load_or_least(keys + i, count - i);                                                            \
        most = T##_greatest(T##_select((v < limit) | open, v, most), most);                                            \
      }                                                                                                                \
      most = T##_set(T##_greatest_lane(most));                                                                         \
      for (size_t i = 0; i < count; i += LANES) bits |= T##_bits(T##_load_or_least(keys + i, count - i) == most) << i; \
      for (bits &= all; bits != 0 && found < k; bits &= bits - 1) at[found++] = __builtin_ctzll(bits);                 \
      limit = most, open = (V){0};                                                                                     \
    }                                                                                                                  \
  }
KEYS(i32, vi32, int32_t, F32_LANES, INT32_MIN)
KEYS(i64, vi64, int64_t, F64_LANES, INT64_MIN)

static void peaks(size_t size, const void *keys, size_t count, size_t groups, void *to) {
  if (size == sizeof(int32_t)) peaks_i32(keys, count, groups, to);
  else peaks_i64(keys, count, groups, to);
}

static void above(size_t size, const void *keys, size_t count, int64_t limit, uint64_t *bits) {
  if (size == sizeof(int32_t)) above_i32(keys, count, (int32_t)limit, bits);
  else above_i64(keys, count, limit, bits);
}

static void best(size_t size, const void *keys, size_t count, size_t k, int64_t *at) {
  if (size == sizeof(int32_t)) best_i32(keys, count, k, at);
  else best_i64(keys, count, k, at);
}

/* --- columns --- */

/* The best k of each lane so far, in order; an element goes before those that are less, which make room. */
struct ranks {
  vi32 key[ONRI_TOP_K_COLUMNS], at[ONRI_TOP_K_COLUMNS];
  vf32 value[ONRI_TOP_K_COLUMNS];
};

INLINE void rank(struct ranks *r, size_t row, size_t k, vi32 key, vf32 value) {
  size_t j = row < k ? row : k - 1;
  vi32 here = row < k ? i32_set(-1) : key > r->key[j];
  for (; j > 0; j--) {
    const vi32 before = key > r->key[j - 1];
    r->key[j] = i32_select(before, r->key[j - 1], i32_select(here, key, r->key[j]));
    r->at[j] = i32_select(before, r->at[j - 1], i32_select(here, i32_set((int32_t)row), r->at[j]));
    r->value[j] = f32_select(before, r->value[j - 1], f32_select(here, value, r->value[j]));
    here = before;
  }
  r->key[0] = i32_select(here, key, r->key[0]);
  r->at[0] = i32_select(here, i32_set((int32_t)row), r->at[0]);
  r->value[0] = f32_select(here, value, r->value[0]);
}

INLINE void columns_from(const struct onri_top_k_columns c, size_t i, const int one) {
  const vi32 flip = i32_set(c.largest ? 0 : -1);
  const size_t lanes = c.count - i;
  const float *x = c.x + i;
  struct ranks r = {{{0}}, {{0}}, {{0}}};
  for (size_t row = 0; row < c.length; row++, x += c.row) {
    const vf32 value = lanes >= F32_LANES ? f32_load(x) : f32_load_part(x, lanes);
    rank(&r, row, one ? 1 : c.k, keys_f32(value, flip), value);
  }
  for (size_t j = 0; j < (one ? 1 : c.k); j++) {
    f32_store_part(c.values + j * c.count + i, r.value[j], lanes);
    i32_store_part(c.at + j * c.count + i, r.at[j], lanes);
  }
}

static void columns(const struct onri_top_k_columns *columns) {
  const struct onri_top_k_columns c = *columns;
  for (size_t i = 0; i < c.count; i += F32_LANES)
    if (c.k == 1) columns_from(c, i, 1);
    else columns_from(c, i, 0);
}

const struct onri_top_k_kernels ONRI_AT_LEVEL(onri_top_k_kernels) = {order_keys, peaks, above, best, columns};
