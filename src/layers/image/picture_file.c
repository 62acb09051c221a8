#include "layers/image/picture_file.h"

#include <string.h>

#include "base/numbers/checked.h"

#define ONNXRUN_HAVE_BMP 1 /* these two need no library */
#define ONNXRUN_HAVE_PNM 1

/* So many pixels any file may have; beyond, a byte stands for so many at most. Compressed pictures of one colour come
 * close. */
#define SMALL_PIXELS ((uint64_t)1 << 24)
#define PIXELS_PER_BYTE ((uint64_t)1 << 14)

enum format {
#define ONRI_X(name, function, text, library, package) FORMAT_##name,
  ONRI_PICTURE_FORMATS(ONRI_X)
#undef ONRI_X
      UNKNOWN
};

static const struct {
  const char *text, *library, *package;
  enum onr_status (*decode)(struct onri_picture *picture);
} formats[] = {
#define WHEN_1(function) function
#define WHEN_0(function) NULL
#define WHEN_(have, function) WHEN_##have(function)
#define WHEN(have, function) WHEN_(have, function)
#define ONRI_X(name, function, text, library, package) \
  {text, library, package, WHEN(ONNXRUN_HAVE_##name, onri_picture_##function)},
    ONRI_PICTURE_FORMATS(ONRI_X)
#undef ONRI_X
};

static const struct {
  size_t offset, length;
  const char *bytes;
  enum format format;
} magic[] = {{0, 2, "BM", FORMAT_BMP},
             {0, 3, "\xFF\xD8\xFF", FORMAT_JPEG},
             {0, 8, "\x89PNG\r\n\x1A\n", FORMAT_PNG},
             {0, 4, "II*\0", FORMAT_TIFF},
             {0, 4, "MM\0*", FORMAT_TIFF},
             {0, 4, "II+\0", FORMAT_TIFF},
             {0, 4, "MM\0+", FORMAT_TIFF},
             {8, 4, "WEBP", FORMAT_WEBP},
             {4, 8, "jP  \r\n\x87\n", FORMAT_JPEG2000},
             {0, 4, "\xFF\x4F\xFF\x51", FORMAT_JPEG2000},
             {0, 2, "P1", FORMAT_PNM},
             {0, 2, "P2", FORMAT_PNM},
             {0, 2, "P3", FORMAT_PNM},
             {0, 2, "P4", FORMAT_PNM},
             {0, 2, "P5", FORMAT_PNM},
             {0, 2, "P6", FORMAT_PNM}};

static enum format recognise(const struct onri_picture *p) {
  for (size_t i = 0; i < sizeof(magic) / sizeof(*magic); i++)
    if (p->size >= magic[i].offset + magic[i].length &&
        memcmp(p->bytes + magic[i].offset, magic[i].bytes, magic[i].length) == 0)
      return magic[i].format;
  return UNKNOWN;
}

enum onr_status onri_picture_decode(struct onri_picture *picture) {
  const enum format format = recognise(picture);
  if (format == UNKNOWN)
    return onr_fail(picture->error, ONR_STATUS_UNSUPPORTED,
                    "%zu bytes are no picture of a known format: BMP, JPEG, JPEG 2000, PNG, PNM, "
                    "TIFF, WebP",
                    picture->size);
  picture->format = formats[format].text;
  if (!formats[format].decode)
    return onr_fail(picture->error, ONR_STATUS_UNSUPPORTED,
                    "this build does not read %s: install %s (Debian, Ubuntu: %s) and configure "
                    "with -DONNXRUN_IMAGE=ON",
                    picture->format, formats[format].library, formats[format].package);
  return formats[format].decode(picture);
}

enum onr_status onri_picture_broken(const struct onri_picture *picture, const char *why) {
  char text[160];
  return onr_fail(picture->error, ONR_STATUS_DATA, "the %s picture is broken: %s", picture->format,
                  onri_escape_string(why, text, sizeof(text)));
}

enum onr_status onri_picture_afford(const struct onri_picture *picture, uint64_t bytes) {
  if (bytes <= picture->env->limits.tensor_bytes) return ONR_STATUS_OK;
  return onr_fail(picture->error, ONR_STATUS_LIMIT,
                  "decoding a %s picture of %zux%zu takes %llu bytes, more than tensor_bytes, %llu", picture->format,
                  picture->width, picture->height, (unsigned long long)bytes,
                  (unsigned long long)picture->env->limits.tensor_bytes);
}

enum onr_status onri_picture_start(struct onri_picture *picture, uint64_t width, uint64_t height) {
  uint64_t pixels;
  if (width == 0 || height == 0) return onri_picture_broken(picture, "it has no pixels");
  if (width > INT32_MAX || height > INT32_MAX || !onri_mul_u64(width, height, &pixels) ||
      (pixels > SMALL_PIXELS && pixels / PIXELS_PER_BYTE > picture->size))
    return onr_fail(picture->error, ONR_STATUS_LIMIT,
                    "a %s picture of %llux%llu pixels in %zu bytes: expected at most %llu pixels a byte",
                    picture->format, (unsigned long long)width, (unsigned long long)height, picture->size,
                    (unsigned long long)PIXELS_PER_BYTE);
  picture->width = (size_t)width;
  picture->height = (size_t)height;
  ONR_TRY(onri_picture_afford(picture, pixels * 3));
  return picture->allocate(picture);
}
