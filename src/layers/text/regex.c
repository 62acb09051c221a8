#include "layers/text/regex.h"

#ifdef ONNXRUN_HAVE_PCRE2

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/env.h"
#include "layers/text/syntax.h"

/* What the texts of a tensor may take, a quarter of a second, and more where there is more text; and what could still
 * match is kept in this many ints. */
enum {
  STEPS = 8000000,
  STEPS_PER_BYTE = 64,
  STEPS_PER_POLL = 1 << 18,
  ITEMS_A_STEP = 16,
  KILOBYTES = 16384,
  WORKSPACE = 1 << 14,
  PATTERN_BYTES = 65536
};

struct onri_regex_matcher {
  struct onr_env *env;
  pcre2_general_context *memory;
  pcre2_match_context *limits;
  pcre2_match_data *data;
  uint64_t steps;     /* that searches may still take */
  size_t position;    /* in the text, */
  uint64_t at_once;   /* and how many items of the pattern were come to there */
  uint64_t next_poll; /* when so many steps are left */
  int *workspace;     /* [WORKSPACE] */
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

/* --- patterns --- */

/* Callouts count steps. */
static pcre2_code *compile(const char *text, size_t length, struct onr_env *env, int *wrong) {
  const uint32_t options = PCRE2_UTF | PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
  pcre2_general_context *memory = pcre2_general_context_create(allocate, release, env);
  pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
  pcre2_code *code = NULL;
  size_t where; /* in the translation: of no use to anyone */
  *wrong = PCRE2_ERROR_NOMEMORY;
  if (context) {
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, 2 * ONRI_REGEX_DEPTH);
    code = pcre2_compile((PCRE2_SPTR)text, length, options, wrong, &where, context);
  }
  pcre2_compile_context_free(context);
  pcre2_general_context_free(memory);
  return code;
}

static enum onr_status compile_error(int number, struct onr_error *error) {
  PCRE2_UCHAR why[160] = "";
  if (number == PCRE2_ERROR_NOMEMORY || number == PCRE2_ERROR_HEAP_FAILED) return no_memory(error);
  pcre2_get_error_message(number, why, sizeof(why));
  return onr_fail(error, ONR_STATUS_ATTRIBUTE, "the pattern is wrong: %s", (const char *)why);
}

enum onr_status onri_regex_compile(const struct onr_string *pattern, struct onr_env *env, struct onri_regex **regex,
                                   struct onr_error *error) {
  size_t length;
  int number = 0;
  *regex = NULL;
  if (pattern->length > PATTERN_BYTES)
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected a pattern of at most %d bytes, found %zu", PATTERN_BYTES,
                    pattern->length);
  char *text = onr_env_allocate(env, pattern->length * ONRI_REGEX_GROWTH + 1);
  if (!text) return no_memory(error);
  enum onr_status status = onri_regex_translate(pattern, text, &length, error);
  if (status == ONR_STATUS_OK) {
    *regex = (struct onri_regex *)compile(text, length, env, &number);
    if (!*regex) status = compile_error(number, error);
  }
  onr_env_release(env, text);
  return status;
}

void onri_regex_release(struct onri_regex *regex) { pcre2_code_free((pcre2_code *)regex); }

/* --- matching --- */

/* Called at each item of a pattern that a search comes to. Each is looked for among those that are active at the same
 * place of the text. */
static int take_step(pcre2_callout_block *block, void *matcher) {
  struct onri_regex_matcher *m = matcher;
  m->at_once = block->current_position == m->position ? m->at_once + 1 : 0;
  m->position = block->current_position;
  const uint64_t cost = 1 + m->at_once / ITEMS_A_STEP;
  if (m->steps < cost) return PCRE2_ERROR_MATCHLIMIT;
  m->steps -= cost;
  if (m->steps > m->next_poll) return 0;
  m->next_poll = m->steps > STEPS_PER_POLL ? m->steps - STEPS_PER_POLL : 0;
  return onri_env_poll(m->env, NULL) == ONR_STATUS_OK ? 0 : PCRE2_ERROR_CALLOUT;
}

enum onr_status onri_regex_matcher_create(struct onr_env *env, struct onri_regex_matcher **matcher,
                                          struct onr_error *error) {
  struct onri_regex_matcher *m = *matcher = onr_env_allocate(env, sizeof(*m));
  if (!m) return no_memory(error);
  *m = (struct onri_regex_matcher){.env = env, .memory = pcre2_general_context_create(allocate, release, env)};
  if (!m->memory) return no_memory(error);
  m->workspace = onr_env_allocate(env, WORKSPACE * sizeof(*m->workspace));
  m->limits = pcre2_match_context_create(m->memory);
  m->data = pcre2_match_data_create(1, m->memory);
  if (!m->workspace || !m->limits || !m->data) return no_memory(error);
  pcre2_set_heap_limit(m->limits, KILOBYTES);
  pcre2_set_callout(m->limits, take_step, m);
  return ONR_STATUS_OK;
}

void onri_regex_begin(struct onri_regex_matcher *m, const struct onr_string *texts, size_t count) {
  const uint64_t most = (UINT64_MAX - STEPS) / STEPS_PER_BYTE;
  uint64_t bytes = 0; /* several strings may lie in the same memory */
  for (size_t i = 0; i < count && bytes < most; i++) bytes += texts[i].length < most ? texts[i].length : most;
  m->steps = STEPS + (bytes < most ? bytes : most) * STEPS_PER_BYTE;
  m->next_poll = m->steps;
}

static enum onr_status match_error(const struct onri_regex_matcher *m, int number, size_t bytes,
                                   struct onr_error *error) {
  switch (number) {
    case PCRE2_ERROR_NOMEMORY: return no_memory(error);
    case PCRE2_ERROR_CALLOUT: return onri_env_poll(m->env, error);
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
    case PCRE2_ERROR_DFA_WSSIZE:
      return onr_fail(error, ONR_STATUS_LIMIT,
                      "the pattern takes more steps, or memory, than texts of this length may cost (one has %zu bytes)",
                      bytes);
    default: return onr_fail(error, ONR_STATUS_INTERNAL, "matching failed with number %d", number);
  }
}

enum onr_status onri_regex_find(const struct onri_regex *regex, struct onri_regex_matcher *m,
                                const struct onr_string *text, const struct onri_regex_search *search,
                                struct onri_regex_found *found, struct onr_error *error) {
  const uint32_t options = PCRE2_NO_UTF_CHECK | (search->whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0);
  const PCRE2_SPTR subject = (PCRE2_SPTR)(text->length > 0 ? text->text : "");
  *found = (struct onri_regex_found){0};
  const int number = pcre2_dfa_match((const pcre2_code *)regex, subject, text->length, search->start, options, m->data,
                                     m->limits, m->workspace, WORKSPACE);
  if (number == PCRE2_ERROR_NOMATCH) return ONR_STATUS_OK;
  if (number < 0) return match_error(m, number, text->length, error);
  const size_t *ends = pcre2_get_ovector_pointer(m->data);
  *found = (struct onri_regex_found){.is_found = 1, .begin = ends[0], .length = ends[1] - ends[0]};
  return ONR_STATUS_OK;
}

void onri_regex_matcher_release(struct onri_regex_matcher *m) {
  if (!m) return;
  pcre2_match_data_free(m->data);
  pcre2_match_context_free(m->limits);
  pcre2_general_context_free(m->memory);
  onr_env_release(m->env, m->workspace);
  onr_env_release(m->env, m);
}

#else

enum onr_status onri_regex_available(struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_UNSUPPORTED,
                  "this build has no regular expressions: install PCRE2 (Debian, Ubuntu: libpcre2-dev) and "
                  "configure with -DONNXRUN_REGEX=ON");
}

/* Nobody comes here. */
enum onr_status onri_regex_compile(const struct onr_string *pattern, struct onr_env *env, struct onri_regex **regex,
                                   struct onr_error *error) {
  (void)pattern, (void)env, (void)regex;
  return onri_regex_available(error);
}
void onri_regex_release(struct onri_regex *regex) { (void)regex; }
enum onr_status onri_regex_matcher_create(struct onr_env *env, struct onri_regex_matcher **matcher,
                                          struct onr_error *error) {
  (void)env, (void)matcher;
  return onri_regex_available(error);
}
void onri_regex_matcher_release(struct onri_regex_matcher *matcher) { (void)matcher; }
void onri_regex_begin(struct onri_regex_matcher *matcher, const struct onr_string *texts, size_t count) {
  (void)matcher, (void)texts, (void)count;
}
enum onr_status onri_regex_find(const struct onri_regex *regex, struct onri_regex_matcher *matcher,
                                const struct onr_string *text, const struct onri_regex_search *search,
                                struct onri_regex_found *found, struct onr_error *error) {
  (void)regex, (void)matcher, (void)text, (void)search, (void)found;
  return onri_regex_available(error);
}

#endif
