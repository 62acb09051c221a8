/* places.h: small blocks that are put together of elements that lie somewhere in a small block. */
#ifndef ONRI_PLACES_H
#define ONRI_PLACES_H

#include <stddef.h>
#include <stdint.h>

enum { ONRI_PLACES = 256 /* elements of a block, at most */, ONRI_PLACES_SLACK = 16 };

/* `blocks` blocks, x_step and y_step bytes apart. Element i of one in y is element index[i] of that in x; with index
 * NULL it is element 0, and up to ONRI_PLACES_SLACK bytes behind a block may be written. size: bytes of an element, a
 * power of two up to 16. run > 1: there are so many elements in a row for each index, of at least 4 bytes together. */
struct onri_places {
  const uint8_t *index;
  size_t size, run, count, blocks;
  const void *x;
  void *y;
  ptrdiff_t x_step, y_step;
};
void onri_copy_places(const struct onri_places *p);

#endif
