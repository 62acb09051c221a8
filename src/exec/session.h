/* session.h: what the report reads of a session. */
#ifndef ONRI_SESSION_H
#define ONRI_SESSION_H

#include "exec/frame.h"
#include "onnxrun/session.h"

const struct onri_frame *onri_session_frame(const struct onr_session *session);

#endif
