/* regex.h: regular expressions of RE2's syntax. An optional component: without it every function but
 * onri_regex_available fails. */
#ifndef ONRI_REGEX_H
#define ONRI_REGEX_H

#include "onnxrun/layer.h"

struct onri_regex;         /* a compiled pattern: read-only, any number of threads */
struct onri_regex_matcher; /* memory of one thread that matches, for any patterns */

/* UNSUPPORTED, with what is missing, in a build without the component. */
enum onr_status onri_regex_available(struct onr_error *error);
/* ATTRIBUTE when the pattern is none; memory comes from env, which must outlive it. */
enum onr_status onri_regex_compile(const struct onr_string *pattern, struct onr_env *env, struct onri_regex **regex,
                                   struct onr_error *error);
void onri_regex_release(struct onri_regex *regex); /* accepts NULL */
enum onr_status onri_regex_matcher_create(struct onr_env *env, struct onri_regex_matcher **matcher,
                                          struct onr_error *error);
void onri_regex_matcher_release(struct onri_regex_matcher *matcher); /* accepts NULL */

struct onri_regex_search {
  size_t start; /* bytes before it are not part of a match */
  int whole;    /* only a match of everything from there to the end */
};
struct onri_regex_found {
  int is_found;
  size_t begin, length; /* bytes */
};
/* The searches from here to the next call, in these texts, share one budget of steps. */
void onri_regex_begin(struct onri_regex_matcher *matcher, const struct onr_string *texts, size_t count);
/* The longest match at the first place where there is any. The text must be UTF-8. LIMIT when the budget is used up,
 * CANCELLED when the caller wishes. */
enum onr_status onri_regex_find(const struct onri_regex *regex, struct onri_regex_matcher *matcher,
                                const struct onr_string *text, const struct onri_regex_search *search,
                                struct onri_regex_found *found, struct onr_error *error);

#endif
