/* layout.c: where values and scratch lie in the arena, and weights in their file. */
#include "compile/program.h"
#include "exec/planner.h"

static int in_arena(const struct onri_place *place, int32_t v) {
  return place->root == v && place->input == ONRI_NONE && place->output == ONRI_NONE && place->weight == ONRI_NONE &&
         place->first >= 0;
}

static size_t collect(const struct onri_source *s, struct onri_block *blocks) {
  size_t count = 0;
  for (size_t v = 0; v < s->graph->num_values; v++) {
    const struct onri_place *place = &s->places[v];
    if (!in_arena(place, (int32_t)v)) continue;
    if (blocks) blocks[count] = (struct onri_block){.bytes = place->bytes, .first = place->first, .last = place->last};
    count++;
  }
  for (size_t i = 0; i < s->num_scratch; i++, count++)
    if (blocks)
      blocks[count] =
          (struct onri_block){.bytes = s->scratch[i].bytes, .first = s->scratch[i].step, .last = s->scratch[i].step};
  return count;
}

static void settle(struct onri_source *s, const struct onri_block *blocks) {
  for (size_t v = 0; v < s->graph->num_values; v++)
    if (in_arena(&s->places[v], (int32_t)v)) s->places[v].offset = (blocks++)->offset;
  for (size_t i = 0; i < s->num_scratch; i++) s->scratch[i].offset = (blocks++)->offset;
}

enum onr_status onri_source_layout(struct onri_source *s) {
  const size_t count = collect(s, NULL);
  struct onri_block *blocks = onri_temporary(s, count * sizeof(*blocks));
  if (!blocks) return s->status;
  collect(s, blocks);
  ONR_TRY(onri_plan_blocks(blocks, count, s->env->allocator, &s->arena_bytes, s->error));
  settle(s, blocks);
  for (size_t i = 0; i < s->num_weights; i++) {
    struct onri_weight *w = &s->weights[i];
    w->offset = s->weight_bytes;
    s->weight_bytes += (w->count * onr_dtype_size(w->dtype) + ONRI_ALIGNMENT - 1) / ONRI_ALIGNMENT * ONRI_ALIGNMENT;
  }
  return ONR_STATUS_OK;
}
