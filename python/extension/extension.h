/* extension.h: what the files of the module onnxrun._onnxrun share. It is written against the stable ABI of
 * CPython 3.11, and knows no NumPy: arrays come and go through the buffer protocol. The Python files beside it make the
 * rest. */
#ifndef ONNXRUN_EXTENSION_H
#define ONNXRUN_EXTENSION_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>
#include <onnxrun/layer.h>
#include <onnxrun/onnxrun.h>
#include <onnxrun/sequence.h>

/* --- errors.c --- */

int errors_add(PyObject *module);
/* Sets the exception of error->status; NULL always. What a callback raised on this thread becomes its cause, or is
 * raised instead where it is no Exception (KeyboardInterrupt). */
void *raise_error(const struct onr_error *error);
/* The same of a status and a message of our own. */
void *raise_status(enum onr_status status, const char *format, ...) ONR_PRINTF(2, 3);
/* In a callback that the library has called: keeps the exception that is set for raise_error(), and fails. */
enum onr_status errors_keep(struct onr_error *error);
/* Before a call: what was kept in an earlier one that came through nonetheless. */
void errors_forget(void);

/* --- interrupt.c --- */

/* While a call runs on the main thread, SIGINT sets its flag besides what it did before. */
struct interrupt {
  struct onr_cancel *outer;
  int is_installed, is_set;
};
int interrupt_init(void);
void interrupt_begin(struct interrupt *interrupt, struct onr_cancel *cancel);
void interrupt_end(struct interrupt *interrupt);

/* --- values.c --- */

/* A tensor made of a Python object, and what keeps its memory. Zeroed: none. */
struct value {
  struct onr_tensor tensor;
  Py_buffer view;
  int has_view;
  void *memory;
  PyObject *object;
};
/* An object with the buffer protocol, contiguous; or (dtype, shape, data) with data as that, as a list of str or bytes
 * (STRING), or as a list of values (SEQUENCE, OPTIONAL, MAP; the shape is not looked at). -1: an exception is set. */
int value_read(struct value *value, PyObject *object);
void value_clear(struct value *value);
/* (dtype, array) of elements, (STRING, shape, list of str), (SEQUENCE, list of values). empty(shape, dtype) makes
 * arrays; the elements are copied. */
PyObject *value_write(const struct onr_tensor *tensor, PyObject *empty);
/* An array of empty(shape, dtype) and its writable memory. */
PyObject *value_array(const struct onr_desc *desc, PyObject *empty, Py_buffer *view);
PyObject *shape_write(const struct onr_desc *desc);

/* --- operators.c: layers written in Python --- */

struct operators;
/* operators: a sequence of (domain, op_type, class); NULL with an exception set. */
struct operators *operators_create(PyObject *operators);
void operators_destroy(struct operators *operators); /* accepts NULL */
const struct onr_registry *operators_registry(const struct operators *operators);
int operators_visit(const struct operators *operators, visitproc visit, void *arg);

/* --- model.c --- */

struct model_object {
  PyObject ob_base; /* PyObject_HEAD without its semicolon */
  struct onr_model *model;
  struct onr_threads *threads;
  struct operators *operators;
  struct value source; /* bytes that weights are read from */
  int process;         /* that has the threads: they stay behind when it forks */
};
extern PyTypeObject *model_type;
int model_add(PyObject *module);
/* optimise(path, target, *, disabled_passes=None): a file of onr_model_optimise. */
PyObject *model_optimise(PyObject *module, PyObject *args, PyObject *keywords);

/* --- session.c --- */

int session_add(PyObject *module);

#endif
