/* linear_copies: models that are so many copies of one, for test_copies.sh to count what loading, planning and running
 * them takes.
 *
 *   linear_copies choose FOLDER...    of the models below the folders (ONNX's test layout) those that are needed for
 *                                     every operator, layer and rewrite that any of them has, a line each; then a line
 *                                     "missing layer NAME" or "missing rewrite NAME" for each that none of them has
 *   linear_copies count NODES FOLDER...     each FOLDER in so many copies that there are NODES nodes, six copies at
 *                                     least, and in four times as many; callgrind writes a file for each that names
 * both
 *
 * A copy has values of its own and shares inputs and initializers. Where the model's first output is like its first
 * input, it is the next copy's: a chain; else copies lie side by side. */
#define _DEFAULT_SOURCE /* DT_DIR */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layers/layers.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"
#include "tests/fuzz/wire.h"
#include "tests/support/proto_writer.h"

#if defined(__has_include)
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif
#endif
#ifndef CALLGRIND_ZERO_STATS
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(text) (void)(text)
#endif

enum { MAX_INPUTS = 32, LEAST_COPIES = 6, LENGTH = 2, MOST_PATHS = 1 << 14, MOST_FEATURES = 1 << 12 };

/* Of wire.c the reader alone is used. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) {
  (void)data, (void)most;
  return size;
}

/* --- the model that is copied --- */

struct text {
  const uint8_t *bytes;
  size_t size;
};

struct subject {
  char folder[768];
  uint8_t *bytes;
  size_t size, num_nodes;
  struct text shared[4096]; /* names of inputs and initializers */
  size_t num_shared;
  struct text first_input, first_output;
  int is_chain;
  struct onr_tensor inputs[MAX_INPUTS];
};

static int is_text(struct text a, struct text b) { return a.size == b.size && !memcmp(a.bytes, b.bytes, a.size); }

static int is_shared(const struct subject *s, struct text name) {
  for (size_t i = 0; i < s->num_shared; i++)
    if (is_text(s->shared[i], name)) return 1;
  return 0;
}

/* The text in a field of a message. */
static struct text text_in(const struct wire_field *message, uint32_t number) {
  const uint8_t *at = message->bytes, *end = at + message->size;
  struct wire_field f;
  while (wire_next(&at, end, &f))
    if (f.number == number && f.wire == LENGTH) return (struct text){f.bytes, f.size};
  return (struct text){NULL, 0};
}

static int graph_of(const struct subject *s, struct wire_field *graph) {
  const uint8_t *at = s->bytes, *end = at + s->size;
  while (wire_next(&at, end, graph))
    if (graph->number == 7 && graph->wire == LENGTH) return 1;
  return 0;
}

static int take_names(struct subject *s) {
  struct wire_field graph, f;
  if (!graph_of(s, &graph)) return 0;
  for (const uint8_t *at = graph.bytes, *end = at + graph.size; wire_next(&at, end, &f);) {
    s->num_nodes += f.number == 1;
    if (f.number != 5 && f.number != 11 && f.number != 12 && f.number != 15) continue;
    const struct text name = text_in(&f, f.number == 5 ? 8 : 1);
    if (f.number == 15) return 0; /* their names lie deeper */
    if (f.number == 11 && !s->first_input.bytes) s->first_input = name;
    if (f.number == 12 && !s->first_output.bytes) s->first_output = name;
    if (f.number == 12) continue;
    if (s->num_shared == sizeof(s->shared) / sizeof(s->shared[0])) return 0;
    s->shared[s->num_shared++] = name;
  }
  for (const uint8_t *at = graph.bytes, *end = at + graph.size; wire_next(&at, end, &f);)
    if (f.number == 12 && is_shared(s, text_in(&f, 1))) return 0; /* an output that is no copy's */
  return s->num_nodes > 0 && s->first_output.bytes;
}

/* --- copies --- */

struct copy {
  const struct subject *subject;
  long number;
};

static void put_numbered(struct proto *to, uint32_t field, struct text name, long number) {
  char *text = malloc(name.size + 24);
  if (!text) abort();
  memcpy(text, name.bytes, name.size);
  proto_bytes(to, field, text, name.size + (size_t)snprintf(text + name.size, 24, "_%ld", number));
  free(text);
}

static void put_name(struct proto *to, uint32_t field, struct text name, const struct copy *c) {
  const struct subject *s = c->subject;
  if (s->is_chain && c->number > 0 && is_text(name, s->first_input))
    put_numbered(to, field, s->first_output, c->number - 1);
  else if (!name.size || is_shared(s, name)) proto_bytes(to, field, name.bytes, name.size);
  else put_numbered(to, field, name, c->number);
}

static void put_field(struct proto *to, const struct wire_field *f) {
  if (f->wire == LENGTH) proto_bytes(to, f->number, f->bytes, f->size);
  else if (f->wire == 0) proto_int(to, f->number, (int64_t)f->value);
  else {
    proto_varint(to, (uint64_t)f->number << 3 | f->wire);
    proto_raw(to, &f->value, f->wire == 5 ? 4 : 8);
  }
}

/* A message with a name in it. */
static struct proto renamed(const struct wire_field *message, uint32_t name, const struct copy *c) {
  struct proto made = {0};
  struct wire_field f;
  for (const uint8_t *at = message->bytes, *end = at + message->size; wire_next(&at, end, &f);)
    if (f.number == name && f.wire == LENGTH) put_name(&made, name, (struct text){f.bytes, f.size}, c);
    else put_field(&made, &f);
  return made;
}

static struct proto copy_body(const struct wire_field *graph, const struct copy *c);

static struct proto copy_attribute(const struct wire_field *attribute, const struct copy *c) {
  struct proto made = {0}, body;
  struct wire_field f;
  for (const uint8_t *at = attribute->bytes, *end = at + attribute->size; wire_next(&at, end, &f);)
    if (f.number == 6 || f.number == 11) body = copy_body(&f, c), proto_message(&made, f.number, &body);
    else put_field(&made, &f);
  return made;
}

static struct proto copy_node(const struct wire_field *node, const struct copy *c) {
  struct proto made = {0}, attribute;
  struct wire_field f;
  for (const uint8_t *at = node->bytes, *end = at + node->size; wire_next(&at, end, &f);)
    if (f.number <= 2) put_name(&made, f.number, (struct text){f.bytes, f.size}, c);
    else if (f.number == 5) attribute = copy_attribute(&f, c), proto_message(&made, 5, &attribute);
    else put_field(&made, &f);
  return made;
}

static struct proto copy_body(const struct wire_field *graph, const struct copy *c) {
  struct proto made = {0}, part;
  struct wire_field f;
  for (const uint8_t *at = graph->bytes, *end = at + graph->size; wire_next(&at, end, &f);) {
    if (f.number == 1) part = copy_node(&f, c);
    else if (f.number == 5) part = renamed(&f, 8, c);
    else if (f.number >= 11 && f.number <= 13) part = renamed(&f, 1, c);
    else {
      put_field(&made, &f);
      continue;
    }
    proto_message(&made, f.number, &part);
  }
  return made;
}

static struct proto copy_graph(const struct subject *s, const struct wire_field *graph, long copies) {
  struct proto made = {0}, part;
  struct wire_field f;
  for (const uint8_t *at = graph->bytes, *end = at + graph->size; wire_next(&at, end, &f);)
    if (f.number == 5 || f.number == 11 || f.number == 2) put_field(&made, &f);
  for (long k = 0; k < copies; k++) {
    const struct copy c = {s, k};
    for (const uint8_t *at = graph->bytes, *end = at + graph->size; wire_next(&at, end, &f);) {
      if (f.number == 1) part = copy_node(&f, &c);
      else if (f.number == 12 && !(s->is_chain && k + 1 < copies && is_text(text_in(&f, 1), s->first_output)))
        part = renamed(&f, 1, &c);
      else continue;
      proto_message(&made, f.number, &part);
    }
  }
  return made;
}

static struct proto copy_model(const struct subject *s, long copies) {
  struct proto made = {0}, graph;
  struct wire_field f;
  for (const uint8_t *at = s->bytes, *end = at + s->size; wire_next(&at, end, &f);)
    if (f.number == 7) graph = copy_graph(s, &f, copies), proto_message(&made, 7, &graph);
    else put_field(&made, &f);
  return made;
}

/* --- what they have in them --- */

static struct feature {
  char text[96];
  int is_new;
} features[MOST_FEATURES];
static size_t num_features;

static void add_feature(void *context, const char *kind, const char *domain, const char *name) {
  char text[sizeof(features[0].text)];
  (void)context;
  if (strcmp(kind, "operator") != 0 && strcmp(kind, "layer") != 0 && strcmp(kind, "rewrite") != 0) return;
  snprintf(text, sizeof(text), "%s %s%s%s", kind, domain, *domain ? "." : "", name);
  for (size_t i = 0; i < num_features; i++)
    if (!strcmp(features[i].text, text)) return;
  if (num_features == MOST_FEATURES) abort();
  memcpy(features[num_features].text, text, sizeof(text));
  features[num_features++].is_new = 1;
}

static int has_feature(const char *kind, const char *name) {
  char text[sizeof(features[0].text)];
  snprintf(text, sizeof(text), "%s %s", kind, name);
  for (size_t i = 0; i < num_features; i++)
    if (!strcmp(features[i].text, text)) return 1;
  return 0;
}

/* --- one load and one run --- */

static enum onr_dtype kind_of(const struct onr_model *model, size_t i) {
  const enum onr_dtype dtype = onr_model_input(model, i)->dtype;
  return dtype == ONR_DTYPE_SEQUENCE || dtype == ONR_DTYPE_OPTIONAL || dtype == ONR_DTYPE_MAP ? dtype : ONR_DTYPE_F32;
}

static enum onr_status run(struct subject *s, const void *bytes, size_t size, int tells, struct onr_error *error) {
  const struct onr_limits limits = {.size = sizeof(limits), .work = UINT64_MAX, .total_bytes = (uint64_t)1 << 32};
  const struct onr_model_options options = {
      .size = sizeof(options), .limits = &limits, .external_directory = s->folder, .uses = tells ? add_feature : NULL};
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  struct onr_tensor y;
  enum onr_status status = onr_model_load_memory(bytes, size, &options, &model, error);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, error);
  for (size_t i = 0; status == ONR_STATUS_OK && i < onr_model_num_inputs(model) && i < MAX_INPUTS; i++) {
    char path[900];
    snprintf(path, sizeof(path), "%s/test_data_set_0/input_%zu.pb", s->folder, i);
    if (!s->inputs[i].data && access(path, R_OK) == 0)
      status = onr_tensor_file_load(path, kind_of(model, i), NULL, &s->inputs[i], NULL, 0, error);
    if (status == ONR_STATUS_OK && s->inputs[i].data) status = onr_session_set_input(session, i, &s->inputs[i], error);
  }
  if (status == ONR_STATUS_OK) status = onr_session_run(session, error);
  if (status == ONR_STATUS_OK && tells && onr_session_get_output(session, 0, &y, error) == ONR_STATUS_OK)
    s->is_chain = s->inputs[0].data && y.desc.dtype < ONR_DTYPE_SEQUENCE && onr_desc_equal(&y.desc, &s->inputs[0].desc);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return status;
}

static void close_subject(struct subject *s) {
  for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &s->inputs[i]);
  free(s->bytes);
}

/* 0 when it does not run, or cannot be copied. */
static int open_subject(struct subject *s, const char *folder) {
  struct onr_error error = {0};
  struct stat info;
  char path[900];
  memset(s, 0, sizeof(*s));
  snprintf(s->folder, sizeof(s->folder), "%s", folder);
  snprintf(path, sizeof(path), "%s/model.onnx", folder);
  FILE *file = stat(path, &info) == 0 ? fopen(path, "rb") : NULL;
  if (!file) return 0;
  s->size = (size_t)info.st_size;
  s->bytes = malloc(s->size + 1);
  const int is_read = s->bytes && fread(s->bytes, 1, s->size, file) == s->size;
  fclose(file);
  if (is_read && take_names(s) && run(s, s->bytes, s->size, 1, &error) == ONR_STATUS_OK) return 1;
  close_subject(s);
  return 0;
}

static struct subject subject;

/* --- choosing --- */

static char *paths[MOST_PATHS];
static size_t num_paths;

static void add_paths(const char *folder) {
  struct dirent **entries;
  char path[768];
  snprintf(path, sizeof(path), "%s/model.onnx", folder);
  if (access(path, R_OK) == 0) {
    if (num_paths < MOST_PATHS) paths[num_paths++] = strdup(folder);
    return;
  }
  const int number = scandir(folder, &entries, NULL, alphasort);
  for (int i = 0; i < number; i++) {
    snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && entries[i]->d_type == DT_DIR) add_paths(path);
    free(entries[i]);
  }
  if (number >= 0) free(entries);
}

/* Two copies give what one gives: the same status. */
static int runs_twice(struct subject *s) {
  struct onr_error error = {0};
  struct proto twice = copy_model(s, 2);
  const enum onr_status status = run(s, twice.bytes, twice.size, 0, &error);
  if (status != ONR_STATUS_OK) fprintf(stderr, "%s: two copies: %s: %s\n", s->folder, error.where, error.message);
  proto_free(&twice);
  return status == ONR_STATUS_OK;
}

static int choose(void) {
  static const char *const layers[] = {
#define ONRI_LAYER(name) #name,
#include "layers/layers.inc"
#undef ONRI_LAYER
  };
  for (size_t i = 0; i < num_paths; i++) {
    const size_t before = num_features;
    if (!open_subject(&subject, paths[i])) {
      num_features = before; /* it takes part, but not in a run */
      continue;
    }
    if (num_features > before && runs_twice(&subject)) printf("%s\n", paths[i]);
    else num_features = before;
    close_subject(&subject);
  }
  for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
    if (!has_feature("layer", layers[i])) printf("missing layer %s\n", layers[i]);
  for (size_t i = 0; onr_pass_name(i); i++)
    if (!has_feature("rewrite", onr_pass_name(i))) printf("missing rewrite %s\n", onr_pass_name(i));
  return 0;
}

/* --- counting --- */

static int count(long nodes, const char *folder) {
  struct onr_error error = {0};
  if (!open_subject(&subject, folder)) {
    fprintf(stderr, "%s: does not run\n", folder);
    return 1;
  }
  const long least = nodes / (long)subject.num_nodes;
  for (long copies = least < LEAST_COPIES ? LEAST_COPIES : least, turn = 0; turn < 2; turn++, copies *= 4) {
    char text[900];
    struct proto model = copy_model(&subject, copies);
    snprintf(text, sizeof(text), "%s %ld", folder, copies);
    CALLGRIND_ZERO_STATS;
    const enum onr_status status = run(&subject, model.bytes, model.size, 0, &error);
    CALLGRIND_DUMP_STATS_AT(text);
    proto_free(&model);
    if (status != ONR_STATUS_OK) {
      fprintf(stderr, "%s: %ld copies: %s: %s\n", folder, copies, error.where, error.message);
      return 1;
    }
  }
  close_subject(&subject);
  return 0;
}

int main(int argc, char **argv) {
  int failed = 0;
  if (argc > 2 && !strcmp(argv[1], "choose")) {
    for (int i = 2; i < argc; i++) add_paths(argv[i]);
    return choose();
  }
  const long nodes = argc > 3 && !strcmp(argv[1], "count") ? strtol(argv[2], NULL, 10) : 0;
  if (nodes < 1) {
    fprintf(stderr, "usage: linear_copies choose FOLDER... | count NODES FOLDER...\n");
    return 2;
  }
  for (int i = 3; i < argc; i++) failed |= count(nodes, argv[i]);
  return failed;
}
