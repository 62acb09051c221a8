/* What loading a file takes: no more than the packed weights and those of one node, whatever passes look at, and
 * however many steps put the weights together. */
#define _POSIX_C_SOURCE 200809L
#include "support/counted_memory.h"
#include "support/layer_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnxrun/onnxrun.h"
#include "support/proto_writer.h"

enum { WIDTH = 192, LAYERS = 24, SLACK = 200000 /* the graph, and what reads the file */ };

/* --- the model: products, each with a bias behind it --- */

static void add_tensor(struct proto *graph, const char *name, int64_t rows, int64_t columns, int number) {
  struct proto tensor = proto_tensor(name, 1, rows ? (int64_t[]){rows, columns} : &columns, rows ? 2 : 1);
  const size_t count = (size_t)((rows ? rows : 1) * columns);
  float *values = malloc(count * sizeof(*values));
  for (size_t i = 0; i < count; i++) values[i] = (float)((i * 7 + (size_t)number) % 31) / 31 - 0.5f;
  proto_bytes(&tensor, 9, values, count * sizeof(*values));
  free(values);
  proto_message(graph, 5, &tensor);
}

static void add_numbers(struct proto *graph, const char *name, int64_t a, int64_t b, int64_t count) {
  const int64_t values[] = {a, b};
  struct proto tensor = proto_tensor(name, 7, &count, 1);
  proto_bytes(&tensor, 9, values, (size_t)count * sizeof(*values));
  proto_message(graph, 5, &tensor);
}

static void add_node(struct proto *graph, const char *op, const char *inputs, const char *output) {
  struct proto node = proto_node("", op, inputs, output);
  if (!strcmp(op, "Concat")) {
    struct proto axis = proto_attribute("axis", 2);
    proto_int(&axis, 3, 0);
    proto_message(&node, 5, &axis);
  }
  proto_message(graph, 1, &node);
}

enum kind { DISTINCT, EQUAL, IN_PIECES };

/* IN_PIECES: the halves of each weight are cut out and put together the other way round. */
static struct proto make_model(enum kind kind) {
  struct proto graph = {0}, value = proto_value("x", WIDTH);
  char w[16], b[16], in[16] = "row", sum[16], out[16], inputs[64];
  proto_message(&graph, 11, &value);
  add_node(&graph, "Reshape", "x shape", "row");
  add_numbers(&graph, "shape", 1, WIDTH, 2);
  add_numbers(&graph, "zero", 0, 0, 1);
  add_numbers(&graph, "half", WIDTH / 2, 0, 1);
  add_numbers(&graph, "all", WIDTH, 0, 1);
  for (int i = 0; i < LAYERS; i++) {
    snprintf(w, sizeof(w), "w%d", i), snprintf(b, sizeof(b), "b%d", i);
    snprintf(sum, sizeof(sum), "s%d", i), snprintf(out, sizeof(out), i + 1 < LAYERS ? "y%d" : "last", i);
    add_tensor(&graph, w, WIDTH, WIDTH, kind == EQUAL ? 0 : i);
    add_tensor(&graph, b, 0, WIDTH, i);
    if (kind == IN_PIECES) {
      char low[16], high[16];
      snprintf(low, sizeof(low), "low%d", i), snprintf(high, sizeof(high), "high%d", i);
      snprintf(inputs, sizeof(inputs), "%s zero half", w), add_node(&graph, "Slice", inputs, low);
      snprintf(inputs, sizeof(inputs), "%s half all", w), add_node(&graph, "Slice", inputs, high);
      snprintf(w, sizeof(w), "both%d", i);
      snprintf(inputs, sizeof(inputs), "%s %s", high, low), add_node(&graph, "Concat", inputs, w);
    }
    snprintf(inputs, sizeof(inputs), "%s %s", in, w), add_node(&graph, "MatMul", inputs, sum);
    snprintf(inputs, sizeof(inputs), "%s %s", sum, b), add_node(&graph, "Add", inputs, out);
    snprintf(in, sizeof(in), "%s", out);
  }
  add_numbers(&graph, "flat", WIDTH, 0, 1);
  add_node(&graph, "Reshape", "last flat", "y");
  value = proto_value("y", WIDTH);
  proto_message(&graph, 12, &value);
  return proto_model(&graph);
}

static void check(enum kind kind, uint32_t num_threads) {
  char path[] = "/tmp/onnxrun_load_XXXXXX";
  struct onr_model_info info = {.size = sizeof(info)};
  struct onr_model_options options = {.size = sizeof(options), .allocator = &counted_memory};
  struct proto file = make_model(kind);
  struct onr_error error;
  struct onr_model *model;
  const int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, file.bytes, file.size), file.size);
  close(fd);
  assert_int_equal(onr_threads_create(num_threads, NULL, &options.threads, NULL), ONR_STATUS_OK);
  counted_memory_begin();
  if (onr_model_load(path, &options, &model, &error) != ONR_STATUS_OK) fail_msg("%s", error.message);
  assert_int_equal(onr_model_get_info(model, &info), ONR_STATUS_OK);
  const size_t one = WIDTH * WIDTH * sizeof(float), most = info.weight_bytes + SLACK + (kind == EQUAL ? 2 : 1) * one;
  assert_in_range(info.weight_bytes, (kind == EQUAL ? 1 : LAYERS) * one, (kind == EQUAL ? 2 : LAYERS + 1) * one);
  if (counted_most > most)
    fail_msg("%zu bytes for %zu of weights (model %d)", (size_t)counted_most, info.weight_bytes, (int)kind);
  onr_model_destroy(model);
  assert_int_equal(counted_bytes, 0);
  onr_threads_destroy(options.threads);
  proto_free(&file);
  unlink(path);
}

static void loading_holds_the_weights_once(void **state) {
  (void)state;
  for (uint32_t threads = 1; threads <= 3; threads++) check(DISTINCT, threads);
  check(EQUAL, 2);
}

static void weights_in_pieces_are_held_once(void **state) {
  (void)state;
  check(IN_PIECES, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(loading_holds_the_weights_once),
                                     cmocka_unit_test(weights_in_pieces_are_held_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
