/* help.c: texts made from the tables of commands and options. */
#include <string.h>

#include "options.h"
#include "print.h"

enum { TEXT_COLUMN = 25 };

const char exit_codes[] =
    "Exit: 0 ok, 1 results differ, 2 usage, 3 the model is bad, 4 it needs something unsupported, 5 anything else.";

/* "head   text", the text in a column of its own. */
static void print_row(FILE *file, const char *head, const char *text) {
  fprintf(file, "%-*s", TEXT_COLUMN, head);
  if (strlen(head) >= TEXT_COLUMN) fprintf(file, "\n%*s", TEXT_COLUMN, "");
  print_wrapped(file, text, TEXT_COLUMN);
}

/* takers: the commands that take it; "": not told. */
static void print_option(FILE *file, const struct option_row *row, const char *takers) {
  char head[64];
  struct line text = {0};
  snprintf(head, sizeof(head), "  %s%.1s%s--%s%s%s", row->letter ? "-" : "", &row->letter, row->letter ? ", " : "",
           row->name, row->argument ? " " : "", row->argument ? row->argument : "");
  line_add(&text, *takers ? "%s [%s]" : "%s", row->help, takers);
  print_row(file, head, text.text);
}

const char variables[] = "In a terminal ok, FAIL and errors have a colour, unless NO_COLOR is set.";

/* What --limit sets. */
static void print_limits(FILE *file) {
  struct onr_limit_info limit = {.size = sizeof(limit)};
  fputs("\nLimits, and their defaults on this machine:\n", file);
  for (size_t i = 0; onr_limit(i, &limit) == ONR_STATUS_OK; i++) {
    char head[64], number[32];
    struct line text = {0};
    snprintf(head, sizeof(head), "  %s", limit.name);
    snprintf(number, sizeof(number), "%llu", (unsigned long long)limit.standard);
    line_add(&text, "%s (%s)", limit.text, limit.is_bytes ? shown_bytes_count((double)limit.standard).text : number);
    print_row(file, head, text.text);
  }
}

struct line pass_names(void) {
  struct line text = {0};
  const char *name;
  for (size_t i = 0; (name = onr_pass_name(i)) != NULL; i++) {
    size_t first = 0;
    while (strcmp(onr_pass_name(first), name)) first++;
    if (first == i) line_add(&text, "%s%s", i ? ", " : "", name);
  }
  return text;
}

static void print_passes(FILE *file) {
  fputs("\nGraph rewrites:\n  ", file);
  print_wrapped(file, pass_names().text, 2);
}

void print_usage(FILE *file) {
  fputs("usage: onnxrun COMMAND [OPTIONS] PATH...\n\n", file);
  for (size_t i = 0; i < NUM_COMMANDS; i++) {
    char head[64];
    snprintf(head, sizeof(head), "  %s %s", commands[i].name, commands[i].arguments);
    print_row(file, head, commands[i].summary);
  }
  print_row(file, "  help [COMMAND]", "this text, or all about a command; help bash, zsh or man: for these programs");
  print_row(file, "  --version", "the version of onnxrun and of its kernels");
  fputc('\n', file);
  for (size_t i = 0; i < num_option_rows; i++) {
    struct line takers = {0};
    for (size_t c = 0; c < NUM_COMMANDS; c++)
      if (option_rows[i].commands >> c & 1) line_add(&takers, "%s%s", takers.text[0] ? ", " : "", commands[c].name);
    print_option(file, &option_rows[i], takers.text);
  }
  print_passes(file);
  print_limits(file);
  fputc('\n', file);
  print_wrapped(file, exit_codes, 0);
  print_wrapped(file, variables, 0);
}

void print_command_help(size_t command) {
  const struct command_row *row = &commands[command];
  printf("usage: onnxrun %s [OPTIONS] %s\n\n", row->name, row->arguments);
  print_wrapped(stdout, row->summary, 0);
  puts("\nFor example, in tests/fixtures/demo:");
  for (const char *line = row->examples; *line; line += strcspn(line, "\n"), line += *line == '\n')
    printf("  %.*s\n", (int)strcspn(line, "\n"), line);
  putchar('\n');
  for (size_t i = 0; i < num_option_rows; i++)
    if (option_rows[i].commands >> command & 1) print_option(stdout, &option_rows[i], "");
  if (row->least_paths) print_passes(stdout);
  if (row->least_paths) print_limits(stdout);
  putchar('\n');
  print_wrapped(stdout, exit_codes, 0);
}
