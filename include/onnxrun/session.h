/* session.h: one stream of inferences through a model. One thread at a time; a second one gets STATE. */
#ifndef ONNXRUN_SESSION_H
#define ONNXRUN_SESSION_H

#include "onnxrun/model.h"

#ifdef __cplusplus
extern "C" {
#endif

struct onr_session;

struct onr_session_options {
  size_t size; /* sizeof(struct onr_session_options), see api.h */
  struct onr_threads
      *threads; /* NULL: the calling thread alone; must outlive the session; shared pools run one session at a time */
  const struct onr_cancel *cancel; /* stops the run; NULL: nothing does */
  int profile;                     /* non-zero: times each node, see onr_session_node */
};
ONR_SIZED(onr_session_options)

/* The model must outlive the session. options may be NULL. */
ONR_API enum onr_status onr_session_create(const struct onr_model *model, const struct onr_session_options *options,
                                           struct onr_session **session, struct onr_error *error);
ONR_API void onr_session_destroy(struct onr_session *session); /* accepts NULL */

/* Set input `index` for the coming runs. dtype and declared dimensions must agree with the model (else ARGUMENT), and
 * data must be aligned as its type asks for, to 8 bytes at most. The -1 of onr_model_find_input is refused, by a
 * message of its own. NULL takes back what was set for an input with a default (onr_model_num_defaults). The data is
 * read during onr_session_run and must stay in place until then; it stays set for later runs. */
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
/* The next run begins anew. */
ONR_API enum onr_status onr_session_reset_states(struct onr_session *session, struct onr_error *error);

/* Plan for the shapes of the inputs if they are new, without running, and make room for the run unless results of the
 * last one lie there: those stay as they are. Calling it is optional. */
ONR_API enum onr_status onr_session_plan(struct onr_session *session, struct onr_error *error);
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

/* One node of the graph as it is run. Strings live as long as the session's model. */
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
};
ONR_SIZED(onr_node_info)
/* Nodes of the current plan (after onr_session_plan or _run). */
ONR_API size_t onr_session_num_nodes(const struct onr_session *session);
ONR_API enum onr_status onr_session_node(const struct onr_session *session, size_t index, struct onr_node_info *info);
/* Bytes of the arena of the current plan, and of everything that the session holds. */
ONR_API size_t onr_session_arena_bytes(const struct onr_session *session);
ONR_API size_t onr_session_total_bytes(const struct onr_session *session);

#ifdef __cplusplus
}
#endif
#endif
