/* interrupt.c: what ends the program ends the library's work first, which then leaves nothing half-done. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>

#include "tool.h"

static struct onr_cancel cancel;
static volatile sig_atomic_t received;

static void take(int number) {
  received = number;
  onr_cancel_set(&cancel);
}

const struct onr_cancel *interrupt_begin(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  const struct sigaction once = {.sa_handler = take, .sa_flags = (int)SA_RESETHAND};
  struct sigaction before;
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    if (!sigaction(numbers[i], NULL, &before) && before.sa_handler != SIG_IGN) sigaction(numbers[i], &once, NULL);
  return &cancel;
}

int interrupt_end(int code) {
  if (received) raise(received); /* which is as it was */
  return code;
}
