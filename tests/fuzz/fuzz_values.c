/* Any bytes as a file of values (.npy, .npz, ONNX's protobuf), read as the tool does: refused in one line, or values,
 * which can all be read, and which are the same after NumPy's form has been written and read again. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/wire.h"
#include "tools/onnxrun/npy.h"
#include "tools/onnxrun/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed);

/* Other parts of the tool: standard input is read with what makes tensors of pictures and sound, which is not tried
 * here, and there is no progress to be cleared. */
int read_standard_input(const struct options *options, const struct onr_value_info *info, const struct recipe *recipe,
                        enum onr_dtype declared, unsigned *kinds, struct tensor_list *list) {
  (void)options, (void)info, (void)recipe, (void)declared, (void)kinds, (void)list;
  abort();
}

void progress_clear(void) {}

enum { MOST_VALUE_BYTES = 1 << 20 };

static int in_memory(const uint8_t *data, size_t size, int *fd, char path[64]) {
  if (*fd < 0) *fd = memfd_create("values", 0);
  snprintf(path, 64, "/proc/self/fd/%d", *fd);
  return *fd >= 0 && ftruncate(*fd, 0) == 0 && pwrite(*fd, data, size, 0) == (ssize_t)size;
}

/* Every byte, and every string's. */
static unsigned touch(const struct onr_tensor *value) {
  const size_t bytes = onr_desc_bytes(&value->desc);
  unsigned sum = 0;
  for (size_t i = 0; i < bytes; i++) sum += ((const unsigned char *)value->data)[i];
  if (value->desc.dtype != ONR_DTYPE_STRING) return sum;
  const struct onr_string *text = value->data;
  for (size_t i = 0; i < bytes / sizeof(*text); i++)
    for (size_t k = 0; k < text[i].length; k++) sum += (unsigned char)text[i].text[k];
  return sum;
}

static void round_trip(const struct onr_tensor *value, const struct options *options) {
  static int fd = -1;
  struct tensor_list list = {0};
  char path[64];
  if (!in_memory(NULL, 0, &fd, path)) abort();
  if (npy_write(path, value) != 0) return; /* NumPy has no such type */
  if (read_values(options, path, value->desc.dtype, &list) != 0 || list.count != 1) abort();
  const struct onr_tensor *again = &list.items[0].tensor;
  if (again->desc.rank != value->desc.rank) abort();
  for (int32_t d = 0; d < again->desc.rank; d++)
    if (again->desc.dim[d] != value->desc.dim[d]) abort();
  if (value->desc.dtype != ONR_DTYPE_STRING &&
      (again->desc.dtype != value->desc.dtype || memcmp(again->data, value->data, onr_desc_bytes(&value->desc)) != 0))
    abort();
  list_clear(&list);
}

/* The first byte is the type that the model declares. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int fd = -1;
  static unsigned sum;
  struct options options = {.limits = {.size = sizeof(options.limits), .tensor_bytes = MOST_VALUE_BYTES}};
  struct tensor_list list = {0};
  char path[64];
  if (size < 1 || !in_memory(data + 1, size - 1, &fd, path)) return 0;
  const int code = read_values(&options, path, (enum onr_dtype)(data[0] % (ONR_DTYPE_OPTIONAL + 1)), &list);
  if (code != 0 && code != EXIT_USAGE && code != EXIT_OTHER && code != EXIT_UNSUPPORTED) abort();
  for (size_t i = 0; i < list.count && code == 0; i++) {
    sum += touch(&list.items[i].tensor);
    const enum onr_dtype dtype = list.items[i].tensor.desc.dtype;
    if (dtype != ONR_DTYPE_SEQUENCE && dtype != ONR_DTYPE_OPTIONAL && dtype != ONR_DTYPE_MAP)
      round_trip(&list.items[i].tensor, &options);
  }
  list_clear(&list);
  return sum == UINT32_MAX ? -1 : 0; /* what is read is not optimised away; libFuzzer leaves such an input out */
}

static enum wire_message message_of(const uint8_t *data) {
  switch (data[0] % (ONR_DTYPE_OPTIONAL + 1)) {
    case ONR_DTYPE_SEQUENCE: return WIRE_SEQUENCE;
    case ONR_DTYPE_OPTIONAL: return WIRE_OPTIONAL;
    case ONR_DTYPE_MAP: return WIRE_MAP;
    default: return WIRE_TENSOR;
  }
}

static int is_numpy(const uint8_t *data, size_t size) {
  return size < 4 || !memcmp(data + 1, NPY_MAGIC, 3) || !memcmp(data + 1, "PK", 2);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  if (is_numpy(data, size) || seed % 8 == 0) return LLVMFuzzerMutate(data, size, most);
  return 1 + wire_mutate(message_of(data), data + 1, size - 1, most - 1, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed) {
  if (is_numpy(a, a_size) || is_numpy(b, b_size)) return 0;
  const size_t made = wire_cross(message_of(a), a + 1, a_size - 1, b + 1, b_size - 1, out + 1, most - 1, seed);
  if (made) out[0] = a[0];
  return made ? made + 1 : 0;
}
