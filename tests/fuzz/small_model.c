#define _GNU_SOURCE /* memfd_create */
#include "tests/fuzz/small_model.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(memory, bytes) (void)(memory), (void)(bytes)
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) (void)(memory), (void)(bytes)
#endif

#include "onnxrun/tensor_file.h"
#include "tests/fuzz/wire.h"

enum {
  MAX_INPUTS = 16,
  MAX_OUTPUTS = 16,
  MOST_INPUT_BYTES = 1 << 18,
  MOST_ALLOCATION = 1 << 28,
  MOST_ALLOCATIONS = 20000
};

const struct onr_limits small_limits = {.size = sizeof(small_limits),
                                        .nodes = 3000,
                                        .tensor_bytes = 1 << 20,
                                        .total_bytes = 16 << 20,
                                        .loop_iterations = 60,
                                        .work = 2000000};

static atomic_size_t num_live, num_made;
static int fill;

/* A case's memory is taken from one piece, one block behind the other, and none of it twice: closed to everybody but
 * for the blocks that are held, with HEAD bytes in between. That finds what a sanitizer's own malloc finds, at a fifth
 * of the time; where it is used up, malloc goes on. */
enum { PIECE_BYTES = 32 << 20, HEAD = 64 };
static _Alignas(4096) char piece[PIECE_BYTES];
static atomic_size_t piece_used;
static int is_closed;

/* In front of a block. */
struct head {
  size_t bytes, is_held;
};

__attribute__((no_sanitize("address"))) static void write_head(char *memory, struct head head) {
  ((volatile struct head *)(void *)memory)[-1].bytes = head.bytes;
  ((volatile struct head *)(void *)memory)[-1].is_held = head.is_held;
}

__attribute__((no_sanitize("address"))) static struct head read_head(const char *memory) {
  const volatile struct head *head = (const volatile struct head *)(const void *)memory - 1;
  return (struct head){head->bytes, head->is_held};
}

static int is_in_piece(const char *memory) { return memory >= piece && memory < piece + PIECE_BYTES; }

static void *take(size_t bytes, size_t alignment) {
  const size_t round = alignment < HEAD ? HEAD : alignment, room = HEAD + round + (bytes + HEAD - 1) / HEAD * HEAD;
  if (room > PIECE_BYTES || piece_used > PIECE_BYTES - room) return NULL;
  const size_t at = atomic_fetch_add(&piece_used, room);
  if (at > PIECE_BYTES - room) return NULL;
  char *memory = piece + (at + HEAD + round - 1) / round * round;
  ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
  write_head(memory, (struct head){bytes, 1});
  return memory;
}

static void *allocate(void *context, size_t bytes, size_t alignment) {
  (void)context;
  if (!is_closed) ASAN_POISON_MEMORY_REGION(piece, PIECE_BYTES);
  is_closed = 1;
  /* A case that needs more would take seconds under sanitizers; what fails here is tried, too. */
  if (bytes > MOST_ALLOCATION || ++num_made > MOST_ALLOCATIONS) return NULL;
  void *memory = take(bytes, alignment);
  if (!memory && posix_memalign(&memory, alignment, bytes) != 0) return NULL;
  num_live++;
  return memset(memory, fill, bytes);
}

static void release(void *context, void *memory) {
  (void)context;
  if (memory) num_live--;
  if (!is_in_piece(memory)) {
    free(memory);
    return;
  }
  const struct head head = read_head(memory);
  if (!head.is_held) small_abort("memory is released twice", NULL);
  write_head(memory, (struct head){0, 0});
  ASAN_POISON_MEMORY_REGION(memory, head.bytes);
}

const struct onr_allocator small_allocator = {NULL, allocate, release};

_Noreturn void small_abort(const char *why, const struct onr_error *error) {
  fprintf(stderr, "FAULT: %s", why);
  if (error) fprintf(stderr, ": %s: %s: %s", onr_status_name(error->status), error->where, error->message);
  fprintf(stderr, "\n");
  abort();
}

void small_expect_empty(void) {
  num_made = 0;
  if (num_live) small_abort("memory was not released", NULL);
  piece_used = 0;
}

void small_check_refusal(enum onr_status status, const struct onr_error *error) {
  if (status == ONR_STATUS_INTERNAL) small_abort("an error of our own", error);
  if (error->status != status) small_abort("another status in the error than was returned", error);
  if (!error->message[0]) small_abort("no message", error);
  for (const char *c = error->message; *c; c++)
    if ((unsigned char)*c < ' ' || *c == 0x7F) small_abort("a message that is not fit for a terminal", error);
}

/* --- inputs --- */

struct given {
  char name[128];
  struct onr_tensor tensor;
};

struct trial {
  const uint8_t *model;
  size_t model_bytes;
  uint64_t how;
  struct given given[MAX_INPUTS];
  size_t num_given;
};

static int value_file(const uint8_t *bytes, size_t size) {
  static int fd = -1;
  if (fd < 0) fd = memfd_create("value", 0);
  if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size)
    small_abort("no file in memory", NULL);
  return fd;
}

static void read_input(struct trial *t, const struct wire_field *f) {
  const struct onr_tensor_file_options options = {
      .size = sizeof(options), .allocator = &small_allocator, .limits = &small_limits};
  static const enum onr_dtype kinds[] = {
      [2] = ONR_DTYPE_F32, [4] = ONR_DTYPE_SEQUENCE, [5] = ONR_DTYPE_OPTIONAL, [6] = ONR_DTYPE_MAP};
  struct given *given = &t->given[t->num_given];
  struct onr_error error = {0};
  char path[64];
  snprintf(path, sizeof(path), "/proc/self/fd/%d", value_file(f->bytes, f->size));
  const enum onr_status status =
      onr_tensor_file_load(path, kinds[f->number], &options, &given->tensor, given->name, sizeof(given->name), &error);
  if (status == ONR_STATUS_OK) t->num_given++;
  else small_check_refusal(status, &error);
}

static void read_case(struct trial *t, const uint8_t *data, size_t size) {
  const uint8_t *at = data, *end = data + size;
  struct wire_field f;
  while (wire_next(&at, end, &f)) {
    if (f.wire == 0 && f.number == 3) t->how = f.value;
    if (f.wire != 2) continue;
    if (f.number == 1) t->model = f.bytes, t->model_bytes = f.size;
    if ((f.number == 2 || (f.number >= 4 && f.number <= 6)) && t->num_given < MAX_INPUTS) read_input(t, &f);
  }
}

/* Zeros of the declared shape. data NULL: too large to try. */
static struct onr_tensor zeros(const struct onr_value_info *info, int64_t open) {
  int64_t dim[ONR_MAX_RANK];
  const int32_t rank = info->rank < 0 ? 2 : info->rank;
  for (int32_t i = 0; i < rank; i++) dim[i] = info->rank < 0 || info->dim[i] == ONR_UNKNOWN_DIM ? open : info->dim[i];
  struct onr_tensor tensor = {onr_desc_make(info->dtype, rank, dim), NULL};
  const size_t bytes = onr_desc_bytes(&tensor.desc);
  if (bytes <= MOST_INPUT_BYTES) tensor.data = allocate(NULL, bytes + !bytes, 16);
  if (tensor.data) memset(tensor.data, 0, bytes);
  return tensor;
}

/* --- one session --- */

struct outcome {
  enum onr_status status;
  struct onr_tensor out[MAX_OUTPUTS]; /* copies */
};

static const struct onr_tensor *find_given(const struct trial *t, const char *name, size_t index, int64_t open) {
  if (open != 2) return NULL; /* the second time everything has other shapes */
  for (size_t i = 0; i < t->num_given; i++)
    if (!strcmp(t->given[i].name, name)) return &t->given[i].tensor;
  return index < t->num_given ? &t->given[index].tensor : NULL;
}

static enum onr_status set_inputs(const struct trial *t, const struct onr_model *model, struct onr_session *session,
                                  int64_t open, struct onr_tensor *made, struct onr_error *error) {
  for (size_t i = 0; i < onr_model_num_inputs(model) && i < MAX_INPUTS; i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    const struct onr_tensor *x = find_given(t, info->name, i, open);
    if (x && onr_session_set_input(session, i, x, error) == ONR_STATUS_OK) continue;
    onr_tensor_release(&small_allocator, &made[i]);
    made[i] = zeros(info, open);
    if (!made[i].data) return onr_session_set_input(session, SIZE_MAX, &made[i], error);
    ONR_TRY(onr_session_set_input(session, i, &made[i], error));
  }
  return ONR_STATUS_OK;
}

static enum onr_status run_session(const struct trial *t, const struct onr_model *model, struct onr_session *session,
                                   struct onr_tensor *made, struct outcome *o, struct onr_error *error) {
  char bound[24];
  if (t->how & CASE_STATES) onr_session_add_states(session, NULL, NULL, NULL);
  if (t->how & CASE_SOME) ONR_TRY(onr_session_want_outputs(session, &(size_t){0}, 1, error));
  ONR_TRY(set_inputs(t, model, session, 2, made, error));
  if (t->how & CASE_BOUND) ONR_TRY(onr_session_bind_output(session, 0, bound, sizeof(bound), error));
  ONR_TRY(onr_session_run(session, error));
  if (t->how & CASE_OTHER_SHAPE) {
    ONR_TRY(set_inputs(t, model, session, 3, made, error));
    ONR_TRY(onr_session_run(session, error));
    ONR_TRY(onr_session_trim(session, error));
    ONR_TRY(set_inputs(t, model, session, 2, made, error));
  }
  ONR_TRY(onr_session_run(session, error));
  if (t->how & CASE_STATES) ONR_TRY(onr_session_run(session, error));
  const size_t wanted = t->how & CASE_SOME ? 1 : onr_model_num_outputs(model);
  for (size_t i = 0; i < wanted && i < MAX_OUTPUTS; i++) {
    struct onr_tensor y;
    ONR_TRY(onr_session_get_output(session, i, &y, error));
    const size_t bytes = onr_desc_bytes(&y.desc);
    o->out[i] = (struct onr_tensor){y.desc, malloc(bytes + !bytes)};
    if (!o->out[i].data) small_abort("no memory for a copy", NULL);
    if (bytes) memcpy(o->out[i].data, y.data, bytes);
  }
  return ONR_STATUS_OK;
}

static struct outcome run_model(const struct trial *t, struct onr_threads *threads) {
  const struct onr_model_options options = {.size = sizeof(options),
                                            .allocator = &small_allocator,
                                            .limits = &small_limits,
                                            .backend = t->how & CASE_PORTABLE ? ONR_BACKEND_PORTABLE : ONR_BACKEND_AUTO,
                                            .disabled_passes = t->how & CASE_NO_PASSES ? "all" : NULL,
                                            .data_stays = (t->how & CASE_DATA_STAYS) != 0,
                                            .threads = threads};
  const struct onr_session_options session_options = {
      .size = sizeof(session_options), .threads = threads, .cache_int8 = (t->how & CASE_CACHE_INT8) != 0};
  struct outcome o = {0};
  struct onr_tensor made[MAX_INPUTS] = {0};
  struct onr_error error = {0};
  struct onr_model *model = NULL;
  struct onr_session *session = NULL;
  o.status = onr_model_load_memory(t->model, t->model_bytes, &options, &model, &error);
  if (o.status == ONR_STATUS_OK) o.status = onr_session_create(model, &session_options, &session, &error);
  if (o.status == ONR_STATUS_OK) o.status = run_session(t, model, session, made, &o, &error);
  if (o.status != ONR_STATUS_OK) small_check_refusal(o.status, &error);
  onr_session_destroy(session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MAX_INPUTS; i++) onr_tensor_release(&small_allocator, &made[i]);
  return o;
}

static void clear_outcome(struct outcome *o) {
  for (size_t i = 0; i < MAX_OUTPUTS; i++) free(o->out[i].data);
}

/* Of text and of what holds tensors only the descriptor counts: their addresses differ. */
static void compare(const struct outcome *a, const struct outcome *b) {
  if (a->status == ONR_STATUS_NO_MEMORY || b->status == ONR_STATUS_NO_MEMORY) return; /* of allocate, above */
  if (a->status != b->status) small_abort("it ends otherwise the second time", NULL);
  for (size_t i = 0; i < MAX_OUTPUTS; i++) {
    const struct onr_desc *desc = &a->out[i].desc;
    if (!a->out[i].data || !b->out[i].data) continue;
    if (!onr_desc_equal(desc, &b->out[i].desc)) small_abort("a shape depends on what lay in memory", NULL);
    if (desc->dtype == ONR_DTYPE_STRING || desc->dtype == ONR_DTYPE_SEQUENCE || desc->dtype == ONR_DTYPE_OPTIONAL ||
        desc->dtype == ONR_DTYPE_MAP)
      continue;
    if (memcmp(a->out[i].data, b->out[i].data, onr_desc_bytes(desc)) != 0)
      small_abort("an output depends on what lay in memory", NULL);
  }
}

/* Operators whose results may differ from run to run by definition are none: seeds are fixed. */
void small_run_case(const uint8_t *data, size_t size) {
  static struct onr_threads *pool;
  struct trial t = {0};
  if (!pool && onr_threads_create(2, NULL, &pool, NULL) != ONR_STATUS_OK) small_abort("no threads", NULL);
  fill = 0x11;
  read_case(&t, data, size);
  if (t.model) {
    struct outcome first = run_model(&t, t.how & CASE_THREADS ? pool : NULL);
    if (t.how & CASE_TWICE) {
      fill = 0xEE;
      num_made = 0;
      struct outcome second = run_model(&t, NULL);
      compare(&first, &second);
      clear_outcome(&second);
    }
    clear_outcome(&first);
  }
  for (size_t i = 0; i < t.num_given; i++) onr_tensor_release(&small_allocator, &t.given[i].tensor);
  small_expect_empty();
}
