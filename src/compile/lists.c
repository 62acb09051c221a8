/* lists.c: what the phases of a program share: its weights, the memory of its steps, and the first failure. */
#include <string.h>

#include "compile/source.h"

void onri_no_memory(struct onri_source *s) {
  if (s->status == ONR_STATUS_OK)
    s->status = onr_fail(s->error, ONR_STATUS_NO_MEMORY, "no memory for the text of a program");
}

long long onri_extent(const struct onr_desc *desc, int32_t from, int32_t to) {
  long long count = 1;
  for (int32_t d = from; d < to; d++) count *= desc->dim[d];
  return count;
}

int32_t onri_weights_take(struct onri_source *s, enum onr_dtype dtype, void *data, size_t count) {
  const size_t bytes = count * onr_dtype_size(dtype);
  if (!data) {
    onri_no_memory(s);
    return -1;
  }
  for (size_t i = 0; i < s->num_weights; i++) {
    const struct onri_weight *w = &s->weights[i];
    if (w->dtype != dtype || w->count != count || memcmp(w->data, data, bytes)) continue;
    onri_release(s->env->allocator, data);
    return (int32_t)i;
  }
  if (!onri_grow(s->env->allocator, &s->weights, sizeof(*s->weights), &s->weights_capacity, s->num_weights + 1)) {
    onri_release(s->env->allocator, data);
    onri_no_memory(s);
    return -1;
  }
  s->weights[s->num_weights] = (struct onri_weight){.dtype = dtype, .data = data, .count = count};
  return (int32_t)s->num_weights++;
}

int32_t onri_weights_add(struct onri_source *s, enum onr_dtype dtype, const void *data, size_t count) {
  const size_t bytes = count * onr_dtype_size(dtype);
  void *copy = onri_allocate(s->env->allocator, bytes ? bytes : 1);
  if (copy && bytes) memcpy(copy, data, bytes);
  return onri_weights_take(s, dtype, copy, count);
}

int32_t onri_scratch(struct onri_source *s, size_t bytes) {
  if (!onri_grow(s->env->allocator, &s->scratch, sizeof(*s->scratch), &s->scratch_capacity, s->num_scratch + 1)) {
    onri_no_memory(s);
    return 0;
  }
  s->scratch[s->num_scratch] = (struct onri_scratch){.bytes = bytes ? bytes : 1, .step = s->steps};
  return (int32_t)s->num_scratch++;
}

void *onri_temporary(struct onri_source *s, size_t bytes) {
  void *memory = onri_arena_allocate(&s->arena, bytes ? bytes : 1);
  if (!memory) onri_no_memory(s);
  return memory;
}
