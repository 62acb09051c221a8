/* layer.h: the contract of a layer, for the built-in ones and for your own.
 *
 * A layer is one constant table of functions. The executor checks arity and types from the table, then calls:
 *
 *   check    before infer and prepare       refuse parameters that are wrong; looks at nothing else   (pure)
 *   infer    for each set of input shapes   output descriptors from input descriptors       (pure)
 *   prepare  once a model                   choose a kernel, pack constant weights
 *   plan     for each set of input shapes   loop bounds, scratch, in-place and view wishes
 *   run      for each inference             compute: no allocation, no shape logic, no message
 *   release  once, also after a failure     undo plan (state) or prepare (prepared)
 *
 * A NULL function means: infer - all outputs have the descriptor of input 0; check, prepare, plan, release - nothing to
 * do. plan and run come after infer for the same shapes, and may rely on what it checked. prepare may rely on check
 * alone, since shapes may be unknown while a model is loaded: it sees no more of inputs that are not constant than that
 * they are there (their rank is -1, their type may be a guess). Constants have the types of the table (prepare is not
 * called where they have not), but it looks itself whether they have the shape that it needs. Several sessions may use
 * one model at the same time: `params` and `prepared` are read-only in plan and run.
 */
#ifndef ONNXRUN_LAYER_H
#define ONNXRUN_LAYER_H

#include "onnxrun/runtime.h"
#include "onnxrun/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ONR_VARIADIC UINT8_MAX

struct onr_env; /* allocator, threads, limits, backend of the model or session */

enum onr_layer_flags {
  /* Output shapes depend on data that no input descriptor shows (NonZero, NonMaxSuppression). infer gives the dtype and
   * rank and any dims; run calls onr_call_resize() for each output before it writes. */
  ONR_LAYER_DYNAMIC = 1,
  /* Outputs depend on the descriptors of the inputs alone, never on their contents (Shape, Size). */
  ONR_LAYER_SHAPE_ONLY = 2,
  /* Not a function of its inputs (random numbers): never folded into a constant. */
  ONR_LAYER_IMPURE = 4,
  /* Reads up to ONR_SLACK_BYTES past the end of its inputs: the executor sees to it that this memory is readable. */
  ONR_LAYER_OVERREADS = 16,
  /* Makes new text for STRING outputs with onr_call_text: these are not computed before run time. */
  ONR_LAYER_TEXT = 32,
  /* Does far more work than multiply_adds, steps and the sizes of its inputs and outputs tell (a forest of trees), so
   * it is not computed while loading. Where these are small, waking threads costs more than the work, and a layer
   * without this flag runs on the calling thread alone. */
  ONR_LAYER_HEAVY = 64,
  /* Has outputs that are sequences, optionals or maps (sequence.h): blocks, not elements. The executor refuses them
   * from all other layers, so that none puts a block together as if it were a tensor. */
  ONR_LAYER_MAKES_CONTAINERS = 256,
  /* Reads no more elements than it writes, however large its inputs are (Slice, Gather). */
  ONR_LAYER_SELECTS = 512,
  /* Goes on with caches (goes_on) that are rows of int8 and their scales, too (cache_int8 of a session). */
  ONR_LAYER_INT8_CACHES = 1024,
};

/* Readable bytes behind every planned tensor and every constant. */
#define ONR_SLACK_BYTES 128

/* A wish of plan(): output or input bytes that are also bytes of another tensor. */
struct onr_view {
  int32_t of;    /* index of the tensor it lies in; -1: none, has its own memory */
  size_t offset; /* bytes from the start of that tensor */
};

/* What a layer sees. Arrays are as long as num_in and num_out, and at least as long as the table's inputs_max and
 * outputs_max: what lies behind is omitted. An output that the table needs (outputs_min) is always wanted. The executor
 * owns everything. */
struct onr_call {
  const void *params; /* params_size bytes, fixed when the graph is built; NULL when params_size is 0 */
  void *prepared;     /* prepared_size bytes, zeroed before prepare; the model's, read-only afterwards */
  void *state;        /* state_size bytes, zeroed before plan; this plan's */
  void *kept;    /* kept_size bytes, zeroed once; the session's, for all its plans of this node; NULL: no session */
  void *retired; /* plan only: state of a plan of this node that runs no more, to take over from; NULL: none */
  size_t num_in, num_out;
  const struct onr_desc *in; /* dtype ONR_DTYPE_NONE: an omitted optional input */
  struct onr_desc *out; /* infer writes them all; a guess in prepare; in plan and run dtype NONE where not wanted */
  /* Contents. In infer, prepare and plan an entry is NULL unless the contents are known (constants; shape arithmetic).
   * Inputs in `packed_inputs` are NULL in run. An omitted input is NULL always. */
  const void *const *inputs;
  void *const *outputs; /* run only; NULL where the output is not wanted */
  void *scratch;        /* run only; scratch_bytes, 64-byte aligned; never NULL */

  /* prepare: bit i set: constant input i was packed and will not be read again. */
  uint64_t packed_inputs;
  /* plan: */
  size_t scratch_bytes;
  int32_t in_place;       /* output 0 may be written over this input (same bytes, element by element), unless another
                             input is the same tensor; -1: no */
  struct onr_view *view;  /* [num_out] output i is this part of input `of`: a reshape or an outer slice; wish only:
                              run must copy when outputs[i] is not at that address */
  enum onr_kernel kernel; /* which one run will use; for `onnxrun info` and `bench` */
  enum onr_method method; /* and by which method, where there are several */
  struct onr_view *into;  /* [num_in] input i should be made at this offset inside output `of` (Concat); wish only */
  /* run: a cache that grows where it lies has room behind its rows (dimension rank - 2): for so many from one outer
   * index to the next; 0: it has none, as tensors have. NULL: none has. As long as the other arrays. Only what
   * takes_room admits is such a cache. */
  const int64_t *in_rows, *out_rows;

  struct onr_env *env;
  struct onr_error *error;
  void *executor;   /* the executor's own */
  int32_t exact;    /* plan: nothing is read past the end of inputs for once, in spite of ONR_LAYER_OVERREADS */
  const char *note; /* plan: for struct onr_node_info; static storage, NULL: nothing */
};

/* What a layer does when its tensors are stored with their dimensions in another order: the layout pass spares it
 * transposes. layout_param is the offset of the parameter that the pass rewrites, where the rule names one. */
enum onr_layout {
  ONR_LAYOUT_LOGICAL,     /* inputs and outputs in logical order: right for every layer */
  ONR_LAYOUT_ELEMENTWISE, /* operands are broadcast, any order will do */
  ONR_LAYOUT_SPATIAL,     /* input 0 and outputs channels last, where int32_t channels_last is 1; it likes that best */
  ONR_LAYOUT_ALONG_AXIS,  /* input 0 and outputs in any order along int64_t axis; other inputs logical */
  ONR_LAYOUT_TRAILING,    /* dimensions from int64_t axis on stay last */
  ONR_LAYOUT_LAST_AXIS,   /* the last dimension stays last */
  ONR_LAYOUT_BUILT_IN     /* rules that know the parameters of one built-in layer */
};

/* Types that an input may have: a set of bits 1u << enum onr_dtype, ONR_AS_INPUT(k) for "that of input k, an earlier
 * one", or 0: any but those of sequences, optionals and maps. */
#define ONR_AS_INPUT(k) (1u | (uint32_t)(k) << 1) /* bit 0, ONR_DTYPE_NONE, is in no set */
#define ONR_ANY_TYPE UINT32_C(0xfffffffe)         /* sequences, optionals and maps, too */
#define ONR_LAYER_TYPES 9
#define ONR_OUTPUT_TYPE SIZE_MAX

struct onr_layer {
  const char *name;                                         /* "conv2d", as in messages and profiles */
  uint8_t inputs_min, inputs_max, outputs_min, outputs_max; /* ONR_VARIADIC: no upper bound */
  uint32_t flags;                                           /* enum onr_layer_flags */
  /* Of input i; those of a variadic layer from inputs_min on are all like types[inputs_min]. The executor refuses other
   * types before infer is called. */
  uint32_t types[ONR_LAYER_TYPES];
  uint32_t output_type; /* of output 0: one bit, ONR_AS_INPUT(k), or 0: only infer tells */
  /* In place of types[i], or of output_type for i = ONR_OUTPUT_TYPE, where it is not 0. NULL: parameters decide nothing
   */
  uint32_t (*types_by_params)(const void *params, size_t i);
  uint32_t shape_inputs; /* bit i: contents of input i decide output shapes, so infer needs them (Reshape: bit 1) */
  uint32_t layout;       /* enum onr_layout */
  uint32_t layout_param; /* bytes from the start of the parameters */
  uint32_t control;      /* built-in layers that the executor itself runs (If, Loop, Scan ...): which; else 0 */
  uint32_t params_size, prepared_size, state_size, kept_size;
  enum onr_status (*check)(const struct onr_call *call);
  enum onr_status (*infer)(struct onr_call *call);
  enum onr_status (*prepare)(struct onr_call *call);
  enum onr_status (*plan)(struct onr_call *call);
  enum onr_status (*run)(struct onr_call *call);
  void (*release_state)(void *state, struct onr_env *env);       /* safe on a zeroed state */
  void (*release_prepared)(void *prepared, struct onr_env *env); /* safe on a zeroed block */
  void (*release_kept)(void *kept, struct onr_env *env); /* safe on a zeroed block; after every state of the session */
  /* For `onnxrun info`: multiply-adds of one run from the descriptors. NULL: 0. */
  int64_t (*multiply_adds)(const struct onr_call *call);
  /* Operations of one run from the descriptors, each about a nanosecond, where they are many times the elements of
   * inputs and outputs and the multiply-adds do not tell (a pool's windows, exponentials). With multiply_adds it
   * decides what is computed while loading, and what a run takes of limits.work. NULL: in proportion to the elements.
   */
  int64_t (*steps)(const struct onr_call *call);
  /* For `onnxrun ops`: types of input 0 (bit onr_dtype) that a kernel other than PORTABLE can compute, where shapes and
   * constants allow it. NULL: none. */
  uint32_t (*kernel_types)(const void *params, enum onr_kernel kernel);
  /* Layers that know caches (onr_call.in_rows); NULL: it does not. Whether input i, of that rank, may have room. */
  int (*takes_room)(const void *params, size_t i, int32_t rank);
  /* The input that output i, of that rank, goes on with: its first rows are that input's, run writes those behind them
   * alone where the input lies there already. -1: there is none. */
  int32_t (*goes_on)(const void *params, size_t i, int32_t rank);
};

/* --- Services for layers --- */

/* 64-byte aligned; NULL on failure (raise NO_MEMORY). Free with onr_env_release. For prepare and plan, not for run. */
ONR_API void *onr_env_allocate(struct onr_env *env, size_t bytes);
ONR_API void onr_env_release(struct onr_env *env, void *memory);
ONR_API enum onr_backend onr_env_backend(const struct onr_env *env);
/* Non-zero when the caller's cancel flag is set. Layers whose run may take more than some 50 ms outside of
 * onr_parallel_for ask it in between and return OK early: what they leave behind is not used, the executor makes it
 * CANCELLED. */
ONR_API int onr_env_cancelled(const struct onr_env *env);
/* Calls body(context, begin, end) for parts of [0, count) that together cover it, each at most `grain` items, on the
 * session's threads (on the calling one alone in a small step, see ONR_LAYER_HEAVY); returns when all are done. Results
 * must not depend on how the range is cut. Parts that have not begun when the cancel flag is set are left out; one part
 * should take no more than 50 ms. */
ONR_API void onr_parallel_for(struct onr_env *env, size_t count, size_t grain,
                              void (*body)(void *context, size_t begin, size_t end), void *context);
/* For DYNAMIC layers, in run: the final descriptor of output i; *data gets its memory (NULL when not wanted). */
ONR_API enum onr_status onr_call_resize(struct onr_call *call, size_t i, const struct onr_desc *desc, void **data);

/* In run: memory for the text of STRING outputs, good until the session's next run. NULL on failure (raise NO_MEMORY).
 */
ONR_API char *onr_call_text(struct onr_call *call, size_t bytes);

/* --- Registry of your own layers: an ONNX node (domain, op_type) becomes a layer. --- */
struct onr_registry;
struct onr_node; /* the ONNX node being imported; read its attributes with the functions below */

ONR_API enum onr_status onr_registry_create(const struct onr_allocator *allocator, struct onr_registry **registry,
                                            struct onr_error *error);
ONR_API void onr_registry_destroy(struct onr_registry *registry); /* accepts NULL; models loaded with it must be gone */
/* layer must outlive the registry. parse fills params (params_size zeroed bytes) from the node; NULL: params stay zero.
 * A registered name wins over a built-in one. */
ONR_API enum onr_status onr_registry_add(struct onr_registry *registry, const char *domain, const char *op_type,
                                         const struct onr_layer *layer,
                                         enum onr_status (*parse)(const struct onr_node *node, void *params,
                                                                  struct onr_error *error),
                                         struct onr_error *error);
/* The layer that was registered for the node; NULL for a built-in one. A struct of the caller's may begin with it and
 * go on with what parse wants to know. */
ONR_API const struct onr_layer *onr_node_layer(const struct onr_node *node);
/* All attributes by name, for a layer that takes any: how many, and the name of one with what it is (numbers of ONNX
 * AttributeProto.AttributeType; others exist, and have no function here). NULL when index is out of range. */
enum onr_attribute {
  ONR_ATTRIBUTE_FLOAT = 1,
  ONR_ATTRIBUTE_INT = 2,
  ONR_ATTRIBUTE_STRING = 3,
  ONR_ATTRIBUTE_TENSOR = 4,
  ONR_ATTRIBUTE_FLOATS = 6,
  ONR_ATTRIBUTE_INTS = 7,
  ONR_ATTRIBUTE_STRINGS = 8,
};
ONR_API size_t onr_node_num_attributes(const struct onr_node *node);
ONR_API const char *onr_node_attribute(const struct onr_node *node, size_t index, enum onr_attribute *kind);
/* A shared library for `onnxrun --plugin LIB.so` defines one function, which adds its layers:
 *   enum onr_status onr_plugin(struct onr_registry *registry, struct onr_error *error); */
/* Attributes; the default when absent. A wrong type is reported by the loader after parse returns. */
ONR_API int64_t onr_node_int(const struct onr_node *node, const char *name, int64_t default_value);
ONR_API double onr_node_float(const struct onr_node *node, const char *name, double default_value);
/* At most `capacity` values are written; returns how many the attribute has, 0 when absent. */
ONR_API size_t onr_node_ints(const struct onr_node *node, const char *name, int64_t *values, size_t capacity);
ONR_API size_t onr_node_floats(const struct onr_node *node, const char *name, float *values, size_t capacity);
ONR_API size_t onr_node_strings(const struct onr_node *node, const char *name, struct onr_string *values,
                                size_t capacity);
/* The text, not NUL-terminated, lives as long as the model. */
ONR_API struct onr_string onr_node_string(const struct onr_node *node, const char *name, const char *default_text);
/* Returns 1 and the tensor, whose data is good until parse returns; 0 when absent. A tensor that run needs whole is
 * better an input. */
ONR_API int onr_node_tensor(const struct onr_node *node, const char *name, struct onr_tensor *tensor);

#ifdef __cplusplus
}
#endif
#endif
