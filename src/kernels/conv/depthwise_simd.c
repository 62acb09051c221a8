/* depthwise_simd.c: see depthwise_rows.h. A vector holds channels; a few outputs of a row are summed at a time, and
 * with the weights of one row of the kernel they fill the registers; then the next channels of the same outputs, so
 * that memory is read in runs. The last vector of channels lies over the one before where it would be a part of one.
 * Jobs are passed by value: what is stored might be part of them for all that the compiler knows.
 *
 * Share of the FMA rate on a core with AVX-512 (128 GFLOP/s), images that fit L2: 7x7 0.9, 5x5 0.8, 3x3 0.7 (it loads
 * half as much as it multiplies). */
#include "base/only.h"
#include "kernels/conv/depthwise_rows.h"
#include "kernels/kernels.h"
#include "kernels/quantize/requantise_lanes.h"
#include "kernels/simd.h"

enum { OUTPUTS = ONRI_DEPTHWISE_TILE, MOST_TAPS = 9 /* of code of their own */ };

/* The channels of a vector: all lanes, or the first `lanes`. */
INLINE vf32 load(const float *x, const int full, size_t lanes) { return full ? f32_load(x) : f32_load_part(x, lanes); }

/* What x is: numbers; bytes; numbers of which several channels of output have one; neighbours in a row, which have one
 * weight; bytes without a sign and a zero point, which are numbers as they are; or numbers of which each channel of
 * output has several, those of its group: in whole groups as many as there are outputs, or any. */
enum { NUMBERS, BYTES, SHARED, PLANE, PLAIN_BYTES, WHOLE_GROUPS, GROUPS };
INLINE int is_bytes(const int kind) { return kind == BYTES || kind == PLAIN_BYTES; }
INLINE int is_grouped(const int kind) { return kind == WHOLE_GROUPS || kind == GROUPS; }

/* A vector of channels of output. */
struct lanes {
  size_t count;  /* that are there */
  vi32 from;     /* SHARED, GROUPS: where each finds its channel of input, or the first one of its group, */
  size_t inputs; /* of so many */
};

/* From channel c of the job on. */
INLINE struct lanes lanes_from(const struct onri_depthwise_job job, int64_t c, size_t count, const int kind) {
  struct lanes lanes = {.count = count, .inputs = F32_LANES};
  if (kind == WHOLE_GROUPS) lanes.from = i32_lanes() & -(int32_t)job.each;
  if (kind != SHARED && kind != GROUPS) return lanes;
  const int32_t rest = (int32_t)((job.phase + c) % job.each), all = (int32_t)(count < F32_LANES ? count : F32_LANES);
  const vf32 place = f32_from_i32(i32_lanes() + rest) + 0.5f; /* in the middle, so that rounding changes nothing */
  lanes.from = i32_from_f32(place / (float)job.each) * (int32_t)job.terms;
  lanes.inputs = (size_t)((rest + all - 1) / (int32_t)job.each + 1) * (size_t)job.terms;
  return lanes;
}

/* Element `at` of x and those behind it. */
INLINE vf32 load_x(const struct onri_depthwise_job job, int64_t at, const int kind, const int full,
                   struct lanes lanes) {
  if (kind == NUMBERS || kind == PLANE) return load((const float *)job.x + at, full, lanes.count);
  if (kind == SHARED) {
    const vi32 x = (vi32)f32_load_part((const float *)job.x + at, lanes.inputs);
    return (vf32)i32_pick(x, x, lanes.from);
  }
  if (kind == WHOLE_GROUPS)
    return (vf32)i32_permute((vi32)load((const float *)job.x + at, full, lanes.count), lanes.from);
  if (kind == GROUPS) {
    const float *x = (const float *)job.x + at;
    const size_t more = lanes.inputs > F32_LANES ? lanes.inputs - F32_LANES : 0;
    return (vf32)i32_pick((vi32)f32_load_part(x, lanes.inputs), (vi32)f32_load_part(x + F32_LANES, more), lanes.from);
  }
  const uint8_t *x = (const uint8_t *)job.x + at;
  const vi32 bytes = full ? i32_load_u8(x) : i32_load_u8_part(x, lanes.count);
  if (kind == PLAIN_BYTES) return f32_from_i32(bytes);
  const vi32 value = bytes ^ i32_set(job.bytes->flip);
  return f32_from_i32(value) - f32_set(job.bytes->zero);
}

/* Sums of bytes are whole numbers. */
INLINE vi32 whole_sum(const struct onri_depthwise_bytes *bytes, int64_t channel, vf32 sum, size_t lanes) {
  const vi32 v = i32_from_f32(sum);
  return bytes->bias ? v + i32_load_part(bytes->bias + channel, lanes) : v;
}

/* `count` outputs of whole vectors; four of them become bytes at once. */
INLINE void store_whole(const struct onri_depthwise_job job, int64_t at, int64_t channel, int64_t count,
                        const vf32 *sum) {
  const struct onri_requantise *r = job.bytes->requantise;
  if (r) {
    const struct requantise_bytes bytes = requantise_bytes_of(r);
    const vf32 scale = f32_load(r->scales + channel), scales[4] = {scale, scale, scale, scale};
    UNROLL for (int i = 0; i < OUTPUTS; i += 4) {
      vi32 sums[4];
      UNROLL for (int k = 0; k < 4; k++) sums[k] =
          whole_sum(job.bytes, channel, sum[i + k < OUTPUTS ? i + k : i], F32_LANES);
      const vi8 result = i8_in_a_row(requantise_4(&bytes, sums, scales, 0));
      UNROLL for (int k = 0; k < 4; k++) if (i + k < count && i + k < OUTPUTS)
          i8_store_share((uint8_t *)job.y + at + (i + k) * job.y_pixel, result, k, 4, F32_LANES);
    }
    return;
  }
  UNROLL for (int i = 0; i < OUTPUTS; i++) if (i < count)
      i32_store((int32_t *)job.y + at + i * job.y_pixel, whole_sum(job.bytes, channel, sum[i], F32_LANES));
}

/* `lanes` sums of channels from `channel` on, the first of which lies at element `at` of y. */
SIMD_FUNCTION void store_part(const struct onri_depthwise_job *job, int64_t at, int64_t channel, vf32 sum,
                              size_t lanes) {
  const struct onri_requantise *r = job->bytes->requantise;
  const vi32 v = whole_sum(job->bytes, channel, sum, lanes);
  if (!r) {
    i32_store_part((int32_t *)job->y + at, v, lanes);
    return;
  }
  const struct requantise_bounds bounds = requantise_bounds_of(r);
  requantise_lanes(&bounds, v, f32_load_part(r->scales + channel, lanes), (uint8_t *)job->y + at, lanes);
}

/* `count` outputs from element `at` of y on, the first channel of the job there; channels from `channel` on. */
INLINE void finish(const struct onri_depthwise_job *all, const struct onri_depthwise_job job, int64_t at,
                   int64_t channel, int64_t count, vf32 *sum, const int kind, const int full, struct lanes lanes) {
  at += channel;
  if (is_bytes(kind) && full) {
    store_whole(job, at, channel, count, sum);
    return;
  }
  if (!is_bytes(kind) && (job.min > -INFINITY || job.max < INFINITY)) {
    const vf32 min = f32_set(job.min), max = f32_set(job.max);
    UNROLL for (int i = 0; i < OUTPUTS; i++) sum[i] = f32_clamp(sum[i], min, max);
  }
  if (!is_bytes(kind) && full && count >= OUTPUTS) { /* mostly: without asking each */
    float *y = (float *)job.y + at;
    UNROLL for (int i = 0; i < OUTPUTS; i++, y += job.y_pixel) f32_store(y, sum[i]);
    return;
  }
  UNROLL for (int i = 0; i < OUTPUTS; i++, at += job.y_pixel) {
    if (i >= count) continue;
    if (is_bytes(kind)) store_part(all, at, channel, sum[i], lanes.count);
    else if (full) f32_store((float *)job.y + at, sum[i]);
    else f32_store_part((float *)job.y + at, sum[i], lanes.count);
  }
}

/* One row of the kernel on one row of input, for OUTPUTS outputs: columns of input, of which the first is at `x`.
 * inside: all of them lie in the image; else those from `low` on and before `high`. */
INLINE void fixed_line(const struct onri_depthwise_job job, int64_t x, const float *w, int64_t low, int64_t high,
                       const int taps, const int stride, const int dilation, const int inside, const int kind,
                       const int full, struct lanes lanes, vf32 *sum) {
  vf32 weight[MOST_TAPS];
  UNROLL for (int k = 0; k < taps; k++) weight[k] =
      kind == PLANE ? f32_set(w[k * job.w_tap]) : f32_load(w + k * job.w_tap);
  UNROLL for (int j = 0; j < (OUTPUTS - 1) * stride + (taps - 1) * dilation + 1; j++, x += job.x_pixel) {
    if (!inside && (j < low || j >= high)) continue;
    const vf32 at = load_x(job, x, kind, full, lanes);
    UNROLL for (int k = 0; k < taps; k++) {
      const int i = (j - k * dilation) / stride;
      if (j >= k * dilation && (j - k * dilation) % stride == 0 && i < OUTPUTS) sum[i] = f32_fma(at, weight[k], sum[i]);
    }
  }
}

/* Taps that no output finds in the image are left out: a kernel may be a thousand times as long as that. */
INLINE void any_line(const struct onri_depthwise_job job, int64_t x, const float *w, int64_t low, int64_t high,
                     vf32 *sum, const int kind, const int full, struct lanes lanes) {
  const struct onri_axis a = job.axis[2];
  const int64_t step = a.stride * job.x_pixel, last = (OUTPUTS - 1) * a.stride;
  const int64_t first = kind == PLANE || low <= last ? 0 : (low - last + a.dilation - 1) / a.dilation;
  int64_t j = first * a.dilation;
  x += j * job.x_pixel;
  w += first * job.w_tap;
  for (int64_t k = first; k < a.kernel; k++, w += job.w_tap, j += a.dilation, x += a.dilation * job.x_pixel) {
    if (kind != PLANE && j >= high) break;
    const vf32 weight = kind == PLANE ? f32_set(w[0]) : load(w, full, lanes.count);
    const int inside = kind == PLANE || (j >= low && j + last < high);
    if (inside) {
      UNROLL for (int i = 0; i < OUTPUTS; i++) sum[i] =
          f32_fma(load_x(job, x + i * step, kind, full, lanes), weight, sum[i]);
      continue;
    }
    UNROLL for (int i = 0; i < OUTPUTS; i++) if (j + i * a.stride >= low && j + i * a.stride < high) sum[i] =
        f32_fma(load_x(job, x + i * step, kind, full, lanes), weight, sum[i]);
  }
}

/* Where the weights of channels from c on begin: those of grouped channels lie together for each vector. */
INLINE const float *weights_of(const struct onri_depthwise_job job, const float *w, int64_t c, const int kind) {
  return kind == PLANE ? w : is_grouped(kind) ? w + c / F32_LANES * job.w_vector : w + c;
}

/* OUTPUTS outputs of one row. */
struct place {
  int64_t count, at; /* that there are; the first one's element of y */
  int64_t x, column; /* where its kernel begins: an element of x, and a column of input, perhaps before the first */
  const float *w;    /* of the first row of the kernel that lies in the image */
  int64_t planes, first, last; /* of the kernel that lie in it, rows of those from `first` on and before `last` */
};

static struct place place_of(const struct onri_depthwise_job *job, int64_t row, int64_t o) {
  const struct onri_axis *a0 = &job->axis[0], *a1 = &job->axis[1], *a2 = &job->axis[2];
  struct place p = {.count = a2->out - o, .at = row * job->y_line + o * job->y_pixel};
  int64_t plane, last;
  onri_axis_taps(a0, job->o0, a0->in, &plane, &last);
  onri_axis_taps(a1, row, a1->in, &p.first, &p.last);
  p.planes = last - plane;
  p.column = o * a2->stride - a2->begin;
  p.x = (job->o0 * a0->stride - a0->begin + plane * a0->dilation) * job->x_plane +
        (row * a1->stride - a1->begin + p.first * a1->dilation) * job->x_line + p.column * job->x_pixel;
  p.w = job->w + (plane * a1->kernel + p.first) * job->w_line;
  return p;
}

/* For all channels of the job. taps 0: any. */
INLINE void tile(const struct onri_depthwise_job *all, const struct place place, int64_t channels, const int taps,
                 const int stride, const int dilation, const int inside, const int kind, const int full) {
  const struct onri_depthwise_job job = *all;
  const struct onri_axis a0 = job.axis[0], a1 = job.axis[1], a2 = job.axis[2];
  for (int64_t c = 0, next;; c = next) {
    const struct lanes lanes = lanes_from(job, c, (size_t)(channels - c), kind);
    vf32 sum[OUTPUTS];
    const vf32 bias = job.bias && kind == PLANE     ? f32_set(*job.bias)
                      : job.bias && !is_bytes(kind) ? load(job.bias + c, full, lanes.count)
                                                    : (vf32){0};
    UNROLL for (int i = 0; i < OUTPUTS; i++) sum[i] = bias;
    for (int64_t k0 = 0; k0 < place.planes; k0++) {
      int64_t x = place.x + k0 * a0.dilation * job.x_plane +
                  (kind == SHARED || kind == GROUPS ? (job.phase + c) / job.each * job.terms : c);
      const float *w = weights_of(job, place.w + k0 * a1.kernel * job.w_line, c, kind);
      for (int64_t k1 = place.first; k1 < place.last; k1++, x += a1.dilation * job.x_line, w += job.w_line) {
        if (kind == PLANE) x = place.x + job.shifts[k1] + c;
        struct lanes term = lanes;
        for (int64_t t = 0; t < (is_grouped(kind) ? job.terms : 1); t++, term.from += 1) {
          const float *weights = w + t * job.w_term;
          const int64_t low = -place.column, high = a2.in - place.column;
          if (taps) fixed_line(job, x, weights, low, high, taps, stride, dilation, inside, kind, full, term, sum);
          else any_line(job, x, weights, low, high, sum, kind, full, term);
        }
      }
    }
    finish(all, job, place.at, c, place.count, sum, kind, full, lanes);
    next = c + F32_LANES;
    if (next >= channels) break;
    if (full && next + F32_LANES > channels) next = channels - F32_LANES;
  }
}

/* What is done of a row: all channels of it lie together, or those of the job in each pixel. */
static void apply_tail(const struct onri_depthwise_job *job, int64_t channels, int64_t o, int64_t row) {
  const int64_t left = job->axis[2].out - o, pixels = left < OUTPUTS ? left : OUTPUTS;
  float *y = (float *)job->y + row * job->y_line + o * job->y_pixel;
  if (channels == job->y_pixel) job->tail(job->tail_context, y, (size_t)(pixels * channels));
  else
    for (int64_t i = 0; i < pixels; i++) job->tail(job->tail_context, y + i * job->y_pixel, (size_t)channels);
}

/* Tiles below each other read the same lines again while L1 has them. But where they read little of each, memory is
 * faster along the rows: 32 channels of 112x112 530 us and 270. */
static int goes_along_rows(const struct onri_depthwise_job *job, int64_t channels) {
  enum { SHORT = 512 }; /* floats */
  return OUTPUTS * job->axis[2].stride * channels < SHORT;
}

typedef void (*tile_function)(const struct onri_depthwise_job *job, const struct place *place, int64_t channels);

/* inside: of tiles without a column in padding. */
struct tiles {
  tile_function border, inside;
};

static void each_tile(const struct onri_depthwise_job *job, int64_t channels, const struct tiles *tiles) {
  const struct onri_axis *a = &job->axis[2];
  const int along = goes_along_rows(job, channels);
  const int64_t rows = job->bottom - job->top, columns = (a->out + OUTPUTS - 1) / OUTPUTS;
  const int64_t width = (OUTPUTS - 1) * a->stride + (a->kernel - 1) * a->dilation + 1;
  for (int64_t i = 0; i < (along ? rows : columns); i++) {
    for (int64_t j = 0; j < (along ? columns : rows); j++) {
      const int64_t row = job->top + (along ? i : j), o = (along ? j : i) * OUTPUTS;
      const struct place place = place_of(job, row, o);
      const int is_inside = place.column >= 0 && place.column + width <= a->in;
      (is_inside ? tiles->inside : tiles->border)(job, &place, channels);
      if (job->tail) apply_tail(job, channels, o, row);
    }
  }
}

#define TILE(name, taps, stride, dilation, is_inside, kind, full)                                              \
  static void tile_##name(const struct onri_depthwise_job *job, const struct place *place, int64_t channels) { \
    tile(job, *place, channels, taps, stride, dilation, is_inside, kind, full);                                \
  }
/* Of tiles without a column in padding those of usual kernels have code of their own. */
#define ROWS_0(name, taps, stride, dilation, kind, full)        \
  TILE(name, taps, stride, dilation, kind == PLANE, kind, full) \
  static const struct tiles rows_##name = {tile_##name, tile_##name};
#define ROWS_1(name, taps, stride, dilation, kind, full)     \
  TILE(name, taps, stride, dilation, 0, kind, full)          \
  TILE(name##_inside, taps, stride, dilation, 1, kind, full) \
  static const struct tiles rows_##name = {tile_##name, tile_##name##_inside};
#define ROWS(name, taps, stride, dilation, has_inside, kind, full) \
  ROWS_##has_inside(name, taps, stride, dilation, kind, full)
ROWS(any, 0, 0, 0, 0, NUMBERS, 1)
ROWS(part, 0, 0, 0, 0, NUMBERS, 0)
ROWS(3, 3, 1, 1, 1, NUMBERS, 1)
ROWS(3_by_2, 3, 2, 1, 1, NUMBERS, 1)
ROWS(3_dilated, 3, 1, 2, 1, NUMBERS, 1)
ROWS(5, 5, 1, 1, 0, NUMBERS, 1)
ROWS(5_by_2, 5, 2, 1, 0, NUMBERS, 1)
ROWS(7, 7, 1, 1, 0, NUMBERS, 1)
ROWS(9, 9, 1, 1, 0, NUMBERS, 1)
ROWS(bytes_any, 0, 0, 0, 0, BYTES, 1)
ROWS(bytes_part, 0, 0, 0, 0, BYTES, 0)
ROWS(bytes_3, 3, 1, 1, 0, BYTES, 1)
ROWS(bytes_3_by_2, 3, 2, 1, 0, BYTES, 1)
ROWS(bytes_5, 5, 1, 1, 0, BYTES, 1)
ROWS(plain_any, 0, 0, 0, 0, PLAIN_BYTES, 1)
ROWS(plain_part, 0, 0, 0, 0, PLAIN_BYTES, 0)
ROWS(plain_3, 3, 1, 1, 1, PLAIN_BYTES, 1)
ROWS(plain_3_by_2, 3, 2, 1, 1, PLAIN_BYTES, 1)
ROWS(plain_5, 5, 1, 1, 0, PLAIN_BYTES, 1)
ROWS(shared, 0, 0, 0, 0, SHARED, 1)
ROWS(shared_part, 0, 0, 0, 0, SHARED, 0)
ROWS(plane_any, 0, 0, 0, 0, PLANE, 1)
ROWS(plane_part, 0, 0, 0, 0, PLANE, 0)
ROWS(plane_3, 3, 1, 1, 0, PLANE, 1)
ROWS(plane_3_by_2, 3, 2, 1, 0, PLANE, 1)
ROWS(plane_3_dilated, 3, 1, 2, 0, PLANE, 1)
ROWS(plane_5, 5, 1, 1, 0, PLANE, 1)
ROWS(plane_5_by_2, 5, 2, 1, 0, PLANE, 1)
ROWS(plane_7, 7, 1, 1, 0, PLANE, 1)
ROWS(plane_9, 9, 1, 1, 0, PLANE, 1)
ROWS(whole_groups, 0, 0, 0, 0, WHOLE_GROUPS, 1)
ROWS(whole_groups_3, 3, 1, 1, 1, WHOLE_GROUPS, 1)
ROWS(whole_groups_3_by_2, 3, 2, 1, 1, WHOLE_GROUPS, 1)
ROWS(whole_groups_part, 0, 0, 0, 0, WHOLE_GROUPS, 0)
ROWS(whole_groups_part_3, 3, 1, 1, 1, WHOLE_GROUPS, 0)
ROWS(groups_3, 3, 1, 1, 1, GROUPS, 1)
ROWS(groups, 0, 0, 0, 0, GROUPS, 1)
ROWS(groups_part, 0, 0, 0, 0, GROUPS, 0)
#undef ROWS

#define BYTES_ROWS(name) ONRI_WHERE(PART_bytes, &rows_bytes_##name)
#define PLAIN_ROWS(name) ONRI_WHERE(PART_bytes, &rows_plain_##name)

/* For whole vectors: code of their own for the usual kernels. */
static const struct tiles *choose(const struct onri_axis *a, int kind) {
  static const struct tiles *const any[] = {&rows_any, BYTES_ROWS(any), &rows_shared, &rows_plane_any, PLAIN_ROWS(any)};
  static const struct {
    int64_t kernel, stride, dilation;
    const struct tiles *rows[5];
  } usual[] = {{3, 1, 1, {&rows_3, BYTES_ROWS(3), &rows_shared, &rows_plane_3, PLAIN_ROWS(3)}},
               {3, 2, 1, {&rows_3_by_2, BYTES_ROWS(3_by_2), &rows_shared, &rows_plane_3_by_2, PLAIN_ROWS(3_by_2)}},
               {3, 1, 2, {&rows_3_dilated, BYTES_ROWS(any), &rows_shared, &rows_plane_3_dilated, PLAIN_ROWS(any)}},
               {5, 1, 1, {&rows_5, BYTES_ROWS(5), &rows_shared, &rows_plane_5, PLAIN_ROWS(5)}},
               {5, 2, 1, {&rows_5_by_2, BYTES_ROWS(any), &rows_shared, &rows_plane_5_by_2, PLAIN_ROWS(any)}},
               {7, 1, 1, {&rows_7, BYTES_ROWS(any), &rows_shared, &rows_plane_7, PLAIN_ROWS(any)}},
               {9, 1, 1, {&rows_9, BYTES_ROWS(any), &rows_shared, &rows_plane_9, PLAIN_ROWS(any)}}};
  for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
    if (a->kernel == usual[i].kernel && a->stride == usual[i].stride && a->dilation == usual[i].dilation)
      return usual[i].rows[kind];
  return any[kind];
}

/* full: vectors are. */
static const struct tiles *choose_grouped(const struct onri_depthwise_job *job, int full) {
  const struct onri_axis *a = &job->axis[2];
  const int near = a->kernel == 3 && a->stride == 1 && a->dilation == 1;
  if (job->terms != job->each || F32_LANES % job->each != 0)
    return !full ? &rows_groups_part : near ? &rows_groups_3 : &rows_groups;
  if (!full) return near ? &rows_whole_groups_part_3 : &rows_whole_groups_part;
  if (near) return &rows_whole_groups_3;
  return a->kernel == 3 && a->stride == 2 && a->dilation == 1 ? &rows_whole_groups_3_by_2 : &rows_whole_groups;
}

/* Whole vectors, and then those channels that leave a part of one empty. */
static void grouped_rows(const struct onri_depthwise_job *job, int64_t channels) {
  const int64_t whole = channels / F32_LANES * F32_LANES, from = job->phase + whole;
  if (whole > 0) each_tile(job, whole, choose_grouped(job, 1));
  if (whole == channels) return;
  struct onri_depthwise_job rest = *job;
  rest.x = (const float *)job->x + from / job->each * job->terms;
  rest.phase = from % job->each;
  rest.w += whole / F32_LANES * job->w_vector;
  if (job->bias) rest.bias += whole;
  rest.y = (float *)job->y + whole;
  each_tile(&rest, channels - whole, choose_grouped(job, 0));
}

static void rows(const struct onri_depthwise_job *job, int64_t channels) {
  static const struct tiles *const part[] = {&rows_part, BYTES_ROWS(part), &rows_shared_part, &rows_plane_part,
                                             PLAIN_ROWS(part)};
  const int is_plain = ONRI_PART(bytes) && job->bytes && !job->bytes->flip && job->bytes->zero == 0.0f;
  const int kind = is_plain                         ? PLAIN_BYTES
                   : ONRI_PART(bytes) && job->bytes ? BYTES
                   : job->shifts                    ? PLANE
                   : job->each > 1                  ? SHARED
                                                    : NUMBERS;
  if (ONRI_PART(grouped) && job->terms > 1) grouped_rows(job, channels);
  else each_tile(job, channels, channels >= F32_LANES ? choose(&job->axis[2], kind) : part[kind]);
}

const struct onri_depthwise_kernels ONRI_AT_LEVEL(onri_depthwise_kernels) = {rows, F32_LANES};
