/* model_write.c: the file: what the model declares of itself, its graph, its weights. */
#include "onnx/write/model_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/system/file.h"
#include "base/text/text.h"
#include "onnx/file/file_kind.h"
#include "onnx/write/spell.h"

/* Fields of the messages. */
enum {
  IR_VERSION = 1,
  PRODUCER_NAME = 2,
  PRODUCER_VERSION = 3,
  DOMAIN = 4,
  MODEL_VERSION = 5,
  DOC_STRING = 6,
  GRAPH = 7,
  OPSET = 8,
  METADATA = 14
};
enum { GRAPH_NAME = 2, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum {
  VALUE_NAME = 1,
  VALUE_TYPE = 2,
  TYPE_TENSOR = 1,
  ELEM_TYPE = 1,
  SHAPE = 2,
  DIM = 1,
  DIM_VALUE = 1,
  DIM_PARAM = 2
};

/* What readers of protobuf take. */
#define MOST_BYTES INT64_C(0x7fffffff)
/* Every operator is written as this version or a later one means it; types and operators of the source ask for its own.
 */
enum { FIRST_OPSET = 13 };

static int64_t ir_version(int64_t opset) {
  return opset <= 18 ? 8 : opset <= 20 ? 9 : opset <= 22 ? 10 : opset == 23 ? 11 : opset == 24 ? 12 : 13;
}

static enum onr_status no_memory(struct onr_error *error) {
  return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to write a model");
}

/* --- declarations --- */

static void declare_tensor(struct onri_wire *wire, const struct onr_value_info *info) {
  const size_t tensor = onri_wire_begin(wire, TYPE_TENSOR);
  onri_wire_int(wire, ELEM_TYPE, info->dtype);
  const size_t shape = info->rank < 0 ? 0 : onri_wire_begin(wire, SHAPE);
  for (int32_t d = 0; d < info->rank; d++) {
    const size_t dim = onri_wire_begin(wire, DIM);
    if (info->dim[d] >= 0) onri_wire_int(wire, DIM_VALUE, info->dim[d]);
    else if (info->dim_name[d]) onri_wire_text(wire, DIM_PARAM, info->dim_name[d]);
    onri_wire_end(wire, dim);
  }
  if (info->rank >= 0) onri_wire_end(wire, shape);
  onri_wire_end(wire, tensor);
}

static enum onr_status declare(struct onri_wire *wire, int field, const struct onr_value_info *info,
                               struct onr_error *error) {
  char shown[64];
  const size_t value = onri_wire_begin(wire, field);
  onri_wire_text(wire, VALUE_NAME, info->name);
  const size_t type = onri_wire_begin(wire, VALUE_TYPE);
  const int is_tensor = info->dtype != ONR_DTYPE_NONE && info->dtype <= ONR_DTYPE_LAST_IN_FILES;
  if (is_tensor) declare_tensor(wire, info);
  else if (!info->type || !onri_write_type(wire, info->type))
    return onr_fail(error, ONR_STATUS_UNSUPPORTED, "the type of %sthe value '%s' %sis not known",
                    info->type ? "what " : "", onri_escape_string(info->name, shown, sizeof(shown)),
                    info->type ? "holds " : "");
  onri_wire_end(wire, type);
  onri_wire_end(wire, value);
  return ONR_STATUS_OK;
}

static enum onr_status declare_all(const struct onr_model *model, struct onri_wire *wire, struct onr_error *error) {
  for (size_t i = 0; i < model->graph->num_inputs; i++) ONR_TRY(declare(wire, GRAPH_INPUT, &model->inputs[i], error));
  for (size_t i = 0; i < model->graph->num_outputs; i++)
    ONR_TRY(declare(wire, GRAPH_OUTPUT, &model->outputs[i], error));
  return ONR_STATUS_OK;
}

/* --- the graph --- */

/* "2 x LSTM: its projection, first 'rnn' (encoder)" */
static enum onr_status tell_unsaid(const struct onri_write *file, void (*report)(void *context, const char *line),
                                   void *context, struct onr_error *error) {
  char line[512], count[32], name[128], first[512] = "";
  for (size_t i = 0; i < file->num_unsaid; i++) {
    const struct onri_unsaid *u = &file->unsaid[i];
    const int many = u->count > 1, has_name = u->first->name[0] != '\0';
    snprintf(count, sizeof(count), "%zu x ", u->count);
    onri_escape_string(u->first->name, name, sizeof(name));
    snprintf(line, sizeof(line), "%s%s%s%s%s%s", many ? count : "", u->what,
             many       ? ", first"
             : has_name ? ","
                        : "",
             has_name ? " '" : "", name, has_name ? "'" : "");
    if (report) report(context, line);
    if (i == 0) memcpy(first, line, sizeof(first));
  }
  return onr_fail(error, ONR_STATUS_UNSUPPORTED, "%zu kind%s of layers cannot be said in ONNX: %s", file->num_unsaid,
                  file->num_unsaid == 1 ? "" : "s", first);
}

static enum onr_status write_graph(struct onri_write *file, const struct onr_model *model, struct onri_wire *wire) {
  const struct onri_graph *graph = model->graph;
  const char **inputs = onri_arena_allocate(&file->arena, (graph->num_inputs + 1) * sizeof(*inputs));
  const char **outputs = onri_arena_allocate(&file->arena, (graph->num_outputs + 1) * sizeof(*outputs));
  if (!inputs || !outputs) return no_memory(file->error);
  for (size_t i = 0; i < graph->num_inputs; i++) inputs[i] = model->inputs[i].name;
  for (size_t i = 0; i < graph->num_outputs; i++) outputs[i] = model->outputs[i].name;
  onri_wire_text(wire, GRAPH_NAME, *model->info.graph_name ? model->info.graph_name : "graph");
  ONR_TRY(declare_all(model, wire, file->error));
  return onri_write_main(file, model->graph, inputs, outputs, wire);
}

static void write_opset(struct onri_wire *wire, const char *domain, int64_t version) {
  const size_t begin = onri_wire_begin(wire, OPSET);
  onri_wire_text(wire, 1, domain);
  onri_wire_int(wire, 2, version);
  onri_wire_end(wire, begin);
}

/* Who made the model is who made it: importers look at the name. */
static void write_head(const struct onri_write *file, const struct onr_model *model, struct onri_wire *wire) {
  const struct onr_model_info *info = &model->info;
  onri_wire_int(wire, IR_VERSION, ir_version(file->opset));
  if (*info->producer_name) onri_wire_text(wire, PRODUCER_NAME, info->producer_name);
  if (*info->producer_version) onri_wire_text(wire, PRODUCER_VERSION, info->producer_version);
  if (*info->domain) onri_wire_text(wire, DOMAIN, info->domain);
  if (info->model_version) onri_wire_int(wire, MODEL_VERSION, info->model_version);
  if (*info->doc_string) onri_wire_text(wire, DOC_STRING, info->doc_string);
  write_opset(wire, "", file->opset);
  if (file->uses_microsoft) write_opset(wire, "com.microsoft", 1);
  for (size_t i = 0; i < model->num_properties; i++) {
    const struct onr_property *property = &model->properties[i];
    const size_t begin = onri_wire_begin(wire, METADATA);
    onri_wire_text(wire, 1, property->key);
    onri_wire_bytes(wire, 2, property->value.text, property->value.length);
    onri_wire_end(wire, begin);
  }
}

/* --- the file --- */

static int put(void *context, const void *data, size_t bytes) { return fwrite(data, 1, bytes, context) != bytes; }

/* What a message takes with its contents in it. */
static uint64_t total_bytes(const struct onri_write *file, const struct onri_wire *graph) {
  struct onri_wire head = {.allocator = graph->allocator};
  uint64_t total = graph->count;
  for (size_t i = 0; i < file->num_splices; i++)
    if (!file->splices[i].is_beside) total += onri_write_tensor_head(&head, 1, NULL, &file->splices[i].constant->desc);
  onri_wire_clear(&head);
  return total;
}

/* What is in the model's own file, or in the one beside it. */
struct contents {
  const struct onri_write *file;
  const struct onri_wire *head, *graph;
};

static enum onr_status not_written(const struct contents *c, const struct onri_atomic_file *target) {
  return onri_atomic_file_fail(target, ONRI_NOT_WRITTEN, c->file->error);
}

/* What cannot be written is named by its place. */
static enum onr_status put_tensor(const struct contents *c, const struct onri_atomic_file *target,
                                  const struct onri_splice *splice) {
  const enum onr_status status = onri_write_raw(c->file->env, splice->constant, put, target->file, c->file->error);
  return status == ONR_STATUS_IO ? not_written(c, target) : status;
}

static enum onr_status write_message(const struct contents *c, const struct onri_atomic_file *target) {
  const struct onri_write *file = c->file;
  size_t at = 0;
  int failed = put(target->file, c->head->bytes, c->head->count);
  for (size_t i = 0; i < file->num_splices && !failed; i++) {
    const struct onri_splice *splice = &file->splices[i];
    if (splice->is_beside) continue;
    failed = put(target->file, c->graph->bytes + at, splice->at - at);
    at = splice->at;
    if (!failed) ONR_TRY(put_tensor(c, target, splice));
  }
  return failed || put(target->file, c->graph->bytes + at, c->graph->count - at) ? not_written(c, target)
                                                                                 : ONR_STATUS_OK;
}

static enum onr_status write_beside(const struct contents *c, const struct onri_atomic_file *target) {
  const struct onri_write *file = c->file;
  for (size_t i = 0; i < file->num_splices; i++) {
    const struct onri_splice *splice = &file->splices[i];
    if (!splice->is_beside) continue;
    if (!onri_file_seek(target->file, splice->offset)) return not_written(c, target);
    ONR_TRY(put_tensor(c, target, splice));
  }
  return ONR_STATUS_OK;
}

static enum onr_status begin(struct onri_atomic_file *f, const struct contents *c, const char *path,
                             int (*is_ours)(const unsigned char *first, size_t bytes),
                             enum onr_status (*write)(const struct contents *c,
                                                      const struct onri_atomic_file *target)) {
  const char *why = onri_atomic_file_begin(f, path, is_ours, c->file->env->allocator);
  if (!why) {
    ONR_TRY(write(c, f));
    ONR_TRY(onri_meter_settle_model(c->file->env->meter, ONR_STATUS_OK, c->file->error)); /* no file of less than all */
    why = onri_atomic_file_close(f);
  }
  return why ? onri_atomic_file_fail(f, why, c->file->error) : ONR_STATUS_OK;
}

static enum onr_status put_in_place(struct onri_atomic_file *f, const struct onri_write *file) {
  const char *why = onri_atomic_file_place(f);
  return why ? onri_atomic_file_fail(f, why, file->error) : ONR_STATUS_OK;
}

static int is_anything(const unsigned char *first, size_t bytes) {
  (void)first, (void)bytes;
  return 1;
}

static int is_nothing(const unsigned char *first, size_t bytes) {
  (void)first, (void)bytes;
  return 0;
}

/* beside: the path of the file for contents, NULL: there is none. What is there is the model's weights, if one is. */
static enum onr_status replace(const struct contents *c, const char *path, const char *beside) {
  struct onri_atomic_file message = {0}, data = {0};
  struct onri_file_info info;
  enum onr_status status = ONR_STATUS_OK;
  if (beside) status = begin(&data, c, beside, onri_file_look_at(path, &info) ? is_anything : is_nothing, write_beside);
  if (status == ONR_STATUS_OK) status = begin(&message, c, path, onri_begins_as_model, write_message);
  if (status == ONR_STATUS_OK && beside) status = put_in_place(&data, c->file);
  if (status == ONR_STATUS_OK) status = put_in_place(&message, c->file);
  onri_atomic_file_end(&message);
  onri_atomic_file_end(&data);
  return status;
}

/* *is_large: nothing was written, as contents have to go to a file beside it. */
static enum onr_status write_file(struct onri_write *file, const struct onr_model *model, const char *path,
                                  const char *beside, const struct onri_wire *graph, int *is_large) {
  struct onri_wire head = {.allocator = graph->allocator};
  const uint64_t bytes = total_bytes(file, graph), limit = file->env->limits.file_bytes;
  const struct contents contents = {file, &head, graph};
  enum onr_status status;
  write_head(file, model, &head);
  onri_wire_head(&head, GRAPH, bytes);
  *is_large = !beside && bytes > (limit < MOST_BYTES ? limit : MOST_BYTES) - head.count;
  if (head.failed || graph->failed) status = no_memory(file->error);
  else if (*is_large) status = ONR_STATUS_OK;
  else if (bytes > MOST_BYTES - head.count)
    status = onr_fail(file->error, ONR_STATUS_LIMIT,
                      "%" PRIu64 " bytes without weights, and no reader takes a file of more than 2 GiB", bytes);
  else status = replace(&contents, path, beside);
  onri_wire_clear(&head);
  return status;
}

/* What a writer is asked for. */
struct request {
  const struct onr_model *model;
  const char *path, *beside;
  void (*report)(void *context, const char *line);
  void *context;
};

static enum onr_status write_model(const struct request *r, size_t *num_nodes, int *is_large, struct onr_error *error) {
  const struct onr_model *model = r->model;
  struct onr_env env = model->env;
  struct onri_write file = {
      .env = &env, .opset = model->info.opset > FIRST_OPSET ? model->info.opset : FIRST_OPSET, .error = error};
  struct onri_wire graph = {.allocator = env.allocator};
  const char *slash = r->beside ? strrchr(r->beside, '/') : NULL;
  file.beside = slash ? slash + 1 : r->beside;
  onri_arena_init(&file.arena, env.allocator, 0);
  onri_names_init(&file.taken, env.allocator);
  enum onr_status status = write_graph(&file, model, &graph);
  if (status == ONR_STATUS_OK && file.num_unsaid) status = tell_unsaid(&file, r->report, r->context, error);
  if (status == ONR_STATUS_OK) status = write_file(&file, model, r->path, r->beside, &graph, is_large);
  *num_nodes = file.num_nodes;
  onri_wire_clear(&graph);
  onri_names_clear(&file.taken);
  onri_release(env.allocator, file.splices);
  onri_release(env.allocator, file.unsaid);
  onri_arena_clear(&file.arena);
  return status;
}

enum onr_status onri_model_write(const struct onr_model *model, const char *path,
                                 void (*report)(void *context, const char *line), void *context, size_t *num_nodes,
                                 struct onr_error *error) {
  static const char ending[] = ".data";
  struct request request = {.model = model, .path = path, .report = report, .context = context};
  int is_large = 0;
  ONR_TRY(write_model(&request, num_nodes, &is_large, error));
  if (!is_large) return ONR_STATUS_OK;
  char *beside = onri_allocate(model->env.allocator, strlen(path) + sizeof(ending));
  if (!beside) return no_memory(error);
  memcpy(beside, path, strlen(path));
  memcpy(beside + strlen(path), ending, sizeof(ending));
  request.beside = beside;
  const enum onr_status status = write_model(&request, num_nodes, &is_large, error);
  onri_release(model->env.allocator, beside);
  return status;
}
