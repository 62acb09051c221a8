/* program.h: the phases of a model that becomes C. */
#ifndef ONRI_PROGRAM_H
#define ONRI_PROGRAM_H

#include "compile/source.h"
#include "model/model.h"

/* node.c: writes the steps of all nodes that are needed; UNSUPPORTED names those that cannot be written. */
enum onr_status onri_source_nodes(struct onri_source *s);
/* layout.c: places values and scratch in the arena, weights in their file. */
enum onr_status onri_source_layout(struct onri_source *s);
/* write.c: hands all parts to the caller. */
enum onr_status onri_source_write(struct onri_source *s, const struct onr_model *model);

#endif
