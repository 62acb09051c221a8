/* decode.c: protobuf-c with an arena under it. The scan has bounded depth, counts and memory. */
#include "onnx/file/decode.h"

static void *arena_alloc(void *context, size_t bytes) { return onri_arena_allocate(context, bytes); }

static void arena_free(void *context, void *memory) {
  (void)context;
  (void)memory;
}

enum onr_status onri_decode_model(const struct onri_skeleton *skeleton, struct onri_arena *arena,
                                  const Onnx__ModelProto **model, struct onr_error *error) {
  ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};
  *model = onnx__model_proto__unpack(&allocator, skeleton->size, skeleton->bytes);
  /* What the scan lets through is well-formed, so only memory can be the reason. */
  return *model ? ONR_STATUS_OK
                : onr_fail(error, ONR_STATUS_NO_MEMORY, "no memory to decode %zu bytes", skeleton->size);
}
