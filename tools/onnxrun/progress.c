/* progress.c: one line on standard error that is written over and taken away. */
#define _POSIX_C_SOURCE 200809L
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

enum { FIRST_MS = 300, EACH_MS = 100 };

static struct {
  double began, last; /* ms; began 0: nothing is under way */
  int is_shown;
} line;

static int is_wanted(void) {
  const char *terminal = getenv("TERM");
  return isatty(STDERR_FILENO) && !(terminal && !strcmp(terminal, "dumb"));
}

void progress(const char *format, ...) {
  struct line text = {0};
  char piece[512];
  va_list arguments;
  const double now = now_ms();
  if (line.began == 0) line.began = now;
  if (now - line.began < FIRST_MS || now - line.last < EACH_MS || !is_wanted()) return;
  va_start(arguments, format);
  vsnprintf(piece, sizeof(piece), format, arguments);
  va_end(arguments);
  line_add(&text, "%.*s", 70, shown(piece).text);
  fprintf(stderr, "\r%s\x1b[K", text.text);
  fflush(stderr);
  line.last = now;
  line.is_shown = 1;
}

void progress_now(const char *text) {
  if (!is_wanted()) return;
  fprintf(stderr, "\r%.70s\x1b[K", text);
  fflush(stderr);
  line.is_shown = 1;
}

void progress_clear(void) {
  if (line.is_shown) fputs("\r\x1b[K", stderr);
  line.is_shown = 0;
}

void progress_end(void) {
  progress_clear();
  line.began = line.last = 0;
}
