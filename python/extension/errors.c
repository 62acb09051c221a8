/* errors.c: an exception class for each status, whose text is the status's own. */
#include <stdarg.h>
#include <stdio.h>

#include "extension.h"

/* status, class, and what else it is: one or two of Python's own. OK has none. */
#define CLASSES(X)                                                    \
  X(PARSE, "ParseError", PyExc_ValueError, NULL)                      \
  X(VERSION, "VersionError", PyExc_ValueError, NULL)                  \
  X(GRAPH, "GraphError", PyExc_ValueError, NULL)                      \
  X(ARITY, "ArityError", PyExc_ValueError, NULL)                      \
  X(TYPE, "DTypeError", PyExc_TypeError, NULL)                        \
  X(SHAPE, "ShapeError", PyExc_ValueError, NULL)                      \
  X(ATTRIBUTE, "NodeAttributeError", PyExc_ValueError, NULL)          \
  X(DATA, "DataError", PyExc_ValueError, NULL)                        \
  X(EXTERNAL, "ExternalDataError", PyExc_ValueError, NULL)            \
  X(UNSUPPORTED, "UnsupportedError", PyExc_NotImplementedError, NULL) \
  X(LIMIT, "LimitError", PyExc_RuntimeError, NULL)                    \
  X(INDEX, "OutOfRangeError", PyExc_IndexError, NULL)                 \
  X(ARITHMETIC, "NumericError", PyExc_ArithmeticError, NULL)          \
  X(ARGUMENT, "ArgumentError", PyExc_ValueError, PyExc_TypeError)     \
  X(STATE, "StateError", PyExc_RuntimeError, NULL)                    \
  X(NO_MEMORY, "NoMemoryError", PyExc_MemoryError, NULL)              \
  X(CANCELLED, "CancelledError", PyExc_RuntimeError, NULL)            \
  X(IO, "FileError", PyExc_OSError, NULL)                             \
  X(INTERNAL, "InternalError", PyExc_RuntimeError, NULL)

#define COUNT(name, class, base, other) +1
#define COUNT_STATUS(name, value, text) +1
_Static_assert(CLASSES(COUNT) + 1 == ONR_STATUS_LIST(COUNT_STATUS), "a status has no class");

static PyObject *base_class, *classes[1 ONR_STATUS_LIST(COUNT_STATUS)];
static _Thread_local PyObject *kept; /* raised by a callback, not yet seen by the caller */

static int set_text(PyObject *exception, const char *name, const char *text) {
  PyObject *value = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
  const int result = value ? PyObject_SetAttrString(exception, name, value) : -1;
  Py_XDECREF(value);
  return result;
}

static PyObject *add_class(PyObject *module, const char *name, const char *text, PyObject *bases) {
  char full[64];
  snprintf(full, sizeof(full), "onnxrun.%s", name);
  PyObject *class = PyErr_NewExceptionWithDoc(full, text, bases, NULL);
  if (class && PyModule_AddObjectRef(module, name, class) < 0) Py_CLEAR(class);
  return class;
}

int errors_add(PyObject *module) {
  base_class =
      add_class(module, "Error",
                "What the library refuses. status: its name (\"SHAPE\"); where: the node, its module and source "
                "line, or \"\"; message: what was expected and found.",
                NULL);
  if (!base_class) return -1;
  if (set_text(base_class, "status", "") < 0 || set_text(base_class, "where", "") < 0 ||
      set_text(base_class, "message", "") < 0)
    return -1;
#define ADD(name, class, base, other)                                                                            \
  {                                                                                                              \
    PyObject *bases = PyTuple_Pack((other) ? 3 : 2, base_class, base, other);                                    \
    if (bases) classes[ONR_STATUS_##name] = add_class(module, class, onr_status_text(ONR_STATUS_##name), bases); \
    Py_XDECREF(bases);                                                                                           \
    if (!classes[ONR_STATUS_##name] || set_text(classes[ONR_STATUS_##name], "status", #name) < 0) return -1;     \
  }
  CLASSES(ADD)
#undef ADD
  return 0;
}

/* The exception of the error, with its fields. */
static PyObject *make(const struct onr_error *error) {
  char text[sizeof(error->where) + sizeof(error->message) + 2];
  PyObject *class = classes[error->status] ? classes[error->status] : base_class;
  snprintf(text, sizeof(text), "%s%s%s", error->where, error->where[0] ? ": " : "", error->message);
  PyObject *words = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
  PyObject *exception = words ? PyObject_CallFunctionObjArgs(class, words, NULL) : NULL;
  Py_XDECREF(words);
  if (exception &&
      (set_text(exception, "status", onr_status_name(error->status)) < 0 ||
       set_text(exception, "where", error->where) < 0 || set_text(exception, "message", error->message) < 0))
    Py_CLEAR(exception);
  return exception;
}

void *raise_error(const struct onr_error *error) {
  PyObject *cause = kept;
  kept = NULL;
  if (cause && !PyErr_GivenExceptionMatches(cause, PyExc_Exception)) {
    PyErr_SetObject((PyObject *)Py_TYPE(cause), cause);
    Py_DECREF(cause);
    return NULL;
  }
  PyObject *exception = make(error);
  if (!exception) {
    Py_XDECREF(cause);
    return NULL;
  }
  if (cause) PyException_SetCause(exception, cause); /* takes it */
  PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  Py_DECREF(exception);
  return NULL;
}

void *raise_status(enum onr_status status, const char *format, ...) {
  struct onr_error error = {.status = status};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error.message, sizeof(error.message), format, arguments);
  va_end(arguments);
  return raise_error(&error);
}

void errors_forget(void) { Py_CLEAR(kept); }

enum onr_status errors_keep(struct onr_error *error) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback) PyException_SetTraceback(value, traceback);
  PyObject *text = PyObject_Str(value), *name = PyType_GetName((PyTypeObject *)type);
  const char *words = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  const char *kind = name ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
  const enum onr_status status =
      onr_fail(error, ONR_STATUS_ARGUMENT, "%s: %s", kind ? kind : "exception", words ? words : "?");
  PyErr_Clear();
  Py_XDECREF(text);
  Py_XDECREF(name);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  Py_XDECREF(kept);
  kept = value;
  return status;
}
