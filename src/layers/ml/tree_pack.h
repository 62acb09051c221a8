/* tree_pack.h: the trees of an ensemble as tree_ensemble walks them. */
#ifndef ONRI_TREE_PACK_H
#define ONRI_TREE_PACK_H

#include "params/params.h"

enum onri_tree_kind {
  ONRI_TREE_LEQ,
  ONRI_TREE_LT,
  ONRI_TREE_EQ,
  ONRI_TREE_IN,
  ONRI_TREE_LEAF
}; /* the other modes: branches exchanged */
enum { ONRI_TREE_KIND_BITS = 3, ONRI_TREE_TAG_BITS = ONRI_TREE_KIND_BITS + 1 };

struct onri_tree_node {
  union {
    double value; /* threshold; of a leaf when there is one target: the sum of its votes */
    struct {
      uint32_t first, count; /* members of a set; of a leaf otherwise: votes */
    } part;
  };
  uint32_t next; /* the branch `yes`; the branch `no` lies behind it */
  uint32_t tag;  /* feature, whether NaN means yes, kind */
};

static inline enum onri_tree_kind onri_tree_kind(const struct onri_tree_node *node) {
  return (enum onri_tree_kind)(node->tag & ((1u << ONRI_TREE_KIND_BITS) - 1));
}
static inline uint32_t onri_tree_nan_yes(const struct onri_tree_node *node) {
  return node->tag >> ONRI_TREE_KIND_BITS & 1;
}
static inline uint32_t onri_tree_feature(const struct onri_tree_node *node) { return node->tag >> ONRI_TREE_TAG_BITS; }

struct onri_trees {
  struct onri_tree_node *nodes;
  uint32_t *roots;
  double *members; /* each set in ascending order */
  int all_leq;
};

/* Prepare and release of tree_ensemble. ATTRIBUTE for what is no forest, or names what is not there. */
enum onr_status onri_trees_pack(struct onr_call *call);
void onri_trees_release(void *prepared, struct onr_env *env);

#endif
