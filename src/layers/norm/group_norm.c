/* group_norm, instance_norm: over a group of channels and all spatial dimensions.
 *
 * input 0   x      [batch, channels, ...], or [batch, ..., channels] with channels_last; floating-point
 * input 1   scale  [channels], or [groups] with scale_per_group     optional
 * input 2   bias   as scale                                         optional
 * output 0  y      x's shape and type */
#include "base/shape.h"
#include "layers/norm/normalize.h"
#include "params/params.h"

struct grouping {
  int64_t batch, channels, spatial, groups;
  struct onr_desc entries;
};

static enum onr_status grouping_of(const struct onr_call *call, int64_t groups, int channels_last, int per_group,
                                   struct grouping *g) {
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, 2, ONR_MAX_RANK));
  const int32_t axis = channels_last ? x->rank - 1 : 1;
  g->batch = x->dim[0];
  g->channels = x->dim[axis];
  g->groups = groups == 0 ? g->channels : groups;
  g->spatial = channels_last ? onri_product(x, 1, axis) : onri_product(x, 2, x->rank);
  if (groups != 0 && g->channels % groups != 0)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected channels that divide into %lld groups, found %lld",
                    (long long)groups, (long long)g->channels);
  g->entries = onr_desc_make(x->dtype, 1, per_group ? &g->groups : &g->channels);
  for (size_t i = 1; i <= 2; i++) {
    if (!onri_has(call, i)) continue;
    ONR_TRY(onri_expect_rank(call, i, 1, 1));
    if (call->in[i].dim[0] != g->entries.dim[0])
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected input %zu with %lld values, found %lld", i,
                      (long long)g->entries.dim[0], (long long)call->in[i].dim[0]);
  }
  return onri_normalize_check(call, &g->entries);
}

static enum onr_status group_norm_grouping(const struct onr_call *call, struct grouping *g) {
  const struct onr_group_norm_params *p = call->params;
  if (p->groups <= 0)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected a positive number of groups, found %lld",
                    (long long)p->groups);
  return grouping_of(call, p->groups, p->channels_last, p->scale_per_group, g);
}

static enum onr_status instance_norm_grouping(const struct onr_call *call, struct grouping *g) {
  const struct onr_instance_norm_params *p = call->params;
  return grouping_of(call, 0, p->channels_last, 0, g);
}

static enum onr_status group_norm_infer(struct onr_call *call) {
  struct grouping g;
  ONR_TRY(group_norm_grouping(call, &g));
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status instance_norm_infer(struct onr_call *call) {
  struct grouping g;
  ONR_TRY(instance_norm_grouping(call, &g));
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static void plan_groups(struct onr_call *call, const struct grouping *g, float epsilon, int channels_last,
                        int per_group) {
  struct onri_normalize_state *s = call->state;
  struct onri_normalize *n = &s->kernel;
  const int64_t group = g->groups == 0 ? 0 : g->channels / g->groups;
  s->entries = g->entries;
  n->kind = ONRI_NORMALIZE_VARIANCE;
  n->epsilon = (double)epsilon;
  onri_dims_add(&n->slices, g->batch, g->channels * g->spatial);
  onri_dims_add(&n->slices, g->groups, channels_last ? group : group * g->spatial);
  n->scale_slices = (size_t)g->groups;
  n->scale_step = per_group ? 1 : (size_t)group;
  if (channels_last || (g->spatial == 1 && group > 1)) { /* channels are neighbours */
    n->run = (size_t)group;
    n->index = ONRI_INDEX_RUN;
    onri_dims_add(&n->rows, g->spatial, g->channels);
  } else {
    n->run = (size_t)g->spatial;
    n->index = ONRI_INDEX_ROW;
    onri_dims_add(&n->rows, group, g->spatial);
  }
  if (per_group) n->index = ONRI_INDEX_SLICE;
  onri_normalize_plan(call, s);
  call->in_place = 0;
}

static enum onr_status group_norm_plan(struct onr_call *call) {
  const struct onr_group_norm_params *p = call->params;
  struct grouping g;
  ONR_TRY(group_norm_grouping(call, &g));
  plan_groups(call, &g, p->epsilon, p->channels_last, p->scale_per_group);
  return ONR_STATUS_OK;
}

static enum onr_status instance_norm_plan(struct onr_call *call) {
  const struct onr_instance_norm_params *p = call->params;
  struct grouping g;
  ONR_TRY(instance_norm_grouping(call, &g));
  plan_groups(call, &g, p->epsilon, p->channels_last, 0);
  return ONR_STATUS_OK;
}

static enum onr_status norm_run(struct onr_call *call) {
  onri_normalize_run(call, call->state);
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_group_norm = {
    .name = "group_norm",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_EITHER,
    .layout_param = offsetof(struct onr_group_norm_params, channels_last),
    .params_size = sizeof(struct onr_group_norm_params),
    .state_size = sizeof(struct onri_normalize_state),
    .infer = group_norm_infer,
    .plan = group_norm_plan,
    .run = norm_run,
};

const struct onr_layer onri_layer_instance_norm = {
    .name = "instance_norm",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT, ONRI_DTYPES_FLOAT},
    .output_type = ONR_AS_INPUT(0),
    .layout = ONRI_LAYOUT_EITHER,
    .layout_param = offsetof(struct onr_instance_norm_params, channels_last),
    .params_size = sizeof(struct onr_instance_norm_params),
    .state_size = sizeof(struct onri_normalize_state),
    .infer = instance_norm_infer,
    .plan = instance_norm_plan,
    .run = norm_run,
};
