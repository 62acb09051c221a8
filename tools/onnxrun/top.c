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
  int is_sparse; /* names by numbers, of which not all have one */
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
  labels->names = calloc(labels->count + 1, sizeof(*labels->names));
  if (!labels->names) return complain(EXIT_OTHER, "%s: no memory for names", path);
  i = 0;
  for (const cJSON *item = list->child; item; item = item->next, i++)
    labels->names[number_of(list, item, i)] = item->valuestring;
  for (size_t n = 0; n < labels->count; n++) labels->is_sparse |= !labels->names[n];
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
  const size_t mark = byte_order_mark(text, size);
  memmove(labels->text, labels->text + mark, (size -= mark) + 1);
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

/* One score is the probability of the second of two classes, unless there is a name for one alone. */
static int is_of_two(const struct labels *labels, const struct answers *a) {
  return a->classes == 1 && labels->count != 1;
}

static double share_of(const struct labels *labels, const struct answers *a, int64_t n, int64_t class) {
  if (!is_of_two(labels, a)) return answer_probability(a, n, class);
  const double second = answer_probability(a, n, 0);
  return class ? second : 1 - second;
}

static struct shown name_of(const struct labels *labels, int64_t class) {
  struct shown name = {""};
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

static int check_scores(const struct answers *a, int64_t n) {
  for (int64_t c = 0; c < a->classes; c++)
    if (isnan(answer_score(a, n, c)))
      return complain(EXIT_OTHER, "--top: score %lld of row %lld is NaN: there is no likeliest", (long long)c,
                      (long long)n);
  return 0;
}

static void print_places(const struct answers *a, const struct labels *labels, int64_t n, const struct place *places,
                         int64_t count) {
  int widest = 0;
  if (a->count > 1) printf("row %lld\n", (long long)n);
  for (int64_t i = 0; i < count; i++) {
    const int columns = columns_of(name_of(labels, places[i].class).text);
    if (columns > widest) widest = columns;
  }
  for (int64_t i = 0; i < count; i++) {
    const double share = share_of(labels, a, n, places[i].class);
    fputs("  ", stdout);
    print_padded(name_of(labels, places[i].class).text, widest + 2);
    print_bar(share, BAR);
    printf(" %5.1f %%\n", share * 100);
  }
}

static int print_row(const struct answers *a, const struct labels *labels, int64_t n, int64_t wanted) {
  const int64_t count = is_of_two(labels, a) ? 2 : a->classes;
  struct place *places = malloc((size_t)count * sizeof(*places));
  if (!places) return complain(EXIT_OTHER, "no memory for %lld classes", (long long)count);
  const int code = check_scores(a, n);
  for (int64_t c = 0; !code && c < count; c++)
    places[c] = (struct place){a->classes > 1 ? answer_score(a, n, c) : share_of(labels, a, n, c), c};
  if (!code) {
    qsort(places, (size_t)count, sizeof(*places), better);
    print_places(a, labels, n, places, wanted < count ? wanted : count);
  }
  free(places);
  return code;
}

static int are_for(const struct labels *labels, int64_t classes) {
  if (!labels->names || (classes == 1 && labels->count == 2)) return 1;
  return labels->is_sparse ? labels->count <= (uint64_t)classes : labels->count == (uint64_t)classes;
}

/* Scores without a batch are one row; those of a frame may have a dimension of 1 between. */
static void squeeze(struct onr_tensor *y) {
  if (y->desc.rank == 1) y->desc = onr_desc_make(y->desc.dtype, 2, (int64_t[]){1, y->desc.dim[0]});
  if (y->desc.rank < 3 || y->desc.dim[1] != 1) return;
  memmove(y->desc.dim + 1, y->desc.dim + 2, (size_t)(y->desc.rank - 2) * sizeof(*y->desc.dim));
  y->desc.rank--;
}

/* --- outputs as scores --- */

/* Of each output: a tensor of the run, or what maps of classes and scores have, as classifiers make them. */
struct views {
  struct onr_tensor *items, *keys; /* keys of maps, data NULL: it is a tensor */
  size_t count;
};

static void clear_views(struct views *views) {
  for (size_t i = 0; views->items && views->keys && i < views->count; i++)
    if (views->keys[i].data) free(views->items[i].data);
  free(views->items);
  free(views->keys);
}

static int make_views(const struct results *results, struct views *views) {
  *views = (struct views){calloc(results->count + 1, sizeof(*views->items)),
                          calloc(results->count + 1, sizeof(*views->keys)), results->count};
  for (size_t i = 0; views->items && views->keys && i < views->count; i++) {
    const struct onr_tensor *y = &results->items[i];
    views->items[i] = *y;
    if (read_table(y, &views->keys[i], &views->items[i]) && !views->items[i].data) return 0;
    squeeze(&views->items[i]);
  }
  return views->items && views->keys;
}

/* Names that maps have. 0: out of memory. */
static int take_keys(const struct onr_tensor *keys, struct labels *labels) {
  enum { NUMBER = 24 };
  const size_t count = (size_t)onr_desc_elements(&keys->desc);
  const struct onr_string *strings = keys->desc.dtype == ONR_DTYPE_STRING ? keys->data : NULL;
  size_t bytes = 1;
  for (size_t i = 0; i < count; i++) bytes += strings ? strings[i].length + 1 : NUMBER;
  labels->names = calloc(count + 1, sizeof(*labels->names));
  char *at = labels->text = malloc(bytes);
  if (!labels->names || !at) return 0;
  for (labels->count = 0; labels->count < count; labels->count++) {
    const size_t i = labels->count;
    labels->names[i] = at;
    if (strings) {
      if (strings[i].length) memcpy(at, strings[i].text, strings[i].length);
      at[strings[i].length] = '\0';
    } else {
      snprintf(at, NUMBER, "%lld", (long long)number_at(keys, (int64_t)i).integer);
    }
    at += strlen(at) + 1;
  }
  return 1;
}

/* The first output of scores that the names are for. */
static int find_scores(const struct views *views, const struct labels *labels, struct answers *a) {
  struct answers first = {0};
  for (size_t i = 0; i < views->count; i++) {
    if (!read_answers(&views->items[i], -1, a)) continue;
    if (are_for(labels, a->classes)) return 1;
    if (!first.y) first = *a;
  }
  *a = first;
  return 0;
}

/* path: of the labels. */
static int print_rows(const struct options *options, const struct loaded *loaded, const char *path,
                      struct labels *labels, const struct views *views) {
  const int64_t wanted = options->top ? (int64_t)options->top : 5;
  struct answers a;
  int code = 0;
  if (!find_scores(views, labels, &a) && a.y)
    return complain(EXIT_USAGE, "%s: it has names for %zu classes, the output has scores of %lld", path, labels->count,
                    (long long)a.classes);
  if (!a.y) return complain(EXIT_USAGE, "--top: expected an output of scores [N,CLASSES]; %s has none", loaded->path);
  const struct onr_tensor *keys = &views->keys[a.y - views->items];
  if (keys->data && !path && !take_keys(keys, labels)) return complain(EXIT_OTHER, "no memory for names of classes");
  for (int64_t n = 0; !code && n < a.count; n++) code = print_row(&a, labels, n, wanted);
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
  struct views views;
  const int fits = make_views(results, &views);
  int code = fits ? recipe_open(options, &recipe) : complain(EXIT_OTHER, "no memory for outputs");
  const char *path = code ? NULL : options->labels ? options->labels : recipe.labels;
  if (!code && path) code = read_labels(path, &labels);
  if (!code) code = print_rows(options, loaded, path, &labels, &views);
  if (fits) recipe_close(&recipe);
  clear_labels(&labels);
  clear_views(&views);
  return code;
}
