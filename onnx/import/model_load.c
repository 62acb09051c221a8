/* model_load.c: the public functions that make a model of an ONNX file. */
#define _POSIX_C_SOURCE 200809L
#include "model/model.h"

#include "base/atomic_file.h"
#include "base/only.h"
#include "onnx/file/file_kind.h"
#include "onnx/import/load.h"
#include "onnx/import/packed_model.h"
#include "onnx/write/model_write.h"

static int digest_of(void *keep, struct onr_env *env, struct onri_digest *digest) {
  return onri_sources_digest(keep, env, digest);
}

/* Those on a disk: a packed model has its own in it. */
static enum onr_status note_files(struct onr_model *model, const struct onri_sources *sources,
                                  struct onr_error *error) {
  model->external_files = onri_arena_allocate(&model->arena, (sources->num_files + 1) * sizeof(*model->external_files));
  for (size_t i = 0; model->external_files && i < sources->num_files; i++) {
    const struct onri_external_file *file = sources->files[i];
    if (!file->device && !file->inode) continue;
    const char **path = &model->external_files[model->num_external_files];
    *path = onri_arena_string(&model->arena, file->location);
    if (!*path) break;
    model->num_external_files++;
  }
  return model->external_files ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a model");
}

/* path NULL: from memory. */
static enum onr_status finish(struct onr_model *model, struct onri_sources *sources, const char *path,
                              const struct onr_model_options *options, const struct onri_opened *opened,
                              struct onr_error *error) {
  struct onri_loaded loaded;
  enum onr_status status = onri_onnx_load(&model->env, sources, options, opened, &loaded, error);
  if (status != ONR_STATUS_OK) {
    status = onri_file_kind_blame(&sources->main, model->env.allocator, path, "ONNX model", status, error);
    onri_sources_destroy(sources);
    return status;
  }
  if (ONRI_PART(packed)) model->digest = digest_of;
  model->modules = loaded.modules;
  model->num_modules = loaded.num_modules;
  model->properties = loaded.properties;
  model->num_properties = loaded.num_properties;
  model->opsets = loaded.opsets;
  model->num_opsets = loaded.num_opsets;
  if (ONRI_PART(defaults) && !opened) {
    model->defaults = loaded.defaults;
    model->num_defaults = loaded.num_defaults;
  }
  ONR_TRY(onri_model_finish(model, loaded.graph, &loaded.info, sources, onri_sources_destroy, options, error));
  return note_files(model, sources, error);
}

static enum onr_status make_variant(struct onr_model *variant, const struct onri_sources *from,
                                    const struct onri_opened *opened, const struct onr_model_options *options,
                                    struct onr_error *error) {
  struct onri_sources *sources;
  ONR_TRY(onri_sources_create(variant->env.allocator, &sources, error));
  const enum onr_status status = onri_sources_share(from, sources, error);
  if (status == ONR_STATUS_OK) return finish(variant, sources, NULL, options, opened, error);
  onri_sources_destroy(sources);
  return status;
}

static enum onr_status vary(const struct onr_model *model, const char **names, size_t count,
                            const struct onr_model_options *options, struct onr_model **variant,
                            struct onr_error *error) {
  const struct onri_opened opened = {names, count};
  struct onr_model *v;
  *variant = NULL;
  ONR_TRY(onri_model_create(options, &v, error));
  const enum onr_status status =
      onri_meter_settle_model(&v->meter, make_variant(v, model->keep, &opened, options, error), error);
  if (status == ONR_STATUS_OK) *variant = v;
  else onr_model_destroy(v);
  return status;
}

/* What vary needs when the caller's own is gone. */
static enum onr_status prepare_to_vary(struct onr_model *model, const struct onr_model_options *options,
                                       struct onr_error *error) {
  struct onr_model_options *own = &model->options;
  if (!ONRI_PART(defaults) || !model->num_defaults) return ONR_STATUS_OK;
  *own = *options;
  own->limits = &model->env.limits;
  own->external_directory = NULL; /* open already */
  own->packed = NULL;             /* which is for the model as it is */
  own->disabled_passes = onri_arena_string(&model->arena, own->disabled_passes);
  own->report = NULL;
  if (options->disabled_passes && !own->disabled_passes)
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a model");
  model->vary = vary;
  return onri_sources_keep_memory(model->keep, error);
}

/* For builds for this model alone. */
static void tell_parts(const struct onr_model *model, const struct onr_model_options *options) {
  if (!ONRI_PART(more) || !options->uses) return;
  if (model->packed.part) options->uses(options->report_context, "part", "", "packed");
  if (((const struct onri_sources *)model->keep)->num_files)
    options->uses(options->report_context, "part", "", "external");
  if (model->blocks.has_shared) options->uses(options->report_context, "part", "", "shared");
  if (model->num_defaults) options->uses(options->report_context, "part", "", "defaults");
}

/* What a model is loaded for, beside running. */
enum purpose { TO_RUN, TO_PACK, TO_WRITE };

/* path NULL: from memory. TO_PACK: what is read is noted. */
static enum onr_status load(const char *path, const void *data, size_t bytes, enum purpose purpose,
                            const struct onr_model_options *given, struct onr_model **result, struct onr_error *error) {
  struct onr_model_options read;
  const struct onr_model_options *options = &read;
  struct onri_sources *sources;
  struct onr_model *model;
  enum onr_status status;
  *result = NULL;
  ONR_TRY(onri_model_options_read(given, &read, error));
  ONR_TRY(onri_model_create(options, &model, error));
  model->for_onnx = purpose == TO_WRITE;
  status = onri_sources_create(model->env.allocator, &sources, error);
  if (status == ONR_STATUS_OK) {
    status = path ? onri_sources_open(sources, path, options->external_directory, error)
                  : onri_sources_set_memory(sources, data, bytes, options->external_directory, error);
    sources->data_stays = !path && options->data_stays;
    if (ONRI_PART(packed) && status == ONR_STATUS_OK && path)
      status = onri_packed_model_open(sources, model, options->packed_write, error);
    if (status == ONR_STATUS_OK && model->packed.part && options->packed)
      status = onr_fail(error, ONR_STATUS_ARGUMENT, "the model is a packed one already, with its weights in it");
    if (purpose == TO_PACK) onri_sources_track(sources, 1);
    if (status == ONR_STATUS_OK) status = finish(model, sources, path, options, NULL, error);
    else onri_sources_destroy(sources);
    if (status == ONR_STATUS_OK) tell_parts(model, options);
    if (status == ONR_STATUS_OK) status = prepare_to_vary(model, options, error);
    model->rereads = (path || options->data_stays) && !model->packed.has_holes;
  }
  status = onri_meter_settle_model(&model->meter, status, error);
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
  return load(path, NULL, 0, TO_RUN, options, model, error);
}

enum onr_status onr_model_load_memory(const void *data, size_t bytes, const struct onr_model_options *options,
                                      struct onr_model **model, struct onr_error *error) {
  if (!model) return onr_fail(error, ONR_STATUS_ARGUMENT, "model must not be NULL");
  *model = NULL;
  if (!data) return onr_fail(error, ONR_STATUS_ARGUMENT, "data must not be NULL");
  return load(NULL, data, bytes, TO_RUN, options, model, error);
}

/* --- packing --- */

/* Packs the weights into a file of their own, then loads with it and notes what is still read. */
static enum onr_status pack(const char *path, const struct onr_model_options *given,
                            const struct onri_atomic_file *packed, struct onr_error *error) {
  struct onr_model_options options = *given;
  struct onr_model *model;
  options.packed = packed->name;
  options.packed_write = 1;
  ONR_TRY(load(path, NULL, 0, TO_RUN, &options, &model, error));
  enum onr_status status = ONR_STATUS_OK;
  if (model->info.packed == ONR_PACKED_REFUSED) status = onri_atomic_file_fail(packed, model->info.packed_note, error);
  onr_model_destroy(model);
  if (status != ONR_STATUS_OK) return status;
  options.packed_write = 0;
  options.threads = NULL;
  ONR_TRY(load(path, NULL, 0, TO_PACK, &options, &model, error));
  if (model->info.packed == ONR_PACKED_MAPPED) /* A variant for other defaults packs anew, from all weights. */
    status =
        onri_packed_model_write(packed->path, model->keep, packed->name, model->num_defaults > 0, &model->env, error);
  else status = onri_atomic_file_fail(packed, model->info.packed_note, error);
  status = onri_meter_settle_model(&model->meter, status, error);
  onr_model_destroy(model);
  return status;
}

enum onr_status onr_model_pack(const char *path, const struct onr_model_options *given, const char *target,
                               struct onr_error *error) {
  struct onr_model_options options;
  const struct onr_allocator *allocator;
  struct onri_atomic_file packed; /* weights alone, of which the model's file is made */
  if (!path || !target) return onr_fail(error, ONR_STATUS_ARGUMENT, "path and target must not be NULL");
  ONR_TRY(onri_model_options_read(given, &options, error));
  ONR_TRY(onri_allocator_choose(options.allocator, &allocator, error));
  const char *why = onri_atomic_file_begin(&packed, target, onri_is_packed_model, allocator);
  if (!why) why = onri_atomic_file_close(&packed);
  const enum onr_status status =
      why ? onri_atomic_file_fail(&packed, why, error) : pack(path, &options, &packed, error);
  onri_atomic_file_end(&packed);
  return status;
}

/* --- writing --- */

enum onr_status onr_model_optimise(const char *path, const struct onr_model_options *given, const char *target,
                                   struct onr_model_info *info, struct onr_error *error) {
  struct onr_model_options options;
  struct onr_model *model;
  if (!path || !target) return onr_fail(error, ONR_STATUS_ARGUMENT, "path and target must not be NULL");
  ONR_TRY(onri_model_options_read(given, &options, error));
  options.packed = NULL;
  ONR_TRY(load(path, NULL, 0, TO_WRITE, &options, &model, error));
  enum onr_status status =
      model->packed.part
          ? onr_fail(error, ONR_STATUS_ARGUMENT, "a packed model has no weights for others")
          : onri_model_write(model, target, options.report, options.report_context, &model->info.num_nodes, error);
  status = onri_meter_settle_model(&model->meter, status, error);
  if (status == ONR_STATUS_OK && info) status = onr_model_get_info(model, info);
  onr_model_destroy(model);
  return status;
}
