#include "tests/fuzz/wire.h"

#include <stdlib.h>
#include <string.h>

#include "onnxrun/operators.h"

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };
enum { MAX_FIELDS = 20000, MAX_DEPTH = 60, POOL_BYTES = 1 << 20, MOST_DATA_BYTES = 1 << 16 };

/* What a field holds; a number above TEXT is the message in it. */
enum kind { NUMBER = 1, FLOAT, DOUBLE, NAME, OPERATOR, TEXT, BYTES, MESSAGE };

struct row {
  uint8_t in, number, kind, message;
};
static const struct row rows[] = {
    {WIRE_CASE, 1, MESSAGE, WIRE_MODEL},
    {WIRE_CASE, 2, MESSAGE, WIRE_TENSOR},
    {WIRE_CASE, 3, NUMBER, 0},
    {WIRE_CASE, 4, MESSAGE, WIRE_SEQUENCE},
    {WIRE_CASE, 5, MESSAGE, WIRE_OPTIONAL},
    {WIRE_CASE, 6, MESSAGE, WIRE_MAP},
    {WIRE_MODEL, 1, NUMBER, 0},
    {WIRE_MODEL, 2, TEXT, 0},
    {WIRE_MODEL, 7, MESSAGE, WIRE_GRAPH},
    {WIRE_MODEL, 8, MESSAGE, WIRE_OPSET},
    {WIRE_MODEL, 14, MESSAGE, WIRE_ENTRY},
    {WIRE_MODEL, 25, MESSAGE, WIRE_FUNCTION},
    {WIRE_OPSET, 1, TEXT, 0},
    {WIRE_OPSET, 2, NUMBER, 0},
    {WIRE_GRAPH, 1, MESSAGE, WIRE_NODE},
    {WIRE_GRAPH, 2, TEXT, 0},
    {WIRE_GRAPH, 5, MESSAGE, WIRE_TENSOR},
    {WIRE_GRAPH, 11, MESSAGE, WIRE_VALUE},
    {WIRE_GRAPH, 12, MESSAGE, WIRE_VALUE},
    {WIRE_GRAPH, 13, MESSAGE, WIRE_VALUE},
    {WIRE_GRAPH, 15, MESSAGE, WIRE_SPARSE},
    {WIRE_GRAPH, 16, MESSAGE, WIRE_ENTRY},
    {WIRE_NODE, 1, NAME, 0},
    {WIRE_NODE, 2, NAME, 0},
    {WIRE_NODE, 3, TEXT, 0},
    {WIRE_NODE, 4, OPERATOR, 0},
    {WIRE_NODE, 5, MESSAGE, WIRE_ATTRIBUTE},
    {WIRE_NODE, 7, TEXT, 0},
    {WIRE_NODE, 9, MESSAGE, WIRE_ENTRY},
    {WIRE_ATTRIBUTE, 1, TEXT, 0},
    {WIRE_ATTRIBUTE, 2, FLOAT, 0},
    {WIRE_ATTRIBUTE, 3, NUMBER, 0},
    {WIRE_ATTRIBUTE, 4, TEXT, 0},
    {WIRE_ATTRIBUTE, 5, MESSAGE, WIRE_TENSOR},
    {WIRE_ATTRIBUTE, 6, MESSAGE, WIRE_GRAPH},
    {WIRE_ATTRIBUTE, 7, FLOAT, 0},
    {WIRE_ATTRIBUTE, 8, NUMBER, 0},
    {WIRE_ATTRIBUTE, 9, TEXT, 0},
    {WIRE_ATTRIBUTE, 10, MESSAGE, WIRE_TENSOR},
    {WIRE_ATTRIBUTE, 11, MESSAGE, WIRE_GRAPH},
    {WIRE_ATTRIBUTE, 14, MESSAGE, WIRE_TYPE},
    {WIRE_ATTRIBUTE, 20, NUMBER, 0},
    {WIRE_ATTRIBUTE, 21, TEXT, 0},
    {WIRE_ATTRIBUTE, 22, MESSAGE, WIRE_SPARSE},
    {WIRE_FUNCTION, 1, OPERATOR, 0},
    {WIRE_FUNCTION, 4, NAME, 0},
    {WIRE_FUNCTION, 5, NAME, 0},
    {WIRE_FUNCTION, 6, TEXT, 0},
    {WIRE_FUNCTION, 7, MESSAGE, WIRE_NODE},
    {WIRE_FUNCTION, 9, MESSAGE, WIRE_OPSET},
    {WIRE_FUNCTION, 10, TEXT, 0},
    {WIRE_FUNCTION, 11, MESSAGE, WIRE_ATTRIBUTE},
    {WIRE_VALUE, 1, NAME, 0},
    {WIRE_VALUE, 2, MESSAGE, WIRE_TYPE},
    {WIRE_TYPE, 1, MESSAGE, WIRE_TENSOR_TYPE},
    {WIRE_TYPE, 4, MESSAGE, WIRE_ELEMENT_TYPE},
    {WIRE_TYPE, 5, BYTES, 0},
    {WIRE_TYPE, 9, MESSAGE, WIRE_ELEMENT_TYPE},
    {WIRE_ELEMENT_TYPE, 1, MESSAGE, WIRE_TYPE},
    {WIRE_TENSOR_TYPE, 1, NUMBER, 0},
    {WIRE_TENSOR_TYPE, 2, MESSAGE, WIRE_SHAPE},
    {WIRE_SHAPE, 1, MESSAGE, WIRE_DIM},
    {WIRE_DIM, 1, NUMBER, 0},
    {WIRE_DIM, 2, TEXT, 0},
    {WIRE_TENSOR, 1, NUMBER, 0},
    {WIRE_TENSOR, 2, NUMBER, 0},
    {WIRE_TENSOR, 4, FLOAT, 0},
    {WIRE_TENSOR, 5, NUMBER, 0},
    {WIRE_TENSOR, 6, TEXT, 0},
    {WIRE_TENSOR, 7, NUMBER, 0},
    {WIRE_TENSOR, 8, NAME, 0},
    {WIRE_TENSOR, 9, BYTES, 0},
    {WIRE_TENSOR, 10, DOUBLE, 0},
    {WIRE_TENSOR, 11, NUMBER, 0},
    {WIRE_TENSOR, 13, MESSAGE, WIRE_ENTRY},
    {WIRE_TENSOR, 14, NUMBER, 0},
    {WIRE_SPARSE, 1, MESSAGE, WIRE_TENSOR},
    {WIRE_SPARSE, 2, MESSAGE, WIRE_TENSOR},
    {WIRE_SPARSE, 3, NUMBER, 0},
    {WIRE_ENTRY, 1, TEXT, 0},
    {WIRE_ENTRY, 2, TEXT, 0},
    {WIRE_SEQUENCE, 1, NAME, 0},
    {WIRE_SEQUENCE, 2, NUMBER, 0},
    {WIRE_SEQUENCE, 3, MESSAGE, WIRE_TENSOR},
    {WIRE_SEQUENCE, 5, MESSAGE, WIRE_SEQUENCE},
    {WIRE_SEQUENCE, 6, MESSAGE, WIRE_MAP},
    {WIRE_SEQUENCE, 7, MESSAGE, WIRE_OPTIONAL},
    {WIRE_MAP, 1, NAME, 0},
    {WIRE_MAP, 2, NUMBER, 0},
    {WIRE_MAP, 3, NUMBER, 0},
    {WIRE_MAP, 4, TEXT, 0},
    {WIRE_MAP, 5, MESSAGE, WIRE_SEQUENCE},
    {WIRE_OPTIONAL, 1, NAME, 0},
    {WIRE_OPTIONAL, 2, NUMBER, 0},
    {WIRE_OPTIONAL, 3, MESSAGE, WIRE_TENSOR},
    {WIRE_OPTIONAL, 5, MESSAGE, WIRE_SEQUENCE},
    {WIRE_OPTIONAL, 7, MESSAGE, WIRE_OPTIONAL},
};
enum { NUM_ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct row *row_of(int message, uint32_t number) {
  for (size_t i = 0; i < NUM_ROWS; i++)
    if (rows[i].in == message && rows[i].number == number) return &rows[i];
  return NULL;
}

/* --- reading --- */

static int read_varint(const uint8_t **at, const uint8_t *end, uint64_t *value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (*at == end) return 0;
    const uint8_t byte = *(*at)++;
    *value |= (uint64_t)(byte & 0x7F) << shift;
    if (!(byte & 0x80)) return 1;
  }
  return 0;
}

static int read_fixed(const uint8_t **at, const uint8_t *end, size_t bytes, uint64_t *value) {
  *value = 0;
  if ((size_t)(end - *at) < bytes) return 0;
  for (size_t i = 0; i < bytes; i++) *value |= (uint64_t)(*at)[i] << 8 * i;
  *at += bytes;
  return 1;
}

int wire_next(const uint8_t **at, const uint8_t *end, struct wire_field *field) {
  uint64_t tag, length;
  if (*at == end || !read_varint(at, end, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3) return 0;
  *field = (struct wire_field){.number = (uint32_t)(tag >> 3), .wire = (uint32_t)(tag & 7)};
  switch (field->wire) {
    case VARINT: return read_varint(at, end, &field->value);
    case FIXED32: return read_fixed(at, end, 4, &field->value);
    case FIXED64: return read_fixed(at, end, 8, &field->value);
    case LENGTH:
      if (!read_varint(at, end, &length) || length > (size_t)(end - *at)) return 0;
      field->bytes = *at;
      field->size = (size_t)length;
      *at += length;
      return 1;
    default: return 0;
  }
}

/* --- a message as a tree; one at a time, in static memory --- */

struct item {
  struct wire_field field;
  uint8_t in, message;          /* which message it is in, and which it holds; 0: none */
  uint32_t first, next, parent; /* indices; 0: none, and the root */
  size_t bytes;                 /* written */
};
static struct item items[MAX_FIELDS];
static uint32_t num_items;
static uint8_t pool[POOL_BYTES];
static size_t pool_used;

static uint64_t state;
static uint32_t draw(uint32_t n) {
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ z >> 31) >> 33) % n;
}

/* Children of an item that holds a message; 0: it does not, or there are too many. */
static int grow(uint32_t parent, int depth) {
  const uint8_t *at = items[parent].field.bytes, *end = at + items[parent].field.size;
  uint32_t last = 0;
  struct wire_field field;
  items[parent].first = 0;
  if (depth > MAX_DEPTH) return 0;
  while (at < end) {
    if (!wire_next(&at, end, &field) || num_items == MAX_FIELDS) return 0;
    const struct row *row = row_of(items[parent].message, field.number);
    const uint32_t i = num_items++;
    items[i] = (struct item){.field = field, .in = items[parent].message, .parent = parent};
    if (last) items[last].next = i;
    else items[parent].first = i;
    last = i;
    if (row && row->kind == MESSAGE && field.wire == LENGTH) {
      const uint32_t before = num_items;
      items[i].message = row->message;
      if (!grow(i, depth + 1)) { /* bytes, then */
        if (num_items == MAX_FIELDS) return 0;
        num_items = before;
        items[i].message = 0;
        items[i].first = 0;
      }
    }
  }
  return 1;
}

/* Index of the new root, UINT32_MAX when it is no message. */
static uint32_t plant(enum wire_message root, const uint8_t *data, size_t size) {
  if (num_items == MAX_FIELDS) return UINT32_MAX;
  const uint32_t i = num_items++;
  items[i] = (struct item){.field = {.wire = LENGTH, .bytes = data, .size = size}, .message = (uint8_t)root};
  return grow(i, 0) ? i : UINT32_MAX;
}

static size_t varint_bytes(uint64_t value) {
  size_t n = 1;
  while (value >>= 7) n++;
  return n;
}

static size_t measure(uint32_t i) {
  struct item *item = &items[i];
  size_t body = item->field.size;
  if (item->message) {
    body = 0;
    for (uint32_t c = item->first; c; c = items[c].next) body += measure(c);
    item->field.size = body;
  }
  if (item->field.wire == LENGTH) body += varint_bytes(body);
  else body = item->field.wire == VARINT ? varint_bytes(item->field.value) : item->field.wire == FIXED32 ? 4 : 8;
  return item->bytes = body + varint_bytes((uint64_t)item->field.number << 3);
}

static uint8_t *put_varint(uint8_t *to, uint64_t value) {
  for (; value > 0x7F; value >>= 7) *to++ = (uint8_t)(value | 0x80);
  *to++ = (uint8_t)value;
  return to;
}

static uint8_t *put_item(uint8_t *to, uint32_t i);

static uint8_t *put_body(uint8_t *to, uint32_t i) {
  const struct item *item = &items[i];
  if (item->message) {
    for (uint32_t c = item->first; c; c = items[c].next) to = put_item(to, c);
    return to;
  }
  if (item->field.size) memcpy(to, item->field.bytes, item->field.size);
  return to + item->field.size;
}

static uint8_t *put_item(uint8_t *to, uint32_t i) {
  const struct item *item = &items[i];
  to = put_varint(to, (uint64_t)item->field.number << 3 | item->field.wire);
  if (item->field.wire == VARINT) return put_varint(to, item->field.value);
  if (item->field.wire == LENGTH) return put_body(put_varint(to, item->field.size), i);
  for (size_t b = 0; b < (item->field.wire == FIXED32 ? 4 : 8); b++) *to++ = (uint8_t)(item->field.value >> 8 * b);
  return to;
}

/* --- changes --- */

/* Memory for new bytes; NULL when it is used up. */
static uint8_t *take(size_t bytes) {
  if (bytes > POOL_BYTES - pool_used) return NULL;
  pool_used += bytes;
  return pool + pool_used - bytes;
}

static void unlink_item(uint32_t i) {
  uint32_t *link = &items[items[i].parent].first;
  while (*link && *link != i) link = &items[*link].next;
  if (*link) *link = items[i].next;
}

/* Copies of `from` and of all below it, to be linked by the caller; 0 when there is no room. */
static uint32_t copy_tree(uint32_t from, uint32_t parent) {
  if (num_items == MAX_FIELDS) return 0;
  const uint32_t i = num_items++;
  uint32_t last = 0;
  items[i] = items[from];
  items[i].parent = parent;
  items[i].first = items[i].next = 0;
  for (uint32_t c = items[from].first; c; c = items[c].next) {
    const uint32_t child = copy_tree(c, i);
    if (!child) return 0;
    if (last) items[last].next = child;
    else items[i].first = child;
    last = child;
  }
  return i;
}

static void link_after(uint32_t place, uint32_t i) {
  items[i].next = items[place].next;
  items[place].next = i;
}

static uint64_t bend_number(uint64_t value) {
  static const uint64_t far[] = {0,
                                 1,
                                 2,
                                 3,
                                 7,
                                 8,
                                 16,
                                 31,
                                 64,
                                 127,
                                 128,
                                 255,
                                 256,
                                 65535,
                                 INT32_MAX,
                                 0x80000000,
                                 UINT32_MAX,
                                 0x100000000,
                                 0x10000000000,
                                 INT64_MAX,
                                 0x8000000000000000,
                                 UINT64_MAX,
                                 UINT64_MAX - 1,
                                 UINT64_MAX - 2,
                                 UINT64_MAX - 7};
  switch (draw(6)) {
    case 0: return far[draw(sizeof(far) / sizeof(far[0]))];
    case 1: return value + 1;
    case 2: return value - 1;
    case 3: return draw(6);
    case 4: return 0 - value;
    default: return draw(24);
  }
}

static uint64_t bend_float(int wide) {
  static const double special[] = {0, -0.0, 1, -1, 0.5, 2, 1e-40, 1e30, -1e30, 1e300, 255, 1e-3, 3.4e38};
  const uint32_t k = draw(sizeof(special) / sizeof(special[0]) + 3);
  double d = k < sizeof(special) / sizeof(special[0]) ? special[k] : 0;
  uint64_t bits = 0;
  if (k >= sizeof(special) / sizeof(special[0])) { /* NaN, infinities */
    static const uint32_t floats[] = {0x7FC00000, 0x7F800000, 0xFF800000};
    static const uint64_t doubles[] = {0x7FF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000};
    return wide ? doubles[k % 3] : floats[k % 3];
  }
  if (wide) {
    memcpy(&bits, &d, 8);
    return bits;
  }
  const float f = d > 3e38 ? 3.4e38f : d < -3e38 ? -3.4e38f : (float)d;
  uint32_t bits32;
  memcpy(&bits32, &f, 4);
  return bits32;
}

static void set_text(struct item *item, const char *text, size_t size) {
  uint8_t *to = take(size);
  if (!to && size) return;
  if (size) memcpy(to, text, size);
  item->field.bytes = to;
  item->field.size = size;
}

static void mutate_bytes(struct item *item) {
  const size_t most = item->field.size + 1 + draw(16);
  uint8_t *to = take(most);
  if (!to) return;
  if (item->field.size) memcpy(to, item->field.bytes, item->field.size);
  item->field.size = LLVMFuzzerMutate(to, item->field.size, most);
  item->field.bytes = to;
}

static int kind_of(const struct item *item) {
  const struct row *row = row_of(item->in, item->field.number);
  return row ? row->kind : 0;
}

/* The bytes of another field of that kind, from any of the trees. */
static void borrow(struct item *item, int kind) {
  for (int tries = 0; tries < 40; tries++) {
    const struct item *other = &items[draw(num_items)];
    if (other == item || other->message || other->field.wire != LENGTH || kind_of(other) != kind) continue;
    item->field.bytes = other->field.bytes;
    item->field.size = other->field.size;
    return;
  }
}

static void set_operator(struct item *item) {
  struct onr_op_info op = {.size = sizeof(op)};
  if (onr_op(draw((uint32_t)onr_num_ops()), &op) == ONR_STATUS_OK) set_text(item, op.op_type, strlen(op.op_type));
}

static size_t element_bytes(uint64_t data_type) {
  static const uint8_t bytes[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 8, 16, 2, 1, 1, 1, 1};
  return data_type < sizeof(bytes) ? bytes[data_type] : 1;
}

/* raw_data as long as dims and type say. */
static void fit_data(uint32_t tensor) {
  uint64_t count = 1, type = 1;
  uint32_t raw = 0;
  for (uint32_t c = items[tensor].first; c; c = items[c].next) {
    const struct wire_field *f = &items[c].field;
    if (f->number == 1 && f->wire == VARINT) count = f->value > MOST_DATA_BYTES ? UINT32_MAX : count * f->value;
    if (count > MOST_DATA_BYTES) return;
    if (f->number == 2) type = f->value;
    if (f->number == 9) raw = c;
  }
  const size_t bytes = (size_t)count * element_bytes(type);
  uint8_t *to = raw && bytes <= MOST_DATA_BYTES ? take(bytes) : NULL;
  if (!to) return;
  const struct wire_field old = items[raw].field;
  for (size_t i = 0; i < bytes; i++) to[i] = old.size ? old.bytes[i % old.size] : 0;
  items[raw].field.bytes = to;
  items[raw].field.size = bytes;
}

static void bend(uint32_t i) {
  struct item *item = &items[i];
  const int kind = kind_of(item);
  if (item->message == WIRE_TENSOR) return fit_data(i);
  if (item->field.wire == VARINT) item->field.value = bend_number(item->field.value);
  else if (item->field.wire == FIXED32) item->field.value = bend_float(0);
  else if (item->field.wire == FIXED64) item->field.value = bend_float(1);
  else if (item->message) return;
  else if (kind == NAME || kind == TEXT) {
    const uint32_t k = draw(8);
    if (k == 0) item->field.size = 0;
    else if (k < 6) borrow(item, kind);
    else mutate_bytes(item);
  } else if (kind == OPERATOR && draw(4)) set_operator(item);
  else mutate_bytes(item);
  /* What has another size now should be full. */
  if (items[item->parent].message == WIRE_TENSOR && item->field.number <= 2 && draw(2)) fit_data(item->parent);
}

/* A field that the schema knows, as empty as it can be. */
static void insert_field(uint32_t parent) {
  if (!items[parent].message || num_items == MAX_FIELDS) return;
  size_t count = 0;
  for (size_t r = 0; r < NUM_ROWS; r++) count += rows[r].in == items[parent].message;
  if (!count) return;
  size_t wanted = draw((uint32_t)count), r = 0;
  while (rows[r].in != items[parent].message || wanted-- > 0) r++;
  static const uint8_t wires[] = {0, VARINT, FIXED32, FIXED64, LENGTH, LENGTH, LENGTH, LENGTH, LENGTH};
  const uint32_t i = num_items++;
  items[i] = (struct item){.field = {.number = rows[r].number, .wire = wires[rows[r].kind]},
                           .in = rows[r].in,
                           .message = rows[r].message,
                           .parent = parent,
                           .next = items[parent].first};
  items[parent].first = i;
  bend(i);
}

/* Another message, or value, of the same kind takes this one's place, or a place beside it. */
static void graft(uint32_t i, uint32_t donors) {
  for (int tries = 0; tries < 60; tries++) {
    const uint32_t from = donors + draw(num_items - donors);
    if (from == i || !items[from].in || items[from].in != items[i].in) continue;
    if (items[from].field.number != items[i].field.number && draw(4)) continue;
    const uint32_t copy = copy_tree(from, items[i].parent);
    if (!copy) return;
    link_after(i, copy);
    if (draw(2)) unlink_item(i);
    return;
  }
}

static void swap_with_next(uint32_t i) {
  const uint32_t next = items[i].next;
  if (!next) return;
  unlink_item(i);
  link_after(next, i);
}

static void change(uint32_t root, uint32_t end, uint32_t donors) {
  const uint32_t i = root + draw(end - root);
  if (i == root) return insert_field(root);
  switch (draw(12)) {
    case 0: return unlink_item(i);
    case 1: {
      const uint32_t copy = copy_tree(i, items[i].parent);
      if (copy) link_after(i, copy);
      return;
    }
    case 2: return swap_with_next(i);
    case 3: return insert_field(items[i].message ? i : items[i].parent);
    case 4:
    case 5: return graft(i, donors);
    default: return bend(i);
  }
}

static size_t finish(uint32_t root, uint8_t *out, size_t most) {
  measure(root);
  const size_t size = items[root].field.size;
  if (size > most) return 0;
  put_body(out, root);
  return size;
}

static void begin(unsigned seed) {
  num_items = 1; /* 0 is none */
  pool_used = 0;
  state = seed * 0x2545f4914f6cdd1du + 1;
}

size_t wire_mutate(enum wire_message root, uint8_t *data, size_t size, size_t most, unsigned seed) {
  begin(seed);
  /* The bytes are read while the result is written. */
  uint8_t *source = take(size);
  if (!source || draw(200) == 0) return LLVMFuzzerMutate(data, size, most);
  memcpy(source, data, size);
  const uint32_t tree = plant(root, source, size);
  if (tree == UINT32_MAX) return LLVMFuzzerMutate(data, size, most);
  const uint32_t end = num_items;
  for (uint32_t rounds = 1 + draw(draw(4) ? 3 : 12); rounds > 0; rounds--) change(tree, end, tree);
  const size_t made = finish(tree, data, most);
  return made ? made : LLVMFuzzerMutate(data, size, most);
}

size_t wire_cross(enum wire_message root, const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                  uint8_t *out, size_t most, unsigned seed) {
  begin(seed);
  const uint32_t tree = plant(root, a, a_size), end = num_items;
  if (tree == UINT32_MAX) return 0;
  const uint32_t donor = plant(root, b, b_size);
  if (donor == UINT32_MAX) return 0;
  for (uint32_t rounds = 1 + draw(4); rounds > 0; rounds--) {
    const uint32_t i = tree + draw(end - tree);
    if (i != tree) graft(i, donor);
  }
  return finish(tree, out, most);
}
