/* check_facts: what is deduced of a model's shapes, against what infer says for the sizes of each data set.
 *
 *   check_facts CASE...         each a folder with model.onnx and test_data_set_N/input_N.pb
 *   check_facts --print CASE    what is deduced of each node's outputs
 *
 * Facts that hold in every run hold in this one: rank, type, each dimension whose symbols are dimensions of inputs, and
 * each element of small integer tensors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "facts/facts.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"
#include "support/import_case.h"

enum { INPUTS_MOST = 16, SYMBOLS_MOST = 4096 };

struct sizes {
  int64_t value[SYMBOLS_MOST];
  uint8_t is_known[SYMBOLS_MOST];
};

static size_t num_dims, num_elements, num_told, num_models;

/* The symbols of an input's dimensions get the sizes of its tensor. */
static void learn(const struct onri_facts *facts, int32_t v, const struct onr_desc *desc, struct sizes *sizes) {
  const struct onri_fact *fact = &facts->of[v];
  for (int32_t k = 0; k < fact->rank && k < desc->rank; k++) {
    int32_t symbol, count = 0;
    int64_t number;
    if (onri_expr_is_number(&facts->exprs, fact->dim[k], &number)) continue;
    if (!onri_expr_symbols(&facts->exprs, fact->dim[k], &symbol, 1, &count) || count != 1 || symbol >= SYMBOLS_MOST)
      continue;
    sizes->value[symbol] = desc->dim[k];
    sizes->is_known[symbol] = 1;
  }
}

/* 1 when the expression has that value, or depends on what is not known. */
static int holds(const struct onri_facts *facts, onri_expr expr, const struct sizes *sizes, int64_t value) {
  int32_t list[64], count = 0;
  int64_t result;
  if (!onri_expr_symbols(&facts->exprs, expr, list, 64, &count)) return 1;
  for (int32_t i = 0; i < count; i++)
    if (list[i] >= SYMBOLS_MOST || !sizes->is_known[list[i]]) return 1;
  if (!onri_expr_evaluate(&facts->exprs, expr, sizes->value, &result)) return 1;
  num_told++;
  return result == value;
}

static int64_t element(const struct onr_desc *desc, const void *data, size_t i) {
  if (desc->dtype == ONR_DTYPE_I64) return ((const int64_t *)data)[i];
  return desc->dtype == ONR_DTYPE_I32 ? ((const int32_t *)data)[i] : ((const uint8_t *)data)[i] != 0;
}

static int is_empty(const struct onr_desc *desc) { return onr_desc_elements(desc) == 0; }

/* What is told of value v against what it is. */
static const char *compare(const struct onri_facts *facts, int32_t v, const struct onri_inference *f,
                           const struct sizes *sizes) {
  const struct onri_fact *fact = &facts->of[v];
  const struct onr_desc *desc = &f->descs[v];
  if (fact->dtype != ONR_DTYPE_NONE && fact->dtype != desc->dtype) return "another type";
  if (fact->rank == ONRI_UNKNOWN_RANK) return NULL;
  if (fact->rank != desc->rank) return "another rank";
  num_dims += (size_t)desc->rank;
  for (int32_t k = 0; k < desc->rank; k++)
    if (!holds(facts, fact->dim[k], sizes, desc->dim[k]) && !is_empty(desc)) return "another dimension";
  if (fact->num_elements < 0 || !f->known[v]) return NULL;
  if (fact->num_elements != onr_desc_elements(desc)) return "another number of elements";
  for (int32_t k = 0; k < fact->num_elements; k++) {
    num_elements++;
    if (!holds(facts, fact->elements[k], sizes, element(desc, f->known[v], (size_t)k))) return "another element";
  }
  return NULL;
}

static int check_nodes(const struct onri_facts *facts, struct onri_inference *f, const struct sizes *sizes,
                       const char *path) {
  struct onri_graph *graph = facts->graph;
  struct onr_error error = {0};
  enum onri_inferred inferred;
  int failed = 0;
  for (size_t n = 0; n < graph->num_nodes && !failed; n++) {
    const struct onri_node *node = &graph->nodes[n];
    if (onri_inference_step(f, node, &inferred, &error) != ONR_STATUS_OK) return 0; /* no run goes on */
    for (int32_t i = 0; inferred == ONRI_INFERRED && i < node->num_out; i++) {
      if (node->out[i] == ONRI_NONE) continue;
      char is[160], text[256] = "";
      const struct onri_fact *fact = &facts->of[node->out[i]];
      const char *wrong = compare(facts, node->out[i], f, sizes);
      if (!wrong) continue;
      for (int32_t k = 0; k < fact->rank; k++) {
        char dim[64];
        snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s",
                 onri_expr_format(&facts->exprs, fact->dim[k], dim, sizeof(dim)));
      }
      printf("FAIL %s: node %zu (%s) output %d: %s: deduced%s, found %s\n", path, n, node->layer->name, i, wrong, text,
             onr_desc_format(&f->descs[node->out[i]], is, sizeof(is)));
      failed = 1;
    }
  }
  return failed;
}

static int check_set(const struct onr_model *model, const struct onri_facts *facts, const char *path, int set) {
  struct onr_tensor tensors[INPUTS_MOST] = {0};
  struct onri_inference f;
  struct sizes *sizes = calloc(1, sizeof(*sizes));
  struct onri_graph *graph = model->graph;
  int failed = 0, found = 1;
  if (!sizes || onri_inference_init(&f, graph, graph->env, 1, NULL) != ONR_STATUS_OK) exit(2);
  for (size_t i = 0; i < graph->num_inputs && found; i++) {
    char file[1024];
    const struct onr_desc *declared = &graph->values[graph->inputs[i]].desc;
    snprintf(file, sizeof(file), "%s/test_data_set_%d/input_%zu.pb", path, set, i);
    found = !onri_dtype_is_block(declared->dtype) &&
            onr_tensor_file_load(file, declared->dtype, NULL, &tensors[i], NULL, 0, NULL) == ONR_STATUS_OK;
    if (!found) break;
    f.descs[graph->inputs[i]] = tensors[i].desc;
    f.known[graph->inputs[i]] = tensors[i].data;
    learn(facts, graph->inputs[i], &tensors[i].desc, sizes);
  }
  if (found) failed = check_nodes(facts, &f, sizes, path);
  onri_inference_clear(&f);
  for (size_t i = 0; i < INPUTS_MOST; i++) onr_tensor_release(NULL, &tensors[i]);
  free(sizes);
  return found ? failed : -1;
}

static int check_sets(const struct onr_model *model, const char *path) {
  struct onri_facts facts = {0};
  int failed = 0;
  if (onri_facts_begin(&facts, model->graph, 1, NULL) == ONR_STATUS_OK) {
    num_models++;
    for (int set = 0, found = 0; found >= 0 && set < 10; set++) {
      found = check_set(model, &facts, path, set);
      failed |= found > 0;
    }
  }
  onri_facts_clear(&facts);
  return failed;
}

/* As declared, and with every dimension of the inputs open. */
static int check_case(const char *path) {
  struct onri_loaded loaded;
  struct onr_model *model = import_case(path, &loaded);
  int failed = 0;
  if (!model) return 0;
  struct onri_graph *graph = model->graph;
  if (graph->num_inputs <= INPUTS_MOST) {
    failed = check_sets(model, path);
    for (size_t i = 0; i < graph->num_inputs; i++)
      for (int32_t k = 0; k < graph->values[graph->inputs[i]].desc.rank; k++)
        graph->values[graph->inputs[i]].desc.dim[k] = ONR_UNKNOWN_DIM;
    failed |= check_sets(model, path);
  }
  onr_model_destroy(model);
  return failed;
}

static void print_node(const struct onri_facts *facts, const struct onri_node *node) {
  printf("%s", node->layer->name);
  for (int32_t i = 0; i < node->num_out; i++) {
    if (node->out[i] == ONRI_NONE) continue;
    const struct onri_fact *fact = &facts->of[node->out[i]];
    char text[128];
    printf(" %s[", onr_dtype_name(fact->dtype));
    for (int32_t k = 0; k < fact->rank; k++)
      printf("%s%s", k ? ", " : "", onri_expr_format(&facts->exprs, fact->dim[k], text, sizeof(text)));
    printf("%s]", fact->rank == ONRI_UNKNOWN_RANK ? "unknown rank" : "");
    for (int32_t k = 0; k < fact->num_elements && k < 8; k++)
      printf("%s%s", k ? ", " : " = ", onri_expr_format(&facts->exprs, fact->elements[k], text, sizeof(text)));
  }
  printf("\n");
}

static int print_case(const char *path) {
  struct onri_loaded loaded;
  struct onr_model *model = import_case(path, &loaded);
  struct onri_facts facts = {0};
  struct onr_error error = {0};
  if (!model || onri_facts_begin(&facts, model->graph, 1, &error) != ONR_STATUS_OK) {
    printf("%s: %s\n", path, error.message);
    return 1;
  }
  for (size_t n = 0; n < model->graph->num_nodes; n++) print_node(&facts, &model->graph->nodes[n]);
  onri_facts_clear(&facts);
  onr_model_destroy(model);
  return 0;
}

int main(int argc, char **argv) {
  int failed = 0;
  if (argc == 3 && !strcmp(argv[1], "--print")) return print_case(argv[2]);
  for (int i = 1; i < argc; i++) failed += check_case(argv[i]);
  printf("%zu models: %zu dimensions and %zu elements met, %zu of them told by expressions; %d failed\n", num_models,
         num_dims, num_elements, num_told, failed);
  return failed != 0;
}
