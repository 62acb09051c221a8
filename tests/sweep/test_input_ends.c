/* Inputs that end where memory ends, small enough for vectors to reach beyond their last element: convolutions of
 * channels-first images of floats and of bytes, groups of any size; products of bytes; operators of one input, of every
 * size of element. The page behind is not there. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "support/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "onnxrun/onnxrun.h"
#include "support/proto_writer.h"

enum { CASES = 1500, PAGES = 256, FLOAT = 1, UINT8 = 2, INT8 = 3 };
/* As ONNX numbers types. */
static const enum onr_dtype dtype_of[] = {
    [FLOAT] = ONR_DTYPE_F32, [UINT8] = ONR_DTYPE_U8, [INT8] = ONR_DTYPE_I8, [5] = ONR_DTYPE_I16,
    [6] = ONR_DTYPE_I32,     [7] = ONR_DTYPE_I64,    [10] = ONR_DTYPE_F16,  [11] = ONR_DTYPE_F64};

struct fenced {
  char *start;
  size_t bytes, page;
};

/* The last byte before a page that cannot be touched is the last of the data. */
static struct fenced fence(void) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  struct fenced f = {.bytes = (PAGES + 1) * page, .page = page};
  f.start = mmap(NULL, f.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(f.start != MAP_FAILED);
  assert_int_equal(mprotect(f.start + PAGES * page, page, PROT_NONE), 0);
  return f;
}

static void add_ints(struct proto *node, const char *name, const int64_t *values, size_t count) {
  struct proto attribute = proto_attribute(name, 7);
  for (size_t i = 0; i < count; i++) proto_int(&attribute, 8, values[i]);
  proto_message(node, 5, &attribute);
}

/* A weight called w of small numbers. */
static struct proto make_weight(struct sweep *s, int32_t type, const int64_t *dim, size_t rank) {
  struct proto tensor = proto_tensor("w", type, dim, rank);
  int64_t count = 1;
  for (size_t i = 0; i < rank; i++) count *= dim[i];
  for (int64_t i = 0; i < count; i++)
    if (type == FLOAT) proto_float(&tensor, 4, (float)sweep_pick(s, -3, 3));
    else proto_int(&tensor, 5, sweep_pick(s, 0, 9));
  return tensor;
}

/* What the node makes of x and w. */
static struct proto make_model(struct proto *node, struct proto *weight, int32_t type, const int64_t *dim, int rank) {
  struct proto graph = {0}, in = {0}, out = {0}, x_type = {0}, of = {0}, shape = {0};
  proto_message(&graph, 1, node);
  proto_message(&graph, 5, weight);
  for (int i = 0; i < rank; i++) {
    struct proto d = {0};
    proto_int(&d, 1, dim[i]);
    proto_message(&shape, 1, &d);
  }
  proto_text(&in, 1, "x");
  proto_int(&of, 1, type);
  proto_message(&of, 2, &shape);
  proto_message(&x_type, 1, &of);
  proto_message(&in, 2, &x_type);
  proto_text(&out, 1, "y");
  proto_message(&graph, 11, &in);
  proto_message(&graph, 12, &out);
  return proto_model(&graph);
}

static struct proto make_conv(struct sweep *s, int32_t type, struct onr_desc *x) {
  const int few = sweep_chance(s, 2); /* channels of many groups, else any */
  const int64_t groups = sweep_pick(s, 1, few ? 16 : 4), kernel = sweep_chance(s, 3) ? 3 : 1,
                stride = sweep_pick(s, 1, 2), in = few ? (int64_t)1 << sweep_pick(s, 0, 3) : sweep_pick(s, 1, 9),
                weight[4] = {groups * (few ? in : sweep_pick(s, 1, 9)), in, kernel, kernel}, pad = kernel / 2;
  struct proto node = proto_node("", type == FLOAT ? "Conv" : "ConvInteger", "x w", "y");
  struct proto tensor = make_weight(s, type, weight, 4), group = proto_attribute("group", 2);
  const int64_t dim[4] = {sweep_pick(s, 1, 2), groups * in, sweep_pick(s, 1, few ? 7 : 9),
                          sweep_pick(s, 1, few ? 7 : 9)};
  proto_int(&group, 3, groups);
  proto_message(&node, 5, &group);
  add_ints(&node, "strides", (int64_t[]){stride, stride}, 2);
  add_ints(&node, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
  *x = onr_desc_make(dtype_of[type], 4, dim);
  return make_model(&node, &tensor, type, dim, 4);
}

static struct proto make_product(struct sweep *s, int32_t type, struct onr_desc *x) {
  const int64_t dim[3] = {sweep_pick(s, 1, 2), sweep_pick(s, 1, 20), sweep_pick(s, 1, sweep_chance(s, 3) ? 200 : 9)},
                weight[2] = {dim[2], sweep_pick(s, 1, 70)};
  struct proto node = proto_node("", type == FLOAT ? "MatMul" : "MatMulInteger", "x w", "y");
  struct proto tensor = make_weight(s, type, weight, 2);
  *x = onr_desc_make(dtype_of[type], 3, dim);
  return make_model(&node, &tensor, type, dim, 3);
}

/* Operators of x alone; attributes "name:1" and "name=1,2", "axis:?" any axis. */
static const struct {
  const char *op, *inputs, *attributes;
  int rank; /* 0: any */
} operators[] = {{"Relu", "x", "", 0},
                 {"Sigmoid", "x", "", 0},
                 {"Erf", "x", "", 0},
                 {"Neg", "x", "", 0},
                 {"Add", "x x", "", 0},
                 {"Equal", "x x", "", 0},
                 {"Max", "x x x", "", 0},
                 {"Concat", "x x", "axis:?", 0},
                 {"Softmax", "x", "axis:?", 0},
                 {"LogSoftmax", "x", "axis:?", 0},
                 {"Hardmax", "x", "axis:?", 0},
                 {"LpNormalization", "x", "axis:?", 0},
                 {"ReduceSum", "x", "", 0},
                 {"ReduceMax", "x", "", 0},
                 {"ReduceL2", "x", "", 0},
                 {"ArgMax", "x", "axis:?", 0},
                 {"ArgMin", "x", "axis:?", 0},
                 {"Transpose", "x", "", 0},
                 {"Flatten", "x", "axis:?", 0},
                 {"Cast", "x", "to:1", 0},
                 {"Cast", "x", "to:2", 0},
                 {"Cast", "x", "to:6", 0},
                 {"Cast", "x", "to:7", 0},
                 {"Cast", "x", "to:10", 0},
                 {"Cast", "x", "to:11", 0},
                 {"Cast", "x", "to:16", 0},
                 {"Trilu", "x", "", 2},
                 {"NonZero", "x", "", 0},
                 {"DynamicQuantizeLinear", "x", "", 0},
                 {"Split", "x", "axis:? num_outputs:1", 0},
                 {"MeanVarianceNormalization", "x", "", 4},
                 {"GlobalAveragePool", "x", "", 4},
                 {"GlobalMaxPool", "x", "", 3},
                 {"LRN", "x", "size:3", 4},
                 {"MaxPool", "x", "kernel_shape=3,3 pads=1,1,1,1", 4},
                 {"MaxPool", "x", "kernel_shape=2 strides=2 pads=1,1", 3},
                 {"AveragePool", "x", "kernel_shape=3,3 pads=1,1,1,1 strides=2,2", 4},
                 {"AveragePool", "x", "kernel_shape=1,2,2 pads=0,1,1,0,1,1", 5},
                 {"LpPool", "x", "kernel_shape=3,1 pads=1,0,1,0", 4},
                 {"MatMul", "x x", "", 1}};
enum { NUM_OPERATORS = sizeof(operators) / sizeof(operators[0]) };

static void add_attributes(struct proto *node, const char *text, int64_t axis) {
  while (*text) {
    char name[32];
    int64_t values[8];
    size_t count = 0;
    const size_t length = strcspn(text, "=:");
    const int is_list = text[length] == '=';
    snprintf(name, sizeof(name), "%.*s", (int)length, text);
    for (text += length; *text && *text != ' ';) {
      char *end = (char *)(uintptr_t)text + 2;
      values[count++] = text[1] == '?' ? axis : strtol(text + 1, &end, 10);
      text = end;
    }
    struct proto attribute = proto_attribute(name, 2);
    proto_int(&attribute, 3, values[0]);
    if (is_list) add_ints(node, name, values, count);
    else proto_message(node, 5, &attribute);
    if (is_list) proto_free(&attribute);
    text += *text == ' ';
  }
}

static struct proto make_operator(struct sweep *s, int32_t type, struct onr_desc *x) {
  const size_t i = (size_t)sweep_pick(s, 0, NUM_OPERATORS - 1);
  const int rank = operators[i].rank ? operators[i].rank : (int)sweep_pick(s, 1, 4);
  const int64_t unused = 1;
  int64_t dim[5];
  for (int d = 0; d < rank; d++) dim[d] = sweep_pick(s, 1, d == rank - 1 && sweep_chance(s, 4) ? 70 : rank > 3 ? 5 : 9);
  struct proto node = proto_node("", operators[i].op, operators[i].inputs, "y"), w = make_weight(s, FLOAT, &unused, 1);
  add_attributes(&node, operators[i].attributes, sweep_pick(s, -rank, rank - 1));
  *x = onr_desc_make(dtype_of[type], rank, dim);
  return make_model(&node, &w, type, dim, rank);
}

typedef struct proto make_function(struct sweep *s, int32_t type, struct onr_desc *x);

/* Whether it runs; what a type has no operator of does not. */
static int run(const struct proto *bytes, const struct onr_tensor *x) {
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  enum onr_status status = onr_model_load_memory(bytes->bytes, bytes->size, NULL, &model, NULL);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, NULL);
  if (status == ONR_STATUS_OK) status = onr_session_set_input(session, 0, x, NULL);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, NULL);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return status == ONR_STATUS_OK;
}

static void run_with_fence(make_function *make, int32_t type, unsigned seed) {
  const struct fenced f = fence();
  struct sweep s = sweep_from(seed);
  int num_run = 0;
  for (int i = 0; i < sweep_cases(CASES); i++) {
    struct onr_desc desc;
    struct proto bytes = make(&s, type, &desc);
    const size_t size = onr_desc_bytes(&desc);
    assert_true(size <= PAGES * f.page);
    const struct onr_tensor x = {desc, f.start + PAGES * f.page - size};
    for (size_t k = 0; k < size; k++) ((uint8_t *)x.data)[k] = (uint8_t)(k % 7);
    for (size_t k = 0; type == FLOAT && k < size / sizeof(float); k++) ((float *)x.data)[k] = (float)(k % 7);
    num_run += run(&bytes, &x);
    proto_free(&bytes);
  }
  assert_true(num_run >= (make == make_operator ? sweep_cases(CASES) / 4 : sweep_cases(CASES)));
  munmap(f.start, f.bytes);
}

static void convolutions_read_no_further_than_their_input(void **state) {
  (void)state;
  run_with_fence(make_conv, FLOAT, 11);
  run_with_fence(make_conv, UINT8, 12);
}

static void products_read_no_further_than_their_input(void **state) {
  (void)state;
  run_with_fence(make_product, FLOAT, 13);
  run_with_fence(make_product, UINT8, 14);
  run_with_fence(make_product, INT8, 15);
}

static void operators_read_no_further_than_their_input(void **state) {
  static const int32_t types[] = {FLOAT, UINT8, INT8, 5, 6, 7, 10, 11};
  (void)state;
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    run_with_fence(make_operator, types[i], 20 + (unsigned)i);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions_read_no_further_than_their_input),
                                     cmocka_unit_test(products_read_no_further_than_their_input),
                                     cmocka_unit_test(operators_read_no_further_than_their_input)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
