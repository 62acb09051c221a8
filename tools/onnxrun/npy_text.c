/* npy_text.c: strings, as NumPy's fixed number of 4-byte characters (U) or bytes (S), filled up with zeros. */
#include <stdlib.h>
#include <string.h>

#include "npy.h"
#include "print.h"

/* --- reading --- */

static uint32_t code_at(const unsigned char *at) {
  uint32_t code;
  memcpy(&code, at, sizeof(code));
  return code;
}

/* Elements without the zeros at their end. */
static size_t trimmed(const struct npy_header *h, const unsigned char *element) {
  const size_t unit = h->letter == 'U' ? 4 : 1;
  size_t n = h->item_bytes;
  while (n && (unit == 1 ? !element[n - 1] : !code_at(element + n - 4))) n -= unit;
  return n;
}

/* The UTF-8 of an element into target, or only its length where target is NULL; SIZE_MAX: there is no such character.
 */
static size_t text_of(const struct npy_header *h, const unsigned char *element, char *target) {
  const size_t bytes = trimmed(h, element);
  size_t n = 0;
  if (h->letter != 'U') {
    if (target && bytes) memcpy(target, element, bytes);
    return bytes;
  }
  for (size_t i = 0; i < bytes; i += 4) {
    const uint32_t code = code_at(element + i);
    char piece[4];
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return SIZE_MAX;
    const size_t k = utf8_encode(code, piece);
    if (target) memcpy(target + n, piece, k);
    n += k;
  }
  return n;
}

int npy_text_read(const char *where, const struct npy_header *h, const void *data, struct onr_tensor *tensor) {
  const size_t count = (size_t)onr_desc_elements(&h->desc);
  const unsigned char *elements = data;
  size_t total = count * sizeof(struct onr_string);
  for (size_t i = 0; i < count; i++) {
    const size_t n = text_of(h, elements + i * h->item_bytes, NULL);
    if (n == SIZE_MAX) return complain(EXIT_USAGE, "%s: string %zu has a number that is no character", where, i);
    total += n;
  }
  struct onr_string *strings = malloc(total + 1);
  if (!strings) return complain(EXIT_OTHER, "%s: no memory for %zu strings", where, count);
  char *text = (char *)(strings + count);
  for (size_t i = 0; i < count; i++) {
    const size_t n = text_of(h, elements + i * h->item_bytes, text);
    strings[i] = (struct onr_string){text, n};
    text += n;
  }
  *tensor = (struct onr_tensor){h->desc, strings};
  return 0;
}

/* --- writing --- */

/* Characters of a string; SIZE_MAX: it is no UTF-8. */
static size_t characters(const struct onr_string *string) {
  size_t count = 0;
  for (size_t i = 0, n; i < string->length; i += n, count++) {
    uint32_t code;
    n = utf8_decode(string->text + i, string->length - i, &code);
    if (!n) return SIZE_MAX;
  }
  return count;
}

char npy_text_type(const struct onr_tensor *tensor, size_t *width) {
  const struct onr_string *strings = tensor->data;
  const int64_t count = onr_desc_elements(&tensor->desc);
  size_t longest = 1, bytes = 1;
  for (int64_t i = 0; i < count; i++) {
    const size_t n = characters(&strings[i]);
    if (n > longest) longest = n;
    if (strings[i].length > bytes) bytes = strings[i].length;
  }
  *width = longest == SIZE_MAX ? bytes : longest;
  return longest == SIZE_MAX ? 'S' : 'U';
}

static int write_characters(FILE *file, const struct onr_string *string, size_t width) {
  size_t at = 0;
  for (size_t c = 0; c < width; c++) {
    uint32_t code = 0;
    if (at < string->length) at += utf8_decode(string->text + at, string->length - at, &code);
    if (fwrite(&code, sizeof(code), 1, file) != 1) return 0;
  }
  return 1;
}

static int write_bytes(FILE *file, const struct onr_string *string, size_t width) {
  if (string->length && fwrite(string->text, 1, string->length, file) != string->length) return 0;
  for (size_t i = string->length; i < width; i++)
    if (putc(0, file) == EOF) return 0;
  return 1;
}

int npy_text_write(FILE *file, const struct onr_tensor *tensor, char letter, size_t width) {
  const struct onr_string *strings = tensor->data;
  const int64_t count = onr_desc_elements(&tensor->desc);
  for (int64_t i = 0; i < count; i++)
    if (!(letter == 'U' ? write_characters : write_bytes)(file, &strings[i], width)) return 0;
  return 1;
}
