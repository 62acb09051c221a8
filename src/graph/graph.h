/* graph.h: a model as data: values, and nodes that turn values into values.
 *
 * Values and nodes are known by their index. A graph owns everything in its arena; constants own their contents.
 * A body graph (If, Loop, Scan) is closed: what it captures from outside is listed among the inputs of its node, after
 * the explicit ones, and among its own inputs, after the formal ones. */
#ifndef ONRI_GRAPH_H
#define ONRI_GRAPH_H

#include "onnxrun/model.h"
#include "base/env.h"
#include "base/memory/memory.h"
#include "base/only.h"
#include "onnxrun/layer.h"

#define ONRI_NONE (-1) /* an omitted input or output */
#define ONRI_UNKNOWN_RANK (-1)

/* Contents of a constant: in memory, or still in the file. Shared by reference count (graph rewrites, body graphs). */
struct onri_constant {
  struct onr_desc desc;
  void *data; /* NULL until loaded; ONR_SLACK_BYTES readable behind it */
  const struct onr_allocator *allocator;
  int32_t references;
  int32_t readers; /* nodes and outputs that read it at run time; while layers are prepared */
  int owned;       /* data is released with the constant */
  /* Reads desc bytes from the file into `target` (in memory form); NULL when data is there from the start. */
  enum onr_status (*load)(void *source, const struct onri_constant *constant, void *target, struct onr_error *error);
  void *source; /* first argument of load; outlives the graph */
  /* load of contents that are packed and dropped, for who wants to look at them; NULL: they cannot be had again. */
  enum onr_status (*reload)(void *source, const struct onri_constant *constant, void *target, struct onr_error *error);
  uint64_t offset, bytes;   /* for load */
  struct onri_constant *of; /* what load reads in place of a file, or NULL; one reference */
};

struct onri_value {
  const char *name;     /* from the file, "" when generated */
  const uint8_t *order; /* [rank] it holds the file's value of that name transposed by it; NULL: as it is */
  struct onr_desc
      desc; /* best knowledge at load time: rank ONRI_UNKNOWN_RANK and dims ONR_UNKNOWN_DIM (-1) are possible */
  struct onri_constant *constant; /* contents, or NULL */
  int32_t producer;               /* node, or ONRI_NONE for inputs and constants */
  const char *const *dim_names;   /* inputs and outputs of the main graph: [rank], entries may be NULL; else NULL */
  const char *type;               /* the same: of what holds tensors, as "seq(tensor(float))"; else NULL */
};

/* Where a node came from; strings are escaped and bounded, "" when the file does not say. */
struct onri_origin {
  const char *op_type;      /* "Conv" */
  const char *name;         /* node name in the file */
  const char *module_path;  /* "encoder.layers.0.self_attn" */
  const char *module_class; /* "torch.nn.modules.activation.MultiheadAttention" */
  const char *source;       /* "model.py:41" */
};

struct onri_graph;

struct onri_node {
  const struct onr_layer *layer;    /* NULL: removed by a pass */
  void *params;                     /* layer->params_size bytes in the arena */
  const struct onri_origin *origin; /* never NULL */
  int32_t num_in, num_out;
  int32_t *in, *out; /* values; ONRI_NONE where omitted */
  /* If: then, else; Loop, Scan: body. Inputs of the node: the explicit ones, then the captures of bodies[0], then those
   * of bodies[1]. A body's inputs: the formal ones, then its captures. */
  int32_t num_bodies;
  struct onri_graph **bodies;
  void *prepared;         /* what layer->prepare made; NULL before */
  uint64_t packed_inputs; /* constant inputs that prepare packed and run does not read */
};

/* How many there are, where a build has any. */
static inline int32_t onri_num_bodies(const struct onri_node *node) { return ONRI_PART(bodies) ? node->num_bodies : 0; }

struct onri_graph {
  struct onri_arena arena;
  struct onr_env *env; /* the model's */
  struct onri_value *values;
  size_t num_values, values_capacity;
  struct onri_node *nodes; /* in an order in which producers come first */
  size_t num_nodes, nodes_capacity;
  int32_t *inputs, *outputs;
  size_t num_inputs, num_outputs;
  /* Layers that take numbers of a quantized tensor and compute in float32; in the arena, as their strings. */
  struct onr_float_layer *float_layers;
  size_t num_float_layers;
};

/* The first outputs of a node, which have a value whether anybody reads them or not. What a body makes may be dropped.
 */
static inline int32_t onri_outputs_needed(const struct onr_layer *layer) {
  return layer->control ? 0 : layer->outputs_min;
}

/* --- building --- */
enum onr_status onri_graph_create(struct onr_env *env, struct onri_graph **graph, struct onr_error *error);
void onri_graph_destroy(struct onri_graph *graph); /* bodies too; accepts NULL */
/* A new value; desc NULL: unknown; name NULL: generated. Returns its index, or -1 when out of memory. */
int32_t onri_graph_add_value(struct onri_graph *graph, const char *name, const struct onr_desc *desc);
/* A new constant value that takes over one reference of `constant`; on failure (-1) the reference is dropped. */
int32_t onri_graph_add_constant(struct onri_graph *graph, const char *name, struct onri_constant *constant);
/* A constant value with a copy of `data`. -1 when out of memory. */
int32_t onri_graph_add_data(struct onri_graph *graph, const struct onr_desc *desc, const void *data);
/* Appends a node. params are copied (layer->params_size bytes; NULL: zeroed), in and out too. Outputs that the layer's
 * table needs get a value where they are omitted. Sets producers of the outputs. Returns the node (valid until the next
 * insertion), or NULL when out of memory. */
struct onri_node *onri_graph_add_node(struct onri_graph *graph, const struct onr_layer *layer, const void *params,
                                      const struct onri_origin *origin, const int32_t *in, size_t num_in,
                                      const int32_t *out, size_t num_out);
enum onr_status onri_graph_set_inputs(struct onri_graph *graph, const int32_t *values, size_t count,
                                      struct onr_error *error);
enum onr_status onri_graph_set_outputs(struct onri_graph *graph, const int32_t *values, size_t count,
                                       struct onr_error *error);

/* --- constants --- */
/* Data in memory with slack behind it, contents uninitialised; NULL when out of memory. One reference. */
struct onri_constant *onri_constant_create(struct onr_env *env, const struct onr_desc *desc);
void onri_constant_retain(struct onri_constant *constant);
void onri_constant_release(struct onri_constant *constant); /* accepts NULL */
/* Brings the contents into memory when they are not yet. */
enum onr_status onri_constant_load(struct onri_constant *constant, struct onr_error *error);
/* Large contents that can be read from the file again leave memory. */
void onri_graph_unload(struct onri_graph *graph);
/* Contents of value v when it is a constant (loading them), else NULL with *status unchanged. Check *status. */
const void *onri_value_data(struct onri_graph *graph, int32_t v, enum onr_status *status, struct onr_error *error);

/* --- rewriting (for passes) --- */
/* Every reader of `from`, and the graph outputs, now read `to`. */
void onri_graph_replace(struct onri_graph *graph, int32_t from, int32_t to);
/* Uses of each value by live nodes and graph outputs; [num_values] in the given arena; NULL when out of memory. */
int32_t *onri_graph_count_uses(struct onri_graph *graph, struct onri_arena *arena);
/* Removes nodes whose outputs nobody uses, drops removed nodes, and puts the rest in topological order. GRAPH for a
 * cycle. */
enum onr_status onri_graph_tidy(struct onri_graph *graph, struct onr_error *error);
/* What is read is an input, a constant, or made by an earlier node that is there; one producer a value; bodies take
 * what their node reads; INTERNAL where that does not hold. Cheap: run after import and after each pass.
 * (src/graph/verify.c) */
enum onr_status onri_graph_verify(const struct onri_graph *graph, struct onr_error *error);

/* error->where for a node, when it is still empty. Returns status. */
enum onr_status onri_node_blame(const struct onri_node *node, enum onr_status status, struct onr_error *error);

/* --- running single nodes (src/graph/evaluate.c) --- */
/* Lengths of a call's arrays: what lies behind num_in and num_out is omitted, so that a layer may look at all that its
 * table allows. */
static inline size_t onri_room(size_t count, uint8_t most) {
  return most != ONR_VARIADIC && most > count ? most : count;
}
static inline size_t onri_inputs_room(const struct onr_layer *layer, size_t num_in) {
  return onri_room(num_in, layer->inputs_max);
}
static inline size_t onri_outputs_room(const struct onr_layer *layer, size_t num_out) {
  return onri_room(num_out, layer->outputs_max);
}
/* infer with the checks around it: arity from the table, the layer's check, descriptors from infer checked against
 * limits. */
enum onr_status onri_call_infer(const struct onr_layer *layer, struct onr_call *call);
/* check and prepare. Inputs that are not constant have NULL in call->inputs: the layer sees no more of them than
 * layer.h says. */
enum onr_status onri_call_prepare(const struct onr_layer *layer, struct onr_call *call);
/* About how many operations one run takes, as far as descriptors tell: limits.work bounds their sum. */
uint64_t onri_call_operations(const struct onr_layer *layer, const struct onr_call *call);
/* The same for what is computed while loading; UINT64_MAX where nobody knows (ONR_LAYER_HEAVY). */
uint64_t onri_call_work(const struct onr_layer *layer, const struct onr_call *call);
/* Text that the node makes lives no longer than a run, so it is not computed before. out: what infer said of its
 * outputs. */
int onri_makes_text(const struct onri_node *node, const struct onr_desc *out);
/* One node through all phases on the portable backend, for constant folding: inputs with contents, outputs as new
 * constants. outputs[num_out] hold one reference each on success; entries of omitted outputs are NULL. */
enum onr_status onri_node_evaluate(const struct onri_node *node, struct onr_env *env, const struct onr_desc *in,
                                   const void *const *inputs, struct onri_constant **outputs, struct onr_error *error);
/* What is known of the values of a graph while shapes are inferred, here and when a session plans. */
struct onri_inference {
  struct onri_graph *graph;
  struct onr_env *env;
  size_t num_values, capacity;     /* taken in; that there is room for */
  size_t width;                    /* of the widest node that there is room for */
  size_t content_bytes;            /* contents up to this size are computed [64 KiB] ... */
  size_t room;                     /* ... and this many bytes of them in all [no limit] */
  struct onr_desc *descs;          /* [num_values] rank ONRI_UNKNOWN_RANK: not known */
  const void **known;              /* [num_values] contents, NULL: not known */
  struct onri_constant **contents; /* [num_values] owners of contents that inference computed */
  struct onr_desc *in, *out;       /* room for the widest node */
  const void **inputs;
  uint64_t work_left; /* operations that computing contents may still take; what is left out is computed at run time */
};
enum { ONRI_INFERENCE_WORK = 1 << 23 }; /* for one sweep over the graph */
/* All descriptors unknown but those of constants. Constants are known when loaded; `load`: small ones are loaded. */
enum onr_status onri_inference_init(struct onri_inference *inference, struct onri_graph *graph, struct onr_env *env,
                                    int load, struct onr_error *error);
/* Takes in the values that the graph has got since. Constants as onri_inference_init. */
enum onr_status onri_inference_grow(struct onri_inference *inference, int load, struct onr_error *error);
void onri_inference_clear(struct onri_inference *inference);
enum onri_inferred {
  ONRI_BLOCKED = 0,     /* an input descriptor, or the contents of a shape input, are not known */
  ONRI_INFERRED = 1,    /* descriptors of all outputs are known now */
  ONRI_AT_RUN_TIME = 2, /* inputs are known, outputs will be when the node has run (DYNAMIC, CONTROL) */
};
/* One node. Small outputs whose contents follow from known ones are computed (known[] of the outputs is set). */
enum onr_status onri_inference_step(struct onri_inference *inference, const struct onri_node *node,
                                    enum onri_inferred *inferred, struct onr_error *error);
/* Forget what is known of the outputs of a node. */
void onri_inference_forget(struct onri_inference *inference, const struct onri_node *node);

#endif
