/* sized.c: what a caller compiled with another version gives and takes, as far as both know it. */
#include "base/sized.h"

/* No struct of ours comes near this: what is larger was never set. */
enum { LARGEST = 1 << 16 };

static size_t size_of(const void *given) {
  size_t size;
  memcpy(&size, given, sizeof(size));
  return size;
}

/* Every version of a struct ends with its alignment, so no member is cut. */
static enum onr_status check_size(size_t size, size_t bytes, const char *type, struct onr_error *error) {
  if (size >= sizeof(size) && size <= LARGEST && size % sizeof(size) == 0) return ONR_STATUS_OK;
  return onr_fail(error, ONR_STATUS_ARGUMENT, "struct %s: expected size = sizeof(struct %s), %zu here, found %zu", type,
                  type, bytes, size);
}

enum onr_status onri_sized_read(void *own, size_t bytes, const void *given, const char *type, struct onr_error *error) {
  memset(own, 0, bytes);
  if (given) {
    const size_t size = size_of(given);
    ONR_TRY(check_size(size, bytes, type, error));
    for (size_t i = bytes; i < size; i++)
      if (((const char *)given)[i])
        return onr_fail(error, ONR_STATUS_ARGUMENT,
                        "struct %s of %zu bytes: this library knows %zu, and what lies behind them is not zero", type,
                        size, bytes);
    memcpy(own, given, size < bytes ? size : bytes);
  }
  memcpy(own, &bytes, sizeof(bytes));
  return ONR_STATUS_OK;
}

enum onr_status onri_sized_write(void *target, const void *own, size_t bytes, const char *type,
                                 struct onr_error *error) {
  if (!target) return onr_fail(error, ONR_STATUS_ARGUMENT, "struct %s must not be NULL", type);
  const size_t size = size_of(target);
  ONR_TRY(check_size(size, bytes, type, error));
  memset(target, 0, size);
  memcpy(target, own, size < bytes ? size : bytes);
  memcpy(target, &size, sizeof(size));
  return ONR_STATUS_OK;
}
