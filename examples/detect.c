/* Finds things in a picture by a YOLO of version 8 or later (PyPI nudenet has one: 320n.onnx). Input [1, 3, S, S],
 * white is 1; output [1, 4 + classes, boxes]: centre, width and height of each box in pixels of the input, then its
 * scores. The picture is a binary PPM; it is put into the upper left corner, as large as fits.
 *
 *   example_detect 320n.onnx photo.ppm */
#include <onnxrun/onnxrun.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_SIDE = 16384, MOST_FOUND = 200 };
static const float least_score = 0.25f, most_overlap = 0.45f;

struct box {
  float left, top, right, bottom, score;
  int class;
};

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

/* Returns how many pixels of the picture one of the input stands for. */
static float make_input(const unsigned char *rgb, int width, int height, int64_t side, float *x) {
  const float scale = (float)(width > height ? width : height) / (float)side;
  for (int64_t c = 0; c < 3; c++)
    for (int64_t v = 0; v < side; v++)
      for (int64_t u = 0; u < side; u++) {
        const int from_y = (int)((float)v * scale), from_x = (int)((float)u * scale);
        x[(c * side + v) * side + u] =
            from_y < height && from_x < width
                ? (float)rgb[((size_t)from_y * (size_t)width + (size_t)from_x) * 3 + (size_t)c] / 255
                : 0;
      }
  return scale;
}

static int by_score(const void *a, const void *b) {
  const float x = ((const struct box *)a)->score, y = ((const struct box *)b)->score;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* Shared area by the area of both. */
static float overlap(const struct box *a, const struct box *b) {
  const float width = (a->right < b->right ? a->right : b->right) - (a->left > b->left ? a->left : b->left);
  const float height = (a->bottom < b->bottom ? a->bottom : b->bottom) - (a->top > b->top ? a->top : b->top);
  const float shared = width > 0 && height > 0 ? width * height : 0;
  return shared / ((a->right - a->left) * (a->bottom - a->top) + (b->right - b->left) * (b->bottom - b->top) - shared);
}

/* The best of those that overlap, best first. */
static void print_boxes(const struct onr_tensor *y, float scale) {
  const int64_t rows = y->desc.dim[1], count = y->desc.dim[2];
  const float *at = y->data;
  struct box *boxes = calloc((size_t)count + 1, sizeof(*boxes));
  size_t found = 0, kept = 0;
  for (int64_t i = 0; boxes && i < count; i++) {
    const float w = at[2 * count + i] * scale, h = at[3 * count + i] * scale;
    struct box box = {at[i] * scale - w / 2, at[count + i] * scale - h / 2, 0, 0, 0, 0};
    box.right = box.left + w;
    box.bottom = box.top + h;
    for (int64_t c = 4; c < rows; c++)
      if (at[c * count + i] > box.score) box.score = at[c * count + i], box.class = (int)c - 4;
    if (box.score >= least_score) boxes[found++] = box;
  }
  if (found) qsort(boxes, found, sizeof(*boxes), by_score);
  for (size_t i = 0; i < found && kept < MOST_FOUND; i++) {
    int is_new = 1;
    for (size_t k = 0; k < kept && is_new; k++)
      is_new = boxes[k].class != boxes[i].class || overlap(&boxes[k], &boxes[i]) <= most_overlap;
    if (is_new) boxes[kept++] = boxes[i];
  }
  for (size_t k = 0; k < kept; k++)
    printf("class %d  %.2f  %.0f,%.0f to %.0f,%.0f\n", boxes[k].class, (double)boxes[k].score, (double)boxes[k].left,
           (double)boxes[k].top, (double)boxes[k].right, (double)boxes[k].bottom);
  free(boxes);
}

static enum onr_status detect(struct onr_model *model, struct onr_session *session, const unsigned char *rgb, int width,
                              int height, struct onr_error *error) {
  const struct onr_value_info *info = onr_model_input(model, 0);
  const int64_t side = info && info->rank == 4 && info->dim[3] > 0 ? info->dim[3] : 320;
  struct onr_tensor x = {onr_desc_make(ONR_DTYPE_F32, 4, (int64_t[]){1, 3, side, side}), NULL}, y;
  x.data = calloc(onr_desc_bytes(&x.desc), 1);
  if (!x.data) return ONR_STATUS_NO_MEMORY;
  const float scale = make_input(rgb, width, height, side, x.data);
  enum onr_status status = onr_session_set_input(session, 0, &x, error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, error);
  if (status == ONR_STATUS_OK) status = onr_session_get_output(session, 0, &y, error);
  if (status == ONR_STATUS_OK && y.desc.rank == 3 && y.desc.dim[0] == 1 && y.desc.dim[1] > 4) print_boxes(&y, scale);
  free(x.data);
  return status;
}

int main(int argc, char **argv) {
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  struct onr_error error = {0};
  int width, height;
  if (argc != 3) return fprintf(stderr, "usage: %s MODEL.onnx PICTURE.ppm\n", argv[0]), 2;
  unsigned char *rgb = read_ppm(argv[2], &width, &height);
  if (!rgb) return 1;
  enum onr_status status = onr_model_load(argv[1], NULL, &model, &error);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) status = detect(model, session, rgb, width, height, &error);
  if (status != ONR_STATUS_OK) fprintf(stderr, "%s %s: %s\n", onr_status_name(status), error.where, error.message);
  onr_session_destroy(session);
  onr_model_destroy(model);
  free(rgb);
  return status != ONR_STATUS_OK;
}
