/* aligned.h: memory as C11 has it: what aligned_alloc gives, free takes. Windows has such memory of one kind only if
 * all of it is aligned. In front of each file of the tests. */
#ifndef ONNXRUN_WINDOWS_ALIGNED_H
#define ONNXRUN_WINDOWS_ALIGNED_H

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNED_LEAST = 16 };

static inline void *aligned_zeroed(size_t count, size_t size) {
  void *memory = size && count > (size_t)-1 / size ? NULL : _aligned_malloc(count * size, ALIGNED_LEAST);
  return memory ? memset(memory, 0, count * size) : NULL;
}

static inline char *aligned_copy(const char *text) {
  char *copy = _aligned_malloc(strlen(text) + 1, ALIGNED_LEAST);
  return copy ? strcpy(copy, text) : NULL;
}

static inline int aligned_get(void **memory, size_t alignment, size_t bytes) {
  *memory = _aligned_malloc(bytes, alignment);
  return !*memory;
}

#define aligned_alloc(alignment, bytes) _aligned_malloc(bytes, alignment)
#define posix_memalign(memory, alignment, bytes) aligned_get(memory, alignment, bytes)
#define malloc(bytes) _aligned_malloc(bytes, ALIGNED_LEAST)
#define calloc(count, size) aligned_zeroed(count, size)
#define realloc(memory, bytes) _aligned_realloc(memory, bytes, ALIGNED_LEAST)
#define free(memory) _aligned_free(memory)
#undef strdup
#define strdup(text) aligned_copy(text)

#endif
