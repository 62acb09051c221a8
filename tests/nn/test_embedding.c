/* Embedding and EmbeddingBag against PyTorch (make_embedding_cases.py) */
#include "tests/support/layer_test.h"

#include "onnxrun/nn.h"
#include "onnxrun/session.h"

#include "embedding_cases.inc"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { ROWS = 6, WIDTH = 4 };
static const int64_t indices[8] = {0, 5, 2, 2, 1, 3, 4, 0};

struct one_case {
  struct onr_embedding p;
  int bag, scaled;
  size_t num_offsets;
  int64_t offsets[4];
};

/* The status of the run, whose result is y where it succeeds. */
static enum onr_status run(const struct one_case *c, const int64_t *data, const float *y, size_t num_y) {
  struct onr_net *net;
  struct onr_model *model;
  struct onr_session *session;
  struct onr_error error;
  const struct onr_desc desc =
      onr_desc_make(ONR_DTYPE_I64, c->num_offsets ? 1 : 2, c->num_offsets ? (int64_t[]){8} : (int64_t[]){2, 4});
  const struct onr_tensor x = {desc, (void *)(uintptr_t)data};
  const struct onr_desc offsets = onr_desc_make(ONR_DTYPE_I64, 1, (int64_t[]){(int64_t)c->num_offsets});
  const struct onr_desc scale = onr_desc_make(ONR_DTYPE_F32, desc.rank, desc.dim);
  assert_int_equal(onr_net_create(NULL, &net, &error), ONR_STATUS_OK);
  const int in = onr_net_input(net, "x", desc.dtype, desc.rank, desc.dim);
  const int begins = c->num_offsets ? onr_net_constant(net, &offsets, c->offsets) : -1;
  const int scaled = c->scaled ? onr_net_constant(net, &scale, scales) : -1;
  const struct onr_weight table = onr_weight(weight, sizeof(weight) / sizeof(*weight));
  onr_net_output(
      net, "y",
      c->bag ? onr_embedding_bag(net, in, begins, scaled, &c->p, table) : onr_embedding(net, in, &c->p, table));
  enum onr_status status = onr_net_finish(net, &model, &error);
  if (status != ONR_STATUS_OK) return status;
  assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
  assert_int_equal(onr_session_set_input(session, 0, &x, &error), ONR_STATUS_OK);
  status = onr_session_run(session, &error);
  if (status == ONR_STATUS_OK) {
    struct onr_tensor out;
    assert_int_equal(onr_session_get_output(session, 0, &out, &error), ONR_STATUS_OK);
    assert_int_equal(onr_desc_elements(&out.desc), num_y);
    assert_close(out.data, y, num_y, 1e-4, 1e-4);
  }
  onr_session_destroy(session);
  onr_model_destroy(model);
  return status;
}

#define CHECK(y, ...) assert_int_equal(run(&(struct one_case){__VA_ARGS__}, indices, y, COUNT(y)), ONR_STATUS_OK)
#define TABLE .num_embeddings = ROWS, .embedding_dim = WIDTH

static void embedding(void **state) {
  (void)state;
  CHECK(plain_y, .p = {TABLE});
  CHECK(norm2_y, .p = {TABLE, .max_norm = 1});
  CHECK(norm1_y, .p = {TABLE, .max_norm = 1.5f, .norm_type = 1});
}

static void bags(void **state) {
  (void)state;
  CHECK(mean_y, {TABLE}, .bag = 1);
  CHECK(max_y, {TABLE, .mode = ONR_EMBEDDING_MAX}, .bag = 1, .num_offsets = 3, .offsets = {0, 3, 3});
  CHECK(sum_y, {TABLE, .mode = ONR_EMBEDDING_SUM}, .bag = 1, .scaled = 1, .num_offsets = 3, .offsets = {0, 3, 3});
  CHECK(padding_y, {TABLE, .has_padding_idx = 1, .padding_idx = 2}, .bag = 1);
  CHECK(last_y, {TABLE, .include_last_offset = 1}, .bag = 1, .num_offsets = 4, .offsets = {0, 3, 3, 8});
}

static void wrong_indices_and_offsets_are_refused(void **state) {
  static const int64_t high[8] = {0, 6}, low[8] = {0, -1};
  const struct one_case whole = {{TABLE}, .bag = 1};
  const struct one_case falling = {{TABLE}, .bag = 1, .num_offsets = 3, .offsets = {0, 4, 3}};
  const struct one_case late = {{TABLE}, .bag = 1, .num_offsets = 1, .offsets = {1}};
  const struct one_case long_one = {{TABLE}, .bag = 1, .num_offsets = 2, .offsets = {0, 9}};
  const struct one_case scaled = {{TABLE}, .bag = 1, .scaled = 1},
                        empty = {{.num_embeddings = 0, .embedding_dim = 4}, .bag = 0};
  (void)state;
  assert_int_equal(run(&whole, high, NULL, 0), ONR_STATUS_INDEX);
  assert_int_equal(run(&whole, low, NULL, 0), ONR_STATUS_INDEX);
  assert_int_equal(run(&falling, indices, NULL, 0), ONR_STATUS_INDEX);
  assert_int_equal(run(&late, indices, NULL, 0), ONR_STATUS_INDEX);
  assert_int_equal(run(&long_one, indices, NULL, 0), ONR_STATUS_INDEX);
  assert_int_equal(run(&scaled, indices, NULL, 0), ONR_STATUS_ARGUMENT);
  assert_int_equal(run(&empty, indices, NULL, 0), ONR_STATUS_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(embedding),
      cmocka_unit_test(bags),
      cmocka_unit_test(wrong_indices_and_offsets_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
