/* program.c: a model for fixed shapes becomes C: what is known of its values, and the phases. */
#include <ctype.h>
#include <string.h>

#include "base/sized.h"
#include "compile/program.h"

/* --- shapes --- */

static enum onr_status check_inputs(const struct onri_source *s, const struct onr_model *model,
                                    const struct onr_tensor *inputs) {
  for (size_t i = 0; i < s->graph->num_inputs; i++) {
    const struct onr_value_info *info = &model->inputs[i];
    int fits = inputs[i].desc.rank >= 0 && (info->rank < 0 || info->rank == inputs[i].desc.rank);
    fits &= info->dtype == ONR_DTYPE_NONE || info->dtype == inputs[i].desc.dtype;
    for (int32_t d = 0; fits && d < inputs[i].desc.rank; d++)
      fits =
          inputs[i].desc.dim[d] >= 0 && (info->rank < 0 || info->dim[d] < 0 || info->dim[d] == inputs[i].desc.dim[d]);
    if (!fits)
      return onr_fail(s->error, ONR_STATUS_SHAPE, "input '%s' needs a type and a shape that the model allows",
                      info->name);
  }
  return ONR_STATUS_OK;
}

/* Contents that follow from shapes are computed here, once. */
enum { CONTENT_BYTES = 4 << 20, CONTENT_WORK = 1 << 28 };

static enum onr_status infer(struct onri_source *s, const struct onr_tensor *inputs) {
  ONR_TRY(onri_inference_init(&s->facts, s->graph, s->env, 1, s->error));
  s->facts.content_bytes = CONTENT_BYTES;
  s->facts.work_left = CONTENT_WORK;
  for (size_t i = 0; i < s->graph->num_inputs; i++) {
    const int32_t v = s->graph->inputs[i];
    s->facts.descs[v] = inputs[i].desc;
    if (!inputs[i].data) continue;
    const size_t bytes = onr_desc_bytes(&inputs[i].desc);
    void *copy = onri_temporary(s, bytes + ONR_SLACK_BYTES);
    if (!copy) return s->status;
    memcpy(copy, inputs[i].data, bytes);
    s->facts.known[v] = copy;
  }
  for (size_t n = 0; n < s->graph->num_nodes; n++) {
    enum onri_inferred inferred;
    if (!s->graph->nodes[n].layer) continue;
    ONR_TRY(onri_inference_step(&s->facts, &s->graph->nodes[n], &inferred, s->error));
  }
  return ONR_STATUS_OK;
}

/* --- names --- */

static int is_identifier(const char *name) {
  if (!isalpha((unsigned char)*name) && *name != '_') return 0;
  for (const char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '_') return 0;
  return strlen(name) <= 64;
}

static void clear(struct onri_source *s) {
  const struct onr_allocator *allocator = s->env->allocator;
  onri_inference_clear(&s->facts);
  for (size_t i = 0; i < s->num_weights; i++) onri_release(allocator, s->weights[i].data);
  for (size_t i = 0; i < s->num_texts; i++) onri_text_clear(s, &s->texts[i]);
  onri_text_clear(s, &s->parts);
  onri_text_clear(s, &s->functions);
  onri_text_clear(s, &s->body);
  onri_release(allocator, s->weights);
  onri_release(allocator, s->texts);
  onri_release(allocator, s->scratch);
  onri_release(allocator, s->has_part);
  onri_arena_clear(&s->arena);
}

static enum onr_status compile(struct onri_source *s, const struct onr_model *model, const struct onr_tensor *inputs) {
  ONR_TRY(check_inputs(s, model, inputs));
  ONR_TRY(infer(s, inputs));
  ONR_TRY(onri_source_nodes(s));
  ONR_TRY(onri_source_layout(s));
  return onri_source_write(s, model);
}

enum onr_status onr_model_compile(const struct onr_model *model, const struct onr_tensor *inputs,
                                  const struct onr_compile_options *options, struct onr_compiled *compiled,
                                  struct onr_error *error) {
  struct onr_env env;
  struct onri_source s = {.error = error};
  if (!model || !inputs) return onr_fail(error, ONR_STATUS_ARGUMENT, "model and inputs must not be NULL");
  ONR_TRY(ONRI_SIZED_READ(&s.options, options, onr_compile_options, error));
  if (!s.options.write) return onr_fail(error, ONR_STATUS_ARGUMENT, "options.write must not be NULL");
  if (!s.options.name) s.options.name = "model";
  if (!is_identifier(s.options.name))
    return onr_fail(error, ONR_STATUS_ARGUMENT, "name: expected an identifier of C, of 64 characters at most, got '%s'",
                    s.options.name);
  if (!model->for_source)
    return onr_fail(error, ONR_STATUS_STATE, "the model was not loaded with the option for_source");
  env = model->env;
  s.env = &env;
  s.graph = model->graph;
  onri_arena_init(&s.arena, env.allocator, 0);
  enum onr_status status = compile(&s, model, inputs);
  if (status == ONR_STATUS_OK) status = s.status;
  const struct onr_compiled result = {
      .arena_bytes = s.arena_bytes, .weight_bytes = s.weight_bytes, .steps = (size_t)s.steps};
  clear(&s);
  return status == ONR_STATUS_OK && compiled ? ONRI_SIZED_WRITE(compiled, &result, onr_compiled, error) : status;
}
