/* byte_product.c: see byte_product.h. Some rows are multiplied, a slice of depth at a time, by each panel of B in
 * turn, which finds them in the cache. */
#include "kernels/quantize/byte_product.h"

#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/kernels.h"
#include "kernels/quantize/byte_tile.h"

/* ROWS of the most columns and the most depth are multiplied at a time, and more of fewer. A slice of a row has
 * SLICE_BYTES: it lies on the stack. */
enum { ROWS = 24, MOST_ROWS = 96, COLUMNS = ONRI_BYTE_COLUMNS, LEAST_WIDTH = 8, SLICE_BYTES = 1024 };

size_t onri_byte_cell(void) { return onri_kernels(byte_product)->cell; }

int onri_byte_shift(int is_signed) { return onri_kernels(byte_product)->shift[is_signed]; }

int onri_byte_lies_packed(int is_signed) { return onri_byte_cell() == 1 && onri_byte_shift(is_signed) == 0; }

void onri_byte_pack(const void *x, size_t count, int is_signed, void *to) {
  onri_kernels(byte_product)->pack(x, count, is_signed, to);
}

void onri_byte_pack_rows(const void *x, size_t x_row, size_t rows, size_t count, int is_signed, void *to,
                         size_t to_row) {
  onri_kernels(byte_product)->pack_lines(x, x_row, rows, count, is_signed, to, to_row);
}

void onri_byte_fill(int value, size_t count, int is_signed, void *to) {
  const struct onri_byte_product_kernels *kernels = onri_kernels(byte_product);
  if (kernels->cell == 1) memset(to, value + kernels->shift[is_signed], count);
  else
    for (size_t i = 0; i < count; i++) ((int16_t *)to)[i] = (int16_t)value;
}

/* --- B --- */

static size_t panels_bytes(struct onri_byte_depth k, size_t n) {
  const size_t columns = onri_kernels(byte_product)->columns;
  size_t depth, across, bytes;
  if (!onri_add_size(k.run, ONRI_BYTE_GROUP - 1, &depth) || !onri_mul_size(depth, k.runs, &depth) ||
      !onri_add_size(n, columns - 1, &across) ||
      !onri_mul_size(onri_byte_run_cells(k) * k.runs, across / columns * columns, &bytes))
    return SIZE_MAX;
  return bytes;
}

size_t onri_byte_columns_bytes(struct onri_byte_depth k, size_t n) {
  size_t sums, bytes;
  if (!onri_mul_size(n, 2 * sizeof(int32_t), &sums) || !onri_add_size(panels_bytes(k, n), sums, &bytes) ||
      !onri_round_up(bytes, sizeof(int32_t), &bytes))
    return SIZE_MAX;
  return bytes;
}

struct onri_byte_columns onri_byte_columns_in(void *block, struct onri_byte_depth k, size_t n) {
  int32_t *sums = (int32_t *)(void *)((char *)block + panels_bytes(k, n));
  return (struct onri_byte_columns){.panels = block, .sums = sums, .taken = sums + n};
}

/* Unsigned elements of B become signed ones, 128 less, where nothing else is taken off. */
static int32_t middle_of(int is_signed) { return is_signed ? 0 : 128; }

/* Where element [p][0] lies in a panel. */
static size_t place_of(const struct onri_byte_product_kernels *kernels, struct onri_byte_depth k, size_t p) {
  const size_t at = p / k.run * onri_byte_run_cells(k) + p % k.run;
  return at / kernels->group * kernels->group * kernels->columns + at % kernels->group;
}

/* Some columns of B and the panel they go to. */
struct panel {
  const struct onri_byte_matrix *b;
  const uint8_t *from;
  int8_t *to;
  size_t columns;
  int32_t sums[COLUMNS], taken[COLUMNS];
};

static const uint8_t *row_of(const struct panel *panel, size_t p) {
  const struct onri_byte_matrix *b = panel->b;
  return panel->from + p / b->inner * b->outer_step + p % b->inner * b->inner_step;
}

/* What is taken off each column; returns whether that is the same for all, and what needs no look at elements. */
static int set_taken(struct panel *panel, size_t first, size_t depth) {
  const struct onri_byte_matrix *b = panel->b;
  const int32_t middle = middle_of(b->is_signed);
  int32_t least[COLUMNS] = {0}, most[COLUMNS] = {0};
  int any = 0;
  for (size_t j = 0; j < panel->columns; j++) {
    panel->taken[j] = b->zeros ? b->zeros[(first + j) * b->zero_step] : middle;
    any |= panel->taken[j] != middle;
  }
  if (!any) return 1;
  for (size_t p = 0; p < depth; p++) {
    const uint8_t *row = row_of(panel, p);
    for (size_t j = 0; j < panel->columns; j++) {
      const uint8_t x = row[j * b->column_step];
      const int32_t difference = (b->is_signed ? (int8_t)x : x) - panel->taken[j];
      least[j] = difference < least[j] ? difference : least[j];
      most[j] = difference > most[j] ? difference : most[j];
    }
  }
  for (size_t j = 0; j < panel->columns; j++)
    if (least[j] < INT8_MIN || most[j] > INT8_MAX) panel->taken[j] = middle;
  return 0;
}

static void pack_elements(struct panel *panel, struct onri_byte_depth k, size_t from) {
  const struct onri_byte_product_kernels *kernels = onri_kernels(byte_product);
  for (size_t p = from; p < k.runs * k.run; p++) {
    const uint8_t *row = row_of(panel, p);
    int8_t *to = panel->to + place_of(kernels, k, p);
    for (size_t j = 0; j < panel->columns; j++) {
      const int8_t value = (int8_t)(row[j * panel->b->column_step] - panel->taken[j]);
      to[j * kernels->group] = value;
      panel->sums[j] = (int32_t)((uint32_t)panel->sums[j] + (uint32_t)(int32_t)value);
    }
  }
}

/* Rows of a matrix, a group at a time; returns how many. Behind the last column lie zeros. */
static size_t pack_rows(struct panel *panel, struct onri_byte_depth k) {
  enum { MOST_GROUP = 4 };
  const struct onri_byte_product_kernels *kernels = onri_kernels(byte_product);
  const struct onri_byte_matrix *b = panel->b;
  const uint8_t zero = (uint8_t)middle_of(b->is_signed);
  const int is_whole = panel->columns == kernels->columns;
  uint8_t rows[MOST_GROUP * COLUMNS];
  size_t p = 0;
  if (k.runs > 1 || b->inner < k.run || b->column_step != 1) return 0;
  memset(rows, zero, sizeof(rows));
  for (; p + kernels->group <= k.run; p += kernels->group) {
    const uint8_t *from = panel->from + p * b->inner_step;
    for (size_t r = 0; r < kernels->group && !is_whole; r++)
      memcpy(rows + r * COLUMNS, from + r * b->inner_step, panel->columns);
    kernels->pack_rows(is_whole ? from : rows, is_whole ? b->inner_step : COLUMNS, zero,
                       panel->to + p * kernels->columns, panel->sums);
  }
  return p;
}

void onri_byte_columns_pack(struct onri_byte_columns columns, const struct onri_byte_matrix *b,
                            struct onri_byte_depth k, size_t n) {
  const size_t width = onri_kernels(byte_product)->columns, panel_bytes = k.runs * onri_byte_run_cells(k) * width;
  memset(columns.panels, 0, panels_bytes(k, n));
  for (size_t first = 0; first < n; first += width) {
    struct panel panel = {.b = b,
                          .from = (const uint8_t *)b->b + first * b->column_step,
                          .to = columns.panels + first / width * panel_bytes,
                          .columns = n - first < width ? n - first : width};
    const int is_plain = set_taken(&panel, first, k.runs * k.run);
    pack_elements(&panel, k, is_plain ? pack_rows(&panel, k) : 0);
    memcpy(columns.sums + first, panel.sums, panel.columns * sizeof(panel.sums[0]));
    memcpy(columns.taken + first, panel.taken, panel.columns * sizeof(panel.taken[0]));
  }
}

int onri_byte_columns_at(struct onri_byte_columns columns, struct onri_byte_depth k, size_t p, size_t j) {
  const struct onri_byte_product_kernels *kernels = onri_kernels(byte_product);
  const size_t width = kernels->columns;
  const int8_t *panel = columns.panels + j / width * k.runs * onri_byte_run_cells(k) * width;
  return panel[place_of(kernels, k, p) + j % width * kernels->group] + columns.taken[j];
}

/* --- the product --- */

struct work {
  const struct onri_byte_product *p;
  const struct onri_byte_product_kernels *kernels;
  size_t rows, sums_row; /* of a part */
  size_t down, across, block_bytes;
};

/* Rows [row, row + rows) by columns [column, column + columns) of a batch. */
struct part {
  size_t batch, row, rows, column, columns;
  size_t block, a_block; /* of B's columns, of A's zero points */
};

static uint32_t a_zero_of(const struct work *w, const struct part *t, size_t row) {
  const struct onri_byte_product *p = w->p;
  const int32_t zero = p->a_zero ? p->a_zero[t->a_block * p->a_zero_block + row * p->a_zero_step] : 0;
  return (uint32_t)(zero + w->kernels->shift[p->a_signed]); /* A is as it was packed */
}

/* What all rows of some columns share. */
struct shared {
  struct part of; /* the first part that asked for it */
  int has_b_zeros;
  int panel_has[COLUMNS / LEAST_WIDTH]; /* the same of each panel */
  /* What sums begin with: the bias, and what a zero point that all rows share takes off. */
  int32_t start[COLUMNS] __attribute__((aligned(64)));
  int32_t b_zeros[COLUMNS] __attribute__((aligned(64))); /* as B was packed */
};

static void set_shared(const struct work *w, const struct part *t, const struct onri_byte_columns *b,
                       struct shared *s) {
  const struct onri_byte_product *p = w->p;
  const int32_t *bias = p->bias ? p->bias + t->block * p->bias_block + t->column : NULL;
  const int32_t a_zero = p->a_zero_step ? 0 : (int32_t)a_zero_of(w, t, 0), middle = middle_of(p->b_signed);
  const size_t width = w->kernels->columns;
  const int32_t *zeros = p->b_zero ? p->b_zero + t->block * p->b_zero_block + t->column * p->b_zero_step : NULL;
  s->of = *t, s->has_b_zeros = 0;
  memset(s->start, 0, sizeof(s->start));
  w->kernels->correct(s->start, t->columns, bias, a_zero, b->sums + t->column);
  /* then nothing else was taken off */
  if ((!zeros || !p->b_zero_step) && (zeros ? zeros[0] : 0) == middle) return;
  memset(s->b_zeros, 0, sizeof(s->b_zeros));
  if (zeros && p->b_zero_step) memcpy(s->b_zeros, zeros, t->columns * sizeof(*zeros));
  else
    for (size_t j = 0; j < t->columns; j++) s->b_zeros[j] = zeros ? zeros[0] : 0;
  for (size_t first = 0; first < t->columns; first += width) {
    const size_t end = first + width < t->columns ? first + width : t->columns;
    int32_t any = 0;
    for (size_t j = first; j < end; j++) any |= s->b_zeros[j] -= b->taken[t->column + j];
    s->panel_has[first / width] = any != 0;
    s->has_b_zeros |= any != 0;
  }
}

static int can_share(const struct shared *s, const struct part *t) {
  return s->of.columns == t->columns && s->of.column == t->column && s->of.block == t->block &&
         s->of.a_block == t->a_block;
}

/* Some whole runs, or a part of one; all of those that are empty. */
struct slice {
  size_t run, runs, from, depth; /* depth: cells of each, from `from` on */
};

static int next_slice(const struct work *w, struct slice *s) {
  const struct onri_byte_depth k = w->p->k;
  const size_t cells = onri_byte_run_cells(k), most = SLICE_BYTES / w->kernels->cell;
  s->from += s->depth;
  if (s->from >= cells) s->run += s->runs, s->from = 0;
  if (s->run >= k.runs) return 0;
  s->depth = cells - s->from < most ? cells - s->from : most;
  s->runs = cells == 0 ? k.runs : most / cells ? most / cells : 1;
  if (s->runs > k.runs - s->run) s->runs = k.runs - s->run;
  return 1;
}

/* Rows that lie packed one after the other; those of a run that ends within a group go on with what B has zeros for. */
static void load_slice(const struct work *w, const struct part *t, const struct slice *s, char *packed,
                       const char **rows) {
  const size_t left = w->p->k.run - s->from, count = left < s->depth ? left : s->depth, cell = w->kernels->cell,
               a_row = s->depth * cell;
  w->p->load(w->p->context, t->batch, t->row, t->rows, s->from, count, packed, a_row);
  for (size_t r = 0; r < t->rows; r++) rows[r] = packed + r * a_row;
}

static void add_row_sums(const struct work *w, const struct part *t, const struct slice *s, const size_t *runs,
                         const char *const *rows, int32_t *row_sums) {
  const size_t left = w->p->k.run - s->from, count = left < s->depth ? left : s->depth;
  for (size_t i = 0; i < s->runs; i++) w->kernels->row_sums(rows, t->rows, runs[i], count, row_sums);
}

/* Of all rows, what a zero point of B is taken off so many times. */
static void set_row_factors(const struct work *w, const struct part *t, int32_t *row_sums) {
  const uint32_t depth = (uint32_t)(w->p->k.runs * w->p->k.run), shared = a_zero_of(w, t, t->row);
  for (size_t r = 0; r < t->rows; r++)
    row_sums[r] = (int32_t)((uint32_t)row_sums[r] - depth * (w->p->a_zero_step ? a_zero_of(w, t, t->row + r) : shared));
}

/* What sums become at once, and where; y NULL: they stay sums. */
struct results {
  struct onri_requantise bytes;
  struct onri_byte_reals reals;
  uint8_t *y;
};

static void set_results(const struct work *w, const struct part *t, struct results *r) {
  const struct onri_byte_product *p = w->p;
  r->y = NULL;
  if (p->a_zero_step) return;
  if (p->bytes_at) r->y = p->bytes_at(p->context, t->batch, t->row, t->column, &r->bytes);
  else if (p->reals_at) r->y = (uint8_t *)p->reals_at(p->context, t->batch, t->row, t->column, &r->reals);
}

/* The next panel's; the first one's for column 0. */
static void set_end(const struct work *w, struct onri_byte_tile *tile, struct results *r, size_t column) {
  const size_t step = column ? w->kernels->columns : 0;
  if (!r->y) return;
  if (w->p->bytes_at) {
    r->bytes = onri_requantise_from(&r->bytes, step);
    tile->requantise = &r->bytes, tile->y = r->y + column;
    return;
  }
  r->reals = onri_byte_reals_from(&r->reals, step);
  tile->reals = &r->reals, tile->y = r->y + column * sizeof(float);
}

static void multiply(const struct work *w, const struct part *t, const struct onri_byte_columns *b,
                     const struct shared *shared) {
  static const size_t one_run[] = {0};
  const struct onri_byte_product *p = w->p;
  const struct onri_byte_product_kernels *kernels = w->kernels;
  const size_t width = kernels->columns, cells = onri_byte_run_cells(p->k), panel_bytes = p->k.runs * cells * width;
  int32_t sums[ROWS * COLUMNS] __attribute__((aligned(64))), row_sums[MOST_ROWS] = {0};
  char packed[ROWS * SLICE_BYTES] __attribute__((aligned(64)));
  const char *begins[MOST_ROWS], *rows[MOST_ROWS];
  struct results results;
  set_results(w, t, &results);
  /* whole panels of sums need no copy */
  const int is_direct = p->sums_at && !p->a_zero_step && t->columns % width == 0;
  int32_t *to = is_direct ? p->sums_at(p->context, t->batch, t->row, t->column) : sums;
  const size_t to_row = is_direct ? p->y_row / sizeof(*to) : w->sums_row;
  if (p->place) p->place(p->context, t->batch, t->row, t->rows, begins);
  for (struct slice s = {0}; next_slice(w, &s);) {
    const int is_last = s.run + s.runs == p->k.runs && s.from + s.depth >= cells;
    const size_t *runs = p->place && p->runs ? p->runs + s.run : one_run;
    if (p->place)
      for (size_t r = 0; r < t->rows; r++) rows[r] = begins[r] + s.from * kernels->cell;
    else load_slice(w, t, &s, packed, rows);
    if (shared->has_b_zeros) add_row_sums(w, t, &s, runs, rows, row_sums);
    if (shared->has_b_zeros && is_last) set_row_factors(w, t, row_sums);
    struct onri_byte_tile tile = {.rows = rows,
                                  .num_rows = t->rows,
                                  .runs = runs,
                                  .num_runs = s.runs,
                                  .depth = s.depth,
                                  .sums_row = to_row,
                                  .y_row = p->y_row};
    for (size_t j = 0; j < t->columns; j += width) {
      tile.columns = t->columns - j;
      tile.start = s.run == 0 && s.from == 0 ? shared->start + j : NULL;
      if (is_last) set_end(w, &tile, &results, j);
      const int has_zeros = shared->has_b_zeros && is_last && shared->panel_has[j / width];
      tile.row_factors = has_zeros ? row_sums : NULL;
      tile.column_factors = has_zeros ? shared->b_zeros + j : NULL;
      kernels->tile(&tile, b->panels + (t->column + j) / width * panel_bytes + (s.run * cells + s.from) * width,
                    to + j);
    }
  }
  if (results.y || is_direct) return;
  for (size_t r = 0; p->a_zero_step && r < t->rows; r++)
    kernels->correct(sums + r * w->sums_row, t->columns, NULL, (int32_t)a_zero_of(w, t, t->row + r),
                     b->sums + t->column);
  p->finish(p->context, t->batch, t->row, t->column, &(struct onri_byte_sums){sums, t->rows, t->columns, w->sums_row});
}

static void run_parts(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_byte_product *p = w->p;
  struct shared shared = {.of.columns = 0};
  for (size_t item = begin; item < end; item++) {
    struct part t = {.batch = item / w->across / w->down,
                     .row = item / w->across % w->down * w->rows,
                     .column = item % w->across * COLUMNS};
    t.rows = p->m - t.row < w->rows ? p->m - t.row : w->rows;
    t.columns = p->n - t.column < COLUMNS ? p->n - t.column : COLUMNS;
    t.block = p->columns_of ? p->columns_of(p->context, t.batch) : t.batch % p->num_columns;
    t.a_block = p->rows_of ? p->rows_of(p->context, t.batch) : 0;
    const struct onri_byte_columns b = onri_byte_columns_in((char *)p->columns + t.block * w->block_bytes, p->k, p->n);
    if (!can_share(&shared, &t)) set_shared(w, &t, &b, &shared);
    multiply(w, &t, &b, &shared);
  }
}

/* As many rows as sums and slices of A have room for, but parts for all threads. */
static void set_rows(struct work *w, uint32_t threads) {
  const struct onri_byte_product *p = w->p;
  const size_t width = w->kernels->columns, panels = (p->n + width - 1) / width * width,
               cells = p->k.runs * onri_byte_run_cells(p->k);
  w->sums_row = panels < COLUMNS ? panels : COLUMNS;
  w->rows = MOST_ROWS;
  while (w->rows > ROWS &&
         (w->rows * w->sums_row > ROWS * COLUMNS || w->rows * cells * w->kernels->cell > ROWS * SLICE_BYTES ||
          (threads > 1 && (p->m + w->rows - 1) / w->rows * p->batches * w->across < 4 * threads)))
    w->rows -= ROWS;
}

void onri_byte_product(const struct onri_byte_product *p, struct onr_env *env) {
  struct work w = {.p = p, .kernels = onri_kernels(byte_product)};
  w.across = (p->n + COLUMNS - 1) / COLUMNS;
  set_rows(&w, onr_threads_count(env->threads));
  w.down = (p->m + w.rows - 1) / w.rows;
  w.block_bytes = onri_byte_columns_bytes(p->k, p->n);
  onr_parallel_for(env, p->batches * w.down * w.across, 1, run_parts, &w);
}

void onri_requantise(const struct onri_requantise *r, const struct onri_byte_sums *sums, void *y, size_t y_row) {
  onri_kernels(byte_product)->requantise(r, sums, y, y_row);
}

void onri_byte_copy(const struct onri_byte_sums *sums, int32_t *y, size_t y_row) {
  onri_kernels(byte_product)->copy(sums, y, y_row);
}

void onri_byte_reals(const struct onri_byte_reals *r, const struct onri_byte_sums *sums, void *y, size_t y_row) {
  onri_kernels(byte_product)->reals(r, sums, y, y_row);
}
