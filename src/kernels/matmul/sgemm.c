/* sgemm.c: see sgemm.h. */
#include "kernels/matmul/sgemm.h"

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/convert/convert.h"
#include "kernels/kernels.h"

enum {
  LINE = 16 /* floats of a cache line */,
  PANEL = 32 /* the most columns of a panel */,
  ROOM = ONRI_SGEMM_SHORT * PANEL /* floats on the stack */,
  FEW_FLOATS = ONRI_SGEMM_FEW * ONRI_SGEMM_FEW_DEPTH /* few columns, on their side */
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t parts_of(size_t count, size_t part) { return count / part + (count % part != 0); }
static size_t round_up(size_t count, size_t unit) { return parts_of(count, unit) * unit; }

/* --- packed B: slices of depth one behind the other, panels in each --- */

size_t onri_sgemm_packed_floats(size_t n, size_t k) {
  const size_t columns = onri_kernels(sgemm)->columns;
  size_t floats;
  return n <= SIZE_MAX - columns && onri_mul_size(round_up(n, columns), k, &floats) ? floats : SIZE_MAX;
}

struct packing {
  const float *b;
  size_t b_row, b_col, n, k, wide;
  float *packed;
};

static void pack_slices(void *context, size_t begin, size_t end) {
  const struct packing *p = context;
  for (size_t slice = begin; slice < end; slice++) {
    const size_t from = slice * ONRI_SGEMM_DEPTH;
    onri_kernels(sgemm)->pack(p->b + from * p->b_row, p->b_row, p->b_col, least(p->k - from, ONRI_SGEMM_DEPTH), p->n,
                              p->packed + from * p->wide);
  }
}

void onri_sgemm_pack(const float *b, size_t b_row, size_t b_col, size_t n, size_t k, float *packed,
                     struct onr_env *env) {
  struct packing p = {b, b_row, b_col, n, k, round_up(n, onri_kernels(sgemm)->columns), packed};
  onr_parallel_for(env, parts_of(k, ONRI_SGEMM_DEPTH), 1, pack_slices, &p);
}

struct narrow_packing {
  struct packing floats; /* without `packed` */
  enum onr_dtype narrow;
  char *packed;
};

static void pack_narrow_slices(void *context, size_t begin, size_t end) {
  const struct narrow_packing *n = context;
  const struct packing *p = &n->floats;
  const size_t columns = onri_kernels(sgemm)->columns;
  float room[ROOM]; /* for some terms of a panel */
  for (size_t slice = begin; slice < end; slice++) {
    const size_t from = slice * ONRI_SGEMM_DEPTH, depth = least(p->k - from, ONRI_SGEMM_DEPTH);
    for (size_t j = 0; j < p->n; j += columns) {
      char *packed = n->packed + (from * p->wide + j * depth) * onr_dtype_size(n->narrow);
      for (size_t i = 0, terms; i < depth; i += terms) {
        terms = least(depth - i, ONRI_SGEMM_SHORT);
        onri_kernels(sgemm)->pack(p->b + (from + i) * p->b_row + j * p->b_col, p->b_row, p->b_col, terms,
                                  least(p->n - j, columns), room);
        onri_narrow(n->narrow, room, terms * columns, packed + i * columns * onr_dtype_size(n->narrow));
      }
    }
  }
}

void onri_sgemm_pack_narrow(const float *b, size_t b_row, size_t b_col, size_t n, size_t k, enum onr_dtype narrow,
                            void *packed, struct onr_env *env) {
  struct narrow_packing p = {{b, b_row, b_col, n, k, round_up(n, onri_kernels(sgemm)->columns), NULL}, narrow, packed};
  onr_parallel_for(env, parts_of(k, ONRI_SGEMM_DEPTH), 1, pack_narrow_slices, &p);
}

/* --- one part of a product --- */

/* Constant B, and what is done of any. */
struct packed {
  size_t depth;     /* terms of a slice */
  const char *data; /* NULL: B is not packed */
  enum onr_dtype narrow;
  size_t n;    /* columns of all of B */
  size_t next; /* the column that is multiplied behind this part; SIZE_MAX: none */
};

/* Columns [column, column + columns) of the slice that begins at `from`. */
static const char *packed_slice(struct packed p, size_t from, size_t depth, size_t column) {
  const size_t size = p.narrow == ONR_DTYPE_NONE ? sizeof(float) : onr_dtype_size(p.narrow);
  return p.data + ((from > 0 ? from * round_up(p.n, onri_kernels(sgemm)->columns) : 0) + column * depth) * size;
}

/* What is multiplied behind a slice that ends at `end`: the next one of these columns, or the first one of others. */
static void look_ahead(const struct onri_gemm *g, struct packed p, size_t column, size_t end,
                       struct onri_sgemm_slice *s) {
  const int is_last = end >= g->k;
  const size_t depth = least(g->k - (is_last ? 0 : end), ONRI_SGEMM_DEPTH);
  s->ahead = NULL;
  if (is_last && p.next >= p.n) return;
  s->ahead = packed_slice(p, is_last ? 0 : end, depth, is_last ? p.next : column);
  s->ahead_bytes = round_up(least(g->n, p.n - (is_last ? p.next : column)), onri_kernels(sgemm)->columns) * depth *
                   (p.narrow == ONR_DTYPE_NONE ? sizeof(float) : onr_dtype_size(p.narrow));
}

/* The last slice, and a function behind the product: of some rows at a time, which are then still in the cache. */
static void multiply_last(const struct onri_gemm *g, const struct onri_sgemm_slice *slice) {
  const struct onri_sgemm_kernels *kernels = onri_kernels(sgemm);
  const size_t parts = parts_of(g->m, 8 * kernels->rows);
  struct onri_sgemm_slice s = *slice;
  for (size_t part = 0, row = 0; part < parts; part++, row += s.rows) {
    s.rows = (g->m - row) / (parts - part);
    const struct onri_gemm rows = onri_gemm_part(ONRI_CLASS_F32, g, row, s.rows, 0, g->n);
    s.a = slice->a + row * s.a_row;
    s.c = rows.c;
    s.finish = slice->finish ? &rows : NULL;
    kernels->multiply(&s);
    s.ahead = NULL;
    for (size_t i = 0; i < s.rows; i++) g->tail(g->tail_context, s.c + i * s.c_row, g->n);
  }
}

/* room: for a slice of B that is packed, as a vector where that holds all of its columns, or widened; NULL when it is
 * neither. */
static void multiply_part(const struct onri_gemm *g, struct packed packed, size_t column, float *room,
                          const struct onr_env *env) {
  const struct onri_sgemm_kernels *kernels = onri_kernels(sgemm);
  struct onri_sgemm_slice s = {.rows = g->m,
                               .columns = g->n,
                               .a_row = g->a_row,
                               .a_col = g->a_col,
                               .narrow = packed.narrow,
                               .c = g->c,
                               .c_row = g->c_row,
                               .accumulate = g->accumulate};
  size_t from = 0;
  do {
    s.depth = least(g->k - from, packed.depth);
    s.a = (const float *)g->a + from * g->a_col;
    s.b_row = s.b_col = 0;
    s.padded = 0;
    if (packed.data) {
      s.b = packed_slice(packed, from, s.depth, column);
      look_ahead(g, packed, column, from + s.depth, &s);
      if (ONRI_PART(narrow) && packed.narrow != ONR_DTYPE_NONE && room) {
        onri_widen(packed.narrow, s.b, round_up(g->n, kernels->columns) * s.depth, room);
        s.b = room, s.narrow = ONR_DTYPE_NONE;
      }
    } else if (!ONRI_PART(loose)) {
      return;
    } else if (room && g->n <= kernels->vector) {
      kernels->pack_vector((const float *)g->b + from * g->b_row, g->b_row, g->b_col, s.depth, g->n, room);
      s.b = room, s.b_row = kernels->vector, s.b_col = 1, s.padded = 1;
    } else if (room) {
      kernels->pack((const float *)g->b + from * g->b_row, g->b_row, g->b_col, s.depth, g->n, room);
      s.b = room;
    } else {
      s.b = (const float *)g->b + from * g->b_row;
      s.b_row = g->b_row, s.b_col = g->b_col;
    }
    const int is_last = from + s.depth >= g->k;
    if (is_last && !onri_gemm_is_sum(g)) s.finish = g;
    if (is_last && g->tail) multiply_last(g, &s);
    else kernels->multiply(&s);
    s.accumulate = 1;
    from += s.depth;
  } while (from < g->k && !onr_env_cancelled(env));
}

/* B is read where it is when few rows read it. */
static int reads_b(const struct onri_gemm *g) {
  if (g->m == 1 && g->b_row == 1 && g->b_col > 1) return 1;
  return g->b_col == 1 && g->m <= onri_kernels(sgemm)->rows && g->b_row > 0;
}

void onri_sgemm(const struct onri_gemm *gemm) {
  const struct packed none = {.depth = ONRI_SGEMM_SHORT};
  float room[ROOM];
  if (reads_b(gemm)) {
    multiply_part(gemm, none, 0, NULL, NULL);
    return;
  }
  for (size_t column = 0; column < gemm->n; column += PANEL) {
    const struct onri_gemm part =
        onri_gemm_part(ONRI_CLASS_F32, gemm, 0, gemm->m, column, least(gemm->n - column, PANEL));
    multiply_part(&part, none, 0, room, NULL);
  }
}

void onri_sgemm_rows(const float *packed, size_t n, size_t k, const float *a, size_t rows, float *c, int backwards) {
  enum { CHUNK = 128 };
  const struct onri_sgemm_kernels *kernels = onri_kernels(sgemm);
  const size_t wide = round_up(n, kernels->columns), chunks = parts_of(n, CHUNK);
  size_t from = 0;
  do {
    struct onri_sgemm_slice s = {
        .rows = rows, .a = a + from, .a_row = k, .a_col = 1, .c_row = n, .accumulate = from > 0};
    s.depth = least(k - from, ONRI_SGEMM_DEPTH);
    for (size_t i = 0; i < chunks; i++) {
      const size_t column = (backwards ? chunks - 1 - i : i) * CHUNK;
      s.columns = least(n - column, CHUNK);
      s.b = packed + from * wide + column * s.depth;
      s.c = c + column;
      kernels->multiply(&s);
    }
    from += s.depth;
  } while (from < k);
}

/* --- many --- */

/* Item i of `count` in `parts` of nearly the same size: where it begins, in units; the last one is cut short. */
static size_t part_begin(size_t count, size_t unit, size_t parts, size_t i) {
  return least(count, parts_of(count, unit) * i / parts * unit);
}

static size_t parts_in(const struct onri_sgemm_plan *p, size_t batches) { return batches * p->down * p->across; }

/* Cuts until threads get several parts each, and the same number of them. */
static void cut_for_threads(struct onri_sgemm_plan *p, const struct onri_gemm *g, size_t batches, size_t threads) {
  enum { EACH = 4, FEW_COLUMNS = 128 };
  const struct onri_sgemm_kernels *kernels = onri_kernels(sgemm);
  const size_t most_across = parts_of(g->n, p->unit);
  while (parts_in(p, batches) < EACH * threads) {
    const size_t rows = g->m / p->down, columns = g->n / p->across;
    if (columns > FEW_COLUMNS || (rows <= 4 * kernels->rows && columns > 2 * p->unit)) p->across *= 2;
    else if (rows > 2 * kernels->rows) p->down *= 2;
    else break;
  }
  if (parts_in(p, batches) % threads != 0 && round_up(p->across, threads) <= most_across)
    p->across = round_up(p->across, threads);
  p->across = least(p->across, most_across);
}

/* Few columns would leave most lanes of a vector empty. */
size_t onri_sgemm_most_few(void) { return onri_kernels(sgemm)->vector / 2; }

static int has_few_columns(const struct onri_gemm *g) {
  const size_t vector = onri_kernels(sgemm)->vector;
  return ONRI_PART(few) && g->n > 1 && g->n <= onri_sgemm_most_few() && g->m >= 2 * vector && g->k >= 128 &&
         g->a_col == 1;
}

static struct onri_sgemm_plan plan_of(const struct onri_gemm *g, enum onri_sgemm_b b, size_t batches, size_t threads) {
  enum { WORK = 1 << 19, FEW_ROWS = 8, MOST_ROWS = 512, MOST_COLUMNS = 256, MOST_OF_ROW = 4096, MANY = 24 };
  const struct onri_sgemm_kernels *kernels = onri_kernels(sgemm);
  const double rows = (double)(g->m < FEW_ROWS ? FEW_ROWS : g->m); /* fewer wait for B as long as these take */
  const double work = rows * (double)g->n * (double)g->k * (double)batches;
  const int is_thin = b == ONRI_SGEMM_PLAIN && !reads_b(g) && g->m <= kernels->rows,
            is_row = b == ONRI_SGEMM_PLAIN && g->m == 1 && g->b_col == 1,
            widens = b == ONRI_SGEMM_NARROW && g->m >= MANY;
  const size_t most = is_thin || widens ? 4 * kernels->columns : is_row ? MOST_OF_ROW : MOST_COLUMNS;
  struct onri_sgemm_plan p = {.workers = 1, .unit = g->m == 1 ? 4 * kernels->columns : kernels->columns};
  if (work < (double)WORK * (double)threads) threads = (size_t)(work / WORK);
  p.down = g->m > 0 ? parts_of(g->m, MOST_ROWS) : 1;
  p.across = g->n > 0 ? parts_of(g->n, most) : 1;
  if (threads > 1) {
    cut_for_threads(&p, g, batches, threads);
    p.workers = least(threads, parts_in(&p, batches));
  }
  if (widens || (b == ONRI_SGEMM_PLAIN && !(reads_b(g) && parts_of(g->m, p.down) <= kernels->rows)))
    p.worker_floats = parts_of(parts_of(g->n, p.unit), p.across) * p.unit * ONRI_SGEMM_DEPTH + LINE;
  return p;
}

static struct onri_sgemm_plan plan_of_few(const struct onri_gemm *g, size_t batches, size_t threads) {
  enum { WORK = 1 << 17, ROWS = 384, EACH = 4 };
  const size_t parts = parts_of(g->m, ROWS);
  const double work = (double)g->m * (double)g->n * (double)g->k * (double)batches;
  struct onri_sgemm_plan p = {
      .workers = 1, .unit = g->n, .across = 1, .down = parts, .few = 1, .worker_floats = FEW_FLOATS};
  if (work < (double)WORK * (double)threads) threads = (size_t)(work / WORK);
  if (threads < 2) return p;
  while (batches * p.down < EACH * threads && g->m / p.down > LINE) p.down *= 2;
  p.workers = least(threads, batches * p.down);
  return p;
}

struct onri_sgemm_plan onri_sgemm_plan(const struct onri_gemm *g, enum onri_sgemm_b b, size_t batches, size_t threads) {
  struct onri_sgemm_plan p =
      b != ONRI_SGEMM_NARROW && has_few_columns(g) ? plan_of_few(g, batches, threads) : plan_of(g, b, batches, threads);
  p.scratch_bytes = p.workers * p.worker_floats * sizeof(float);
  return p;
}

struct run {
  const struct onri_sgemm_batch *batch;
  const struct onri_sgemm_plan *plan;
  float *scratch;
  const struct onr_env *env;
};

/* Terms [from, from + depth) of each column, side by side. */
static void turn(const struct onri_gemm *g, size_t from, size_t depth, float *to) {
  const float *b = (const float *)g->b + from * g->b_row;
  for (size_t p = 0; p < depth; p++, b += g->b_row)
    for (size_t j = 0; j < g->n; j++) to[j * ONRI_SGEMM_FEW_DEPTH + p] = b[j * g->b_col];
}

/* Some rows of A by few columns. packed: these are one panel. */
static void multiply_few(const struct onri_gemm *gemm, const float *packed, float *room, const struct onr_env *env) {
  struct onri_gemm g = *gemm;
  if (packed) g.b = packed, g.b_row = onri_kernels(sgemm)->columns, g.b_col = 1;
  struct onri_sgemm_few f = {.rows = g.m,
                             .columns = g.n,
                             .a_row = g.a_row,
                             .b = room,
                             .b_col = ONRI_SGEMM_FEW_DEPTH,
                             .c = g.c,
                             .c_row = g.c_row,
                             .accumulate = g.accumulate};
  for (size_t from = 0; from < g.k && !onr_env_cancelled(env); from += f.depth, f.accumulate = 1) {
    f.depth = least(g.k - from, ONRI_SGEMM_FEW_DEPTH);
    f.a = (const float *)g.a + from;
    if (g.b_row == 1) f.b = (const float *)g.b + from, f.b_col = g.b_col;
    else turn(&g, from, f.depth, room);
    onri_kernels(sgemm)->multiply_few(&f);
  }
  if (!onri_gemm_is_plain(gemm)) onri_gemm_finish(ONRI_CLASS_F32, gemm);
}

static void run_part(const struct run *r, size_t part, float *room) {
  const struct onri_sgemm_batch *b = r->batch;
  const struct onri_sgemm_plan *p = r->plan;
  const size_t each = p->down * p->across, matrix = each == 1 ? part : part / each;
  size_t a_at = matrix * b->gemm.m * b->gemm.k, b_at = matrix * b->gemm.n * b->gemm.k;
  struct onri_gemm g = b->gemm;
  if (b->find) b->find(b->context, matrix, &a_at, &b_at);
  g.a = (const float *)g.a + a_at;
  if (!b->packed) g.b = (const float *)g.b + b_at;
  g.c = (float *)g.c + matrix * g.m * g.c_row;
  if (g.residual) g.residual = (const float *)g.residual + matrix * g.m * g.c_row;
  const int few = ONRI_PART(few) && p->few;
  if (!few && p->down * p->across == 1) {
    multiply_part(&g, (struct packed){ONRI_SGEMM_DEPTH, b->packed, b->narrow, b->gemm.n, SIZE_MAX}, 0,
                  p->worker_floats ? room : NULL, r->env);
    return;
  }
  const size_t across = part / p->down % p->across, down = part % p->down;
  const size_t row = part_begin(g.m, 1, p->down, down), column = part_begin(g.n, p->unit, p->across, across);
  g = onri_gemm_part(ONRI_CLASS_F32, &g, row, part_begin(g.m, 1, p->down, down + 1) - row, column,
                     part_begin(g.n, p->unit, p->across, across + 1) - column);
  if (few) {
    multiply_few(&g, b->packed, room, r->env);
    return;
  }
  const size_t next =
      down + 1 == p->down ? part_begin(b->gemm.n, p->unit, p->across, least(p->across, across + 1)) : SIZE_MAX;
  multiply_part(&g, (struct packed){ONRI_SGEMM_DEPTH, b->packed, b->narrow, b->gemm.n, next}, column,
                p->worker_floats ? room : NULL, r->env);
}

static void run_worker(void *context, size_t worker, size_t from, size_t to) {
  const struct run *r = context;
  for (size_t part = from; part < to && !onr_env_cancelled(r->env); part++)
    run_part(r, part, r->scratch + worker * r->plan->worker_floats);
}

void onri_sgemm_run(const struct onri_sgemm_batch *batch, const struct onri_sgemm_plan *plan, float *scratch,
                    struct onr_env *env) {
  struct run r = {.batch = batch, .plan = plan, .scratch = scratch, .env = env};
  const size_t parts = parts_in(plan, batch->batches);
  if (plan->workers == 1) run_worker(&r, 0, 0, parts);
  else onri_workers_for(env, plan->workers, parts, run_worker, &r);
}
