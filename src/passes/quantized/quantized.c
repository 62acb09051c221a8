/* quantized.c: dequantize -> op -> quantize becomes the op on 8-bit integers, in whatever form the file spelt it
 * (QuantizeLinear and DequantizeLinear around an op, or the QLinear operators, which importers spell so).
 *
 * One scale and one zero point a tensor, constant; those of weights one an output channel. What is clipped before it is
 * quantized is clipped in steps. Runs before constants behind dequantize_linear are folded: weights stay 8 bits. */
#include "passes/quantized/quantized_parts.h"

static enum onr_status apply(struct onri_rewrite *rw, struct onri_node *node) {
  struct onri_quantized_target t;
  if (!onri_match_target(rw, node, &t)) return ONR_STATUS_OK;
  const struct onri_node *op = onri_rewrite_producer(rw, t.v);
  if (op && op->layer == &onri_layer_split) return onri_quantize_split(rw, node, &t, op);
  if (!op || op->num_in < 1 || op->out[0] != t.v) return ONR_STATUS_OK;
  if (onri_is_byte(t.y.dtype) && (op->layer == &onri_layer_conv || op->layer == &onri_layer_conv_transpose))
    return onri_quantize_conv(rw, node, &t, op);
  struct onri_plain_product p;
  if (onri_is_byte(t.y.dtype) && ((onri_multiplies(op->layer) && onri_match_plain_product(rw, op, &p)) ||
                                  (op->layer == &onri_layer_binary && onri_match_biased_product(rw, op, &p))))
    return onri_quantize_product(rw, node, &t, &p);
  if (op->layer == &onri_layer_concat) return onri_quantize_joined(rw, node, &t, op, 0);
  if (op->layer == &onri_layer_where && op->num_in == 3) return onri_quantize_joined(rw, node, &t, op, 1);
  return onri_moves_input_0(rw, op, t.y.dtype) ? onri_quantize_moved(rw, node, &t, op) : ONR_STATUS_OK;
}

enum onr_status onri_pass_quantized(struct onri_rewrite *rw) {
  static const struct onri_rewrite_rule quantizing[] = {{&onri_layer_quantize_linear, apply}};
  static const struct onri_rewrite_rule others[] = {{&onri_layer_matmul, onri_real_product},
                                                    {&onri_layer_gemm, onri_real_product},
                                                    {&onri_layer_linear, onri_real_product},
                                                    {&onri_layer_conv, onri_real_conv},
                                                    {&onri_layer_binary, onri_scale_sums}};
  ONR_TRY(onri_rewrite_sweep(rw, quantizing, 1));
  ONR_TRY(onri_rewrite_sweep(rw, others, sizeof(others) / sizeof(others[0])));
  return onri_note_float_layers(rw);
}
