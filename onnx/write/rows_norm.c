/* rows_norm.c: softmax, normalisations, attention, recurrent layers. */
#include <string.h>

#include "onnx/write/spell.h"

/* --- softmax --- */

/* Over all dimensions from axis on, as before version 13: of a matrix, which gets its shape back. */
static void say_flat_softmax(struct onri_spell *s, const char *op, int64_t axis) {
  const char *x = onri_say_input(s, 0), *shape = onri_say_temp(s), *flat = onri_say_temp(s);
  const char *back[2] = {onri_say_temp(s), shape};
  onri_say_node(s, "Shape", 13, &x, 1, shape);
  onri_say_begin(s, NULL, "Flatten", 13);
  onri_say_in(s, x);
  onri_say_out(s, flat);
  onri_say_int(s, "axis", axis);
  onri_say_end(s);
  onri_say_begin(s, NULL, op, 13);
  onri_say_in(s, flat);
  onri_say_out(s, back[0]);
  onri_say_int(s, "axis", -1);
  onri_say_end(s);
  onri_say_node(s, "Reshape", 14, back, 2, onri_say_output(s, 0));
}

static const char *say_softmax(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_softmax_params *p = s->node->params;
  const int32_t rank = s->graph->values[s->node->in[0]].desc.rank;
  if (p->flatten && p->axis != -1 && p->axis != rank - 1) {
    say_flat_softmax(s, row->op, p->axis);
    return NULL;
  }
  onri_say_row_begin(s, row);
  onri_say_int(s, "axis", p->axis);
  onri_say_end(s);
  return NULL;
}

/* --- normalisations --- */

static const char no_scale[] = "it has no scale, and the size of one is not known";

/* Input i, or one that changes nothing: of x's dimensions [axis, rank). */
static const char *trailing(struct onri_spell *s, int32_t i, int64_t axis, int is_one) {
  const struct onr_desc *x = &s->graph->values[s->node->in[0]].desc;
  if (onri_say_input(s, i)) return onri_say_input(s, i);
  if (x->rank == ONRI_UNKNOWN_RANK || axis < -x->rank || axis >= x->rank) return NULL;
  const int32_t first = (int32_t)(axis < 0 ? axis + x->rank : axis);
  for (int32_t d = first; d < x->rank; d++)
    if (x->dim[d] < 0) return NULL;
  return onri_say_filled(s, x->rank - first, x->dim + first, is_one);
}

static const char *channels(struct onri_spell *s, int32_t i, int is_one) {
  const struct onr_desc *x = &s->graph->values[s->node->in[0]].desc;
  if (onri_say_input(s, i)) return onri_say_input(s, i);
  return x->rank < 2 || x->dim[1] < 0 ? NULL : onri_say_filled(s, 1, x->dim + 1, is_one);
}

static const char *say_normalised(struct onri_spell *s, const struct onri_spelling *row, const char *scale,
                                  const char *bias) {
  const char *why = onri_fields_check(s, row);
  if (why) return why;
  if (!scale) return no_scale;
  onri_say_begin(s, NULL, row->op, row->since);
  onri_say_in(s, onri_say_input(s, 0));
  onri_say_in(s, scale);
  if (bias) onri_say_in(s, bias);
  onri_say_outputs(s);
  onri_fields_say(s, row);
  onri_say_end(s);
  return NULL;
}

static const char *say_layer_norm(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_layer_norm_params *p = s->node->params;
  return say_normalised(s, row, trailing(s, 1, p->axis, 1), onri_say_input(s, 2));
}

static const char *say_rms_norm(struct onri_spell *s, const struct onri_spelling *row) {
  const struct onr_rms_norm_params *p = s->node->params;
  return say_normalised(s, row, trailing(s, 1, p->axis, 1), NULL);
}

/* Scale and bias are both needed, one a channel. */
static const char *say_channel_norm(struct onri_spell *s, const struct onri_spelling *row) {
  const char *scale = channels(s, 1, 1), *bias = channels(s, 2, 0);
  return say_normalised(s, row, bias ? scale : NULL, bias);
}

/* --- recurrent layers --- */

static const struct {
  const char *name;
  int has_alpha, has_beta;
} activations[ONR_NUM_RECURRENT_ACTIVATIONS] = {
    [ONR_RECURRENT_SIGMOID] = {"Sigmoid", 0, 0},
    [ONR_RECURRENT_TANH] = {"Tanh", 0, 0},
    [ONR_RECURRENT_RELU] = {"Relu", 0, 0},
    [ONR_RECURRENT_AFFINE] = {"Affine", 1, 1},
    [ONR_RECURRENT_LEAKY_RELU] = {"LeakyRelu", 1, 0},
    [ONR_RECURRENT_THRESHOLDED_RELU] = {"ThresholdedRelu", 1, 0},
    [ONR_RECURRENT_SCALED_TANH] = {"ScaledTanh", 1, 1},
    [ONR_RECURRENT_HARD_SIGMOID] = {"HardSigmoid", 1, 1},
    [ONR_RECURRENT_ELU] = {"Elu", 1, 0},
    [ONR_RECURRENT_SOFTSIGN] = {"Softsign", 0, 0},
    [ONR_RECURRENT_SOFTPLUS] = {"Softplus", 0, 0},
};

static void say_activations(struct onri_spell *s, const struct onr_recurrent_params *p, size_t count) {
  struct onr_string names[6] = {{0}};
  float alpha[6], beta[6];
  size_t num_alpha = 0, num_beta = 0;
  for (size_t i = 0; i < count; i++) {
    const struct onr_recurrent_function *f = &p->functions[i];
    if (f->kind == ONR_RECURRENT_DEFAULT) return; /* all are */
    names[i] = (struct onr_string){activations[f->kind].name, strlen(activations[f->kind].name)};
    if (activations[f->kind].has_alpha) alpha[num_alpha++] = f->alpha;
    if (activations[f->kind].has_beta) beta[num_beta++] = f->beta;
  }
  onri_say_strings(s, "activations", names, count);
  if (num_alpha) onri_say_floats(s, "activation_alpha", alpha, num_alpha);
  if (num_beta) onri_say_floats(s, "activation_beta", beta, num_beta);
}

/* Elements of a state: R [D, gates H, H], or of bytes [D, H, gates H], tells where the parameters do not. */
static int64_t hidden_size(const struct onri_spell *s, const struct onr_recurrent_params *p) {
  const struct onr_desc *r = &s->graph->values[s->node->in[2]].desc;
  if (p->hidden_size) return p->hidden_size;
  return r->rank == 3 ? r->dim[s->node->layer == &onri_layer_dynamic_quantize_lstm ? 1 : 2] : ONR_UNKNOWN_DIM;
}

static const char *say_recurrent(struct onri_spell *s, const struct onri_spelling *row) {
  static const char *const directions[] = {"forward", "reverse", "bidirectional"}; /* enum onr_direction */
  const struct onr_recurrent_params *p = s->node->params;
  const size_t functions = row->layer == &onri_layer_gru ? 2 : row->layer == &onri_layer_rnn ? 1 : 3;
  const int64_t size = hidden_size(s, p);
  if (size < 1) return "the size of its state is not known";
  for (int32_t i = row->most_in; i < s->node->num_in; i++)
    if (onri_say_input(s, i)) return "its projection";
  onri_say_row_begin(s, row);
  onri_say_int(s, "hidden_size", size);
  onri_say_text(s, "direction", directions[p->direction], strlen(directions[p->direction]));
  if (p->layout) onri_say_int(s, "layout", 1);
  if (p->has_clip) onri_say_float(s, "clip", p->clip);
  if (p->linear_before_reset) onri_say_int(s, "linear_before_reset", 1);
  if (p->input_forget) onri_say_int(s, "input_forget", 1);
  say_activations(s, p, functions * (p->direction == ONR_DIRECTION_BOTH ? 2 : 1));
  onri_say_end(s);
  return NULL;
}

/* --- the rows --- */

static const struct onri_field layer_norm[] = {
    ONRI_ONLY_ZERO("it asks for a shape", struct onr_layer_norm_params, shape),
    ONRI_ATTRIBUTE("axis", INT64, struct onr_layer_norm_params, axis),
    ONRI_ATTRIBUTE("epsilon", FLOAT, struct onr_layer_norm_params, epsilon),
};
static const struct onri_field rms_norm[] = {
    ONRI_ONLY_ZERO("it asks for a shape", struct onr_rms_norm_params, shape),
    ONRI_ATTRIBUTE("axis", INT64, struct onr_rms_norm_params, axis),
    ONRI_ATTRIBUTE("epsilon", FLOAT, struct onr_rms_norm_params, epsilon),
};
static const struct onri_field group_norm[] = {
    ONRI_ONLY_ZERO("its scale has one value a group", struct onr_group_norm_params, scale_per_group),
    ONRI_ONLY_ZERO("its channels lie behind the image", struct onr_group_norm_params, channels_last),
    ONRI_ATTRIBUTE("num_groups", INT64, struct onr_group_norm_params, groups),
    ONRI_ATTRIBUTE("epsilon", FLOAT, struct onr_group_norm_params, epsilon),
};
static const struct onri_field instance_norm[] = {
    ONRI_ONLY_ZERO("its channels lie behind the image", struct onr_instance_norm_params, channels_last),
    ONRI_ATTRIBUTE("epsilon", FLOAT, struct onr_instance_norm_params, epsilon),
};
static const struct onri_field lp_norm[] = {
    ONRI_ATTRIBUTE("axis", INT64, struct onr_lp_norm_params, axis),
    ONRI_ATTRIBUTE("p", INT32, struct onr_lp_norm_params, p),
};
static const struct onri_field mean_variance_norm[] = {
    ONRI_LIST("axes", INTS64, struct onr_mean_variance_norm_params, axes, num_axes)};
static const struct onri_field batch_norm[] = {
    ONRI_ONLY_ZERO("its channels lie behind the image", struct onr_batch_norm_params, channels_last),
    ONRI_ATTRIBUTE("epsilon", FLOAT, struct onr_batch_norm_params, epsilon),
    ONRI_ATTRIBUTE("momentum", FLOAT, struct onr_batch_norm_params, momentum),
    ONRI_ATTRIBUTE_SINCE("training_mode", INT32, struct onr_batch_norm_params, training, 14),
};
#define HEADS(type) ONRI_ONLY_ZERO("its heads lie behind the sequence", struct onr_attention_params, type)
static const struct onri_field attention[] = {
    ONRI_ONLY_ZERO("what a query gets that sees no key", struct onr_attention_params, blind_query),
    HEADS(q_heads_inner),
    HEADS(kv_heads_inner),
    HEADS(y_heads_inner),
    ONRI_ATTRIBUTE_SINCE("scale", FLOAT, struct onr_attention_params, scale, -1),
    ONRI_ATTRIBUTE_SINCE("softcap", FLOAT, struct onr_attention_params, softcap, -1),
    ONRI_ATTRIBUTE_SINCE("is_causal", INT32, struct onr_attention_params, causal, -1),
    ONRI_ATTRIBUTE_SINCE("q_num_heads", INT64, struct onr_attention_params, heads, -1),
    ONRI_ATTRIBUTE_SINCE("kv_num_heads", INT64, struct onr_attention_params, kv_heads, -1),
    ONRI_ATTRIBUTE_SINCE("qk_matmul_output_mode", INT32, struct onr_attention_params, qk_output, -1),
    {.name = "left_window_size",
     .kind = ONRI_FIELD_INT64,
     .at = offsetof(struct onr_attention_params, window_left),
     .given = (int16_t)(offsetof(struct onr_attention_params, has_window_left) + 1)},
    {.name = "right_window_size",
     .kind = ONRI_FIELD_INT64,
     .at = offsetof(struct onr_attention_params, window_right),
     .given = (int16_t)(offsetof(struct onr_attention_params, has_window_right) + 1)},
};
static const struct onri_field rotary_embedding[] = {
    ONRI_ATTRIBUTE_SINCE("num_heads", INT64, struct onr_rotary_params, heads, -1),
    ONRI_ATTRIBUTE_SINCE("rotary_embedding_dim", INT64, struct onr_rotary_params, rotary_size, -1),
    ONRI_ATTRIBUTE_SINCE("interleaved", INT32, struct onr_rotary_params, interleaved, -1),
};

static const struct onri_spelling rows[] = {
    {.layer = &onri_layer_softmax, .op = "Softmax", .since = 13, .say = say_softmax},
    {.layer = &onri_layer_log_softmax, .op = "LogSoftmax", .since = 13, .say = say_softmax},
    {.layer = &onri_layer_hardmax, .op = "Hardmax", .since = 13, .say = say_softmax},
    {.layer = &onri_layer_layer_norm,
     .op = "LayerNormalization",
     .since = 17,
     ONRI_FIELDS(layer_norm),
     .say = say_layer_norm},
    {.layer = &onri_layer_rms_norm, .op = "RMSNormalization", .since = 23, ONRI_FIELDS(rms_norm), .say = say_rms_norm},
    {.layer = &onri_layer_group_norm,
     .op = "GroupNormalization",
     .since = 21,
     ONRI_FIELDS(group_norm),
     .say = say_channel_norm},
    {.layer = &onri_layer_instance_norm,
     .op = "InstanceNormalization",
     .since = 6,
     ONRI_FIELDS(instance_norm),
     .say = say_channel_norm},
    {.layer = &onri_layer_lp_norm, .op = "LpNormalization", .since = 1, ONRI_FIELDS(lp_norm)},
    {.layer = &onri_layer_mean_variance_norm,
     .op = "MeanVarianceNormalization",
     .since = 13,
     ONRI_FIELDS(mean_variance_norm)},
    {.layer = &onri_layer_batch_norm, .op = "BatchNormalization", .since = 15, ONRI_FIELDS(batch_norm)},
    {.layer = &onri_layer_attention, .op = "Attention", .since = 23, ONRI_FIELDS(attention)},
    {.layer = &onri_layer_rotary_embedding, .op = "RotaryEmbedding", .since = 23, ONRI_FIELDS(rotary_embedding)},
    {.layer = &onri_layer_lstm, .op = "LSTM", .since = 14, .most_in = 8, .say = say_recurrent},
    {.layer = &onri_layer_dynamic_quantize_lstm,
     .domain = "com.microsoft",
     .op = "DynamicQuantizeLSTM",
     .since = 1,
     .most_in = 12,
     .say = say_recurrent},
    {.layer = &onri_layer_gru, .op = "GRU", .since = 14, .most_in = 6, .say = say_recurrent},
    {.layer = &onri_layer_rnn, .op = "RNN", .since = 14, .most_in = 6, .say = say_recurrent},
};
const struct onri_spellings onri_rows_norm = {rows, sizeof(rows) / sizeof(rows[0])};
