/* tree.h: what the importers of trees share. */
#ifndef ONRI_IMPORT_ML_TREE_H
#define ONRI_IMPORT_ML_TREE_H

#include "onnx/node/import.h"

/* Memory of the model, zeroed; NULL when there is none. */
void *onri_tree_keep(const struct onr_node *node, size_t count, size_t size);
enum onr_status onri_tree_no_memory(const struct onr_node *node);
/* An attribute of as many ints; _if: NULL when it is absent. */
enum onr_status onri_tree_ints(const struct onr_node *node, const char *name, size_t expected, const int64_t **ints);
enum onr_status onri_tree_ints_if(const struct onr_node *node, const char *name, size_t expected, const int64_t **ints);
/* What a node asks for, and what a leaf votes for, when they are in range. */
enum onr_status onri_tree_feature_set(const struct onr_node *node, int64_t feature, struct onr_tree_ensemble_params *p,
                                      struct onr_tree_node *to);
enum onr_status onri_tree_vote_set(const struct onr_node *node, int64_t target, double weight, uint32_t targets,
                                   struct onr_tree_vote *to);

#endif
