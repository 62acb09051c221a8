/* help.c: texts made from the tables of commands and options. */
#include <string.h>

#include "options.h"

enum { TEXT_COLUMN = 25 };

static const char exit_codes[] =
    "Exit: 0 ok, 1 results differ, 2 usage, 3 the model is bad, 4 it needs something unsupported, 5 anything else.\n";

/* "  -i, --input NAME=FILE  an input: ...", with the other lines below the first; takers: the commands that take it, or
 * NULL. */
static void print_option(FILE *file, const struct option_row *row, const char *takers) {
  char head[64];
  const char *line = row->help;
  snprintf(head, sizeof(head), "  %s%.1s%s--%s%s%s", row->letter ? "-" : "", &row->letter, row->letter ? ", " : "",
           row->name, row->argument ? " " : "", row->argument ? row->argument : "");
  fprintf(file, "%-*s", TEXT_COLUMN, head);
  if (strlen(head) >= TEXT_COLUMN) fprintf(file, "\n%*s", TEXT_COLUMN, "");
  for (;;) {
    const size_t length = strcspn(line, "\n");
    fprintf(file, "%.*s", (int)length, line);
    if (!line[length]) break;
    line += length + 1;
    fprintf(file, "\n%*s", TEXT_COLUMN, "");
  }
  fprintf(file, takers ? " [%s]\n" : "\n", takers);
}

/* What --limit sets. */
static void print_limits(FILE *file) {
  struct onr_limit_info limit;
  fputs("\nLimits, and their defaults on this machine:\n", file);
  for (size_t i = 0; onr_limit(i, &limit) == ONR_STATUS_OK; i++) {
    char number[32];
    snprintf(number, sizeof(number), "%llu", (unsigned long long)limit.standard);
    fprintf(file, "  %-*s%s (%s)\n", TEXT_COLUMN - 2, limit.name, limit.text,
            limit.is_bytes ? shown_bytes_count((double)limit.standard).text : number);
  }
}

void print_usage(FILE *file) {
  fputs("usage: onnxrun COMMAND [OPTIONS] PATH...\n\n", file);
  for (size_t i = 0; i < NUM_COMMANDS; i++) {
    char head[64];
    snprintf(head, sizeof(head), "  %s %s", commands[i].name, commands[i].arguments);
    fprintf(file, "%-*s%s\n", TEXT_COLUMN, head, commands[i].summary);
  }
  fprintf(file, "%-*s%s\n%-*s%s\n\n", TEXT_COLUMN, "  help [COMMAND]", "this text, or all about a command", TEXT_COLUMN,
          "  --version", "the version of onnxrun and of its kernels");
  for (size_t i = 0; i < num_option_rows; i++) {
    struct line takers = {0};
    for (size_t c = 0; c < NUM_COMMANDS; c++)
      if (option_rows[i].commands >> c & 1) line_add(&takers, "%s%s", takers.text[0] ? ", " : "", commands[c].name);
    print_option(file, &option_rows[i], takers.text);
  }
  print_limits(file);
  fprintf(file, "\n%s", exit_codes);
}

void print_command_help(size_t command) {
  printf("usage: onnxrun %s [OPTIONS] %s\n\n%s\n\n", commands[command].name, commands[command].arguments,
         commands[command].summary);
  for (size_t i = 0; i < num_option_rows; i++)
    if (option_rows[i].commands >> command & 1) print_option(stdout, &option_rows[i], NULL);
  if (commands[command].least_paths) print_limits(stdout);
  printf("\n%s", exit_codes);
}
