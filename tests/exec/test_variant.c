/* variant: a model made anew for the inputs with a default that are set: when, for which, with whose memory, and how
 * the session's inputs get to its own, in another order. */
#include "support/small_session.h"

#include "exec/variant.h"

static char made_for[64]; /* names that vary was asked for */
static size_t made;
static int vary_fails;

static struct onr_model *small_model(const struct onr_model_options *options, const char *const *inputs, size_t count) {
  const struct onr_model_info info = {0};
  struct onr_model *model;
  struct onri_graph *graph;
  int32_t in[4], sum;
  assert_int_equal(onri_model_create(options, &model, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_create(&model->env, &graph, NULL), ONR_STATUS_OK);
  for (size_t i = 0; i < count; i++) in[i] = value(graph, inputs[i]);
  sum = in[0];
  for (size_t i = 1; i < count; i++) sum = node(graph, &add, (int32_t[]){sum, in[i]}, 2);
  assert_int_equal(onri_graph_set_inputs(graph, in, count, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(graph, &sum, 1, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_model_finish(model, graph, &info, NULL, NULL, options, NULL), ONR_STATUS_OK);
  return model;
}

/* In the order of the file: b, x, a. */
static enum onr_status vary(const struct onr_model *model, const char **names, size_t count,
                            const struct onr_model_options *options, struct onr_model **variant,
                            struct onr_error *error) {
  const char *inputs[4];
  size_t n = 0;
  (void)model;
  made++;
  made_for[0] = 0;
  for (size_t i = 0; i < count; i++) strcat(made_for, names[i]);
  assert_ptr_equal(options->allocator, &counted_memory);
  if (vary_fails) return onr_fail(error, ONR_STATUS_IO, "the file is gone");
  if (strchr(made_for, 'b')) inputs[n++] = "b";
  inputs[n++] = "x";
  if (strchr(made_for, 'a')) inputs[n++] = "a";
  *variant = small_model(options, inputs, n);
  return ONR_STATUS_OK;
}

/* A model of x, which may be given a and b, too. */
static struct onr_model *begin(struct onri_default *defaults) {
  const struct onr_model_options options = {
      .size = sizeof(options), .allocator = &counted_memory, .disabled_passes = "all"};
  const struct onr_model_info info = {0};
  struct onr_model *model;
  struct onri_graph *graph;
  made = 0;
  counted_memory_begin();
  vary_fails = 0;
  assert_int_equal(onri_model_create(&options, &model, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_create(&model->env, &graph, NULL), ONR_STATUS_OK);
  const int32_t x = value(graph, "x");
  assert_int_equal(onri_graph_set_inputs(graph, &x, 1, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_graph_set_outputs(graph, &x, 1, NULL), ONR_STATUS_OK);
  defaults[0] = (struct onri_default){.name = "a", .desc = {.dtype = ONR_DTYPE_F32}};
  defaults[1] = (struct onri_default){.name = "b", .desc = {.dtype = ONR_DTYPE_F32}};
  model->defaults = defaults;
  model->num_defaults = 2;
  model->vary = vary;
  model->options = options;
  assert_int_equal(onri_model_finish(model, graph, &info, NULL, NULL, &options, NULL), ONR_STATUS_OK);
  return model;
}

static struct onr_tensor one(float *data) { return (struct onr_tensor){{.dtype = ONR_DTYPE_F32}, data}; }

static void it_is_wanted_when_something_is_set(void **state) {
  struct onri_default defaults[2];
  struct onr_model *model = begin(defaults);
  struct onri_variant variant = {0};
  struct onr_tensor inputs[3] = {one((float[]){1})}; /* x, a, b */
  struct onr_env env = model->env;
  (void)state;
  env.allocator = &counted_memory;
  assert_false(onri_variant_is_wanted(model, inputs));
  assert_false(onri_variant_fits(&variant, model, inputs)); /* there is none */
  inputs[2] = one((float[]){3});
  assert_true(onri_variant_is_wanted(model, inputs));
  assert_int_equal(onri_variant_make(&variant, model, inputs, &env, NULL), ONR_STATUS_OK);
  assert_string_equal(made_for, "b");
  assert_true(onri_variant_fits(&variant, model, inputs));
  inputs[1] = one((float[]){2});
  assert_false(onri_variant_fits(&variant, model, inputs));
  assert_int_equal(onri_variant_make(&variant, model, inputs, &env, NULL),
                   ONR_STATUS_OK); /* the old one is given back */
  assert_string_equal(made_for, "ab");
  assert_int_equal(made, 2);
  inputs[2] = (struct onr_tensor){0};
  assert_false(onri_variant_fits(&variant, model, inputs));
  onri_variant_clear(&variant, &counted_memory);
  onri_variant_clear(&variant, &counted_memory);
  onr_model_destroy(model);
  assert_int_equal(counted_live, 0);
}

static void inputs_are_fed_by_name(void **state) {
  struct onri_default defaults[2];
  struct onr_model *model = begin(defaults);
  struct onri_variant variant = {0};
  struct onr_tensor inputs[3] = {one((float[]){1}), one((float[]){2}), one((float[]){3})};
  struct onr_env env = model->env;
  (void)state;
  env.allocator = &counted_memory;
  assert_int_equal(onri_variant_make(&variant, model, inputs, &env, NULL), ONR_STATUS_OK);
  onri_variant_feed(&variant, inputs);
  assert_ptr_equal(variant.fed[0].data, inputs[2].data); /* b */
  assert_ptr_equal(variant.fed[1].data, inputs[0].data); /* x */
  assert_ptr_equal(variant.fed[2].data, inputs[1].data); /* a */
  onri_variant_clear(&variant, &counted_memory);
  onr_model_destroy(model);
}

static void a_failure_leaves_none(void **state) {
  struct onri_default defaults[2];
  struct onr_model *model = begin(defaults);
  struct onri_variant variant = {0};
  struct onr_tensor inputs[3] = {one((float[]){1}), one((float[]){2})};
  struct onr_env env = model->env;
  struct onr_error error = {0};
  (void)state;
  env.allocator = &counted_memory;
  assert_int_equal(onri_variant_make(&variant, model, inputs, &env, &error), ONR_STATUS_OK);
  vary_fails = 1;
  assert_int_equal(onri_variant_make(&variant, model, inputs, &env, &error), ONR_STATUS_IO);
  assert_string_equal(error.message, "the file is gone");
  assert_null(variant.model);
  const size_t before = counted_live;
  for (size_t n = 1; n <= 2; n++) { /* names, and the record of what is set */
    counted_fail_at = counted_total + n;
    assert_int_equal(onri_variant_make(&variant, model, inputs, &env, &error), ONR_STATUS_NO_MEMORY);
    assert_int_equal(counted_live, before);
  }
  counted_fail_at = 0;
  onr_model_destroy(model);
  assert_int_equal(counted_live, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(it_is_wanted_when_something_is_set),
                                     cmocka_unit_test(inputs_are_fed_by_name), cmocka_unit_test(a_failure_leaves_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
