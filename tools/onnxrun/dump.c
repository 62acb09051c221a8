/* dump.c: everything that the nodes of a run write, as .npy files, and a list of them, index.json. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "npy.h"
#include "onnxrun/sequence.h"
#include "step_values.h"

enum { PATH_SIZE = 4096 };

/* A name for a file or, of what holds others, a folder, which no other has. */
static void name_file(struct dump *dump, const char *key, const char *ending, char *name, size_t size) {
  char clean[LONGEST_FILE_STEM + 1];
  file_name_of(key, clean, sizeof(clean));
  snprintf(name, size, "%s%s", clean, ending);
  for (unsigned n = 2; list_find(&dump->files, name); n++) snprintf(name, size, "%s_%u%s", clean, n, ending);
}

static int has_row(const struct dump *dump, const char *key) {
  const cJSON *row;
  cJSON_ArrayForEach(row, dump->index) if (!strcmp(cJSON_GetObjectItem(row, "name")->valuestring, key)) return 1;
  return 0;
}

static void add_origin(const struct onr_node_run *run, cJSON *row) {
  struct onr_node_info info = {.size = sizeof(info)};
  onr_node_run_info(run, &info);
  cJSON_AddNumberToObject(row, "node", (double)run->node);
  cJSON_AddStringToObject(row, "layer", info.layer);
  cJSON_AddStringToObject(row, "operator", info.op_type);
  cJSON_AddStringToObject(row, "module", info.module_path);
  cJSON_AddStringToObject(row, "source", info.source);
}

/* A tensor as NAME.npy, the entries of what holds others as NAME/0.npy ...; row says what is where. */
static int write_row(const char *folder, const char *name, const struct onr_tensor *value, cJSON *row) {
  const int64_t count = onr_sequence_length(value);
  char path[PATH_SIZE], text[160];
  int code = snprintf(path, sizeof(path), "%s/%s", folder, name) < PATH_SIZE
                 ? 0
                 : complain(EXIT_OTHER, "%s: the path is too long", folder);
  cJSON_AddStringToObject(row, "file", name);
  cJSON_AddStringToObject(row, "type", onr_desc_format(&value->desc, text, sizeof(text)));
  if (code) return code;
  if (count < 0) return (code = check_kept(path)) ? code : npy_write(path, value);
  cJSON *entries = cJSON_AddArrayToObject(row, "entries");
  code = make_folders(path);
  for (int64_t i = 0; !code && i < count; i++) {
    const struct onr_tensor entry = onr_sequence_entry(value, i);
    char inside[PATH_SIZE];
    cJSON *one = cJSON_CreateObject();
    cJSON_AddItemToArray(entries, one);
    if (snprintf(inside, sizeof(inside), "%s/%lld%s", name, (long long)i,
                 onr_sequence_length(&entry) < 0 ? ".npy" : "") >= PATH_SIZE)
      code = complain(EXIT_OTHER, "%s: the path is too long", folder);
    else code = write_row(folder, inside, &entry, one);
  }
  return code;
}

static int write_value_of(struct dump *dump, const struct onr_node_run *run, const struct step_value *value) {
  char name[LONGEST_FILE_STEM + 32];
  name_file(dump, value->key, onr_sequence_length(&value->tensor) < 0 ? ".npy" : "", name, sizeof(name));
  cJSON *row = cJSON_CreateObject();
  cJSON_AddItemToArray(dump->index, row);
  if (!row || !list_add(&dump->files, name)) return complain(EXIT_OTHER, "no memory for the names of files");
  cJSON_AddStringToObject(row, "name", value->key);
  add_origin(run, row);
  return write_row(dump->folder, name, &value->tensor, row);
}

/* Nothing has run yet: what is planned to be written is looked for, by name. */
static void rehearse(struct dump *dump, const struct onr_node_run *run) {
  for (size_t i = 0; i < run->num_outputs && !dump->code; i++) {
    struct onr_operand o = {.size = sizeof(o)};
    char name[LONGEST_FILE_STEM + 1], path[PATH_SIZE];
    if (onr_node_run_output(run, i, &o) != ONR_STATUS_OK || !o.name[0]) continue;
    file_name_of(o.name, name, sizeof(name));
    if (snprintf(path, sizeof(path), "%s/%s.npy", dump->folder, name) < PATH_SIZE) dump->code = check_kept(path);
  }
}

void dump_watch(void *context, const struct onr_node_run *run) {
  struct dump *dump = context;
  if (dump->rehearses) {
    rehearse(dump, run);
    return;
  }
  for (size_t i = 0; i < run->num_outputs && !dump->code; i++) {
    struct step_value value;
    if (!step_value(&dump->counts, run, i, &value)) continue;
    /* In the outermost graph: the same in another layout. */
    if (run->parent != ONR_NO_NODE || !has_row(dump, value.key)) dump->code = write_value_of(dump, run, &value);
    step_value_clear(&value);
  }
  if (dump->counts.no_memory && !dump->code) dump->code = complain(EXIT_OTHER, "no memory for what the layers write");
}

static int check_files(struct dump *dump, struct onr_session *session) {
  struct onr_error error;
  char path[PATH_SIZE];
  if (snprintf(path, sizeof(path), "%s/index.json", dump->folder) < PATH_SIZE && check_kept(path)) return EXIT_USAGE;
  dump->rehearses = 1;
  (void)onr_session_watch(session, &error); /* what is not planned yet is looked for when it is written */
  dump->rehearses = 0;
  return dump->code;
}

int dump_begin(struct dump *dump, struct onr_session *session) {
  int code = check_folder("--dump-all", dump->folder, "values are written into a folder");
  if (!code) code = check_files(dump, session);
  if (!code) code = make_folders(dump->folder);
  if (!code) dump->index = cJSON_CreateArray();
  if (!code && !list_add(&dump->files, "index.json")) code = complain(EXIT_OTHER, "no memory for the names of files");
  return code;
}

int dump_end(struct dump *dump) {
  char path[PATH_SIZE];
  snprintf(path, sizeof(path), "%s/index.json", dump->folder);
  FILE *file = dump->code ? NULL : fopen(path, "w");
  if (!file && !dump->code) dump->code = complain_file(path, "cannot be written");
  if (file) {
    dump->code = write_json(file, dump->index, 0, "");
    dump->index = NULL;
    if (fclose(file)) dump->code = complain_file(path, "cannot be written");
  }
  if (!dump->code) printf("%zu values -> %s\n", dump->files.count - 1, shown(dump->folder).text);
  cJSON_Delete(dump->index);
  step_counts_clear(&dump->counts);
  list_clear(&dump->files);
  return dump->code;
}
