/* soak: the same again and again, and memory that must not grow. The public headers alone.
 *
 *   soak load|run|shapes|threads COUNT FOLDER...
 *
 * FOLDERs are models in ONNX's test layout, taken in turn.
 * load: COUNT times load, create, run, destroy; no block of memory is left behind.
 * run: COUNT runs of each in one session; after the first no allocation.
 * shapes: COUNT runs in one session, each with other sizes of what the model leaves open; what the session holds is
 *   bounded.
 * threads: COUNT runs of one model by eight threads, each with sessions of its own, made anew now and then.
 * Every result (but those of shapes, which have none to be compared with) is the first one's, bit for bit. Resident
 * memory after a tenth of the way and at the end is printed, and may differ by SLACK_BYTES unless the environment has
 * ONNXRUN_SOAK_GROWS (sanitizers keep what was released). */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"
#include "tests/support/counted_memory.h"

enum { MAX_INPUTS = 8, NUM_THREADS = 8, SLACK_BYTES = 256 << 10, MOST_SIZE = 40, RUNS_OF_A_SESSION = 500 };

/* --- what is counted --- */

static size_t resident_bytes(void) {
  unsigned long size, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  if (fscanf(file, "%lu %lu", &size, &pages) != 2) pages = 0;
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "soak: %s: %s\n", what, why);
  exit(1);
}

static void expect_ok(enum onr_status status, const char *what, const struct onr_error *error) {
  if (status != ONR_STATUS_OK) fail(what, error->message);
}

/* --- a model with its inputs --- */

struct subject {
  const char *folder;
  struct onr_model *model; /* but in `load` */
  struct onr_tensor inputs[MAX_INPUTS];
  uint64_t expected; /* a hash of all outputs */
};

static struct onr_model *load(const char *folder) {
  const struct onr_model_options options = {.size = sizeof(options), .allocator = &counted_memory};
  struct onr_model *model;
  struct onr_error error;
  char path[1024];
  snprintf(path, sizeof(path), "%s/model.onnx", folder);
  expect_ok(onr_model_load(path, &options, &model, &error), path, &error);
  return model;
}

static void read_inputs(struct subject *s, const struct onr_model *model) {
  struct onr_error error;
  char path[1024];
  for (size_t i = 0; i < onr_model_num_inputs(model) && i < MAX_INPUTS; i++) {
    snprintf(path, sizeof(path), "%s/test_data_set_0/input_%zu.pb", s->folder, i);
    expect_ok(onr_tensor_file_load(path, ONR_DTYPE_NONE, NULL, &s->inputs[i], NULL, 0, &error), path, &error);
  }
}

static struct onr_session *open_session(const struct onr_model *model, const struct subject *s) {
  struct onr_session *session;
  struct onr_error error;
  expect_ok(onr_session_create(model, NULL, &session, &error), s->folder, &error);
  for (size_t i = 0; i < onr_model_num_inputs(model); i++)
    expect_ok(onr_session_set_input(session, i, &s->inputs[i], &error), s->folder, &error);
  return session;
}

/* FNV-1a. */
static uint64_t outputs_hash(struct onr_session *session, const struct onr_model *model) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < onr_model_num_outputs(model); i++) {
    struct onr_tensor tensor;
    if (onr_session_get_output(session, i, &tensor, NULL) != ONR_STATUS_OK) continue;
    const unsigned char *bytes = tensor.data;
    for (size_t k = 0; k < onr_desc_bytes(&tensor.desc); k++) hash = (hash ^ bytes[k]) * 1099511628211u;
  }
  return hash;
}

static void run(struct onr_session *session, const struct subject *s) {
  struct onr_error error;
  expect_ok(onr_session_run(session, &error), s->folder, &error);
}

static void expect_same(struct onr_session *session, const struct onr_model *model, const struct subject *s) {
  if (outputs_hash(session, model) != s->expected) fail(s->folder, "another result than the first time");
}

static struct subject begin(const char *folder) {
  struct subject s = {.folder = folder};
  s.model = load(folder);
  read_inputs(&s, s.model);
  struct onr_session *session = open_session(s.model, &s);
  run(session, &s);
  s.expected = outputs_hash(session, s.model);
  onr_session_destroy(session);
  return s;
}

static void end(struct subject *s) {
  for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(NULL, &s->inputs[i]);
  onr_model_destroy(s->model);
}

/* --- memory over the way --- */

struct way {
  size_t count, tenth, resident;
};

static struct way set_out(size_t count) { return (struct way){.count = count, .tenth = count / 10}; }

static void pass(struct way *way, size_t i) {
  if (i == way->tenth) way->resident = resident_bytes();
}

static void arrive(const struct way *way, const char *mode, const char *what) {
  const size_t now = resident_bytes();
  printf("%s: %zu of %s: %zu KiB after a tenth, %zu KiB at the end\n", mode, way->count, what, way->resident >> 10,
         now >> 10);
  if (now > way->resident + SLACK_BYTES && !getenv("ONNXRUN_SOAK_GROWS")) fail(mode, "resident memory has grown");
}

/* --- the modes --- */

static void soak_load(size_t count, struct subject *subjects, size_t num_subjects) {
  struct way way = set_out(count);
  for (size_t k = 0; k < num_subjects; k++) {
    onr_model_destroy(subjects[k].model);
    subjects[k].model = NULL;
  }
  for (size_t i = 0; i < count; i++) {
    const struct subject *s = &subjects[i % num_subjects];
    struct onr_model *model = load(s->folder);
    struct onr_session *session = open_session(model, s);
    run(session, s);
    expect_same(session, model, s);
    onr_session_destroy(session);
    onr_model_destroy(model);
    if (counted_live) fail(s->folder, "blocks of memory are left");
    pass(&way, i);
  }
  arrive(&way, "load", "loads, runs and destructions");
}

static void soak_run(size_t count, struct subject *subjects, size_t num_subjects) {
  for (size_t k = 0; k < num_subjects; k++) {
    struct subject *s = &subjects[k];
    struct way way = set_out(count);
    struct onr_session *session = open_session(s->model, s);
    run(session, s);
    const size_t before = counted_total;
    for (size_t i = 0; i < count; i++) {
      run(session, s);
      if (i % 64 == 0) expect_same(session, s->model, s);
      pass(&way, i);
    }
    if (counted_total != before) fail(s->folder, "a run after the first has allocated");
    onr_session_destroy(session);
    arrive(&way, "run", s->folder);
  }
}

static uint64_t state = 88172645463325252u;

static uint64_t number(void) { /* xorshift */
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state;
}

/* One size for a name that several dimensions have. */
static struct onr_desc open_desc(const struct onr_model *model, size_t index, const int64_t *named, size_t *unnamed) {
  const struct onr_value_info *info = onr_model_input(model, index);
  int64_t dim[ONR_MAX_RANK];
  for (int32_t d = 0; d < info->rank; d++) {
    const char *name = info->dim_name[d];
    const size_t slot = name ? ((unsigned char)name[0] * 31u + (unsigned char)name[strlen(name) - 1]) % 64 : 0;
    dim[d] = info->dim[d] != ONR_UNKNOWN_DIM ? info->dim[d] : name ? named[slot] : named[(*unnamed)++ % 64];
  }
  return onr_desc_make(info->dtype, info->rank, dim);
}

/* Sizes anew; the contents are zeros, as those of indices have to be small. */
static void set_open_inputs(struct onr_session *session, const struct subject *s, void **memory) {
  int64_t named[64];
  size_t unnamed = 0;
  struct onr_error error;
  for (size_t i = 0; i < 64; i++) named[i] = 8 + (int64_t)(number() % MOST_SIZE);
  for (size_t i = 0; i < onr_model_num_inputs(s->model); i++) {
    const struct onr_desc desc = open_desc(s->model, i, named, &unnamed);
    const size_t bytes = onr_desc_bytes(&desc);
    free(memory[i]);
    memory[i] = NULL;
    if (posix_memalign(&memory[i], 64, bytes + 64)) fail(s->folder, "no memory");
    memset(memory[i], 0, bytes + 64);
    const struct onr_tensor tensor = {.desc = desc, .data = memory[i]};
    expect_ok(onr_session_set_input(session, i, &tensor, &error), s->folder, &error);
  }
}

static void soak_shapes(size_t count, struct subject *subjects, size_t num_subjects) {
  for (size_t k = 0; k < num_subjects; k++) {
    struct subject *s = &subjects[k];
    struct way way = set_out(count);
    struct onr_session *session = open_session(s->model, s);
    void *memory[MAX_INPUTS] = {NULL};
    size_t most = 0, early = 0;
    for (size_t i = 0; i < count; i++) {
      set_open_inputs(session, s, memory);
      run(session, s);
      if (onr_session_total_bytes(session) > most) most = onr_session_total_bytes(session);
      if (i == way.tenth) early = most;
      pass(&way, i);
    }
    onr_session_destroy(session);
    for (size_t i = 0; i < MAX_INPUTS; i++) free(memory[i]);
    printf("shapes: the session held %zu KiB at most, %zu KiB in the first tenth\n", most >> 10, early >> 10);
    arrive(&way, "shapes", s->folder);
  }
}

struct worker {
  pthread_t thread;
  const struct subject *subject;
  size_t count;
};

static void *work(void *argument) {
  struct worker *w = argument;
  const struct subject *s = w->subject;
  struct onr_session *session = NULL;
  for (size_t i = 0; i < w->count; i++) {
    if (i % RUNS_OF_A_SESSION == 0) {
      onr_session_destroy(session);
      session = open_session(s->model, s);
    }
    run(session, s);
    expect_same(session, s->model, s);
  }
  onr_session_destroy(session);
  return NULL;
}

static void run_workers(const struct subject *s, size_t count) {
  struct worker workers[NUM_THREADS];
  for (size_t t = 0; t < NUM_THREADS; t++) {
    workers[t] = (struct worker){.subject = s, .count = count / NUM_THREADS};
    if (pthread_create(&workers[t].thread, NULL, work, &workers[t])) fail(s->folder, "no thread");
  }
  for (size_t t = 0; t < NUM_THREADS; t++) pthread_join(workers[t].thread, NULL);
}

static void soak_threads(size_t count, struct subject *subjects, size_t num_subjects) {
  for (size_t k = 0; k < num_subjects; k++) {
    struct way way = set_out(count);
    for (size_t part = 0; part < 10; part++) { /* new threads each time */
      run_workers(&subjects[k], count / 10);
      pass(&way, way.tenth * part);
      if (part == 0) way.resident = resident_bytes();
    }
    arrive(&way, "threads", subjects[k].folder);
  }
}

static const struct mode {
  const char *name;
  void (*soak)(size_t count, struct subject *subjects, size_t num_subjects);
} modes[] = {{"load", soak_load}, {"run", soak_run}, {"shapes", soak_shapes}, {"threads", soak_threads}};

int main(int argc, char **argv) {
  struct subject subjects[64];
  const size_t num_subjects = argc > 3 ? (size_t)argc - 3 : 0, count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
  if (!num_subjects || num_subjects > 64 || count < 10) {
    fprintf(stderr, "usage: soak load|run|shapes|threads COUNT FOLDER...\n");
    return 2;
  }
  for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
    if (strcmp(argv[1], modes[m].name)) continue;
    for (size_t k = 0; k < num_subjects; k++) subjects[k] = begin(argv[3 + k]);
    modes[m].soak(count, subjects, num_subjects);
    for (size_t k = 0; k < num_subjects; k++) end(&subjects[k]);
    if (counted_live) fail(argv[1], "blocks of memory are left");
    return 0;
  }
  fprintf(stderr, "soak: there is no mode %s\n", argv[1]);
  return 2;
}
