/* residual.c: the sum of a convolution or a product and a tensor of its shape happens inside of it. Where both are
 * such, the later one takes the other's result. Products come after the layout pass, which then need not know of it. */
#include <string.h>

#include "passes/match.h"

/* A layer whose input 3 is added to its result; where its parameters say what happens then. */
struct adding {
  const struct onr_layer *layer;
  size_t clamp, tail;
};
#define ADDING(kind) \
  { &onri_layer_##kind, offsetof(struct onr_##kind##_params, clamp), offsetof(struct onr_##kind##_params, tail) }
static const struct adding convolutions[] = {ADDING(conv)};
static const struct adding products[] = {ADDING(linear), ADDING(matmul), ADDING(gemm)};

static const void *param(const struct onri_node *node, size_t offset) { return (const char *)node->params + offset; }

/* The node that makes v alone, and can add to it before it does anything else; NULL: none. */
static struct onri_node *find_adding(const struct onri_rewrite *rw, int32_t v, const struct adding *kinds, size_t count,
                                     const struct adding **kind) {
  struct onri_node *node = onri_rewrite_producer(rw, v);
  if (!node || node->out[0] != v || rw->uses[v] != 1 || node->num_in > 3) return NULL;
  for (*kind = kinds; *kind < kinds + count; ++*kind)
    if ((*kind)->layer == node->layer)
      return ((const struct onr_clamp *)param(node, (*kind)->clamp))->enabled ||
                     ((const struct onr_tail *)param(node, (*kind)->tail))->enabled
                 ? NULL
                 : node;
  return NULL;
}

static enum onr_status into(struct onri_rewrite *rw, struct onri_node *node, const struct adding *kinds, size_t count) {
  const struct onr_binary_params *p = node->params;
  const int32_t a = node->in[0], b = node->in[1];
  const struct adding *kind, *other_kind;
  enum onr_status status = ONR_STATUS_OK;
  /* Halves are rounded in between. */
  if (p->op != ONR_BINARY_ADD || onri_rewrite_desc(rw, a)->dtype != ONR_DTYPE_F32 || !onri_rewrite_same_shape(rw, a, b))
    return ONR_STATUS_OK;
  struct onri_node *maker = find_adding(rw, a, kinds, count, &kind),
                   *other = find_adding(rw, b, kinds, count, &other_kind);
  if (!maker || (other && other > maker)) maker = other, kind = other_kind;
  if (!maker) return ONR_STATUS_OK;
  const struct onr_clamp clamp = p->clamp;
  const int32_t in[] = {maker->in[0], maker->in[1], maker->num_in > 2 ? maker->in[2] : ONRI_NONE,
                        maker->out[0] == a ? b : a};
  ONR_TRY(onri_rewrite_become(rw, node, maker->layer, maker->params, in, 4));
  char *params = onri_rewrite_params(rw, node, &status);
  ONR_TRY(status);
  memcpy(params + kind->clamp, &clamp, sizeof(clamp));
  node->origin = maker->origin;
  onri_rewrite_remove(rw, maker);
  return ONR_STATUS_OK;
}

static enum onr_status into_conv(struct onri_rewrite *rw, struct onri_node *node) {
  return into(rw, node, convolutions, sizeof(convolutions) / sizeof(convolutions[0]));
}
static enum onr_status into_product(struct onri_rewrite *rw, struct onri_node *node) {
  return into(rw, node, products, sizeof(products) / sizeof(products[0]));
}

enum onr_status onri_pass_residual(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_binary, into_conv}};
  return onri_rewrite_sweep(rw, rules, 1);
}

enum onr_status onri_pass_product_residual(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule rules[] = {{&onri_layer_binary, into_product}};
  return onri_rewrite_sweep(rw, rules, 1);
}
