/* webp.c: through libwebp. */
#include <webp/decode.h>

#include "layers/image/picture_file.h"

enum { PIECE = 16 << 10 }; /* of the file, between two looks at the cancel flag */

/* The decoder sees ever more of the file, where it lies. */
static enum onr_status feed(struct onri_picture *p, WebPIDecoder *decoder) {
  VP8StatusCode state = VP8_STATUS_SUSPENDED;
  for (size_t seen = 0; state == VP8_STATUS_SUSPENDED && seen < p->size;) {
    ONR_TRY(onri_env_poll(p->env, p->error));
    seen = p->size - seen > PIECE ? seen + PIECE : p->size;
    state = WebPIUpdate(decoder, p->bytes, seen);
  }
  if (state == VP8_STATUS_OUT_OF_MEMORY)
    return onr_fail(p->error, ONR_STATUS_NO_MEMORY, "no memory to decode a WebP picture");
  if (state != VP8_STATUS_OK) return onri_picture_broken(p, "its data ends early or makes no sense");
  return ONR_STATUS_OK;
}

enum onr_status onri_picture_webp(struct onri_picture *p) {
  WebPBitstreamFeatures features;
  const VP8StatusCode header = WebPGetFeatures(p->bytes, p->size, &features);
  if (header == VP8_STATUS_NOT_ENOUGH_DATA) return onri_picture_broken(p, "it ends early");
  if (header != VP8_STATUS_OK) return onri_picture_broken(p, "its header");
  if (features.has_animation) return onr_fail(p->error, ONR_STATUS_UNSUPPORTED, "a moving WebP picture");
  ONR_TRY(onri_picture_start(p, (uint64_t)features.width, (uint64_t)features.height));
  ONR_TRY(onri_picture_afford(p, (uint64_t)p->width * p->height * 4));
  WebPIDecoder *decoder = WebPINewRGB(MODE_RGB, p->rgb, p->width * p->height * 3, (int)(p->width * 3));
  if (!decoder) return onr_fail(p->error, ONR_STATUS_NO_MEMORY, "no memory to decode a WebP picture");
  const enum onr_status status = feed(p, decoder);
  WebPIDelete(decoder);
  return status;
}
