/* What a file says about itself: who made it, its own version and words, properties and sets of operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "onnxrun/net.h"
#include "onnxrun/onnxrun.h"
#include "support/proto_writer.h"

static struct onr_error error;

static struct proto make_file(void) {
  struct proto graph = {0}, part = proto_node("", "Relu", "x", "y");
  proto_message(&graph, 1, &part);
  proto_text(&graph, 2, "main_graph");
  part = proto_value("x", 2);
  proto_message(&graph, 11, &part);
  part = proto_value("y", 2);
  proto_message(&graph, 12, &part);
  return proto_model(&graph);
}

static struct onr_model *load(struct proto *file) {
  struct onr_model *model;
  if (onr_model_load_memory(file->bytes, file->size, NULL, &model, &error) != ONR_STATUS_OK)
    fail_msg("%s", error.message);
  memset(file->bytes, 0, file->size);
  proto_free(file);
  return model;
}

static void all_is_told(void **state) {
  struct proto file = make_file(), entry;
  struct onr_model_info info = onr_model_info_init();
  const size_t large = 100000;
  char *text = malloc(large + 1);
  (void)state;
  memset(text, 'd', large);
  text[large] = '\0';
  proto_text(&file, 2, "maker");
  proto_text(&file, 3, "1.2");
  proto_text(&file, 4, "com.example");
  proto_int(&file, 5, 77);
  proto_text(&file, 6, text); /* longer than a name may be */
  entry = proto_entry("classes", "cat,dog");
  proto_message(&file, 14, &entry);
  entry = (struct proto){0};
  proto_text(&entry, 1, "bytes");
  proto_bytes(&entry, 2, "a\0b", 3);
  proto_message(&file, 14, &entry);
  entry = proto_entry("classes", "again");
  proto_message(&file, 14, &entry);
  struct onr_model *model = load(&file);
  assert_int_equal(onr_model_get_info(model, &info), ONR_STATUS_OK);
  assert_string_equal(info.producer_name, "maker");
  assert_string_equal(info.producer_version, "1.2");
  assert_string_equal(info.domain, "com.example");
  assert_string_equal(info.graph_name, "main_graph");
  assert_string_equal(info.doc_string, text);
  assert_int_equal(info.model_version, 77);
  assert_int_equal(onr_model_num_properties(model), 3);
  const struct onr_property *p = onr_model_property(model, 1);
  assert_string_equal(p->key, "bytes");
  assert_int_equal(p->value.length, 3);
  assert_memory_equal(p->value.text, "a\0b", 4);
  assert_string_equal(onr_model_find_property(model, "classes")->value.text, "cat,dog");
  assert_null(onr_model_find_property(model, "class"));
  assert_null(onr_model_property(model, 3));
  assert_int_equal(onr_model_num_opsets(model), 2);
  assert_string_equal(onr_model_opset(model, 0)->domain, "");
  assert_int_equal(onr_model_opset(model, 0)->version, 20);
  assert_string_equal(onr_model_opset(model, 1)->domain, "test");
  assert_null(onr_model_opset(model, 2));
  onr_model_destroy(model);
  free(text);
}

static void what_is_absent_is_empty(void **state) {
  struct proto file = make_file();
  struct onr_model_info info = onr_model_info_init();
  struct onr_model *model = load(&file);
  (void)state;
  assert_int_equal(onr_model_get_info(model, &info), ONR_STATUS_OK);
  assert_string_equal(info.domain, "");
  assert_string_equal(info.doc_string, "");
  assert_int_equal(info.model_version, 0);
  assert_int_equal(onr_model_num_properties(model), 0);
  assert_null(onr_model_property(model, 0));
  onr_model_destroy(model);
}

static void a_network_in_c_has_none(void **state) {
  struct onr_model_info info = onr_model_info_init();
  struct onr_model *model;
  struct onr_net *net;
  (void)state;
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  onr_net_output(net, "x", onr_net_input(net, "x", ONR_DTYPE_F32, 0, NULL));
  assert_int_equal(onr_net_finish(net, &model, &error), ONR_STATUS_OK);
  assert_int_equal(onr_model_get_info(model, &info), ONR_STATUS_OK);
  assert_string_equal(info.producer_name, "onnxrun");
  assert_string_equal(info.graph_name, "");
  assert_int_equal(onr_model_num_opsets(model), 0);
  assert_int_equal(onr_model_num_external_files(model), 0);
  assert_null(onr_model_external_file(model, 0));
  onr_model_destroy(model);
}

static void files_of_weights_are_told(void **state) {
  struct onr_model *model;
  (void)state;
  assert_int_equal(onr_model_load(ONNXRUN_FIXTURES "/adaptive_avgpool_uneven_dynamo/model.onnx", NULL, &model, &error),
                   ONR_STATUS_OK);
  assert_int_equal(onr_model_num_external_files(model), 1);
  assert_string_equal(onr_model_external_file(model, 0), "model.onnx.data");
  assert_null(onr_model_external_file(model, 1));
  onr_model_destroy(model);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_is_told),
      cmocka_unit_test(files_of_weights_are_told),
      cmocka_unit_test(what_is_absent_is_empty),
      cmocka_unit_test(a_network_in_c_has_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
