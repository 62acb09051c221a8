/* Loads a model, runs it on ones, and prints the first values of its first output. */
#include <onnxrun/onnxrun.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const struct onr_error *error) {
  fprintf(stderr, "%s %s: %s\n", onr_status_name(error->status), error->where, error->message);
  return 1;
}

int main(int argc, char **argv) {
  struct onr_model *model = NULL;
  struct onr_session *session = NULL;
  struct onr_tensor x = {0}, y;
  struct onr_error error;
  int code = 0;
  if (argc != 2) return fprintf(stderr, "usage: %s MODEL.onnx\n", argv[0]), 2;
  if (onr_model_load(argv[1], NULL, &model, &error) != ONR_STATUS_OK) return fail(&error);

  const struct onr_value_info *input = onr_model_input(model, 0);
  x.desc = onr_desc_make(input->dtype, input->rank, input->dim);
  for (int d = 0; d < x.desc.rank; d++)
    if (x.desc.dim[d] == ONR_UNKNOWN_DIM) x.desc.dim[d] = 1;
  x.data = calloc(1, onr_desc_bytes(&x.desc));
  for (int64_t i = 0; x.data && input->dtype == ONR_DTYPE_F32 && i < onr_desc_elements(&x.desc); i++) ((float *)x.data)[i] = 1;

  if (onr_session_create(model, NULL, &session, &error) != ONR_STATUS_OK ||
      onr_session_set_input(session, 0, &x, &error) != ONR_STATUS_OK || onr_session_run(session, &error) != ONR_STATUS_OK ||
      onr_session_get_output(session, 0, &y, &error) != ONR_STATUS_OK) {
    code = fail(&error);
  } else {
    for (int64_t i = 0; i < onr_desc_elements(&y.desc) && i < 5; i++) printf("%g\n", (double)((const float *)y.data)[i]);
  }
  onr_session_destroy(session);
  onr_model_destroy(model);
  free(x.data);
  return code;
}
