/* reduce_type.h: the loops for one element type T with accumulators A; included by reduce.c, which defines NAME(x),
 * ADD, MUL, ABS and EXP for A. */

/* The next value of an accumulator; `what` is a constant in each loop below. */
#define NEXT(acc, x)                                                        \
  (what == ONRI_TAKE_SUM      ? ADD(acc, (A)(x))                            \
   : what == ONRI_TAKE_ABS    ? ADD(acc, ABS((A)(x)))                       \
   : what == ONRI_TAKE_SQUARE ? ADD(acc, MUL((A)(x), (A)(x)))               \
   : what == ONRI_TAKE_PROD   ? MUL(acc, (A)(x))                            \
   : what == ONRI_TAKE_MAX    ? ((A)(x) > acc || (x) != (x) ? (A)(x) : acc) \
   : what == ONRI_TAKE_MIN    ? ((A)(x) < acc || (x) != (x) ? (A)(x) : acc) \
                              : ADD(acc, EXP((A)(x), shift)))

#define COMBINE(a, b)                                              \
  (what == ONRI_TAKE_PROD  ? MUL(a, b)                             \
   : what == ONRI_TAKE_MAX ? ((b) > (a) || (b) != (b) ? (b) : (a)) \
   : what == ONRI_TAKE_MIN ? ((b) < (a) || (b) != (b) ? (b) : (a)) \
                           : ADD(a, b))

static inline A NAME(run_of)(const T *x, size_t count, A acc, A start, A shift, const enum onri_take what) {
  A lane[LANES];
  size_t i = 0;
  (void)shift;
  for (int l = 0; l < LANES; l++) lane[l] = start;
  for (; i + LANES <= count; i += LANES)
    for (int l = 0; l < LANES; l++) lane[l] = NEXT(lane[l], x[i + l]);
  for (; i < count; i++) acc = NEXT(acc, x[i]);
  for (int l = 0; l < LANES; l++) acc = COMBINE(acc, lane[l]);
  return acc;
}

static inline void NAME(columns_of)(const T *x, size_t count, A *acc, const A *shifts, const enum onri_take what) {
  for (size_t i = 0; i < count; i++) {
    const A shift = shifts[i];
    (void)shift;
    acc[i] = NEXT(acc[i], x[i]);
  }
}

#define EACH_TAKE(call)                                   \
  switch (what) {                                         \
    case ONRI_TAKE_SUM: call(ONRI_TAKE_SUM); break;       \
    case ONRI_TAKE_ABS: call(ONRI_TAKE_ABS); break;       \
    case ONRI_TAKE_SQUARE: call(ONRI_TAKE_SQUARE); break; \
    case ONRI_TAKE_PROD: call(ONRI_TAKE_PROD); break;     \
    case ONRI_TAKE_MAX: call(ONRI_TAKE_MAX); break;       \
    case ONRI_TAKE_MIN: call(ONRI_TAKE_MIN); break;       \
    default: call(ONRI_TAKE_EXP); break;                  \
  }

/* acc[width] over all rows of one position; width is 1 for runs. */
static void NAME(pass)(const struct onri_reduce *r, size_t start, size_t width, enum onri_take what, A *acc,
                       const A *shift) {
  const A first = what == ONRI_TAKE_PROD ? 1 : what == ONRI_TAKE_MAX ? LOWEST : what == ONRI_TAKE_MIN ? HIGHEST : 0;
  const size_t piece = r->columns == 0 ? r->run : width;
  T buffer[BLOCK];
  struct onri_pace pace = {r->env, 0};
  for (size_t i = 0; i < width; i++) acc[i] = first;
  for (size_t row = 0; row < r->rows.count; row++) {
    const size_t at = start + onri_dims_offset(&r->rows, row);
    for (size_t i = 0; i < piece; i += BLOCK) {
      if (onri_pace_stop(&pace, what == ONRI_TAKE_EXP ? 16 * BLOCK : 2 * BLOCK)) return;
      const size_t count = piece - i < BLOCK ? piece - i : BLOCK;
      const T *x = NAME(read)(r, at + i, count, buffer);
#define RUN(w) acc[0] = NAME(run_of)(x, count, acc[0], first, shift[0], w)
#define COLUMNS(w) NAME(columns_of)(x, count, acc, shift, w)
      if (r->columns == 0) {
        EACH_TAKE(RUN)
      } else {
        EACH_TAKE(COLUMNS)
      }
#undef RUN
#undef COLUMNS
    }
  }
}

#undef NEXT
#undef COMBINE
#undef EACH_TAKE
