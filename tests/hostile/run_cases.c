/* run_cases: loads, plans and runs every case of a hostile corpus and compares how it ends with what is expected.
 *
 *   run_cases DIRECTORY DIFFERENCES [PREFIX ...]     only cases whose name starts with a prefix
 *   run_cases --stop DIRECTORY DIFFERENCES [PREFIX ...]     with default limits, and cancelled where it takes long
 *
 * DIRECTORY is what hostile_gen.py writes: cases.tsv and a folder a case. DIFFERENCES lists the cases that end
 * otherwise on purpose: NAME STATUS MEGABYTES REASON. Every case runs in a thread with a small stack and limits of 64
 * MiB and some 10^9 operations, and must keep to a bound of time and memory. A case of the phase "load" must end while
 * it is loaded.
 *
 * With --stop, the flag is set when a case has taken so long, and it must end soon after: so much memory and time as
 * the defaults allow are nothing that a test can wait for. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, pthread_getcpuclockid */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif

#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"
#include "tests/support/counted_memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifdef SANITIZED
/* Instrumented, not optimised, and every item of an arena lies in a block of its own: a node of a chain takes 1,750
 * bytes instead of 1,070. */
enum { MOST_SECONDS = 60, MEMORY_PERCENT = 175 };
#else
enum { MOST_SECONDS = 1, MEMORY_PERCENT = 100 };
#endif

/* --stop: seconds until the flag is set, and from then on to the end. Here a processor that other tests share takes 2
 * to 3 times as long. */
static const double patience = 0.05, most_after = MOST_SECONDS > 1 ? 3 : 0.3;

enum { STACK_BYTES = 512 << 10, BUDGET_BYTES = 64 << 20, LOOP_ITERATIONS = 1000000, MAX_INPUTS = 8 };
static const uint64_t operations = 8000000000;

struct row {
  char name[64], phase[16], expected[32];
  size_t most_bytes; /* peak memory beside twice the file */
};

struct job {
  char folder[512];
  size_t most_bytes;
  const char *end; /* "load" or "run": where it ended */
  enum onr_status status;
  struct onr_error error;
  double seconds;
  int stops; /* --stop */
  struct onr_cancel cancel;
  double stopped, after; /* of the thread's time: when the flag was set, 0: never; and how long it took from then on */
  atomic_int is_done;
};

/* --- An allocator that counts; the block's size and start lie before it. --- */

/* Of a thread: other programs on the machine do not matter. */
static double seconds_of(clockid_t clock) {
  struct timespec t = {0};
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static double cpu_seconds(void) { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }

static size_t file_bytes(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 ? (size_t)s.st_size : 0;
}

/* The dtype that the model declares for input_<i>.pb: the file does not say whether it holds a tensor or a sequence. */
static enum onr_dtype declared(const struct onr_model *model, size_t i) {
  const struct onr_value_info *info = onr_model_input(model, i);
  return info && (info->dtype == ONR_DTYPE_SEQUENCE || info->dtype == ONR_DTYPE_OPTIONAL) ? info->dtype : ONR_DTYPE_F32;
}

static enum onr_status run(struct job *job, const struct onr_model *model, struct onr_session *session,
                           struct onr_tensor *inputs) {
  for (size_t i = 0; i < MAX_INPUTS; i++) {
    char path[576], name[512];
    snprintf(path, sizeof(path), "%s/input_%zu.pb", job->folder, i);
    if (!file_bytes(path)) break;
    ONR_TRY(onr_tensor_file_load(path, declared(model, i), NULL, &inputs[i], name, sizeof(name), &job->error));
    ONR_TRY(onr_session_set_input(session, (size_t)onr_model_find_input(model, name), &inputs[i], &job->error));
  }
  ONR_TRY(onr_session_plan(session, &job->error));
  ONR_TRY(onr_session_run(session, &job->error));
  return onr_session_run(session, &job->error); /* again: what the first run leaves behind is as good */
}

static void *work(void *argument) {
  struct job *job = argument;
  struct onr_tensor inputs[MAX_INPUTS] = {0};
  struct onr_session *session = NULL;
  struct onr_model *model;
  char path[576];
  snprintf(path, sizeof(path), "%s/model.onnx", job->folder);
  const struct onr_limits limits = {.size = sizeof(limits),
                                    .tensor_bytes = BUDGET_BYTES,
                                    .total_bytes = job->most_bytes + 2 * file_bytes(path),
                                    .loop_iterations = LOOP_ITERATIONS,
                                    .work = operations};
  const struct onr_model_options options = {.size = sizeof(options),
                                            .allocator = &counted_memory,
                                            .limits = job->stops ? NULL : &limits,
                                            .cancel = &job->cancel};
  const struct onr_session_options session_options = {.size = sizeof(session_options), .cancel = &job->cancel};
  const double start = cpu_seconds();
  job->end = "load";
  job->status = onr_model_load(path, &options, &model, &job->error);
  if (job->status == ONR_STATUS_OK) {
    job->end = "run";
    job->status = onr_session_create(model, &session_options, &session, &job->error);
    if (job->status == ONR_STATUS_OK) job->status = run(job, model, session, inputs);
  }
  onr_session_destroy(session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &inputs[i]);
  job->seconds = cpu_seconds() - start;
  job->after = job->stopped > 0 ? cpu_seconds() - job->stopped : 0;
  job->is_done = 1;
  return NULL;
}

/* Sets the flag when the thread has used up its time. */
static void watch(struct job *job, pthread_t thread) {
  const struct timespec pause = {.tv_nsec = 2000000};
  clockid_t clock;
  if (pthread_getcpuclockid(thread, &clock) != 0) return;
  while (!job->is_done) {
    nanosleep(&pause, NULL);
    if (onr_cancel_is_set(&job->cancel) || seconds_of(clock) < patience) continue;
    job->stopped = seconds_of(clock);
    onr_cancel_set(&job->cancel);
  }
}

/* 0 when the thread could not be made. */
static int in_small_stack(struct job *job) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  const int made =
      pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 && pthread_create(&thread, &attributes, work, job) == 0;
  pthread_attr_destroy(&attributes);
  if (made && job->stops) watch(job, thread);
  return made && pthread_join(thread, NULL) == 0;
}

/* What the list of differences says of this case takes the place of what the corpus says. */
static void apply_differences(const char *differences, struct row *row) {
  char line[512], name[64], status[32];
  size_t megabytes;
  FILE *file = fopen(differences, "r");
  if (!file) return;
  while (fgets(line, sizeof(line), file))
    if (sscanf(line, "%63s %31s %zu", name, status, &megabytes) == 3 && !strcmp(name, row->name)) {
      memcpy(row->expected, status, sizeof(status));
      row->most_bytes = megabytes << 20;
    }
  fclose(file);
}

/* The same for --stop. What the small limits end may go on with larger ones, until it ends otherwise. */
static const char *judge_stopped(const struct row *row, const struct job *job) {
  const int is_expected = !strcmp(onr_status_name(job->status), row->expected);
  if (job->status == ONR_STATUS_INTERNAL) return "a fault of ours";
  if (job->after > most_after) return "did not stop";
  if (job->status == ONR_STATUS_CANCELLED && !(job->stopped > 0)) return "cancelled by nobody";
  if (!is_expected && job->status != ONR_STATUS_CANCELLED && strcmp(row->expected, "LIMIT") != 0)
    return "another status";
  return counted_live ? "memory was not released" : NULL;
}

static const char too_slow[] = "too slow";

/* Why the case fails, or NULL. */
static const char *judge(const struct row *row, const struct job *job, size_t model_bytes) {
  if (strcmp(onr_status_name(job->status), row->expected)) return "another status";
  if (job->status != ONR_STATUS_OK && (job->error.status != job->status || !job->error.message[0]))
    return "a text of another failure, or none";
  if (job->status != ONR_STATUS_OK && !strcmp(row->phase, "load") && strcmp(job->end, "load"))
    return "not found while loading";
  if (job->seconds > MOST_SECONDS && !RUNNING_ON_VALGRIND) return too_slow;
  if (counted_most > row->most_bytes + 2 * model_bytes) return "too much memory";
  if (counted_live) return "memory was not released";
  return NULL;
}

/* Runs the case once. Returns why it fails, or NULL. */
static const char *try(const char *directory, const struct row *row, int stops, struct job *job) {
  char path[576];
  *job = (struct job){.most_bytes = row->most_bytes, .end = "thread", .status = ONR_STATUS_INTERNAL, .stops = stops};
  snprintf(job->folder, sizeof(job->folder), "%s/%s", directory, row->name);
  snprintf(path, sizeof(path), "%s/model.onnx", job->folder);
  counted_memory_begin();
  if (!in_small_stack(job)) fprintf(stderr, "%s: no thread\n", row->name);
  return stops ? judge_stopped(row, job) : judge(row, job, file_bytes(path));
}

/* Returns 1 when the case is as expected. What others do on the same core can only make it slower. */
static int check(const char *directory, const struct row *row, int stops) {
  enum { MOST_TRIES = 3 };
  struct job job;
  const char *why = try(directory, row, stops, &job);
  for (int tries = 1; why == too_slow && tries < MOST_TRIES; tries++) why = try(directory, row, stops, &job);
  printf("%s %s expected %s, found %s in %s, %.0f ms, peak %zu KiB", why ? "FAIL" : "ok", row->name, row->expected,
         onr_status_name(job.status), job.end, job.seconds * 1e3, (size_t)counted_most >> 10);
  if (job.stopped > 0) printf(", %.0f ms after the flag", job.after * 1e3);
  if (why) printf(": %s: %s: %s", why, job.error.where, job.error.message);
  printf("\n");
  fflush(stdout);
  return !why;
}

static int wanted(const struct row *row, int count, char **prefixes) {
  if (count == 0) return 1;
  for (int i = 0; i < count; i++)
    if (!strncmp(row->name, prefixes[i], strlen(prefixes[i]))) return 1;
  return 0;
}

int main(int argc, char **argv) {
  size_t passed = 0, failed = 0;
  struct row row;
  char line[512], path[512];
  FILE *file;
  const int stops = argc > 1 && !strcmp(argv[1], "--stop");
  argc -= stops, argv += stops;
  if (argc < 3) {
    fprintf(stderr, "usage: run_cases [--stop] DIRECTORY DIFFERENCES [PREFIX ...]\n");
    return 2;
  }
  snprintf(path, sizeof(path), "%s/cases.tsv", argv[1]);
  file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "cannot open %s\n", path);
    return 2;
  }
  while (fgets(line, sizeof(line), file)) {
    if (sscanf(line, "%63s %15s %31s", row.name, row.phase, row.expected) != 3 || !wanted(&row, argc - 3, argv + 3))
      continue;
    row.most_bytes = BUDGET_BYTES;
    apply_differences(argv[2], &row);
    row.most_bytes = row.most_bytes / 100 * MEMORY_PERCENT;
    if (check(argv[1], &row, stops)) passed++;
    else failed++;
  }
  fclose(file);
  printf("%zu passed, %zu failed\n", passed, failed);
  return passed && !failed ? 0 : 1;
}
