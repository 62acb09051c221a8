/* npy_header.c: the dictionary of a .npy, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, read as the
 * Python literal that it is: keys in any order, either quote, white space and a comma at the end where Python allows
 * them. */
#include <inttypes.h>
#include <string.h>

#include "npy.h"

/* NumPy's letters and sizes. Types that NumPy lacks are written as their bits (uint16 for bfloat16, uint8 for float8);
 * such rows come behind that of the type itself. */
static const struct {
  const char *letters; /* without the byte order */
  enum onr_dtype dtype;
  int used_bits; /* 0: all */
} types[] = {
    {"f4", ONR_DTYPE_F32, 0},    {"f8", ONR_DTYPE_F64, 0},        {"f2", ONR_DTYPE_F16, 0},
    {"i1", ONR_DTYPE_I8, 0},     {"i2", ONR_DTYPE_I16, 0},        {"i4", ONR_DTYPE_I32, 0},
    {"i8", ONR_DTYPE_I64, 0},    {"u1", ONR_DTYPE_U8, 0},         {"u2", ONR_DTYPE_U16, 0},
    {"u4", ONR_DTYPE_U32, 0},    {"u8", ONR_DTYPE_U64, 0},        {"b1", ONR_DTYPE_BOOL, 0},
    {"c8", ONR_DTYPE_C64, 0},    {"c16", ONR_DTYPE_C128, 0},      {"u2", ONR_DTYPE_BF16, 0},
    {"V2", ONR_DTYPE_BF16, 0},   {"u1", ONR_DTYPE_F8E4M3FN, 0},   {"u1", ONR_DTYPE_F8E4M3FNUZ, 0},
    {"u1", ONR_DTYPE_F8E5M2, 0}, {"u1", ONR_DTYPE_F8E5M2FNUZ, 0}, {"u1", ONR_DTYPE_F8E8M0, 0},
    {"u1", ONR_DTYPE_U4, 4},     {"i1", ONR_DTYPE_I4, 4},         {"u1", ONR_DTYPE_F4E2M1, 4},
    {"u1", ONR_DTYPE_U2, 2},     {"i1", ONR_DTYPE_I2, 2},         {"u1", ONR_DTYPE_F6E2M3, 6},
    {"u1", ONR_DTYPE_F6E3M2, 6},
};
enum { NUM_TYPES = sizeof(types) / sizeof(types[0]), LONGEST_WORD = 64 };

struct cursor {
  const char *where, *at, *end;
};

static int bad(const struct cursor *c, const char *why) {
  return complain(EXIT_USAGE, "%s: not a readable .npy: %s in the header", c->where, why);
}

static void skip_space(struct cursor *c) {
  while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || *c->at == '\n' || *c->at == '\f'))
    c->at++;
}

static int take(struct cursor *c, char wanted) {
  skip_space(c);
  if (c->at == c->end || *c->at != wanted) return 0;
  c->at++;
  return 1;
}

static int take_word(struct cursor *c, const char *word) {
  const size_t length = strlen(word);
  skip_space(c);
  if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length)) return 0;
  c->at += length;
  return 1;
}

/* A quoted word of printable characters; 0: there is none, or a longer one. */
static int take_string(struct cursor *c, char text[LONGEST_WORD]) {
  size_t n = 0;
  skip_space(c);
  if (c->at < c->end && *c->at == 'u') c->at++; /* of Python 2 */
  if (c->at == c->end || (*c->at != '\'' && *c->at != '"')) return 0;
  const char quote = *c->at++;
  while (c->at < c->end && *c->at >= ' ' && *c->at != quote && n + 1 < LONGEST_WORD) text[n++] = *c->at++;
  text[n] = '\0';
  return take(c, quote);
}

static int take_number(struct cursor *c, int64_t *value) {
  skip_space(c);
  const char *start = c->at;
  for (*value = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
    if (__builtin_mul_overflow(*value, (int64_t)10, value) ||
        __builtin_add_overflow(*value, (int64_t)(*c->at - '0'), value))
      return 0;
  if (c->at == start || (*start == '0' && c->at > start + 1)) return 0;
  if (c->at < c->end && *c->at == 'L') c->at++; /* of Python 2 */
  return 1;
}

/* --- the three keys --- */

/* Digits behind U, S: characters. */
static int text_type(const struct cursor *c, const char *letters, struct npy_header *header) {
  int64_t width = 0;
  struct cursor digits = {c->where, letters + 1, letters + strlen(letters)};
  if (letters[1] == ' ' || !take_number(&digits, &width) || digits.at != digits.end || width > INT32_MAX)
    return complain(EXIT_USAGE, "%s: element type '%s' is not supported", c->where, letters);
  header->desc.dtype = ONR_DTYPE_STRING;
  header->item_bytes = (size_t)width * (header->letter == 'U' ? 4 : 1);
  return 0;
}

static int number_type(const struct cursor *c, const char *letters, enum onr_dtype declared,
                       struct npy_header *header) {
  const char *name = strcmp(letters, "?") ? letters : "b1";
  int found = -1;
  for (int i = 0; i < NUM_TYPES; i++)
    if (!strcmp(types[i].letters, name) && (found < 0 || types[i].dtype == declared)) found = i;
  if (found < 0) {
    const char *hint = letters[0] == 'O'                        ? " (Python objects; .astype('U') makes text of them)"
                       : letters[0] == 'M' || letters[0] == 'm' ? " (times; .astype('int64') makes numbers of them)"
                                                                : "";
    return complain(EXIT_USAGE, "%s: element type '%s' is not supported%s", c->where, letters, hint);
  }
  header->desc.dtype = types[found].dtype;
  header->item_bytes = onr_dtype_size(types[found].dtype);
  return 0;
}

static int parse_type(struct cursor *c, enum onr_dtype declared, struct npy_header *header) {
  char text[LONGEST_WORD];
  skip_space(c);
  if (c->at < c->end && *c->at == '[')
    return complain(EXIT_USAGE, "%s: holds records (a structured dtype); save the fields one by one", c->where);
  if (!take_string(c, text)) return bad(c, "no 'descr' of a simple type");
  const size_t order = strchr("<>|=", text[0]) && text[0] ? 1 : 0;
  header->letter = text[order];
  header->swapped = text[0] == '>';
  return header->letter == 'U' || header->letter == 'S' || header->letter == 'a'
             ? text_type(c, text + order, header)
             : number_type(c, text + order, declared, header);
}

static int parse_order(struct cursor *c, struct npy_header *header) {
  header->fortran = take_word(c, "True");
  return header->fortran || take_word(c, "False") ? 0 : bad(c, "'fortran_order' that is neither True nor False");
}

static int parse_shape(struct cursor *c, struct onr_desc *desc) {
  int more = 1;
  if (!take(c, '(')) return bad(c, "a 'shape' that is no tuple");
  while (!take(c, ')')) {
    int64_t dim;
    if (!more || !take_number(c, &dim)) return bad(c, "a broken 'shape'");
    if (desc->rank == ONR_MAX_RANK) return complain(EXIT_USAGE, "%s: more than %d dimensions", c->where, ONR_MAX_RANK);
    desc->dim[desc->rank++] = dim;
    more = take(c, ',');
  }
  return desc->rank == 1 && !more ? bad(c, "a 'shape' that is no tuple") : 0; /* (3) is a number, (3,) a tuple */
}

int npy_header_parse(const char *where, const char *text, size_t length, enum onr_dtype declared,
                     struct npy_header *header) {
  static const char *const keys[] = {"descr", "fortran_order", "shape"};
  struct cursor c = {where, text, text + length};
  int seen[3] = {0}, more = 1, code = 0;
  *header = (struct npy_header){0};
  if (!take(&c, '{')) return bad(&c, "no dictionary");
  while (!take(&c, '}')) {
    char key[LONGEST_WORD];
    int k = 0;
    if (!more || !take_string(&c, key) || !take(&c, ':')) return bad(&c, "a broken dictionary");
    while (k < 3 && strcmp(key, keys[k])) k++;
    if (k == 3 || seen[k]++)
      return complain(EXIT_USAGE, "%s: not a readable .npy: an unknown or second '%s' in the header", where, key);
    code = k == 0   ? parse_type(&c, declared, header)
           : k == 1 ? parse_order(&c, header)
                    : parse_shape(&c, &header->desc);
    if (code) return code;
    more = take(&c, ',');
  }
  skip_space(&c);
  if (c.at != c.end) return bad(&c, "something behind the dictionary");
  for (int k = 0; k < 3; k++)
    if (!seen[k]) return complain(EXIT_USAGE, "%s: not a readable .npy: no '%s' in the header", where, keys[k]);
  return 0;
}

int npy_header_format(const struct onr_desc *desc, char letter, size_t width, char *text, size_t size) {
  char type[24] = "";
  int n = 0;
  if (desc->dtype == ONR_DTYPE_STRING) snprintf(type, sizeof(type), "%c%zu", letter, width);
  for (int i = 0; i < NUM_TYPES && !type[0]; i++)
    if (types[i].dtype == desc->dtype) snprintf(type, sizeof(type), "%s", types[i].letters);
  if (!type[0]) return -1;
  const int no_order = type[0] == 'S' || (type[0] != 'U' && !strcmp(type + 1, "1"));
  n = snprintf(text, size, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", no_order ? '|' : '<', type);
  for (int32_t d = 0; d < desc->rank; d++)
    n += snprintf(text + n, size - (size_t)n, "%" PRId64 ",%s", desc->dim[d], d + 1 < desc->rank ? " " : "");
  return n + snprintf(text + n, size - (size_t)n, "), }");
}

int npy_stands_for(enum onr_dtype stored, enum onr_dtype meant) {
  for (int i = 0, k; i < NUM_TYPES; i++) {
    for (k = 0; strcmp(types[k].letters, types[i].letters);) k++;
    if (types[i].dtype == meant) return k != i && types[k].dtype == stored;
  }
  return 0;
}

int npy_used_bits(enum onr_dtype dtype) {
  for (int i = 0; i < NUM_TYPES; i++)
    if (types[i].dtype == dtype) return types[i].used_bits;
  return 0;
}
