/* How near texts are in meaning: the mean of a BERT's last hidden states (sentence-transformers' all-MiniLM-L6-v2 and
 * its like), and the cosine between the first text and each other one. Texts are tokens, one text an argument, as the
 * model's own tokenizer makes them:
 *
 *   example_embed model.onnx 101,7592,102 101,7632,102 101,4937,102 */
#include <math.h>
#include <onnxrun/onnxrun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOKENS = 512, MOST_WIDTH = 4096 };

/* Inputs by their names: input_ids, attention_mask, token_type_ids. */
static enum onr_status set_inputs(struct onr_model *model, struct onr_session *session, int64_t *ids, int64_t count,
                                  struct onr_error *error) {
  static int64_t ones[MOST_TOKENS], zeros[MOST_TOKENS];
  for (int i = 0; i < MOST_TOKENS; i++) ones[i] = 1;
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const char *name = onr_model_input(model, i)->name;
    int64_t *data = strstr(name, "mask") ? ones : strstr(name, "type") ? zeros : ids;
    const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_I64, 2, (int64_t[]){1, count}), data};
    ONR_TRY(onr_session_set_input(session, i, &x, error));
  }
  return ONR_STATUS_OK;
}

/* The mean over tokens of output 0, [1, tokens, width], of length 1. */
static enum onr_status embed(struct onr_model *model, struct onr_session *session, const char *text, float *vector,
                             int64_t *width, struct onr_error *error) {
  int64_t ids[MOST_TOKENS], count = 0;
  double length = 0;
  struct onr_tensor y;
  for (char *at = (char *)text; *at && count < MOST_TOKENS; at += *at == ',') ids[count++] = strtoll(at, &at, 10);
  ONR_TRY(set_inputs(model, session, ids, count, error));
  ONR_TRY(onr_session_run(session, error));
  ONR_TRY(onr_session_get_output(session, 0, &y, error));
  if (y.desc.rank != 3 || y.desc.dtype != ONR_DTYPE_F32 || y.desc.dim[2] > MOST_WIDTH) {
    snprintf(error->message, sizeof(error->message), "expected hidden states [1, tokens, width]");
    return error->status = ONR_STATUS_SHAPE;
  }
  *width = y.desc.dim[2];
  for (int64_t k = 0; k < *width; k++) {
    vector[k] = 0;
    for (int64_t i = 0; i < y.desc.dim[1]; i++) vector[k] += ((const float *)y.data)[i * *width + k];
    length += (double)vector[k] * (double)vector[k];
  }
  for (int64_t k = 0; k < *width; k++) vector[k] /= (float)sqrt(length);
  return ONR_STATUS_OK;
}

int main(int argc, char **argv) {
  static float first[MOST_WIDTH], other[MOST_WIDTH];
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  struct onr_error error = {0};
  int64_t width;
  if (argc < 4) return fprintf(stderr, "usage: %s MODEL.onnx TOKENS TOKENS...\n", argv[0]), 2;
  enum onr_status status = onr_model_load(argv[1], NULL, &model, &error);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) status = embed(model, session, argv[2], first, &width, &error);
  for (int i = 3; status == ONR_STATUS_OK && i < argc; i++) {
    double cosine = 0;
    status = embed(model, session, argv[i], other, &width, &error);
    for (int64_t k = 0; status == ONR_STATUS_OK && k < width; k++) cosine += (double)first[k] * (double)other[k];
    if (status == ONR_STATUS_OK) printf("%6.3f  %s\n", cosine, argv[i]);
  }
  if (status != ONR_STATUS_OK) fprintf(stderr, "%s %s: %s\n", onr_status_name(status), error.where, error.message);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return status != ONR_STATUS_OK;
}
