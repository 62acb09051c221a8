/* check_fixed: a model whose dimensions are open becomes the same layers as the same model with these dimensions fixed.
 *
 *   check_fixed CASE...     each a folder with model.onnx and test_data_set_0/input_N.pb
 *
 * Prints the cases that become other layers, with both lists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"
#include "support/import_case.h"

enum { INPUTS_MOST = 16, LIST_MOST = 1 << 16 };

static size_t num_models, num_nodes;

static int read_inputs(const struct onri_graph *graph, const char *path, struct onr_tensor *tensors) {
  if (graph->num_inputs > INPUTS_MOST) return 0;
  for (size_t i = 0; i < graph->num_inputs; i++) {
    char file[1024];
    const enum onr_dtype dtype = graph->values[graph->inputs[i]].desc.dtype;
    snprintf(file, sizeof(file), "%s/test_data_set_0/input_%zu.pb", path, i);
    if (onri_dtype_is_block(dtype) ||
        onr_tensor_file_load(file, dtype, NULL, &tensors[i], NULL, 0, NULL) != ONR_STATUS_OK)
      return 0;
  }
  return 1;
}

/* Whether some dimension was open. */
static int fix(struct onri_graph *graph, const struct onr_tensor *tensors) {
  int was_open = 0;
  for (size_t i = 0; i < graph->num_inputs; i++) {
    struct onr_desc *desc = &graph->values[graph->inputs[i]].desc;
    if (desc->rank < 0) return 0;
    for (int32_t k = 0; k < desc->rank; k++) was_open |= desc->dim[k] < 0;
    *desc = tensors[i].desc;
  }
  return was_open;
}

/* Shape arithmetic, and what only makes another shape of the same elements: open dimensions need more of it, at
 * planning time. */
static int is_for_shapes(const struct onri_graph *graph, const struct onri_node *node) {
  static const char *const views[] = {"reshape", "squeeze",           "unsqueeze", "flatten",
                                      "expand",  "constant_of_shape", "slice"};
  const enum onr_dtype dtype =
      node->num_out && node->out[0] != ONRI_NONE ? graph->values[node->out[0]].desc.dtype : ONR_DTYPE_NONE;
  for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
    if (!strcmp(node->layer->name, views[i])) return 1;
  return dtype == ONR_DTYPE_I64 || dtype == ONR_DTYPE_BOOL;
}

static void list_layers(const struct onri_graph *graph, char *list) {
  size_t length = 0;
  list[0] = 0;
  for (size_t n = 0; n < graph->num_nodes && length < LIST_MOST - 64; n++) {
    const struct onri_node *node = &graph->nodes[n];
    if (is_for_shapes(graph, node)) continue;
    length += (size_t)snprintf(list + length, LIST_MOST - length, " %s", node->layer->name);
    num_nodes++;
  }
}

/* Rewrites the graph. Layers in the order in which they run. 0 where the model is refused. */
static int rewrite(struct onr_model *model, const struct onri_loaded *loaded, char *list) {
  if (onri_model_finish(model, model->graph, &loaded->info, model->keep, model->release_keep, NULL, NULL) !=
      ONR_STATUS_OK)
    return 0;
  list_layers(model->graph, list);
  return 1;
}

static int check_case(const char *path, char *open_list, char *fixed_list) {
  struct onr_tensor tensors[INPUTS_MOST] = {0};
  struct onri_loaded loaded[2];
  struct onr_model *open = import_case(path, &loaded[0]), *fixed = open ? import_case(path, &loaded[1]) : NULL;
  int differs = 0;
  if (fixed && read_inputs(fixed->graph, path, tensors) && fix(fixed->graph, tensors) &&
      rewrite(open, &loaded[0], open_list) && rewrite(fixed, &loaded[1], fixed_list)) {
    num_models++;
    differs = strcmp(open_list, fixed_list) != 0;
    if (differs) printf("DIFFERS %s\n  open %s\n  fixed%s\n", path, open_list, fixed_list);
  }
  for (size_t i = 0; i < INPUTS_MOST; i++) onr_tensor_release(NULL, &tensors[i]);
  if (open) onr_model_destroy(open);
  if (fixed) onr_model_destroy(fixed);
  return differs;
}

int main(int argc, char **argv) {
  char *lists = malloc(2 * LIST_MOST);
  int differing = 0;
  if (!lists) return 2;
  for (int i = 1; i < argc; i++) differing += check_case(argv[i], lists, lists + LIST_MOST);
  printf("%zu models with open dimensions, %zu layers; %d become other layers\n", num_models, num_nodes, differing);
  free(lists);
  return differing != 0;
}
