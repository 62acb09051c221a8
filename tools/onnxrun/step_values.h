/* step_values.h: what the nodes of a run write, as the file names it and in the file's order of dimensions. */
#ifndef TOOL_STEP_VALUES_H
#define TOOL_STEP_VALUES_H

#include "tool.h"

/* Which values have been written how often. Zeroed before a run. */
struct step_counts {
  uint32_t *written; /* by number of value */
  size_t capacity;
  int no_memory;
};

struct step_value {
  struct onr_tensor tensor; /* the session's memory, or `copy` */
  void *copy;
  char *key; /* its name; from the second turn of a loop, or the second frame, on with "#2" behind it */
};

/* Output i of a node that has run, to be cleared. 0: nothing to look at (no name), or out of memory, which counts note.
 */
int step_value(struct step_counts *counts, const struct onr_node_run *run, size_t i, struct step_value *value);
void step_value_clear(struct step_value *value);
void step_counts_clear(struct step_counts *counts);

/* --- dump.c --- */
enum { LONGEST_FILE_STEM = 200 };
/* For watch of struct onr_session_options. Zeroed, but for the folder. */
struct dump {
  const char *folder;
  struct step_counts counts;
  struct tensor_list files; /* names that are taken, without tensors */
  struct cJSON *index;      /* a row for each value; what holds others has rows of "entries" */
  int rehearses;            /* files are looked for, not written */
  int code;                 /* of the first failure */
};
void dump_watch(void *context, const struct onr_node_run *run);
/* When the session is planned: makes the folder, unless a file would be lost. */
int dump_begin(struct dump *dump, struct onr_session *session);
/* Writes the list of files, index.json. */
int dump_end(struct dump *dump);

/* --- references.c --- */
struct references {
  struct tensor_list list; /* sorted by name */
  int has_turns;           /* of run --dump-all: names are the values' own, and each turn of a loop has one */
};
/* What --reference names. 0, or an exit code after one line on stderr. */
int read_references(const struct options *options, struct references *references);
/* NULL: there is none. */
const struct named_tensor *find_reference(const struct references *references, const char *key);
void sort_by_name(struct tensor_list *list);
/* Of a list that is sorted. */
const struct named_tensor *find_by_name(const struct tensor_list *list, const char *name);

#endif
