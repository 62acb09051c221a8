/* only.h: what a build for a few models has of operators, layers and rewrites (ONNXRUN_OPS_FROM, docs/small.md).
 *
 * cmake/only.cmake writes its header: a name ONRI_HAS_... for each that, as tools/needs says, takes part when one of
 * the models is loaded. Tables ask for the names of their rows; what no row names any more the linker leaves out. Other
 * builds have all, and ONRI_PART(more): what only says more of a model or of a file. */
#ifndef ONRI_ONLY_H
#define ONRI_ONLY_H

#if defined(ONNXRUN_ONLY)
#define ONRI_PRESENT ~, ONRI_KEEP /* what the names are defined as */
#include "onnxrun_only.h"
#define ONRI_KEEP(...) __VA_ARGS__
#define ONRI_DROP(...)
#define ONRI_SECOND(first, second, ...) second
#define ONRI_CHOOSE(...) ONRI_SECOND(__VA_ARGS__)
/* The rest of the arguments where `name` is defined, else nothing. */
#define ONRI_IF(name, ...) ONRI_CHOOSE(name, ONRI_DROP, )(__VA_ARGS__)
#else
#define ONRI_IF(name, ...) __VA_ARGS__
#endif

/* The function where a row of `kind_name` takes part, else NULL. */
#define ONRI_WHERE(kind_name, function) ((0 ONRI_IF(ONRI_HAS_##kind_name, +1)) ? (function) : NULL)

/* 1 where a model was packed, or has bodies, functions, external data (which tell of them as "part NAME"); else 0. */
#define ONRI_PART(name) (0 ONRI_IF(ONRI_HAS_PART_##name, +1))

/* Flags of layers beyond those of layer.h: what a layer never calls. Of others, built-in or not, it is taken for
 * granted that they do. */
enum {
  ONRI_LAYER_NO_PRODUCTS = 1 << 28,  /* of matrices */
  ONRI_LAYER_NO_REDUCTIONS = 1 << 29 /* but sums; nor exponentials of lines */
};

/* 0 in a library whose errors have no messages. */
#if defined(ONNXRUN_BRIEF)
#define ONRI_SPEAKS 0
#else
#define ONRI_SPEAKS 1
#endif

#endif
