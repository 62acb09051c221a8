/* needs: what of the library takes part when models are loaded, one a line: "operator ai_onnx_Conv", "layer conv",
 * "rewrite tail". The first stage of a build for these models alone (ONNXRUN_OPS_FROM, docs/small.md). */
#include <stdio.h>
#include <string.h>

#include "onnxrun/onnxrun.h"

/* Each line once; models use a few dozen. */
enum { MOST = 1024, WORDS = 96 };
struct needs {
  char line[MOST][WORDS];
  size_t count;
  int is_full;
};

static void take(void *context, const char *kind, const char *domain, const char *name) {
  struct needs *needs = context;
  char line[WORDS];
  int length = snprintf(line, sizeof(line), "%s %s%s%s", kind, domain, *domain ? "_" : "", name);
  for (char *c = line; *c; c++)
    if (*c == '.') *c = '_'; /* the domain's */
  for (size_t i = 0; i < needs->count; i++)
    if (!strcmp(needs->line[i], line)) return;
  needs->is_full |= length < 0 || length >= WORDS || needs->count == MOST;
  if (!needs->is_full) memcpy(needs->line[needs->count++], line, sizeof(line));
}

static int look_at(const char *path, struct needs *needs) {
  const struct onr_model_options options = {.size = sizeof(options), .uses = take, .report_context = needs};
  struct onr_model *model;
  struct onr_error error;
  if (onr_model_load(path, &options, &model, &error) != ONR_STATUS_OK) {
    fprintf(stderr, "needs: %s: %s %s: %s\n", path, onr_status_name(error.status), error.where, error.message);
    return 1;
  }
  onr_model_destroy(model);
  return 0;
}

int main(int argc, char **argv) {
  static struct needs needs;
  if (argc < 2) return fprintf(stderr, "usage: needs MODEL.onnx ...\n"), 2;
  for (int i = 1; i < argc; i++)
    if (look_at(argv[i], &needs)) return 1;
  if (needs.is_full) return fprintf(stderr, "needs: more than %d lines, or longer ones than %d\n", MOST, WORDS), 1;
  for (size_t i = 0; i < needs.count; i++) puts(needs.line[i]);
  return 0;
}
