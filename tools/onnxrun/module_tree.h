/* module_tree.h: the tree of PyTorch's modules. */
#ifndef TOOL_MODULES_H
#define TOOL_MODULES_H

#include "tool.h"

struct module {
  const struct onr_module_info *info;
  struct module *parent, *first_child, *next;
  struct onr_desc output;                            /* of the last node in it; dtype NONE: not known */
  int64_t parameters, unknown, multiply_adds, nodes; /* with all modules in it */
};

struct module_tree {
  struct module *modules, *first; /* in the order in which they run; the first that is in no other */
  struct module **by_path;
  size_t count;
  int is_planned; /* outputs and multiply-adds are known */
  /* Of the whole model, which may have more than its last node gives; NULL: not known. */
  struct shown *outputs;
  size_t num_outputs;
};

/* session: of a model that was loaded without rewrites, so that each node is still in its module; NULL: it could not be
 * planned. 0, or an exit code after one line on stderr. The model must outlive the tree. */
int module_tree_make(const struct onr_model *model, const struct onr_session *session, struct module_tree *tree);
void module_tree_clear(struct module_tree *tree);
void module_tree_print(const struct module_tree *tree);
/* "1,234,567" */
const char *with_commas(int64_t number, char text[32]);

#endif
