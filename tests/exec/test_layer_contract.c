/* What layer.h promises a layer, seen from inside one: which function is called when, and what its call holds. */
#include "tests/support/layer_test.h"

#include <string.h>

#include "onnxrun/nn.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/sequence.h"

/* Parameters of the probe, and what it has seen. */
struct probe_params {
  int32_t refuse; /* check says no */
};

static struct { int checks, prepares, infers, runs, omitted; } seen;

/* Inputs and outputs behind those of the node can be looked at, and are omitted. */
static int rest_is_omitted(const struct onr_call *c) {
  for (size_t i = c->num_in; i < 6; i++)
    if (c->in[i].dtype != ONR_DTYPE_NONE || c->inputs[i]) return 0;
  return 1;
}

static enum onr_status probe_check(const struct onr_call *c) {
  const struct probe_params *p = c->params;
  seen.checks++;
  return p->refuse ? ONR_STATUS_ATTRIBUTE : ONR_STATUS_OK;
}

static enum onr_status probe_infer(struct onr_call *c) {
  assert_true(seen.checks > 0);
  seen.infers++;
  seen.omitted += rest_is_omitted(c);
  for (size_t i = 0; i < c->num_out; i++) c->out[i] = c->in[0];
  return ONR_STATUS_OK;
}

static enum onr_status probe_prepare(struct onr_call *c) {
  assert_true(seen.checks > 0);
  seen.prepares++;
  seen.omitted += rest_is_omitted(c);
  assert_int_equal(c->in[0].rank, -1); /* not constant: it is there, and no more */
  assert_int_not_equal(c->in[0].dtype, ONR_DTYPE_NONE);
  assert_null(c->inputs[0]);
  assert_int_equal(c->in[1].dim[0], 3);
  assert_float_equal(((const float *)c->inputs[1])[2], 7, 0);
  return ONR_STATUS_OK;
}

static enum onr_status probe_run(struct onr_call *c) {
  seen.runs++;
  seen.omitted += rest_is_omitted(c);
  assert_non_null(c->outputs[0]);
  assert_non_null(c->outputs[1]); /* the table needs both, whether anybody reads them or not */
  assert_non_null(c->scratch);
  for (size_t k = 0; k < 2; k++) memcpy(c->outputs[k], c->inputs[0], onr_desc_bytes(&c->in[0]));
  return ONR_STATUS_OK;
}

static const struct onr_layer probe = {.name = "probe",
                                       .inputs_min = 2,
                                       .inputs_max = 6,
                                       .outputs_min = 2,
                                       .outputs_max = 2,
                                       .params_size = sizeof(struct probe_params),
                                       .check = probe_check,
                                       .infer = probe_infer,
                                       .prepare = probe_prepare,
                                       .run = probe_run};

/* A network of the probe whose output 0 or 1 is the network's. */
static enum onr_status make(int refuse, int which, struct onr_model **model, struct onr_error *error) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){3});
  struct onr_net *net;
  int y[2];
  memset(&seen, 0, sizeof(seen));
  assert_int_equal(onr_net_create(NULL, &net, error), ONR_STATUS_OK);
  const int x = onr_net_input(net, "x", ONR_DTYPE_F32, 1, (int64_t[]){ONR_UNKNOWN_DIM});
  const int w = onr_net_constant(net, &desc, (float[]){5, 6, 7});
  onr_net_layer(net, &probe, &(struct probe_params){refuse}, (int[]){x, w}, 2, y, 2);
  onr_net_output(net, "y", y[which]);
  return onr_net_finish(net, model, error);
}

static void a_run_sees_what_was_promised(void **state) {
  float x[] = {1, 2}, y[2] = {0};
  const struct onr_tensor in = {onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){2}), x};
  (void)state;
  for (int which = 0; which < 2; which++) {
    struct onr_session *session;
    struct onr_model *model;
    struct onr_error error;
    assert_int_equal(make(0, which, &model, &error), ONR_STATUS_OK);
    assert_int_equal(seen.prepares, 1);
    assert_int_equal(onr_session_create(model, NULL, &session, &error), ONR_STATUS_OK);
    assert_int_equal(onr_session_set_input(session, 0, &in, &error), ONR_STATUS_OK);
    assert_int_equal(onr_session_bind_output(session, 0, y, sizeof(y), &error), ONR_STATUS_OK);
    assert_int_equal(onr_session_run(session, &error), ONR_STATUS_OK);
    assert_memory_equal(x, y, sizeof(y));
    assert_int_equal(seen.runs, 1);
    assert_int_equal(seen.omitted, seen.infers + seen.prepares + seen.runs);
    onr_session_destroy(session);
    onr_model_destroy(model);
  }
}

static void prepare_is_not_called_after_check_has_refused(void **state) {
  struct onr_model *model = NULL;
  struct onr_error error;
  (void)state;
  assert_int_equal(make(1, 0, &model, &error), ONR_STATUS_ATTRIBUTE);
  assert_int_equal(seen.prepares, 0);
  assert_null(model);
}

/* A layer that does not say that it takes sequences gets none. */
static void only_who_asks_for_sequences_gets_them(void **state) {
  static const struct onr_layer plain = {
      .name = "plain", .inputs_min = 1, .inputs_max = 1, .outputs_min = 1, .outputs_max = 1, .run = probe_run};
  struct layer_test t = {.layer = &plain, .num_out = 1};
  (void)state;
  layer_test_input(&t, ONR_DTYPE_SEQUENCE, 1, (int64_t[]){64}, (char[64]){0});
  assert_int_equal(layer_test_run(&t), ONR_STATUS_TYPE);
  layer_test_clear(&t);
}

/* --- blocks --- */

enum { ENTRIES = 2, FIELDS = sizeof(struct onr_desc) + sizeof(uint64_t) };

static void entries_of_a_damaged_block_are_none(void **state) {
  float data[4] = {1, 2, 3, 4};
  const struct onr_tensor entries[ENTRIES] = {{onr_desc_make(ONR_DTYPE_F32, 1, (int64_t[]){4}), data},
                                              {onr_desc_make(ONR_DTYPE_F32, 0, NULL), data}};
  const struct onr_desc desc = onr_sequence_desc(ONR_DTYPE_SEQUENCE, entries, ENTRIES);
  const size_t bytes = (size_t)desc.dim[0], table = 2 * sizeof(int64_t);
  unsigned char *block = test_malloc(bytes);
  const struct onr_tensor sequence = {desc, block};
  (void)state;
  onr_sequence_write(entries, ENTRIES, block);
  assert_memory_equal(onr_sequence_entry(&sequence, 0).data, data, sizeof(data));
  assert_int_equal(onr_sequence_entry(&sequence, ENTRIES).desc.dtype, ONR_DTYPE_NONE);
  assert_int_equal(onr_sequence_entry(&sequence, -1).desc.dtype, ONR_DTYPE_NONE);
  /* Each byte of the header and of the table turned over, in all ways: whatever is said then lies inside. */
  for (size_t at = 0; at < table + ENTRIES * FIELDS; at++)
    for (int bit = 0; bit < 8; bit++) {
      onr_sequence_write(entries, ENTRIES, block);
      block[at] ^= (unsigned char)(1u << bit);
      for (int64_t i = 0; i < onr_sequence_length(&sequence); i++) {
        const struct onr_tensor e = onr_sequence_entry(&sequence, i);
        if (e.desc.dtype == ONR_DTYPE_NONE) continue;
        assert_true((unsigned char *)e.data >= block && (unsigned char *)e.data <= block + bytes);
        assert_true(onr_desc_bytes(&e.desc) <= (size_t)(block + bytes - (unsigned char *)e.data));
      }
    }
  test_free(block);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_run_sees_what_was_promised),
      cmocka_unit_test(prepare_is_not_called_after_check_has_refused),
      cmocka_unit_test(only_who_asks_for_sequences_gets_them),
      cmocka_unit_test(entries_of_a_damaged_block_are_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
