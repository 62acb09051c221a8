/* version: of this library and of its kernels. The build gives the numbers. */
#include "onnxrun/runtime.h"

const char *onr_kernel_library(void) { return ONNXRUN_KERNEL_LIBRARY; }

const char *onr_version(void) { return "onnxrun " ONNXRUN_VERSION " (kernels: " ONNXRUN_KERNEL_LIBRARY ")"; }
