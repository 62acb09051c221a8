/* External data: what is read, and every way out of the directory that must stay shut. */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "onnx/file/decode.h"
#include "support/proto_writer.h"

static char root[64]; /* root/model/m.onnx, root/model/w.bin, root/extra/w2.bin, root/secret.bin */
static struct onr_env env;
static float weights[8] = {0, 1, 2, 3, 4, 5, 6, 7};

static const char *path_of(const char *name) {
  static char path[256];
  snprintf(path, sizeof(path), "%s/%s", root, name);
  return path;
}

static void write_file(const char *name, const void *bytes, size_t size) {
  FILE *file = fopen(path_of(name), "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

static int set_up(void **state) {
  (void)state;
  env = (struct onr_env){.allocator = &onri_malloc_allocator, .limits = onri_limits_resolve(NULL)};
  strcpy(root, "/tmp/onnxrun-external-XXXXXX");
  assert_non_null(mkdtemp(root));
  assert_int_equal(mkdir(path_of("model"), 0700), 0);
  assert_int_equal(mkdir(path_of("model/sub"), 0700), 0);
  assert_int_equal(mkdir(path_of("extra"), 0700), 0);
  write_file("model/w.bin", weights, sizeof(weights));
  write_file("model/sub/w.bin", weights, sizeof(weights));
  write_file("extra/w2.bin", weights, sizeof(weights));
  write_file("secret.bin", weights, sizeof(weights));
  write_file("model/m.onnx", "m", 1);
  return 0;
}

static int tear_down(void **state) {
  static const char *const files[] = {"model/w.bin", "model/sub/w.bin", "extra/w2.bin",
                                      "secret.bin",  "model/m.onnx",    "model/link.bin",
                                      "model/fifo",  "model/hard.bin",  "model/linked"};
  static const char *const folders[] = {"model/sub", "model", "extra", ""};
  (void)state;
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) unlink(path_of(files[i]));
  for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) assert_int_equal(rmdir(path_of(folders[i])), 0);
  return 0;
}

struct entry {
  const char *key, *value;
  size_t length; /* 0: strlen */
};

/* float32[count] with these entries, decoded and loaded; extra: with the extra directory. */
static enum onr_status load(int64_t count, int32_t dtype, const struct entry *entries, int extra, float *data) {
  struct onri_tensor_decoder decoder = {.env = &env};
  struct proto w = proto_tensor("w", dtype, &count, 1), graph = {0}, file;
  struct onri_constant *constant = NULL;
  struct onri_sources *sources;
  struct onri_skeleton skeleton;
  struct onri_arena arena;
  const Onnx__ModelProto *model;
  struct onri_source memory;
  enum onr_status status;
  char directory[256];
  for (; entries->key; entries++) {
    struct proto e = {0};
    proto_text(&e, 1, entries->key);
    proto_bytes(&e, 2, entries->value, entries->length ? entries->length : strlen(entries->value));
    proto_message(&w, 13, &e);
  }
  proto_int(&w, 14, 1);
  proto_message(&graph, 5, &w);
  file = proto_model(&graph);
  memory = onri_source_memory(file.bytes, file.size);
  assert_int_equal(onri_scan_model(&memory, &env.limits, env.allocator, &skeleton, NULL), ONR_STATUS_OK);
  onri_arena_init(&arena, env.allocator, 0);
  assert_int_equal(onri_decode_model(&skeleton, &arena, &model, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_sources_create(env.allocator, &sources, NULL), ONR_STATUS_OK);
  snprintf(directory, sizeof(directory), "%s", path_of("extra"));
  assert_int_equal(onri_sources_open(sources, path_of("model/m.onnx"), extra ? directory : NULL, NULL), ONR_STATUS_OK);
  decoder.sources = sources;
  status = onri_tensor_decode(&decoder, model->graph->initializer[0], &constant, NULL);
  if (status == ONR_STATUS_OK) {
    assert_null(constant->data); /* nothing has been read yet */
    status = onri_constant_load(constant, NULL);
    if (status == ONR_STATUS_OK && data) memcpy(data, constant->data, onr_desc_bytes(&constant->desc));
    onri_constant_release(constant);
  }
  onri_sources_destroy(sources);
  onri_arena_clear(&arena);
  onri_skeleton_clear(&skeleton);
  proto_free(&file);
  return status;
}

#define ENTRIES(...) ((const struct entry[]){__VA_ARGS__, {NULL, NULL, 0}})
#define AT(location) ENTRIES({"location", location, 0})

static void test_whole_file_and_part(void **state) {
  float data[8] = {0};
  (void)state;
  assert_int_equal(load(8, 1, AT("w.bin"), 0, data), ONR_STATUS_OK);
  assert_memory_equal(data, weights, sizeof(weights));
  assert_int_equal(
      load(2, 1, ENTRIES({"location", "w.bin", 0}, {"offset", "12", 0}, {"length", "8", 0}, {"checksum", "x", 0}), 0,
           data),
      ONR_STATUS_OK);
  assert_memory_equal(data, weights + 3, 8);
  assert_int_equal(load(8, 1, AT("./sub//w.bin"), 0, data), ONR_STATUS_OK);
  assert_int_equal(load(0, 1, AT("w.bin"), 0, data), ONR_STATUS_OK);
}

/* Offsets of more than 32 bits, in a file with a hole of 5 GiB. */
static void test_far_part(void **state) {
  static const float far[8] = {8, 7, 6, 5, 4, 3, 2, 1};
  float data[8] = {0};
  (void)state;
  const int fd = open(path_of("model/w.bin"), O_WRONLY);
  assert_true(fd >= 0);
  const int is_written = sizeof(off_t) > 4 && lseek(fd, (off_t)((uint64_t)5 << 30), SEEK_SET) > 0 &&
                         write(fd, far, sizeof(far)) == (ssize_t)sizeof(far);
  close(fd);
  if (!is_written) skip(); /* a system, or a disk, that has no such files */
  assert_int_equal(load(8, 1, ENTRIES({"location", "w.bin", 0}, {"offset", "5368709120", 0}), 0, data), ONR_STATUS_OK);
  assert_memory_equal(data, far, sizeof(far));
  assert_int_equal(
      load(2, 1, ENTRIES({"location", "w.bin", 0}, {"offset", "5368709128", 0}, {"length", "8", 0}), 0, data),
      ONR_STATUS_OK);
  assert_memory_equal(data, far + 2, 8);
  assert_int_equal(load(8, 1, ENTRIES({"location", "w.bin", 0}, {"offset", "0", 0}, {"length", "32", 0}), 0, data),
                   ONR_STATUS_OK);
  assert_memory_equal(data, weights, sizeof(weights));
  assert_int_equal(load(8, 1, ENTRIES({"location", "w.bin", 0}, {"offset", "5368709124", 0}), 0, data),
                   ONR_STATUS_EXTERNAL);
}

static void test_extra_directory(void **state) {
  float data[8];
  (void)state;
  assert_int_equal(load(8, 1, AT("w2.bin"), 0, data), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("w2.bin"), 1, data), ONR_STATUS_OK);
  assert_memory_equal(data, weights, sizeof(weights));
  assert_int_equal(load(8, 1, AT("../secret.bin"), 1, NULL), ONR_STATUS_EXTERNAL);
}

#ifndef _WIN32 /* has no such links for everyone, and no pipes with a name here */
/* A link beside the model leads into the extra directory, as in caches of downloaded models; without it, nowhere. */
static void test_link_into_the_extra_directory(void **state) {
  float data[8] = {0};
  (void)state;
  assert_int_equal(symlink("../extra/w2.bin", path_of("model/link.bin")), 0);
  assert_int_equal(load(8, 1, AT("link.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("link.bin"), 1, data), ONR_STATUS_OK);
  assert_memory_equal(data, weights, sizeof(weights));
  /* The same name elsewhere is another file. */
  write_file("w2.bin", weights, sizeof(weights));
  assert_int_equal(unlink(path_of("model/link.bin")), 0);
  assert_int_equal(symlink("../w2.bin", path_of("model/link.bin")), 0);
  assert_int_equal(load(8, 1, AT("link.bin"), 1, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(unlink(path_of("w2.bin")), 0);
}

static void test_links_out(void **state) {
  (void)state;
  assert_int_equal(symlink("../secret.bin", path_of("model/link.bin")), 0);
  assert_int_equal(load(8, 1, AT("link.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(symlink("..", path_of("model/linked")), 0);
  assert_int_equal(load(8, 1, AT("linked/secret.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
}

/* What a link beside the model must not say; the extra directory is there. The file's own name is "link.bin" or, in a
 * folder, "sub/link.bin". */
static void test_links_that_lead_elsewhere(void **state) {
  static const char *const targets[] = {
      "../extra/",     "../extra/..",      "..",       "../extra/none.bin", "none.bin", "../extra/folder", "/",
      "../secret.bin", "../extra/outward", "link.bin", "../nowhere/w2.bin"};
  char elsewhere[] = "/dev/shm/onnxrun-external-XXXXXX", file[64];
  (void)state;
  assert_int_equal(mkdir(path_of("extra/folder"), 0700), 0);
  assert_int_equal(symlink("../secret.bin", path_of("extra/outward")), 0);
  for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
    assert_int_equal(symlink(targets[i], path_of("model/link.bin")), 0);
    assert_int_equal(load(8, 1, AT("link.bin"), 1, NULL), ONR_STATUS_EXTERNAL);
    assert_int_equal(unlink(path_of("model/link.bin")), 0);
  }
  if (mkdtemp(elsewhere)) { /* a file of the same name on another device */
    snprintf(file, sizeof(file), "%s/w2.bin", elsewhere);
    FILE *other = fopen(file, "wb");
    assert_non_null(other);
    assert_int_equal(fclose(other), 0);
    assert_int_equal(symlink(file, path_of("model/link.bin")), 0);
    assert_int_equal(load(8, 1, AT("link.bin"), 1, NULL), ONR_STATUS_EXTERNAL);
    assert_int_equal(unlink(path_of("model/link.bin")), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(elsewhere), 0);
  }
  assert_int_equal(symlink("../../extra/w2.bin", path_of("model/sub/link.bin")),
                   0); /* right, but not beside the model */
  assert_int_equal(load(8, 1, AT("sub/link.bin"), 1, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(unlink(path_of("model/sub/link.bin")), 0);
  assert_int_equal(unlink(path_of("extra/outward")), 0);
  assert_int_equal(rmdir(path_of("extra/folder")), 0);
}

/* A name of a folder or a file that is longer than any system's; a file in the place of a folder. */
static void test_strange_places(void **state) {
  char longest[1200];
  (void)state;
  memset(longest, 'a', sizeof(longest) - 1);
  longest[sizeof(longest) - 1] = '\0';
  assert_int_equal(load(8, 1, AT(longest), 1, NULL), ONR_STATUS_EXTERNAL);
  memcpy(longest + sizeof(longest) - 8, "/w.bin", 7);
  assert_int_equal(load(8, 1, AT(longest), 1, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("w.bin/w.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("..w.bin"), 0, NULL), ONR_STATUS_EXTERNAL); /* a name, only not there */
  assert_int_equal(load(8, 1, AT("sub"), 0, NULL), ONR_STATUS_EXTERNAL);
}

static void test_pipe(void **state) {
  (void)state;
  assert_int_equal(mkfifo(path_of("model/fifo"), 0600), 0);
  assert_int_equal(load(8, 1, AT("fifo"), 0, NULL), ONR_STATUS_EXTERNAL);
}
#else
/* Drives, both separators, streams of files, devices and what stands for all of them. */
static void test_ways_out_of_windows(void **state) {
  static const char *const out[] = {"..\\secret.bin",
                                    "sub\\..\\..\\secret.bin",
                                    "sub/..\\w.bin",
                                    "\\secret.bin",
                                    "C:\\secret.bin",
                                    "C:secret.bin",
                                    "Z:/secret.bin",
                                    "\\\\?\\Z:\\secret.bin",
                                    "w.bin::$DATA",
                                    "w.bin:other",
                                    "sub:dir/w.bin",
                                    "NUL",
                                    "CON",
                                    "w.bin\\x",
                                    "sub\\"};
  char absolute[256];
  float data[8] = {0};
  (void)state;
  snprintf(absolute, sizeof(absolute), "Z:%s", path_of("secret.bin"));
  for (char *at = absolute; *at; at++)
    if (*at == '/') *at = '\\';
  assert_int_equal(load(8, 1, AT(absolute), 0, NULL), ONR_STATUS_EXTERNAL);
  for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
    assert_int_equal(load(8, 1, AT(out[i]), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("sub\\w.bin"), 0, data), ONR_STATUS_OK);
  assert_memory_equal(data, weights, sizeof(weights));
}
#endif

static void test_ways_out(void **state) {
  char absolute[256];
  (void)state;
  snprintf(absolute, sizeof(absolute), "%s", path_of("secret.bin"));
  assert_int_equal(load(8, 1, AT("../secret.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("sub/../../secret.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("sub/../w.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT(absolute), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, ENTRIES({"location", "w.bin\0/../x", 11}), 0, NULL), ONR_STATUS_EXTERNAL);
}

static void test_hard_links_are_files(void **state) {
  char target[256];
  (void)state;
  snprintf(target, sizeof(target), "%s", path_of("secret.bin"));
  assert_int_equal(link(target, path_of("model/hard.bin")), 0);
  assert_int_equal(load(8, 1, AT("hard.bin"), 0, NULL), ONR_STATUS_OK);
}

static void test_what_is_no_file(void **state) {
  (void)state;
  assert_int_equal(load(8, 1, AT("ab"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("sub"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("."), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("w.bin/x"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT("missing.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, AT(""), 0, NULL), ONR_STATUS_EXTERNAL);
}

static void test_entries(void **state) {
  static const struct {
    const char *offset, *length;
  } bad[] = {{"-16", NULL},
             {"33", NULL},
             {"4", NULL},
             {"9223372036854775800", NULL},
             {"18446744073709551616", NULL},
             {"12abc", NULL},
             {"", NULL},
             {" 0", NULL},
             {"0", "31"},
             {"0", "33"},
             {"0", "-1"}};
  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(load(8, 1,
                          ENTRIES({"location", "w.bin", 0}, {"offset", bad[i].offset, 0},
                                  {bad[i].length ? "length" : "unread", bad[i].length ? bad[i].length : "", 0}),
                          0, NULL),
                     ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, ENTRIES({"offset", "0", 0}), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(8, 1, ENTRIES({"location", "w.bin", 0}, {"location", "w.bin", 0}), 0, NULL),
                   ONR_STATUS_EXTERNAL);
  assert_int_equal(load(9, 1, AT("w.bin"), 0, NULL), ONR_STATUS_EXTERNAL);
  assert_int_equal(load(2, ONR_DTYPE_STRING, AT("w.bin"), 0, NULL), ONR_STATUS_UNSUPPORTED);
}

/* A file that is shorter when it is read than when it was opened. */
static void test_file_that_shrinks(void **state) {
  struct onri_sources *sources;
  struct onri_source source;
  char byte[32];
  (void)state;
  assert_int_equal(onri_source_open(path_of("model/w.bin"), &source, NULL), ONR_STATUS_OK);
  assert_int_equal(truncate(path_of("model/w.bin"), 8), 0);
  assert_int_equal(onri_source_read(&source, 0, 8, byte, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_source_read(&source, 0, 32, byte, NULL), ONR_STATUS_IO);
  onri_source_close(&source);
  assert_int_equal(onri_sources_create(env.allocator, &sources, NULL), ONR_STATUS_OK);
  assert_int_equal(onri_sources_open(sources, path_of("model/none.onnx"), NULL, NULL), ONR_STATUS_IO);
  assert_int_equal(onri_sources_open(sources, path_of("model"), NULL, NULL), ONR_STATUS_IO);
  onri_sources_destroy(sources);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_whole_file_and_part),
      TEST(test_extra_directory),
#ifndef _WIN32
      TEST(test_far_part),
      TEST(test_link_into_the_extra_directory),
      TEST(test_links_out),
      TEST(test_links_that_lead_elsewhere),
      TEST(test_strange_places),
      TEST(test_pipe),
#else
      TEST(test_ways_out_of_windows),
#endif
      TEST(test_ways_out),
      TEST(test_hard_links_are_files),
      TEST(test_what_is_no_file),
      TEST(test_entries),
      TEST(test_file_that_shrinks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
