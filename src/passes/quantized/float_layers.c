/* float_layers.c: what stays float32, and why. */
#include "layers/quantize/byte_pieces.h"
#include "passes/quantized/quantized_parts.h"

/* Chains of these take and give bytes when passes are done, or only move what they get. */
static int is_light(const struct onr_layer *layer) {
  static const struct onr_layer *const layers[] = {&onri_layer_quantize_linear,
                                                   &onri_layer_dequantize_linear,
                                                   &onri_layer_cast,
                                                   &onri_layer_binary,
                                                   &onri_layer_unary,
                                                   &onri_layer_clip,
                                                   &onri_layer_reshape,
                                                   &onri_layer_flatten,
                                                   &onri_layer_squeeze,
                                                   &onri_layer_unsqueeze,
                                                   &onri_layer_transpose,
                                                   &onri_layer_slice,
                                                   &onri_layer_gather,
                                                   &onri_layer_expand,
                                                   &onri_layer_identity,
                                                   &onri_layer_split,
                                                   &onri_layer_where,
                                                   &onri_layer_tile,
                                                   &onri_layer_pad,
                                                   &onri_layer_concat};
  for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
    if (layer == layers[i]) return 1;
  return 0;
}

/* NULL: it reads nothing that was quantized, or is none to tell of. */
static const char *why_float(const struct onri_rewrite *rw, const struct onri_node *node) {
  int reads = 0, of_first = 0;
  if (!node->layer || is_light(node->layer) || node->num_out < 1 || rw->uses[node->out[0]] == 0) return NULL;
  for (int32_t i = 0; i < node->num_in; i++) {
    if (node->in[i] == ONRI_NONE || !onri_rewrite_match(rw, node->in[i], &onri_layer_dequantize_linear)) continue;
    reads = 1, of_first |= i == 0;
  }
  if (!reads) return NULL;
  if (onri_byte_pieces_takes(node->layer)) return NULL;
  if (node->layer == &onri_layer_conv_transpose)
    return "it is not quantized again, or its weights or bias are none that kernels of bytes take";
  if (!onri_multiplies(node->layer)) return "there is no kernel of bytes for it";
  return of_first ? "its weights, scales, zero points or bias are none that kernels of bytes take"
                  : "what it multiplies its quantized weights by is not quantized";
}

enum onr_status onri_note_float_layers(struct onri_rewrite *rw) {
  struct onri_graph *graph = rw->graph;
  size_t count = 0;
  for (size_t i = 0; i < graph->num_nodes; i++) count += why_float(rw, &graph->nodes[i]) != NULL;
  if (count == 0) return ONR_STATUS_OK;
  struct onr_float_layer *notes = onri_arena_allocate(&graph->arena, count * sizeof(*notes));
  if (!notes) return onri_rewrite_no_memory(rw);
  graph->float_layers = notes;
  for (size_t i = 0; i < graph->num_nodes; i++) {
    const struct onri_node *node = &graph->nodes[i];
    const char *reason = why_float(rw, node);
    if (!reason) continue;
    notes[graph->num_float_layers++] =
        (struct onr_float_layer){node->layer->name, node->origin->name, node->origin->module_path, reason};
  }
  return ONR_STATUS_OK;
}
