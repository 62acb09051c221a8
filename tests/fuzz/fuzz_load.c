/* Any bytes as a model file: they are refused with a message, or loaded, and nothing is left behind. */
#include <string.h>

#include "tests/fuzz/small_model.h"
#include "tests/fuzz/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct onr_model_options options = {
      .size = sizeof(options), .allocator = &small_allocator, .limits = &small_limits};
  struct onr_error error = {0};
  struct onr_model *model = NULL;
  const enum onr_status status = onr_model_load_memory(data, size, &options, &model, &error);
  if (status != ONR_STATUS_OK) small_check_refusal(status, &error);
  if (status != ONR_STATUS_OK && model) small_abort("a model beside an error", &error);
  onr_model_destroy(model);
  small_expect_empty();
  return 0;
}

/* Bytes as bytes, two times of three. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  return seed % 3 ? LLVMFuzzerMutate(data, size, most) : wire_mutate(WIRE_MODEL, data, size, most, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t most, unsigned seed) {
  return wire_cross(WIRE_MODEL, a, a_size, b, b_size, out, most, seed);
}
