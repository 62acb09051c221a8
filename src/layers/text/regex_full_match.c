/* regex_full_match.c: which strings a pattern matches from end to end. */
#include "base/env.h"
#include "base/shape.h"
#include "base/text/text.h"
#include "layers/layers.h"
#include "layers/text/regex.h"

struct prepared {
  struct onri_regex *regex;
};

struct state {
  struct onri_regex_matcher *matcher;
};

static enum onr_status regex_check(const struct onr_call *call) { return onri_regex_available(call->error); }

static enum onr_status regex_infer(struct onr_call *call) {
  call->out[0] = call->in[0];
  call->out[0].dtype = ONR_DTYPE_BOOL;
  return ONR_STATUS_OK;
}

static enum onr_status regex_prepare(struct onr_call *call) {
  const struct onr_regex_full_match_params *p = call->params;
  return onri_regex_compile(&p->pattern, call->env, &((struct prepared *)call->prepared)->regex, call->error);
}

static void regex_release_prepared(void *prepared, struct onr_env *env) {
  (void)env;
  onri_regex_release(((struct prepared *)prepared)->regex);
}

static enum onr_status regex_plan(struct onr_call *call) {
  return onri_regex_matcher_create(call->env, &((struct state *)call->state)->matcher, call->error);
}

static void regex_release_state(void *state, struct onr_env *env) {
  (void)env;
  onri_regex_matcher_release(((struct state *)state)->matcher);
}

static enum onr_status regex_run(struct onr_call *call) {
  const struct prepared *prepared = call->prepared;
  const struct state *state = call->state;
  const struct onr_string *x = call->inputs[0];
  uint8_t *y = call->outputs[0];
  const size_t count = (size_t)onr_desc_elements(&call->in[0]);
  onri_regex_begin(state->matcher, x, count);
  for (size_t i = 0; i < count; i++) {
    struct onri_regex_found found;
    ONR_TRY(onri_env_poll(call->env, call->error)); /* one text may take a while */
    ONR_TRY(onri_expect_utf8(&x[i], "string", i, call->error));
    ONR_TRY(onri_regex_find(prepared->regex, state->matcher, &x[i], &(struct onri_regex_search){.whole = 1}, &found,
                            call->error));
    y[i] = (uint8_t)found.is_found;
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_regex_full_match = {
    .name = "regex_full_match",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_STRING)},
    .output_type = ONRI_DTYPE_BIT(ONR_DTYPE_BOOL),
    .flags = ONR_LAYER_HEAVY,
    .params_size = sizeof(struct onr_regex_full_match_params),
    .prepared_size = sizeof(struct prepared),
    .state_size = sizeof(struct state),
    .check = regex_check,
    .infer = regex_infer,
    .prepare = regex_prepare,
    .plan = regex_plan,
    .run = regex_run,
    .release_state = regex_release_state,
    .release_prepared = regex_release_prepared,
};
