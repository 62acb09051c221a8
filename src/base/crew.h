/* crew.h: threads of our own, for work in shares that any number of threads may take.
 *
 * Nobody waits for a thread that has not begun: the caller takes shares itself until there are none, and then lets no
 * other one in. So it makes no difference to the result, and little to the time, whether the others come late, sleep,
 * share the caller's core or, behind a fork, are not there. */
#ifndef ONRI_CREW_H
#define ONRI_CREW_H

#include <stddef.h>
#include <stdint.h>

struct onri_crew;

struct onr_allocator;

/* num_threads: 2..1024, the calling one counted. NULL when there is no memory, or the system does not start as many. */
struct onri_crew *onri_crew_create(uint32_t num_threads, const struct onr_allocator *allocator);
void onri_crew_destroy(struct onri_crew *crew); /* accepts NULL */

/* task(argument, 0) on the calling thread, and task(argument, i) on each thread i below count that comes before it
 * returns. count: at most num_threads. Returns when all have returned. Called while the crew is at work, it is the
 * calling thread alone. */
void onri_crew_run(void *crew, size_t count, void (*task)(void *argument, size_t i), void *argument);

#endif
