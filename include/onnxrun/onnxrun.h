/* onnxrun.h: the whole library.
 *
 *   struct onr_model *model;
 *   struct onr_session *session;
 *   onr_model_load("model.onnx", NULL, &model, &error);
 *   onr_session_create(model, NULL, &session, &error);
 *   onr_session_set_input(session, 0, &x, &error);
 *   onr_session_run(session, &error);
 *   onr_session_get_output(session, 0, &y, &error);
 */
#ifndef ONNXRUN_H
#define ONNXRUN_H

#include "onnxrun/layer.h"
#include "onnxrun/model.h"
#include "onnxrun/net.h"
#include "onnxrun/nn.h"
#include "onnxrun/runtime.h"
#include "onnxrun/sequence.h"
#include "onnxrun/session.h"
#include "onnxrun/status.h"
#include "onnxrun/tensor.h"
#include "onnxrun/tensor_file.h"

#endif
