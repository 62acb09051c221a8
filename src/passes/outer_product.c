/* outer_product.c: a product of matrices that sums one term, as positions by frequencies are, is a broadcast product of
 * their elements. */
#include <string.h>

#include "passes/match.h"

/* Lines of at least so many elements, or of a number that is not known. */
static int is_long(const struct onri_rewrite *rw, int32_t v) {
  enum { LINE = 32 };
  const int64_t columns = onri_rewrite_dim(rw, v, -1);
  return columns == ONR_UNKNOWN_DIM || columns >= LINE;
}

static enum onr_status matmul(struct onri_rewrite *rw, struct onri_node *node) {
  static const struct onr_matmul_params plain = {0};
  const struct onr_binary_params product = {.op = ONR_BINARY_MUL};
  const int32_t in[] = {node->in[0], node->in[1]};
  if (node->num_in != 2 || memcmp(node->params, &plain, sizeof(plain)) != 0 || onri_rewrite_rank(rw, in[0]) < 2 ||
      onri_rewrite_rank(rw, in[1]) < 2 || onri_rewrite_dim(rw, in[0], -1) != 1 ||
      onri_rewrite_dim(rw, in[1], -2) != 1 || !is_long(rw, in[1]))
    return ONR_STATUS_OK;
  return onri_rewrite_become(rw, node, &onri_layer_binary, &product, in, 2);
}

enum onr_status onri_pass_outer_product(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_matmul, matmul}};
  return onri_rewrite_sweep(rw, rules, 1);
}
