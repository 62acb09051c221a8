/* random_inputs.c: contents for inputs that nobody gives. */
#include <string.h>

#include "tool.h"

static uint64_t next_random(uint64_t *state) { /* splitmix64 */
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/* Of what the kind of element 0 says. */
static double random_number(const struct onr_tensor *tensor, uint64_t r) {
  if (tensor->desc.dtype == ONR_DTYPE_BOOL) return (double)(r & 1);
  return number_at(tensor, 0).kind == REAL ? (double)(r >> 11) / 4503599627370496.0 - 1 : (double)((r >> 8) % 10);
}

/* Floats in [-1, 1), integers in 0..9 (as far as the type goes), booleans 0 or 1, both parts of complex numbers; text
 * is empty. */
void fill_random(struct onr_tensor *tensor, uint64_t *state) {
  struct onr_tensor t = *tensor;
  int64_t count = onr_desc_elements(&t.desc);
  memset(t.data, 0, onr_desc_bytes(&t.desc));
  if (is_complex_type(t.desc.dtype)) {
    t.desc.dtype = t.desc.dtype == ONR_DTYPE_C64 ? ONR_DTYPE_F32 : ONR_DTYPE_F64;
    count *= 2;
  }
  for (int64_t i = 0; i < count; i++)
    if (!number_store(&t, i, random_number(&t, next_random(state)))) return;
}
