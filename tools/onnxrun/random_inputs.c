/* random_inputs.c: contents for inputs that nobody gives. */
#include <string.h>

#include "tool.h"

static uint64_t next_random(uint64_t *state) { /* splitmix64 */
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/* Floats in [-1, 1), integers in 0..9, booleans 0 or 1, other types zero. */
void fill_random(struct onr_tensor *tensor, uint64_t *state) {
  const int64_t count = onr_desc_elements(&tensor->desc);
  const size_t size = onr_dtype_size(tensor->desc.dtype);
  memset(tensor->data, 0, onr_desc_bytes(&tensor->desc));
  for (int64_t i = 0; i < count; i++) {
    const uint64_t r = next_random(state);
    const double real = (double)(r >> 11) / 4503599627370496.0 - 1;
    switch (tensor->desc.dtype) {
      case ONR_DTYPE_F32: ((float *)tensor->data)[i] = (float)real; break;
      case ONR_DTYPE_F64: ((double *)tensor->data)[i] = real; break;
      case ONR_DTYPE_BOOL: ((uint8_t *)tensor->data)[i] = r & 1; break;
      case ONR_DTYPE_I8:
      case ONR_DTYPE_U8:
      case ONR_DTYPE_I16:
      case ONR_DTYPE_U16:
      case ONR_DTYPE_I32:
      case ONR_DTYPE_U32:
      case ONR_DTYPE_I64:
      case ONR_DTYPE_U64:
        ((uint8_t *)tensor->data)[(size_t)i * size] = (uint8_t)((r >> 8) % 10); /* little-endian: the low byte */
        break;
      default: return;
    }
  }
}
