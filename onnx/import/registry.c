/* registry.c: the caller's own layers, by domain and op type. */
#include "onnx/import/registry.h"

#include <string.h>

#include "base/memory/memory.h"

struct onr_registry {
  struct onri_arena arena; /* names */
  const struct onr_allocator *allocator;
  struct onri_registered *entries;
  size_t num_entries, capacity;
};

enum onr_status onr_registry_create(const struct onr_allocator *allocator, struct onr_registry **registry,
                                    struct onr_error *error) {
  if (!registry) return onr_fail(error, ONR_STATUS_ARGUMENT, "registry must not be NULL");
  *registry = NULL;
  ONR_TRY(onri_allocator_choose(allocator, &allocator, error));
  *registry = onri_allocate_zeroed(allocator, sizeof(**registry));
  if (!*registry) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a registry");
  (*registry)->allocator = allocator;
  onri_arena_init(&(*registry)->arena, allocator, 0);
  return ONR_STATUS_OK;
}

void onr_registry_destroy(struct onr_registry *registry) {
  if (!registry) return;
  onri_arena_clear(&registry->arena);
  onri_release(registry->allocator, registry->entries);
  onri_release(registry->allocator, registry);
}

static const char *canonical(const char *domain) { return !domain || !strcmp(domain, "ai.onnx") ? "" : domain; }

enum onr_status onr_registry_add(struct onr_registry *registry, const char *domain, const char *op_type,
                                 const struct onr_layer *layer,
                                 enum onr_status (*parse)(const struct onr_node *node, void *params,
                                                          struct onr_error *error),
                                 struct onr_error *error) {
  struct onri_registered entry = {.layer = layer, .parse = parse};
  if (!registry || !op_type || !*op_type || !layer)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "registry, op_type and layer must not be NULL or empty");
  if (onri_registry_find(registry, canonical(domain), op_type))
    return onr_fail(error, ONR_STATUS_ARGUMENT, "'%s' is registered twice in domain '%s'", op_type, canonical(domain));
  if (!layer->run) return onr_fail(error, ONR_STATUS_ARGUMENT, "the layer for '%s' has no run function", op_type);
  if (layer->layout >= ONR_LAYOUT_BUILT_IN || layer->control)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "the layout and control of the layer for '%s' are for built-in layers",
                    op_type);
  entry.domain = onri_arena_string(&registry->arena, canonical(domain));
  entry.op_type = onri_arena_string(&registry->arena, op_type);
  if (!entry.domain || !entry.op_type ||
      !onri_grow(registry->allocator, &registry->entries, sizeof(entry), &registry->capacity,
                 registry->num_entries + 1))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a registry entry");
  registry->entries[registry->num_entries++] = entry;
  return ONR_STATUS_OK;
}

const struct onri_registered *onri_registry_find(const struct onr_registry *registry, const char *domain,
                                                 const char *op_type) {
  for (size_t i = 0; registry && i < registry->num_entries; i++) {
    const struct onri_registered *entry = &registry->entries[i];
    if (!strcmp(entry->op_type, op_type) && !strcmp(entry->domain, domain)) return entry;
  }
  return NULL;
}
