/* rows_other.c: signals, text, losses. */
#include <string.h>

#include "onnx/write/spell.h"

static const struct onri_field dft[] = {
    ONRI_ATTRIBUTE("inverse", INT32, struct onr_dft_params, inverse),
    ONRI_ATTRIBUTE("onesided", INT32, struct onr_dft_params, onesided),
};
static const struct onri_field stft[] = {ONRI_ATTRIBUTE("onesided", INT32, struct onr_stft_params, onesided)};
static const char *const window_ops[] = {"HannWindow", "HammingWindow",
                                         "BlackmanWindow"}; /* enum onr_window_function */
static const struct onri_field window_function[] = {
    ONRI_ATTRIBUTE("output_datatype", INT32, struct onr_window_function_params, dtype),
    ONRI_ATTRIBUTE("periodic", NOT, struct onr_window_function_params, symmetric),
};
static const struct onri_field mel_weights[] = {
    ONRI_ATTRIBUTE("output_datatype", INT32, struct onr_mel_weights_params, dtype)};
static const char *const loss_reductions[] = {"none", "sum", "mean", NULL}; /* enum onr_loss_reduction */
static const struct onri_field nll_loss[] = {
    ONRI_CHOICE("reduction", struct onr_nll_loss_params, reduction, loss_reductions),
    {.name = "ignore_index",
     .kind = ONRI_FIELD_INT64,
     .at = offsetof(struct onr_nll_loss_params, ignored),
     .given = (int16_t)(offsetof(struct onr_nll_loss_params, has_ignored) + 1)},
};
static const struct onri_field string_split[] = {
    ONRI_ATTRIBUTE("delimiter", STRING, struct onr_string_split_params, delimiter)};
static const struct onri_field regex_full_match[] = {
    ONRI_ATTRIBUTE("pattern", STRING, struct onr_regex_full_match_params, pattern)};
static const char *const cases[] = {"NONE", "LOWER", "UPPER", NULL}; /* enum onr_letter_case */
static const struct onri_field string_normalize[] = {
    ONRI_CHOICE("case_change_action", struct onr_string_normalize_params, letter_case, cases),
    ONRI_ATTRIBUTE("is_case_sensitive", INT32, struct onr_string_normalize_params, case_sensitive),
};
static const char *const tf_idf_modes[] = {"TF", "IDF", "TFIDF", NULL}; /* enum onr_tf_idf_mode */
static const struct onri_field tf_idf[] = {
    ONRI_CHOICE("mode", struct onr_tf_idf_params, mode, tf_idf_modes),
    ONRI_ATTRIBUTE("min_gram_length", INT64, struct onr_tf_idf_params, min_length),
    ONRI_ATTRIBUTE("max_gram_length", INT64, struct onr_tf_idf_params, max_length),
    ONRI_ATTRIBUTE("max_skip_count", INT64, struct onr_tf_idf_params, max_skips),
};

static const char *say_string_split(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_string_split_params *p = s->node->params;
  onri_say_row_begin(s, row);
  if (p->max_splits >= 0) onri_say_int(s, "maxsplit", p->max_splits);
  onri_say_end(s);
  return NULL;
}

static const char *say_string_normalize(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_string_normalize_params *p = s->node->params;
  onri_say_row_begin(s, row);
  if (p->num_stop_words) onri_say_strings(s, "stopwords", p->stop_words, p->num_stop_words);
  onri_say_end(s);
  return NULL;
}

static const char *say_tf_idf(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_tf_idf_params *p = s->node->params;
  onri_say_row_begin(s, row);
  onri_say_ints(s, "ngram_counts", p->starts, p->num_lengths);
  onri_say_ints(s, "ngram_indexes", p->columns, p->num_grams);
  if (p->weights) onri_say_floats(s, "weights", p->weights, p->num_grams);
  if (p->pool_strings) onri_say_strings(s, "pool_strings", p->pool_strings, p->pool_size);
  else onri_say_ints(s, "pool_int64s", p->pool_ints, p->pool_size);
  onri_say_end(s);
  return NULL;
}

static const struct onri_spelling rows[] = {
    {.layer = &onri_layer_dft, .op = "DFT", .since = 20, ONRI_FIELDS(dft)},
    {.layer = &onri_layer_stft, .op = "STFT", .since = 17, ONRI_FIELDS(stft)},
    {.layer = &onri_layer_window_function,
     .since = 17,
     ONRI_OPS(window_ops, struct onr_window_function_params, function),
     ONRI_FIELDS(window_function)},
    {.layer = &onri_layer_mel_weights, .op = "MelWeightMatrix", .since = 17, ONRI_FIELDS(mel_weights)},
    {.layer = &onri_layer_nll_loss, .op = "NegativeLogLikelihoodLoss", .since = 13, ONRI_FIELDS(nll_loss)},
    {.layer = &onri_layer_string_concat, .op = "StringConcat", .since = 20},
    {.layer = &onri_layer_string_split,
     .op = "StringSplit",
     .since = 20,
     ONRI_FIELDS(string_split),
     .say = say_string_split},
    {.layer = &onri_layer_string_normalize,
     .op = "StringNormalizer",
     .since = 10,
     ONRI_FIELDS(string_normalize),
     .say = say_string_normalize},
    {.layer = &onri_layer_tf_idf, .op = "TfIdfVectorizer", .since = 9, ONRI_FIELDS(tf_idf), .say = say_tf_idf},
    {.layer = &onri_layer_regex_full_match, .op = "RegexFullMatch", .since = 20, ONRI_FIELDS(regex_full_match)},
};
const struct onri_spellings onri_rows_other = {rows, sizeof(rows) / sizeof(rows[0])};
