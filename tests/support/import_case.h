/* import_case.h: the graph of a case, for checkers of what is deduced of it. */
#ifndef IMPORT_CASE_H
#define IMPORT_CASE_H

#include <stdio.h>
#include <stdlib.h>

#include "model/model.h"
#include "onnx/import/load.h"

/* The graph of path/model.onnx as the file has it: nothing is rewritten, no weight packed. NULL where it is refused. */
static inline struct onr_model *import_case(const char *path, struct onri_loaded *loaded) {
  struct onri_sources *sources;
  struct onr_model *model;
  char file[1024];
  snprintf(file, sizeof(file), "%s/model.onnx", path);
  if (onri_model_create(NULL, &model, NULL) != ONR_STATUS_OK) exit(2);
  if (onri_sources_create(model->env.allocator, &sources, NULL) != ONR_STATUS_OK) exit(2);
  model->keep = sources;
  model->release_keep = onri_sources_destroy;
  if (onri_sources_open(sources, file, NULL, NULL) == ONR_STATUS_OK &&
      onri_onnx_load(&model->env, sources, NULL, NULL, loaded, NULL) == ONR_STATUS_OK) {
    model->graph = loaded->graph;
    return model;
  }
  onr_model_destroy(model);
  return NULL;
}

#endif
