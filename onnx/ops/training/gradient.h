/* gradient.h: reverse-mode differentiation of nodes that are already in the graph.
 *
 *   gradient.c            which nodes, in which order
 *   gradient_rules.c      what one node passes on to its inputs
 *   gradient_formulas.c   the derivatives of element-wise ones
 *   tape.c                the nodes that this adds, and what adds up
 */
#ifndef ONRI_GRADIENT_H
#define ONRI_GRADIENT_H

#include "onnx/node/importer.h"

/* One Gradient node. Values are those of its graph; arrays have an entry for each that was there before. */
struct onri_tape {
  const struct onr_node *node;
  int32_t *now;      /* the value that stands for this one: another where the node replaces inputs of the function */
  int32_t *gradient; /* of y with respect to it, ONRI_NONE: none yet */
  uint8_t *varies;   /* it depends on one of xs */
  enum onr_status status; /* the first failure; what is emitted after it does nothing */
};

/* Neither what Gradients make nor how often they look at the nodes before them is bounded by the size of the file: a
 * gradient of a gradient of a gradient grows fast. So both count against the limit of nodes, in these units. */
enum onr_status onri_tape_count(struct onri_importer *importer, uint64_t nodes);
/* One layer with one output, which is returned. */
int32_t onri_tape_emit(struct onri_tape *tape, const struct onr_layer *layer, const void *params, const int32_t *in,
                       size_t num_in);
/* Adds `value` to the gradient of input i of the node, if that matters. */
void onri_tape_add(struct onri_tape *tape, const struct onri_node *forward, int32_t i, int32_t value);
/* A scalar of the type of `like`. */
int32_t onri_tape_scalar(struct onri_tape *tape, float value, int32_t like);
/* `value`, whose shape broadcasts to that of `like`, in that shape. */
int32_t onri_tape_stretch(struct onri_tape *tape, int32_t value, int32_t like);

/* UNSUPPORTED, for a node that cannot be differentiated. */
enum onr_status onri_tape_no_rule(const struct onri_tape *tape, const struct onri_node *node);

/* One node whose gradient is passed on. */
struct onri_gradient_rule {
  struct onri_tape *tape;
  const struct onri_node *forward;
  int32_t a, b, y, g; /* inputs 0 and 1, output, its gradient */
};

/* Emits a formula: a b y g are values, k is alpha, the other letters are functions, operators and constants. */
int32_t onri_gradient_formula(const struct onri_gradient_rule *rule, const char *formula, float alpha);
/* "": the derivative is 0 wherever there is one. NULL: no rule. Binary: with respect to input i. */
const char *onri_gradient_unary(enum onr_unary op);
const char *onri_gradient_binary(enum onr_binary op, int32_t i);

/* Passes the gradient of the node's output 0 on to its inputs. UNSUPPORTED where there is no rule. */
enum onr_status onri_tape_differentiate(struct onri_tape *tape, const struct onri_node *forward);

#endif
