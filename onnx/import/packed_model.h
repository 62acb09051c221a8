/* packed_model.h: a model in one file, with its weights as kernels read them. It is written by us and read as a
 * stranger's.
 *
 *   head       what the file is, where its parts are; a digest of all but the packed blocks
 *   entries    [num_sources] the model file, then the files beside it: which parts of them follow
 *   extents, names, kept bytes
 *   part       a file of packed weights (packed_file.h), from a page on
 *
 * What is kept of the model's files is what a load reads that finds packed weights: the graph, and constants that no
 * kernel packs. The rest is left out, so the file is for one version and one level of the processor, as packed weights
 * are. Loading maps the file and reads the graph; blocks are read when a run needs them. */
#ifndef ONRI_PACKED_MODEL_H
#define ONRI_PACKED_MODEL_H

#include "model/model.h"
#include "onnx/file/external.h"

/* When main is such a file, the sources become what it holds, and the model gets its weights; else nothing happens.
 * PARSE when it is damaged. verifies: packed blocks are compared with their checksum, too. */
enum onr_status onri_packed_model_open(struct onri_sources *sources, struct onr_model *model, int verifies,
                                       struct onr_error *error);
/* By its first bytes. */
int onri_is_packed_model(const unsigned char *first, size_t bytes);
/* From sources that have tracked the reads of a load, and the file of packed weights that it used. whole: nothing is
 * left out. */
enum onr_status onri_packed_model_write(const char *path, struct onri_sources *sources, const char *packed, int whole,
                                        struct onr_env *env, struct onr_error *error);

#endif
