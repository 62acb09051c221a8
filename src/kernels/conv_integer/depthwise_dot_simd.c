/* depthwise_dot_simd.c: see depthwise_dot_row.h. Four pixels of a vector of channels are interleaved so that a lane of
 * 32 bits holds four taps of a channel; outputs whose windows overlap share them, each with weights moved by its
 * distance.
 *
 * 3x3 with stride 1 in L2: 0.25 of the integer rate; it is bound by loads and by what interleaves. */
#include "kernels/conv_integer/depthwise_dot_row.h"
#include "kernels/kernels.h"
#include "kernels/quantize/requantise_lanes.h"
#include "kernels/simd.h"

#if HAS_DOT_BYTES && SIMD_REGISTERS == 32
_Static_assert(I8_LANES == ONRI_DOT_CHANNELS, "a vector of bytes has the channels of a block");

INLINE void store_sums(const vi32 sums[4], char *y, size_t y_fold, size_t lanes) {
  vi32 row[4];
  i32_unzip4(sums, row);
  UNROLL for (size_t q = 0; q < 4; q++) if (q * F32_LANES < lanes)
      i32_store_part(y + q * sizeof(row[0]), row[q], lanes - q * F32_LANES);
  UNROLL for (size_t q = 0; q < 2; q++) if (y_fold && q * F32_LANES < lanes)
      i32_store_part(y + y_fold + q * sizeof(row[0]), row[2 + q], lanes - q * F32_LANES);
}

/* Vectors of 16 bytes are read whole: behind the image is room for one. */
INLINE vi8 load_tap(const struct onri_depthwise_dot_job *j, const char *at, size_t lanes) {
#if SIMD_BYTES == 16
  (void)lanes;
  return j->x_fold ? i8_load_halves(at, at + j->x_fold) : i8_load(at);
#else
  const vi8 one = i8_load_part(at, lanes);
  return j->x_fold ? i8_load_upper(one, at + j->x_fold, lanes) : one;
#endif
}

/* Bytes that lanes multiply by the weights of channels in the order of i8_zip4, from taps at `at`: four taps of a
 * channel, or what each channel of a group sees of it: all four bytes of one tap, or two bytes of two. */
INLINE void load_taps(const struct onri_depthwise_dot_job *j, const char *at, size_t lanes, const int terms,
                      vi32 taps[4]) {
  const vi8 first = load_tap(j, at, lanes);
  if (terms == 4) {
    const vi32 x = (vi32)first;
    taps[0] = i32_quarter(x, 0, 0, 0, 0), taps[1] = i32_quarter(x, 1, 1, 1, 1);
    taps[2] = i32_quarter(x, 2, 2, 2, 2), taps[3] = i32_quarter(x, 3, 3, 3, 3);
    return;
  }
  const vi8 second = load_tap(j, at + j->tap, lanes);
  if (terms == 2) {
    const vi32 low = (vi32)i16_zip_low(first, second), high = (vi32)i16_zip_high(first, second);
    taps[0] = i32_quarter(low, 0, 0, 1, 1), taps[1] = i32_quarter(low, 2, 2, 3, 3);
    taps[2] = i32_quarter(high, 0, 0, 1, 1), taps[3] = i32_quarter(high, 2, 2, 3, 3);
    return;
  }
  i8_zip4(first, second, load_tap(j, at + 2 * j->tap, lanes), load_tap(j, at + 3 * j->tap, lanes), taps);
}

/* What sums end with. */
struct end {
  struct requantise_bytes bytes;
  vf32 scales[4], bias[4], low, high;
};

/* The product is rounded before the bias is added, as in the operators one after the other. */
INLINE void store_reals(const struct end *end, const vi32 sums[4], char *y, size_t y_fold, size_t lanes) {
  vi32 real[4];
  UNROLL for (int q = 0; q < 4; q++) real[q] =
      (vi32)f32_clamp(f32_rounded(f32_from_i32(sums[q]) * end->scales[q]) + end->bias[q], end->low, end->high);
  store_sums(real, y, y_fold, lanes);
}

INLINE void store_bytes(const struct onri_depthwise_dot_job *j, const struct end *end, const vi32 sums[4], char *y,
                        size_t lanes, const int plain) {
  const vi8 result = requantise_4(&end->bytes, sums, end->scales, plain);
  if (lanes == I8_LANES) i8_store(y, result);
  else i8_store_part(y, result, lanes);
  if (j->y_fold) i8_store_part(y + j->y_fold, i8_upper(result), lanes);
}

INLINE void make_outputs(const struct onri_depthwise_dot_job *j, const char *x, char *y, const int outputs,
                         const int terms, const int has_zeros, const int plain, const struct end *end, size_t lanes) {
  const int8_t *w = j->weights;
  vi32 sums[4][4], windows[4][4];
  UNROLL for (int o = 0; o < outputs; o++) UNROLL for (int q = 0; q < 4; q++) {
    sums[o][q] = i32_load(j->start + q * F32_LANES);
    windows[o][q] = (vi32){0};
  }
  for (size_t line = 0; line < j->num_lines; line++) {
    const char *at = x + j->lines[line];
    for (size_t quad = 0; quad < j->quads; quad++, at += (size_t)(4 / terms) * j->tap, w += j->outputs * 4 * I8_LANES) {
      vi32 taps[4];
      load_taps(j, at, lanes, terms, taps);
      UNROLL for (int o = 0; o < outputs; o++) UNROLL for (int q = 0; q < 4; q++) {
        sums[o][q] = i32_dot_bytes(sums[o][q], taps[q], i32_load(w + (o * 4 + q) * I8_LANES));
        if (has_zeros)
          windows[o][q] = i32_dot_bytes(windows[o][q], taps[q], i32_set(j->masks[quad * j->outputs + (size_t)o]));
      }
    }
  }
  if (has_zeros)
    UNROLL for (int o = 0; o < outputs; o++) UNROLL for (int q = 0; q < 4; q++) sums[o][q] -=
        i32_load(j->zeros + q * F32_LANES) * windows[o][q];
  UNROLL for (int o = 0; o < outputs; o++) {
    if (plain || j->requantise) store_bytes(j, end, sums[o], y + (size_t)o * j->y_step, lanes, plain);
    else if (j->reals) store_reals(end, sums[o], y + (size_t)o * j->y_step, j->y_fold, lanes);
    else store_sums(sums[o], y + (size_t)o * j->y_step, j->y_fold, lanes);
  }
}

/* The last outputs are made together with some that were made before. */
INLINE void make_row(const struct onri_depthwise_dot_job *p, const int outputs, const int terms, const int has_zeros,
                     const int plain) {
  const struct onri_depthwise_dot_job j = *p; /* which y does not overlap */
  const size_t some = (size_t)outputs, lanes = j.channels < I8_LANES ? j.channels : I8_LANES;
  struct end end;
  memset(&end, 0, sizeof(end));
  if (j.requantise) {
    end.bytes = requantise_bytes_of(j.requantise);
    UNROLL for (int q = 0; q < 4; q++) end.scales[q] = f32_load(j.requantise->scales + q * F32_LANES);
  }
  if (j.reals) {
    end.low = f32_set(j.reals->low), end.high = f32_set(j.reals->high);
    UNROLL for (int q = 0; q < 4; q++) {
      end.scales[q] = f32_load(j.reals->scales + q * F32_LANES);
      end.bias[q] = f32_load(j.reals->bias + q * F32_LANES);
    }
  }
  if (j.count < some) {
    for (size_t o = 0; o < j.count; o++)
      make_outputs(&j, j.x + o * j.step, j.y + o * j.y_step, 1, terms, has_zeros, plain, &end, lanes);
    return;
  }
  for (size_t o = 0; o < j.count; o += some) {
    const size_t at = o + some <= j.count ? o : j.count - some;
    make_outputs(&j, j.x + at * j.step, j.y + at * j.y_step, outputs, terms, has_zeros, plain, &end, lanes);
  }
}

#define ROW(name, outputs, terms)                                                                    \
  static void row_##name(const struct onri_depthwise_dot_job *j) {                                   \
    if (j->zeros) make_row(j, outputs, terms, 1, 0);                                                 \
    else if (j->requantise && requantise_is_plain(j->requantise)) make_row(j, outputs, terms, 0, 1); \
    else make_row(j, outputs, terms, 0, 0);                                                          \
  }
ROW(1, 1, 1)
ROW(2, 2, 1)
ROW(4, 4, 1)
ROW(pairs, 1, 2)
ROW(fours, 1, 4)
#undef ROW

static void row(const struct onri_depthwise_dot_job *j) {
  if (j->terms == 2) row_pairs(j);
  else if (j->terms == 4) row_fours(j);
  else (j->outputs == 1 ? row_1 : j->outputs == 2 ? row_2 : row_4)(j);
}

static int take_zeros_off(const struct onri_depthwise_dot_job *j, int8_t *weights) {
  const size_t parts = j->quads * j->outputs;
  vi8 lost = {0};
  for (size_t i = 0; i < j->num_lines * parts; i++)
    for (size_t q = 0; q < 4; q++) {
      const size_t at = (i * 4 + q) * I8_LANES;
      const vu32 zero = (vu32)i32_load(j->zeros + q * F32_LANES) & 0xFF,
                 zeros = zero * 0x01010101; /* of all four taps */
      const uint32_t bytes = (uint32_t)j->masks[i % parts] * 0xFF;
      const vi8 taken = (vi8)((vi32)zeros & i32_set((int32_t)bytes)), w = i8_load(j->weights + at);
      const vi8 less = w - taken;
      lost |= less ^ i8_difference(w, taken);
      i8_store(weights + at, less);
    }
  return !i32_any((vi32)lost);
}
#define ROW row
#define TAKE_ZEROS_OFF take_zeros_off
#else
#define ROW NULL
#define TAKE_ZEROS_OFF NULL
#endif

const struct onri_depthwise_dot_kernels ONRI_AT_LEVEL(onri_depthwise_dot_kernels) = {ROW, TAKE_ZEROS_OFF};
