/* picture.c: a picture as an input. The library decodes, scales and mixes colours: it runs the model of picture.txt. */
#include <math.h>
#include <string.h>

#include "onnxrun/tensor_file.h"
#include "picture_model.h"
#include "recipe.h"

/* What picture.txt calls its inputs and outputs, in its order. */
enum { IN_FILE, IN_SOURCE, IN_SIZE, IN_BEGIN, IN_END, IN_COLOURS, IN_OFFSET };
enum { OUT_PIXELS, OUT_LAST, OUT_FIRST };

struct magic {
  size_t at, length;
  const char *bytes;
};

static int starts_as(const void *bytes, size_t size, const struct magic *rows, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (size >= rows[i].at + rows[i].length && !memcmp((const char *)bytes + rows[i].at, rows[i].bytes, rows[i].length))
      return 1;
  return 0;
}

int is_picture(const void *bytes, size_t size) {
  static const struct magic rows[] = {{0, 3, "\xFF\xD8\xFF"}, {0, 8, "\x89PNG\r\n\x1A\n"},
                                      {0, 4, "II*\0"},        {0, 4, "MM\0*"},
                                      {8, 4, "WEBP"},         {4, 8, "jP  \r\n\x87\n"},
                                      {0, 3, "P5\n"},         {0, 3, "P6\n"},
                                      {0, 3, "P2\n"},         {0, 3, "P3\n"},
                                      {0, 3, "P5 "},          {0, 3, "P6 "}};
  if (starts_as(bytes, size, rows, sizeof(rows) / sizeof(*rows))) return 1;
  /* "BM" alone may begin anything: its reserved bytes are zero. */
  return size >= 14 && !memcmp(bytes, "BM", 2) && !memcmp((const char *)bytes + 6, "\0\0\0\0", 4);
}

/* --- what the input wants --- */

struct wanted {
  int64_t height, width; /* -1: any */
  int64_t channels;      /* 1 or 3 */
  int last;              /* [height, width, channels] */
  int32_t rank;
};

static int is_colours(int64_t n) { return n == 1 || n == 3; }

static int find_wanted(const char *where, const struct onr_value_info *info, const struct recipe *r, struct wanted *w) {
  const int32_t first = info->rank == 4 ? 1 : 0; /* behind the batch */
  char text[160];
  *w = (struct wanted){-1, -1, 3, 0, info->rank < 0 ? 4 : info->rank};
  if (w->rank < 2 || w->rank > 4)
    return complain(EXIT_USAGE, "%s: a picture becomes 2 to 4 dimensions, input '%s' has %d", where, info->name,
                    (int)info->rank);
  const int64_t *dim = info->rank > 2 ? info->dim + first : NULL;
  if (dim) w->last = r->layout ? r->layout == NHWC : !is_colours(dim[0]) && is_colours(dim[2]);
  else w->last = r->layout == NHWC;
  if (dim && dim[w->last ? 2 : 0] >= 0) w->channels = dim[w->last ? 2 : 0];
  else if (r->channels == GRAY) w->channels = 1;
  if (info->rank == 2) w->channels = 1;
  const int64_t *sides = dim ? dim + !w->last : info->rank == 2 ? info->dim : NULL;
  if (sides) w->height = sides[0], w->width = sides[1];
  const int made = r->channels == GRAY ? 1 : 3;
  if (is_colours(w->channels) && (!r->channels || made == w->channels)) return 0;
  if (is_colours(w->channels))
    return complain(EXIT_USAGE, "%s: --channels makes a picture of %d channel%s, input '%s' %s has %d", where, made,
                    made > 1 ? "s" : "", info->name, declared_text(info, text, sizeof(text)), (int)w->channels);
  return complain(EXIT_USAGE,
                  "%s: a picture has 1 or 3 channels, input '%s' is %s; --layout NCHW or NHWC says where they are",
                  where, info->name, declared_text(info, text, sizeof(text)));
}

/* --- sizes --- */

struct placing {
  int64_t size[2], begin[2], end[2]; /* height, width */
};

static int64_t scaled(int64_t side, int64_t by, int64_t over) {
  const int64_t result = (side * by + over / 2) / over;
  return result > 0 ? result : 1;
}

/* Scaled as it is said, or to what the input wants; then the middle of it. */
static int place(const char *where, const struct recipe *r, const struct wanted *w, int64_t height, int64_t width,
                 struct placing *p) {
  enum { LARGEST = 1 << 20 };
  const int64_t shorter = height < width ? height : width;
  struct size2 crop = r->crop, size = r->resize;
  if (!crop.height) crop.height = crop.width;
  if (size.width && !size.height)
    size = (struct size2){scaled(width, size.width, shorter), scaled(height, size.width, shorter)};
  else if (!size.width && crop.width) size = (struct size2){width, height};
  else if (!size.width) size = (struct size2){w->width > 0 ? w->width : width, w->height > 0 ? w->height : height};
  if (!crop.width) crop = size;
  if (size.width > LARGEST || size.height > LARGEST)
    return complain(EXIT_USAGE, "%s: scaled to %lldx%lld, at most %d a side", where, (long long)size.width,
                    (long long)size.height, LARGEST);
  if (crop.width > size.width || crop.height > size.height)
    return complain(EXIT_USAGE, "%s: --crop %lldx%lld of a picture of %lldx%lld; --resize makes it larger first", where,
                    (long long)crop.width, (long long)crop.height, (long long)size.width, (long long)size.height);
  const int64_t top = (size.height - crop.height) / 2, left = (size.width - crop.width) / 2;
  *p = (struct placing){{size.height, size.width}, {top, left}, {top + crop.height, left + crop.width}};
  return 0;
}

/* --- colours --- */

struct colours {
  float matrix[9], offset[3]; /* [3, channels] */
};

static int is_real(enum onr_dtype t) {
  return t == ONR_DTYPE_F32 || t == ONR_DTYPE_F64 || t == ONR_DTYPE_F16 || t == ONR_DTYPE_BF16;
}

/* Whole types would hold what is outside of them at their ends. */
static int check_range(const char *where, const struct onr_value_info *info, double from, double to) {
  if (number_fits(info->dtype, nearbyint(from)) && number_fits(info->dtype, nearbyint(to))) return 0;
  return complain(EXIT_USAGE,
                  "%s: a picture from %g to %g is outside of %s, the type of input '%s'; see --range, --mean", where,
                  from, to, onr_dtype_name(info->dtype), info->name);
}

/* (pixel / 255 * range - mean) / std, and which of red, green and blue. One mean or deviation is for all channels. */
static int make_colours(const char *where, const struct recipe *r, const struct wanted *w,
                        const struct onr_value_info *info, struct colours *c) {
  static const double grey[3] = {0.299, 0.587, 0.114};
  const double range = r->range > 0 ? r->range : is_real(info->dtype) ? 1 : 255;
  const size_t n = (size_t)w->channels;
  *c = (struct colours){{0}, {0}};
  if ((r->num_mean > 1 && r->num_mean != n) || (r->num_std > 1 && r->num_std != n))
    return complain(EXIT_USAGE, "%s: --mean and --std have one number, or one for each of %zu channels", where, n);
  for (size_t k = 0; k < n; k++) {
    const double mean = r->num_mean ? r->mean[r->num_mean > 1 ? k : 0] : 0;
    const double std = r->num_std ? r->std[r->num_std > 1 ? k : 0] : 1;
    const int code = check_range(where, info, (0 - mean) / std, (range - mean) / std);
    if (code) return code;
    const size_t from = r->channels == BGR ? n - 1 - k : k;
    for (size_t i = 0; i < 3; i++) c->matrix[i * n + k] = (float)((n == 1 ? grey[i] : i == from) * range / 255 / std);
    c->offset[k] = (float)(-mean / std);
  }
  return 0;
}

/* --- the run --- */

struct runner {
  struct onr_model *model;
  struct onr_session *session;
  struct onr_error error;
};

static enum onr_status set(struct runner *runner, size_t input, enum onr_dtype dtype, int32_t rank, const int64_t *dims,
                           const void *data) {
  const struct onr_tensor x = {onr_desc_make(dtype, rank, dims), (void *)(uintptr_t)data};
  return onr_session_set_input(runner->session, input, &x, &runner->error);
}

static enum onr_status run(struct runner *runner, size_t output, struct onr_tensor *y) {
  ONR_TRY(onr_session_want_outputs(runner->session, &output, 1, &runner->error));
  ONR_TRY(onr_session_run(runner->session, &runner->error));
  return onr_session_get_output(runner->session, output, y, &runner->error);
}

static enum onr_status decode(struct runner *runner, const void *bytes, size_t size, struct onr_tensor *pixels) {
  ONR_TRY(set(runner, IN_FILE, ONR_DTYPE_U8, 1, (int64_t[]){(int64_t)size}, bytes));
  return run(runner, OUT_PIXELS, pixels);
}

static enum onr_status change(struct runner *runner, const struct onr_tensor *pixels, const struct placing *p,
                              const struct colours *c, const struct wanted *w, struct onr_tensor *y) {
  ONR_TRY(set(runner, IN_SOURCE, ONR_DTYPE_U8, 3, pixels->desc.dim, pixels->data));
  ONR_TRY(set(runner, IN_SIZE, ONR_DTYPE_I64, 1, (int64_t[]){2}, p->size));
  ONR_TRY(set(runner, IN_BEGIN, ONR_DTYPE_I64, 1, (int64_t[]){2}, p->begin));
  ONR_TRY(set(runner, IN_END, ONR_DTYPE_I64, 1, (int64_t[]){2}, p->end));
  ONR_TRY(set(runner, IN_COLOURS, ONR_DTYPE_F32, 2, (int64_t[]){3, w->channels}, c->matrix));
  ONR_TRY(set(runner, IN_OFFSET, ONR_DTYPE_F32, 1, (int64_t[]){w->channels}, c->offset));
  return run(runner, w->last ? OUT_LAST : OUT_FIRST, y);
}

static int start(const struct options *options, const char *where, struct runner *runner) {
  struct onr_model_options model_options = onr_model_options_init();
  *runner = (struct runner){NULL, NULL, {0}};
  model_options.limits = &options->limits;
  enum onr_status status =
      onr_model_load_memory(picture_model, sizeof(picture_model), &model_options, &runner->model, &runner->error);
  if (status == ONR_STATUS_OK) status = onr_session_create(runner->model, NULL, &runner->session, &runner->error);
  return status == ONR_STATUS_OK ? 0 : report_failure(status, where, &runner->error);
}

/* A picture that cannot be read is the user's file, not the model's. */
static int report_picture(enum onr_status status, const char *where, struct onr_error *error) {
  error->where[0] = '\0'; /* a node of picture.txt */
  return report_as(status == ONR_STATUS_DATA ? EXIT_USAGE : exit_code_of(status), onr_status_name(status), where, error,
                   "");
}

static void say_what_was_made(const char *where, const struct onr_value_info *info, const struct recipe *r,
                              const struct wanted *w, const struct onr_tensor *pixels,
                              const struct onr_tensor *tensor) {
  char text[160];
  if (r->range > 0 || r->num_mean || r->num_std) return;
  complain(
      0,
      "%s: %lldx%lld becomes input '%s' %s, %s from 0 to %d; --mean, --std, --range, --resize and --crop change that",
      where, (long long)pixels->desc.dim[1], (long long)pixels->desc.dim[0], info->name,
      onr_desc_format(&tensor->desc, text, sizeof(text)),
      w->channels == 1     ? "grey"
      : r->channels == BGR ? "BGR"
                           : "RGB",
      is_real(tensor->desc.dtype) ? 1 : 255);
}

static int to_input(const struct options *options, const char *where, const struct onr_value_info *info,
                    const struct wanted *w, const struct onr_tensor *y, struct onr_tensor *tensor) {
  const int32_t rank = w->rank;
  struct onr_desc desc = onr_desc_make(info->dtype == ONR_DTYPE_NONE ? ONR_DTYPE_F32 : info->dtype, 3, y->desc.dim);
  if (rank == 2) desc = onr_desc_make(desc.dtype, 2, y->desc.dim + (w->last ? 0 : 1));
  if (rank == 4) desc = onr_desc_make(desc.dtype, 4, (int64_t[]){1, desc.dim[0], desc.dim[1], desc.dim[2]});
  const int code = make_tensor(options, where, &desc, tensor);
  if (code) return code;
  for (int64_t i = 0; i < onr_desc_elements(&desc); i++)
    if (!number_store(tensor, i, (double)((const float *)y->data)[i]))
      return complain(EXIT_USAGE, "%s: a picture cannot become %s, the type of input '%s'", where,
                      onr_dtype_name(desc.dtype), info->name);
  return 0;
}

static int make(const struct options *options, struct runner *runner, const char *where, const void *bytes, size_t size,
                const struct onr_value_info *info, const struct recipe *recipe, struct onr_tensor *tensor) {
  struct wanted w;
  struct placing p;
  struct colours c;
  struct onr_tensor pixels, y;
  int code = find_wanted(where, info, recipe, &w);
  if (!code) code = make_colours(where, recipe, &w, info, &c);
  if (code) return code;
  enum onr_status status = decode(runner, bytes, size, &pixels);
  if (status != ONR_STATUS_OK) return report_picture(status, where, &runner->error);
  if ((code = place(where, recipe, &w, pixels.desc.dim[0], pixels.desc.dim[1], &p))) return code;
  /* The session's memory of one run is not that of the next. */
  const struct onr_tensor source = pixels;
  struct onr_tensor kept;
  if ((code = make_tensor(options, where, &source.desc, &kept))) return code;
  memcpy(kept.data, source.data, onr_desc_bytes(&source.desc));
  status = change(runner, &kept, &p, &c, &w, &y);
  code = status == ONR_STATUS_OK ? to_input(options, where, info, &w, &y, tensor)
                                 : report_picture(status, where, &runner->error);
  onr_tensor_release(NULL, &kept);
  if (!code) say_what_was_made(where, info, recipe, &w, &source, tensor);
  return code;
}

int read_picture(const struct options *options, const char *where, const void *bytes, size_t size,
                 const struct onr_value_info *info, const struct recipe *recipe, struct onr_tensor *tensor) {
  struct runner runner;
  int code = start(options, where, &runner);
  if (!code) code = make(options, &runner, where, bytes, size, info, recipe, tensor);
  onr_session_destroy(runner.session);
  onr_model_destroy(runner.model);
  return code;
}
