/* state.h: outputs of a run that are inputs of the next one, and where they lie meanwhile.
 *
 * A cache, to which a run adds rows (present = Concat(past, new), or attention that does so), grows where it lies: past
 * and present are the same memory, with room for more rows behind those of each outer index, and only layers that know
 * of it read it. Where the session asks for it, it is kept as int8. Any other state is written to one of two buffers in
 * turn. */
#ifndef ONRI_STATE_H
#define ONRI_STATE_H

#include "exec/workspace.h"

struct onri_state {
  size_t input, output;       /* of the model */
  int grows;                  /* where it lies */
  int is_int8;                /* and as rows of base/numbers/cache_rows.h */
  struct onri_buffer side[2]; /* grows: the first one is the cache; else written in turn */
  struct onri_buffer first;   /* what it begins with; nothing once a run has gone on with it */
  struct onr_tensor narrowed; /* is_int8: that as int8, in the second side; data NULL once a run has gone on with it */
  int last;                   /* which side has what the last run wrote */
  int64_t rows;               /* grows: that the cache has room for; 0: there is none yet */
};

struct onri_states {
  struct onri_state *items;
  size_t count, capacity;
};

/* Whether the graph only adds rows to input value `in` to make output value `out`, and nobody who reads either needs it
 * without room behind its rows. */
int onri_state_can_grow(const struct onri_graph *graph, int32_t in, int32_t out);
/* Whether what makes `out` knows rows of int8. */
int onri_state_can_be_int8(const struct onri_graph *graph, int32_t out);
/* The value that `out` goes on with; ONRI_NONE: none. */
int32_t onri_state_past(const struct onri_graph *graph, int32_t out);
/* Room in the cache for contents of this shape. past: what it goes on with, which moves when it lies in the cache. */
enum onr_status onri_state_make_room(struct onri_run *run, struct onri_state *state, const struct onr_desc *desc,
                                     struct onr_tensor *past, struct onr_error *error);
/* Room in the buffer that is written next. */
enum onr_status onri_state_next(struct onri_run *run, struct onri_state *state, const struct onr_desc *desc,
                                struct onr_error *error);
/* What the cache holds, as a tensor of its rows in `buffer`. */
enum onr_status onri_state_flatten(struct onri_run *run, const struct onri_state *state, const struct onr_desc *desc,
                                   struct onri_buffer *buffer, struct onr_error *error);
/* The same of a cache of int8, as numbers of this type; *desc becomes theirs. */
enum onr_status onri_state_widen(struct onri_run *run, const struct onri_state *state, enum onr_dtype dtype,
                                 struct onr_desc *desc, struct onri_buffer *buffer, struct onr_error *error);
/* x, of a type that attention computes in float32, becomes a tensor of rows of int8 in `buffer`, which x is not in. */
enum onr_status onri_state_narrow(struct onri_run *run, struct onr_tensor *x, struct onri_buffer *buffer,
                                  struct onr_error *error);
void onri_state_release(struct onri_run *run, struct onri_state *state);

#endif
