#include "regex/regex.h"

#ifdef ONNXRUN_HAVE_PCRE2

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* One text may take some 50 ms and this memory; a pattern may be this long and nest this deep, for the stack's sake. */
enum { MATCH_STEPS = 2000000, MATCH_KILOBYTES = 16384, PATTERN_BYTES = 65536, PATTERN_DEPTH = 200 };

struct onri_regex_matcher {
  struct onr_env *env;
  pcre2_general_context *memory;
  pcre2_match_context *limits;
  pcre2_match_data *data;
};

static void *allocate(size_t bytes, void *env) { return onr_env_allocate(env, bytes); }
static void release(void *memory, void *env) { onr_env_release(env, memory); }

static enum onr_status no_memory(struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a regular expression");
}

enum onr_status onri_regex_available(struct onr_error *error) {
  (void)error;
  return ONR_STATUS_OK;
}

static pcre2_code *compile(const struct onr_string *pattern, pcre2_compile_context *context, int *wrong, size_t *where) {
  const uint32_t options = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
  pcre2_set_max_pattern_length(context, PATTERN_BYTES);
  pcre2_set_parens_nest_limit(context, PATTERN_DEPTH);
  pcre2_set_newline(context, PCRE2_NEWLINE_LF);
  return pcre2_compile((PCRE2_SPTR)(pattern->length > 0 ? pattern->text : ""), pattern->length, options, wrong, where, context);
}

enum onr_status onri_regex_compile(const struct onr_string *pattern, struct onr_env *env, struct onri_regex **regex,
                                   struct onr_error *error) {
  pcre2_general_context *memory = pcre2_general_context_create(allocate, release, env);
  pcre2_compile_context *context = memory != NULL ? pcre2_compile_context_create(memory) : NULL;
  PCRE2_UCHAR why[160] = "";
  size_t where = 0;
  int wrong = PCRE2_ERROR_NOMEMORY;
  *regex = context != NULL ? (struct onri_regex *)compile(pattern, context, &wrong, &where) : NULL;
  pcre2_compile_context_free(context);
  pcre2_general_context_free(memory);
  if (*regex != NULL) return ONR_STATUS_OK;
  if (wrong == PCRE2_ERROR_NOMEMORY || wrong == PCRE2_ERROR_HEAP_FAILED) return no_memory(error);
  pcre2_get_error_message(wrong, why, sizeof why);
  return onr_fail(error, ONR_STATUS_ATTRIBUTE, "the pattern is wrong at byte %zu: %s", where, (const char *)why);
}

void onri_regex_release(struct onri_regex *regex) { pcre2_code_free((pcre2_code *)regex); }

enum onr_status onri_regex_matcher_create(const struct onri_regex *regex, struct onr_env *env, struct onri_regex_matcher **matcher,
                                          struct onr_error *error) {
  struct onri_regex_matcher *m = *matcher = onr_env_allocate(env, sizeof *m);
  if (m == NULL) return no_memory(error);
  *m = (struct onri_regex_matcher){.env = env, .memory = pcre2_general_context_create(allocate, release, env)};
  if (m->memory == NULL) return no_memory(error);
  m->limits = pcre2_match_context_create(m->memory);
  m->data = pcre2_match_data_create_from_pattern((const pcre2_code *)regex, m->memory);
  if (m->limits == NULL || m->data == NULL) return no_memory(error);
  pcre2_set_match_limit(m->limits, MATCH_STEPS);
  pcre2_set_heap_limit(m->limits, MATCH_KILOBYTES);
  return ONR_STATUS_OK;
}

enum onr_status onri_regex_match(const struct onri_regex *regex, struct onri_regex_matcher *matcher, const struct onr_string *text,
                                 int *full, struct onr_error *error) {
  const int found = pcre2_match((const pcre2_code *)regex, (PCRE2_SPTR)(text->length > 0 ? text->text : ""), text->length, 0, 0,
                                matcher->data, matcher->limits);
  *full = found >= 0;
  if (found >= 0 || found == PCRE2_ERROR_NOMATCH) return ONR_STATUS_OK;
  if (found == PCRE2_ERROR_NOMEMORY) return no_memory(error);
  if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_HEAPLIMIT || found == PCRE2_ERROR_DEPTHLIMIT ||
      found == PCRE2_ERROR_RECURSELOOP)
    return onr_fail(error, ONR_STATUS_LIMIT, "the pattern is not decided within %d steps and %d KiB for a text of %zu bytes", MATCH_STEPS,
                    MATCH_KILOBYTES, text->length);
  if (found <= PCRE2_ERROR_UTF8_ERR1 && found >= PCRE2_ERROR_UTF8_ERR21)
    return onr_fail(error, ONR_STATUS_DATA, "a text is not UTF-8 at byte %zu", (size_t)pcre2_get_startchar(matcher->data));
  return onr_fail(error, ONR_STATUS_INTERNAL, "matching failed with number %d", found);
}

void onri_regex_matcher_release(struct onri_regex_matcher *m) {
  if (m == NULL) return;
  pcre2_match_data_free(m->data);
  pcre2_match_context_free(m->limits);
  pcre2_general_context_free(m->memory);
  onr_env_release(m->env, m);
}

#else

enum onr_status onri_regex_available(struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_UNSUPPORTED, "this build has no regular expressions: install PCRE2 (Debian, Ubuntu: libpcre2-dev) and "
                  "configure with -DONNXRUN_REGEX=ON");
}

/* Nobody comes here. */
enum onr_status onri_regex_compile(const struct onr_string *pattern, struct onr_env *env, struct onri_regex **regex,
                                   struct onr_error *error) {
  (void)pattern, (void)env, (void)regex;
  return onri_regex_available(error);
}
void onri_regex_release(struct onri_regex *regex) { (void)regex; }
enum onr_status onri_regex_matcher_create(const struct onri_regex *regex, struct onr_env *env, struct onri_regex_matcher **matcher,
                                          struct onr_error *error) {
  (void)regex, (void)env, (void)matcher;
  return onri_regex_available(error);
}
void onri_regex_matcher_release(struct onri_regex_matcher *matcher) { (void)matcher; }
enum onr_status onri_regex_match(const struct onri_regex *regex, struct onri_regex_matcher *matcher, const struct onr_string *text,
                                 int *full, struct onr_error *error) {
  (void)regex, (void)matcher, (void)text, (void)full;
  return onri_regex_available(error);
}

#endif
