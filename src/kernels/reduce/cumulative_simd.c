/* cumulative_simd.c: see cumulative.h. What runs stays in registers: a row is read once and written once, at what
 * memory or L2 gives. */
#include "kernels/reduce/cumulative.h"

#include "kernels/kernels.h"
#include "kernels/simd.h"

enum { TILE = 4 };

/* V: the type of sums; F: its size, in which elements are loaded and stored. */
#define ROWS(name, V, F, LANES, op)                                                                                \
  INLINE void name##_tile(const struct onri_cumulative_rows r, size_t first, const int vectors, size_t left) {     \
    const F##_element *x = (const F##_element *)r.x + first;                                                       \
    F##_element *y = (F##_element *)r.y + first, *to = (F##_element *)r.run + first;                               \
    V run[TILE];                                                                                                   \
    UNROLL for (int k = 0; k < vectors; k++) run[k] = (V)F##_load_part(to + k * LANES, left);                      \
    for (size_t row = 0; row < r.rows; row++, x += r.step, y += r.step) UNROLL for (int k = 0; k < vectors; k++) { \
        const V v = (V)(vectors == 1 ? F##_load_part(x, left) : F##_load(x + k * LANES)), next = run[k] op v;      \
        const v##F shown = (v##F)(r.exclusive ? run[k] : next);                                                    \
        if (vectors == 1) F##_store_part(y, shown, left);                                                          \
        else F##_store(y + k * LANES, shown);                                                                      \
        run[k] = next;                                                                                             \
      }                                                                                                            \
    UNROLL for (int k = 0; k < vectors; k++) F##_store_part(to + k * LANES, (v##F)run[k], left);                   \
  }                                                                                                                \
  static void name(const struct onri_cumulative_rows *given) {                                                     \
    const struct onri_cumulative_rows r = *given;                                                                  \
    size_t i = 0;                                                                                                  \
    for (; i + TILE * LANES <= r.columns; i += TILE * LANES) name##_tile(r, i, TILE, LANES);                       \
    for (; i < r.columns; i += LANES) name##_tile(r, i, 1, r.columns - i);                                         \
  }
typedef float f32_element;
typedef double f64_element;
ROWS(sum_f32, vf32, f32, F32_LANES, +)
ROWS(sum_f64, vf64, f64, F64_LANES, +)
ROWS(sum_u32, vu32, f32, F32_LANES, +)
ROWS(sum_u64, vu64, f64, F64_LANES, +)
ROWS(product_f32, vf32, f32, F32_LANES, *)
ROWS(product_f64, vf64, f64, F64_LANES, *)
ROWS(product_u32, vu32, f32, F32_LANES, *)
ROWS(product_u64, vu64, f64, F64_LANES, *)

const struct onri_cumulative_kernels ONRI_AT_LEVEL(onri_cumulative_kernels) = {
    {{sum_f32, product_f32}, {sum_f64, product_f64}, {sum_u32, product_u32}, {sum_u64, product_u64}}};
