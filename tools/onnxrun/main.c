/* main.c: runs, describes, times and checks ONNX models. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"

/* What is_own of commands asks. */
static int is_page(const unsigned char *bytes, size_t count) { return count > 0 && bytes[0] == '<'; }
static int is_text(const unsigned char *bytes, size_t count) { return !memchr(bytes, 0, count); }

/* The examples are run by a test, in tests/fixtures/demo. */
const struct command_row commands[] = {
    {"run", "MODEL", "run a model once; inputs from files, random where none is given",
     "onnxrun run model.onnx -i picture=digits.npy -o results\n"
     "onnxrun run model.onnx -i digits.npy --labels labels.npy --show\n"
     "onnxrun run model.onnx -i digits.npy --backend portable --dump-all values\n"
     "onnxrun run model.onnx -i digit.png --channels GRAY --labels names.txt --top 3",
     1, 1, .streams = 1, .run = command_run},
    {"info", "MODEL", "inputs, outputs, and the tree of PyTorch's modules with their shapes and costs",
     "onnxrun info model.onnx --dim batch=8", 1, 1, .run = command_info},
    {"bench", "MODEL", "time a model: load, first run, and minimum and median of many runs",
     "onnxrun bench model.onnx --threads 2 --seconds 0.5 --profile\n"
     "onnxrun bench model.onnx --seconds 0.5 --profile --format csv",
     1, 1, .is_own = is_text, .run = command_bench},
    {"generate", "MODEL", "run a language model token by token, with its keys and values as states of the session",
     "onnxrun generate ../cached_decoder_ts/model.onnx --prompt-ids 1,2,3 --greedy", 1, 1, .run = command_generate},
    {"ops", "[NAME...]", "the operators that can be read; with names, all about these", "onnxrun ops Conv Softmax", 0,
     SIZE_MAX, .run = command_ops},
    {"check", "PATH...", "run folders of backend tests (model.onnx + test_data_set_*) and compare",
     "onnxrun check ../mlp_ts ../mlp_dynamo --rtol 1e-4", 1, SIZE_MAX, .run = command_check},
    {"pack", "MODEL", "write the weights as kernels read them, to a file that --packed maps instead of packing again",
     "onnxrun pack model.onnx\n"
     "onnxrun pack model.onnx -o weights.packed --threads 2\n"
     "onnxrun pack model.onnx -o model.onr",
     1, 1, .run = command_pack},
    {"report", "MODEL",
     "a page about a model: its graph, a run, times, memory and weights, in one file for any browser",
     "onnxrun report model.onnx -o report.html --seconds 0.5", 1, 1, .streams = 1, .is_own = is_page,
     .run = command_report},
    {"compare", "MODEL", "compare what each layer writes with a reference, and name the first that differs",
     "onnxrun compare model.onnx -i digits.npy\n"
     "onnxrun compare model.onnx -i digits.npy --reference results",
     1, 1, .run = command_compare},
    {"compile", "MODEL",
     "write the model as C for fixed shapes: NAME.c and NAME.h, which need no library and no loader",
     "onnxrun compile model.onnx --dim batch=1 -o digits\n"
     "onnxrun compile model.onnx --dim batch=1 -o digits --name digits --weights object",
     1, 1, .run = command_compile},
    {"optimise", "MODEL",
     "write the model as ONNX for any program: constants folded, old and written-out operators made new",
     "onnxrun optimise model.onnx -o smaller.onnx", 1, 1, .replaces_model = 1, .run = command_optimise},
};
_Static_assert(sizeof(commands) / sizeof(commands[0]) == NUM_COMMANDS, "NUM_COMMANDS counts the table");

static int is_one_of(const char *word, const char *a, const char *b, const char *c) {
  return !strcmp(word, a) || !strcmp(word, b) || !strcmp(word, c);
}

static size_t find_command(const char *word) {
  size_t i = 0;
  while (i < NUM_COMMANDS && strcmp(word, commands[i].name)) i++;
  return i;
}

static int unknown_command(const char *word) {
  struct suggestion s = suggest_for(word, strlen(word));
  for (size_t i = 0; i < NUM_COMMANDS; i++) suggest(&s, commands[i].name);
  suggest(&s, "help");
  suggest(&s, "--help");
  suggest(&s, "--version");
  return complain(EXIT_USAGE, "unknown command '%s'%s", word,
                  s.nearest ? suggested(&s).text : "; 'onnxrun help' lists them");
}

static int help(int argc, char **argv) {
  if (argc > 1) return complain(EXIT_USAGE, "help: expected one command, got %d", argc);
  if (!argc) {
    print_usage(stdout);
    return EXIT_OK;
  }
  if (print_for_program(argv[0])) return EXIT_OK;
  const size_t i = find_command(argv[0]);
  if (i == NUM_COMMANDS) return unknown_command(argv[0]);
  print_command_help(i);
  return EXIT_OK;
}

/* --- before anything is done --- */

static int has_other_kind(const struct command_row *command, const char *path) {
  unsigned char bytes[512];
  FILE *file = command->is_own ? fopen(path, "rb") : NULL;
  const size_t count = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
  if (file) fclose(file);
  return count > 0 && !command->is_own(bytes, count);
}

/* What is written takes the place of nothing that the command reads, nor of what it would not write itself. */
static int check_output(const struct command_row *command, const struct options *options) {
  struct stat file;
  const int code = keep_files(options);
  if (code || !options->output || stat(options->output, &file) != 0 || !S_ISREG(file.st_mode)) return code;
  if (check_kept(options->output)) return EXIT_USAGE;
  return !has_other_kind(command, options->output)
             ? 0
             : complain(EXIT_USAGE, "%s: %s is a file of another kind, which would be lost", command->name,
                        options->output);
}

/* Models are files, whose pages are mapped and beside which weights lie; what takes a place when it is whole is one,
 * too. */
static int check_streams(const struct command_row *command, const struct options *options) {
  for (size_t i = 0; i < options->num_paths; i++)
    if (!strcmp(options->paths[i], "-"))
      return complain(EXIT_USAGE, "%s: -: a model is read from a file, not from standard input", command->name);
  if (options->output && !strcmp(options->output, "-") && !command->streams)
    return complain(EXIT_USAGE, "%s: -o -: it writes a file, and none to standard output", command->name);
  return 0;
}

/* What is wrong before anything is done. */
static int check_options(const struct command_row *command, const struct options *options) {
  if (options->num_paths < command->least_paths)
    return complain(EXIT_USAGE, "%s: expected a path; 'onnxrun help %s' says how", command->name, command->name);
  if (options->num_paths > command->most_paths)
    return complain(EXIT_USAGE, "%s: expected one path, got %zu", command->name, options->num_paths);
  const int code = check_streams(command, options);
  return code ? code : check_output(command, options);
}

static int run_command(size_t i, int argc, char **argv) {
  struct options options;
  int code = parse_options(i, argc, argv, &options);
  if (!code && options.help) print_command_help(i);
  else if (!code) code = check_options(&commands[i], &options);
  if (!code && !options.help) code = commands[i].run(&options);
  free_options(&options);
  forget_files();
  return code;
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) {
    print_usage(stderr);
    return EXIT_USAGE;
  }
  if (is_one_of(argv[1], "help", "--help", "-h")) return help(argc - 2, argv + 2);
  if (!strcmp(argv[1], "--version")) {
    if (argc > 2) return complain(EXIT_USAGE, "--version: expected nothing behind it, got '%s'", argv[2]);
    puts(onr_version());
    return EXIT_OK;
  }
  const size_t i = find_command(argv[1]);
  return i < NUM_COMMANDS ? run_command(i, argc - 2, argv + 2) : unknown_command(argv[1]);
}

/* A stream that was closed is opened such that using it fails: else the next file would take its place, and get what is
 * printed. */
static void fill_standard_streams(void) {
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
}

/* What was printed has arrived, or the program has failed, whatever the command was. */
static int finish_output(int code) {
  const int failed_before = ferror(stdout);
  if (!fflush(stdout) && !failed_before) return code;
  const int reason = errno;
  return complain(EXIT_OTHER, "standard output cannot be written: %s", strerror(reason ? reason : EIO));
}

int main(int argc, char **argv) {
  fill_standard_streams();
#ifdef SIGXFSZ
  signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of whoever writes it */
#endif
  return finish_output(dispatch(argc, argv));
}
