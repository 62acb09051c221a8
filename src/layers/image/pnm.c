/* pnm.c: PBM, PGM and PPM, as text and in binary. */
#include "layers/image/picture_file.h"

enum { PIXELS_PER_LOOK = 1 << 16 }; /* at the cancel flag */

struct reader {
  const uint8_t *at, *end;
};

static int is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void skip_space(struct reader *r) {
  for (; r->at < r->end && (is_space(*r->at) || *r->at == '#'); r->at++)
    if (*r->at == '#')
      while (r->at + 1 < r->end && *r->at != '\n') r->at++;
}

/* Returns 0 when there is no number, or a larger one than `most`. */
static int read_number(struct reader *r, uint32_t most, uint32_t *value) {
  skip_space(r);
  const uint8_t *start = r->at;
  uint64_t n = 0;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && n <= most; r->at++) n = 10 * n + (uint64_t)(*r->at - '0');
  *value = (uint32_t)n;
  return r->at > start && n <= most;
}

/* Digits of a bitmap need no space between them. */
static int read_bit(struct reader *r, uint32_t *value) {
  skip_space(r);
  if (r->at == r->end || (*r->at != '0' && *r->at != '1')) return 0;
  *value = (uint32_t)(*r->at++ == '0');
  return 1;
}

static int read_binary(struct reader *r, uint32_t most, uint32_t *value) {
  const size_t bytes = most > 255 ? 2 : 1;
  if ((size_t)(r->end - r->at) < bytes) return 0;
  *value = bytes == 2 ? (uint32_t)(r->at[0] << 8 | r->at[1]) : r->at[0];
  r->at += bytes;
  return *value <= most;
}

/* Rows start at a byte; 1 is black. */
static enum onr_status read_bits(struct onri_picture *p, const struct reader *r) {
  const size_t row = (p->width + 7) / 8;
  if ((size_t)(r->end - r->at) / row < p->height) return onri_picture_broken(p, "it ends early");
  for (size_t y = 0; y < p->height; y++) {
    ONR_TRY(onri_env_poll(p->env, p->error));
    for (size_t x = 0; x < p->width; x++)
      for (int c = 0; c < 3; c++)
        p->rgb[(y * p->width + x) * 3 + (size_t)c] = r->at[y * row + x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
  }
  return ONR_STATUS_OK;
}

static enum onr_status read_samples(struct onri_picture *p, struct reader *r, int kind, uint32_t most) {
  const int colours = kind == 3 || kind == 6;
  for (size_t i = 0; i < p->width * p->height; i++) {
    if (i % PIXELS_PER_LOOK == 0) ONR_TRY(onri_env_poll(p->env, p->error));
    for (int c = 0; c < 3; c++) {
      uint32_t v = 0;
      if (c > 0 && !colours) {
        p->rgb[3 * i + (size_t)c] = p->rgb[3 * i];
        continue;
      }
      if (!(kind == 1 ? read_bit(r, &v) : kind < 4 ? read_number(r, most, &v) : read_binary(r, most, &v)))
        return onri_picture_broken(
            p, r->at == r->end ? "it ends early" : "a sample is not a number in the range of the file");
      p->rgb[3 * i + (size_t)c] = (uint8_t)((v * 255 + most / 2) / most);
    }
  }
  return ONR_STATUS_OK;
}

enum onr_status onri_picture_pnm(struct onri_picture *p) {
  struct reader r = {p->bytes + 2, p->bytes + p->size};
  const int kind = p->bytes[1] - '0';
  uint32_t width, height, most = 1;
  if (!read_number(&r, INT32_MAX, &width) || !read_number(&r, INT32_MAX, &height) ||
      (kind % 3 != 1 && (!read_number(&r, 65535, &most) || most == 0)))
    return onri_picture_broken(p, "width, height or the largest sample is no number in range");
  if (kind > 3 && (r.at == r.end || !is_space(*r.at++)))
    return onri_picture_broken(p, "no white space before the samples");
  ONR_TRY(onri_picture_start(p, width, height));
  return kind == 4 ? read_bits(p, &r) : read_samples(p, &r, kind, most);
}
