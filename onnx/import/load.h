/* load.h: from opened sources to a graph. */
#ifndef ONRI_ONNX_LOAD_H
#define ONRI_ONNX_LOAD_H

#include "onnx/file/external.h"
#include "model/model.h"

/* Names of inputs with a default that are to be inputs like others. */
struct onri_opened {
  const char **names;
  size_t count;
};

struct onri_loaded {
  struct onri_graph *graph;        /* the caller's; dim_names on its inputs and outputs; constants need the sources */
  struct onr_module_info *modules; /* in the graph's arena, as what follows */
  size_t num_modules;
  struct onr_property *properties;
  size_t num_properties;
  struct onr_opset *opsets;
  size_t num_opsets;
  struct onri_default *defaults; /* inputs with a default that were not opened: constants of the graph; in its arena */
  size_t num_defaults;
  struct onr_model_info info; /* strings in the graph's arena; weight_bytes and num_nodes are 0 */
};

/* options may be NULL: registry, report, declared and report_context are read; so may `opened`. env outlives the graph.
 */
enum onr_status onri_onnx_load(struct onr_env *env, struct onri_sources *sources,
                               const struct onr_model_options *options, const struct onri_opened *opened,
                               struct onri_loaded *loaded, struct onr_error *error);

#endif
