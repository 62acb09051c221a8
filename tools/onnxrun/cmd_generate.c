/* cmd_generate.c: a language model, token by token. Keys and values are states of the session. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum role { STATE, IDS, MASK, POSITIONS, USES_CACHE };

struct generation {
  const struct options *options;
  struct loaded l;
  enum role *roles; /* [inputs] */
  size_t logits;    /* which output */
  int64_t *tokens;  /* prompt, then what was made */
  size_t num_prompt, num_tokens;
  int64_t *values; /* [2 most] what an input is made of: as int64, and narrowed */
  size_t most;     /* tokens that there may be */
  uint64_t random; /* state of the draw */
  double prompt_ms, steps_ms;
};

/* --- the prompt --- */

static int read_prompt(struct generation *g) {
  const char *text = g->options->prompt;
  char *end;
  if (!text) return complain(EXIT_USAGE, "generate: expected --prompt-ids, the tokens to begin with");
  for (const char *at = text;; at = end + 1) {
    const long long token = strtoll(at, &end, 10);
    if (end == at || (*end && *end != ',') || token < 0)
      return complain(EXIT_USAGE, "--prompt-ids: expected whole numbers with commas between them, got '%s'", text);
    g->tokens[g->num_tokens++] = token;
    if (!*end) break;
  }
  g->num_prompt = g->num_tokens;
  return 0;
}

/* --- what the inputs are --- */

static int is_whole(enum onr_dtype dtype) { return dtype == ONR_DTYPE_I64 || dtype == ONR_DTYPE_I32; }

static enum role role_of(const struct onr_value_info *info) {
  if (strstr(info->name, "mask")) return MASK;
  if (strstr(info->name, "position")) return POSITIONS;
  if (strstr(info->name, "use_cache")) return USES_CACHE;
  return is_whole(info->dtype) && info->rank == 2 ? IDS : STATE;
}

/* One input of tokens; what is no state and has another role by its name must be of a kind that can be made. */
static int find_roles(struct generation *g) {
  size_t num_ids = 0;
  for (size_t i = 0; i < onr_model_num_inputs(g->l.model); i++) {
    const struct onr_value_info *info = onr_model_input(g->l.model, i);
    g->roles[i] = role_of(info);
    num_ids += g->roles[i] == IDS;
    const int fits = g->roles[i] == USES_CACHE  ? info->dtype == ONR_DTYPE_BOOL && info->rank == 1
                     : g->roles[i] == POSITIONS ? is_whole(info->dtype) && (info->rank == 1 || info->rank == 2)
                     : g->roles[i] == MASK      ? is_whole(info->dtype) && info->rank == 2
                                                : 1;
    if (!fits)
      return complain(EXIT_USAGE,
                      "generate: input '%s' looks like a mask or positions, but is %s of rank %d; "
                      "generate makes whole numbers of rank 2",
                      shown(info->name).text, onr_dtype_name(info->dtype), (int)info->rank);
  }
  if (num_ids == 1) return 0;
  return complain(EXIT_USAGE, "generate: expected one input of tokens, whole numbers of rank 2; %s has %zu",
                  shown(g->l.path).text, num_ids);
}

static int find_logits(struct generation *g) {
  const int named = onr_model_find_output(g->l.model, "logits");
  g->logits = named >= 0 ? (size_t)named : 0;
  const struct onr_value_info *info = onr_model_output(g->l.model, g->logits);
  if (info && info->dtype == ONR_DTYPE_F32) return 0;
  return complain(EXIT_USAGE, "generate: expected scores of tokens, float32, as output 'logits' or the first one");
}

static int add_states(struct generation *g) {
  struct onr_error error = {0};
  size_t count;
  enum onr_status status = onr_session_add_states(g->l.session, g->options->state, &count, &error);
  if (status == ONR_STATUS_OK && !count)
    return complain(EXIT_USAGE, "generate: no output of %s goes on with an input; --state OUT=IN says which do",
                    shown(g->l.path).text);
  if (status == ONR_STATUS_OK) status = onr_session_want_outputs(g->l.session, &g->logits, 1, &error);
  return status == ONR_STATUS_OK ? 0 : report_as(EXIT_USAGE, "--state", g->l.path, &error, "");
}

/* --- a run --- */

/* Whole numbers, one behind the other from `first` on: `count` of them, or all the same. */
static struct onr_tensor numbers(struct generation *g, const struct onr_value_info *info, int64_t count) {
  const int64_t dims[2] = {info->rank == 2 ? 1 : count, count};
  const struct onr_tensor x = {onr_desc_make(info->dtype, info->rank, dims), g->values};
  for (int64_t i = 0; info->dtype == ONR_DTYPE_I32 && i < count; i++) {
    const int32_t narrow = (int32_t)g->values[i];
    memcpy((char *)g->values + (size_t)i * sizeof(narrow), &narrow, sizeof(narrow)); /* behind what is still read */
  }
  return x;
}

/* Sets input i for a run with the tokens from `first` on. It is read during the run, so it has memory of its own. */
static enum onr_status set_input(struct generation *g, size_t i, size_t first, struct onr_error *error) {
  const struct onr_value_info *info = onr_model_input(g->l.model, i);
  const size_t count = g->num_tokens - (g->roles[i] == MASK ? 0 : first);
  int64_t *const all = g->values;
  struct onr_tensor x;
  if (g->roles[i] == STATE) return ONR_STATUS_OK;
  g->values = all + i * g->most;
  for (size_t k = 0; k < count; k++)
    g->values[k] = g->roles[i] == IDS ? g->tokens[first + k] : g->roles[i] == MASK ? 1 : (int64_t)(first + k);
  x = numbers(g, info, (int64_t)count);
  if (g->roles[i] == USES_CACHE) {
    x = (struct onr_tensor){onr_desc_make(ONR_DTYPE_BOOL, 1, (int64_t[]){1}), g->values};
    *(uint8_t *)x.data = first > 0;
  }
  g->values = all;
  return onr_session_set_input(g->l.session, i, &x, error);
}

static size_t likeliest(const float *scores, size_t count) {
  size_t best = 0;
  for (size_t i = 1; i < count; i++)
    if (scores[i] > scores[best]) best = i;
  return best;
}

/* A number from 0 to 1. */
static double draw(struct generation *g) {
  uint64_t x = g->random += UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
  return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

static size_t drawn(struct generation *g, const float *scores, size_t count) {
  const double most = (double)scores[likeliest(scores, count)];
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += exp((double)scores[i] - most);
  sum *= draw(g);
  for (size_t i = 0; i + 1 < count; i++)
    if ((sum -= exp((double)scores[i] - most)) < 0) return i;
  return count - 1;
}

/* Runs the tokens from `first` on and appends the next one. */
static enum onr_status step(struct generation *g, size_t first, struct onr_error *error) {
  struct onr_tensor y;
  for (size_t i = 0; i < onr_model_num_inputs(g->l.model); i++) ONR_TRY(set_input(g, i, first, error));
  ONR_TRY(onr_session_run(g->l.session, error));
  ONR_TRY(onr_session_get_output(g->l.session, g->logits, &y, error));
  const int64_t count = y.desc.rank > 0 ? y.desc.dim[y.desc.rank - 1] : 0, all = onr_desc_elements(&y.desc);
  if (count < 1 || all < count) {
    snprintf(error->message, sizeof(error->message), "the output of scores is empty");
    return error->status = ONR_STATUS_SHAPE;
  }
  const float *scores = (const float *)y.data + (all - count);
  g->tokens[g->num_tokens++] =
      (int64_t)(g->options->greedy ? likeliest(scores, (size_t)count) : drawn(g, scores, (size_t)count));
  return ONR_STATUS_OK;
}

static enum onr_status make_tokens(struct generation *g, struct onr_error *error) {
  const double start = now_ms();
  double first_end;
  ONR_TRY(step(g, 0, error));
  first_end = now_ms();
  while (g->num_tokens < g->most) ONR_TRY(step(g, g->num_tokens - 1, error));
  g->prompt_ms = first_end - start;
  g->steps_ms = now_ms() - first_end;
  return ONR_STATUS_OK;
}

/* --- what came out --- */

static double rate(size_t count, double ms) { return ms > 0 ? (double)count * 1e3 / ms : 0; }

static int print_result(const struct generation *g) {
  const size_t made = g->num_tokens - g->num_prompt;
  printf("tokens  ");
  for (size_t i = g->num_prompt; i < g->num_tokens; i++) printf(" %lld", (long long)g->tokens[i]);
  printf("\nprompt   %zu tokens in %s, %.0f tokens/s\n", g->num_prompt, shown_time(g->prompt_ms).text,
         rate(g->num_prompt, g->prompt_ms));
  if (made > 1)
    printf("steps    %zu in %s, %.0f tokens/s\n", made - 1, shown_time(g->steps_ms).text, rate(made - 1, g->steps_ms));
  printf("memory   %s of the session\n", shown_bytes_count((double)onr_session_total_bytes(g->l.session)).text);
  return EXIT_OK;
}

static int print_as_json(const struct generation *g) {
  cJSON *root = cJSON_CreateObject(), *tokens = cJSON_AddArrayToObject(root, "tokens");
  const size_t made = g->num_tokens - g->num_prompt;
  for (size_t i = g->num_prompt; i < g->num_tokens; i++)
    cJSON_AddItemToArray(tokens, cJSON_CreateNumber((double)g->tokens[i]));
  cJSON_AddNumberToObject(root, "prompt_tokens", (double)g->num_prompt);
  cJSON_AddNumberToObject(root, "prompt_ms", g->prompt_ms);
  cJSON_AddNumberToObject(root, "steps", (double)(made - 1));
  cJSON_AddNumberToObject(root, "steps_ms", g->steps_ms);
  cJSON_AddNumberToObject(root, "tokens_per_second", rate(made - 1, g->steps_ms));
  cJSON_AddNumberToObject(root, "session_bytes", (double)onr_session_total_bytes(g->l.session));
  return print_json(root, 0);
}

/* --- all --- */

static int generate(struct generation *g) {
  struct onr_error error = {0};
  const size_t num_inputs = onr_model_num_inputs(g->l.model);
  g->roles = calloc(num_inputs + 1, sizeof(*g->roles));
  g->values = calloc((num_inputs + 1) * (g->most + 1), sizeof(*g->values));
  if (!g->roles || !g->values) return complain(EXIT_OTHER, "no memory for %zu tokens", g->most);
  int code = find_roles(g);
  if (!code) code = find_logits(g);
  if (!code) code = add_states(g);
  if (code) return code;
  const enum onr_status status = make_tokens(g, &error);
  if (status == ONR_STATUS_ARGUMENT) /* an input is neither made here nor a state */
    return report_as(EXIT_USAGE, onr_status_name(status), g->l.path, &error,
                     "; --state OUT=IN,... says which outputs go on as which inputs");
  if (status == ONR_STATUS_INDEX) /* a token that the model does not have: its own ones are all there */
    return report_as(EXIT_USAGE, onr_status_name(status), g->l.path, &error, "; --prompt-ids gave the tokens");
  if (status != ONR_STATUS_OK) return report_failure(status, g->l.path, &error);
  return g->options->json ? print_as_json(g) : print_result(g);
}

int command_generate(const struct options *options) {
  enum { MOST_STEPS = 1 << 20 };
  struct generation g = {.options = options, .random = options->seed};
  if (options->steps < 1 || options->steps > MOST_STEPS)
    return complain(EXIT_USAGE, "--steps: expected a whole number from 1 to %d, got %llu", (int)MOST_STEPS,
                    (unsigned long long)options->steps);
  g.most = (options->prompt ? strlen(options->prompt) : 0) + options->steps + 1;
  g.tokens = calloc(g.most, sizeof(*g.tokens));
  if (!g.tokens) return complain(EXIT_OTHER, "no memory for %zu tokens", g.most);
  int code = read_prompt(&g);
  g.most = g.num_prompt + options->steps;
  if (!code) code = load(options, options->paths[0], &g.l);
  if (!code) code = generate(&g);
  unload(&g.l);
  free(g.roles);
  free(g.values);
  free(g.tokens);
  return code;
}
