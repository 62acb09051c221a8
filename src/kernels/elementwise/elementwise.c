/* elementwise.c: see elementwise.h. */
#include "kernels/elementwise/elementwise.h"

#include "kernels/kernels.h"

onri_unary_kernel onri_unary_kernel_f32(enum onr_unary op) { return onri_kernels(elementwise)->unary[op]; }
onri_binary_kernel onri_binary_kernel_f32(enum onr_binary op) { return onri_kernels(elementwise)->binary[op]; }
