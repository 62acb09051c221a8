/* packed.h: a model's packed weights in a file: read before layers are prepared, or written after. */
#ifndef ONRI_PACKED_H
#define ONRI_PACKED_H

#include "model/model.h"

/* After the rewrites: maps the file when it is the model's, or has what layers pack recorded. What is wrong with the
 * file is no failure: it is told in model->info. */
enum onr_status onri_packed_begin(struct onr_model *model, struct onr_error *error);
/* While the blocks are open: writes the file, or says that it did not fit after all. */
enum onr_status onri_packed_end(struct onr_model *model, struct onr_error *error);
/* With the model. */
void onri_packed_clear(struct onr_model *model);

#endif
