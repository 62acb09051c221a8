/* guard: models in memory that begins and ends where memory begins and ends, and steps that write what is their own
 * alone.
 *
 *   guard [--small] FOLDER...      --small: limits as for a file of a stranger
 *
 * FOLDERs have model.onnx and its inputs, in ONNX's test layout or as the hostile corpus has them; a folder of such
 * folders is taken for them. Each runs as it is used to, and then in every way of the table below:
 *
 * - Every block of the library (XNNPACK's are its own), every input and every bound output ends, or begins, at a page
 *   that cannot be touched; what lies between block and page is looked at when the block is released.
 * - Fresh memory is full of what is no number (0xFF: NaN), or of large ones (0x7B).
 * - While a step runs (but an If, Loop or Scan, whose steps do), nothing of the segment's block may change but its
 *   outputs and its scratch: XNNPACK's kernels are looked at so, too, which no sanitizer sees. Of a run of many steps
 *   these are the first, and one of a hundred after them.
 * - One to eight threads.
 *
 * What comes out is the same status and the same bits. The last line: "N models, M runs, K steps, F failed". */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory/memory.h"
/* The one file that asks it for the fence, whose functions are below: so every build has one. */
#define ONRI_WATCHED 1
#include "exec/frame.c"
#undef ONRI_WATCHED

#include "onnxrun/onnxrun.h"
#include "onnxrun/tensor_file.h"

enum {
  MAX_VALUES = 64,
  MOST_NESTED = 64,
  NUM_BUCKETS = 1 << 14,
  CANARY = 0xC5,
  MOST_CANARY = 4096,
  MOST_THREADS = 8,
  MOST_STEPS = 2000
};
enum { MOST_MAPS = 15000 }; /* a system has 65,530 of them, and a block takes three; whatever is more has no guards */

static const struct onr_limits small = {.size = sizeof(small),
                                        .tensor_bytes = 64 << 20,
                                        .total_bytes = 192 << 20,
                                        .loop_iterations = 10000,
                                        .work = 20000000};
static const struct onr_limits *limits;
static size_t num_models, num_runs, num_steps, num_failed;
static const char *folder_now, *way_now;

static void wrong(const char *what, const char *of) {
  printf("FAIL %s: %s: %s%s%s\n", folder_now, way_now, what, of ? ": " : "", of ? of : "");
  num_failed++;
}

/* --- memory --- */

static int at_end, fill;

struct block {
  struct block *next;
  char *map, *pages, *given; /* the whole, what may be touched of it, what was asked for */
  size_t map_bytes, bytes, asked;
};
static struct block *buckets[NUM_BUCKETS], *spare[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t num_live, num_maps;

static struct block **bucket_of(const void *memory) { return &buckets[((uintptr_t)memory >> 6) % NUM_BUCKETS]; }

/* Pages of a power of two, with one in front and one behind that cannot be touched. */
static struct block *make_block(size_t bits, size_t bytes, size_t alignment) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  struct block *b = spare[bits];
  if (b) {
    spare[bits] = b->next;
    return b;
  }
  b = calloc(1, sizeof(*b));
  if (!b) return NULL;
  if (num_maps == MOST_MAPS) {
    b->bytes = (bytes + alignment - 1) / alignment * alignment;
    b->pages = aligned_alloc(alignment, b->bytes);
    if (!b->pages) free(b);
    return b->pages ? b : NULL;
  }
  b->bytes = (size_t)1 << bits;
  b->map_bytes = b->bytes + 2 * page;
  b->map = mmap(NULL, b->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (b->map == MAP_FAILED || mprotect(b->map + page, b->bytes, PROT_READ | PROT_WRITE) != 0) {
    if (b->map != MAP_FAILED) munmap(b->map, b->map_bytes);
    free(b);
    return NULL;
  }
  b->pages = b->map + page;
  num_maps++;
  return b;
}

static void give_back(struct block *b) {
  if (b->map) num_maps--, munmap(b->map, b->map_bytes);
  else free(b->pages);
  free(b);
}

/* What lies between the block and the pages around it, a page of it at most. */
static size_t gap_before(const struct block *b) {
  const size_t gap = (size_t)(b->given - b->pages);
  return gap < MOST_CANARY ? gap : MOST_CANARY;
}
static size_t gap_behind(const struct block *b) {
  const size_t gap = (size_t)(b->pages + b->bytes - b->given) - b->asked;
  return gap < MOST_CANARY ? gap : MOST_CANARY;
}

static int is_whole(const char *from, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if ((unsigned char)from[i] != CANARY) return 0;
  return 1;
}

static void *guard_allocate(void *context, size_t bytes, size_t alignment) {
  size_t bits = 12;
  (void)context;
  if (bytes > (size_t)1 << 31) return NULL;
  while ((size_t)1 << bits < bytes || (long)1 << bits < sysconf(_SC_PAGESIZE)) bits++;
  pthread_mutex_lock(&lock);
  struct block *b = make_block(bits, bytes, alignment);
  if (b) {
    b->asked = bytes;
    b->given = at_end ? b->pages + b->bytes - (bytes + alignment - 1) / alignment * alignment : b->pages;
    memset(b->given - gap_before(b), CANARY, gap_before(b));
    memset(b->given, fill, bytes);
    memset(b->given + bytes, CANARY, gap_behind(b));
    struct block **bucket = bucket_of(b->given);
    b->next = *bucket;
    *bucket = b;
    num_live++;
  }
  pthread_mutex_unlock(&lock);
  return b ? b->given : NULL;
}

static void guard_release(void *context, void *memory) {
  (void)context;
  if (!memory) return;
  pthread_mutex_lock(&lock);
  struct block **link = bucket_of(memory);
  while (*link && (*link)->given != memory) link = &(*link)->next;
  struct block *b = *link;
  if (!b) {
    wrong("memory is released that was not allocated", NULL);
  } else {
    *link = b->next;
    num_live--;
    if (!is_whole(b->given - gap_before(b), gap_before(b))) wrong("written in front of a block", NULL);
    if (!is_whole(b->given + b->asked, gap_behind(b))) wrong("written behind a block", NULL);
    const int bits = __builtin_ctzll(b->bytes);
    if (bits > 16 || !b->map || num_maps > MOST_MAPS / 2) { /* large ones, and where there are many */
      give_back(b);
    } else {
      b->next = spare[bits];
      spare[bits] = b;
    }
  }
  pthread_mutex_unlock(&lock);
}

static const struct onr_allocator guarded = {NULL, guard_allocate, guard_release};

/* --- steps --- */

static struct before {
  const struct onri_workspace *space;
  const struct onri_step *step;
  char **copies; /* of the segments' blocks */
  const char **data;
  size_t *bytes, count;
} nested[MOST_NESTED];
static size_t depth, steps_of_run;

void onri_fence_close(const struct onri_workspace *space, const struct onri_step *step) {
  if (depth == MOST_NESTED) abort();
  struct before *b = &nested[depth++];
  *b = (struct before){space, step, NULL, NULL, NULL, 0};
  if (++steps_of_run > MOST_STEPS && steps_of_run % 100) return;
  b->count = space->num_blocks;
  b->copies = calloc(b->count + 1, sizeof(*b->copies));
  b->data = calloc(b->count + 1, sizeof(*b->data));
  b->bytes = calloc(b->count + 1, sizeof(*b->bytes));
  if (!b->copies || !b->data || !b->bytes) abort();
  for (size_t s = 0; s < b->count; s++) {
    b->data[s] = space->blocks[s].data;
    b->bytes[s] = b->data[s] && !space->blocks[s].is_handle ? space->blocks[s].bytes : 0;
    b->copies[s] = malloc(b->bytes[s] + 1);
    if (!b->copies[s]) abort();
    if (b->bytes[s]) memcpy(b->copies[s], b->data[s], b->bytes[s]);
  }
}

/* What the step may write is taken as it is. */
static void allow(struct before *b, const void *memory, size_t bytes) {
  const char *at = memory;
  for (size_t s = 0; s < b->count && at && bytes; s++)
    if (b->data[s] && at >= b->data[s] && at < b->data[s] + b->bytes[s]) {
      const size_t left = (size_t)(b->data[s] + b->bytes[s] - at);
      memcpy(b->copies[s] + (at - b->data[s]), at, bytes < left ? bytes : left);
    }
}

void onri_fence_open(const struct onri_workspace *space) {
  struct before *b = &nested[--depth];
  const struct onr_call *call = &b->step->call;
  for (size_t i = 0; i < call->num_out; i++)
    if (call->outputs[i]) allow(b, call->outputs[i], onr_desc_bytes(&call->out[i]));
  allow(b, call->scratch, call->scratch_bytes);
  for (size_t s = 0; s < b->count; s++) {
    const int there = s < space->num_blocks && space->blocks[s].data == b->data[s];
    if (there && b->bytes[s] && memcmp(b->data[s], b->copies[s], b->bytes[s]) != 0)
      wrong("a step writes what is not its own", b->step->node->layer->name);
    free(b->copies[s]);
  }
  free(b->copies);
  free(b->data);
  free(b->bytes);
  num_steps += b->copies != NULL;
}

/* --- runs --- */

static const struct way {
  const char *name;
  int at_end, fill;
  uint32_t threads;
} ways[] = {{"ends where memory ends", 1, 0xFF, 1},
            {"begins where memory begins", 0, 0x7B, 1},
            {"two threads", 1, 0x7B, 2},
            {"three threads", 0, 0xFF, 3},
            {"four threads", 1, 0xFF, 4},
            {"eight threads", 0, 0x7B, MOST_THREADS}};

struct result {
  enum onr_status status;
  struct onr_error error;
  size_t count;
  struct onr_tensor out[MAX_VALUES]; /* copies; data NULL: there is none to compare */
};

/* A file does not say whether it holds a tensor or something else. */
static enum onr_dtype kind_of(const struct onr_model *model, size_t i) {
  const struct onr_value_info *info = onr_model_input(model, i);
  return info && onri_dtype_is_block(info->dtype) ? info->dtype : ONR_DTYPE_F32;
}

static int input_path(size_t i, char *path, size_t size) {
  snprintf(path, size, "%s/test_data_set_0/input_%zu.pb", folder_now, i);
  if (access(path, R_OK) == 0) return 1;
  snprintf(path, size, "%s/input_%zu.pb", folder_now, i);
  return access(path, R_OK) == 0;
}

/* Bytes that can be compared: neither text nor containers, which are pointers. */
static size_t plain_bytes(const struct onr_desc *desc) {
  return desc->dtype == ONR_DTYPE_STRING || onri_dtype_is_block(desc->dtype) ? 0 : onr_desc_bytes(desc);
}

static size_t alignment_of(enum onr_dtype dtype) {
  const size_t size = onr_dtype_size(dtype);
  return size > 8 ? 8 : size ? size : 1;
}

/* A copy that is aligned as a caller must, and no better. */
static void *copy_of(const struct onr_tensor *x) {
  const size_t bytes = plain_bytes(&x->desc);
  void *copy = bytes ? guard_allocate(NULL, bytes, alignment_of(x->desc.dtype)) : NULL;
  return copy ? memcpy(copy, x->data, bytes) : NULL;
}

struct run {
  const struct onr_model *model;
  struct onr_session *session;
  const struct onr_allocator *allocator;
  struct onr_tensor inputs[MAX_VALUES];
  void *copies[MAX_VALUES], *bound[MAX_VALUES];
};

static enum onr_status set_inputs(struct run *r, struct onr_error *error) {
  const struct onr_tensor_file_options from = {.size = sizeof(from), .allocator = r->allocator, .limits = limits};
  for (size_t i = 0; i < MAX_VALUES; i++) {
    char path[1024], name[512];
    if (!input_path(i, path, sizeof(path))) return ONR_STATUS_OK;
    ONR_TRY(onr_tensor_file_load(path, kind_of(r->model, i), &from, &r->inputs[i], name, sizeof(name), error));
    const int64_t found = onr_model_find_input(r->model, name);
    struct onr_tensor x = r->inputs[i];
    if (r->allocator == &guarded && (r->copies[i] = copy_of(&x))) x.data = r->copies[i];
    ONR_TRY(onr_session_set_input(r->session, found < 0 ? i : (size_t)found, &x, error));
  }
  return ONR_STATUS_OK;
}

/* Memory that is as long as the output was. */
static enum onr_status bind_outputs(struct run *r, const struct result *expected, struct onr_error *error) {
  for (size_t i = 0; i < expected->count; i++) {
    const size_t bytes = plain_bytes(&expected->out[i].desc);
    if (!expected->out[i].data || !bytes) continue;
    r->bound[i] = guard_allocate(NULL, bytes, alignment_of(expected->out[i].desc.dtype));
    if (r->bound[i]) ONR_TRY(onr_session_bind_output(r->session, i, r->bound[i], bytes, error));
  }
  return ONR_STATUS_OK;
}

static enum onr_status keep_outputs(const struct run *r, struct result *found) {
  const size_t count = onr_model_num_outputs(r->model);
  found->count = count < MAX_VALUES ? count : MAX_VALUES;
  for (size_t i = 0; i < found->count; i++) {
    struct onr_tensor y;
    ONR_TRY(onr_session_get_output(r->session, i, &y, &found->error));
    const size_t bytes = plain_bytes(&y.desc);
    found->out[i] = (struct onr_tensor){y.desc, bytes ? malloc(bytes) : NULL};
    if (found->out[i].data) memcpy(found->out[i].data, y.data, bytes);
  }
  return ONR_STATUS_OK;
}

static enum onr_status run_session(struct run *r, const struct result *expected, struct result *found) {
  ONR_TRY(set_inputs(r, &found->error));
  if (expected) ONR_TRY(bind_outputs(r, expected, &found->error));
  ONR_TRY(onr_session_run(r->session, &found->error));
  if (expected) ONR_TRY(onr_session_run(r->session, &found->error)); /* again, over what the first one left */
  return keep_outputs(r, found);
}

static void run_model(const struct onr_allocator *allocator, struct onr_threads *threads, const struct result *expected,
                      struct result *found) {
  const struct onr_model_options options = {
      .size = sizeof(options), .allocator = allocator, .limits = limits, .threads = threads};
  const struct onr_session_options session_options = {.size = sizeof(session_options), .threads = threads};
  struct onr_model *model = NULL;
  struct run r = {.allocator = allocator};
  char path[1024];
  snprintf(path, sizeof(path), "%s/model.onnx", folder_now);
  *found = (struct result){.status = ONR_STATUS_OK};
  steps_of_run = 0;
  found->status = onr_model_load(path, &options, &model, &found->error);
  r.model = model;
  if (found->status == ONR_STATUS_OK)
    found->status = onr_session_create(model, &session_options, &r.session, &found->error);
  if (found->status == ONR_STATUS_OK) found->status = run_session(&r, expected, found);
  onr_session_destroy(r.session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MAX_VALUES; i++) {
    onr_tensor_release(allocator, &r.inputs[i]);
    guard_release(NULL, r.copies[i]);
    guard_release(NULL, r.bound[i]);
  }
  num_runs++;
}

static void clear(struct result *result) {
  for (size_t i = 0; i < result->count; i++) free(result->out[i].data);
}

static void compare(const struct result *a, const struct result *b) {
  if (a->status != b->status) {
    wrong(onr_status_name(b->status), b->error.message);
    return;
  }
  for (size_t i = 0; i < a->count && a->status == ONR_STATUS_OK; i++) {
    const struct onr_desc *desc = &a->out[i].desc;
    if (!onr_desc_equal(desc, &b->out[i].desc)) wrong("another shape", NULL);
    else if (a->out[i].data && memcmp(a->out[i].data, b->out[i].data, plain_bytes(desc)) != 0)
      wrong("other bits", NULL);
  }
}

static void try_model(void) {
  static struct onr_threads *pools[MOST_THREADS + 1];
  struct result expected;
  way_now = "as usual";
  run_model(NULL, NULL, NULL, &expected);
  for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
    const struct way *way = &ways[w];
    struct onr_threads **threads = &pools[way->threads];
    struct result found;
    if (way->threads > 1 && !*threads && onr_threads_create(way->threads, NULL, threads, NULL) != ONR_STATUS_OK) {
      fprintf(stderr, "guard: no threads\n");
      exit(2);
    }
    way_now = way->name;
    at_end = way->at_end;
    fill = way->fill;
    run_model(&guarded, way->threads > 1 ? *threads : NULL, &expected, &found);
    compare(&expected, &found);
    clear(&found);
    if (num_live) wrong("blocks of memory are left", NULL);
    num_live = 0;
  }
  clear(&expected);
  num_models++;
  fflush(stdout);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void try_folder(const char *folder) {
  struct dirent **entries;
  char path[768];
  snprintf(path, sizeof(path), "%s/model.onnx", folder);
  if (access(path, R_OK) == 0) {
    folder_now = folder;
    try_model();
    return;
  }
  const int number = scandir(folder, &entries, NULL, by_name);
  for (int i = 0; i < number; i++) {
    snprintf(path, sizeof(path), "%s/%s/model.onnx", folder, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.' && access(path, R_OK) == 0) {
      path[strlen(path) - strlen("/model.onnx")] = '\0';
      folder_now = path;
      try_model();
    }
    free(entries[i]);
  }
  if (number >= 0) free(entries);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], "--small")) limits = &small;
    else try_folder(argv[i]);
  printf("%zu models, %zu runs, %zu steps, %zu failed\n", num_models, num_runs, num_steps, num_failed);
  return num_failed || !num_models;
}
