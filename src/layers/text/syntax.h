/* syntax.h: patterns in RE2's syntax, rewritten for PCRE2. */
#ifndef ONRI_REGEX_SYNTAX_H
#define ONRI_REGEX_SYNTAX_H

#include "onnxrun/layer.h"

/* A pattern becomes at most this many times as long. */
enum { ONRI_REGEX_GROWTH = 12, ONRI_REGEX_DEPTH = 200 };

/* Writes *length bytes. Only what RE2 knows is let through, in a form that PCRE2 means the same by; and what is
 * repeated is a group, so that a search stops at each turn. ATTRIBUTE when the pattern is none. */
enum onr_status onri_regex_translate(const struct onr_string *pattern, char *target, size_t *length,
                                     struct onr_error *error);

#endif
