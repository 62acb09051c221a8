/* conv_gemm_simd.c: see conv_gemm_parts.h. A tile of pixels by one or two vectors of channels stays in registers while
 * the depth runs; each element of the panel is broadcast. */
#include "kernels/conv/conv_gemm_parts.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

/* --- gather --- */

/* Whole vectors: what lies behind is written again, or never read. */
INLINE void copy(const float *x, int64_t count, float *to) {
  for (int64_t i = 0; i < count; i += F32_LANES) f32_store(to + i, f32_load(x + i));
}

INLINE void clear(int64_t count, float *to) {
  for (int64_t i = 0; i < count; i += F32_LANES) f32_store(to + i, (vf32){0});
}

static int is_outside(const struct onri_conv_gather *g, const struct onri_conv_run *run,
                      const struct onri_conv_piece *p) {
  return (uint64_t)(run->at[0] + p->tap[0]) >= (uint64_t)g->in[0] ||
         (uint64_t)(run->at[1] + p->tap[1]) >= (uint64_t)g->in[1];
}

/* Elements of one pixel, of which some lie in padding. before: elements from the row's beginning to the piece. */
static void gather_edge(const float *x, int64_t before, int64_t count, int64_t row, float *to) {
  int64_t first = before < 0 ? -before : 0, last = row - before < count ? row - before : count;
  clear(count, to);
  for (; first < last; first += F32_LANES)
    f32_store_part(to + first, f32_load_part(x + first, (size_t)(last - first)), (size_t)(last - first));
}

INLINE void gather_inside(const float *x, int64_t step, int64_t pixels, int64_t count, float *to) {
  for (; pixels > 0; pixels--, x += step, to += ONRI_PANEL_ROW) copy(x, count, to);
}

static void gather(const struct onri_conv_gather *g, const struct onri_conv_piece *p, float *to) {
  const int64_t row = g->in[2] * g->width, stride = g->stride * g->width, count = p->count;
  for (const struct onri_conv_run *run = g->runs; run < g->runs + g->num_runs; run++) {
    const float *x = run->x + p->x;
    float *target = to + run->first * ONRI_PANEL_ROW;
    int64_t before = (run->at[2] + p->tap[2]) * g->width + p->from, i = 0, last = run->count;
    if (is_outside(g, run, p)) {
      for (; i < last; i++) clear(count, target + i * ONRI_PANEL_ROW);
      continue;
    }
    for (; i < last && before < 0; i++, before += stride, x += g->step)
      gather_edge(x, before, count, row, target + i * ONRI_PANEL_ROW);
    while (last > i && before + (last - 1 - i) * stride + count > row) last--;
    target += i * ONRI_PANEL_ROW;
    if (count <= F32_LANES) gather_inside(x, g->step, last - i, 1, target);
    else if (count <= 2 * F32_LANES) gather_inside(x, g->step, last - i, 2 * F32_LANES, target);
    else if (count <= 3 * F32_LANES) gather_inside(x, g->step, last - i, 3 * F32_LANES, target);
    else gather_inside(x, g->step, last - i, count, target);
    for (int64_t j = last - i; j < run->count - i; j++)
      gather_edge(x + j * g->step, before + j * stride, count, row, target + j * ONRI_PANEL_ROW);
  }
}

/* Nothing is written behind them. */
static void clear_exactly(int64_t count, float *to) {
  for (int64_t i = 0; i < count; i += F32_LANES) f32_store_part(to + i, (vf32){0}, (size_t)(count - i));
}

/* Where a list meets the image: pixels [first, last) of it. */
struct span {
  int64_t first, last;
};

static struct span inside_of(const struct onri_slab_axis *a, int64_t list) {
  const int64_t at = a->at[list], left = a->in - at;
  const int64_t first = at < 0 ? (a->stride - 1 - at) / a->stride : 0;
  const int64_t last = left > 0 ? (left - 1) / a->stride + 1 : 0;
  return (struct span){first < a->count ? first : a->count, last < first ? first : last < a->count ? last : a->count};
}

/* Lines of lists of columns that begin at pixels at, at + 1 ...: from the first line that meets the image. */
struct lines {
  const float *x; /* pixel 0 of it */
  int64_t next;   /* from line to line */
  int64_t at, in, stride;
  int64_t count, columns, lists;
  float *to;
  int64_t room; /* in the list */
  int64_t next_list;
};

INLINE void deinterleave_1(vf32 *x) { (void)x; }
INLINE void deinterleave_2(vf32 *x) {
  const vf32 even = f32_even(x[0], x[1]);
  x[1] = f32_odd(x[0], x[1]);
  x[0] = even;
}
/* Lanes rest, rest + 3 ... of three vectors. */
INLINE vf32 every_third(const vf32 *x, const int32_t rest) {
  const vi32 from = i32_lanes() * 3 + rest, is_last = from >= 2 * F32_LANES;
  const vi32 first = i32_pick((vi32)x[0], (vi32)x[1], from & (2 * F32_LANES - 1));
  return (vf32)i32_pick(first, (vi32)x[2], i32_select(is_last, from - F32_LANES, i32_lanes()));
}
INLINE void deinterleave_3(vf32 *x) {
  const vf32 thirds[] = {every_third(x, 0), every_third(x, 1), every_third(x, 2)};
  UNROLL for (int i = 0; i < 3; i++) x[i] = thirds[i];
}
INLINE void deinterleave_4(vf32 *x) {
  deinterleave_2(x);
  deinterleave_2(x + 2);
  const vf32 even = x[0], odd = x[1];
  x[0] = f32_even(even, x[2]), x[2] = f32_odd(even, x[2]);
  x[1] = f32_even(odd, x[3]), x[3] = f32_odd(odd, x[3]);
}
#define DEINTERLEAVE(stride, x)      \
  (stride == 1   ? deinterleave_1(x) \
   : stride == 2 ? deinterleave_2(x) \
   : stride == 3 ? deinterleave_3(x) \
                 : deinterleave_4(x))

/* Vector `v` of all lines: behind a line it writes over others of the list, which begin with another vector. */
INLINE void gather_column(const struct lines *l, int64_t v, const int stride) {
  const int64_t lanes = F32_LANES;
  const float *x = l->x + l->at + v * stride * lanes;
  float *to = l->to + v * lanes;
  int64_t room = l->room - v * lanes;
  size_t first[4], last[4];
  UNROLL for (int i = 0; i < stride; i++) {
    const int64_t at = l->at + (v * stride + i) * lanes;
    first[i] = at < 0 ? (size_t)-at : 0, last[i] = l->in > at ? (size_t)(l->in - at) : 0;
  }
  for (int64_t line = 0; line < l->count; line++, x += l->next, to += l->columns, room -= l->columns) {
    vf32 pixels[4];
    UNROLL for (int i = 0; i < stride; i++) pixels[i] = f32_load_between(x + i * lanes, first[i], last[i]);
    DEINTERLEAVE(stride, pixels);
    UNROLL for (int i = 0; i < stride; i++) {
      if (i >= l->lists) continue;
      if (room >= lanes) f32_store(to + i * l->next_list, pixels[i]);
      else f32_store_part(to + i * l->next_list, pixels[i], (size_t)room);
    }
  }
}

/* Vectors [first, last) of the lines, which have nothing but pixels of the image. */
INLINE void gather_middle(const struct lines *l, int64_t first, int64_t last, const int stride) {
  const int64_t lanes = F32_LANES;
  const float *x = l->x + l->at;
  float *to = l->to;
  for (int64_t line = 0; line < l->count; line++, x += l->next, to += l->columns)
    for (int64_t v = first; v < last; v++) {
      vf32 pixels[4];
      UNROLL for (int i = 0; i < stride; i++) pixels[i] = f32_load(x + (v * stride + i) * lanes);
      DEINTERLEAVE(stride, pixels);
      UNROLL for (int i = 0; i < stride; i++) if (i < l->lists) f32_store(to + i * l->next_list + v * lanes, pixels[i]);
    }
}

/* The last vectors first, since they may write over the begin of the next line: of some lines at a time, in the order
 * of memory; of few lines, which may be long, line by line. */
INLINE void gather_lines(const struct lines *all, const int stride) {
  enum { LINES = 16, FEW_LINES = 4 };
  struct lines l = *all;
  const int64_t step = stride * F32_LANES, vectors = (l.columns - 1) / F32_LANES + 1;
  int64_t first = l.at < 0 ? (-l.at - 1) / step + 1 : 0, last = l.in > l.at ? (l.in - l.at) / step : 0;
  if (last >= vectors) last = vectors - 1;
  if (l.count > FEW_LINES || last <= first) first = last = 0;
  for (int64_t left = l.count; left > 0; left -= LINES, l.x += LINES * l.next, l.to += LINES * l.columns) {
    l.count = left < LINES ? left : LINES;
    l.room = left * l.columns;
    for (int64_t v = vectors - 1; v >= last; v--) gather_column(&l, v, stride);
    gather_middle(&l, first, last, stride);
    for (int64_t v = first - 1; v >= 0; v--) gather_column(&l, v, stride);
  }
}

/* Pixels that lie further apart, one by one. */
static void gather_pixels(const struct lines *l, int64_t pixel, struct span inside) {
  const int64_t step = l->stride * pixel, count = inside.last - inside.first;
  const float *x = l->x + l->at * pixel + inside.first * step;
  float *to = l->to;
  for (int64_t line = 0; line < l->count; line++, x += l->next, to += l->columns) {
    clear_exactly(inside.first, to);
    for (int64_t i = 0; i < count; i++) to[inside.first + i] = x[i * step];
    clear_exactly(l->columns - inside.last, to + inside.last);
  }
}

/* Pixel `pixel` of all lists and lines, some of whose taps lie outside. */
static void gather_pixel(const struct lines *l, int64_t pixel) {
  const float *x = l->x;
  float *to = l->to + pixel;
  for (int64_t line = 0; line < l->count; line++, x += l->next, to += l->columns)
    for (int64_t i = 0; i < l->lists; i++) {
      const int64_t at = l->at + pixel * l->stride + i;
      to[i * l->next_list] = at >= 0 && at < l->in ? x[at] : 0.0f;
    }
}

/* Pixels [first, last) of a line: a row of taps each, which become a row of pixels for each tap. */
INLINE void turn_pixels(const struct lines *l, const float *x, float *to, int64_t first, int64_t last) {
  const int64_t lanes = F32_LANES;
  for (int64_t p = first; p < last; p += lanes)
    for (int64_t i = 0; i < l->lists; i += lanes) {
      const int64_t pixels = last - p < lanes ? last - p : lanes, taps = l->lists - i < lanes ? l->lists - i : lanes;
      const float *from = x + l->at + p * l->stride + i;
      vf32 v[F32_LANES];
      for (int64_t k = 0; k < lanes; k++)
        v[k] = k < pixels ? f32_load_part(from + k * l->stride, (size_t)taps) : (vf32){0};
      f32_transpose(v);
      for (int64_t k = 0; k < taps; k++) f32_store_part(to + (i + k) * l->next_list + p, v[k], (size_t)pixels);
    }
}

/* Pixels whose taps lie side by side but far from those of the next pixel. */
static void gather_far(const struct lines *l) {
  const int64_t room = l->in - l->at - l->lists;
  int64_t first = l->at < 0 ? (l->stride - 1 - l->at) / l->stride : 0, last = room >= 0 ? room / l->stride + 1 : 0;
  if (first > l->columns) first = l->columns;
  if (last > l->columns) last = l->columns;
  if (last < first) last = first;
  for (int64_t p = 0; p < first; p++) gather_pixel(l, p);
  for (int64_t p = last; p < l->columns; p++) gather_pixel(l, p);
  const float *x = l->x;
  float *to = l->to;
  for (int64_t line = 0; line < l->count; line++, x += l->next, to += l->columns) turn_pixels(l, x, to, first, last);
}

/* Lists of columns from `list` on which the same loads fill. */
static int64_t lists_together(const struct onri_slab_axis *a, int64_t list) {
  int64_t n = 1;
  while (n < a->stride && list + n < a->lists && a->at[list + n] == a->at[list] + n) n++;
  return n;
}

/* Lines of few pixels, in one list: those of a vector would be mostly others. */
static int is_narrow(const struct onri_slab_axis *columns, int64_t lists) {
  enum { FEW = 4 };
  return columns->stride > 1 && columns->count <= FEW && lists == 1;
}

/* List `row` of lines, of which `lines` meet the image, in lists [list, list + count) of columns. */
static void gather_lists(const struct onri_conv_slab *s, const float *x, int64_t row, struct span lines, int64_t list,
                         int64_t count, float *to) {
  const struct onri_slab_axis *rows = &s->axis[0], *columns = &s->axis[1];
  const int64_t above = lines.first * columns->count, below = (rows->count - lines.last) * columns->count;
  struct lines l = {.next = rows->stride * s->line,
                    .at = columns->at[list],
                    .in = columns->in,
                    .stride = columns->stride,
                    .count = lines.last - lines.first,
                    .columns = columns->count,
                    .lists = count,
                    .to = to + above,
                    .next_list = rows->count * columns->count};
  for (int64_t i = 0; i < count; i++) clear_exactly(above, to + i * l.next_list);
  if (l.count > 0 && l.columns > 0) {
    l.x = x + (rows->at[row] + lines.first * rows->stride) * s->line;
    switch (s->pixel != 1 || is_narrow(columns, count) ? 0 : l.stride) {
      case 1: gather_lines(&l, 1); break;
      case 2: gather_lines(&l, 2); break;
      case 3: gather_lines(&l, 3); break;
      case 4: gather_lines(&l, 4); break;
      default:
        if (count > 1) gather_far(&l);
        else gather_pixels(&l, s->pixel, inside_of(columns, list));
    }
  }
  for (int64_t i = 0; i < count; i++) clear_exactly(below, to + (i + 1) * l.next_list - below);
}

/* One line of each channel, all of it in the image. */
static void gather_line(const float *x, int64_t next, int64_t channels, int64_t count, float *to) {
  const int64_t last = (count - 1) / F32_LANES * F32_LANES;
  for (; channels > 0; channels--, x += next, to += count) {
    for (int64_t i = 0; i < last; i += F32_LANES) f32_store(to + i, f32_load(x + i));
    f32_store(to + last, f32_load_part(x + last, (size_t)(count - last)));
  }
}

static int is_line(const struct onri_conv_slab *s) {
  const struct onri_slab_axis *rows = &s->axis[0], *columns = &s->axis[1];
  return s->x && rows->lists == 1 && rows->count == 1 && columns->lists == 1 && columns->count > 0 &&
         columns->stride == 1 && s->pixel == 1 && rows->at[0] >= 0 && rows->at[0] < rows->in && columns->at[0] >= 0 &&
         columns->at[0] + columns->count <= columns->in;
}

static void gather_slab(const struct onri_conv_slab *s, float *to) {
  const struct onri_slab_axis *rows = &s->axis[0], *columns = &s->axis[1];
  const int together = s->pixel == 1 && columns->stride >= 2;
  struct span lines[ONRI_SLAB_TAPS];
  if (is_line(s)) {
    gather_line(s->x + rows->at[0] * s->line + columns->at[0], s->channel, s->channels, columns->count, to);
    return;
  }
  for (int64_t r = 0; r < rows->lists; r++) lines[r] = s->x ? inside_of(rows, r) : (struct span){0, 0};
  const float *x = s->x;
  for (int64_t c = 0; c < s->channels; c++, x = x ? x + s->channel : NULL)
    for (int64_t r = 0; r < rows->lists; r++)
      for (int64_t l = 0, n; l < columns->lists; l += n, to += n * rows->count * columns->count) {
        n = together ? lists_together(columns, l) : 1;
        gather_lists(s, x, r, lines[r], l, n, to);
      }
}

/* --- multiply --- */

enum { PAIR_ROWS = SIMD_REGISTERS == 32 ? 14 : 6, SINGLE_ROWS = 2 * PAIR_ROWS };

/* The weights of a block come from memory for its first tile, which would wait for them: while the large tiles of the
 * block before run, they are fetched, some with each step of the depth. */
struct fetch {
  const char *next;
  int64_t step;
};

/* What is multiplied: rows of the panel, or a slab. */
enum { ROWS, SLAB };
enum { MASKS = SIMD_BYTES == 64 /* parts of vectors are loaded as fast as whole ones */ };
enum { LARGE = 8 /* vectors of sums */, MOST_SUMS = SIMD_REGISTERS == 32 ? 28 : 16 };

/* at: of each row, in y. */
/* A macro, so that the compiler sees numbers: loops over parameters are unrolled too late for registers. */
#define WIDTH(vectors) ((vectors)*F32_LANES)
#define TILE_FUNCTION(signature, tile_rows, vectors, kind, sums, weights)                                              \
  static signature {                                                                                                   \
    const vf32 min = f32_set(p->min), max = f32_set(p->max);                                                           \
    const float *w = p->w;                                                                                             \
    const size_t last = (size_t)(p->channels - (vectors - 1) * F32_LANES);                                             \
    const int64_t row = kind == SLAB ? 1 : p->panel_row, depth = kind == SLAB ? p->num_taps : p->depth;                \
    vf32 sum[sums];                                                                                                    \
    UNROLL for (int v = 0; v < vectors; v++) {                                                                         \
      const vf32 bias = p->bias ? f32_load(p->bias + v * F32_LANES) : (vf32){0};                                       \
      UNROLL for (int i = 0; i < tile_rows; i++) sum[i * vectors + v] = bias;                                          \
    }                                                                                                                  \
    if (p->from) UNROLL for (int i = 0; i < tile_rows; i++) {                                                          \
        const float *from = p->from + at[i];                                                                           \
        UNROLL for (int v = 0; v < vectors; v++) sum[i * vectors + v] +=                                               \
            v + 1 < vectors || (last == F32_LANES && !MASKS) ? f32_load(from + v * F32_LANES)                          \
                                                             : f32_load_part(from + v * F32_LANES, last);              \
      }                                                                                                                \
    for (int64_t u = kind == SLAB ? p->units : 1; u > 0; u--, a += p->x_unit, w += p->w_unit)                          \
      for (int64_t k = 0; k < depth; k++) {                                                                            \
        const float *at_x = a + (kind == SLAB ? p->taps[k].x : k),                                                     \
                    *at_w = w + (kind == SLAB ? p->taps[k].w : k * WIDTH(vectors));                                    \
        vf32 weight[weights];                                                                                          \
        if (kind == ROWS && tile_rows * vectors > LARGE) simd_prefetch(fetch.next), fetch.next += fetch.step;          \
        UNROLL for (int v = 0; v < vectors; v++) weight[v] = f32_load(at_w + v * F32_LANES);                           \
        UNROLL for (int i = 0; i < tile_rows; i++) {                                                                   \
          const vf32 x = f32_set(at_x[i * row]);                                                                       \
          UNROLL for (int v = 0; v < vectors; v++) sum[i * vectors + v] = f32_fma(x, weight[v], sum[i * vectors + v]); \
        }                                                                                                              \
      }                                                                                                                \
    float *y_0 = p->y;                                                                                                 \
    UNROLL for (int i = 0; i < tile_rows; i++) {                                                                       \
      float *to = y_0 + at[i];                                                                                         \
      UNROLL for (int v = 0; v < vectors; v++) {                                                                       \
        const vf32 y = f32_clamp(sum[i * vectors + v], min, max);                                                      \
        if (v + 1 < vectors || last == F32_LANES) f32_store(to + v * F32_LANES, y);                                    \
        else f32_store_part(to + v * F32_LANES, y, last);                                                              \
      }                                                                                                                \
    }                                                                                                                  \
  }
#define TILE_ARGUMENTS const struct onri_conv_product *p, const float *a, const int64_t *at, struct fetch fetch
#if ONRI_IS_PLAIN /* loops stay loops: one function is for all sizes */
TILE_FUNCTION(__attribute__((noinline)) void any_tile(TILE_ARGUMENTS, const int tile_rows, const int vectors,
                                                      const int kind),
              tile_rows, vectors, kind, MOST_SUMS, 2)
#define TILE(name, tile_rows, vectors, kind) \
  static void name(TILE_ARGUMENTS) { any_tile(p, a, at, fetch, tile_rows, vectors, kind); }
#else
#define TILE(name, tile_rows, vectors, kind) \
  TILE_FUNCTION(void name(TILE_ARGUMENTS), tile_rows, vectors, kind, tile_rows *vectors, vectors)
#endif
#define TILES(name, vectors, kind, r0, r1, r2, r3, r4, r5) \
  TILE(name##_0, r0, vectors, kind)                        \
  TILE(name##_1, r1, vectors, kind)                        \
  TILE(name##_2, r2, vectors, kind)                        \
  TILE(name##_3, r3, vectors, kind)                        \
  TILE(name##_4, r4, vectors, kind)                        \
  TILE(name##_5, r5, vectors, kind)

typedef void tile_function(const struct onri_conv_product *p, const float *a, const int64_t *at, struct fetch fetch);
#define NAMES(name) \
  { name##_0, name##_1, name##_2, name##_3, name##_4, name##_5 }

#if SIMD_REGISTERS == 32
#define PAIR_TILES 14, 10, 7, 4, 2, 1
#define SINGLE_TILES 28, 21, 14, 7, 3, 1
#else
#define PAIR_TILES 6, 5, 4, 3, 2, 1
#define SINGLE_TILES 12, 9, 6, 4, 2, 1
#endif
#define EXPAND(macro, ...) macro(__VA_ARGS__)
EXPAND(TILES, pair, 2, ROWS, PAIR_TILES)
EXPAND(TILES, pair_slab, 2, SLAB, PAIR_TILES)
EXPAND(TILES, single, 1, ROWS, SINGLE_TILES)
EXPAND(TILES, single_slab, 1, SLAB, SINGLE_TILES)

enum { SIZES = 6 };
static const int64_t sizes[2][SIZES] = {{SINGLE_TILES}, {PAIR_TILES}}; /* falling to 1 */
static tile_function *const tiles[2][2][SIZES] = {{NAMES(single), NAMES(single_slab)}, {NAMES(pair), NAMES(pair_slab)}};

/* The size of the next tile, by its place. Where there is one of every size, the last two share what is left: a row
 * alone would wait for its sums. */
INLINE int next_size(int is_pair, int64_t left) {
  const int64_t *size = sizes[is_pair];
  int s = 0;
  if (SIMD_REGISTERS == 16 && is_pair && left > size[0] && left < 2 * size[0]) left = (left + 1) / 2;
  while (size[s] > left) s++;
  return s;
}

/* Tiles of rows that are there: those behind them may be nobody's. */
static void multiply(const struct onri_conv_product *p) {
  const int is_pair = p->width > F32_LANES, kind = p->is_slab ? SLAB : ROWS;
  const int64_t row = p->is_slab ? 1 : p->panel_row, bytes = p->next_floats * (int64_t)sizeof(float);
  struct fetch fetch = {(const char *)(p->next ? p->next : p->w), 0};
  if (p->next) fetch.step = bytes * sizes[is_pair][0] / (p->pixels * p->depth) + 1;
  for (int64_t i = 0, rows; i < p->pixels; i += rows) {
    const int s = next_size(is_pair, p->pixels - i);
    rows = sizes[is_pair][s];
    tiles[is_pair][kind][s](p, p->panel + i * row, p->y_at + i, fetch);
    fetch.next += fetch.step * p->depth;
  }
}

/* --- planes: vectors of pixels, each weight is broadcast --- */

enum { PLANE_ROWS = PAIR_ROWS, PIXEL_VECTORS = 8 };

/* Where the channels of a tile lie. */
struct planes {
  const float *from; /* what is added to; NULL: the bias alone */
  float *to;
  int64_t step;         /* from channel to channel */
  int64_t x_line, line; /* by lines: from vector to vector of x and of y, */
  size_t lanes;         /* of which so many are there */
};

/* Vectors lie one behind the other (by_line 0), or each in a line of its own. */
#define PLANE_FUNCTION(signature, channels, vectors, by_line, sums, width)                                            \
  static signature {                                                                                                  \
    const vf32 min = f32_set(p->min), max = f32_set(p->max);                                                          \
    const int64_t x_step = by_line ? at->x_line : F32_LANES, step = by_line ? at->line : F32_LANES;                   \
    const float *w = p->w;                                                                                            \
    vf32 sum[sums];                                                                                                   \
    UNROLL for (int i = 0; i < channels; i++) UNROLL for (int v = 0; v < vectors; v++) {                              \
      const float *from = at->from ? at->from + i * at->step + v * step : NULL;                                       \
      sum[i * vectors + v] = !from ? f32_set(p->bias[i]) : by_line ? f32_load_part(from, at->lanes) : f32_load(from); \
    }                                                                                                                 \
    if (at->from && p->bias)                                                                                          \
      UNROLL for (int i = 0; i < channels; i++) UNROLL for (int v = 0; v < vectors; v++) sum[i * vectors + v] +=      \
          f32_set(p->bias[i]);                                                                                        \
    for (int64_t u = p->units; u > 0; u--, x += p->x_unit, w += p->w_unit)                                            \
      for (int64_t k = 0; k < p->num_taps; k++) {                                                                     \
        const float *at_x = x + p->taps[k].x, *at_w = w + p->taps[k].w;                                               \
        vf32 pixels[width];                                                                                           \
        UNROLL for (int v = 0; v < vectors; v++) pixels[v] = f32_load(at_x + v * x_step);                             \
        UNROLL for (int i = 0; i < channels; i++) {                                                                   \
          const vf32 weight = f32_set(at_w[i]);                                                                       \
          UNROLL for (int v = 0; v < vectors; v++) sum[i * vectors + v] =                                             \
              f32_fma(weight, pixels[v], sum[i * vectors + v]);                                                       \
        }                                                                                                             \
      }                                                                                                               \
    UNROLL for (int i = 0; i < channels; i++) UNROLL for (int v = 0; v < vectors; v++) {                              \
      const vf32 result = f32_clamp(sum[i * vectors + v], min, max);                                                  \
      float *to = at->to + i * at->step + v * step;                                                                   \
      if (by_line) f32_store_part(to, result, at->lanes);                                                             \
      else f32_store(to, result);                                                                                     \
    }                                                                                                                 \
  }
#define PLANE_ARGUMENTS const struct onri_conv_product *p, const float *x, const struct planes *at
#if ONRI_IS_PLAIN
PLANE_FUNCTION(__attribute__((noinline)) void any_plane(PLANE_ARGUMENTS, const int channels, const int vectors,
                                                        const int by_line),
               channels, vectors, by_line, MOST_SUMS, MOST_SUMS)
#define PLANE_TILE(name, channels, vectors, by_line) \
  static void name(PLANE_ARGUMENTS) { any_plane(p, x, at, channels, vectors, by_line); }
#else
#define PLANE_TILE(name, channels, vectors, by_line) \
  PLANE_FUNCTION(void name(PLANE_ARGUMENTS), channels, vectors, by_line, channels *vectors, vectors)
#endif

#define PLANE_TILES(channels)                  \
  PLANE_TILE(plane_##channels, channels, 2, 0) \
  PLANE_TILE(plane_thin_##channels, channels, 1, 0)

typedef void plane_function(const struct onri_conv_product *p, const float *x, const struct planes *at);

PLANE_TILES(1)
PLANE_TILES(2)
PLANE_TILES(3)
PLANE_TILES(4)
PLANE_TILES(5)
PLANE_TILES(6)
PLANE_TILE(plane_wide_1, 1, PIXEL_VECTORS, 0)
PLANE_TILE(plane_lines_1, 1, PIXEL_VECTORS, 1)
#if SIMD_REGISTERS == 32
PLANE_TILES(7)
PLANE_TILES(8)
PLANE_TILES(9)
PLANE_TILES(10)
PLANE_TILES(11)
PLANE_TILES(12)
PLANE_TILES(13)
PLANE_TILES(14)
PLANE_TILE(plane_wide_2, 2, PIXEL_VECTORS, 0)
PLANE_TILE(plane_wide_3, 3, PIXEL_VECTORS, 0)
PLANE_TILE(plane_lines_2, 2, PIXEL_VECTORS, 1)
PLANE_TILE(plane_lines_3, 3, PIXEL_VECTORS, 1)
#endif

#if SIMD_REGISTERS == 32
#define ALL_PLANES(p) p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9, p##10, p##11, p##12, p##13, p##14
#else
#define ALL_PLANES(p) p##1, p##2, p##3, p##4, p##5, p##6
#endif
/* By vectors of pixels and channels. */
static plane_function *const plane_tiles[2][PLANE_ROWS] = {{ALL_PLANES(plane_thin_)}, {ALL_PLANES(plane_)}};
#if SIMD_REGISTERS == 32
enum { WIDE_TILES = 3 };
#define WIDE(p) p##1, p##2, p##3
#else
enum { WIDE_TILES = 1 };
#define WIDE(p) p##1
#endif
static plane_function *const wide_tiles[WIDE_TILES] = {WIDE(plane_wide_)};
static plane_function *const line_tiles[WIDE_TILES] = {WIDE(plane_lines_)};

/* A place among the lines of a slab. */
struct place {
  int64_t line, column;
};

/* The outputs among `pixels` places from `at` on: from y, which has lines, to a part, which has all places, or back. */
static void move_outputs(const struct onri_conv_product *p, struct place at, int64_t pixels, const float *from,
                         float *to, int into_part) {
  for (int64_t i = 0, next; i < pixels; i += next, at.line++, at.column = 0) {
    const int64_t in_y = at.line * p->y_line + at.column, left = p->columns - at.column;
    const float *x = from + (into_part ? in_y : i);
    float *y = to + (into_part ? i : in_y);
    next = p->pitch - at.column;
    const int64_t there = left < pixels - i ? left : pixels - i;
    for (int64_t j = 0; j < there; j += F32_LANES)
      f32_store_part(y + j, f32_load_part(x + j, (size_t)(there - j)), (size_t)(there - j));
  }
}

/* A tile of which not all places are outputs, or not all lie side by side; `there` of them are looked at. */
static void multiply_part(const struct onri_conv_product *p, plane_function *function, struct place at, int64_t there,
                          int64_t pixels) {
  float part[(PLANE_ROWS * 2 + PIXEL_VECTORS) * F32_LANES];
  const struct planes planes = {.from = p->from ? part : NULL, .to = part, .step = pixels};
  if (p->from) memset(part, 0, (size_t)(p->channels * pixels) * sizeof(float));
  for (int64_t j = 0; p->from && j < p->channels; j++)
    move_outputs(p, at, there, p->from + j * p->y_channel, part + j * pixels, 1);
  function(p, p->panel + at.line * p->pitch + at.column, &planes);
  for (int64_t j = 0; j < p->channels; j++) move_outputs(p, at, there, part + j * pixels, p->y + j * p->y_channel, 0);
}

/* Lines of a few vectors, of few channels: some at once, since each sum alone waits for itself. Returns how many. */
static int64_t multiply_lines(const struct onri_conv_product *p, int64_t lines) {
  int64_t line = 0;
  for (; line + PIXEL_VECTORS <= lines; line += PIXEL_VECTORS)
    for (int64_t column = 0; column < p->columns; column += F32_LANES) {
      const int64_t y = line * p->y_line + column, left = p->columns - column;
      const struct planes planes = {.from = p->from ? p->from + y : NULL,
                                    .to = p->y + y,
                                    .step = p->y_channel,
                                    .x_line = p->pitch,
                                    .line = p->y_line,
                                    .lanes = left < F32_LANES ? (size_t)left : F32_LANES};
      line_tiles[p->channels - 1](p, p->panel + line * p->pitch + column, &planes);
    }
  return line;
}

/* The share of a tile in what is to be fetched, lines of the cache from `fetched` on. */
static void fetch_share(const struct onri_conv_product *p, int64_t pixels, int64_t *fetched) {
  enum { LINE = 16 };
  const int64_t share = p->next_floats / p->pixels * pixels + LINE, end = *fetched + share;
  for (; *fetched < end && *fetched < p->next_floats; *fetched += LINE) simd_prefetch(p->next + *fetched);
}

/* Line by line, where vectors that end with a line have no more lanes for nothing than those which go on. */
static void multiply_planes(const struct onri_conv_product *p) {
  const int64_t wide = PIXEL_VECTORS * F32_LANES, lines = (p->pixels - 1) / p->pitch + 1;
  const int by_line = (p->columns + F32_LANES - 1) / F32_LANES * F32_LANES <= p->pitch;
  struct place at = {0, 0};
  int64_t fetched = 0;
  if (by_line && p->channels <= WIDE_TILES && p->columns < wide) at.line = multiply_lines(p, lines);
  for (int64_t left; at.line < lines;) {
    left = by_line ? p->columns - at.column : p->pixels - at.line * p->pitch - at.column;
    if (left <= 0) {
      at = (struct place){at.line + 1, 0};
      continue;
    }
    const int is_wide = p->channels <= WIDE_TILES && left >= wide, is_thin = left <= F32_LANES;
    const int64_t pixels = is_wide ? wide : is_thin ? F32_LANES : 2 * F32_LANES;
    plane_function *function = is_wide ? wide_tiles[p->channels - 1] : plane_tiles[!is_thin][p->channels - 1];
    if (at.column + pixels <= p->columns) {
      const int64_t y = at.line * p->y_line + at.column;
      const struct planes planes = {.from = p->from ? p->from + y : NULL, .to = p->y + y, .step = p->y_channel};
      function(p, p->panel + at.line * p->pitch + at.column, &planes);
    } else {
      multiply_part(p, function, at, left < pixels ? left : pixels, pixels);
    }
    if (p->next) fetch_share(p, pixels, &fetched);
    at.column += pixels;
    for (; !by_line && at.column >= p->pitch; at.column -= p->pitch) at.line++;
  }
}

const struct onri_conv_gemm_kernels ONRI_AT_LEVEL(onri_conv_gemm_kernels) = {
    .lanes = F32_LANES,
    .tile = SIMD_REGISTERS == 32 ? PAIR_ROWS : 2 * PAIR_ROWS,
    .plane_channels = PLANE_ROWS,
    .is_plain = ONRI_IS_PLAIN,
    .gather = gather,
    .gather_slab = gather_slab,
    .multiply = multiply,
    .multiply_planes = multiply_planes,
};
