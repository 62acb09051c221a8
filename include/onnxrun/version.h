/* version.h: of this header, of the library that runs, and what stays as it is from one version to the next.
 *
 * Versions are MAJOR.MINOR.PATCH, as in Semantic Versioning:
 *
 *   PATCH  mends faults. Headers and library of the same MAJOR.MINOR go together in any order, source and binary.
 *   MINOR  adds. What onnxrun.h, sequence.h, tensor_file.h and operators.h declare stays, in source and in binary:
 *          functions keep their arguments, enum values and ONNX numbers their numbers, and structs grow at their
 *          end, only where they begin with `size` (api.h). Others keep their layout for good: onr_error, onr_desc,
 *          onr_tensor, onr_string, onr_allocator, onr_cancel. layer.h, net.h and nn.h stay in source: code
 *          compiles as it is, after a new MINOR it must be compiled again.
 *   MAJOR  may remove. What will go is marked as deprecated in its header and in CHANGELOG.md one MINOR version
 *          before, with what takes its place.
 *
 * While MAJOR is 0 a new MINOR may do what a new MAJOR may, without notice; CHANGELOG.md says what to change. Bits of
 * results may differ between versions; they do not between numbers of threads. Texts of messages and names of layers
 * are for people and may change at any time. */
#ifndef ONNXRUN_VERSION_H
#define ONNXRUN_VERSION_H

#include "onnxrun/api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CMakeLists.txt reads the version of the project from these three lines. */
#define ONR_VERSION_MAJOR 0
#define ONR_VERSION_MINOR 1
#define ONR_VERSION_PATCH 0
/* As one number that grows: 1002003 is 1.2.3. */
#define ONR_VERSION (ONR_VERSION_MAJOR * 1000000 + ONR_VERSION_MINOR * 1000 + ONR_VERSION_PATCH)

/* ONR_VERSION of the library that runs. */
ONR_API int onr_version_number(void);
/* "onnxrun 0.1.0 (kernels: xnnpack 2024-11-08)". Static storage. */
ONR_API const char *onr_version(void);
/* Kernel library and its version, "none" in a portable build. Static storage. */
ONR_API const char *onr_kernel_library(void);

#ifdef __cplusplus
}
#endif
#endif
