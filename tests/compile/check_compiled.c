/* check_compiled.c: writes cases in the layout of ONNX's backend tests as C, has a compiler make one library of them,
 * runs them and compares.
 *
 * check_compiled FOLDER "CC FLAGS" CASE...   one line a case: "ok NAME", "FAIL NAME: reason", "UNSUPPORTED NAME:
 * reason", "skip NAME: reason". Exit 0 when none failed. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/numbers/cast.h"
#include "onnxrun/compile.h"
#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"

enum { MOST_VALUES = 32, GUARD = 64, PATH_SIZE = 4096 };

struct test_case {
  const char *folder, *name;
  size_t num_in, num_out;
  struct onr_tensor in[MOST_VALUES], out[MOST_VALUES];
  int fixed[MOST_VALUES]; /* inputs that are constants of the program */
  size_t arena;
  char reason[512];
  enum { READY, UNSUPPORTED, SKIPPED, FAILED } state;
};

static const char *root;

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void settle(struct test_case *c, int state, const char *reason) {
  c->state = state;
  snprintf(c->reason, sizeof(c->reason), "%s", reason);
}

/* --- writing --- */

struct files {
  size_t number;
  FILE *header, *source;
};

static int take(void *context, enum onr_source_part part, const void *data, size_t bytes) {
  struct files *f = context;
  FILE **file = part == ONR_PART_HEADER ? &f->header : &f->source;
  char path[PATH_SIZE];
  snprintf(path, sizeof(path), "%s/c%zu.%c", root, f->number, part == ONR_PART_HEADER ? 'h' : 'c');
  if (!*file) *file = fopen(path, "wb");
  return !*file || fwrite(data, 1, bytes, *file) != bytes;
}

static enum onr_status write_program(struct test_case *c, size_t number, const struct onr_model *model,
                                     struct onr_error *error) {
  char name[32];
  struct files files = {.number = number};
  struct onr_tensor inputs[MOST_VALUES];
  struct onr_compiled compiled = {.size = sizeof(compiled)};
  snprintf(name, sizeof(name), "c%zu", number);
  const struct onr_compile_options options = {.size = sizeof(options), .name = name, .write = take, .context = &files};
  for (size_t i = 0; i < c->num_in; i++) {
    inputs[i] = c->in[i];
    if (!c->fixed[i]) inputs[i].data = NULL;
  }
  const enum onr_status status = onr_model_compile(model, inputs, &options, &compiled, error);
  if (files.header) fclose(files.header);
  if (files.source) fclose(files.source);
  c->arena = compiled.arena_bytes;
  return status;
}

/* Numbers that decide shapes: without them as constants, there is nothing fixed to write. */
static int fix_numbers(struct test_case *c) {
  int any = 0;
  for (size_t i = 0; i < c->num_in; i++) {
    const enum onr_dtype t = c->in[i].desc.dtype;
    const int is_list = c->in[i].desc.rank < 2 && onr_desc_elements(&c->in[i].desc) <= 16;
    c->fixed[i] = is_list && (i > 0 || c->num_in == 1) &&
                  (t == ONR_DTYPE_I64 || t == ONR_DTYPE_I32 || t == ONR_DTYPE_BOOL || (t == ONR_DTYPE_F32 && i > 0));
    any |= c->fixed[i];
  }
  return any;
}

/* Values of one kind: input_0.pb ... */
static int read_values(struct test_case *c, const char *kind, size_t count, const struct onr_model *model,
                       struct onr_tensor *values) {
  struct onr_error error;
  if (count > MOST_VALUES) return 0;
  for (size_t i = 0; i < count; i++) {
    char path[PATH_SIZE];
    const struct onr_value_info *info = *kind == 'i' ? onr_model_input(model, i) : onr_model_output(model, i);
    snprintf(path, sizeof(path), "%s/test_data_set_0/%s_%zu.pb", c->folder, kind, i);
    if (onr_tensor_file_load(path, info->dtype, NULL, &values[i], NULL, 0, &error) != ONR_STATUS_OK) return 0;
  }
  return 1;
}

static void prepare(struct test_case *c, size_t number) {
  const struct onr_model_options options = {.size = sizeof(options), .for_source = 1, .backend = ONR_BACKEND_PORTABLE};
  struct onr_model *model;
  struct onr_error error = {0};
  char path[PATH_SIZE];
  snprintf(path, sizeof(path), "%s/model.onnx", c->folder);
  enum onr_status status = onr_model_load(path, &options, &model, &error);
  if (status != ONR_STATUS_OK) {
    settle(c, SKIPPED, error.message);
    return;
  }
  c->num_in = onr_model_num_inputs(model);
  c->num_out = onr_model_num_outputs(model);
  if (!read_values(c, "input", c->num_in, model, c->in) || !read_values(c, "output", c->num_out, model, c->out)) {
    settle(c, SKIPPED, "its values are not there");
  } else {
    status = write_program(c, number, model, &error);
    if (status == ONR_STATUS_UNSUPPORTED && fix_numbers(c)) status = write_program(c, number, model, &error);
    if (status != ONR_STATUS_OK) settle(c, status == ONR_STATUS_UNSUPPORTED ? UNSUPPORTED : FAILED, error.message);
  }
  onr_model_destroy(model);
}

/* --- compiling --- */

/* A function for each case that takes its arguments from arrays. */
static int write_table(const struct test_case *cases, size_t count) {
  char path[PATH_SIZE];
  snprintf(path, sizeof(path), "%s/table.c", root);
  FILE *f = fopen(path, "w");
  if (!f) return 0;
  for (size_t i = 0; i < count; i++) {
    if (cases[i].state != READY) continue;
    fprintf(
        f,
        "#include \"c%zu.h\"\nint call%zu(void **x, void **y, void *a);\nint call%zu(void **x, void **y, void *a) {\n  (void)x, (void)y;\n  return c%zu_run(",
        i, i, i, i);
    for (size_t k = 0; k < cases[i].num_in; k++)
      if (!cases[i].fixed[k]) fprintf(f, "x[%zu], ", k);
    for (size_t k = 0; k < cases[i].num_out; k++) fprintf(f, "y[%zu], ", k);
    fprintf(f, "a);\n}\n");
  }
  return !fclose(f);
}

static int run_compiler(const char *compiler) {
  char command[2 * PATH_SIZE];
  snprintf(
      command, sizeof(command),
      "cd '%s' && ls c*.c table.c | xargs -n 8 -P 2 %s -std=c11 -Wall -Wextra -Werror -fPIC -c && %s -shared -o cases.so *.o -lm",
      root, compiler, compiler);
  return system(command) == 0;
}

/* --- running --- */

static double value_of(const struct onr_tensor *t, size_t i) {
  double value = 0;
  onri_load_as(t->desc.dtype, (const char *)t->data + i * onr_dtype_size(t->desc.dtype), 1, ONRI_CLASS_F64, &value);
  return value;
}

static int agrees(const struct onr_tensor *found, const struct onr_tensor *expected, char *reason, size_t size) {
  const enum onr_dtype t = expected->desc.dtype;
  const double rtol = t == ONR_DTYPE_BF16 ? 1.0 / 64 : t == ONR_DTYPE_F16 ? 4e-3 : 1e-3;
  const double atol = t == ONR_DTYPE_BF16 || t == ONR_DTYPE_F16 ? 1e-3 : 1e-5;
  for (size_t i = 0; i < (size_t)onr_desc_elements(&expected->desc); i++) {
    const double a = value_of(found, i), b = value_of(expected, i);
    if (a == b || (a != a && b != b) || fabs(a - b) <= atol + rtol * fabs(b)) continue;
    snprintf(reason, size, "element %zu is %g instead of %g", i, a, b);
    return 0;
  }
  return 1;
}

/* Memory of exactly that size with a guard behind it, full of bytes that make NaN. */
static unsigned char *guarded(size_t bytes) {
  void *memory;
  if (posix_memalign(&memory, 64, bytes + GUARD)) abort();
  memset(memory, 0xff, bytes + GUARD);
  return memory;
}

static int is_whole(const unsigned char *memory, size_t bytes) {
  for (size_t i = 0; i < GUARD; i++)
    if (memory[bytes + i] != 0xff) return 0;
  return 1;
}

static void run(struct test_case *c, size_t number, void *library) {
  char name[32];
  int (*call)(void **x, void **y, void *a);
  void *x[MOST_VALUES], *y[MOST_VALUES], *symbol;
  unsigned char *arena = guarded(c->arena);
  snprintf(name, sizeof(name), "call%zu", number);
  symbol = dlsym(library, name);
  memcpy(&call, &symbol, sizeof(call));
  for (size_t i = 0; i < c->num_in; i++) x[i] = c->in[i].data;
  for (size_t i = 0; i < c->num_out; i++) y[i] = guarded(onr_desc_bytes(&c->out[i].desc));
  if (!call) settle(c, FAILED, "it has no function");
  else if (call(x, y, arena)) settle(c, FAILED, "it says that an index is out of range");
  else if (!is_whole(arena, c->arena)) settle(c, FAILED, "it wrote behind its arena");
  for (size_t i = 0; i < c->num_out && c->state == READY; i++) {
    const struct onr_tensor found = {c->out[i].desc, y[i]};
    if (!is_whole(y[i], onr_desc_bytes(&found.desc))) settle(c, FAILED, "it wrote behind an output");
    else if (!agrees(&found, &c->out[i], c->reason, sizeof(c->reason))) c->state = FAILED;
  }
  for (size_t i = 0; i < c->num_out; i++) free(y[i]);
  free(arena);
}

int main(int argc, char **argv) {
  static const char *const words[] = {"ok", "UNSUPPORTED", "skip", "FAIL"};
  if (argc < 4) return 2;
  const size_t count = (size_t)argc - 3;
  size_t totals[4] = {0};
  struct test_case *cases = calloc(count, sizeof(*cases));
  if (!cases) return 2;
  root = argv[1];
  for (size_t i = 0; i < count; i++) {
    cases[i].folder = argv[i + 3];
    cases[i].name = base_name(argv[i + 3]);
    prepare(&cases[i], i);
  }
  if (!write_table(cases, count) || !run_compiler(argv[2])) {
    fprintf(stderr, "check_compiled: the programs in %s do not compile\n", root);
    return 1;
  }
  char path[PATH_SIZE];
  snprintf(path, sizeof(path), "%s/cases.so", root);
  void *library = dlopen(path, RTLD_NOW);
  if (!library) {
    fprintf(stderr, "check_compiled: %s\n", dlerror());
    return 1;
  }
  for (size_t i = 0; i < count; i++) {
    if (cases[i].state == READY) run(&cases[i], i, library);
    totals[cases[i].state]++;
    printf("%s %s%s%s\n", words[cases[i].state], cases[i].name, cases[i].reason[0] ? ": " : "", cases[i].reason);
    for (size_t k = 0; k < cases[i].num_in && k < MOST_VALUES; k++) onr_tensor_release(NULL, &cases[i].in[k]);
    for (size_t k = 0; k < cases[i].num_out && k < MOST_VALUES; k++) onr_tensor_release(NULL, &cases[i].out[k]);
  }
  printf("%zu ok, %zu unsupported, %zu skipped, %zu failed\n", totals[READY], totals[UNSUPPORTED], totals[SKIPPED],
         totals[FAILED]);
  dlclose(library);
  free(cases);
  return totals[FAILED] != 0;
}
