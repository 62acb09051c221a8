/* memory: every allocation of loads, plans, runs, of packing and of optimising fails in turn, once and from then on.
 *
 *   memory POINTS FOLDER...     at most POINTS allocations of each model for each way, spread over all
 *
 * FOLDERs have model.onnx and its inputs, in ONNX's test layout or as the hostile corpus has them; a folder of such
 * folders is taken for them. What comes out is NO_MEMORY, or what came out with memory: the same status, and the same
 * bits. No block is left behind, and the model can be loaded again. The last line: "N points, M failed". */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"
#include "tests/support/counted_memory.h"

enum { MAX_INPUTS = 32, BUDGET_BYTES = 64 << 20, MILLISECONDS = 2000, LOOP_ITERATIONS = 100000 };

static const struct onr_limits limits = {.size = sizeof(limits),
                                         .tensor_bytes = BUDGET_BYTES,
                                         .total_bytes = 4 * (size_t)BUDGET_BYTES,
                                         .loop_iterations = LOOP_ITERATIONS};

/* --- what is done to a model --- */

struct job {
  char folder[768], target[64];
  struct onr_error error;
  uint64_t hash; /* of all outputs */
};

static struct onr_model_options options_of(const struct job *job) {
  (void)job;
  return (struct onr_model_options){
      .size = sizeof(struct onr_model_options), .allocator = &counted_memory, .limits = &limits};
}

static void model_path(const struct job *job, char *path, size_t size) {
  snprintf(path, size, "%s/model.onnx", job->folder);
}

static int input_path(const struct job *job, size_t i, char *path, size_t size) {
  snprintf(path, size, "%s/test_data_set_0/input_%zu.pb", job->folder, i);
  if (access(path, R_OK) == 0) return 1;
  snprintf(path, size, "%s/input_%zu.pb", job->folder, i);
  return access(path, R_OK) == 0;
}

/* A file does not say whether it holds a tensor or something else. */
static enum onr_dtype kind_of(const struct onr_model *model, size_t i) {
  const struct onr_value_info *info = onr_model_input(model, i);
  return info && (info->dtype == ONR_DTYPE_SEQUENCE || info->dtype == ONR_DTYPE_OPTIONAL ||
                  info->dtype == ONR_DTYPE_MAP)
             ? info->dtype
             : ONR_DTYPE_F32;
}

static void add_outputs(struct job *job, struct onr_session *session, size_t outputs) {
  for (size_t i = 0; i < outputs; i++) {
    struct onr_tensor tensor;
    if (onr_session_get_output(session, i, &tensor, NULL) != ONR_STATUS_OK) continue;
    if (tensor.desc.dtype >= ONR_DTYPE_SEQUENCE || tensor.desc.dtype == ONR_DTYPE_STRING) continue; /* pointers */
    const unsigned char *bytes = tensor.data;
    for (size_t k = 0; k < onr_desc_bytes(&tensor.desc); k++) job->hash = (job->hash ^ bytes[k]) * 1099511628211u;
  }
}

static enum onr_status run_session(struct job *job, const struct onr_model *model, struct onr_session *session,
                                   struct onr_tensor *inputs) {
  const struct onr_tensor_file_options from = {.size = sizeof(from), .allocator = &counted_memory, .limits = &limits};
  for (size_t i = 0; i < MAX_INPUTS; i++) {
    char path[900], name[512];
    if (!input_path(job, i, path, sizeof(path))) break;
    ONR_TRY(onr_tensor_file_load(path, kind_of(model, i), &from, &inputs[i], name, sizeof(name), &job->error));
    ONR_TRY(onr_session_set_input(session, (size_t)onr_model_find_input(model, name), &inputs[i], &job->error));
  }
  ONR_TRY(onr_session_plan(session, &job->error));
  ONR_TRY(onr_session_run(session, &job->error));
  add_outputs(job, session, onr_model_num_outputs(model));
  return ONR_STATUS_OK;
}

static enum onr_status run_model(struct job *job) {
  const struct onr_model_options options = options_of(job);
  struct onr_tensor inputs[MAX_INPUTS] = {0};
  struct onr_session *session = NULL;
  struct onr_model *model = NULL;
  enum onr_status status;
  char path[900];
  model_path(job, path, sizeof(path));
  job->hash = 14695981039346656037u;
  status = onr_model_load(path, &options, &model, &job->error);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &job->error);
  if (status == ONR_STATUS_OK) status = run_session(job, model, session, inputs);
  onr_session_destroy(session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(&counted_memory, &inputs[i]);
  return status;
}

static enum onr_status pack_model(struct job *job) {
  const struct onr_model_options options = options_of(job);
  char path[900];
  model_path(job, path, sizeof(path));
  return onr_model_pack(path, &options, job->target, &job->error);
}

static enum onr_status optimise_model(struct job *job) {
  const struct onr_model_options options = options_of(job);
  char path[900];
  model_path(job, path, sizeof(path));
  return onr_model_optimise(path, &options, job->target, NULL, &job->error);
}

static const struct deed {
  const char *name;
  enum onr_status (*run)(struct job *job);
} deeds[] = {{"run", run_model}, {"pack", pack_model}, {"optimise", optimise_model}};

/* --- points --- */

static size_t points, wrong;

static void expect(const struct job *job, const char *deed, int fine, const char *what) {
  if (fine) return;
  wrong++;
  printf("FAIL %s %s: allocation %zu%s: %s: %s\n", deed, job->folder, counted_fail_at,
         counted_for_good ? " and all after it" : "", what, job->error.message);
}

static void try_point(struct job *job, const struct deed *deed, enum onr_status before, uint64_t hash) {
  counted_total = 0;
  job->error = (struct onr_error){0};
  const enum onr_status status = deed->run(job);
  points++;
  expect(job, deed->name, status == before || status == ONR_STATUS_NO_MEMORY, onr_status_name(status));
  expect(job, deed->name, status != ONR_STATUS_OK || job->hash == hash, "another result");
  expect(job, deed->name, status == ONR_STATUS_OK || job->error.status == status, "another text");
  expect(job, deed->name, !counted_live, "blocks of memory are left");
  counted_live = 0;
}

static double milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void try_deed(struct job *job, const struct deed *deed, size_t most) {
  counted_fail_at = 0;
  counted_total = 0;
  job->hash = 0;
  const double start = milliseconds();
  const enum onr_status before = deed->run(job);
  const uint64_t hash = job->hash;
  const size_t all = counted_total, step = all / most + 1;
  expect(job, deed->name, !counted_live, "blocks of memory are left");
  for (counted_for_good = 0; counted_for_good < 2; counted_for_good++)
    for (counted_fail_at = 1 + points % step; counted_fail_at <= all && milliseconds() - start < MILLISECONDS;
         counted_fail_at += step)
      try_point(job, deed, before, hash);
  counted_fail_at = 0;
  try_point(job, deed, before, hash);
  expect(job, deed->name, job->error.status == before || before == ONR_STATUS_OK, "not usable afterwards");
}

static void try_model(const char *folder, size_t most) {
  struct job job = {.target = "/tmp/onnxrun_memory_XXXXXX"};
  const int fd = mkstemp(job.target);
  if (fd < 0) exit(2);
  close(fd);
  snprintf(job.folder, sizeof(job.folder), "%s", folder);
  for (size_t d = 0; d < sizeof(deeds) / sizeof(deeds[0]); d++) {
    unlink(job.target);
    try_deed(&job, &deeds[d], most);
  }
  unlink(job.target);
  fflush(stdout);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void try_folder(const char *folder, size_t most) {
  struct dirent **entries;
  char path[768];
  snprintf(path, sizeof(path), "%s/model.onnx", folder);
  if (access(path, R_OK) == 0) {
    try_model(folder, most);
    return;
  }
  const int number = scandir(folder, &entries, NULL, by_name);
  for (int i = 0; i < number; i++) {
    snprintf(path, sizeof(path), "%s/%s/model.onnx", folder, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && access(path, R_OK) == 0) {
      path[strlen(path) - strlen("/model.onnx")] = '\0';
      try_model(path, most);
    }
    free(entries[i]);
  }
  if (number >= 0) free(entries);
}

int main(int argc, char **argv) {
  const size_t most = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
  if (!most) {
    fprintf(stderr, "usage: memory POINTS FOLDER...\n");
    return 2;
  }
  for (int i = 2; i < argc; i++) try_folder(argv[i], most);
  printf("%zu points, %zu failed\n", points, wrong);
  return wrong || !points;
}
