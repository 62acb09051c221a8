/* einsum_parse.h: an einsum equation against the shapes of its operands. */
#ifndef ONRI_EINSUM_PARSE_H
#define ONRI_EINSUM_PARSE_H

#include "onnxrun/layer.h"

/* Labels are numbers: 0..51 letters in ASCII order, then the dimensions under an ellipsis, outermost first. */
enum { ONRI_EINSUM_LETTERS = 52, ONRI_EINSUM_LABELS = ONRI_EINSUM_LETTERS + ONR_MAX_RANK, ONRI_EINSUM_OPERANDS = 16 };

struct onri_einsum_term {
  int32_t count;
  uint8_t label[ONR_MAX_RANK];
};

struct onri_einsum {
  size_t operands;
  struct onri_einsum_term in[ONRI_EINSUM_OPERANDS]; /* one label a dimension */
  struct onri_einsum_term out;
  int64_t size[ONRI_EINSUM_LABELS];
};

/* ATTRIBUTE for an equation that is malformed or does not fit the number or ranks of the inputs, SHAPE for sizes. */
enum onr_status onri_einsum_parse(const struct onr_call *call, const char *equation, struct onri_einsum *e);

#endif
