#include "kernels/move/places.h"

#include <string.h>

/* Elements may lie anywhere: they are copied as bytes, which compilers make one move of. */
#define PLACES(name, type)                                                                                          \
  static void places_##name(const struct onri_places *p, const uint8_t *index, size_t count) {                      \
    const char *x = p->x;                                                                                           \
    char *y = p->y;                                                                                                 \
    for (size_t b = p->blocks; b > 0; b--, x += p->x_step, y += p->y_step) {                                        \
      type ones[ONRI_PLACES_SLACK / sizeof(type)];                                                                  \
      if (index) {                                                                                                  \
        for (size_t i = 0; i < count; i++) memcpy(y + i * sizeof(type), x + index[i] * sizeof(type), sizeof(type)); \
        continue;                                                                                                   \
      }                                                                                                             \
      for (size_t i = 0; i < sizeof(ones) / sizeof(type); i++) memcpy(&ones[i], x, sizeof(type));                   \
      for (size_t i = 0; i < count * sizeof(type); i += sizeof(ones)) memcpy(y + i, ones, sizeof(ones));            \
    }                                                                                                               \
  }
struct bytes16 {
  uint64_t part[2];
};
PLACES(1, uint8_t)
PLACES(2, uint16_t)
PLACES(4, uint32_t)
PLACES(8, uint64_t)
PLACES(16, struct bytes16)

/* Each index stands for `bytes` bytes, `wide` or more; the last of them may be copied twice. */
static inline void copy_runs(const struct onri_places *p, size_t bytes, const size_t wide) {
  const char *x = p->x;
  char *y = p->y;
  const size_t last = bytes - wide;
  for (size_t b = p->blocks; b > 0; b--, x += p->x_step, y += p->y_step)
    for (size_t i = 0; i < p->count; i++) {
      const char *from = x + p->index[i] * p->size;
      char *to = y + i * bytes;
      for (size_t at = 0; at < last; at += wide) memcpy(to + at, from + at, wide);
      memcpy(to + last, from + last, wide);
    }
}

void onri_copy_places(const struct onri_places *p) {
  const size_t bytes = p->run * p->size;
  if (p->run > 1) {
    if (bytes >= 16) copy_runs(p, bytes, 16);
    else if (bytes >= 8) copy_runs(p, bytes, 8);
    else copy_runs(p, bytes, 4);
    return;
  }
  switch (p->size) {
    case 1: places_1(p, p->index, p->count); break;
    case 2: places_2(p, p->index, p->count); break;
    case 4: places_4(p, p->index, p->count); break;
    case 8: places_8(p, p->index, p->count); break;
    default: places_16(p, p->index, p->count); break;
  }
}
