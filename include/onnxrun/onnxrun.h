/* onnxrun.h: what it takes to load a model and to run it.
 *
 *   struct onr_model *model;
 *   struct onr_session *session;
 *   onr_model_load("model.onnx", NULL, &model, &error);
 *   onr_session_create(model, NULL, &session, &error);
 *   onr_session_set_input(session, 0, &x, &error);
 *   onr_session_run(session, &error);
 *   onr_session_get_output(session, 0, &y, &error);
 *
 * Others are included on demand:
 *
 *   sequence.h     values that hold tensors: sequences, optionals, maps
 *   tensor_file.h  tensors from files of their own ("input_0.pb")
 *   operators.h    the list of ONNX operators that this build reads
 *   layer.h        layers of your own
 *   net.h, nn.h    networks written in C, with the layers of torch.nn
 *
 * What holds for all of them:
 *
 *   Errors   Functions that can fail return enum onr_status and fill in a struct onr_error (status.h).
 *   NULL     A pointer may be NULL where its comment says so, and every struct onr_error * may. Any other NULL,
 *            also for the object that a function is about, is ARGUMENT, with a message where there is a struct
 *            onr_error to fill in; a function of a net (net.h) makes the net fail and returns -1; others return
 *            0, NULL, -1, "?" or a struct of zeros, or do nothing. What destroys or releases accepts NULL.
 *   Results  On failure, what a function was to make is NULL, and other results are as they were.
 *   Sizes    Structs that begin with `size` may grow (api.h).
 *   Memory   What a function makes for the caller is destroyed by the function that its comment names. Strings
 *            and structs that it points to belong to the object that it asked, and live as long, unless told
 *            otherwise.
 *   Threads  Models and registries are read only when they are made: any number of threads may use one. Sessions
 *            and nets belong to one thread at a time. Functions without an object may be called from any thread.
 *   Units    Sizes in bytes are called bytes, counts num_ or count, times carry their unit (_ns). Shapes are
 *            written outermost dimension first: [batch, channels, height, width]. */
#ifndef ONNXRUN_H
#define ONNXRUN_H

#include "onnxrun/model.h"
#include "onnxrun/runtime.h"
#include "onnxrun/session.h"
#include "onnxrun/status.h"
#include "onnxrun/tensor.h"
#include "onnxrun/version.h"

#endif
