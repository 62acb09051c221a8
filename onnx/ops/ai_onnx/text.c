/* text.c: ops on strings. */
#include <string.h>

#include "onnx/node/import.h"

static enum onr_status import_string_concat(const struct onr_node *node) {
  return onri_emit(node, &onri_layer_string_concat, NULL);
}

static enum onr_status import_string_split(const struct onr_node *node) {
  const struct onr_string_split_params params = {.delimiter = onri_attr_string(node, "delimiter", ""),
                                                 .max_splits = onri_attr_int(node, "maxsplit", -1)};
  return onri_emit(node, &onri_layer_string_split, &params);
}

static enum onr_status import_regex_full_match(const struct onr_node *node) {
  const struct onr_regex_full_match_params params = {onri_attr_string(node, "pattern", "")};
  return onri_emit(node, &onri_layer_regex_full_match, &params);
}

static int is_one(const struct onr_tokenize_params *params, struct onr_string pattern) {
  return params->num_patterns == 1 && params->patterns->length == pattern.length &&
         memcmp(params->patterns->text, pattern.text, pattern.length) == 0;
}

/* Where both are there, ONNX Runtime leaves `tokenexp` aside. */
static enum onr_status read_patterns(const struct onr_node *node, struct onr_tokenize_params *params) {
  params->mode = ONR_TOKENIZE_BETWEEN;
  params->patterns = onri_attr_strings(node, "separators", &params->num_patterns);
  if (!onri_attr_has(node, "separators")) {
    struct onr_string *pattern = onri_arena_allocate(&node->graph->arena, sizeof(*pattern));
    if (!pattern) return onr_fail(node->error, ONR_STATUS_NO_MEMORY, "no memory for a pattern");
    *pattern = onri_attr_string(node, "tokenexp", "");
    params->mode = ONR_TOKENIZE_MATCHES;
    params->patterns = pattern;
    params->num_patterns = pattern->length > 0;
  }
  if (params->num_patterns == 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE,
                    "expected 'separators' or 'tokenexp', found neither, or empty ones");
  if (is_one(params, params->mode == ONR_TOKENIZE_MATCHES ? (struct onr_string){".", 1} : (struct onr_string){"", 0}))
    params->mode = ONR_TOKENIZE_CHARACTERS;
  return ONR_STATUS_OK;
}

static enum onr_status import_tokenizer(const struct onr_node *node) {
  static const char *const required[] = {"mark", "mincharnum", "pad_value"};
  for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++)
    if (!onri_attr_has(node, required[i]))
      return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "attribute '%s' is missing", required[i]);
  if (onri_attr_has(node, "stopwords"))
    return onr_fail(node->error, ONR_STATUS_UNSUPPORTED,
                    "attribute 'stopwords' is not supported: a StringNormalizer removes words");
  struct onr_tokenize_params params = {.min_chars = onri_attr_int(node, "mincharnum", 1),
                                       .mark = onri_attr_int(node, "mark", 0) != 0,
                                       .pad = onri_attr_string(node, "pad_value", "")};
  ONR_TRY(read_patterns(node, &params));
  return onri_emit(node, &onri_layer_tokenize, &params);
}

/* `locale` is left aside: letters are changed in the same way in every locale. */
static enum onr_status import_string_normalizer(const struct onr_node *node) {
  static const char *const cases[] = {"NONE", "LOWER", "UPPER", NULL}; /* enum onr_letter_case */
  struct onr_string_normalize_params params = {
      .letter_case = (enum onr_letter_case)onri_attr_choice(node, "case_change_action", cases, ONR_CASE_KEEP),
      .case_sensitive = onri_attr_int(node, "is_case_sensitive", 0) != 0};
  params.stop_words = onri_attr_strings(node, "stopwords", &params.num_stop_words);
  return onri_emit(node, &onri_layer_string_normalize, &params);
}

static enum onr_status import_tf_idf_vectorizer(const struct onr_node *node) {
  static const char *const modes[] = {"TF", "IDF", "TFIDF", NULL}; /* enum onr_tf_idf_mode */
  struct onr_tf_idf_params params = {
      .mode = (enum onr_tf_idf_mode)onri_attr_choice(node, "mode", modes, ONR_TF_IDF_COUNT),
      .min_length = onri_attr_int(node, "min_gram_length", 0),
      .max_length = onri_attr_int(node, "max_gram_length", 0),
      .max_skips = onri_attr_int(node, "max_skip_count", 0)};
  size_t num_strings, num_weights;
  params.starts = onri_attr_ints(node, "ngram_counts", &params.num_lengths);
  params.columns = onri_attr_ints(node, "ngram_indexes", &params.num_grams);
  params.weights = onri_attr_floats(node, "weights", &num_weights);
  params.pool_ints = onri_attr_ints(node, "pool_int64s", &params.pool_size);
  params.pool_strings = onri_attr_strings(node, "pool_strings", &num_strings);
  if (num_strings > 0 && params.pool_size > 0)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected one of 'pool_int64s' and 'pool_strings', found both");
  if (num_strings > 0) params.pool_size = num_strings;
  else params.pool_strings = NULL;
  if (num_weights == 0) params.weights = NULL;
  if (num_weights > 0 && num_weights != params.num_grams)
    return onr_fail(node->error, ONR_STATUS_ATTRIBUTE, "expected as many weights as 'ngram_indexes', %zu, found %zu",
                    params.num_grams, num_weights);
  return onri_emit(node, &onri_layer_tf_idf, &params);
}

/* --- the operators --- */
/* clang-format off */
static const struct onri_op operators[] = {
    ONRI_OP(ai_onnx, StringConcat, 20, 2, 2, 1, 1, import_string_concat)
    ONRI_OP(ai_onnx, StringSplit, 20, 1, 1, 2, 2, import_string_split)
    ONRI_OP(ai_onnx, StringNormalizer, 10, 1, 1, 1, 1, import_string_normalizer)
    ONRI_OP(ai_onnx, TfIdfVectorizer, 9, 1, 1, 1, 1, import_tf_idf_vectorizer)
    ONRI_OP(com_microsoft, Tokenizer, 1, 1, 1, 1, 1, import_tokenizer)
    ONRI_OP(ai_onnx, RegexFullMatch, 20, 1, 1, 1, 1, import_regex_full_match)
};
/* clang-format on */
const struct onri_op_table onri_ops_text = ONRI_OP_TABLE(operators);
