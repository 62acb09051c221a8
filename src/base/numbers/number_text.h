/* number_text.h: numbers as text, in the same way whatever the locale. */
#ifndef ONRI_NUMBER_TEXT_H
#define ONRI_NUMBER_TEXT_H

#include <stddef.h>

#include "onnxrun/tensor.h"

enum { ONRI_NUMBER_TEXT = 40 }; /* bytes that any number takes, and a NUL */

/* Writes one element of a number type or BOOL into `text` as NumPy does: True, -7, 0.5, 1e-05, nan, -inf. Floats get
 * the fewest digits that read back as the same value (as the same float32 where NumPy has no such type). Returns the
 * length. */
size_t onri_number_format(enum onr_dtype dtype, const void *element, char text[ONRI_NUMBER_TEXT]);

enum onri_number_parsed {
  ONRI_NUMBER_OK,
  ONRI_NUMBER_NONE /* the text is no number */,
  ONRI_NUMBER_RANGE /* dtype cannot hold it */
};

/* A decimal number, inf, infinity or nan in letters of any case, with or without a sign and white space around. Integer
 * types take the integer part of other numbers; BOOL is whether it is not zero, and True and False. Floats too large
 * become infinite, or the largest value where the type saturates. */
enum onri_number_parsed onri_number_parse(enum onr_dtype dtype, const char *text, size_t length, int saturate,
                                          void *element);

#endif
