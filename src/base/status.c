/* status.c: names and texts of statuses, and the one place that raises errors. */
#include "onnxrun/status.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text/text.h"

static const struct {
  const char *name, *text;
} entries[] = {
#define ONR_X(name, value, text) [value] = {#name, text},
    ONR_STATUS_LIST(ONR_X)
#undef ONR_X
};

static int known(enum onr_status status) { return (size_t)status < sizeof(entries) / sizeof(entries[0]); }

const char *onr_status_name(enum onr_status status) { return known(status) ? entries[status].name : "?"; }

const char *onr_status_text(enum onr_status status) { return known(status) ? entries[status].text : "unknown status"; }

enum onr_status onr_fail(struct onr_error *error, enum onr_status status, const char *format, ...) {
  if (error) {
    char text[2 * sizeof(error->message)];
    va_list arguments;
    error->status = status;
    error->where[0] = '\0';
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format ? format : "?", arguments);
    va_end(arguments);
    onri_escape_message(text, error->message, sizeof(error->message)); /* names in it may come from a file */
  }
  return status;
}
