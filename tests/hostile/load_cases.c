/* load_cases: loads the model of every case of a hostile corpus and compares the status with the expected one.
 *
 *   load_cases DIRECTORY [PREFIX ...]     only cases whose name starts with a prefix
 *
 * DIRECTORY is what hostile_gen.py writes: cases.tsv and a folder a case. One line a case that differs, then a sum; exit 0
 * when none does. Cases of the phase "run" must load, or fail with the status that the run is to end with. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "onnxrun/onnxrun.h"

struct row {
  char name[64], phase[16], expected[32];
};

static int read_row(FILE *file, struct row *row) {
  char line[512];
  if (!fgets(line, sizeof(line), file)) return 0;
  return sscanf(line, "%63s %15s %31s", row->name, row->phase, row->expected) == 3;
}

static int wanted(const struct row *row, int count, char **prefixes) {
  if (count == 0) return 1;
  for (int i = 0; i < count; i++)
    if (!strncmp(row->name, prefixes[i], strlen(prefixes[i]))) return 1;
  return 0;
}

static double now(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Returns 1 when the case is as expected. */
static int check(const char *directory, const struct row *row) {
  struct onr_error error = {.where = ""};
  struct onr_model *model;
  enum onr_status status;
  char path[512];
  double seconds;
  int as_expected;
  snprintf(path, sizeof(path), "%s/%s/model.onnx", directory, row->name);
  seconds = now();
  status = onr_model_load(path, NULL, &model, &error);
  onr_model_destroy(model);
  seconds = now() - seconds;
  as_expected = !strcmp(onr_status_name(status), row->expected) || (strcmp(row->phase, "load") && status == ONR_STATUS_OK);
  if (as_expected && seconds < 1) return 1;
  printf("%s: expected %s, found %s in %.2f s: %s: %s\n", row->name, row->expected, onr_status_name(status), seconds, error.where,
         error.message);
  return 0;
}

int main(int argc, char **argv) {
  size_t cases = 0, good = 0;
  struct row row;
  char path[512];
  FILE *file;
  if (argc < 2) {
    fprintf(stderr, "usage: load_cases DIRECTORY [PREFIX ...]\n");
    return 2;
  }
  snprintf(path, sizeof(path), "%s/cases.tsv", argv[1]);
  file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "cannot open %s\n", path);
    return 2;
  }
  while (read_row(file, &row)) {
    if (!wanted(&row, argc - 2, argv + 2)) continue;
    cases++;
    good += (size_t)check(argv[1], &row);
  }
  fclose(file);
  printf("%zu of %zu cases as expected\n", good, cases);
  return cases && good == cases ? 0 : 1;
}
