/* webp.c: through libwebp. */
#include <webp/decode.h>

#include "layers/image/picture_file.h"

enum onr_status onri_picture_webp(struct onri_picture *p) {
  WebPBitstreamFeatures features;
  const VP8StatusCode header = WebPGetFeatures(p->bytes, p->size, &features);
  if (header == VP8_STATUS_NOT_ENOUGH_DATA) return onri_picture_broken(p, "it ends early");
  if (header != VP8_STATUS_OK) return onri_picture_broken(p, "its header");
  if (features.has_animation) return onr_fail(p->error, ONR_STATUS_UNSUPPORTED, "a moving WebP picture");
  ONR_TRY(onri_picture_start(p, (uint64_t)features.width, (uint64_t)features.height));
  ONR_TRY(onri_picture_afford(p, (uint64_t)p->width * p->height * 4));
  if (!WebPDecodeRGBInto(p->bytes, p->size, p->rgb, p->width * p->height * 3, (int)(p->width * 3)))
    return onri_picture_broken(p, "its data ends early or makes no sense");
  return ONR_STATUS_OK;
}
