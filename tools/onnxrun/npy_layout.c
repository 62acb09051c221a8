/* npy_layout.c: elements as a file has them, to C order and this machine's bytes. */
#include <stdlib.h>
#include <string.h>

#include "npy.h"

static void swap_bytes(unsigned char *data, size_t count, size_t bytes) {
  for (size_t i = 0; i < count; i++, data += bytes)
    for (size_t k = 0; k < bytes / 2; k++) {
      const unsigned char kept = data[k];
      data[k] = data[bytes - 1 - k];
      data[bytes - 1 - k] = kept;
    }
}

/* Walks the target in C order; strides are those of the first dimension varying fastest. */
static void from_fortran(const struct npy_header *h, size_t count, const unsigned char *from, unsigned char *to) {
  size_t stride[ONR_MAX_RANK], step = h->item_bytes, offset = 0;
  int64_t at[ONR_MAX_RANK] = {0};
  for (int32_t d = 0; d < h->desc.rank; step *= (size_t)h->desc.dim[d++]) stride[d] = step;
  for (size_t i = 0; i < count; i++, to += h->item_bytes) {
    memcpy(to, from + offset, h->item_bytes);
    for (int32_t d = h->desc.rank; d--;) {
      offset += stride[d];
      if (++at[d] < h->desc.dim[d]) break;
      offset -= stride[d] * (size_t)h->desc.dim[d];
      at[d] = 0;
    }
  }
}

int npy_to_native(const struct npy_header *h, void **data) {
  const size_t count = (size_t)onr_desc_elements(&h->desc);
  const size_t unit = h->letter == 'U' ? 4 : h->letter == 'c' ? h->item_bytes / 2 : h->item_bytes;
  if (!count || !h->item_bytes) return 1;
  if (h->fortran && h->desc.rank > 1) {
    unsigned char *fresh = malloc(count * h->item_bytes);
    if (!fresh) return 0;
    from_fortran(h, count, *data, fresh);
    free(*data);
    *data = fresh;
  }
  if (h->swapped && h->letter != 'S' && h->letter != 'a') swap_bytes(*data, count * (h->item_bytes / unit), unit);
  return 1;
}
