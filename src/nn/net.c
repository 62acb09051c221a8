/* net.c: the builder behind networks written in C. */
#include "nn/net.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/numbers/checked.h"
#include "base/shape.h"

int onri_net_fail(struct onr_net *net, enum onr_status status, const char *format, ...) {
  va_list arguments;
  if (!net || net->failed) return -1;
  net->failed = 1;
  net->error.status = status;
  snprintf(net->error.where, sizeof(net->error.where), "%s", net->path);
  va_start(arguments, format);
  vsnprintf(net->error.message, sizeof(net->error.message), format, arguments);
  va_end(arguments);
  return -1;
}

static int no_memory(struct onr_net *net) {
  return onri_net_fail(net, ONR_STATUS_NO_MEMORY, "no memory for a network");
}

enum onr_status onr_net_create(const struct onr_model_options *given, struct onr_net **net, struct onr_error *error) {
  struct onr_model_options options;
  struct onr_model *model;
  struct onr_net *n;
  enum onr_status status;
  if (!net) return onr_fail(error, ONR_STATUS_ARGUMENT, "net must not be NULL");
  *net = NULL;
  ONR_TRY(onri_model_options_read(given, &options, error));
  ONR_TRY(onri_model_create(&options, &model, error));
  n = onri_allocate_zeroed(model->env.allocator, sizeof(*n));
  status = n ? ONR_STATUS_OK : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for a network");
  if (n) {
    n->model = model;
    n->options = options;
    status = onri_graph_create(&model->env, &n->graph, error);
  }
  if (status == ONR_STATUS_OK) {
    *net = n;
    return status;
  }
  status = onri_meter_settle_model(&model->meter, status, error);
  if (n) onri_release(model->env.allocator, n);
  onr_model_destroy(model);
  return status;
}

/* Everything but the model and what it has taken over. */
static void release(struct onr_net *net) {
  const struct onr_allocator *allocator = net->model->env.allocator;
  onri_release(allocator, net->inputs);
  onri_release(allocator, net->outputs);
  onri_release(allocator, net);
}

void onr_net_destroy(struct onr_net *net) {
  struct onr_model *model;
  if (!net) return;
  model = net->model;
  onri_graph_destroy(net->graph);
  release(net);
  onr_model_destroy(model);
}

enum onr_status onr_net_finish(struct onr_net *net, struct onr_model **model, struct onr_error *error) {
  enum onr_status status;
  if (model) *model = NULL;
  if (!net || !model) {
    onr_net_destroy(net);
    return onr_fail(error, ONR_STATUS_ARGUMENT, "net and model must not be NULL");
  }
  const struct onr_model_options options = net->options;
  struct onr_model *m = net->model;
  struct onr_model_info info = {.producer_name = "onnxrun", .parameters = net->parameters};
  if (!net->failed && !net->num_outputs) onri_net_fail(net, ONR_STATUS_ARGUMENT, "the network has no output");
  if (net->failed) {
    status = onri_meter_settle_model(&m->meter, net->error.status, &net->error);
    if (error) *error = net->error;
    onr_net_destroy(net);
    return status;
  }
  info.num_nodes_in_file = net->graph->num_nodes;
  status = onri_graph_set_inputs(net->graph, net->inputs, net->num_inputs, error);
  if (status == ONR_STATUS_OK) status = onri_graph_set_outputs(net->graph, net->outputs, net->num_outputs, error);
  if (status != ONR_STATUS_OK) {
    onr_net_destroy(net);
    return status;
  }
  struct onri_graph *graph = net->graph;
  release(net);
  status = onri_meter_settle_model(&m->meter, onri_model_finish(m, graph, &info, NULL, NULL, &options, error), error);
  if (status == ONR_STATUS_OK) *model = m;
  else onr_model_destroy(m);
  return status;
}

static int append(struct onr_net *net, int32_t **list, size_t *count, size_t *capacity, int value) {
  if (!onri_grow(net->model->env.allocator, list, sizeof(**list), capacity, *count + 1)) return no_memory(net);
  (*list)[(*count)++] = value;
  return value;
}

static int is_taken(const struct onr_net *net, const int32_t *list, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(net->graph->values[list[i]].name, name) == 0) return 1;
  return 0;
}

int onr_net_input(struct onr_net *net, const char *name, enum onr_dtype dtype, int32_t rank, const int64_t *dims) {
  struct onr_desc desc;
  int value;
  if (!net || net->failed) return -1;
  if (!name) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "an input has no name");
  if (is_taken(net, net->inputs, net->num_inputs, name))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "two inputs have the name '%s'", name);
  if (rank < 0 || rank > ONR_MAX_RANK)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "input '%s': rank %d is outside of 0..%d", name, rank, ONR_MAX_RANK);
  if (!onr_dtype_size(dtype))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "input '%s': unknown data type %d", name, (int)dtype);
  if (rank && !dims) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "input '%s': dims is NULL", name);
  desc = onr_desc_make(dtype, rank, dims);
  for (int32_t d = 0; d < rank; d++)
    if (desc.dim[d] < ONR_UNKNOWN_DIM)
      return onri_net_fail(net, ONR_STATUS_ARGUMENT, "input '%s': dimension %d is negative", name, d);
  value = onri_graph_add_value(net->graph, name, &desc);
  return value < 0 ? no_memory(net) : append(net, &net->inputs, &net->num_inputs, &net->inputs_capacity, value);
}

/* A value that is an output already, or an input or constant, gets a name of its own through an identity. */
void onr_net_output(struct onr_net *net, const char *name, int value) {
  struct onri_value *v;
  if (!net || net->failed) return;
  if (!name) {
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "an output has no name");
    return;
  }
  if (is_taken(net, net->outputs, net->num_outputs, name)) {
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "two outputs have the name '%s'", name);
    return;
  }
  if (value < 0 || (size_t)value >= net->graph->num_values) {
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "output '%s': %d is no value of this network", name, value);
    return;
  }
  if (net->graph->values[value].name[0] || net->graph->values[value].producer == ONRI_NONE) {
    value = onri_net_1(net, &onri_layer_identity, NULL, value);
    if (value < 0) return;
  }
  v = &net->graph->values[value];
  v->name = onri_arena_string(&net->graph->arena, name);
  if (!v->name) no_memory(net);
  else append(net, &net->outputs, &net->num_outputs, &net->outputs_capacity, value);
}

static int is_float(enum onr_dtype dtype) { return (ONRI_DTYPES_FLOAT & ONRI_DTYPE_BIT(dtype)) != 0; }

int onr_net_constant(struct onr_net *net, const struct onr_desc *desc, const void *data) {
  int value;
  struct onr_error error;
  if (!net || net->failed) return -1;
  if (!desc) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "a constant without a descriptor");
  if (onri_desc_check(desc, &net->model->env, &error) != ONR_STATUS_OK)
    return onri_net_fail(net, error.status, "%s", error.message);
  if (!data && onr_desc_elements(desc)) return onri_net_fail(net, ONR_STATUS_ARGUMENT, "a constant without data");
  value = onri_graph_add_data(net->graph, desc, data);
  if (value < 0) return no_memory(net);
  if (is_float(desc->dtype)) net->parameters += onr_desc_elements(desc);
  return value;
}

static const struct onri_origin *origin_of(struct onr_net *net, const struct onr_layer *layer) {
  struct onri_origin *o;
  if (net->origin && strcmp(net->origin->op_type, layer->name) == 0) return net->origin;
  o = onri_arena_allocate(&net->graph->arena, sizeof(*o));
  if (!o) return NULL;
  *o = (struct onri_origin){.op_type = layer->name, .name = "", .module_class = "", .source = ""};
  o->module_path = onri_arena_string(&net->graph->arena, net->path);
  if (!o->module_path) return NULL;
  net->origin = o;
  return o;
}

static int add_layer(struct onr_net *net, const struct onr_layer *layer, const void *params, const int *in,
                     size_t num_in, int *out, size_t num_out) {
  const struct onri_origin *origin;
  if (net->failed) return -1;
  for (size_t i = 0; i < num_in; i++)
    if (in[i] < ONRI_NONE || in[i] >= (int)net->graph->num_values)
      return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: input %zu is no value of this network", layer->name, i);
  for (size_t i = 0; i < layer->inputs_min; i++)
    if (i >= num_in || in[i] == ONRI_NONE)
      return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: input %zu is required but was left out (-1)", layer->name, i);
  origin = origin_of(net, layer);
  if (!origin) return no_memory(net);
  for (size_t i = 0; i < num_out; i++) {
    out[i] = onri_graph_add_value(net->graph, NULL, NULL);
    if (out[i] < 0) return no_memory(net);
  }
  if (!onri_graph_add_node(net->graph, layer, params, origin, in, num_in, out, num_out)) return no_memory(net);
  return num_out ? out[0] : -1;
}

/* The outputs are collected apart: out may be in. */
int onr_net_layer(struct onr_net *net, const struct onr_layer *layer, const void *params, const int *in, size_t num_in,
                  int *out, size_t num_out) {
  int *made = NULL, first = -1;
  if (!layer || (!in && num_in) || (!out && num_out))
    onri_net_fail(net, ONR_STATUS_ARGUMENT, "layer, in and out must not be NULL");
  else if (net && !net->failed) {
    made = onri_arena_allocate(&net->graph->arena, (num_out + 1) * sizeof(*made));
    if (made) first = add_layer(net, layer, params, in, num_in, made, num_out);
    else no_memory(net);
  }
  for (size_t i = 0; out && i < num_out; i++) out[i] = made && !net->failed ? made[i] : -1;
  return first;
}

void onr_net_push(struct onr_net *net, const char *module) {
  if (!onri_net_check_given(net, "onr_net_push", "module", module)) return;
  const size_t used = strlen(net->path);
  if (net->depth == ONRI_NET_DEPTH) {
    onri_net_fail(net, ONR_STATUS_LIMIT, "modules nest deeper than %d", ONRI_NET_DEPTH);
    return;
  }
  if (strlen(module) >= sizeof(net->path) - used - (used != 0)) {
    onri_net_fail(net, ONR_STATUS_LIMIT, "a module path is longer than %zu characters", sizeof(net->path) - 1);
    return;
  }
  net->path_ends[net->depth++] = used;
  snprintf(net->path + used, sizeof(net->path) - used, "%s%s", used ? "." : "", module);
  net->origin = NULL;
}

void onr_net_pop(struct onr_net *net) {
  if (!net) return;
  if (!net->depth) {
    onri_net_fail(net, ONR_STATUS_STATE, "onr_net_pop without onr_net_push");
    return;
  }
  net->path[net->path_ends[--net->depth]] = '\0';
  net->origin = NULL;
}

int64_t onr_net_parameters(const struct onr_net *net) { return net ? net->parameters : 0; }

enum onr_status onr_net_shape(struct onr_net *net, int value, const struct onr_desc *inputs, size_t num_inputs,
                              struct onr_desc *desc, struct onr_error *error) {
  struct onri_inference inference;
  enum onr_status status;
  if (!net || (!inputs && num_inputs) || !desc)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "net, inputs and desc must not be NULL");
  if (net->failed) {
    if (error) *error = net->error;
    return net->error.status;
  }
  if (num_inputs != net->num_inputs)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "the network has %zu inputs, got %zu", net->num_inputs, num_inputs);
  if (value < 0 || (size_t)value >= net->graph->num_values)
    return onr_fail(error, ONR_STATUS_ARGUMENT, "%d is no value of this network", value);
  ONR_TRY(onri_inference_init(&inference, net->graph, &net->model->env, 1, error));
  for (size_t i = 0; i < num_inputs; i++) inference.descs[net->inputs[i]] = inputs[i];
  status = ONR_STATUS_OK;
  for (size_t n = 0; status == ONR_STATUS_OK && n < net->graph->num_nodes; n++) {
    enum onri_inferred inferred;
    status = onri_inference_step(&inference, &net->graph->nodes[n], &inferred, error);
  }
  *desc = inference.descs[value];
  onri_inference_clear(&inference);
  if (status == ONR_STATUS_OK && desc->rank == ONRI_UNKNOWN_RANK)
    return onr_fail(error, ONR_STATUS_STATE, "the shape of value %d depends on data", value);
  return status;
}

int onri_net_weight(struct onr_net *net, const char *layer, const char *name, struct onr_weight weight, int32_t rank,
                    const int64_t *dims) {
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_F32, rank, dims);
  struct onr_error error;
  char text[160];
  if (!weight.data) return ONRI_NONE;
  if (!net || net->failed) return -1;
  if (onri_desc_check(&desc, &net->model->env, &error) != ONR_STATUS_OK)
    return onri_net_fail(net, error.status, "%s: %s: %s", layer, name, error.message);
  if ((uint64_t)onr_desc_elements(&desc) == weight.count) return onr_net_constant(net, &desc, weight.data);
  return onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected %s of %s, %lld numbers, got %zu", layer, name,
                       onr_desc_format(&desc, text, sizeof(text)), (long long)onr_desc_elements(&desc), weight.count);
}

int onri_net_check_count(struct onr_net *net, const char *layer, const char *name, struct onr_weight weight,
                         int64_t rows, int64_t columns) {
  int64_t expected;
  if (!net) return 0;
  if (!weight.data || (onri_mul_i64(rows, columns, &expected) && (uint64_t)expected == weight.count)) return 1;
  onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: expected %s of [%lld,%lld], got %zu numbers", layer, name,
                (long long)rows, (long long)columns, weight.count);
  return 0;
}

int onri_net_check_given(struct onr_net *net, const char *layer, const char *name, const void *given) {
  if (net && given) return 1;
  onri_net_fail(net, ONR_STATUS_ARGUMENT, "%s: %s is NULL", layer, name);
  return 0;
}

int onri_net_ints(struct onr_net *net, const int64_t *values, size_t count) {
  const int64_t length = (int64_t)count;
  const struct onr_desc desc = onr_desc_make(ONR_DTYPE_I64, 1, &length);
  return onr_net_constant(net, &desc, values);
}

int onri_net_float(struct onr_net *net, float value) {
  const struct onr_desc desc = {.dtype = ONR_DTYPE_F32};
  const int constant = onr_net_constant(net, &desc, &value);
  if (constant >= 0) net->parameters--; /* a number of the formula, not a weight */
  return constant;
}

static int add(struct onr_net *net, const struct onr_layer *layer, const void *params, const int *in, size_t num_in) {
  int out;
  while (num_in && in[num_in - 1] == ONRI_NONE) num_in--;
  return onr_net_layer(net, layer, params, in, num_in, &out, 1);
}

int onri_net_1(struct onr_net *net, const struct onr_layer *layer, const void *params, int x) {
  return add(net, layer, params, &x, 1);
}

int onri_net_2(struct onr_net *net, const struct onr_layer *layer, const void *params, int x, int y) {
  return add(net, layer, params, (int[]){x, y}, 2);
}

int onri_net_3(struct onr_net *net, const struct onr_layer *layer, const void *params, int x, int y, int z) {
  return add(net, layer, params, (int[]){x, y, z}, 3);
}
