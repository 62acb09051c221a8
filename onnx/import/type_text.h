/* type_text.h: what a declared sequence, map or optional holds. */
#ifndef ONRI_TYPE_TEXT_H
#define ONRI_TYPE_TEXT_H

#include "onnx.pb-c.h"

/* "seq(map(int64,tensor(float)))", as ONNX writes types; what the file does not say is "?". Returns text. */
const char *onri_type_text(const Onnx__TypeProto *type, char *text, size_t size);

#endif
