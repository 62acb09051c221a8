/* The table of types: what a layer's rules let through, and what is said of the rest. */
#include "tests/support/layer_test.h"

#include <string.h>

#include "base/env.h"
#include "base/types.h"
#include "graph/graph.h"
#include "layers/layers.h"

static uint32_t by_params(const void *params, size_t i) {
  return i == 1 && *(const int *)params ? ONRI_DTYPE_BIT(ONR_DTYPE_BOOL) : 0;
}

static const struct onr_layer fixed = {.name = "fixed",
                                       .inputs_min = 1,
                                       .inputs_max = 4,
                                       .types = {ONRI_DTYPES_FLOAT, ONRI_DTYPES_INDEX, ONR_AS_INPUT(0)},
                                       .types_by_params = by_params};
static const struct onr_layer list = {
    .name = "list", .inputs_min = 1, .inputs_max = ONR_VARIADIC, .types = {0, ONR_AS_INPUT(0)}};

/* The status for inputs of these types; NONE: omitted. */
static enum onr_status check(const struct onr_layer *layer, int params, const enum onr_dtype *types, size_t count,
                             struct onr_error *error) {
  struct onr_desc in[8];
  const struct onr_call call = {.params = &params, .num_in = count, .in = in, .error = error};
  for (size_t i = 0; i < count; i++) in[i] = (struct onr_desc){.dtype = types[i]};
  return onri_types_check(layer, &call);
}

static void every_type_is_in_the_set_or_refused(void **state) {
  struct onr_error error;
  (void)state;
  for (int d = 1; d < ONR_NUM_DTYPES; d++) {
    const enum onr_dtype t = (enum onr_dtype)d;
    const int is_float = t == ONR_DTYPE_F32 || t == ONR_DTYPE_F64 || t == ONR_DTYPE_F16 || t == ONR_DTYPE_BF16;
    const int is_block = t == ONR_DTYPE_MAP || t == ONR_DTYPE_SEQUENCE || t == ONR_DTYPE_OPTIONAL;
    const int is_index = t == ONR_DTYPE_I32 || t == ONR_DTYPE_I64;
    assert_int_equal(check(&fixed, 0, (enum onr_dtype[]){t}, 1, &error), is_float ? ONR_STATUS_OK : ONR_STATUS_TYPE);
    assert_int_equal(check(&fixed, 0, (enum onr_dtype[]){ONR_DTYPE_F32, t}, 2, &error),
                     is_index ? ONR_STATUS_OK : ONR_STATUS_TYPE);
    assert_int_equal(check(&fixed, 1, (enum onr_dtype[]){ONR_DTYPE_F32, t}, 2, &error),
                     t == ONR_DTYPE_BOOL ? ONR_STATUS_OK : ONR_STATUS_TYPE);
    assert_int_equal(check(&fixed, 0, (enum onr_dtype[]){ONR_DTYPE_F16, ONR_DTYPE_NONE, t}, 3, &error),
                     t == ONR_DTYPE_F16 ? ONR_STATUS_OK : ONR_STATUS_TYPE);
    assert_int_equal(check(&fixed, 0, (enum onr_dtype[]){ONR_DTYPE_F16, ONR_DTYPE_NONE, ONR_DTYPE_NONE, t}, 4, &error),
                     is_block ? ONR_STATUS_TYPE : ONR_STATUS_OK);
    assert_int_equal(check(&list, 0, (enum onr_dtype[]){t, t, t, t, t}, 5, &error),
                     is_block ? ONR_STATUS_TYPE : ONR_STATUS_OK);
    assert_int_equal(check(&list, 0, (enum onr_dtype[]){ONR_DTYPE_U8, ONR_DTYPE_U8, ONR_DTYPE_U8, t}, 4, &error),
                     t == ONR_DTYPE_U8 ? ONR_STATUS_OK : ONR_STATUS_TYPE);
  }
}

static void messages_name_input_and_types(void **state) {
  struct onr_error error;
  (void)state;
  check(&fixed, 0, (enum onr_dtype[]){ONR_DTYPE_I8}, 1, &error);
  assert_string_equal(error.message, "input 0: expected any float, found int8");
  check(&fixed, 0, (enum onr_dtype[]){ONR_DTYPE_F32, ONR_DTYPE_F32}, 2, &error);
  assert_string_equal(error.message, "input 1: expected int32 or int64, found float32");
  check(&fixed, 0, (enum onr_dtype[]){ONR_DTYPE_F32, ONR_DTYPE_I32, ONR_DTYPE_F64}, 3, &error);
  assert_string_equal(error.message, "input 2: expected float32 like input 0, found float64");
  check(&list, 0, (enum onr_dtype[]){ONR_DTYPE_MAP}, 1, &error);
  assert_string_equal(error.message, "input 0: expected a tensor, found map");
}

/* In prepare, the types of what is not constant (of unknown rank) are a guess; what is constant is held to its set and
 * to the others that are to be like it, whatever is guessed. */
static void guesses_are_not_refused(void **state) {
  const struct onr_desc guess = {.dtype = ONR_DTYPE_I8, .rank = -1}, f32 = {.dtype = ONR_DTYPE_F32},
                        f64 = {.dtype = ONR_DTYPE_F64}, i64 = {.dtype = ONR_DTYPE_I64};
  static const struct onr_layer three = {.name = "three",
                                         .inputs_min = 1,
                                         .inputs_max = 3,
                                         .types = {ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0), ONR_AS_INPUT(1)}};
  const struct {
    struct onr_desc in[3];
    enum onr_status status;
  } cases[] = {{{guess, guess, guess}, ONR_STATUS_OK}, {{guess, f32, guess}, ONR_STATUS_OK},
               {{guess, f32, f32}, ONR_STATUS_OK},     {{guess, f32, f64}, ONR_STATUS_TYPE},
               {{guess, i64, guess}, ONR_STATUS_TYPE}, {{guess, guess, i64}, ONR_STATUS_TYPE},
               {{f32, guess, f64}, ONR_STATUS_TYPE},   {{f64, guess, f64}, ONR_STATUS_OK}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct onr_error error;
    const struct onr_call call = {.num_in = 3, .in = cases[i].in, .error = &error};
    assert_int_equal(onri_types_check(&three, &call), cases[i].status);
  }
}

/* A constant of a type that the layer cannot have does not reach its prepare, although the rest is not known yet. */
static void prepare_sees_no_constant_of_a_wrong_type(void **state) {
  const struct onr_conv_params params = {.groups = 1};
  (void)state;
  for (int transposed = 0; transposed < 2; transposed++) {
    struct layer_test t = {
        .layer = transposed ? &onri_layer_conv_transpose : &onri_layer_conv,
        .params = transposed ? (const void *)&(struct onr_conv_transpose_params){.groups = 1} : &params,
        .num_out = 1};
    const int64_t dims[] = {64, 1, 3, 3};
    struct onr_desc in[9] = {{.dtype = ONR_DTYPE_F32, .rank = -1}, onr_desc_make(ONR_DTYPE_I64, 4, dims)};
    static const int64_t weight[64 * 9];
    struct onr_env env = {.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
    struct onr_error error;
    void *prepared = onri_allocate_zeroed(env.allocator, t.layer->prepared_size);
    struct onr_call call = {.params = t.params,
                            .prepared = prepared,
                            .num_in = 2,
                            .num_out = 1,
                            .in = in,
                            .inputs = (const void *const[9]){NULL, weight},
                            .env = &env,
                            .error = &error};
    assert_int_equal(onri_call_prepare(t.layer, &call), ONR_STATUS_OK);
    assert_int_equal(call.packed_inputs, 0);
    t.layer->release_prepared(prepared, &env);
    onri_release(env.allocator, prepared);
  }
}

/* --- the tables of all layers --- */

static const struct onr_layer *const layers[] = {
#define ONRI_LAYER(name) &onri_layer_##name,
#include "layers/layers.inc"
#undef ONRI_LAYER
};
enum { NUM_LAYERS = sizeof(layers) / sizeof(layers[0]) };

/* "As input k" names an earlier input, so that one look at each input is enough. */
static void rules_refer_to_earlier_inputs(void **state) {
  (void)state;
  for (size_t n = 0; n < NUM_LAYERS; n++)
    for (size_t i = 0; i < ONR_LAYER_TYPES; i++) {
      const int32_t as = onri_types_as(layers[n]->types[i]);
      if (as >= (int32_t)i) fail_msg("%s: input %zu is to be like input %d", layers[n]->name, i, (int)as);
    }
}

static const uint64_t zeros[64];

/* What a table refuses, the driver refuses before the layer's infer sees it, whatever the other inputs are. */
static void no_infer_sees_a_type_that_its_table_refuses(void **state) {
  static const struct onr_layer *const by_set[] = {&onri_layer_softmax, &onri_layer_where,      &onri_layer_det,
                                                   &onri_layer_top_k,   &onri_layer_batch_norm, &onri_layer_attention};
  (void)state;
  for (size_t n = 0; n < sizeof(by_set) / sizeof(by_set[0]); n++)
    for (int d = 1; d < ONR_NUM_DTYPES; d++) {
      struct layer_test t = {.layer = by_set[n], .params = zeros, .num_out = 1};
      if (onri_input_types(t.layer, t.params, 0) >> d & 1) continue;
      for (size_t i = 0; i < t.layer->inputs_min; i++)
        layer_test_input(&t, (enum onr_dtype)d, 1, (int64_t[]){1}, zeros);
      assert_int_equal(layer_test_run(&t), ONR_STATUS_TYPE);
      layer_test_clear(&t);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_is_in_the_set_or_refused),
      cmocka_unit_test(messages_name_input_and_types),
      cmocka_unit_test(guesses_are_not_refused),
      cmocka_unit_test(prepare_sees_no_constant_of_a_wrong_type),
      cmocka_unit_test(rules_refer_to_earlier_inputs),
      cmocka_unit_test(no_infer_sees_a_type_that_its_table_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
