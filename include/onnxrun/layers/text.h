/* text.h: layers on strings, and tables that translate. */
#ifndef ONNXRUN_LAYERS_TEXT_H
#define ONNXRUN_LAYERS_TEXT_H

#include "onnxrun/tensor.h"

/* string_concat: a, b (strings, broadcast) -> a's text followed by b's. No parameters. */

/* string_split: x -> the parts of each string in a new last dimension, filled up with "", and how many each has (int64).
 * The delimiter's text must outlive the graph. An empty delimiter: runs of white space, and none at the ends. */
struct onr_string_split_params {
  struct onr_string delimiter;
  int64_t max_splits; /* negative: no limit; the last part is what is left */
};

enum onr_letter_case { ONR_CASE_KEEP, ONR_CASE_LOWER, ONR_CASE_UPPER }; /* of A-Z alone */
/* string_normalize: x [n] or [1, n], without the stop words (one "" when nothing is left). The words must outlive the graph. */
struct onr_string_normalize_params {
  enum onr_letter_case letter_case;
  int32_t case_sensitive; /* of the comparison with stop words */
  const struct onr_string *stop_words;
  size_t num_stop_words;
};

/* lookup: x, keys [n] (x's type), values [n], default (one value) -> the value of the last key that equals the element.
 * NaN equals NaN. No parameters. */

#endif
