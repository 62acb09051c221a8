/* npy: NumPy's file format, versions 1 to 3, little-endian, C order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* NumPy's letters and sizes. Types that NumPy lacks are written as their bits (uint16 for bfloat16, uint8 for float8). */
static const struct {
  const char *letters; /* without the byte order */
  enum onr_dtype dtype;
} types[] = {
    {"f4", ONR_DTYPE_F32}, {"f8", ONR_DTYPE_F64}, {"f2", ONR_DTYPE_F16}, {"i1", ONR_DTYPE_I8},  {"i2", ONR_DTYPE_I16},
    {"i4", ONR_DTYPE_I32}, {"i8", ONR_DTYPE_I64}, {"u1", ONR_DTYPE_U8},  {"u2", ONR_DTYPE_U16}, {"u4", ONR_DTYPE_U32},
    {"u8", ONR_DTYPE_U64}, {"b1", ONR_DTYPE_BOOL}, {"c8", ONR_DTYPE_C64}, {"c16", ONR_DTYPE_C128},
    {"u2", ONR_DTYPE_BF16}, {"u1", ONR_DTYPE_F8E4M3FN}, {"u1", ONR_DTYPE_F8E4M3FNUZ}, {"u1", ONR_DTYPE_F8E5M2},
    {"u1", ONR_DTYPE_F8E5M2FNUZ}, {"u1", ONR_DTYPE_U4}, {"i1", ONR_DTYPE_I4}, {"u1", ONR_DTYPE_F4E2M1},
    {"u1", ONR_DTYPE_F8E8M0}, {"u1", ONR_DTYPE_U2}, {"i1", ONR_DTYPE_I2}, {"u1", ONR_DTYPE_F6E2M3}, {"u1", ONR_DTYPE_F6E3M2},
};

static int bad(const char *path, const char *why) { return complain(EXIT_USAGE, "%s: not a readable .npy: %s", path, why); }

static int parse_type(const char *path, const char *header, enum onr_dtype *dtype) {
  const char *at = strstr(header, "'descr'");
  char order, letters[8];
  if (!at || sscanf(at, "'descr': '%c%7[A-Za-z0-9]'", &order, letters) != 2) return bad(path, "no 'descr' of a simple type");
  if (order == '>') return bad(path, "big-endian data");
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    if (strcmp(types[i].letters, letters) == 0) {
      *dtype = types[i].dtype;
      return 0;
    }
  return complain(EXIT_USAGE, "%s: element type '%c%s' is not supported", path, order, letters);
}

static int parse_shape(const char *path, const char *header, struct onr_desc *desc) {
  const char *at = strstr(header, "'shape'");
  char *end;
  at = at ? strchr(at, '(') : NULL;
  if (!at) return bad(path, "no 'shape'");
  desc->rank = 0;
  for (at++; *at && *at != ')';) {
    const long long dim = strtoll(at, &end, 10);
    if (end == at || dim < 0) return bad(path, "a broken 'shape'");
    if (desc->rank == ONR_MAX_RANK) return complain(EXIT_USAGE, "%s: more than %d dimensions", path, ONR_MAX_RANK);
    desc->dim[desc->rank++] = dim;
    for (at = end; *at == ',' || *at == ' ' || *at == 'L';) at++;
  }
  return *at == ')' ? 0 : bad(path, "a broken 'shape'");
}

/* Length of the header and where it starts; 0 when there is none. */
static size_t find_header(const unsigned char *bytes, size_t size, size_t *start) {
  if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0) return 0;
  *start = bytes[6] == 1 ? 10 : 12;
  return bytes[6] == 1 ? (size_t)bytes[8] | (size_t)bytes[9] << 8
                       : (size_t)bytes[8] | (size_t)bytes[9] << 8 | (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
}

int npy_parse(const char *path, const unsigned char *bytes, size_t size, struct onr_tensor *tensor) {
  size_t start = 0;
  const size_t length = find_header(bytes, size, &start);
  char header[4096];
  struct onr_desc desc = {0};
  if (!length) return bad(path, "the magic bytes are missing");
  if (length >= sizeof(header) || start + length > size) return bad(path, "the header is cut off");
  memcpy(header, bytes + start, length);
  header[length] = '\0';
  if (strstr(header, "'fortran_order': True")) return bad(path, "Fortran order; save it with numpy.ascontiguousarray");
  int code = parse_type(path, header, &desc.dtype);
  if (!code) code = parse_shape(path, header, &desc);
  if (code) return code;
  const size_t needed = onr_desc_bytes(&desc);
  if (size - start - length < needed)
    return complain(EXIT_USAGE, "%s: cut off: expected %zu bytes of data, found %zu", path, needed, size - start - length);
  tensor->desc = desc;
  tensor->data = malloc(needed + 1);
  if (!tensor->data) return complain(EXIT_OTHER, "%s: no memory for %zu bytes", path, needed);
  memcpy(tensor->data, bytes + start + length, needed);
  return 0;
}

int npy_read(const char *path, struct onr_tensor *tensor) {
  FILE *file = fopen(path, "rb");
  unsigned char *bytes = NULL;
  long size = -1;
  int code;
  if (!file) return complain(EXIT_OTHER, "%s: cannot be opened", path);
  if (fseek(file, 0, SEEK_END) == 0) size = ftell(file);
  if (size >= 0 && fseek(file, 0, SEEK_SET) == 0) bytes = malloc((size_t)size + 1);
  if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size) code = complain(EXIT_OTHER, "%s: cannot be read", path);
  else code = npy_parse(path, bytes, (size_t)size, tensor);
  free(bytes);
  fclose(file);
  return code;
}

/* width: characters of a string. */
static int format_header(const struct onr_desc *desc, size_t width, char *header, size_t size) {
  const char *letters = NULL;
  char text[24];
  int n;
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !letters; i++)
    if (types[i].dtype == desc->dtype) letters = types[i].letters;
  if (desc->dtype == ONR_DTYPE_STRING) {
    snprintf(text, sizeof(text), "U%zu", width);
    letters = text;
  }
  if (!letters) return -1;
  const int one_byte = letters[0] != 'U' && letters[1] == '1' && letters[2] == '\0';
  n = snprintf(header, size, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", one_byte ? '|' : '<', letters);
  for (int32_t d = 0; d < desc->rank; d++)
    n += snprintf(header + n, size - (size_t)n, "%" PRId64 ",%s", desc->dim[d], d + 1 < desc->rank ? " " : "");
  return n + snprintf(header + n, size - (size_t)n, "), }");
}

int npy_write(const char *path, const struct onr_tensor *tensor) {
  char header[512];
  const int text = tensor->desc.dtype == ONR_DTYPE_STRING;
  const size_t width = text ? npy_text_width(tensor) : 0;
  int length = format_header(&tensor->desc, width, header, sizeof(header));
  const size_t bytes = onr_desc_bytes(&tensor->desc);
  FILE *file;
  int good;
  if (length < 0) return complain(EXIT_OTHER, "%s: NumPy has no type for %s", path, onr_dtype_name(tensor->desc.dtype));
  while ((10 + length + 1) % 64) header[length++] = ' ';
  header[length++] = '\n';
  file = fopen(path, "wb");
  if (!file) return complain(EXIT_OTHER, "%s: cannot be written", path);
  const unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length & 255), (unsigned char)(length >> 8)};
  good = fwrite(start, 1, 10, file) == 10 && fwrite(header, 1, (size_t)length, file) == (size_t)length &&
         (text ? npy_text_write(file, tensor, width) : !bytes || fwrite(tensor->data, 1, bytes, file) == bytes);
  if (fclose(file) != 0 || !good) return complain(EXIT_OTHER, "%s: cannot be written", path);
  return 0;
}
