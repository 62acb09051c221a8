/* needs.h: what of the library takes part in a model, for who makes a build for it alone (base/only.h). Such a build is
 * not asked again. */
#ifndef ONRI_NEEDS_H
#define ONRI_NEEDS_H

#include "model/passes.h"

/* Layers, functions, types and parts of a graph as it is now. facts: zeroed, or of the graph; is_last: it stays so. */
void onri_needs_tell(const struct onri_passes_listener *listener, const struct onri_graph *graph,
                     const struct onri_facts *facts, int is_last);
/* A rewrite that has changed something. */
void onri_needs_tell_rewrite(const struct onri_passes_listener *listener, const char *name);

#endif
