/* options.c: the table of all options: who takes them, what they say, where they go. */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct options, field)
#define FIELD(name) (AT(fields) + FIELD_##name * sizeof(const char *))
enum {
  PLANS = RUN | INFO | BENCH | REPORT | COMPARE,
  COMPUTES = PLANS | GENERATE | CHECK | PACK,
  LOADS = COMPUTES | OPTIMISE,
  READS = LOADS | COMPILE
};

const struct option_row option_rows[] = {
    {"input", 'i', "NAME=FILE", PLANS, TAKES_INPUT, 0, NULL, NULL,
     "an input: .npy, .npz, TensorProto .pb, a picture (.png, .jpg ...), sound (.wav ...), .json, .txt of strings, "
     "plain bytes; or a value: NAME=[1,2], NAME=16000; -i FILE where there is one input, "
     "or where the file has the names (.npz); - is standard input"},
    {"input", 'i', "NAME=FILE", COMPILE, TAKES_INPUT, 0, NULL, NULL,
     "an input that is a constant of the program: .npy, .npz, TensorProto .pb; or a value: NAME=[1,2], NAME=16000"},
    {"output", 'o', "PATH", RUN, TAKES_TEXT, AT(output), NULL, NULL,
     "a folder: write PATH/NAME.npy for every output; FILE.npz or FILE.json: all of them; FILE.npy: the only output; "
     "- writes them to standard output, one .npy behind the other"},
    {"output", 'o', "FILE", PACK, TAKES_TEXT, AT(output), NULL, NULL,
     "the file (MODEL.packed); FILE.onr has the whole model in it"},
    {"output", 'o', "FILE", BENCH, TAKES_TEXT, AT(output), NULL, NULL, "what is printed goes there"},
    {"output", 'o', "FILE", REPORT, TAKES_TEXT, AT(output), NULL, NULL,
     "the page (report.html); - writes it to standard output"},
    {"output", 'o', "DIR", COMPILE, TAKES_TEXT, AT(output), NULL, NULL, "the folder for the files (.)"},
    {"output", 'o', "FILE", OPTIMISE, TAKES_TEXT, AT(output), NULL, NULL,
     "the model that is written; it may be MODEL itself, which is replaced when all is written"},
    {"recipe", 0, "FILE", PLANS, TAKES_TEXT, AT(recipe), "input", NULL,
     "how inputs are made of pictures, sound and bytes: JSON, as docs/inputs.md says (MODEL.json beside MODEL.onnx)"},
    {"resize", 0, "SIZE", PLANS, TAKES_TEXT, FIELD(RESIZE), "input", NULL,
     "of a picture: its shorter side, or WIDTHxHEIGHT (the model's size)"},
    {"crop", 0, "SIZE", PLANS, TAKES_TEXT, FIELD(CROP), "input", NULL,
     "of a picture: the middle of it, after --resize"},
    {"range", 0, "R", PLANS, TAKES_TEXT, FIELD(RANGE), "input", NULL,
     "of a picture: white is R (1; 255 for whole numbers)"},
    {"mean", 0, "M,M,M", PLANS, TAKES_TEXT, FIELD(MEAN), "input", NULL,
     "of a picture: taken from each channel, in --range (0)"},
    {"std", 0, "S,S,S", PLANS, TAKES_TEXT, FIELD(STD), "input", NULL,
     "of a picture: each channel is divided by it (1)"},
    {"channels", 0, "RGB|BGR|GRAY", PLANS, TAKES_TEXT, FIELD(CHANNELS), "input", NULL,
     "of a picture: RGB, BGR or GRAY (as many as the model has)"},
    {"layout", 0, "NCHW|NHWC", PLANS, TAKES_TEXT, FIELD(LAYOUT), "input", NULL,
     "of a picture: NCHW or NHWC (where the model has 1 or 3 channels)"},
    {"rate", 0, "HZ", PLANS, TAKES_TEXT, FIELD(RATE), "input", NULL, "of sound: samples a second (the file's)"},
    {"frame", 0, "N[:HOP]", PLANS, TAKES_TEXT, FIELD(FRAME), "input", NULL,
     "of sound: one run for each N samples, HOP samples after the one before (the model's size)"},
    {"dtype", 0, "TYPE", PLANS, TAKES_TEXT, FIELD(DTYPE), "input", NULL,
     "of plain bytes: float32, uint8 ... (the model's)"},
    {"shape", 0, "1x3x8", PLANS, TAKES_TEXT, FIELD(SHAPE), "input", NULL,
     "of plain bytes: their dimensions (the model's)"},
    {"all", 0, NULL, RUN, TAKES_FLAG, AT(all), NULL, "output json show top labels",
     "print every element, however many there are"},
    {"top", 0, "N", RUN, TAKES_ABOVE_0, AT(top), NULL, NULL,
     "the likeliest N classes of each row of scores, with bars (5 with --labels)"},
    {"show", 0, NULL, RUN, TAKES_FLAG, AT(show), NULL, NULL,
     "draw the pictures of input 0 with what output 0 says of each"},
    {"labels", 0, "FILE", RUN, TAKES_TEXT, AT(labels), NULL, NULL,
     "names of the classes: a line each, or JSON; with --show: the right answers, and how many were found"},
    {"nodes", 0, NULL, INFO, TAKES_FLAG, AT(nodes), NULL, NULL,
     "also the nodes that are run, as they are after all rewrites"},
    {"seconds", 0, "S", BENCH | REPORT, TAKES_REAL, AT(seconds), NULL, NULL, "how long (2)"},
    {"profile", 0, NULL, BENCH, TAKES_FLAG, AT(profile), NULL, "kernels",
     "where the time goes: by layer, by module and line of PyTorch, node by node, in the bodies of If and Loop, too"},
    {"format", 0, "table|json|csv|trace", BENCH, TAKES_CHOICE, AT(format), "profile", "json",
     "table, json, csv (a line for each node), or trace (one run, for chrome://tracing and ui.perfetto.dev)"},
    {"kernels", 0, NULL, BENCH, TAKES_FLAG, AT(kernels), NULL, NULL,
     "time each convolution and product by every method that it has, beside the one that is chosen"},
    {"prompt-ids", 0, "LIST", GENERATE, TAKES_TEXT, AT(prompt), NULL, NULL, "the tokens to begin with: 1,2,3"},
    {"steps", 0, "N", GENERATE, TAKES_COUNT, AT(steps), NULL, NULL, "how many tokens to make (16)"},
    {"state", 0, "OUT=IN,...", RUN, TAKES_TEXT, AT(state), NULL, NULL,
     "outputs that are inputs of the next run; a * in both stands for what names share: present.*=past.*; "
     "with it an array of one dimension more than its input has is a run for each part"},
    {"state", 0, "OUT=IN,...", GENERATE, TAKES_TEXT, AT(state), NULL, NULL,
     "outputs that are inputs of the next run; a * in both stands for what names share: present.*=past.* "
     "(every output that the model makes by adding rows to an input)"},
    {"cache-int8", 0, NULL, GENERATE, TAKES_FLAG, AT(cache_int8), NULL, NULL,
     "keep the keys and values of attention as int8: a quarter of their memory, for tokens that are nearly the same"},
    {"greedy", 0, NULL, GENERATE, TAKES_FLAG, AT(greedy), NULL, NULL,
     "always the likeliest token; else one is drawn, by --seed"},
    {"reference", 0, "PATH", COMPARE, TAKES_TEXT, AT(reference), NULL, NULL,
     "what is right: an .npz, a .npy or .pb, or a folder of such, with the file's names of values "
     "(not given: the same model without rewrites in plain C); it may have the inputs, too"},
    {"dump-all", 0, "DIR", RUN, TAKES_TEXT, AT(dump), NULL, NULL,
     "write what each node writes to DIR/VALUE.npy, and DIR/index.json"},
    {"rtol", 0, "R", CHECK, TAKES_REAL, AT(rtol), NULL, NULL,
     "allow |found - expected| <= A + R * |expected| (R 1e-3, A 1e-5); "
     "R is at least 1/64, two units in the last place, for bfloat16"},
    {"rtol", 0, "R", COMPARE, TAKES_REAL, AT(rtol), NULL, NULL,
     "allow A + R * (|expected| + root mean square of all that is expected) (R 1e-3, A 1e-5); "
     "values of 8 bits and what is computed from them: 10 % of that"},
    {"atol", 0, "A", CHECK | COMPARE, TAKES_REAL, AT(atol), NULL, NULL, "see --rtol"},
    {"json", 0, NULL, RUN, TAKES_FLAG, AT(json), NULL, "output show top labels", "print the outputs as JSON"},
    {"json", 0, NULL, INFO | BENCH | GENERATE | OPS | CHECK | COMPARE, TAKES_FLAG, AT(json), NULL, NULL, "print JSON"},
    {"dim", 0, "NAME=SIZE", PLANS, TAKES_DIM, 0, NULL, NULL,
     "size of a dynamic dimension; INPUT.0=SIZE for one without a name "
     "(not given: as files say, else a guess that the model takes)"},
    {"dim", 0, "NAME=SIZE", COMPILE, TAKES_DIM, 0, NULL, NULL,
     "size of a dynamic dimension; INPUT.0=SIZE for one without a name"},
    {"seed", 0, "N", RUN | BENCH | REPORT | COMPARE, TAKES_COUNT, AT(seed), NULL, NULL, "of random inputs (0)"},
    {"seed", 0, "N", GENERATE, TAKES_COUNT, AT(seed), NULL, "greedy", "of the tokens that are drawn (0)"},
    {"threads", 0, "N", LOADS, TAKES_THREADS, AT(threads), NULL, NULL, "threads, 0 for one a core (1)"},
    {"backend", 0, "auto|portable", COMPUTES, TAKES_CHOICE, AT(backend), NULL, NULL,
     "auto, or portable: plain C kernels only"},
    {"precision", 0, "exact|fast", COMPUTES, TAKES_CHOICE, AT(precision), NULL, NULL,
     "exact, or fast: products and convolutions by constant weights in float16 where the processor can (info says "
     "which)"},
    {"disable-passes", 0, "P", READS, TAKES_TEXT, AT(disabled_passes), NULL, NULL,
     "graph rewrites to leave out, comma-separated, by the names below; all, or kernels: those for our own kernels"},
    {"external-data", 0, "DIR", READS, TAKES_TEXT, AT(external_directory), NULL, NULL,
     "one more folder that external data may lie in"},
    {"plugin", 0, "LIB.so", LOADS, TAKES_TEXT, AT(plugin), NULL, NULL,
     "a library of layers of your own, as docs/your_own_layer.md says"},
    {"packed", 0, "FILE", PLANS | GENERATE, TAKES_TEXT, AT(packed), NULL, NULL,
     "weights that 'onnxrun pack' wrote, where they are this model's and this processor's; processes share them"},
    {"limit", 0, "NAME=VALUE", READS, TAKES_LIMIT, 0, NULL, NULL,
     "what a model may take; also as 64M, 64MiB (1024 * 1024), 64MB, or of "
     "counts 3k; the names are below"},
    {"name", 0, "NAME", COMPILE, TAKES_TEXT, AT(name), NULL, NULL, "of the files and of the function NAME_run (model)"},
    {"weights", 0, "source|file|object", COMPILE, TAKES_CHOICE, AT(weights), NULL, NULL,
     "source: arrays in the C file; file: NAME.weights, whose contents are an argument; "
     "object: the same with an assembler file that includes it (source)"},
    {"static-arena", 0, NULL, COMPILE, TAKES_FLAG, AT(static_arena), NULL, NULL,
     "memory for intermediate results in the C file; else the caller gives it, and the function is reentrant"},
    {"help", 'h', NULL, RUN | INFO | BENCH | GENERATE | OPS | CHECK | PACK | REPORT | COMPARE | COMPILE | OPTIMISE,
     TAKES_FLAG, AT(help), NULL, NULL, "this text"},
};
const size_t num_option_rows = sizeof(option_rows) / sizeof(option_rows[0]);

/* A command line that is being read. */
struct parser {
  const char *command;
  unsigned bit;
  struct options *options;
  uint64_t seen; /* a bit for each row */
};
_Static_assert(sizeof(option_rows) / sizeof(option_rows[0]) <= 64, "struct parser has a bit for each row");

/* --- values --- */

static int parse_count(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *value) {
  uint64_t sum = 0;
  const char *at = text;
  for (; *at >= '0' && *at <= '9'; at++)
    if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) || __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
      break;
  if (at == text || *at || sum < least || sum > most)
    return complain(EXIT_USAGE, "--%s: expected a whole number from %llu to %llu, got '%s'", name,
                    (unsigned long long)least, (unsigned long long)most, text);
  *value = sum;
  return 0;
}

static int parse_real(const char *name, const char *text, double *value) {
  char *end;
  const double parsed = strtod(text, &end);
  if (end == text || *end || !(parsed >= 0) || parsed > 1e9)
    return complain(EXIT_USAGE, "--%s: expected a number from 0 to 1e9, got '%s'", name, text);
  *value = parsed;
  return 0;
}

static int parse_dim(const char *text, struct options *options) {
  const char *equals = strrchr(text, '=');
  uint64_t size;
  if (!equals || equals == text) return complain(EXIT_USAGE, "--dim: expected NAME=SIZE, got '%s'", text);
  const int code = parse_count("dim", equals + 1, 0, INT32_MAX, &size);
  if (!code) options->dims[options->num_dims++] = (struct name_size){text, (size_t)(equals - text), (int64_t)size};
  return code;
}

static int parse_limit(const char *text, struct options *options) {
  const size_t length = strcspn(text, "=");
  struct onr_error error;
  char name[64];
  if (!text[length] || length >= sizeof(name))
    return complain(EXIT_USAGE, "--limit: expected NAME=VALUE, got '%s'", text);
  memcpy(name, text, length);
  name[length] = '\0';
  for (size_t i = 0; i < options->num_limits; i++)
    if (!strncmp(options->limit_words[i], text, length + 1))
      return complain(EXIT_USAGE, "--limit %s is given twice", name);
  options->limit_words[options->num_limits++] = text;
  if (onr_limits_set(&options->limits, name, text + length + 1, &error) == ONR_STATUS_OK) return 0;
  return complain(EXIT_USAGE, "--limit: %s", error.message);
}

static int parse_choice(const struct option_row *row, const char *text, unsigned *value) {
  const size_t length = strlen(text);
  const char *at = row->argument;
  for (*value = 0; *at; (*value)++, at += strcspn(at, "|"), at += *at == '|')
    if (strcspn(at, "|") == length && !memcmp(at, text, length)) return 0;
  return complain(EXIT_USAGE, "--%s: expected %s, got '%s'", row->name, row->argument, text);
}

static int take(const struct option_row *row, const char *text, struct options *options) {
  void *target = (char *)options + row->offset;
  switch (row->takes) {
    case TAKES_FLAG: *(int *)target = 1; return 0;
    case TAKES_TEXT:
      if (!*text) return complain(EXIT_USAGE, "--%s: expected %s, got an empty word", row->name, row->argument);
      *(const char **)target = text;
      return 0;
    case TAKES_COUNT: return parse_count(row->name, text, 0, UINT64_MAX, target);
    case TAKES_ABOVE_0: return parse_count(row->name, text, 1, UINT32_MAX, target);
    case TAKES_THREADS: return parse_count(row->name, text, 0, 1024, target);
    case TAKES_REAL: return parse_real(row->name, text, target);
    case TAKES_DIM: return parse_dim(text, options);
    case TAKES_LIMIT: return parse_limit(text, options);
    case TAKES_CHOICE: return parse_choice(row, text, target);
    case TAKES_INPUT: options->inputs[options->num_inputs++] = text; return 0;
  }
  return EXIT_USAGE;
}

/* --- words --- */

static int unknown_option(const struct parser *p, const char *word, size_t length) {
  struct suggestion s = suggest_for(word + 2, length > 2 ? length - 2 : 0);
  for (size_t i = 0; i < num_option_rows; i++)
    if (option_rows[i].commands & p->bit) suggest(&s, option_rows[i].name);
  if (s.nearest)
    return complain(EXIT_USAGE, "%s: there is no option '%.*s'; did you mean '--%s'?", p->command, (int)length, word,
                    s.nearest);
  return complain(EXIT_USAGE, "%s: there is no option '%.*s'; 'onnxrun help %s' lists them", p->command, (int)length,
                  word, p->command);
}

static int wrong_command(const struct parser *p, const struct option_row *row) {
  struct line takers = {0};
  unsigned all = 0;
  for (size_t i = 0; i < num_option_rows; i++)
    if (!strcmp(option_rows[i].name, row->name)) all |= option_rows[i].commands;
  for (size_t i = 0; i < NUM_COMMANDS; i++)
    if (all >> i & 1) line_add(&takers, "%s%s", takers.text[0] ? ", " : "", commands[i].name);
  return complain(EXIT_USAGE, "%s: does not take --%s, which is for %s; 'onnxrun help %s' lists what it takes",
                  p->command, row->name, takers.text, p->command);
}

/* text NULL: none was given. */
static int use(struct parser *p, const struct option_row *row, const char *text) {
  const uint64_t bit = (uint64_t)1 << (row - option_rows);
  const int is_list = row->takes == TAKES_INPUT || row->takes == TAKES_DIM || row->takes == TAKES_LIMIT;
  if (!(row->commands & p->bit)) return wrong_command(p, row);
  if (!row->argument && text)
    return complain(EXIT_USAGE, "%s: --%s takes no value, got '%s'", p->command, row->name, text);
  if (row->argument && !text)
    return complain(EXIT_USAGE, "%s: --%s: expected a value (%s)", p->command, row->name, row->argument);
  if (p->seen & bit && row->argument && !is_list)
    return complain(EXIT_USAGE, "%s: --%s is given twice", p->command, row->name);
  p->seen |= bit;
  return take(row, text, p->options);
}

static int is_named(const struct option_row *row, const char *word, size_t length) {
  return strlen(row->name) == length - 2 && !memcmp(row->name, word + 2, length - 2);
}

/* "--name" or "-n": the command's own row, or another's. */
static const struct option_row *find_row(const struct parser *p, const char *word, size_t length) {
  const struct option_row *found = NULL;
  for (size_t i = 0; i < num_option_rows; i++) {
    const struct option_row *row = &option_rows[i];
    if (word[1] == '-' ? !is_named(row, word, length) : !row->letter || row->letter != word[1]) continue;
    if (row->commands & p->bit) return row;
    found = row;
  }
  return found;
}

/* One word that begins with a dash, and the one behind it if that is its text; *at moves to the last that was used. */
static int parse_word(struct parser *p, int argc, char **argv, int *at) {
  const char *word = argv[*at], *text = NULL;
  const int is_long = word[1] == '-';
  const size_t length = is_long ? strcspn(word, "=") : 2;
  const struct option_row *row = find_row(p, word, length);
  if (!row) return unknown_option(p, word, is_long ? length : strlen(word));
  if (word[length]) text = word + length + is_long;
  else if (row->argument && row->commands & p->bit && *at + 1 < argc) text = argv[++*at];
  return use(p, row, text);
}

/* Whether an option was given whose name stands in words. */
static const char *given_of(const struct parser *p, const char *words) {
  for (size_t k = 0; k < num_option_rows; k++) {
    const char *name = option_rows[k].name, *at = words;
    const size_t length = strlen(name);
    for (; p->seen >> k & 1 && *at; at += strcspn(at, " "), at += *at == ' ')
      if (strcspn(at, " ") == length && !memcmp(at, name, length)) return name;
  }
  return NULL;
}

/* No option is without effect in silence. */
static int check_together(const struct parser *p) {
  for (size_t i = 0; i < num_option_rows; i++) {
    const struct option_row *row = &option_rows[i];
    if (!(p->seen >> i & 1)) continue;
    if (row->needs && !given_of(p, row->needs))
      return complain(EXIT_USAGE, "%s: --%s does nothing without --%s", p->command, row->name, row->needs);
    const char *other = row->excludes ? given_of(p, row->excludes) : NULL;
    if (other) return complain(EXIT_USAGE, "%s: --%s does nothing with --%s", p->command, row->name, other);
  }
  return 0;
}

int parse_options(size_t command, int argc, char **argv, struct options *options) {
  struct parser p = {commands[command].name, 1u << command, options, 0};
  const size_t most = (size_t)argc + 1;
  int code = 0, only_paths = 0;
  *options = (struct options){.command = command,
                              .limits.size = sizeof(options->limits),
                              .threads = 1,
                              .seconds = 2,
                              .rtol = 1e-3,
                              .atol = 1e-5,
                              .steps = 16};
  options->paths = calloc(most, sizeof(*options->paths));
  options->inputs = calloc(most, sizeof(*options->inputs));
  options->dims = calloc(most, sizeof(*options->dims));
  options->limit_words = calloc(most, sizeof(*options->limit_words));
  if (!options->paths || !options->inputs || !options->dims || !options->limit_words)
    return complain(EXIT_OTHER, "no memory for %d words", argc);
  for (int i = 0; i < argc && !code; i++) {
    if (only_paths || argv[i][0] != '-' || !argv[i][1]) options->paths[options->num_paths++] = argv[i];
    else if (!strcmp(argv[i], "--")) only_paths = 1;
    else code = parse_word(&p, argc, argv, &i);
    if (!code && options->help) return 0;
  }
  return code ? code : check_together(&p);
}

void free_options(struct options *options) {
  free(options->paths);
  free(options->inputs);
  free(options->dims);
  free(options->limit_words);
}
