#include "exec/variant.h"

#include <string.h>

static int is_set(const struct onr_model *model, const struct onr_tensor *inputs, size_t k) {
  return inputs[model->graph->num_inputs + k].desc.dtype != ONR_DTYPE_NONE;
}

int onri_variant_is_wanted(const struct onr_model *model, const struct onr_tensor *inputs) {
  for (size_t k = 0; k < model->num_defaults; k++)
    if (is_set(model, inputs, k)) return 1;
  return 0;
}

int onri_variant_fits(const struct onri_variant *variant, const struct onr_model *model,
                      const struct onr_tensor *inputs) {
  for (size_t k = 0; variant->model && k < model->num_defaults; k++)
    if (variant->is_set[k] != is_set(model, inputs, k)) return 0;
  return variant->model != NULL;
}

/* Names of the inputs that are set, which go into the record, too. */
static size_t collect(struct onri_variant *variant, const struct onr_model *model, const struct onr_tensor *inputs,
                      const char **names) {
  size_t count = 0;
  for (size_t k = 0; k < model->num_defaults; k++) {
    variant->is_set[k] = (uint8_t)is_set(model, inputs, k);
    if (variant->is_set[k]) names[count++] = model->inputs[model->graph->num_inputs + k].name;
  }
  return count;
}

/* The variant has its inputs in the order of the file. */
static enum onr_status connect(struct onri_variant *variant, const struct onr_model *model,
                               const struct onr_allocator *allocator, struct onr_error *error) {
  const size_t count = variant->model->graph->num_inputs;
  variant->fed = onri_allocate_zeroed(allocator, count * sizeof(*variant->fed));
  variant->from = onri_allocate_zeroed(allocator, count * sizeof(*variant->from));
  if (!variant->fed || !variant->from)
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the inputs of a model");
  for (size_t i = 0; i < count; i++)
    variant->from[i] = (size_t)onr_model_find_input(model, variant->model->inputs[i].name);
  return ONR_STATUS_OK;
}

enum onr_status onri_variant_make(struct onri_variant *variant, const struct onr_model *model,
                                  const struct onr_tensor *inputs, struct onr_env *env, struct onr_error *error) {
  struct onr_model_options options = model->options;
  const char **names;
  enum onr_status status = ONR_STATUS_OK;
  onri_variant_clear(variant, env->allocator);
  options.allocator = env->allocator;
  options.threads = env->threads;
  options.cancel = env->cancel;
  names = onri_allocate(env->allocator, model->num_defaults * sizeof(*names));
  variant->is_set = onri_allocate(env->allocator, model->num_defaults);
  if (!names || !variant->is_set) status = onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the inputs of a model");
  if (status == ONR_STATUS_OK)
    status = model->vary(model, names, collect(variant, model, inputs, names), &options, &variant->model, error);
  if (status == ONR_STATUS_OK) status = connect(variant, model, env->allocator, error);
  onri_release(env->allocator, names);
  if (status != ONR_STATUS_OK) onri_variant_clear(variant, env->allocator);
  return status;
}

void onri_variant_feed(struct onri_variant *variant, const struct onr_tensor *inputs) {
  for (size_t i = 0; i < variant->model->graph->num_inputs; i++) variant->fed[i] = inputs[variant->from[i]];
}

void onri_variant_clear(struct onri_variant *variant, const struct onr_allocator *allocator) {
  onr_model_destroy(variant->model);
  onri_release(allocator, variant->is_set);
  onri_release(allocator, variant->fed);
  onri_release(allocator, variant->from);
  *variant = (struct onri_variant){.model = NULL};
}
