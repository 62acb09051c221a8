/* recurrent.h: what lstm, gru and rnn do: the products and the walk over time.
 *
 * All time steps' products with the input are one matrix product; then each step has one product of all gates with the
 * previous h, or two where GRU's gate h waits for the reset gate. The two directions run on two threads. */
#ifndef ONRI_RECURRENT_H
#define ONRI_RECURRENT_H

#include "kernels/matmul/sgemm.h"
#include "kernels/recurrent/cell.h"
#include "layers/recurrent/byte_gates.h"
#include "layers/recurrent/recurrent_shape.h"

struct onri_recurrent_state {
  struct onri_recurrent_shape shape;
  struct onr_recurrent_function functions[6]; /* none is DEFAULT */
  int usual;                                  /* see cell.h */
  struct onri_sgemm_plan input;
  struct onri_byte_gates input_bytes, recurrent_bytes;
  size_t operand_at[ONRI_RECURRENT_INPUTS]; /* inputs of narrow types in their class */
  size_t work_at;                           /* of the product with the input */
  size_t bias_at;           /* [directions][gates + 1][hidden]; the last one is GRU's recurrent bias of gate h */
  size_t gates_at;          /* products with the input: [rows][directions][gates][hidden] */
  size_t product_at;        /* products with h: [directions][parts][batch][gates of the part][hidden] */
  size_t c_at, z_at, rh_at; /* [directions][batch][hidden] */
  size_t m_at;              /* what is projected: [directions][batch][hidden] */
  size_t h_at;              /* [directions][batch][output] */
  size_t y_at;              /* output 0 in its class */
};

enum onr_status onri_recurrent_plan(struct onr_call *call, enum onri_recurrent_kind kind);
enum onr_status onri_recurrent_run(struct onr_call *call, enum onri_recurrent_kind kind);
uint32_t onri_recurrent_kernel_types(const void *params, enum onr_kernel kernel);

/* What inputs may be. */
#define ONRI_RECURRENT_TYPES                                                                           \
  ONRI_DTYPES_FLOAT, ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONRI_DTYPE_BIT(ONR_DTYPE_I32), \
      ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0), ONR_AS_INPUT(0)
#define ONRI_RECURRENT_LAYER(layer_name, layer_kind, inputs, outputs, ...)                                            \
  static enum onr_status layer_name##_infer(struct onr_call *call) { return onri_recurrent_infer(call, layer_kind); } \
  static enum onr_status layer_name##_prepare(struct onr_call *call) {                                                \
    return onri_recurrent_prepare(call, layer_kind);                                                                  \
  }                                                                                                                   \
  static enum onr_status layer_name##_plan(struct onr_call *call) { return onri_recurrent_plan(call, layer_kind); }   \
  static enum onr_status layer_name##_run(struct onr_call *call) { return onri_recurrent_run(call, layer_kind); }     \
  static int64_t layer_name##_multiply_adds(const struct onr_call *call) {                                            \
    return onri_recurrent_multiply_adds(call, layer_kind);                                                            \
  }                                                                                                                   \
  static int64_t layer_name##_steps(const struct onr_call *call) { return onri_recurrent_steps(call, layer_kind); }   \
  const struct onr_layer onri_layer_##layer_name = {                                                                  \
      .name = #layer_name,                                                                                            \
      .inputs_min = 3,                                                                                                \
      .inputs_max = inputs,                                                                                           \
      .outputs_min = 0,                                                                                               \
      .outputs_max = outputs,                                                                                         \
      __VA_ARGS__,                                                                                                    \
      .output_type = ONR_AS_INPUT(0),                                                                                 \
      .flags = ONRI_LAYER_READS_LATE,                                                                                 \
      .params_size = sizeof(struct onr_recurrent_params),                                                             \
      .prepared_size = sizeof(struct onri_recurrent_prepared),                                                        \
      .state_size = sizeof(struct onri_recurrent_state),                                                              \
      .infer = layer_name##_infer,                                                                                    \
      .prepare = layer_name##_prepare,                                                                                \
      .plan = layer_name##_plan,                                                                                      \
      .run = layer_name##_run,                                                                                        \
      .release_prepared = onri_recurrent_release_prepared,                                                            \
      .multiply_adds = layer_name##_multiply_adds,                                                                    \
      .steps = layer_name##_steps,                                                                                    \
      .kernel_types = onri_recurrent_kernel_types,                                                                    \
  }

#endif
