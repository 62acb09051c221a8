/* interrupt.c: Ctrl-C ends a run. Python's own handler leaves a note that is read when C returns, which may be minutes
 * later; this one sets the run's cancel flag first. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>

#include "extension.h"

static struct onr_cancel *volatile target;
static struct sigaction before;
static unsigned long main_thread;

static void on_interrupt(int number) {
  struct onr_cancel *cancel = target;
  if (cancel) onr_cancel_set(cancel);
  before.sa_handler(number);
}

int interrupt_init(void) {
  PyObject *threading = PyImport_ImportModule("threading");
  PyObject *thread = threading ? PyObject_CallMethod(threading, "main_thread", NULL) : NULL;
  PyObject *identity = thread ? PyObject_GetAttrString(thread, "ident") : NULL;
  if (identity) main_thread = PyLong_AsUnsignedLong(identity);
  Py_XDECREF(identity);
  Py_XDECREF(thread);
  Py_XDECREF(threading);
  return PyErr_Occurred() ? -1 : 0;
}

static int can_chain(const struct sigaction *action) {
  return !(action->sa_flags & SA_SIGINFO) && action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

void interrupt_begin(struct interrupt *interrupt, struct onr_cancel *cancel) {
  const struct sigaction own = {.sa_handler = on_interrupt};
  struct sigaction old;
  interrupt->is_installed = interrupt->is_set = 0;
  if (PyThread_get_thread_ident() != main_thread) return;
  interrupt->outer = target;
  interrupt->is_set = 1;
  target = cancel;
  if (interrupt->outer) return; /* a run inside of a run */
  if (sigaction(SIGINT, NULL, &old) || !can_chain(&old)) return;
  before = old;
  interrupt->is_installed = !sigaction(SIGINT, &own, NULL);
}

void interrupt_end(struct interrupt *interrupt) {
  if (interrupt->is_installed) sigaction(SIGINT, &before, NULL);
  if (interrupt->is_set) target = interrupt->outer;
}
