/* states.c: outputs that are inputs of the next run, and inputs that have one part for each run. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* A * stands for any text. */
static int matches(const char *pattern, size_t length, const char *name) {
  const char *star = memchr(pattern, '*', length);
  const size_t n = strlen(name);
  if (!star) return n == length && !memcmp(pattern, name, n);
  const size_t before = (size_t)(star - pattern), behind = length - before - 1;
  return n >= before + behind && !memcmp(pattern, name, before) && !memcmp(star + 1, name + n - behind, behind);
}

int is_state_input(const struct options *options, const char *name) {
  for (const char *at = options->state; at && *at;) {
    const size_t length = strcspn(at, ","), equals = strcspn(at, "=");
    if (equals < length && matches(at + equals + 1, length - equals - 1, name)) return 1;
    at += length + (at[length] == ',');
  }
  return 0;
}

int declare_states(const struct options *options, const struct loaded *loaded) {
  struct onr_error error = {0};
  if (!options->state) return 0;
  const enum onr_status status = onr_session_add_states(loaded->session, options->state, NULL, &error);
  return status == ONR_STATUS_OK ? 0 : report_as(EXIT_USAGE, "--state", loaded->path, &error, "");
}

/* --- frames --- */

/* With states, an array of one dimension more than the input has is one part for each run. */
void find_frames(const struct options *options, const struct onr_model *model, struct named_tensor *item) {
  const int index = onr_model_find_input(model, item->name);
  const struct onr_value_info *info = index >= 0 ? onr_model_input(model, (size_t)index) : NULL;
  if (!info || item->frames || !options->state || info->rank < 0 || is_state_input(options, item->name)) return;
  if (item->tensor.desc.rank == info->rank + 1 && item->tensor.desc.dim[0] > 0) item->frames = item->tensor.desc.dim[0];
}

struct onr_tensor frame_of(const struct named_tensor *item, int64_t frame) {
  struct onr_tensor part = item->tensor;
  if (!item->frames) return part;
  part.desc.rank--;
  memmove(part.desc.dim, part.desc.dim + 1, (size_t)part.desc.rank * sizeof(*part.desc.dim));
  part.data = (char *)part.data + (size_t)frame * onr_desc_bytes(&part.desc);
  return part;
}

int count_frames(const struct inputs *inputs, int64_t *frames) {
  const struct named_tensor *first = NULL;
  *frames = 0;
  for (size_t i = 0; i < inputs->list.count; i++) {
    const struct named_tensor *item = &inputs->list.items[i];
    if (!item->frames) continue;
    if (first && item->frames != *frames)
      return complain(EXIT_USAGE, "input '%s' has %lld frames, and '%s' has %lld", first->name, (long long)*frames,
                      item->name, (long long)item->frames);
    first = item;
    *frames = item->frames;
  }
  return 0;
}

/* --- what comes out --- */

void clear_results(struct results *results) {
  for (size_t i = 0; results->is_owned && i < results->count; i++) free(results->items[i].data);
  free(results->items);
  *results = (struct results){0};
}

static int make_room(const struct loaded *l, struct results *r, size_t i, const struct onr_tensor *y, int64_t frames) {
  struct onr_desc *desc = &r->items[i].desc;
  *desc = y->desc;
  if (y->desc.dtype == ONR_DTYPE_STRING || y->desc.dtype > ONR_DTYPE_LAST_IN_FILES || y->desc.rank == ONR_MAX_RANK)
    return complain(EXIT_USAGE, "output '%s' of each of %lld frames is %s: only numbers are put together",
                    onr_model_output(l->model, i)->name, (long long)frames, onr_dtype_name(y->desc.dtype));
  memmove(desc->dim + 1, desc->dim, (size_t)desc->rank++ * sizeof(*desc->dim));
  desc->dim[0] = frames;
  size_t bytes;
  if (__builtin_mul_overflow(onr_desc_bytes(&y->desc), (size_t)frames, &bytes) || bytes > SIZE_MAX / 4 ||
      !(r->items[i].data = malloc(bytes + 1)))
    return complain(EXIT_OTHER, "no memory for output '%s' of %lld frames", onr_model_output(l->model, i)->name,
                    (long long)frames);
  return 0;
}

struct keeping {
  const struct loaded *loaded;
  struct results *results;
};

static int keep(void *context, int64_t frame, int64_t frames) {
  const struct loaded *l = ((struct keeping *)context)->loaded;
  struct results *r = ((struct keeping *)context)->results;
  r->is_owned = frames > 0;
  for (size_t i = 0; i < r->count; i++) {
    struct onr_tensor y = {0};
    onr_session_get_output(l->session, i, &y, NULL);
    if (!frames) {
      r->items[i] = y;
      continue;
    }
    const int code = frame ? 0 : make_room(l, r, i, &y, frames);
    if (code) return code;
    const struct named_tensor all = {.tensor = r->items[i], .frames = frames};
    const struct onr_tensor part = frame_of(&all, frame);
    if (!onr_desc_equal(&part.desc, &y.desc))
      return complain(EXIT_USAGE,
                      "output '%s' has another shape in frame %lld than before: frames cannot be put together",
                      onr_model_output(l->model, i)->name, (long long)frame);
    if (onr_desc_bytes(&y.desc)) memcpy(part.data, y.data, onr_desc_bytes(&y.desc));
  }
  return 0;
}

static int set_frame(const struct loaded *l, const struct inputs *inputs, int64_t frame) {
  struct onr_error error = {0};
  for (size_t i = 0; i < inputs->list.count; i++) {
    const struct named_tensor *item = &inputs->list.items[i];
    const struct onr_tensor part = frame_of(item, frame);
    const size_t index = (size_t)onr_model_find_input(l->model, item->name);
    if (!item->frames) continue;
    const enum onr_status status = onr_session_set_input(l->session, index, &part, &error);
    if (status != ONR_STATUS_OK) return report_failure(status, l->path, &error);
  }
  return 0;
}

/* The first run shows whether the model takes states that begin empty. */
static enum onr_status run_one(const struct options *options, const struct loaded *l, struct inputs *inputs,
                               int is_first, struct onr_error *error) {
  struct onr_error second;
  const enum onr_status status = onr_session_run(l->session, error);
  if (status == ONR_STATUS_OK || !is_first || !begin_states(options, l, inputs)) return status;
  return onr_session_run(l->session, &second) == ONR_STATUS_OK ? ONR_STATUS_OK : status;
}

int run_each(const struct options *options, const struct loaded *l, struct inputs *inputs,
             int (*after)(void *context, int64_t frame, int64_t frames), void *context) {
  struct onr_error error = {0};
  int64_t frames;
  int code = count_frames(inputs, &frames);
  for (int64_t f = 0; !code && (f < frames || !f); f++) {
    code = set_frame(l, inputs, f);
    if (code) break;
    progress("frame %lld of %lld", (long long)f + 1, (long long)frames);
    const enum onr_status status = run_one(options, l, inputs, !f, &error);
    if (status != ONR_STATUS_OK) code = report_run_failure(status, options, l, inputs, &error);
    else if (after) code = after(context, f, frames);
  }
  progress_end();
  return code;
}

int run_frames(const struct options *options, const struct loaded *l, struct inputs *inputs, struct results *results) {
  struct keeping keeping = {l, results};
  *results = (struct results){.count = onr_model_num_outputs(l->model)};
  results->items = calloc(results->count + 1, sizeof(*results->items));
  if (!results->items) return complain(EXIT_OTHER, "no memory for %zu outputs", results->count);
  return run_each(options, l, inputs, keep, &keeping);
}
