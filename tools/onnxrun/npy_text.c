/* npy_text: strings as NumPy's fixed number of 4-byte characters. */
#include <stdint.h>

#include "tool.h"

/* The code point that starts at *at, which moves behind it. What is no UTF-8 is U+FFFD a byte. */
static uint32_t next_code(const unsigned char **at, const unsigned char *end) {
  const unsigned char first = *(*at)++;
  const int more = first >= 0xF0 && first < 0xF8 ? 3 : first >= 0xE0 && first < 0xF0 ? 2 : first >= 0xC2 && first < 0xE0 ? 1 : 0;
  uint32_t code = more == 0 ? first : first & (0x3Fu >> more);
  if (first < 0x80) return first;
  if (more == 0 || end - *at < more) return 0xFFFD;
  for (int i = 0; i < more; i++) {
    if (((*at)[i] & 0xC0) != 0x80) return 0xFFFD;
    code = code << 6 | ((*at)[i] & 0x3F);
  }
  *at += more;
  return code;
}

size_t npy_text_width(const struct onr_tensor *tensor) {
  const struct onr_string *strings = tensor->data;
  const int64_t count = onr_desc_elements(&tensor->desc);
  size_t width = 1;
  for (int64_t i = 0; i < count; i++) {
    const unsigned char *at = (const unsigned char *)strings[i].text, *end = at + strings[i].length;
    size_t codes = 0;
    for (; at < end; codes++) next_code(&at, end);
    if (codes > width) width = codes;
  }
  return width;
}

int npy_text_write(FILE *file, const struct onr_tensor *tensor, size_t width) {
  const struct onr_string *strings = tensor->data;
  const int64_t count = onr_desc_elements(&tensor->desc);
  for (int64_t i = 0; i < count; i++) {
    const unsigned char *at = (const unsigned char *)strings[i].text, *end = at + strings[i].length;
    for (size_t c = 0; c < width; c++) {
      const uint32_t code = at < end ? next_code(&at, end) : 0;
      const unsigned char bytes[4] = {(unsigned char)code, (unsigned char)(code >> 8), (unsigned char)(code >> 16),
                                      (unsigned char)(code >> 24)};
      if (fwrite(bytes, 1, 4, file) != 4) return 0;
    }
  }
  return 1;
}
