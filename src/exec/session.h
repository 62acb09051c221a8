/* session.h: what a session is, for the files that make it up. */
#ifndef ONRI_SESSION_H
#define ONRI_SESSION_H

#include <stdatomic.h>

#include "exec/frame.h"
#include "exec/state.h"
#include "exec/variant.h"
#include "model/model.h"
#include "onnxrun/session.h"

struct onr_session {
  const struct onr_model *model;
  const struct onr_model *active; /* whose graph the frame runs: the model, or its variant */
  struct onri_variant variant;
  struct onri_meter meter; /* what the session holds, on top of its model; under run.pool */
  struct onri_run run;
  struct onri_frame *frame;
  struct onr_tensor *inputs;    /* [num_inputs + num_defaults] data NULL and dtype NONE: not set */
  const struct onr_tensor *fed; /* [inputs of the active graph] inputs, or what the variant takes of them */
  struct onr_tensor *taken;     /* [num_inputs + num_defaults] what of it the frame reads: containers as handles */
  struct onri_buffer *containers, *flat; /* [num_inputs + num_defaults] those; [num_outputs] blocks of results */
  struct onr_tensor *bound;              /* [num_outputs] data: caller's memory, desc.dim[0]: its bytes */
  void **direct;              /* [num_outputs] memory of the caller's that this run writes to without a copy */
  struct onr_tensor *results; /* [num_outputs] of the last run */
  uint8_t *wanted;            /* [num_outputs] which ones are; NULL: all */
  uint64_t model_bytes;       /* what the meter counts of the model */
  struct onri_states states;
  const struct onri_state_calls *state_calls; /* NULL: it has none */
  atomic_flag busy;
  int has_results; /* no run has begun since the one that left them */
  int cache_int8;  /* states that can are kept so */
};

/* One thread at a time. */
enum onr_status onri_session_enter(struct onr_session *session, struct onr_error *error);
enum onr_status onri_session_leave(struct onr_session *session, enum onr_status status, struct onr_error *error);
/* what: "input" or "output". */
enum onr_status onri_session_check_index(const struct onr_session *session, size_t index, const char *what,
                                         struct onr_error *error);
/* Whether the tensor may be the input that info declares. */
enum onr_status onri_check_input(const struct onr_value_info *info, const struct onr_tensor *tensor,
                                 struct onr_error *error);
/* A new frame for the graph of a model, for the outputs that are wanted; all plans of the old one go. */
enum onr_status onri_session_start_frame(struct onr_session *session, const struct onr_model *model,
                                         const uint8_t *wanted, struct onr_error *error);

/* --- session_state.c: asked through the session, so that a program which declares no states has none of it --- */
struct onri_state_calls {
  /* Which states grow where they lie, in a frame of this model that is new. */
  enum onr_status (*place)(struct onr_session *session, const struct onr_model *model, struct onri_frame *frame,
                           struct onr_error *error);
  /* A dimension of an input that is set, as the caller knows it. */
  int64_t (*input_dim)(const struct onr_session *session, size_t input, int32_t dim);
  /* Before planning: states that nobody has set begin. */
  enum onr_status (*begin)(struct onr_session *session, struct onr_error *error);
  /* Memory for what this run writes. */
  enum onr_status (*lay)(struct onr_session *session, struct onr_error *error);
  /* What it wrote is what the next one reads. */
  enum onr_status (*turn)(struct onr_session *session, struct onr_error *error);
  /* What the frame reads of states that the caller has set, where it is in another form. */
  void (*take)(const struct onr_session *session, struct onr_tensor *taken);
  /* The result that is a state, as the caller knows it, in `buffer`. */
  enum onr_status (*show)(struct onr_session *session, const struct onri_state *state, struct onr_tensor *tensor,
                          struct onri_buffer *buffer, struct onr_error *error);
  void (*release)(struct onr_session *session);
};
/* session.c: the state that an output is; NULL: none. */
struct onri_state *onri_session_state(const struct onr_session *session, size_t output);

#endif
