/* What files rarely hold, and what they must not: the branches of the import that no exporter's file takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnxrun/layer.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/operators.h"
#include "support/counted_memory.h"
#include "support/proto_writer.h"

static enum onr_status run_nothing(struct onr_call *call) {
  (void)call;
  return ONR_STATUS_OK;
}

static enum onr_status parse_strings(const struct onr_node *node, void *params, struct onr_error *failure) {
  (void)params, (void)failure;
  (void)onr_node_int(node, "axis", 0);
  return ONR_STATUS_OK;
}

static const struct onr_layer op_layer = {
    .name = "op", .inputs_max = 4, .outputs_min = 1, .outputs_max = 2, .run = run_nothing};

static struct onr_registry *registry;
static struct onr_error error;
static struct onr_limits limits;
static size_t lines;

static int set_up(void **state) {
  (void)state;
  limits = (struct onr_limits){.size = sizeof(limits)};
  return onr_registry_create(NULL, &registry, NULL) != ONR_STATUS_OK ||
         onr_registry_add(registry, "test", "Op", &op_layer, parse_strings, NULL) != ONR_STATUS_OK;
}

static int tear_down(void **state) {
  (void)state;
  onr_registry_destroy(registry);
  return 0;
}

static void count_line(void *context, const char *line) {
  (void)context, (void)line;
  lines++;
}

static void count_use(void *context, const char *kind, const char *domain, const char *name) {
  (void)context, (void)kind, (void)domain, (void)name;
  lines++;
}

static void see_declared(void *context, const struct onr_value_info *const *inputs, size_t num_inputs,
                         const struct onr_value_info *const *outputs, size_t num_outputs) {
  (void)context, (void)inputs, (void)outputs;
  lines += num_inputs + num_outputs;
}

static enum onr_status load(const struct proto *file, struct onr_error *to) {
  const struct onr_model_options options = {.size = sizeof(options),
                                            .allocator = &counted_memory,
                                            .limits = &limits,
                                            .registry = registry,
                                            .report = count_line,
                                            .declared = see_declared,
                                            .uses = count_use};
  struct onr_model *model;
  const enum onr_status status = onr_model_load_memory(file->bytes, file->size, &options, &model, to);
  onr_model_destroy(model);
  assert_int_equal(counted_live, 0);
  return status;
}

/* What the file ends in, with and without room for a message, and that every allocation may fail on the way there. */
static void expect(struct proto *file, enum onr_status expected, const char *message) {
  error = (struct onr_error){.message = ""};
  counted_memory_begin();
  const enum onr_status status = load(file, &error);
  const size_t total = counted_total;
  if (status != expected || !strstr(error.message, message))
    fail_msg("expected %s, '%s'; found %s, %s: %s", onr_status_name(expected), message, onr_status_name(status),
             error.where, error.message);
  assert_int_equal(load(file, NULL), expected);
  for (size_t k = 1; k <= total; k += 1 + k / 200) {
    counted_memory_begin();
    counted_fail_at = k;
    const enum onr_status with_less = load(file, k % 2 ? NULL : &error);
    if (with_less != expected) assert_int_equal(with_less, ONR_STATUS_NO_MEMORY);
  }
  counted_memory_begin();
  proto_free(file);
}

enum { NODE = 1, NAME = 2, INITIALIZER = 5, INPUT = 11, OUTPUT = 12, ATTRIBUTE = 5, FUNCTION = 25 };

static void add_node(struct proto *to, uint32_t field, const char *domain, const char *op, const char *in,
                     const char *out) {
  struct proto node = proto_node(domain, op, in, out);
  proto_message(to, field, &node);
}

static void add_value(struct proto *graph, uint32_t field, const char *name) {
  struct proto value = proto_value(name, 2);
  proto_message(graph, field, &value);
}

static struct proto graph_of(const char *domain, const char *op, const char *in) {
  struct proto g = {0};
  add_node(&g, NODE, domain, op, in, "y");
  add_value(&g, INPUT, "x");
  add_value(&g, OUTPUT, "y");
  return g;
}

/* y = F(x), with this function. */
static struct proto model_of(struct proto *function) {
  struct proto g = graph_of("fn", "F", "x"), file = proto_model(&g);
  proto_message(&file, FUNCTION, function);
  return file;
}

static struct proto function_of(const char *name, const char *inputs, const char *outputs) {
  struct proto f = {0};
  proto_text(&f, 1, name);
  for (int i = 0; i < 2; i++)
    for (const char *at = i ? outputs : inputs; *at; at += strcspn(at, " "), at += strspn(at, " "))
      proto_bytes(&f, i ? 5 : 4, at, strcspn(at, " "));
  proto_text(&f, 10, "fn");
  return f;
}

/* --- the registry --- */

static void test_registry(void **state) {
  const struct onr_allocator half = {.allocate = counted_memory.allocate};
  struct onr_layer layer = op_layer;
  struct onr_registry *own = NULL;
  (void)state;
  assert_int_equal(onr_registry_create(&half, &own, NULL), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_registry_add(registry, "test", "", &layer, NULL, NULL), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_registry_add(registry, "test", "Op", &layer, NULL, &error), ONR_STATUS_ARGUMENT);
  assert_non_null(strstr(error.message, "twice"));
  assert_int_equal(onr_registry_add(registry, "ai.onnx", "Mine", &layer, NULL, NULL), ONR_STATUS_OK);
  assert_int_equal(onr_registry_add(registry, NULL, "Mine", &layer, NULL, NULL), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_registry_add(registry, "other", "Mine", &layer, NULL, NULL), ONR_STATUS_OK);
  layer.run = NULL;
  assert_int_equal(onr_registry_add(registry, "test", "A", &layer, NULL, NULL), ONR_STATUS_ARGUMENT);
  layer = op_layer, layer.layout = ONR_LAYOUT_BUILT_IN;
  assert_int_equal(onr_registry_add(registry, "test", "A", &layer, NULL, NULL), ONR_STATUS_ARGUMENT);
  layer = op_layer, layer.control = 1;
  assert_int_equal(onr_registry_add(registry, "test", "A", &layer, NULL, NULL), ONR_STATUS_ARGUMENT);
}

static enum onr_status fill(struct onr_registry *own) {
  static char names[300][64];
  enum onr_status status = ONR_STATUS_OK;
  for (int i = 0; i < 300 && status == ONR_STATUS_OK; i++) {
    snprintf(names[i], sizeof(names[i]), "an operator with a name that takes room, number %d", i);
    status = onr_registry_add(own, names[299 - i], names[i], &op_layer, NULL, NULL);
  }
  return status;
}

static void test_registry_without_memory(void **state) {
  (void)state;
  size_t total = 1;
  for (size_t k = 0; k <= total; k++) {
    struct onr_registry *own;
    counted_memory_begin();
    counted_fail_at = k;
    enum onr_status status = onr_registry_create(&counted_memory, &own, NULL);
    if (status == ONR_STATUS_OK) status = fill(own);
    assert_int_equal(status, k ? ONR_STATUS_NO_MEMORY : ONR_STATUS_OK);
    if (!k) total = counted_total;
    onr_registry_destroy(own);
    assert_int_equal(counted_live, 0);
  }
  counted_memory_begin();
}

/* --- functions --- */

static void test_functions(void **state) {
  struct proto f = function_of("", "a", "b"), file, g, node, a, body;
  (void)state;
  file = model_of(&f), expect(&file, ONR_STATUS_GRAPH, "without a name");
  f = function_of("F", "a", "b"), add_node(&f, 7, "test", "Op", "a", "b");
  g = graph_of("fn", "F", "x"), add_node(&g, NODE, "fn", "F", "x", "p q");
  file = proto_model(&g), proto_message(&file, FUNCTION, &f), expect(&file, ONR_STATUS_ARITY, "1 outputs");
  f = function_of("F", "a b", "b"); /* passes on what the call leaves out */
  file = model_of(&f), expect(&file, ONR_STATUS_GRAPH, "does not make");
  f = function_of("F", "a", "b c"), add_node(&f, 7, "test", "Op", "a", "b c"); /* an output without a name */
  g = (struct proto){0}, add_node(&g, NODE, "fn", "F", "x", "- y"), add_value(&g, INPUT, "x"),
  add_value(&g, OUTPUT, "y");
  file = proto_model(&g), proto_message(&file, FUNCTION, &f), expect(&file, ONR_STATUS_OK, "");
  for (int overload = 0; overload < 2; overload++) {
    f = function_of("F", "a", "b"), add_node(&f, 7, "test", "Op", "a", "b"), proto_text(&f, 13, "one");
    node = proto_node("fn", "F", "x", "y");
    proto_text(&node, 8, overload ? "one" : "two");
    g = (struct proto){0}, proto_message(&g, NODE, &node), add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y");
    file = proto_model(&g), proto_message(&file, FUNCTION, &f);
    expect(&file, overload ? ONR_STATUS_OK : ONR_STATUS_UNSUPPORTED, "");
  }
  for (int kind = 5; kind <= 10; kind += 5) { /* a function that calls itself in a graph, in a list of graphs */
    f = function_of("F", "a", "b"), node = proto_node("test", "Op", "a", "b"), body = (struct proto){0};
    add_node(&body, NODE, "fn", "F", "a", "b");
    a = proto_attribute("body", kind), proto_message(&a, kind == 5 ? 6 : 11, &body),
    proto_message(&node, ATTRIBUTE, &a);
    proto_message(&f, 7, &node);
    file = model_of(&f), expect(&file, ONR_STATUS_GRAPH, "calls itself");
  }
  f = function_of("F", "a", "b"), add_node(&f, 7, "test", "Op", "a", "b"); /* of an operator set that there is not */
  struct proto set = {0};
  proto_text(&set, 1, ""), proto_int(&set, 2, 1000), proto_message(&f, 9, &set);
  file = model_of(&f), expect(&file, ONR_STATUS_VERSION, "");
  f = function_of("F", "a", "b"), add_node(&f, 7, "test", "Op", "a", "b"); /* a call in no function has a reference */
  node = proto_node("fn", "F", "x", "y"), a = proto_attribute("k", 2), proto_text(&a, 21, "outer");
  proto_message(&node, ATTRIBUTE, &a);
  g = (struct proto){0}, proto_message(&g, NODE, &node), add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y");
  file = proto_model(&g), proto_message(&file, FUNCTION, &f), expect(&file, ONR_STATUS_ATTRIBUTE, "in none");
}

/* F0 calls F1 calls F2 ..., `deep` of them; the first one in `bodies` nested branches of If. */
static struct proto nested(int deep, int bodies) {
  struct proto g, file, inner = {0};
  add_node(&inner, NODE, "fn", "F0", "x", "y"), add_value(&inner, OUTPUT, "y");
  for (int i = 0; i < bodies; i++) {
    struct proto node = proto_node("", "If", "c", "y"), outer = {0};
    for (int branch = 0; branch < 2; branch++) {
      struct proto a = proto_attribute(branch ? "else_branch" : "then_branch", 5), other = {0};
      if (branch) add_node(&other, NODE, "test", "Op", "x", "y"), add_value(&other, OUTPUT, "y");
      proto_message(&a, 6, branch ? &other : &inner), proto_message(&node, ATTRIBUTE, &a);
    }
    proto_message(&outer, NODE, &node);
    add_value(&outer, OUTPUT, "y");
    inner = outer;
  }
  g = inner, add_value(&g, INPUT, "x"), add_value(&g, INPUT, "c");
  file = proto_model(&g);
  for (int i = 0; i < deep; i++) {
    char name[8], next[8];
    snprintf(name, sizeof(name), "F%d", i), snprintf(next, sizeof(next), "F%d", i + 1);
    struct proto f = function_of(name, "a", "b");
    add_node(&f, 7, i + 1 < deep ? "fn" : "test", i + 1 < deep ? next : "Op", "a", "b");
    proto_message(&file, FUNCTION, &f);
  }
  return file;
}

static void test_depth(void **state) {
  struct proto file = nested(100, 0);
  (void)state;
  expect(&file, ONR_STATUS_LIMIT, "nested more than");
  file = nested(12, 10); /* neither alone is too deep */
  limits.depth = 20;
  expect(&file, ONR_STATUS_LIMIT, "nested more than");
  limits.depth = 1000; /* the caller wants more than there can be */
  file = nested(400, 0);
  expect(&file, ONR_STATUS_LIMIT, "nested more than");
  file = nested(2, 2);
  expect(&file, ONR_STATUS_OK, "");
  limits.depth = 0;
}

/* One node more than the limit, which no function exceeds alone: the file has as many as are allowed. */
static void test_nodes(void **state) {
  struct proto f = function_of("F", "a", "b"), g = {0}, file;
  (void)state;
  add_node(&f, 7, "test", "Op", "a", "b");
  add_node(&g, NODE, "fn", "F", "x", "a"), add_node(&g, NODE, "fn", "F", "a", "b");
  add_node(&g, NODE, "test", "Op", "b", "c"), add_node(&g, NODE, "test", "Op", "c", "y");
  add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y");
  file = proto_model(&g), proto_message(&file, FUNCTION, &f);
  limits.nodes = 5;
  expect(&file, ONR_STATUS_LIMIT, "nodes");
  limits.nodes = 0;
}

/* --- attributes --- */

/* The only node of a function refers to `outer`, as of this type; the function has a default of it, or the call does.
 */
static void refer(int type, struct proto *preset, struct proto *given, enum onr_status expected, const char *message) {
  struct proto f = function_of("F", "a", "b"), node = proto_node("test", "Op", "a", "b"),
               a = proto_attribute("axis", type), g = {0}, call = proto_node("fn", "F", "x", "y"), file;
  proto_text(&a, 21, "outer"), proto_message(&node, ATTRIBUTE, &a), proto_message(&f, 7, &node);
  if (preset) proto_message(&f, 11, preset);
  if (given) proto_message(&call, ATTRIBUTE, given);
  proto_message(&g, NODE, &call), add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y");
  file = proto_model(&g), proto_message(&file, FUNCTION, &f);
  expect(&file, expected, message);
}

static void test_references(void **state) {
  struct proto a, body = {0};
  (void)state;
  refer(2, NULL, NULL, ONR_STATUS_OK, "");
  a = proto_attribute("outer", 2), proto_int(&a, 3, 1), refer(2, NULL, &a, ONR_STATUS_OK, "");
  a = proto_attribute("outer", 2), proto_int(&a, 3, 1), refer(0, NULL, &a, ONR_STATUS_OK, "");
  a = proto_attribute("outer", 2), proto_int(&a, 3, 1), refer(1, NULL, &a, ONR_STATUS_ATTRIBUTE, "another type");
  a = proto_attribute("outer", 2), proto_int(&a, 3, 1), refer(2, &a, NULL, ONR_STATUS_OK, "");
  a = (struct proto){0}, proto_int(&a, 3, 1), refer(2, &a, NULL, ONR_STATUS_OK, ""); /* a default without a name */
  a = proto_attribute("outer", 4), refer(4, &a, NULL, ONR_STATUS_ATTRIBUTE, "no tensor");
  add_node(&body, NODE, "test", "Op", "x", "r"), add_value(&body, OUTPUT, "r");
  a = proto_attribute("outer", 5), proto_message(&a, 6, &body), refer(5, NULL, &a, ONR_STATUS_UNSUPPORTED, "");
}

/* Attributes without a type: what the fields say. */
static void test_kinds(void **state) {
  (void)state;
  for (uint32_t field = 9; field <= 23; field++) {
    struct proto node = proto_node("test", "Op", "x", "y"), a = {0}, inner = {0}, g = {0}, file;
    proto_text(&a, 1, "other");
    proto_message(&a, field, &inner);
    proto_message(&node, ATTRIBUTE, &a);
    proto_message(&g, NODE, &node), add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y");
    file = proto_model(&g);
    const enum onr_status status = load(&file, NULL);
    assert_true(status == ONR_STATUS_OK || status == ONR_STATUS_ATTRIBUTE || status == ONR_STATUS_PARSE ||
                status == ONR_STATUS_DATA || status == ONR_STATUS_TYPE || status == ONR_STATUS_SHAPE);
    proto_free(&file);
  }
  struct proto node = proto_node("test", "Op", "x", "y"), a = proto_attribute("other", 11), g = {0}, file;
  proto_message(&node, ATTRIBUTE, &a);
  proto_message(&g, NODE, &node), add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y");
  file = proto_model(&g), expect(&file, ONR_STATUS_ATTRIBUTE, "no sparse tensor");
}

/* --- values --- */

static struct proto typed(const char *name, uint32_t field, struct proto *inner) {
  struct proto value = {0}, type = {0};
  proto_text(&value, 1, name);
  proto_message(&type, field, inner);
  proto_message(&value, 2, &type);
  return value;
}

static void test_types(void **state) {
  struct proto value, g, file, inner = {0}, shape = {0}, d;
  (void)state;
  for (uint32_t field = 7; field <= 8; field++) { /* opaque and sparse ones */
    inner = (struct proto){0}, value = typed("x", field, &inner);
    g = (struct proto){0}, add_node(&g, NODE, "test", "Op", "x", "y"), proto_message(&g, INPUT, &value);
    add_value(&g, OUTPUT, "y"), file = proto_model(&g);
    expect(&file, ONR_STATUS_UNSUPPORTED, "only tensors, sequences");
    inner = (struct proto){0}, value = typed("y", field, &inner);
    g = (struct proto){0}, add_node(&g, NODE, "test", "Op", "x", "y"), proto_message(&g, OUTPUT, &value);
    add_value(&g, INPUT, "x"), file = proto_model(&g);
    expect(&file, ONR_STATUS_UNSUPPORTED, "only tensors, sequences");
  }
  inner = (struct proto){0}, proto_int(&inner, 1, 1);
  for (int i = 0; i < 9; i++) d = (struct proto){0}, proto_int(&d, 1, 1), proto_message(&shape, 1, &d);
  proto_message(&inner, 2, &shape), value = typed("x", 1, &inner);
  g = (struct proto){0}, add_node(&g, NODE, "test", "Op", "x", "y"), proto_message(&g, INPUT, &value);
  add_value(&g, OUTPUT, "y"), file = proto_model(&g), expect(&file, ONR_STATUS_LIMIT, "rank 9");
}

/* An initializer that is an input, too: its type may be left out. In a body it is none of the caller's. */
static void test_defaults(void **state) {
  static const float two[2] = {1, 2};
  const int64_t count = 2;
  struct proto w = proto_tensor("w", 1, &count, 1), g = graph_of("test", "Op", "x w"), bare = {0}, file;
  (void)state;
  proto_bytes(&w, 9, two, sizeof(two)), proto_message(&g, INITIALIZER, &w);
  proto_text(&bare, 1, "w"), proto_message(&g, INPUT, &bare);
  file = proto_model(&g), expect(&file, ONR_STATUS_OK, "");
  struct proto body = {0}, node = proto_node("", "If", "c", "y"), condition = proto_value("c", 1);
  w = proto_tensor("w", 1, &count, 1), proto_bytes(&w, 9, two, sizeof(two)), proto_message(&body, INITIALIZER, &w);
  add_node(&body, NODE, "test", "Op", "x w", "r"), add_value(&body, INPUT, "w"), add_value(&body, OUTPUT, "r");
  for (int branch = 0; branch < 2; branch++) {
    struct proto a = proto_attribute(branch ? "else_branch" : "then_branch", 5);
    proto_bytes(&a, 6, body.bytes, body.size), proto_message(&node, ATTRIBUTE, &a);
  }
  proto_free(&body);
  g = (struct proto){0}, proto_message(&g, NODE, &node), add_value(&g, INPUT, "x"),
  proto_message(&g, INPUT, &condition);
  add_value(&g, OUTPUT, "y"), file = proto_model(&g);
  const enum onr_status status = load(&file, &error);
  expect(&file, status, "");
  assert_true(status != ONR_STATUS_INTERNAL);
}

/* Metadata, operator sets and texts of a file. */
static void test_information(void **state) {
  struct proto g = graph_of("test", "Op", "x"), file = proto_model(&g), entry;
  (void)state;
  proto_text(&file, 2, "writer"), proto_text(&file, 3, "1.0"), proto_text(&file, 4, "a domain"),
      proto_text(&file, 6, "words");
  for (int i = 0; i < 20; i++)
    entry = proto_entry("a key that takes some room", "and a value that takes more of it, as it is long"),
    proto_message(&file, 14, &entry);
  expect(&file, ONR_STATUS_OK, "");
  g = graph_of("test", "Op", "x"); /* older than operator sets */
  file = (struct proto){0}, proto_int(&file, 1, 1), proto_message(&file, 7, &g);
  expect(&file, ONR_STATUS_OK, "");
}

/* Every operator is described, or the reason why not is; there are no others. */
static void test_descriptions(void **state) {
  struct onr_op_form form = {.size = sizeof(form)};
  struct onr_op_info info = {.size = sizeof(info)};
  size_t described = 0;
  (void)state;
  for (size_t i = 0; i < onr_num_ops(); i++) {
    const enum onr_status status = onr_op_describe(i, &form, &error);
    assert_true(status == ONR_STATUS_OK || status == ONR_STATUS_UNSUPPORTED);
    described += status == ONR_STATUS_OK;
    assert_int_equal(onr_op(i, &info), ONR_STATUS_OK);
  }
  assert_true(described > onr_num_ops() / 2);
  assert_int_equal(onr_op_describe(onr_num_ops(), &form, &error), ONR_STATUS_ARGUMENT);
  assert_int_equal(onr_op(onr_num_ops(), &info), ONR_STATUS_ARGUMENT);
  form.size = 1;
  assert_int_equal(onr_op_describe(0, &form, NULL), ONR_STATUS_ARGUMENT);
}

/* --- what has no code --- */

static void test_unsupported(void **state) {
  struct proto g = {0}, file;
  char op[200], in[16] = "x", out[16];
  (void)state;
  for (int i = 0; i < 1010; i++) { /* more kinds than are remembered */
    snprintf(op, sizeof(op), "Strange%d", i), snprintf(out, sizeof(out), "v%d", i);
    struct proto node = proto_node("test", op, in, i == 1009 ? "y" : out);
    proto_text(&node, 3, "with a name");
    proto_message(&g, NODE, &node);
    strcpy(in, out);
  }
  add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y"), file = proto_model(&g);
  lines = 0;
  assert_int_equal(load(&file, &error), ONR_STATUS_UNSUPPORTED);
  assert_non_null(strstr(error.message, "more kinds"));
  assert_true(lines >= 1000);
  proto_free(&file);
  g = (struct proto){0}; /* one kind, twice, by name */
  for (int i = 0; i < 2; i++) {
    struct proto node = proto_node("test", "Strange", "x", i ? "y" : "t");
    proto_text(&node, 3, i ? "second" : "first"), proto_message(&g, NODE, &node);
  }
  add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y");
  file = proto_model(&g), expect(&file, ONR_STATUS_UNSUPPORTED, "2 x Strange (test 1, float32), first 'first'");
  memset(op, 'L', sizeof(op) - 1), op[sizeof(op) - 1] = '\0'; /* no room for a whole line */
  g = (struct proto){0};
  struct proto node =
      proto_node("a domain with a name that is much too long for messages of this library to hold it", op, "x", "y");
  char name[200];
  memset(name, 'n', sizeof(name) - 1), name[sizeof(name) - 1] = '\0';
  proto_text(&node, 3, name), proto_message(&g, NODE, &node), add_value(&g, INPUT, "x"), add_value(&g, OUTPUT, "y");
  file = proto_model(&g), expect(&file, ONR_STATUS_UNSUPPORTED, "LLL");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_registry),     cmocka_unit_test(test_registry_without_memory),
      cmocka_unit_test(test_functions),    cmocka_unit_test(test_depth),
      cmocka_unit_test(test_nodes),        cmocka_unit_test(test_references),
      cmocka_unit_test(test_kinds),        cmocka_unit_test(test_types),
      cmocka_unit_test(test_defaults),     cmocka_unit_test(test_information),
      cmocka_unit_test(test_descriptions), cmocka_unit_test(test_unsupported),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
