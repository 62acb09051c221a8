/* absent.c: the layer in place of those that a build for a few models leaves out. An importer that would make a node of
 * it fails; a rewrite finds none. */
#include "layers/layers.h"

static enum onr_status infer(struct onr_call *call) {
  return onr_fail(call->error, ONR_STATUS_UNSUPPORTED, "it is a layer that this build leaves out");
}

const struct onr_layer onri_layer_absent = {
    .name = "absent",
    .outputs_max = ONR_VARIADIC,
    .inputs_max = ONR_VARIADIC,
    .types = {ONR_ANY_TYPE},
    .infer = infer,
};
