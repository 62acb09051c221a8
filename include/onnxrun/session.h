/* session.h: one stream of inferences through a model. One thread at a time; a second one gets STATE. */
#ifndef ONNXRUN_SESSION_H
#define ONNXRUN_SESSION_H

#include "onnxrun/model.h"

#ifdef __cplusplus
extern "C" {
#endif

struct onr_session;
struct onr_node_run;

struct onr_session_options {
  size_t size; /* sizeof(struct onr_session_options), see api.h */
  struct onr_threads
      *threads; /* NULL: the calling thread alone; must outlive the session; shared pools run one session at a time */
  const struct onr_cancel *cancel; /* stops the run; NULL: nothing does */
  int profile;                     /* non-zero: times each node, see onr_session_node */
  /* Called after each node that has run, those of the bodies of If, Loop and Scan before the node whose body it is; on
   * the thread that runs the session, which it must not use. The times that it is told leave its own out. NULL: not
   * called. */
  void (*watch)(void *context, const struct onr_node_run *run);
  void *watch_context; /* its first argument */
  /* Non-zero: states that grow as the keys and values of attention (onr_session_add_state) are kept as int8, with a
   * scale for each row of a head: a quarter of the memory, and what is read of a long past comes in a quarter of the
   * time. Each element is wrong by a 254th of its row's largest one at most. Callers see them in their own type all the
   * same, which is a copy in both directions. float32, float16 and bfloat16; others stay as they are. */
  int cache_int8;
};
ONR_SIZED(onr_session_options)

/* The model must outlive the session. options may be NULL. */
ONR_API enum onr_status onr_session_create(const struct onr_model *model, const struct onr_session_options *options,
                                           struct onr_session **session, struct onr_error *error);
ONR_API void onr_session_destroy(struct onr_session *session); /* accepts NULL */

/* Set input `index` for the coming runs. dtype and declared dimensions must agree with the model (else ARGUMENT), and
 * data must be aligned as its type asks for, to 8 bytes at most. The -1 of onr_model_find_input is refused, by a
 * message of its own. NULL takes back what was set. The data is read during onr_session_run and must stay in place
 * until then; it stays set for later runs. */
ONR_API enum onr_status onr_session_set_input(struct onr_session *session, size_t index,
                                              const struct onr_tensor *tensor, struct onr_error *error);
/* Have output `index` written to the caller's memory of `bytes` bytes, aligned as for an input; NULL takes the binding
 * back. A run whose output is larger fails with ARGUMENT. */
ONR_API enum onr_status onr_session_bind_output(struct onr_session *session, size_t index, void *data, size_t bytes,
                                                struct onr_error *error);

/* Have the coming runs compute these outputs alone, indices[count], and nothing that only others need; inputs that only
 * others need may be left out. count 0: all outputs, as at first. Plans and results so far are gone. */
ONR_API enum onr_status onr_session_want_outputs(struct onr_session *session, const size_t *indices, size_t count,
                                                 struct onr_error *error);

/* States: outputs that are inputs of the next run, as the keys and values of a language model are. Declared once; from
 * then on a run reads what the last one wrote, and nothing is copied where the model only adds rows (present =
 * Concat(past, new), or attention that does so): the cache grows where it lies, by an eighth at a time. A state begins
 * as zeros of its declared shape, where an open dimension has the size that another input gives its name; else the last
 * but one is 0 (empty) and the first is 1. onr_session_set_input gives other contents to go on with, once. The output
 * is always computed, cannot be bound, and is copied by onr_session_get_output where it grows. A run that fails leaves
 * states as they were. Plans and results so far are gone. */
ONR_API enum onr_status onr_session_add_state(struct onr_session *session, size_t output, size_t input,
                                              struct onr_error *error);
/* All that match "OUTPUT=INPUT": a list with commas, a * in both stands for what names share ("present.*=past.*").
 * NULL: every output that the model makes by adding rows to an input, whatever their names. *count (may be NULL): how
 * many there were; ARGUMENT when a name matches nothing. */
ONR_API enum onr_status onr_session_add_states(struct onr_session *session, const char *names, size_t *count,
                                               struct onr_error *error);
ONR_API size_t onr_session_num_states(const struct onr_session *session);
/* Output and input of state `index`, in the order of their declaration. ARGUMENT when index is out of range. */
ONR_API enum onr_status onr_session_state(const struct onr_session *session, size_t index, size_t *output,
                                          size_t *input, struct onr_error *error);
/* The next run begins anew. */
ONR_API enum onr_status onr_session_reset_states(struct onr_session *session, struct onr_error *error);

/* Plan for the shapes of the inputs if they are new, without running, and make room for the run unless results of the
 * last one lie there: those stay as they are. Calling it is optional. */
ONR_API enum onr_status onr_session_plan(struct onr_session *session, struct onr_error *error);
/* Descriptor that output `index` has by the current plan (after onr_session_plan, with the inputs in place), so that
 * memory for it can be bound before the run. dtype NONE: only the run tells (shapes that depend on data; sequences,
 * optionals and maps), or it is a state. STATE when there is no plan; ARGUMENT when it is not wanted. */
ONR_API enum onr_status onr_session_planned_output(const struct onr_session *session, size_t index,
                                                   struct onr_desc *desc, struct onr_error *error);
/* Run. After the first run with the same shapes it allocates nothing; where sizes grow from run to run, it allocates
 * now and then, as memory that grows by an eighth. The shapes used last are remembered, up to limits.plan_bytes. */
ONR_API enum onr_status onr_session_run(struct onr_session *session, struct onr_error *error);
/* Output `index` of the last run, whatever was planned, set or bound since. Its memory is the session's (or the
 * caller's, if it was bound) and good until the next run. STATE when there was no run, the last one failed, or another
 * set of inputs with defaults was planned; ARGUMENT when it is not wanted. */
ONR_API enum onr_status onr_session_get_output(struct onr_session *session, size_t index, struct onr_tensor *tensor,
                                               struct onr_error *error);
/* Give back the memory that runs are done in and the plans of all shapes, except what results of the last run lie in:
 * these stay. The next run takes what it needs anew. */
ONR_API enum onr_status onr_session_trim(struct onr_session *session, struct onr_error *error);

/* One node of the graph as it is run. Strings live as long as the session's model; those of the file are as it has
 * them, of any length and with any characters, so whoever prints them looks at that. */
struct onr_node_info {
  size_t size;               /* sizeof(struct onr_node_info), see api.h */
  const char *layer;         /* "conv2d" */
  const char *op_type;       /* of the file's node, "Conv" */
  const char *name;          /* of the file's node */
  const char *module_path;   /* PyTorch module, "encoder.layers.0"; "" when the file does not say */
  const char *source;        /* "model.py:41"; "" when the file does not say */
  enum onr_kernel kernel;    /* what computes it */
  enum onr_dtype input_type; /* of input 0; NONE without inputs and before the first plan */
  struct onr_desc output;    /* descriptor of output 0; dtype NONE before the first plan */
  int64_t parameters;        /* elements of the constant inputs */
  int64_t multiply_adds;
  uint64_t runs, total_ns; /* with options.profile */
  enum onr_method method;
  struct onr_desc input, weight; /* of inputs 0 and 1; dtype NONE: as output, or there is none */
  const char *note; /* with ONR_PRECISION_FAST: why it does not compute in float16, in a few words; NULL: it does, or
                       has no products */
};
ONR_SIZED(onr_node_info)
/* Nodes of the current plan (after onr_session_plan or _run). */
ONR_API size_t onr_session_num_nodes(const struct onr_session *session);
ONR_API enum onr_status onr_session_node(const struct onr_session *session, size_t index, struct onr_node_info *info);
/* --- a run, node by node: what `watch` of the options is told, good while it is called --- */

#define ONR_NO_NODE SIZE_MAX

/* A node that has run just now. */
struct onr_node_run {
  size_t node;                     /* its number: the same in every run until the session is trimmed */
  size_t parent;                   /* of a node in a body: the number of the If, Loop or Scan; else ONR_NO_NODE */
  uint64_t begin_ns, end_ns;       /* of a clock that stands still while `watch` is called */
  size_t num_inputs, num_outputs;  /* omitted ones counted */
  size_t scratch_bytes;            /* memory that it alone uses, */
  size_t scratch_offset;           /* and where in the arena it lies */
  const struct onr_node_where *at; /* the library's own */
};
ONR_API enum onr_status onr_node_run_info(const struct onr_node_run *run, struct onr_node_info *info);

/* Where a value lies. */
enum onr_storage {
  ONR_STORAGE_NONE = 0,     /* it is omitted */
  ONR_STORAGE_CONSTANT = 1, /* weights, and what was computed while planning */
  ONR_STORAGE_CALLER = 2,   /* the caller's input, or memory bound to an output */
  ONR_STORAGE_ARENA = 3,    /* where the plan has put it */
  ONR_STORAGE_OWN = 4,      /* memory of its own: its size is known when it has run, or it is a state */
};

/* A value that a node has read or written. */
struct onr_operand {
  size_t size;              /* sizeof(struct onr_operand), see api.h */
  const char *name;         /* in the file; "" where a rewrite made it, or it is omitted */
  struct onr_tensor tensor; /* data NULL: packed while loading. What was read may be overwritten by what was written */
  const uint8_t *order;     /* dimension i is dimension order[i] of what the file says; NULL: as the file says */
  size_t value;             /* its number, as of nodes; values of bodies have others */
  size_t memory;            /* the number of the value in whose memory it lies, its own where it is a part of none */
  enum onr_storage storage;
  size_t offset; /* ARENA: where it begins */
};
ONR_SIZED(onr_operand)
/* ARGUMENT when index is out of range. */
ONR_API enum onr_status onr_node_run_input(const struct onr_node_run *run, size_t index, struct onr_operand *operand);
ONR_API enum onr_status onr_node_run_output(const struct onr_node_run *run, size_t index, struct onr_operand *operand);
/* Copies the contents of input `index`, a constant, to memory of its size (onr_desc_bytes); those that are packed are
 * read from the file once more. STATE when they cannot be had: a rewrite made them, they are 1 KiB or less, or the
 * model came from memory that need not stay. */
ONR_API enum onr_status onr_node_run_constant(const struct onr_node_run *run, size_t index, void *target,
                                              struct onr_error *error);

/* Calls `watch` for each node of the current plan, in their order, without running any: times are 0, and only constants
 * have data. Nodes behind one whose outputs' sizes only running tells are not planned yet. STATE when nothing is
 * planned. */
ONR_API enum onr_status onr_session_watch(struct onr_session *session, struct onr_error *error);

/* Bytes of the arena of the current plan, and of everything that the session holds. */
ONR_API size_t onr_session_arena_bytes(const struct onr_session *session);
ONR_API size_t onr_session_total_bytes(const struct onr_session *session);

#ifdef __cplusplus
}
#endif
#endif
