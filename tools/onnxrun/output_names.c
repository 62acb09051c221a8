/* output_names.c: file names for outputs. Names that differ only in characters that do not belong into file names get a
 * number. */
#include <stdlib.h>
#include <string.h>

#include "onnxrun/sequence.h"
#include "tool.h"

/* File systems take names of 255 bytes; this leaves room for a number and an ending. */
enum { LONGEST = 200, ROOM = sizeof(struct file_name) };
_Static_assert(ROOM >= LONGEST + 40, "numbers and .npy");

struct output_name {
  char text[ROOM];
  size_t index;
  int is_own; /* nothing had to be changed */
};

/* Characters that do not belong there become '_', and so does a dot in front. */
void file_name_of(const char *name, char *target, size_t size) {
  size_t n = 0;
  for (; name[n] && n + 1 < size; n++) {
    const char c = name[n];
    const int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c == '.' && n) ||
                      c == '_' || c == '-';
    target[n] = plain ? c : '_';
  }
  if (!n) target[n++] = '_';
  target[n] = '\0';
}

static void clean(const char *name, struct output_name *target) {
  file_name_of(name, target->text, LONGEST + 1);
  target->is_own = !strcmp(name, target->text);
}

/* Equal names side by side; the first of them may keep it. */
static int by_text(const void *left, const void *right) {
  const struct output_name *a = left, *b = right;
  const int order = strcmp(a->text, b->text);
  if (order) return order;
  if (a->is_own != b->is_own) return b->is_own - a->is_own;
  return a->index < b->index ? -1 : a->index > b->index;
}

/* Gives numbers to all but the first of equal names. far: such that they become longer than any name without a number.
 */
static void number_equal_ones(struct output_name *names, size_t count, int far) {
  qsort(names, count, sizeof(*names), by_text);
  for (size_t i = 0, first = 0; i < count; i++) {
    char ending[8] = "";
    if (strcmp(names[i].text, names[first].text)) first = i;
    if (i == first) continue;
    char *end = strrchr(names[i].text, '.');
    if (end && !strcmp(end, ".npy")) snprintf(ending, sizeof(ending), "%s", end), *end = '\0';
    size_t n = strlen(names[i].text);
    while (far && n < LONGEST) names[i].text[n++] = '_';
    snprintf(names[i].text + n, ROOM - n, "_%zu%s", names[i].index + 1, ending);
    names[i].is_own = 0;
  }
}

static int is_block(const struct loaded *l, size_t index) {
  struct onr_tensor y;
  return onr_session_get_output(l->session, index, &y, NULL) == ONR_STATUS_OK && onr_sequence_length(&y) >= 0;
}

struct file_name *output_names(const struct loaded *l) {
  const size_t count = onr_model_num_outputs(l->model);
  struct output_name *names = calloc(count + 1, sizeof(*names));
  struct file_name *result = calloc(count + 1, sizeof(*result));
  for (size_t i = 0; names && result && i < count; i++) {
    names[i].index = i;
    clean(onr_model_output(l->model, i)->name, &names[i]);
    if (!is_block(l, i)) strcat(names[i].text, ".npy");
  }
  if (names && result) {
    for (int round = 0; round < 3; round++) number_equal_ones(names, count, round == 2);
    for (size_t i = 0; i < count; i++) memcpy(result[names[i].index].text, names[i].text, ROOM);
  }
  if (!names) free(result), result = NULL;
  free(names);
  return result;
}
