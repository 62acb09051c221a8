/* Models of one node, for every operator and version of the table: names of outputs and inputs left out, shapes not
 * declared, dimensions of 0, scalars, constants and inputs of all types, attributes that are absent, sound, or as far
 * off as they can be, sequences where tensors are expected. Each must be refused with a message or run, without
 * INTERNAL, without a lost block of memory, and a run must give the same bits whatever lay in memory before. The same
 * cases every time.
 *
 *   test_operators [CASES [SEED [OPERATOR]]]     cases for each operator, number of the first, only the row with this
 * number; tells each */
#define _POSIX_C_SOURCE 200809L /* posix_memalign */
#include "tests/support/layer_test.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxrun/onnxrun.h"
#include "onnxrun/operators.h"
#include "onnxrun/sequence.h"
#include "tests/support/proto_writer.h"

enum { CASES = 60, MAX_IN = 12, MAX_OUT = 8, MAX_BYTES = 1 << 16, MAX_TEXT = 64 };
enum {
  FLOAT = 1,
  INT = 2,
  STRING = 3,
  TENSOR = 4,
  GRAPH = 5,
  FLOATS = 6,
  INTS = 7,
  STRINGS = 8
}; /* AttributeProto.AttributeType */

static unsigned num_cases = CASES, first_case, tell;
static size_t only_op = SIZE_MAX;

/* --- memory: exactly as long as it was asked for, filled with what the run says --- */

static atomic_size_t num_live;
static int fill;

static void *fill_allocate(void *context, size_t bytes, size_t alignment) {
  void *memory = NULL;
  (void)context;
  if (bytes > (size_t)1 << 30 || posix_memalign(&memory, alignment, bytes) != 0) return NULL;
  num_live++;
  return memset(memory, fill, bytes);
}

static void fill_release(void *context, void *memory) {
  (void)context;
  if (memory) num_live--;
  free(memory);
}

static const struct onr_allocator filling = {NULL, fill_allocate, fill_release};

/* --- choices --- */

static uint64_t seed;

static uint32_t next(void) { /* splitmix64 */
  uint64_t z = seed += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ z >> 31) >> 16);
}

static uint32_t below(uint32_t n) { return next() % n; }
static int percent(uint32_t p) { return below(100) < p; }
#define PICK(list) ((list)[below(sizeof(list) / sizeof((list)[0]))])

static int64_t integer(void) {
  static const int64_t far[] = {INT64_MIN, INT64_MAX, INT32_MIN,        INT32_MAX,           -1,      -2,  -9,   9,
                                64,        1 << 20,   (int64_t)1 << 40, -((int64_t)1 << 40), 1 << 30, 255, 65536};
  return percent(6) ? PICK(far) : percent(15) ? -(int64_t)below(4) : (int64_t)below(5);
}

static double real(void) {
  static const double far[] = {NAN, INFINITY, -INFINITY, 1e38, -1e38, 1e-40, 0, -0.0, 1e300};
  return percent(5) ? PICK(far) : ((double)below(4000) - 1000) / 1000;
}

/* What the parts of a case have in common, so that some of them fit together. */
struct profile {
  int32_t rank;
  int64_t dim[ONR_MAX_RANK];
  enum onr_dtype dtype;
  size_t num_in, num_out;
  int64_t opset;
};

static struct profile make_profile(const struct onr_op_info *op) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_F32,  ONR_DTYPE_F32,   ONR_DTYPE_F32, ONR_DTYPE_F64,
                                         ONR_DTYPE_F16, ONR_DTYPE_BF16, ONR_DTYPE_I64,   ONR_DTYPE_I32, ONR_DTYPE_I8,
                                         ONR_DTYPE_U8,  ONR_DTYPE_BOOL, ONR_DTYPE_STRING};
  struct profile p = {
      .rank = (int32_t)below(percent(5) ? ONR_MAX_RANK + 1 : 6), .dtype = PICK(types), .opset = op->since_version};
  for (int32_t d = 0; d < p.rank; d++) p.dim[d] = percent(5) ? 0 : 1 + (int64_t)below(5);
  const size_t most_in = op->inputs_max == ONR_VARIADIC ? (size_t)op->inputs_min + 4 : op->inputs_max;
  const size_t most_out = op->outputs_max == ONR_VARIADIC ? (size_t)op->outputs_min + 3 : op->outputs_max;
  p.num_in = percent(2) ? below(MAX_IN) : op->inputs_min + below((uint32_t)(most_in - op->inputs_min + 1));
  p.num_out = percent(2) ? below(MAX_OUT) : op->outputs_min + below((uint32_t)(most_out - op->outputs_min + 1));
  if (p.num_in > MAX_IN) p.num_in = MAX_IN;
  if (p.num_out > MAX_OUT) p.num_out = MAX_OUT;
  return p;
}

/* --- tensors --- */

/* No element, yet a dimension that nobody can count to: what loops over it or multiplies it, never ends or overflows.
 */
static struct onr_desc make_empty(struct onr_desc desc) {
  static const int64_t many[] = {1 << 20,          INT32_MAX,        (int64_t)1 << 32,
                                 (int64_t)1 << 40, (int64_t)1 << 58, (int64_t)1 << 60};
  if (desc.rank < 2) desc = onr_desc_make(desc.dtype, 2, (int64_t[]){1, 1});
  const int32_t zero = (int32_t)below((uint32_t)desc.rank),
                large = (zero + 1 + (int32_t)below((uint32_t)desc.rank - 1)) % desc.rank;
  desc.dim[zero] = 0;
  desc.dim[large] = PICK(many);
  return desc;
}

static struct onr_desc make_desc(const struct profile *p) {
  static const enum onr_dtype types[] = {ONR_DTYPE_F32, ONR_DTYPE_I64,  ONR_DTYPE_I64,     ONR_DTYPE_I64,
                                         ONR_DTYPE_I32, ONR_DTYPE_BOOL, ONR_DTYPE_U8,      ONR_DTYPE_I8,
                                         ONR_DTYPE_F16, ONR_DTYPE_F64,  ONR_DTYPE_STRING,  ONR_DTYPE_C64,
                                         ONR_DTYPE_U64, ONR_DTYPE_U16,  ONR_DTYPE_F8E4M3FN};
  struct onr_desc desc = onr_desc_make(percent(70) ? p->dtype : PICK(types), p->rank, p->dim);
  const int64_t last = p->rank > 0 ? p->dim[p->rank - 1] : 1;
  if (percent(3)) return make_empty(desc);
  switch (below(9)) {
    case 0: return onr_desc_make(desc.dtype, 0, NULL);
    case 1: return onr_desc_make(desc.dtype, 1, &(int64_t){p->rank > 1 ? p->dim[1] : 1});
    case 2: return onr_desc_make(desc.dtype, 1, &(int64_t){percent(50) ? last : (int64_t)below(5)});
    case 3: return onr_desc_make(desc.dtype, 2, (int64_t[]){last, percent(50) ? last : (int64_t)below(5)});
    case 4: /* weights of a convolution */
      for (int32_t d = 0; d < desc.rank; d++) desc.dim[d] = d == 1 ? p->dim[1] : 1 + (int64_t)below(3);
      return desc;
    case 5:
      for (int32_t d = 0; d < desc.rank; d++) desc.dim[d] = percent(30) ? (int64_t)below(6) : desc.dim[d];
      return desc;
    default: return desc;
  }
}

static const char *const words[] = {"", "a", "B", "a b", "\xc3\xa9", "1", "-1e9", "nan", "true"};

/* Elements of a type, and the same as the file has them where that is another form (strings). */
static void *make_data(const struct onr_desc *desc) {
  const size_t count = (size_t)onr_desc_elements(desc), size = onr_dtype_size(desc->dtype);
  unsigned char *data = malloc(count * size + !(count * size));
  assert_non_null(data);
  for (size_t i = 0; i < count; i++) {
    const int64_t whole = integer();
    const float f = (float)real();
    const double d = real();
    const char *word = PICK(words);
    switch (desc->dtype) {
      case ONR_DTYPE_STRING:
        ((struct onr_string *)(void *)data)[i] = (struct onr_string){*word || percent(50) ? word : NULL, strlen(word)};
        break;
      case ONR_DTYPE_BOOL: data[i] = (unsigned char)below(2); break;
      case ONR_DTYPE_F32: memcpy(data + i * size, &f, size); break;
      case ONR_DTYPE_F64: memcpy(data + i * size, &d, size); break;
      case ONR_DTYPE_F16:
        memcpy(data + i * size, &(uint16_t){(uint16_t)(below(0x4800) | (below(2) << 15))}, size);
        break;
      case ONR_DTYPE_BF16: memcpy(data + i * size, &(uint16_t){(uint16_t)(0x3e00 + below(0x200))}, size); break;
      case ONR_DTYPE_C64:
        memcpy(data + i * size, &f, 4);
        memcpy(data + i * size + 4, &f, 4);
        break;
      default: memcpy(data + i * size, &whole, size < 8 ? size : 8); break;
    }
  }
  return data;
}

static struct proto tensor_proto(const char *name, const struct onr_desc *desc, const void *data) {
  struct proto t = proto_tensor(name, (int32_t)desc->dtype, desc->dim, (size_t)desc->rank);
  const size_t count = (size_t)onr_desc_elements(desc);
  if (desc->dtype != ONR_DTYPE_STRING) proto_bytes(&t, 9, data, onr_desc_bytes(desc));
  else
    for (size_t i = 0; i < count; i++)
      proto_bytes(&t, 6, ((const struct onr_string *)data)[i].text, ((const struct onr_string *)data)[i].length);
  return t;
}

/* --- attributes --- */

struct attribute {
  const char *name;
  int kind;
  const char *text; /* what a STRING or the STRINGS may be, separated by | */
};

static const struct attribute attributes[] = {
    {"axis", INT, 0},
    {"axes", INTS, 0},
    {"keepdims", INT, 0},
    {"to", INT, 0},
    {"alpha", FLOAT, 0},
    {"beta", FLOAT, 0},
    {"gamma", FLOAT, 0},
    {"kernel_shape", INTS, 0},
    {"strides", INTS, 0},
    {"dilations", INTS, 0},
    {"pads", INTS, 0},
    {"auto_pad", STRING, "NOTSET|SAME_UPPER|SAME_LOWER|VALID"},
    {"group", INT, 0},
    {"offset_group", INT, 0},
    {"output_padding", INTS, 0},
    {"output_shape", INTS, 0},
    {"ceil_mode", INT, 0},
    {"count_include_pad", INT, 0},
    {"storage_order", INT, 0},
    {"p", INT, 0},
    {"p", FLOAT, 0},
    {"p", INTS, 0},
    {"perm", INTS, 0},
    {"shape", INTS, 0},
    {"split", INTS, 0},
    {"num_outputs", INT, 0},
    {"starts", INTS, 0},
    {"ends", INTS, 0},
    {"steps", INTS, 0},
    {"value", TENSOR, 0},
    {"value", FLOAT, 0},
    {"value_float", FLOAT, 0},
    {"value_floats", FLOATS, 0},
    {"value_int", INT, 0},
    {"value_ints", INTS, 0},
    {"value_string", STRING, "a"},
    {"value_strings", STRINGS, "a|b"},
    {"default_tensor", TENSOR, 0},
    {"keys_tensor", TENSOR, 0},
    {"values_tensor", TENSOR, 0},
    {"mode", STRING,
     "constant|reflect|edge|wrap|nearest|linear|cubic|bilinear|bicubic|avg|max|DCR|CRD|standard|nesterov|TF|IDF|TFIDF|circular|default|fan"},
    {"reduction", STRING, "none|add|mul|min|max|sum|mean"},
    {"direction", STRING, "forward|reverse|bidirectional|LEFT|RIGHT"},
    {"padding_mode", STRING, "zeros|border|reflection"},
    {"align_corners", INT, 0},
    {"coordinate_transformation_mode", STRING,
     "half_pixel|align_corners|asymmetric|tf_crop_and_resize|pytorch_half_pixel|half_pixel_symmetric|output_half_pixel"},
    {"nearest_mode", STRING, "round_prefer_floor|round_prefer_ceil|floor|ceil"},
    {"keep_aspect_ratio_policy", STRING, "stretch|not_larger|not_smaller"},
    {"antialias", INT, 0},
    {"exclude_outside", INT, 0},
    {"cubic_coeff_a", FLOAT, 0},
    {"extrapolation_value", FLOAT, 0},
    {"scales", FLOATS, 0},
    {"height_scale", FLOAT, 0},
    {"width_scale", FLOAT, 0},
    {"output_height", INT, 0},
    {"output_width", INT, 0},
    {"sampling_ratio", INT, 0},
    {"spatial_scale", FLOAT, 0},
    {"pooled_shape", INTS, 0},
    {"size", INT, 0},
    {"bias", FLOAT, 0},
    {"epsilon", FLOAT, 0},
    {"momentum", FLOAT, 0},
    {"training_mode", INT, 0},
    {"spatial", INT, 0},
    {"is_test", INT, 0},
    {"consumed_inputs", INTS, 0},
    {"stash_type", INT, 0},
    {"num_groups", INT, 0},
    {"hidden_size", INT, 0},
    {"layout", INT, 0},
    {"linear_before_reset", INT, 0},
    {"input_forget", INT, 0},
    {"clip", FLOAT, 0},
    {"activations", STRINGS, "Relu|Tanh|Sigmoid|Affine|LeakyRelu|Softsign"},
    {"activation_alpha", FLOATS, 0},
    {"activation_beta", FLOATS, 0},
    {"activation", STRING, "Relu|Clip|silu|none|HardSigmoid"},
    {"activation_params", FLOATS, 0},
    {"allowzero", INT, 0},
    {"exclusive", INT, 0},
    {"reverse", INT, 0},
    {"fmod", INT, 0},
    {"k", INT, 0},
    {"largest", INT, 0},
    {"sorted", INT, 0},
    {"upper", INT, 0},
    {"batch_dims", INT, 0},
    {"batch_axis", INT, 0},
    {"time_axis", INT, 0},
    {"noop_with_empty_axes", INT, 0},
    {"select_last_index", INT, 0},
    {"transA", INT, 0},
    {"transB", INT, 0},
    {"transBatchA", INT, 0},
    {"transBatchB", INT, 0},
    {"broadcast", INT, 0},
    {"saturate", INT, 0},
    {"round_mode", STRING, "up|down|nearest"},
    {"block_size", INT, 0},
    {"blocksize", INT, 0},
    {"output_dtype", INT, 0},
    {"dtype", INT, 0},
    {"precision", INT, 0},
    {"equation", STRING, "ij,jk->ik|ij->ji|...i->...|i,i->|ii->i|ij,ij->|i->i"},
    {"ignore_index", INT, 0},
    {"seed", FLOAT, 0},
    {"low", FLOAT, 0},
    {"high", FLOAT, 0},
    {"mean", FLOAT, 0},
    {"mean", FLOATS, 0},
    {"scale", FLOAT, 0},
    {"ratio", FLOAT, 0},
    {"sample_size", INT, 0},
    {"onesided", INT, 0},
    {"inverse", INT, 0},
    {"periodic", INT, 0},
    {"output_datatype", INT, 0},
    {"center_point_box", INT, 0},
    {"approximate", STRING, "none|tanh"},
    {"max_map", INT, 0},
    {"softcap", FLOAT, 0},
    {"is_causal", INT, 0},
    {"q_num_heads", INT, 0},
    {"kv_num_heads", INT, 0},
    {"num_heads", INT, 0},
    {"qk_matmul_output_mode", INT, 0},
    {"softmax_precision", INT, 0},
    {"interleaved", INT, 0},
    {"rotary_embedding_dim", INT, 0},
    {"do_rotary", INT, 0},
    {"local_window_size", INT, 0},
    {"causal", INT, 0},
    {"unidirectional", INT, 0},
    {"qkv_hidden_sizes", INTS, 0},
    {"left_window_size", INT, 0},
    {"right_window_size", INT, 0},
    {"update_rule", STRING, "linear|gated|delta|gated_delta"},
    {"channels_last", INT, 0},
    {"smooth_softmax", INT, 0},
    {"rotary_interleaved", INT, 0},
    {"decay_factor", FLOAT, 0},
    {"norm_coefficient", FLOAT, 0},
    {"xs", STRINGS, "i0|i1"},
    {"zs", STRINGS, "i1|i2"},
    {"y", STRING, "i0"},
    {"K", INT, 0},
    {"N", INT, 0},
    {"bits", INT, 0},
    {"accuracy_level", INT, 0},
    {"detect_negative", INT, 0},
    {"detect_positive", INT, 0},
    {"new_axis", INT, 0},
    {"new_axis", INTS, 0},
    {"input_as_shape", INT, 0},
    {"extra_shape", INTS, 0},
    {"end", INT, 0},
    {"start", INT, 0},
    {"num_scan_inputs", INT, 0},
    {"scan_input_axes", INTS, 0},
    {"scan_output_axes", INTS, 0},
    {"scan_input_directions", INTS, 0},
    {"scan_output_directions", INTS, 0},
    {"directions", INTS, 0},
    {"output_size", INTS, 0},
    {"pixel_format", STRING, "RGB|BGR|Grayscale"},
    {"delimiter", STRING, " |a|"},
    {"maxsplit", INT, 0},
    {"pattern", STRING, "a*|[a-z]+|(|b"},
    {"case_change_action", STRING, "NONE|LOWER|UPPER"},
    {"is_case_sensitive", INT, 0},
    {"stopwords", STRINGS, "a|B|\xc3\xa9"},
    {"locale", STRING, "en_US"},
    {"max_gram_length", INT, 0},
    {"min_gram_length", INT, 0},
    {"max_skip_count", INT, 0},
    {"ngram_counts", INTS, 0},
    {"ngram_indexes", INTS, 0},
    {"pool_int64s", INTS, 0},
    {"pool_strings", STRINGS, "a|b|c"},
    {"weights", FLOATS, 0},
    {"threshold", FLOAT, 0},
    {"keys_int64s", INTS, 0},
    {"keys_strings", STRINGS, "a|b"},
    {"keys_floats", FLOATS, 0},
    {"values_int64s", INTS, 0},
    {"values_strings", STRINGS, "c|d"},
    {"values_floats", FLOATS, 0},
    {"default_int64", INT, 0},
    {"default_float", FLOAT, 0},
    {"default_string", STRING, "z"},
    {"cats_int64s", INTS, 0},
    {"cats_strings", STRINGS, "a|b"},
    {"classes_strings", STRINGS, "a|b"},
    {"zeros", INT, 0},
    {"classlabels_ints", INTS, 0},
    {"classlabels_int64s", INTS, 0},
    {"classlabels_strings", STRINGS, "a|b"},
    {"coefficients", FLOATS, 0},
    {"intercepts", FLOATS, 0},
    {"multi_class", INT, 0},
    {"post_transform", STRING, "NONE|SOFTMAX|LOGISTIC|SOFTMAX_ZERO|PROBIT"},
    {"targets", INT, 0},
    {"kernel_type", STRING, "LINEAR|POLY|RBF|SIGMOID"},
    {"kernel_params", FLOATS, 0},
    {"n_supports", INT, 0},
    {"support_vectors", FLOATS, 0},
    {"vectors_per_class", INTS, 0},
    {"prob_a", FLOATS, 0},
    {"prob_b", FLOATS, 0},
    {"rho", FLOATS, 0},
    {"one_class", INT, 0},
    {"norm", STRING, "MAX|L1|L2"},
    {"offset", FLOATS, 0},
    {"scale", FLOATS, 0},
    {"imputed_value_floats", FLOATS, 0},
    {"imputed_value_int64s", INTS, 0},
    {"replaced_value_float", FLOAT, 0},
    {"replaced_value_int64", INT, 0},
    {"inputdimensions", INTS, 0},
    {"int64_vocabulary", INTS, 0},
    {"string_vocabulary", STRINGS, "a|b"},
    {"cast_to", STRING, "TO_FLOAT|TO_STRING|TO_INT64"},
    {"map_form", STRING, "DENSE|SPARSE"},
    {"nodes_treeids", INTS, 0},
    {"nodes_nodeids", INTS, 0},
    {"nodes_featureids", INTS, 0},
    {"nodes_values", FLOATS, 0},
    {"nodes_modes", STRINGS, "LEAF|BRANCH_LEQ|BRANCH_LT|BRANCH_EQ"},
    {"nodes_truenodeids", INTS, 0},
    {"nodes_falsenodeids", INTS, 0},
    {"nodes_missing_value_tracks_true", INTS, 0},
    {"target_treeids", INTS, 0},
    {"target_nodeids", INTS, 0},
    {"target_ids", INTS, 0},
    {"target_weights", FLOATS, 0},
    {"class_treeids", INTS, 0},
    {"class_nodeids", INTS, 0},
    {"class_ids", INTS, 0},
    {"class_weights", FLOATS, 0},
    {"n_targets", INT, 0},
    {"base_values", FLOATS, 0},
    {"aggregate_function", STRING, "SUM|AVERAGE|MIN|MAX"},
    {"aggregate_function", INT, 0},
    {"tree_roots", INTS, 0},
    {"leaf_targetids", INTS, 0},
    {"leaf_weights", TENSOR, 0},
    {"nodes_splits", TENSOR, 0},
    {"nodes_modes", TENSOR, 0},
    {"nodes_trueleafs", INTS, 0},
    {"nodes_falseleafs", INTS, 0},
    {"nodes_hitrates", FLOATS, 0},
    {"membership_values", TENSOR, 0},
    {"k_quant_type", STRING, "NONE|PER_TENSOR"},
    {"v_quant_type", STRING, "NONE|PER_TENSOR"},
    {"max_dimension", INT, 0},
    {"min_dimension", INT, 0},
    {"paddings", INTS, 0},
    {"border", INTS, 0},
    {"divisor_override", INT, 0},
    {"output_ratio", FLOATS, 0},
    {"mask_filter_value", FLOAT, 0},
    {"opset", INT, 0},
};

/* One of the texts of a list. */
static void put_text(struct proto *a, uint32_t field, const char *list) {
  uint32_t count = 1;
  for (const char *c = list; *c; c++) count += *c == '|';
  for (uint32_t skip = below(count); skip > 0; skip--) list = strchr(list, '|') + 1;
  if (percent(4)) proto_text(a, field, "nonsense");
  else proto_bytes(a, field, list, strcspn(list, "|"));
}

static struct proto make_attribute(const struct profile *p, const struct attribute *from) {
  struct proto a = proto_attribute(from->name, from->kind);
  const size_t spatial = p->rank > 2 ? (size_t)p->rank - 2 : 1;
  const size_t lengths[] = {spatial, 2 * spatial, (size_t)p->rank, 2 * (size_t)p->rank, 1, 2, 3, below(8)};
  const int is_pads = !strcmp(from->name, "pads"), is_window = !strcmp(from->name, "kernel_shape") ||
                                                               !strcmp(from->name, "strides") ||
                                                               !strcmp(from->name, "dilations");
  const size_t length = percent(85) && is_pads ? 2 * spatial : percent(85) && is_window ? spatial : PICK(lengths);
  if (from->kind == INT) proto_int(&a, 3, is_window ? 1 : integer());
  if (from->kind == FLOAT) proto_float(&a, 2, (float)real());
  if (from->kind == STRING) put_text(&a, 4, from->text);
  for (size_t i = 0; i < length; i++) {
    if (from->kind == INTS) proto_int(&a, 8, is_window ? 1 + (int64_t)below(2) : integer());
    if (from->kind == FLOATS) proto_float(&a, 7, (float)real());
    if (from->kind == STRINGS) put_text(&a, 9, from->text);
  }
  if (from->kind == TENSOR) {
    const struct onr_desc desc = make_desc(p);
    void *data = make_data(&desc);
    struct proto t = tensor_proto("t", &desc, data);
    proto_message(&a, 5, &t);
    free(data);
  }
  return a;
}

static struct proto named(const char *name);
static struct proto make_body(const char *name, size_t num_in, size_t num_out);

enum { NUM_ATTRIBUTES = sizeof(attributes) / sizeof(attributes[0]), NO_ATTRIBUTE = NUM_ATTRIBUTES };
static size_t wrong = NO_ATTRIBUTE; /* the attribute that is there for certain, of a kind that it must not be of */

/* Of any other kind than the table has for its name. */
static struct proto make_wrong_attribute(const struct profile *p, size_t index) {
  static const int kinds[] = {FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS};
  const char *name = attributes[index].name;
  struct attribute from = {name, PICK(kinds), "a|b"};
  for (size_t k = 0; k < NUM_ATTRIBUTES; k++)
    if (!strcmp(attributes[k].name, name) && attributes[k].kind == from.kind)
      from.kind = PICK(kinds), k = (size_t)-1; /* once more from the start */
  return from.kind == GRAPH ? make_body(name, 1, 1) : make_attribute(p, &from);
}

static struct proto named(const char *name) {
  struct proto v = {0};
  proto_text(&v, 1, name);
  return v;
}

/* A body that passes its inputs on. */
static struct proto make_body(const char *name, size_t num_in, size_t num_out) {
  struct proto a = proto_attribute(name, GRAPH), graph = {0};
  for (size_t i = 0; i < num_out; i++) {
    char in[16], out[16];
    snprintf(in, sizeof(in), "b%zu", num_in ? (i + percent(20)) % num_in : 0);
    snprintf(out, sizeof(out), "c%zu", i);
    struct proto node = proto_node("", percent(80) ? "Identity" : "Relu", num_in ? in : "i0", out);
    proto_message(&graph, 1, &node);
  }
  proto_text(&graph, 2, "body");
  for (size_t i = 0; i < num_in + num_out; i++) {
    char text[16];
    snprintf(text, sizeof(text), i < num_in ? "b%zu" : "c%zu", i < num_in ? i : i - num_in);
    struct proto v = named(text);
    proto_message(&graph, i < num_in ? 11 : 12, &v);
  }
  proto_message(&a, 6, &graph);
  return a;
}

/* --- a model --- */

struct model {
  struct proto graph;
  struct onr_tensor inputs[MAX_IN]; /* of the graph, by their names i0, i1 ... */
  char in_names[MAX_TEXT * 4], out_names[MAX_TEXT * 4];
  size_t num_named;
};

static void append(char *list, const char *name) {
  if (*list) strcat(list, " ");
  strcat(list, name);
}

static struct proto value_info(const char *name, const struct onr_desc *desc, int with_shape) {
  struct proto v = {0}, type = {0}, tensor = {0}, shape = {0};
  proto_text(&v, 1, name);
  proto_int(&tensor, 1, (int64_t)desc->dtype);
  for (int32_t d = 0; d < desc->rank; d++) {
    struct proto dim = {0};
    if (percent(70)) proto_int(&dim, 1, desc->dim[d]);
    else proto_text(&dim, 2, "n");
    proto_message(&shape, 1, &dim);
  }
  if (with_shape) proto_message(&tensor, 2, &shape);
  else proto_free(&shape);
  proto_message(&type, 1, &tensor);
  proto_message(&v, 2, &type);
  return v;
}

/* Input i of the node: a constant, an input with or without a shape, or one of these in a sequence, an optional or a
 * map. */
static void add_input(struct model *m, const struct profile *p, size_t i) {
  static const char *const blocks[] = {"SequenceConstruct", "SequenceConstruct", "Optional", "ZipMap"};
  char name[16], block[16];
  const struct onr_desc desc = make_desc(p);
  if (onr_desc_bytes(&desc) > MAX_BYTES) return append(m->in_names, "-");
  void *data = make_data(&desc);
  snprintf(name, sizeof(name), "i%zu", i);
  snprintf(block, sizeof(block), "s%zu", i);
  if (percent(40)) {
    struct proto t = tensor_proto(name, &desc, data);
    proto_message(&m->graph, 5, &t);
    free(data);
  } else {
    struct proto v = value_info(name, &desc, percent(60));
    proto_message(&m->graph, 11, &v);
    if (!onr_desc_elements(&desc) && percent(50)) { /* allowed where there are no elements */
      free(data);
      data = NULL;
    }
    m->inputs[i] = (struct onr_tensor){desc, data};
  }
  if (!percent(4)) return append(m->in_names, name);
  const char *kind = PICK(blocks);
  struct proto node = proto_node(!strcmp(kind, "ZipMap") ? "ai.onnx.ml" : "", kind, name, block);
  if (!strcmp(kind, "ZipMap")) {
    struct proto labels = proto_attribute("classlabels_int64s", INTS);
    for (int32_t k = 0; desc.rank > 0 && k < desc.dim[desc.rank - 1] && k < 9; k++) proto_int(&labels, 8, k);
    proto_message(&node, 5, &labels);
  }
  proto_message(&m->graph, 1, &node);
  append(m->in_names, block);
}

static void add_node(struct model *m, const struct profile *p, const struct onr_op_info *op) {
  for (size_t i = 0; i < p->num_in; i++) {
    if (percent(i < op->inputs_min ? 1 : 25)) append(m->in_names, "-");
    else add_input(m, p, i);
  }
  const uint32_t unnamed = percent(60) ? 0 : below(4); /* none, all, the first, any */
  for (size_t i = 0; i < p->num_out; i++) {
    char name[16];
    snprintf(name, sizeof(name), "y%zu", i);
    const int omit = unnamed == 1 || (unnamed == 2 && i == 0) || (unnamed == 3 && percent(50));
    append(m->out_names, omit ? "-" : name);
    m->num_named += !omit;
  }
  struct proto node = proto_node(op->domain, op->op_type, m->in_names, m->out_names);
  const uint32_t share = (uint32_t[]){5, 30, 60, 90}[below(4)];
  if (wrong != NO_ATTRIBUTE) {
    struct proto a = make_wrong_attribute(p, wrong);
    proto_message(&node, 5, &a);
  }
  for (size_t k = 0; k < NUM_ATTRIBUTES; k++) {
    if (wrong != NO_ATTRIBUTE && !strcmp(attributes[k].name, attributes[wrong].name)) continue;
    if (!percent(share) || (k > 0 && !strcmp(attributes[k].name, attributes[k - 1].name))) continue;
    const size_t same = k + 1 < NUM_ATTRIBUTES && !strcmp(attributes[k].name, attributes[k + 1].name);
    struct proto a = make_attribute(p, &attributes[k + (same && percent(50))]);
    proto_message(&node, 5, &a);
  }
  const int loop = !strcmp(op->op_type, "Loop"), condition = !strcmp(op->op_type, "If");
  if (loop || condition || !strcmp(op->op_type, "Scan") || !strcmp(op->op_type, "SequenceMap")) {
    const size_t in = condition ? 0 : p->num_in, out = p->num_out + (loop ? 1 : 0) + (percent(5) ? below(2) : 0);
    struct proto body = make_body(condition ? "then_branch" : "body", in, out);
    proto_message(&node, 5, &body);
    if (condition) {
      body = make_body("else_branch", in, p->num_out);
      proto_message(&node, 5, &body);
    }
  }
  proto_message(&m->graph, 1, &node);
}

static struct proto make_model(struct model *m, const struct profile *p, const struct onr_op_info *op) {
  static const char *const domains[] = {"", "ai.onnx.ml", "com.microsoft", "ai.onnx.preview.training", "onnxrun"};
  struct proto model = {0};
  add_node(m, p, op);
  proto_text(&m->graph, 2, "g");
  for (size_t i = 0; i < p->num_out; i++) {
    char name[16];
    snprintf(name, sizeof(name), "y%zu", i);
    const char *found = strstr(m->out_names, name);
    if (!found) continue;
    struct proto v = named(name);
    proto_message(&m->graph, 12, &v);
  }
  if (!m->num_named) { /* a graph has an output */
    struct proto node = proto_node("", "Constant", "", "y"), value = proto_attribute("value_float", FLOAT),
                 v = named("y");
    proto_float(&value, 2, 1);
    proto_message(&node, 5, &value);
    proto_message(&m->graph, 1, &node);
    proto_message(&m->graph, 12, &v);
  }
  proto_int(&model, 1, 10);
  proto_message(&model, 7, &m->graph);
  for (size_t d = 0; d < sizeof(domains) / sizeof(domains[0]); d++) {
    struct proto opset = {0};
    proto_text(&opset, 1, domains[d]);
    proto_int(&opset, 2, !strcmp(domains[d], op->domain) ? p->opset : *domains[d] ? 1 : 21);
    proto_message(&model, 8, &opset);
  }
  return model;
}

/* --- running it --- */

struct outcome {
  enum onr_status status;
  const char *phase;
  size_t num_out;
  struct onr_tensor out[MAX_OUT]; /* copies */
  struct onr_error error;
};

static enum onr_status run(const struct model *m, const struct onr_model *model, struct onr_session *session,
                           struct outcome *o) {
  for (size_t i = 0; i < MAX_IN; i++) {
    char name[16];
    snprintf(name, sizeof(name), "i%zu", i);
    const int at = onr_model_find_input(model, name);
    if (at < 0) continue;
    ONR_TRY(onr_session_set_input(session, (size_t)at, &m->inputs[i], &o->error));
  }
  o->phase = "plan";
  ONR_TRY(onr_session_plan(session, &o->error));
  o->phase = "run";
  ONR_TRY(onr_session_run(session, &o->error));
  ONR_TRY(onr_session_run(session, &o->error));
  for (; o->num_out < onr_model_num_outputs(model) && o->num_out < MAX_OUT; o->num_out++) {
    struct onr_tensor *y = &o->out[o->num_out];
    ONR_TRY(onr_session_get_output(session, o->num_out, y, &o->error));
    const size_t bytes = onr_desc_bytes(&y->desc);
    void *copy = malloc(bytes + 1);
    assert_non_null(copy);
    if (bytes) memcpy(copy, y->data, bytes);
    y->data = copy;
  }
  return ONR_STATUS_OK;
}

static struct outcome load(const struct proto *bytes, struct onr_model **model) {
  const struct onr_limits limits = {
      .size = sizeof(limits), .tensor_bytes = 16 << 20, .total_bytes = 64 << 20, .loop_iterations = 100};
  const struct onr_model_options options = {.size = sizeof(options), .allocator = &filling, .limits = &limits};
  struct outcome o = {.phase = "load"};
  o.status = onr_model_load_memory(bytes->bytes, bytes->size, &options, model, &o.error);
  return o;
}

static struct outcome try_model(const struct model *m, const struct proto *bytes, int with) {
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  fill = with;
  struct outcome o = load(bytes, &model);
  if (o.status == ONR_STATUS_OK) o.status = onr_session_create(model, NULL, &session, &o.error);
  if (o.status == ONR_STATUS_OK) o.status = run(m, model, session, &o);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return o;
}

static void clear_outcome(struct outcome *o) {
  for (size_t i = 0; i < o->num_out; i++) free(o->out[i].data);
}

static int is_random(const struct onr_op_info *op) {
  static const char *const names[] = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike",
                                      "Bernoulli",    "Multinomial",   "Dropout"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (!strcmp(op->op_type, names[i])) return 1;
  return 0;
}

static const char *compare(const struct outcome *a, const struct outcome *b) {
  if (a->status != b->status) return "it ends otherwise the second time";
  for (size_t i = 0; i < a->num_out; i++) {
    if (!onr_desc_equal(&a->out[i].desc, &b->out[i].desc)) return "a shape depends on what lay in memory";
    /* Text may stand elsewhere, also that of entries. */
    const enum onr_dtype dtype = a->out[i].desc.dtype;
    if (dtype == ONR_DTYPE_STRING || dtype == ONR_DTYPE_SEQUENCE || dtype == ONR_DTYPE_OPTIONAL ||
        dtype == ONR_DTYPE_MAP)
      continue;
    if (memcmp(a->out[i].data, b->out[i].data, onr_desc_bytes(&a->out[i].desc)) != 0)
      return "an output depends on what lay in memory";
  }
  return NULL;
}

/* How far it came: 0 refused while loading, 1 later, 2 ran. */
static int try_case(size_t row, const struct onr_op_info *op, unsigned number) {
  seed = ((uint64_t)row << 32 | number) * 0x2545f4914f6cdd1du;
  struct model m = {0};
  const struct profile p = make_profile(op);
  struct proto bytes = make_model(&m, &p, op);
  if (tell)
    fprintf(stderr, "%zu %s@%d case %u: %s -> %s\n", row, op->op_type, op->since_version, number, m.in_names,
            m.out_names);
  struct outcome a = try_model(&m, &bytes, 0x11), b = try_model(&m, &bytes, 0xEE);
  const char *why = a.status == ONR_STATUS_INTERNAL                    ? "INTERNAL"
                    : a.status != ONR_STATUS_OK && !a.error.message[0] ? "no message"
                    : num_live                                         ? "lost memory"
                                                                       : NULL;
  if (!why && !is_random(op)) why = compare(&a, &b);
  if (tell) fprintf(stderr, "  %s in %s: %s: %s\n", onr_status_name(a.status), a.phase, a.error.where, a.error.message);
  if (why)
    fail_msg("operator %zu, %s %s@%d, case %u (%s -> %s): %s: %s in %s: %s", row, op->domain, op->op_type,
             op->since_version, number, m.in_names, m.out_names, why, onr_status_name(a.status), a.phase,
             a.error.message);
  const int far = a.status == ONR_STATUS_OK ? 2 : strcmp(a.phase, "load") != 0;
  clear_outcome(&a);
  clear_outcome(&b);
  proto_free(&bytes);
  for (size_t i = 0; i < MAX_IN; i++) free(m.inputs[i].data);
  return far;
}

/* One attribute of a wrong kind: 1 when that is what ends it. */
static int try_wrong(size_t row, const struct onr_op_info *op, size_t index) {
  seed = ((uint64_t)row << 32 | index) * 0x9e3779b97f4a7c15u;
  struct model m = {0};
  const struct profile p = make_profile(op);
  wrong = index;
  struct proto bytes = make_model(&m, &p, op);
  wrong = NO_ATTRIBUTE;
  struct onr_model *model = NULL;
  const struct outcome o = load(&bytes, &model);
  onr_model_destroy(model);
  const int told = o.status == ONR_STATUS_ATTRIBUTE && strstr(o.error.message, attributes[index].name);
  if (o.status == ONR_STATUS_INTERNAL || (o.status != ONR_STATUS_OK && !o.error.message[0]) || num_live)
    fail_msg("operator %zu, %s %s@%d, '%s' of a wrong kind: %s in %s: %s", row, op->domain, op->op_type,
             op->since_version, attributes[index].name, onr_status_name(o.status), o.phase, o.error.message);
  proto_free(&bytes);
  for (size_t i = 0; i < MAX_IN; i++) free(m.inputs[i].data);
  return told;
}

static void attributes_of_a_wrong_kind_do_no_harm(void **state) {
  size_t told = 0;
  (void)state;
  for (size_t row = 0; row < onr_num_ops(); row++) {
    struct onr_op_info op = {.size = sizeof(op)};
    if (only_op != SIZE_MAX && row != only_op) continue;
    assert_int_equal(onr_op(row, &op), ONR_STATUS_OK);
    if (op.withdrawn) continue;
    for (size_t k = 0; k < NUM_ATTRIBUTES; k++)
      if (k == 0 || strcmp(attributes[k].name, attributes[k - 1].name)) told += (size_t)try_wrong(row, &op, k);
  }
  print_message("%zu attributes of a wrong kind told by their names\n", told);
  if (only_op == SIZE_MAX) assert_true(told > onr_num_ops());
}

static void operators_do_no_harm(void **state) {
  size_t reached[3] = {0}, silent = 0;
  (void)state;
  for (size_t row = 0; row < onr_num_ops(); row++) {
    struct onr_op_info op = {.size = sizeof(op)};
    size_t ran = 0;
    if (only_op != SIZE_MAX && row != only_op) continue;
    assert_int_equal(onr_op(row, &op), ONR_STATUS_OK);
    if (op.withdrawn) continue;
    for (unsigned number = 0; number < num_cases; number++) {
      const int far = try_case(row, &op, first_case + number);
      reached[far]++;
      ran += far == 2;
    }
    silent += ran == 0;
    if (tell && !ran) fprintf(stderr, "NEVER RAN %s %s@%d\n", op.domain, op.op_type, op.since_version);
  }
  print_message("%zu refused while loading, %zu later, %zu ran; %zu operators never ran\n", reached[0], reached[1],
                reached[2], silent);
  if (only_op == SIZE_MAX) assert_true(reached[2] > 8 * onr_num_ops()); /* enough is sound enough to test the run */
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(operators_do_no_harm),
                                     cmocka_unit_test(attributes_of_a_wrong_kind_do_no_harm)};
  if (argc > 1) num_cases = (unsigned)strtoul(argv[1], NULL, 10);
  if (argc > 2) first_case = (unsigned)strtoul(argv[2], NULL, 10);
  if (argc > 3) only_op = strtoul(argv[3], NULL, 10);
  tell = argc > 4;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
