/* errors.c: errors as one line on stderr, and the exit code that goes with each status. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "print.h"

int exit_code_of(enum onr_status status) {
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

/* The loader's own messages about a file name it already, escaped and cut: "'FILE' is ...", "cannot open 'FILE': ...".
 */
static int names_file(const struct onr_error *error, const char *file) {
  const char *text = error->message;
  if (!strncmp(text, "cannot open ", 12)) text += 12;
  return !error->where[0] && text[0] == '\'' && (text[1] == file[0] || text[1] == '\\');
}

int report_as(int code, const char *what, const char *file, const struct onr_error *error, const char *hint) {
  const int named = names_file(error, file);
  return complain(code, "%s: %s%s%s%s%s%s", what, named ? "" : file, named ? "" : ": ", error->where,
                  error->where[0] ? ": " : "", error->message, hint);
}

int report_failure(enum onr_status status, const char *file, const struct onr_error *error) {
  if (status == ONR_STATUS_CANCELLED) return EXIT_OTHER; /* by a signal, of which the shell tells */
  return report_as(exit_code_of(status), onr_status_name(status), file, error, "");
}

int report_write_failure(enum onr_status status, const char *source, const char *target,
                         const struct onr_error *error) {
  return report_failure(status, names_file(error, target) ? target : source, error);
}

int complain_file(const char *path, const char *what) {
  const int reason = errno ? errno : EIO;
  return complain(EXIT_OTHER, "%s: %s: %s", path, what, strerror(reason));
}

int complain(int code, const char *format, ...) {
  char text[4096];
  va_list arguments;
  progress_clear();
  fflush(stdout);
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  fprintf(stderr, "%sonnxrun:%s ", code ? colour(stderr, RED).text : "", code ? no_colour(stderr) : "");
  print_escaped(stderr, text, strlen(text));
  fputc('\n', stderr);
  return code;
}
