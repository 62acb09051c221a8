/* half_product.c: see half_product.h. */
#include "kernels/matmul/half_product.h"

#include <string.h>

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/kernels.h"
#include "kernels/matmul/sgemm.h"

enum { MOST_COLUMNS = 32 /* of half a panel, on any level */ };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t parts_of(size_t count, size_t part) { return count / part + (count % part != 0); }

const char *onri_half_product_why_not(size_t n, size_t k) {
  enum { FEW = 32 }; /* terms and columns: what is packed is hardly used */
  if (!onri_kernels(half_product)->rows) return "this processor has no arithmetic of float16";
  if (n < FEW) return "it has few columns";
  return k < FEW ? "its sums are short" : NULL;
}

/* --- packed B: slices of depth one behind the other, panels in each --- */

static size_t panel_bytes(size_t depth) {
  return onri_kernels(half_product)->columns * (sizeof(float) + depth * sizeof(uint16_t));
}

/* Of all slices before term `from`, which is one of the first of a slice. */
static size_t slices_bytes(size_t panels, size_t from) {
  return from / ONRI_HALF_DEPTH * panels * panel_bytes(ONRI_HALF_DEPTH);
}

size_t onri_half_product_packed_bytes(size_t n, size_t k) {
  const size_t columns = onri_kernels(half_product)->columns, panels = parts_of(n, columns);
  size_t each, bytes;
  if (!onri_mul_size(parts_of(k, ONRI_HALF_DEPTH), panel_bytes(0), &each) ||
      !onri_mul_size(k, columns * sizeof(uint16_t), &bytes) || !onri_add_size(each, bytes, &each) ||
      !onri_mul_size(panels, each, &bytes))
    return SIZE_MAX;
  return bytes;
}

struct packing {
  const float *b;
  size_t b_row, b_col, n, k, panels;
  char *packed;
};

/* A panel of one slice, some terms at a time: their largest numbers first. Columns behind the last one are 0. */
static void pack_panel(const struct packing *p, size_t from, size_t panel) {
  enum { PART = ONRI_HALF_DEPTH / 4 };
  const struct onri_half_product_kernels *kernels = onri_kernels(half_product);
  const size_t width = kernels->columns / 2, depth = least(p->k - from, ONRI_HALF_DEPTH);
  char *packed = p->packed + slices_bytes(p->panels, from) + panel * panel_bytes(depth);
  float floats[PART * MOST_COLUMNS] = {0};
  for (size_t half = 0; half < 2; half++) {
    const size_t column = panel * kernels->columns + half * width;
    int32_t sizes[MOST_COLUMNS] = {0};
    if (column >= p->n) memset(floats, 0, sizeof(floats));
    for (int step = 0; step < 2; step++)
      for (size_t i = 0, terms; i < depth; i += terms) {
        const float *b = p->b + (from + i) * p->b_row + column * p->b_col;
        terms = least(depth - i, PART);
        if (column < p->n) onri_kernels(sgemm)->pack(b, p->b_row, p->b_col, terms, least(p->n - column, width), floats);
        if (step == 0) kernels->measure(floats, terms, sizes);
        else kernels->pack_half(floats, i, terms, half, sizes, packed);
      }
  }
}

static void pack_panels(void *context, size_t begin, size_t end) {
  const struct packing *p = context;
  for (size_t item = begin; item < end; item++) pack_panel(p, item / p->panels * ONRI_HALF_DEPTH, item % p->panels);
}

void onri_half_product_pack(const float *b, size_t b_row, size_t b_col, size_t n, size_t k, void *packed,
                            struct onr_env *env) {
  struct packing p = {b, b_row, b_col, n, k, parts_of(n, onri_kernels(half_product)->columns), packed};
  onr_parallel_for(env, parts_of(k, ONRI_HALF_DEPTH) * p.panels, 1, pack_panels, &p);
}

/* --- the product, cut into parts of rows and of panels --- */

struct work {
  const struct onri_half_product *product;
  size_t panels, down, across;
  struct onr_env *env;
};

/* A part's slice of packed B stays in the second cache; threads get several parts each. */
static void cut(struct work *w, const struct onri_gemm *g) {
  enum { TILES = 8, PANELS = 16, EACH = 4, FEW = 2 };
  const size_t wanted = EACH * onr_threads_count(w->env->threads);
  w->down = parts_of(g->m, TILES * ONRI_HALF_ROWS);
  w->across = parts_of(w->panels, PANELS);
  if (wanted == EACH) return;
  while (w->down * w->across < wanted && w->panels / w->across >= 2 * FEW) w->across *= 2;
}

/* Rows [row, row + rows) of a part by panels [first, first + count), all of depth. */
static void multiply_slice(const struct work *w, const struct onri_gemm *part, size_t row, size_t first, size_t from) {
  const struct onri_half_product *p = w->product;
  const struct onri_half_product_kernels *kernels = onri_kernels(half_product);
  const size_t depth = least(part->k - from, ONRI_HALF_DEPTH), tiles = parts_of(part->m, ONRI_HALF_ROWS);
  uint32_t packed[ONRI_HALF_ROWS * ONRI_HALF_PITCH];
  float scales[ONRI_HALF_ROWS], gathered[ONRI_HALF_ROWS * ONRI_HALF_DEPTH];
  struct onri_half_slice s = {.columns = part->n, .depth = depth, .a = packed, .a_scales = scales};
  s.b = (const char *)p->packed + slices_bytes(w->panels, from) + first * panel_bytes(depth);
  s.c_row = part->c_row, s.accumulate = part->accumulate || from > 0;
  for (size_t tile = 0; tile < tiles; tile++) {
    const size_t begin = part->m * tile / tiles;
    s.rows = part->m * (tile + 1) / tiles - begin;
    s.c = (float *)part->c + begin * part->c_row;
    if (p->gather) {
      for (size_t r = 0; r < s.rows; r++) p->gather(p->context, row + begin + r, from, depth, gathered + r * depth);
      kernels->pack_rows(gathered, depth, 1, s.rows, depth, packed, scales);
    } else {
      const float *a = (const float *)part->a + begin * part->a_row + from * part->a_col;
      kernels->pack_rows(a, part->a_row, part->a_col, s.rows, depth, packed, scales);
    }
    kernels->multiply(&s);
    if (from + depth < part->k || onri_gemm_is_plain(part)) continue;
    const struct onri_gemm rows = onri_gemm_part(ONRI_CLASS_F32, part, begin, s.rows, 0, part->n);
    onri_gemm_finish(ONRI_CLASS_F32, &rows);
  }
}

static void multiply_parts(void *context, size_t begin, size_t end) {
  const struct work *w = context;
  const struct onri_gemm *g = &w->product->gemm;
  const size_t columns = onri_kernels(half_product)->columns;
  for (size_t item = begin; item < end; item++) {
    const size_t down = item % w->down, across = item / w->down, row = g->m * down / w->down,
                 rows = g->m * (down + 1) / w->down - row, first = w->panels * across / w->across,
                 last = w->panels * (across + 1) / w->across, column = first * columns;
    struct onri_gemm whole = *g;
    whole.b = NULL;
    const struct onri_gemm part =
        onri_gemm_part(ONRI_CLASS_F32, &whole, row, rows, column, least(last * columns, g->n) - column);
    for (size_t from = 0; from < g->k && !onr_env_cancelled(w->env); from += ONRI_HALF_DEPTH)
      multiply_slice(w, &part, row, first, from);
  }
}

void onri_half_product(const struct onri_half_product *product, struct onr_env *env) {
  const struct onri_gemm *g = &product->gemm;
  struct work w = {.product = product, .panels = parts_of(g->n, onri_kernels(half_product)->columns), .env = env};
  if (g->m == 0 || g->n == 0) return;
  cut(&w, g);
  onr_parallel_for(env, w.down * w.across, 1, multiply_parts, &w);
}
