/* print.c: what is shown on a terminal: names of files cannot command it, numbers have units. */
#define _POSIX_C_SOURCE 200809L /* fileno */
#include "print.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- UTF-8 --- */

size_t utf8_decode(const char *text, size_t length, uint32_t *code) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* of n bytes: shorter forms are not allowed */
  const unsigned char *at = (const unsigned char *)text;
  const size_t n = !length        ? 0
                   : at[0] < 0x80 ? 1
                   : at[0] < 0xC0 ? 0
                   : at[0] < 0xE0 ? 2
                   : at[0] < 0xF0 ? 3
                   : at[0] < 0xF8 ? 4
                                  : 0;
  if (!n || n > length) return 0;
  *code = n == 1 ? at[0] : at[0] & (0x7Fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((at[i] & 0xC0) != 0x80) return 0;
    *code = *code << 6 | (at[i] & 0x3Fu);
  }
  return *code < least[n] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000) ? 0 : n;
}

size_t utf8_encode(uint32_t code, char target[4]) {
  const size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, code >>= 6) target[i] = (char)(0x80u | (code & 0x3Fu));
  target[0] = (char)(n == 1 ? code : (0xF00u >> n & 0xFFu) | code);
  return n;
}

/* --- names --- */

/* Control characters, and those that turn the direction of writing or end a line. */
static int is_command(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x61C || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || code == 0xFFFE ||
         code == 0xFFFF;
}

/* The first character as it is shown; returns the bytes read, at least 1. */
static size_t escape_one(const char *text, size_t length, char target[12]) {
  uint32_t code = 0;
  const size_t n = utf8_decode(text, length, &code);
  if (!n) snprintf(target, 12, "\\x%02x", (unsigned char)*text);
  else if (is_command(code)) snprintf(target, 12, code < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)code);
  else snprintf(target, 12, "%.*s", (int)n, text);
  return n ? n : 1;
}

void print_escaped(FILE *file, const char *text, size_t length) {
  char piece[12];
  for (size_t i = 0; i < length;) {
    i += escape_one(text + i, length - i, piece);
    fputs(piece, file);
  }
}

struct shown shown_bytes(const char *text, size_t length) {
  struct shown result = {""};
  char piece[12];
  size_t used = 0;
  for (size_t i = 0; i < length;) {
    i += escape_one(text + i, length - i, piece);
    const size_t n = strlen(piece);
    if (used + n + 4 > sizeof(result.text)) {
      memcpy(result.text + used, "...", 4);
      break;
    }
    memcpy(result.text + used, piece, n + 1);
    used += n;
  }
  return result;
}

struct shown shown(const char *text) {
  return shown_bytes(text, strlen(text));
}

/* Bytes that continue a character take no column. */
void print_padded(const char *text, int columns) {
  fputs(text, stdout);
  for (; *text; text++) columns -= (*text & 0xC0) != 0x80;
  while (columns-- > 0) putchar(' ');
}

static int is_coloured(FILE *file) {
  const char *forbidden = getenv("NO_COLOR"), *terminal = getenv("TERM");
  return !(forbidden && *forbidden) && !(terminal && !strcmp(terminal, "dumb")) && isatty(fileno(file));
}

struct shown colour(FILE *file, enum colour colour) {
  struct shown begin = {""};
  if (is_coloured(file)) snprintf(begin.text, sizeof(begin.text), "\x1b[%dm", (int)colour);
  return begin;
}

const char *no_colour(FILE *file) { return is_coloured(file) ? "\x1b[0m" : ""; }

void print_wrapped(FILE *file, const char *text, int column) {
  enum { COLUMNS = 80 };
  int at = column;
  for (const char *word = text + strspn(text, " "); *word;) {
    const int length = (int)strcspn(word, " ");
    if (at > column && at + 1 + length > COLUMNS) fprintf(file, "\n%*s", at = column, "");
    at += fprintf(file, "%s%.*s", at > column ? " " : "", length, word);
    word += length;
    word += strspn(word, " ");
  }
  fputc('\n', file);
}

static void line_add_all(struct line *line, const char *format, va_list arguments) {
  const size_t used = strlen(line->text), left = sizeof(line->text) - used;
  const int n = vsnprintf(line->text + used, left, format, arguments);
  if (n >= (int)left) memcpy(line->text + sizeof(line->text) - 4, "...", 4);
}

void line_add(struct line *line, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  line_add_all(line, format, arguments);
  va_end(arguments);
}

enum { MOST_LISTED = 6 };

void listing_add(struct listing *listing, const char *format, ...) {
  va_list arguments;
  if (listing->count++ >= MOST_LISTED) return;
  if (listing->count > 1) line_add(&listing->line, ", ");
  va_start(arguments, format);
  line_add_all(&listing->line, format, arguments);
  va_end(arguments);
}

const char *listing_text(struct listing *listing) {
  const size_t left = listing->count > MOST_LISTED ? listing->count - MOST_LISTED : 0;
  if (left) line_add(&listing->line, " and %zu other%s", left, left > 1 ? "s" : "");
  listing->count = 0;
  return listing->line.text;
}

/* --- numbers --- */

static struct shown with_unit(double value, const char *const *units, size_t count, double step) {
  struct shown result;
  size_t u = 0;
  for (; u + 1 < count && value >= step * 0.9995; u++) value /= step;
  snprintf(result.text, sizeof(result.text),
           value < 9.9995 && u  ? "%.2f %s"
           : value < 99.95 && u ? "%.1f %s"
                                : "%.0f %s",
           value, units[u]);
  return result;
}

struct shown shown_bytes_count(double bytes) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  return with_unit(bytes, units, 5, 1024);
}

struct shown shown_time(double ms) {
  static const char *const units[] = {"ns", "us", "ms", "s"};
  return with_unit(ms * 1e6, units, 4, 1000);
}

/* --- JSON --- */

/* cJSON escapes what JSON must have escaped; a terminal has more. Such characters stand in strings only. */
int print_json(cJSON *root, int in_one_line) { return write_json(stdout, root, in_one_line, ""); }

int write_json(FILE *file, cJSON *root, int in_one_line, const char *escaped) {
  char *text = in_one_line ? cJSON_PrintUnformatted(root) : cJSON_Print(root), piece[12];
  cJSON_Delete(root);
  if (!text) return complain(EXIT_OTHER, "no memory for the JSON");
  for (size_t i = 0, n, length = strlen(text); i < length; i += n) {
    uint32_t code = 0;
    n = utf8_decode(text + i, length - i, &code);
    if (n == 1 && code < 0x20) fputc((int)code, file);
    else if (!n || is_command(code) || strchr(escaped, text[i])) fprintf(file, "\\u%04x", n ? (unsigned)code : 0xFFFDu);
    else escape_one(text + i, n, piece), fputs(piece, file);
    if (!n) n = 1;
  }
  fputc('\n', file);
  free(text);
  return EXIT_OK;
}
