/* col2im_simd.c: see col2im.h. A vector of each row takes in one tap, then the next: what was stored last is not needed
 * at once, as it would be by a tap that lies an element further on in the same row. */
#include "kernels/conv_transposed/col2im.h"

#include "kernels/kernels.h"
#include "kernels/simd.h"

INLINE vf32 sum_f32(vf32 a, vf32 b) { return a + b; }
INLINE vf64 sum_f64(vf64 a, vf64 b) { return a + b; }
INLINE vf64 sum_i64(vf64 a, vf64 b) { return (vf64)((vi64)a + (vi64)b); }

/* In F, of the size of T, elements are loaded and stored. */
#define ADD(T, F, element, LANES)                                                                      \
  INLINE void add_tap_##T(const struct onri_col2im_rows r, size_t i, const struct onri_col2im_tap t) { \
    const size_t first = t.first > i ? t.first - i : 0, last = t.last - i, left = r.width - i;         \
    const element *x = (const element *)t.x + ((ptrdiff_t)i - (ptrdiff_t)t.first);                     \
    element *y = (element *)r.y + i;                                                                   \
    if (first == 0 && last >= LANES)                                                                   \
      for (size_t row = 0; row < r.rows; row++, x += r.step, y += r.width)                             \
        F##_store(y, sum_##T(F##_load(y), F##_load(x)));                                               \
    else                                                                                               \
      for (size_t row = 0; row < r.rows; row++, x += r.step, y += r.width)                             \
        F##_store_part(y, sum_##T(F##_load_part(y, left), F##_load_between(x, first, last)), left);    \
  }                                                                                                    \
  static void add_##T(const struct onri_col2im_rows *given) {                                          \
    const struct onri_col2im_rows r = *given;                                                          \
    for (size_t i = 0; i < r.width; i += LANES)                                                        \
      for (const struct onri_col2im_tap *t = r.taps; t < r.taps + r.count; t++)                        \
        if (t->first < i + LANES && i < t->last) add_tap_##T(r, i, *t);                                \
  }
ADD(f32, f32, float, F32_LANES)
ADD(f64, f64, double, F64_LANES)
ADD(i64, f64, double, F64_LANES)

static void add(enum onri_class class, const struct onri_col2im_rows *rows) {
  if (class == ONRI_CLASS_F32) add_f32(rows);
  else if (class == ONRI_CLASS_F64) add_f64(rows);
  else add_i64(rows);
}

INLINE void add_run(float *y, const float *x, size_t length) {
  size_t i = 0;
  for (; i + F32_LANES <= length; i += F32_LANES) f32_store(y + i, f32_load(y + i) + f32_load(x + i));
  if (i < length)
    f32_store_part(y + i, f32_load_part(y + i, length - i) + f32_load_part(x + i, length - i), length - i);
}

/* Neighbours that meet are not added one behind the other: a load waits for two stores that it lies across. */
static void add_runs(const struct onri_col2im_runs *given) {
  const struct onri_col2im_runs r = *given;
  for (size_t turn = 0; turn < r.turns; turn++)
    for (size_t i = turn; i < r.count; i += r.turns) add_run(r.y + i * r.y_step, r.x + i * r.x_step, r.length);
}

const struct onri_col2im_kernels ONRI_AT_LEVEL(onri_col2im_kernels) = {add, add_runs};
