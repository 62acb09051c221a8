/* conv_tail.c: see conv_tail.h. */
#include "layers/conv/conv_tail.h"

#include "base/shape.h"
#include "base/types.h"
#include "layers/elementwise/broadcast.h"
#include "layers/elementwise/widened.h"

enum onr_status onri_conv_tail_plan(struct onr_call *call, const struct onr_clamp *clamp, const struct onr_tail *params,
                                    struct onri_conv_tail *tail) {
  if (onri_has(call, 3)) tail->clamp = *clamp;
  return onri_tail_plan(call, params, &tail->function);
}

void onri_conv_tail_apply(const void *context, float *y, size_t count) {
  onri_tail_apply(&((const struct onri_conv_tail *)context)->function, y, count);
}

struct whole {
  const struct onri_conv_tail *tail;
  size_t size;
  const char *residual;
  char *y;
};

#define ADD(name, type)                                                                                           \
  static void name(const struct onr_clamp *clamp, const void *residual, void *to, size_t count) {                 \
    const type *r = residual, least = (type)clamp->min, most = (type)clamp->max;                                  \
    type *y = to;                                                                                                 \
    for (size_t i = 0; i < count; i++) y[i] += r[i];                                                              \
    for (size_t i = 0; clamp->enabled && i < count; i++) y[i] = y[i] < least ? least : y[i] > most ? most : y[i]; \
  }
ADD(add_f32, float)
ADD(add_f64, double)
#undef ADD

static void apply_part(void *context, size_t begin, size_t end) {
  const struct whole *w = context;
  const int is_single = w->size == sizeof(float);
  void *y = w->y + begin * w->size;
  if (w->residual)
    (!ONRI_HERE_F64 || is_single ? add_f32 : add_f64)(&w->tail->clamp, w->residual + begin * w->size, y, end - begin);
  if (onri_conv_has_tail(w->tail)) onri_tail_apply(&w->tail->function, y, end - begin);
}

void onri_conv_tail_all(const struct onri_conv_tail *tail, enum onr_dtype computed, const void *residual, void *y,
                        size_t count, struct onr_env *env) {
  struct whole w = {tail, onri_is_double(computed) ? sizeof(double) : sizeof(float), residual, y};
  if (residual || onri_conv_has_tail(tail)) onri_elementwise_for(env, count, apply_part, &w);
}
