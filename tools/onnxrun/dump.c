/* dump.c: everything that the nodes of a run write, as .npy files, and a list of them. */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "npy.h"
#include "step_values.h"

enum { LONGEST_NAME = 200, PATH_SIZE = 4096 };

/* A name for a file, which no other has. */
static void name_file(struct dump *dump, const char *key, char *name, size_t size) {
  char clean[LONGEST_NAME + 1];
  file_name_of(key, clean, sizeof(clean));
  snprintf(name, size, "%s.npy", clean);
  for (unsigned n = 2; list_find(&dump->files, name); n++) snprintf(name, size, "%s_%u.npy", clean, n);
}

static int has_row(const struct dump *dump, const char *key) {
  const cJSON *row;
  cJSON_ArrayForEach(row, dump->index) if (!strcmp(cJSON_GetObjectItem(row, "name")->valuestring, key)) return 1;
  return 0;
}

static void add_row(struct dump *dump, const struct onr_node_run *run, const struct step_value *value,
                    const char *file) {
  struct onr_node_info info = {.size = sizeof(info)};
  char text[160];
  cJSON *row = cJSON_CreateObject();
  onr_node_run_info(run, &info);
  cJSON_AddStringToObject(row, "file", file);
  cJSON_AddStringToObject(row, "name", value->key);
  cJSON_AddStringToObject(row, "type", onr_desc_format(&value->tensor.desc, text, sizeof(text)));
  cJSON_AddNumberToObject(row, "node", (double)run->node);
  cJSON_AddStringToObject(row, "layer", info.layer);
  cJSON_AddStringToObject(row, "operator", info.op_type);
  cJSON_AddStringToObject(row, "module", info.module_path);
  cJSON_AddStringToObject(row, "source", info.source);
  cJSON_AddItemToArray(dump->index, row);
}

/* Nothing has run yet: what is planned to be written is looked for, by name. */
static void rehearse(struct dump *dump, const struct onr_node_run *run) {
  for (size_t i = 0; i < run->num_outputs && !dump->code; i++) {
    struct onr_operand o = {.size = sizeof(o)};
    char name[LONGEST_NAME + 1], path[PATH_SIZE];
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
    char name[LONGEST_NAME + 32], path[PATH_SIZE];
    if (!step_value(&dump->counts, run, i, &value)) continue;
    if (run->parent == ONR_NO_NODE && has_row(dump, value.key)) {
      free(value.copy); /* the same in another layout */
      continue;
    }
    name_file(dump, value.key, name, sizeof(name));
    if (snprintf(path, sizeof(path), "%s/%s", dump->folder, name) >= (int)sizeof(path))
      dump->code = complain(EXIT_OTHER, "%s: the path is too long", dump->folder);
    else if (!list_add(&dump->files, name)) dump->code = complain(EXIT_OTHER, "no memory for the names of files");
    else if (!(dump->code = check_kept(path))) dump->code = npy_write(path, &value.tensor);
    if (!dump->code) add_row(dump, run, &value, name);
    free(value.copy);
  }
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
  if (!dump->code) printf("%zu values -> %s\n", dump->files.count, shown(dump->folder).text);
  cJSON_Delete(dump->index);
  step_counts_clear(&dump->counts);
  list_clear(&dump->files);
  return dump->code;
}
