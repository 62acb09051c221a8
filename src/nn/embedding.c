/* embedding.c: torch.nn.Embedding, and EmbeddingBag as a layer of its own. */
#include "onnxrun/nn/embedding.h"

#include <math.h>
#include <string.h>

#include "base/memory/memory.h"
#include "base/types.h"
#include "nn/net.h"
#include "params/index.h"

enum { WEIGHT, INDICES, OFFSETS, SAMPLE_WEIGHTS };

static int has(const struct onr_call *call, size_t i) {
  return i < call->num_in && call->in[i].dtype != ONR_DTYPE_NONE;
}

static int64_t index_at(const struct onr_call *call, size_t input, size_t i) {
  return call->in[input].dtype == ONR_DTYPE_I64 ? ((const int64_t *)call->inputs[input])[i]
                                                : ((const int32_t *)call->inputs[input])[i];
}

/* --- the layer: weight [rows, width], indices [bags, n] or [n], offsets (optional), weights of the samples (optional)
 * --- */

static enum onr_status bag_infer(struct onr_call *call) {
  const struct onr_embedding *p = call->params;
  const struct onr_desc *indices = &call->in[INDICES];
  int64_t bags = indices->dim[0];
  if (indices->rank != (has(call, OFFSETS) ? 1 : 2) || (has(call, OFFSETS) && call->in[OFFSETS].rank != 1))
    return onr_fail(call->error, ONR_STATUS_SHAPE,
                    "expected indices [bags, n], or [n] with offsets [bags], found rank %d", (int)indices->rank);
  if (has(call, OFFSETS)) bags = call->in[OFFSETS].dim[0] - (p->include_last_offset ? 1 : 0);
  if (bags < 0) return onr_fail(call->error, ONR_STATUS_SHAPE, "expected at least one offset with include_last_offset");
  if (has(call, SAMPLE_WEIGHTS)) {
    struct onr_desc expected = *indices;
    expected.dtype = ONR_DTYPE_F32;
    if (!onr_desc_equal(&expected, &call->in[SAMPLE_WEIGHTS]))
      return onr_fail(call->error, ONR_STATUS_SHAPE, "expected float32 per_sample_weights of the indices' shape");
  }
  call->out[0] = onr_desc_make(ONR_DTYPE_F32, 2, (int64_t[]){bags, call->in[WEIGHT].dim[1]});
  return ONR_STATUS_OK;
}

/* First index of a bag; that of the bag behind the last is the end. */
static int64_t bag_begin(const struct onr_call *call, size_t bag) {
  const struct onr_desc *indices = &call->in[INDICES];
  if (!has(call, OFFSETS)) return (int64_t)bag * indices->dim[1];
  return bag < (size_t)call->in[OFFSETS].dim[0] ? index_at(call, OFFSETS, bag) : indices->dim[0];
}

static enum onr_status bag_check(const struct onr_call *call) {
  const size_t count = (size_t)onr_desc_elements(&call->in[INDICES]), bags = (size_t)call->out[0].dim[0];
  const int64_t rows = call->in[WEIGHT].dim[0];
  for (size_t i = 0; i < count; i++)
    if (index_at(call, INDICES, i) < 0 || index_at(call, INDICES, i) >= rows)
      return onr_fail(call->error, ONR_STATUS_INDEX, "index %lld is outside of 0..%lld",
                      (long long)index_at(call, INDICES, i), (long long)rows - 1);
  if (bags && bag_begin(call, 0) != 0)
    return onr_fail(call->error, ONR_STATUS_INDEX, "expected offset 0 to be 0, found %lld",
                    (long long)bag_begin(call, 0));
  for (size_t b = 0; b < bags; b++)
    if (bag_begin(call, b) > bag_begin(call, b + 1) || bag_begin(call, b + 1) > (int64_t)count)
      return onr_fail(call->error, ONR_STATUS_INDEX, "expected offsets that rise up to %zu, found %lld and %lld", count,
                      (long long)bag_begin(call, b), (long long)bag_begin(call, b + 1));
  return ONR_STATUS_OK;
}

static void add_row(enum onr_embedding_mode mode, int first, float scale, const float *row, float *y, size_t width) {
  for (size_t k = 0; k < width; k++) {
    if (mode != ONR_EMBEDDING_MAX) y[k] += scale * row[k];
    else if (first || row[k] > y[k] || isnan(row[k])) y[k] = row[k];
  }
}

static void bag_range(void *context, size_t begin, size_t end) {
  const struct onr_call *call = context;
  const struct onr_embedding *p = call->params;
  const size_t width = (size_t)call->in[WEIGHT].dim[1];
  const float *weight = call->inputs[WEIGHT], *scales = has(call, SAMPLE_WEIGHTS) ? call->inputs[SAMPLE_WEIGHTS] : NULL;
  for (size_t b = begin; b < end; b++) {
    float *y = (float *)call->outputs[0] + b * width;
    const size_t last = (size_t)bag_begin(call, b + 1);
    size_t count = 0;
    memset(y, 0, width * sizeof(*y));
    for (size_t i = (size_t)bag_begin(call, b); i < last; i++) {
      const int64_t index = index_at(call, INDICES, i);
      if (p->has_padding_idx && index == p->padding_idx) continue;
      add_row(p->mode, count++ == 0, scales ? scales[i] : 1.0f, weight + (size_t)index * width, y, width);
    }
    for (size_t k = 0; k < width && p->mode == ONR_EMBEDDING_MEAN && count; k++) y[k] /= (float)count;
  }
}

static enum onr_status bag_run(struct onr_call *call) {
  ONR_TRY(bag_check(call));
  onr_parallel_for(call->env, (size_t)call->out[0].dim[0], 16, bag_range, call);
  return ONR_STATUS_OK;
}

static const struct onr_layer embedding_bag = {
    .name = "embedding_bag",
    .inputs_min = 2,
    .inputs_max = 4,
    .outputs_min = 1,
    .outputs_max = 1,
    .types = {ONRI_DTYPE_BIT(ONR_DTYPE_F32), ONRI_DTYPES_INDEX, ONRI_DTYPES_INDEX, ONRI_DTYPE_BIT(ONR_DTYPE_F32)},
    .params_size = sizeof(struct onr_embedding),
    .infer = bag_infer,
    .run = bag_run,
};

/* --- building --- */

/* Rows longer than max_norm become that long, with PyTorch's guard of 1e-7. */
static void renormalise(float *weight, size_t rows, size_t width, double max_norm, double p) {
  for (size_t r = 0; r < rows; r++, weight += width) {
    double norm = 0;
    for (size_t k = 0; k < width; k++) {
      const double size = fabs((double)weight[k]);
      norm = isinf(p) ? fmax(norm, size) : norm + pow(size, p);
    }
    if (!isinf(p)) norm = pow(norm, 1 / p);
    for (size_t k = 0; k < width && norm > max_norm; k++)
      weight[k] = (float)((double)weight[k] * (max_norm / (norm + 1e-7)));
  }
}

static int table(struct onr_net *net, const struct onr_embedding *p, struct onr_weight weight) {
  if (!onri_net_check_given(net, "Embedding", "its parameters", p)) return -1;
  const struct onr_allocator *allocator = net->model->env.allocator;
  const int64_t dims[2] = {p->num_embeddings, p->embedding_dim};
  const int64_t most = INT64_MAX / 8;
  if (p->num_embeddings <= 0 || p->embedding_dim <= 0 || p->num_embeddings > most / p->embedding_dim)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "Embedding: expected num_embeddings and embedding_dim above 0, got %lld and %lld",
                         (long long)p->num_embeddings, (long long)p->embedding_dim);
  if (!onri_net_check_given(net, "Embedding", "weight", weight.data)) return -1;
  if (!(p->max_norm >= 0) || !(p->norm_type >= 0))
    return onri_net_fail(net, ONR_STATUS_ARGUMENT,
                         "Embedding: expected max_norm and norm_type of 0 or more, got %g and %g", (double)p->max_norm,
                         (double)p->norm_type);
  if (!(p->max_norm > 0)) return onri_net_weight(net, "Embedding", "weight", weight, 2, dims);
  if (!onri_net_check_count(net, "Embedding", "weight", weight, dims[0], dims[1])) return -1;
  const size_t count = (size_t)(p->num_embeddings * p->embedding_dim);
  float *copy = onri_allocate(allocator, count * sizeof(*copy));
  if (!copy) return onri_net_fail(net, ONR_STATUS_NO_MEMORY, "no memory for an embedding");
  memcpy(copy, weight.data, count * sizeof(*copy));
  renormalise(copy, (size_t)dims[0], (size_t)dims[1], (double)p->max_norm,
              p->norm_type > 0 ? (double)p->norm_type : 2.0);
  const int value = onri_net_weight(net, "Embedding", "weight", onr_weight(copy, count), 2, dims);
  onri_release(allocator, copy);
  return value;
}

int onr_embedding(struct onr_net *net, int indices, const struct onr_embedding *embedding, struct onr_weight weight) {
  const struct onr_gather_params params = {0};
  return onri_net_2(net, &onri_layer_gather, &params, table(net, embedding, weight), indices);
}

int onr_embedding_bag(struct onr_net *net, int indices, int offsets, int per_sample_weights,
                      const struct onr_embedding *embedding, struct onr_weight weight) {
  const int in[4] = {table(net, embedding, weight), indices, offsets, per_sample_weights};
  int out;
  if (!net || net->failed) return -1;
  if (embedding->mode < ONR_EMBEDDING_MEAN || embedding->mode > ONR_EMBEDDING_MAX)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "EmbeddingBag: unknown mode %d", (int)embedding->mode);
  if (per_sample_weights != ONRI_NONE && embedding->mode != ONR_EMBEDDING_SUM)
    return onri_net_fail(net, ONR_STATUS_ARGUMENT, "EmbeddingBag: per_sample_weights need the mode sum");
  return onr_net_layer(net, &embedding_bag, embedding, in,
                       per_sample_weights != ONRI_NONE ? 4
                       : offsets != ONRI_NONE          ? 3
                                                       : 2,
                       &out, 1);
}
