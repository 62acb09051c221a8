/* null_calls.h: between the calls that functions.py writes and the program that makes them. */
#ifndef NULL_CALLS_H
#define NULL_CALLS_H

#include <stddef.h>
#include <stdint.h>

/* What one call is made with and leaves. */
struct fixture {
  uint32_t null; /* bit i: argument i is NULL */
  struct onr_net *net;
  int x; /* a value of the net */
  struct onr_model *model;
  struct onr_session *session;
  struct onr_threads *threads;
  struct onr_registry *registry;
  struct onr_error error;
  enum onr_status status;
  int value;
};

struct function {
  const char *name;
  void (*call)(struct fixture *f);
  enum { STATUS, NET, OTHER } kind; /* what it returns; NET: -1 and a net that fails */
  uint32_t pointers, needed;        /* bit i: argument i is a pointer; it must not be NULL */
  uint32_t error;                   /* the struct onr_error * */
};
extern const struct function functions[];
extern const size_t num_functions;

/* Something of that type, with as many stars, that is good for the call. */
void *given(struct fixture *f, const char *type, int stars);

#define ARGUMENT(i, type, name, stars) (f->null & 1u << (i) ? (type)0 : (type)given(f, name, stars))

#endif
