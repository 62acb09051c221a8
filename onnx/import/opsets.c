/* opsets.c: versions of the file format and of operator sets. */
#include <string.h>

#include "base/text/text.h"
#include "onnx/import/import_file.h"

enum { NEWEST_IR = 14, FIRST_IR_WITH_OPSETS = 3, MOST_OPSETS = 128 };

/* Versions that exist today. What a newer one means is not known, so it is refused. Other domains may have any. */
static const struct {
  const char *domain;
  int64_t newest;
} known_domains[] = {
    {"", 28},      {"ai.onnx.ml", 5}, {"ai.onnx.training", 1}, {"ai.onnx.preview.training", 1}, {"com.microsoft", 1},
    {"onnxrun", 1}};

const char *onri_canonical_domain(const char *domain) { return !domain || !strcmp(domain, "ai.onnx") ? "" : domain; }

enum onr_status onri_check_ir_version(const Onnx__ModelProto *model, struct onr_error *error) {
  if (!model->has_ir_version) return onr_fail(error, ONR_STATUS_VERSION, "the file does not say its IR version");
  if (model->ir_version < 1 || model->ir_version > NEWEST_IR)
    return onr_fail(error, ONR_STATUS_VERSION, "IR version %lld, known are 1 to %d", (long long)model->ir_version,
                    NEWEST_IR);
  if (model->ir_version >= FIRST_IR_WITH_OPSETS && !model->n_opset_import)
    return onr_fail(error, ONR_STATUS_VERSION, "the file imports no operator set");
  return ONR_STATUS_OK;
}

static enum onr_status check_version(const char *domain, int64_t version, struct onr_error *error) {
  char shown[64];
  onri_escape_string(*domain ? domain : "ai.onnx", shown, sizeof(shown));
  if (version < 1)
    return onr_fail(error, ONR_STATUS_VERSION, "operator set version %lld of domain '%s'", (long long)version, shown);
  for (size_t i = 0; i < sizeof(known_domains) / sizeof(known_domains[0]); i++)
    if (!strcmp(known_domains[i].domain, domain) && version > known_domains[i].newest)
      return onr_fail(error, ONR_STATUS_VERSION, "operator set version %lld of domain '%s', known are 1 to %lld",
                      (long long)version, shown, (long long)known_domains[i].newest);
  return ONR_STATUS_OK;
}

int64_t onri_opsets_version(const struct onri_opsets *opsets, const char *domain) {
  for (size_t i = 0; i < opsets->count; i++)
    if (!strcmp(opsets->items[i].domain, domain)) return opsets->items[i].version;
  return 0;
}

enum onr_status onri_opsets_read(struct onri_arena *arena, Onnx__OperatorSetIdProto *const *protos, size_t count,
                                 const struct onri_opsets *fallback, struct onri_opsets *opsets,
                                 struct onr_error *error) {
  const size_t more = fallback ? fallback->count : 0;
  char shown[64];
  if (count > MOST_OPSETS)
    return onr_fail(error, ONR_STATUS_LIMIT, "%zu operator sets are imported, the limit is %d", count, MOST_OPSETS);
  *opsets = (struct onri_opsets){onri_arena_allocate(arena, (count + more + 1) * sizeof(*opsets->items)), 0};
  if (!opsets->items) return onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory for the operator sets");
  for (size_t i = 0; i < count; i++) {
    const char *domain = onri_canonical_domain(protos[i]->domain);
    ONR_TRY(check_version(domain, protos[i]->version, error));
    const int64_t other = onri_opsets_version(opsets, domain);
    if (other == protos[i]->version) continue; /* some converters write a set twice */
    if (other)
      return onr_fail(error, ONR_STATUS_VERSION, "operator set '%s' is imported as %lld and as %lld",
                      onri_escape_string(*domain ? domain : "ai.onnx", shown, sizeof(shown)), (long long)other,
                      (long long)protos[i]->version);
    opsets->items[opsets->count++] = (struct onr_opset){domain, protos[i]->version};
  }
  for (size_t i = 0; i < more; i++)
    if (!onri_opsets_version(opsets, fallback->items[i].domain)) opsets->items[opsets->count++] = fallback->items[i];
  return ONR_STATUS_OK;
}
