/* inputs: from files, or random. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static int ends_with(const char *text, const char *suffix) {
  const size_t n = strlen(text), m = strlen(suffix);
  return n >= m && strcmp(text + n - m, suffix) == 0;
}

int read_tensors(const char *path, enum onr_dtype kind, struct tensor_list *list) {
  struct onr_error error = {0};
  struct named_tensor *item;
  if (ends_with(path, ".npz")) return npz_read(path, list);
  item = list_add(list, "");
  if (!item) return complain(EXIT_OTHER, "%s: no memory", path);
  if (ends_with(path, ".npy")) return npy_read(path, &item->tensor);
  const enum onr_status status = onr_value_proto_load(path, kind, NULL, &item->tensor, item->name, sizeof(item->name), &error);
  if (status == ONR_STATUS_OK) return 0;
  return complain(status == ONR_STATUS_IO ? EXIT_OTHER : EXIT_USAGE, "%s: %s", path, error.message);
}

static int unknown_input(const struct onr_model *model, const char *name) {
  char known[512] = "";
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const size_t used = strlen(known);
    snprintf(known + used, sizeof(known) - used, "%s'%s'", i ? ", " : "", onr_model_input(model, i)->name);
  }
  return complain(EXIT_USAGE, "the model has no input '%s'; it has %s", name, known);
}

/* "NAME=FILE", or "FILE.npz" whose members are named as inputs. */
static int read_input(const char *text, const struct onr_model *model, struct tensor_list *list) {
  const char *equals = strchr(text, '=');
  const size_t first = list->count;
  char name[sizeof(list->items[0].name)] = "";
  if (equals) snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
  if (equals && onr_model_find_input(model, name) < 0) return unknown_input(model, name);
  const struct onr_value_info *info = equals ? onr_model_input(model, (size_t)onr_model_find_input(model, name)) : NULL;
  int code = read_tensors(equals ? equals + 1 : text, info ? info->dtype : ONR_DTYPE_NONE, list);
  if (code) return code;
  if (equals) {
    if (list->count != first + 1) return complain(EXIT_USAGE, "%s: expected one tensor, found %zu", text, list->count - first);
    memcpy(list->items[first].name, name, sizeof(name));
  }
  for (size_t i = first; i < list->count; i++)
    if (onr_model_find_input(model, list->items[i].name) < 0) return unknown_input(model, list->items[i].name);
  return 0;
}

static int same_name(const struct name_size *dim, const char *name) {
  return strlen(name) == dim->length && strncmp(name, dim->name, dim->length) == 0;
}

/* A dynamic dimension that no --dim names is 1 when it comes first (a batch), else `otherwise`. */
static int64_t dim_size(const struct options *options, const struct onr_value_info *info, int32_t d, int64_t otherwise) {
  char position[640];
  if (info->dim[d] >= 0) return info->dim[d];
  snprintf(position, sizeof(position), "%s.%d", info->name, d);
  for (size_t i = 0; i < options->num_dims; i++)
    if (same_name(&options->dims[i], position) || (info->dim_name[d] && same_name(&options->dims[i], info->dim_name[d])))
      return options->dims[i].size;
  return d ? otherwise : 1;
}

static uint64_t next_random(uint64_t *state) { /* splitmix64 */
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/* Floats in [-1, 1), integers in 0..9, booleans 0 or 1, other types zero. */
static void fill(struct onr_tensor *tensor, uint64_t *state) {
  const int64_t count = onr_desc_elements(&tensor->desc);
  const size_t size = onr_dtype_size(tensor->desc.dtype);
  memset(tensor->data, 0, onr_desc_bytes(&tensor->desc));
  for (int64_t i = 0; i < count; i++) {
    const uint64_t r = next_random(state);
    const double real = (double)(r >> 11) / 4503599627370496.0 - 1;
    switch (tensor->desc.dtype) {
      case ONR_DTYPE_F32: ((float *)tensor->data)[i] = (float)real; break;
      case ONR_DTYPE_F64: ((double *)tensor->data)[i] = real; break;
      case ONR_DTYPE_BOOL: ((uint8_t *)tensor->data)[i] = r & 1; break;
      case ONR_DTYPE_I8: case ONR_DTYPE_U8: case ONR_DTYPE_I16: case ONR_DTYPE_U16:
      case ONR_DTYPE_I32: case ONR_DTYPE_U32: case ONR_DTYPE_I64: case ONR_DTYPE_U64:
        ((uint8_t *)tensor->data)[(size_t)i * size] = (uint8_t)((r >> 8) % 10); /* little-endian: the low byte */
        break;
      default: return;
    }
  }
}

static int add_random(const struct options *options, const struct onr_value_info *info, int64_t otherwise, uint64_t *state,
                      struct tensor_list *list) {
  struct named_tensor *item = list_add(list, info->name);
  if (!item) return complain(EXIT_OTHER, "no memory for input '%s'", info->name);
  if (info->rank < 0 || info->dtype == ONR_DTYPE_NONE)
    return complain(EXIT_USAGE, "input '%s': the model does not declare its shape; give it with -i %s=FILE.npy", info->name, info->name);
  item->tensor.desc.dtype = info->dtype;
  item->tensor.desc.rank = info->rank;
  for (int32_t d = 0; d < info->rank; d++) item->tensor.desc.dim[d] = dim_size(options, info, d, otherwise);
  const size_t bytes = onr_desc_bytes(&item->tensor.desc);
  item->tensor.data = bytes < SIZE_MAX / 2 ? malloc(bytes + 1) : NULL;
  if (!item->tensor.data) return complain(EXIT_OTHER, "no memory for the %zu bytes of input '%s'", bytes, info->name);
  fill(&item->tensor, state);
  return 0;
}

static int check_dims_are_used(const struct options *options, const struct onr_model *model) {
  for (size_t k = 0; k < options->num_dims; k++) {
    int used = 0;
    for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
      const struct onr_value_info *info = onr_model_input(model, i);
      for (int32_t d = 0; d < info->rank; d++) {
        char position[640];
        snprintf(position, sizeof(position), "%s.%d", info->name, d);
        used |= info->dim[d] < 0 && (same_name(&options->dims[k], position) || (info->dim_name[d] && same_name(&options->dims[k], info->dim_name[d])));
      }
    }
    if (!used) return complain(EXIT_USAGE, "--dim: the model has no dynamic dimension '%.*s'", (int)options->dims[k].length, options->dims[k].name);
  }
  return 0;
}

/* Sets the inputs that have files, and random ones for the others, dynamic dimensions as dim_size says. */
static int set_inputs(const struct options *options, const struct loaded *loaded, int64_t otherwise, struct tensor_list *inputs) {
  uint64_t state = options->seed;
  struct onr_error error = {0};
  for (size_t i = 0; i < onr_model_num_inputs(loaded->model); i++) {
    const struct onr_value_info *info = onr_model_input(loaded->model, i);
    int code = 0;
    if (!list_find(inputs, info->name)) code = add_random(options, info, otherwise, &state, inputs);
    if (code) return code;
    const enum onr_status status = onr_session_set_input(loaded->session, i, &list_find(inputs, info->name)->tensor, &error);
    if (status != ONR_STATUS_OK) return report_failure(status, &error);
  }
  return 0;
}

static void drop_last(struct tensor_list *list, size_t count) {
  while (list->count > count) onr_tensor_release(NULL, &list->items[--list->count].tensor);
}

/* Images, sequences and batches want different sizes: the first that the model can be planned for is taken. */
int make_inputs(const struct options *options, const struct loaded *loaded, struct tensor_list *inputs) {
  static const int64_t sizes[] = {1, 16, 64, 224};
  const size_t last = sizeof(sizes) / sizeof(sizes[0]) - 1;
  struct onr_error error = {0};
  int code = check_dims_are_used(options, loaded->model);
  for (size_t i = 0; !code && i < options->num_inputs; i++) code = read_input(options->inputs[i], loaded->model, inputs);
  const size_t given = inputs->count;
  for (size_t k = 0; !code; k++) {
    code = set_inputs(options, loaded, sizes[k], inputs);
    if (code || onr_session_plan(loaded->session, &error) == ONR_STATUS_OK || k == last) break;
    drop_last(inputs, given);
  }
  return code;
}
