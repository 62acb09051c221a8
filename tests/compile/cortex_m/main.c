/* main.c: runs a program with the input of a case, and compares. */
#include <string.h>

#include "net.h"
#include "values.h"

void say(const char *text);

int main(void) {
  static float x[sizeof(input) / 4], y[sizeof(expected) / 4], z[sizeof(expected) / 4];
  memcpy(x, input, sizeof(x));
  memcpy(z, expected, sizeof(z));
  if (net_run(x, y)) {
    say("FAIL: an index is out of range\n");
    return 1;
  }
  for (unsigned i = 0; i < sizeof(y) / 4; i++) {
    const float difference = y[i] < z[i] ? z[i] - y[i] : y[i] - z[i], bound = z[i] < 0 ? -z[i] : z[i];
    if (difference <= 1e-5f + 1e-3f * bound) continue;
    say("FAIL: a result differs\n");
    return 1;
  }
  say("ok\n");
  return 0;
}
