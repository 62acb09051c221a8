/* complete.c: the tables of commands and options for other programs: shells that complete words, and man. */
#include <string.h>

#include "options.h"

static int takes_file(const struct option_row *row) {
  return row->takes == TAKES_INPUT ||
         (row->argument && (!strcmp(row->argument, "FILE") || !strcmp(row->argument, "PATH") ||
                            !strcmp(row->argument, "DIR") || !strcmp(row->argument, "LIB.so")));
}

static int has_choices(const struct option_row *row) { return row->argument && strchr(row->argument, '|'); }

static struct shown choices_of(const struct option_row *row) {
  struct shown words = shown(row->argument);
  for (char *at = words.text; *at; at++)
    if (*at == '|') *at = ' ';
  return words;
}

static int is_of(const struct option_row *row, size_t command) { return row->commands >> command & 1; }

static void print_bash(void) {
  puts(
      "# Completion for bash; made by 'onnxrun help bash'.\n"
      "_onnxrun() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
      "  COMPREPLY=()");
  fputs("  if [[ $COMP_CWORD -eq 1 ]]; then\n    words='help --version", stdout);
  for (size_t c = 0; c < NUM_COMMANDS; c++) printf(" %s", commands[c].name);
  fputs("'\n  elif [[ ${COMP_WORDS[1]} = help ]]; then\n    words='bash zsh man", stdout);
  for (size_t c = 0; c < NUM_COMMANDS; c++) printf(" %s", commands[c].name);
  fputs("'\n  else\n    case $before in\n", stdout);
  for (size_t i = 0; i < num_option_rows; i++)
    if (has_choices(&option_rows[i]))
      printf("      --%s) words='%s' ;;\n", option_rows[i].name, choices_of(&option_rows[i]).text);
    else if (option_rows[i].argument && !takes_file(&option_rows[i]))
      printf("      --%s) return ;;\n", option_rows[i].name);
  puts("    esac\n    if [[ $current = -* ]]; then\n      case ${COMP_WORDS[1]} in");
  for (size_t c = 0; c < NUM_COMMANDS; c++) {
    printf("        %s) words='", commands[c].name);
    for (size_t i = 0, n = 0; i < num_option_rows; i++)
      if (is_of(&option_rows[i], c)) printf("%s--%s", n++ ? " " : "", option_rows[i].name);
    puts("' ;;");
  }
  puts(
      "      esac\n    fi\n  fi\n"
      "  if [[ -n $words ]]; then\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  else\n    compopt -o filenames\n    COMPREPLY=($(compgen -f -- \"${current#*=}\"))\n  fi\n}\n"
      "complete -F _onnxrun onnxrun");
}

/* Text between quotes and brackets of zsh's _arguments. */
static void print_for_zsh(const char *text) {
  for (; *text; text++) {
    if (*text == '\'') fputs("'\\''", stdout);
    else if (strchr("[]:\\", *text)) printf("\\%c", *text);
    else putchar(*text);
  }
}

static void print_zsh_option(const struct option_row *row) {
  const int many = row->takes == TAKES_INPUT || row->takes == TAKES_DIM || row->takes == TAKES_LIMIT;
  if (row->letter)
    printf("        '%s(-%c --%s)'{-%c,--%s}'[", many ? "*" : "", row->letter, row->name, row->letter, row->name);
  else printf("        '%s--%s[", many ? "*" : "", row->name);
  print_for_zsh(row->help);
  fputs("]", stdout);
  if (row->argument) {
    putchar(':');
    print_for_zsh(row->argument);
    if (has_choices(row)) printf(":(%s)", choices_of(row).text);
    else fputs(takes_file(row) ? ":_files" : ":", stdout);
  }
  puts("' \\");
}

static void print_zsh(void) {
  puts(
      "#compdef onnxrun\n# Completion for zsh; made by 'onnxrun help zsh'.\n"
      "_onnxrun() {\n  local -a names\n  names=(\n    'help:all about a command'");
  for (size_t c = 0; c < NUM_COMMANDS; c++) {
    printf("    '%s:", commands[c].name);
    print_for_zsh(commands[c].summary);
    puts("'");
  }
  puts(
      "  )\n  if (( CURRENT == 2 )); then\n    _describe command names\n    return\n  fi\n"
      "  local name=${words[2]}\n  shift words\n  (( CURRENT-- ))\n  case $name in");
  for (size_t c = 0; c < NUM_COMMANDS; c++) {
    printf("    %s)\n      _arguments -s \\\n", commands[c].name);
    for (size_t i = 0; i < num_option_rows; i++)
      if (is_of(&option_rows[i], c)) print_zsh_option(&option_rows[i]);
    puts("        '*:file:_files'\n      ;;");
  }
  puts("    help) _describe command names ;;\n  esac\n}\n_onnxrun \"$@\"");
}

/* Text of a page of man: no line begins with what roff takes for a request. */
static void print_for_man(const char *text) {
  if (*text == '.' || *text == '\'') fputs("\\&", stdout);
  for (; *text; text++) {
    if (*text == '-') fputs("\\-", stdout);
    else if (*text == '\\') fputs("\\e", stdout);
    else if (*text == '\n') fputs("\n.br\n", stdout);
    else putchar(*text);
  }
}

static void print_man_option(const struct option_row *row, int with_commands) {
  fputs(".TP\n.B ", stdout);
  if (row->letter) printf("\\-%c, ", row->letter);
  fputs("\\-\\-", stdout);
  print_for_man(row->name);
  if (row->argument) {
    fputs(" \\fI", stdout);
    print_for_man(row->argument);
    fputs("\\fR", stdout);
  }
  putchar('\n');
  print_for_man(row->help);
  for (size_t c = 0, n = 0; with_commands && c < NUM_COMMANDS; c++)
    if (is_of(row, c)) printf("%s%s", n++ ? ", " : " [", commands[c].name);
  puts(with_commands ? "]" : "");
}

static void print_man(void) {
  puts(
      ".TH ONNXRUN 1 \"\" \"onnxrun\" \"User Commands\"\n.SH NAME\nonnxrun \\- run, describe, time and check ONNX models\n"
      ".SH SYNOPSIS\n.B onnxrun\n.I COMMAND\n[\\fIOPTIONS\\fR] \\fIPATH\\fR...\n.SH COMMANDS");
  for (size_t c = 0; c < NUM_COMMANDS; c++) {
    printf(".TP\n.B %s \\fI", commands[c].name);
    print_for_man(commands[c].arguments);
    puts("\\fR");
    print_for_man(commands[c].summary);
    puts(".\n.RS\n.PP\n.nf");
    print_for_man(commands[c].examples);
    puts("\n.fi\n.RE");
  }
  puts(".SH OPTIONS");
  for (size_t i = 0; i < num_option_rows; i++) print_man_option(&option_rows[i], 1);
  puts(".SH GRAPH REWRITES");
  print_for_man(pass_names().text);
  putchar('\n');
  puts(".SH LIMITS\nWhat \\-\\-limit sets:");
  struct onr_limit_info limit = {.size = sizeof(limit)};
  for (size_t i = 0; onr_limit(i, &limit) == ONR_STATUS_OK; i++) {
    printf(".TP\n.B %s\n", limit.name);
    print_for_man(limit.text);
    putchar('\n');
  }
  printf(".SH EXIT STATUS\n");
  print_for_man(exit_codes);
  printf("\n.SH ENVIRONMENT\n");
  print_for_man(variables);
  putchar('\n');
}

int print_for_program(const char *program) {
  static const struct {
    const char *name;
    void (*print)(void);
  } rows[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"man", print_man}};
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    if (strcmp(rows[i].name, program)) continue;
    rows[i].print();
    return 1;
  }
  return 0;
}
