/* show: pictures of a batch in the terminal, and under each what a classifier answers. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

enum { PICTURES_IN_A_ROW = 4, LARGEST_SIDE = 16 };

/* One line of a picture, two characters a pixel so that it looks square. */
static void print_pixels(const float *row, int64_t width, float darkest, float brightest) {
  static const char *const shades[] = {"  ", "\xE2\x96\x91\xE2\x96\x91", "\xE2\x96\x92\xE2\x96\x92", "\xE2\x96\x93\xE2\x96\x93",
                                       "\xE2\x96\x88\xE2\x96\x88"};
  for (int64_t x = 0; x < width; x++) {
    const float share = brightest > darkest ? (row[x] - darkest) / (brightest - darkest) : 0;
    fputs(shades[share >= 1 ? 4 : share <= 0 ? 0 : (int)(share * 5)], stdout);
  }
}

static int64_t best_class(const float *scores, int64_t classes) {
  int64_t best = 0;
  for (int64_t c = 1; c < classes; c++)
    if (scores[c] > scores[best]) best = c;
  return best;
}

/* Under picture n: "7  99.8 %", and whether that is its label. Returns 1 when it is. */
static int print_answer(const float *scores, int64_t classes, const int64_t *labels, int64_t n, int width) {
  const int64_t answer = best_class(scores, classes);
  char text[80];
  int used = snprintf(text, sizeof(text), "%lld  %.1f %%", (long long)answer, (double)scores[answer] * 100);
  if (labels && labels[n] != answer) used += snprintf(text + used, sizeof(text) - (size_t)used, "  not %lld", (long long)labels[n]);
  printf("%-*s", width, text);
  return labels && labels[n] == answer;
}

static int suits(const struct onr_tensor *x, const struct onr_tensor *y, const struct onr_tensor *labels) {
  return x->desc.dtype == ONR_DTYPE_F32 && x->desc.rank == 4 && x->desc.dim[1] == 1 && x->desc.dim[2] <= LARGEST_SIDE &&
         x->desc.dim[3] <= LARGEST_SIDE && y->desc.dtype == ONR_DTYPE_F32 && y->desc.rank == 2 && y->desc.dim[1] > 0 &&
         y->desc.dim[0] == x->desc.dim[0] &&
         (!labels->data || (labels->desc.dtype == ONR_DTYPE_I64 && onr_desc_elements(&labels->desc) == x->desc.dim[0]));
}

int show(const struct onr_tensor *x, const struct onr_tensor *y, const struct onr_tensor *labels) {
  if (!suits(x, y, labels))
    return complain(EXIT_USAGE, "--show: needs grey pictures float32[N,1,H,W] of at most %d pixels a side, scores float32[N,CLASSES], "
                                "and int64 labels if any", LARGEST_SIDE);
  const int64_t count = x->desc.dim[0], height = x->desc.dim[2], width = x->desc.dim[3], classes = y->desc.dim[1];
  const float *pixels = x->data, *scores = y->data;
  const int column = 2 * (int)width + 3;
  float darkest = pixels[0], brightest = pixels[0];
  int64_t right = 0;
  for (int64_t i = 0; i < count * height * width; i++) {
    if (pixels[i] < darkest) darkest = pixels[i];
    if (pixels[i] > brightest) brightest = pixels[i];
  }
  for (int64_t first = 0; first < count; first += PICTURES_IN_A_ROW) {
    const int64_t end = first + PICTURES_IN_A_ROW < count ? first + PICTURES_IN_A_ROW : count;
    for (int64_t row = 0; row < height; row++) {
      for (int64_t n = first; n < end; n++) {
        print_pixels(pixels + (n * height + row) * width, width, darkest, brightest);
        fputs("   ", stdout);
      }
      putchar('\n');
    }
    for (int64_t n = first; n < end; n++)
      right += print_answer(scores + n * classes, classes, labels->data, n, column);
    fputs("\n\n", stdout);
  }
  if (labels->data) printf("%lld of %lld right\n", (long long)right, (long long)count);
  return EXIT_OK;
}
