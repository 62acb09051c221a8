/* array_text.c: an array as text: short ones whole, long ones by their edges, with what lies between told in numbers.
 */
#include <math.h>
#include <string.h>

#include "tool.h"

/* INLINE: so many elements stand on the line of the name. EDGE: so many are shown at each end of a dimension. LINES: so
 * many rows in all, where not everything is asked for. */
enum { INLINE = 6, EDGE = 3, LINES = 8, CELL = 96 };

static void format_element(const struct onr_tensor *y, int64_t i, char text[CELL]) {
  const struct number number = number_at(y, i);
  if (y->desc.dtype == ONR_DTYPE_STRING) {
    const struct onr_string *string = (const struct onr_string *)y->data + i;
    const struct shown piece = shown_bytes(string->text, string->length < 64 ? string->length : 64);
    snprintf(text, CELL, "\"%.80s%s\"", piece.text, string->length > 64 ? "..." : "");
  } else if (is_complex_type(y->desc.dtype)) {
    snprintf(text, CELL, "%.6g%+.6gj", number_at(y, 2 * i).real, number_at(y, 2 * i + 1).real);
  } else if (number.kind == REAL) {
    snprintf(text, CELL, "%.6g", number.real);
  } else if (number.kind == INTEGER) {
    snprintf(text, CELL, "%lld", (long long)number.integer);
  } else {
    snprintf(text, CELL, "%llu", (unsigned long long)number.natural);
  }
}

/* A table of rows: all dimensions but the last, and the elements of the last. */
struct table {
  const struct onr_tensor *y;
  int64_t rows, columns;
  int64_t row_edge, column_edge; /* shown at each end; 0: all */
  int width;
};

static int is_shown(int64_t i, int64_t count, int64_t edge) { return !edge || i < edge || i >= count - edge; }

/* The next one that is shown behind i. */
static int64_t behind(int64_t i, int64_t count, int64_t edge) {
  return edge && i + 1 == edge && count > 2 * edge ? count - edge : i + 1;
}

static void print_row(const struct table *t, int64_t row) {
  char text[CELL];
  for (int64_t c = 0; c < t->columns; c = behind(c, t->columns, t->column_edge)) {
    if (c && !is_shown(c - 1, t->columns, t->column_edge)) fputs(" ...", stdout);
    format_element(t->y, row * t->columns + c, text);
    printf(" %*s", t->width, text);
  }
}

static void measure(struct table *t) {
  char text[CELL];
  for (int64_t r = 0; r < t->rows; r = behind(r, t->rows, t->row_edge))
    for (int64_t c = 0; c < t->columns; c = behind(c, t->columns, t->column_edge)) {
      format_element(t->y, r * t->columns + c, text);
      if ((int)strlen(text) > t->width) t->width = (int)strlen(text);
    }
}

/* "[2,0]", where in the dimensions before the last a row stands. */
static struct shown place_of(const struct onr_desc *desc, int64_t row) {
  int64_t at[ONR_MAX_RANK] = {0};
  struct shown text = {"["};
  int32_t rank = desc->rank - 1; /* behind it are ones */
  while (rank > 0 && desc->dim[rank] == 1) rank--;
  for (int32_t d = rank; d-- > 0; row /= desc->dim[d]) at[d] = row % desc->dim[d];
  for (int32_t d = 0; d < rank; d++) {
    const size_t used = strlen(text.text);
    snprintf(text.text + used, sizeof(text.text) - used, "%s%lld", d ? "," : "", (long long)at[d]);
  }
  strcat(text.text, "]");
  return text;
}

/* Of all rows that are shown. */
static int place_width(const struct table *t) {
  int width = 0;
  for (int64_t r = 0; r < t->rows; r = behind(r, t->rows, t->row_edge)) {
    const int length = (int)strlen(place_of(&t->y->desc, r).text);
    if (length > width) width = length;
  }
  return width;
}

static void print_table(struct table *t) {
  const int width = t->rows > 1 ? place_width(t) : 0;
  measure(t);
  for (int64_t r = 0; r < t->rows; r = behind(r, t->rows, t->row_edge)) {
    if (r && !is_shown(r - 1, t->rows, t->row_edge)) puts("  ...");
    if (width) printf("  %-*s", width, place_of(&t->y->desc, r).text);
    else putchar(' ');
    print_row(t, r);
    putchar('\n');
  }
}

/* Least, most and mean, and how many are not finite. */
static void print_summary(const struct onr_tensor *y, int64_t count) {
  double least = INFINITY, most = -INFINITY, sum = 0;
  int64_t finite = 0;
  if (number_at(y, 0).kind == NO_NUMBER || is_complex_type(y->desc.dtype)) return;
  for (int64_t i = 0; i < count; i++) {
    const double value = number_at(y, i).real;
    if (!isfinite(value)) continue;
    finite++;
    sum += value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (finite) printf("  min %.6g  max %.6g  mean %.6g", least, most, sum / (double)finite);
  if (finite < count) printf("  %lld not finite", (long long)(count - finite));
}

/* A last dimension of 1 would make a line of each element. */
static int64_t row_length(const struct onr_desc *desc) {
  int32_t d = desc->rank - 1;
  while (d > 0 && desc->dim[d] == 1) d--;
  return desc->rank ? desc->dim[d] : 1;
}

void print_array(const struct onr_tensor *y, int all) {
  const int64_t count = onr_desc_elements(&y->desc), last = row_length(&y->desc);
  struct table t = {.y = y, .rows = last ? count / last : 0, .columns = last};
  if (count > INLINE) print_summary(y, count);
  if (!all && t.columns > 2 * EDGE + 2) t.column_edge = EDGE;
  if (!all && t.rows > LINES) t.row_edge = LINES / 2;
  if (count > INLINE) {
    putchar('\n');
    print_table(&t);
    return;
  }
  for (int64_t r = 0; r < t.rows; r++) print_row(&t, r);
  putchar('\n');
}

void print_array_line(const struct onr_tensor *y) {
  const int64_t count = onr_desc_elements(&y->desc);
  char text[CELL];
  for (int64_t i = 0; i < count && i < INLINE; i++) {
    format_element(y, i, text);
    printf(" %s", text);
  }
  if (count > INLINE) fputs(" ...", stdout);
}
