/* picture.h: pictures from files. */
#ifndef ONNXRUN_LAYERS_PICTURE_H
#define ONNXRUN_LAYERS_PICTURE_H

enum onr_pixels { ONR_PIXELS_RGB, ONR_PIXELS_BGR, ONR_PIXELS_GREY };
/* image_decoder (ONNX ImageDecoder-20): the bytes of a file (uint8 [n]) -> its pixels (uint8 [height, width, 3], or 1
 * channel when grey). BMP, JPEG, JPEG 2000, PNG, PNM, TIFF and WebP; all but BMP and PNM need a library that the build
 * has found (UNSUPPORTED). An alpha channel is left out, a grey picture has three equal channels, more than 8 bits are
 * cut to 8. A file that is broken or ends early is a DATA error, where ONNX asks for an empty tensor. */
struct onr_image_decoder_params {
  enum onr_pixels pixels;
};

#endif
