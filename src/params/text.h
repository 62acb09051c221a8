/* text.h: layers on strings, and tables that translate. */
#ifndef ONNXRUN_LAYERS_TEXT_H
#define ONNXRUN_LAYERS_TEXT_H

#include "onnxrun/tensor.h"

/* string_concat: a, b (strings, broadcast) -> a's text followed by b's. No parameters. */

/* string_split: x -> the parts of each string in a new last dimension, filled up with "", and how many each has
 * (int64). The delimiter's text must outlive the graph. An empty delimiter: runs of white space of any script, and none
 * at the ends. */
struct onr_string_split_params {
  struct onr_string delimiter;
  int64_t max_splits; /* negative: no limit; the last part is what is left */
};

enum onr_letter_case { ONR_CASE_KEEP, ONR_CASE_LOWER, ONR_CASE_UPPER };
/* string_normalize: x [n] or [1, n], without the stop words (one "" when nothing is left). The words must outlive the
 * graph. Letters of all scripts, each changed for one other, in every locale the same. Where letters matter, text must
 * be UTF-8 (DATA). */
struct onr_string_normalize_params {
  enum onr_letter_case letter_case;
  int32_t case_sensitive; /* of the comparison with stop words */
  const struct onr_string *stop_words;
  size_t num_stop_words;
};

/* tf_idf (ONNX TfIdfVectorizer-9): tokens [n] or [rows, n], strings, int32 or int64 -> float32 [width] or [rows,
 * width], where width is the greatest column + 1. An n-gram is found where its n tokens stand at equal distances 1 to
 * max_skips + 1; single tokens have the distance 1 alone. A string is never found among integers, nor the other way
 * round. Everything pointed to must outlive the graph. */
enum onr_tf_idf_mode {
  ONR_TF_IDF_COUNT, /* how often the n-gram is found */
  ONR_TF_IDF_FOUND, /* its weight, when it is found at all */
  ONR_TF_IDF_BOTH   /* its weight times how often it is found */
};
struct onr_tf_idf_params {
  enum onr_tf_idf_mode mode;
  int64_t min_length, max_length; /* of the n-grams that are looked for; 1 <= min_length <= max_length <= num_lengths */
  int64_t max_skips;
  const int64_t *starts; /* [num_lengths] ascending: where in the pool the 1-grams, 2-grams ... start */
  size_t num_lengths;
  const int64_t *columns; /* [num_grams] the column of each n-gram, in the order of the pool */
  const float *weights;   /* [num_grams] NULL: 1 */
  size_t num_grams;
  const struct onr_string *pool_strings; /* [pool_size] the n-grams' tokens one after the other; NULL: pool_ints */
  const int64_t *pool_ints;
  size_t pool_size;
};

/* regex_full_match (ONNX RegexFullMatch-20): x (strings) -> bool, whether the pattern matches all of the string.
 * Pattern and strings are UTF-8; \w, \d and \s are ASCII. RE2's syntax without \C; a search that takes too long is a
 * LIMIT error. The pattern must outlive the graph. */
struct onr_regex_full_match_params {
  struct onr_string pattern;
};

/* tokenize (com.microsoft Tokenizer-1): x [n] or [rows, n] -> its parts in a new last dimension as long as the longest
 * list of them, filled up with `pad`. Strings without elements have no such dimension: the last one of the result is 0.
 * Text and patterns are UTF-8; the syntax is that of regex_full_match. A match is the longest one at the first place
 * where there is any. Everything pointed to must outlive the graph. */
enum onr_tokenize_mode {
  ONR_TOKENIZE_CHARACTERS, /* every character is a part: no patterns */
  ONR_TOKENIZE_MATCHES,    /* what the one pattern matches; after a match shorter than min_chars the search goes on one
                              character later */
  ONR_TOKENIZE_BETWEEN /* what lies between the matches of the first pattern; of these parts, what lies between those of
                          the second ... */
};
struct onr_tokenize_params {
  enum onr_tokenize_mode mode;
  const struct onr_string *patterns;
  size_t num_patterns;
  int64_t min_chars; /* at least 1, with CHARACTERS exactly: shorter parts are left out */
  int32_t mark;      /* "\x02" before the parts of each string and "\x03" after them, if any string has parts */
  struct onr_string pad;
};

/* lookup: x, keys [n] (x's type), values [n], default (one value) -> the value of the last key that equals the element.
 * With one more default, x may be of the values' type: then each element becomes a key, or that default.
 * NaN equals NaN. Keys and values are constants. No parameters. */

#endif
