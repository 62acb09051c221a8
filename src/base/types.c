/* types.c: which types the inputs of a layer may have, asked in one place for all layers. */
#include "base/types.h"

#include <stdio.h>
#include <string.h>

uint32_t onri_input_types(const struct onr_layer *layer, const void *params, size_t i) {
  const size_t row = layer->inputs_max == ONR_VARIADIC && i > layer->inputs_min ? layer->inputs_min : i;
  uint32_t types = layer->types_by_params ? layer->types_by_params(params, row) : 0;
  if (!types && row < ONR_LAYER_TYPES) types = layer->types[row];
  return types ? types : ONRI_DTYPES_TENSOR;
}

uint32_t onri_output_type(const struct onr_layer *layer, const void *params) {
  const uint32_t type = layer->types_by_params ? layer->types_by_params(params, ONR_OUTPUT_TYPE) : 0;
  if (!layer->infer) return ONR_AS_INPUT(0);
  return type ? type : layer->output_type;
}

/* "any float, int8 or bool": families by one name, what is left by its own. */
static const char *list(uint32_t types, char *text, size_t size) {
  static const struct {
    uint32_t types;
    const char *name;
  } families[] = {{ONRI_DTYPES_TENSOR, "a tensor"},
                  {ONRI_DTYPES_FLOAT, "any float"},
                  {ONRI_DTYPES_FLOAT8, "any float8"},
                  {ONRI_DTYPES_SIGNED, "any int"},
                  {ONRI_DTYPES_UNSIGNED, "any uint"}};
  const size_t count = sizeof(families) / sizeof(families[0]);
  size_t used = 0;
  text[0] = 0;
  for (size_t i = 0; types && i < count + ONR_NUM_DTYPES && used < size; i++) {
    const uint32_t these = i < count ? families[i].types : 1u << (i - count);
    if ((types & these) != these) continue;
    types &= ~these;
    used += (size_t)snprintf(text + used, size - used, "%s%s",
                             !used   ? ""
                             : types ? ", "
                                     : " or ",
                             i < count ? families[i].name : onr_dtype_name((enum onr_dtype)(i - count)));
  }
  return text;
}

/* Neither omitted nor, in prepare, a guess. */
static int is_known(const struct onr_call *call, size_t i) {
  return i < call->num_in && call->in[i].dtype != ONR_DTYPE_NONE && call->in[i].rank >= 0;
}

/* The input whose set input i's type is in: itself, or the one that it is to be like. Rules name earlier inputs. */
static size_t root_of(const struct onr_layer *layer, const void *params, size_t i) {
  for (int32_t as; (as = onri_types_as(onri_input_types(layer, params, i))) >= 0 && (size_t)as < i;) i = (size_t)as;
  return i;
}

enum onr_status onri_types_check(const struct onr_layer *layer, const struct onr_call *call) {
  size_t first[ONR_LAYER_TYPES]; /* of those with this root: the first one that is known, plus 1 */
  char text[160];
  memset(first, 0, sizeof(first));
  for (size_t i = 0; i < call->num_in; i++) {
    const size_t root = root_of(layer, call->params, i);
    const uint32_t types = onri_input_types(layer, call->params, root);
    if (!is_known(call, i)) continue;
    if (root < ONR_LAYER_TYPES && first[root]) ONR_TRY(onri_expect_same_dtype(call, i, first[root] - 1));
    if (root < ONR_LAYER_TYPES && !first[root]) first[root] = i + 1;
    if ((unsigned)call->in[i].dtype >= ONR_NUM_DTYPES || !onri_dtype_in(types, call->in[i].dtype))
      return onr_fail(call->error, ONR_STATUS_TYPE, "input %zu: expected %s, found %s", i,
                      list(types, text, sizeof(text)), onr_dtype_name(call->in[i].dtype));
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_output_type_check(const struct onr_layer *layer, const struct onr_call *call) {
  const uint32_t type = onri_output_type(layer, call->params);
  const int32_t as = onri_types_as(type);
  if (call->num_out == 0 || call->out[0].dtype == ONR_DTYPE_NONE || !type) return ONR_STATUS_OK;
  if (as >= 0 ? (size_t)as >= call->num_in || call->out[0].dtype == call->in[as].dtype
              : ONRI_DTYPE_BIT(call->out[0].dtype) == type)
    return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_INTERNAL, "output 0 is %s: the layer's table has another type",
                  onr_dtype_name(call->out[0].dtype));
}

enum onr_status onri_expect_same_dtype(const struct onr_call *call, size_t i, size_t j) {
  if (call->in[i].dtype == call->in[j].dtype) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_TYPE, "input %zu: expected %s like input %zu, found %s", i,
                  onr_dtype_name(call->in[j].dtype), j, onr_dtype_name(call->in[i].dtype));
}
