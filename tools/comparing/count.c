/* count.c: a plugin of qemu's emulators of programs (7.2 to 8.2): counts the instructions that a process runs. The file
 * of the argument `to` gets the count whenever the process asks for its parent's number, and at its end. One thread.
 * What it needs of qemu's interface is declared here: distributions bring the emulators without the header. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_info;
enum { ADD_U64 = 0, NR_GETPPID = 173 /* of 64-bit ARM and RISC-V */ };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*translated)(plugin_id, struct qemu_plugin_tb *));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int op, void *to, uint64_t number);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id id,
                                          void (*called)(plugin_id, unsigned, int64_t, uint64_t, uint64_t, uint64_t,
                                                         uint64_t, uint64_t, uint64_t, uint64_t, uint64_t));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*ended)(plugin_id, void *), void *data);

EXPORT int qemu_plugin_version = 1;

static uint64_t count;
static char path[4096];

static void write_count(void) {
  FILE *file = fopen(path, "a");
  if (!file) return;
  fprintf(file, "%llu\n", (unsigned long long)count);
  fclose(file);
}

static void on_block(plugin_id id, struct qemu_plugin_tb *block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &count, qemu_plugin_tb_n_insns(block));
}

static void on_call(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                    uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
  (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  if (number == NR_GETPPID) write_count();
}

static void on_end(plugin_id id, void *data) {
  (void)id, (void)data;
  write_count();
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int count_of, char **arguments) {
  (void)info;
  for (int i = 0; i < count_of; i++)
    if (!strncmp(arguments[i], "to=", 3)) snprintf(path, sizeof(path), "%s", arguments[i] + 3);
  if (!*path) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
  qemu_plugin_register_vcpu_syscall_cb(id, on_call);
  qemu_plugin_register_atexit_cb(id, on_end, NULL);
  return 0;
}
