/* report: errors as one line on stderr, and the exit code that goes with each status. */
#include <stdarg.h>
#include <stdio.h>

#include "tool.h"

static int exit_code_of(enum onr_status status) {
  switch (status) {
    case ONR_STATUS_OK: return EXIT_OK;
    case ONR_STATUS_PARSE:
    case ONR_STATUS_VERSION:
    case ONR_STATUS_GRAPH:
    case ONR_STATUS_ARITY:
    case ONR_STATUS_TYPE:
    case ONR_STATUS_SHAPE:
    case ONR_STATUS_ATTRIBUTE:
    case ONR_STATUS_DATA:
    case ONR_STATUS_EXTERNAL:
    case ONR_STATUS_INDEX:
    case ONR_STATUS_ARITHMETIC: return EXIT_MODEL;
    case ONR_STATUS_UNSUPPORTED: return EXIT_UNSUPPORTED;
    case ONR_STATUS_ARGUMENT: return EXIT_USAGE;
    case ONR_STATUS_LIMIT:
    case ONR_STATUS_STATE:
    case ONR_STATUS_NO_MEMORY:
    case ONR_STATUS_CANCELLED:
    case ONR_STATUS_IO:
    case ONR_STATUS_INTERNAL: break;
  }
  return EXIT_OTHER;
}

int report_failure(enum onr_status status, const struct onr_error *error) {
  fflush(stdout);
  fprintf(stderr, "onnxrun: %s: %s%s%s\n", onr_status_name(status), error->where, error->where[0] ? ": " : "", error->message);
  return exit_code_of(status);
}

int complain(int code, const char *format, ...) {
  va_list arguments;
  fflush(stdout);
  fputs("onnxrun: ", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  return code;
}
