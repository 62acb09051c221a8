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
#include "kernels/simd_math.h"

enum { MOST_KEYS = 256, FEW_ROWS = 6, FEW_KEYS = 64 };

/* What is known of a row of queries. */
struct row {
  size_t head, query;
  int visible; /* some key is not hidden by the mask */
};

struct work {
  const struct onri_attention *a;
  const struct onri_attention_job *job;
  size_t keys, wide;                    /* of a block; of the values, in whole panels */
  float *q, *line, *k, *v, *y, *scores; /* in scratch */
  float *past_k, *past_v;               /* there, too: a block of a past that is int8 */
  size_t key, columns;                  /* of the current block: its first, counted from the first past key */
  struct row *rows;
  float *max, *sum; /* of each row's scores so far, and of their exponentials */
  int plain;        /* nothing but scale and softmax happens to scores */
};

static size_t round_up(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

static size_t block_keys(const struct onri_attention *a, size_t rows) {
  const size_t total = round_up(a->past + a->keys, SGEMM_COLUMNS), most = rows <= FEW_ROWS  ? FEW_KEYS
                                                                          : a->width <= 64  ? MOST_KEYS
                                                                          : a->width <= 128 ? 128
                                                                                            : 64;
  return total < most ? total : most;
}

/* Sizes of the parts of scratch, in the order of struct work. */
enum { PARTS = 8 };
static int sizes_of(const struct onri_attention *a, size_t rows, size_t size[PARTS], size_t *all) {
  const size_t keys = block_keys(a, rows), wide = round_up(a->value_width, SGEMM_COLUMNS);
  const size_t past = a->past_is_int8 ? keys : 0;
  const size_t sizes[PARTS][2] = {{a->width, rows}, {a->width, SGEMM_ROWS}, {a->width, keys}, {wide, keys},
                                  {wide, rows},     {keys, SGEMM_ROWS},     {a->width, past}, {a->value_width, past}};
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
INLINE void reduce_rows(vf32 part[ROOM], size_t rows, const int adds, vf32 all[GROUPS]) {
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

/* Scores of rows [first, first + rows) become exp(score - largest so far); correction: what earlier blocks gave is to
 * be multiplied with. */
static void softmax_rows(const struct work *w, size_t first, size_t rows, float correction[ROOM]) {
  vf32 part[ROOM], all[GROUPS];
  float shift[ROOM];
  for (size_t r = 0; r < rows; r++) part[r] = greatest_of_row(w->scores + r * w->keys, w->columns);
  reduce_rows(part, rows, 0, all);
  UNROLL for (size_t g = 0; g < GROUPS; g++) {
    float *at = w->max + first + g * F32_LANES;
    const size_t left = rows > g * F32_LANES ? rows - g * F32_LANES : 0;
    const vf32 old = f32_load_part(at, left), max = f32_greatest(all[g], old),
               least = f32_select(max == -INFINITY, (vf32){0}, max);
    f32_store(shift + g * F32_LANES, least);
    f32_store(correction + g * F32_LANES, f32_exp_negative(old - least));
    f32_store_part(at, max, left);
  }
  for (size_t r = 0; r < rows; r++) part[r] = exponentials(w->scores + r * w->keys, w->columns, shift[r]);
  reduce_rows(part, rows, 1, all);
  UNROLL for (size_t g = 0; g < GROUPS; g++) {
    float *at = w->sum + first + g * F32_LANES;
    const size_t left = rows > g * F32_LANES ? rows - g * F32_LANES : 0;
    const vf32 sum = f32_fma(f32_load_part(at, left), f32_load(correction + g * F32_LANES), all[g]);
    f32_store_part(at, sum, left);
  }
}

/* --- tiles --- */

/* scores [rows][keys] = scale times Q, [width][rows], by the packed keys: those of a panel, from key j on. */
INLINE void score_panel(const struct work *w, const float *q, size_t j, const int rows, const int vectors) {
  const vf32 scale = f32_set((float)w->a->scale);
  vf32 sum[SGEMM_ROWS * SGEMM_VECTORS];
  float *s = w->scores + j;
  sgemm_sums(rows, vectors, q, 1, (size_t)rows, w->k + j * w->a->width, 0, SGEMM_COLUMNS, w->a->width, NULL, sum);
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++)
        f32_store(s + (size_t)r * w->keys + (size_t)v * F32_LANES, scale * sum[r * vectors + v]);
  }
}

INLINE void score_tile(const struct work *w, const float *q, const int rows) {
  size_t j = 0;
  for (; j + F32_LANES < w->columns; j += SGEMM_COLUMNS) score_panel(w, q, j, rows, SGEMM_VECTORS);
  if (j < w->columns) score_panel(w, q, j, rows, 1);
}

/* y [rows][wide] = correction y + probabilities by values. */
INLINE void value_panel(const struct work *w, const float *v, float *y, const float *correction, const int rows,
                        const int vectors) {
  vf32 sum[SGEMM_ROWS * SGEMM_VECTORS];
  sgemm_sums(rows, vectors, w->scores, w->keys, 1, v, 0, SGEMM_COLUMNS, w->columns, NULL, sum);
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int i = 0; i < vectors; i++) {
      float *at = y + (size_t)r * w->wide + (size_t)i * F32_LANES;
      f32_store(at, f32_fma(f32_set(correction[r]), f32_load(at), sum[r * vectors + i]));
    }
  }
}

INLINE void value_tile(const struct work *w, float *y, const float *correction, const int rows) {
  for (size_t j = 0; j < w->a->value_width; j += SGEMM_COLUMNS) {
    const float *v = w->v + j * w->columns;
    if (w->a->value_width - j > F32_LANES) value_panel(w, v, y + j, correction, rows, SGEMM_VECTORS);
    else value_panel(w, v, y + j, correction, rows, 1);
  }
}

#define TILE(n)                                                                        \
  static void score_##n(const struct work *w, const float *q) { score_tile(w, q, n); } \
  static void value_##n(const struct work *w, float *y, const float *correction) { value_tile(w, y, correction, n); }
SGEMM_EACH_ROWS(TILE)
#undef TILE
#define SCORE(n) score_##n,
#define VALUE(n) value_##n,
static void (*const score_tiles[])(const struct work *w, const float *q) = {NULL, SGEMM_EACH_ROWS(SCORE)};
static void (*const value_tiles[])(const struct work *w, float *y, const float *correction) = {NULL,
                                                                                               SGEMM_EACH_ROWS(VALUE)};

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

static void run_tiles(const struct work *w) {
  const size_t count = w->job->rows, parts = (count + SGEMM_ROWS - 1) / SGEMM_ROWS;
  for (size_t part = 0, row = 0; part < parts; part++) {
    const size_t rows = (count - row) / (parts - part);
    float correction[ROOM];
    if (is_shown(w, row, rows)) {
      score_tiles[rows](w, w->q + row * w->a->width);
      for (size_t r = 0; r < rows; r++) mask_scores(w, &w->rows[row + r], w->scores + r * w->keys);
      softmax_rows(w, row, rows, correction);
      value_tiles[rows](w, w->y + row * w->wide, correction);
    }
    row += rows;
  }
}

/* --- few queries: keys and values are read once, where they are --- */

/* s[j] = scale times q by row j of k. */
static void score_row(const struct work *w, const float *q, const float *k, size_t k_row, float *s) {
  const size_t width = w->a->width;
  const vf32 scale = f32_set((float)w->a->scale);
  for (size_t j = 0; j < w->columns; j += F32_LANES) {
    vf32 sum[F32_LANES], all = {0};
    for (size_t i = 0; i < F32_LANES; i++) {
      const float *x = k + (j + i < w->columns ? j + i : j) * k_row;
      vf32 one = {0}, other = {0};
      size_t p = 0;
      for (; p + 2 * F32_LANES <= width; p += 2 * F32_LANES) {
        one = f32_fma(f32_load(x + p), f32_load(q + p), one);
        other = f32_fma(f32_load(x + p + F32_LANES), f32_load(q + p + F32_LANES), other);
      }
      for (; p < width; p += F32_LANES)
        one = f32_fma(f32_load_part(x + p, width - p), f32_load_part(q + p, width - p), one);
      sum[i] = one + other;
    }
    f32_transpose(sum);
    for (size_t i = 0; i < F32_LANES; i++) all += sum[i];
    f32_store(s + j, scale * all);
  }
}

INLINE void value_columns(const struct work *w, const float *s, const float *v, size_t v_row, float *y,
                          float correction, const int vectors) {
  vf32 sum[SGEMM_MOST_VECTORS];
  sgemm_sums(1, vectors, s, 0, 1, v, SGEMM_COLUMNS, v_row, w->columns, NULL, sum);
  UNROLL for (int i = 0; i < vectors; i++) {
    float *at = y + (size_t)i * F32_LANES;
    f32_store(at, f32_fma(f32_set(correction), f32_load(at), sum[i]));
  }
}

static void value_row(const struct work *w, const float *s, const float *v, size_t v_row, float *y, float correction) {
  const size_t width = w->a->value_width;
  size_t j = 0;
  for (; j + 8 * F32_LANES <= width; j += 8 * F32_LANES) value_columns(w, s, v + j, v_row, y + j, correction, 8);
  for (; j + 4 * F32_LANES <= width; j += 4 * F32_LANES) value_columns(w, s, v + j, v_row, y + j, correction, 4);
  for (; j + F32_LANES <= width; j += F32_LANES) value_columns(w, s, v + j, v_row, y + j, correction, 1);
  if (j == width) return;
  vf32 sum = correction * f32_load(y + j);
  for (size_t i = 0; i < w->columns; i++)
    sum = f32_fma(f32_set(s[i]), f32_load_part(v + i * v_row + j, width - j), sum);
  f32_store(y + j, sum);
}

static void run_few(const struct work *w, const struct rows *k, const struct rows *v) {
  for (size_t r = 0; r < w->job->rows; r++) {
    struct row *row = &w->rows[r];
    float correction[ROOM];
    if (!is_shown(w, r, 1)) continue;
    const float *q = row_of(&w->a->q, w->job->batch, row->head, row->query);
    float *y = w->y + r * w->wide;
    if (k->data) score_row(w, q, k->data, k->row, w->scores);
    else int8_scores(&k->narrow, q, (float)w->a->scale, w->scores);
    mask_scores(w, row, w->scores);
    softmax_rows(w, r, 1, correction);
    if (v->data) value_row(w, w->scores, v->data, v->row, y, correction[0]);
    else int8_values(&v->narrow, w->scores, y, correction[0]);
  }
}

/* --- all --- */

static void pack_queries(const struct work *w) {
  const struct onri_attention *a = w->a;
  const size_t count = w->job->rows, parts = (count + SGEMM_ROWS - 1) / SGEMM_ROWS;
  for (size_t part = 0, row = 0; part < parts; part++) {
    const size_t rows = (count - row) / (parts - part);
    const struct row *first = &w->rows[row];
    const float *q = row_of(&a->q, w->job->batch, first->head, first->query);
    size_t step = a->q.row;
    if (first->head != w->rows[row + rows - 1].head) { /* rows of two heads do not lie at equal distances */
      for (size_t r = 0; r < rows; r++)
        memcpy(w->line + r * a->width, row_of(&a->q, w->job->batch, first[r].head, first[r].query),
               a->width * sizeof(float));
      q = w->line, step = a->width;
    }
    sgemm_pack_rows(q, step, rows, a->width, w->q + row * a->width);
    row += rows;
  }
}

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
  struct work w = {
      .a = a, .job = job, .wide = round_up(a->value_width, SGEMM_COLUMNS), .rows = rows, .max = max, .sum = sum};
  float **const parts[PARTS] = {&w.q, &w.line, &w.k, &w.v, &w.y, &w.scores, &w.past_k, &w.past_v};
  const size_t total = a->past + a->keys, kv_head = job->head / (a->heads / a->kv_heads);
  const int few = job->rows <= FEW_ROWS;
  size_t size[PARTS], all, end = 0;
  (void)sizes_of(a, job->rows, size, &all);
  for (size_t i = 0, at = 0; i < PARTS; at += size[i++]) *parts[i] = job->scratch + at;
  w.keys = block_keys(a, job->rows);
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
  memset(w.y, 0, job->rows * w.wide * sizeof(float));
  if (!few) pack_queries(&w);
  for (w.key = 0; w.key < end && !onr_env_cancelled(a->env); w.key += w.columns) {
    const size_t border = w.key < a->past ? a->past : total;
    w.columns = border - w.key < w.keys ? border - w.key : w.keys;
    if (!few && !is_shown(&w, 0, job->rows)) continue;
    const int alone = job->rows == 1;
    const struct rows k = block_rows(&w, &a->past_k, &a->k, kv_head, a->width, alone ? NULL : w.past_k),
                      v = block_rows(&w, &a->past_v, &a->v, kv_head, a->value_width, alone ? NULL : w.past_v);
    if (few) {
      run_few(&w, &k, &v);
    } else {
      pack_block(&w, &k, &v);
      run_tiles(&w);
    }
  }
  finish(&w);
}

const struct onri_attention_kernels ONRI_AT_LEVEL(onri_attention_kernels) = {SGEMM_ROWS, scratch_floats, run};
