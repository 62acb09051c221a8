/* inputs.c: from files, or random. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnxrun/tensor_file.h"
#include "recipe.h"

/* --- from files --- */

static const char *list_inputs(const struct onr_model *model, struct listing *listing) {
  for (size_t i = 0; onr_model_input(model, i); i++) listing_add(listing, "'%s'", onr_model_input(model, i)->name);
  return listing->count ? listing_text(listing) : "none";
}

static int unknown_input(const struct onr_model *model, const char *file, const char *name, size_t length) {
  struct suggestion s = suggest_for(name, length);
  struct listing known = {0};
  for (size_t i = 0; onr_model_input(model, i); i++) suggest(&s, onr_model_input(model, i)->name);
  return complain(EXIT_USAGE, "%s: the model has no input '%.*s'; it has %s%s", file, (int)length, name,
                  list_inputs(model, &known), suggested(&s).text);
}

/* The input that "NAME=FILE" begins with, and where FILE is; -1: none. Names may have '=' in them. */
static int named_input(const struct onr_model *model, const char *text, const char **file) {
  for (size_t i = 0; onr_model_input(model, i); i++) {
    const char *name = onr_model_input(model, i)->name;
    const size_t length = strlen(name);
    if (strncmp(text, name, length) || text[length] != '=') continue;
    *file = text + length + 1;
    return (int)i;
  }
  return -1;
}

/* Names for what a file has: its own, or that of the only input. */
static int name_values(const struct onr_model *model, const char *file, struct tensor_list *list, size_t first) {
  struct listing known = {0};
  for (size_t i = first; i < list->count; i++) {
    struct named_tensor *item = &list->items[i];
    if (onr_model_find_input(model, item->name) >= 0) continue;
    if (list->count == first + 1 && onr_model_num_inputs(model) == 1) {
      if (!list_rename(item, onr_model_input(model, 0)->name))
        return complain(EXIT_OTHER, "%s: no memory for a name", file);
      continue;
    }
    if (item->name[0]) return unknown_input(model, file, item->name, strlen(item->name));
    return complain(EXIT_USAGE, "-i %s: say for which input, as in -i NAME=%s; the model has %s", file, file,
                    list_inputs(model, &known));
  }
  return 0;
}

static int check_given_once(const struct tensor_list *list, size_t first) {
  for (size_t i = first; i < list->count; i++)
    for (size_t k = 0; k < i; k++)
      if (!strcmp(list->items[i].name, list->items[k].name))
        return complain(EXIT_USAGE, "input '%s' is given twice, by %s and by %s", list->items[i].name,
                        list->items[k].file, list->items[i].file);
  return 0;
}

static int read_input(const struct options *options, struct recipe_file *recipes, const char *text,
                      const struct onr_model *model, struct tensor_list *list) {
  const char *file = text, *equals = strchr(text, '=');
  const size_t first = list->count;
  int index = named_input(model, text, &file);
  if (!*file) return complain(EXIT_USAGE, "-i %s: expected NAME=FILE, found no file", text);
  if (index < 0 && equals && access(text, F_OK)) return unknown_input(model, equals + 1, text, (size_t)(equals - text));
  const int named = index >= 0;
  if (!named && onr_model_num_inputs(model) == 1) index = 0;
  int code = index >= 0 ? read_for_input(options, recipes, file, onr_model_input(model, (size_t)index), list)
                        : read_values(options, file, ONR_DTYPE_NONE, list);
  for (size_t i = first; i < list->count; i++) list->items[i].file = strcmp(file, "-") ? file : "standard input";
  if (code) return code;
  if (named && list->count != first + 1)
    return complain(EXIT_USAGE, "%s: expected one tensor, found %zu", file, list->count - first);
  if (named && !list_rename(&list->items[first], onr_model_input(model, (size_t)index)->name))
    return complain(EXIT_OTHER, "%s: no memory for a name", file);
  if (!named) code = name_values(model, file, list, first);
  return code ? code : check_given_once(list, first);
}

static int set_input(const struct loaded *loaded, const struct named_tensor *item) {
  struct onr_error error = {0};
  const size_t index = (size_t)onr_model_find_input(loaded->model, item->name);
  const struct onr_tensor first = frame_of(item, 0);
  const enum onr_status status = onr_session_set_input(loaded->session, index, &first, &error);
  return status == ONR_STATUS_OK ? 0 : report_failure(status, item->file ? item->file : loaded->path, &error);
}

static int read_given(const struct options *options, const struct onr_model *model, struct tensor_list *list) {
  struct recipe_file recipes = {0};
  int code = check_dims(options, model);
  if (!code && options->num_inputs) code = recipe_open(options, &recipes);
  if (!code) code = recipe_check(options, &recipes, model);
  for (size_t i = 0; i < options->num_inputs && !code; i++)
    code = read_input(options, &recipes, options->inputs[i], model, list);
  if (!code) code = recipe_check_use(options, &recipes);
  recipe_close(&recipes);
  return code;
}

int read_inputs(const struct options *options, const struct onr_model *model, struct tensor_list *list) {
  const int code = read_given(options, model, list);
  return code ? code : check_dims_of_files(options, model, list);
}

static int read_files(const struct options *options, const struct loaded *loaded, struct inputs *inputs) {
  int64_t frames;
  int code = read_given(options, loaded->model, &inputs->list);
  for (size_t i = 0; i < inputs->list.count && !code; i++) find_frames(options, loaded->model, &inputs->list.items[i]);
  if (!code) code = count_frames(inputs, &frames);
  for (size_t i = 0; i < inputs->list.count && !code; i++) code = set_input(loaded, &inputs->list.items[i]);
  inputs->num_files = inputs->list.count;
  return code ? code : check_dims_of_files(options, loaded->model, &inputs->list);
}

/* --- sizes that nobody gave --- */

static int is_same_dim(const struct guess *guess, const struct onr_value_info *info, int32_t d) {
  const char *name = guess->info->dim_name[guess->d];
  if (!name || !info->dim_name[d]) return guess->info == info && guess->d == d;
  return !strcmp(name, info->dim_name[d]);
}

static struct guess *find_guess(const struct inputs *inputs, const struct onr_value_info *info, int32_t d) {
  for (size_t k = 0; k < inputs->num_guessed; k++)
    if (is_same_dim(&inputs->guessed[k], info, d)) return &inputs->guessed[k];
  return NULL;
}

/* A file gives it, or it is a state, which begins by itself. */
static int is_given(const struct options *options, const struct inputs *inputs, const char *name) {
  return list_find(&inputs->list, name) || is_state_input(options, name);
}

/* Notes the dimensions that neither --dim nor a file gives, each once. */
static int note_guesses(const struct options *options, const struct onr_model *model, struct inputs *inputs) {
  inputs->guessed = calloc(onr_model_num_inputs(model) * ONR_MAX_RANK + 1, sizeof(*inputs->guessed));
  if (!inputs->guessed) return complain(EXIT_OTHER, "no memory for the inputs' dimensions");
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    for (int32_t d = 0; d < info->rank && !is_given(options, inputs, info->name); d++)
      if (info->dim[d] < 0 && dim_size(options, model, &inputs->list, info, d) < 0 && !find_guess(inputs, info, d))
        inputs->guessed[inputs->num_guessed++] = (struct guess){info, d, 1};
  }
  return 0;
}

/* The sizes to try: 1 for what comes first in its input (a batch) and one size for all others, or one for all. */
static int set_guesses(struct inputs *inputs, size_t attempt) {
  static const int64_t sizes[] = {1, 16, 64, 224, 2, 3, 4, 8, 32, 48, 80, 128, 160, 256, 320, 512, 640};
  const size_t count = sizeof(sizes) / sizeof(sizes[0]);
  if (attempt >= 2 * count || (attempt && !inputs->num_guessed)) return 0;
  for (size_t k = 0; k < inputs->num_guessed; k++)
    inputs->guessed[k].size = !inputs->guessed[k].d && attempt < count ? 1 : sizes[attempt % count];
  return 1;
}

static const char *list_guesses(const struct inputs *inputs, struct listing *listing) {
  char text[640];
  for (size_t k = 0; k < inputs->num_guessed; k++)
    listing_add(listing, "%s = %lld", dim_label(inputs->guessed[k].info, inputs->guessed[k].d, text, sizeof(text)),
                (long long)inputs->guessed[k].size);
  return listing_text(listing);
}

/* --- random --- */

static int64_t size_of(const struct options *options, const struct onr_model *model, const struct inputs *inputs,
                       const struct onr_value_info *info, int32_t d) {
  const struct guess *guess = find_guess(inputs, info, d);
  if (info->dim[d] >= 0) return info->dim[d];
  return guess ? guess->size : dim_size(options, model, &inputs->list, info, d);
}

static int add_random(const struct options *options, const struct onr_model *model, const struct onr_value_info *info,
                      uint64_t *state, struct inputs *inputs) {
  struct onr_desc desc = {.dtype = info->dtype, .rank = info->rank};
  for (int32_t d = 0; d < info->rank; d++) desc.dim[d] = size_of(options, model, inputs, info, d);
  const size_t bytes = onr_desc_bytes(&desc);
  struct named_tensor *item = list_add(&inputs->list, info->name);
  if (item) item->tensor = (struct onr_tensor){desc, bytes < SIZE_MAX / 2 ? malloc(bytes + 1) : NULL};
  if (!item || !item->tensor.data)
    return complain(EXIT_OTHER, "no memory for the %zu bytes of input '%s'", bytes, info->name);
  fill_random(&item->tensor, state);
  return 0;
}

/* Random tensors for the inputs without files and without a default, set on the session. */
static int set_random(const struct options *options, const struct loaded *loaded, struct inputs *inputs) {
  uint64_t state = options->seed;
  for (size_t i = 0; i < onr_model_num_inputs(loaded->model); i++) {
    const struct onr_value_info *info = onr_model_input(loaded->model, i);
    if (is_given(options, inputs, info->name)) continue;
    int code = add_random(options, loaded->model, info, &state, inputs);
    if (!code) code = set_input(loaded, &inputs->list.items[inputs->list.count - 1]);
    if (code) return code;
  }
  return 0;
}

static void drop_random(struct inputs *inputs) {
  while (inputs->list.count > inputs->num_files) {
    struct named_tensor *item = &inputs->list.items[--inputs->list.count];
    onr_tensor_release(NULL, &item->tensor);
    free(item->name);
  }
}

int begin_states(const struct options *options, const struct loaded *loaded, struct inputs *inputs) {
  int begun = 0;
  drop_random(inputs);
  for (size_t i = 0; options->state && i < onr_model_num_inputs(loaded->model); i++) {
    const struct onr_value_info *info = onr_model_input(loaded->model, i);
    struct onr_desc desc = onr_desc_make(info->dtype, info->rank < 0 ? 0 : info->rank, info->dim);
    struct onr_tensor zeros;
    if (!is_state_input(options, info->name) || list_find(&inputs->list, info->name) || info->rank < 0) continue;
    for (int32_t d = 0; d < info->rank; d++) {
      if (info->dim[d] >= 0) continue;
      desc.dim[d] = dim_size(options, loaded->model, &inputs->list, info, d);
      if (desc.dim[d] < 0) desc.dim[d] = 1;
    }
    if (make_tensor(options, info->name, &desc, &zeros)) return 0;
    struct named_tensor *item = list_add(&inputs->list, info->name);
    if (!item) {
      onr_tensor_release(NULL, &zeros);
      return 0;
    }
    item->tensor = zeros;
    item->file = "zeros";
    begun |= !set_input(loaded, item);
  }
  inputs->num_files = inputs->list.count;
  return !set_random(options, loaded, inputs) && begun;
}

/* --- all of them --- */

/* An input of which the model does not say enough to make one; NULL: there is none. */
static const struct onr_value_info *undeclared(const struct options *options, const struct onr_model *model,
                                               const struct inputs *inputs) {
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    if ((info->rank < 0 || info->dtype == ONR_DTYPE_NONE || info->dtype == ONR_DTYPE_SEQUENCE ||
         info->dtype == ONR_DTYPE_OPTIONAL || info->dtype == ONR_DTYPE_MAP) &&
        !is_given(options, inputs, info->name))
      return info;
  }
  return NULL;
}

/* A model that has been loaded fits its own constants: what fails later is what it was given, or what was made up. */
static int is_about_inputs(enum onr_status status) {
  return exit_code_of(status) == EXIT_MODEL || status == ONR_STATUS_ARGUMENT;
}

static int is_open(const struct onr_value_info *info) {
  int open = info->rank < 0;
  for (int32_t d = 0; d < info->rank; d++) open |= info->dim[d] < 0;
  return open;
}

/* The files and options that decide: while planning those that give a size which the model leaves open, else all. */
static void list_given(const struct options *options, const struct onr_model *model, const struct inputs *inputs,
                       int has_run, struct line *line) {
  for (size_t i = 0; i < inputs->num_files; i++) {
    const struct named_tensor *item = &inputs->list.items[i];
    if (has_run || is_open(onr_model_input(model, (size_t)onr_model_find_input(model, item->name))))
      line_add(line, "%s%s", line->text[0] ? ", " : "", item->file);
  }
  for (size_t k = 0; k < options->num_dims; k++)
    line_add(line, "%s--dim %s", line->text[0] ? ", " : "", options->dims[k].name);
}

/* What may be the reason: sizes that were guessed, random values, else what was given; "": none of them. */
static struct line input_hint(enum onr_status status, const struct options *options, const struct onr_model *model,
                              const struct inputs *inputs, int has_run) {
  struct line hint = {0}, given = {0};
  struct listing guesses = {0};
  if (!is_about_inputs(status)) return hint;
  list_given(options, model, inputs, has_run, &given);
  if (inputs->num_guessed) {
    line_add(&hint, "; --dim NAME=SIZE gives the right sizes, guessed were %s", list_guesses(inputs, &guesses));
  } else if (has_run && inputs->list.count > inputs->num_files) {
    line_add(&hint, "; its inputs are random, which may be the reason: -i NAME=FILE gives them");
  } else if (given.text[0]) {
    line_add(&hint, "; it was given %s", given.text);
  }
  return hint;
}

static int report_input_failure(enum onr_status status, const struct loaded *loaded, const struct onr_error *error,
                                const struct line *hint) {
  const int code = hint->text[0] ? EXIT_USAGE : exit_code_of(status);
  return report_as(code, onr_status_name(status), loaded->path, error, hint->text);
}

static int report_plan_failure(enum onr_status status, const struct options *options, const struct loaded *loaded,
                               const struct inputs *inputs, const struct onr_error *error, struct line *problem) {
  const struct line hint = input_hint(status, options, loaded->model, inputs, 0);
  if (problem) line_add(problem, "%s%s%s%s", error->where, error->where[0] ? ": " : "", error->message, hint.text);
  if (problem && inputs->num_guessed && hint.text[0]) return 0;
  return report_input_failure(status, loaded, error, &hint);
}

/* Images, sequences and batches want different sizes: the first that the model can be planned for is taken. The error
 * is that of the first sizes. */
static int plan(const struct options *options, const struct loaded *loaded, struct inputs *inputs,
                struct line *problem) {
  struct onr_error first = {0}, error = {0};
  enum onr_status status = ONR_STATUS_OK, first_status = ONR_STATUS_OK;
  for (size_t attempt = 0; set_guesses(inputs, attempt); attempt++) {
    drop_random(inputs);
    const int code = set_random(options, loaded, inputs);
    if (code) return code;
    status = onr_session_plan(loaded->session, &error);
    if (status == ONR_STATUS_OK) return 0;
    if (!attempt) first = error, first_status = status;
  }
  set_guesses(inputs, 0);
  if (begin_states(options, loaded, inputs) && onr_session_plan(loaded->session, &error) == ONR_STATUS_OK) return 0;
  return report_plan_failure(first_status, options, loaded, inputs, &first, problem);
}

int make_inputs(const struct options *options, const struct loaded *loaded, struct inputs *inputs,
                struct line *problem) {
  *inputs = (struct inputs){0};
  int code = declare_states(options, loaded);
  if (!code) code = read_files(options, loaded, inputs);
  const struct onr_value_info *unknown = code ? NULL : undeclared(options, loaded->model, inputs);
  if (!code) code = note_guesses(options, loaded->model, inputs);
  if (code || !unknown) return code ? code : plan(options, loaded, inputs, problem);
  struct line words = {0};
  if (unknown->type) line_add(&words, "input '%s' is a %s; give it with -i", unknown->name, unknown->type);
  else line_add(&words, "the model does not say what input '%s' is; give it with -i", unknown->name);
  line_add(&words, " %s=FILE%s", unknown->name, unknown->type ? ".pb" : "");
  if (!problem) return complain(EXIT_USAGE, "%s: %s", loaded->path, words.text);
  *problem = words;
  return 0;
}

void say_what_is_random(const struct options *options, const struct inputs *inputs) {
  struct listing names = {0}, guesses = {0};
  const size_t count = inputs->list.count - inputs->num_files;
  char text[160];
  for (size_t i = inputs->num_files; i < inputs->list.count; i++)
    listing_add(&names, "'%s' %s", inputs->list.items[i].name,
                onr_desc_format(&inputs->list.items[i].tensor.desc, text, sizeof(text)));
  if (!count) return;
  const char *guessed = list_guesses(inputs, &guesses);
  complain(0, "%s %s %s random (seed %llu); -i NAME=FILE gives %s%s%s%s", count > 1 ? "inputs" : "input",
           listing_text(&names), count > 1 ? "are" : "is", (unsigned long long)options->seed, count > 1 ? "them" : "it",
           *guessed ? "; guessed: " : "", guessed, *guessed ? ", set by --dim NAME=SIZE" : "");
}

int report_run_failure(enum onr_status status, const struct options *options, const struct loaded *loaded,
                       const struct inputs *inputs, const struct onr_error *error) {
  const struct line hint = input_hint(status, options, loaded->model, inputs, 1);
  return report_input_failure(status, loaded, error, &hint);
}

void clear_inputs(struct inputs *inputs) {
  list_clear(&inputs->list);
  free(inputs->guessed);
  *inputs = (struct inputs){0};
}
