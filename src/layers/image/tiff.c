/* tiff.c: the first picture of the file, through libtiff. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <tiffio.h>

#include "layers/image/picture_file.h"

struct reader {
  struct onri_picture *picture;
  uint64_t position;
  char why[160]; /* the first thing that libtiff said */
};

static tmsize_t read_bytes(thandle_t handle, void *target, tmsize_t count) {
  struct reader *r = handle;
  const uint64_t left = r->position < r->picture->size ? r->picture->size - r->position : 0;
  const size_t n = (uint64_t)count < left ? (size_t)count : (size_t)left;
  if (onr_env_cancelled(r->picture->env)) return -1;
  memcpy(target, r->picture->bytes + (left > 0 ? r->position : 0), n);
  r->position += n;
  return (tmsize_t)n;
}

static tmsize_t write_nothing(thandle_t handle, void *source, tmsize_t count) {
  (void)handle, (void)source, (void)count;
  return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  struct reader *r = handle;
  const uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? r->position : r->picture->size;
  r->position = base + offset; /* a negative offset wraps back */
  return r->position;
}

static int close_nothing(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size_of(thandle_t handle) { return ((struct reader *)handle)->picture->size; }

static int note_error(TIFF *tiff, void *reader, const char *module, const char *format, va_list arguments) {
  struct reader *r = reader;
  (void)tiff, (void)module;
  if (r->why[0] == '\0') vsnprintf(r->why, sizeof(r->why), format, arguments);
  return 1;
}

static int ignore_warning(TIFF *tiff, void *reader, const char *module, const char *format, va_list arguments) {
  (void)tiff, (void)reader, (void)module, (void)format, (void)arguments;
  return 1;
}

static TIFF *open_tiff(struct reader *r) {
  const uint64_t most = r->picture->env->limits.tensor_bytes;
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (!options) return NULL;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, most > PTRDIFF_MAX ? PTRDIFF_MAX : (tmsize_t)most);
  TIFFOpenOptionsSetErrorHandlerExtR(options, note_error, r);
  TIFFOpenOptionsSetWarningHandlerExtR(options, ignore_warning, r);
  TIFF *tiff = TIFFClientOpenExt("picture", "rm", r, read_bytes, write_nothing, seek, close_nothing, size_of, NULL,
                                 NULL, options);
  TIFFOpenOptionsFree(options);
  return tiff;
}

static enum onr_status decode(struct reader *r, TIFF *tiff) {
  struct onri_picture *p = r->picture;
  uint32_t width = 0, height = 0;
  char why[1024] = "";
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  if (!TIFFRGBAImageOK(tiff, why))
    return onr_fail(p->error, ONR_STATUS_UNSUPPORTED, "a TIFF picture of this kind: %.200s", why);
  ONR_TRY(onri_picture_start(p, width, height));
  const size_t pixels = p->width * p->height;
  ONR_TRY(onri_picture_afford(p, (uint64_t)pixels * 4));
  uint32_t *abgr = onri_allocate(p->env->allocator, pixels * sizeof(*abgr));
  if (!abgr) return onr_fail(p->error, ONR_STATUS_NO_MEMORY, "no memory to decode a TIFF picture");
  const int whole = TIFFReadRGBAImageOriented(tiff, width, height, abgr, ORIENTATION_TOPLEFT, 1) && r->why[0] == '\0';
  for (size_t i = 0; whole && i < pixels; i++)
    for (int c = 0; c < 3; c++) p->rgb[3 * i + (size_t)c] = (uint8_t)(abgr[i] >> (8 * c));
  onri_release(p->env->allocator, abgr);
  ONR_TRY(onri_env_poll(p->env, p->error));
  return whole ? ONR_STATUS_OK : onri_picture_broken(p, r->why);
}

enum onr_status onri_picture_tiff(struct onri_picture *picture) {
  struct reader r = {.picture = picture};
  TIFF *tiff = open_tiff(&r);
  if (!tiff) {
    ONR_TRY(onri_env_poll(picture->env, picture->error));
    return onri_picture_broken(picture, r.why);
  }
  const enum onr_status status = decode(&r, tiff);
  TIFFClose(tiff);
  return status;
}
