/* version.c: of this library and of its kernels. The build names the latter. */
#include "onnxrun/version.h"

#include "onnxrun/runtime.h"

#define TEXT(number) #number
#define NUMBERS(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

int onr_version_number(void) { return ONR_VERSION; }

const char *onr_version(void) {
  return "onnxrun " NUMBERS(ONR_VERSION_MAJOR, ONR_VERSION_MINOR,
                            ONR_VERSION_PATCH) " (kernels: " ONNXRUN_KERNEL_LIBRARY ")";
}

const char *onr_kernel_library(void) { return ONNXRUN_KERNEL_LIBRARY; }

const char *onr_method_name(enum onr_method method) {
  static const char *const names[ONR_NUM_METHODS] = {"rule",      "direct",    "depthwise", "product", "winograd2",
                                                     "winograd4", "winograd6", "xnnpack",   "half"};
  return (unsigned)method < ONR_NUM_METHODS ? names[method] : "?";
}

const char *onr_kernel_name(enum onr_kernel kernel) {
  static const char *const names[ONR_NUM_KERNELS] = {"portable", "vector", "xnnpack"};
  return (unsigned)kernel < ONR_NUM_KERNELS ? names[kernel] : "?";
}
