/* gradient.h: reverse-mode differentiation of nodes that are already in the graph.
 *
 *   import_gradient.c   which nodes, in which order, what adds up
 *   gradient_rules.c    what one node passes on to its inputs
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

/* Passes the gradient of the node's output 0 on to its inputs. UNSUPPORTED where there is no rule. */
enum onr_status onri_tape_differentiate(struct onri_tape *tape, const struct onri_node *forward);

#endif
