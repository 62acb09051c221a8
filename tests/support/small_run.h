/* small_run.h: what the executor works with below a session: a graph of small layers, and the run that frames,
 * workspaces and plans share.
 *
 *   struct small_run r;                         // stays where it is
 *   small_run_begin(&r);
 *   const int32_t x = value(r.b.graph, "x"), y = node(r.b.graph, &increment, &x, 1);
 *   small_run_close(&r, &x, 1, &y, 1);          // its inputs and outputs
 *   ... onri_workspace_init(&space, &r.run, r.b.graph, &error) ...
 *   small_run_end(&r);                          // nothing is left behind */
#ifndef SMALL_RUN_H
#define SMALL_RUN_H

#include "support/small_session.h"

#include "exec/plan_cache.h"

struct small_run {
  struct builder b;
  struct onri_meter meter;
  struct onri_run run;
};

static inline void small_run_begin(struct small_run *r) {
  r->b = start();
  onri_meter_init(&r->meter, &counted_memory, UINT64_MAX, 0);
  r->run = (struct onri_run){.env = r->b.model->env, .iterations_left = UINT64_MAX, .work = UINT64_MAX};
  onri_pool_init(&r->run.pool, &r->meter);
  r->run.env.meter = &r->meter;
  r->run.env.allocator = &r->run.pool.allocator;
  onri_heap_init(&r->run.heap, r->run.env.allocator);
  r->run.alone = r->run.env;
}

static inline void small_run_close(struct small_run *r, const int32_t *in, size_t num_in, const int32_t *out,
                                   size_t num_out) {
  assert_int_equal(onri_graph_set_inputs(r->b.graph, in, num_in, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(r->b.graph, out, num_out, NULL), ONR_STATUS_OK);
}

static inline void small_run_end(struct small_run *r) {
  onri_plan_cache_clear(&r->run.plans, r->run.env.allocator);
  onri_heap_clear(&r->run.heap);
  onri_pool_clear(&r->run.pool);
  assert_int_equal(r->meter.held, 0);
  onri_graph_destroy(r->b.graph);
  onr_model_destroy(r->b.model);
  assert_int_equal(counted_live, 0);
}

static inline struct onr_tensor vector(const float *data, int64_t count) {
  return (struct onr_tensor){onr_desc_make(ONR_DTYPE_F32, 1, &count), (void *)(uintptr_t)data};
}

#endif
