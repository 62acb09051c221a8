/* model_load: the public functions that make a model of an ONNX file. */
#include "exec/model.h"
#include "onnx/file_kind.h"
#include "onnx/onnx_load.h"

/* path NULL: from memory. */
static enum onr_status finish(struct onr_model *model, struct onri_sources *sources, const char *path,
                              const struct onr_model_options *options, struct onr_error *error) {
  struct onri_loaded loaded;
  enum onr_status status = onri_onnx_load(&model->env, sources, options, &loaded, error);
  if (status != ONR_STATUS_OK) {
    status = onri_file_kind_blame(&sources->main, model->env.allocator, path, "ONNX model", status, error);
    onri_sources_destroy(sources);
    return status;
  }
  model->modules = loaded.modules;
  model->num_modules = loaded.num_modules;
  return onri_model_finish(model, loaded.graph, &loaded.info, sources, onri_sources_destroy, options, error);
}

/* path NULL: from memory. */
static enum onr_status load(const char *path, const void *data, size_t bytes, const struct onr_model_options *options,
                            struct onr_model **result, struct onr_error *error) {
  const char *extra = options ? options->external_directory : NULL;
  struct onri_sources *sources;
  struct onr_model *model;
  enum onr_status status;
  *result = NULL;
  ONR_TRY(onri_model_create(options, &model, error));
  status = onri_sources_create(model->env.allocator, &sources, error);
  if (status == ONR_STATUS_OK) {
    status = path ? onri_sources_open(sources, path, extra, error) : onri_sources_set_memory(sources, data, bytes, extra, error);
    if (status == ONR_STATUS_OK) status = finish(model, sources, path, options, error);
    else onri_sources_destroy(sources);
  }
  status = onri_meter_settle(&model->meter, status, error);
  if (status != ONR_STATUS_OK) {
    onr_model_destroy(model);
    return status;
  }
  *result = model;
  return ONR_STATUS_OK;
}

enum onr_status onr_model_load(const char *path, const struct onr_model_options *options, struct onr_model **model,
                               struct onr_error *error) {
  if (!model) return onr_fail(error, ONR_STATUS_ARGUMENT, "model must not be NULL");
  *model = NULL;
  if (!path) return onr_fail(error, ONR_STATUS_ARGUMENT, "path must not be NULL");
  return load(path, NULL, 0, options, model, error);
}

enum onr_status onr_model_load_memory(const void *data, size_t bytes, const struct onr_model_options *options,
                                      struct onr_model **model, struct onr_error *error) {
  if (!model) return onr_fail(error, ONR_STATUS_ARGUMENT, "model must not be NULL");
  *model = NULL;
  if (!data && bytes) return onr_fail(error, ONR_STATUS_ARGUMENT, "data must not be NULL when there are bytes");
  return load(NULL, data, bytes, options, model, error);
}
