/* write_json.c: outputs as JSON. */
#include <math.h>
#include <string.h>

#include "onnxrun/sequence.h"
#include "print.h"

static void put_text(FILE *file, const char *text, size_t length) {
  putc('"', file);
  for (size_t i = 0; i < length;) {
    uint32_t code = 0xFFFD;
    const size_t n = utf8_decode(text + i, length - i, &code);
    if (n == 1 && (code == '"' || code == '\\')) fprintf(file, "\\%c", (char)code);
    else if (n && code >= 0x20 && code < 0x7F) putc((int)code, file);
    else if (n > 1 && (code >= 0xA0 && (code < 0x2000 || code > 0x206F) && code != 0xFEFF && code != 0x61C))
      fwrite(text + i, 1, n, file);
    else fprintf(file, "\\u%04x", (unsigned)(n ? code : 0xFFFD));
    i += n ? n : 1;
  }
  putc('"', file);
}

static void put_real(FILE *file, double value, int digits) {
  if (value != value) fputs("\"NaN\"", file);
  else if (isinf(value)) fputs(value < 0 ? "\"-Infinity\"" : "\"Infinity\"", file);
  else fprintf(file, "%.*g", digits, value);
}

static void put_element(FILE *file, const struct onr_tensor *y, int64_t i) {
  const struct number number = number_at(y, i);
  if (y->desc.dtype == ONR_DTYPE_STRING) {
    const struct onr_string *string = (const struct onr_string *)y->data + i;
    put_text(file, string->text, string->length);
  } else if (y->desc.dtype == ONR_DTYPE_BOOL) {
    fputs(number.natural ? "true" : "false", file);
  } else if (number.kind == REAL) {
    put_real(file, number.real, y->desc.dtype == ONR_DTYPE_F64 || y->desc.dtype == ONR_DTYPE_C128 ? 17 : 9);
  } else if (number.kind == INTEGER) {
    fprintf(file, "%lld", (long long)number.integer);
  } else {
    fprintf(file, "%llu", (unsigned long long)number.natural);
  }
}

/* Elements of one index along all dimensions before d; *i: the next of all. Complex numbers are [real, imaginary]. */
static void put_elements(FILE *file, const struct onr_tensor *y, int32_t d, int64_t *i) {
  const int is_complex = is_complex_type(y->desc.dtype);
  if (d == y->desc.rank && is_complex) {
    putc('[', file);
    put_element(file, y, (*i)++);
    putc(',', file);
    put_element(file, y, (*i)++);
    putc(']', file);
    return;
  }
  if (d == y->desc.rank) {
    put_element(file, y, (*i)++);
    return;
  }
  putc('[', file);
  for (int64_t k = 0; k < y->desc.dim[d]; k++) {
    if (k) putc(',', file);
    put_elements(file, y, d + 1, i);
  }
  putc(']', file);
}

static void put_value(FILE *file, const struct onr_tensor *y) {
  const int64_t entries = onr_sequence_length(y);
  int64_t i = 0;
  fprintf(file, "{\"dtype\":\"%s\",", onr_dtype_name(y->desc.dtype));
  if (entries >= 0) {
    fputs("\"entries\":[", file);
    for (; i < entries; i++) {
      const struct onr_tensor entry = onr_sequence_entry(y, i);
      if (i) putc(',', file);
      put_value(file, &entry);
    }
    fputs("]}", file);
    return;
  }
  fputs("\"shape\":[", file);
  for (int32_t d = 0; d < y->desc.rank; d++) fprintf(file, "%s%lld", d ? "," : "", (long long)y->desc.dim[d]);
  fputs("],\"data\":", file);
  put_elements(file, y, 0, &i);
  putc('}', file);
}

void put_json(FILE *file, const struct onr_model *model, const struct results *results) {
  putc('{', file);
  for (size_t i = 0; i < results->count; i++) {
    const char *name = onr_model_output(model, i)->name;
    if (i) fputs(",\n", file);
    put_text(file, name, strlen(name));
    putc(':', file);
    put_value(file, &results->items[i]);
  }
  fputs("}\n", file);
}
