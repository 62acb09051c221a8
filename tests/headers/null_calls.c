/* null_calls.c: every public function with NULL for each of its pointers, one at a time, and for all of them. Each call
 * is made in a process of its own: none may crash, and what onnxrun.h says of NULL must come back. */
#include "onnxrun/nn.h"
#include "onnxrun/onnxrun.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onnxrun/layer.h"
#include "onnxrun/compile.h"
#include "onnxrun/operators.h"
#include "onnxrun/tensor_file.h"
#include "headers/null_calls.h"

/* Where branches are counted (tools/coverage), those of the copies are, too. */
extern int __llvm_profile_write_file(void) __attribute__((weak));

static void check(enum onr_status status, const struct onr_error *error) {
  if (status == ONR_STATUS_OK) return;
  fprintf(stderr, "the fixture: %s\n", error->message);
  _exit(3);
}

static struct fixture make_fixture(void) {
  struct fixture f = {.value = -1};
  struct onr_error e;
  struct onr_net *net;
  const int64_t dims[] = {1, 2, 4, 4};
  static float data[32];
  check(onr_net_create(NULL, &net, &e), &e);
  onr_net_output(net, "y", onr_relu(net, onr_net_input(net, "x", ONR_DTYPE_F32, 4, dims)));
  check(onr_net_finish(net, &f.model, &e), &e);
  check(onr_session_create(f.model, NULL, &f.session, &e), &e);
  check(onr_session_set_input(f.session, 0, &(struct onr_tensor){onr_desc_make(ONR_DTYPE_F32, 4, dims), data}, &e), &e);
  check(onr_session_run(f.session, &e), &e);
  check(onr_threads_create(1, NULL, &f.threads, &e), &e);
  check(onr_registry_create(NULL, &f.registry, &e), &e);
  check(onr_net_create(NULL, &f.net, &e), &e);
  f.x = onr_net_input(f.net, "x", ONR_DTYPE_F32, 4, dims);
  onr_net_output(f.net, "y", onr_relu(f.net, f.x));
  return f;
}

static enum onr_status run_nothing(struct onr_call *call) {
  (void)call;
  return ONR_STATUS_OK;
}

static void do_nothing(void) {}

void *given(struct fixture *f, const char *type, int stars) {
  static union {
    char bytes[1 << 16]; /* whatever is asked for, all zero */
    void *pointer;
    double number;
  } zeros;
  static void *made;
  static struct onr_desc desc = {.dtype = ONR_DTYPE_F32};
  static struct onr_tensor tensor = {.desc = {.dtype = ONR_DTYPE_F32}};
  static struct onr_layer layer = {.name = "nothing", .run = run_nothing};
  static struct onr_model_options model_options;
  static struct onr_session_options session_options;
  static struct onr_tensor_file_options file_options;
  static struct onr_limits limits;
  static struct onr_limit_info limit_info;
  static struct onr_model_info model_info;
  static struct onr_node_info node_info;
  static struct onr_op_info op_info;
  static struct onr_op_form op_form;
  static struct onr_thread_pool pool;
  static char text[64] = "1";
  const struct {
    const char *type;
    void *value;
  } ours[] = {{"onr_net", f->net},
              {"onr_model", f->model},
              {"onr_session", f->session},
              {"onr_threads", f->threads},
              {"onr_registry", f->registry},
              {"onr_error", &f->error},
              {"onr_env", NULL},  /* nobody but a layer has one, */
              {"onr_node", NULL}, /* and nobody but its parser */
              {"onr_allocator", NULL},
              {"onr_desc", &desc},
              {"onr_tensor", &tensor},
              {"onr_layer", &layer},
              {"onr_model_options", &model_options},
              {"onr_session_options", &session_options},
              {"onr_tensor_file_options", &file_options},
              {"onr_limits", &limits},
              {"onr_limit_info", &limit_info},
              {"onr_model_info", &model_info},
              {"onr_node_info", &node_info},
              {"onr_op_info", &op_info},
              {"onr_op_form", &op_form},
              {"onr_thread_pool", &pool},
              {"char", text}};
  tensor.data = calloc(1, 64); /* onr_tensor_release takes it */
  model_options = onr_model_options_init();
  session_options = onr_session_options_init();
  file_options = onr_tensor_file_options_init();
  limits = onr_limits_init();
  limit_info = onr_limit_info_init();
  model_info = onr_model_info_init();
  node_info = onr_node_info_init();
  op_info = onr_op_info_init();
  op_form = onr_op_form_init();
  pool = onr_thread_pool_init();
  if (stars > 1 && !strcmp(type, "void")) return &made;
  if (stars > 2) return (void *)do_nothing; /* a function */
  if (stars == 2) return &made;
  for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
    if (!strcmp(ours[i].type, type)) return ours[i].value;
  return &zeros;
}

/* What comes back, in words; NULL: what should. */
static const char *wrong(const struct function *function, struct fixture *f) {
  const int must_fail = (f->null & function->needed) != 0, has_error = !(f->null & function->error);
  struct onr_error error = {0};
  struct onr_model *model = NULL;
  if (!must_fail || function->kind == OTHER) return NULL;
  if (function->kind == STATUS && f->status != ONR_STATUS_ARGUMENT) return onr_status_name(f->status);
  if (function->kind == STATUS && function->error && has_error &&
      (f->error.status != f->status || !f->error.message[0]))
    return "ARGUMENT without a message";
  if (function->kind == STATUS) return NULL;
  if (f->value != -1) return "a value";
  if (f->null & 1) return NULL; /* no net to look at */
  if (onr_net_finish(f->net, &model, &error) != ONR_STATUS_ARGUMENT) return "a net that has not failed with ARGUMENT";
  return error.message[0] ? NULL : "ARGUMENT without a message";
}

static int try_call(const struct function *function, uint32_t null) {
  const pid_t child = fork();
  int status;
  if (child < 0) return perror("fork"), 1;
  if (child == 0) {
    struct fixture f = make_fixture();
    f.null = null;
    function->call(&f);
    const char *found = wrong(function, &f);
    if (found) fprintf(stderr, "%s, NULL for arguments %#x: %s\n", function->name, null, found);
    if (__llvm_profile_write_file) __llvm_profile_write_file();
    _exit(found != NULL);
  }
  if (waitpid(child, &status, 0) != child) return perror("waitpid"), 1;
  if (WIFEXITED(status)) return WEXITSTATUS(status) != 0;
  fprintf(stderr, "%s, NULL for arguments %#x: signal %d\n", function->name, null, WTERMSIG(status));
  return 1;
}

int main(void) {
  size_t calls = 0, failed = 0;
  for (size_t i = 0; i < num_functions; i++) {
    const struct function *function = &functions[i];
    for (uint32_t k = 0; k < 16; k++)
      if (function->pointers >> k & 1) calls++, failed += (size_t)try_call(function, 1u << k);
    calls++;
    failed += (size_t)try_call(function, function->pointers);
  }
  printf("%zu functions, %zu calls, %zu failed\n", num_functions, calls, failed);
  return failed != 0;
}
