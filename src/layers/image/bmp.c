/* bmp.c: BMP without compression: 1 to 8 bits with a palette, 16 to 32 bits. */
#include "layers/image/picture_file.h"

enum { FILE_HEADER = 14, OLD_HEADER = 12, HEADER = 40, NO_COMPRESSION = 0, BIT_FIELDS = 3, ALPHA_BIT_FIELDS = 6 };

struct bmp {
  uint32_t bits, palette, palette_count, palette_step, pixels; /* palette, pixels: where they start */
  int top_down;
  uint32_t mask[3];
};

static uint32_t u16(const uint8_t *b) { return (uint32_t)b[0] | (uint32_t)b[1] << 8; }
static uint32_t u32(const uint8_t *b) { return u16(b) | u16(b + 2) << 16; }

static void default_masks(struct bmp *b) {
  for (int c = 0; c < 3; c++) b->mask[c] = b->bits == 16 ? 31u << (10 - 5 * c) : 255u << (16 - 8 * c);
}

static enum onr_status read_header(struct onri_picture *p, struct bmp *b, uint64_t *width, uint64_t *height) {
  const uint8_t *h = p->bytes + FILE_HEADER;
  if (p->size < FILE_HEADER + OLD_HEADER) return onri_picture_broken(p, "it ends early");
  const uint32_t header = u32(h);
  const int old = header == OLD_HEADER;
  if ((!old && header < HEADER) || header > p->size - FILE_HEADER)
    return onri_picture_broken(p, "its header has no known length");
  const int64_t signed_height = old ? (int64_t)u16(h + 6) : (int64_t)(int32_t)u32(h + 8);
  const int64_t signed_width = old ? (int64_t)u16(h + 4) : (int64_t)(int32_t)u32(h + 4);
  if (signed_width < 0) return onri_picture_broken(p, "its width is negative");
  *width = (uint64_t)signed_width;
  *height = (uint64_t)(signed_height < 0 ? -signed_height : signed_height);
  b->bits = u16(h + (old ? 10 : 14));
  b->top_down = signed_height < 0;
  b->pixels = u32(p->bytes + 10);
  b->palette = FILE_HEADER + header;
  b->palette_step = old ? 3 : 4;
  b->palette_count = old ? 0 : u32(h + 32);
  default_masks(b);
  const uint32_t compression = old ? NO_COMPRESSION : u32(h + 16);
  if (compression == NO_COMPRESSION) return ONR_STATUS_OK;
  if ((compression != BIT_FIELDS && compression != ALPHA_BIT_FIELDS) || (b->bits != 16 && b->bits != 32))
    return onr_fail(p->error, ONR_STATUS_UNSUPPORTED, "a BMP picture with compression number %u and %u bits",
                    compression, b->bits);
  if (p->size < FILE_HEADER + HEADER + 12)
    return onri_picture_broken(p, "it ends early"); /* masks follow the first 40 bytes */
  for (int c = 0; c < 3; c++) b->mask[c] = u32(h + HEADER + 4 * c);
  return ONR_STATUS_OK;
}

/* The bits under a mask, as 0..255. */
static uint8_t masked(uint32_t v, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = __builtin_ctz(mask);
  const uint64_t most = mask >> shift;
  return (uint8_t)(((uint64_t)((v & mask) >> shift) * 255 + most / 2) / most);
}

static void read_direct(const struct bmp *b, const uint8_t *row, size_t width, uint8_t *rgb) {
  const size_t step = b->bits / 8;
  for (size_t x = 0; x < width; x++) {
    const uint8_t *pixel = row + x * step;
    const uint32_t v = step == 2 ? u16(pixel) : step == 3 ? u16(pixel) | (uint32_t)pixel[2] << 16 : u32(pixel);
    for (int c = 0; c < 3; c++) rgb[3 * x + (size_t)c] = masked(v, b->mask[c]);
  }
}

static int read_indices(const struct onri_picture *p, const struct bmp *b, const uint8_t *row, uint8_t *rgb) {
  const uint32_t per_byte = 8 / b->bits, most = (1u << b->bits) - 1;
  for (size_t x = 0; x < p->width; x++) {
    const uint32_t index = row[x / per_byte] >> (8 - b->bits * (x % per_byte + 1)) & most;
    if (index >= b->palette_count) return 0;
    const uint8_t *colour = p->bytes + b->palette + index * b->palette_step;
    for (int c = 0; c < 3; c++) rgb[3 * x + (size_t)c] = colour[2 - c];
  }
  return 1;
}

enum onr_status onri_picture_bmp(struct onri_picture *p) {
  struct bmp b;
  uint64_t width, height;
  ONR_TRY(read_header(p, &b, &width, &height));
  const int indexed = b.bits == 1 || b.bits == 2 || b.bits == 4 || b.bits == 8;
  if (!indexed && b.bits != 16 && b.bits != 24 && b.bits != 32)
    return onri_picture_broken(p, "it has no known number of bits a pixel");
  if (indexed) {
    if (b.palette_count == 0 || b.palette_count > 1u << b.bits) b.palette_count = 1u << b.bits;
    if ((p->size - b.palette) / b.palette_step < b.palette_count)
      return onri_picture_broken(p, "its palette ends early");
  }
  const uint64_t row = (width * b.bits + 31) / 32 * 4;
  if (b.pixels > p->size || (row > 0 && (p->size - b.pixels) / row < height))
    return onri_picture_broken(p, "it ends early");
  ONR_TRY(onri_picture_start(p, width, height));
  for (size_t y = 0; y < p->height; y++) {
    const uint8_t *source = p->bytes + b.pixels + (b.top_down ? y : p->height - 1 - y) * row;
    uint8_t *rgb = p->rgb + y * p->width * 3;
    if (!indexed) read_direct(&b, source, p->width, rgb);
    else if (!read_indices(p, &b, source, rgb)) return onri_picture_broken(p, "a pixel is not in the palette");
    ONR_TRY(onri_env_poll(p->env, p->error));
  }
  return ONR_STATUS_OK;
}
