/* text.c: what a file calls things must not move the cursor of whoever reads the message. */
#include "base/text/text.h"

#include <stdio.h>
#include <string.h>

static int is_tail(unsigned char c) { return (c & 0xC0) == 0x80; }

size_t onri_utf8_sequence(const unsigned char *text, size_t length) {
  const unsigned char c = length ? text[0] : 0xFF;
  if (c < 0x80) return 1;
  if (c < 0xC2 || c > 0xF4) return 0; /* a tail byte, an overlong form, or above U+10FFFF */
  if (c < 0xE0) return length >= 2 && is_tail(text[1]) ? 2 : 0;
  if (length < 3 || !is_tail(text[1]) || !is_tail(text[2])) return 0;
  if (c < 0xF0) {
    if (c == 0xE0 && text[1] < 0xA0) return 0;
    if (c == 0xED && text[1] > 0x9F) return 0; /* a surrogate */
    return 3;
  }
  if (length < 4 || !is_tail(text[3])) return 0;
  if (c == 0xF0 && text[1] < 0x90) return 0;
  if (c == 0xF4 && text[1] > 0x8F) return 0;
  return 4;
}

size_t onri_utf8_decode(const char *text, size_t length, uint32_t *character) {
  const unsigned char *bytes = (const unsigned char *)text;
  const size_t n = onri_utf8_sequence(bytes, length);
  if (n == 0) return 0;
  *character = n == 1 ? bytes[0] : bytes[0] & (0x7Fu >> n);
  for (size_t i = 1; i < n; i++) *character = *character << 6 | (bytes[i] & 0x3Fu);
  return n;
}

size_t onri_utf8_encode(uint32_t c, char target[4]) {
  const size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6) target[i] = (char)(0x80u | (c & 0x3Fu));
  target[0] = (char)(n == 1 ? c : (0xF00u >> n & 0xFFu) | c);
  return n;
}

enum onr_status onri_expect_utf8(const struct onr_string *x, const char *what, size_t number, struct onr_error *error) {
  for (size_t i = 0, n; i < x->length; i += n)
    if ((n = onri_utf8_sequence((const unsigned char *)x->text + i, x->length - i)) == 0)
      return onr_fail(error, ONR_STATUS_DATA, "%s %zu is not UTF-8 at byte %zu", what, number, i);
  return ONR_STATUS_OK;
}

/* Control characters, and those that turn the direction of writing, end a line or take no room. */
static int is_command(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

/* One character, or one byte that is none, in the form it is shown; in quotes, those and backslashes get one more.
 * Returns the bytes read. */
static size_t show(const unsigned char *text, size_t length, int quoted, char shown[8]) {
  uint32_t c = 0;
  const size_t n = onri_utf8_decode((const char *)text, length, &c);
  if (n < 2 && (!n || is_command(c))) {
    snprintf(shown, 8, "\\x%02x", text[0]);
    return 1;
  }
  if (is_command(c)) {
    snprintf(shown, 8, "\\u%04x", (unsigned)c);
    return n;
  }
  if (quoted && (text[0] == '\'' || text[0] == '\\')) {
    snprintf(shown, 8, "\\%c", text[0]);
    return 1;
  }
  memcpy(shown, text, n);
  shown[n] = '\0';
  return n;
}

static char *escape(const char *text, size_t length, int quoted, char *target, size_t size) {
  size_t used = 0, fits = 0; /* fits: where "..." can still be put */
  for (size_t i = 0; i < length;) {
    char shown[8];
    const size_t read = show((const unsigned char *)text + i, length - i, quoted, shown), n = strlen(shown);
    if (used + n + 1 > size) {
      memcpy(target + fits, "...", 4);
      return target;
    }
    memcpy(target + used, shown, n);
    used += n;
    if (used + 4 <= size) fits = used;
    i += read;
  }
  target[used] = '\0';
  return target;
}

char *onri_escape(const char *text, size_t length, char *target, size_t size) {
  return escape(text, length, 1, target, size);
}

char *onri_escape_message(const char *text, char *target, size_t size) {
  return escape(text, strlen(text), 0, target, size);
}

char *onri_escape_string(const char *text, char *target, size_t size) {
  return onri_escape(text, strlen(text), target, size);
}
