/* regex.h: regular expressions. An optional component: without it every function but onri_regex_available fails. */
#ifndef ONRI_REGEX_H
#define ONRI_REGEX_H

#include "onnxrun/layer.h"

struct onri_regex;         /* a compiled pattern: read-only, any number of threads */
struct onri_regex_matcher; /* memory of one thread that matches */

/* UNSUPPORTED, with what is missing, in a build without the component. */
enum onr_status onri_regex_available(struct onr_error *error);
/* A pattern in UTF-8. ATTRIBUTE when it is none; memory comes from env, which must outlive it. */
enum onr_status onri_regex_compile(const struct onr_string *pattern, struct onr_env *env, struct onri_regex **regex,
                                   struct onr_error *error);
void onri_regex_release(struct onri_regex *regex); /* accepts NULL */
enum onr_status onri_regex_matcher_create(const struct onri_regex *regex, struct onr_env *env, struct onri_regex_matcher **matcher,
                                          struct onr_error *error);
void onri_regex_matcher_release(struct onri_regex_matcher *matcher); /* accepts NULL */
/* *full: the pattern matches all of the text. DATA when the text is not UTF-8, LIMIT when the search takes too long. */
enum onr_status onri_regex_match(const struct onri_regex *regex, struct onri_regex_matcher *matcher, const struct onr_string *text,
                                 int *full, struct onr_error *error);

#endif
