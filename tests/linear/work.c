/* linear_work: makes a model of a kind and a size, loads, plans and runs it, for test_linear.sh to count what that
 * takes.
 *
 *   linear_work            the kinds, a line each
 *   linear_work KIND N     0 when it ran; the kinds that are chains are N nodes one behind the other */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxrun/onnxrun.h"
#include "tests/support/proto_writer.h"

enum { FLOAT = 1, INT = 2, GRAPH = 5, INTS = 7, CHANNELS = 8, SIDE = 4, INPUT = CHANNELS * SIDE * SIDE };

/* --- chains: @ is the value that goes through, others are weights; attributes "name=1,2" are ints, "name:1" is an int
 * --- */

struct chain {
  const char *name, *op, *inputs, *outputs, *attributes;
};
static const struct chain chains[] = {
    {"identity", "Identity", "@", "@", ""},
    {"relu", "Relu", "@", "@", ""},
    {"sigmoid", "Sigmoid", "@", "@", ""},
    {"add", "Add", "@ c", "@", ""},
    {"mul_itself", "Mul", "@ @", "@", ""},
    {"where", "Where", "yes @ c", "@", ""},
    {"clip", "Clip", "@ zero one", "@", ""},
    {"cast", "Cast", "@", "@", "to:1"},
    {"conv_1x1", "Conv", "@ w1", "@", ""},
    {"conv_3x3", "Conv", "@ w3 c1", "@", "pads=1,1,1,1"},
    {"conv_depthwise", "Conv", "@ wd", "@", "pads=1,1,1,1 group:8"},
    {"conv_transpose", "ConvTranspose", "@ w3", "@", "pads=1,1,1,1"},
    {"max_pool", "MaxPool", "@", "@", "kernel_shape=3,3 pads=1,1,1,1"},
    {"average_pool", "AveragePool", "@", "@", "kernel_shape=3,3 pads=1,1,1,1"},
    {"matmul", "MatMul", "@ m", "@", ""},
    {"softmax", "Softmax", "@", "@", "axis:1"},
    {"layer_norm", "LayerNormalization", "@ c4", "@", ""},
    {"batch_norm", "BatchNormalization", "@ c1 c1 c1 c1", "@", ""},
    {"instance_norm", "InstanceNormalization", "@ c1 c1", "@", ""},
    {"lrn", "LRN", "@", "@", "size:3"},
    {"transpose", "Transpose", "@", "@", "perm=0,1,3,2"},
    {"reshape", "Reshape", "@ shape", "@", ""},
    {"expand", "Expand", "@ shape", "@", ""},
    {"pad", "Pad", "@ none", "@", ""},
    {"slice", "Slice", "@ from to", "@", ""},
    {"gather", "Gather", "@ order", "@", "axis:1"},
    {"reverse", "ReverseSequence", "@ lengths", "@", "batch_axis:0 time_axis:1"},
    {"resize", "Resize", "@ - scales", "@", "antialias:0"},
    {"depth_to_space", "DepthToSpace", "@", "@", "blocksize:1"},
    {"cumsum", "CumSum", "@ axis", "@", ""},
    {"top_k", "TopK", "@ eight", "@ -", "axis:1"},
    {"dropout", "Dropout", "@", "@", ""},
    {"tile", "Tile", "@ ones", "@", ""},
    {"trilu", "Trilu", "@", "@", ""},
    {"prelu", "PRelu", "@ c", "@", ""},
    {"gelu", "Gelu", "@", "@", ""},
    {"random_like", "RandomUniformLike", "@", "@", ""},
};
enum { NUM_CHAINS = sizeof(chains) / sizeof(chains[0]) };

static void add_floats(struct proto *graph, const char *name, const int64_t *dims, size_t rank) {
  struct proto tensor = proto_tensor(name, 1, dims, rank);
  size_t count = 1;
  for (size_t i = 0; i < rank; i++) count *= (size_t)dims[i];
  for (size_t i = 0; i < count; i++) proto_float(&tensor, 4, i % 9 == 0 ? 1 : 0);
  proto_message(graph, 5, &tensor);
}

static void add_ints(struct proto *graph, const char *name, int type, const int64_t *values, int64_t count) {
  struct proto tensor = proto_tensor(name, type, &count, count < 0 ? 0 : 1);
  for (int64_t i = 0; i < (count < 0 ? 1 : count); i++) proto_int(&tensor, type == 9 ? 5 : 7, values[i]);
  proto_message(graph, 5, &tensor);
}

static void add_weights(struct proto *graph) {
  add_floats(graph, "c", (int64_t[]){1, CHANNELS, 1, 1}, 4);
  add_floats(graph, "c1", (int64_t[]){CHANNELS}, 1);
  add_floats(graph, "c4", (int64_t[]){SIDE}, 1);
  add_floats(graph, "w1", (int64_t[]){CHANNELS, CHANNELS, 1, 1}, 4);
  add_floats(graph, "w3", (int64_t[]){CHANNELS, CHANNELS, 3, 3}, 4);
  add_floats(graph, "wd", (int64_t[]){CHANNELS, 1, 3, 3}, 4);
  add_floats(graph, "m", (int64_t[]){SIDE, SIDE}, 2);
  struct proto scales = proto_tensor("scales", 1, (int64_t[]){4}, 1);
  for (int i = 0; i < 4; i++) proto_float(&scales, 4, 1);
  proto_message(graph, 5, &scales);
  add_floats(graph, "zero", NULL, 0);
  add_floats(graph, "one", NULL, 0);
  add_ints(graph, "yes", 9, (int64_t[]){1}, 1);
  add_ints(graph, "shape", 7, (int64_t[]){1, CHANNELS, SIDE, SIDE}, 4);
  add_ints(graph, "none", 7, (int64_t[8]){0}, 8);
  add_ints(graph, "from", 7, (int64_t[4]){0}, 4);
  add_ints(graph, "to", 7, (int64_t[]){1, CHANNELS, SIDE, SIDE}, 4);
  add_ints(graph, "order", 7, (int64_t[]){7, 6, 5, 4, 3, 2, 1, 0}, CHANNELS);
  add_ints(graph, "lengths", 7, (int64_t[]){CHANNELS}, 1);
  add_ints(graph, "axis", 7, (int64_t[]){1}, -1);
  add_ints(graph, "eight", 7, (int64_t[]){CHANNELS}, 1);
  add_ints(graph, "ones", 7, (int64_t[]){1, 1, 1, 1}, 4);
}

static void add_attributes(struct proto *node, const char *text) {
  while (*text) {
    char name[32];
    const size_t length = strcspn(text, "=:");
    const int list = text[length] == '=';
    snprintf(name, sizeof(name), "%.*s", (int)length, text);
    struct proto attribute = proto_attribute(name, list ? INTS : INT);
    text += length;
    do {
      char *end;
      proto_int(&attribute, list ? 8 : 3, strtol(text + 1, &end, 10));
      text = end;
    } while (*text == ',');
    proto_message(node, 5, &attribute);
    text += *text == ' ';
  }
}

/* The list with @ as that value. */
static void write_names(const char *list, const char *value, char *names, size_t size) {
  size_t used = 0;
  for (; *list && used + 24 < size; list++)
    used += (size_t)(*list == '@' ? snprintf(names + used, size - used, "%s", value)
                                  : snprintf(names + used, size - used, "%c", *list));
}

static void add_node(struct proto *graph, const char *op, const char *inputs, const char *outputs,
                     const char *attributes) {
  struct proto node = proto_node("", op, inputs, outputs);
  add_attributes(&node, attributes);
  proto_message(graph, 1, &node);
}

static void make_chain(const struct chain *c, long n, struct proto *graph) {
  char value[24] = "i", next[24], inputs[128], outputs[64];
  for (long k = 0; k < n; k++) {
    snprintf(next, sizeof(next), "v%ld", k);
    write_names(c->inputs, value, inputs, sizeof(inputs));
    write_names(c->outputs, next, outputs, sizeof(outputs));
    add_node(graph, c->op, inputs, outputs, c->attributes);
    memcpy(value, next, sizeof(value));
  }
  add_node(graph, "Identity", value, "last", "");
}

/* --- shapes of graphs --- */

static struct proto functions; /* fields of the model, beside its graph */

static char *list_of(const char *prefix, long n) {
  char *text = malloc((size_t)n * 12 + 1), *at = text;
  if (!text) abort();
  *text = '\0';
  for (long k = 0; k < n; k++) at += sprintf(at, k ? " %s%ld" : "%s%ld", prefix, k);
  return text;
}

static void add_numbered(struct proto *graph, const char *op, const char *inputs, const char *prefix, long n) {
  for (long k = 0; k < n; k++) {
    char value[24];
    snprintf(value, sizeof(value), "%s%ld", prefix, k);
    add_node(graph, op, inputs, value, "");
  }
}

/* One value read n times, and all of it summed up by one node. */
static void make_fan(long n, struct proto *graph) {
  char *list = list_of("f", n);
  add_numbered(graph, "Relu", "i", "f", n);
  add_node(graph, "Sum", list, "last", "");
  free(list);
}

static void make_concat(long n, struct proto *graph) {
  char *list = list_of("f", n);
  add_numbered(graph, "Sigmoid", "i", "f", n);
  add_node(graph, "Concat", list, "all", "axis:0");
  add_node(graph, "ReduceMax", "all", "last", "");
  free(list);
}

static void make_split(long n, struct proto *graph) {
  char *list = list_of("f", n);
  const int64_t size = n;
  add_ints(graph, "many", 7, &size, 1);
  add_node(graph, "ReduceMax", "i", "top", "keepdims:0");
  add_node(graph, "Expand", "top many", "long", "");
  struct proto node = proto_node("", "Split", "long", list);
  add_attributes(&node, "axis:0");
  struct proto parts = proto_attribute("num_outputs", INT);
  proto_int(&parts, 3, n);
  proto_message(&node, 5, &parts);
  proto_message(graph, 1, &node);
  add_node(graph, "Sum", list, "last", "");
  free(list);
}

/* n values that a run keeps until the end, made and read in opposite orders. */
static void make_stack(long n, struct proto *graph) {
  add_numbered(graph, "Sigmoid", "i", "f", n);
  char value[24] = "i", next[24], inputs[64];
  for (long k = n; k-- > 0; memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(inputs, sizeof(inputs), "%s f%ld", value, k);
    add_node(graph, "Add", inputs, next, "");
  }
  add_node(graph, "Identity", value, "last", "");
}

/* n initializers, each read once. */
static void make_initializers(long n, struct proto *graph) {
  char value[24] = "i", next[24], inputs[64], weight[24];
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(weight, sizeof(weight), "w_%ld", k);
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(inputs, sizeof(inputs), "%s %s", value, weight);
    add_floats(graph, weight, (int64_t[]){CHANNELS, CHANNELS, 1, 1}, 4);
    add_node(graph, "Conv", inputs, next, "");
  }
  add_node(graph, "Identity", value, "last", "");
}

static void make_outputs(long n, struct proto *graph) {
  add_numbered(graph, "Relu", "i", "o", n);
  for (long k = 0; k < n; k++) {
    char name[24];
    snprintf(name, sizeof(name), "o%ld", k);
    struct proto value = {0};
    proto_text(&value, 1, name);
    proto_message(graph, 12, &value);
  }
  add_node(graph, "Identity", "i", "last", "");
}

static void name_value(struct proto *graph, uint32_t field, const char *name) {
  struct proto value = {0};
  proto_text(&value, 1, name);
  proto_message(graph, field, &value);
}

static void add_body(struct proto *node, const char *name, struct proto *body) {
  struct proto attribute = proto_attribute(name, GRAPH);
  proto_message(&attribute, 6, body);
  proto_message(node, 5, &attribute);
}

/* n nodes If, each with two branches that read what lies around them. */
static void make_ifs(long n, struct proto *graph) {
  char value[24] = "i", next[24];
  add_node(graph, "ReduceMax", "i", "top", "keepdims:0");
  add_node(graph, "Cast", "top", "cond", "to:9");
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    struct proto node = proto_node("", "If", "cond", next);
    for (int b = 0; b < 2; b++) {
      struct proto body = {0};
      add_node(&body, b ? "Relu" : "Sigmoid", value, "z", "");
      name_value(&body, 12, "z");
      add_body(&node, b ? "then_branch" : "else_branch", &body);
    }
    proto_message(graph, 1, &node);
  }
  add_node(graph, "Identity", value, "last", "");
}

static struct proto loop_body(long nodes) {
  struct proto body = {0};
  char value[24] = "b_in", next[24];
  for (long k = 0; k < nodes; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    add_node(&body, "Sigmoid", value, next, "");
  }
  add_node(&body, "Identity", "go", "on", "");
  name_value(&body, 11, "k");
  name_value(&body, 11, "go");
  name_value(&body, 11, "b_in");
  name_value(&body, 12, "on");
  name_value(&body, 12, value);
  return body;
}

static struct proto loop_node(long trips, long nodes, struct proto *graph) {
  const int64_t count = trips;
  struct proto node = proto_node("", "Loop", "trips - i", "looped"), body = loop_body(nodes);
  add_ints(graph, "trips", 7, &count, -1);
  add_body(&node, "body", &body);
  return node;
}

static void make_iterations(long n, struct proto *graph) {
  struct proto node = loop_node(n, 1, graph);
  proto_message(graph, 1, &node);
  add_node(graph, "Identity", "looped", "last", "");
}

static void make_body(long n, struct proto *graph) {
  struct proto node = loop_node(2, n, graph);
  proto_message(graph, 1, &node);
  add_node(graph, "Identity", "looped", "last", "");
}

static void make_scan(long n, struct proto *graph) {
  const int64_t size[2] = {n, 1};
  struct proto node = proto_node("", "Scan", "long", "last"), body = {0};
  add_ints(graph, "many", 7, size, 2);
  add_node(graph, "ReduceMax", "i", "top", "keepdims:0");
  add_node(graph, "Expand", "top many", "long", "");
  add_node(&body, "Sigmoid", "e", "f", "");
  name_value(&body, 11, "e");
  name_value(&body, 12, "f");
  add_body(&node, "body", &body);
  add_attributes(&node, "num_scan_inputs:1");
  proto_message(graph, 1, &node);
}

static void make_sequence(long n, struct proto *graph) {
  char value[24] = "q", next[24], inputs[64];
  add_node(graph, "SequenceConstruct", "i", "q", "");
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(inputs, sizeof(inputs), "%s i", value);
    add_node(graph, "SequenceInsert", inputs, next, "");
  }
  add_node(graph, "SequenceLength", value, "last", "");
}

/* n functions, each called once: f0 calls nothing, and what one does the next reads. */
static void make_functions(long n, struct proto *graph) {
  char value[24] = "i", next[24], name[24];
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(name, sizeof(name), "f%ld", k);
    struct proto call = proto_node("test", name, value, next), function = {0}, opset = {0};
    proto_message(graph, 1, &call);
    proto_text(&function, 1, name);
    proto_text(&function, 4, "a");
    proto_text(&function, 5, "b");
    struct proto body = proto_node("", "Sigmoid", "a", "b");
    proto_message(&function, 7, &body);
    proto_int(&opset, 2, 20);
    proto_message(&function, 9, &opset);
    proto_text(&function, 10, "test");
    proto_message(&functions, 25, &function);
  }
  add_node(graph, "Identity", value, "last", "");
}

/* One function, called n times. */
static void make_calls(long n, struct proto *graph) {
  struct proto none = {0};
  char value[24] = "i", next[24];
  make_functions(1, &none);
  proto_free(&none);
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    struct proto call = proto_node("test", "f0", value, next);
    proto_message(graph, 1, &call);
  }
  add_node(graph, "Identity", value, "last", "");
}

static void make_inputs(long n, struct proto *graph) {
  char value[24] = "i", next[24], inputs[64], name[24];
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(name, sizeof(name), "in%ld", k);
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(inputs, sizeof(inputs), "%s %s", value, name);
    struct proto input = proto_value(name, 1);
    proto_message(graph, 11, &input);
    add_node(graph, "Add", inputs, next, "");
  }
  add_node(graph, "Identity", value, "last", "");
}

/* n values that the file declares. */
static void make_declared(long n, struct proto *graph) {
  const struct chain sigmoids = {"", "Sigmoid", "@", "@", ""};
  make_chain(&sigmoids, n, graph);
  for (long k = 0; k < n; k++) {
    char name[24];
    snprintf(name, sizeof(name), "v%ld", k);
    name_value(graph, 13, name);
  }
}

/* Nodes Loop, one behind the other: so many fewer, since each takes ten times the work of another. */
static void make_loops(long n, struct proto *graph) {
  enum { FEWER = 4 };
  char value[24] = "i", next[24], inputs[64];
  add_ints(graph, "two", 7, (int64_t[]){2}, -1);
  for (long k = 0; k < (n + FEWER - 1) / FEWER; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(inputs, sizeof(inputs), "two - %s", value);
    struct proto node = proto_node("", "Loop", inputs, next), body = loop_body(1);
    add_body(&node, "body", &body);
    proto_message(graph, 1, &node);
  }
  add_node(graph, "Identity", value, "last", "");
}

/* --- rewrites that no committed model has --- */

/* Two convolutions of one image whose results are summed, one such pair behind the other. */
static void make_conv_sum(long n, struct proto *graph) {
  char value[24] = "i", next[24], a[24], b[24], inputs[64];
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(a, sizeof(a), "a%ld", k);
    snprintf(b, sizeof(b), "b%ld", k);
    snprintf(inputs, sizeof(inputs), "%s w3", value);
    add_node(graph, "Conv", inputs, a, "pads=1,1,1,1");
    snprintf(inputs, sizeof(inputs), "%s w1", value);
    add_node(graph, "Conv", inputs, b, "");
    snprintf(inputs, sizeof(inputs), "%s %s", a, b);
    add_node(graph, "Add", inputs, next, "");
  }
  add_node(graph, "Identity", value, "last", "");
}

/* Nodes on float16, which compute in float32 all through. */
static void make_half(long n, struct proto *graph) {
  char value[24] = "h", next[24];
  add_node(graph, "Cast", "i", "h", "to:10");
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    add_node(graph, k % 2 ? "Sigmoid" : "Softmax", value, next, "");
  }
  add_node(graph, "Cast", value, "last", "to:1");
}

/* Squeeze and excite: each channel times its mean, and convolutions of single pixels to fewer channels and back. */
static void make_channel_scale(long n, struct proto *graph) {
  char value[24] = "i", next[24], scale[24], scaled[24], few[24], inputs[64];
  add_floats(graph, "w_few", (int64_t[]){2, CHANNELS, 1, 1}, 4);
  add_floats(graph, "w_back", (int64_t[]){CHANNELS, 2, 1, 1}, 4);
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(scale, sizeof(scale), "m%ld", k);
    snprintf(scaled, sizeof(scaled), "x%ld", k);
    snprintf(few, sizeof(few), "f%ld", k);
    add_node(graph, "GlobalAveragePool", value, scale, "");
    snprintf(inputs, sizeof(inputs), "%s %s", value, scale);
    add_node(graph, "Mul", inputs, scaled, "");
    snprintf(inputs, sizeof(inputs), "%s w_few", scaled);
    add_node(graph, "Conv", inputs, few, "");
    snprintf(inputs, sizeof(inputs), "%s w_back", few);
    add_node(graph, "Conv", inputs, next, "");
  }
  add_node(graph, "Identity", value, "last", "");
}

/* Images of 1 MiB, so a few: a convolution of single pixels, a depthwise one and the next of single pixels. */
static void make_conv_chain(long n, struct proto *graph) {
  enum { FEWER = 64 };
  char value[24] = "big", next[24], a[24], b[24], inputs[64];
  add_ints(graph, "large", 7, (int64_t[]){1, CHANNELS, 182, 182}, 4);
  add_node(graph, "ReduceMax", "i", "top", "keepdims:0");
  add_node(graph, "Expand", "top large", "big", "");
  for (long k = 0; k < (n + FEWER - 1) / FEWER; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    snprintf(a, sizeof(a), "a%ld", k);
    snprintf(b, sizeof(b), "b%ld", k);
    snprintf(inputs, sizeof(inputs), "%s w1", value);
    add_node(graph, "Conv", inputs, a, "");
    snprintf(inputs, sizeof(inputs), "%s wd", a);
    add_node(graph, "Conv", inputs, b, "pads=1,1,1,1 group:8");
    snprintf(inputs, sizeof(inputs), "%s w1", b);
    add_node(graph, "Conv", inputs, next, "");
  }
  add_node(graph, "ReduceMax", value, "last", "");
}

/* Segments of a plan: each shape is known when the one before has run. */
static void make_segments(long n, struct proto *graph) {
  char value[24] = "r", next[24];
  add_ints(graph, "flat", 7, (int64_t[]){-1}, 1);
  add_node(graph, "Reshape", "i flat", "r", "");
  for (long k = 0; k < n; k++, memcpy(value, next, sizeof(value))) {
    snprintf(next, sizeof(next), "s%ld", k);
    add_node(graph, "Unique", value, next, "");
  }
  add_node(graph, "Identity", value, "last", "");
}

static const struct {
  const char *name;
  void (*make)(long n, struct proto *graph);
  const char *rewrite; /* that must take part; NULL: none must */
} graphs[] = {{"fan", make_fan, NULL},
              {"concat", make_concat, NULL},
              {"split", make_split, NULL},
              {"stack", make_stack, NULL},
              {"outputs", make_outputs, NULL},
              {"ifs", make_ifs, NULL},
              {"iterations", make_iterations, NULL},
              {"body", make_body, NULL},
              {"scan", make_scan, NULL},
              {"sequence", make_sequence, NULL},
              {"segments", make_segments, NULL},
              {"initializers", make_initializers, NULL},
              {"functions", make_functions, NULL},
              {"calls", make_calls, NULL},
              {"inputs", make_inputs, NULL},
              {"declared", make_declared, NULL},
              {"loops", make_loops, NULL},
              {"conv_sum", make_conv_sum, "conv_sum"},
              {"half", make_half, "half"},
              {"channel_scale", make_channel_scale, "channel_scale"},
              {"conv_chain", make_conv_chain, "conv_chain"}};
enum { NUM_GRAPHS = sizeof(graphs) / sizeof(graphs[0]) };

static const char *wanted_rewrite; /* NULL: it took part, or none must */

static int make(const char *name, long n, struct proto *graph) {
  for (size_t i = 0; i < NUM_CHAINS; i++)
    if (!strcmp(chains[i].name, name)) return make_chain(&chains[i], n, graph), 1;
  for (size_t i = 0; i < NUM_GRAPHS; i++)
    if (!strcmp(graphs[i].name, name)) return wanted_rewrite = graphs[i].rewrite, graphs[i].make(n, graph), 1;
  return 0;
}

static void look_for_rewrite(void *context, const char *kind, const char *domain, const char *name) {
  (void)context, (void)domain;
  if (wanted_rewrite && !strcmp(kind, "rewrite") && !strcmp(name, wanted_rewrite)) wanted_rewrite = NULL;
}

static int run(const struct proto *model_bytes) {
  static float x[INPUT];
  const struct onr_limits limits = {.size = sizeof(limits), .work = UINT64_MAX, .total_bytes = (uint64_t)1 << 32};
  const struct onr_model_options options = {
      .size = sizeof(options), .limits = &limits, .backend = ONR_BACKEND_AUTO, .uses = look_for_rewrite};
  const struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){INPUT}), x},
                          more = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){1}), x};
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  struct onr_error error = {0};
  enum onr_status status = onr_model_load_memory(model_bytes->bytes, model_bytes->size, &options, &model, &error);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &error);
  for (size_t i = 0; status == ONR_STATUS_OK && i < onr_model_num_inputs(model); i++)
    status = onr_session_set_input(session, i, i == 0 ? &in : &more, &error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, &error);
  if (status != ONR_STATUS_OK) fprintf(stderr, "%s: %s: %s\n", onr_status_name(status), error.where, error.message);
  onr_session_destroy(session);
  onr_model_destroy(model);
  if (wanted_rewrite) fprintf(stderr, "the rewrite %s does not take part\n", wanted_rewrite);
  return status != ONR_STATUS_OK || wanted_rewrite;
}

int main(int argc, char **argv) {
  struct proto graph = {0};
  for (size_t i = 0; argc == 1 && i < NUM_CHAINS + NUM_GRAPHS; i++)
    printf("%s\n", i < NUM_CHAINS ? chains[i].name : graphs[i - NUM_CHAINS].name);
  if (argc == 1) return 0;
  if (argc != 3) return 2;
  struct proto value = proto_value("x", INPUT);
  proto_message(&graph, 11, &value);
  name_value(&graph, 12, "last");
  add_weights(&graph);
  add_node(&graph, "Reshape", "x shape", "i", "");
  if (!make(argv[1], strtol(argv[2], NULL, 10), &graph)) return 2;
  struct proto model = proto_model(&graph);
  proto_raw(&model, functions.bytes, functions.size);
  const int failed = run(&model);
  proto_free(&functions);
  proto_free(&model);
  return failed;
}
