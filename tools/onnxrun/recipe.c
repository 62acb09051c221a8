/* recipe.c: what options and the file beside the model say of how inputs are made. */
#include "recipe.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* --- one field, from text --- */

enum field_kind { SIZE, REAL_ABOVE_0, THREE, CHANNELS, LAYOUT, COUNT, FRAME, TYPE, SHAPE };

#define AT(field) offsetof(struct recipe, field)
/* In the order of enum recipe_field. */
static const struct field {
  const char *name;
  enum field_kind kind;
  size_t offset;
  const char *expected;
  enum recipe_kind kind_of_file; /* that it is for */
} fields[] = {
    {"resize", SIZE, AT(resize), "a side or WIDTHxHEIGHT, 1 to 1048576", RECIPE_PICTURES},
    {"crop", SIZE, AT(crop), "a side or WIDTHxHEIGHT, 1 to 1048576", RECIPE_PICTURES},
    {"range", REAL_ABOVE_0, AT(range), "a number above 0", RECIPE_PICTURES},
    {"mean", THREE, AT(mean), "a number for each channel, with commas", RECIPE_PICTURES},
    {"std", THREE, AT(std), "a number for each channel, with commas, none of them 0", RECIPE_PICTURES},
    {"channels", CHANNELS, AT(channels), "RGB, BGR or GRAY", RECIPE_PICTURES},
    {"layout", LAYOUT, AT(layout), "NCHW or NHWC", RECIPE_PICTURES},
    {"rate", COUNT, AT(rate), "samples a second, 1 to 1000000", RECIPE_SOUNDS},
    {"frame", FRAME, AT(frame), "samples, or SAMPLES:HOP, HOP 1 to SAMPLES", RECIPE_SOUNDS},
    {"dtype", TYPE, AT(dtype), "a type, as float32", RECIPE_BYTES},
    {"shape", SHAPE, AT(dim), "sizes, as 1x3x224x224", RECIPE_BYTES},
};
enum { NUM_FIELDS = sizeof(fields) / sizeof(fields[0]), LARGEST = 1 << 20 };
_Static_assert(NUM_FIELDS == (int)NUM_RECIPE_FIELDS, "enum recipe_field has all");

static int parse_whole(const char **text, int64_t most, int64_t *value) {
  char *end;
  if (**text < '0' || **text > '9') return 0;
  errno = 0;
  const long long parsed = strtoll(*text, &end, 10);
  if (errno || parsed > most) return 0;
  *value = parsed;
  *text = end;
  return 1;
}

static int parse_size(const char *text, struct size2 *size) {
  if (!parse_whole(&text, LARGEST, &size->width) || !size->width) return 0;
  if (!*text) return 1;
  return *text++ == 'x' && parse_whole(&text, LARGEST, &size->height) && size->height && !*text;
}

static int parse_reals(const char *text, double *values, size_t *count) {
  for (*count = 0; *count < 4;) {
    char *end;
    const double value = strtod(text, &end);
    if (end == text || !isfinite(value)) return 0;
    values[(*count)++] = value;
    if (!*end) return 1;
    if (*end != ',') return 0;
    text = end + 1;
  }
  return 0;
}

static int parse_word(const char *text, const char *const *words, int count, void *target) {
  for (int i = 0; i < count; i++)
    if (!strcmp(text, words[i])) {
      *(int *)target = i + 1;
      return 1;
    }
  return 0;
}

static int parse_shape(const char *text, struct recipe *recipe) {
  recipe->is_shaped = 1;
  for (recipe->rank = 0; *text; text += *text == 'x') {
    if (recipe->rank == ONR_MAX_RANK || !parse_whole(&text, INT32_MAX, &recipe->dim[recipe->rank++])) return 0;
    if (*text && (*text != 'x' || !text[1])) return 0;
  }
  return 1;
}

enum onr_dtype dtype_of(const char *name) {
  for (int t = 1; t < 64; t++)
    if (!strcmp(onr_dtype_name((enum onr_dtype)t), name) && onr_dtype_size((enum onr_dtype)t)) return (enum onr_dtype)t;
  return ONR_DTYPE_NONE;
}

static int parse_field(const struct field *field, const char *text, struct recipe *recipe) {
  static const char *const channels[] = {"RGB", "BGR", "GRAY"}, *const layouts[] = {"NCHW", "NHWC"};
  void *target = (char *)recipe + field->offset;
  switch (field->kind) {
    case SIZE: *(struct size2 *)target = (struct size2){0, 0}; return parse_size(text, target);
    case REAL_ABOVE_0: {
      size_t count;
      double values[4];
      if (!parse_reals(text, values, &count) || count != 1 || !(values[0] > 0)) return 0;
      *(double *)target = values[0];
      return 1;
    }
    case THREE: {
      const int is_std = field->offset == AT(std);
      size_t *count = is_std ? &recipe->num_std : &recipe->num_mean;
      if (!parse_reals(text, target, count)) return 0;
      for (size_t i = 0; is_std && i < *count; i++)
        if (recipe->std[i] == 0) return 0;
      return 1;
    }
    case CHANNELS: return parse_word(text, channels, 3, target);
    case LAYOUT: return parse_word(text, layouts, 2, target);
    case COUNT: return parse_whole(&text, 1000000, target) && *(int64_t *)target && !*text;
    case FRAME:
      if (!parse_whole(&text, LARGEST, &recipe->frame) || !recipe->frame) return 0;
      recipe->hop = recipe->frame;
      if (!*text) return 1;
      return *text++ == ':' && parse_whole(&text, recipe->frame, &recipe->hop) && recipe->hop && !*text;
    case TYPE: return (*(enum onr_dtype *)target = dtype_of(text)) != ONR_DTYPE_NONE;
    case SHAPE: return parse_shape(text, recipe);
  }
  return 0;
}

/* --- the file --- */

enum { LARGEST_FILE = 16 << 20 };

/* MODEL.onnx -> MODEL.json */
static char *path_beside(const char *model) {
  const char *dot = strrchr(model, '.'), *slash = strrchr(model, '/');
  const size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - model) : strlen(model);
  char *path = malloc(stem + sizeof(".json"));
  if (!path) return NULL;
  memcpy(path, model, stem);
  memcpy(path + stem, ".json", sizeof(".json"));
  return path;
}

/* A file's name that is given in the recipe is looked for beside it. */
static char *path_from(const char *recipe, const char *name) {
  const char *slash = strrchr(recipe, '/');
  const size_t folder = slash && name[0] != '/' ? (size_t)(slash - recipe) + 1 : 0, length = strlen(name) + 1;
  char *path = malloc(folder + length);
  if (!path) return NULL;
  memcpy(path, recipe, folder);
  memcpy(path + folder, name, length);
  return path;
}

static int parse_file(const struct options *options, const char *path, FILE *stream, struct recipe_file *file) {
  void *text;
  size_t size;
  const char *end;
  int code = read_all(stream, path, NULL, 0, LARGEST_FILE, &text, &size);
  if (code) return code;
  const size_t mark = byte_order_mark(text, size);
  file->root = cJSON_ParseWithLengthOpts((const char *)text + mark, size - mark, &end, 0);
  /* JSON of another kind beside the model is somebody else's. */
  if (!file->root || (options->recipe && !cJSON_IsObject(file->root)))
    code =
        complain(EXIT_USAGE, "%s: no JSON object (near byte %zu); it says how inputs are made, --recipe names another",
                 path, file->root ? 0 : (size_t)(end - (const char *)text));
  free(text);
  return code;
}

/* JSON beside the model may be somebody else's, unless it has what a recipe has. */
static int is_recipe(const struct options *options, const cJSON *root) {
  return options->recipe || cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(root, "inputs")) ||
         cJSON_IsString(cJSON_GetObjectItemCaseSensitive(root, "labels"));
}

static int keep(const struct options *options, const struct recipe_file *file) {
  static const char what[] = "a file that is read";
  const int code = is_recipe(options, file->root) ? keep_file(file->path, what) : 0;
  return code || !file->labels || options->labels ? code : keep_file(file->labels, what);
}

int recipe_open(const struct options *options, struct recipe_file *file) {
  *file = (struct recipe_file){0};
  char *path = options->recipe ? path_from("", options->recipe) : path_beside(options->paths[0]);
  if (!path) return complain(EXIT_OTHER, "no memory for a name");
  FILE *stream = fopen(path, "rb");
  int code = 0;
  file->path = path;
  if (!stream) return options->recipe ? complain_file(path, "cannot be opened") : 0;
  code = parse_file(options, path, stream, file);
  fclose(stream);
  const cJSON *labels = cJSON_GetObjectItemCaseSensitive(file->root, "labels");
  if (!code && cJSON_IsString(labels) && !(file->labels = path_from(path, labels->valuestring)))
    code = complain(EXIT_OTHER, "no memory for a name");
  return code ? code : keep(options, file);
}

void recipe_close(struct recipe_file *file) {
  cJSON_Delete(file->root);
  free(file->labels);
  free((void *)(uintptr_t)file->path);
  *file = (struct recipe_file){0};
}

/* --- what it says is heard --- */

static int check_key(const struct recipe_file *file, const cJSON *entry) {
  struct suggestion s = suggest_for(entry->string, strlen(entry->string));
  const int is_inputs = !strcmp(entry->string, "inputs"), is_labels = !strcmp(entry->string, "labels");
  if (is_inputs && !cJSON_IsObject(entry))
    return complain(EXIT_USAGE, "%s: inputs: expected an object, {\"NAME\": {...}}", file->path);
  if (is_labels && !cJSON_IsString(entry))
    return complain(EXIT_USAGE, "%s: labels: expected the name of a file", file->path);
  if (is_inputs || is_labels) return 0;
  suggest(&s, "inputs");
  suggest(&s, "labels");
  return complain(EXIT_USAGE, "%s: expected inputs and labels, found '%s'%s", file->path, entry->string,
                  suggested(&s).text);
}

static int check_input(const struct recipe_file *file, const struct onr_model *model, const cJSON *entry) {
  struct suggestion s = suggest_for(entry->string, strlen(entry->string));
  if (onr_model_find_input(model, entry->string) >= 0)
    return cJSON_IsObject(entry)
               ? 0
               : complain(EXIT_USAGE, "%s: input '%s': expected an object, {\"mean\": ...}", file->path, entry->string);
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) suggest(&s, onr_model_input(model, i)->name);
  return complain(EXIT_USAGE, "%s: the model has no input '%s'%s", file->path, entry->string, suggested(&s).text);
}

int recipe_check(const struct options *options, const struct recipe_file *file, const struct onr_model *model) {
  const cJSON *inputs = cJSON_GetObjectItemCaseSensitive(file->root, "inputs");
  int code = 0;
  if (!file->root || !is_recipe(options, file->root)) return 0;
  for (const cJSON *entry = file->root->child; entry && !code; entry = entry->next) code = check_key(file, entry);
  for (const cJSON *entry = inputs ? inputs->child : NULL; entry && !code; entry = entry->next)
    code = check_input(file, model, entry);
  return code;
}

int recipe_check_use(const struct options *options, const struct recipe_file *file) {
  static const char *const kinds[] = {
      [RECIPE_PICTURES] = "pictures", [RECIPE_SOUNDS] = "sound", [RECIPE_BYTES] = "plain bytes"};
  for (size_t i = 0; i < NUM_FIELDS; i++)
    if (options->fields[i] && !(file->kinds >> fields[i].kind_of_file & 1))
      return complain(EXIT_USAGE, "%s: --%s is for %s, and no input is given as such", commands[options->command].name,
                      fields[i].name, kinds[fields[i].kind_of_file]);
  return 0;
}

/* --- both --- */

/* A value of the file as it would stand on the command line. */
static int text_of(const cJSON *value, struct line *text) {
  if (cJSON_IsString(value)) line_add(text, "%s", value->valuestring);
  else if (cJSON_IsNumber(value)) line_add(text, "%.17g", value->valuedouble);
  else if (!cJSON_IsArray(value)) return 0;
  for (const cJSON *item = cJSON_IsArray(value) ? value->child : NULL; item; item = item->next) {
    if (!cJSON_IsNumber(item)) return 0;
    line_add(text, "%s%.17g", item == value->child ? "" : ",", item->valuedouble);
  }
  return 1;
}

static int take_entry(const struct recipe_file *file, const char *input, const cJSON *entry, struct recipe *recipe) {
  struct suggestion s = suggest_for(entry->string, strlen(entry->string));
  struct line text = {0};
  for (size_t i = 0; i < NUM_FIELDS; i++) {
    suggest(&s, fields[i].name);
    if (strcmp(fields[i].name, entry->string)) continue;
    const int is_text = text_of(entry, &text);
    for (char *at = text.text; fields[i].kind == SHAPE && cJSON_IsArray(entry) && *at; at++)
      if (*at == ',') *at = 'x';
    if (is_text && parse_field(&fields[i], text.text, recipe)) return 0;
    return complain(EXIT_USAGE, "%s: %s of input '%s': expected %s, got %s", file->path, entry->string, input,
                    fields[i].expected, is_text ? text.text : "something else");
  }
  return complain(EXIT_USAGE, "%s: there is no '%s' of an input%s", file->path, entry->string, suggested(&s).text);
}

int recipe_of(const struct options *options, const struct recipe_file *file, const char *input, struct recipe *recipe) {
  *recipe = (struct recipe){0};
  const cJSON *inputs = cJSON_GetObjectItemCaseSensitive(file->root, "inputs");
  const cJSON *own = cJSON_GetObjectItemCaseSensitive(inputs, input);
  for (const cJSON *entry = cJSON_IsObject(own) ? own->child : NULL; entry; entry = entry->next) {
    const int code = take_entry(file, input, entry, recipe);
    if (code) return code;
  }
  for (size_t i = 0; i < NUM_FIELDS; i++)
    if (options->fields[i] && !parse_field(&fields[i], options->fields[i], recipe))
      return complain(EXIT_USAGE, "--%s: expected %s, got '%s'", fields[i].name, fields[i].expected,
                      options->fields[i]);
  return 0;
}
