/* type_write.c: the type of what holds tensors, from its words: "seq(tensor(float))", "map(int64,tensor(float))",
 * "optional(seq(tensor(int8)))". Shapes of what they hold are not among them. */
#include <string.h>

#include "onnx/write/spell.h"

enum { TENSOR = 1, SEQUENCE = 4, MAP = 5, OPTIONAL = 9, ELEM_TYPE = 1, HELD = 1, KEY = 1, HELD_BY_KEY = 2 };

static int take(const char **text, const char *word) {
  const size_t length = strlen(word);
  if (strncmp(*text, word, length)) return 0;
  *text += length;
  return 1;
}

/* ONNX has C's names for the types of C. */
static enum onr_dtype take_dtype(const char **text) {
  const size_t length = strcspn(*text, ",)");
  enum onr_dtype found = ONR_DTYPE_NONE;
  for (int t = 1; t <= ONR_DTYPE_LAST_IN_FILES && !found; t++) {
    const char *name = t == ONR_DTYPE_F32 ? "float" : t == ONR_DTYPE_F64 ? "double" : onr_dtype_name((enum onr_dtype)t);
    if (strlen(name) == length && !memcmp(name, *text, length)) found = (enum onr_dtype)t;
  }
  *text += length;
  return found;
}

/* One level: the message is open until its contents are written. 0: the words end, or are none. */
static int write_level(struct onri_wire *wire, const char **text) {
  enum onr_dtype dtype;
  if (take(text, "tensor(")) {
    const size_t tensor = onri_wire_begin(wire, TENSOR);
    if ((dtype = take_dtype(text))) onri_wire_int(wire, ELEM_TYPE, dtype);
    onri_wire_end(wire, tensor);
    return dtype && take(text, ")");
  }
  const int is_map = take(text, "map(");
  const int field = is_map ? MAP : take(text, "seq(") ? SEQUENCE : take(text, "optional(") ? OPTIONAL : 0;
  if (!field) return 0;
  const size_t container = onri_wire_begin(wire, field);
  if (is_map) {
    if (!(dtype = take_dtype(text)) || !take(text, ",")) return 0;
    onri_wire_int(wire, KEY, dtype);
  }
  const size_t held = onri_wire_begin(wire, is_map ? HELD_BY_KEY : HELD);
  const int done = write_level(wire, text); /* as deep as the words are long, which the importer bounds */
  onri_wire_end(wire, held);
  onri_wire_end(wire, container);
  return done && take(text, ")");
}

int onri_write_type(struct onri_wire *wire, const char *text) { return write_level(wire, &text) && !*text; }
