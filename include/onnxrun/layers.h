/* layers.h: parameters of the built-in layers, one header a family. */
#ifndef ONNXRUN_LAYERS_H
#define ONNXRUN_LAYERS_H

#include "onnxrun/layer.h"
#include "onnxrun/layers/attention.h"
#include "onnxrun/layers/classical.h"
#include "onnxrun/layers/control.h"
#include "onnxrun/layers/conv.h"
#include "onnxrun/layers/elementwise.h"
#include "onnxrun/layers/generate.h"
#include "onnxrun/layers/index.h"
#include "onnxrun/layers/loss.h"
#include "onnxrun/layers/matmul.h"
#include "onnxrun/layers/move.h"
#include "onnxrun/layers/normalization.h"
#include "onnxrun/layers/optimizer.h"
#include "onnxrun/layers/picture.h"
#include "onnxrun/layers/pool.h"
#include "onnxrun/layers/recurrent.h"
#include "onnxrun/layers/reduce.h"
#include "onnxrun/layers/resize.h"
#include "onnxrun/layers/sequence.h"
#include "onnxrun/layers/shape.h"
#include "onnxrun/layers/signal.h"
#include "onnxrun/layers/spatial.h"
#include "onnxrun/layers/text.h"

#endif
