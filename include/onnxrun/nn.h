/* nn.h: the layers of torch.nn for networks written in C (net.h). Names, parameters and their defaults are PyTorch's;
 * weights come in PyTorch's own layout. A parameters struct of which a member is 0 takes PyTorch's default for it where
 * 0 makes no sense (stride, dilation, groups, eps ...); each header says so. */
#ifndef ONNXRUN_NN_H
#define ONNXRUN_NN_H

#include "onnxrun/nn/activation.h"
#include "onnxrun/nn/convolution.h"
#include "onnxrun/nn/distance.h"
#include "onnxrun/nn/dropout.h"
#include "onnxrun/nn/embedding.h"
#include "onnxrun/nn/fold.h"
#include "onnxrun/nn/function.h"
#include "onnxrun/nn/linear.h"
#include "onnxrun/nn/normalization.h"
#include "onnxrun/nn/padding.h"
#include "onnxrun/nn/pooling.h"
#include "onnxrun/nn/recurrent.h"
#include "onnxrun/nn/shape.h"
#include "onnxrun/nn/transformer.h"
#include "onnxrun/nn/upsample.h"

#endif
