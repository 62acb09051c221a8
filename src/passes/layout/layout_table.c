/* layout_table.c: one row a layer. */
#include "passes/layout/layout.h"

#define SPATIAL(layer, params) \
  { &onri_layer_##layer, onri_rule_spatial, ONRI_WISH_CHANNELS_LAST, offsetof(params, channels_last) }
#define ELEMENTWISE(layer) \
  { &onri_layer_##layer, onri_rule_elementwise, ONRI_WISH_OUTPUT, 0 }
#define AXIS(layer, apply, params) \
  { &onri_layer_##layer, onri_rule_##apply, ONRI_WISH_OUTPUT, offsetof(params, axis) }
#define ANY(layer, apply, wish) \
  { &onri_layer_##layer, onri_rule_##apply, wish, 0 }

static onri_rule rules[] = {
#include "passes/layout/layout.inc"
};

onri_rule *onri_layout_find(const struct onr_layer *layer) {
  static onri_rule otherwise = {NULL, onri_rule_plain, ONRI_WISH_PLAIN, 0};
  for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
    if (rules[i].layer == layer) return &rules[i];
  return &otherwise;
}
