/* cmd_optimise.c: the rewritten model as an ONNX file. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
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

/* Zeroed: there is none. */
static struct stat look(const char *path) {
  struct stat info;
  if (stat(path, &info)) memset(&info, 0, sizeof(info));
  return info;
}

/* before: what was where weights beside the model go to; a new file is this model's. */
static void tell(const char *path, const char *beside, const struct stat *before, const struct onr_model_info *info) {
  const struct stat message = look(path), weights = look(beside);
  printf("%s: %zu nodes (%zu before), %s", shown(path).text, info->num_nodes, info->num_nodes_in_file,
         shown_bytes_count((double)message.st_size).text);
  if (weights.st_ino != before->st_ino)
    printf(", and %s of weights in %s", shown_bytes_count((double)weights.st_size).text, shown(beside).text);
  putchar('\n');
}

static int optimise(const struct options *options) {
  const char *path = options->paths[0];
  struct reasons reasons = {.path = path};
  struct onr_model_options listener = onr_model_options_init(), model_options;
  struct onr_model_info info = {.size = sizeof(info)};
  struct loaded l = {.path = path};
  struct onr_error error = {0};
  char beside[4096];
  if (!options->output)
    return complain(EXIT_USAGE, "optimise: -o FILE says where the model goes; 'onnxrun help optimise' has an example");
  snprintf(beside, sizeof(beside), "%s.data", options->output);
  if (check_kept(beside)) return EXIT_USAGE;
  const struct stat before = look(beside);
  listener.report = take_reason;
  listener.report_context = &reasons;
  enum onr_status status = fill_model_options(options, &listener, &l, &model_options, &error);
  if (status == ONR_STATUS_OK) status = onr_model_optimise(path, &model_options, options->output, &info, &error);
  unload(&l);
  if (status == ONR_STATUS_UNSUPPORTED && reasons.count) return EXIT_UNSUPPORTED;
  if (status != ONR_STATUS_OK) return report_write_failure(status, path, options->output, &error);
  tell(options->output, beside, &before, &info);
  return EXIT_OK;
}

int command_optimise(const struct options *options) {
  struct options own = *options;
  own.cancel = interrupt_begin();
  return interrupt_end(optimise(&own));
}
