/* Inputs that end where memory ends: convolutions of channels-first images, small enough for vectors of pixels to reach
 * beyond their last one, from any group or channel. The page behind is not there. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "support/sweep.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "onnxrun/onnxrun.h"
#include "support/proto_writer.h"

enum { CASES = 1500, PAGES = 4 };

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

static struct proto make_model(struct sweep *s, int64_t dim[4]) {
  const int64_t groups = sweep_pick(s, 1, 4), kernel = sweep_chance(s, 3) ? 3 : 1, stride = sweep_pick(s, 1, 2);
  const int64_t weight[4] = {groups * sweep_pick(s, 1, 9), sweep_pick(s, 1, 4), kernel, kernel}, pad = kernel / 2;
  struct proto graph = {0}, node = proto_node("", "Conv", "x w", "y"), tensor = proto_tensor("w", 1, weight, 4);
  dim[0] = sweep_pick(s, 1, 2), dim[1] = groups * weight[1], dim[2] = sweep_pick(s, 1, 9), dim[3] = sweep_pick(s, 1, 9);
  for (int64_t i = weight[0] * weight[1] * kernel * kernel; i > 0; i--)
    proto_float(&tensor, 4, (float)sweep_pick(s, -3, 3));
  struct proto group = proto_attribute("group", 2), in = {0}, out = {0}, type = {0}, of = {0}, shape = {0};
  proto_int(&group, 3, groups);
  proto_message(&node, 5, &group);
  add_ints(&node, "strides", (int64_t[]){stride, stride}, 2);
  add_ints(&node, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
  proto_message(&graph, 1, &node);
  proto_message(&graph, 5, &tensor);
  for (int i = 0; i < 4; i++) {
    struct proto d = {0};
    proto_int(&d, 1, dim[i]);
    proto_message(&shape, 1, &d);
  }
  proto_text(&in, 1, "x");
  proto_int(&of, 1, 1);
  proto_message(&of, 2, &shape);
  proto_message(&type, 1, &of);
  proto_message(&in, 2, &type);
  proto_text(&out, 1, "y");
  proto_message(&graph, 11, &in);
  proto_message(&graph, 12, &out);
  return proto_model(&graph);
}

static void convolutions_read_no_further_than_their_input(void **state) {
  const struct fenced f = fence();
  struct sweep s = sweep_from(11);
  (void)state;
  for (int i = 0; i < sweep_cases(CASES); i++) {
    int64_t dim[4];
    struct proto bytes = make_model(&s, dim);
    const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 4, dim);
    const size_t size = onr_desc_bytes(&desc);
    assert_true(size <= PAGES * f.page);
    struct onr_tensor x = {desc, f.start + PAGES * f.page - size};
    struct onr_session *session;
    struct onr_model *model;
    for (size_t k = 0; k < size / sizeof(float); k++) ((float *)x.data)[k] = (float)(k % 7);
    assert_int_equal(onr_model_load_memory(bytes.bytes, bytes.size, NULL, &model, NULL), ONR_STATUS_OK);
    assert_int_equal(onr_session_create(model, NULL, &session, NULL), ONR_STATUS_OK);
    assert_int_equal(onr_session_set_input(session, 0, &x, NULL), ONR_STATUS_OK);
    assert_int_equal(onr_session_run(session, NULL), ONR_STATUS_OK);
    onr_session_destroy(session);
    onr_model_destroy(model);
    proto_free(&bytes);
  }
  munmap(f.start, f.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions_read_no_further_than_their_input)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
