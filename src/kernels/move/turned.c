#include "kernels/move/turned.h"

#include "base/env.h"
#include "kernels/move/transpose.h"

void onri_turn(const void *from, void *to, size_t rows, size_t length, size_t size) {
  const struct onri_transpose t = {from, to, (ptrdiff_t)(length * size), (ptrdiff_t)(rows * size), length, rows};
  onri_transpose(&t, size);
}

void onri_turned(onri_turned_run run, void *context, const void *x, void *y, size_t groups, size_t group, size_t size,
                 const struct onr_env *env) {
  double columns[ONRI_TURNED_BYTES / sizeof(double)];
  const size_t most = ONRI_TURNED_BYTES / (group * size);
  struct onri_pace pace = {env, 0};
  for (size_t first = 0, count; first < groups && !onri_pace_stop(&pace, ONRI_TURNED_BYTES); first += count) {
    const size_t at = first * group * size;
    count = groups - first < most ? groups - first : most;
    onri_turn((const char *)x + at, columns, count, group, size);
    run(context, columns, count);
    onri_turn(columns, (char *)y + at, group, count, size);
  }
}
