/* status_text.c: a sentence for each status; apart, since most programs ask for names alone. */
#include <stddef.h>

#include "onnxrun/status.h"

#define ONR_X(name, value, text) [value] = text,
static const char *const texts[] = {ONR_STATUS_LIST(ONR_X)};
#undef ONR_X

const char *onr_status_text(enum onr_status status) {
  return (size_t)status < sizeof(texts) / sizeof(texts[0]) ? texts[status] : "unknown status";
}
