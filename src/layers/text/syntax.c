/* syntax.c: one pass over the pattern, which keeps no tree: groups are counted, and the item that may be repeated is
 * remembered. */
#include "layers/text/syntax.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text/text.h"

enum { MOST_REPEATS = 1000, LAST_CHARACTER = 0x10FFFF };

struct reader {
  const char *text;
  size_t length, at;
  char *target;
  size_t used;
  size_t item;    /* where the last item begins in target */
  int can_repeat; /* that item */
  int is_group;   /* it stands in parentheses */
  int32_t depth;
  uint8_t multiline[ONRI_REGEX_DEPTH + 1]; /* of each open group: $ is also the end of a line */
  struct onr_error *error;
};

static enum onr_status wrong(const struct reader *r, size_t at, const char *why) {
  return onr_fail(r->error, ONR_STATUS_ATTRIBUTE, "the pattern is wrong at byte %zu: %s", at, why);
}

static int has(const struct reader *r, const char *text) {
  const size_t n = strlen(text);
  return r->length - r->at >= n && memcmp(r->text + r->at, text, n) == 0;
}

static int skip(struct reader *r, const char *text) {
  const int found = has(r, text);
  if (found) r->at += strlen(text);
  return found;
}

static void write_bytes(struct reader *r, const char *text, size_t length) {
  memcpy(r->target + r->used, text, length);
  r->used += length;
}

static void write_text(struct reader *r, const char *text) { write_bytes(r, text, strlen(text)); }

/* In a form that means nothing but itself, in a class and outside. */
static void write_character(struct reader *r, uint32_t c) {
  char text[16];
  if (c >= 0x80 || isalnum((int)c)) write_bytes(r, text, onri_utf8_encode(c, text));
  else write_bytes(r, text, (size_t)snprintf(text, sizeof(text), "\\x{%x}", (unsigned)c));
}

static enum onr_status read_character(struct reader *r, uint32_t *c) {
  const size_t n = onri_utf8_decode(r->text + r->at, r->length - r->at, c);
  if (n == 0) return wrong(r, r->at, r->at < r->length ? "not UTF-8" : "something is missing at the end");
  r->at += n;
  return ONR_STATUS_OK;
}

/* --- escapes --- */

static uint32_t digit_of(char c) {
  static const char digits[] = "0123456789abcdef";
  const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
  return found ? (uint32_t)(found - digits) : UINT32_MAX;
}

/* Digits below `base`, at most `most` of them. Returns how many. */
static size_t read_digits(struct reader *r, uint32_t base, size_t most, uint32_t *value) {
  size_t n = 0;
  for (*value = 0; n < most && r->at < r->length && digit_of(r->text[r->at]) < base && *value <= LAST_CHARACTER; n++)
    *value = *value * base + digit_of(r->text[r->at++]);
  return n;
}

/* What stands behind a backslash for one character. *is_character = 0: it is something else, and nothing is read. */
static enum onr_status read_escaped(struct reader *r, uint32_t *c, int *is_character) {
  static const char names[] = "aftnrv", named[] = "\a\f\t\n\r\v";
  const size_t begin = r->at;
  const char e = r->at < r->length ? r->text[r->at] : '\0';
  const char *name = e ? strchr(names, e) : NULL;
  *is_character = 1;
  if (name || (e > 0 && !isalnum((unsigned char)e))) {
    r->at++;
    *c = (uint32_t)(name ? named[name - names] : e);
    return ONR_STATUS_OK;
  }
  if (e >= '0' && e <= '7') { /* one digit but 0 would refer to a group */
    if (read_digits(r, 8, 3, c) > 1 || e == '0') return ONR_STATUS_OK;
    return wrong(r, begin, "RE2's syntax has no references to groups");
  }
  if (e == 'x') {
    r->at++;
    const int braces = skip(r, "{");
    const size_t digits = read_digits(r, 16, braces ? 8 : 2, c);
    if (digits > 0 && *c <= LAST_CHARACTER && (braces ? skip(r, "}") : digits == 2)) return ONR_STATUS_OK;
    return wrong(r, begin, "expected \\x and two hexadecimal digits, or \\x{...}");
  }
  *is_character = 0;
  return ONR_STATUS_OK;
}

/* \pN, \p{Name}, \P...: the names are PCRE2's matter. */
static enum onr_status read_property(struct reader *r) {
  const size_t begin = r->at++;
  if (skip(r, "{")) {
    skip(r, "^");
    while (r->at < r->length && (isalnum((unsigned char)r->text[r->at]) || r->text[r->at] == '_')) r->at++;
    if (!skip(r, "}")) return wrong(r, begin, "expected a name in braces");
  } else if (r->at < r->length && isalpha((unsigned char)r->text[r->at])) {
    r->at++;
  } else {
    return wrong(r, begin, "expected the name of a property");
  }
  write_text(r, "\\");
  write_bytes(r, r->text + begin, r->at - begin);
  return ONR_STATUS_OK;
}

/* A class in the form of an escape. RE2's \s has no vertical tab, PCRE2's has. */
static enum onr_status read_class_escape(struct reader *r, int in_class, int *is_class) {
  static const struct {
    char escape;
    const char *inside, *outside;
  } classes[] = {{'d', "\\d", "\\d"},
                 {'D', "\\D", "\\D"},
                 {'w', "\\w", "\\w"},
                 {'W', "\\W", "\\W"},
                 {'s', "\\t\\n\\f\\r\\x20", "[\\t\\n\\f\\r\\x20]"},
                 {'S', "\\S\\x0b", "[\\S\\x0b]"}};
  const char e = r->at < r->length ? r->text[r->at] : '\0';
  *is_class = 1;
  if (e == 'p' || e == 'P') return read_property(r);
  for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
    if (classes[i].escape == e) {
      r->at++;
      write_text(r, in_class ? classes[i].inside : classes[i].outside);
      return ONR_STATUS_OK;
    }
  *is_class = 0;
  return ONR_STATUS_OK;
}

static enum onr_status read_escape(struct reader *r) {
  static const char *const places[] = {"A", "z", "b", "B"};
  const size_t begin = r->at - 1;
  uint32_t c;
  int found;
  ONR_TRY(read_escaped(r, &c, &found));
  if (found) write_character(r, c);
  if (!found) ONR_TRY(read_class_escape(r, 0, &found));
  for (size_t i = 0; i < sizeof(places) / sizeof(*places) && !found; i++)
    if ((found = skip(r, places[i]))) {
      write_text(r, "\\");
      write_text(r, places[i]);
    }
  return found ? ONR_STATUS_OK : wrong(r, begin, "RE2's syntax has no such escape");
}

/* --- classes --- */

/* A letter of a range: *is_class says that it was a class and has been written. */
static enum onr_status read_member(struct reader *r, uint32_t *c, int *is_class) {
  const size_t begin = r->at;
  int is_character;
  *is_class = 0;
  if (!skip(r, "\\")) return read_character(r, c);
  ONR_TRY(read_escaped(r, c, &is_character));
  if (is_character) return ONR_STATUS_OK;
  ONR_TRY(read_class_escape(r, 1, is_class));
  return *is_class ? ONR_STATUS_OK : wrong(r, begin, "a class has no such escape");
}

/* [:alpha:] and the like: which ones there are is PCRE2's matter. Without an end the brackets are characters. */
static enum onr_status read_named_class(struct reader *r, int *found) {
  const size_t begin = r->at;
  size_t end = begin + 3;
  while (end < r->length && memcmp(r->text + end - 1, ":]", 2) != 0) end++;
  *found = has(r, "[:") && end < r->length;
  if (!*found) return ONR_STATUS_OK;
  for (size_t i = begin + 2; i < end - 1; i++)
    if (!isalpha((unsigned char)r->text[i]) && !(i == begin + 2 && r->text[i] == '^'))
      return wrong(r, begin, "there is no such class");
  r->at = end + 1;
  write_bytes(r, r->text + begin, r->at - begin);
  return ONR_STATUS_OK;
}

static enum onr_status read_range(struct reader *r) {
  const size_t begin = r->at;
  uint32_t low, high;
  int is_class;
  ONR_TRY(read_named_class(r, &is_class));
  if (!is_class) ONR_TRY(read_member(r, &low, &is_class));
  if (is_class) return ONR_STATUS_OK;
  write_character(r, low);
  if (!has(r, "-") || has(r, "-]")) return ONR_STATUS_OK;
  r->at++;
  ONR_TRY(read_member(r, &high, &is_class));
  if (is_class || high < low) return wrong(r, begin, "expected a range from a character to one that is not before it");
  write_text(r, "-");
  write_character(r, high);
  return ONR_STATUS_OK;
}

static enum onr_status read_class(struct reader *r) {
  const size_t begin = r->at - 1;
  write_text(r, skip(r, "^") ? "[^" : "[");
  for (int first = 1; first || !has(r, "]"); first = 0) {
    if (r->at == r->length) return wrong(r, begin, "expected ] at the end of a class");
    ONR_TRY(read_range(r));
  }
  r->at++;
  write_text(r, "]");
  return ONR_STATUS_OK;
}

/* --- groups and repetition --- */

static enum onr_status open_group(struct reader *r) {
  if (r->depth == ONRI_REGEX_DEPTH) return wrong(r, r->at, "groups nest too deep");
  r->depth++;
  r->multiline[r->depth] = r->multiline[r->depth - 1];
  return ONR_STATUS_OK;
}

/* Returns how many. */
static size_t read_flag_letters(struct reader *r, uint8_t *multiline, uint8_t on) {
  const size_t begin = r->at;
  for (; r->at < r->length && r->text[r->at] && strchr("imsU", r->text[r->at]); r->at++)
    if (r->text[r->at] == 'm') *multiline = on;
  return r->at - begin;
}

/* Behind "(?": flags of a group, or of what follows in this one. */
static enum onr_status read_flags(struct reader *r) {
  const size_t begin = r->at;
  uint8_t multiline = r->multiline[r->depth];
  read_flag_letters(r, &multiline, 1);
  if (skip(r, "-") && read_flag_letters(r, &multiline, 0) == 0) return wrong(r, begin, "expected a flag behind -");
  const size_t end = r->at;
  const int opens = skip(r, ":");
  if (!opens && !skip(r, ")")) return wrong(r, begin, "RE2's syntax has no such group");
  write_text(r, "(?");
  write_bytes(r, r->text + begin, end - begin);
  write_text(r, opens ? ":" : ")");
  if (opens) ONR_TRY(open_group(r));
  r->multiline[r->depth] = multiline;
  return ONR_STATUS_OK;
}

/* Names are of no use to a search. */
static enum onr_status read_name(struct reader *r) {
  const size_t begin = r->at;
  while (r->at < r->length &&
         (isalnum((unsigned char)r->text[r->at]) || r->text[r->at] == '_' || (signed char)r->text[r->at] < 0))
    r->at++;
  if (r->at == begin || !skip(r, ">")) return wrong(r, begin, "expected the name of a group and >");
  write_text(r, "(?:");
  return open_group(r);
}

static enum onr_status read_group(struct reader *r) {
  r->can_repeat = 0;
  if (skip(r, "?P<") || skip(r, "?<")) return read_name(r);
  if (skip(r, "?")) return read_flags(r);
  write_text(r, "(?:");
  return open_group(r);
}

/* {n}, {n,} or {n,m}; anything else in braces is text. Returns its bytes. */
static size_t braces(struct reader *r, uint32_t *low, uint32_t *high) {
  const size_t begin = r->at;
  size_t n = 0;
  if (skip(r, "{") && read_digits(r, 10, 8, low) > 0) {
    *high = *low;
    if (skip(r, ",") && read_digits(r, 10, 8, high) == 0) *high = UINT32_MAX;
    if (skip(r, "}")) n = r->at - begin;
  }
  r->at = begin;
  return n;
}

/* A repetition, lazy or not: all matches are looked at. *found = 0: there is none here. */
static enum onr_status read_repetition(struct reader *r, int *found) {
  const size_t begin = r->at;
  uint32_t low = 0, high = 0;
  size_t n = has(r, "*") || has(r, "+") || has(r, "?") ? 1 : 0;
  if (n == 0) n = braces(r, &low, &high);
  *found = n > 0;
  if (n == 0) return ONR_STATUS_OK;
  if (!r->can_repeat) return wrong(r, begin, "there is nothing to repeat");
  if (low > MOST_REPEATS || (high != UINT32_MAX && (high > MOST_REPEATS || high < low)))
    return wrong(r, begin, "expected at most 1000 repetitions, and no more at least than at most");
  if (!r->is_group) {
    memmove(r->target + r->item + 3, r->target + r->item, r->used - r->item);
    memcpy(r->target + r->item, "(?:", 3);
    r->used += 3;
    write_text(r, ")");
  }
  write_bytes(r, r->text + begin, n);
  r->at += n;
  skip(r, "?");
  r->can_repeat = 0;
  return ONR_STATUS_OK;
}

/* --- the whole --- */

static void begin_item(struct reader *r) {
  r->item = r->used;
  r->can_repeat = 1;
  r->is_group = 0;
}

static enum onr_status read_literal(struct reader *r) {
  uint32_t c;
  begin_item(r);
  ONR_TRY(read_character(r, &c));
  write_character(r, c);
  return ONR_STATUS_OK;
}

static enum onr_status read_quotation(struct reader *r) {
  while (r->at < r->length && !has(r, "\\E")) ONR_TRY(read_literal(r));
  skip(r, "\\E");
  return ONR_STATUS_OK;
}

static enum onr_status read_item(struct reader *r) {
  int found;
  ONR_TRY(read_repetition(r, &found));
  if (found) return ONR_STATUS_OK;
  if (skip(r, "\\Q")) return read_quotation(r);
  if (skip(r, "(")) return read_group(r);
  if (skip(r, "|")) {
    write_text(r, "|");
    r->can_repeat = 0;
    return ONR_STATUS_OK;
  }
  if (skip(r, ")")) {
    if (r->depth-- == 0) return wrong(r, r->at - 1, "expected ( before )");
    write_text(r, ")");
    r->can_repeat = r->is_group = 1;
    return ONR_STATUS_OK;
  }
  if (!has(r, "[") && !has(r, "\\") && !has(r, ".") && !has(r, "^") && !has(r, "$")) return read_literal(r);
  begin_item(r);
  if (skip(r, "[")) return read_class(r);
  if (skip(r, "\\")) return read_escape(r);
  if (has(r, "$") && !r->multiline[r->depth]) write_text(r, "\\z"); /* PCRE2's $ is also before a last newline */
  else write_bytes(r, r->text + r->at, 1);
  r->at++;
  return ONR_STATUS_OK;
}

enum onr_status onri_regex_translate(const struct onr_string *pattern, char *target, size_t *length,
                                     struct onr_error *error) {
  struct reader r = {.text = pattern->text, .length = pattern->length, .target = target, .error = error};
  while (r.at < r.length) ONR_TRY(read_item(&r));
  if (r.depth > 0) return wrong(&r, r.length, "expected ) at the end of a group");
  *length = r.used;
  return ONR_STATUS_OK;
}
