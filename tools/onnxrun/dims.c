/* dims.c: the dynamic dimensions of a model's inputs, by their names. */
#include <string.h>

#include "tool.h"

enum { LABEL = 640 };

const char *dim_label(const struct onr_value_info *info, int32_t d, char *text, size_t size) {
  if (info->dim_name[d]) return info->dim_name[d];
  snprintf(text, size, "%s.%d", info->name, d);
  return text;
}

const char *declared_text(const struct onr_value_info *info, char *text, size_t size) {
  if (info->type) return snprintf(text, size, "%s", info->type), text;
  size_t n = (size_t)snprintf(text, size, "%s[", info->dtype == ONR_DTYPE_NONE ? "?" : onr_dtype_name(info->dtype));
  if (info->rank < 0) snprintf(text + n, size - n, "?");
  for (int32_t d = 0; d < info->rank && n < size; d++) {
    const char *comma = d ? "," : "";
    if (info->dim[d] >= 0) n += (size_t)snprintf(text + n, size - n, "%s%lld", comma, (long long)info->dim[d]);
    else n += (size_t)snprintf(text + n, size - n, "%s%s", comma, info->dim_name[d] ? info->dim_name[d] : "?");
  }
  n = strlen(text);
  if (n + 1 < size) memcpy(text + n, "]", 2);
  return text;
}

static int same_name(const struct name_size *dim, const char *name) {
  return strlen(name) == dim->length && !strncmp(name, dim->name, dim->length);
}

/* A dimension answers to its name and to its place. */
static int is_called(const struct onr_value_info *info, int32_t d, const struct name_size *dim) {
  char place[LABEL];
  if (info->dim[d] >= 0) return 0;
  snprintf(place, sizeof(place), "%s.%d", info->name, d);
  return same_name(dim, place) || (info->dim_name[d] && same_name(dim, info->dim_name[d]));
}

static const struct name_size *given_size(const struct options *options, const struct onr_value_info *info, int32_t d) {
  for (size_t k = 0; k < options->num_dims; k++)
    if (is_called(info, d, &options->dims[k])) return &options->dims[k];
  return NULL;
}

/* "INPUT.2" of a dimension whose size the model gives; -1: no such place. */
static int64_t fixed_size(const struct onr_model *model, const struct name_size *dim) {
  char place[LABEL];
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    for (int32_t d = 0; d < info->rank; d++) {
      snprintf(place, sizeof(place), "%s.%d", info->name, d);
      if (info->dim[d] >= 0 && same_name(dim, place)) return info->dim[d];
    }
  }
  return -1;
}

/* "'x' [1,3]", of all inputs. */
static const char *list_inputs(const struct onr_model *model, struct listing *listing) {
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    struct line dims = {0};
    for (int32_t d = 0; d < info->rank; d++) line_add(&dims, "%s%lld", d ? "," : "", (long long)info->dim[d]);
    listing_add(listing, "'%s' [%s]", info->name, info->rank < 0 ? "?" : dims.text);
  }
  return listing_text(listing);
}

static int unknown_dim(const struct onr_model *model, const struct name_size *dim) {
  struct suggestion s = suggest_for(dim->name, dim->length);
  struct line known = {0}, what = {0};
  struct listing inputs = {0};
  char text[LABEL], nearest[LABEL] = "";
  const int64_t size = fixed_size(model, dim);
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    for (int32_t d = 0; d < info->rank; d++) {
      char quoted[LABEL + 2];
      if (info->dim[d] >= 0) continue;
      const char *label = dim_label(info, d, text, sizeof(text));
      snprintf(quoted, sizeof(quoted), "'%s'", label);
      if (strstr(known.text, quoted)) continue;
      line_add(&known, "%s%s", known.text[0] ? ", " : "; it has ", quoted);
      suggest(&s, label);
      if (s.nearest == label) snprintf(nearest, sizeof(nearest), "%s", label), s.nearest = nearest;
    }
  }
  if (!known.text[0]) line_add(&known, "; all are fixed: %s", list_inputs(model, &inputs));
  if (size >= 0) line_add(&what, "'%.*s' is fixed to %lld, not dynamic", (int)dim->length, dim->name, (long long)size);
  else line_add(&what, "the model has no dynamic dimension '%.*s'", (int)dim->length, dim->name);
  return complain(EXIT_USAGE, "--dim: %s%s%s", what.text, known.text, size >= 0 ? "" : suggested(&s).text);
}

static int is_used(const struct onr_model *model, const struct name_size *dim) {
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    for (int32_t d = 0; d < info->rank; d++)
      if (is_called(info, d, dim)) return 1;
  }
  return 0;
}

/* Two that mean the same dimension, be it by name and by place. */
static int check_once(const struct options *options, const struct onr_value_info *info, int32_t d) {
  const struct name_size *first = NULL;
  for (size_t k = 0; k < options->num_dims; k++) {
    const struct name_size *dim = &options->dims[k];
    if (!is_called(info, d, dim)) continue;
    if (first) return complain(EXIT_USAGE, "--dim %s and --dim %s give one dimension twice", first->name, dim->name);
    first = dim;
  }
  return 0;
}

int check_dims(const struct options *options, const struct onr_model *model) {
  for (size_t k = 0; k < options->num_dims; k++)
    if (!is_used(model, &options->dims[k])) return unknown_dim(model, &options->dims[k]);
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    for (int32_t d = 0; d < info->rank; d++) {
      const int code = check_once(options, info, d);
      if (code) return code;
    }
  }
  return 0;
}

int check_dims_of_files(const struct options *options, const struct onr_model *model,
                        const struct tensor_list *inputs) {
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    const struct named_tensor *item = list_find(inputs, info->name);
    for (int32_t d = 0; item && d < info->rank && d < item->tensor.desc.rank; d++) {
      const struct name_size *dim = given_size(options, info, d);
      if (dim && dim->size != item->tensor.desc.dim[d])
        return complain(EXIT_USAGE, "--dim %s: %s has %lld there (dimension %d of input '%s')", dim->name, item->file,
                        (long long)item->tensor.desc.dim[d], d, info->name);
    }
  }
  return 0;
}

int64_t dim_size(const struct options *options, const struct onr_model *model, const struct tensor_list *inputs,
                 const struct onr_value_info *info, int32_t d) {
  const struct name_size *given = given_size(options, info, d);
  if (given) return given->size;
  for (size_t i = 0; info->dim_name[d] && i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *other = onr_model_input(model, i);
    const struct named_tensor *item = list_find(inputs, other->name);
    for (int32_t e = 0; item && e < other->rank && e < item->tensor.desc.rank; e++)
      if (other->dim[e] < 0 && other->dim_name[e] && !strcmp(other->dim_name[e], info->dim_name[d]))
        return item->tensor.desc.dim[e];
  }
  return -1;
}
