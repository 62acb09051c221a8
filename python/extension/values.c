/* values.c: Python objects to tensors and back. */
#include <string.h>

#include "extension.h"

/* --- from Python --- */

/* The type of a buffer's elements; NONE: no type of ours. Letters of module struct. */
static enum onr_dtype dtype_of_format(const char *format, Py_ssize_t size) {
  static const enum onr_dtype of_signed[9] = {
      [1] = ONR_DTYPE_I8, [2] = ONR_DTYPE_I16, [4] = ONR_DTYPE_I32, [8] = ONR_DTYPE_I64};
  static const enum onr_dtype of_unsigned[9] = {
      [1] = ONR_DTYPE_U8, [2] = ONR_DTYPE_U16, [4] = ONR_DTYPE_U32, [8] = ONR_DTYPE_U64};
  static const struct {
    const char *format;
    enum onr_dtype dtype;
  } others[] = {{"f", ONR_DTYPE_F32},  {"d", ONR_DTYPE_F64},  {"e", ONR_DTYPE_F16},
                {"?", ONR_DTYPE_BOOL}, {"Zf", ONR_DTYPE_C64}, {"Zd", ONR_DTYPE_C128}};
  if (!format) return ONR_DTYPE_U8;
  if (*format == '@' || *format == '=') format++;
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    if (!strcmp(format, others[i].format)) return others[i].dtype;
  if (!*format || format[1] || size > 8) return ONR_DTYPE_NONE;
  if (strchr("bhilqn", *format)) return of_signed[size];
  if (strchr("BHILQN", *format)) return of_unsigned[size];
  return ONR_DTYPE_NONE;
}

static int set_shape(struct onr_desc *desc, enum onr_dtype dtype, Py_ssize_t rank, const int64_t *dims) {
  if (rank <= ONR_MAX_RANK) {
    *desc = onr_desc_make(dtype, (int32_t)rank, dims);
    return 0;
  }
  raise_status(ONR_STATUS_ARGUMENT, "an array has %zd dimensions, expected at most %d", rank, ONR_MAX_RANK);
  return -1;
}

static int read_buffer(struct value *value, PyObject *object) {
  int64_t dims[ONR_MAX_RANK] = {0};
  if (PyObject_GetBuffer(object, &value->view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) return -1;
  value->has_view = 1;
  const Py_buffer *view = &value->view;
  const enum onr_dtype dtype = dtype_of_format(view->format, view->itemsize);
  if (!dtype) {
    PyErr_Format(PyExc_TypeError, "elements of format '%s' have no ONNX type", view->format);
    return -1;
  }
  for (int d = 0; d < view->ndim && d < ONR_MAX_RANK; d++) dims[d] = view->shape[d];
  value->tensor.data = view->buf;
  return set_shape(&value->tensor.desc, dtype, view->ndim, dims);
}

static int read_shape(struct onr_desc *desc, enum onr_dtype dtype, PyObject *shape) {
  int64_t dims[ONR_MAX_RANK] = {0};
  const Py_ssize_t rank = PyTuple_Size(shape);
  if (rank < 0) return -1;
  for (Py_ssize_t d = 0; d < rank && d < ONR_MAX_RANK; d++) {
    dims[d] = PyLong_AsLongLong(PyTuple_GetItem(shape, d));
    if (dims[d] < 0) {
      if (!PyErr_Occurred()) raise_status(ONR_STATUS_ARGUMENT, "a dimension is %lld", (long long)dims[d]);
      return -1;
    }
  }
  return set_shape(desc, dtype, rank, dims);
}

/* Bytes of a type that the buffer protocol has no letter for. */
static int read_bytes(struct value *value, PyObject *data) {
  if (PyObject_GetBuffer(data, &value->view, PyBUF_C_CONTIGUOUS) < 0) return -1;
  value->has_view = 1;
  value->tensor.data = value->view.buf;
  if ((size_t)value->view.len == onr_desc_bytes(&value->tensor.desc)) return 0;
  raise_status(ONR_STATUS_ARGUMENT, "the array has %zd bytes, its type and shape ask for %zu", value->view.len,
               onr_desc_bytes(&value->tensor.desc));
  return -1;
}

static int read_string(struct onr_string *string, PyObject *object) {
  Py_ssize_t length;
  char *bytes;
  if (PyUnicode_Check(object)) string->text = PyUnicode_AsUTF8AndSize(object, &length);
  else if (PyBytes_Check(object) && !PyBytes_AsStringAndSize(object, &bytes, &length)) string->text = bytes;
  else if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "expected a str, found %R", object);
  if (PyErr_Occurred()) return -1;
  string->length = (size_t)length;
  return 0;
}

/* The strings stay Python's, which the list keeps. */
static int read_strings(struct value *value, PyObject *list) {
  const Py_ssize_t count = PyList_Size(list);
  if (count < 0) return -1;
  if (count != onr_desc_elements(&value->tensor.desc)) {
    raise_status(ONR_STATUS_ARGUMENT, "there are %zd strings, the shape asks for %lld", count,
                 (long long)onr_desc_elements(&value->tensor.desc));
    return -1;
  }
  struct onr_string *strings = PyMem_Calloc((size_t)count + 1, sizeof(*strings));
  value->memory = value->tensor.data = strings;
  if (!strings) return PyErr_NoMemory(), -1;
  for (Py_ssize_t i = 0; i < count; i++)
    if (read_string(&strings[i], PyList_GetItem(list, i)) < 0) return -1;
  return 0;
}

/* Entries may be containers: lists in lists. Python's own limit ends what is too deep. */
static int read_container(struct value *value, enum onr_dtype kind, PyObject *list) {
  const Py_ssize_t count = PyList_Size(list);
  struct onr_tensor *tensors;
  struct value *entries;
  int result = -1;
  if (count < 0 || Py_EnterRecursiveCall(" in a sequence")) return -1;
  entries = PyMem_Calloc((size_t)count + 1, sizeof(*entries));
  tensors = PyMem_Calloc((size_t)count + 1, sizeof(*tensors));
  if (!entries || !tensors) {
    PyErr_NoMemory();
    goto done;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    if (value_read(&entries[i], PyList_GetItem(list, i)) < 0) goto done;
    tensors[i] = entries[i].tensor;
  }
  value->tensor.desc = onr_sequence_desc(kind, tensors, count);
  value->memory = value->tensor.data = PyMem_Malloc((size_t)value->tensor.desc.dim[0]);
  if (!value->memory) {
    PyErr_NoMemory();
    goto done;
  }
  onr_sequence_write(tensors, count, value->memory);
  result = 0;
done:
  for (Py_ssize_t i = 0; entries && i < count; i++) value_clear(&entries[i]); /* strings are the list's */
  PyMem_Free(entries);
  PyMem_Free(tensors);
  Py_LeaveRecursiveCall();
  return result;
}

static int read_tuple(struct value *value, PyObject *tuple) {
  PyObject *shape, *data;
  int dtype;
  if (!PyArg_ParseTuple(tuple, "iO!O", &dtype, &PyTuple_Type, &shape, &data)) return -1;
  if (dtype == ONR_DTYPE_MAP || dtype == ONR_DTYPE_SEQUENCE || dtype == ONR_DTYPE_OPTIONAL)
    return read_container(value, (enum onr_dtype)dtype, data);
  if (read_shape(&value->tensor.desc, (enum onr_dtype)dtype, shape) < 0) return -1;
  return dtype == ONR_DTYPE_STRING ? read_strings(value, data) : read_bytes(value, data);
}

int value_read(struct value *value, PyObject *object) {
  memset(value, 0, sizeof(*value));
  value->object = Py_NewRef(object);
  const int result = PyTuple_Check(object) ? read_tuple(value, object) : read_buffer(value, object);
  if (result < 0) value_clear(value);
  return result;
}

void value_clear(struct value *value) {
  if (value->has_view) PyBuffer_Release(&value->view);
  PyMem_Free(value->memory);
  Py_XDECREF(value->object);
  memset(value, 0, sizeof(*value));
}

/* --- to Python --- */

PyObject *shape_write(const struct onr_desc *desc) {
  PyObject *shape = PyTuple_New(desc->rank);
  for (int32_t d = 0; shape && d < desc->rank; d++) {
    PyObject *dim = PyLong_FromLongLong(desc->dim[d]);
    if (!dim || PyTuple_SetItem(shape, d, dim) < 0) Py_CLEAR(shape);
  }
  return shape;
}

PyObject *value_array(const struct onr_desc *desc, PyObject *empty, Py_buffer *view) {
  PyObject *shape = shape_write(desc);
  PyObject *array = shape ? PyObject_CallFunction(empty, "Oi", shape, (int)desc->dtype) : NULL;
  Py_XDECREF(shape);
  if (!array) return NULL;
  if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE) < 0) {
    Py_DECREF(array);
    return NULL;
  }
  if ((size_t)view->len == onr_desc_bytes(desc)) return array;
  PyBuffer_Release(view);
  Py_DECREF(array);
  PyErr_SetString(PyExc_TypeError, "empty() made an array of another size");
  return NULL;
}

static PyObject *write_strings(const struct onr_tensor *tensor) {
  const struct onr_string *strings = tensor->data;
  const Py_ssize_t count = (Py_ssize_t)onr_desc_elements(&tensor->desc);
  PyObject *list = PyList_New(count), *shape;
  for (Py_ssize_t i = 0; list && i < count; i++) {
    PyObject *text = PyUnicode_DecodeUTF8(strings[i].text, (Py_ssize_t)strings[i].length, "surrogateescape");
    if (!text || PyList_SetItem(list, i, text) < 0) Py_CLEAR(list);
  }
  shape = list ? shape_write(&tensor->desc) : NULL;
  if (shape) return Py_BuildValue("(iNN)", (int)ONR_DTYPE_STRING, shape, list);
  Py_XDECREF(list);
  return NULL;
}

static PyObject *write_container(const struct onr_tensor *tensor, PyObject *empty) {
  const int64_t count = onr_sequence_length(tensor);
  PyObject *list = PyList_New(count < 0 ? 0 : (Py_ssize_t)count);
  if (Py_EnterRecursiveCall(" in a sequence")) Py_CLEAR(list);
  else {
    for (int64_t i = 0; list && i < count; i++) {
      const struct onr_tensor entry = onr_sequence_entry(tensor, i);
      PyObject *value = value_write(&entry, empty);
      if (!value || PyList_SetItem(list, (Py_ssize_t)i, value) < 0) Py_CLEAR(list);
    }
    Py_LeaveRecursiveCall();
  }
  return list ? Py_BuildValue("(iN)", (int)tensor->desc.dtype, list) : NULL;
}

PyObject *value_write(const struct onr_tensor *tensor, PyObject *empty) {
  const enum onr_dtype dtype = tensor->desc.dtype;
  Py_buffer view;
  if (dtype == ONR_DTYPE_STRING) return write_strings(tensor);
  if (dtype == ONR_DTYPE_MAP || dtype == ONR_DTYPE_SEQUENCE || dtype == ONR_DTYPE_OPTIONAL)
    return write_container(tensor, empty);
  PyObject *array = value_array(&tensor->desc, empty, &view);
  if (!array) return NULL;
  if (view.len) memcpy(view.buf, tensor->data, (size_t)view.len);
  PyBuffer_Release(&view);
  return Py_BuildValue("(iN)", (int)dtype, array);
}
