/* string_normalize.c: strings without stop words, in capital or in small letters. */
#include <string.h>

#include "base/env.h"
#include "base/text/letter_case.h"
#include "base/shape.h"
#include "base/text/text.h"
#include "kernels/index/sort.h"
#include "layers/layers.h"

struct prepared {
  int64_t *order; /* [num_stop_words] sorted */
};

static enum onr_status no_text(const struct onr_call *call) {
  return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for text");
}

static enum onr_status normalize_check(const struct onr_call *call) {
  const struct onr_string_normalize_params *p = call->params;
  if ((unsigned)p->letter_case <= ONR_CASE_UPPER) return ONR_STATUS_OK;
  return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "there is no change of case number %d", (int)p->letter_case);
}

static enum onr_status normalize_infer(struct onr_call *call) {
  ONR_TRY(onri_expect_rank(call, 0, 1, 2));
  if (call->in[0].rank == 2 && call->in[0].dim[0] != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected strings [n] or [1, n], found %lld rows",
                    (long long)call->in[0].dim[0]);
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

/* --- stop words --- */

/* By bytes, or by small letters; then both are UTF-8. */
static int word_order(const struct onr_string_normalize_params *p, const struct onr_string *x,
                      const struct onr_string *y) {
  const size_t shared = x->length < y->length ? x->length : y->length;
  size_t i = 0, j = 0;
  if (p->case_sensitive) {
    const int order = shared > 0 ? memcmp(x->text, y->text, shared) : 0;
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
  }
  while (i < x->length && j < y->length) {
    uint32_t a = 0, b = 0;
    i += onri_utf8_decode(x->text + i, x->length - i, &a);
    j += onri_utf8_decode(y->text + j, y->length - j, &b);
    a = onri_lower(a);
    b = onri_lower(b);
    if (a != b) return a > b ? 1 : -1;
  }
  return (i < x->length) - (j < y->length);
}

static int word_less(const void *params, int64_t a, int64_t b) {
  const struct onr_string_normalize_params *p = params;
  return word_order(p, &p->stop_words[a], &p->stop_words[b]) < 0;
}

static enum onr_status normalize_prepare(struct onr_call *call) {
  const struct onr_string_normalize_params *p = call->params;
  struct prepared *s = call->prepared;
  for (size_t w = 0; w < p->num_stop_words && !p->case_sensitive; w++)
    ONR_TRY(onri_expect_utf8(&p->stop_words[w], "stop word", w, call->error));
  s->order = onr_env_allocate(call->env, p->num_stop_words * sizeof(*s->order));
  int64_t *scratch = onr_env_allocate(call->env, p->num_stop_words * sizeof(*scratch));
  const int enough = s->order && scratch != NULL;
  for (size_t w = 0; w < p->num_stop_words && enough; w++) s->order[w] = (int64_t)w;
  if (enough) onri_sort(s->order, scratch, p->num_stop_words, word_less, p, call->env);
  onr_env_release(call->env, scratch);
  return enough ? ONR_STATUS_OK : no_text(call);
}

static void normalize_release(void *prepared, struct onr_env *env) {
  onr_env_release(env, ((struct prepared *)prepared)->order);
}

static int is_stop_word(const struct onr_call *call, const struct onr_string *x) {
  const struct onr_string_normalize_params *p = call->params;
  const struct prepared *s = call->prepared;
  size_t begin = 0, end = p->num_stop_words;
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    const int order = word_order(p, x, &p->stop_words[s->order[middle]]);
    if (order == 0) return 1;
    if (order > 0) begin = middle + 1;
    else end = middle;
  }
  return 0;
}

/* --- letters --- */

/* Writes the changed text when target is not NULL. Returns its length, which may be another: some pairs differ in
 * bytes. */
static size_t change_case(const struct onr_string *x, enum onr_letter_case to, char *target) {
  size_t length = 0;
  for (size_t i = 0; i < x->length;) {
    uint32_t c = 0;
    char bytes[4];
    i += onri_utf8_decode(x->text + i, x->length - i, &c);
    const size_t n = onri_utf8_encode(to == ONR_CASE_LOWER ? onri_lower(c) : onri_upper(c), bytes);
    if (target) memcpy(target + length, bytes, n);
    length += n;
  }
  return length;
}

static enum onr_status write_string(struct onr_call *call, const struct onr_string *x, struct onr_string *y) {
  const struct onr_string_normalize_params *p = call->params;
  *y = *x;
  if (p->letter_case == ONR_CASE_KEEP || x->length == 0) return ONR_STATUS_OK;
  const size_t length = change_case(x, p->letter_case, NULL);
  char *text = onr_call_text(call, length);
  if (!text) return no_text(call);
  change_case(x, p->letter_case, text);
  *y = (struct onr_string){text, length};
  return ONR_STATUS_OK;
}

static enum onr_status normalize_run(struct onr_call *call) {
  const struct onr_string_normalize_params *p = call->params;
  const struct onr_string *x = call->inputs[0];
  const size_t count = (size_t)onr_desc_elements(&call->in[0]);
  const int reads_letters = p->letter_case != ONR_CASE_KEEP || (p->num_stop_words > 0 && !p->case_sensitive);
  struct onr_desc desc = call->in[0];
  size_t kept = 0;
  void *data;
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count; i++) {
    if (onri_pace_stop(&pace, 256 + x[i].length)) return ONR_STATUS_OK;
    if (reads_letters) ONR_TRY(onri_expect_utf8(&x[i], "string", i, call->error));
    kept += (size_t)!is_stop_word(call, &x[i]);
  }
  desc.dim[desc.rank - 1] = kept > 0 ? (int64_t)kept : 1;
  ONR_TRY(onr_call_resize(call, 0, &desc, &data));
  if (!data) return ONR_STATUS_OK;
  struct onr_string *y = data;
  if (kept == 0) *y = (struct onr_string){"", 0};
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 256 + 8 * x[i].length); i++)
    if (!is_stop_word(call, &x[i])) ONR_TRY(write_string(call, &x[i], y++));
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_string_normalize = {
    .name = "string_normalize",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_STRING)},
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_TEXT,
    .params_size = sizeof(struct onr_string_normalize_params),
    .prepared_size = sizeof(struct prepared),
    .check = normalize_check,
    .infer = normalize_infer,
    .prepare = normalize_prepare,
    .run = normalize_run,
    .release_prepared = normalize_release,
};
