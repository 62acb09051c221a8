/* spell.h: layers as ONNX writes them.
 *
 * A row says which operator a layer is, since which version it means what the layer does, and which parameters are
 * which attributes. What takes more than one node, or looks at inputs, is a function. Parameters that ONNX has no word
 * for are named (ONRI_ONLY_ZERO): a layer that uses one has no form.
 *
 *   spell.c          a row becomes a node
 *   rows_*.c         the rows, by family
 *   graph_write.c    a graph: names, constants, bodies
 *   tensor_write.c   contents
 *   type_write.c     types of what holds tensors
 *   model_write.c    the file */
#ifndef ONRI_SPELL_H
#define ONRI_SPELL_H

#include "layers/layers.h"
#include "onnx/file/names.h"
#include "onnx/write/wire.h"
#include "graph/graph.h"

enum onri_field_kind {
  ONRI_FIELD_INT32,
  ONRI_FIELD_INT64,
  ONRI_FIELD_FLOAT,
  ONRI_FIELD_CHOICE,   /* int32: one of texts */
  ONRI_FIELD_NOT,      /* int32: the attribute is 1 where it is 0 */
  ONRI_FIELD_INTS32,   /* int32[]; `extra` is where their number is */
  ONRI_FIELD_INTS64,   /* int64[]; likewise */
  ONRI_FIELD_TEXT,     /* char[] */
  ONRI_FIELD_STRING,   /* struct onr_string */
  ONRI_FIELD_WINDOW,   /* struct onr_window: kernel_shape, strides, dilations, pads, auto_pad */
  ONRI_FIELD_ONLY_ZERO /* no attribute: `extra` bytes, which say something that ONNX cannot when they are not zero */
};

/* since > 0: the version that knows the attribute, which is left out where it is zero (NOT: where it is 1); -1: it is
 * left out where it is zero, by all versions. given > 0: offset + 1 of an int32 without which it is left out; < 0: with
 * which. */
struct onri_field {
  const char *name;
  enum onri_field_kind kind;
  uint16_t at, extra;
  int16_t since, given;
  const char *const *texts;
};

struct onri_spell;

struct onri_spelling {
  const struct onr_layer *layer;
  const char *domain; /* NULL: ai.onnx */
  const char *op;
  int16_t since;
  uint8_t most_in;        /* inputs that the operator knows; 0: any number */
  const char *const *ops; /* instead of op: by the int32 at op_at; NULL: it has no operator */
  size_t num_ops;
  uint16_t op_at;
  const struct onri_field *fields;
  size_t num_fields;
  /* In place of all this; NULL when it is said, else why it cannot be: a sentence of the operator. */
  const char *(*say)(struct onri_spell *s, const struct onri_spelling *row);
};
struct onri_spellings {
  const struct onri_spelling *rows;
  size_t count;
};

#define ONRI_FIELDS(list) .fields = (list), .num_fields = sizeof(list) / sizeof((list)[0])
#define ONRI_OPS(list, type, member) \
  .ops = (list), .num_ops = sizeof(list) / sizeof((list)[0]), .op_at = offsetof(type, member)
#define ONRI_ATTRIBUTE(text, field_kind, type, member) \
  { .name = (text), .kind = ONRI_FIELD_##field_kind, .at = offsetof(type, member) }
#define ONRI_ATTRIBUTE_SINCE(text, field_kind, type, member, version) \
  { .name = (text), .kind = ONRI_FIELD_##field_kind, .at = offsetof(type, member), .since = (version) }
#define ONRI_CHOICE(text, type, member, list) \
  { .name = (text), .kind = ONRI_FIELD_CHOICE, .at = offsetof(type, member), .texts = (list) }
#define ONRI_LIST(text, field_kind, type, member, count)                                        \
  {                                                                                             \
    .name = (text), .kind = ONRI_FIELD_##field_kind, .at = offsetof(type, member), .since = -1, \
    .extra = offsetof(type, count)                                                              \
  }
#define ONRI_ONLY_ZERO(what, type, member)                                      \
  {                                                                             \
    .name = (what), .kind = ONRI_FIELD_ONLY_ZERO, .at = offsetof(type, member), \
    .extra = sizeof(((const type *)NULL)->member)                               \
  }

/* Contents that go behind byte `at` of the main graph when the file is written, one after the other; or to byte
 * `offset` of the file beside it. */
struct onri_splice {
  size_t at;
  uint64_t offset;
  int is_beside;
  struct onri_constant *constant;
};

/* A kind of node that has no form. */
struct onri_unsaid {
  const char *what; /* "Loop: a body ..." */
  const struct onri_origin *first;
  size_t count;
};

/* One file that is being written. */
struct onri_write {
  struct onr_env *env;
  struct onri_arena arena; /* names */
  struct onri_names taken; /* of values and nodes, each once in the whole file */
  uint32_t num_names;      /* that were made up */
  int64_t opset;           /* of ai.onnx: what the operators and types so far need */
  int uses_microsoft;
  size_t num_nodes;
  struct onr_error *error;
  enum onr_status status; /* the first failure */
  const char *beside;     /* the name of the file that large contents go to; NULL: they are in the message */
  uint64_t beside_end;    /* what it holds so far */
  struct onri_splice *splices;
  size_t num_splices, splices_capacity;
  struct onri_unsaid *unsaid;
  size_t num_unsaid, unsaid_capacity;
};

/* A graph that is being written, and the node whose turn it is. */
struct onri_spell {
  struct onri_write *file;
  struct onri_graph *graph;
  const struct onri_node *node;
  const char **names; /* [values of graph] NULL: not named yet */
  int is_body;
  struct onri_wire *wire; /* of the GraphProto */
  size_t begin;           /* of the open NodeProto */
  const char *node_name;  /* of the next one; NULL: none is left */
};

/* --- for functions of rows --- */
/* A node; then its inputs, its outputs and its attributes, in this order. domain NULL: ai.onnx. */
void onri_say_begin(struct onri_spell *s, const char *domain, const char *op, int64_t since);
void onri_say_in(struct onri_spell *s, const char *name); /* NULL: omitted */
void onri_say_out(struct onri_spell *s, const char *name);
void onri_say_int(struct onri_spell *s, const char *name, int64_t value);
void onri_say_float(struct onri_spell *s, const char *name, float value);
void onri_say_text(struct onri_spell *s, const char *name, const char *text, size_t length);
void onri_say_ints(struct onri_spell *s, const char *name, const int64_t *values, size_t count);
void onri_say_floats(struct onri_spell *s, const char *name, const float *values, size_t count);
void onri_say_strings(struct onri_spell *s, const char *name, const struct onr_string *strings, size_t count);
void onri_say_tensor(struct onri_spell *s, const char *name, const struct onr_desc *desc, const void *data);
/* Body `b` of the node as a graph, whose first `formal` inputs are its own. */
void onri_say_body(struct onri_spell *s, const char *name, int32_t b, size_t formal);
void onri_say_end(struct onri_spell *s);
/* A node of these operands, without attributes. in[] NULL: omitted. */
void onri_say_node(struct onri_spell *s, const char *op, int64_t since, const char *const *in, size_t num_in,
                   const char *out);

/* Names of input and output i of the node; NULL: omitted. */
const char *onri_say_input(const struct onri_spell *s, int32_t i);
const char *onri_say_output(const struct onri_spell *s, int32_t i);
/* A name between nodes. */
const char *onri_say_temp(struct onri_spell *s);
/* The name of a constant that is made here. */
const char *onri_say_data(struct onri_spell *s, const struct onr_desc *desc, const void *data);
const char *onri_say_list(struct onri_spell *s, const int64_t *values, size_t count); /* int64 [count] */
/* A tensor of one number, and a scalar, of the type of input 0, a float; NULL where that type is not known. */
const char *onri_say_filled(struct onri_spell *s, int32_t rank, const int64_t *dims, double value);
const char *onri_say_number(struct onri_spell *s, double value);
/* The fields of a row, as attributes of the open node; which must be free of what cannot be said. */
const char *onri_fields_check(const struct onri_spell *s, const struct onri_spelling *row);
void onri_fields_say(struct onri_spell *s, const struct onri_spelling *row);
/* All inputs and all outputs, without omitted ones at the end. */
void onri_say_operands(struct onri_spell *s);
void onri_say_outputs(struct onri_spell *s);
/* The node of a row's operator with all operands and fields; what has more attributes says them, then the end. */
void onri_say_row_begin(struct onri_spell *s, const struct onri_spelling *row);
/* The node as a row says it. */
const char *onri_say_row(struct onri_spell *s, const struct onri_spelling *row);

/* --- spell.c --- */
const struct onri_spelling *onri_spelling_of(const struct onr_layer *layer); /* NULL: there is none */
/* The fixed inputs of a node with bodies: what follows are captures. */
size_t onri_formal_inputs(const struct onri_node *node);

/* --- graph_write.c --- */
void onri_write_need(struct onri_write *file, int64_t opset);
/* A copy of `wanted` that nothing else in the file is called, or another name; NULL: out of memory, which is noted. */
const char *onri_write_name(struct onri_write *file, const char *wanted);
/* A body: `given` names its first inputs, `captured` the others. */
void onri_write_body(struct onri_spell *outer, struct onri_graph *body, size_t formal, const char *const *captured,
                     size_t num_captured);
/* The main graph, whose inputs and outputs have these names: all but their declarations. */
enum onr_status onri_write_main(struct onri_write *file, struct onri_graph *graph, const char *const *inputs,
                                const char *const *outputs, struct onri_wire *wire);

/* --- type_write.c --- */
/* The fields of a TypeProto. 0: the words, as of struct onri_value, do not tell all of it; the message is not whole. */
int onri_write_type(struct onri_wire *wire, const char *text);

/* --- tensor_write.c --- */
/* A TensorProto whose contents are here. */
void onri_write_tensor(struct onri_wire *wire, int field, const char *name, const struct onr_desc *desc,
                       const void *data);
/* Contents of a constant as raw bytes, which are handed to `take` and gone. */
enum onr_status onri_write_raw(struct onr_env *env, const struct onri_constant *constant,
                               int (*take)(void *context, const void *data, size_t bytes), void *context,
                               struct onr_error *error);
/* All but the raw bytes of a TensorProto; their number. */
uint64_t onri_write_tensor_head(struct onri_wire *wire, int field, const char *name, const struct onr_desc *desc);
/* The whole of it, whose contents are `location` from byte `offset` on; how many they are. */
uint64_t onri_write_tensor_outside(struct onri_wire *wire, int field, const char *name, const struct onr_desc *desc,
                                   const char *location, uint64_t offset);

#endif
