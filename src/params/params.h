/* params.h: parameters of the built-in layers, one header a family. */
#ifndef ONNXRUN_LAYERS_H
#define ONNXRUN_LAYERS_H

#include "onnxrun/layer.h"
#include "params/attention.h"
#include "params/classical.h"
#include "params/control.h"
#include "params/conv.h"
#include "params/elementwise.h"
#include "params/generate.h"
#include "params/index.h"
#include "params/loss.h"
#include "params/matmul.h"
#include "params/move.h"
#include "params/normalization.h"
#include "params/optimizer.h"
#include "params/picture.h"
#include "params/pool.h"
#include "params/recurrent.h"
#include "params/reduce.h"
#include "params/resize.h"
#include "params/sequence.h"
#include "params/shape.h"
#include "params/signal.h"
#include "params/spatial.h"
#include "params/text.h"

#endif
