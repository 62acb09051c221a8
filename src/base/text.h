/* text: strings of a file made fit for messages. */
#ifndef ONRI_TEXT_H
#define ONRI_TEXT_H

#include <stddef.h>

/* Writes `length` bytes of text into `target`, control characters and invalid UTF-8 as \xNN, quotes and backslashes with a
 * backslash; cut with "..." where it does not fit. size is at least 8. Always NUL-terminated. Returns target. */
char *onri_escape(const char *text, size_t length, char *target, size_t size);
char *onri_escape_string(const char *text, char *target, size_t size);
/* Bytes of the well-formed UTF-8 sequence that text starts with, 0 when it is not one. */
size_t onri_utf8_sequence(const unsigned char *text, size_t length);

#endif
