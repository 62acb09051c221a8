/* layout_table.c: what the layout rules that layers name (onr_layer.layout) do, and what they wish for. */
#include "passes/layout/layout.h"

static const struct onri_layout_rule rules[ONRI_NUM_LAYOUTS] = {
    [ONR_LAYOUT_LOGICAL] = {onri_rule_plain, ONRI_WISH_PLAIN, 0},
    [ONR_LAYOUT_ELEMENTWISE] = {onri_rule_elementwise, ONRI_WISH_OUTPUT, 0},
    [ONR_LAYOUT_SPATIAL] = {onri_rule_spatial, ONRI_WISH_CHANNELS_LAST, sizeof(int32_t)},
    [ONR_LAYOUT_ALONG_AXIS] = {onri_rule_along_axis, ONRI_WISH_OUTPUT, sizeof(int64_t)},
    [ONR_LAYOUT_TRAILING] = {onri_rule_trailing, ONRI_WISH_PLAIN, sizeof(int64_t)},
    [ONR_LAYOUT_LAST_AXIS] = {onri_rule_last_axis, ONRI_WISH_PLAIN, 0},
    [ONRI_LAYOUT_CONV] = {onri_rule_conv, ONRI_WISH_CHANNELS_LAST, sizeof(int32_t)},
    [ONRI_LAYOUT_CONV_BYTES] = {ONRI_WHERE(PART_bytes, onri_rule_conv_bytes), ONRI_WISH_CHANNELS_LAST, sizeof(int32_t)},
    [ONRI_LAYOUT_CONV_TRANSPOSE] = {ONRI_WHERE(LAYER_conv_transpose, onri_rule_conv_transpose), ONRI_WISH_CHANNELS_LAST,
                                    sizeof(int32_t)},
    [ONRI_LAYOUT_UNPOOL] = {ONRI_WHERE(LAYER_max_unpool, onri_rule_unpool), ONRI_WISH_OUTPUT, sizeof(int32_t)},
    [ONRI_LAYOUT_RESIZE] = {ONRI_WHERE(LAYER_resize, onri_rule_resize), ONRI_WISH_OUTPUT, sizeof(int32_t)},
    [ONRI_LAYOUT_POOL] = {onri_rule_pool, ONRI_WISH_OUTPUT, sizeof(int32_t)},
    [ONRI_LAYOUT_EITHER] = {onri_rule_either, ONRI_WISH_OUTPUT, sizeof(int32_t)},
    [ONRI_LAYOUT_SOFTMAX] = {onri_rule_softmax, ONRI_WISH_OUTPUT, sizeof(int64_t)},
    [ONRI_LAYOUT_CONCAT] = {ONRI_WHERE(LAYER_concat, onri_rule_concat), ONRI_WISH_OUTPUT, sizeof(int64_t)},
    [ONRI_LAYOUT_GATHER] = {ONRI_WHERE(LAYER_gather, onri_rule_gather), ONRI_WISH_NOTHING, sizeof(int64_t)},
    [ONRI_LAYOUT_ARG_REDUCE] = {ONRI_WHERE(LAYER_arg_reduce, onri_rule_arg_reduce), ONRI_WISH_NOTHING, sizeof(int64_t)},
    [ONRI_LAYOUT_REDUCE] = {onri_rule_reduce, ONRI_WISH_NOTHING, 0},
    [ONRI_LAYOUT_MATMUL] = {onri_rule_matmul, ONRI_WISH_PLAIN, 0},
    [ONRI_LAYOUT_TRANSPOSE] = {onri_rule_transpose, ONRI_WISH_NOTHING, 0},
    [ONRI_LAYOUT_SQUEEZE] = {ONRI_WHERE(LAYER_squeeze, onri_rule_squeeze), ONRI_WISH_NOTHING, 0},
    [ONRI_LAYOUT_UNSQUEEZE] = {ONRI_WHERE(LAYER_unsqueeze, onri_rule_unsqueeze), ONRI_WISH_NOTHING, 0},
    [ONRI_LAYOUT_PAD] = {ONRI_WHERE(LAYER_pad, onri_rule_pad), ONRI_WISH_OUTPUT, 0},
    [ONRI_LAYOUT_SLICE] = {ONRI_WHERE(LAYER_slice, onri_rule_slice), ONRI_WISH_OUTPUT, 0},
    [ONRI_LAYOUT_RESHAPE] = {onri_rule_reshape, ONRI_WISH_NOTHING, 0},
    [ONRI_LAYOUT_ATTENTION] = {ONRI_WHERE(LAYER_attention, onri_rule_attention), ONRI_WISH_NOTHING, 0},
    [ONRI_LAYOUT_SHAPE] = {ONRI_WHERE(LAYER_shape, onri_rule_shape), ONRI_WISH_NOTHING, 0},
    [ONRI_LAYOUT_SIZE] = {ONRI_WHERE(LAYER_size, onri_rule_size), ONRI_WISH_NOTHING, 0},
};

const struct onri_layout_rule *onri_layout_find(const struct onr_layer *layer) {
  const struct onri_layout_rule *rule = &rules[layer->layout < ONRI_NUM_LAYOUTS ? layer->layout : ONR_LAYOUT_LOGICAL];
  const uint64_t end = (uint64_t)layer->layout_param + rule->param_size;
  return end <= layer->params_size || !rule->param_size ? rule : &rules[ONR_LAYOUT_LOGICAL];
}
