/* cmd_compile.c: a model as C source. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxrun/compile.h"
#include "tool.h"

enum { PATH_SIZE = 4096, NUM_PARTS = 4 };

/* The files that are being written; opened when the first piece comes. */
struct target {
  const char *folder, *name;
  FILE *files[NUM_PARTS];
  char failed[PATH_SIZE];
  int reason;
};

static int take(void *context, enum onr_source_part part, const void *data, size_t bytes) {
  static const char *const endings[] = {[ONR_PART_HEADER] = ".h",
                                        [ONR_PART_SOURCE] = ".c",
                                        [ONR_PART_WEIGHTS] = ".weights",
                                        [ONR_PART_ASSEMBLER] = "_weights.S"};
  struct target *t = context;
  char path[PATH_SIZE];
  if ((size_t)snprintf(path, sizeof(path), "%s/%s%s", t->folder, t->name, endings[part]) >= sizeof(path)) {
    errno = ENAMETOOLONG;
  } else {
    if (!t->files[part]) t->files[part] = fopen(path, "wb");
    if (t->files[part] && fwrite(data, 1, bytes, t->files[part]) == bytes) return 0;
  }
  t->reason = errno;
  memcpy(t->failed, path, sizeof(path));
  return 1;
}

static int close_all(struct target *t) {
  int code = 0;
  for (int i = 0; i < NUM_PARTS; i++)
    if (t->files[i] && fclose(t->files[i]))
      code = complain(EXIT_OTHER, "%s: cannot be written: %s", t->folder, strerror(errno));
  return code;
}

/* Inputs that files give are constants; of the others all dimensions are fixed. */
static int fix_inputs(const struct options *options, const struct onr_model *model, const struct tensor_list *files,
                      struct onr_tensor *inputs) {
  char label[256];
  for (size_t i = 0; i < onr_model_num_inputs(model); i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    const struct named_tensor *item = list_find(files, info->name);
    if (item) inputs[i] = item->tensor;
    if (item) continue;
    if (info->rank < 0)
      return complain(EXIT_USAGE, "compile: input '%s' has no declared shape", shown(info->name).text);
    inputs[i].desc = onr_desc_make(info->dtype, info->rank, info->dim);
    for (int32_t d = 0; d < info->rank; d++) {
      if (info->dim[d] < 0) inputs[i].desc.dim[d] = dim_size(options, model, files, info, d);
      if (inputs[i].desc.dim[d] < 0)
        return complain(EXIT_USAGE,
                        "compile: shapes are fixed in C: --dim %s=SIZE says how large dimension %d of input '%s' is",
                        shown(dim_label(info, d, label, sizeof(label))).text, d, shown(info->name).text);
    }
  }
  return 0;
}

static int choose_weights(const char *text, enum onr_weights *weights) {
  static const char *const names[] = {
      [ONR_WEIGHTS_SOURCE] = "source", [ONR_WEIGHTS_FILE] = "file", [ONR_WEIGHTS_OBJECT] = "object"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    *weights = (enum onr_weights)i;
    if (!text || !strcmp(text, names[i])) return 0;
  }
  return complain(EXIT_USAGE, "--weights: expected source, file or object, got '%s'", text);
}

static void report(void *context, const char *line) {
  (void)context;
  complain(EXIT_UNSUPPORTED, "compile: %s", line);
}

static int compile(const struct options *options, const struct loaded *l) {
  const size_t count = onr_model_num_inputs(l->model);
  struct target target = {.folder = options->output ? options->output : ".",
                          .name = options->name ? options->name : "model"};
  struct onr_compile_options o = {.size = sizeof(o),
                                  .name = target.name,
                                  .static_arena = options->static_arena,
                                  .write = take,
                                  .report = report,
                                  .context = &target};
  struct onr_compiled compiled = {.size = sizeof(compiled)};
  struct onr_error error = {0};
  struct onr_tensor *inputs = calloc(count + 1, sizeof(*inputs));
  struct tensor_list files = {0};
  if (!inputs) return complain(EXIT_OTHER, "no memory for the shapes of %zu inputs", count);
  int code = choose_weights(options->weights, &o.weights);
  if (!code) code = read_inputs(options, l->model, &files);
  if (!code) code = fix_inputs(options, l->model, &files, inputs);
  if (!code && options->output)
    code = check_folder("-o", options->output, "NAME.c and NAME.h are written into a folder");
  if (!code && options->output) code = make_folders(options->output, 1);
  if (!code) {
    const enum onr_status status = onr_model_compile(l->model, inputs, &o, &compiled, &error);
    code = close_all(&target);
    if (status == ONR_STATUS_IO && target.reason)
      code = complain(EXIT_OTHER, "%s: cannot be written: %s", target.failed, strerror(target.reason));
    else if (status != ONR_STATUS_OK) code = report_failure(status, l->path, &error);
  }
  if (!code)
    printf("%s/%s.c: %zu steps, %s of weights, %s of memory\n", target.folder, target.name, compiled.steps,
           shown_bytes_count((double)compiled.weight_bytes).text, shown_bytes_count((double)compiled.arena_bytes).text);
  free(inputs);
  list_clear(&files);
  return code;
}

int command_compile(const struct options *options) {
  struct options own = *options;
  struct loaded l;
  own.for_source = 1;
  own.backend = ONR_BACKEND_PORTABLE;
  own.threads = 1;
  int code = load(&own, options->paths[0], &l);
  if (code) return code;
  code = compile(options, &l);
  unload(&l);
  return code;
}
