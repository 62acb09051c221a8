/* options: the command line. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum long_option { OPTION_DIM = 256, OPTION_SEED, OPTION_THREADS, OPTION_SECONDS, OPTION_RTOL, OPTION_ATOL, OPTION_BACKEND,
                   OPTION_JSON, OPTION_PROFILE, OPTION_DISABLE, OPTION_EXTERNAL, OPTION_SHOW, OPTION_NODES,
                   OPTION_LABELS, OPTION_LIMIT };

static const struct option long_options[] = {
    {"input", required_argument, NULL, 'i'},
    {"output", required_argument, NULL, 'o'},
    {"dim", required_argument, NULL, OPTION_DIM},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"threads", required_argument, NULL, OPTION_THREADS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"rtol", required_argument, NULL, OPTION_RTOL},
    {"atol", required_argument, NULL, OPTION_ATOL},
    {"backend", required_argument, NULL, OPTION_BACKEND},
    {"json", no_argument, NULL, OPTION_JSON},
    {"nodes", no_argument, NULL, OPTION_NODES},
    {"profile", no_argument, NULL, OPTION_PROFILE},
    {"disable-passes", required_argument, NULL, OPTION_DISABLE},
    {"external-data", required_argument, NULL, OPTION_EXTERNAL},
    {"show", no_argument, NULL, OPTION_SHOW},
    {"labels", required_argument, NULL, OPTION_LABELS},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {NULL, 0, NULL, 0},
};

static int parse_count(const char *name, const char *text, uint64_t most, uint64_t *value) {
  char *end;
  const unsigned long long parsed = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end || parsed > most)
    return complain(EXIT_USAGE, "%s: expected a whole number up to %llu, got '%s'", name, (unsigned long long)most, text);
  *value = parsed;
  return 0;
}

static int parse_real(const char *name, const char *text, double *value) {
  char *end;
  const double parsed = strtod(text, &end);
  if (end == text || *end || !(parsed >= 0) || parsed > 1e9)
    return complain(EXIT_USAGE, "%s: expected a number from 0 on, got '%s'", name, text);
  *value = parsed;
  return 0;
}

static int parse_dim(const char *text, struct options *options) {
  const char *equals = strrchr(text, '=');
  uint64_t size;
  if (!equals || equals == text) return complain(EXIT_USAGE, "--dim: expected NAME=SIZE, got '%s'", text);
  if (options->num_dims == sizeof(options->dims) / sizeof(options->dims[0])) return complain(EXIT_USAGE, "too many --dim options");
  const int code = parse_count("--dim", equals + 1, INT32_MAX, &size);
  if (!code) options->dims[options->num_dims++] = (struct name_size){text, (size_t)(equals - text), (int64_t)size};
  return code;
}

static int parse_limit(const char *text, struct options *options) {
  const char *equals = strchr(text, '=');
  struct onr_error error;
  char name[64];
  if (!equals || (size_t)(equals - text) >= sizeof(name)) return complain(EXIT_USAGE, "--limit: expected NAME=VALUE, got '%s'", text);
  memcpy(name, text, (size_t)(equals - text));
  name[equals - text] = '\0';
  if (onr_limits_set(&options->limits, name, equals + 1, &error) == ONR_STATUS_OK) return 0;
  return complain(EXIT_USAGE, "--limit: %s", error.message);
}

static int parse_backend(const char *text, struct options *options) {
  if (strcmp(text, "auto") == 0) options->backend = ONR_BACKEND_AUTO;
  else if (strcmp(text, "portable") == 0) options->backend = ONR_BACKEND_PORTABLE;
  else return complain(EXIT_USAGE, "--backend: expected auto or portable, got '%s'", text);
  return 0;
}

static int parse_one(int option, struct options *options) {
  uint64_t count;
  int code = 0;
  switch (option) {
    case 'i':
      if (options->num_inputs == sizeof(options->inputs) / sizeof(options->inputs[0])) return complain(EXIT_USAGE, "too many -i options");
      options->inputs[options->num_inputs++] = optarg;
      return 0;
    case 'o': options->output_directory = optarg; return 0;
    case OPTION_DIM: return parse_dim(optarg, options);
    case OPTION_SEED: return parse_count("--seed", optarg, UINT64_MAX, &options->seed);
    case OPTION_THREADS:
      code = parse_count("--threads", optarg, 1024, &count);
      if (!code) options->threads = (uint32_t)count;
      return code;
    case OPTION_SECONDS: return parse_real("--seconds", optarg, &options->seconds);
    case OPTION_RTOL: return parse_real("--rtol", optarg, &options->rtol);
    case OPTION_ATOL: return parse_real("--atol", optarg, &options->atol);
    case OPTION_BACKEND: return parse_backend(optarg, options);
    case OPTION_JSON: options->json = 1; return 0;
    case OPTION_NODES: options->nodes = 1; return 0;
    case OPTION_PROFILE: options->profile = 1; return 0;
    case OPTION_DISABLE: options->disabled_passes = optarg; return 0;
    case OPTION_EXTERNAL: options->external_directory = optarg; return 0;
    case OPTION_SHOW: options->show = 1; return 0;
    case OPTION_LABELS: options->labels = optarg; return 0;
    case OPTION_LIMIT: return parse_limit(optarg, options);
    default: return EXIT_USAGE; /* getopt_long has said why */
  }
}

int parse_options(int argc, char **argv, struct options *options) {
  int option;
  *options = (struct options){.threads = 1, .seconds = 2, .rtol = 1e-3, .atol = 1e-5};
  while ((option = getopt_long(argc, argv, "i:o:", long_options, NULL)) != -1) {
    const int code = parse_one(option, options);
    if (code) return code;
  }
  for (; optind < argc; optind++) {
    if (options->num_paths == sizeof(options->paths) / sizeof(options->paths[0])) return complain(EXIT_USAGE, "too many paths");
    options->paths[options->num_paths++] = argv[optind];
  }
  return 0;
}

void print_limits(void) {
  struct onr_limit_info limit;
  for (size_t i = 0; onr_limit(i, &limit) == ONR_STATUS_OK; i++) {
    const int shift = !limit.is_bytes || limit.standard < 1 << 20 ? 0 : limit.standard < (uint64_t)1 << 30 ? 20 : 30;
    printf("      %-16s %s (%llu%s)\n", limit.name, limit.text, (unsigned long long)(limit.standard >> shift),
           shift == 30 ? "G" : shift == 20 ? "M" : "");
  }
}
