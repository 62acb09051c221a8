/* top.c: the likeliest classes by their names, with bars. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "print.h"
#include "recipe.h"

enum { MOST_NAME = 40, BAR = 24 };

/* Names of classes; NULL where there is none. */
struct labels {
  char **names;
  size_t count;
  char *text;  /* of lines */
  cJSON *root; /* of JSON */
};

static void clear_labels(struct labels *labels) {
  free(labels->names);
  free(labels->text);
  cJSON_Delete(labels->root);
}

/* A name for each line; an empty one is a name, too. */
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
  return labels->names != NULL;
}

/* ["cat", "dog"], {"0": "cat", "1": "dog"} or {"id2label": {...}}, as models' configurations have it. */
static int take_json(struct labels *labels) {
  enum { MOST = 1 << 20 };
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(labels->root, "id2label");
  if (!list) list = labels->root;
  const size_t entries = (size_t)cJSON_GetArraySize(list);
  size_t most = entries;
  for (const cJSON *item = list->child; item && cJSON_IsObject(list); item = item->next) {
    const long id = strtol(item->string, NULL, 10);
    if (id >= 0 && id < MOST && (size_t)id >= most) most = (size_t)id + 1;
  }
  labels->names = calloc(most + 1, sizeof(*labels->names));
  if (!labels->names) return 0;
  labels->count = most;
  size_t i = 0;
  for (const cJSON *item = list->child; item; item = item->next, i++) {
    char *end = NULL;
    const long id = cJSON_IsObject(list) ? strtol(item->string, &end, 10) : (long)i;
    if (cJSON_IsString(item) && id >= 0 && (size_t)id < most && (!end || !*end)) labels->names[id] = item->valuestring;
  }
  return 1;
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
  if (size >= 6 && !memcmp(text, "\x93NUMPY", 6))
    return complain(EXIT_USAGE, "%s: expected names, a line or JSON; numbers are right answers, for --show", path);
  if (first == '[' || first == '{') {
    labels->root = cJSON_ParseWithLength(text, size);
    if (!labels->root) return complain(EXIT_USAGE, "%s: expected names of classes, found no JSON", path);
  }
  if (labels->root ? take_json(labels) : take_lines(labels, size)) return 0;
  return complain(EXIT_OTHER, "%s: no memory for names", path);
}

/* --- the likeliest --- */

struct place {
  double score;
  int64_t class;
};

/* NaN comes last. */
static int better(const void *left, const void *right) {
  const struct place *a = left, *b = right;
  const int a_is = a->score == a->score, b_is = b->score == b->score;
  if (a_is != b_is) return b_is - a_is;
  if (a_is && a->score != b->score) return a->score > b->score ? -1 : 1;
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

static int print_row(const struct answers *a, const struct labels *labels, int64_t n, int64_t top) {
  struct place *places = malloc((size_t)a->classes * sizeof(*places));
  int widest = 0;
  if (!places) return complain(EXIT_OTHER, "no memory for %lld classes", (long long)a->classes);
  for (int64_t c = 0; c < a->classes; c++) places[c] = (struct place){answer_score(a, n, c), c};
  qsort(places, (size_t)a->classes, sizeof(*places), better);
  if (a->count > 1) printf("row %lld\n", (long long)n);
  for (int64_t i = 0; i < top; i++) {
    const int columns = columns_of(name_of(labels, places[i].class).text);
    if (columns > widest) widest = columns;
  }
  for (int64_t i = 0; i < top; i++) {
    const double share = answer_probability(a, n, places[i].class);
    fputs("  ", stdout);
    print_padded(name_of(labels, places[i].class).text, widest + 2);
    print_bar(share, BAR);
    printf(" %5.1f %%\n", share * 100);
  }
  free(places);
  return 0;
}

static int find_scores(const struct results *results, size_t num_labels, struct answers *a) {
  for (int round = num_labels ? 0 : 1; round < 2; round++)
    for (size_t i = 0; i < results->count; i++)
      if (read_answers(&results->items[i], -1, a) && (round || (uint64_t)a->classes == num_labels)) return 1;
  return 0;
}

/* Scores of a frame may have a dimension of 1 between. */
static void squeeze(struct onr_tensor *y) {
  if (y->desc.rank < 3 || y->desc.dim[1] != 1) return;
  memmove(y->desc.dim + 1, y->desc.dim + 2, (size_t)(y->desc.rank - 2) * sizeof(*y->desc.dim));
  y->desc.rank--;
}

static int print_rows(const struct options *options, const struct loaded *loaded, const struct labels *labels,
                      struct results *views) {
  const int64_t wanted = options->top ? (int64_t)options->top : 5;
  struct answers a;
  int code = 0;
  for (size_t i = 0; i < views->count; i++) squeeze(&views->items[i]);
  if (!find_scores(views, labels->count, &a))
    return complain(EXIT_USAGE, "--top: expected an output of scores [N,CLASSES]; %s has none", loaded->path);
  for (int64_t n = 0; !code && n < a.count; n++)
    code = print_row(&a, labels, n, wanted < a.classes ? wanted : a.classes);
  if (!code && answer_source(&a)) printf("percent: %s of the output\n", answer_source(&a));
  return code;
}

int print_top(const struct options *options, const struct loaded *loaded, const struct results *results) {
  struct recipe_file recipe;
  struct labels labels = {0};
  struct results views = {calloc(results->count + 1, sizeof(*views.items)), results->count, 0};
  int code = views.items ? recipe_open(options, &recipe) : complain(EXIT_OTHER, "no memory for outputs");
  const char *path = code ? NULL : options->labels ? options->labels : recipe.labels;
  if (!code) memcpy(views.items, results->items, results->count * sizeof(*views.items));
  if (!code && path) code = read_labels(path, &labels);
  if (!code) code = print_rows(options, loaded, &labels, &views);
  if (views.items) recipe_close(&recipe);
  clear_labels(&labels);
  free(views.items);
  return code;
}
