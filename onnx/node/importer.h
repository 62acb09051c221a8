/* importer.h: the state of one import: what is known of the file's functions, opsets and names, and what is being
 * built. An importer of an operator sees struct onr_node (import.h); the few that make bodies or constants of their own
 * look in here. */
#ifndef ONRI_IMPORTER_H
#define ONRI_IMPORTER_H

#include "onnx/file/decode.h"
#include "onnx/node/import.h"
#include "onnx/file/names.h"
#include "onnxrun/model.h"

struct onri_opsets {
  struct onr_opset *items;
  size_t count;
};
struct onri_function {
  const Onnx__FunctionProto *proto;
  struct onri_opsets opsets;
  int has_opsets;
  int measured;   /* 1: being measured; 2: nodes is known */
  uint64_t nodes; /* after inlining; saturates */
};
struct onri_function_table {
  struct onri_function *items;
  size_t count;
  struct onri_names by_key;
  char *key; /* room to build one */
  size_t key_capacity;
};
struct onri_importer;
/* --- scope.c --- */
struct onri_call; /* of a function */
/* Names of one graph, or of one call of a function (whose nodes go into the graph of the caller). */
struct onri_scope {
  struct onri_scope *outer; /* whose values the nodes here may capture; NULL: none */
  struct onri_graph *graph;
  struct onri_names names; /* to value + 1; 0: a formal input that the caller omitted */
  const struct onri_opsets *opsets;
  const struct onri_call *call; /* what attribute references mean; NULL outside of functions */
  int32_t *captured, *inner;    /* values of the outer graph, and what stands for them here */
  size_t num_captures, captured_capacity, inner_capacity;
};
void onri_scope_init(struct onri_scope *scope, struct onri_importer *importer, struct onri_scope *outer,
                     struct onri_graph *graph);
void onri_scope_clear(struct onri_scope *scope, struct onri_importer *importer);
/* 1: found (*value may be ONRI_NONE); 0: nobody defines it; -1: out of memory. Captures what an outer scope has. */
int onri_scope_find(struct onri_importer *importer, struct onri_scope *scope, const char *name, int32_t *value);
/* GRAPH when the name is taken. */
enum onr_status onri_scope_bind(struct onri_importer *importer, struct onri_scope *scope, const char *name,
                                int32_t value);

struct onri_call {
  const struct onri_function *function;
  const struct onri_attribute *attributes; /* of the calling node */
  size_t num_attributes;
};
struct onri_unsupported {
  const char *what; /* "NotAnOp (ai.onnx 17, float32)", or with a reason behind it */
  const struct onri_origin *first;
  uint64_t count;
};
struct onri_unsupported_list {
  struct onri_unsupported *items;
  size_t count, capacity;
  struct onri_names by_text;
};
enum { ONRI_OP_LISTS = 512 };
struct onri_op_entry {
  const struct onri_op *row;
  const struct onri_op_entry *next;
};
struct onri_op_index {
  const struct onri_op_entry **lists; /* ONRI_OP_LISTS, by a hash of the op type */
};
struct onri_opened;
struct onri_default;
struct onri_importer {
  struct onr_env *env;
  struct onr_error *error;
  const struct onri_tensor_decoder *tensors;
  const struct onr_model_options *options; /* never NULL */
  struct onri_arena scratch;               /* until the import is over */
  struct onri_graph *graph;                /* the main one; texts and numbers of attributes live in its arena */
  struct onri_interner texts;
  const struct onri_origin *last_origin; /* nodes in a row without names share it */
  int from_pytorch;                      /* PyTorch's exporter made the file */
  struct onri_op_index ops;
  const struct onri_opsets *opsets; /* of the model */
  struct onri_function_table functions;
  struct onri_unsupported_list unsupported;
  uint64_t nodes, emitted, depth; /* of the file, with those of functions for each call; of the graphs */
  struct onri_constant **held;    /* one reference each, for the attributes that show them */
  size_t num_held, held_capacity;
  struct onri_graph **orphans; /* bodies that no node has taken over yet */
  size_t num_orphans, orphans_capacity;
  uint8_t *counted;        /* [num_initializers] 1: a node reads it, and it can be a parameter */
  size_t num_initializers; /* the first values of the main graph */
  int64_t ir_version;
  const struct onri_opened *opened; /* defaults that are to be inputs; NULL: none */
  struct onri_default *defaults;    /* in the main graph's arena */
  size_t num_defaults;
};

/* An empty body graph that the caller's node must take over (onri_emit_bodies); until then the importer owns it. */
enum onr_status onri_import_new_body(struct onri_importer *importer, struct onri_graph **body);
/* NO_MEMORY, for an import that ran out of it. */
enum onr_status onri_import_no_memory(struct onri_importer *importer);
/* For builds for this model alone (base/only.h). */
void onri_import_tell_part(const struct onri_importer *importer, const char *name);

#endif
