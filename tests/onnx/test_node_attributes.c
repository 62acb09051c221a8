/* What parse of a layer of one's own reads from its node: numbers, lists, text and tensors, there, absent and of a
 * wrong kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "onnxrun/layer.h"
#include "onnxrun/onnxrun.h"
#include "support/proto_writer.h"

struct found {
  int64_t axis;
  double alpha;
  struct onr_string mode;
  size_t num_weights, num_sizes;
  float weights[4];
  int64_t sizes[2];
  int has_table;
  struct onr_desc table_desc;
  float table[6];
  size_t num_names, num_attributes;
  struct onr_string names[2];
  const struct onr_layer *layer;
  char listed[128]; /* "axis:2 alpha:1 ..." */
};

static struct found found;

/* Nothing is written where there is no room, or no place; nobody's attributes are none. */
static void ask_for_nothing(const struct onr_node *node) {
  static const char *const lists[] = {"weights", "sizes", "names", "nobody", NULL};
  union {
    float floats[8];
    int64_t ints[8];
    struct onr_string strings[8];
  } room;
  for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
    for (size_t capacity = 0; capacity <= 8; capacity += 4) {
      const char *name = lists[i];
      const size_t n = i == 0   ? onr_node_floats(node, name, room.floats, capacity)
                       : i == 1 ? onr_node_ints(node, name, room.ints, capacity)
                                : onr_node_strings(node, i == 2 ? name : "nobody", room.strings, capacity);
      assert_int_equal(n, i == 0   ? onr_node_floats(node, name, NULL, capacity)
                          : i == 1 ? onr_node_ints(node, name, NULL, capacity)
                                   : onr_node_strings(node, i == 2 ? name : "nobody", NULL, capacity));
    }
  struct onr_tensor table;
  assert_int_equal(onr_node_tensor(node, "table", NULL), 0);
  assert_int_equal(onr_node_tensor(node, "nobody", &table), 0);
  assert_null(table.data);
  const struct onr_string absent = onr_node_string(node, "nobody", NULL);
  assert_true(!absent.text && !absent.length);
  assert_int_equal(onr_node_int(node, NULL, 5), 5);
  assert_int_equal(onr_node_int(NULL, "axis", 5), 5);
  assert_null(onr_node_layer(NULL));
  assert_int_equal(onr_node_num_attributes(NULL), 0);
  assert_null(onr_node_attribute(NULL, 0, NULL));
}

static enum onr_status parse(const struct onr_node *node, void *params, struct onr_error *error) {
  struct onr_tensor table;
  (void)params;
  ask_for_nothing(node);
  found = (struct found){.axis = onr_node_int(node, "axis", -1), .alpha = onr_node_float(node, "alpha", 0.5)};
  found.mode = onr_node_string(node, "mode", "mean");
  found.num_weights = onr_node_floats(node, "weights", found.weights, 4);
  found.num_sizes = onr_node_ints(node, "sizes", found.sizes, 2);
  found.num_names = onr_node_strings(node, "names", found.names, 2);
  found.layer = onr_node_layer(node);
  found.num_attributes = onr_node_num_attributes(node);
  for (size_t i = 0; i < found.num_attributes; i++) {
    const size_t used = strlen(found.listed);
    enum onr_attribute kind;
    const char *name = onr_node_attribute(node, i, &kind);
    snprintf(found.listed + used, sizeof(found.listed) - used, "%s:%d ", name, (int)kind);
  }
  if (onr_node_attribute(node, found.num_attributes, NULL)) return onr_fail(error, ONR_STATUS_INTERNAL, "one more");
  found.has_table = onr_node_tensor(node, "table", &table);
  if (!found.has_table) return ONR_STATUS_OK;
  found.table_desc = table.desc;
  if (table.desc.dtype != ONR_DTYPE_F32 || onr_desc_elements(&table.desc) > 6)
    return onr_fail(error, ONR_STATUS_ATTRIBUTE, "a strange table");
  memcpy(found.table, table.data, onr_desc_bytes(&table.desc));
  return ONR_STATUS_OK;
}

static enum onr_status run(struct onr_call *call) {
  memcpy(call->outputs[0], call->inputs[0], onr_desc_bytes(&call->in[0]));
  return ONR_STATUS_OK;
}

static const struct onr_layer layer = {"op", 1, 1, 1, 1, .run = run};

static struct onr_registry *registry;
static struct onr_model *model;
static struct onr_error error;

static int set_up(void **state) {
  (void)state;
  return onr_registry_create(NULL, &registry, &error) != ONR_STATUS_OK ||
         onr_registry_add(registry, "test", "Op", &layer, parse, &error) != ONR_STATUS_OK;
}

static int tear_down(void **state) {
  (void)state;
  onr_registry_destroy(registry);
  return 0;
}

/* A model of the one node. */
static enum onr_status load(struct proto *node) {
  const struct onr_model_options options = {.size = sizeof(options), .registry = registry};
  struct proto graph = {0}, x = proto_value("x", 3), y = proto_value("y", 3), file;
  proto_message(&graph, 1, node);
  proto_message(&graph, 11, &x);
  proto_message(&graph, 12, &y);
  file = proto_model(&graph);
  const enum onr_status status = onr_model_load_memory(file.bytes, file.size, &options, &model, &error);
  proto_free(&file);
  return status;
}

static void add(struct proto *node, struct proto attribute) { proto_message(node, 5, &attribute); }

static void attributes_that_are_there(void **state) {
  const float weights[3] = {1.5f, -2, 0.25f}, table[6] = {1, 2, 3, 4, 5, 6};
  struct proto node = proto_node("test", "Op", "x", "y"), a, t = proto_tensor("t", ONR_DTYPE_F32, (int64_t[]){2, 3}, 2);
  (void)state;
  a = proto_attribute("axis", 2), proto_int(&a, 3, 7), add(&node, a);
  a = proto_attribute("alpha", 1), proto_float(&a, 2, 0.25f), add(&node, a);
  a = proto_attribute("mode", 3), proto_bytes(&a, 4, "s\0m", 3), add(&node, a);
  a = proto_attribute("weights", 6), proto_bytes(&a, 7, weights, sizeof(weights)), add(&node, a);
  a = proto_attribute("sizes", 7), proto_int(&a, 8, 1), proto_int(&a, 8, 4), proto_int(&a, 8, 9), add(&node, a);
  a = proto_attribute("names", 8), proto_bytes(&a, 9, "a", 1), proto_bytes(&a, 9, "bc", 2), add(&node, a);
  proto_bytes(&t, 9, table, sizeof(table));
  a = proto_attribute("table", 4), proto_message(&a, 5, &t), add(&node, a);
  if (load(&node) != ONR_STATUS_OK) fail_msg("%s", error.message);
  assert_int_equal(found.axis, 7);
  assert_true(found.alpha == 0.25);
  assert_int_equal(found.mode.length, 3);
  assert_memory_equal(found.mode.text, "s\0m", 3);
  assert_int_equal(found.num_weights, 3);
  assert_memory_equal(found.weights, weights, sizeof(weights));
  assert_int_equal(found.num_sizes, 3); /* of which two had room */
  assert_true(found.sizes[0] == 1 && found.sizes[1] == 4);
  assert_true(found.has_table && found.table_desc.rank == 2 && found.table_desc.dim[1] == 3);
  assert_memory_equal(found.table, table, sizeof(table));
  assert_int_equal(found.num_names, 2);
  assert_memory_equal(found.names[1].text, "bc", 2);
  assert_ptr_equal(found.layer, &layer);
  assert_string_equal(found.listed, "alpha:1 axis:2 mode:3 names:8 sizes:7 table:4 weights:6 ");
  onr_model_destroy(model);
}

static void attributes_that_are_absent(void **state) {
  struct proto node = proto_node("test", "Op", "x", "y");
  (void)state;
  assert_int_equal(load(&node), ONR_STATUS_OK);
  assert_true(found.axis == -1 && found.alpha == 0.5 && !found.num_weights && !found.num_sizes && !found.has_table);
  assert_int_equal(found.mode.length, 4);
  assert_memory_equal(found.mode.text, "mean", 4);
  onr_model_destroy(model);
}

/* All are told that they are an int. */
static void attributes_of_a_wrong_kind(void **state) {
  static const char *const wrong[][2] = {
      {"mode", "a string"}, {"weights", "floats"}, {"table", "a tensor"}, {"alpha", "a float"}};
  (void)state;
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    struct proto node = proto_node("test", "Op", "x", "y"), a = proto_attribute(wrong[i][0], 2);
    proto_int(&a, 3, 1);
    add(&node, a);
    assert_int_equal(load(&node), ONR_STATUS_ATTRIBUTE);
    if (!strstr(error.message, wrong[i][0]) || !strstr(error.message, wrong[i][1])) fail_msg("%s", error.message);
  }
}

/* Data outside of the file that is not there. */
static void a_tensor_that_cannot_be_read(void **state) {
  struct proto node = proto_node("test", "Op", "x", "y"), a = proto_attribute("table", 4);
  struct proto t = proto_tensor("t", ONR_DTYPE_F32, (int64_t[]){3}, 1), entry = proto_entry("location", "nowhere.bin");
  (void)state;
  proto_message(&t, 13, &entry);
  proto_int(&t, 14, 1);
  proto_message(&a, 5, &t);
  add(&node, a);
  assert_int_not_equal(load(&node), ONR_STATUS_OK);
  assert_true(error.message[0] != '\0');
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(attributes_that_are_there),
      cmocka_unit_test(attributes_that_are_absent),
      cmocka_unit_test(attributes_of_a_wrong_kind),
      cmocka_unit_test(a_tensor_that_cannot_be_read),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
