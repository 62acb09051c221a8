/* jump.h: the way out of libraries whose errors must not return to them. */
#ifndef ONRI_JUMP_H
#define ONRI_JUMP_H

#include <setjmp.h>

/* As setjmp. On Windows a jump that knows its frame unwinds those between, for which archives of C have no tables. */
#ifdef __MINGW32__
#define ONRI_SET_JUMP(where) _setjmp(where, NULL)
#else
#define ONRI_SET_JUMP(where) setjmp(where)
#endif

#endif
