/* attention_simd.c: see attention_rows.h. A block of keys is packed, transposed, and its values too; then each tile of
 * queries has its scores, their exponentials and their product with the values, all in the first cache. What earlier
 * blocks gave is scaled to the new largest score. Few queries read keys and values where they are.
 *
 * Share of the FMA rate on a core with AVX-512: 0.8 for heads of 64 elements, 0.7 for 32 (the exponentials). */
#include "kernels/attention/attention_rows.h"
#include "kernels/attention/int8_rows.h"
#include "kernels/attention/shown.h"
#include "kernels/kernels.h"
#include "kernels/matmul/sgemm_tile.h"
#include "kernels/simd/math.h"

enum { MOST_KEYS = 256, FEW_ROWS = 6, FEW_KEYS = 64, FEW_FLOATS = 4096 };

/* What is known of a row of queries. */
struct row {
  size_t head, query;
  int visible; /* some key is not hidden by the mask */
};

struct work {
  const struct onri_attention *a;
  const struct onri_attention_job *job;
  size_t keys, wide;             /* of a block; of the values, in whole panels */
  float *q, *k, *v, *y, *scores; /* in scratch; q: of tiles whose rows are of several heads */
  float *past_k, *past_v;        /* there, too: a block of a past that is int8 */
  size_t key, columns;           /* of the current block: its first, counted from the first past key */
  struct row *rows;
  float *max, *sum; /* of each row's scores so far, and of their exponentials */
  int few;          /* rows of all jobs: is_few */
  int plain;        /* nothing but scale and softmax happens to scores */
  int direct;       /* one block has all keys, and the rows are of one head: results are written where they belong */
};

static size_t round_up(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

/* Keys are read where they are, and not packed: that takes as long as some rows of their products, the more the wider
 * they are. */
static int is_few(const struct onri_attention *a, size_t rows) { return rows <= FEW_ROWS && rows <= 1 + a->width / 32; }

static size_t block_keys(const struct onri_attention *a, size_t rows) {
  const size_t total = round_up(a->past + a->keys, SGEMM_COLUMNS), narrow = FEW_FLOATS / (a->width + 1);
  const size_t few = narrow > MOST_KEYS  ? MOST_KEYS
                     : narrow > FEW_KEYS ? narrow / SGEMM_COLUMNS * SGEMM_COLUMNS
                                         : FEW_KEYS;
  const size_t most = is_few(a, rows) ? few : a->width <= 64 ? MOST_KEYS : a->width <= 128 ? 128 : 64;
  return total < most ? total : most;
}

/* Sizes of the parts of scratch, in the order of struct work. */
enum { PARTS = 7 };
static int sizes_of(const struct onri_attention *a, size_t rows, size_t size[PARTS], size_t *all) {
  const size_t keys = block_keys(a, rows), wide = round_up(a->value_width, SGEMM_COLUMNS);
  const size_t past = a->past_is_int8 ? keys : 0;
  const size_t sizes[PARTS][2] = {{a->width, rows},   {a->width, keys}, {wide, keys},          {wide, rows},
                                  {keys, SGEMM_ROWS}, {a->width, past}, {a->value_width, past}};
  *all = 0;
  for (int i = 0; i < PARTS; i++) {
    if (sizes[i][0] > SIZE_MAX / 64 / (sizes[i][1] + 1)) return 0;
    size[i] = round_up(sizes[i][0] * sizes[i][1] + F32_LANES, 16);
    if (size[i] > SIZE_MAX / 64 - *all) return 0;
    *all += size[i];
  }
  return 1;
}

static size_t scratch_floats(const struct onri_attention *a, size_t rows) {
  size_t size[PARTS], all;
  return sizes_of(a, rows, size, &all) ? all : SIZE_MAX;
}

static float *row_of(const struct onri_heads *x, size_t batch, size_t head, size_t row) {
  return (float *)x->data + batch * x->batch + head * x->head + row * x->row;
}

/* --- scores of a row --- */

/* Summands of the mask for keys [j, j + lanes) of the block. */
INLINE vf32 mask_at(const struct onri_mask *m, size_t at, size_t j, size_t left) {
  const size_t count = j < left ? left - j : 0;
  const vf32 hidden = f32_set(-INFINITY);
  vf32 x;
  if (m->dtype == ONR_DTYPE_BOOL) {
    unsigned char shown[F32_LANES] = {0};
    const size_t some = count < F32_LANES ? count : F32_LANES;
    memcpy(shown, (const unsigned char *)m->data + at + j, some);
    return f32_select(i32_load_u8(shown) != 0, (vf32){0}, hidden);
  }
  x = f32_load_part((const float *)m->data + at + j, count);
  return f32_select(i32_lanes() < (int32_t)(count < F32_LANES ? count : F32_LANES), x, hidden);
}

/* s += mask; hides: where it is -INFINITY s is so, whatever it was. Whether it shows some key of [from, to). */
static int add_mask(const struct work *w, const struct row *row, float *s, struct range shown) {
  const struct onri_mask *m = &w->a->mask;
  const size_t left = w->key < m->columns ? m->columns - w->key : 0;
  const size_t at = w->job->batch * m->batch + row->head * m->head + row->query * m->row + w->key;
  const int hides = w->a->blind_query == ONR_BLIND_QUERY_ZERO;
  vi32 visible = {0};
  for (size_t j = 0; j < w->columns; j += F32_LANES) {
    const vf32 x = mask_at(m, at, j, left), sum = f32_load(s + j) + x;
    const vi32 hidden = x == -INFINITY, lane = i32_lanes() + (int32_t)j;
    f32_store(s + j, hides ? f32_select(hidden, x, sum) : sum);
    visible |= ~hidden & (lane >= (int32_t)shown.from) & (lane < (int32_t)shown.to);
  }
  return i32_any(visible);
}

static void show(const struct work *w, const struct row *row, const float *s) {
  const struct onri_attention *a = w->a;
  const size_t total = a->past + a->keys;
  float *to = (float *)a->scores + ((w->job->batch * a->heads + row->head) * a->queries + row->query) * total + w->key;
  memcpy(to, s, w->columns * sizeof(float));
}

/* Scores after cap and mask. Hidden keys have -INFINITY whatever their product was, unless softmax was written out.
 * Behind the last key of the block, too. */
static void mask_scores(const struct work *w, struct row *row, float *s) {
  const struct onri_attention *a = w->a;
  if (w->plain) {
    row->visible = 1;
    for (size_t j = w->columns; j % F32_LANES; j++) s[j] = -INFINITY;
    return;
  }
  if (a->scores && a->scores_at == ONR_QK_SCALED) show(w, row, s);
  if (a->softcap > 0.0) {
    const float cap = (float)a->softcap;
    for (size_t j = 0; j < w->columns; j += F32_LANES) f32_store(s + j, cap * f32_tanh(f32_load(s + j) / cap));
  }
  if (a->scores && a->scores_at == ONR_QK_CAPPED) show(w, row, s);
  const struct range shown = shown_keys(a, w->job->batch, row->query, w->key, w->columns);
  if (a->mask.data) {
    if (add_mask(w, row, s, shown)) row->visible = 1;
  } else if (shown.from < shown.to) {
    row->visible = 1;
  }
  for (size_t j = 0; j < shown.from; j++) s[j] = -INFINITY;
  for (size_t j = shown.to; j < round_up(w->columns, F32_LANES); j++) s[j] = -INFINITY;
  if (a->scores && a->scores_at >= ONR_QK_MASKED) show(w, row, s);
}

/* --- softmax of the rows of a tile --- */

enum { GROUPS = (SGEMM_ROWS + F32_LANES - 1) / F32_LANES, ROOM = GROUPS * F32_LANES };

/* Lane i of all[g]: the sum or the greatest of the lanes of part[g F32_LANES + i]. */
INLINE void reduce_rows(vf32 part[ROOM], size_t rows, int few, const int adds, vf32 all[GROUPS]) {
  if (few) { /* one at a time */
    all[0] = f32_set(adds ? f32_sum(part[0]) : f32_greatest_lane(part[0]));
    UNROLL for (size_t g = 1; g < GROUPS; g++) all[g] = all[0];
    return;
  }
  for (size_t r = rows; r < ROOM; r++) part[r] = (vf32){0};
  UNROLL for (size_t g = 0; g < GROUPS; g++) {
    vf32 *block = part + g * F32_LANES;
    f32_transpose(block);
    all[g] = block[0];
    UNROLL for (size_t i = 1; i < F32_LANES; i++) all[g] = adds ? all[g] + block[i] : f32_greatest(block[i], all[g]);
  }
}

INLINE vf32 greatest_of_row(const float *s, size_t columns) {
  vf32 most = f32_set(-INFINITY);
  for (size_t j = 0; j < columns; j += F32_LANES) most = f32_greatest(f32_load(s + j), most);
  return most;
}

INLINE vf32 exponentials(float *s, size_t columns, float shift) {
  vf32 sum = {0};
  for (size_t j = 0; j < columns; j += F32_LANES) {
    const vf32 e = f32_exp_negative(f32_load(s + j) - shift);
    f32_store(s + j, e);
    sum += e;
  }
  return sum;
}

/* Scores of rows [first, first + rows), from `scores` on, become exp(score - largest so far); correction: what earlier
 * blocks gave is to be multiplied with. */
static void softmax_rows(const struct work *w, float *scores, size_t first, size_t rows, float correction[ROOM]) {
  vf32 part[ROOM], all[GROUPS];
  float shift[ROOM];
  for (size_t r = 0; r < rows; r++) part[r] = greatest_of_row(scores + r * w->keys, w->columns);
  reduce_rows(part, rows, w->few, 0, all);
  UNROLL for (size_t g = 0; g < GROUPS; g++) {
    float *at = w->max + first + g * F32_LANES;
    const size_t left = rows > g * F32_LANES ? rows - g * F32_LANES : 0;
    const vf32 old = f32_load_part(at, left), max = f32_greatest(all[g], old),
               least = f32_select(max == -INFINITY, (vf32){0}, max);
    f32_store(shift + g * F32_LANES, least);
    f32_store(correction + g * F32_LANES, f32_exp_negative(old - least));
    f32_store_part(at, max, left);
  }
  for (size_t r = 0; r < rows; r++) part[r] = exponentials(scores + r * w->keys, w->columns, shift[r]);
  reduce_rows(part, rows, w->few, 1, all);
  UNROLL for (size_t g = 0; g < GROUPS; g++) {
    float *at = w->sum + first + g * F32_LANES;
    const size_t left = rows > g * F32_LANES ? rows - g * F32_LANES : 0;
    const vf32 sum = f32_fma(f32_load_part(at, left), f32_load(correction + g * F32_LANES), all[g]);
    f32_store_part(at, sum, left);
  }
}

/* --- tiles --- */

/* Rows of a tile, equally far apart. */
struct tile {
  float *data;
  size_t row;
};

/* scores [rows][keys] = scale times Q by the packed keys: those of a panel, from key j on. */
INLINE void score_panel(const struct work *w, const struct tile *q, size_t j, const int rows, const int vectors) {
  const vf32 scale = f32_set((float)w->a->scale);
  vf32 sum[SGEMM_ROWS * SGEMM_VECTORS];
  float *s = w->scores + j;
  const size_t keys = w->keys;
  sgemm_sums_of_rows(rows, vectors, q->data, q->row, w->k + j * w->a->width, 0, SGEMM_COLUMNS, w->a->width, NULL, sum);
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++)
        f32_store(s + (size_t)r * keys + (size_t)v * F32_LANES, scale * sum[r * vectors + v]);
  }
}

INLINE void score_tile(const struct work *w, const struct tile *q, const int rows) {
  size_t j = 0;
  for (; j + F32_LANES < w->columns; j += SGEMM_COLUMNS) score_panel(w, q, j, rows, SGEMM_VECTORS);
  if (j < w->columns) score_panel(w, q, j, rows, 1);
}

/* y = factor y + probabilities by values; direct: factor times the product. Columns from j on. */
INLINE void value_panel(const struct work *w, size_t j, const struct tile *tile, const float *factor, const int rows,
                        const int vectors) {
  vf32 sum[SGEMM_ROWS * SGEMM_VECTORS];
  sgemm_sums(rows, vectors, w->scores, w->keys, 1, w->v + j * w->columns, 0, SGEMM_COLUMNS, w->columns, NULL, sum);
  const size_t row = tile->row, left = w->a->value_width - j;
  float *y = tile->data + j;
  if (w->direct) {
    UNROLL for (int i = 0; i < vectors; i++) UNROLL for (int r = 0; r < rows; r++)
        f32_store_part(y + (size_t)r * row + (size_t)i * F32_LANES, f32_set(factor[r]) * sum[r * vectors + i],
                       left - (size_t)i * F32_LANES);
    return;
  }
  UNROLL for (int r = 0; r < rows; r++, y += row) {
    const vf32 f = f32_set(factor[r]);
    UNROLL for (int i = 0; i < vectors; i++)
        f32_store(y + i * F32_LANES, f32_fma(f, f32_load(y + i * F32_LANES), sum[r * vectors + i]));
  }
}

INLINE void value_tile(const struct work *w, const struct tile *y, const float *factor, const int rows) {
  for (size_t j = 0; j < w->a->value_width; j += SGEMM_COLUMNS) {
    if (w->a->value_width - j > F32_LANES) value_panel(w, j, y, factor, rows, SGEMM_VECTORS);
    else value_panel(w, j, y, factor, rows, 1);
  }
}

#define TILE(n)                                                                              \
  static void score_##n(const struct work *w, const struct tile *q) { score_tile(w, q, n); } \
  static void value_##n(const struct work *w, const struct tile *y, const float *factor) {   \
    value_tile(w, y, factor, n);                                                             \
  }
SGEMM_EACH_ROWS(TILE)
#undef TILE
#define SCORE(n) score_##n,
#define VALUE(n) value_##n,
static void (*const score_tiles[])(const struct work *w, const struct tile *q) = {NULL, SGEMM_EACH_ROWS(SCORE)};
static void (*const value_tiles[])(const struct work *w, const struct tile *y, const float *factor) = {
    NULL, SGEMM_EACH_ROWS(VALUE)};

/* --- blocks of keys --- */

/* Keys or values of a block, as floats, or as int8. */
struct rows {
  const float *data; /* NULL: int8 */
  size_t row;
  struct int8_rows narrow;
};

/* Of the current block. `room`: for floats of a past that is int8; NULL: it is read as it is. */
static struct rows block_rows(const struct work *w, const struct onri_heads *past, const struct onri_heads *own,
                              size_t head, size_t width, float *room) {
  const size_t batch = w->job->batch;
  struct rows rows = {NULL, width, {NULL, past->row, width, w->columns}};
  if (w->key >= w->a->past)
    return (struct rows){.data = row_of(own, batch, head, w->key - w->a->past), .row = own->row};
  if (!w->a->past_is_int8) return (struct rows){.data = row_of(past, batch, head, w->key), .row = past->row};
  rows.narrow.data = (const int8_t *)past->data + batch * past->batch + head * past->head + w->key * past->row;
  if (room) int8_widen(&rows.narrow, room);
  rows.data = room;
  return rows;
}

/* Whether some of these rows may see a key of the block. */
static int is_shown(const struct work *w, size_t first, size_t rows) {
  if (w->a->scores || w->plain) return 1;
  for (size_t r = first; r < first + rows; r++) {
    const struct range shown = shown_keys(w->a, w->job->batch, w->rows[r].query, w->key, w->columns);
    if (shown.from < shown.to) return 1;
  }
  return 0;
}

static void pack_block(const struct work *w, const struct rows *k, const struct rows *v) {
  const struct onri_attention *a = w->a;
  const size_t whole = a->value_width / SGEMM_COLUMNS * SGEMM_COLUMNS;
  for (size_t j = 0; j < w->columns; j += SGEMM_COLUMNS)
    sgemm_pack_panel(k->data + j * k->row, 1, k->row, a->width,
                     w->columns - j < SGEMM_COLUMNS ? w->columns - j : SGEMM_COLUMNS, w->k + j * a->width);
  sgemm_pack_panels(v->data, v->row, w->columns, whole / SGEMM_COLUMNS, w->v);
  if (whole < a->value_width)
    sgemm_pack_panel(v->data + whole, v->row, 1, w->columns, a->value_width - whole, w->v + whole * w->columns);
}

/* Rows of two heads do not lie at equal distances: they are copied. */
static void copy_queries(const struct work *w) {
  const struct onri_attention *a = w->a;
  if (w->rows[0].head == w->rows[w->job->rows - 1].head) return;
  for (size_t r = 0; r < w->job->rows; r++)
    memcpy(w->q + r * a->width, row_of(&a->q, w->job->batch, w->rows[r].head, w->rows[r].query),
           a->width * sizeof(float));
}

static struct tile queries_of(const struct work *w, size_t row) {
  const struct onri_attention *a = w->a;
  if (w->rows[0].head != w->rows[w->job->rows - 1].head) return (struct tile){w->q + row * a->width, a->width};
  return (struct tile){row_of(&a->q, w->job->batch, w->rows[row].head, w->rows[row].query), a->q.row};
}

static struct tile results_of(const struct work *w, size_t row) {
  const struct onri_attention *a = w->a;
  if (!w->direct) return (struct tile){w->y + row * w->wide, w->wide};
  return (struct tile){row_of(&a->y, w->job->batch, w->rows[row].head, w->rows[row].query), a->y.row};
}

static void run_tiles(const struct work *w) {
  const size_t count = w->job->rows, parts = (count + SGEMM_ROWS - 1) / SGEMM_ROWS;
  for (size_t part = 0, row = 0; part < parts; part++) {
    const size_t rows = (count - row) / (parts - part);
    const struct tile q = queries_of(w, row), y = results_of(w, row);
    float factor[ROOM];
    if (is_shown(w, row, rows)) {
      score_tiles[rows](w, &q);
      for (size_t r = 0; r < rows; r++) mask_scores(w, &w->rows[row + r], w->scores + r * w->keys);
      softmax_rows(w, w->scores, row, rows, factor);
      for (size_t r = 0; r < rows && w->direct; r++) factor[r] = 1 / w->sum[row + r];
      value_tiles[rows](w, &y, factor);
    }
    row += rows;
  }
}

/* --- few queries: keys and values are read once, where they are --- */

enum {
  TOGETHER = 2,             /* keys that are multiplied at a time */
  PAIR = 2,                 /* queries that read them together */
  SUMS = 4,                 /* of values */
  PAIRED = SUMS * F32_LANES /* columns of values for which sums of a pair are registers */
};

/* sum[n][i] = query n by row i of k, lane by lane. */
INLINE void score_together(const float *const q[PAIR], const float *const k[TOGETHER], size_t width,
                           vf32 sum[PAIR][F32_LANES], size_t at, const int queries) {
  vf32 all[PAIR * TOGETHER];
  UNROLL for (int i = 0; i < PAIR * TOGETHER; i++) all[i] = (vf32){0};
  for (size_t p = 0; p < width; p += F32_LANES) {
    const size_t left = width - p;
    vf32 key[TOGETHER];
    UNROLL for (int i = 0; i < TOGETHER; i++) key[i] =
        left >= F32_LANES ? f32_load(k[i] + p) : f32_load_part(k[i] + p, left);
    UNROLL for (int n = 0; n < queries; n++) {
      const vf32 x = left >= F32_LANES ? f32_load(q[n] + p) : f32_load_part(q[n] + p, left);
      UNROLL for (int i = 0; i < TOGETHER; i++) all[n * TOGETHER + i] = f32_fma(key[i], x, all[n * TOGETHER + i]);
    }
  }
  UNROLL for (int n = 0; n < queries; n++) UNROLL for (int i = 0; i < TOGETHER; i++) sum[n][at + i] =
      all[n * TOGETHER + i];
}

/* Scores of queries by the rows of k: scale times their products. */
INLINE void score_queries(const struct work *w, const float *const q[PAIR], const struct rows *k, const int queries) {
  const vf32 scale = f32_set((float)w->a->scale);
  for (size_t j = 0; j < w->columns; j += F32_LANES) {
    vf32 sum[PAIR][F32_LANES];
    for (size_t i = 0; i < F32_LANES; i += TOGETHER) {
      const float *rows[TOGETHER];
      for (size_t t = 0; t < TOGETHER; t++) rows[t] = k->data + (j + i + t < w->columns ? j + i + t : j) * k->row;
      score_together(q, rows, w->a->width, sum, i, queries);
    }
    UNROLL for (int n = 0; n < queries; n++) f32_store(w->scores + n * w->keys + j, scale * f32_sums(sum[n]));
  }
}

INLINE void value_columns(const struct work *w, const float *v, size_t v_row, float *y, const float *correction,
                          const int queries, const int vectors) {
  vf32 sum[PAIR * SGEMM_MOST_VECTORS];
  sgemm_sums(queries, vectors, w->scores, w->keys, 1, v, SGEMM_COLUMNS, v_row, w->columns, NULL, sum);
  UNROLL for (int n = 0; n < queries; n++) UNROLL for (int i = 0; i < vectors; i++) {
    float *at = y + (size_t)n * w->wide + (size_t)i * F32_LANES;
    f32_store(at, f32_fma(f32_set(correction[n]), f32_load(at), sum[n * vectors + i]));
  }
}

/* Up to a vector of columns: sums of every fourth row, which do not wait for each other. */
static void value_vector(const struct work *w, const float *s, const float *v, size_t v_row, size_t width, float *y,
                         float correction) {
  vf32 sum[SUMS] = {correction * f32_load(y)};
  size_t i = 0;
  for (; i + SUMS <= w->columns; i += SUMS)
    UNROLL for (size_t t = 0; t < SUMS; t++) sum[t] =
        f32_fma(f32_set(s[i + t]), f32_load_part(v + (i + t) * v_row, width), sum[t]);
  for (; i < w->columns; i++) sum[0] = f32_fma(f32_set(s[i]), f32_load_part(v + i * v_row, width), sum[0]);
  f32_store(y, (sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/* Rows of y from there on take in what their scores say of the values. */
static void value_queries(const struct work *w, const struct rows *v, float *y, const float *correction,
                          size_t queries) {
  const size_t width = w->a->value_width;
  size_t j = 0;
  for (; queries == PAIR && j + PAIRED <= width; j += PAIRED)
    value_columns(w, v->data + j, v->row, y + j, correction, PAIR, SUMS);
  for (; queries == 1 && j + 2 * PAIRED <= width; j += 2 * PAIRED)
    value_columns(w, v->data + j, v->row, y + j, correction, 1, 2 * SUMS);
  for (; queries == 1 && j + PAIRED <= width; j += PAIRED)
    value_columns(w, v->data + j, v->row, y + j, correction, 1, SUMS);
  for (; j < width; j += F32_LANES)
    for (size_t n = 0; n < queries; n++)
      value_vector(w, w->scores + n * w->keys, v->data + j, v->row, width - j, y + n * w->wide + j, correction[n]);
}

static void run_queries(const struct work *w, const struct rows *k, const struct rows *v, size_t r, size_t queries) {
  const float *q[PAIR];
  float correction[PAIR], factor[ROOM];
  for (size_t n = 0; n < PAIR; n++) {
    const struct row *row = &w->rows[r + (n < queries ? n : 0)];
    q[n] = row_of(&w->a->q, w->job->batch, row->head, row->query);
  }
  if (!k->data) int8_scores(&k->narrow, q[0], (float)w->a->scale, w->scores);
  else if (queries == PAIR) score_queries(w, q, k, PAIR);
  else score_queries(w, q, k, 1);
  for (size_t n = 0; n < queries; n++) {
    float *scores = w->scores + n * w->keys;
    mask_scores(w, &w->rows[r + n], scores);
    softmax_rows(w, scores, r + n, 1, factor);
    correction[n] = factor[0];
  }
  float *y = w->y + r * w->wide;
  if (v->data) value_queries(w, v, y, correction, queries);
  else int8_values(&v->narrow, w->scores, y, correction[0]);
}

static void run_few(const struct work *w, const struct rows *k, const struct rows *v) {
  for (size_t r = 0, n; r < w->job->rows; r += n) {
    n = k->data && v->data && r + 1 < w->job->rows && is_shown(w, r, 1) && is_shown(w, r + 1, 1) ? PAIR : 1;
    if (n == PAIR || is_shown(w, r, 1)) run_queries(w, k, v, r, n);
  }
}

/* --- all --- */

static void finish(const struct work *w) {
  const struct onri_attention *a = w->a;
  const size_t total = a->past + a->keys;
  for (size_t r = 0; r < w->job->rows; r++) {
    const struct row *row = &w->rows[r];
    const float all = w->sum[r];
    const int blind = !row->visible || all == 0, guarded = a->blind_query == ONR_BLIND_QUERY_GUARDED && !(all > 0);
    const int empty = guarded || (blind && a->blind_query == ONR_BLIND_QUERY_ZERO);
    const float factor = empty ? 0 : 1 / all, *sum = w->y + r * w->wide;
    float *y = row_of(&a->y, w->job->batch, row->head, row->query);
    size_t j = 0;
    for (; j + F32_LANES <= a->value_width; j += F32_LANES)
      f32_store(y + j, guarded ? (vf32){0} : factor * f32_load(sum + j));
    if (j < a->value_width) f32_store_part(y + j, guarded ? (vf32){0} : factor * f32_load(sum + j), a->value_width - j);
    if (!a->scores || a->scores_at != ONR_QK_SOFTMAX) continue;
    float *s = (float *)a->scores + ((w->job->batch * a->heads + row->head) * a->queries + row->query) * total;
    for (j = 0; j < total; j += F32_LANES) {
      const vf32 e = f32_exp(f32_load_part(s + j, total - j) - (empty ? 0 : w->max[r]));
      f32_store_part(s + j, empty ? (vf32){0} : factor * e, total - j);
    }
  }
}

static void run(const struct onri_attention *a, const struct onri_attention_job *job) {
  struct row rows[16 * SGEMM_ROWS];
  float max[16 * SGEMM_ROWS], sum[16 * SGEMM_ROWS];
  struct work w = {.a = a,
                   .job = job,
                   .wide = round_up(a->value_width, SGEMM_COLUMNS),
                   .rows = rows,
                   .max = max,
                   .sum = sum,
                   .few = is_few(a, job->most_rows)};
  float **const parts[PARTS] = {&w.q, &w.k, &w.v, &w.y, &w.scores, &w.past_k, &w.past_v};
  const size_t total = a->past + a->keys, kv_head = job->head / (a->heads / a->kv_heads);
  size_t size[PARTS], all, end = 0;
  (void)sizes_of(a, job->most_rows, size, &all);
  for (size_t i = 0, at = 0; i < PARTS; at += size[i++]) *parts[i] = job->scratch + at;
  w.keys = block_keys(a, job->most_rows);
  size_t head = job->head + job->first_row / a->queries, query = job->first_row % a->queries;
  for (size_t r = 0; r < job->rows; r++, query++) {
    if (query == a->queries) head++, query = 0;
    rows[r] = (struct row){head, query, 0};
    max[r] = -INFINITY, sum[r] = 0;
    const size_t last = last_shown(a, job->batch, rows[r].query);
    end = last > end ? last : end;
  }
  if (a->scores) end = total;
  w.plain = !a->mask.data && !a->scores && a->softcap == 0.0 && !a->lengths && !a->causal && !a->has_window_left &&
            !a->has_window_right;
  w.direct = w.plain && !w.few && total > 0 && total <= w.keys && rows[0].head == rows[job->rows - 1].head &&
             a->blind_query != ONR_BLIND_QUERY_GUARDED && a->past == 0;
  if (!w.direct) memset(w.y, 0, job->rows * w.wide * sizeof(float));
  if (!w.few) copy_queries(&w);
  for (w.key = 0; w.key < end && !onr_env_cancelled(a->env); w.key += w.columns) {
    const size_t border = w.key < a->past ? a->past : total;
    w.columns = border - w.key < w.keys ? border - w.key : w.keys;
    if (!w.few && !is_shown(&w, 0, job->rows)) continue;
    const int alone = job->rows == 1;
    const struct rows k = block_rows(&w, &a->past_k, &a->k, kv_head, a->width, alone ? NULL : w.past_k),
                      v = block_rows(&w, &a->past_v, &a->v, kv_head, a->value_width, alone ? NULL : w.past_v);
    if (w.few) {
      run_few(&w, &k, &v);
    } else {
      pack_block(&w, &k, &v);
      run_tiles(&w);
    }
  }
  if (!w.direct) finish(&w);
}

const struct onri_attention_kernels ONRI_AT_LEVEL(onri_attention_kernels) = {SGEMM_ROWS, scratch_floats, run};
