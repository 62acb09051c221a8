/* options.h: the rows of the table of options, from which parsing and help are made. */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H

#include "tool.h"

enum takes {
  TAKES_FLAG,
  TAKES_TEXT,
  TAKES_COUNT,
  TAKES_ABOVE_0,
  TAKES_THREADS,
  TAKES_REAL,
  TAKES_DIM,
  TAKES_INPUT,
  TAKES_LIMIT,
  TAKES_CHOICE /* an enum, whose values count the words of `argument` */
};

struct option_row {
  const char *name;     /* without the dashes */
  char letter;          /* 'i'; 0: none */
  const char *argument; /* as help calls it, or the words that there are: "table|json"; NULL: it takes none */
  unsigned commands;    /* bits of enum command */
  enum takes takes;
  size_t offset;        /* in struct options */
  const char *needs;    /* the option without which this one does nothing; NULL: none */
  const char *excludes; /* names of those with which it does nothing; NULL: none */
  const char *help;     /* lines */
};
extern const struct option_row option_rows[];
extern const size_t num_option_rows;

/* --- help.c --- */
extern const char exit_codes[], variables[];
/* What --disable-passes takes. */
struct line pass_names(void);

/* --- complete.c --- */
/* What a shell or man wants to know: "bash", "zsh", "man". 0: no such program. */
int print_for_program(const char *program);

#endif
