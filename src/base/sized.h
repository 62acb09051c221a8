/* sized.h: public structs that begin with their size (onnxrun/api.h). */
#ifndef ONRI_SIZED_H
#define ONRI_SIZED_H

#include "onnxrun/status.h"

/* Copies what the caller gave, NULL: nothing, into a struct of our own of `bytes`; what is not given is zero. type:
 * "onr_limits", for the message of an ARGUMENT. */
enum onr_status onri_sized_read(void *own, size_t bytes, const void *given, const char *type, struct onr_error *error);
/* Copies a struct of our own into that of the caller, as far as its size goes. NULL: ARGUMENT. */
enum onr_status onri_sized_write(void *target, const void *own, size_t bytes, const char *type,
                                 struct onr_error *error);

#define ONRI_SIZED_READ(own, given, type, error) onri_sized_read(own, sizeof(struct type), given, #type, error)
#define ONRI_SIZED_WRITE(target, own, type, error) onri_sized_write(target, own, sizeof(struct type), #type, error)

#endif
