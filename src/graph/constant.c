/* constant.c: contents of constants, in memory or still in the file, shared by reference count. */
#include "base/numbers/checked.h"
#include "graph/graph.h"

#include <string.h>

static void *allocate_data(const struct onr_allocator *allocator, const struct onr_desc *desc) {
  size_t bytes;
  char *data;
  if (!onri_add_size(onr_desc_bytes(desc), ONR_SLACK_BYTES, &bytes)) return NULL;
  data = onri_allocate(allocator, bytes);
  if (data) memset(data + bytes - ONR_SLACK_BYTES, 0, ONR_SLACK_BYTES);
  return data;
}

struct onri_constant *onri_constant_create(struct onr_env *env, const struct onr_desc *desc) {
  struct onri_constant *constant = onri_allocate_zeroed(env->allocator, sizeof(*constant));
  if (!constant) return NULL;
  *constant = (struct onri_constant){.desc = *desc, .allocator = env->allocator, .references = 1, .owned = 1};
  constant->data = allocate_data(env->allocator, desc);
  if (!constant->data) {
    onri_release(env->allocator, constant);
    return NULL;
  }
  return constant;
}

void onri_constant_retain(struct onri_constant *constant) { constant->references++; }

void onri_constant_release(struct onri_constant *constant) {
  while (constant && --constant->references == 0) {
    struct onri_constant *of = constant->of;
    if (constant->owned) onri_release(constant->allocator, constant->data);
    onri_release(constant->allocator, constant);
    constant = of;
  }
}

void onri_graph_unload(struct onri_graph *graph) {
  enum { LEAST = 1 << 16 };
  for (size_t v = 0; v < graph->num_values; v++) {
    struct onri_constant *constant = graph->values[v].constant;
    if (!constant || !constant->load || !constant->data || !constant->owned) continue;
    if (onr_desc_bytes(&constant->desc) < LEAST) continue;
    onri_release(constant->allocator, constant->data);
    constant->data = NULL;
  }
}

enum onr_status onri_constant_load(struct onri_constant *constant, struct onr_error *error) {
  void *data;
  enum onr_status status;
  if (constant->data) return ONR_STATUS_OK;
  if (!constant->load) return onr_fail(error, ONR_STATUS_INTERNAL, "a constant was read after it had been packed");
  data = allocate_data(constant->allocator, &constant->desc);
  if (!data)
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a tensor of %zu bytes",
                    onr_desc_bytes(&constant->desc));
  status = constant->load(constant->source, constant, data, error);
  if (status != ONR_STATUS_OK) {
    onri_release(constant->allocator, data);
    return status;
  }
  constant->data = data;
  constant->owned = 1;
  return ONR_STATUS_OK;
}

const void *onri_value_data(struct onri_graph *graph, int32_t v, enum onr_status *status, struct onr_error *error) {
  struct onri_constant *constant;
  if (v == ONRI_NONE || !graph->values[v].constant) return NULL;
  constant = graph->values[v].constant;
  if (!constant->data) {
    const enum onr_status loaded = onri_constant_load(constant, error);
    if (loaded != ONR_STATUS_OK) {
      *status = loaded;
      return NULL;
    }
  }
  return constant->data;
}
