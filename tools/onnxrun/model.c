/* model.c: loads a model and opens a session as the options say. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <stdio.h>
#include <time.h>

#include "tool.h"

double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

enum onr_status try_load(const struct options *options, const char *path, const struct onr_model_options *listener,
                         struct loaded *loaded, struct onr_error *error) {
  const double start = now_ms();
  struct onr_model_options model_options = {0};
  enum onr_status status = ONR_STATUS_OK;
  *loaded = (struct loaded){.path = path};
  if (options->threads != 1) status = onr_threads_create((uint32_t)options->threads, NULL, &loaded->threads, error);
  if (listener) model_options = *listener;
  model_options.threads = loaded->threads;
  model_options.backend = options->backend;
  model_options.limits = &options->limits;
  model_options.external_directory = options->external_directory;
  model_options.disabled_passes = options->disabled_passes;
  const struct onr_session_options session_options = {.threads = loaded->threads, .profile = options->profile};
  if (status == ONR_STATUS_OK) status = onr_model_load(path, &model_options, &loaded->model, error);
  if (status == ONR_STATUS_OK) status = onr_session_create(loaded->model, &session_options, &loaded->session, error);
  loaded->load_ms = now_ms() - start;
  if (status != ONR_STATUS_OK) unload(loaded);
  return status;
}

struct needs {
  const char *path;
  int lines;
};

/* All that a model needs and this build lacks, one kind a line. */
static void print_need(void *context, const char *text) {
  struct needs *needs = context;
  if (!needs->lines++)
    complain(EXIT_UNSUPPORTED, "UNSUPPORTED: %s: the model needs what this build has no code for:", needs->path);
  fprintf(stderr, "  %s\n", text);
}

int load(const struct options *options, const char *path, struct loaded *loaded) {
  struct needs needs = {path, 0};
  const struct onr_model_options listener = {.report = print_need, .report_context = &needs};
  struct onr_error error = {0};
  const enum onr_status status = try_load(options, path, &listener, loaded, &error);
  if (status == ONR_STATUS_OK) return 0;
  return status == ONR_STATUS_UNSUPPORTED && needs.lines ? EXIT_UNSUPPORTED : report_failure(status, path, &error);
}

void unload(struct loaded *loaded) {
  onr_session_destroy(loaded->session);
  onr_model_destroy(loaded->model);
  onr_threads_destroy(loaded->threads);
  *loaded = (struct loaded){0};
}
