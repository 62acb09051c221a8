/* text.c: string_concat, string_split, string_normalize.
 *
 * A part of a string points into the text of that string; only joined and changed text is new. */
#include <string.h>

#include "base/checked.h"
#include "base/shape.h"
#include "kernels/dims.h"
#include "layers/layers.h"

#define STRINGS ONRI_DTYPE_BIT(ONR_DTYPE_STRING)

static enum onr_status no_text(const struct onr_call *call) {
  return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for text");
}

/* --- string_concat --- */

static enum onr_status concat_infer(struct onr_call *call) {
  ONR_TRY(onri_expect_dtype(call, 0, STRINGS));
  ONR_TRY(onri_expect_dtype(call, 1, STRINGS));
  return onri_broadcast(&call->in[0], &call->in[1], &call->out[0], call->error);
}

static struct onri_dims broadcast_dims(const struct onr_desc *x, const struct onr_desc *result) {
  struct onri_dims dims = {.count = 1};
  int64_t strides[ONR_MAX_RANK] = {0};
  onri_broadcast_strides(x, result, strides);
  for (int32_t d = 0; d < result->rank; d++) onri_dims_add(&dims, result->dim[d], strides[d]);
  return dims;
}

static enum onr_status concat_run(struct onr_call *call) {
  const struct onri_dims dims[2] = {broadcast_dims(&call->in[0], &call->out[0]), broadcast_dims(&call->in[1], &call->out[0])};
  const struct onr_string *a = call->inputs[0], *b = call->inputs[1];
  struct onr_string *y = call->outputs[0];
  const size_t count = (size_t)onr_desc_elements(&call->out[0]);
  for (size_t i = 0; i < count; i++) {
    const struct onr_string left = a[onri_dims_offset(&dims[0], i)], right = b[onri_dims_offset(&dims[1], i)];
    size_t length;
    char *text = NULL;
    if (!onri_add_size(left.length, right.length, &length)) return no_text(call);
    if (length > 0 && (text = onr_call_text(call, length)) == NULL) return no_text(call);
    if (left.length > 0) memcpy(text, left.text, left.length);
    if (right.length > 0) memcpy(text + left.length, right.text, right.length);
    y[i] = (struct onr_string){text != NULL ? text : "", length};
  }
  return ONR_STATUS_OK;
}

/* --- string_split --- */

static enum onr_status split_infer(struct onr_call *call) {
  ONR_TRY(onri_expect_dtype(call, 0, STRINGS));
  ONR_TRY(onri_expect_rank(call, 0, 0, ONR_MAX_RANK - 1));
  call->out[0] = call->in[0];
  call->out[0].dim[call->out[0].rank++] = 0; /* known when the strings are */
  if (call->num_out > 1) {
    call->out[1] = call->in[0];
    call->out[1].dtype = ONR_DTYPE_I64;
  }
  return ONR_STATUS_OK;
}

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The delimiter in rest from `from` on: its position, or the length when there is none. *after is where the next part starts. */
static size_t find_end(const struct onr_string *rest, const struct onr_string *delimiter, size_t *after) {
  for (size_t i = 0; i < rest->length; i++) {
    if (delimiter->length == 0 && is_space(rest->text[i])) {
      *after = i + 1;
      return i;
    }
    if (delimiter->length > 0 && delimiter->length <= rest->length - i &&
        memcmp(rest->text + i, delimiter->text, delimiter->length) == 0) {
      *after = i + delimiter->length;
      return i;
    }
  }
  *after = SIZE_MAX;
  return rest->length;
}

/* What str.split of Python gives. Writes at most `capacity` parts, returns how many there are. */
static size_t split(struct onr_string rest, const struct onr_string_split_params *p, struct onr_string *parts, size_t capacity) {
  size_t count = 0, after = 0;
  do {
    while (p->delimiter.length == 0 && rest.length > 0 && is_space(rest.text[0])) {
      rest.text++;
      rest.length--;
    }
    if (p->delimiter.length == 0 && rest.length == 0) break;
    struct onr_string part = rest;
    after = SIZE_MAX;
    if (p->max_splits < 0 || count < (size_t)p->max_splits) part.length = find_end(&rest, &p->delimiter, &after);
    if (count < capacity) parts[count] = part;
    count++;
    if (after == SIZE_MAX) break;
    rest.text += after;
    rest.length -= after;
  } while (1);
  return count;
}

static enum onr_status split_run(struct onr_call *call) {
  const struct onr_string_split_params *p = call->params;
  const struct onr_string *x = call->inputs[0];
  const size_t count = (size_t)onr_desc_elements(&call->in[0]);
  struct onr_desc parts_desc = call->in[0], counts_desc = call->in[0];
  size_t widest = 0;
  void *parts, *counts = NULL;
  for (size_t i = 0; i < count; i++) {
    const size_t n = split(x[i], p, NULL, 0);
    if (n > widest) widest = n;
  }
  parts_desc.dim[parts_desc.rank++] = (int64_t)widest;
  counts_desc.dtype = ONR_DTYPE_I64;
  ONR_TRY(onr_call_resize(call, 0, &parts_desc, &parts));
  if (call->num_out > 1) ONR_TRY(onr_call_resize(call, 1, &counts_desc, &counts));
  for (size_t i = 0; i < count; i++) {
    struct onr_string *row = parts != NULL ? (struct onr_string *)parts + i * widest : NULL;
    const size_t n = split(x[i], p, row, row != NULL ? widest : 0);
    for (size_t k = n; row != NULL && k < widest; k++) row[k] = (struct onr_string){"", 0};
    if (counts != NULL) ((int64_t *)counts)[i] = (int64_t)n;
  }
  return ONR_STATUS_OK;
}

/* --- string_normalize --- */

static enum onr_status normalize_infer(struct onr_call *call) {
  const struct onr_string_normalize_params *p = call->params;
  if ((unsigned)p->letter_case > ONR_CASE_UPPER)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "there is no change of case number %d", (int)p->letter_case);
  ONR_TRY(onri_expect_dtype(call, 0, STRINGS));
  ONR_TRY(onri_expect_rank(call, 0, 1, 2));
  if (call->in[0].rank == 2 && call->in[0].dim[0] != 1)
    return onr_fail(call->error, ONR_STATUS_SHAPE, "expected strings [n] or [1, n], found %lld rows", (long long)call->in[0].dim[0]);
  call->out[0] = call->in[0];
  return ONR_STATUS_OK;
}

static char changed(char c, enum onr_letter_case to) {
  if (to == ONR_CASE_LOWER && c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
  if (to == ONR_CASE_UPPER && c >= 'a' && c <= 'z') return (char)(c - 'a' + 'A');
  return c;
}

static int is_stop_word(const struct onr_string_normalize_params *p, const struct onr_string *x) {
  const enum onr_letter_case to = p->case_sensitive ? ONR_CASE_KEEP : ONR_CASE_LOWER;
  for (size_t w = 0; w < p->num_stop_words; w++) {
    const struct onr_string *word = &p->stop_words[w];
    size_t same = 0;
    if (word->length != x->length) continue;
    while (same < x->length && changed(x->text[same], to) == changed(word->text[same], to)) same++;
    if (same == x->length) return 1;
  }
  return 0;
}

static enum onr_status normalize_run(struct onr_call *call) {
  const struct onr_string_normalize_params *p = call->params;
  const struct onr_string *x = call->inputs[0];
  const size_t count = (size_t)onr_desc_elements(&call->in[0]);
  struct onr_desc desc = call->in[0];
  size_t kept = 0;
  void *data;
  for (size_t i = 0; i < count; i++) kept += (size_t)!is_stop_word(p, &x[i]);
  desc.dim[desc.rank - 1] = kept > 0 ? (int64_t)kept : 1;
  ONR_TRY(onr_call_resize(call, 0, &desc, &data));
  if (data == NULL) return ONR_STATUS_OK;
  struct onr_string *y = data;
  if (kept == 0) *y = (struct onr_string){"", 0};
  for (size_t i = 0; i < count; i++) {
    if (is_stop_word(p, &x[i])) continue;
    *y = x[i];
    if (p->letter_case != ONR_CASE_KEEP && x[i].length > 0) {
      char *text = onr_call_text(call, x[i].length);
      if (text == NULL) return no_text(call);
      for (size_t k = 0; k < x[i].length; k++) text[k] = changed(x[i].text[k], p->letter_case);
      y->text = text;
    }
    y++;
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_string_concat = {
    .name = "string_concat",
    .inputs_min = 2, .inputs_max = 2, .outputs_min = 1, .outputs_max = 1,
    .flags = ONR_LAYER_TEXT,
    .infer = concat_infer, .run = concat_run,
};
const struct onr_layer onri_layer_string_split = {
    .name = "string_split",
    .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 2,
    .flags = ONR_LAYER_DYNAMIC,
    .params_size = sizeof(struct onr_string_split_params),
    .infer = split_infer, .run = split_run,
};
const struct onr_layer onri_layer_string_normalize = {
    .name = "string_normalize",
    .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1,
    .flags = ONR_LAYER_DYNAMIC | ONR_LAYER_TEXT,
    .params_size = sizeof(struct onr_string_normalize_params),
    .infer = normalize_infer, .run = normalize_run,
};
