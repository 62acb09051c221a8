/* session_state.c: outputs that a caller has declared to be inputs of the next run. */
#include <string.h>

#include "base/numbers/cache_rows.h"
#include "base/shape.h"
#include "base/types.h"
#include "exec/session.h"

static void release_states(struct onr_session *session) {
  for (size_t i = 0; i < session->states.count; i++) onri_state_release(&session->run, &session->states.items[i]);
  onri_release(session->run.env.allocator, session->states.items);
  session->states = (struct onri_states){0};
}

/* Whether x, the state's input, is what the last run left in the cache. */
static int is_cache(const struct onri_state *state, const struct onr_tensor *x) {
  return state->grows && state->side[0].data && x->data == state->side[0].data;
}

/* What the cache holds, in the type that the model declares. */
static enum onr_status show_state(struct onr_session *s, const struct onri_state *state, struct onr_tensor *tensor,
                                  struct onri_buffer *buffer, struct onr_error *error) {
  if (state->is_int8)
    ONR_TRY(onri_state_widen(&s->run, state, s->model->inputs[state->input].dtype, &tensor->desc, buffer, error));
  else ONR_TRY(onri_state_flatten(&s->run, state, &tensor->desc, buffer, error));
  tensor->data = buffer->data;
  return ONR_STATUS_OK;
}

static int64_t input_dim(const struct onr_session *s, size_t input, int32_t dim) {
  const struct onr_desc *desc = &s->inputs[input].desc;
  for (size_t i = 0; dim == desc->rank - 1 && i < s->states.count; i++) {
    const struct onri_state *state = &s->states.items[i];
    if (state->input == input && state->is_int8 && is_cache(state, &s->inputs[input]))
      return desc->dim[dim] - ONRI_CACHE_SCALE_BYTES;
  }
  return desc->dim[dim];
}

/* --- where they lie --- */

/* The value of an input in the graph of the model or of its variant. */
static int32_t input_value(const struct onr_session *s, const struct onr_model *model, size_t input) {
  for (size_t i = 0; model != s->model && i < model->graph->num_inputs; i++)
    if (s->variant.from[i] == input) return model->graph->inputs[i];
  return model->graph->inputs[input];
}

/* What side 0 holds moves to what the state begins with: a cache may become none, or side 0 one. */
static enum onr_status straighten(struct onr_session *s, struct onri_state *state, struct onr_error *error) {
  struct onr_tensor *x = &s->inputs[state->input];
  if (x->desc.dtype == ONR_DTYPE_NONE || !state->side[0].data || x->data != state->side[0].data) return ONR_STATUS_OK;
  if (state->grows) return show_state(s, state, x, &state->first, error);
  const struct onri_buffer other = state->first;
  state->first = state->side[0];
  state->side[0] = other;
  x->data = state->first.data;
  return ONR_STATUS_OK;
}

static int may_be_int8(const struct onr_session *s, const struct onr_model *model, const struct onri_state *state) {
  return s->cache_int8 && onri_dtype_in(ONRI_DTYPES_F32_AND_HALF, s->model->inputs[state->input].dtype) &&
         onri_state_can_be_int8(model->graph, model->graph->outputs[state->output]);
}

/* The int8 state that begins with this value of the graph; NULL: none does. */
static const struct onri_state *int8_state(const struct onr_session *s, const struct onr_model *model, int32_t in) {
  for (size_t i = 0; i < s->states.count; i++)
    if (s->states.items[i].is_int8 && input_value(s, model, s->states.items[i].input) == in) return &s->states.items[i];
  return NULL;
}

/* Whether all that the node of this state goes on with is int8, or may be: it takes keys and values alike. */
static int is_alike(const struct onr_session *s, const struct onr_model *model, const struct onri_state *state) {
  const struct onri_graph *g = model->graph;
  const struct onri_node *node = &g->nodes[g->values[g->outputs[state->output]].producer];
  for (int32_t o = 0; o < node->num_out; o++) {
    const int32_t past = node->out[o] == ONRI_NONE ? ONRI_NONE : onri_state_past(g, node->out[o]);
    if (past != ONRI_NONE && !int8_state(s, model, past)) return 0;
  }
  return 1;
}

static enum onr_status place_states(struct onr_session *session, const struct onr_model *model,
                                    struct onri_frame *frame, struct onr_error *error) {
  struct onri_workspace *space = &frame->space;
  const struct onri_graph *g = model->graph;
  if (!session->states.count) return ONR_STATUS_OK;
  space->rows = onri_allocate(session->run.env.allocator, g->num_values * sizeof(*space->rows));
  if (!space->rows) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the states of a session");
  for (size_t v = 0; v < g->num_values; v++) space->rows[v] = ONRI_NO_ROWS;
  session->run.grows = 0;
  for (size_t i = 0; i < session->states.count; i++) {
    struct onri_state *state = &session->states.items[i];
    const int32_t in = input_value(session, model, state->input), out = g->outputs[state->output];
    ONR_TRY(straighten(session, state, error));
    state->grows = onri_state_can_grow(g, in, out);
    state->is_int8 = state->grows && may_be_int8(session, model, state);
    state->narrowed = (struct onr_tensor){0};
    state->rows = 0;
    session->run.grows |= state->grows;
    if (state->grows) space->rows[in] = space->rows[out] = 0;
  }
  for (size_t i = 0; i < session->states.count; i++) {
    struct onri_state *state = &session->states.items[i];
    if (state->is_int8 && !is_alike(session, model, state)) state->is_int8 = 0;
  }
  return ONR_STATUS_OK;
}

/* --- how they begin: empty along what grows, zeros along the rest --- */

/* The size that an input which is set gives a dimension of this name; -1: none does. */
static int64_t named_size(const struct onr_session *s, const char *name) {
  const struct onr_model *m = s->model;
  for (size_t k = 0; name && k < m->num_symbols; k++) {
    const struct onri_named *symbol = &m->symbols[k];
    if (!strcmp(symbol->name, name) && s->inputs[symbol->index].desc.dtype != ONR_DTYPE_NONE)
      return input_dim(s, (size_t)symbol->index, symbol->dim);
  }
  return -1;
}

static enum onr_status first_desc(const struct onr_session *s, const struct onri_state *state, struct onr_desc *desc,
                                  struct onr_error *error) {
  const struct onr_value_info *info = &s->model->inputs[state->input];
  if (info->rank < 0 || info->dtype == ONR_DTYPE_NONE)
    return onr_fail(error, ONR_STATUS_ARGUMENT,
                    "state '%s' has no declared shape: set what it begins with (onr_session_set_input)", info->name);
  *desc = onr_desc_make(info->dtype, info->rank, info->dim);
  for (int32_t d = 0; d < info->rank; d++) {
    if (desc->dim[d] >= 0) continue;
    desc->dim[d] = named_size(s, info->dim_name[d]);
    if (desc->dim[d] >= 0) continue;
    if (d != 0 && d != info->rank - 2)
      return onr_fail(error, ONR_STATUS_ARGUMENT,
                      "nothing tells dimension %d of state '%s': set what it begins with (onr_session_set_input)", d,
                      info->name);
    desc->dim[d] = d == info->rank - 2 ? 0 : 1;
  }
  return onri_desc_check(desc, &s->run.env, error);
}

static enum onr_status begin(struct onr_session *s, struct onri_state *state, struct onr_error *error) {
  struct onr_tensor *x = &s->inputs[state->input];
  struct onr_desc desc;
  ONR_TRY(first_desc(s, state, &desc, error));
  ONR_TRY(onri_buffer_grow(&s->run, &state->first, onr_desc_bytes(&desc) + ONR_SLACK_BYTES, 0, error));
  ONR_TRY(onri_env_copy(&s->run.env, state->first.data, NULL, onr_desc_bytes(&desc), error));
  *x = (struct onr_tensor){desc, state->first.data};
  return ONR_STATUS_OK;
}

static enum onr_status narrow(struct onr_session *s, struct onri_state *state, struct onr_error *error) {
  struct onr_tensor x = s->inputs[state->input];
  ONR_TRY(onri_state_narrow(&s->run, &x, &state->side[1], error));
  state->narrowed = x;
  return ONR_STATUS_OK;
}

static enum onr_status begin_states(struct onr_session *session, struct onr_error *error) {
  for (size_t i = 0; i < session->states.count; i++) {
    struct onri_state *state = &session->states.items[i];
    struct onr_tensor *x = &session->inputs[state->input];
    if (state->is_int8 && is_cache(state, x)) continue;
    if (x->desc.dtype == ONR_DTYPE_NONE) ONR_TRY(begin(session, state, error));
    else ONR_TRY(onri_check_input(&session->model->inputs[state->input], x, error));
    if (state->is_int8) ONR_TRY(narrow(session, state, error));
  }
  return ONR_STATUS_OK;
}

static void take_states(const struct onr_session *session, struct onr_tensor *taken) {
  for (size_t i = 0; i < session->states.count; i++) {
    const struct onri_state *state = &session->states.items[i];
    if (state->narrowed.data) taken[state->input] = state->narrowed;
  }
}

/* --- from run to run --- */

static void set_rows(struct onri_workspace *space, int32_t v, int64_t rows) {
  if (space->rows[v] == rows) return;
  space->rows[v] = rows;
  space->moves++; /* bound anew */
}

static enum onr_status lay_states(struct onr_session *session, struct onr_error *error) {
  struct onri_workspace *space = &session->frame->space;
  const struct onri_graph *g = space->graph;
  for (size_t i = 0; i < session->states.count; i++) {
    struct onri_state *state = &session->states.items[i];
    const int32_t in = input_value(session, session->active, state->input), out = g->outputs[state->output];
    const struct onr_desc *desc = &space->plan->inference.descs[out];
    struct onr_tensor *past = &session->inputs[state->input];
    if (state->grows) {
      ONR_TRY(onri_state_make_room(&session->run, state, desc, past, error));
      set_rows(space, in, past->data == state->side[0].data ? state->rows : 0);
      set_rows(space, out, state->rows);
      session->direct[state->output] = state->side[0].data;
    } else if (desc->rank >= 0) {
      ONR_TRY(onri_state_next(&session->run, state, desc, error));
      session->direct[state->output] = state->side[!state->last].data;
    }
  }
  return ONR_STATUS_OK;
}

static enum onr_status turn_states(struct onr_session *session, struct onr_error *error) {
  for (size_t i = 0; i < session->states.count; i++) {
    struct onri_state *state = &session->states.items[i];
    struct onr_tensor *y = &session->results[state->output];
    const struct onri_buffer *next = &state->side[!state->last];
    if (!state->grows && y->data != next->data) {
      ONR_TRY(onri_state_next(&session->run, state, &y->desc, error));
      ONR_TRY(onri_env_copy(&session->run.env, next->data, y->data, onr_desc_bytes(&y->desc), error));
      y->data = next->data;
    }
  }
  for (size_t i = 0; i < session->states.count; i++) {
    struct onri_state *state = &session->states.items[i];
    session->inputs[state->input] = session->results[state->output];
    if (!state->grows) state->last = !state->last;
    else onri_buffer_release(&session->run, &state->side[1]);
    state->narrowed = (struct onr_tensor){0};
    onri_buffer_release(&session->run, &state->first);
  }
  return ONR_STATUS_OK;
}

static const struct onri_state_calls calls = {.place = place_states,
                                              .input_dim = input_dim,
                                              .begin = begin_states,
                                              .lay = lay_states,
                                              .turn = turn_states,
                                              .take = take_states,
                                              .show = show_state,
                                              .release = release_states};

/* --- declaring them --- */

static enum onr_status check_pair(const struct onr_session *s, size_t output, size_t input, struct onr_error *error) {
  const struct onr_value_info *y = &s->model->outputs[output], *x = &s->model->inputs[input];
  if (input >= s->model->graph->num_inputs)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "input '%s' has a default: it cannot be a state", x->name);
  for (size_t i = 0; i < s->states.count; i++)
    if (s->states.items[i].input == input || s->states.items[i].output == output)
      return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s' or input '%s' is part of a state already", y->name,
                      x->name);
  if (onri_dtype_is_block(x->dtype) || onri_dtype_is_block(y->dtype) || x->dtype == ONR_DTYPE_STRING)
    return onr_fail(error, ONR_STATUS_UNSUPPORTED, "input '%s' is %s: a state has to be a tensor of numbers", x->name,
                    onr_dtype_name(x->dtype));
  if (x->dtype != ONR_DTYPE_NONE && y->dtype != ONR_DTYPE_NONE && x->dtype != y->dtype)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s' is %s, input '%s' is %s: a state has one type", y->name,
                    onr_dtype_name(y->dtype), x->name, onr_dtype_name(x->dtype));
  if (x->rank >= 0 && y->rank >= 0 && x->rank != y->rank)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s' has rank %d, input '%s' has rank %d", y->name, y->rank,
                    x->name, x->rank);
  return ONR_STATUS_OK;
}

static enum onr_status append(struct onr_session *s, size_t output, size_t input, struct onr_error *error) {
  ONR_TRY(check_pair(s, output, input, error));
  if (!onri_grow(s->run.env.allocator, &s->states.items, sizeof(*s->states.items), &s->states.capacity,
                 s->states.count + 1))
    return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the states of a session");
  s->states.items[s->states.count++] = (struct onri_state){.input = input, .output = output};
  s->state_calls = &calls;
  return ONR_STATUS_OK;
}

/* Those from `first` on are new: they are taken up, or given up again. */
static enum onr_status take_up(struct onr_session *s, size_t first, enum onr_status status, struct onr_error *error) {
  for (size_t i = first; status == ONR_STATUS_OK && i < s->states.count; i++) {
    s->bound[s->states.items[i].output] = (struct onr_tensor){0};
    if (s->wanted) s->wanted[s->states.items[i].output] = 1;
  }
  if (status == ONR_STATUS_OK) status = onri_session_start_frame(s, s->active, s->wanted, error);
  if (status != ONR_STATUS_OK) s->states.count = first;
  return status;
}

enum onr_status onr_session_add_state(struct onr_session *session, size_t output, size_t input,
                                      struct onr_error *error) {
  ONR_TRY(onri_session_check_index(session, output, "output", error));
  ONR_TRY(onri_session_check_index(session, input, "input", error));
  ONR_TRY(onri_session_enter(session, error));
  const size_t first = session->states.count;
  const enum onr_status status = append(session, output, input, error);
  return onri_session_leave(session, take_up(session, first, status, error), error);
}

/* A name with up to one '*', which stands for any text. */
struct pattern {
  const char *text;
  size_t length, before; /* of all, of what is in front of the star; before == length: there is none */
};

static struct pattern pattern_of(const char *text, size_t length) {
  const char *star = memchr(text, '*', length);
  return (struct pattern){text, length, star ? (size_t)(star - text) : length};
}

/* What the star stands for in a name. 0: the name is another. */
static int match(const struct pattern *p, const char *name, const char **part, size_t *part_length) {
  const size_t length = strlen(name), after = p->before < p->length ? p->length - p->before - 1 : 0;
  *part = name + p->before;
  *part_length = length < p->before + after ? 0 : length - p->before - after;
  if (length < p->before + after || (p->before == p->length && length != p->length)) return 0;
  return !memcmp(name, p->text, p->before) && !memcmp(name + length - after, p->text + p->length - after, after);
}

/* The input whose name is the pattern with `part` for its star. */
static int find_partner(const struct onr_session *s, const struct pattern *p, const char *part, size_t part_length,
                        size_t *input) {
  for (size_t i = 0; i < s->model->graph->num_inputs; i++) {
    const char *own;
    size_t own_length;
    *input = i;
    if (match(p, s->model->inputs[i].name, &own, &own_length) &&
        (p->before == p->length || (own_length == part_length && !memcmp(own, part, part_length))))
      return 1;
  }
  return 0;
}

/* "present.*=past.*": one of a list. */
static enum onr_status append_matches(struct onr_session *s, const char *text, size_t length, struct onr_error *error) {
  const char *equals = memchr(text, '=', length);
  const size_t before = s->states.count, left = equals ? (size_t)(equals - text) : 0;
  if (!equals || !left || left + 1 == length)
    return onr_fail(error, ONR_STATUS_ARGUMENT,
                    "expected OUTPUT=INPUT, with a * in both for what they share, found '%.*s'", (int)length, text);
  const struct pattern y = pattern_of(text, left), x = pattern_of(equals + 1, length - left - 1);
  if ((y.before == y.length) != (x.before == x.length))
    return onr_fail(error, ONR_STATUS_ARGUMENT, "expected a * on both sides or on none, found '%.*s'", (int)length,
                    text);
  for (size_t i = 0; i < s->model->graph->num_outputs; i++) {
    const char *part;
    size_t part_length, input;
    if (!match(&y, s->model->outputs[i].name, &part, &part_length)) continue;
    if (!find_partner(s, &x, part, part_length, &input))
      return onr_fail(error, ONR_STATUS_ARGUMENT, "output '%s' is a state by '%.*s', but no input is named like that",
                      s->model->outputs[i].name, (int)length, text);
    ONR_TRY(append(s, i, input, error));
  }
  if (s->states.count == before)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "no output is named like the left side of '%.*s'", (int)length, text);
  return ONR_STATUS_OK;
}

/* Every output that the graph makes by going on with an input. */
static enum onr_status append_found(struct onr_session *s, struct onr_error *error) {
  const struct onri_graph *g = s->model->graph;
  for (size_t y = 0; y < g->num_outputs; y++) {
    const int32_t past = onri_state_past(g, g->outputs[y]);
    for (size_t x = 0; x < g->num_inputs; x++)
      if (g->inputs[x] == past && !onri_session_state(s, y)) ONR_TRY(append(s, y, x, error));
  }
  return ONR_STATUS_OK;
}

static enum onr_status append_all(struct onr_session *s, const char *names, struct onr_error *error) {
  if (!names) return append_found(s, error);
  for (const char *at = names;; at++) {
    const size_t length = strcspn(at, ",");
    ONR_TRY(append_matches(s, at, length, error));
    at += length;
    if (!*at) return ONR_STATUS_OK;
  }
}

enum onr_status onr_session_add_states(struct onr_session *session, const char *names, size_t *count,
                                       struct onr_error *error) {
  ONR_TRY(onri_session_enter(session, error));
  const size_t first = session->states.count;
  enum onr_status status = append_all(session, names, error);
  status = take_up(session, first, status, error);
  if (count) *count = session->states.count - first;
  return onri_session_leave(session, status, error);
}

enum onr_status onr_session_reset_states(struct onr_session *session, struct onr_error *error) {
  ONR_TRY(onri_session_enter(session, error));
  for (size_t i = 0; i < session->states.count; i++)
    session->inputs[session->states.items[i].input] = (struct onr_tensor){0};
  return onri_session_leave(session, ONR_STATUS_OK, error);
}

size_t onr_session_num_states(const struct onr_session *session) { return session ? session->states.count : 0; }

enum onr_status onr_session_state(const struct onr_session *session, size_t index, size_t *output, size_t *input,
                                  struct onr_error *error) {
  if (!session || !output || !input)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "session, output and input must not be NULL");
  if (index >= session->states.count)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "state %zu does not exist; the session has %zu", index,
                    session->states.count);
  *output = session->states.items[index].output;
  *input = session->states.items[index].input;
  return ONR_STATUS_OK;
}
