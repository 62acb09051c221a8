/* nbits.c: see nbits.h. */
#include "kernels/matmul/nbits.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "kernels/kernels.h"
#include "kernels/matmul/nbits_panel.h"
#include "kernels/matmul/sgemm.h"

/* Rows of a part in float32, whose slices of A stay in the second cache; those in bytes. */
enum {
  MOST_COLUMNS = 32,
  ROWS = 256,
  BYTE_ROWS = 64,
  LINE = 64,
  DEPTH = ONRI_SGEMM_DEPTH / 2 /* a slice on the stack */
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t parts_of(size_t count, size_t part) { return count / part + (count % part != 0); }

/* --- B --- */

struct layout {
  size_t panels, words, scales, zeros; /* panels, and bytes of each */
};

/* 0: it does not fit. */
static int layout_of(const struct onri_nbits *w, struct layout *l) {
  const size_t columns = onri_kernels(nbits)->columns, blocks = onri_nbits_blocks(w);
  size_t scales;
  l->panels = parts_of(w->n, columns);
  if (!onri_mul_size(blocks, w->block, &l->words) || !onri_mul_size(l->words, columns * (size_t)w->bits, &l->words) ||
      !onri_mul_size(blocks, columns, &scales) || !onri_mul_size(scales, onr_dtype_size(w->real), &l->scales))
    return 0;
  l->words /= 8;
  l->zeros = w->zeros == ONRI_NBITS_MIDDLE ? 0 : w->zeros == ONRI_NBITS_BYTES ? scales : l->scales;
  return 1;
}

size_t onri_nbits_packed_bytes(const struct onri_nbits *w) {
  struct layout l;
  size_t panel, bytes;
  if (!layout_of(w, &l) || !onri_add_size(l.words, l.scales, &panel) || !onri_add_size(panel, l.zeros, &panel) ||
      !onri_mul_size(panel, l.panels, &bytes))
    return SIZE_MAX;
  return bytes;
}

static struct onri_nbits_panel panel_of(const struct onri_nbits *w, const void *packed, size_t i) {
  struct layout l;
  layout_of(w, &l);
  const char *from = packed, *scales = from + l.panels * l.words, *zeros = scales + l.panels * l.scales;
  return (struct onri_nbits_panel){.words = (const uint32_t *)(const void *)(from + i * l.words),
                                   .scales = scales + i * l.scales,
                                   .zeros = zeros + i * l.zeros,
                                   .block = w->block,
                                   .blocks = onri_nbits_blocks(w),
                                   .bits = w->bits,
                                   .real = w->real,
                                   .kind = w->zeros};
}

static uint32_t bits_at(const uint8_t *row, size_t index, size_t bits) {
  const size_t per_byte = 8 / bits;
  return row[index / per_byte] >> (index % per_byte * bits) & ((1u << bits) - 1u);
}

struct packing {
  const struct onri_nbits *w;
  const struct onri_nbits_source *from;
  void *packed;
};

static void pack_words(const struct onri_nbits *w, const uint8_t *row, size_t words, uint32_t *to) {
  const struct onri_nbits_kernels *kernels = onri_kernels(nbits);
  const size_t bits = (size_t)w->bits, a_word = 32 / bits, field = 32 / kernels->group;
  for (size_t i = 0; i < words; i++, to += kernels->columns) {
    uint32_t word = 0;
    for (size_t e = 0; e < a_word; e++)
      word |= bits_at(row, i * a_word + e, bits) << (e % kernels->group * field + e / kernels->group * bits);
    *to = word;
  }
}

/* Scales and zero points of column n of B, `at` among those of its panel. */
static void pack_blocks(const struct packing *p, const struct onri_nbits_panel *panel, size_t n, size_t at) {
  const struct onri_nbits *w = p->w;
  const size_t blocks = panel->blocks, columns = onri_kernels(nbits)->columns, size = onr_dtype_size(w->real);
  char *scales = (char *)panel->scales, *zeros = (char *)panel->zeros;
  for (size_t b = 0; b < blocks; b++) {
    const size_t to = b * columns + at, from = n * blocks + b;
    memcpy(scales + to * size, (const char *)p->from->scales + from * size, size);
    if (w->zeros == ONRI_NBITS_BYTES)
      zeros[to] = (char)bits_at(p->from->packed_zeros + n * ((blocks * (size_t)w->bits + 7) / 8), b, (size_t)w->bits);
    if (w->zeros == ONRI_NBITS_REALS) memcpy(zeros + to * size, (const char *)p->from->real_zeros + from * size, size);
  }
}

static void pack_panels(void *context, size_t begin, size_t end) {
  const struct packing *p = context;
  const struct onri_nbits *w = p->w;
  const size_t columns = onri_kernels(nbits)->columns;
  struct layout l;
  layout_of(w, &l);
  const size_t words = l.words / columns / sizeof(uint32_t);
  for (size_t i = begin; i < end; i++) {
    const struct onri_nbits_panel panel = panel_of(w, p->packed, i);
    memset((void *)panel.words, 0, l.words);
    memset((void *)panel.scales, 0, l.scales);
    memset((void *)panel.zeros, 0, l.zeros);
    for (size_t j = 0; j < columns && i * columns + j < w->n; j++) {
      const size_t n = i * columns + j;
      pack_words(w, p->from->values + n * words * sizeof(uint32_t), words, (uint32_t *)panel.words + j);
      pack_blocks(p, &panel, n, j);
    }
  }
}

void onri_nbits_pack(const struct onri_nbits *w, const struct onri_nbits_source *from, void *packed,
                     struct onr_env *env) {
  struct packing p = {w, from, packed};
  struct layout l;
  layout_of(w, &l);
  onr_parallel_for(env, l.panels, 4, pack_panels, &p);
}

/* --- the product --- */

/* A as it is multiplied: in scratch. */
struct form_of_a {
  char *cells;
  float *scales; /* in float32: the sums of blocks */
  int32_t *sums;
};
struct run {
  const struct onri_nbits_product *p;
  struct form_of_a a;
  size_t panels, rows; /* panels of B, rows of a part */
  struct onr_env *env;
};

/* Cells are padded to whole blocks; a single row of float32, too. Other rows are read where they lie. */
static int has_form(const struct onri_nbits_product *p) { return p->in_bytes || (p->m == 1 && !p->group); }

size_t onri_nbits_scratch_bytes(const struct onri_nbits_product *p) {
  const size_t cell = p->in_bytes ? onri_kernels(nbits)->cell : sizeof(float), blocks = onri_nbits_blocks(&p->weight);
  size_t row, bytes;
  if (!has_form(p)) return 0;
  if (!onri_mul_size(blocks, p->weight.block * cell + sizeof(float) + sizeof(int32_t), &row) ||
      !onri_mul_size(row, p->m, &bytes) || !onri_add_size(bytes, LINE, &bytes))
    return SIZE_MAX;
  return bytes;
}

static struct form_of_a form_in(const struct onri_nbits_product *p, void *scratch) {
  const size_t cell = p->in_bytes ? onri_kernels(nbits)->cell : sizeof(float),
               blocks = p->m * onri_nbits_blocks(&p->weight);
  struct form_of_a a = {.cells = scratch};
  a.scales = (float *)(void *)(a.cells + blocks * p->weight.block * cell);
  a.sums = (int32_t *)(void *)(a.scales + blocks);
  return a;
}

static void quantise_rows(void *context, size_t begin, size_t end) {
  const struct run *r = context;
  const struct onri_nbits_product *p = r->p;
  const struct onri_nbits_kernels *kernels = onri_kernels(nbits);
  const size_t blocks = onri_nbits_blocks(&p->weight);
  for (size_t i = begin; i < end; i++)
    kernels->quantise(p->a + i * p->weight.k, p->weight.k, p->weight.block,
                      r->a.cells + i * blocks * p->weight.block * kernels->cell, r->a.scales + i * blocks,
                      r->a.sums + i * blocks);
}

static void pad_row(const struct run *r) {
  const struct onri_nbits *w = &r->p->weight;
  float *x = (float *)(void *)r->a.cells;
  memcpy(x, r->p->a, w->k * sizeof(*x));
  memset(x + w->k, 0, (onri_nbits_blocks(w) * w->block - w->k) * sizeof(*x));
  for (size_t b = 0; b < onri_nbits_blocks(w); b++) {
    float sums[4] = {0};
    for (size_t i = 0; i < w->block; i += 4)
      for (size_t j = 0; j < 4; j++) sums[j] += x[b * w->block + i + j];
    r->a.scales[b] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
}

/* Rows [row, row + rows) by a panel in float32, c rows c_row apart: a slice of depth at a time. */
static void multiply_widened(const struct run *r, const struct onri_nbits_panel *panel, size_t row, size_t rows,
                             size_t columns, float *c, size_t c_row) {
  const struct onri_nbits_product *p = r->p;
  float slice[DEPTH * MOST_COLUMNS] __attribute__((aligned(64)));
  struct onri_sgemm_slice s = {
      .rows = rows, .columns = columns, .a_row = p->weight.k, .a_col = 1, .b = slice, .c = c, .c_row = c_row};
  for (size_t from = 0; from < p->weight.k && !onr_env_cancelled(r->env); from += s.depth) {
    s.depth = least(p->weight.k - from, DEPTH);
    s.a = p->a + row * p->weight.k + from;
    s.accumulate = from > 0;
    onri_kernels(nbits)->widen(panel, p->group, from, s.depth, slice);
    onri_kernels(sgemm)->multiply(&s);
  }
}

/* All columns of the panel are written. */
static void multiply_whole(const struct run *r, const struct onri_nbits_panel *panel, size_t row, size_t rows, float *c,
                           size_t c_row) {
  const struct onri_nbits_kernels *kernels = onri_kernels(nbits);
  const size_t blocks = panel->blocks;
  if (r->p->in_bytes) {
    const struct onri_nbits_rows a = {r->a.cells + row * blocks * panel->block * kernels->cell,
                                      r->a.scales + row * blocks, r->a.sums + row * blocks};
    kernels->bytes(panel, &a, rows, c, c_row);
  } else {
    kernels->row(panel, (const float *)(const void *)r->a.cells, r->a.scales, c);
  }
}

static void multiply_part(const struct run *r, size_t row, size_t rows, size_t column) {
  const struct onri_nbits_product *p = r->p;
  const size_t width = onri_kernels(nbits)->columns, n = p->weight.n, columns = least(n - column, width);
  const struct onri_nbits_panel panel = panel_of(&p->weight, p->packed, column / width);
  float *c = p->c + row * n + column;
  float edge[BYTE_ROWS * MOST_COLUMNS];
  if (!has_form(p)) {
    multiply_widened(r, &panel, row, rows, columns, c, n);
  } else if (columns == width) {
    multiply_whole(r, &panel, row, rows, c, n);
  } else {
    multiply_whole(r, &panel, row, rows, edge, width);
    for (size_t i = 0; i < rows; i++) memcpy(c + i * n, edge + i * width, columns * sizeof(*c));
  }
  if (!p->bias) return;
  const struct onri_gemm bias = {
      .m = rows, .n = columns, .c = c, .c_row = n, .bias = p->bias + column, .bias_col = 1, .alpha = 1, .beta = 1};
  onri_kernels(sgemm)->finish(&bias);
}

static void run_parts(void *context, size_t begin, size_t end) {
  const struct run *r = context;
  for (size_t part = begin; part < end && !onr_env_cancelled(r->env); part++) {
    const size_t row = part / r->panels * r->rows;
    multiply_part(r, row, least(r->p->m - row, r->rows), part % r->panels * onri_kernels(nbits)->columns);
  }
}

void onri_nbits_run(const struct onri_nbits_product *p, void *scratch, struct onr_env *env) {
  enum { GRAIN_BYTES = 1 << 15 };
  struct run r = {.p = p, .rows = p->in_bytes ? BYTE_ROWS : ROWS, .env = env};
  struct layout l;
  if (p->m == 0 || p->weight.n == 0) return;
  layout_of(&p->weight, &l);
  r.panels = l.panels;
  if (has_form(p)) r.a = form_in(p, scratch);
  if (p->in_bytes) onr_parallel_for(env, p->m, 4, quantise_rows, &r);
  else if (has_form(p)) pad_row(&r);
  const size_t grain = p->m == 1 && l.words < GRAIN_BYTES ? GRAIN_BYTES / l.words : 1;
  onr_parallel_for(env, parts_of(p->m, r.rows) * r.panels, grain, run_parts, &r);
}
