/* driver.c: runs a fuzz target without libFuzzer: over files, and over copies of them that it damages, the same ones
 * every time.
 *
 *   fuzz_NAME [-runs=N] [-seed=S] [-artifact=FILE] PATH...     files, and all files in folders; N damaged copies after
 * them
 *
 * What is wrong ends the program; what it was given then lies in the file that -artifact=FILE names. */
#define _XOPEN_SOURCE 700 /* setitimer */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 16, MOST_SECONDS = 30, PATH_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed);

struct file {
  uint8_t *data;
  size_t size;
};
static struct file *files;
static size_t num_files, capacity;
static uint64_t state = 1;

static uint32_t draw(uint32_t n) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33) % n;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) {
  if (size < most && draw(4) == 0) {
    const size_t at = draw((uint32_t)size + 1);
    memmove(data + at + 1, data + at, size - at);
    data[at] = (uint8_t)draw(256);
    return size + 1;
  }
  if (size && draw(6) == 0) {
    const size_t at = draw((uint32_t)size);
    memmove(data + at, data + at + 1, size - at - 1);
    return size - 1;
  }
  if (size) data[draw((uint32_t)size)] ^= (uint8_t)(1u << draw(8));
  return size;
}

static void add_file(const char *path, size_t bytes) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = malloc(bytes + !bytes);
  if (num_files == capacity) {
    capacity = 2 * capacity + 64;
    files = realloc(files, capacity * sizeof(*files));
  }
  if (!file || !data || !files || fread(data, 1, bytes, file) != bytes) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(2);
  }
  fclose(file);
  files[num_files++] = (struct file){data, bytes};
}

static void add(const char *path) {
  struct stat info;
  struct dirent **entries;
  if (stat(path, &info) != 0) {
    fprintf(stderr, "no file %s\n", path);
    exit(2);
  }
  if (S_ISREG(info.st_mode)) {
    if (info.st_size <= MOST_BYTES) add_file(path, (size_t)info.st_size);
    return;
  }
  const int count = S_ISDIR(info.st_mode) ? scandir(path, &entries, NULL, alphasort) : 0;
  for (int i = 0; i < count; i++) {
    char inner[PATH_BYTES];
    const int fits = snprintf(inner, sizeof(inner), "%s/%s", path, entries[i]->d_name) < PATH_BYTES;
    if (fits && entries[i]->d_name[0] != '.') add(inner);
    free(entries[i]);
  }
  if (count > 0) free(entries);
}

/* --- what was being tried when the program ended --- */

static struct file tried;
static const char *artifact;

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void save_tried(void) {
  const int fd = artifact ? open(artifact, O_WRONLY | O_CREAT | O_TRUNC, 0644) : -1;
  if (fd < 0) return;
  if (write(fd, tried.data, tried.size) != (ssize_t)tried.size) unlink(artifact);
  close(fd);
}

static void on_signal(int number) {
  save_tried();
  signal(number, SIG_DFL);
  raise(number);
}

static void watch_for_the_end(void) {
  static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPROF};
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(save_tried);
  for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
    if (!__sanitizer_set_death_callback || signals[i] == SIGABRT || signals[i] == SIGPROF)
      signal(signals[i], on_signal);
}

/* Of the processor's time: others may have it meanwhile. */
static const struct itimerval limit = {.it_value = {.tv_sec = MOST_SECONDS}};

/* A copy that is exactly as long as it says, so that a read behind its end is seen. */
static void try(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size + !size);
  if (!copy) exit(2);
  if (size) memcpy(copy, data, size);
  tried = (struct file){copy, size};
  setitimer(ITIMER_PROF, &limit, NULL);
  LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

int main(int argc, char **argv) {
  static uint8_t buffer[MOST_BYTES];
  unsigned long runs = 0;
  for (int i = 1; i < argc; i++) {
    if (!strncmp(argv[i], "-runs=", 6)) runs = strtoul(argv[i] + 6, NULL, 10);
    else if (!strncmp(argv[i], "-seed=", 6)) state = strtoul(argv[i] + 6, NULL, 10) * 2 + 1;
    else if (!strncmp(argv[i], "-artifact=", 10)) artifact = argv[i] + 10;
    else add(argv[i]);
  }
  if (!num_files) {
    fprintf(stderr, "usage: %s [-runs=N] [-seed=S] [-artifact=FILE] PATH...\n", argv[0]);
    return 2;
  }
  watch_for_the_end();
  for (size_t i = 0; i < num_files; i++) try(files[i].data, files[i].size);
  for (unsigned long run = 0; run < runs; run++) {
    const struct file *a = &files[draw((uint32_t)num_files)], *b = &files[draw((uint32_t)num_files)];
    memcpy(buffer, a->data, a->size);
    size_t size =
        draw(4) ? 0
                : LLVMFuzzerCustomCrossOver(a->data, a->size, b->data, b->size, buffer, sizeof(buffer), draw(1u << 30));
    if (!size) size = LLVMFuzzerCustomMutator(buffer, a->size, sizeof(buffer), draw(1u << 30));
    try(buffer, size);
  }
  printf("%zu files, %lu damaged copies\n", num_files, runs);
  return 0;
}
