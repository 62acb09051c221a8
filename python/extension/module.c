/* module.c: the module onnxrun._onnxrun. */
#include "extension.h"

static PyObject *version(PyObject *self, PyObject *unused) {
  (void)self;
  (void)unused;
  return PyUnicode_FromString(onr_version());
}

/* {"float32": 1, ...}: names and numbers of the element types. */
static int add_dtypes(PyObject *module) {
  PyObject *dtypes = PyDict_New();
  int result = dtypes ? 0 : -1;
  for (int dtype = 1; dtype < ONR_NUM_DTYPES && !result; dtype++) {
    PyObject *number = PyLong_FromLong(dtype);
    result = number ? PyDict_SetItemString(dtypes, onr_dtype_name((enum onr_dtype)dtype), number) : -1;
    Py_XDECREF(number);
  }
  if (!result) result = PyModule_AddObjectRef(module, "DTYPES", dtypes);
  Py_XDECREF(dtypes);
  return result;
}

static PyMethodDef functions[] = {
    {"version", version, METH_NOARGS, "What onr_version says: the library and its kernels."},
    {"optimise", (PyCFunction)(void (*)(void))model_optimise, METH_VARARGS | METH_KEYWORDS,
     "optimise(path, target, *, disabled_passes=None): the model at path, rewritten, as ONNX."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "onnxrun._onnxrun", .m_doc = "The C library onnxrun. Use the package onnxrun.",
    .m_size = -1,          .m_methods = functions,
};

PyMODINIT_FUNC PyInit__onnxrun(void);
PyMODINIT_FUNC PyInit__onnxrun(void) {
  PyObject *module = PyModule_Create(&definition);
  if (module && (errors_add(module) < 0 || interrupt_init() < 0 || add_dtypes(module) < 0 || model_add(module) < 0 ||
                 session_add(module) < 0))
    Py_CLEAR(module);
  return module;
}
