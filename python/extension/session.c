/* session.c: the type Session. */
#include <string.h>

#include "extension.h"

struct session_object {
  PyObject ob_base;
  struct model_object *model;
  struct onr_threads *own; /* NULL: the model's */
  struct onr_session *session;
  struct onr_cancel cancel;
  int is_busy, is_asked_to_stop; /* under the GIL */
  size_t num_in, num_out;
  struct value *in;   /* [num_in] what the library may read */
  uint8_t *is_state;  /* [num_in] */
  uint8_t *is_wanted; /* [num_out] */
  Py_buffer *bound;   /* [num_out] obj NULL: none */
  PyObject **arrays;  /* [num_out] */
};

typedef enum onr_status step(struct onr_session *session, struct onr_error *error);

static int enter(struct session_object *self) {
  if (!self->is_busy) return self->is_busy = 1, 0;
  raise_status(ONR_STATUS_STATE, "the session is in use by another thread; give each thread a session of its own");
  return -1;
}

/* Ctrl-C ends it; where its handler raises nothing, the step is taken again. */
static int take(struct session_object *self, step *step) {
  struct onr_error error;
  enum onr_status status;
  do {
    Py_BEGIN_ALLOW_THREADS;
    status = step(self->session, &error);
    Py_END_ALLOW_THREADS;
    if (status == ONR_STATUS_OK) return 0;
    if (status != ONR_STATUS_CANCELLED || self->is_asked_to_stop) break;
    if (PyErr_CheckSignals() < 0) return -1;
    onr_cancel_clear(&self->cancel);
  } while (1);
  raise_error(&error);
  return -1;
}

/* --- a run --- */

static int set_inputs(struct session_object *self, PyObject *values) {
  for (size_t i = 0; i < self->num_in; i++) {
    PyObject *object = PySequence_GetItem(values, (Py_ssize_t)i);
    struct onr_error error;
    struct value value;
    if (!object) return -1;
    Py_DECREF(object); /* the list keeps it */
    if (object == Py_None) continue;
    if (value_read(&value, object) < 0) return -1;
    if (onr_session_set_input(self->session, i, &value.tensor, &error) != ONR_STATUS_OK) {
      value_clear(&value);
      raise_error(&error);
      return -1;
    }
    value_clear(&self->in[i]);
    self->in[i] = value;
  }
  return 0;
}

static int bind_outputs(struct session_object *self, PyObject *empty) {
  struct onr_error error;
  struct onr_desc desc;
  for (size_t i = 0; i < self->num_out; i++) {
    if (!self->is_wanted[i]) continue;
    if (onr_session_planned_output(self->session, i, &desc, &error) != ONR_STATUS_OK) return raise_error(&error), -1;
    if (!desc.dtype || desc.dtype == ONR_DTYPE_STRING || !onr_desc_elements(&desc)) continue;
    self->arrays[i] = value_array(&desc, empty, &self->bound[i]);
    if (!self->arrays[i]) return -1;
    if (onr_session_bind_output(self->session, i, self->bound[i].buf, (size_t)self->bound[i].len, &error) !=
        ONR_STATUS_OK)
      return raise_error(&error), -1;
  }
  return 0;
}

static PyObject *get_output(struct session_object *self, size_t i, PyObject *empty) {
  struct onr_error error;
  struct onr_tensor tensor;
  if (!self->is_wanted[i]) return Py_NewRef(Py_None);
  if (onr_session_get_output(self->session, i, &tensor, &error) != ONR_STATUS_OK) return raise_error(&error);
  if (self->arrays[i]) return Py_BuildValue("(iO)", (int)tensor.desc.dtype, self->arrays[i]);
  return value_write(&tensor, empty);
}

static PyObject *get_outputs(struct session_object *self, PyObject *empty) {
  PyObject *list = PyList_New((Py_ssize_t)self->num_out);
  for (size_t i = 0; list && i < self->num_out; i++) {
    PyObject *value = get_output(self, i, empty);
    if (!value || PyList_SetItem(list, (Py_ssize_t)i, value) < 0) Py_CLEAR(list);
  }
  return list;
}

/* Memory that is the caller's is the library's no longer. What a state was set to stays until a run has gone on from
 * it. */
static void let_go(struct session_object *self, int has_run) {
  for (size_t i = 0; i < self->num_out; i++) {
    if (!self->arrays[i]) continue;
    onr_session_bind_output(self->session, i, NULL, 0, NULL);
    PyBuffer_Release(&self->bound[i]);
    Py_CLEAR(self->arrays[i]);
  }
  for (size_t i = 0; i < self->num_in; i++) {
    if (!self->in[i].object || (self->is_state[i] && !has_run)) continue;
    if (!self->is_state[i]) onr_session_set_input(self->session, i, NULL, NULL);
    value_clear(&self->in[i]);
  }
}

/* What was asked before it was cleared is still asked for: stop.terminate. */
static int clear_cancel(struct session_object *self, PyObject *stop) {
  onr_cancel_clear(&self->cancel);
  self->is_asked_to_stop = 0;
  PyObject *terminate = stop == Py_None ? Py_NewRef(Py_False) : PyObject_GetAttrString(stop, "terminate");
  const int is_set = terminate ? PyObject_IsTrue(terminate) : -1;
  Py_XDECREF(terminate);
  if (is_set > 0) {
    self->is_asked_to_stop = 1;
    onr_cancel_set(&self->cancel);
  }
  return is_set < 0 ? -1 : 0;
}

static PyObject *session_run(PyObject *object, PyObject *args) {
  struct session_object *self = (struct session_object *)object;
  PyObject *values, *empty, *stop = Py_None, *results = NULL;
  struct interrupt interrupt;
  int has_run = 0;
  if (!PyArg_ParseTuple(args, "OO|O", &values, &empty, &stop) || enter(self) < 0) return NULL;
  errors_forget();
  if (clear_cancel(self, stop) < 0) return self->is_busy = 0, NULL;
  interrupt_begin(&interrupt, &self->cancel);
  if (set_inputs(self, values) == 0 && take(self, onr_session_plan) == 0 && bind_outputs(self, empty) == 0)
    has_run = take(self, onr_session_run) == 0;
  interrupt_end(&interrupt);
  if (has_run) results = get_outputs(self, empty);
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback); /* arrays may run Python when they go */
  let_go(self, has_run);
  PyErr_Restore(type, value, traceback);
  self->is_busy = 0;
  return results;
}

static PyObject *session_cancel(PyObject *object, PyObject *unused) {
  struct session_object *self = (struct session_object *)object;
  (void)unused;
  self->is_asked_to_stop = 1;
  onr_cancel_set(&self->cancel);
  Py_RETURN_NONE;
}

/* --- what it is asked to compute --- */

static PyObject *session_want(PyObject *object, PyObject *args) {
  struct session_object *self = (struct session_object *)object;
  size_t *indices = PyMem_Calloc(self->num_out + 1, sizeof(*indices)), count = 0;
  struct onr_error error = {0};
  PyObject *wanted;
  if (!indices) return PyErr_NoMemory();
  if (!PyArg_ParseTuple(args, "O", &wanted)) goto fail;
  if (wanted != Py_None) {
    const Py_ssize_t length = PySequence_Size(wanted);
    for (Py_ssize_t k = 0; k < length && count < self->num_out; k++) {
      PyObject *item = PySequence_GetItem(wanted, k);
      indices[count++] = item ? PyLong_AsSize_t(item) : 0;
      Py_XDECREF(item);
    }
    if (!count && !PyErr_Occurred()) raise_status(ONR_STATUS_ARGUMENT, "no output is wanted");
  }
  if (PyErr_Occurred() || enter(self) < 0) goto fail;
  const enum onr_status status = onr_session_want_outputs(self->session, indices, count, &error);
  for (size_t i = 0; status == ONR_STATUS_OK && i < self->num_out; i++) self->is_wanted[i] = !count;
  for (size_t k = 0; status == ONR_STATUS_OK && k < count; k++) self->is_wanted[indices[k]] = 1;
  self->is_busy = 0;
  if (status != ONR_STATUS_OK) {
    raise_error(&error);
    goto fail;
  }
  PyMem_Free(indices);
  Py_RETURN_NONE;
fail:
  PyMem_Free(indices);
  return NULL;
}

/* [(output, input)] of all states */
static PyObject *list_states(struct session_object *self) {
  const size_t count = onr_session_num_states(self->session);
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (size_t k = 0; list && k < count; k++) {
    size_t output = 0, input = 0;
    struct onr_error error;
    PyObject *pair = NULL;
    if (onr_session_state(self->session, k, &output, &input, &error) != ONR_STATUS_OK) raise_error(&error);
    else pair = Py_BuildValue("(nn)", (Py_ssize_t)output, (Py_ssize_t)input);
    if (pair) self->is_state[input] = 1;
    if (!pair || PyList_SetItem(list, (Py_ssize_t)k, pair) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *session_add_states(PyObject *object, PyObject *args) {
  struct session_object *self = (struct session_object *)object;
  const char *names = NULL;
  struct onr_error error;
  if (!PyArg_ParseTuple(args, "|z", &names) || enter(self) < 0) return NULL;
  const enum onr_status status = onr_session_add_states(self->session, names, NULL, &error);
  self->is_busy = 0;
  return status == ONR_STATUS_OK ? list_states(self) : raise_error(&error);
}

static PyObject *session_reset_states(PyObject *object, PyObject *unused) {
  struct session_object *self = (struct session_object *)object;
  struct onr_error error;
  (void)unused;
  if (enter(self) < 0) return NULL;
  const enum onr_status status = onr_session_reset_states(self->session, &error);
  for (size_t i = 0; status == ONR_STATUS_OK && i < self->num_in; i++) value_clear(&self->in[i]);
  self->is_busy = 0;
  if (status != ONR_STATUS_OK) return raise_error(&error);
  Py_RETURN_NONE;
}

static PyObject *session_trim(PyObject *object, PyObject *unused) {
  struct session_object *self = (struct session_object *)object;
  struct onr_error error;
  (void)unused;
  if (enter(self) < 0) return NULL;
  const enum onr_status status = onr_session_trim(self->session, &error);
  self->is_busy = 0;
  if (status != ONR_STATUS_OK) return raise_error(&error);
  Py_RETURN_NONE;
}

/* --- what it tells --- */

static PyObject *write_node(const struct onr_node_info *info) {
  PyObject *shape = info->output.dtype && info->output.rank >= 0 ? shape_write(&info->output) : Py_NewRef(Py_None);
  if (!shape) return NULL;
  return Py_BuildValue("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:N,s:L,s:L,s:K,s:K,s:z}", "layer", info->layer, "op_type",
                       info->op_type, "name", info->name, "module_path", info->module_path, "source", info->source,
                       "kernel", onr_kernel_name(info->kernel), "method", onr_method_name(info->method), "input_type",
                       (int)info->input_type, "output_type", (int)info->output.dtype, "output_shape", shape,
                       "parameters", (long long)info->parameters, "multiply_adds", (long long)info->multiply_adds,
                       "runs", (unsigned long long)info->runs, "total_ns", (unsigned long long)info->total_ns, "note",
                       info->note);
}

static PyObject *session_nodes(PyObject *object, PyObject *unused) {
  struct session_object *self = (struct session_object *)object;
  (void)unused;
  if (enter(self) < 0) return NULL;
  const size_t count = onr_session_num_nodes(self->session);
  PyObject *list = PyList_New((Py_ssize_t)count);
  for (size_t i = 0; list && i < count; i++) {
    struct onr_node_info info = onr_node_info_init();
    struct onr_error error = {.status = onr_session_node(self->session, i, &info)};
    PyObject *node = error.status == ONR_STATUS_OK ? write_node(&info) : raise_error(&error);
    if (!node || PyList_SetItem(list, (Py_ssize_t)i, node) < 0) Py_CLEAR(list);
  }
  self->is_busy = 0;
  return list;
}

static PyObject *session_bytes(PyObject *object, PyObject *unused) {
  struct session_object *self = (struct session_object *)object;
  (void)unused;
  if (enter(self) < 0) return NULL;
  const size_t arena = onr_session_arena_bytes(self->session), total = onr_session_total_bytes(self->session);
  self->is_busy = 0;
  return Py_BuildValue("(nn)", (Py_ssize_t)arena, (Py_ssize_t)total);
}

/* --- life --- */

static int allocate(struct session_object *self) {
  const struct onr_model *model = self->model->model;
  self->num_in = onr_model_num_inputs(model) + onr_model_num_defaults(model);
  self->num_out = onr_model_num_outputs(model);
  self->in = PyMem_Calloc(self->num_in + 1, sizeof(*self->in));
  self->is_state = PyMem_Calloc(self->num_in + 1, 1);
  self->is_wanted = PyMem_Calloc(self->num_out + 1, 1);
  self->bound = PyMem_Calloc(self->num_out + 1, sizeof(*self->bound));
  self->arrays = PyMem_Calloc(self->num_out + 1, sizeof(*self->arrays));
  if (!self->in || !self->is_state || !self->is_wanted || !self->bound || !self->arrays) return PyErr_NoMemory(), -1;
  memset(self->is_wanted, 1, self->num_out);
  return 0;
}

static PyObject *session_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  static char *names[] = {"model", "threads", "profile", "cache_int8", NULL};
  struct onr_session_options options = onr_session_options_init();
  PyObject *model, *threads = Py_None;
  struct onr_error error;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!|$Opp", names, model_type, &model, &threads, &options.profile,
                                   &options.cache_int8))
    return NULL;
  const long count = threads == Py_None ? 0 : PyLong_AsLong(threads);
  if (PyErr_Occurred()) return NULL;
  if (count < 0)
    return raise_status(ONR_STATUS_ARGUMENT, "expected a number of threads, 0 for all cores; found %ld", count);
  struct session_object *self = (struct session_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  self->model = (struct model_object *)Py_NewRef(model);
  if (allocate(self) < 0) goto fail;
  if (threads != Py_None && onr_threads_create((uint32_t)count, NULL, &self->own, &error) != ONR_STATUS_OK) {
    raise_error(&error);
    goto fail;
  }
  options.threads = self->own ? self->own : self->model->threads;
  options.cancel = &self->cancel;
  if (onr_session_create(self->model->model, &options, &self->session, &error) == ONR_STATUS_OK)
    return (PyObject *)self;
  raise_error(&error);
fail:
  Py_DECREF(self);
  return NULL;
}

static int session_traverse(PyObject *object, visitproc visit, void *arg) {
  struct session_object *self = (struct session_object *)object;
  Py_VISIT(Py_TYPE(object));
  Py_VISIT((PyObject *)self->model);
  return 0;
}

static int session_clear(PyObject *object) {
  struct session_object *self = (struct session_object *)object;
  onr_session_destroy(self->session); /* before its model */
  self->session = NULL;
  Py_CLEAR(self->model);
  return 0;
}

static void session_dealloc(PyObject *object) {
  struct session_object *self = (struct session_object *)object;
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  onr_session_destroy(self->session);
  onr_threads_destroy(self->own);
  for (size_t i = 0; self->in && i < self->num_in; i++) value_clear(&self->in[i]);
  PyMem_Free(self->in);
  PyMem_Free(self->is_state);
  PyMem_Free(self->is_wanted);
  PyMem_Free(self->bound);
  PyMem_Free(self->arrays);
  Py_XDECREF((PyObject *)self->model);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"run", session_run, METH_VARARGS,
     "run(values, empty, stop=None) -> values: one for each input, None where it is left out; see value_read and "
     "value_write. It ends when stop.terminate is true."},
    {"cancel", session_cancel, METH_NOARGS, "Ends the run that is under way, from another thread."},
    {"want", session_want, METH_VARARGS, "want(indices or None): compute these outputs alone."},
    {"add_states", session_add_states, METH_VARARGS, "add_states(names=None) -> [(output, input)], all there are."},
    {"reset_states", session_reset_states, METH_NOARGS, "The next run begins anew."},
    {"trim", session_trim, METH_NOARGS, "Gives back memory."},
    {"nodes", session_nodes, METH_NOARGS, "The nodes of the plan as dicts."},
    {"bytes", session_bytes, METH_NOARGS, "(of the arena, of all that it holds)"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "One stream of runs: Session(model, *, threads=None, profile=False)"},
    {Py_tp_new, (void *)session_new},
    {Py_tp_traverse, (void *)session_traverse},
    {Py_tp_clear, (void *)session_clear},
    {Py_tp_dealloc, (void *)session_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};
static PyType_Spec spec = {"onnxrun._onnxrun.Session", sizeof(struct session_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

int session_add(PyObject *module) {
  PyTypeObject *type = (PyTypeObject *)PyType_FromSpec(&spec);
  const int result = type ? PyModule_AddType(module, type) : -1;
  Py_XDECREF((PyObject *)type);
  return result;
}
