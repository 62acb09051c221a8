/* version.c: of this library and of its kernels. The build gives the numbers. */
#include "onnxrun/layer.h"

const char *onr_kernel_library(void) { return ONNXRUN_KERNEL_LIBRARY; }

const char *onr_kernel_name(enum onr_kernel kernel) {
  static const char *const names[ONR_NUM_KERNELS] = {"portable", "vector", "xnnpack"};
  return (unsigned)kernel < ONR_NUM_KERNELS ? names[kernel] : "?";
}

const char *onr_version(void) { return "onnxrun " ONNXRUN_VERSION " (kernels: " ONNXRUN_KERNEL_LIBRARY ")"; }
