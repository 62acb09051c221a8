/* importer.h: the state of one import, shared by the files that do it:
 *
 *   import_graph.c  graphs: inputs, initializers, nodes, outputs, bodies
 *   import_node.c   one node: its inputs, and who turns it into layers
 *   functions.c     functions of the model, inlined
 *   inline.c        a body graph, inlined
 *   attributes.c    AttributeProto to struct onri_attribute
 *   scope.c         names to values, captures
 *   opsets.c        versions
 *   origin.c        where a node came from
 *   modules.c       PyTorch's modules and their parameters
 *   unsupported.c   what there is no code for
 *   op_form.c       what a node of each op becomes, for those who ask
 */
#ifndef ONRI_IMPORTER_H
#define ONRI_IMPORTER_H

#include "onnx/decode.h"
#include "onnx/import.h"
#include "onnx/names.h"
#include "onnx/registry.h"
#include "onnxrun/model.h"

/* Import recurses for bodies and function calls, whatever limits.depth says. */
enum { ONRI_IMPORT_DEPTH = 100 };

/* --- opsets.c --- */
struct onri_opset {
  const char *domain; /* "" for ai.onnx */
  int64_t version;
};
struct onri_opsets {
  struct onri_opset *items;
  size_t count;
};
const char *onri_canonical_domain(const char *domain); /* accepts NULL */
/* VERSION for a domain that comes in two versions, and for versions that do not exist (yet). `fallback` (NULL: none) gives domains
 * that the list lacks. */
enum onr_status onri_opsets_read(struct onri_arena *arena, Onnx__OperatorSetIdProto *const *protos, size_t count,
                                 const struct onri_opsets *fallback, struct onri_opsets *opsets, struct onr_error *error);
/* 0 when the domain is not imported. */
int64_t onri_opsets_version(const struct onri_opsets *opsets, const char *domain);
enum onr_status onri_check_ir_version(const Onnx__ModelProto *model, struct onr_error *error);

/* --- functions.c --- */
struct onri_function {
  const Onnx__FunctionProto *proto;
  struct onri_opsets opsets;
  int has_opsets;
  int measured;       /* 1: being measured; 2: nodes is known */
  uint64_t nodes;     /* after inlining; saturates */
};
struct onri_function_table {
  struct onri_function *items;
  size_t count;
  struct onri_names by_key;
  char *key;          /* room to build one */
  size_t key_capacity;
};
struct onri_importer;
struct onri_scope;
struct onri_file_node;
enum onr_status onri_functions_read(struct onri_importer *importer, const Onnx__ModelProto *model);
/* *function = NULL when the node is no call. */
enum onr_status onri_function_find(struct onri_importer *importer, const Onnx__NodeProto *node, struct onri_function **function);
enum onr_status onri_function_call(struct onri_importer *importer, struct onri_scope *scope, struct onri_function *function,
                                   const struct onri_file_node *node);

/* --- scope.c --- */
struct onri_call; /* of a function */
/* Names of one graph, or of one call of a function (whose nodes go into the graph of the caller). */
struct onri_scope {
  struct onri_scope *outer;         /* whose values the nodes here may capture; NULL: none */
  struct onri_graph *graph;
  struct onri_names names;          /* to value + 1; 0: a formal input that the caller omitted */
  const struct onri_opsets *opsets;
  const struct onri_call *call;     /* what attribute references mean; NULL outside of functions */
  int32_t *captured, *inner;        /* values of the outer graph, and what stands for them here */
  size_t num_captures, captured_capacity, inner_capacity;
};
void onri_scope_init(struct onri_scope *scope, struct onri_importer *importer, struct onri_scope *outer,
                     struct onri_graph *graph);
void onri_scope_clear(struct onri_scope *scope, struct onri_importer *importer);
/* 1: found (*value may be ONRI_NONE); 0: nobody defines it; -1: out of memory. Captures what an outer scope has. */
int onri_scope_find(struct onri_importer *importer, struct onri_scope *scope, const char *name, int32_t *value);
/* GRAPH when the name is taken. */
enum onr_status onri_scope_bind(struct onri_importer *importer, struct onri_scope *scope, const char *name, int32_t value);

/* --- attributes.c --- */
struct onri_call {
  const struct onri_function *function;
  const struct onri_attribute *attributes; /* of the calling node */
  size_t num_attributes;
};
enum onr_status onri_attributes_read(struct onri_importer *importer, struct onri_scope *scope, Onnx__AttributeProto *const *protos,
                                     size_t count, struct onri_attribute **attributes, size_t *num_attributes);

/* --- origin.c --- */
/* parent: the origin of the function call that the node comes from, or NULL. NULL when out of memory. */
const struct onri_origin *onri_origin_make(struct onri_importer *importer, const Onnx__NodeProto *node,
                                           const struct onri_origin *parent);
/* The module that a node is in, "" when the file does not say; NULL when out of memory. */
const char *onri_module_path(struct onri_importer *importer, const Onnx__NodeProto *node);
/* Puts the origin into error->where, when that is still empty. Returns status. */
enum onr_status onri_origin_blame(const struct onri_origin *origin, enum onr_status status, struct onr_error *error);

/* --- unsupported.c --- */
struct onri_unsupported {
  const char *what;   /* "NotAnOp (ai.onnx 17, float32)", or with a reason behind it */
  const struct onri_origin *first;
  uint64_t count;
};
struct onri_unsupported_list {
  struct onri_unsupported *items;
  size_t count, capacity;
  struct onri_names by_text;
};
/* dtype: of the first input, NONE: not known. reason: "" or a sentence. */
enum onr_status onri_unsupported_add(struct onri_importer *importer, const struct onri_origin *origin, const char *domain,
                                     int64_t version, enum onr_dtype dtype, const char *reason);
/* Data type of the first input: declared, of a constant, or through layers that keep the type; NONE: not known. */
enum onr_dtype onri_unsupported_dtype(const struct onri_graph *graph, const int32_t *in, size_t num_in);
/* UNSUPPORTED when there is anything in the list; calls the caller's report function. */
enum onr_status onri_unsupported_finish(struct onri_importer *importer);

/* --- op_table.c --- */
struct onri_op_index {
  const struct onri_op **rows; /* sorted by domain, op type, version */
  size_t count;
};
enum onr_status onri_op_index_make(struct onri_arena *arena, struct onri_op_index *index, struct onr_error *error);
/* The row for a node of that opset, or NULL. */
const struct onri_op *onri_op_find(const struct onri_op_index *index, const char *domain, const char *op_type, int64_t opset);

/* --- import_node.c, import_graph.c --- */
/* A node of the file with its inputs resolved. */
struct onri_file_node {
  const Onnx__NodeProto *proto;
  const struct onri_origin *origin;
  const char *domain;
  int32_t *in;
  size_t num_in, num_out; /* without trailing omitted ones */
};
enum onr_status onri_import_node(struct onri_importer *importer, struct onri_scope *scope, const Onnx__NodeProto *node,
                                 const struct onri_origin *parent);
enum onr_status onri_import_nodes(struct onri_importer *importer, struct onri_scope *scope, Onnx__NodeProto *const *nodes,
                                  size_t count, const struct onri_origin *parent);
/* A body graph that the caller's node must take over (onri_emit_bodies); until then the importer owns it. An empty one, and one
 * of the file. */
enum onr_status onri_import_new_body(struct onri_importer *importer, struct onri_graph **body);
enum onr_status onri_import_body(struct onri_importer *importer, struct onri_scope *outer, const Onnx__GraphProto *proto,
                                 struct onri_graph **body, int32_t **captures, size_t *num_captures);
enum onr_status onri_import_main(struct onri_importer *importer, const Onnx__GraphProto *proto, const struct onri_opsets *opsets);
enum onr_status onri_import_enter(struct onri_importer *importer); /* one level deeper; LIMIT */

struct onri_opened;
struct onri_default;
struct onri_importer {
  struct onr_env *env;
  struct onr_error *error;
  const struct onri_tensor_decoder *tensors;
  const struct onr_model_options *options; /* never NULL */
  struct onri_arena scratch;     /* until the import is over */
  struct onri_graph *graph;      /* the main one; texts and numbers of attributes live in its arena */
  struct onri_interner texts;
  const struct onri_origin *last_origin; /* nodes in a row without names share it */
  int from_pytorch;              /* PyTorch's exporter made the file */
  struct onri_op_index ops;
  const struct onri_opsets *opsets; /* of the model */
  struct onri_function_table functions;
  struct onri_unsupported_list unsupported;
  uint64_t nodes, emitted, depth; /* of the file, with those of functions for each call; of the graphs */
  struct onri_constant **held;   /* one reference each, for the attributes that show them */
  size_t num_held, held_capacity;
  struct onri_graph **orphans;   /* bodies that no node has taken over yet */
  size_t num_orphans, orphans_capacity;
  uint8_t *counted;              /* [num_initializers] 1: a node reads it, and it can be a parameter */
  size_t num_initializers;       /* the first values of the main graph */
  int64_t ir_version;
  const struct onri_opened *opened; /* defaults that are to be inputs; NULL: none */
  struct onri_default *defaults; /* in the main graph's arena */
  size_t num_defaults;
};

/* --- onnx_load.c --- tensors and options may be NULL */
void onri_importer_init(struct onri_importer *importer, struct onr_env *env, struct onri_graph *graph,
                        const struct onri_tensor_decoder *tensors, const struct onr_model_options *options, struct onr_error *error);
void onri_importer_clear(struct onri_importer *importer);

/* NO_MEMORY, for an import that ran out of it. */
enum onr_status onri_import_no_memory(struct onri_importer *importer);

#endif
