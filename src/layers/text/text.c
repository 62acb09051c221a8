/* text.c: string_concat, string_split.
 *
 * A part of a string points into the text of that string; only joined and changed text is new. */
#include <string.h>

#include "base/numbers/checked.h"
#include "base/env.h"
#include "base/shape.h"
#include "base/text/text.h"
#include "kernels/dims.h"
#include "layers/layers.h"

#define STRINGS ONRI_DTYPE_BIT(ONR_DTYPE_STRING)

static enum onr_status no_text(const struct onr_call *call) {
  return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for text");
}

/* --- string_concat --- */

static enum onr_status concat_infer(struct onr_call *call) {
  return onri_broadcast(&call->in[0], &call->in[1], &call->out[0], call->error);
}

static struct onri_dims broadcast_dims(const struct onr_desc *x, const struct onr_desc *result) {
  struct onri_dims dims = {.count = 1};
  int64_t strides[ONR_MAX_RANK] = {0};
  onri_broadcast_strides(x, result, strides);
  for (int32_t d = 0; d < result->rank; d++) onri_dims_add(&dims, result->dim[d], strides[d]);
  return dims;
}

/* Lengths are known before text is made: what is too much is refused first. */
static enum onr_status expect_room(struct onr_call *call, const struct onri_dims dims[2], size_t count) {
  const struct onr_string *a = call->inputs[0], *b = call->inputs[1];
  size_t total = 0;
  for (size_t i = 0; i < count; i++) {
    const size_t left = a[onri_dims_offset(&dims[0], i)].length, right = b[onri_dims_offset(&dims[1], i)].length;
    if (!onri_add_size(total, left, &total) || !onri_add_size(total, right, &total)) total = SIZE_MAX;
  }
  if (total > call->env->limits.tensor_bytes)
    return onr_fail(call->error, ONR_STATUS_LIMIT, "%zu bytes of text are more than the limit of %llu (tensor_bytes)",
                    total, (unsigned long long)call->env->limits.tensor_bytes);
  return onri_env_expect(call->env, total, call->error);
}

static enum onr_status concat_run(struct onr_call *call) {
  const struct onri_dims dims[2] = {broadcast_dims(&call->in[0], &call->out[0]),
                                    broadcast_dims(&call->in[1], &call->out[0])};
  const struct onr_string *a = call->inputs[0], *b = call->inputs[1];
  struct onr_string *y = call->outputs[0];
  const size_t count = (size_t)onr_desc_elements(&call->out[0]);
  struct onri_pace pace = {call->env, 0};
  ONR_TRY(expect_room(call, dims, count));
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 64); i++) {
    const struct onr_string left = a[onri_dims_offset(&dims[0], i)], right = b[onri_dims_offset(&dims[1], i)];
    size_t length;
    char *text = NULL;
    if (!onri_add_size(left.length, right.length, &length)) return no_text(call);
    pace.done += length / 8;
    if (length > 0 && (text = onr_call_text(call, length)) == NULL) return no_text(call);
    if (left.length > 0) memcpy(text, left.text, left.length);
    if (right.length > 0) memcpy(text + left.length, right.text, right.length);
    y[i] = (struct onr_string){text != NULL ? text : "", length};
  }
  return ONR_STATUS_OK;
}

/* --- string_split --- */

struct split_prepared {
  size_t *fallback; /* [delimiter's length] for the search without steps back */
};

static enum onr_status split_infer(struct onr_call *call) {
  ONR_TRY(onri_expect_rank(call, 0, 0, ONR_MAX_RANK - 1));
  call->out[0] = call->in[0];
  call->out[0].dim[call->out[0].rank++] = 0; /* known when the strings are */
  if (call->num_out > 1) {
    call->out[1] = call->in[0];
    call->out[1].dtype = ONR_DTYPE_I64;
  }
  return ONR_STATUS_OK;
}

/* Bytes of the white space, of any script, that text starts with; 0: none. */
static size_t space(const char *text, size_t length) {
  uint32_t c = 0;
  const size_t n = onri_utf8_decode(text, length, &c);
  const int is_space = c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 || c == 0xA0 ||
                       c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
                       c == 0x205F || c == 0x3000;
  return is_space ? n : 0;
}

/* fallback[i]: the longest proper beginning of the delimiter that its first i + 1 bytes end in. */
static enum onr_status split_prepare(struct onr_call *call) {
  const struct onr_string *d = &((const struct onr_string_split_params *)call->params)->delimiter;
  size_t *fallback = ((struct split_prepared *)call->prepared)->fallback =
      onr_env_allocate(call->env, d->length * sizeof(*fallback) + 1);
  if (!fallback) return no_text(call);
  for (size_t i = 0, same = 0; i < d->length; i++) {
    while (i > 0 && same > 0 && d->text[i] != d->text[same]) same = fallback[same - 1];
    if (i > 0 && d->text[i] == d->text[same]) same++;
    fallback[i] = same;
  }
  return ONR_STATUS_OK;
}

static void split_release(void *prepared, struct onr_env *env) {
  onr_env_release(env, ((struct split_prepared *)prepared)->fallback);
}

/* The end of the part that rest starts with. *after is where the next one starts, SIZE_MAX when it is the last. */
static size_t find_end(const struct onr_call *call, const struct onr_string *rest, size_t *after) {
  const struct onr_string *d = &((const struct onr_string_split_params *)call->params)->delimiter;
  const size_t *fallback = ((const struct split_prepared *)call->prepared)->fallback;
  *after = SIZE_MAX;
  for (size_t i = 0, same = 0; i < rest->length; i++) {
    const size_t n = d->length == 0 ? space(rest->text + i, rest->length - i) : 0;
    if (n > 0) {
      *after = i + n;
      return i;
    }
    if (d->length == 0) continue;
    while (same > 0 && rest->text[i] != d->text[same]) same = fallback[same - 1];
    if (rest->text[i] == d->text[same]) same++;
    if (same < d->length) continue;
    *after = i + 1;
    return i + 1 - d->length;
  }
  return rest->length;
}

/* What str.split of Python gives. Writes at most `capacity` parts, returns how many there are. */
static size_t split(const struct onr_call *call, struct onr_string rest, struct onr_string *parts, size_t capacity) {
  const struct onr_string_split_params *p = call->params;
  size_t count = 0, after = 0;
  do {
    size_t n;
    while (p->delimiter.length == 0 && (n = space(rest.text, rest.length)) > 0) {
      rest.text += n;
      rest.length -= n;
    }
    if (p->delimiter.length == 0 && rest.length == 0) break;
    struct onr_string part = rest;
    after = SIZE_MAX;
    if (p->max_splits < 0 || count < (size_t)p->max_splits) part.length = find_end(call, &rest, &after);
    if (count < capacity) parts[count] = part;
    count++;
    if (after == SIZE_MAX) break;
    rest.text += after;
    rest.length -= after;
  } while (1);
  return count;
}

static enum onr_status split_run(struct onr_call *call) {
  const struct onr_string *x = call->inputs[0];
  const size_t count = (size_t)onr_desc_elements(&call->in[0]);
  struct onr_desc parts_desc = call->in[0], counts_desc = call->in[0];
  size_t widest = 0;
  void *parts, *counts = NULL;
  struct onri_pace pace = {call->env, 0};
  for (size_t i = 0; i < count; i++) {
    if (onri_pace_stop(&pace, 64 + x[i].length)) return ONR_STATUS_OK;
    const size_t n = split(call, x[i], NULL, 0);
    if (n > widest) widest = n;
  }
  parts_desc.dim[parts_desc.rank++] = (int64_t)widest;
  counts_desc.dtype = ONR_DTYPE_I64;
  ONR_TRY(onr_call_resize(call, 0, &parts_desc, &parts));
  if (call->num_out > 1) ONR_TRY(onr_call_resize(call, 1, &counts_desc, &counts));
  for (size_t i = 0; i < count && !onri_pace_stop(&pace, 64 + x[i].length + widest); i++) {
    struct onr_string *row = parts ? (struct onr_string *)parts + i * widest : NULL;
    const size_t n = split(call, x[i], row, row ? widest : 0);
    for (size_t k = n; row && k < widest; k++) row[k] = (struct onr_string){"", 0};
    if (counts) ((int64_t *)counts)[i] = (int64_t)n;
  }
  return ONR_STATUS_OK;
}

const struct onr_layer onri_layer_string_concat = {
    .name = "string_concat",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_STRING), ONRI_DTYPE_BIT(ONR_DTYPE_STRING)},
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_TEXT,
    .infer = concat_infer,
    .run = concat_run,
};
const struct onr_layer onri_layer_string_split = {
    .name = "string_split",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs_min = 1,
    .outputs_max = 2,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_STRING)},
    .output_type = ONR_AS_INPUT(0),
    .flags = ONR_LAYER_DYNAMIC,
    .params_size = sizeof(struct onr_string_split_params),
    .prepared_size = sizeof(struct split_prepared),
    .infer = split_infer,
    .prepare = split_prepare,
    .run = split_run,
    .release_prepared = split_release,
};
