/* variant.h: a session whose caller sets inputs that have a default runs a variant of its model, in which these are
 * inputs like others. The session owns it. */
#ifndef ONRI_VARIANT_H
#define ONRI_VARIANT_H

#include "model/model.h"

struct onri_variant {
  struct onr_model *model; /* NULL: none yet */
  uint8_t *is_set;         /* [num_defaults of the session's model] which inputs it was made for */
  struct onr_tensor *fed;  /* [inputs of the variant's graph] */
  size_t *from;            /* [the same] where they come from among the session's inputs */
};

/* inputs: [num_inputs + num_defaults] of the session; dtype NONE: not set. */
int onri_variant_is_wanted(const struct onr_model *model, const struct onr_tensor *inputs);
int onri_variant_fits(const struct onri_variant *variant, const struct onr_model *model,
                      const struct onr_tensor *inputs);
/* Makes the variant for the inputs that are set. Memory, threads and cancel flag are those of env. */
enum onr_status onri_variant_make(struct onri_variant *variant, const struct onr_model *model,
                                  const struct onr_tensor *inputs, struct onr_env *env, struct onr_error *error);
/* Writes variant->fed. */
void onri_variant_feed(struct onri_variant *variant, const struct onr_tensor *inputs);
void onri_variant_clear(struct onri_variant *variant, const struct onr_allocator *allocator);

#endif
