/* binding.c: see binding.h. */
#include "binding.h"

#include <stdlib.h>

#include "memory.h"
#include "team.h"

static struct onr_error error;
static struct onr_limits limits = {.size = sizeof(struct onr_limits)};
static struct onr_threads *threads; /* NULL: one */
static struct onr_model *model;
static struct onr_session *session;

const char *onrw_error_status(void) { return onr_status_name(error.status); }
const char *onrw_error_where(void) { return error.where; }
const char *onrw_error_message(void) { return error.message; }

const char *onrw_version(void) { return onr_version(); }

const char *onrw_dtype_name(int32_t dtype) { return onr_dtype_name((enum onr_dtype)dtype); }

int onrw_set_threads(uint32_t count, int may_wait) {
  const struct onr_thread_pool pool = {.size = sizeof(pool), .num_threads = count, .run = team_run};
  if (threads) return onr_fail(&error, ONR_STATUS_STATE, "threads are set already");
  team_begin(count, may_wait);
  return onr_threads_create_custom(&pool, &onrw_allocator, &threads, &error);
}

void onrw_thread(uint32_t index) { team_work(index); }

int onrw_set_limit(const char *name, const char *value) { return onr_limits_set(&limits, name, value, &error); }

int onrw_load(const void *data, size_t bytes, int has_files) {
  const struct onr_model_options options = {.size = sizeof(options),
                                            .allocator = &onrw_allocator,
                                            .limits = &limits,
                                            .threads = threads,
                                            .data_stays = 1,
                                            .external_directory = has_files ? "/" : NULL};
  const struct onr_session_options session_options = {.size = sizeof(session_options), .threads = threads};
  if (model) return onr_fail(&error, ONR_STATUS_STATE, "this instance has a model already");
  ONR_TRY(onr_model_load_memory(data, bytes, &options, &model, &error));
  return onr_session_create(model, &session_options, &session, &error);
}

size_t onrw_count_required(void) { return onr_model_num_inputs(model); }

size_t onrw_count(int kind) {
  return kind == ONRW_INPUT ? onr_model_num_inputs(model) + onr_model_num_defaults(model)
                            : onr_model_num_outputs(model);
}

const struct onrw_value *onrw_value(int kind, size_t index) {
  static struct onrw_value value;
  const struct onr_value_info *info =
      kind == ONRW_INPUT ? onr_model_input(model, index) : onr_model_output(model, index);
  if (!info) return NULL;
  value =
      (struct onrw_value){.name = info->name, .type = info->type, .dtype = (int32_t)info->dtype, .rank = info->rank};
  for (int32_t d = 0; d < info->rank; d++) {
    value.dim[d] = (double)info->dim[d];
    value.dim_name[d] = info->dim_name[d];
  }
  return &value;
}

int onrw_set_input(size_t index, const struct onr_tensor *tensor) {
  return onr_session_set_input(session, index, tensor, &error);
}

int onrw_run(void) { return onr_session_run(session, &error); }

int onrw_output(size_t index, struct onr_tensor *tensor) {
  return onr_session_get_output(session, index, tensor, &error);
}

int32_t onrw_sequence_length(const struct onr_tensor *sequence) { return (int32_t)onr_sequence_length(sequence); }

void onrw_sequence_entry(const struct onr_tensor *sequence, int32_t index, struct onr_tensor *entry) {
  *entry = onr_sequence_entry(sequence, index);
}

void onrw_sequence_make(int32_t kind, const struct onr_tensor *entries, int32_t count, struct onr_tensor *sequence) {
  sequence->desc = onr_sequence_desc((enum onr_dtype)kind, entries, count);
  sequence->data = malloc((size_t)sequence->desc.dim[0]);
  if (sequence->data) onr_sequence_write(entries, count, sequence->data);
}
