/* picture_file.h: pictures in files of many formats as rows of RGB. The libraries behind the compressed ones are
 * optional.
 */
#ifndef ONRI_PICTURE_FILE_H
#define ONRI_PICTURE_FILE_H

#include "base/env.h"
#include "base/text/text.h"

struct onri_picture {
  const uint8_t *bytes; /* the file */
  size_t size;
  const struct onr_env *env;
  struct onr_error *error;
  /* Called once, when width and height are known: sets rgb. */
  enum onr_status (*allocate)(struct onri_picture *picture);
  void *context; /* allocate's */
  size_t width, height;
  uint8_t *rgb;       /* [height, width, 3] */
  const char *format; /* for messages */
};

/* Reads the file into picture->rgb. DATA when it is broken or ends early, LIMIT when it is larger than it may be,
 * UNSUPPORTED when it is of an unknown kind or this build has no library for it. */
enum onr_status onri_picture_decode(struct onri_picture *picture);

/* --- for the decoders --- */
/* Once the header is read: checks the size and allocates. */
enum onr_status onri_picture_start(struct onri_picture *picture, uint64_t width, uint64_t height);
/* DATA; why may be text from the file. */
enum onr_status onri_picture_broken(const struct onri_picture *picture, const char *why);
/* LIMIT unless a library may take so many bytes for itself. */
enum onr_status onri_picture_afford(const struct onri_picture *picture, uint64_t bytes);

/* name, text, library, Debian's package, a source is built for it when ONNXRUN_HAVE_name is 1 */
#define ONRI_PICTURE_FORMATS(X)                                \
  X(BMP, bmp, "BMP", NULL, NULL)                               \
  X(PNM, pnm, "PNM", NULL, NULL)                               \
  X(JPEG, jpeg, "JPEG", "libjpeg", "libjpeg-dev")              \
  X(PNG, png, "PNG", "libpng", "libpng-dev")                   \
  X(TIFF, tiff, "TIFF", "libtiff 4.5 or newer", "libtiff-dev") \
  X(WEBP, webp, "WebP", "libwebp", "libwebp-dev")              \
  X(JPEG2000, jpeg2000, "JPEG 2000", "OpenJPEG", "libopenjp2-7-dev")

#define ONRI_X(name, function, text, library, package) \
  enum onr_status onri_picture_##function(struct onri_picture *picture);
ONRI_PICTURE_FORMATS(ONRI_X)
#undef ONRI_X

#endif
