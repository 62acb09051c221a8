/* tokenize.c: strings taken apart into characters, matches of a pattern, or what lies between matches.
 *
 * input 0   x  [n] or [rows, n]  strings
 * output 0  y  [..., parts]      strings, which point into those of x
 * ONNX      com.microsoft Tokenizer-1
 */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/shape.h"
#include "base/text/text.h"
#include "layers/layers.h"
#include "layers/text/regex.h"

struct prepared {
  struct onri_regex **patterns; /* [num_patterns] */
  size_t count;
};

/* A part that is being taken apart by one of the patterns. */
struct piece {
  struct onr_string text;
  size_t at; /* what lies before is done */
  int is_done;
};

struct state {
  struct onri_regex_matcher *matcher;
  struct piece *pieces; /* [num_patterns] */
};

/* Where the parts of a string go: at `y` when it is not NULL. */
struct parts {
  struct onr_string *y;
  size_t count;
};

static enum onr_status tokenize_check(const struct onr_call *call) {
  const struct onr_tokenize_params *p = call->params;
  if ((unsigned)p->mode > ONR_TOKENIZE_BETWEEN)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "there is no way of tokenizing number %d", (int)p->mode);
  if (p->min_chars < 1 || (p->mode == ONR_TOKENIZE_CHARACTERS && p->min_chars != 1))
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected parts of at least 1 character%s, found %lld",
                    p->mode == ONR_TOKENIZE_CHARACTERS ? ", which each character has" : "", (long long)p->min_chars);
  return p->mode == ONR_TOKENIZE_CHARACTERS ? ONR_STATUS_OK : onri_regex_available(call->error);
}

static enum onr_status tokenize_infer(struct onr_call *call) {
  ONR_TRY(onri_expect_rank(call, 0, 1, 2));
  struct onr_desc *y = &call->out[0];
  *y = call->in[0];
  if (onr_desc_elements(y) == 0) y->dim[y->rank - 1] = 0;
  else y->dim[y->rank++] = 0; /* known when the strings are */
  return ONR_STATUS_OK;
}

static enum onr_status tokenize_prepare(struct onr_call *call) {
  const struct onr_tokenize_params *p = call->params;
  struct prepared *s = call->prepared;
  if (p->mode == ONR_TOKENIZE_CHARACTERS) return ONR_STATUS_OK;
  s->patterns = onr_env_allocate(call->env, p->num_patterns * sizeof(*s->patterns));
  if (!s->patterns) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for %zu patterns", p->num_patterns);
  for (; s->count < p->num_patterns; s->count++) {
    s->patterns[s->count] = NULL;
    const enum onr_status status =
        onri_regex_compile(&p->patterns[s->count], call->env, &s->patterns[s->count], call->error);
    if (status != ONR_STATUS_OK) {
      onri_regex_release(s->patterns[s->count]);
      return status;
    }
  }
  return ONR_STATUS_OK;
}

static void tokenize_release_prepared(void *prepared, struct onr_env *env) {
  struct prepared *s = prepared;
  for (size_t i = 0; i < s->count; i++) onri_regex_release(s->patterns[i]);
  onr_env_release(env, s->patterns);
}

static enum onr_status tokenize_plan(struct onr_call *call) {
  const struct prepared *prepared = call->prepared;
  struct state *s = call->state;
  if (prepared->count == 0) return ONR_STATUS_OK;
  s->pieces = onr_env_allocate(call->env, prepared->count * sizeof(*s->pieces));
  if (!s->pieces) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for %zu patterns", prepared->count);
  return onri_regex_matcher_create(call->env, &s->matcher, call->error);
}

static void tokenize_release_state(void *state, struct onr_env *env) {
  struct state *s = state;
  onri_regex_matcher_release(s->matcher);
  onr_env_release(env, s->pieces);
}

static size_t character_length(const struct onr_string *text, size_t at) {
  return onri_utf8_sequence((const unsigned char *)text->text + at, text->length - at);
}

static int has_characters(const char *text, size_t length, int64_t least) {
  int64_t count = 0;
  for (size_t i = 0; i < length && count < least; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
  return count >= least;
}

static void add(struct parts *parts, const char *text, size_t length) {
  if (parts->y) parts->y[parts->count] = (struct onr_string){text, length};
  parts->count++;
}

static void add_characters(const struct onr_string *x, struct parts *parts) {
  for (size_t at = 0, n; at < x->length; at += n) {
    n = character_length(x, at);
    add(parts, x->text + at, n);
  }
}

static enum onr_status add_matches(const struct onr_call *call, const struct onr_string *x, struct parts *parts) {
  const struct onr_tokenize_params *p = call->params;
  const struct onri_regex *pattern = ((const struct prepared *)call->prepared)->patterns[0];
  const struct state *s = call->state;
  for (size_t at = 0; at <= x->length;) {
    struct onri_regex_found found;
    ONR_TRY(onri_regex_find(pattern, s->matcher, x, &(struct onri_regex_search){.start = at}, &found, call->error));
    if (!found.is_found) break;
    if (has_characters(x->text + found.begin, found.length, p->min_chars)) {
      add(parts, x->text + found.begin, found.length);
      at = found.begin + found.length;
    } else if (found.begin < x->length) {
      at = found.begin + character_length(x, found.begin);
    } else {
      break;
    }
  }
  return ONR_STATUS_OK;
}

/* The part of the piece before the next match. After an empty match a character is left out. */
static enum onr_status next_part(const struct onr_call *call, const struct onri_regex *pattern, struct piece *piece,
                                 struct onr_string *part) {
  const struct state *s = call->state;
  struct onri_regex_found found;
  ONR_TRY(onri_regex_find(pattern, s->matcher, &piece->text, &(struct onri_regex_search){.start = piece->at}, &found,
                          call->error));
  const size_t end = found.is_found ? found.begin : piece->text.length;
  *part = (struct onr_string){piece->text.text + piece->at, end - piece->at};
  piece->is_done = !found.is_found || (found.length == 0 && end == piece->text.length);
  if (!piece->is_done) piece->at = end + (found.length > 0 ? found.length : character_length(&piece->text, end));
  return ONR_STATUS_OK;
}

/* Depth first: pieces[level] is taken apart by patterns[level], which gives pieces for the next level. */
static enum onr_status add_between(const struct onr_call *call, const struct onr_string *x, struct parts *parts) {
  const struct onr_tokenize_params *p = call->params;
  const struct prepared *prepared = call->prepared;
  struct piece *pieces = ((struct state *)call->state)->pieces;
  size_t depth = 1;
  pieces[0] = (struct piece){.text = *x};
  while (depth > 0) {
    struct piece *piece = &pieces[depth - 1];
    struct onr_string part;
    if (piece->is_done) {
      depth--;
      continue;
    }
    ONR_TRY(next_part(call, prepared->patterns[depth - 1], piece, &part));
    if (!has_characters(part.text, part.length, p->min_chars)) continue;
    if (depth == prepared->count) add(parts, part.text, part.length);
    else pieces[depth++] = (struct piece){.text = part};
  }
  return ONR_STATUS_OK;
}

static enum onr_status add_parts(const struct onr_call *call, const struct onr_string *given, struct parts *parts) {
  static const struct onr_string empty = {"", 0};
  const struct onr_tokenize_params *p = call->params;
  const struct onr_string *x = given->text ? given : &empty; /* nobody adds to a NULL */
  ONR_TRY(onri_env_poll(call->env, call->error));            /* one text may take a while */
  if (p->mode == ONR_TOKENIZE_CHARACTERS) {
    add_characters(x, parts);
    return ONR_STATUS_OK;
  }
  return p->mode == ONR_TOKENIZE_MATCHES ? add_matches(call, x, parts) : add_between(call, x, parts);
}

static void begin(const struct onr_call *call, const struct onr_string *x, size_t count) {
  struct onri_regex_matcher *matcher = ((struct state *)call->state)->matcher;
  if (matcher) onri_regex_begin(matcher, x, count);
}

/* Most parts of any string. */
static enum onr_status count_parts(const struct onr_call *call, size_t count, size_t *most) {
  const struct onr_string *x = call->inputs[0];
  begin(call, x, count);
  for (size_t i = 0; i < count; i++) {
    struct parts parts = {0};
    ONR_TRY(onri_expect_utf8(&x[i], "string", i, call->error));
    ONR_TRY(add_parts(call, &x[i], &parts));
    if (parts.count > *most) *most = parts.count;
  }
  return ONR_STATUS_OK;
}

static enum onr_status write_parts(const struct onr_call *call, size_t count, size_t width, struct onr_string *y) {
  const struct onr_tokenize_params *p = call->params;
  const struct onr_string *x = call->inputs[0];
  begin(call, x, count);
  for (size_t i = 0; i < count; i++) {
    struct parts parts = {.y = y + i * width};
    if (p->mark) add(&parts, "\x02", 1);
    ONR_TRY(add_parts(call, &x[i], &parts));
    if (p->mark) add(&parts, "\x03", 1);
    while (parts.count < width) add(&parts, p->pad.text, p->pad.length);
  }
  return ONR_STATUS_OK;
}

static enum onr_status tokenize_run(struct onr_call *call) {
  const struct onr_tokenize_params *p = call->params;
  const size_t count = (size_t)onr_desc_elements(&call->in[0]);
  struct onr_desc desc = call->in[0];
  size_t width = 0;
  void *data;
  ONR_TRY(count_parts(call, count, &width));
  if (width > 0 && p->mark) width += 2;
  if (count == 0) desc.dim[desc.rank - 1] = 0;
  else desc.dim[desc.rank++] = (int64_t)width;
  ONR_TRY(onr_call_resize(call, 0, &desc, &data));
  return data && width > 0 ? write_parts(call, count, width, data) : ONR_STATUS_OK;
}

const struct onr_layer onri_layer_tokenize = {
    .name = "tokenize",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_STRING)},
    .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_HEAVY,
    .params_size = sizeof(struct onr_tokenize_params),
    .prepared_size = sizeof(struct prepared),
    .state_size = sizeof(struct state),
    .check = tokenize_check,
    .infer = tokenize_infer,
    .prepare = tokenize_prepare,
    .plan = tokenize_plan,
    .run = tokenize_run,
    .release_state = tokenize_release_state,
    .release_prepared = tokenize_release_prepared,
};
