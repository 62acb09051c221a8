/* Loads a model, runs it on ones, and prints the first values of its outputs. */
#include <onnxrun/onnxrun.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_INPUTS = 16, SHOWN = 5 };

static int fail(const struct onr_error *error) {
  fprintf(stderr, "%s%s%s: %s\n", onr_status_name(error->status), error->where[0] ? " " : "", error->where,
          error->message);
  return 1;
}

/* float32 inputs are ones, others zeros; dimensions that the model leaves open are 1. */
static struct onr_tensor make_input(const struct onr_value_info *info) {
  struct onr_tensor x = {onr_desc_make(info->dtype, info->rank, info->dim), NULL};
  for (int d = 0; d < x.desc.rank; d++)
    if (x.desc.dim[d] == ONR_UNKNOWN_DIM) x.desc.dim[d] = 1;
  x.data = calloc(1, onr_desc_bytes(&x.desc) + 1);
  for (int64_t i = 0; x.data && info->dtype == ONR_DTYPE_F32 && i < onr_desc_elements(&x.desc); i++)
    ((float *)x.data)[i] = 1;
  return x;
}

static void print_output(const char *name, const struct onr_tensor *y) {
  char text[160];
  printf("%s %s", name, onr_desc_format(&y->desc, text, sizeof(text)));
  for (int64_t i = 0; i < onr_desc_elements(&y->desc) && i < SHOWN; i++) {
    if (y->desc.dtype == ONR_DTYPE_F32) printf(" %g", (double)((const float *)y->data)[i]);
    if (y->desc.dtype == ONR_DTYPE_I64) printf(" %lld", (long long)((const int64_t *)y->data)[i]);
  }
  printf("\n");
}

static enum onr_status run(const struct onr_model *model, struct onr_session *session, struct onr_tensor *inputs,
                           struct onr_error *error) {
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    inputs[i] = make_input(onr_model_input(model, i));
    ONR_TRY(onr_session_set_input(session, i, &inputs[i], error));
  }
  ONR_TRY(onr_session_run(session, error));
  for (size_t i = 0; i < onr_model_num_outputs(model); i++) {
    struct onr_tensor y;
    ONR_TRY(onr_session_get_output(session, i, &y, error));
    print_output(onr_model_output(model, i)->name, &y);
  }
  return ONR_STATUS_OK;
}

int main(int argc, char **argv) {
  struct onr_tensor inputs[MOST_INPUTS] = {0};
  struct onr_session *session = NULL;
  struct onr_model *model;
  struct onr_error error;
  int code = 0;
  if (argc != 2) return fprintf(stderr, "usage: %s MODEL.onnx\n", argv[0]), 2;
  if (onr_model_load(argv[1], NULL, &model, &error) != ONR_STATUS_OK) return fail(&error);
  if (onr_model_num_inputs(model) > MOST_INPUTS) {
    fprintf(stderr, "%s: more than %d inputs\n", argv[1], MOST_INPUTS);
    code = 1;
  } else if (onr_session_create(model, NULL, &session, &error) != ONR_STATUS_OK ||
             run(model, session, inputs, &error) != ONR_STATUS_OK) {
    code = fail(&error);
  }
  onr_session_destroy(session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MOST_INPUTS; i++) free(inputs[i].data);
  return code;
}
