/* onnxrun: runs, describes, times and checks ONNX models. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const char usage[] =
    "usage: onnxrun COMMAND [OPTIONS] PATH...\n"
    "\n"
    "  run MODEL            run once; inputs from files, random where none is given\n"
    "      -i NAME=FILE     .npy, .npz or TensorProto .pb for an input; -i FILE.npz for several\n"
    "      -o DIR           write DIR/NAME.npy for every output\n"
    "      --show           draw the pictures of input 0 with what output 0 says; --labels FILE.npy\n"
    "  info MODEL           inputs, outputs, and the tree of PyTorch's modules with their shapes and costs\n"
    "      --nodes          also the nodes that are run, as they are after all rewrites\n"
    "  bench MODEL          time it\n"
    "      --seconds S      how long (2)\n"
    "      --profile        a table of where the time goes\n"
    "  ops [NAME...]        the operators that can be read: domain, name, from which opset on, inputs, outputs, data types,\n"
    "                       kernels, layers; with names, all of it for these\n"
    "  check PATH...        run backend-test folders (model.onnx + test_data_set_*) and compare\n"
    "      --rtol R --atol A   allow |found - expected| <= A + R * |expected| (1e-3, 1e-5);\n"
    "                       R is at least 1/64, two units in the last place, for bfloat16\n"
    "\n"
    "  --threads N          threads, 0 for one a core (1)\n"
    "  --dim NAME=SIZE      size of a dynamic dimension; INPUT.0=SIZE for one without a name\n"
    "                       (not given: 1, or for all but the first of 1, 16, 64, 224 what the model takes)\n"
    "  --seed N             of random inputs (0)\n"
    "  --backend B          auto, or portable: plain C kernels only\n"
    "  --disable-passes P   graph rewrites to leave out, comma-separated, or all\n"
    "  --external-data DIR  one more folder that external data may lie in\n"
    "  --json               print JSON (info, ops, bench, check)\n"
    "  --limit NAME=VALUE   what a model may take; bytes also as 64M or 2G; 'onnxrun help' lists the names\n"
    "\n"
    "Exit: 0 ok, 1 results differ, 2 usage, 3 the model is bad, 4 it needs something unsupported, 5 anything else.\n";

static const struct {
  const char *name;
  int (*run)(const struct options *options);
} commands[] = {
    {"run", command_run},
    {"info", command_info},
    {"ops", command_ops},
    {"bench", command_bench},
    {"check", command_check},
};

int main(int argc, char **argv) {
  struct options options;
  if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)) {
    fputs(usage, stdout);
    puts("\nLimits, and their defaults on this machine:");
    print_limits();
    return EXIT_OK;
  }
  if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
    puts(onr_version());
    return EXIT_OK;
  }
  if (argc < 2) {
    fputs(usage, stderr);
    return EXIT_USAGE;
  }
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    if (strcmp(argv[1], commands[i].name) != 0) continue;
    const int code = parse_options(argc - 1, argv + 1, &options);
    if (code) return code;
    if (commands[i].run == command_ops) return command_ops(&options);
    if (!options.num_paths) return complain(EXIT_USAGE, "%s: expected a path; 'onnxrun help' says how", argv[1]);
    if (options.num_paths > 1 && commands[i].run != command_check)
      return complain(EXIT_USAGE, "%s: expected one path, got %zu", argv[1], options.num_paths);
    return commands[i].run(&options);
  }
  return complain(EXIT_USAGE, "unknown command '%s'; 'onnxrun help' lists them", argv[1]);
}
