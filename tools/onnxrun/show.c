/* show.c: pictures of a batch in the terminal, and under each what a classifier answers. */
#define _DEFAULT_SOURCE /* struct winsize */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

/* GAP: columns between pictures; ANSWER: bytes of an answer. */
enum { GAP = 3, ANSWER = 80, COLUMNS = 80, ROWS = 40, MOST_SIDE = 1 << 20 };

/* --- pictures --- */

/* Pictures [N,C,H,W] or [N,H,W,C] as grey values in the terminal's size. */
struct pictures {
  int64_t count, channels, height, width;
  int channels_last;
  int columns, rows; /* of a picture as it is shown, two characters a column */
  float *grey;       /* [count, rows, columns] */
  float darkest, brightest;
};

static int read_shape(const struct onr_tensor *x, struct pictures *p) {
  const int64_t *dim = x->desc.dim;
  if (x->desc.rank != 4 || onr_desc_elements(&x->desc) == 0 || number_at(x, 0).kind == NO_NUMBER) return 0;
  *p = (struct pictures){.count = dim[0], .channels = dim[1], .height = dim[2], .width = dim[3]};
  if (dim[1] != 1 && dim[1] != 3 && (dim[3] == 1 || dim[3] == 3))
    *p = (struct pictures){.count = dim[0], .channels = dim[3], .height = dim[1], .width = dim[2], .channels_last = 1};
  return (p->channels == 1 || p->channels == 3) && p->height <= MOST_SIDE && p->width <= MOST_SIDE;
}

void terminal_size(int *columns, int *rows) {
  struct winsize size;
  const char *text = getenv("COLUMNS");
  const int wanted = text ? atoi(text) : 0;
  *columns = wanted > 0 && wanted < 10000 ? wanted : COLUMNS;
  *rows = ROWS;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col) return;
  *columns = size.ws_col;
  if (size.ws_row > 4) *rows = size.ws_row - 3; /* the answer, an empty line, and the prompt */
}

/* As large as it is, or scaled down until it fits. */
static void choose_size(struct pictures *p, int columns, int rows) {
  const double across = columns / 2 > 0 ? columns / 2 : 1;
  double scale = 1;
  if (across / (double)p->width < scale) scale = across / (double)p->width;
  if (rows / (double)p->height < scale) scale = rows / (double)p->height;
  p->columns = (int)(scale * (double)p->width + 1e-9);
  p->rows = (int)(scale * (double)p->height + 1e-9);
  if (p->columns < 1) p->columns = 1;
  if (p->rows < 1) p->rows = 1;
}

static double pixel(const struct onr_tensor *x, const struct pictures *p, int64_t n, int64_t row, int64_t column) {
  static const double share[] = {0.299, 0.587, 0.114};
  double sum = 0;
  for (int64_t c = 0; c < p->channels; c++) {
    const int64_t at = p->channels_last ? ((n * p->height + row) * p->width + column) * p->channels + c
                                        : ((n * p->channels + c) * p->height + row) * p->width + column;
    sum += (p->channels == 1 ? 1 : share[c]) * number_at(x, at).real;
  }
  return sum;
}

/* The mean of the pixels that lie in one place of the terminal. */
static float mean(const struct onr_tensor *x, const struct pictures *p, int64_t n, int row, int column) {
  const int64_t top = row * p->height / p->rows, bottom = (row + 1) * p->height / p->rows;
  const int64_t left = column * p->width / p->columns, right = (column + 1) * p->width / p->columns;
  double sum = 0;
  for (int64_t y = top; y < bottom; y++)
    for (int64_t z = left; z < right; z++) sum += pixel(x, p, n, y, z);
  return (float)(sum / (double)((bottom - top) * (right - left)));
}

static int make_grey(const struct onr_tensor *x, struct pictures *p) {
  p->grey = malloc((size_t)p->count * (size_t)p->rows * (size_t)p->columns * sizeof(*p->grey));
  if (!p->grey) return complain(EXIT_OTHER, "--show: no memory for %lld pictures", (long long)p->count);
  float *to = p->grey;
  for (int64_t n = 0; n < p->count; n++)
    for (int row = 0; row < p->rows; row++)
      for (int column = 0; column < p->columns; column++) *to++ = mean(x, p, n, row, column);
  return 0;
}

static void find_range(struct pictures *p) {
  const size_t count = (size_t)p->count * (size_t)p->rows * (size_t)p->columns;
  p->darkest = INFINITY;
  p->brightest = -INFINITY;
  for (size_t i = 0; i < count; i++) {
    if (p->grey[i] < p->darkest) p->darkest = p->grey[i];
    if (p->grey[i] > p->brightest) p->brightest = p->grey[i];
  }
}

/* One line of a picture, two characters a pixel so that it looks square. */
static void print_pixels(const struct pictures *p, int64_t n, int row) {
  static const char *const shades[] = {"  ", "\xE2\x96\x91\xE2\x96\x91", "\xE2\x96\x92\xE2\x96\x92",
                                       "\xE2\x96\x93\xE2\x96\x93", "\xE2\x96\x88\xE2\x96\x88"};
  const float *pixels = p->grey + (n * p->rows + row) * p->columns;
  for (int x = 0; x < p->columns; x++) {
    const float share = p->brightest > p->darkest ? (pixels[x] - p->darkest) / (p->brightest - p->darkest) : 0;
    fputs(shades[share >= 1 ? 4 : share > 0 ? (int)(share * 5) : 0], stdout);
  }
}

/* --- answers --- */

static int64_t best_class(const struct answers *a, int64_t n, double *share) {
  int64_t best = 0;
  for (int64_t c = 1; c < a->classes; c++)
    if (answer_score(a, n, c) > answer_score(a, n, best)) best = c;
  *share = answer_probability(a, n, best);
  if (a->classes > 1) return best;
  best = *share > 0.5;
  if (!best) *share = 1 - *share;
  return best;
}

/* "7  99.8 %", and what its label says when that is another. Returns 1 when it is right. */
static int format_answer(const struct answers *a, const struct onr_tensor *labels, int64_t n, char text[ANSWER]) {
  double share;
  const int64_t answer = best_class(a, n, &share);
  const int used = snprintf(text, ANSWER, "%lld  %.1f %%", (long long)answer, share * 100);
  if (!labels->data || number_at(labels, n).real == (double)answer) return labels->data != NULL;
  snprintf(text + used, ANSWER - (size_t)used, "  not %.0f", number_at(labels, n).real);
  return 0;
}

/* --- both --- */

/* Columns of the widest picture or answer, and how many answers are right. */
static int measure(const struct pictures *p, const struct answers *a, const struct onr_tensor *labels, int64_t *right) {
  int width = 2 * p->columns;
  char text[ANSWER];
  *right = 0;
  for (int64_t n = 0; n < p->count; n++) {
    *right += format_answer(a, labels, n, text);
    if ((int)strlen(text) > width) width = (int)strlen(text);
  }
  return width;
}

static void print_row(const struct pictures *p, const struct answers *a, const struct onr_tensor *labels, int64_t first,
                      int64_t end, int width) {
  for (int row = 0; row < p->rows; row++) {
    for (int64_t n = first; n < end; n++) {
      print_pixels(p, n, row);
      if (n + 1 < end) printf("%*s", width + GAP - 2 * p->columns, "");
    }
    putchar('\n');
  }
  for (int64_t n = first; n < end; n++) {
    char text[ANSWER];
    format_answer(a, labels, n, text);
    printf("%-*s", n + 1 < end ? width + GAP : 0, text);
  }
  fputs("\n\n", stdout);
}

static int print_all(const struct onr_tensor *x, struct pictures *p, const struct answers *a,
                     const struct onr_tensor *labels) {
  int columns, rows;
  int64_t right;
  terminal_size(&columns, &rows);
  choose_size(p, columns, rows);
  const int code = make_grey(x, p);
  if (code) return code;
  find_range(p);
  const int width = measure(p, a, labels, &right), fit = (columns + GAP) / (width + GAP);
  const int64_t in_a_row = fit > 0 ? fit : 1;
  for (int64_t first = 0; first < p->count; first += in_a_row)
    print_row(p, a, labels, first, first + in_a_row < p->count ? first + in_a_row : p->count, width);
  if (answer_source(a)) printf("percent: %s of the output\n", answer_source(a));
  if (labels->data) printf("%lld of %lld right\n", (long long)right, (long long)p->count);
  free(p->grey);
  return EXIT_OK;
}

int show(const struct onr_tensor *x, const struct onr_tensor *y, const struct onr_tensor *labels) {
  struct pictures p;
  struct answers a;
  char text[160];
  if (!read_shape(x, &p))
    return complain(EXIT_USAGE,
                    "--show: expected pictures [N,C,H,W] or [N,H,W,C] of 1 or 3 channels in input 0, found %s",
                    onr_desc_format(&x->desc, text, sizeof(text)));
  if (!read_answers(y, p.count, &a))
    return complain(EXIT_USAGE, "--show: expected scores [%lld,CLASSES] in output 0, found %s", (long long)p.count,
                    onr_desc_format(&y->desc, text, sizeof(text)));
  if (labels->data && (onr_desc_elements(&labels->desc) != p.count || number_at(labels, 0).kind == NO_NUMBER ||
                       number_at(labels, 0).kind == REAL))
    return complain(EXIT_USAGE, "--labels: expected %lld whole numbers, found %s", (long long)p.count,
                    onr_desc_format(&labels->desc, text, sizeof(text)));
  return print_all(x, &p, &a, labels);
}
