/* top.c: the likeliest classes by their names, with bars. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "npy.h"
#include "print.h"
#include "recipe.h"

enum { MOST_NAME = 40, BAR = 24 };

/* Names of classes; NULL where there is none. */
struct labels {
  char **names;
  size_t count;
  int is_sparse; /* names by numbers: not all have one */
  char *text;    /* of lines */
  cJSON *root;   /* of JSON */
};

static void clear_labels(struct labels *labels) {
  free(labels->names);
  free(labels->text);
  cJSON_Delete(labels->root);
}

/* A name for each line; an empty one is a name, too, unless none follows. */
static int take_lines(struct labels *labels, size_t size) {
  size_t count = 1;
  for (size_t i = 0; i < size; i++) count += labels->text[i] == '\n';
  labels->names = calloc(count, sizeof(*labels->names));
  for (char *at = labels->text; labels->names && *at;) {
    const size_t length = strcspn(at, "\n");
    const int is_last = !at[length];
    at[length] = '\0';
    if (length && at[length - 1] == '\r') at[length - 1] = '\0';
    labels->names[labels->count++] = at;
    at += length + !is_last;
  }
  while (labels->names && labels->count && !*labels->names[labels->count - 1]) labels->count--;
  return labels->names != NULL;
}

/* The number of an entry; -1: it is no name with a number. */
static int64_t number_of(const cJSON *list, const cJSON *item, size_t i) {
  enum { MOST = 1 << 20 };
  char *end;
  if (!cJSON_IsString(item)) return -1;
  if (!cJSON_IsObject(list)) return (int64_t)i;
  const long id = strtol(item->string, &end, 10);
  return *item->string && !*end && id < MOST ? id : -1;
}

/* ["cat", "dog"], {"0": "cat", "1": "dog"} or {"id2label": {...}}, as models' configurations have it. */
static int take_json(const char *path, struct labels *labels) {
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(labels->root, "id2label");
  if (!list) list = labels->root;
  size_t i = 0;
  for (const cJSON *item = list->child; item; item = item->next, i++) {
    const int64_t number = number_of(list, item, i);
    if (number < 0)
      return complain(EXIT_USAGE, "%s: expected a list of names, or an object of numbers and names; entry %zu is none",
                      path, i);
    if ((size_t)number >= labels->count) labels->count = (size_t)number + 1;
  }
  labels->is_sparse = cJSON_IsObject(list);
  labels->names = calloc(labels->count + 1, sizeof(*labels->names));
  if (!labels->names) return complain(EXIT_OTHER, "%s: no memory for names", path);
  i = 0;
  for (const cJSON *item = list->child; item; item = item->next, i++)
    labels->names[number_of(list, item, i)] = item->valuestring;
  return 0;
}

static int read_labels(const char *path, struct labels *labels) {
  enum { LARGEST = 16 << 20 };
  void *text;
  size_t size;
  FILE *file = fopen(path, "rb");
  if (!file) return complain_file(path, "cannot be opened");
  int code = read_all(file, path, NULL, 0, LARGEST, &text, &size);
  fclose(file);
  if (code) return code;
  labels->text = text;
  const char first = labels->text[strspn(labels->text, " \t\r\n")];
  if (memchr(text, 0, size))
    return complain(EXIT_USAGE, "%s: expected names of classes, a line each or JSON, found no text%s", path,
                    !memcmp(text, NPY_MAGIC, NPY_MAGIC_BYTES) ? "; numbers are right answers, for --show" : "");
  if (first == '[' || first == '{') {
    labels->root = cJSON_ParseWithLength(text, size);
    if (!labels->root) return complain(EXIT_USAGE, "%s: expected names of classes, found no JSON", path);
  }
  if (labels->root) return take_json(path, labels);
  return take_lines(labels, size) ? 0 : complain(EXIT_OTHER, "%s: no memory for names", path);
}

/* --- the likeliest --- */

struct place {
  double score;
  int64_t class;
};

static int better(const void *left, const void *right) {
  const struct place *a = left, *b = right;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return a->class < b->class ? -1 : a->class > b->class;
}

/* Eighths of a column. */
static void print_bar(double share, int columns) {
  static const char *const ends[] = {"",
                                     "\xE2\x96\x8F",
                                     "\xE2\x96\x8E",
                                     "\xE2\x96\x8D",
                                     "\xE2\x96\x8C",
                                     "\xE2\x96\x8B",
                                     "\xE2\x96\x8A",
                                     "\xE2\x96\x89"};
  const int eighths = share >= 1 ? 8 * columns : share > 0 ? (int)(share * 8 * columns + 0.5) : 0;
  int used = eighths / 8 + (eighths % 8 > 0);
  fputs(colour(stdout, GREEN).text, stdout);
  for (int i = 0; i < eighths / 8; i++) fputs("\xE2\x96\x88", stdout);
  fputs(ends[eighths % 8], stdout);
  fputs(no_colour(stdout), stdout);
  while (used++ < columns) putchar(' ');
}

/* The score of one class is that of the second of two names. */
static struct shown name_of(const struct labels *labels, const struct answers *a, int64_t class) {
  struct shown name = {""};
  if (a->classes == 1 && labels->count == 2) class = 1;
  if ((uint64_t) class < labels->count && labels->names[class]) {
    size_t length = strlen(labels->names[class]), cut = length;
    if (length > MOST_NAME)
      for (cut = MOST_NAME - 3; cut && (labels->names[class][cut] & 0xC0) == 0x80;) cut--;
    name = shown_bytes(labels->names[class], cut);
    if (cut < length) strcat(name.text, "...");
  } else {
    snprintf(name.text, sizeof(name.text), "%lld", (long long)class);
  }
  return name;
}

static int columns_of(const char *text) {
  int columns = 0;
  for (; *text; text++) columns += (*text & 0xC0) != 0x80;
  return columns;
}

static int print_row(const struct answers *a, const struct labels *labels, int64_t n, int64_t top) {
  struct place *places = malloc((size_t)a->classes * sizeof(*places));
  int widest = 0, code = 0;
  if (!places) return complain(EXIT_OTHER, "no memory for %lld classes", (long long)a->classes);
  for (int64_t c = 0; c < a->classes; c++) {
    places[c] = (struct place){answer_score(a, n, c), c};
    if (isnan(places[c].score) && !code)
      code = complain(EXIT_OTHER, "--top: score %lld of row %lld is NaN: there is no likeliest", (long long)c,
                      (long long)n);
  }
  if (code) {
    free(places);
    return code;
  }
  qsort(places, (size_t)a->classes, sizeof(*places), better);
  if (a->count > 1) printf("row %lld\n", (long long)n);
  for (int64_t i = 0; i < top; i++) {
    const int columns = columns_of(name_of(labels, a, places[i].class).text);
    if (columns > widest) widest = columns;
  }
  for (int64_t i = 0; i < top; i++) {
    const double share = answer_probability(a, n, places[i].class);
    fputs("  ", stdout);
    print_padded(name_of(labels, a, places[i].class).text, widest + 2);
    print_bar(share, BAR);
    printf(" %5.1f %%\n", share * 100);
  }
  free(places);
  return 0;
}

static int are_for(const struct labels *labels, int64_t classes) {
  if (!labels->names || (classes == 1 && labels->count == 2)) return 1;
  return labels->is_sparse ? labels->count <= (uint64_t)classes : labels->count == (uint64_t)classes;
}

/* The first output of scores that the names are for. */
static int find_scores(const struct results *results, const struct labels *labels, struct answers *a) {
  struct answers first = {0};
  for (size_t i = 0; i < results->count; i++) {
    if (!read_answers(&results->items[i], -1, a)) continue;
    if (are_for(labels, a->classes)) return 1;
    if (!first.y) first = *a;
  }
  *a = first;
  return 0;
}

/* Scores without a batch are one row; those of a frame may have a dimension of 1 between. */
static void squeeze(struct onr_tensor *y) {
  if (y->desc.rank == 1) y->desc = onr_desc_make(y->desc.dtype, 2, (int64_t[]){1, y->desc.dim[0]});
  if (y->desc.rank < 3 || y->desc.dim[1] != 1) return;
  memmove(y->desc.dim + 1, y->desc.dim + 2, (size_t)(y->desc.rank - 2) * sizeof(*y->desc.dim));
  y->desc.rank--;
}

/* path: of the labels. */
static int print_rows(const struct options *options, const struct loaded *loaded, const char *path,
                      const struct labels *labels, struct results *views) {
  const int64_t wanted = options->top ? (int64_t)options->top : 5;
  struct answers a;
  int code = 0;
  for (size_t i = 0; i < views->count; i++) squeeze(&views->items[i]);
  if (!find_scores(views, labels, &a) && a.y)
    return complain(EXIT_USAGE, "%s: it has names for %zu classes, the output has scores of %lld", path, labels->count,
                    (long long)a.classes);
  if (!a.y) return complain(EXIT_USAGE, "--top: expected an output of scores [N,CLASSES]; %s has none", loaded->path);
  for (int64_t n = 0; !code && n < a.count; n++)
    code = print_row(&a, labels, n, wanted < a.classes ? wanted : a.classes);
  if (!code && answer_source(&a)) printf("percent: %s of the output\n", answer_source(&a));
  return code;
}

int has_labels(const struct options *options) {
  struct recipe_file recipe;
  const int found = options->labels || (!recipe_open(options, &recipe) && recipe.labels);
  if (!options->labels) recipe_close(&recipe);
  return found;
}

int print_top(const struct options *options, const struct loaded *loaded, const struct results *results) {
  struct recipe_file recipe;
  struct labels labels = {0};
  struct results views = {calloc(results->count + 1, sizeof(*views.items)), results->count, 0};
  int code = views.items ? recipe_open(options, &recipe) : complain(EXIT_OTHER, "no memory for outputs");
  const char *path = code ? NULL : options->labels ? options->labels : recipe.labels;
  if (!code) memcpy(views.items, results->items, results->count * sizeof(*views.items));
  if (!code && path) code = read_labels(path, &labels);
  if (!code) code = print_rows(options, loaded, path, &labels, &views);
  if (views.items) recipe_close(&recipe);
  clear_labels(&labels);
  free(views.items);
  return code;
}
