/* einsum_parse.c: see einsum_parse.h. */
#include "layers/matmul/einsum_parse.h"

#include <string.h>

/* A term as written: letters, and where the ellipsis stands. */
struct written {
  int32_t count, ellipsis; /* letters; how many of them precede the ellipsis, -1: none */
  uint8_t label[ONR_MAX_RANK];
};

static int letter_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  return c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1;
}

/* Reads up to ',' or "->" or the end. */
static enum onr_status read_term(const char *equation, size_t *at, struct written *term, struct onr_error *error) {
  *term = (struct written){.ellipsis = -1};
  for (;; ++*at) {
    const char c = equation[*at];
    const int letter = letter_of(c);
    if (c == ' ') continue;
    if (c == '\0' || c == ',' || c == '-') return ONR_STATUS_OK;
    if (c == '.' && term->ellipsis < 0 && strncmp(equation + *at, "...", 3) == 0) {
      term->ellipsis = term->count;
      *at += 2;
    } else if (letter >= 0 && term->count < ONR_MAX_RANK) {
      term->label[term->count++] = (uint8_t)letter;
    } else if (letter >= 0) {
      return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected at most %d letters a term in an einsum equation",
                      ONR_MAX_RANK);
    } else {
      return onr_fail(
          error, ONR_STATUS_ATTRIBUTE,
          "expected letters, one ellipsis a term, ',' and '->' in an einsum equation, found byte 0x%02x at %zu",
          (unsigned)(unsigned char)c, *at);
    }
  }
}

/* Letters with `dims` ellipsis dimensions put in, which are the last `dims` of `all`. */
static enum onr_status expand(const struct written *w, int32_t dims, int32_t all, struct onri_einsum_term *term,
                              struct onr_error *error) {
  term->count = 0;
  if (w->count + dims > ONR_MAX_RANK)
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected terms of at most %d dimensions in an einsum equation",
                    ONR_MAX_RANK);
  for (int32_t i = 0; i <= w->count; i++) {
    if (i == w->ellipsis)
      for (int32_t d = 0; d < dims; d++) term->label[term->count++] = (uint8_t)(ONRI_EINSUM_LETTERS + all - dims + d);
    if (i < w->count) term->label[term->count++] = w->label[i];
  }
  return ONR_STATUS_OK;
}

static enum onr_status set_sizes(const struct onr_call *call, size_t i, struct onri_einsum *e) {
  const struct onr_desc *x = &call->in[i];
  for (int32_t d = 0; d < x->rank; d++) {
    int64_t *size = &e->size[e->in[i].label[d]];
    if (*size < 0 || *size == 1) *size = x->dim[d];
    else if (x->dim[d] != *size && x->dim[d] != 1)
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected dimension %d of input %zu to be %lld, found %lld",
                      (int)d, i, (long long)*size, (long long)x->dim[d]);
  }
  return ONR_STATUS_OK;
}

/* Without "->": the ellipsis, then every letter that appears once, in order. */
static enum onr_status implicit_output(const struct written *terms, size_t operands, struct written *out,
                                       struct onr_error *error) {
  int uses[ONRI_EINSUM_LETTERS] = {0};
  *out = (struct written){.ellipsis = 0};
  for (size_t i = 0; i < operands; i++)
    for (int32_t j = 0; j < terms[i].count; j++) uses[terms[i].label[j]]++;
  for (int l = 0; l < ONRI_EINSUM_LETTERS; l++) {
    if (uses[l] != 1) continue;
    if (out->count == ONR_MAX_RANK)
      return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected a result of at most %d dimensions", ONR_MAX_RANK);
    out->label[out->count++] = (uint8_t)l;
  }
  return ONR_STATUS_OK;
}

/* Output letters are among the inputs' and differ. */
static enum onr_status check_output(const struct onri_einsum *e, struct onr_error *error) {
  for (int32_t i = 0; i < e->out.count; i++) {
    if (e->size[e->out.label[i]] < 0)
      return onr_fail(error, ONR_STATUS_ATTRIBUTE, "an einsum result has a letter that no operand has");
    for (int32_t j = 0; j < i; j++)
      if (e->out.label[j] == e->out.label[i])
        return onr_fail(error, ONR_STATUS_ATTRIBUTE, "an einsum result has the same letter twice");
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_terms(const char *equation, struct written *terms, size_t *operands, struct written *out,
                                  struct onr_error *error) {
  size_t at = 0;
  *operands = 0;
  for (;;) {
    if (*operands == ONRI_EINSUM_OPERANDS)
      return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected at most %d operands of einsum", ONRI_EINSUM_OPERANDS);
    ONR_TRY(read_term(equation, &at, &terms[(*operands)++], error));
    if (equation[at] != ',') break;
    at++;
  }
  if (equation[at] == '\0') return implicit_output(terms, *operands, out, error);
  if (equation[at + 1] != '>')
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected '->' in an einsum equation, found '-' alone");
  at += 2;
  ONR_TRY(read_term(equation, &at, out, error));
  if (equation[at] != '\0')
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "expected one result in an einsum equation, found more after byte %zu",
                    at);
  return ONR_STATUS_OK;
}

enum onr_status onri_einsum_parse(const struct onr_call *call, const char *equation, struct onri_einsum *e) {
  struct written terms[ONRI_EINSUM_OPERANDS], out;
  int32_t dims[ONRI_EINSUM_OPERANDS], all = 0;
  if (equation[0] == '\0')
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected an einsum equation, found none");
  ONR_TRY(read_terms(equation, terms, &e->operands, &out, call->error));
  if (e->operands != call->num_in)
    return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "expected an einsum equation for %zu inputs, found %zu terms",
                    call->num_in, e->operands);
  for (size_t i = 0; i < e->operands; i++) {
    dims[i] = call->in[i].rank - terms[i].count;
    if (dims[i] < 0 || (dims[i] > 0 && terms[i].ellipsis < 0))
      return onr_fail(call->error, ONR_STATUS_ATTRIBUTE, "einsum term %zu has %d letters for an input of rank %d", i,
                      (int)terms[i].count, (int)call->in[i].rank);
    if (dims[i] > all) all = dims[i];
  }
  for (int l = 0; l < ONRI_EINSUM_LABELS; l++) e->size[l] = -1;
  for (size_t i = 0; i < e->operands; i++) {
    ONR_TRY(expand(&terms[i], dims[i], all, &e->in[i], call->error));
    ONR_TRY(set_sizes(call, i, e));
  }
  ONR_TRY(expand(&out, out.ellipsis < 0 ? 0 : all, all, &e->out, call->error));
  return check_output(e, call->error);
}
