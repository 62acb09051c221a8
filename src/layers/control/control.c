/* control.c: If, Loop and Scan. The executor runs them (src/exec/control.c); these tables give names and arity.
 *
 * if    inputs: cond bool[1], captures of the then body, captures of the else body; bodies: then, else
 * loop  inputs: M int64 (optional), cond bool (optional), carried values, captures
 *       body inputs: iteration int64[], cond bool[], carried values, captures
 *       body outputs: cond bool[], carried values, scan outputs; node outputs: carried values, scan outputs
 * scan  inputs: states, scan inputs, captures; body inputs: states, slices of the scan inputs, captures
 *       body outputs: states, scan slices; node outputs: states, scan outputs
 * sequence_map  inputs: mapped values, captures; the first is a sequence; body inputs: entries or tensors, captures
 *       node outputs: sequences of what the body makes
 * ONNX  If-1..25, Loop-1..25, Scan-9..25, SequenceMap-17
 */
#include "layers/layers.h"

const struct onr_layer onri_layer_if = {
    .name = "if",
    .inputs_min = 1,
    .inputs_max = ONR_VARIADIC,
    .outputs_min = 1,
    .outputs_max = ONR_VARIADIC,
    .types = {ONR_ANY_TYPE, ONR_ANY_TYPE},
    .control = ONRI_CONTROL_IF,
    .flags = ONR_LAYER_MAKES_CONTAINERS,
};

const struct onr_layer onri_layer_loop = {
    .name = "loop",
    .inputs_min = 0,
    .inputs_max = ONR_VARIADIC,
    .outputs_min = 0,
    .outputs_max = ONR_VARIADIC,
    .types = {ONR_ANY_TYPE},
    .control = ONRI_CONTROL_LOOP,
    .flags = ONR_LAYER_MAKES_CONTAINERS,
    .params_size = sizeof(struct onr_loop_params),
};

const struct onr_layer onri_layer_scan = {
    .name = "scan",
    .inputs_min = 1,
    .inputs_max = ONR_VARIADIC,
    .outputs_min = 1,
    .outputs_max = ONR_VARIADIC,
    .types = {ONR_ANY_TYPE, ONR_ANY_TYPE},
    .control = ONRI_CONTROL_SCAN,
    .flags = ONR_LAYER_MAKES_CONTAINERS,
    .params_size = sizeof(struct onr_scan_params),
};

const struct onr_layer onri_layer_sequence_map = {
    .name = "sequence_map",
    .inputs_min = 1,
    .inputs_max = ONR_VARIADIC,
    .outputs_min = 1,
    .outputs_max = ONR_VARIADIC,
    .types = {ONR_ANY_TYPE, ONR_ANY_TYPE},
    .control = ONRI_CONTROL_MAP,
    .flags = ONR_LAYER_MAKES_CONTAINERS,
    .params_size = sizeof(struct onr_sequence_map_params),
};
