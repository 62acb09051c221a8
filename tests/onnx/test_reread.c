/* Weights that are packed can be read again, from a file or from memory that stays; not from memory that may be gone.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxrun/onnxrun.h"

static const char path[] = ONNXRUN_FIXTURES "/cnn_dynamic_batch_ts/model.onnx";

struct seen {
  enum onr_status status;
  int is_packed;
  void *weight;
  size_t bytes;
};

static void see(void *context, const struct onr_node_run *run) {
  struct seen *seen = context;
  struct onr_operand operand = onr_operand_init();
  struct onr_node_info info = onr_node_info_init();
  char none[4];
  assert_int_equal(onr_node_run_info(run, &info), ONR_STATUS_OK);
  if (strcmp(info.layer, "conv") != 0 || info.parameters < 400) return;             /* 1 KiB and less may be gone */
  assert_int_equal(onr_node_run_constant(run, 0, none, NULL), ONR_STATUS_ARGUMENT); /* the input */
  assert_int_equal(onr_node_run_constant(run, run->num_inputs, none, NULL), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_node_run_constant(run, 1, NULL, NULL), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_node_run_input(run, 1, &operand), ONR_STATUS_OK);
  assert_int_equal(operand.storage, ONR_STORAGE_CONSTANT);
  seen->is_packed = !operand.tensor.data;
  seen->bytes = onr_desc_bytes(&operand.tensor.desc);
  seen->weight = malloc(seen->bytes);
  assert_non_null(seen->weight);
  seen->status = onr_node_run_constant(run, 1, seen->weight, NULL);
}

static char *read_file(size_t *size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  *size = (size_t)ftell(file);
  rewind(file);
  char *data = malloc(*size);
  assert_int_equal(fread(data, 1, *size, file), *size);
  fclose(file);
  return data;
}

static int is_in(const char *data, size_t size, const void *part, size_t bytes) {
  for (size_t i = 0; i + bytes <= size; i++)
    if (!memcmp(data + i, part, bytes)) return 1;
  return 0;
}

/* data NULL: from the file. */
static struct seen look(const char *data, size_t size, int stays) {
  struct onr_model_options options = onr_model_options_init();
  struct seen seen = {.status = ONR_STATUS_INTERNAL};
  struct onr_session_options watching = onr_session_options_init();
  struct onr_model *model;
  struct onr_session *session;
  const struct onr_value_info *x;
  options.data_stays = stays;
  options.disabled_passes = "all";
  watching.watch = see;
  watching.watch_context = &seen;
  if (data) assert_int_equal(onr_model_load_memory(data, size, &options, &model, NULL), ONR_STATUS_OK);
  else assert_int_equal(onr_model_load(path, &options, &model, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_session_create(model, &watching, &session, NULL), ONR_STATUS_OK);
  x = onr_model_input(model, 0);
  const struct onr_desc desc = onr_desc_make(x->dtype, 4, (int64_t[]){2, x->dim[1], x->dim[2], x->dim[3]});
  struct onr_tensor tensor = {desc, calloc(1, onr_desc_bytes(&desc))};
  assert_int_equal(onr_session_set_input(session, 0, &tensor, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_session_plan(session, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_session_watch(session, NULL), ONR_STATUS_OK);
  onr_session_destroy(session);
  onr_model_destroy(model);
  free(tensor.data);
  return seen;
}

static void packed_weights_are_read_again(void **state) {
  size_t size;
  char *data = read_file(&size);
  (void)state;
  for (int from_memory = 0; from_memory <= 1; from_memory++) {
    struct seen seen = look(from_memory ? data : NULL, size, from_memory);
    assert_true(seen.is_packed);
    assert_int_equal(seen.status, ONR_STATUS_OK);
    assert_true(is_in(data, size, seen.weight, seen.bytes));
    free(seen.weight);
  }
  struct seen seen = look(data, size, 0);
  assert_true(seen.is_packed);
  assert_int_equal(seen.status, ONR_STATUS_STATE);
  free(seen.weight);
  free(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(packed_weights_are_read_again)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
