/* text.c: growing texts, the parts that a program is made of, and numbers as C writes them. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "compile/source.h"
#include "onnxrun_parts.h"

void onri_text_add(struct onri_source *s, struct onri_text *text, const char *data, size_t length) {
  if (!onri_grow(s->env->allocator, &text->data, 1, &text->capacity, text->length + length + 1)) {
    onri_no_memory(s);
    return;
  }
  memcpy(text->data + text->length, data, length);
  text->length += length;
  text->data[text->length] = '\0';
}

static void format_into(struct onri_source *s, struct onri_text *text, const char *format, va_list list) {
  char line[4096];
  const int length = vsnprintf(line, sizeof(line), format, list);
  if (length < 0 || (size_t)length >= sizeof(line)) s->why = "its text is too long";
  else onri_text_add(s, text, line, (size_t)length);
}

void onri_text_format(struct onri_source *s, struct onri_text *text, const char *format, ...) {
  va_list list;
  va_start(list, format);
  format_into(s, text, format, list);
  va_end(list);
}

void onri_text_clear(struct onri_source *s, struct onri_text *text) {
  onri_release(s->env->allocator, text->data);
  *text = (struct onri_text){0};
}

void onri_line(struct onri_source *s, const char *format, ...) {
  va_list list;
  va_start(list, format);
  onri_text_add(s, &s->body, "  ", 2);
  format_into(s, &s->body, format, list);
  onri_text_add(s, &s->body, "\n", 1);
  va_end(list);
}

/* --- types --- */

static const struct {
  const char *type, *name;
} types[ONR_NUM_DTYPES] = {[ONR_DTYPE_F32] = {"float", "f32"},
                           [ONR_DTYPE_F64] = {"double", "f64"},
                           [ONR_DTYPE_F16] = {"uint16_t", "f16"},
                           [ONR_DTYPE_BF16] = {"uint16_t", "bf16"},
                           [ONR_DTYPE_I8] = {"int8_t", "i8"},
                           [ONR_DTYPE_I16] = {"int16_t", "i16"},
                           [ONR_DTYPE_I32] = {"int32_t", "i32"},
                           [ONR_DTYPE_I64] = {"int64_t", "i64"},
                           [ONR_DTYPE_U8] = {"uint8_t", "u8"},
                           [ONR_DTYPE_U16] = {"uint16_t", "u16"},
                           [ONR_DTYPE_U32] = {"uint32_t", "u32"},
                           [ONR_DTYPE_U64] = {"uint64_t", "u64"},
                           [ONR_DTYPE_BOOL] = {"uint8_t", "bool"},
                           [ONR_DTYPE_I4] = {"int8_t", "i4"},
                           [ONR_DTYPE_U4] = {"uint8_t", "u4"},
                           [ONR_DTYPE_I2] = {"int8_t", "i2"},
                           [ONR_DTYPE_U2] = {"uint8_t", "u2"},
                           [ONR_DTYPE_F8E4M3FN] = {"uint8_t", "f8e4m3fn"},
                           [ONR_DTYPE_F8E4M3FNUZ] = {"uint8_t", "f8e4m3fnuz"},
                           [ONR_DTYPE_F8E5M2] = {"uint8_t", "f8e5m2"},
                           [ONR_DTYPE_F8E5M2FNUZ] = {"uint8_t", "f8e5m2fnuz"},
                           [ONR_DTYPE_F8E8M0] = {"uint8_t", "f8e8m0"},
                           [ONR_DTYPE_F6E2M3] = {"uint8_t", "f6e2m3"},
                           [ONR_DTYPE_F6E3M2] = {"uint8_t", "f6e3m2"},
                           [ONR_DTYPE_F4E2M1] = {"uint8_t", "f4e2m1"}};

const char *onri_c_type(enum onr_dtype dtype) { return (unsigned)dtype < ONR_NUM_DTYPES ? types[dtype].type : NULL; }

const char *onri_c_short(enum onr_dtype dtype) { return onri_c_type(dtype) ? types[dtype].name : "none"; }

struct onri_number onri_c_float(double value, enum onr_dtype dtype) {
  struct onri_number n;
  const int is_double = dtype == ONR_DTYPE_F64;
  const char *suffix = is_double ? "" : "f";
  if (isnan(value)) snprintf(n.text, sizeof(n.text), "NAN");
  else if (isinf(value)) snprintf(n.text, sizeof(n.text), value < 0 ? "-INFINITY" : "INFINITY");
  else {
    snprintf(n.text, sizeof(n.text), is_double ? "%.17g" : "%.9g", value);
    if (!strpbrk(n.text, ".e")) strcat(n.text, ".0");
    strcat(n.text, suffix);
  }
  return n;
}

/* --- parts --- */

static const struct part { const char *name, *text; } parts[] = {ONRI_PARTS};
enum { NUM_PARTS = sizeof(parts) / sizeof(parts[0]) };

static int is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* It is there for a type at a time: its function's name ends in _T. */
static int is_typed(const struct part *part) {
  char name[64];
  snprintf(name, sizeof(name), "%s_T", part->name);
  return strstr(part->text, name) != NULL;
}

/* The part whose function has this name; *typed: which ends in _T. */
static size_t find_part(const char *word, size_t length, int *typed) {
  *typed = length > 2 && word[length - 2] == '_' && word[length - 1] == 'T';
  if (*typed) length -= 2;
  size_t i = 0;
  while (i < NUM_PARTS && (strlen(parts[i].name) != length || memcmp(parts[i].name, word, length))) i++;
  return i < NUM_PARTS && is_typed(&parts[i]) == *typed ? i : NUM_PARTS;
}

/* T is the type of elements, and ends names of functions for it. */
static void add_word(struct onri_source *s, struct onri_text *text, const char *word, size_t length,
                     enum onr_dtype dtype) {
  if (length == 1 && *word == 'T') onri_text_add(s, text, onri_c_type(dtype), strlen(onri_c_type(dtype)));
  else if (length > 2 && word[length - 2] == '_' && word[length - 1] == 'T') {
    onri_text_add(s, text, word, length - 1);
    onri_text_add(s, text, onri_c_short(dtype), strlen(onri_c_short(dtype)));
  } else onri_text_add(s, text, word, length);
}

static void take_part(struct onri_source *s, size_t i, enum onr_dtype dtype) {
  if (!s->has_part) s->has_part = onri_allocate_zeroed(s->env->allocator, (size_t)NUM_PARTS * ONR_NUM_DTYPES);
  if (!s->has_part) {
    onri_no_memory(s);
    return;
  }
  uint8_t *has = &s->has_part[i * ONR_NUM_DTYPES + (size_t)dtype];
  if (*has) return;
  *has = 1;
  struct onri_text text = {0};
  for (const char *at = parts[i].text; *at;) {
    size_t length = 0, other;
    int typed;
    while (is_word(at[length])) length++;
    if (!length) {
      onri_text_add(s, &text, at++, 1);
      continue;
    }
    other = find_part(at, length, &typed);
    if (other < NUM_PARTS && other != i) take_part(s, other, typed ? dtype : ONR_DTYPE_NONE);
    add_word(s, &text, at, length, dtype);
    at += length;
  }
  onri_text_add(s, &s->parts, text.data ? text.data : "", text.length);
  onri_text_add(s, &s->parts, "\n", 1);
  onri_text_clear(s, &text);
}

void onri_use(struct onri_source *s, const char *part, enum onr_dtype dtype) {
  int typed;
  const size_t i = find_part(part, strlen(part), &typed);
  if (i == NUM_PARTS) {
    s->why = "a part is missing";
    return;
  }
  take_part(s, i, dtype);
}

void onri_function(struct onri_source *s, const char *name, struct onri_text *text, const char *arguments) {
  size_t i = 0;
  while (i < s->num_texts && (s->texts[i].length != text->length || memcmp(s->texts[i].data, text->data, text->length)))
    i++;
  if (i < s->num_texts) onri_text_clear(s, text);
  else if (!onri_grow(s->env->allocator, &s->texts, sizeof(*s->texts), &s->texts_capacity, i + 1)) {
    onri_no_memory(s);
    onri_text_clear(s, text);
    return;
  } else {
    s->texts[s->num_texts++] = *text;
    onri_text_format(s, &s->functions, "static void %s_%zu", name, i);
    onri_text_add(s, &s->functions, text->data, text->length);
    onri_text_add(s, &s->functions, "\n", 1);
  }
  onri_line(s, "%s_%zu(%s);", name, i, arguments);
}
