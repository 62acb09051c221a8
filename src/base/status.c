/* status.c: names of statuses, and the one place that raises errors. */
#include "onnxrun/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text/text.h"

#undef onr_fail /* which may be without messages */

#define ONR_X(name, value, text) [value] = #name,
static const char *const names[] = {ONR_STATUS_LIST(ONR_X)};
#undef ONR_X

const char *onr_status_name(enum onr_status status) {
  return (size_t)status < sizeof(names) / sizeof(names[0]) ? names[status] : "?";
}

enum onr_status onr_fail(struct onr_error *error, enum onr_status status, const char *format, ...) {
  if (error) {
    char text[2 * sizeof(error->message)];
    va_list arguments;
    error->status = status;
    error->where[0] = '\0';
    va_start(arguments, format);
    if (format) vsnprintf(text, sizeof(text), format, arguments);
    else snprintf(text, sizeof(text), "%s", onr_status_text(status));
    va_end(arguments);
    onri_escape_message(text, error->message, sizeof(error->message)); /* names in it may come from a file */
  }
  return status;
}

#if defined(ONNXRUN_BRIEF)
enum onr_status onri_fail_briefly(struct onr_error *error, enum onr_status status) {
  if (!error) return status;
  error->status = status;
  error->where[0] = error->message[0] = '\0';
  return status;
}
#endif
