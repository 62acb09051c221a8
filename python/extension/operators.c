#include "extension.h"
struct operators *operators_create(PyObject *operators) {
  (void)operators;
  return raise_status(ONR_STATUS_UNSUPPORTED, "not yet");
}
void operators_destroy(struct operators *operators) { (void)operators; }
const struct onr_registry *operators_registry(const struct operators *operators) {
  (void)operators;
  return NULL;
}
int operators_visit(const struct operators *operators, visitproc visit, void *arg) {
  (void)operators;
  (void)visit;
  (void)arg;
  return 0;
}
