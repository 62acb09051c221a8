/* top_k_columns.c: lines that lie side by side, or are turned around for a while (turned.h) so that they do. */
#include <string.h>

#include "base/env.h"
#include "kernels/index/top_k.h"
#include "kernels/kernels.h"
#include "kernels/move/turned.h"

enum { WIDE = 16 /* lines side by side fill vectors */, SHORT = 64, TURNED = 2048 /* floats */, FOUND = 1024 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

int onri_top_k_is_columns(size_t outer, size_t length, size_t inner, size_t k) {
  if (k < 1 || k > ONRI_TOP_K_COLUMNS || length > INT32_MAX || (k > 1 && length > SHORT)) return 0;
  return inner >= WIDE || (outer * inner >= WIDE && length * inner <= TURNED / WIDE);
}

struct work {
  const struct onri_top_k_lines *lines;
  struct onr_env *env;
};

/* Of [k][count], element for element. */
static void widen(const int32_t *at, size_t count, int64_t *indices) {
  for (size_t i = 0; i < count; i++) indices[i] = at[i];
}

/* Columns [column, column + count) of group `outer`. */
static void find_beside(const struct onri_top_k_lines *l, size_t outer, size_t column, size_t count) {
  float values[FOUND];
  int32_t at[FOUND];
  const struct onri_top_k_columns columns = {
      l->x + outer * l->length * l->inner + column, l->inner, count, l->length, l->k, l->largest, values, at};
  onri_kernels(top_k)->columns(&columns);
  for (size_t j = 0; j < l->k; j++) {
    const size_t to = (outer * l->k + j) * l->inner + column;
    if (l->values) memcpy(l->values + to, values + j * count, count * sizeof(*values));
    if (l->indices) widen(at + j * count, count, l->indices + to);
  }
}

static void beside(void *context, size_t begin, size_t end) {
  const struct onri_top_k_lines *l = ((const struct work *)context)->lines;
  const size_t block = FOUND / l->k, blocks = (l->inner - 1) / block + 1;
  for (size_t i = begin; i < end && !onr_env_cancelled(((const struct work *)context)->env); i++) {
    const size_t column = i % blocks * block;
    find_beside(l, i / blocks, column, least(block, l->inner - column));
  }
}

/* Groups [outer, outer + count). */
static void find_turned(const struct onri_top_k_lines *l, size_t outer, size_t count) {
  float x[TURNED], values[TURNED];
  int32_t at[TURNED], back[TURNED];
  const size_t side = l->inner * count, found = l->k * l->inner;
  const struct onri_top_k_columns columns = {x, side, side, l->length, l->k, l->largest, values, at};
  onri_turn(l->x + outer * l->length * l->inner, x, count, l->length * l->inner, sizeof(*x));
  onri_kernels(top_k)->columns(&columns);
  if (l->values) onri_turn(values, l->values + outer * found, found, count, sizeof(*values));
  if (!l->indices) return;
  onri_turn(at, back, found, count, sizeof(*at));
  widen(back, found * count, l->indices + outer * found);
}

static void turned(void *context, size_t begin, size_t end) {
  const struct onri_top_k_lines *l = ((const struct work *)context)->lines;
  const size_t most = TURNED / (l->length * l->inner);
  for (size_t count; begin < end && !onr_env_cancelled(((const struct work *)context)->env); begin += count)
    find_turned(l, begin, count = least(most, end - begin));
}

void onri_top_k_in_columns(const struct onri_top_k_lines *lines, struct onr_env *env) {
  enum { SOME = 1 << 14 }; /* elements: worth a thread */
  struct work work = {lines, env};
  const size_t group = lines->length * lines->inner, block = FOUND / lines->k;
  if (lines->inner >= WIDE)
    onr_parallel_for(env, lines->outer * ((lines->inner - 1) / block + 1),
                     SOME / (least(block, lines->inner) * lines->length) + 1, beside, &work);
  else onr_parallel_for(env, lines->outer, SOME / group + 1, turned, &work);
}
