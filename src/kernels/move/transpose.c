/* transpose.c: square blocks whose rows are one vector of 16 bytes are turned in registers: log2(n) rounds of
 * interleaving the first half of the rows with the second. Blocks are walked so that whole cache lines of y are
 * written. A few long rows (an image's channels) are interleaved directly. */
#include "kernels/move/transpose.h"

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "base/types.h"
#include "kernels/kernels.h"

#define VECTOR 16
#define LINE 64

struct element16 {
  uint64_t part[2];
};

#if defined(__SSE2__)
typedef __m128i vector;
static inline vector load(const char *x) { return _mm_loadu_si128((const __m128i *)(const void *)x); }
static inline void store(char *y, vector v) { _mm_storeu_si128((__m128i *)(void *)y, v); }
static inline vector low_8(vector a, vector b) { return _mm_unpacklo_epi8(a, b); }
static inline vector high_8(vector a, vector b) { return _mm_unpackhi_epi8(a, b); }
static inline vector low_16(vector a, vector b) { return _mm_unpacklo_epi16(a, b); }
static inline vector high_16(vector a, vector b) { return _mm_unpackhi_epi16(a, b); }
static inline vector low_32(vector a, vector b) { return _mm_unpacklo_epi32(a, b); }
static inline vector high_32(vector a, vector b) { return _mm_unpackhi_epi32(a, b); }
static inline vector low_64(vector a, vector b) { return _mm_unpacklo_epi64(a, b); }
static inline vector high_64(vector a, vector b) { return _mm_unpackhi_epi64(a, b); }
#elif defined(__ARM_NEON) && defined(__aarch64__)
typedef uint8x16_t vector;
static inline vector load(const char *x) { return vld1q_u8((const uint8_t *)x); }
static inline void store(char *y, vector v) { vst1q_u8((uint8_t *)y, v); }
#define DEFINE_ZIP(bits)                                                                                           \
  static inline vector low_##bits(vector a, vector b) {                                                            \
    return vreinterpretq_u8_u##bits(vzip1q_u##bits(vreinterpretq_u##bits##_u8(a), vreinterpretq_u##bits##_u8(b))); \
  }                                                                                                                \
  static inline vector high_##bits(vector a, vector b) {                                                           \
    return vreinterpretq_u8_u##bits(vzip2q_u##bits(vreinterpretq_u##bits##_u8(a), vreinterpretq_u##bits##_u8(b))); \
  }
static inline vector low_8(vector a, vector b) { return vzip1q_u8(a, b); }
static inline vector high_8(vector a, vector b) { return vzip2q_u8(a, b); }
DEFINE_ZIP(16)
DEFINE_ZIP(32)
DEFINE_ZIP(64)
#else /* vectors of the compiler */
typedef uint8_t vector __attribute__((vector_size(VECTOR)));
typedef uint16_t halves __attribute__((vector_size(VECTOR)));
typedef uint32_t words __attribute__((vector_size(VECTOR)));
typedef uint64_t pairs __attribute__((vector_size(VECTOR)));
static inline vector load(const char *x) {
  vector v;
  memcpy(&v, x, sizeof(v));
  return v;
}
static inline void store(char *y, vector v) { memcpy(y, &v, sizeof(v)); }
#define ZIP(name, type, ...)                                               \
  static inline vector name(vector a, vector b) {                          \
    return (vector)__builtin_shufflevector((type)a, (type)b, __VA_ARGS__); \
  }
ZIP(low_8, vector, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
ZIP(high_8, vector, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
ZIP(low_16, halves, 0, 8, 1, 9, 2, 10, 3, 11)
ZIP(high_16, halves, 4, 12, 5, 13, 6, 14, 7, 15)
ZIP(low_32, words, 0, 4, 1, 5)
ZIP(high_32, words, 2, 6, 3, 7)
ZIP(low_64, pairs, 0, 2)
ZIP(high_64, pairs, 1, 3)
#undef ZIP
#endif

/* What the blocks leave over, one element at a time. */
#define DEFINE_REST(T, bits)                                                                            \
  static void rest_##bits(const struct onri_transpose *t, size_t a0, size_t b0, size_t a1, size_t b1) { \
    for (size_t a = a0; a < a1; a++)                                                                    \
      for (size_t b = b0; b < b1; b++)                                                                  \
        memcpy(t->y + (ptrdiff_t)a * t->y_stride + (ptrdiff_t)(b * sizeof(T)),                          \
               t->x + (ptrdiff_t)b * t->x_stride + (ptrdiff_t)(a * sizeof(T)), sizeof(T));              \
  }

/* Two to four rows of x side by side: the count is a constant of each loop, so that it is unrolled. */
#define DEFINE_INTERLEAVE(T, bits, rows)                                    \
  static void interleave_##bits##_##rows(const struct onri_transpose *t) {  \
    char *y = t->y;                                                         \
    const char *x = t->x;                                                   \
    for (size_t a = 0; a < t->num_a; a++, x += sizeof(T), y += t->y_stride) \
      for (size_t b = 0; b < rows; b++) {                                   \
        T value;                                                            \
        memcpy(&value, x + (ptrdiff_t)b * t->x_stride, sizeof(value));      \
        memcpy(y + b * sizeof(T), &value, sizeof(value));                   \
      }                                                                     \
  }

#define DEFINE_SEPARATE(T, bits, rows)                                      \
  static void separate_##bits##_##rows(const struct onri_transpose *t) {    \
    const char *x = t->x;                                                   \
    char *y = t->y;                                                         \
    for (size_t b = 0; b < t->num_b; b++, x += t->x_stride, y += sizeof(T)) \
      for (size_t a = 0; a < rows; a++) {                                   \
        T value;                                                            \
        memcpy(&value, x + a * sizeof(T), sizeof(value));                   \
        memcpy(y + (ptrdiff_t)a * t->y_stride, &value, sizeof(value));      \
      }                                                                     \
  }

#define DEFINE_BLOCK(T, bits, n)                                                                       \
  static inline void block_##bits(const char *x, ptrdiff_t x_stride, char *y, ptrdiff_t y_stride) {    \
    vector v[2][n];                                                                                    \
    int from = 0;                                                                                      \
    for (size_t i = 0; i < n; i++) v[0][i] = load(x + (ptrdiff_t)i * x_stride);                        \
    for (size_t round = 1; round < n; round *= 2, from = !from)                                        \
      for (size_t i = 0; i < n / 2; i++) {                                                             \
        v[!from][2 * i] = low_##bits(v[from][i], v[from][i + n / 2]);                                  \
        v[!from][2 * i + 1] = high_##bits(v[from][i], v[from][i + n / 2]);                             \
      }                                                                                                \
    for (size_t i = 0; i < n; i++) store(y + (ptrdiff_t)i * y_stride, v[from][i]);                     \
  }                                                                                                    \
  /* The last block of a line goes over elements of the one before once more rather than being cut. */ \
  static void blocks_##bits(const struct onri_transpose *t) {                                          \
    const size_t num_a = t->num_a, num_b = t->num_b, line = LINE / sizeof(T);                          \
    if (num_a < n || num_b < n) {                                                                      \
      rest_##bits(t, 0, 0, num_a, num_b);                                                              \
      return;                                                                                          \
    }                                                                                                  \
    for (size_t tile = 0; tile < num_b; tile += line)                                                  \
      for (size_t i = 0; i < num_a; i += n)                                                            \
        for (size_t k = tile; k < num_b && k < tile + line; k += n) {                                  \
          const size_t a = i + n > num_a ? num_a - n : i, b = k + n > num_b ? num_b - n : k;           \
          block_##bits(t->x + (ptrdiff_t)b * t->x_stride + (ptrdiff_t)(a * sizeof(T)), t->x_stride,    \
                       t->y + (ptrdiff_t)a * t->y_stride + (ptrdiff_t)(b * sizeof(T)), t->y_stride);   \
        }                                                                                              \
  }

/* Whether vectors did it; what they left is done here. */
static int by_vectors(const struct onri_transpose *t, size_t size,
                      void (*rest)(const struct onri_transpose *t, size_t a0, size_t b0, size_t a1, size_t b1)) {
  const struct onri_transpose_kernels *kernels = onri_kernels(transpose);
  if ((t->num_a == 1 && t->x_stride == (ptrdiff_t)size) || (t->num_b == 1 && t->y_stride == (ptrdiff_t)size)) {
    memcpy(t->y, t->x, t->num_a * t->num_b * size);
    return 1;
  }
  if (kernels->interleave && t->num_b >= 2 && t->num_b <= 4 && t->y_stride == (ptrdiff_t)(t->num_b * size)) {
    rest(t, kernels->interleave(t, size), 0, t->num_a, t->num_b);
    return 1;
  }
  if ((t->num_a * size >= LINE || t->num_b * size >= LINE) && kernels->stacks(t, size)) return 1;
  const int is_narrow = size >= 4 && size <= 8 && t->num_a > 4 && t->num_b >= 16; /* squares are faster */
  if (kernels->separate && !is_narrow && t->num_a >= 2 && t->num_a <= ONRI_TRANSPOSE_FEW && t->num_b > 2 * t->num_a &&
      t->x_stride == (ptrdiff_t)(t->num_a * size)) {
    rest(t, 0, kernels->separate(t, size), t->num_a, t->num_b);
    return 1;
  }
  if ((size != 4 && size != 8) || t->num_a < 4 || t->num_b < 4) return 0;
  if (size == 4 && t->num_a < 16 && t->num_b < 16) return 0; /* narrower than strips */
  (size == 4 ? kernels->squares_of_4_bytes : kernels->squares_of_8_bytes)(t);
  return 1;
}

#define DEFINE_TRANSPOSE(T, bits, n)                           \
  DEFINE_REST(T, bits)                                         \
  DEFINE_INTERLEAVE(T, bits, 2)                                \
  DEFINE_INTERLEAVE(T, bits, 3)                                \
  DEFINE_INTERLEAVE(T, bits, 4)                                \
  DEFINE_SEPARATE(T, bits, 2)                                  \
  DEFINE_SEPARATE(T, bits, 3)                                  \
  DEFINE_SEPARATE(T, bits, 4)                                  \
  DEFINE_BLOCK(T, bits, n)                                     \
  void onri_transpose_##bits(const struct onri_transpose *t) { \
    if (by_vectors(t, sizeof(T), rest_##bits)) return;         \
    switch (t->num_b) {                                        \
      case 2: interleave_##bits##_2(t); break;                 \
      case 3: interleave_##bits##_3(t); break;                 \
      case 4: interleave_##bits##_4(t); break;                 \
      default:                                                 \
        switch (t->num_a) {                                    \
          case 2: separate_##bits##_2(t); break;               \
          case 3: separate_##bits##_3(t); break;               \
          case 4: separate_##bits##_4(t); break;               \
          default: blocks_##bits(t); break;                    \
        }                                                      \
    }                                                          \
  }

DEFINE_TRANSPOSE(uint8_t, 8, 16)
DEFINE_TRANSPOSE(uint16_t, 16, 8)
DEFINE_TRANSPOSE(uint32_t, 32, 4)
DEFINE_TRANSPOSE(uint64_t, 64, 2)

/* An element is a vector: tiles of 4 by 4, so that lines are used whole. */
DEFINE_REST(struct element16, 128)
void onri_transpose_128(const struct onri_transpose *t) {
  for (size_t b = 0; b < t->num_b; b += 4)
    for (size_t a = 0; a < t->num_a; a += 4)
      rest_128(t, a, b, t->num_a - a < 4 ? t->num_a : a + 4, t->num_b - b < 4 ? t->num_b : b + 4);
}

void onri_transpose(const struct onri_transpose *t, size_t size) {
  switch (size) {
    case 1:
      if (ONRI_HERE_1) onri_transpose_8(t);
      break;
    case 2:
      if (ONRI_HERE_2) onri_transpose_16(t);
      break;
    case 4: onri_transpose_32(t); break;
    case 8: onri_transpose_64(t); break;
    default:
      if (ONRI_HERE_16) onri_transpose_128(t);
      break;
  }
}
