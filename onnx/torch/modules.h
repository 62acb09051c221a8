/* modules.h: PyTorch's modules, as the file names them, with their parameters. */
#ifndef ONRI_MODULES_H
#define ONRI_MODULES_H

#include "onnx/node/importer.h"

/* After the import. The table lives in the graph's arena. Parameters are counted as PyTorch counts them where the
 * exporter has left a list of them, else as the elements of the file's own initializers. */
enum onr_status onri_modules_read(struct onri_importer *importer, const Onnx__GraphProto *graph,
                                  struct onr_module_info **modules, size_t *num_modules);

#endif
