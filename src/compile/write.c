/* write.c: the parts of a program, in the order of a C file: what is called, then what calls it. */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compile/program.h"
#include "onnxrun/version.h"

/* Text on its way to the caller. */
struct output {
  struct onri_source *s;
  enum onr_source_part part;
  enum onr_status status;
};

static void put(struct output *o, const void *data, size_t bytes) {
  const struct onr_compile_options *options = &o->s->options;
  if (o->status == ONR_STATUS_OK && bytes && options->write(options->context, o->part, data, bytes))
    o->status = onr_fail(o->s->error, ONR_STATUS_IO, "the program's text could not be written");
}

static void say(struct output *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct output *o, const char *format, ...) {
  struct onri_text text = {0};
  va_list list;
  char line[1024];
  va_start(list, format);
  vsnprintf(line, sizeof(line), format, list);
  va_end(list);
  onri_text_add(o->s, &text, line, strlen(line));
  put(o, text.data ? text.data : "", text.length);
  onri_text_clear(o->s, &text);
}

/* --- names that the text takes --- */

/* Which of t0, s0, w0 ... are in the body. */
struct taken {
  uint8_t *values, *scratch, *weights;
};

static void take_word(const struct onri_source *s, struct taken *taken, const char *word) {
  const size_t number = strtoul(word + 1, NULL, 10);
  if (*word == 't' && number < s->graph->num_values) taken->values[number] = 1;
  if (*word == 's' && number < s->num_scratch) taken->scratch[number] = 1;
  if (*word == 'w' && number < s->num_weights) taken->weights[number] = 1;
}

static void find_taken(const struct onri_source *s, struct taken *taken) {
  int in_comment = 0;
  for (const char *at = s->body.data; at && *at; at++) {
    if (at[0] == '/' && at[1] == '*') in_comment = 1;
    if (at[0] == '*' && at[1] == '/') in_comment = 0;
    if (in_comment || (at > s->body.data && (isalnum((unsigned char)at[-1]) || at[-1] == '_'))) continue;
    if (strchr("tsw", *at) && isdigit((unsigned char)at[1])) take_word(s, taken, at);
  }
  for (size_t v = 0; v < s->graph->num_values; v++)
    if (taken->values[v] && s->places[v].weight != ONRI_NONE) taken->weights[s->places[v].weight] = 1;
}

/* --- header --- */

static int is_argument(const struct onri_source *s, size_t i) { return !s->facts.known[s->graph->inputs[i]]; }

static void describe(struct output *o, const char *kind, size_t i, const char *name, const struct onr_desc *desc) {
  char shape[200], safe[128];
  size_t length = 0;
  for (const char *c = name; *c && length + 1 < sizeof(safe); c++)
    safe[length++] = isalnum((unsigned char)*c) || strchr("_-.:/ ", *c) ? *c : '_';
  safe[length] = '\0';
  for (char *c = safe; *c; c++)
    if (*c == '/' && c > safe && c[-1] == '*') *c = '_';
  say(o, " *   %s%zu  %s  %s\n", kind, i, onr_desc_format(desc, shape, sizeof(shape)), safe);
}

static void put_arguments(struct output *o) {
  const struct onri_source *s = o->s;
  const char *comma = "";
  say(o, "int %s_run(", s->options.name);
  for (size_t i = 0; i < s->graph->num_inputs; i++) {
    if (!is_argument(s, i)) continue;
    say(o, "%sconst %s *x%zu", comma, onri_c_type(s->facts.descs[s->graph->inputs[i]].dtype), i);
    comma = ", ";
  }
  for (size_t i = 0; i < s->graph->num_outputs; i++, comma = ", ")
    say(o, "%s%s *y%zu", comma, onri_c_type(s->facts.descs[s->graph->outputs[i]].dtype), i);
  if (!s->options.static_arena) say(o, "%svoid *arena", comma), comma = ", ";
  if (s->options.weights == ONR_WEIGHTS_FILE) say(o, "%sconst void *weights", comma);
  say(o, ")");
}

static void put_header(struct output *o, const struct onr_model *model) {
  const struct onri_source *s = o->s;
  const char *name = s->options.name;
  o->part = ONR_PART_HEADER;
  say(o, "/* %s.h: a neural network in C, written by %s.\n *\n", name, onr_version());
  for (size_t i = 0; i < s->graph->num_inputs; i++)
    if (is_argument(s, i)) describe(o, "x", i, model->inputs[i].name, &s->facts.descs[s->graph->inputs[i]]);
  for (size_t i = 0; i < s->graph->num_outputs; i++)
    describe(o, "y", i, model->outputs[i].name, &s->facts.descs[s->graph->outputs[i]]);
  say(o,
      " *\n * Tensors are dense, the last dimension innermost; float16 and bfloat16 are bit patterns, bool is 0 or 1.\n");
  if (s->options.static_arena) say(o, " * Not reentrant: intermediate results have memory of their own.\n");
  else say(o, " * Reentrant. arena: %s_ARENA_BYTES for intermediate results, aligned to 64 bytes.\n", name);
  if (s->options.weights == ONR_WEIGHTS_FILE)
    say(o, " * weights: the contents of %s.weights, aligned to 64 bytes.\n", name);
  say(o, " * Returns 0, or 1 when an index in the data is out of range. */\n#ifndef %s_h\n#define %s_h\n\n", name,
      name);
  say(o, "#include <stdint.h>\n\n#define %s_ARENA_BYTES %zu\n#define %s_WEIGHT_BYTES %zu\n\n", name, s->arena_bytes,
      name, s->weight_bytes);
  say(o, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
  put_arguments(o);
  say(o, ";\n\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

/* --- weights --- */

static void put_number(struct output *o, const struct onri_weight *w, size_t i) {
  char text[48];
  const void *d = w->data;
  switch (w->dtype) {
    case ONR_DTYPE_F32: snprintf(text, sizeof(text), "%s", onri_c_float(((const float *)d)[i], w->dtype).text); break;
    case ONR_DTYPE_F64: snprintf(text, sizeof(text), "%s", onri_c_float(((const double *)d)[i], w->dtype).text); break;
    case ONR_DTYPE_I64:
      if (((const int64_t *)d)[i] == INT64_MIN) snprintf(text, sizeof(text), "INT64_MIN");
      else snprintf(text, sizeof(text), "INT64_C(%" PRId64 ")", ((const int64_t *)d)[i]);
      break;
    case ONR_DTYPE_U64: snprintf(text, sizeof(text), "UINT64_C(%" PRIu64 ")", ((const uint64_t *)d)[i]); break;
    case ONR_DTYPE_I32:
      if (((const int32_t *)d)[i] == INT32_MIN) snprintf(text, sizeof(text), "INT32_MIN");
      else snprintf(text, sizeof(text), "%" PRId32, ((const int32_t *)d)[i]);
      break;
    case ONR_DTYPE_U32: snprintf(text, sizeof(text), "%" PRIu32 "u", ((const uint32_t *)d)[i]); break;
    case ONR_DTYPE_I16: snprintf(text, sizeof(text), "%d", ((const int16_t *)d)[i]); break;
    case ONR_DTYPE_I8:
    case ONR_DTYPE_I4:
    case ONR_DTYPE_I2: snprintf(text, sizeof(text), "%d", ((const int8_t *)d)[i]); break;
    default:
      if (onr_dtype_size(w->dtype) == 2) snprintf(text, sizeof(text), "%u", ((const uint16_t *)d)[i]);
      else snprintf(text, sizeof(text), "%u", ((const uint8_t *)d)[i]);
  }
  put(o, text, strlen(text));
  put(o, i % 16 == 15 ? ",\n" : ",", i % 16 == 15 ? 2 : 1);
}

static void put_arrays(struct output *o, const struct taken *taken) {
  const struct onri_source *s = o->s;
  for (size_t i = 0; i < s->num_weights && o->status == ONR_STATUS_OK; i++) {
    const struct onri_weight *w = &s->weights[i];
    if (!taken->weights[i]) continue;
    say(o, "static const %s w%zu[%zu] = {\n", onri_c_type(w->dtype), i, w->count ? w->count : 1);
    for (size_t k = 0; k < w->count; k++) put_number(o, w, k);
    if (!w->count) say(o, "0");
    say(o, "};\n");
  }
}

static void put_weights_file(struct output *o) {
  static const char zeros[ONRI_ALIGNMENT];
  const struct onri_source *s = o->s;
  o->part = ONR_PART_WEIGHTS;
  for (size_t i = 0; i < s->num_weights; i++) {
    const size_t bytes = s->weights[i].count * onr_dtype_size(s->weights[i].dtype);
    const size_t end = i + 1 < s->num_weights ? s->weights[i + 1].offset : s->weight_bytes;
    put(o, s->weights[i].data, bytes);
    put(o, zeros, end - s->weights[i].offset - bytes);
  }
}

static void put_assembler(struct output *o) {
  const char *name = o->s->options.name;
  o->part = ONR_PART_ASSEMBLER;
  say(o,
      "/* %s.weights as an object: cc -c %s_weights.S, in the folder of that file. */\n"
      "#if defined(__APPLE__)\n.const\n#define SYMBOL _%s_weights\n#else\n.section .rodata\n#define SYMBOL %s_weights\n"
      "#endif\n.globl SYMBOL\n.balign 64\nSYMBOL:\n.incbin \"%s.weights\"\n"
      "#if defined(__ELF__)\n#if defined(__arm__)\n.section .note.GNU-stack, \"\", %%progbits\n#else\n"
      ".section .note.GNU-stack, \"\", @progbits\n#endif\n#endif\n",
      name, name, name, name, name);
}

/* --- NAME_run --- */

static void put_address(struct output *o, size_t v) {
  const struct onri_source *s = o->s;
  const struct onri_place *place = &s->places[v], *root = &s->places[place->root];
  const char *type = onri_c_type(s->facts.descs[v].dtype);
  const size_t offset = place->root == (int32_t)v ? 0 : place->offset;
  if (place->weight != ONRI_NONE)
    say(o, "  const %s *const t%zu = (const %s *)(const void *)((const char *)w%d + %zu);\n", type, v, type,
        place->weight, place->offset);
  else if (root->input != ONRI_NONE)
    say(o, "  const %s *const t%zu = (const %s *)(const void *)((const char *)x%d + %zu);\n", type, v, type,
        root->input, offset);
  else if (root->output != ONRI_NONE)
    say(o, "  %s *const t%zu = (%s *)(void *)((char *)y%d + %zu);\n", type, v, type, root->output, offset);
  else say(o, "  %s *const t%zu = (%s *)(void *)(a + %zu);\n", type, v, type, root->offset + offset);
}

static void put_run(struct output *o, const struct taken *taken) {
  const struct onri_source *s = o->s;
  const char *name = s->options.name;
  put_arguments(o);
  say(o, " {\n");
  if (s->options.static_arena) {
    if (s->arena_bytes)
      say(o, "  static _Alignas(64) unsigned char memory[%zu];\n  unsigned char *const a = memory;\n", s->arena_bytes);
  } else say(o, "  unsigned char *const a = arena;\n  (void)a;\n");
  const int outside = s->options.weights != ONR_WEIGHTS_SOURCE;
  if (s->options.weights == ONR_WEIGHTS_FILE) say(o, "  const unsigned char *const w = weights;\n  (void)w;\n");
  if (s->options.weights == ONR_WEIGHTS_OBJECT)
    say(o, "  const unsigned char *const w = %s_weights;\n  (void)w;\n", name);
  for (size_t i = 0; outside && i < s->num_weights; i++) {
    const char *type = onri_c_type(s->weights[i].dtype);
    if (taken->weights[i])
      say(o, "  const %s *const w%zu = (const %s *)(const void *)(w + %zu);\n", type, i, type, s->weights[i].offset);
  }
  for (size_t v = 0; v < s->graph->num_values; v++)
    if (taken->values[v]) put_address(o, v);
  for (size_t i = 0; i < s->num_scratch; i++)
    if (taken->scratch[i]) say(o, "  void *const s%zu = a + %zu;\n", i, s->scratch[i].offset);
  for (size_t i = 0; i < s->graph->num_inputs; i++)
    if (is_argument(s, i)) say(o, "  (void)x%zu;\n", i);
  for (size_t i = 0; i < s->graph->num_outputs; i++) say(o, "  (void)y%zu;\n", i);
  put(o, s->body.data, s->body.length);
  say(o, "  return 0;\n}\n");
}

static void put_source(struct output *o, const struct taken *taken) {
  struct onri_source *s = o->s;
  o->part = ONR_PART_SOURCE;
  say(o,
      "/* %s.c: a neural network in C, written by %s. For speed: -O3 -ffp-contract=fast -fno-math-errno\n"
      " * -fno-trapping-math, and -march=native or the like. */\n#include \"%s.h\"\n\n#include <math.h>\n#include <stddef.h>\n#include <string.h>\n\n",
      s->options.name, onr_version(), s->options.name);
  put(o, s->parts.data, s->parts.length);
  put(o, s->functions.data, s->functions.length);
  if (s->options.weights == ONR_WEIGHTS_SOURCE) put_arrays(o, taken);
  if (s->options.weights == ONR_WEIGHTS_OBJECT) say(o, "extern const unsigned char %s_weights[];\n", s->options.name);
  say(o, "\n");
  put_run(o, taken);
}

enum onr_status onri_source_write(struct onri_source *s, const struct onr_model *model) {
  struct output o = {.s = s, .status = ONR_STATUS_OK};
  struct taken taken = {.values = onri_temporary(s, s->graph->num_values),
                        .scratch = onri_temporary(s, s->num_scratch),
                        .weights = onri_temporary(s, s->num_weights)};
  if (s->status != ONR_STATUS_OK) return s->status;
  find_taken(s, &taken);
  put_header(&o, model);
  put_source(&o, &taken);
  if (s->options.weights != ONR_WEIGHTS_SOURCE) put_weights_file(&o);
  if (s->options.weights == ONR_WEIGHTS_OBJECT) put_assembler(&o);
  return o.status == ONR_STATUS_OK ? s->status : o.status;
}
