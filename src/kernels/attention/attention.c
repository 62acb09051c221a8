/* attention.c: see attention.h: the work of all threads. */
#include "kernels/attention/attention.h"

#include "base/env.h"
#include "base/numbers/checked.h"
#include "kernels/attention/attention_rows.h"
#include "kernels/kernels.h"

static size_t parts_of(size_t count, size_t part) { return count / part + (count % part != 0); }

/* Heads of few queries that share keys read them together. */
static size_t merged_heads(const struct onri_attention *a) {
  enum { FEW = 16 };
  return a->queries <= FEW ? a->heads / a->kv_heads : 1;
}

static size_t count_parts(const struct onri_attention *a, const struct onri_attention_plan *p) {
  return a->batch * (a->heads / p->merged) * parts_of(a->queries * p->merged, p->rows);
}

struct onri_attention_plan onri_attention_plan(const struct onri_attention *a, size_t threads) {
  enum { MOST_TILES = 16, LEAST_TILES = 4, WORK = 1 << 19 };
  const struct onri_attention_kernels *kernels = onri_kernels(attention);
  struct onri_attention_plan p = {.workers = 1, .rows = MOST_TILES * kernels->rows, .merged = merged_heads(a)};
  const double work = (double)a->batch * (double)a->heads * (double)a->queries * (double)(a->past + a->keys) *
                      (double)(a->width + a->value_width);
  if (a->batch == 0 || a->heads == 0 || a->queries == 0) return p;
  if (work < (double)WORK * (double)threads) threads = (size_t)(work / WORK);
  if (a->class == ONRI_CLASS_F64) {
    p.workers = threads ? threads : 1;
    return p;
  }
  while (threads > 1 && p.rows > LEAST_TILES * kernels->rows && count_parts(a, &p) < 4 * threads) p.rows /= 2;
  if (p.rows > a->queries * p.merged) p.rows = a->queries * p.merged;
  if (threads > 1) p.workers = threads < count_parts(a, &p) ? threads : count_parts(a, &p);
  p.worker_floats = kernels->scratch_floats(a, p.rows);
  if (!onri_mul_size(p.worker_floats, sizeof(float), &p.scratch_bytes) ||
      !onri_mul_size(p.scratch_bytes, p.workers, &p.scratch_bytes))
    p.scratch_bytes = SIZE_MAX;
  return p;
}

struct run {
  const struct onri_attention *a;
  const struct onri_attention_plan *plan;
  float *scratch;
};

static void run_part(const struct run *r, size_t part, float *scratch) {
  const struct onri_attention *a = r->a;
  const struct onri_attention_plan *p = r->plan;
  const size_t rows = a->queries * p->merged, blocks = parts_of(rows, p->rows), group = part / blocks,
               groups = a->heads / p->merged;
  struct onri_attention_job job = {.batch = group / groups,
                                   .head = group % groups * p->merged,
                                   .first_row = part % blocks * p->rows,
                                   .most_rows = p->rows,
                                   .scratch = scratch};
  job.rows = rows - job.first_row < p->rows ? rows - job.first_row : p->rows;
  onri_kernels(attention)->run(a, &job);
}

static void run_worker(void *context, size_t worker, size_t from, size_t to) {
  const struct run *r = context;
  for (size_t part = from; part < to && !onr_env_cancelled(r->a->env); part++)
    if (r->a->class == ONRI_CLASS_F64) onri_attention_f64_item(r->a, part);
    else run_part(r, part, r->scratch + worker * r->plan->worker_floats);
}

void onri_attention(const struct onri_attention *a, const struct onri_attention_plan *plan, void *scratch,
                    struct onr_env *env) {
  struct run r = {.a = a, .plan = plan, .scratch = scratch};
  if (a->batch == 0 || a->heads == 0 || a->queries == 0) return;
  const size_t parts = a->class == ONRI_CLASS_F64 ? onri_attention_f64_items(a) : count_parts(a, plan);
  if (plan->workers == 1) run_worker(&r, 0, 0, parts);
  else onri_workers_for(env, plan->workers, parts, run_worker, &r);
}
