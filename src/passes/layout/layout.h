/* layout.h: how the layout pass sees a graph.
 *
 * Each value keeps its meaning (its logical dimensions), but may be stored with its dimensions in another order. A
 * Transpose node is then nothing but a change of view: it costs nothing until somebody needs the value in an order in
 * which it is not stored. Spatial layers want, and make, channels-last storage; layers that do not care take what is
 * there; all others get the logical order. */
#ifndef ONRI_LAYOUT_H
#define ONRI_LAYOUT_H

#include "layers/layers.h"
#include "passes/rewrite.h"

/* An order of dimensions, as in transpose: dimension i of the result is dimension axis[i] of the source. */
struct onri_permutation {
  int32_t rank; /* below 1: nothing to reorder */
  uint8_t axis[ONR_MAX_RANK];
};

struct onri_permutation onri_permutation_identity(int32_t rank);
struct onri_permutation onri_permutation_channels_last(int32_t rank); /* 0 2 3 ... 1 */
int onri_permutation_is_identity(const struct onri_permutation *order);
int onri_permutation_equal(const struct onri_permutation *a, const struct onri_permutation *b);
struct onri_permutation onri_permutation_inverse(const struct onri_permutation *order);
/* First `first`, then `second`: result[i] = first[second[i]]. */
struct onri_permutation onri_permutation_then(const struct onri_permutation *first,
                                              const struct onri_permutation *second);

/* One stored form of a value. */
struct onri_form {
  struct onri_permutation order;
  int32_t value; /* the tensor; it holds the logical value transposed by order */
  int32_t next;  /* the next form of the same value, or ONRI_NONE */
};

struct onri_layout_value {
  int32_t base;                  /* the value this one is a view of; itself when it is none */
  struct onri_permutation view;  /* this value is base transposed by view; rank 0 when base is itself */
  struct onri_permutation order; /* base only: how it was made ... */
  int32_t value;                 /* ... and in which tensor */
  int32_t forms;                 /* more forms, or ONRI_NONE */
  int32_t wish;                  /* above 0: readers want channels last; below 0: they want the logical order */
};

struct onri_layout {
  struct onri_rewrite *rw;
  struct onri_layout_value *values; /* [num_values] for the values that the graph had at the start */
  size_t num_values;
  struct onri_form *forms;
  size_t num_forms, forms_capacity;
  size_t current; /* the node being visited; Transposes are made in its name */
};

/* The node being visited. Good until a node is added, so ask again after onri_layout_get and what calls it. */
static inline struct onri_node *onri_layout_node(const struct onri_layout *layout) {
  return &layout->rw->graph->nodes[layout->current];
}

/* --- for the rules --- */
/* The order value v is stored in. */
struct onri_permutation onri_layout_permutation(const struct onri_layout *layout, int32_t v);
/* The tensor that holds v in this order; a Transpose, or a rearranged constant, when there is none yet. -1: no memory.
 */
int32_t onri_layout_get(struct onri_layout *layout, int32_t v, const struct onri_permutation *order);
/* As onri_layout_get, for an operand that is broadcast to `order`'s rank: v may have a lower rank. */
int32_t onri_layout_get_broadcast(struct onri_layout *layout, int32_t v, const struct onri_permutation *order);
/* Elements that onri_layout_get_broadcast would have to move; 0 when nothing moves. An estimate where dims are unknown.
 */
double onri_layout_cost(const struct onri_layout *layout, int32_t v, const struct onri_permutation *order);
/* The following are about the node being visited. */
/* Output i is made in this order. */
enum onr_status onri_layout_put(struct onri_layout *layout, int32_t i, const struct onri_permutation *order);
/* Input i is read in this order, broadcast to its rank. */
enum onr_status onri_layout_input(struct onri_layout *layout, int32_t i, const struct onri_permutation *order);
/* Inputs from `first` on in logical order, and outputs too. With 0: right for every layer. */
enum onr_status onri_layout_plain(struct onri_layout *layout, int32_t first);
/* Output 0 becomes a view of input 0 in this order; the node goes. */
void onri_layout_view(struct onri_layout *layout, const struct onri_permutation *order);
/* The cheapest order for inputs [first, first + count) and output 0, all of output 0's rank or broadcast to it.
 * Considers the orders they are stored in, and channels last where readers want it. */
struct onri_permutation onri_layout_choose(const struct onri_layout *layout, int32_t first, int32_t count);

/* --- the table --- */
enum onri_layout_wish {
  ONRI_WISH_PLAIN,         /* inputs in logical order */
  ONRI_WISH_CHANNELS_LAST, /* input 0 channels last */
  ONRI_WISH_OUTPUT,        /* whatever the readers of output 0 want */
  ONRI_WISH_NOTHING        /* any order will do */
};
struct onri_layout_rule {
  /* Rewrites inputs and outputs of the node being visited. Falls back to onri_layout_plain where it cannot do better.
   */
  enum onr_status (*apply)(struct onri_layout *layout);
  enum onri_layout_wish wish;
  size_t param_size; /* of the parameter at layout_param that it rewrites; 0: none */
};
enum onr_status onri_rule_plain(struct onri_layout *layout);          /* everything in logical order */
enum onr_status onri_rule_spatial(struct onri_layout *layout);        /* a channels_last parameter */
enum onr_status onri_rule_conv(struct onri_layout *layout);           /* that, or x as it is */
enum onr_status onri_rule_conv_bytes(struct onri_layout *layout);     /* that, or all as it is, for few outputs */
enum onr_status onri_rule_conv_transpose(struct onri_layout *layout); /* that, or x as it is, for few outputs */
enum onr_status onri_rule_either(struct onri_layout *layout);         /* the same, where that moves less */
enum onr_status onri_rule_pool(struct onri_layout *layout); /* without indices, no narrow ones: either; else spatial */
enum onr_status onri_rule_resize(
    struct onri_layout *layout); /* nearest pixels, and wide images: either; else spatial */
enum onr_status onri_rule_unpool(struct onri_layout *layout);      /* max_unpool: two such inputs */
enum onr_status onri_rule_elementwise(struct onri_layout *layout); /* broadcast operands, any order */
enum onr_status onri_rule_along_axis(struct onri_layout *layout);  /* input 0 and outputs along an axis parameter */
enum onr_status onri_rule_softmax(struct onri_layout *layout);     /* the same, unless it flattens */
enum onr_status onri_rule_concat(struct onri_layout *layout);      /* all inputs along an axis parameter */
enum onr_status onri_rule_trailing(struct onri_layout *layout);    /* dimensions from the axis parameter on stay last */
enum onr_status onri_rule_last_axis(struct onri_layout *layout);   /* the last dimension stays last */
enum onr_status onri_rule_matmul(struct onri_layout *layout);
enum onr_status onri_rule_attention(struct onri_layout *layout);
enum onr_status onri_rule_transpose(struct onri_layout *layout); /* from here on in layout_dims.c */
enum onr_status onri_rule_reduce(struct onri_layout *layout);
enum onr_status onri_rule_arg_reduce(struct onri_layout *layout);
enum onr_status onri_rule_squeeze(struct onri_layout *layout);
enum onr_status onri_rule_unsqueeze(struct onri_layout *layout);
enum onr_status onri_rule_gather(struct onri_layout *layout);
enum onr_status onri_rule_pad(struct onri_layout *layout);
enum onr_status onri_rule_slice(struct onri_layout *layout);
enum onr_status onri_rule_reshape(struct onri_layout *layout); /* in layout_reshape.c */
enum onr_status onri_rule_shape(struct onri_layout *layout);   /* these, too */
enum onr_status onri_rule_size(struct onri_layout *layout);
/* Input k of a spatial layer lies as its output does: the image, and what is added to a convolution. */
static inline int onri_layout_is_image(const struct onri_node *node, int32_t k) {
  return k == 0 || (k == 3 && node->layer == &onri_layer_conv);
}
/* The rule that a layer's table names. */
const struct onri_layout_rule *onri_layout_find(const struct onr_layer *layer);

#endif
