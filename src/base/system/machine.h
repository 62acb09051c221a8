/* machine.h: what the library asks of the machine that it runs on. machine_posix.c, machine_windows.c. */
#ifndef ONRI_SYSTEM_MACHINE_H
#define ONRI_SYSTEM_MACHINE_H

#include <stddef.h>
#include <stdint.h>

/* Cores that this process may use; 1 where it is not known. */
uint32_t onri_machine_cores(void);
/* Of the machine, or of the container when it may take less. 0: not known. */
uint64_t onri_machine_memory(void);
/* Nanoseconds from some moment on; never set back. */
uint64_t onri_machine_clock(void);
/* Of this process, among those that run. */
uint64_t onri_machine_process(void);

/* Memory as malloc's, aligned; bytes is a multiple of alignment, a power of two of at least a pointer's size. NULL:
 * there is none. */
void *onri_machine_allocate(size_t bytes, size_t alignment);
/* Accepts NULL. */
void onri_machine_release(void *memory);

#endif
