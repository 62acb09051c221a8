/* A second wall, on Linux: everything is prepared, then the process gives up nearly all system calls, and only then
 * reads a model that a stranger sent. Whatever went wrong in it could open no file, no socket and no program. Prints
 * the first values of the outputs.
 *
 *   sandbox MODEL      one thread; weights lie in the model's file
 */
#define _GNU_SOURCE
#include <onnxrun/onnxrun.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __linux__
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#endif

#ifdef ARCHITECTURE
enum { MOST_INPUTS = 16, SHOWN = 5 };

#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Memory, the time, words on what is open already, and the end. All else is refused: the library asks for
 * the memory of the machine, and does without. */
static int shut_the_door(void) {
  static struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      ALLOW(mmap),
      ALLOW(munmap),
      ALLOW(mremap),
      ALLOW(madvise),
      ALLOW(brk),
      ALLOW(futex),
      ALLOW(clock_gettime),
      ALLOW(sched_yield),
      ALLOW(write),
      ALLOW(exit),
      ALLOW(exit_group),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  const struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void *read_file(const char *path, size_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) return NULL;
  const long size = ftell(file);
  void *data = size > 0 ? malloc((size_t)size) : NULL;
  rewind(file);
  *bytes = data ? fread(data, 1, (size_t)size, file) : 0;
  fclose(file);
  return data;
}

/* Zeros; dimensions that the model leaves open are 1. */
static enum onr_status set_inputs(const struct onr_model *model, struct onr_session *session, void **data,
                                  struct onr_error *error) {
  for (size_t i = 0; i < onr_model_num_inputs(model) && i < MOST_INPUTS; i++) {
    const struct onr_value_info *info = onr_model_input(model, i);
    struct onr_tensor x = {onr_desc_make(info->dtype, info->rank < 0 ? 0 : info->rank, info->dim), NULL};
    for (int d = 0; d < x.desc.rank; d++)
      if (x.desc.dim[d] == ONR_UNKNOWN_DIM) x.desc.dim[d] = 1;
    x.data = data[i] = calloc(1, onr_desc_bytes(&x.desc) + 1);
    ONR_TRY(onr_session_set_input(session, i, &x, error));
  }
  return ONR_STATUS_OK;
}

static void print_outputs(const struct onr_model *model, struct onr_session *session) {
  for (size_t i = 0; i < onr_model_num_outputs(model); i++) {
    struct onr_tensor y;
    char text[160];
    if (onr_session_get_output(session, i, &y, NULL) != ONR_STATUS_OK) continue;
    printf("%s", onr_desc_format(&y.desc, text, sizeof(text)));
    for (int64_t k = 0; y.desc.dtype == ONR_DTYPE_F32 && k < onr_desc_elements(&y.desc) && k < SHOWN; k++)
      printf(" %g", (double)((const float *)y.data)[k]);
    printf("\n");
  }
}

int main(int argc, char **argv) {
  const struct onr_limits limits = {.size = sizeof(limits), .total_bytes = (uint64_t)256 << 20};
  const struct onr_model_options options = {.size = sizeof(options), .limits = &limits};
  struct onr_error error = {0};
  struct onr_model *model = NULL;
  struct onr_session *session = NULL;
  void *inputs[MOST_INPUTS] = {NULL};
  size_t bytes = 0;
  if (argc < 2) {
    fprintf(stderr, "usage: sandbox MODEL\n");
    return 2;
  }
  void *data = read_file(argv[1], &bytes);
  if (!data) {
    fprintf(stderr, "cannot read %s\n", argv[1]);
    return 1;
  }
  /* Before the door is shut: a place for what is printed, and a look at the processor, which the first load takes. */
  static char out[BUFSIZ];
  setvbuf(stdout, out, _IOFBF, sizeof(out));
  onr_model_load_memory("", 0, &options, &model, NULL);
  if (!shut_the_door()) {
    fprintf(stderr, "this kernel has no seccomp\n");
    return 77;
  }
  enum onr_status status = onr_model_load_memory(data, bytes, &options, &model, &error);
  if (status == ONR_STATUS_OK) status = onr_session_create(model, NULL, &session, &error);
  if (status == ONR_STATUS_OK) status = set_inputs(model, session, inputs, &error);
  if (status == ONR_STATUS_OK) status = onr_session_run(session, &error);
  if (status == ONR_STATUS_OK) print_outputs(model, session);
  else fprintf(stderr, "%s: %s\n", onr_status_name(status), error.message);
  onr_session_destroy(session);
  onr_model_destroy(model);
  for (size_t i = 0; i < MOST_INPUTS; i++) free(inputs[i]);
  free(data);
  return status != ONR_STATUS_OK;
}
#else
int main(void) {
  fprintf(stderr, "written for Linux on x86-64 and arm64\n");
  return 77;
}
#endif
