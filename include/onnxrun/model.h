/* model.h: an ONNX file, loaded, rewritten and packed. Immutable: any number of threads and sessions may use one. */
#ifndef ONNXRUN_MODEL_H
#define ONNXRUN_MODEL_H

#include "onnxrun/runtime.h"
#include "onnxrun/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct onr_model;
struct onr_registry; /* layers of the caller's own: layer.h */
struct onr_value_info;
struct onr_model_info;

struct onr_model_options {
  size_t size;                           /* sizeof(struct onr_model_options), see api.h */
  const struct onr_allocator *allocator; /* NULL: malloc; must outlive the model */
  const struct onr_limits *limits;       /* NULL: the defaults; copied */
  const struct onr_registry *registry;   /* NULL: built-in layers only; must outlive the model */
  struct onr_threads *threads;           /* used while loading, to pack in parallel; NULL: one thread */
  enum onr_backend backend;
  const char *external_directory; /* one more directory that external data may lie in; NULL: only the model's own.
                                     A model in memory has none of its own. Links beside the model are
                                     followed only to files directly in it (a cache's folder of blobs). */
  const char *disabled_passes;    /* names of graph rewrites to leave out, comma-separated, "all" for all; NULL: none */
  int data_stays; /* for onr_model_load_memory: non-zero: data stays where and as it is until the model is destroyed.
                     Weights are then read in place, where they lie as their type is aligned in memory and no kernel
                     wants them packed; the others are copied one by one, and not all before the first is packed */
  const struct onr_cancel *cancel; /* stops the load; NULL: nothing does */
  /* Called for each kind of node that this build has no code for, before the load fails with UNSUPPORTED (whose message
   * has room for a few of them only). The line is escaped and gone after the call. NULL: not called. */
  void (*report)(void *context, const char *line);
  /* Called once the inputs and outputs are known, before nodes that are unsupported or do not fit make the load fail:
   * they can be told all the same. The infos are gone after the call. NULL: not called. */
  void (*declared)(void *context, const struct onr_value_info *const *inputs, size_t num_inputs,
                   const struct onr_value_info *const *outputs, size_t num_outputs);
  void *report_context; /* the first argument of these, and of `uses` */
  /* A file of packed weights of this model. Weights that it has are neither read nor packed: they are mapped, and
   * shared with all processes that map the file. It is checked, and used only where model, version, processor and
   * options are those that it was made for; else weights are packed as without it, and struct onr_model_info says why.
   * Replace it, never write into it while it is in use. ARGUMENT with a packed model, which has its weights in it.
   * NULL: none. */
  const char *packed;
  int packed_write; /* non-zero: where `packed` is not there or not fit for use, it is written */
  /* For measuring: convolutions and products that can are computed by this method, whatever their rule says. */
  enum onr_method method;
  int for_source; /* non-zero: the model will be written as C (compile.h), not run: weights stay as the file has them */
  /* Called for each operator ("operator", its domain, its type), layer, element-wise function, type of values and
   * rewrite ("layer", "unary", "binary", "type" and "rewrite", "", its name) that takes part in the load, perhaps many
   * times: what a build for a few models has to have. Its context is report_context. NULL: not called. */
  void (*uses)(void *context, const char *kind, const char *domain, const char *name);
  enum onr_precision precision;
};
ONR_SIZED(onr_model_options)

/* Names of the graph rewrites, for disabled_passes, in the order in which they are done; one that is done twice is
 * there twice. NULL: there are no more. "kernels" stands for those that are for this library's kernels alone. */
ONR_API const char *onr_pass_name(size_t index);

#define ONR_UNKNOWN_DIM (-1)

/* A graph input or output as declared. Strings live as long as the model. */
struct onr_value_info {
  const char *name;
  enum onr_dtype dtype;
  int32_t rank;                       /* -1: not declared */
  int64_t dim[ONR_MAX_RANK];          /* ONR_UNKNOWN_DIM: given by the caller at run time */
  const char *dim_name[ONR_MAX_RANK]; /* "batch"; NULL where the dimension has no name */
  const char *type;                   /* of a sequence, map or optional "seq(tensor(float))"; NULL of tensors */
};

/* From a file. External data is looked for beside it, never outside of its directory.
 * On success *model is the caller's, to be freed with onr_model_destroy; on failure it is NULL. */
ONR_API enum onr_status onr_model_load(const char *path, const struct onr_model_options *options,
                                       struct onr_model **model, struct onr_error *error);
/* From memory, which may be freed when the call returns unless options say that it stays (data_stays). */
ONR_API enum onr_status onr_model_load_memory(const void *data, size_t bytes, const struct onr_model_options *options,
                                              struct onr_model **model, struct onr_error *error);
/* The model in one file, `target`, with its weights as kernels read them; onr_model_load takes it as it takes a model,
 * and maps it. Weights that were packed are in it in that form only, so it is for this version, this level of the
 * processor's instructions, and these options: else loading it ends in VERSION. Of options packed and packed_write are
 * not used. A packed model that is there is replaced when all is written; IO when it cannot be written, or another file
 * is there. */
ONR_API enum onr_status onr_model_pack(const char *path, const struct onr_model_options *options, const char *target,
                                       struct onr_error *error);
/* The model, rewritten as far as ONNX has words for it, as an ONNX file for any program: constants are folded, what
 * does nothing is gone, BatchNorm is in the weights, written-out GELU and LayerNorm are operators, old operators new
 * ones. Names of inputs and outputs stay; inputs with a default become constants. UNSUPPORTED where a layer has no form
 * in ONNX (report of options is told of each kind), LIMIT above 2 GiB without weights. Weights go to TARGET.data beside
 * it where the file would be larger than 2 GiB, or than file_bytes of the limits. An ONNX file that is there, which may
 * be the model itself, is replaced when all is written; IO when it cannot be written, or another file is there. info,
 * which may be NULL, is the model's, with the nodes that were written as num_nodes. */
ONR_API enum onr_status onr_model_optimise(const char *path, const struct onr_model_options *options,
                                           const char *target, struct onr_model_info *info, struct onr_error *error);
/* Accepts NULL. All sessions of the model must be gone. */
ONR_API void onr_model_destroy(struct onr_model *model);

/* Inputs that a caller must set. */
ONR_API size_t onr_model_num_inputs(const struct onr_model *model);
/* Inputs that a caller may leave out: initializers which the file lists as inputs, too. They have the indices behind
 * the others. A model is compiled with their values as constants; a session whose caller sets one
 * (onr_session_set_input) compiles it once more at its next plan, for itself. Files before IR version 4 had to list all
 * initializers: there they are constants. */
ONR_API size_t onr_model_num_defaults(const struct onr_model *model);
ONR_API size_t onr_model_num_outputs(const struct onr_model *model);
/* NULL when index is out of range. */
ONR_API const struct onr_value_info *onr_model_input(const struct onr_model *model, size_t index);
ONR_API const struct onr_value_info *onr_model_output(const struct onr_model *model, size_t index);
/* Index of the input or output of that name, or -1. */
ONR_API int onr_model_find_input(const struct onr_model *model, const char *name);
ONR_API int onr_model_find_output(const struct onr_model *model, const char *name);

enum onr_packed {
  ONR_PACKED_NONE = 0,    /* there was no such option */
  ONR_PACKED_MAPPED = 1,  /* weights come from the file */
  ONR_PACKED_WRITTEN = 2, /* it holds those of this model now */
  ONR_PACKED_REFUSED = 3  /* it does not fit, or cannot be written: the model was loaded without it */
};

/* About the file; strings live as long as the model. */
struct onr_model_info {
  size_t size;                                  /* sizeof(struct onr_model_info), see api.h */
  const char *producer_name, *producer_version; /* "pytorch", "2.15.0"; "" when absent, as in the next ones */
  const char *domain;                           /* "com.example", of who made the model */
  const char *graph_name, *doc_string;
  int64_t model_version; /* of the model, as its maker counts; 0 when absent */
  int64_t ir_version;
  int64_t opset;       /* of the default domain */
  int64_t parameters;  /* PyTorch's sum(p.numel()) where the exporter lists the parameters; else the elements of all
                          initializers that nodes read (floating-point and quantised; statistics are none) */
  size_t weight_bytes; /* constants and packed weights held in memory */
  size_t num_nodes_in_file, num_nodes; /* before and after the rewrites */
  enum onr_packed packed;              /* what became of `packed` of the options */
  const char *packed_note;             /* why, of REFUSED; else "" */
};
ONR_SIZED(onr_model_info)
/* ARGUMENT when info has no size. */
ONR_API enum onr_status onr_model_get_info(const struct onr_model *model, struct onr_model_info *info);

/* Of a quantized model, a layer that takes numbers of a quantized tensor and computes in float32 all the same, and why,
 * in words. Strings live as long as the model. */
struct onr_float_layer {
  const char *layer, *name, *module_path; /* as in struct onr_node_info */
  const char *reason;                     /* "there is no kernel of bytes for it" */
};
ONR_API size_t onr_model_num_float_layers(const struct onr_model *model);
/* NULL when index is out of range. */
ONR_API const struct onr_float_layer *onr_model_float_layer(const struct onr_model *model, size_t index);

/* What else the maker of a model has written into it (metadata_props); in the order of the file. */
struct onr_property {
  const char *key;
  struct onr_string value; /* a NUL follows it */
};
ONR_API size_t onr_model_num_properties(const struct onr_model *model);
/* NULL when index is out of range. */
ONR_API const struct onr_property *onr_model_property(const struct onr_model *model, size_t index);
/* The first one of that key, NULL: none. */
ONR_API const struct onr_property *onr_model_find_property(const struct onr_model *model, const char *key);

/* The sets of operators that the file asks for. */
struct onr_opset {
  const char *domain; /* "" for ai.onnx */
  int64_t version;
};
ONR_API size_t onr_model_num_opsets(const struct onr_model *model);
/* NULL when index is out of range. */
ONR_API const struct onr_opset *onr_model_opset(const struct onr_model *model, size_t index);

/* The files beside the model that contents of it come from, by the paths that it has: relative to its own folder, or to
 * the extra one of the options. */
ONR_API size_t onr_model_num_external_files(const struct onr_model *model);
/* Lives as long as the model. NULL when index is out of range. */
ONR_API const char *onr_model_external_file(const struct onr_model *model, size_t index);

/* A module of PyTorch, as the exporter names it; in the order in which they run. Strings live as long as the model. A
 * file of the older exporter has only what names of nodes and weights tell, and a BatchNorm that was folded is not in
 * it. */
struct onr_module_info {
  const char *path;   /* "encoder.layers.0"; "": the model itself */
  const char *kind;   /* "Conv2d"; where the file does not say, the operator of its first node */
  int64_t parameters; /* its own, without those of the modules in it; counted before the exporter folded anything */
  int64_t unknown;    /* parameters (not elements) of which the exporter has left nothing that tells their size */
  int64_t buffers;    /* floating-point ones, as running_mean */
};
ONR_API size_t onr_model_num_modules(const struct onr_model *model);
/* NULL when index is out of range. */
ONR_API const struct onr_module_info *onr_model_module(const struct onr_model *model, size_t index);

#ifdef __cplusplus
}
#endif
#endif
