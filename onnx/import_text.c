/* import_text.c: ops on strings. */
#include "onnx/import.h"

enum onr_status onri_import_string_concat(const struct onr_node *node) { return onri_emit(node, &onri_layer_string_concat, NULL); }

enum onr_status onri_import_string_split(const struct onr_node *node) {
  struct onr_string_split_params params = {.delimiter = {"", 0}, .max_splits = onri_attr_int(node, "maxsplit", -1)};
  const struct onri_attribute *delimiter = onri_attr_find(node, "delimiter");
  if (delimiter != NULL) {
    if (delimiter->kind != ONRI_ATTRIBUTE_STRING)
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute 'delimiter' must be a string");
    params.delimiter = delimiter->s;
  }
  return onri_emit(node, &onri_layer_string_split, &params);
}

/* `locale` is left aside: the case of ASCII letters is changed, in every locale in the same way. */
enum onr_status onri_import_string_normalizer(const struct onr_node *node) {
  static const char *const cases[] = {"NONE", "LOWER", "UPPER", NULL}; /* enum onr_letter_case */
  struct onr_string_normalize_params params = {
      .letter_case = (enum onr_letter_case)onri_attr_choice(node, "case_change_action", cases, ONR_CASE_KEEP),
      .case_sensitive = onri_attr_int(node, "is_case_sensitive", 0) != 0};
  params.stop_words = onri_attr_strings(node, "stopwords", &params.num_stop_words);
  return onri_emit(node, &onri_layer_string_normalize, &params);
}
