/* control.h: what the bodies of If, Loop and Scan are fed. */
#ifndef ONRI_PASSES_CONTROL_H
#define ONRI_PASSES_CONTROL_H

#include "graph/graph.h"

/* Descriptors of the formal inputs of the node's bodies from those of what it feeds them. What the file declares is not
 * used: nobody checks it. Values that are carried from one iteration to the next are described as the first one finds
 * them. */
void onri_control_feed(const struct onri_graph *graph, const struct onri_node *node);
/* How many outputs of a body, from *first_output on, are its inputs from *first_input on in the next iteration. */
int32_t onri_control_carried(const struct onri_node *node, int32_t *first_input, int32_t *first_output);

#endif
