/* module_reading.h: what the files share that read PyTorch's modules:
 *
 *   modules.c           the modules, and initializers by their names
 *   module_signature.c  parameters by the exporter's list */
#ifndef ONRI_MODULE_READING_H
#define ONRI_MODULE_READING_H

#include "onnx/torch/origin.h"
#include "onnx/torch/metadata.h"

struct onri_parameter {
  int32_t module;
  int32_t value; /* the initializer of its name, or -1 */
  int is_bias, found;
  int64_t channels; /* of the operation that took it; 0: not known */
};

/* A constant with another name, or somebody else's name (equal constants become one), read by an operation that took
 * parameters which no constant is named after. */
struct onri_stray {
  int32_t operation; /* the first of those parameters */
  int64_t elements;
};

struct onri_module_reading {
  struct onri_importer *importer;
  const Onnx__GraphProto *graph;
  struct onri_names modules_by_path, initializers, arguments; /* arguments: names as in fx_node, to parameter */
  struct onr_module_info *modules;
  size_t num_modules, modules_capacity;
  struct onri_parameter *parameters;
  size_t num_parameters, parameters_capacity;
  struct onri_stray *strays;
  size_t num_strays, strays_capacity;
  uint8_t *seen;  /* [num_initializers] counted */
  size_t *taken;  /* [num_initializers] 1 + the last node whose operation took it by its name */
  int32_t *homes; /* [n_node] the module of each node */
};

/* The index of a module, which is added when it is new; -1: out of memory. kind may be empty. */
int32_t onri_module_of(struct onri_module_reading *r, struct onri_slice path, struct onri_slice kind);
struct onri_slice onri_node_metadata(const Onnx__NodeProto *node, const char *key);
int onri_reading_grow(struct onri_module_reading *r, void *array, size_t item_bytes, size_t *capacity, size_t needed);
/* Adds without overflow. */
void onri_add_elements(int64_t *sum, int64_t elements);
int64_t onri_initializer_elements(const struct onri_module_reading *r, int32_t initializer);
/* The initializer that is an input of a node, or -1. */
int32_t onri_node_initializer(const struct onri_module_reading *r, const Onnx__NodeProto *node, size_t input);

/* Counts the parameters that the exporter lists. */
enum onr_status onri_signature_read(struct onri_module_reading *r, struct onri_slice signature);

#endif
