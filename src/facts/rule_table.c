/* rule_table.c: the rules by layer. */
#include "base/only.h"
#include "facts/rules.h"

onri_deduce_fn onri_deduce_find(const struct onr_layer *layer) {
  static const struct {
    const struct onr_layer *layer;
    onri_deduce_fn rule;
  } rules[] = {
#define ONRI_DEDUCE(name, function) ONRI_IF(ONRI_HAS_LAYER_##name, {&onri_layer_##name, function}, )
#include "facts/rules.inc"
#undef ONRI_DEDUCE
  };
  for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
    if (rules[i].layer == layer) return rules[i].rule;
  return NULL;
}
