/* text.h: strings of a file made fit for messages. */
#ifndef ONRI_TEXT_H
#define ONRI_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "onnxrun/tensor.h"

/* Writes `length` bytes of text into `target`, control characters and invalid UTF-8 as \xNN, quotes and backslashes
 * with a backslash; cut with "..." where it does not fit. size is at least 8. Always NUL-terminated. Returns target. */
char *onri_escape(const char *text, size_t length, char *target, size_t size);
char *onri_escape_string(const char *text, char *target, size_t size);
/* The same for a whole message: its quotes and backslashes are its own. */
char *onri_escape_message(const char *text, char *target, size_t size);
/* Bytes of the well-formed UTF-8 sequence that text starts with, 0 when it is not one. */
size_t onri_utf8_sequence(const unsigned char *text, size_t length);
/* The character that text starts with: returns its bytes, 0 when they are not UTF-8. */
size_t onri_utf8_decode(const char *text, size_t length, uint32_t *character);
/* Returns the bytes, at most 4. */
size_t onri_utf8_encode(uint32_t character, char target[4]);
/* DATA unless all of x is UTF-8; "string 3 is not UTF-8 ...". */
enum onr_status onri_expect_utf8(const struct onr_string *x, const char *what, size_t number, struct onr_error *error);

#endif
