/* cmd_compile.c: a model as C source. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { PATH_SIZE = 4096, NUM_PARTS = 4 };

/* The files that are being written; opened when the first piece comes. */
struct target {
  const char *folder, *name;
  FILE *files[NUM_PARTS];
  int code; /* of what was told already */
};

/* 0, or an exit code after one line on stderr. */
static int path_of(const struct target *t, enum onr_source_part part, char path[PATH_SIZE]) {
  static const char *const endings[] = {[ONR_PART_HEADER] = ".h",
                                        [ONR_PART_SOURCE] = ".c",
                                        [ONR_PART_WEIGHTS] = ".weights",
                                        [ONR_PART_ASSEMBLER] = "_weights.S"};
  if (snprintf(path, PATH_SIZE, "%s/%s%s", t->folder, t->name, endings[part]) < PATH_SIZE) return 0;
  return complain(EXIT_OTHER, "%s: the path is too long", t->folder);
}

/* Somebody's own model.c is not written over. */
static int check_source(const struct target *t, enum onr_source_part part) {
  char path[PATH_SIZE], head[200];
  int code = path_of(t, part, path);
  FILE *file = code ? NULL : fopen(path, "rb");
  if (!file) return code;
  const size_t length = fread(head, 1, sizeof(head) - 1, file);
  head[length] = '\0';
  fclose(file);
  if (!length || strstr(head, "written by onnxrun")) return 0;
  return complain(EXIT_USAGE, "compile: %s was not written by onnxrun, and would be lost; --name and -o say where else",
                  shown(path).text);
}

static int check_parts(const struct target *t) {
  char path[PATH_SIZE];
  int code = 0;
  for (int part = 0; !code && part < NUM_PARTS; part++)
    if (!(code = path_of(t, (enum onr_source_part)part, path))) code = check_kept(path);
  if (!code) code = check_source(t, ONR_PART_HEADER);
  return code ? code : check_source(t, ONR_PART_SOURCE);
}

static int open_part(struct target *t, enum onr_source_part part, const char *path) {
  if (!t->files[part]) t->code = make_folders(t->folder);
  if (!t->code && !t->files[part]) t->files[part] = fopen(path, "wb");
  if (!t->code && !t->files[part]) t->code = complain_file(path, "cannot be written");
  return t->code;
}

static int take(void *context, enum onr_source_part part, const void *data, size_t bytes) {
  struct target *t = context;
  char path[PATH_SIZE];
  if ((t->code = path_of(t, part, path)) != 0 || open_part(t, part, path)) return 1;
  if (fwrite(data, 1, bytes, t->files[part]) != bytes) t->code = complain_file(path, "cannot be written");
  return t->code != 0;
}

static int close_all(struct target *t) {
  int code = 0;
  for (int i = 0; i < NUM_PARTS; i++)
    if (t->files[i] && fclose(t->files[i])) code = complain_file(t->folder, "cannot be written");
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
                                  .weights = options->weights,
                                  .static_arena = options->static_arena,
                                  .write = take,
                                  .report = report,
                                  .context = &target};
  struct onr_compiled compiled = {.size = sizeof(compiled)};
  struct onr_error error = {0};
  struct onr_tensor *inputs = calloc(count + 1, sizeof(*inputs));
  struct tensor_list files = {0};
  if (!inputs) return complain(EXIT_OTHER, "no memory for the shapes of %zu inputs", count);
  int code = read_inputs(options, l->model, &files);
  if (!code) code = fix_inputs(options, l->model, &files, inputs);
  if (!code && options->output)
    code = check_folder("-o", options->output, "NAME.c and NAME.h are written into a folder");
  if (!code) code = check_parts(&target);
  if (!code) {
    const enum onr_status status = onr_model_compile(l->model, inputs, &o, &compiled, &error);
    code = close_all(&target);
    if (target.code) code = target.code;
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
