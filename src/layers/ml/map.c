/* map.c: maps (sequence.h) from and to tensors: zip_map makes one of each row, map_values reads one.
 *
 * ONNX ai.onnx.ml ZipMap-1, CastMap-1, DictVectorizer-1
 * Sizes depend on contents, so both are DYNAMIC.
 */
#include "onnxrun/sequence.h"

#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/shape.h"
#include "layers/index/indices.h"
#include "layers/layers.h"
#include "layers/index/sorted_keys.h"

#define KEY_DTYPES (ONRI_DTYPE_BIT(ONR_DTYPE_I64) | ONRI_DTYPE_BIT(ONR_DTYPE_STRING))

/* --- zip_map: x [n, k], keys [k] --- */

static enum onr_status zip_infer(struct onr_call *call) {
  const struct onr_desc *x = &call->in[0];
  ONR_TRY(onri_expect_rank(call, 0, 1, 2));
  ONR_TRY(onri_expect_rank(call, 1, 1, 1));
  if (x->dim[x->rank - 1] != call->in[1].dim[0])
    return onr_fail(call->error, ONR_STATUS_SHAPE, "%lld keys for rows of %lld values", (long long)call->in[1].dim[0],
                    (long long)x->dim[x->rank - 1]);
  call->out[0] = (struct onr_desc){.dtype = ONR_DTYPE_SEQUENCE, .rank = 1};
  return ONR_STATUS_OK;
}

/* The maps are written side by side first: rows times `each` bytes after the list of them. */
static enum onr_status write_maps(struct onr_call *call, struct onr_tensor *maps, size_t rows,
                                  const struct onr_desc *map) {
  const struct onr_desc *x = &call->in[0], values = onr_desc_make(x->dtype, 1, &x->dim[x->rank - 1]);
  char *memory = (char *)(maps + rows);
  for (size_t i = 0; i < rows; i++) {
    const struct onr_tensor entries[2] = {{call->in[1], (void *)(uintptr_t)call->inputs[1]},
                                          {values, (char *)(uintptr_t)call->inputs[0] + i * onr_desc_bytes(&values)}};
    maps[i] = (struct onr_tensor){*map, memory + i * (size_t)map->dim[0]};
    onr_sequence_write(entries, 2, maps[i].data);
    ONR_TRY(onri_env_poll(call->env, call->error));
  }
  const struct onr_desc all = onr_sequence_desc(ONR_DTYPE_SEQUENCE, maps, (int64_t)rows);
  void *data;
  ONR_TRY(onr_call_resize(call, 0, &all, &data));
  if (data) onr_sequence_write(maps, (int64_t)rows, data);
  return ONR_STATUS_OK;
}

static enum onr_status zip_run(struct onr_call *call) {
  const struct onr_desc *x = &call->in[0], values = onr_desc_make(x->dtype, 1, &x->dim[x->rank - 1]);
  const struct onr_tensor entries[2] = {{.desc = call->in[1]}, {.desc = values}};
  const struct onr_desc map = onr_sequence_desc(ONR_DTYPE_MAP, entries, 2);
  const size_t rows = x->rank == 2 ? (size_t)x->dim[0] : 1;
  size_t bytes;
  if (!onri_add_size((size_t)map.dim[0], sizeof(struct onr_tensor), &bytes) || !onri_mul_size(rows, bytes, &bytes) ||
      bytes > call->env->limits.tensor_bytes)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "%zu maps of %lld bytes exceed the limit tensor_bytes", rows,
                    (long long)map.dim[0]);
  struct onr_tensor *maps = onri_allocate(call->env->allocator, bytes);
  if (!maps) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for %zu maps", rows);
  const enum onr_status status = write_maps(call, maps, rows, &map);
  onri_release(call->env->allocator, maps);
  return status;
}

/* --- map_values: map, keys [n] --- */

enum { MAP, WANTED };

struct map_prepared {
  struct onri_sorted_keys wanted;
};

static enum onr_status check_wanted(const struct onr_call *call) { return onri_expect_rank(call, WANTED, 1, 1); }

static enum onr_status values_infer(struct onr_call *call) {
  if (onri_has(call, WANTED)) ONR_TRY(check_wanted(call));
  call->out[0] = (struct onr_desc){0}; /* known when the map is */
  return ONR_STATUS_OK;
}

static enum onr_status values_prepare(struct onr_call *call) {
  struct map_prepared *prepared = call->prepared;
  if (!onri_has(call, WANTED)) return ONR_STATUS_OK;
  const size_t count = (size_t)onr_desc_elements(&call->in[WANTED]);
  if (!call->inputs[WANTED])
    return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "the keys that are wanted of a map must be constants");
  ONR_TRY(check_wanted(call));
  return onri_sorted_keys_make(&prepared->wanted, call->in[WANTED].dtype, call->inputs[WANTED], count, call->env,
                               call->error);
}

static void values_release(void *prepared, struct onr_env *env) {
  onri_sorted_keys_release(&((struct map_prepared *)prepared)->wanted, env);
}

static enum onr_status read_map(const struct onr_call *call, struct onr_tensor *keys, struct onr_tensor *values) {
  const struct onr_tensor map = {call->in[MAP], (void *)(uintptr_t)call->inputs[MAP]};
  if (onr_sequence_length(&map) != 2)
    return onr_fail(call->error, ONR_STATUS_TYPE, "input 0 is no map of keys and values");
  *keys = onr_sequence_entry(&map, 0);
  *values = onr_sequence_entry(&map, 1);
  if (!(KEY_DTYPES & ONRI_DTYPE_BIT(keys->desc.dtype)) || !onri_dtype_is_element(values->desc.dtype) ||
      keys->desc.rank != 1 || values->desc.rank != 1 || keys->desc.dim[0] != values->desc.dim[0])
    return onr_fail(call->error, ONR_STATUS_TYPE,
                    "input 0 is a map of %s to %s: expected as many int64 or strings as values",
                    onr_dtype_name(keys->desc.dtype), onr_dtype_name(values->desc.dtype));
  return ONR_STATUS_OK;
}

/* Where the value of each key goes: -1: nowhere. */
static enum onr_status find_places(struct onr_call *call, const struct onr_tensor *keys, int64_t *places) {
  const struct onr_map_values_params *p = call->params;
  const struct map_prepared *prepared = call->prepared;
  const size_t count = (size_t)keys->desc.dim[0];
  const enum onr_dtype expected = onri_has(call, WANTED) ? call->in[WANTED].dtype : ONR_DTYPE_I64;
  if (keys->desc.dtype != expected)
    return onr_fail(call->error, ONR_STATUS_TYPE, "a map with keys of %s: expected %s",
                    onr_dtype_name(keys->desc.dtype), onr_dtype_name(expected));
  if (onri_has(call, WANTED)) {
    onri_sorted_keys_find(&prepared->wanted, keys->data, count, places);
  } else if (p->by_position) {
    for (size_t i = 0; i < count; i++) {
      const int64_t key = ((const int64_t *)keys->data)[i];
      places[i] = key >= 0 && key < p->length ? key : -1;
    }
  } else {
    struct onri_sorted_keys sorted;
    const enum onr_status status =
        onri_sorted_keys_make(&sorted, keys->desc.dtype, keys->data, count, call->env, call->error);
    for (size_t i = 0; status == ONR_STATUS_OK && i < count; i++) places[sorted.order[i]] = (int64_t)i;
    onri_sorted_keys_release(&sorted, call->env);
    return status;
  }
  return ONR_STATUS_OK;
}

static enum onr_status write_values(struct onr_call *call, const struct onr_tensor *values, const int64_t *places,
                                    int64_t length) {
  const struct onr_map_values_params *p = call->params;
  const int64_t dims[2] = {p->row ? 1 : length, length};
  const struct onr_desc desc = onr_desc_make(values->desc.dtype, p->row ? 2 : 1, dims);
  const size_t size = onr_dtype_size(desc.dtype);
  void *data;
  ONR_TRY(onr_call_resize(call, 0, &desc, &data));
  if (!data) return ONR_STATUS_OK;
  struct onri_pace pace = {call->env, 0};
  if (desc.dtype == ONR_DTYPE_STRING)
    for (int64_t i = 0; i < length && !onri_pace_stop(&pace, 8); i++)
      ((struct onr_string *)data)[i] = (struct onr_string){"", 0};
  else ONR_TRY(onri_env_copy(call->env, data, NULL, (size_t)length * size, call->error));
  for (int64_t i = 0; i < values->desc.dim[0]; i++)
    if (places[i] >= 0)
      onri_copy_element((char *)data + (size_t)places[i] * size, (const char *)values->data + (size_t)i * size, size);
  return ONR_STATUS_OK;
}

static enum onr_status values_run(struct onr_call *call) {
  const struct onr_map_values_params *p = call->params;
  struct onr_tensor keys, values;
  ONR_TRY(read_map(call, &keys, &values));
  int64_t *places = onr_env_allocate(call->env, (size_t)keys.desc.dim[0] * sizeof(*places));
  if (!places)
    return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for a map of %lld", (long long)keys.desc.dim[0]);
  enum onr_status status = find_places(call, &keys, places);
  const int64_t length = onri_has(call, WANTED) ? call->in[WANTED].dim[0]
                         : p->by_position       ? p->length
                                                : keys.desc.dim[0];
  if (status == ONR_STATUS_OK) status = write_values(call, &values, places, length);
  onr_env_release(call->env, places);
  return status;
}

const struct onr_layer onri_layer_zip_map = {.name = "zip_map",
                                             .inputs_min = 2,
                                             .inputs_max = 2,
                                             .outputs_min = 1,
                                             .outputs_max = 1,
                                             .types = {ONRI_DTYPES_NUMBER, KEY_DTYPES},
                                             .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_MAKES_CONTAINERS,
                                             .infer = zip_infer,
                                             .run = zip_run};
const struct onr_layer onri_layer_map_values = {.name = "map_values",
                                                .inputs_min = 1,
                                                .inputs_max = 2,
                                                .outputs_min = 1,
                                                .outputs_max = 1,
                                                .types = {ONRI_DTYPE_BIT(ONR_DTYPE_MAP), KEY_DTYPES},
                                                .flags = ONR_LAYER_DYNAMIC,
                                                .params_size = sizeof(struct onr_map_values_params),
                                                .prepared_size = sizeof(struct map_prepared),
                                                .infer = values_infer,
                                                .prepare = values_prepare,
                                                .run = values_run,
                                                .release_prepared = values_release};
