/* jpeg2000.c: through OpenJPEG. The boxes of JP2 and the sizes in the codestream are read here, before the library
 * makes tables for as many tiles as they name. */
#include <stdio.h>
#include <string.h>

#include <openjpeg.h>

#include "layers/image/picture_file.h"

enum {
  SIZ_BYTES = 42, /* from the start of the codestream to the first component */
  MOST_COMPONENTS = 4,
  TILE_BYTES = 14 /* of its headers */,
  TILE_MEMORY = 8192,
  COMPONENT_MEMORY = 2048
};
#define BOX(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct reader {
  struct onri_picture *picture;
  const uint8_t *stream; /* the codestream */
  size_t size, position;
  char why[160]; /* the first thing that the library said */
};

static uint32_t u16(const uint8_t *b) { return (uint32_t)b[0] << 8 | b[1]; }
static uint32_t u32(const uint8_t *b) { return u16(b) << 16 | u16(b + 2); }

/* The box at *at: its type, contents and length; *at moves behind it. Returns 0 when there is none. */
static int next_box(const uint8_t **at, const uint8_t *end, uint32_t *type, const uint8_t **contents, size_t *length) {
  const size_t left = (size_t)(end - *at);
  size_t header = 8;
  if (left < header) return 0;
  uint64_t bytes = u32(*at);
  *type = u32(*at + 4);
  if (bytes == 1) {
    header = 16;
    if (left < header) return 0;
    bytes = (uint64_t)u32(*at + 8) << 32 | u32(*at + 12);
  }
  if (bytes == 0 || bytes > left) bytes = left; /* to the end of the file; what is missing the library will see */
  if (bytes < header) return 0;
  *contents = *at + header;
  *length = (size_t)bytes - header;
  *at += bytes;
  return 1;
}

/* Palettes and colours other than grey and sRGB are not done. */
static enum onr_status check_colours(const struct onri_picture *p, const uint8_t *at, size_t size) {
  const uint8_t *end = at + size, *contents;
  uint32_t type;
  size_t length;
  while (next_box(&at, end, &type, &contents, &length)) {
    if (type == BOX('p', 'c', 'l', 'r'))
      return onr_fail(p->error, ONR_STATUS_UNSUPPORTED, "a JPEG 2000 picture with a palette");
    if (type == BOX('c', 'o', 'l', 'r') && length >= 7 && contents[0] == 1 && u32(contents + 3) != 16 &&
        u32(contents + 3) != 17)
      return onr_fail(p->error, ONR_STATUS_UNSUPPORTED,
                      "a JPEG 2000 picture in colour space number %u: expected sRGB or grey", u32(contents + 3));
  }
  return ONR_STATUS_OK;
}

static enum onr_status find_stream(struct reader *r) {
  const struct onri_picture *p = r->picture;
  const uint8_t *at = p->bytes, *end = p->bytes + p->size, *contents;
  uint32_t type;
  size_t length;
  r->stream = p->bytes;
  r->size = p->size;
  if (p->bytes[0] == 0xFF) return ONR_STATUS_OK; /* it is one */
  while (next_box(&at, end, &type, &contents, &length)) {
    if (type == BOX('j', 'p', '2', 'h')) ONR_TRY(check_colours(p, contents, length));
    if (type != BOX('j', 'p', '2', 'c')) continue;
    r->stream = contents;
    r->size = length;
    return ONR_STATUS_OK;
  }
  return onri_picture_broken(p, "it holds no codestream");
}

static uint64_t tiles_along(uint64_t end, uint64_t first, uint64_t size) {
  return size == 0 || end < first ? 0 : (end - first + size - 1) / size;
}

/* The codestream's first marker segment, SIZ: *components, and the picture is started. */
static enum onr_status read_size(struct reader *r, uint32_t *components) {
  struct onri_picture *p = r->picture;
  const uint8_t *s = r->stream;
  if (r->size < SIZ_BYTES || u32(s) != 0xFF4FFF51) return onri_picture_broken(p, "its codestream has no header");
  const uint32_t right = u32(s + 8), bottom = u32(s + 12), left = u32(s + 16), top = u32(s + 20), count = u16(s + 40);
  const uint64_t across = tiles_along(right, u32(s + 32), u32(s + 24)),
                 down = tiles_along(bottom, u32(s + 36), u32(s + 28));
  if (count == 0 || count > MOST_COMPONENTS)
    return onr_fail(p->error, ONR_STATUS_UNSUPPORTED, "a JPEG 2000 picture of %u components: expected 1 to %d", count,
                    MOST_COMPONENTS);
  if (r->size - SIZ_BYTES < 3 * (size_t)count || right < left || bottom < top || across == 0 || down == 0)
    return onri_picture_broken(p, "its sizes make no sense");
  for (uint32_t c = 0; c < count; c++)
    if (s[SIZ_BYTES + 3 * c + 1] != 1 || s[SIZ_BYTES + 3 * c + 2] != 1)
      return onr_fail(p->error, ONR_STATUS_UNSUPPORTED, "a JPEG 2000 picture with components of several sizes");
  if (across > r->size / TILE_BYTES || across * down > r->size / TILE_BYTES)
    return onri_picture_broken(p, "it names more tiles than it can hold");
  *components = count;
  ONR_TRY(onri_picture_start(p, right - left, bottom - top));
  return onri_picture_afford(
      p, (uint64_t)p->width * p->height * 4 * count + across * down * (TILE_MEMORY + count * COMPONENT_MEMORY));
}

static OPJ_SIZE_T read_bytes(void *target, OPJ_SIZE_T count, void *reader) {
  struct reader *r = reader;
  const size_t left = r->size - r->position, n = count < left ? count : left;
  if (left == 0 || onr_env_cancelled(r->picture->env)) return (OPJ_SIZE_T)-1;
  memcpy(target, r->stream + r->position, n);
  r->position += n;
  return n;
}

static OPJ_BOOL seek(OPJ_OFF_T position, void *reader) {
  struct reader *r = reader;
  if (position < 0 || (uint64_t)position > r->size) return OPJ_FALSE;
  r->position = (size_t)position;
  return OPJ_TRUE;
}

static OPJ_OFF_T skip(OPJ_OFF_T count, void *reader) {
  struct reader *r = reader;
  if (count < 0 || (uint64_t)count > r->size - r->position) return -1;
  r->position += (size_t)count;
  return count;
}

static void note_error(const char *message, void *reader) {
  struct reader *r = reader;
  if (r->why[0] == '\0') snprintf(r->why, sizeof(r->why), "%.*s", (int)strcspn(message, "\n"), message);
}

static void say_nothing(const char *message, void *reader) {
  (void)message;
  (void)reader;
}

/* A sample as 0..255. */
static uint8_t sample(const opj_image_comp_t *c, size_t i) {
  const int64_t most = ((int64_t)1 << c->prec) - 1, v = c->data[i] + (c->sgnd ? (int64_t)1 << (c->prec - 1) : 0);
  const int64_t inside = v < 0 ? 0 : v > most ? most : v;
  return (uint8_t)(c->prec > 8 ? inside >> (c->prec - 8) : inside * 255 / most);
}

static enum onr_status copy_samples(struct onri_picture *p, const opj_image_t *image, uint32_t components) {
  const size_t pixels = p->width * p->height;
  if (image->numcomps != components) return onri_picture_broken(p, "its components are not those of its header");
  for (uint32_t c = 0; c < components; c++) {
    const opj_image_comp_t *k = &image->comps[c];
    if (!k->data || k->w != p->width || k->h != p->height || k->prec < 1 || k->prec > 31)
      return onri_picture_broken(p, "its components are not those of its header");
  }
  for (int c = 0; c < 3; c++) {
    const opj_image_comp_t *k = &image->comps[components < 3 ? 0 : c];
    for (size_t i = 0; i < pixels; i++) p->rgb[3 * i + (size_t)c] = sample(k, i);
  }
  return ONR_STATUS_OK;
}

static enum onr_status decode(struct reader *r, opj_codec_t *codec, opj_stream_t *stream, uint32_t components) {
  opj_dparameters_t parameters;
  opj_image_t *image = NULL;
  opj_set_default_decoder_parameters(&parameters);
  opj_set_error_handler(codec, note_error, r);
  opj_set_warning_handler(codec, say_nothing, r);
  opj_set_info_handler(codec, say_nothing, r);
  opj_stream_set_read_function(stream, read_bytes);
  opj_stream_set_seek_function(stream, seek);
  opj_stream_set_skip_function(stream, skip);
  opj_stream_set_user_data(stream, r, NULL);
  opj_stream_set_user_data_length(stream, r->size);
  const int decoded = opj_setup_decoder(codec, &parameters) && opj_read_header(stream, codec, &image) &&
                      opj_decode(codec, stream, image) && opj_end_decompress(codec, stream) && r->why[0] == '\0';
  enum onr_status status = onri_env_poll(r->picture->env, r->picture->error);
  if (status == ONR_STATUS_OK)
    status = decoded ? copy_samples(r->picture, image, components)
                     : onri_picture_broken(r->picture, r->why[0] != '\0' ? r->why : "its data ends early");
  opj_image_destroy(image);
  return status;
}

enum onr_status onri_picture_jpeg2000(struct onri_picture *picture) {
  struct reader r = {.picture = picture};
  uint32_t components;
  ONR_TRY(find_stream(&r));
  ONR_TRY(read_size(&r, &components));
  opj_codec_t *codec = opj_create_decompress(OPJ_CODEC_J2K);
  opj_stream_t *stream = opj_stream_create(65536, OPJ_TRUE);
  const enum onr_status status =
      codec && stream ? decode(&r, codec, stream, components)
                      : onr_fail(picture->error, ONR_STATUS_NO_MEMORY, "no memory to decode a JPEG 2000 picture");
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  return status;
}
