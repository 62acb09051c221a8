#include "base/numbers/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/numbers/cast.h"
#include "base/numbers/checked.h"

/* Digits of a decimal number that decide how it rounds to a double; the rest only matter by not being zero. */
enum { DIGITS = 800 };

/* digits * 10^exponent. Without a point, so that the locale's does not matter. */
struct decimal {
  char digits[DIGITS + 32];
  size_t count;
  int64_t exponent;
};

static double decimal_value(struct decimal *d) {
  const int64_t most = 100000; /* far beyond what a double holds, whatever the digits */
  const int64_t exponent = d->exponent > most ? most : d->exponent < -most ? -most : d->exponent;
  if (d->count == 0) return 0.0;
  snprintf(d->digits + d->count, 24, "e%lld", (long long)exponent);
  return strtod(d->digits, NULL);
}

/* --- format --- */

static double as_double(enum onr_dtype dtype, const void *element) {
  double v;
  onri_load_f64(dtype, element, 1, &v);
  return v;
}

static int reads_back(enum onr_dtype dtype, double v, struct decimal *d) {
  const struct onri_cast cast = {.from = ONR_DTYPE_F64, .to = dtype, .saturate = 1, .rounding = ONRI_ROUND_NEAREST};
  const double parsed = decimal_value(d);
  uint64_t element = 0;
  onri_cast_elements(&cast, &parsed, &element, 1);
  return as_double(dtype, &element) == v;
}

/* v > 0 rounded to so many digits. */
static void round_to_digits(double v, int count, struct decimal *d) {
  char text[40];
  snprintf(text, sizeof(text), "%.*e", count - 1, v);
  const char *exponent = strchr(text, 'e');
  d->count = 0;
  for (const char *c = text; c < exponent; c++)
    if (*c >= '0' && *c <= '9') d->digits[d->count++] = *c;
  d->exponent = strtol(exponent + 1, NULL, 10) - (count - 1);
}

/* The next number of so many digits. */
static void increment(struct decimal *d) {
  size_t i = d->count;
  while (i > 0 && d->digits[i - 1] == '9') d->digits[--i] = '0';
  if (i > 0) d->digits[i - 1]++;
}

/* The fewest digits that give v > 0 back. Above a power of two more numbers do than below it, so the nearest one may
 * fail alone. */
static void shortest(enum onr_dtype dtype, double v, struct decimal *d) {
  for (int count = 1; count <= 17; count++) {
    round_to_digits(v, count, d);
    if (reads_back(dtype, v, d)) return;
    increment(d);
    if (reads_back(dtype, v, d)) return;
  }
}

/* Powers of ten from which on a type is written with an exponent: its digits no longer reach the point. */
static int64_t most_places(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_F64 ? 16 : dtype == ONR_DTYPE_F32 ? 6 : 3;
}

static size_t format_float(enum onr_dtype type, double v, char text[ONRI_NUMBER_TEXT]) {
  const enum onr_dtype dtype = type == ONR_DTYPE_F64 || type == ONR_DTYPE_F16 ? type : ONR_DTYPE_F32;
  const char *sign = signbit(v) && v == v ? "-" : "";
  struct decimal d;
  if (v != v || isinf(v)) return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%s%s", sign, v != v ? "nan" : "inf");
  if (v == 0) return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%s0.0", sign);
  shortest(dtype, fabs(v), &d);
  d.digits[d.count] = '\0';
  const int count = (int)d.count, places = (int)d.exponent + count; /* of the digits before the point */
  if (fabs(v) < 1e-4 || fabs(v) >= pow(10, (double)most_places(dtype)))
    return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%s%c%s%se%+03d", sign, d.digits[0], count > 1 ? "." : "",
                            d.digits + 1, places - 1);
  if (places <= 0) return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%s0.%.*s%s", sign, -places, "0000", d.digits);
  if (count <= places)
    return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%s%s%.*s.0", sign, d.digits, places - count, "0000000000000000");
  return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%s%.*s.%s", sign, places, d.digits, d.digits + places);
}

size_t onri_number_format(enum onr_dtype dtype, const void *element, char text[ONRI_NUMBER_TEXT]) {
  int64_t i;
  uint64_t u;
  if (dtype == ONR_DTYPE_BOOL)
    return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%s", *(const uint8_t *)element ? "True" : "False");
  switch (onri_dtype_class(dtype)) {
    case ONRI_CLASS_I64:
      onri_load(dtype, element, 1, &i);
      return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%lld", (long long)i);
    case ONRI_CLASS_U64:
      onri_load(dtype, element, 1, &u);
      return (size_t)snprintf(text, ONRI_NUMBER_TEXT, "%llu", (unsigned long long)u);
    default: return format_float(dtype, as_double(dtype, element), text);
  }
}

/* --- parse --- */

struct cursor {
  const char *at, *end;
};

static int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static int take(struct cursor *c, char wanted) {
  const int found = c->at < c->end && *c->at == wanted;
  c->at += found;
  return found;
}

/* The rest is this word, which is given in small letters. */
static int rest_is(const struct cursor *c, const char *word) {
  if ((size_t)(c->end - c->at) != strlen(word)) return 0;
  for (size_t i = 0; word[i] != '\0'; i++) {
    const char letter = c->at[i] >= 'A' && c->at[i] <= 'Z' ? (char)(c->at[i] - 'A' + 'a') : c->at[i];
    if (letter != word[i]) return 0;
  }
  return 1;
}

static void add_digit(struct decimal *d, char digit, int after_point) {
  const int dropped = d->count == DIGITS;
  if (dropped && digit != '0' && d->digits[DIGITS - 1] == '0') d->digits[DIGITS - 1] = '1';
  if (!dropped && (d->count > 0 || digit != '0')) d->digits[d->count++] = digit;
  d->exponent += dropped - after_point;
}

/* Digits of one side of the point. Returns how many there are. */
static size_t take_digits(struct cursor *c, struct decimal *d, int after_point) {
  const char *start = c->at;
  for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) add_digit(d, *c->at, after_point);
  return (size_t)(c->at - start);
}

static int take_exponent(struct cursor *c, struct decimal *d) {
  const int64_t most = 1000000000000000; /* more than a text has digits */
  int64_t exponent = 0;
  if (!take(c, 'e') && !take(c, 'E')) return 1;
  const int negative = take(c, '-');
  if (!negative) take(c, '+');
  const char *start = c->at;
  for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
    if (exponent < most) exponent = 10 * exponent + (*c->at - '0');
  d->exponent += negative ? -exponent : exponent;
  return c->at > start;
}

/* Digits, a point, digits, an exponent, and nothing else. */
static int take_decimal(struct cursor *c, struct decimal *d) {
  size_t digits = take_digits(c, d, 0);
  if (take(c, '.')) digits += take_digits(c, d, 1);
  return digits > 0 && take_exponent(c, d) && c->at == c->end;
}

/* The whole part of a number without its sign; 0 when it needs more than 64 bits. */
static int whole_part(struct decimal *d, uint64_t *result) {
  int64_t places = (int64_t)d->count + d->exponent;
  *result = 0;
  for (size_t i = 0; places > 0; places--, i++) {
    if (i >= d->count && *result == 0) break;
    if (!onri_mul_u64(*result, 10, result) ||
        !onri_add_u64(*result, i < d->count ? (uint64_t)(d->digits[i] - '0') : 0, result))
      return 0;
  }
  return 1;
}

static enum onri_number_parsed store_integer(enum onr_dtype dtype, struct decimal *d, int negative, void *element) {
  const int is_signed = onri_dtype_class(dtype) == ONRI_CLASS_I64;
  const uint32_t bits = onri_dtype_bits(dtype) - (uint32_t)is_signed;
  const uint64_t most = (bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1) + (uint64_t)(negative && is_signed);
  uint64_t value;
  if (!whole_part(d, &value) || value > (negative && !is_signed ? 0 : most)) return ONRI_NUMBER_RANGE;
  if (negative) value = 0 - value;
  onri_store(dtype, &value, 1, element);
  return ONRI_NUMBER_OK;
}

static enum onri_number_parsed store_float(enum onr_dtype dtype, double value, int saturate, void *element) {
  const struct onri_cast cast = {.from = ONR_DTYPE_F64, .to = dtype, .saturate = saturate, .rounding = ONRI_ROUND_UP};
  onri_cast_elements(&cast, &value, element, 1);
  return ONRI_NUMBER_OK;
}

enum onri_number_parsed onri_number_parse(enum onr_dtype dtype, const char *text, size_t length, int saturate,
                                          void *element) {
  const enum onri_class class = onri_dtype_class(dtype);
  const int is_float = class == ONRI_CLASS_F32 || class == ONRI_CLASS_F64;
  struct cursor c = {length > 0 ? text : "", (length > 0 ? text : "") + length};
  struct decimal d;
  d.count = 0;
  d.exponent = 0;
  while (c.at < c.end && is_space(*c.at)) c.at++;
  while (c.at < c.end && is_space(c.end[-1])) c.end--;
  if (dtype == ONR_DTYPE_BOOL && (rest_is(&c, "true") || rest_is(&c, "false"))) {
    *(uint8_t *)element = (uint8_t)rest_is(&c, "true");
    return ONRI_NUMBER_OK;
  }
  const int negative = take(&c, '-');
  if (!negative) take(&c, '+');
  const int is_nan = rest_is(&c, "nan"), is_infinite = rest_is(&c, "inf") || rest_is(&c, "infinity");
  if ((is_nan || is_infinite) && !is_float) return ONRI_NUMBER_RANGE;
  if (!is_nan && !is_infinite && !take_decimal(&c, &d)) return ONRI_NUMBER_NONE;
  if (dtype == ONR_DTYPE_BOOL) {
    *(uint8_t *)element = d.count > 0;
    return ONRI_NUMBER_OK;
  }
  if (!is_float) return store_integer(dtype, &d, negative, element);
  const double value = is_nan ? (double)NAN : is_infinite ? (double)INFINITY : decimal_value(&d);
  return store_float(dtype, negative ? -value : value, saturate, element);
}
