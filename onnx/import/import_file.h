/* import_file.h: a file becomes a graph; shared by the files of this folder:
 *
 *   load.c         the model
 *   graph.c        graphs: inputs, initializers, nodes, outputs, bodies
 *   node.c         one node: its inputs, and who turns it into layers
 *   functions.c    functions of the model, inlined
 *   attributes.c   AttributeProto to struct onri_attribute
 *   opsets.c       versions
 *   op_table.c     the rows of all operators
 *   unsupported.c  what there is no code for
 *   op_form.c      what a node of each op becomes, for those who ask */
#ifndef ONRI_IMPORT_FILE_H
#define ONRI_IMPORT_FILE_H

#include "onnx/import/registry.h"
#include "onnx/node/importer.h"

/* Import recurses for bodies and function calls, whatever limits.depth says. */
enum { ONRI_IMPORT_DEPTH = 100 };

struct onri_file_node;

/* --- opsets.c --- */
const char *onri_canonical_domain(const char *domain); /* accepts NULL */
/* VERSION for a domain that comes in two versions, and for versions that do not exist (yet). `fallback` (NULL: none)
 * gives domains that the list lacks. */
enum onr_status onri_opsets_read(struct onri_arena *arena, Onnx__OperatorSetIdProto *const *protos, size_t count,
                                 const struct onri_opsets *fallback, struct onri_opsets *opsets,
                                 struct onr_error *error);
/* 0 when the domain is not imported. */
int64_t onri_opsets_version(const struct onri_opsets *opsets, const char *domain);
enum onr_status onri_check_ir_version(const Onnx__ModelProto *model, struct onr_error *error);

/* --- functions.c --- */
enum onr_status onri_functions_read(struct onri_importer *importer, const Onnx__ModelProto *model);
/* *function = NULL when the node is no call. */
enum onr_status onri_function_find(struct onri_importer *importer, const Onnx__NodeProto *node,
                                   struct onri_function **function);
enum onr_status onri_function_call(struct onri_importer *importer, struct onri_scope *scope,
                                   struct onri_function *function, const struct onri_file_node *node);

/* --- attributes.c --- */
enum onr_status onri_attributes_read(struct onri_importer *importer, struct onri_scope *scope,
                                     Onnx__AttributeProto *const *protos, size_t count,
                                     struct onri_attribute **attributes, size_t *num_attributes);

/* --- unsupported.c --- */
/* dtype: of the first input, NONE: not known. reason: "" or a sentence. */
enum onr_status onri_unsupported_add(struct onri_importer *importer, const struct onri_origin *origin,
                                     const char *domain, int64_t version, enum onr_dtype dtype, const char *reason);
/* Data type of the first input: declared, of a constant, or through layers that keep the type; NONE: not known. */
enum onr_dtype onri_unsupported_dtype(const struct onri_graph *graph, const int32_t *in, size_t num_in);
/* UNSUPPORTED when there is anything in the list; calls the caller's report function. */
enum onr_status onri_unsupported_finish(struct onri_importer *importer);

/* --- op_table.c --- */
enum onr_status onri_op_index_make(struct onri_arena *arena, struct onri_op_index *index, struct onr_error *error);
/* Row `index` of all, in no particular order; NULL beyond the last. */
const struct onri_op *onri_op_at(size_t index);
/* The row for a node of that opset, or NULL. */
const struct onri_op *onri_op_find(const struct onri_op_index *index, const char *domain, const char *op_type,
                                   int64_t opset);

/* --- node.c, graph.c --- */
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
enum onr_status onri_import_nodes(struct onri_importer *importer, struct onri_scope *scope,
                                  Onnx__NodeProto *const *nodes, size_t count, const struct onri_origin *parent);
/* A body graph that the caller's node must take over (onri_emit_bodies); until then the importer owns it. */
enum onr_status onri_import_body(struct onri_importer *importer, struct onri_scope *outer,
                                 const Onnx__GraphProto *proto, struct onri_graph **body, int32_t **captures,
                                 size_t *num_captures);
enum onr_status onri_import_main(struct onri_importer *importer, const Onnx__GraphProto *proto,
                                 const struct onri_opsets *opsets);
enum onr_status onri_import_enter(struct onri_importer *importer); /* one level deeper; LIMIT */

/* --- load.c --- tensors and options may be NULL */
void onri_importer_init(struct onri_importer *importer, struct onr_env *env, struct onri_graph *graph,
                        const struct onri_tensor_decoder *tensors, const struct onr_model_options *options,
                        struct onr_error *error);
void onri_importer_clear(struct onri_importer *importer);

#endif
