/* bodies.h: facts of If, Loop and Scan, and of what their bodies are fed. */
#ifndef ONRI_FACTS_BODIES_H
#define ONRI_FACTS_BODIES_H

#include "facts/facts.h"

/* Inputs of a control node in front of the captures, and those of each of its bodies. */
int32_t onri_body_explicit_inputs(const struct onri_node *node);
int32_t onri_body_formal_inputs(const struct onri_node *node);

/* Descriptors of the inputs of the node's bodies from those of what it feeds them. What the file declares is not used:
 * nobody checks it. Values that are carried from one iteration to the next are described as the first one finds them.
 */
void onri_body_feed(const struct onri_graph *graph, const struct onri_node *node);

/* Outputs of a body, from first_output on, that are its inputs from first_input on in the next iteration. */
struct onri_carried {
  int32_t count, first_input, first_output;
};
struct onri_carried onri_body_carried(const struct onri_node *node);

/* onri_facts_begin of a graph, or of a body that has been fed: again, until what is carried has the shapes that it was
 * taken to have. */
enum onr_status onri_facts_begin_carried(struct onri_facts *facts, struct onri_graph *graph, int is_main,
                                         const struct onri_carried *carried, struct onr_error *error);

#endif
