/* signal.h: parameters of the signal-processing layers. */
#ifndef ONNXRUN_LAYERS_SIGNAL_H
#define ONNXRUN_LAYERS_SIGNAL_H

#include "onnxrun/tensor.h"

/* dft: ONNX DFT-17..20. inputs x [..., 1 (real) or 2 (complex)], length (optional), axis (optional, default -2). */
struct onr_dft_params {
  int32_t inverse, onesided;
};

/* stft: ONNX STFT-17. inputs signal [batch, length, 1 or 2], frame_step, window (optional), frame_length (optional). */
struct onr_stft_params {
  int32_t onesided;
};

enum onr_window_function { ONR_WINDOW_HANN, ONR_WINDOW_HAMMING, ONR_WINDOW_BLACKMAN };
/* window_function: ONNX HannWindow-17, HammingWindow-17, BlackmanWindow-17. input size. */
struct onr_window_function_params {
  enum onr_window_function function;
  int32_t symmetric; /* 0: periodic */
  enum onr_dtype dtype;
};

/* mel_weights: ONNX MelWeightMatrix-17. inputs num_mel_bins, dft_length, sample_rate, lower and upper edge in hertz. */
struct onr_mel_weights_params {
  enum onr_dtype dtype;
};

#endif
