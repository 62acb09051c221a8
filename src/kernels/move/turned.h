/* turned.h: short lines side by side for a while. What walks down columns, a lane each, fills no vector where few of
 * them lie side by side; but there are many such groups, and turned around they are one wide group. */
#ifndef ONRI_TURNED_H
#define ONRI_TURNED_H

#include <stddef.h>

struct onr_env;

/* Groups of `length` rows by `inner` columns, one behind the other. Element (row, column) of `count` groups is at
 * columns[(row * inner + column) * count ...], so that inner * count columns lie side by side. */
typedef void (*onri_turned_run)(void *context, void *columns, size_t count);

enum { ONRI_TURNED_BYTES = 16384 /* that are turned at a time: they stay in the first cache */ };

/* Whether that is worth it, for all groups, however they are shared out. size: bytes of an element, 4 or 8; narrow:
 * less than so many bytes side by side are too few for what walks down columns. */
static inline int onri_turns(size_t groups, size_t length, size_t inner, size_t size, size_t narrow) {
  enum { SOME = 8 /* groups that go together, at least */ };
  return inner * size < narrow && groups >= 2 * SOME && length > 0 &&
         length <= ONRI_TURNED_BYTES / (inner * size * SOME);
}

/* Rows of `length` elements, one behind the other, become columns. */
void onri_turn(const void *from, void *to, size_t rows, size_t length, size_t size);
/* Groups of x, which are `group` elements each, go through `run` to y, which may be x. env cancelled: it ends early. */
void onri_turned(onri_turned_run run, void *context, const void *x, void *y, size_t groups, size_t group, size_t size,
                 const struct onr_env *env);

#endif
