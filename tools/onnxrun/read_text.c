/* read_text.c: values from JSON, lines and plain bytes. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "npy.h"
#include "onnxrun/tensor_file.h"
#include "recipe.h"

int read_all(FILE *file, const char *where, const void *first, size_t num_first, uint64_t most, void **data,
             size_t *size) {
  size_t held = num_first, capacity = num_first + 65536;
  char *all = malloc(capacity + 1);
  if (all && num_first) memcpy(all, first, num_first);
  while (all) {
    held += fread(all + held, 1, capacity - held, file);
    if (held < capacity || held > most) break;
    char *grown = realloc(all, 2 * capacity + 1);
    if (!grown) free(all);
    all = grown;
    capacity *= 2;
  }
  if (!all) return complain(EXIT_OTHER, "%s: no memory for more than %zu bytes", where, held);
  *data = all;
  *size = held;
  all[held] = '\0';
  if (!ferror(file) && held <= most) return 0;
  const int failed = ferror(file);
  free(all);
  return failed
             ? complain_file(where, "cannot be read")
             : complain(EXIT_OTHER, "%s: more than %s, which is refused", where, shown_bytes_count((double)most).text);
}

size_t byte_order_mark(const void *text, size_t size) { return size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0; }

int make_tensor(const struct options *options, const char *where, const struct onr_desc *desc,
                struct onr_tensor *tensor) {
  const uint64_t bytes = onr_desc_bytes(desc), most = options ? tensor_bytes(options) : UINT64_MAX;
  char text[160];
  if (bytes > most || bytes > SIZE_MAX / 4)
    return complain(EXIT_OTHER, "%s: %s takes more than the limit tensor_bytes of %llu bytes", where,
                    onr_desc_format(desc, text, sizeof(text)), (unsigned long long)most);
  *tensor = (struct onr_tensor){*desc, calloc(bytes + 1, 1)};
  return tensor->data ? 0 : complain(EXIT_OTHER, "%s: no memory for %llu bytes", where, (unsigned long long)bytes);
}

void add_leading_ones(const struct onr_value_info *info, struct onr_desc *desc) {
  int32_t missing = info->rank - desc->rank;
  for (; missing > 0 && desc->rank < ONR_MAX_RANK; missing--) {
    memmove(desc->dim + 1, desc->dim, (size_t)desc->rank++ * sizeof(*desc->dim));
    desc->dim[0] = 1;
  }
}

/* --- strings --- */

/* Where the next string of a block goes; blocks have the structs first and their text behind. */
struct text_block {
  struct onr_string *strings;
  char *next;
};

static int make_strings(const char *where, const struct onr_desc *desc, size_t text_bytes, struct onr_tensor *tensor,
                        struct text_block *block) {
  const size_t count = (size_t)onr_desc_elements(desc);
  *block = (struct text_block){malloc(count * sizeof(struct onr_string) + text_bytes + 1), NULL};
  if (!block->strings) return complain(EXIT_OTHER, "%s: no memory for %zu strings", where, count);
  block->next = (char *)(block->strings + count);
  *tensor = (struct onr_tensor){*desc, block->strings};
  return 0;
}

static void put_string(struct text_block *block, size_t i, const char *text, size_t length) {
  if (length) memcpy(block->next, text, length);
  block->strings[i] = (struct onr_string){block->next, length};
  block->next += length;
}

int read_lines(const char *where, const char *text, size_t size, const struct onr_value_info *info,
               struct onr_tensor *tensor) {
  struct text_block block;
  int64_t count = 0;
  const size_t mark = byte_order_mark(text, size);
  text += mark, size -= mark;
  for (size_t i = 0; i < size; i++) count += text[i] == '\n' || i + 1 == size;
  if ((uint64_t)count * sizeof(struct onr_string) > SIZE_MAX / 4)
    return complain(EXIT_OTHER, "%s: too many lines", where);
  struct onr_desc desc = onr_desc_make(ONR_DTYPE_STRING, 1, &count);
  add_leading_ones(info, &desc);
  if (info->rank == 0 && count == 1) desc.rank = 0;
  const int code = make_strings(where, &desc, size, tensor, &block);
  for (size_t i = 0, begin = 0; !code && i < (size_t)count; i++) {
    const char *end = memchr(text + begin, '\n', size - begin);
    size_t length = end ? (size_t)(end - text) - begin : size - begin;
    const size_t next = begin + length + 1;
    if (length && text[begin + length - 1] == '\r') length--;
    put_string(&block, i, text + begin, length);
    begin = next;
  }
  return code;
}

/* --- JSON --- */

enum { LARGEST_JSON = 16 << 20 };

/* The shape of nested lists; all of one level are of one length. 0: they are not. */
static int shape_of(const cJSON *value, struct onr_desc *desc) {
  for (; cJSON_IsArray(value); value = value->child) {
    if (desc->rank == ONR_MAX_RANK) return 0;
    desc->dim[desc->rank++] = cJSON_GetArraySize(value);
    if (!value->child) return 1;
  }
  return 1;
}

/* The text of the next number; strings are passed over. The text has been parsed, so it ends where it should. */
static const char *next_number(const char *at) {
  for (; *at && !strchr("-0123456789", *at); at++) {
    if (*at != '"') continue;
    for (at++; *at != '"'; at++) at += *at == '\\';
  }
  return at;
}

static size_t number_length(const char *number) { return strspn(number, "+-0123456789.eE"); }

/* Where the text goes on behind the numbers of a value. As deep as cJSON reads, CJSON_NESTING_LIMIT. */
static const char *behind_numbers(const cJSON *value, const char *at) {
  if (cJSON_IsNumber(value)) {
    at = next_number(at);
    return at + number_length(at);
  }
  for (const cJSON *item = value->child; item; item = item->next) at = behind_numbers(item, at);
  return at;
}

/* Scalars of the lists in order, with their count, or what is wrong. */
struct walk {
  const char *at; /* the text of what follows: it has the digits that a double loses */
  const struct onr_desc *desc;
  struct onr_tensor *tensor;
  struct text_block *block; /* of strings, when they are put */
  size_t text_bytes;
  int64_t count;
  const char *wrong;
};

static double number_of(const cJSON *value) {
  if (cJSON_IsBool(value)) return cJSON_IsTrue(value);
  if (cJSON_IsNumber(value)) return value->valuedouble;
  if (!strcmp(value->valuestring, "NaN")) return NAN;
  return value->valuestring[0] == '-' ? -INFINITY : INFINITY;
}

static int is_number(const cJSON *value) {
  if (cJSON_IsNumber(value) || cJSON_IsBool(value)) return 1;
  return cJSON_IsString(value) && (!strcmp(value->valuestring, "NaN") || !strcmp(value->valuestring, "Infinity") ||
                                   !strcmp(value->valuestring, "-Infinity"));
}

/* Digits alone become an integer of 64 bits without a double between. 0: it has no such value. */
static int store_digits(struct onr_tensor *tensor, int64_t i, const char *digits) {
  errno = 0;
  if (tensor->desc.dtype == ONR_DTYPE_I64) ((int64_t *)tensor->data)[i] = strtoll(digits, NULL, 10);
  else ((uint64_t *)tensor->data)[i] = strtoull(digits, NULL, 10);
  /* strtoull wraps what is negative. */
  return !errno && (tensor->desc.dtype == ONR_DTYPE_I64 || *digits != '-' || !((uint64_t *)tensor->data)[i]);
}

/* Stored is beyond what the type has, not the nearest that it has. */
static int is_lost(double number, double stored) {
  if (!isfinite(number)) return isnan(number) ? !isnan(stored) : number != stored;
  return !isfinite(stored) || number * stored < 0 || (fabs(number) > 1 && fabs(stored) < fabs(number) / 2);
}

static const char *store_number(struct onr_tensor *tensor, int64_t i, const cJSON *value, const char *text) {
  static const char *const no_value = "a number that its type does not have";
  const enum onr_dtype dtype = tensor->desc.dtype;
  const int is_long = dtype == ONR_DTYPE_I64 || dtype == ONR_DTYPE_U64;
  const double number = number_of(value);
  if (is_long && text && number_length(text) == strspn(text, "-0123456789"))
    return store_digits(tensor, i, text) ? NULL : no_value;
  /* 2^53 with a fraction or an exponent may be what is left of more. */
  if (!number_fits(dtype, number) || (is_long && fabs(number) >= 0x1p53)) return no_value;
  if (!number_store(tensor, i, number)) return "a type without numbers";
  const struct number stored = number_at(tensor, i);
  return stored.kind == REAL && (is_lost(number, stored.real) || (text && isinf(stored.real))) ? no_value : NULL;
}

static void take_scalar(struct walk *w, const cJSON *value) {
  const int is_string = w->desc->dtype == ONR_DTYPE_STRING;
  if (is_string && !cJSON_IsString(value)) w->wrong = "something that is no string";
  else if (!is_string && !is_number(value)) w->wrong = "something that is no number";
  if (w->wrong) return;
  if (is_string && !w->tensor->data) w->text_bytes += strlen(value->valuestring);
  else if (is_string) put_string(w->block, (size_t)w->count, value->valuestring, strlen(value->valuestring));
  else if (w->tensor->data) {
    const int is_spelled = cJSON_IsNumber(value);
    if (is_spelled) w->at = next_number(w->at);
    w->wrong = store_number(w->tensor, w->count, value, is_spelled ? w->at : NULL);
    if (is_spelled) w->at += number_length(w->at);
  }
  w->count++;
}

/* At most ONR_MAX_RANK deep. */
static void visit(struct walk *w, const cJSON *value, int32_t depth) {
  if (w->wrong) return;
  if (depth == w->desc->rank) {
    if (cJSON_IsArray(value)) w->wrong = "lists of several lengths or depths";
    else take_scalar(w, value);
    return;
  }
  if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) != w->desc->dim[depth]) {
    w->wrong = "lists of several lengths or depths";
    return;
  }
  for (const cJSON *item = value->child; item; item = item->next) visit(w, item, depth + 1);
}

static enum onr_dtype guess_type(const cJSON *value) {
  while (cJSON_IsArray(value) && value->child) value = value->child;
  return cJSON_IsString(value) && !is_number(value) ? ONR_DTYPE_STRING
         : cJSON_IsBool(value)                      ? ONR_DTYPE_BOOL
                                                    : ONR_DTYPE_F32;
}

/* Lists of [real, imaginary], as --json writes them: the tensor that has been read as one of twice the numbers. */
static int join_pairs(struct onr_tensor *pairs, enum onr_dtype dtype) {
  struct onr_desc *desc = &pairs->desc;
  if (desc->rank < 1 || desc->dim[desc->rank - 1] != 2) return 0;
  desc->dim[--desc->rank] = 0;
  desc->dtype = dtype;
  return 1;
}

static enum onr_dtype part_of(enum onr_dtype dtype) {
  return dtype == ONR_DTYPE_C64 ? ONR_DTYPE_F32 : dtype == ONR_DTYPE_C128 ? ONR_DTYPE_F64 : dtype;
}

static int from_json(const char *where, const cJSON *root, const char *text, const struct onr_value_info *info,
                     struct onr_tensor *tensor) {
  struct onr_desc desc = {.dtype = info->dtype != ONR_DTYPE_NONE ? part_of(info->dtype) : guess_type(root)};
  struct text_block block = {NULL, NULL};
  struct walk w = {.at = text, .desc = &desc, .tensor = tensor, .block = &block};
  *tensor = (struct onr_tensor){desc, NULL};
  if (!shape_of(root, &desc)) w.wrong = "lists too deep";
  visit(&w, root, 0); /* counts */
  int code = 0;
  if (info->type)
    return complain(EXIT_USAGE, "%s: input '%s' is a %s, which a .pb holds", where, info->name, info->type);
  if (!w.wrong && desc.dtype == ONR_DTYPE_STRING) code = make_strings(where, &desc, w.text_bytes, tensor, &block);
  else if (!w.wrong) code = make_tensor(NULL, where, &desc, tensor);
  w.count = 0;
  if (!code) visit(&w, root, 0);
  if (!code && !w.wrong && is_complex_type(info->dtype) && !join_pairs(tensor, info->dtype))
    w.wrong = "something else than [real, imaginary]";
  if (!code && w.wrong) {
    onr_tensor_release(NULL, tensor);
    code = complain(EXIT_USAGE, "%s: expected %s in lists of one shape, found %s", where,
                    onr_dtype_name(is_complex_type(info->dtype) ? info->dtype : desc.dtype), w.wrong);
  }
  if (!code) add_leading_ones(info, &tensor->desc);
  return code;
}

/* cJSON ends a string at a zero. */
static int has_zero(const char *text, size_t size) {
  if (memchr(text, '\0', size)) return 1;
  while ((text = strchr(text, '\\'))) {
    if (!strncmp(text, "\\u0000", 6)) return 1;
    text += text[1] ? 2 : 1;
  }
  return 0;
}

/* All of the text is one value. NULL: it is not, which has been said. */
static cJSON *parse_json(const char *where, const char *text, size_t size) {
  const char *end = text;
  if (has_zero(text, size)) {
    complain(EXIT_USAGE, "%s: JSON with a zero character, as \\u0000, which is not read", where);
    return NULL;
  }
  cJSON *root = cJSON_ParseWithLengthOpts(text, size, &end, 0);
  if (root) end += strspn(end, " \t\r\n");
  if (root && end == text + size) return root;
  complain(EXIT_USAGE, "%s: no JSON: %s byte %zu", where, root ? "there is more behind the value, at" : "wrong near",
           (size_t)(end - text));
  cJSON_Delete(root);
  return NULL;
}

/* Value `name` of an object, with the text moved to where its numbers begin; the value itself where it has none. */
static const cJSON *member_of(const cJSON *value, const char *name, const char **text) {
  const cJSON *found = cJSON_IsObject(value) ? cJSON_GetObjectItemCaseSensitive(value, name) : NULL;
  for (const cJSON *item = value->child; found && item != found; item = item->next) *text = behind_numbers(item, *text);
  return found ? found : value;
}

int read_json(const char *where, const char *text, size_t size, const struct onr_value_info *info,
              struct onr_tensor *tensor) {
  if (size > LARGEST_JSON)
    return complain(EXIT_USAGE, "%s: %s of JSON, at most %s are read; .npy has no such bound", where,
                    shown_bytes_count((double)size).text, shown_bytes_count(LARGEST_JSON).text);
  int code;
  const size_t mark = byte_order_mark(text, size);
  text += mark, size -= mark;
  cJSON *root = parse_json(where, text, size);
  if (!root) return EXIT_USAGE;
  const cJSON *value = member_of(root, info->name, &text);
  value = member_of(value, "data", &text); /* as --json writes it: {"dtype", "shape", "data"} */
  if (cJSON_IsObject(value))
    code = complain(EXIT_USAGE, "%s: an object without '%s', the input's name", where, info->name);
  else code = from_json(where, value, text, info, tensor);
  cJSON_Delete(root);
  return code;
}

/* --- plain bytes --- */

/* The model's shape, with one dimension that the size of the file tells. 0: it tells more or less than one. */
static int complete_shape(const struct onr_value_info *info, size_t elements, struct onr_desc *desc) {
  int32_t open = -1;
  size_t known = 1;
  if (info->rank < 0) {
    *desc = onr_desc_make(desc->dtype, 1, (int64_t[]){(int64_t)elements});
    return 1;
  }
  *desc = onr_desc_make(desc->dtype, info->rank, info->dim);
  for (int32_t d = 0; d < info->rank; d++) {
    if (info->dim[d] < 0 && open >= 0) return 0;
    if (info->dim[d] < 0) open = d;
    else if (__builtin_mul_overflow(known, (size_t)info->dim[d], &known)) return 0;
  }
  if (open >= 0 && (!known || elements % known)) return 0;
  if (open >= 0) desc->dim[open] = (int64_t)(elements / known);
  return 1;
}

int read_raw(const struct options *options, const char *where, const void *bytes, size_t size,
             const struct onr_value_info *info, const struct recipe *recipe, struct onr_tensor *tensor) {
  const enum onr_dtype dtype = recipe->dtype != ONR_DTYPE_NONE ? recipe->dtype : info->dtype;
  struct onr_desc desc = onr_desc_make(dtype, recipe->rank, recipe->dim);
  const size_t each = onr_dtype_size(dtype);
  char text[160];
  if (!each || npy_used_bits(dtype) || dtype == ONR_DTYPE_STRING || dtype > ONR_DTYPE_LAST_IN_FILES)
    return complain(EXIT_USAGE, "%s: plain bytes of %s; --dtype says which numbers they are", where,
                    onr_dtype_name(dtype));
  if (!recipe->is_shaped && !complete_shape(info, size / each, &desc))
    return complain(EXIT_USAGE, "%s: the shape of input '%s' is open; --shape says which it is, as 1x3x224x224", where,
                    info->name);
  if (onr_desc_bytes(&desc) != size)
    return complain(EXIT_USAGE, "%s: %zu bytes, expected %zu for %s", where, size, onr_desc_bytes(&desc),
                    onr_desc_format(&desc, text, sizeof(text)));
  const int code = make_tensor(options, where, &desc, tensor);
  if (!code) memcpy(tensor->data, bytes, size);
  for (size_t i = 0; !code && dtype == ONR_DTYPE_BOOL && i < size; i++)
    ((char *)tensor->data)[i] = ((char *)tensor->data)[i] != 0;
  return code;
}
