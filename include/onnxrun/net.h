/* net.h: networks written in C, layer by layer, as torch.nn and torch.nn.functional have them.
 *
 *   struct onr_net *net;
 *   struct onr_model *model;
 *   onr_net_create(NULL, &net, &error);
 *   int x = onr_net_input(net, "x", ONR_DTYPE_F32, 2, (int64_t[]){ONR_UNKNOWN_DIM, 20});
 *   x = onr_linear(net, x, &(struct onr_linear){20, 30}, onr_weight(w, 30 * 20), onr_weight(b, 30));
 *   x = onr_relu(net, x);
 *   onr_net_output(net, "y", x);
 *   onr_net_finish(net, &model, &error);       // then onr_session_create as for an ONNX file
 *
 * A module is a function that takes and returns values; a Sequential is calls in a row, each in a module of its name:
 *
 *   static int mlp(struct onr_net *net, int x, const struct mlp_weights *w) {
 *     onr_net_push(net, "0");                      // its layers are "encoder.0" when the caller has pushed "encoder"
 *     x = onr_linear(net, x, &w->first, w->weight0, w->bias0); // struct onr_weight each
 *     onr_net_pop(net);
 *     x = onr_relu(net, x);
 *     ...
 *     return x;
 *   }
 *
 * Values are small integers. A function that fails returns -1 and the net remembers its first error; -1 may be passed
 * on, so only onr_net_finish needs a check. Weights are copied when they are passed. One thread at a time.
 *
 * A shape that does not fit is found by onr_net_finish when all dimensions of the inputs are declared. With
 * ONR_UNKNOWN_DIM it is found by onr_net_shape, or by onr_session_plan and onr_session_run, once sizes are given. */
#ifndef ONNXRUN_NET_H
#define ONNXRUN_NET_H

#include "onnxrun/model.h"

#ifdef __cplusplus
extern "C" {
#endif

struct onr_net;
struct onr_layer; /* layer.h */

/* Numbers of the caller, with how many there are, so that a layer can tell when they are not those that it needs
 * (ARGUMENT). In C also (struct onr_weight){data, count}; data NULL: no such parameter (bias=False). Read when they are
 * passed, not later. */
struct onr_weight {
  const float *data;
  size_t count;
};
static inline struct onr_weight onr_weight(const float *data, size_t count) {
  const struct onr_weight weight = {data, count};
  return weight;
}
static inline struct onr_weight onr_no_weight(void) { return onr_weight(NULL, 0); }

/* options may be NULL; allocator, limits, backend, precision, threads and disabled_passes are read. */
ONR_API enum onr_status onr_net_create(const struct onr_model_options *options, struct onr_net **net,
                                       struct onr_error *error);
/* For a net that is not finished. Accepts NULL. */
ONR_API void onr_net_destroy(struct onr_net *net);
/* Makes the model, which is the caller's, and destroys the net, also on failure. The first error of the net is
 * reported. */
ONR_API enum onr_status onr_net_finish(struct onr_net *net, struct onr_model **model, struct onr_error *error);

/* A new input; dims [rank] may be ONR_UNKNOWN_DIM. NULL for rank 0. */
ONR_API int onr_net_input(struct onr_net *net, const char *name, enum onr_dtype dtype, int32_t rank,
                          const int64_t *dims);
/* The value becomes the next output. */
ONR_API void onr_net_output(struct onr_net *net, const char *name, int value);
/* A constant; data is copied. Counts as parameters of the net when it is floating-point. */
ONR_API int onr_net_constant(struct onr_net *net, const struct onr_desc *desc, const void *data);
/* Any layer, also one of your own (layer.h). in: -1 for an omitted optional input only when nothing failed before.
 * out[0..num_out) receive the outputs (out may be the array in); returns out[0], or -1.
 * params: layer->params_size bytes, copied; NULL: zero. */
ONR_API int onr_net_layer(struct onr_net *net, const struct onr_layer *layer, const void *params, const int *in,
                          size_t num_in, int *out, size_t num_out);

/* Names of modules for messages, info and profiles: layers added between push and pop belong to "outer.inner", of
 * which there may be 64 levels and 511 characters. */
ONR_API void onr_net_push(struct onr_net *net, const char *module);
ONR_API void onr_net_pop(struct onr_net *net);

/* Elements of all floating-point constants so far: PyTorch's sum(p.numel()) plus floating-point buffers. */
ONR_API int64_t onr_net_parameters(const struct onr_net *net);
/* Descriptor of a value for given input descriptors, without running: an error when they do not fit the layers so far.
 */
ONR_API enum onr_status onr_net_shape(struct onr_net *net, int value, const struct onr_desc *inputs, size_t num_inputs,
                                      struct onr_desc *desc, struct onr_error *error);

#ifdef __cplusplus
}
#endif
#endif
