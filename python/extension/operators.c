/* operators.c: layers written in Python. python/onnxrun/_operators.py wraps the user's class: an object of the wrapper
 * is a node's parameters, and has infer and run for values as values.c writes and reads them. Inputs are copied, so
 * that Python may keep them. */
#include <string.h>

#include "extension.h"

struct layer {
  struct onr_layer layer; /* first: what onr_node_layer tells is this struct */
  PyObject *wrapper;      /* a callable that makes the object of a node */
  struct operators *operators;
};

struct operators {
  struct onr_registry *registry;
  PyObject *nodes; /* list: what parameters point to */
  PyObject *empty;
  Py_ssize_t count;
  struct layer layers[];
};

/* --- attributes --- */

static PyObject *write_text(struct onr_string text) {
  return PyUnicode_DecodeUTF8(text.text, (Py_ssize_t)text.length, "surrogateescape");
}

/* A list of `count` attributes' parts, part(i, values) making each. */
static PyObject *write_list(size_t count, const void *values, PyObject *(*part)(const void *values, size_t i)) {
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (size_t i = 0; list && i < count; i++) {
    PyObject *item = part(values, i);
    if (!item || PyList_SetItem(list, (Py_ssize_t)i, item) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *part_int(const void *values, size_t i) { return PyLong_FromLongLong(((const int64_t *)values)[i]); }
static PyObject *part_float(const void *values, size_t i) {
  return PyFloat_FromDouble((double)((const float *)values)[i]);
}
static PyObject *part_string(const void *values, size_t i) {
  return write_text(((const struct onr_string *)values)[i]);
}

static PyObject *write_plural(const struct onr_node *node, const char *name, enum onr_attribute kind) {
  const size_t count = kind == ONR_ATTRIBUTE_INTS     ? onr_node_ints(node, name, NULL, 0)
                       : kind == ONR_ATTRIBUTE_FLOATS ? onr_node_floats(node, name, NULL, 0)
                                                      : onr_node_strings(node, name, NULL, 0);
  void *values = PyMem_Calloc(count + 1, sizeof(struct onr_string)); /* the largest of the three */
  PyObject *list = NULL;
  if (!values) return PyErr_NoMemory();
  if (kind == ONR_ATTRIBUTE_INTS) {
    onr_node_ints(node, name, values, count);
    list = write_list(count, values, part_int);
  } else if (kind == ONR_ATTRIBUTE_FLOATS) {
    onr_node_floats(node, name, values, count);
    list = write_list(count, values, part_float);
  } else {
    onr_node_strings(node, name, values, count);
    list = write_list(count, values, part_string);
  }
  PyMem_Free(values);
  return list;
}

/* Tensors as value_write has them. */
static PyObject *write_attribute(const struct onr_node *node, const char *name, enum onr_attribute kind,
                                 PyObject *empty) {
  struct onr_tensor tensor;
  switch (kind) {
    case ONR_ATTRIBUTE_INT: return PyLong_FromLongLong(onr_node_int(node, name, 0));
    case ONR_ATTRIBUTE_FLOAT: return PyFloat_FromDouble(onr_node_float(node, name, 0));
    case ONR_ATTRIBUTE_STRING: return write_text(onr_node_string(node, name, ""));
    case ONR_ATTRIBUTE_INTS:
    case ONR_ATTRIBUTE_FLOATS:
    case ONR_ATTRIBUTE_STRINGS: return write_plural(node, name, kind);
    case ONR_ATTRIBUTE_TENSOR:
      return onr_node_tensor(node, name, &tensor) ? value_write(&tensor, empty) : Py_NewRef(Py_None);
  }
  PyErr_Format(PyExc_NotImplementedError, "attribute '%s' is of a kind that operators in Python cannot take", name);
  return NULL;
}

static PyObject *write_attributes(const struct onr_node *node, PyObject *empty) {
  PyObject *dict = PyDict_New();
  for (size_t i = 0; dict && i < onr_node_num_attributes(node); i++) {
    enum onr_attribute kind;
    const char *name = onr_node_attribute(node, i, &kind);
    PyObject *value = write_attribute(node, name, kind, empty);
    if (!value || PyDict_SetItemString(dict, name, value) < 0) Py_CLEAR(dict);
    Py_XDECREF(value);
  }
  return dict;
}

static enum onr_status parse(const struct onr_node *node, void *params, struct onr_error *error) {
  const PyGILState_STATE gil = PyGILState_Ensure();
  const struct layer *layer = (const struct layer *)onr_node_layer(node);
  PyObject *attributes = write_attributes(node, layer->operators->empty);
  PyObject *object = attributes ? PyObject_CallFunctionObjArgs(layer->wrapper, attributes, NULL) : NULL;
  enum onr_status status = ONR_STATUS_OK;
  if (!object || PyList_Append(layer->operators->nodes, object) < 0) status = errors_keep(error);
  else memcpy(params, &object, sizeof(object));
  Py_XDECREF(object); /* the list has it */
  Py_XDECREF(attributes);
  PyGILState_Release(gil);
  return status;
}

/* --- a call --- */

/* What the functions below share: the object of the node, and its operators. */
struct node {
  PyObject *object, *empty;
};

static struct node node_of(const struct onr_call *call) {
  struct node node = {0};
  memcpy(&node.object, call->params, sizeof(node.object));
  node.empty = PyObject_GetAttrString(node.object, "empty");
  return node;
}

/* Input i: None where omitted; (dtype, shape, value or None) for infer, the value for run. */
static PyObject *write_input(const struct onr_call *call, size_t i, int is_run, PyObject *empty) {
  const struct onr_tensor tensor = {call->in[i], (void *)(uintptr_t)call->inputs[i]};
  if (!tensor.desc.dtype) return Py_NewRef(Py_None);
  if (is_run) return value_write(&tensor, empty);
  PyObject *shape = shape_write(&tensor.desc);
  const int is_known = tensor.data || !onr_desc_elements(&tensor.desc);
  PyObject *value = !shape ? NULL : is_known ? value_write(&tensor, empty) : Py_NewRef(Py_None);
  if (value) return Py_BuildValue("(iNN)", (int)tensor.desc.dtype, shape, value);
  Py_XDECREF(shape);
  return NULL;
}

/* method(inputs, number of outputs): a list that has as many. */
static PyObject *ask(const struct onr_call *call, const char *method, int is_run) {
  const struct node node = node_of(call);
  PyObject *inputs = node.empty ? PyList_New((Py_ssize_t)call->num_in) : NULL, *results = NULL;
  for (size_t i = 0; inputs && i < call->num_in; i++) {
    PyObject *input = write_input(call, i, is_run, node.empty);
    if (!input || PyList_SetItem(inputs, (Py_ssize_t)i, input) < 0) Py_CLEAR(inputs);
  }
  if (inputs) results = PyObject_CallMethod(node.object, method, "Nn", inputs, (Py_ssize_t)call->num_out);
  Py_XDECREF(node.empty);
  return results;
}

/* (dtype, shape) */
static int read_desc(struct onr_desc *desc, PyObject *pair) {
  int64_t dims[ONR_MAX_RANK] = {0};
  PyObject *shape;
  int dtype;
  if (!PyArg_ParseTuple(pair, "iO!", &dtype, &PyTuple_Type, &shape)) return -1;
  const Py_ssize_t rank = PyTuple_Size(shape);
  for (Py_ssize_t d = 0; d < rank && d < ONR_MAX_RANK; d++) dims[d] = PyLong_AsLongLong(PyTuple_GetItem(shape, d));
  if (rank > ONR_MAX_RANK) PyErr_Format(PyExc_ValueError, "%zd dimensions, expected at most %d", rank, ONR_MAX_RANK);
  if (PyErr_Occurred()) return -1;
  *desc = onr_desc_make((enum onr_dtype)dtype, (int32_t)rank, dims);
  return 0;
}

static enum onr_status infer(struct onr_call *call) {
  const PyGILState_STATE gil = PyGILState_Ensure();
  PyObject *results = ask(call, "infer", 0);
  int failed = !results;
  for (size_t i = 0; !failed && i < call->num_out; i++)
    failed = read_desc(&call->out[i], PyList_GetItem(results, (Py_ssize_t)i)) < 0;
  const enum onr_status status = failed ? errors_keep(call->error) : ONR_STATUS_OK;
  Py_XDECREF(results);
  PyGILState_Release(gil);
  return status;
}

static enum onr_status write_strings(struct onr_call *call, const struct onr_tensor *from, struct onr_string *to) {
  const struct onr_string *strings = from->data;
  for (int64_t i = 0; i < onr_desc_elements(&from->desc); i++) {
    char *text = onr_call_text(call, strings[i].length + 1);
    if (!text) return onr_fail(call->error, ONR_STATUS_NO_MEMORY, "no memory for strings");
    memcpy(text, strings[i].text, strings[i].length);
    to[i] = (struct onr_string){text, strings[i].length};
  }
  return ONR_STATUS_OK;
}

static enum onr_status take_output(struct onr_call *call, size_t i, const struct onr_tensor *from, int is_dynamic) {
  void *to = call->outputs[i];
  char said[160], made[160];
  if (is_dynamic) {
    ONR_TRY(onr_call_resize(call, i, &from->desc, &to));
  } else if (call->out[i].dtype && !onr_desc_equal(&from->desc, &call->out[i])) {
    return onr_fail(call->error, ONR_STATUS_SHAPE, "output %zu: its shape function said %s, its run function made %s",
                    i, onr_desc_format(&call->out[i], said, sizeof(said)),
                    onr_desc_format(&from->desc, made, sizeof(made)));
  }
  if (!to || !call->out[i].dtype) return ONR_STATUS_OK; /* not wanted */
  if (from->desc.dtype == ONR_DTYPE_STRING) return write_strings(call, from, to);
  if (onr_desc_bytes(&from->desc)) memcpy(to, from->data, onr_desc_bytes(&from->desc));
  return ONR_STATUS_OK;
}

static enum onr_status run_with(struct onr_call *call, int is_dynamic) {
  const PyGILState_STATE gil = PyGILState_Ensure();
  PyObject *results = ask(call, "run", 1);
  enum onr_status status = results ? ONR_STATUS_OK : errors_keep(call->error);
  for (size_t i = 0; status == ONR_STATUS_OK && i < call->num_out; i++) {
    struct value value;
    if (value_read(&value, PyList_GetItem(results, (Py_ssize_t)i)) < 0) {
      status = errors_keep(call->error);
    } else {
      status = take_output(call, i, &value.tensor, is_dynamic);
      value_clear(&value);
    }
  }
  Py_XDECREF(results);
  PyGILState_Release(gil);
  return status;
}

static enum onr_status run(struct onr_call *call) { return run_with(call, 0); }
static enum onr_status run_dynamic(struct onr_call *call) { return run_with(call, 1); }

/* --- the registry --- */

/* (domain, op_type, wrapper, is_dynamic, is_impure, shape_inputs) */
static int add(struct operators *operators, struct layer *layer, PyObject *row) {
  int is_dynamic, is_impure;
  unsigned shape_inputs;
  const char *domain, *op_type;
  struct onr_error error;
  if (!PyArg_ParseTuple(row, "ssOppI", &domain, &op_type, &layer->wrapper, &is_dynamic, &is_impure, &shape_inputs)) {
    layer->wrapper = NULL;
    return -1;
  }
  Py_INCREF(layer->wrapper);
  layer->operators = operators;
  layer->layer = (struct onr_layer){
      .name = "python",
      .inputs_max = ONR_VARIADIC,
      .outputs_min = 1,
      .outputs_max = ONR_VARIADIC,
      .flags = ONR_LAYER_TEXT + (is_dynamic ? ONR_LAYER_DYNAMIC : 0u) + (is_impure ? ONR_LAYER_IMPURE : 0u),
      .shape_inputs = shape_inputs,
      .params_size = sizeof(PyObject *),
      .infer = infer,
      .run = is_dynamic ? run_dynamic : run,
  };
  if (onr_registry_add(operators->registry, domain, op_type, &layer->layer, parse, &error) == ONR_STATUS_OK) return 0;
  raise_error(&error);
  return -1;
}

static PyObject *find_empty(void) {
  PyObject *module = PyImport_ImportModule("onnxrun._values");
  PyObject *empty = module ? PyObject_GetAttrString(module, "empty") : NULL;
  Py_XDECREF(module);
  return empty;
}

struct operators *operators_create(PyObject *rows) {
  const Py_ssize_t count = PyTuple_Size(rows);
  struct operators *operators =
      count < 0 ? NULL : PyMem_Calloc(1, sizeof(*operators) + (size_t)count * sizeof(struct layer));
  struct onr_error error;
  if (!operators) return count < 0 ? NULL : (void *)PyErr_NoMemory();
  operators->nodes = PyList_New(0);
  operators->empty = find_empty();
  if (!operators->nodes || !operators->empty) goto fail;
  if (onr_registry_create(NULL, &operators->registry, &error) != ONR_STATUS_OK) {
    raise_error(&error);
    goto fail;
  }
  for (; operators->count < count; operators->count++)
    if (add(operators, &operators->layers[operators->count], PyTuple_GetItem(rows, operators->count)) < 0) {
      Py_XDECREF(operators->layers[operators->count].wrapper);
      goto fail;
    }
  return operators;
fail:
  operators_destroy(operators);
  return NULL;
}

void operators_destroy(struct operators *operators) {
  if (!operators) return;
  onr_registry_destroy(operators->registry);
  for (Py_ssize_t i = 0; i < operators->count; i++) Py_DECREF(operators->layers[i].wrapper);
  Py_XDECREF(operators->nodes);
  Py_XDECREF(operators->empty);
  PyMem_Free(operators);
}

const struct onr_registry *operators_registry(const struct operators *operators) {
  return operators ? operators->registry : NULL;
}

int operators_visit(const struct operators *operators, visitproc visit, void *arg) {
  if (!operators) return 0;
  Py_VISIT(operators->nodes);
  for (Py_ssize_t i = 0; i < operators->count; i++) Py_VISIT(operators->layers[i].wrapper);
  return 0;
}
