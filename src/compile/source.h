/* source.h: a model that is being written as C, for the files that write one family of layers each.
 *
 * The text of a program is made of parts (src/compile/parts: functions in C, of which a program gets those that it
 * calls), loops that are written for one node (onri_function), and lines of NAME_run that call both. Values are called
 * t0, t1 ...; weights w0, w1 ...; a step's own memory s0, s1 ... */
#ifndef ONRI_SOURCE_H
#define ONRI_SOURCE_H

#include <stdio.h>

#include "base/env.h"
#include "graph/graph.h"
#include "layers/layers.h"
#include "onnxrun/compile.h"

struct onri_text {
  char *data;
  size_t length, capacity;
};

/* Contents that the program reads. */
struct onri_weight {
  enum onr_dtype dtype;
  void *data; /* its own */
  size_t count, offset;
};

/* Where a value, or memory of a step, lies. */
struct onri_place {
  int32_t root;          /* the value that it is a part of; itself: it has its own memory */
  size_t offset, bytes;  /* in the root, in bytes; of its own memory */
  int32_t first, last;   /* steps */
  int32_t input, output; /* index among those of the model; ONRI_NONE */
  int32_t weight;        /* ONRI_NONE */
  int used;              /* its address is taken */
};

struct onri_scratch {
  size_t bytes, offset;
  int32_t step;
};

enum { ONRI_NAME = 24, ONRI_MOST_INPUTS = 64 };

/* An operand of the node that is being written. */
struct onri_operand {
  int present;
  int32_t value;
  struct onr_desc desc;
  const void *known;    /* contents of a constant */
  char name[ONRI_NAME]; /* of the memory that stands in for it: it was of half precision; else "" */
};

struct onri_source {
  struct onr_env *env;
  struct onri_graph *graph;
  struct onri_inference facts;
  struct onr_error *error;
  enum onr_status status; /* the first failure: text and lists that cannot grow */
  struct onr_compile_options options;
  struct onri_text parts, functions, body;
  uint8_t *has_part; /* [parts * types] */
  struct onri_place *places;
  struct onri_weight *weights;
  size_t num_weights, weights_capacity;
  struct onri_scratch *scratch;
  size_t num_scratch, scratch_capacity;
  struct onri_text *texts; /* of functions, to find equal ones */
  size_t num_texts, texts_capacity;
  size_t arena_bytes, weight_bytes;
  struct onri_arena arena; /* what lasts as long as the source */
  struct onr_error *error_line;
  int32_t steps;
  /* The node that is being written. */
  const struct onri_node *node;
  struct onri_operand *in, *out;
  size_t num_in, num_out;
  const void *params;
  const char *why; /* it cannot be written */
  int unsaturated; /* results in floats of 8 bits and less: as in onr_cast_params */
  enum onr_cast_rounding rounding;
};

/* --- what families offer --- */
struct onri_emitter {
  const struct onr_layer *layer;
  /* Writes the node, or says in s->why what of it cannot be written. */
  void (*emit)(struct onri_source *s);
  int keeps_half; /* takes float16, bfloat16 and smaller as they are; else they are converted to float32 around it */
};
#define ONRI_EMITTER_LISTS(X) \
  X(move) X(linear) X(elementwise) X(product) X(conv) X(pool) X(norm) X(reduce) X(quantize) X(recurrent) X(attention)
#define ONRI_X(name) extern const struct onri_emitter onri_emitters_##name[];
ONRI_EMITTER_LISTS(ONRI_X)
#undef ONRI_X

/* --- text.c --- */
void onri_text_add(struct onri_source *s, struct onri_text *text, const char *data, size_t length);
void onri_text_format(struct onri_source *s, struct onri_text *text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void onri_text_clear(struct onri_source *s, struct onri_text *text);
/* A line of NAME_run. */
void onri_line(struct onri_source *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The program gets this part for elements of this type, and all that it calls. Its function is called NAME_TYPE. */
void onri_use(struct onri_source *s, const char *part, enum onr_dtype dtype);
/* Takes over the text of a function behind its name, "(const float *x) {...}", and calls it with `arguments`; equal
 * functions are written once. */
void onri_function(struct onri_source *s, const char *name, struct onri_text *text, const char *arguments);
const char *onri_c_type(enum onr_dtype dtype);  /* NULL: no type of C stands for it */
const char *onri_c_short(enum onr_dtype dtype); /* "f32" */
/* A number that a compiler reads back as it is. */
struct onri_number {
  char text[40];
};
struct onri_number onri_c_float(double value, enum onr_dtype dtype);

/* --- lists.c --- */
void onri_no_memory(struct onri_source *s);
/* Weights of `count` elements, which are copied. Returns their number; -1 after a failure. */
int32_t onri_weights_add(struct onri_source *s, enum onr_dtype dtype, const void *data, size_t count);
/* The same, which takes over memory of the environment's. */
int32_t onri_weights_take(struct onri_source *s, enum onr_dtype dtype, void *data, size_t count);
/* Memory while this step runs; returns the number of s0, s1 ... */
int32_t onri_scratch(struct onri_source *s, size_t bytes);
/* Output i is input j from this byte on: nothing to compute. 0: it cannot be (an output of the model). */
int onri_alias(struct onri_source *s, size_t i, size_t j, size_t offset);
void *onri_temporary(struct onri_source *s, size_t bytes); /* zeroed, gone with the source; NULL after a failure */

static inline int onri_has_in(const struct onri_source *s, size_t i) { return i < s->num_in && s->in[i].present; }
static inline int onri_has_out(const struct onri_source *s, size_t i) { return i < s->num_out && s->out[i].present; }
static inline long long onri_count(const struct onri_operand *o) { return (long long)onr_desc_elements(&o->desc); }
/* Elements of dimensions [from, to). */
long long onri_extent(const struct onr_desc *desc, int32_t from, int32_t to);
/* The names of operands, for the text of the program; "NULL" of one that is omitted. */
struct onri_name {
  char text[ONRI_NAME];
};
struct onri_name onri_in(struct onri_source *s, size_t i);
struct onri_name onri_out(struct onri_source *s, size_t i);

/* --- pool.c --- */
void onri_emit_interpolation(struct onri_source *s);

/* --- elementwise.c: what others do to their results --- */
/* The expression of a unary function of v, an expression that may be repeated. 0: none. */
int onri_unary_expression(struct onri_source *s, const struct onr_unary_params *p, enum onr_dtype dtype, const char *v,
                          char *text, size_t size);
/* y = tail(clamp(y + residual)) in place; residual NULL: none; a clamp or tail that is not enabled is left out. */
void onri_finish(struct onri_source *s, const char *y, enum onr_dtype dtype, long long count, const char *residual,
                 const struct onr_clamp *clamp, const struct onr_tail *tail);

#endif
