/* One layer whose kind, geometry and values come from bytes, tuned and portable, with one thread and with two: the
 * results agree, those of any number of threads bit for bit. Values are small integers, so that sums are exact in any
 * order; the bound is for Winograd's method. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/small_model.h"
#include "tests/fuzz/wire.h"
#include "tests/support/proto_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed);

enum { MOST_ELEMENTS = 1 << 14, INTS = 7, INT = 2, STRING = 3 };

struct bytes {
  const uint8_t *at, *end;
};

static int64_t pick(struct bytes *b, int64_t low, int64_t high) {
  const uint8_t byte = b->at < b->end ? *b->at++ : 0;
  return low + byte % (high - low + 1);
}

static void add_ints(struct proto *node, const char *name, const int64_t *values, int64_t count) {
  struct proto attribute = proto_attribute(name, INTS);
  for (int64_t i = 0; i < count; i++) proto_int(&attribute, 8, values[i]);
  proto_message(node, 5, &attribute);
}

static void add_int(struct proto *node, const char *name, int64_t value) {
  struct proto attribute = proto_attribute(name, INT);
  proto_int(&attribute, 3, value);
  proto_message(node, 5, &attribute);
}

/* The case that is being made: a graph, and its input x. */
struct made {
  struct proto graph;
  int64_t dim[ONR_MAX_RANK];
  int32_t rank;
  uint32_t seed;
};

static float value(struct made *m) {
  m->seed = m->seed * 1664525u + 1013904223u;
  return (float)(m->seed >> 24 & 7) - 3;
}

static int64_t product(const int64_t *dim, int64_t rank) {
  int64_t count = 1;
  for (int64_t i = 0; i < rank; i++) count *= dim[i];
  return count;
}

static void add_weight(struct made *m, const char *name, const int64_t *dim, size_t rank) {
  struct proto tensor = proto_tensor(name, 1, dim, rank);
  for (int64_t i = product(dim, (int64_t)rank); i > 0; i--) proto_float(&tensor, 4, value(m));
  proto_message(&m->graph, 5, &tensor);
}

static void set_input(struct made *m, int32_t rank, const int64_t *dim) {
  m->rank = rank;
  for (int32_t i = 0; i < rank; i++) m->dim[i] = dim[i];
}

/* --- kinds --- */

static void add_window(struct bytes *b, struct proto *node, int64_t spatial, const int64_t *kernel, int dilates) {
  int64_t strides[3], pads[6], dilations[3];
  for (int64_t i = 0; i < spatial; i++) {
    strides[i] = pick(b, 1, 3);
    dilations[i] = dilates ? pick(b, 1, 3) : 1;
    pads[i] = pick(b, 0, kernel[i] - 1);
    pads[spatial + i] = pick(b, 0, kernel[i] - 1);
  }
  add_ints(node, "kernel_shape", kernel, spatial);
  add_ints(node, "strides", strides, spatial);
  add_ints(node, "pads", pads, 2 * spatial);
  if (dilates) add_ints(node, "dilations", dilations, spatial);
}

static struct proto conv(struct made *m, struct bytes *b, int transposed) {
  const int64_t spatial = pick(b, 1, 3), groups = pick(b, 1, 4), in = groups * pick(b, 1, 9),
                out = groups * pick(b, 1, 9);
  const int has_bias = (int)pick(b, 0, 1), depthwise = pick(b, 0, 3) == 0;
  int64_t kernel[3], dim[5] = {pick(b, 1, 2), depthwise ? groups : in}, weight[5] = {out, depthwise ? 1 : in / groups};
  if (depthwise) weight[0] = groups * (out / groups);
  if (transposed) weight[0] = dim[1], weight[1] = out / groups;
  for (int64_t i = 0; i < spatial; i++) {
    kernel[i] = weight[2 + i] = pick(b, 1, 5);
    dim[2 + i] = pick(b, 1, spatial == 3 ? 7 : 17);
  }
  set_input(m, (int32_t)spatial + 2, dim);
  add_weight(m, "w", weight, (size_t)spatial + 2);
  if (has_bias) add_weight(m, "b", &out, 1);
  struct proto node = proto_node("", transposed ? "ConvTranspose" : "Conv", has_bias ? "x w b" : "x w", "z");
  add_int(&node, "group", groups);
  add_window(b, &node, spatial, kernel, 1);
  return node;
}

static struct proto pool(struct made *m, struct bytes *b, const char *op) {
  const int64_t spatial = pick(b, 1, 3), ceil_mode = pick(b, 0, 1), counts = pick(b, 0, 1);
  int64_t kernel[3], dim[5] = {pick(b, 1, 2), pick(b, 1, 19)};
  for (int64_t i = 0; i < spatial; i++) kernel[i] = pick(b, 1, 5), dim[2 + i] = pick(b, 1, spatial == 3 ? 7 : 15);
  set_input(m, (int32_t)spatial + 2, dim);
  struct proto node = proto_node("", op, "x", "z");
  add_window(b, &node, spatial, kernel, !strcmp(op, "MaxPool"));
  add_int(&node, "ceil_mode", ceil_mode);
  if (!strcmp(op, "AveragePool")) add_int(&node, "count_include_pad", counts);
  return node;
}

static struct proto matmul(struct made *m, struct bytes *b) {
  const int64_t rank = pick(b, 1, 4), k = pick(b, 1, 70), n = pick(b, 1, 40), batches = pick(b, 0, 1);
  int64_t dim[4], weight[4];
  for (int64_t i = 0; i < rank; i++)
    dim[i] = weight[i] = i + 1 == rank ? k : i + 2 == rank ? pick(b, 1, 20) : pick(b, 1, 3);
  set_input(m, (int32_t)rank, dim);
  if (rank >= 2) weight[rank - 2] = k, weight[rank - 1] = n;
  const int64_t first = rank >= 2 && batches ? 0 : rank >= 2 ? rank - 2 : 0;
  add_weight(m, "w", rank >= 2 ? weight + first : (int64_t[]){k, n}, rank >= 2 ? (size_t)(rank - first) : 2);
  return proto_node("", "MatMul", "x w", "z");
}

static struct proto binary(struct made *m, struct bytes *b) {
  static const char *const ops[] = {"Add", "Sub", "Mul", "Min", "Max"};
  const char *op = ops[pick(b, 0, 4)];
  const int64_t rank = pick(b, 0, 5), less = pick(b, 0, rank);
  int64_t dim[5], other[5];
  for (int64_t i = 0; i < rank; i++) {
    const int64_t size = pick(b, 1, rank > 3 ? 5 : 17), one = pick(b, 0, 5);
    dim[i] = one == 0 ? 1 : size;
    other[i] = one == 1 ? 1 : size;
  }
  set_input(m, (int32_t)rank, dim);
  add_weight(m, "w", other + less, (size_t)(rank - less));
  return proto_node("", op, pick(b, 0, 1) ? "x w" : "w x", "z");
}

static struct proto along_axes(struct made *m, struct bytes *b) {
  static const char *const ops[] = {"ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean", "ReduceProd",
                                    "Softmax",   "CumSum",    "ArgMax",    "Transpose"};
  const int kind = (int)pick(b, 0, 8);
  const int64_t rank = pick(b, 1, 5), axis = pick(b, 0, rank - 1), keeps = pick(b, 0, 1);
  int64_t dim[5], perm[5];
  for (int64_t i = 0; i < rank; i++) dim[i] = pick(b, 1, rank > 3 ? 6 : 23), perm[i] = i;
  for (int64_t i = rank - 1; i > 0; i--) {
    const int64_t other = pick(b, 0, i), kept = perm[i];
    perm[i] = perm[other], perm[other] = kept;
  }
  set_input(m, (int32_t)rank, dim);
  struct proto node = proto_node("", ops[kind], kind < 5 || kind == 6 ? "x axes" : "x", "z");
  if (kind < 5 || kind == 6) {
    struct proto tensor = proto_tensor("axes", 7, (int64_t[]){1}, kind < 5 ? 1 : 0);
    proto_int(&tensor, 7, axis);
    proto_message(&m->graph, 5, &tensor);
  }
  if (kind < 5 || kind == 7) add_int(&node, "keepdims", keeps);
  if (kind == 5 || kind == 7) add_int(&node, "axis", axis);
  if (kind == 8) add_ints(&node, "perm", perm, rank);
  return node;
}

static struct proto make_layer(struct made *m, struct bytes *b) {
  switch (pick(b, 0, 7)) {
    case 0:
    case 1: return conv(m, b, 0);
    case 2: return conv(m, b, 1);
    case 3: return pool(m, b, "MaxPool");
    case 4: return pool(m, b, "AveragePool");
    case 5: return matmul(m, b);
    case 6: return binary(m, b);
    default: return along_axes(m, b);
  }
}

/* --- running it --- */

struct result {
  enum onr_status status;
  struct onr_desc desc;
  void *data;
};

static struct result run(const struct proto *bytes, enum onr_backend backend, struct onr_threads *threads,
                         const struct onr_tensor *x) {
  const struct onr_model_options options = {
      .size = sizeof(options), .allocator = &small_allocator, .limits = &small_limits, .backend = backend};
  const struct onr_session_options session_options = {.size = sizeof(session_options), .threads = threads};
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  struct onr_error error = {0};
  struct onr_tensor y;
  struct result r = {0};
  r.status = onr_model_load_memory(bytes->bytes, bytes->size, &options, &model, &error);
  if (r.status == ONR_STATUS_OK) r.status = onr_session_create(model, &session_options, &session, &error);
  if (r.status == ONR_STATUS_OK) r.status = onr_session_set_input(session, 0, x, &error);
  if (r.status == ONR_STATUS_OK) r.status = onr_session_run(session, &error);
  if (r.status == ONR_STATUS_OK) r.status = onr_session_get_output(session, 0, &y, &error);
  if (r.status == ONR_STATUS_OK) {
    const size_t size = onr_desc_bytes(&y.desc);
    r.desc = y.desc;
    r.data = malloc(size + !size);
    if (!r.data) small_abort("no memory for a copy", NULL);
    if (size) memcpy(r.data, y.data, size);
  } else {
    small_check_refusal(r.status, &error);
  }
  onr_session_destroy(session);
  onr_model_destroy(model);
  small_expect_empty();
  return r;
}

static void compare(const struct result *a, const struct result *b, int exactly) {
  if (a->status != b->status) small_abort("tuned and portable end otherwise", NULL);
  if (a->status != ONR_STATUS_OK) return;
  if (!onr_desc_equal(&a->desc, &b->desc)) small_abort("tuned and portable have other shapes", NULL);
  const size_t size = onr_desc_bytes(&a->desc);
  if (!memcmp(a->data, b->data, size)) return;
  if (exactly || a->desc.dtype != ONR_DTYPE_F32) small_abort("other bits with two threads", NULL);
  for (size_t i = 0; i < size / sizeof(float); i++) {
    const float p = ((const float *)a->data)[i], q = ((const float *)b->data)[i];
    if (isnan(p) && isnan(q)) continue;
    if (p != q && !(fabsf(p - q) <= 0.02f + 1e-4f * fabsf(q))) {
      fprintf(stderr, "element %zu: tuned %g, portable %g\n", i, (double)p, (double)q);
      small_abort("tuned and portable differ", NULL);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct onr_threads *threads;
  struct bytes b = {data, data + size};
  struct made m = {.seed = (uint32_t)size};
  if (!threads && onr_threads_create(2, NULL, &threads, NULL) != ONR_STATUS_OK) small_abort("no threads", NULL);
  struct proto node = make_layer(&m, &b);
  const int clamps = (int)pick(&b, 0, 1);
  proto_message(&m.graph, 1, &node);
  node = proto_node("", clamps ? "Relu" : "Identity", "z", "y");
  proto_message(&m.graph, 1, &node);
  const int64_t count = product(m.dim, m.rank);
  float *values = malloc((size_t)(count + 1) * sizeof(*values));
  struct proto in = {0}, out = {0};
  struct proto type = {0}, tensor = {0}, shape = {0};
  for (int32_t d = 0; d < m.rank; d++) {
    struct proto dim = {0};
    proto_int(&dim, 1, m.dim[d]);
    proto_message(&shape, 1, &dim);
  }
  proto_text(&in, 1, "x");
  proto_int(&tensor, 1, 1);
  proto_message(&tensor, 2, &shape);
  proto_message(&type, 1, &tensor);
  proto_message(&in, 2, &type);
  proto_text(&out, 1, "y");
  proto_message(&m.graph, 11, &in);
  proto_message(&m.graph, 12, &out);
  struct proto bytes = proto_model(&m.graph);
  if (values && count <= MOST_ELEMENTS) {
    for (int64_t i = 0; i < count; i++) values[i] = value(&m);
    const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, m.rank, m.dim), values};
    const struct result tuned = run(&bytes, ONR_BACKEND_AUTO, NULL, &x),
                        portable = run(&bytes, ONR_BACKEND_PORTABLE, NULL, &x);
    compare(&tuned, &portable, 0);
    if (m.seed >> 13 & 1) { /* waiting for a thread takes longer than all the rest: not every time */
      const struct result two = run(&bytes, ONR_BACKEND_AUTO, threads, &x);
      compare(&two, &tuned, 1);
      free(two.data);
    }
    free(tuned.data);
    free(portable.data);
  }
  proto_free(&bytes);
  free(values);
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  (void)seed;
  return LLVMFuzzerMutate(data, size, most < 64 ? most : 64);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed) {
  const size_t head = a_size ? seed % a_size : 0, tail = b_size - (b_size ? seed / 7 % b_size : 0);
  if (head + tail > most) return 0;
  memcpy(out, a, head);
  if (tail) memcpy(out + head, b + b_size - tail, tail);
  return head + tail;
}
