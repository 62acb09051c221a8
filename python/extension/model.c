/* model.c: the type Model. */
#include <string.h>
#include <unistd.h>

#include "extension.h"

PyTypeObject *model_type;

/* {"tensor_bytes": 1000} or {"tensor_bytes": "64MiB"} */
static int read_limits(struct onr_limits *limits, PyObject *dict) {
  PyObject *name, *value;
  Py_ssize_t position = 0;
  while (PyDict_Next(dict, &position, &name, &value)) {
    struct onr_error error = {0};
    PyObject *text = PyObject_Str(value);
    const char *key = text ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    const char *number = key ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
    const enum onr_status status = number ? onr_limits_set(limits, key, number, &error) : ONR_STATUS_OK;
    Py_XDECREF(text);
    if (!number) return -1;
    if (status != ONR_STATUS_OK) return raise_error(&error), -1;
  }
  return 0;
}

/* A path, or bytes of a file: bytes stay and are read in place, what may change is copied. */
struct load {
  PyObject *path;
  struct value *source;
  struct onr_model_options options;
};

static enum onr_status load(const struct load *load, struct onr_model **model, struct onr_error *error) {
  if (load->path) return onr_model_load(PyBytes_AsString(load->path), &load->options, model, error);
  return onr_model_load_memory(load->source->view.buf, (size_t)load->source->view.len, &load->options, model, error);
}

/* Ctrl-C ends it. */
static int load_interruptibly(struct model_object *self, struct load *from) {
  struct onr_cancel cancel = {0};
  struct interrupt interrupt;
  struct onr_error error;
  enum onr_status status;
  from->options.cancel = &cancel;
  errors_forget();
  interrupt_begin(&interrupt, &cancel);
  Py_BEGIN_ALLOW_THREADS;
  status = load(from, &self->model, &error);
  Py_END_ALLOW_THREADS;
  interrupt_end(&interrupt);
  if (status == ONR_STATUS_OK) return 0;
  if (status != ONR_STATUS_CANCELLED || !PyErr_CheckSignals()) raise_error(&error);
  return -1;
}

static int start_threads(struct model_object *self, unsigned count) {
  struct onr_error error;
  if (count == 1 || onr_threads_create(count, NULL, &self->threads, &error) == ONR_STATUS_OK) return 0;
  raise_error(&error);
  return -1;
}

static int open_source(struct model_object *self, PyObject *source, struct load *load) {
  if (PyUnicode_Check(source) || PyObject_HasAttrString(source, "__fspath__"))
    return PyUnicode_FSConverter(source, &load->path) ? 0 : -1;
  if (PyObject_GetBuffer(source, &self->source.view, PyBUF_SIMPLE) < 0) return -1;
  self->source.has_view = 1;
  load->source = &self->source;
  load->options.data_stays = PyBytes_Check(source);
  return 0;
}

static PyObject *model_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  static char *names[] = {"source", "threads",      "portable", "external_directory", "disabled_passes",
                          "packed", "packed_write", "limits",   "operators",          "fast",
                          NULL};
  PyObject *source, *limits = NULL, *operators = NULL;
  struct onr_limits own = onr_limits_init();
  struct load load = {.options = onr_model_options_init()};
  unsigned threads = 0;
  int portable = 0, fast = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$IpzzzpO!Op", names, &source, &threads, &portable,
                                   &load.options.external_directory, &load.options.disabled_passes,
                                   &load.options.packed, &load.options.packed_write, &PyDict_Type, &limits, &operators,
                                   &fast))
    return NULL;
  struct model_object *self = (struct model_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  self->process = getpid();
  if (limits && read_limits(&own, limits) < 0) goto fail;
  if (operators && operators != Py_None && !(self->operators = operators_create(operators))) goto fail;
  if (open_source(self, source, &load) < 0 || start_threads(self, threads) < 0) goto fail;
  load.options.limits = &own;
  load.options.threads = self->threads;
  load.options.registry = operators_registry(self->operators);
  load.options.precision = fast ? ONR_PRECISION_FAST : ONR_PRECISION_EXACT;
  load.options.backend = portable ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO;
  if (load_interruptibly(self, &load) < 0) goto fail;
  Py_XDECREF(load.path);
  if (!load.options.data_stays) value_clear(&self->source);
  return (PyObject *)self;
fail:
  Py_XDECREF(load.path);
  Py_DECREF(self);
  return NULL;
}

static int model_traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  return operators_visit(((struct model_object *)object)->operators, visit, arg);
}

static void model_dealloc(PyObject *object) {
  struct model_object *self = (struct model_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  onr_model_destroy(self->model);
  if (self->process == getpid()) onr_threads_destroy(self->threads);
  operators_destroy(self->operators);
  value_clear(&self->source);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

/* --- what it says about itself --- */

static PyObject *write_dim(const struct onr_value_info *info, int32_t d) {
  if (info->dim[d] != ONR_UNKNOWN_DIM) return PyLong_FromLongLong(info->dim[d]);
  if (info->dim_name[d])
    return PyUnicode_DecodeUTF8(info->dim_name[d], (Py_ssize_t)strlen(info->dim_name[d]), "replace");
  return Py_NewRef(Py_None);
}

/* (name, dtype, shape, type), the shape a tuple of int, str and None, or None; the type of what holds tensors, or None.
 */
static PyObject *write_info(const struct onr_value_info *info) {
  PyObject *shape = info->rank < 0 ? Py_NewRef(Py_None) : PyTuple_New(info->rank);
  for (int32_t d = 0; shape && d < info->rank; d++) {
    PyObject *dim = write_dim(info, d);
    if (!dim || PyTuple_SetItem(shape, d, dim) < 0) Py_CLEAR(shape);
  }
  return shape ? Py_BuildValue("(siNz)", info->name, (int)info->dtype, shape, info->type) : NULL;
}

static PyObject *write_infos(const struct onr_model *model, size_t count,
                             const struct onr_value_info *(*get)(const struct onr_model *, size_t)) {
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (size_t i = 0; list && i < count; i++) {
    PyObject *info = write_info(get(model, i));
    if (!info || PyList_SetItem(list, (Py_ssize_t)i, info) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *model_inputs(PyObject *object, PyObject *unused) {
  const struct onr_model *model = ((struct model_object *)object)->model;
  (void)unused;
  return write_infos(model, onr_model_num_inputs(model) + onr_model_num_defaults(model), onr_model_input);
}

static PyObject *model_outputs(PyObject *object, PyObject *unused) {
  const struct onr_model *model = ((struct model_object *)object)->model;
  (void)unused;
  return write_infos(model, onr_model_num_outputs(model), onr_model_output);
}

static PyObject *model_metadata(PyObject *object, PyObject *unused) {
  const struct onr_model *model = ((struct model_object *)object)->model;
  PyObject *dict = PyDict_New();
  (void)unused;
  for (size_t i = 0; dict && i < onr_model_num_properties(model); i++) {
    const struct onr_property *property = onr_model_property(model, i);
    PyObject *value = PyUnicode_DecodeUTF8(property->value.text, (Py_ssize_t)property->value.length, "replace");
    if (!value || PyDict_SetItemString(dict, property->key, value) < 0) Py_CLEAR(dict);
    Py_XDECREF(value);
  }
  return dict;
}

static PyObject *model_opsets(PyObject *object, PyObject *unused) {
  const struct onr_model *model = ((struct model_object *)object)->model;
  PyObject *dict = PyDict_New();
  (void)unused;
  for (size_t i = 0; dict && i < onr_model_num_opsets(model); i++) {
    const struct onr_opset *opset = onr_model_opset(model, i);
    PyObject *version = PyLong_FromLongLong(opset->version);
    if (!version || PyDict_SetItemString(dict, opset->domain, version) < 0) Py_CLEAR(dict);
    Py_XDECREF(version);
  }
  return dict;
}

static PyObject *model_info(PyObject *object, PyObject *unused) {
  static const char *const packed[] = {"none", "mapped", "written", "refused"};
  const struct model_object *self = (struct model_object *)object;
  struct onr_model_info info = onr_model_info_init();
  struct onr_error error = {.status = onr_model_get_info(self->model, &info)};
  (void)unused;
  if (error.status != ONR_STATUS_OK) return raise_error(&error);
  return Py_BuildValue(
      "{s:s,s:s,s:s,s:s,s:s,s:L,s:L,s:L,s:L,s:n,s:n,s:n,s:n,s:I,s:s,s:s}", "producer_name", info.producer_name,
      "producer_version", info.producer_version, "domain", info.domain, "graph_name", info.graph_name, "doc_string",
      info.doc_string, "model_version", (long long)info.model_version, "ir_version", (long long)info.ir_version,
      "opset", (long long)info.opset, "parameters", (long long)info.parameters, "weight_bytes",
      (Py_ssize_t)info.weight_bytes, "num_nodes_in_file", (Py_ssize_t)info.num_nodes_in_file, "num_nodes",
      (Py_ssize_t)info.num_nodes, "num_required_inputs", (Py_ssize_t)onr_model_num_inputs(self->model), "threads",
      (unsigned)onr_threads_count(self->threads), "packed", packed[info.packed], "packed_note", info.packed_note);
}

/* --- the function optimise --- */

PyObject *model_optimise(PyObject *module, PyObject *args, PyObject *keywords) {
  static char *names[] = {"path", "target", "disabled_passes", NULL};
  struct onr_model_options options = onr_model_options_init();
  struct onr_limits limits = onr_limits_init();
  PyObject *path = NULL, *target = NULL;
  struct onr_error error;
  enum onr_status status = ONR_STATUS_OK;
  (void)module;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O&O&|$z", names, PyUnicode_FSConverter, &path,
                                   PyUnicode_FSConverter, &target, &options.disabled_passes))
    return NULL;
  options.limits = &limits;
  Py_BEGIN_ALLOW_THREADS;
  status = onr_model_optimise(PyBytes_AsString(path), &options, PyBytes_AsString(target), NULL, &error);
  Py_END_ALLOW_THREADS;
  Py_DECREF(path);
  Py_DECREF(target);
  if (status == ONR_STATUS_OK) Py_RETURN_NONE;
  return raise_error(&error);
}

static PyMethodDef methods[] = {
    {"inputs", model_inputs, METH_NOARGS, "[(name, dtype, shape, type)], those with defaults last."},
    {"outputs", model_outputs, METH_NOARGS, "[(name, dtype, shape, type)]"},
    {"metadata", model_metadata, METH_NOARGS, "metadata_props of the file."},
    {"opsets", model_opsets, METH_NOARGS, "{domain: version}"},
    {"info", model_info, METH_NOARGS, "The fields of struct onr_model_info, and threads."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A model: Model(source, *, threads=0, portable=False, ...)"},
    {Py_tp_new, (void *)model_new},
    {Py_tp_traverse, (void *)model_traverse},
    {Py_tp_dealloc, (void *)model_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};
static PyType_Spec spec = {"onnxrun._onnxrun.Model", sizeof(struct model_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

int model_add(PyObject *module) {
  model_type = (PyTypeObject *)PyType_FromSpec(&spec);
  return model_type ? PyModule_AddType(module, model_type) : -1;
}
