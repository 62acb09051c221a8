/* api.h: how public functions and structs are declared, on every compiler, in C and in C++. The other headers include
 * it. */
#ifndef ONNXRUN_API_H
#define ONNXRUN_API_H

#include <stddef.h>
#include <string.h>

/* A shared library exports what is marked and nothing else. Its users define ONNXRUN_SHARED, which Windows asks for and
 * our CMake and pkg-config packages do; ONNXRUN_BUILDING is the library's own. */
#if defined(_WIN32) || defined(__CYGWIN__)
#if !defined(ONNXRUN_SHARED)
#define ONR_API
#elif defined(ONNXRUN_BUILDING)
#define ONR_API __declspec(dllexport)
#else
#define ONR_API __declspec(dllimport)
#endif
#elif defined(__GNUC__) || defined(__clang__)
#define ONR_API __attribute__((visibility("default")))
#else
#define ONR_API
#endif

/* Behind a declaration: argument number `text` is a format of printf's, for the arguments from number `first` on. */
#if defined(__GNUC__) || defined(__clang__)
#define ONR_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define ONR_PRINTF(text, first)
#endif

/* Structs that may grow begin with `size_t size`, which the caller sets to sizeof of the struct as it was compiled
 * with:
 *
 *   struct onr_model_options options = {.size = sizeof(options), .threads = threads};      // C
 *   struct onr_model_options options = onr_model_options_init();                           // C and C++
 *
 * Members that lie beyond the caller's size count as zero, and zero is the default of every member. So a program that
 * was compiled with an older header runs with a newer library, and one compiled with a newer header runs with an older
 * library as long as it leaves what that does not know at zero. ARGUMENT: size 0, as in a struct that was zeroed and no
 * more; a size that no version of a struct can have; something else than zero in a member that the library does not
 * know. Structs that the library fills in are held to the same: it writes no more than size says, and zeroes what it
 * does not know. */
#define ONR_SIZED(type)                         \
  static inline struct type type##_init(void) { \
    struct type value;                          \
    memset(&value, 0, sizeof(value));           \
    value.size = sizeof(value);                 \
    return value;                               \
  }

#endif
