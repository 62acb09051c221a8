/* cmd_optimise.c: the rewritten model as an ONNX file. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <sys/stat.h>

#include "tool.h"

struct reasons {
  const char *path;
  size_t count;
};

static void take_reason(void *context, const char *line) {
  struct reasons *reasons = context;
  if (!reasons->count++)
    complain(EXIT_UNSUPPORTED, "UNSUPPORTED: %s: some of it cannot be said in ONNX:", shown(reasons->path).text);
  fprintf(stderr, "  %s\n", line);
}

static double bytes_of(const char *path) {
  struct stat info;
  return stat(path, &info) ? 0 : (double)info.st_size;
}

int command_optimise(const struct options *options) {
  const char *path = options->paths[0];
  struct reasons reasons = {.path = path};
  struct onr_model_options listener = onr_model_options_init(), model_options;
  struct onr_model_info info = {.size = sizeof(info)};
  struct loaded l = {.path = path};
  struct onr_error error = {0};
  if (!options->output)
    return complain(EXIT_USAGE, "optimise: -o FILE says where the model goes; 'onnxrun help optimise' has an example");
  listener.report = take_reason;
  listener.report_context = &reasons;
  enum onr_status status = fill_model_options(options, &listener, &l, &model_options, &error);
  if (status == ONR_STATUS_OK) status = onr_model_optimise(path, &model_options, options->output, &info, &error);
  unload(&l);
  if (status == ONR_STATUS_UNSUPPORTED && reasons.count) return EXIT_UNSUPPORTED;
  if (status != ONR_STATUS_OK) return report_write_failure(status, path, options->output, &error);
  printf("%s: %zu nodes of %zu, %s", shown(options->output).text, info.num_nodes, info.num_nodes_in_file,
         shown_bytes_count(bytes_of(options->output)).text);
  /* A file smaller than its weights has them beside it, and says little. */
  if (bytes_of(path) >= (double)info.weight_bytes) printf(" of %s", shown_bytes_count(bytes_of(path)).text);
  putchar('\n');
  return EXIT_OK;
}
