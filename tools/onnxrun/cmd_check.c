/* cmd_check.c: backend-test folders. A case is a folder with model.onnx and test_data_set_* folders of input_K and
 * output_K.
 */
#define _DEFAULT_SOURCE         /* d_type, scandir */
#define _POSIX_C_SOURCE 200809L /* access */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "print.h"

/* A folder with model.onnx. */
struct test_case {
  char *path;       /* as it was typed, and what was found below it */
  int is_ambiguous; /* another one's last folder has the same name */
};

struct case_list {
  struct test_case *items;
  size_t count, capacity;
};

struct tally {
  const struct options *options;
  size_t passed, failed;
  int worst;      /* exit code */
  cJSON *results; /* NULL: text */
};

static int exists(const char *path) {
  struct stat s;
  return stat(path, &s) == 0;
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

static void verdict(struct tally *tally, const struct test_case *item, const char *word, const char *reason) {
  const char *name = item->is_ambiguous ? item->path : base_name(item->path);
  const int passed = strcmp(word, "ok") == 0;
  progress_clear();
  tally->passed += (size_t)passed;
  tally->failed += (size_t)!passed;
  if (!passed && tally->worst == EXIT_OK) tally->worst = EXIT_DIFFERENT;
  if (tally->results) {
    cJSON *result = cJSON_CreateObject();
    cJSON_AddStringToObject(result, "name", name);
    cJSON_AddStringToObject(result, "path", item->path);
    cJSON_AddStringToObject(result, "result", word);
    if (!passed) cJSON_AddStringToObject(result, "reason", reason);
    cJSON_AddItemToArray(tally->results, result);
  } else if (passed) {
    printf("%sok%s %s\n", colour(stdout, GREEN).text, no_colour(stdout), shown(name).text);
  } else {
    const enum colour warning = strcmp(word, "FAIL") ? YELLOW : RED;
    printf("%s%s%s %s: ", colour(stdout, warning).text, word, no_colour(stdout), shown(name).text);
    print_escaped(stdout, reason, strlen(reason));
    putchar('\n');
  }
  fflush(stdout);
}

/* The reason of a failure as text, and the word for it. */
static const char *explain(enum onr_status status, const struct onr_error *error, char *reason, size_t size) {
  snprintf(reason, size, "%s: %s%s%s", onr_status_name(status), error->where, error->where[0] ? ": " : "",
           error->message);
  return status == ONR_STATUS_UNSUPPORTED ? "UNSUPPORTED" : "FAIL";
}

/* FOLDER/input_K with one of the endings that read_values knows; 0 when there is none. */
static int find_data(const char *folder, const char *kind, size_t k, char *path, size_t size) {
  static const char *const endings[] = {".pb", ".npy", ".npz"};
  for (size_t e = 0; e < sizeof(endings) / sizeof(endings[0]); e++) {
    snprintf(path, size, "%s/%s_%zu%s", folder, kind, k, endings[e]);
    if (exists(path)) return 1;
  }
  return 0;
}

/* Inputs or outputs: how a model tells and finds them. */
struct side {
  const char *kind;
  const struct onr_value_info *(*get)(const struct onr_model *, size_t);
  int (*find)(const struct onr_model *, const char *);
};
static const struct side inputs_side = {"input", onr_model_input, onr_model_find_input},
                         outputs_side = {"output", onr_model_output, onr_model_find_output};

/* The arrays of a .npz have no order: each is found by its name. */
static int check_names(const struct onr_model *model, const char *path, const struct side *side,
                       const struct tensor_list *list, size_t first) {
  for (size_t i = first; i < list->count; i++) {
    const char *name = list->items[i].name;
    struct suggestion s = suggest_for(name, strlen(name));
    struct listing known = {0};
    if (side->find(model, name) >= 0) continue;
    for (size_t k = 0; side->get(model, k); k++) {
      suggest(&s, side->get(model, k)->name);
      listing_add(&known, "'%s'", side->get(model, k)->name);
    }
    return complain(EXIT_USAGE, "%s: the model has no %s '%s'; it has %s%s", path, side->kind, name,
                    listing_text(&known), suggested(&s).text);
  }
  return 0;
}

/* Reads input_0, input_1 ... or output_0 ... up to the first that is missing. */
static int read_set(const struct options *options, const struct onr_model *model, const char *folder,
                    const struct side *side, struct tensor_list *list) {
  char path[4096];
  for (size_t k = 0; find_data(folder, side->kind, k, path, sizeof(path)); k++) {
    const struct onr_value_info *info = side->get(model, k);
    const size_t first = list->count;
    int code = read_values(options, path, info ? info->dtype : ONR_DTYPE_NONE, list);
    if (!code && !strcmp(path + strlen(path) - 4, ".npz")) code = check_names(model, path, side, list, first);
    if (code) return code;
  }
  return 0;
}

static const char *set_inputs(const struct loaded *l, const struct tensor_list *inputs, char *reason, size_t size) {
  const size_t required = onr_model_num_inputs(l->model);
  struct onr_error error = {0};
  for (size_t i = 0; i < onr_model_num_defaults(l->model); i++)
    onr_session_set_input(l->session, required + i, NULL, NULL);
  for (size_t i = 0; i < inputs->count; i++) {
    const int by_name = inputs->items[i].name[0] ? onr_model_find_input(l->model, inputs->items[i].name) : -1;
    const enum onr_status status =
        onr_session_set_input(l->session, by_name >= 0 ? (size_t)by_name : i, &inputs->items[i].tensor, &error);
    if (status != ONR_STATUS_OK) return explain(status, &error, reason, size);
  }
  return NULL;
}

static const char *compare_outputs(const struct options *options, const struct loaded *l,
                                   const struct tensor_list *expected, char *reason, size_t size) {
  struct onr_error error = {0};
  for (size_t i = 0; i < expected->count; i++) {
    const int by_name = expected->items[i].name[0] ? onr_model_find_output(l->model, expected->items[i].name) : -1;
    const size_t index = by_name >= 0 ? (size_t)by_name : i;
    struct onr_tensor found;
    char why[400];
    const enum onr_status status = onr_session_get_output(l->session, index, &found, &error);
    if (status != ONR_STATUS_OK) return explain(status, &error, reason, size);
    if (agrees(&found, &expected->items[i].tensor, options->rtol, options->atol, why, sizeof(why))) continue;
    snprintf(reason, size, "output '%s': %s", onr_model_output(l->model, index)->name, why);
    return "FAIL";
  }
  return NULL;
}

/* One data set; NULL when it passed, else the word for what happened. */
static const char *check_set(const struct options *options, const struct loaded *l, const char *folder, char *reason,
                             size_t size) {
  struct tensor_list inputs = {0}, expected = {0};
  struct onr_error error = {0};
  const char *word = NULL;
  if (read_set(options, l->model, folder, &inputs_side, &inputs) ||
      read_set(options, l->model, folder, &outputs_side, &expected)) {
    snprintf(reason, size, "%s cannot be read", base_name(folder));
    word = "FAIL";
  } else if (!expected.count) {
    snprintf(reason, size, "%s has no outputs", base_name(folder));
    word = "FAIL";
  }
  if (!word) word = set_inputs(l, &inputs, reason, size);
  if (!word) {
    const enum onr_status status = onr_session_run(l->session, &error);
    word = status == ONR_STATUS_OK ? compare_outputs(options, l, &expected, reason, size)
                                   : explain(status, &error, reason, size);
  }
  list_clear(&inputs);
  list_clear(&expected);
  return word;
}

static int is_data_set(const struct dirent *entry) { return strncmp(entry->d_name, "test_data_set_", 14) == 0; }

/* test_data_set_10 comes after test_data_set_9: a model that carries state sees its frames in order. */
static int by_number(const struct dirent **a, const struct dirent **b) {
  return atoi((*a)->d_name + 14) - atoi((*b)->d_name + 14);
}

static int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static void check_case(struct tally *tally, const struct test_case *item) {
  struct loaded l;
  struct onr_error error = {0};
  struct dirent **sets = NULL;
  char reason[1024] = "", path[4096];
  snprintf(path, sizeof(path), "%s/model.onnx", item->path);
  const enum onr_status status = try_load(tally->options, path, NULL, &l, &error);
  const char *word = status == ONR_STATUS_OK ? NULL : explain(status, &error, reason, sizeof(reason));
  const int count = scandir(item->path, &sets, is_data_set, by_number);
  if (!word && count <= 0) {
    snprintf(reason, sizeof(reason), "no test_data_set_* folder");
    word = "FAIL";
  }
  for (int i = 0; i < count; i++) {
    snprintf(path, sizeof(path), "%s/%s", item->path, sets[i]->d_name);
    if (!word) word = check_set(tally->options, &l, path, reason, sizeof(reason));
    free(sets[i]);
  }
  free(sets);
  unload(&l);
  verdict(tally, item, word ? word : "ok", reason);
}

/* --- which cases there are --- */

static int add_case(struct case_list *list, const char *folder) {
  if (list->count == list->capacity) {
    const size_t capacity = list->capacity * 2 + 16;
    struct test_case *grown = realloc(list->items, capacity * sizeof(*grown));
    if (!grown) return complain(EXIT_OTHER, "no memory for %zu cases", capacity);
    list->items = grown;
    list->capacity = capacity;
  }
  char *path = strdup(folder);
  if (!path) return complain(EXIT_OTHER, "no memory for the name of a case");
  list->items[list->count++] = (struct test_case){path, 0};
  return EXIT_OK;
}

static void clear_cases(struct case_list *list) {
  for (size_t i = 0; i < list->count; i++) free(list->items[i].path);
  free(list->items);
}

/* A case, or a folder of cases (and of such folders). */
static int find_cases(struct case_list *list, const char *folder, int depth) {
  struct dirent **entries = NULL;
  char path[4096];
  int code = EXIT_OK, found = 0;
  snprintf(path, sizeof(path), "%s/model.onnx", folder);
  if (exists(path)) return add_case(list, folder);
  const int count = scandir(folder, &entries, is_visible, alphasort);
  if (count < 0)
    return errno == ENOTDIR ? complain(EXIT_USAGE, "%s: no folder; check takes the one with model.onnx", folder)
                            : complain_file(folder, "cannot be opened");
  for (int i = 0; i < count; i++) {
    struct stat s;
    snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
    if (depth < 8 && stat(path, &s) == 0 && S_ISDIR(s.st_mode) && !is_data_set(entries[i])) {
      found = 1;
      if (!code) code = find_cases(list, path, depth + 1);
    }
    free(entries[i]);
  }
  free(entries);
  return found || depth ? code : complain(EXIT_USAGE, "%s: no model.onnx in it or below", folder);
}

/* The folder as it was typed, without slashes at its end. */
static int find_typed(struct case_list *list, const char *typed) {
  char folder[4096];
  size_t length = strlen(typed);
  while (length > 1 && typed[length - 1] == '/') length--;
  if (length >= sizeof(folder)) return complain(EXIT_USAGE, "%s: the path is too long", typed);
  memcpy(folder, typed, length);
  folder[length] = '\0';
  return find_cases(list, folder, 0);
}

static int by_base_name(const void *left, const void *right) {
  const struct test_case *const *a = left, *const *b = right;
  return strcmp(base_name((*a)->path), base_name((*b)->path));
}

static int mark_ambiguous(const struct case_list *list) {
  struct test_case **sorted = malloc((list->count + 1) * sizeof(*sorted));
  if (!sorted) return complain(EXIT_OTHER, "no memory for %zu cases", list->count);
  for (size_t i = 0; i < list->count; i++) sorted[i] = &list->items[i];
  qsort(sorted, list->count, sizeof(*sorted), by_base_name);
  for (size_t i = 1; i < list->count; i++)
    if (!by_base_name(&sorted[i - 1], &sorted[i])) sorted[i - 1]->is_ambiguous = sorted[i]->is_ambiguous = 1;
  free(sorted);
  return EXIT_OK;
}

int command_check(const struct options *options) {
  struct tally tally = {.options = options};
  struct case_list list = {0};
  int code = EXIT_OK;
  if (options->plugin && access(options->plugin, R_OK)) return complain_file(options->plugin, "cannot be opened");
  cJSON *root = options->json ? cJSON_CreateObject() : NULL;
  if (root) tally.results = cJSON_AddArrayToObject(root, "cases");
  for (size_t i = 0; i < options->num_paths && !code; i++) code = find_typed(&list, options->paths[i]);
  if (!code) code = mark_ambiguous(&list);
  for (size_t i = 0; i < list.count && !code; i++) {
    progress("%zu of %zu: %s", i + 1, list.count, base_name(list.items[i].path));
    check_case(&tally, &list.items[i]);
  }
  progress_end();
  clear_cases(&list);
  if (!root) {
    printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
  } else {
    cJSON_AddNumberToObject(root, "passed", (double)tally.passed);
    cJSON_AddNumberToObject(root, "failed", (double)tally.failed);
    const int printed = print_json(root, 0);
    if (!code) code = printed;
  }
  return code ? code : tally.worst;
}
