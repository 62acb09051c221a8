/* Memory that runs out at every single allocation of a load: always a clean NO_MEMORY, and nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnx/import/load.h"
#include "support/counted_memory.h"
#include "support/proto_writer.h"

static enum onr_status run_nothing(struct onr_call *call) {
  (void)call;
  return ONR_STATUS_OK;
}

static const struct onr_layer op_layer = {
    .name = "op", .inputs_max = 4, .outputs_min = 1, .outputs_max = 1, .run = run_nothing};

static void add_node(struct proto *to, uint32_t field, const char *domain, const char *op, const char *in,
                     const char *out) {
  struct proto node = proto_node(domain, op, in, out);
  proto_message(to, field, &node);
}

static struct proto branch(const char *in) {
  struct proto b = {0}, value = proto_value("r", -1);
  add_node(&b, 1, "test", "Op", in, "r");
  proto_message(&b, 12, &value);
  return b;
}

/* One of everything: initializers small and large, a constant, an If that captures, a function with attributes,
 * metadata. */
static struct proto make_model(const char *op) {
  static const float zeros[600];
  static const int64_t large[1] = {600}, small[1] = {2};
  struct proto g = {0}, node, a, body, w, value, f = {0}, file, entry;
  w = proto_tensor("large", 1, large, 1), proto_bytes(&w, 9, zeros, 2400), proto_message(&g, 5, &w);
  w = proto_tensor("small", 1, small, 1), proto_bytes(&w, 4, zeros, 8), proto_message(&g, 5, &w);
  node = proto_node("", "Constant", "", "k"), a = proto_attribute("value_ints", 7);
  for (int64_t i = 0; i < 3; i++) proto_int(&a, 8, i);
  proto_message(&node, 5, &a), proto_message(&g, 1, &node);
  node = proto_node("test", "Op", "x large small k", "s");
  entry = proto_entry("pkg.torch.onnx.name_scopes", "['', 'layer', 'op']"), proto_message(&node, 9, &entry),
  proto_message(&g, 1, &node);
  node = proto_node("", "If", "c", "t");
  a = proto_attribute("then_branch", 5), body = branch("x large"), proto_message(&a, 6, &body),
  proto_message(&node, 5, &a);
  a = proto_attribute("else_branch", 5), body = branch("s"), proto_message(&a, 6, &body), proto_message(&node, 5, &a);
  proto_message(&g, 1, &node);
  add_node(&g, 1, "fn", "F", "t", "y");
  for (int i = 0; i < 40; i++) {
    char in[8], out[8];
    snprintf(in, sizeof(in), i ? "v%d" : "y", i);
    snprintf(out, sizeof(out), "v%d", i + 1);
    add_node(&g, 1, "test", op, in, out);
  }
  value = proto_value("x", -1), proto_message(&g, 11, &value);
  value = proto_value("c", 1), proto_message(&g, 11, &value);
  value = proto_value("y", -1), proto_message(&g, 12, &value);
  file = proto_model(&g);
  proto_text(&f, 1, "F"), proto_text(&f, 10, "fn"), proto_text(&f, 4, "a"), proto_text(&f, 5, "b");
  add_node(&f, 7, "test", "Op", "a", "b");
  proto_message(&file, 25, &f);
  return file;
}

static enum onr_status load(const struct proto *file, const struct onr_registry *registry) {
  struct onr_env env = {.allocator = &counted_memory, .limits = onri_limits_resolve(NULL)};
  const struct onr_model_options options = {.size = sizeof(options), .registry = registry};
  struct onri_sources *sources;
  struct onri_loaded loaded;
  enum onr_status status = onri_sources_create(&counted_memory, &sources, NULL);
  if (status != ONR_STATUS_OK) return status;
  status = onri_sources_set_memory(sources, file->bytes, file->size, NULL, NULL);
  assert_int_equal(status, ONR_STATUS_OK);
  status = onri_onnx_load(&env, sources, &options, NULL, &loaded, NULL);
  onri_graph_destroy(loaded.graph);
  onri_sources_destroy(sources);
  return status;
}

static void try_all(const char *op, enum onr_status expected) {
  struct onr_registry *registry;
  struct proto file = make_model(op);
  size_t total;
  assert_int_equal(onr_registry_create(NULL, &registry, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_registry_add(registry, "test", "Op", &op_layer, NULL, NULL), ONR_STATUS_OK);
  counted_memory_begin();
  assert_int_equal(load(&file, registry), expected);
  total = counted_total;
  assert_true(total > 30);
  for (int for_good = 0; for_good < 2; for_good++)
    for (size_t k = 1; k <= total; k++) {
      counted_memory_begin();
      counted_fail_at = k;
      counted_for_good = for_good;
      assert_int_equal(load(&file, registry), ONR_STATUS_NO_MEMORY);
      assert_int_equal(counted_live, 0);
    }
  onr_registry_destroy(registry);
  proto_free(&file);
}

static void test_good_model(void **state) {
  (void)state;
  try_all("Op", ONR_STATUS_OK);
}

static void test_unsupported_model(void **state) {
  (void)state;
  try_all("Unknown", ONR_STATUS_UNSUPPORTED);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_good_model), cmocka_unit_test(test_unsupported_model)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
