/* The import of whole models, written by hand. Nodes are of the domain "test", which a registry serves, so that these
 * tests do not depend on the table of operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnx/import/load.h"
#include "support/proto_writer.h"

struct op_params {
  int64_t axis;
  double alpha;
  int64_t list[4];
  size_t count;
};

static enum onr_status parse_op(const struct onr_node *node, void *params, struct onr_error *error) {
  struct op_params *p = params;
  (void)error;
  p->axis = onr_node_int(node, "axis", -1);
  p->alpha = onr_node_float(node, "alpha", 0.5);
  p->count = onr_node_ints(node, "list", p->list, 4);
  return ONR_STATUS_OK;
}

static enum onr_status run_nothing(struct onr_call *call) {
  (void)call;
  return ONR_STATUS_OK;
}

static const struct onr_layer op_layer = {.name = "op",
                                          .inputs_min = 0,
                                          .inputs_max = 3,
                                          .outputs_min = 1,
                                          .outputs_max = 2,
                                          .params_size = sizeof(struct op_params),
                                          .run = run_nothing};

static struct onr_env env;
static struct onr_registry *registry;
static struct onri_sources *sources;
static struct onri_loaded loaded;
static struct onr_error error;
static char reported[4096];

static int set_up(void **state) {
  (void)state;
  env = (struct onr_env){.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  reported[0] = '\0';
  return onr_registry_create(NULL, &registry, NULL) != ONR_STATUS_OK ||
         onr_registry_add(registry, "test", "Op", &op_layer, parse_op, NULL) != ONR_STATUS_OK;
}

static int tear_down(void **state) {
  (void)state;
  onr_registry_destroy(registry);
  return 0;
}

static void report(void *context, const char *line) {
  (void)context;
  strcat(strcat(reported, line), "\n");
}

/* Loads and frees the file; `loaded` is good until unload. */
static enum onr_status load(struct proto *file) {
  const struct onr_model_options options = {.size = sizeof(options), .registry = registry, .report = report};
  enum onr_status status;
  error = (struct onr_error){.message = ""};
  assert_int_equal(onri_sources_create(env.allocator, &sources, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_sources_set_memory(sources, file->bytes, file->size, NULL, NULL), ONR_STATUS_OK);
  status = onri_onnx_load(&env, sources, &options, NULL, &loaded, &error);
  if (status == ONR_STATUS_OK) assert_int_equal(onri_graph_verify(loaded.graph, &error), ONR_STATUS_OK);
  assert_int_equal(status, error.status);
  proto_free(file);
  return status;
}

static void unload(void) {
  onri_graph_destroy(loaded.graph);
  onri_sources_destroy(sources);
  loaded.graph = NULL;
}

/* Loads a graph that must be refused, and says whether the message holds `text`. */
static void refuse(struct proto *graph, enum onr_status expected, const char *text) {
  struct proto file = proto_model(graph);
  assert_int_equal(load(&file), expected);
  if (!strstr(error.message, text) && !strstr(error.where, text))
    fail_msg("'%s' is not in '%s: %s'", text, error.where, error.message);
  unload();
}

static void add_node(struct proto *graph, const char *op, const char *in, const char *out) {
  struct proto node = proto_node("test", op, in, out);
  proto_message(graph, 1, &node);
}

static void add_value_list(struct proto *graph, uint32_t field, const char *names) {
  for (const char *at = names; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
    char name[32];
    struct proto value;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " "), at);
    value = proto_value(name, -1);
    proto_message(graph, field, &value);
  }
}

static void add_values(struct proto *graph, const char *inputs, const char *outputs) {
  add_value_list(graph, 11, inputs);
  add_value_list(graph, 12, outputs);
}

static void add_initializer(struct proto *graph, const char *name, int64_t count) {
  static const float data[8];
  struct proto w = proto_tensor(name, 1, &count, 1);
  proto_bytes(&w, 9, data, (size_t)count * 4);
  proto_message(graph, 5, &w);
}

static void add_int(struct proto *node, const char *name, int64_t value) {
  struct proto a = proto_attribute(name, 2);
  proto_int(&a, 3, value);
  proto_message(node, 5, &a);
}

/* --- names --- */

static void test_chain(void **state) {
  struct proto g = {0}, file;
  const struct onri_graph *graph;
  (void)state;
  add_initializer(&g, "w", 3);
  add_initializer(&g, "unread", 5);
  add_node(&g, "Op", "x - w", "t");
  add_node(&g, "Op", "t t", "y -");
  add_values(&g, "x w", "y");
  file = proto_model(&g);
  proto_text(&file, 2, "writer");
  assert_int_equal(load(&file), ONR_STATUS_OK);
  graph = loaded.graph;
  assert_int_equal(graph->num_inputs, 1); /* w is a constant, though old files list it as an input too */
  assert_string_equal(graph->values[graph->inputs[0]].name, "x");
  assert_string_equal(graph->values[graph->inputs[0]].dim_names[0], "n");
  assert_int_equal(graph->num_nodes, 2);
  assert_int_equal(graph->nodes[0].num_in, 3);
  assert_int_equal(graph->nodes[0].in[1], ONRI_NONE);
  assert_non_null(graph->values[graph->nodes[0].in[2]].constant);
  assert_int_equal(graph->nodes[1].in[0], graph->nodes[0].out[0]);
  assert_int_equal(graph->nodes[1].in[1], graph->nodes[0].out[0]);
  assert_int_equal(graph->nodes[1].num_out, 1);
  assert_string_equal(graph->values[graph->outputs[0]].name, "y");
  assert_string_equal(loaded.info.producer_name, "writer");
  assert_int_equal(loaded.info.parameters, 3);
  assert_int_equal(loaded.info.opset, 20);
  unload();
}

static void test_bad_graphs(void **state) {
  struct proto g = {0};
  (void)state;
  add_node(&g, "Op", "x b", "a"), add_node(&g, "Op", "a", "b"), add_values(&g, "x", "b"),
      refuse(&g, ONR_STATUS_GRAPH, "'b'");
  add_node(&g, "Op", "x y", "y"), add_values(&g, "x", "y"), refuse(&g, ONR_STATUS_GRAPH, "'y'");
  add_node(&g, "Op", "x", "y"), add_node(&g, "Op", "x", "y"), add_values(&g, "x", "y"),
      refuse(&g, ONR_STATUS_GRAPH, "twice");
  add_node(&g, "Op", "ghost", "y"), add_values(&g, "x", "y"), refuse(&g, ONR_STATUS_GRAPH, "ghost");
  add_node(&g, "Op", "x", "z"), add_values(&g, "x", "y"), refuse(&g, ONR_STATUS_GRAPH, "output 'y'");
  add_node(&g, "Op", "x", "x"), add_values(&g, "x", "x"), refuse(&g, ONR_STATUS_GRAPH, "twice");
  add_initializer(&g, "w", 1), add_initializer(&g, "w", 2), add_values(&g, "x", "x"),
      refuse(&g, ONR_STATUS_GRAPH, "'w'");
  add_initializer(&g, "", 1), add_values(&g, "x", "x"), refuse(&g, ONR_STATUS_GRAPH, "name");
  add_values(&g, "x x", "x"), refuse(&g, ONR_STATUS_GRAPH, "'x'");
  add_values(&g, "x", "x x"), refuse(&g, ONR_STATUS_GRAPH, "two graph outputs");
  add_node(&g, "Op", "x x x x", "y"), add_values(&g, "x", "y"), refuse(&g, ONR_STATUS_ARITY, "4 inputs");
  add_node(&g, "Op", "x", "y a b"), add_values(&g, "x", "y"), refuse(&g, ONR_STATUS_ARITY, "3 outputs");
  add_node(&g, "Op", "x", ""), add_values(&g, "x", "x"), refuse(&g, ONR_STATUS_ARITY, "0 outputs");
}

static void test_unsupported_nodes_are_collected(void **state) {
  struct proto g = {0};
  (void)state;
  add_node(&g, "Foo", "x", "a");
  add_node(&g, "Foo", "a", "b");
  add_node(&g, "B\x1b[2J", "b", "y");
  add_values(&g, "x", "y");
  refuse(&g, ONR_STATUS_UNSUPPORTED, "no code for 3 nodes: Foo (test 1, float32); Foo (test 1); B\\x1b[2J (test 1)");
  assert_string_equal(reported, "Foo (test 1, float32)\nFoo (test 1)\nB\\x1b[2J (test 1)\n");
}

/* --- versions --- */

static enum onr_status versions(int64_t ir, const char *domain, int64_t first, int64_t second) {
  struct proto g = {0}, file = {0};
  enum onr_status status;
  add_node(&g, "Op", "x", "y");
  add_values(&g, "x", "y");
  if (ir) proto_int(&file, 1, ir);
  proto_message(&file, 7, &g);
  for (int i = 0; i < 2; i++) {
    struct proto opset = {0};
    if (!(i ? second : first)) continue;
    proto_text(&opset, 1, domain);
    proto_int(&opset, 2, i ? second : first);
    proto_message(&file, 8, &opset);
  }
  status = load(&file);
  unload();
  return status;
}

static void test_versions(void **state) {
  struct proto empty = {0};
  (void)state;
  assert_int_equal(versions(10, "", 20, 0), ONR_STATUS_OK);
  assert_int_equal(versions(14, "ai.onnx", 28, 0), ONR_STATUS_OK);
  assert_int_equal(versions(2, "", 0, 0), ONR_STATUS_OK);
  assert_int_equal(versions(0, "", 20, 0), ONR_STATUS_VERSION);
  assert_int_equal(versions(15, "", 20, 0), ONR_STATUS_VERSION);
  assert_int_equal(versions((int64_t)1 << 62, "", 20, 0), ONR_STATUS_VERSION);
  assert_int_equal(versions(-1, "", 20, 0), ONR_STATUS_VERSION);
  assert_int_equal(versions(10, "", 0, 0), ONR_STATUS_VERSION);
  assert_int_equal(versions(10, "", 29, 0), ONR_STATUS_VERSION);
  assert_int_equal(versions(10, "", -1, 0), ONR_STATUS_VERSION);
  assert_int_equal(versions(10, "", 17, 9), ONR_STATUS_VERSION);
  assert_int_equal(versions(10, "mine", 1000, 0), ONR_STATUS_OK);
  proto_int(&empty, 1, 8);
  assert_int_equal(load(&empty), ONR_STATUS_GRAPH);
  unload();
}

/* --- attributes --- */

static void test_attributes(void **state) {
  struct proto g = {0}, node = proto_node("test", "Op", "x", "y"), a = proto_attribute("alpha", 1), list = {0}, file;
  const struct op_params *p;
  (void)state;
  add_int(&node, "axis", 7);
  proto_float(&a, 2, 0.25f);
  proto_message(&node, 5, &a);
  proto_text(&list, 1, "list"); /* an old file: no type */
  for (int64_t i = 0; i < 6; i++) proto_int(&list, 8, i * i);
  proto_message(&node, 5, &list);
  proto_message(&g, 1, &node);
  add_node(&g, "Op", "x", "z");
  add_values(&g, "x", "y z");
  file = proto_model(&g);
  assert_int_equal(load(&file), ONR_STATUS_OK);
  p = loaded.graph->nodes[0].params;
  assert_int_equal(p->axis, 7);
  assert_true(p->alpha == 0.25);
  assert_int_equal(p->count, 6);
  assert_int_equal(p->list[3], 9);
  p = loaded.graph->nodes[1].params;
  assert_int_equal(p->axis, -1);
  assert_true(p->alpha == 0.5);
  assert_int_equal(p->count, 0);
  unload();
}

static void refuse_attribute(struct proto *attribute, const char *text) {
  struct proto g = {0}, node = proto_node("test", "Op", "x", "y");
  proto_message(&node, 5, attribute);
  proto_message(&g, 1, &node);
  add_values(&g, "x", "y");
  refuse(&g, ONR_STATUS_ATTRIBUTE, text);
}

static void test_bad_attributes(void **state) {
  struct proto a = proto_attribute("axis", 1), g = {0}, node = proto_node("test", "Op", "x", "y");
  (void)state;
  proto_float(&a, 2, 1), refuse_attribute(&a, "must be an int, found a float");
  a = proto_attribute("axis", 2), proto_float(&a, 2, 1), refuse_attribute(&a, "another type than it declares");
  a = proto_attribute("axis", 0), refuse_attribute(&a, "no value");
  a = proto_attribute("axis", 99), refuse_attribute(&a, "unknown type");
  a = proto_attribute("axis", 4), refuse_attribute(&a, "no tensor");
  a = proto_attribute("", 2), proto_int(&a, 3, 1), refuse_attribute(&a, "without a name");
  a = proto_attribute("axis", 2), proto_text(&a, 21, "outer"), refuse_attribute(&a, "in none");
  add_int(&node, "axis", 0);
  add_int(&node, "axis", 1);
  proto_message(&g, 1, &node);
  add_values(&g, "x", "y");
  refuse(&g, ONR_STATUS_ATTRIBUTE, "'axis' is there twice");
}

static void test_constant(void **state) {
  static const float floats[2] = {1.5f, -2};
  struct proto g = {0}, node = proto_node("", "Constant", "", "c"), a = proto_attribute("value_floats", 6), file;
  const struct onri_value *value;
  (void)state;
  proto_bytes(&a, 7, floats, 8);
  proto_message(&node, 5, &a);
  proto_message(&g, 1, &node);
  node = proto_node("", "Constant", "", "d");
  add_int(&node, "value_int", -3);
  proto_message(&g, 1, &node);
  add_node(&g, "Op", "c d", "y");
  add_values(&g, "", "y");
  file = proto_model(&g);
  assert_int_equal(load(&file), ONR_STATUS_OK);
  assert_int_equal(loaded.graph->num_nodes, 1);
  value = &loaded.graph->values[loaded.graph->nodes[0].in[0]];
  assert_int_equal(value->desc.dim[0], 2);
  assert_memory_equal(value->constant->data, floats, 8);
  value = &loaded.graph->values[loaded.graph->nodes[0].in[1]];
  assert_int_equal(value->desc.rank, 0);
  assert_int_equal(*(const int64_t *)value->constant->data, -3);
  unload();
  node = proto_node("", "Constant", "", "y"), proto_message(&g, 1, &node), add_values(&g, "", "y"),
  refuse(&g, ONR_STATUS_ATTRIBUTE, "value");
}

/* --- bodies --- */

/* if (c) { t = Op(x, w); y = Op(t) } else { y = Op(s) } with x an input, w an initializer and s made by a node. */
static struct proto branch(const char *in, const char *middle, const char *out, int64_t outputs) {
  struct proto b = {0}, value;
  add_node(&b, "Op", in, middle);
  add_node(&b, "Op", middle, out);
  for (int64_t i = 0; i < outputs; i++) {
    value = proto_value(out, -1);
    proto_message(&b, 12, &value);
  }
  return b;
}

static struct proto if_node(struct proto *then_branch, struct proto *else_branch) {
  struct proto node = proto_node("", "If", "c", "y"), a = proto_attribute("then_branch", 5);
  proto_message(&a, 6, then_branch);
  proto_message(&node, 5, &a);
  a = proto_attribute("else_branch", 5);
  proto_message(&a, 6, else_branch);
  proto_message(&node, 5, &a);
  return node;
}

static void test_captures(void **state) {
  struct proto g = {0}, then_branch = branch("x w x", "t", "y", 1), else_branch = branch("s", "t", "q", 1), node, file;
  const struct onri_graph *graph, *body;
  const struct onri_node *n;
  (void)state;
  add_initializer(&g, "w", 2);
  add_node(&g, "Op", "x", "s");
  node = if_node(&then_branch, &else_branch);
  proto_message(&g, 1, &node);
  add_values(&g, "c x", "y");
  file = proto_model(&g);
  assert_int_equal(load(&file), ONR_STATUS_OK);
  graph = loaded.graph;
  n = &graph->nodes[1];
  assert_int_equal(n->num_bodies, 2);
  assert_int_equal(n->num_in, 3); /* c, then x for the then body and s for the else body */
  assert_string_equal(graph->values[n->in[1]].name, "x");
  assert_string_equal(graph->values[n->in[2]].name, "s");
  body = n->bodies[0];
  assert_int_equal(body->num_inputs, 1);
  assert_int_equal(body->nodes[0].in[0], body->inputs[0]);
  assert_int_equal(body->nodes[0].in[2], body->inputs[0]);
  assert_ptr_equal(body->values[body->nodes[0].in[1]].constant, graph->values[0].constant); /* shared, not captured */
  assert_int_equal(n->bodies[1]->num_inputs, 1);
  assert_int_equal(loaded.info.parameters, 2);
  unload();
  then_branch = branch("x", "t", "p", 1), else_branch = branch("x", "t", "q", 2),
  node = if_node(&then_branch, &else_branch);
  proto_message(&g, 1, &node), add_values(&g, "c x", "y"), refuse(&g, ONR_STATUS_GRAPH, "outputs");
  node = proto_node("", "If", "c", "y"), proto_message(&g, 1, &node), add_values(&g, "c", "y"),
  refuse(&g, ONR_STATUS_ATTRIBUTE, "then_branch");
}

/* A body in a body captures through the one between them. */
static void test_nested_captures(void **state) {
  struct proto g = {0}, inner_then = branch("x", "t", "p", 1), inner_else = branch("c", "t", "p", 1);
  struct proto outer_then = {0}, outer_else = branch("c", "t", "q", 1), node = if_node(&inner_then, &inner_else), value,
               file;
  const struct onri_node *n;
  (void)state;
  proto_message(&outer_then, 1, &node);
  value = proto_value("y", -1);
  proto_message(&outer_then, 12, &value);
  node = if_node(&outer_then, &outer_else);
  proto_message(&g, 1, &node);
  add_values(&g, "c x", "y");
  file = proto_model(&g);
  assert_int_equal(load(&file), ONR_STATUS_OK);
  n = &loaded.graph->nodes[0];
  assert_int_equal(n->num_in, 4); /* c; x and c for the then body, c for the else body */
  assert_int_equal(n->bodies[0]->num_inputs, 2);
  n = &n->bodies[0]->nodes[0];
  assert_int_equal(n->num_in, 3);
  assert_int_equal(n->bodies[0]->num_inputs, 1);
  unload();
}

/* A body that runs exactly once becomes part of the graph: score_mod of FlexAttention makes t = Op(s, x) and chooses.
 */
static void test_inlined_body(void **state) {
  struct proto g = {0}, then_branch = branch("t x", "m", "p", 1), else_branch = branch("t", "m", "p", 1), mod = {0},
               value, file;
  struct proto choice = if_node(&then_branch, &else_branch), a = proto_attribute("score_mod", 5);
  struct proto node = proto_node("ai.onnx.preview", "FlexAttention", "q k v", "z");
  const struct onri_node *n;
  (void)state;
  add_node(&mod, "Op", "s x", "t");
  proto_message(&mod, 1, &choice);
  value = proto_value("s", -1), proto_message(&mod, 11, &value);
  value = proto_value("y", -1), proto_message(&mod, 12, &value);
  proto_message(&a, 6, &mod), proto_message(&node, 5, &a), proto_message(&g, 1, &node);
  add_values(&g, "q k v c x", "z");
  file = proto_model(&g);
  assert_int_equal(load(&file), ONR_STATUS_OK);
  n = loaded.graph->nodes;
  assert_int_equal(loaded.graph->num_nodes, 5); /* product, Op, If, softmax, product */
  assert_ptr_equal(n[1].layer, &op_layer);
  assert_int_equal(n[1].in[0], n[0].out[0]);
  assert_string_equal(loaded.graph->values[n[1].in[1]].name, "x");
  assert_int_equal(n[2].num_bodies, 2);
  assert_int_equal(n[2].num_in, 4); /* c; t and x for the then body, t for the else body */
  assert_int_equal(n[2].in[1], n[1].out[0]);
  assert_int_equal(n[2].in[2], n[1].in[1]);
  assert_int_equal(n[2].in[3], n[1].out[0]);
  assert_int_equal(n[3].in[0], n[2].out[0]);
  assert_int_equal(n[4].in[0], n[3].out[0]);
  unload();
}

/* A modifier that passes on its input, or makes something of nothing. */
static void test_inlined_body_without_nodes(void **state) {
  struct proto g = {0}, mod = {0}, a = proto_attribute("prob_mod", 5),
               node = proto_node("ai.onnx.preview", "FlexAttention", "q k v", "z"), file;
  (void)state;
  add_values(&mod, "s", "s");
  proto_message(&a, 6, &mod), proto_message(&node, 5, &a), proto_message(&g, 1, &node), add_values(&g, "q k v", "z");
  file = proto_model(&g);
  assert_int_equal(load(&file), ONR_STATUS_OK);
  assert_int_equal(loaded.graph->num_nodes, 3);
  unload();
  for (int wrong = 0; wrong < 2; wrong++) {
    a = proto_attribute("prob_mod", 5), node = proto_node("ai.onnx.preview", "FlexAttention", "q k v", "z");
    add_values(&mod, wrong ? "s" : "", wrong ? "s s" : "q");
    proto_message(&a, 6, &mod), proto_message(&node, 5, &a), proto_message(&g, 1, &node), add_values(&g, "q k v", "z");
    refuse(&g, ONR_STATUS_GRAPH, "one input and one output");
  }
}

static struct proto loop_model(const char *body_inputs, const char *body_outputs, const char *outputs) {
  struct proto g = {0}, body = {0}, node = proto_node("", "Loop", "- c x", outputs), a = proto_attribute("body", 5);
  add_node(&body, "Op", "i x", "v");
  add_values(&body, body_inputs, body_outputs);
  proto_message(&a, 6, &body);
  proto_message(&node, 5, &a);
  proto_message(&g, 1, &node);
  add_values(&g, "c x", "y");
  return g;
}

static void test_loop(void **state) {
  struct proto g = loop_model("i k a", "k a v", "y"), file = proto_model(&g);
  const struct onri_node *n;
  (void)state;
  assert_int_equal(load(&file), ONR_STATUS_OK);
  n = &loaded.graph->nodes[0];
  assert_int_equal(n->num_in, 4); /* no trip count, c, one carried value, the captured x */
  assert_int_equal(n->in[0], ONRI_NONE);
  assert_int_equal(n->num_out, 2); /* the scan output is not read */
  assert_int_equal(n->out[1], ONRI_NONE);
  assert_int_equal(n->bodies[0]->num_inputs, 4);
  unload();
  g = loop_model("i k", "k v", "y"), refuse(&g, ONR_STATUS_GRAPH, "must have 3 inputs, found 2");
  g = loop_model("i k a", "k", "y"), refuse(&g, ONR_STATUS_GRAPH, "at least 2 outputs");
  g = loop_model("i k a", "k a", "y z"), refuse(&g, ONR_STATUS_GRAPH, "its bodies make 1");
}

/* --- functions --- */

static void add_names(struct proto *function, uint32_t field, const char *names) {
  for (const char *at = names; *at; at += strcspn(at, " "), at += strspn(at, " "))
    proto_bytes(function, field, at, strcspn(at, " "));
}

static struct proto function(const char *name, const char *inputs, const char *outputs) {
  struct proto f = {0};
  proto_text(&f, 1, name);
  proto_text(&f, 10, "fn");
  add_names(&f, 4, inputs);
  add_names(&f, 5, outputs);
  return f;
}

static void add_call(struct proto *to, uint32_t field, const char *name, const char *in, const char *out) {
  struct proto node = proto_node("fn", name, in, out);
  proto_message(to, field, &node);
}

static void test_function(void **state) {
  struct proto f = function("F", "a b", "r"), inner = function("G", "a", "r"), g = {0}, node, a, file;
  const struct onri_graph *graph;
  const struct op_params *p;
  (void)state;
  node = proto_node("test", "Op", "a b", "t"); /* b is omitted by the caller */
  a = proto_attribute("axis", 2), proto_text(&a, 21, "outer_axis"), proto_message(&node, 5, &a);
  a = proto_attribute("alpha", 1), proto_text(&a, 21, "preset"), proto_message(&node, 5, &a);
  a = proto_attribute("list", 7), proto_text(&a, 21, "nowhere"), proto_message(&node, 5, &a);
  proto_message(&f, 7, &node);
  add_call(&f, 7, "G", "t", "r");
  a = proto_attribute("preset", 1), proto_float(&a, 2, 8), proto_message(&f, 11, &a);
  node = proto_node("test", "Op", "a", "r");
  proto_message(&inner, 7, &node);
  node = proto_node("fn", "F", "x", "t"); /* t is the caller's t, not the function's */
  add_int(&node, "outer_axis", 5);
  proto_message(&g, 1, &node);
  add_call(&g, 1, "G", "t", "y");
  add_values(&g, "x", "y");
  file = proto_model(&g);
  proto_message(&file, 25, &f);
  proto_message(&file, 25, &inner);
  assert_int_equal(load(&file), ONR_STATUS_OK);
  graph = loaded.graph;
  assert_int_equal(graph->num_nodes, 3);
  assert_int_equal(graph->nodes[0].in[0], graph->inputs[0]);
  p = graph->nodes[0].params;
  assert_int_equal(p->axis, 5);
  assert_true(p->alpha == 8);
  assert_int_equal(p->count, 0);
  assert_int_equal(graph->nodes[1].in[0], graph->nodes[0].out[0]);
  assert_int_equal(graph->nodes[2].in[0], graph->nodes[1].out[0]);
  assert_string_equal(graph->values[graph->outputs[0]].name, "y");
  unload();
}

/* 10 functions, each calling the next ten times: refused before it grows. */
static void test_function_growth(void **state) {
  struct proto g = {0}, file, last = function("L9", "a", "b"), node = proto_node("test", "Op", "a", "b");
  (void)state;
  add_call(&g, 1, "L0", "x", "y");
  add_values(&g, "x", "y");
  file = proto_model(&g);
  for (int k = 0; k < 9; k++) {
    char name[8], next[8], from[8] = "a", to[8];
    struct proto f;
    snprintf(name, sizeof(name), "L%d", k);
    snprintf(next, sizeof(next), "L%d", k + 1);
    f = function(name, "a", "b");
    for (int j = 0; j < 10; j++) {
      snprintf(to, sizeof(to), j == 9 ? "b" : "t%d", j);
      add_call(&f, 7, next, from, to);
      strcpy(from, to);
    }
    proto_message(&file, 25, &f);
  }
  proto_message(&last, 7, &node);
  proto_message(&file, 25, &last);
  assert_int_equal(load(&file), ONR_STATUS_LIMIT);
  unload();
}

static enum onr_status call_with(struct proto *f, const char *in, const char *out) {
  struct proto g = {0}, file;
  enum onr_status status;
  add_call(&g, 1, "F", in, out);
  add_values(&g, "x", "y");
  file = proto_model(&g);
  proto_message(&file, 25, f);
  status = load(&file);
  return status;
}

static void test_bad_functions(void **state) {
  struct proto f = function("F", "a", "b");
  (void)state;
  add_call(&f, 7, "F", "a", "b");
  assert_int_equal(call_with(&f, "x", "y"), ONR_STATUS_GRAPH); /* calls itself */
  unload();
  f = function("F", "a", "b");
  assert_int_equal(call_with(&f, "x", "y"), ONR_STATUS_GRAPH); /* makes nothing */
  unload();
  f = function("F", "a", "a");
  assert_int_equal(call_with(&f, "x x", "y"), ONR_STATUS_ARITY);
  unload();
  f = function("F", "a", "a"); /* passes through: the output is a copy with its own name */
  assert_int_equal(call_with(&f, "x", "y"), ONR_STATUS_OK);
  assert_string_equal(loaded.graph->values[loaded.graph->outputs[0]].name, "y");
  assert_string_equal(loaded.graph->values[loaded.graph->inputs[0]].name, "x");
  unload();
}

/* --- where nodes come from --- */

static const struct onri_origin *origin_of(struct proto *node) {
  struct proto g = {0}, file;
  proto_message(&g, 1, node);
  add_values(&g, "x", "y");
  file = proto_model(&g);
  assert_int_equal(load(&file), ONR_STATUS_OK);
  return loaded.graph->nodes[0].origin;
}

static void add_metadata(struct proto *node, const char *key, const char *value) {
  struct proto entry = proto_entry(key, value);
  proto_message(node, 9, &entry);
}

static void test_origin(void **state) {
  static const struct {
    const char *name, *path;
  } names[] = {{"/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"},
               {"/conv/Conv", "conv"},
               {"/Conv", ""},
               {"Conv_0", ""},
               {"/a/b/c/Add_1", "a.b.c"},
               {"/m/m.1/m.1.0/Relu", "m.1.0"}};
  struct proto node = proto_node("test", "Op", "x", "y");
  const struct onri_origin *origin;
  (void)state;
  proto_text(&node, 3, "node_\x07'1'");
  add_metadata(&node, "pkg.torch.onnx.name_scopes", "['', 'encoder', 'encoder.layers.0', 'op_3']");
  add_metadata(&node, "pkg.torch.onnx.class_hierarchy", "['m.Net', 'm.Encoder', 'm.Layer', 'aten.op.default']");
  add_metadata(
      &node, "pkg.torch.onnx.stack_trace",
      "File \"/home/a/train.py\", line 9, in forward\n    x\n  File \"/home/a/model.py\", line 41, in forward\n    y\n"
      "  File \"/usr/lib/python3/torch/nn/modules/linear.py\", line 125, in forward\n    z");
  origin = origin_of(&node);
  assert_string_equal(origin->op_type, "Op");
  assert_string_equal(origin->name, "node_\x07'1'"); /* as the file has it */
  assert_string_equal(origin->module_path, "encoder.layers.0");
  assert_string_equal(origin->module_class, "m.Layer");
  assert_string_equal(origin->source, "model.py:41");
  unload();
  /* Metadata may be no text, and of any length. */
  char path[600], scopes[640];
  memset(path, 'p', sizeof(path) - 1);
  memcpy(path + 7, "\xFF", 1);
  path[sizeof(path) - 1] = '\0';
  snprintf(scopes, sizeof(scopes), "['%s', 'op']", path);
  node = proto_node("test", "Op", "x", "y");
  add_metadata(&node, "pkg.torch.onnx.name_scopes", scopes);
  origin = origin_of(&node);
  assert_int_equal(strlen(origin->module_path), sizeof(path) - 1 + 3);
  assert_memory_equal(origin->module_path, "ppppppp\\xffp", 12);
  unload();
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    node = proto_node("test", "Op", "x", "y");
    proto_text(&node, 3, names[i].name);
    assert_string_equal(origin_of(&node)->module_path, names[i].path);
    unload();
  }
}

static void test_cancel(void **state) {
  static const struct onr_cancel yes = {1};
  struct proto g = {0};
  (void)state;
  add_node(&g, "Op", "x", "y");
  add_values(&g, "x", "y");
  env.cancel = &yes;
  refuse(&g, ONR_STATUS_CANCELLED, "cancel");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_chain),
      TEST(test_bad_graphs),
      TEST(test_unsupported_nodes_are_collected),
      TEST(test_versions),
      TEST(test_attributes),
      TEST(test_bad_attributes),
      TEST(test_constant),
      TEST(test_captures),
      TEST(test_nested_captures),
      TEST(test_inlined_body),
      TEST(test_inlined_body_without_nodes),
      TEST(test_loop),
      TEST(test_function),
      TEST(test_function_growth),
      TEST(test_bad_functions),
      TEST(test_origin),
      TEST(test_cancel),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
