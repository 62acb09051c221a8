/* sound.c: sound as an input: libsndfile decodes it, libsamplerate changes its rate. */
#include "recipe.h"

#include <string.h>

int is_sound(const void *bytes, size_t size) {
  const char *text = bytes;
  return size >= 12 && ((!memcmp(text, "RIFF", 4) && !memcmp(text + 8, "WAVE", 4)) || !memcmp(text, "fLaC", 4) ||
                        !memcmp(text, "OggS", 4) || !memcmp(text, "RF64", 4) ||
                        (!memcmp(text, "FORM", 4) && !memcmp(text + 8, "AIF", 3)) || !memcmp(text, ".snd", 4));
}

#if ONNXRUN_HAVE_SOUND

#include <samplerate.h>
#include <sndfile.h>
#include <stdlib.h>

#include "onnxrun/tensor_file.h"

/* --- a file in memory, for libsndfile --- */

struct memory_file {
  const char *bytes;
  sf_count_t size, at;
};

static sf_count_t file_length(void *context) { return ((struct memory_file *)context)->size; }
static sf_count_t file_tell(void *context) { return ((struct memory_file *)context)->at; }

static sf_count_t file_seek(sf_count_t offset, int from, void *context) {
  struct memory_file *file = context;
  const sf_count_t base = from == SEEK_SET ? 0 : from == SEEK_CUR ? file->at : file->size;
  if (offset < -base || offset > file->size - base) return -1;
  return file->at = base + offset;
}

static sf_count_t file_read(void *target, sf_count_t bytes, void *context) {
  struct memory_file *file = context;
  if (bytes > file->size - file->at) bytes = file->size - file->at;
  if (bytes > 0) memcpy(target, file->bytes + file->at, (size_t)bytes);
  file->at += bytes > 0 ? bytes : 0;
  return bytes;
}

static sf_count_t file_write(const void *source, sf_count_t bytes, void *context) {
  (void)source, (void)bytes, (void)context;
  return 0;
}

/* --- what is cut off, which libsndfile does not tell --- */

/* Who writes into a pipe does not know how many bytes they will be, and tells 0 or as good as 2 or 4 GiB. */
enum { HEAD = 12, CHUNK = 8, AS_GOOD_AS_ALL = 0x7fff0000 };

static uint64_t number_of(const unsigned char *bytes, int is_big_endian) {
  return is_big_endian ? (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 8 | bytes[3]
                       : (uint64_t)bytes[3] << 24 | (uint64_t)bytes[2] << 16 | (uint64_t)bytes[1] << 8 | bytes[0];
}

/* Of WAV (RIFF, RF64) and AIFF (FORM): chunks with their lengths; RF64 has the long ones in the first. */
static uint64_t missing_of_chunks(const unsigned char *bytes, size_t size) {
  const int is_aiff = !memcmp(bytes, "FORM", 4);
  uint64_t of_data = 0;
  for (uint64_t at = HEAD; at + CHUNK <= size;) {
    uint64_t length = number_of(bytes + at + 4, is_aiff), left = size - at - CHUNK;
    if (!memcmp(bytes + at, "ds64", 4) && length >= 16 && left >= 16)
      of_data = number_of(bytes + at + 16, 0) | number_of(bytes + at + 20, 0) << 32;
    if (!memcmp(bytes + at, is_aiff ? "SSND" : "data", 4)) {
      const int is_long = of_data && length == UINT32_MAX;
      if (is_long) length = of_data;
      return length > left && (is_long || length < AS_GOOD_AS_ALL) ? length - left : 0;
    }
    at += CHUNK + length + (length & 1);
  }
  return 0;
}

static uint64_t missing_of_au(const unsigned char *bytes, size_t size) {
  const uint64_t begin = number_of(bytes + 4, 1), length = number_of(bytes + 8, 1);
  return length < AS_GOOD_AS_ALL && begin + length > size ? begin + length - size : 0;
}

/* The last page of Ogg says that it is the last one, and where it ends. */
static uint64_t missing_of_ogg(const unsigned char *bytes, size_t size) {
  enum { PAGE = 27, IS_LAST = 4 };
  for (size_t at = size; at-- > 0;) {
    if (size - at < PAGE || memcmp(bytes + at, "OggS", 4)) continue;
    return !(bytes[at + 5] & IS_LAST);
  }
  return 0;
}

/* 0: nothing; of Ogg 1 for any number. */
static uint64_t missing_bytes(const void *data, size_t size) {
  if (size < HEAD) return 0;
  if (!memcmp(data, "RIFF", 4) || !memcmp(data, "RF64", 4) || !memcmp(data, "FORM", 4))
    return missing_of_chunks(data, size);
  if (!memcmp(data, ".snd", 4)) return missing_of_au(data, size);
  return memcmp(data, "OggS", 4) ? 0 : missing_of_ogg(data, size);
}

/* --- samples of one channel, as many as there are --- */

struct samples {
  const char *where;
  float *data;
  size_t count, capacity, most;
};

static int append(struct samples *s, const float *data, size_t count) {
  if (!count) return 0;
  if (count > s->most - s->count)
    return complain(EXIT_OTHER, "%s: more than the limit tensor_bytes of %llu bytes", s->where,
                    (unsigned long long)s->most * sizeof(float));
  if (s->count + count > s->capacity) {
    const size_t capacity = 2 * s->capacity + count + 4096;
    float *grown = realloc(s->data, capacity * sizeof(*grown));
    if (!grown) return complain(EXIT_OTHER, "%s: no memory for %zu samples", s->where, capacity);
    s->data = grown;
    s->capacity = capacity;
  }
  memcpy(s->data + s->count, data, count * sizeof(*data));
  s->count += count;
  return 0;
}

enum { BLOCK = 4096, MOST_CHANNELS = 64 };

/* The mean of all channels, through a change of rate where `state` is one. last: nothing comes behind it. */
static int take_block(struct samples *s, SRC_STATE *state, double ratio, const float *mono, long count, int last) {
  float out[BLOCK];
  if (!state) return append(s, mono, (size_t)count);
  SRC_DATA data = {.data_in = mono,
                   .input_frames = count,
                   .data_out = out,
                   .output_frames = BLOCK,
                   .src_ratio = ratio,
                   .end_of_input = last};
  do {
    const int failed = src_process(state, &data);
    if (failed) return complain(EXIT_OTHER, "%s: its rate cannot be changed: %s", s->where, src_strerror(failed));
    const int code = append(s, out, (size_t)data.output_frames_gen);
    if (code) return code;
    data.data_in += data.input_frames_used;
    data.input_frames -= data.input_frames_used;
  } while (data.input_frames || data.output_frames_gen == BLOCK);
  return 0;
}

/* Of kinds whose head tells how many samples there are, and which are packed: libsndfile stops where they end. */
static int check_count(const struct samples *s, const SF_INFO *info, sf_count_t decoded) {
  if ((info->format & SF_FORMAT_TYPEMASK) != SF_FORMAT_FLAC || decoded >= info->frames) return 0;
  return complain(EXIT_USAGE, "%s: its end is missing: %lld of %lld samples", s->where, (long long)decoded,
                  (long long)info->frames);
}

static int read_samples(struct samples *s, SNDFILE *file, const SF_INFO *info, SRC_STATE *state, double ratio) {
  static float block[BLOCK * MOST_CHANNELS], mono[BLOCK];
  sf_count_t n, decoded = 0;
  int code = 0;
  do {
    n = sf_readf_float(file, block, BLOCK);
    if (n < 0) n = 0;
    decoded += n;
    for (sf_count_t i = 0; i < n; i++) {
      float sum = 0;
      for (int c = 0; c < info->channels; c++) sum += block[i * info->channels + c];
      mono[i] = sum / (float)info->channels;
    }
    code = take_block(s, state, ratio, mono, (long)n, !n);
  } while (n && !code);
  if (!code && sf_error(file))
    code = complain(EXIT_USAGE, "%s: not readable to its end: %s", s->where, sf_strerror(file));
  return code ? code : check_count(s, info, decoded);
}

static int change_rate(struct samples *s, SNDFILE *file, const SF_INFO *info, int64_t rate) {
  const double ratio = (double)rate / info->samplerate;
  int why = 0;
  if (!rate || rate == info->samplerate) return read_samples(s, file, info, NULL, 1);
  if (!src_is_valid_ratio(ratio))
    return complain(EXIT_USAGE, "%s: from %d to %lld samples a second is further than 256 times", s->where,
                    info->samplerate, (long long)rate);
  SRC_STATE *state = src_new(SRC_SINC_MEDIUM_QUALITY, 1, &why);
  if (!state) return complain(EXIT_OTHER, "%s: %s", s->where, src_strerror(why));
  const int code = read_samples(s, file, info, state, ratio);
  src_delete(state);
  return code;
}

static int decode(struct samples *s, const void *bytes, size_t size, int64_t rate, SF_INFO *info) {
  SF_VIRTUAL_IO io = {file_length, file_seek, file_read, file_write, file_tell};
  struct memory_file memory = {bytes, (sf_count_t)size, 0};
  *info = (SF_INFO){0};
  SNDFILE *file = sf_open_virtual(&io, SFM_READ, info, &memory);
  if (!file) return complain(EXIT_USAGE, "%s: no readable sound: %s", s->where, sf_strerror(NULL));
  int code = 0;
  if (info->channels < 1 || info->channels > MOST_CHANNELS || info->samplerate < 1)
    code = complain(EXIT_USAGE, "%s: %d channels at %d samples a second, expected 1 to %d channels", s->where,
                    info->channels, info->samplerate, MOST_CHANNELS);
  if (!code) code = change_rate(s, file, info, rate);
  sf_close(file);
  return code;
}

/* --- frames --- */

/* Frame k ends behind sample (k + 1) * hop, as a stream comes in; before the first sample and behind the last are
 * zeros. */
static void cut_frames(const struct samples *s, int64_t frame, int64_t hop, int64_t frames, double scale,
                       struct onr_tensor *tensor) {
  for (int64_t k = 0, i = 0; k < frames; k++)
    for (int64_t at = (k + 1) * hop - frame; at < (k + 1) * hop; at++, i++)
      number_store(tensor, i, at >= 0 && (size_t)at < s->count ? scale * (double)s->data[at] : 0);
}

static int make_input(const struct options *options, const struct samples *s, const struct onr_value_info *info,
                      const struct recipe *r, struct onr_tensor *tensor, int64_t *frames) {
  const int64_t declared = info->rank > 0 ? info->dim[info->rank - 1] : -1;
  const int64_t frame = r->frame ? r->frame : declared > 1 ? declared : 0, hop = r->frame ? r->hop : frame;
  struct onr_desc desc = onr_desc_make(info->dtype == ONR_DTYPE_NONE ? ONR_DTYPE_F32 : info->dtype, 1,
                                       (int64_t[]){frame ? frame : (int64_t)s->count});
  const double scale = desc.dtype == ONR_DTYPE_I16 ? 32768 : 1; /* of PCM; other whole types have no half */
  if (desc.dtype != ONR_DTYPE_I16 && !number_fits(desc.dtype, 0.5))
    return complain(EXIT_USAGE, "%s: sound is numbers from -1 to 1, or 16 bits for int16; input '%s' is %s", s->where,
                    info->name, onr_dtype_name(desc.dtype));
  *frames = frame ? ((int64_t)s->count + hop - 1) / hop : 0;
  if (frame && !*frames) return complain(EXIT_USAGE, "%s: there are no samples in it", s->where);
  add_leading_ones(info, &desc);
  if (frame && desc.rank == ONR_MAX_RANK) return complain(EXIT_USAGE, "%s: no room for frames", s->where);
  if (frame) {
    memmove(desc.dim + 1, desc.dim, (size_t)desc.rank++ * sizeof(*desc.dim));
    desc.dim[0] = *frames;
  }
  const int code = make_tensor(options, s->where, &desc, tensor);
  if (code) return code;
  if (onr_desc_elements(&desc) && !number_store(tensor, 0, 0))
    return complain(EXIT_USAGE, "%s: sound cannot become %s, the type of input '%s'", s->where,
                    onr_dtype_name(desc.dtype), info->name);
  if (frame) cut_frames(s, frame, hop, *frames, scale, tensor);
  for (size_t i = 0; !frame && i < s->count; i++) number_store(tensor, (int64_t)i, scale * (double)s->data[i]);
  return 0;
}

int read_sound(const struct options *options, const char *where, const void *bytes, size_t size,
               const struct onr_value_info *info, const struct recipe *recipe, struct onr_tensor *tensor,
               int64_t *frames) {
  const uint64_t most = tensor_bytes(options) / sizeof(float);
  struct samples s = {.where = where, .most = most < SIZE_MAX / 8 ? (size_t)most : SIZE_MAX / 8};
  SF_INFO sound;
  const uint64_t missing = missing_bytes(bytes, size);
  if (missing)
    return complain(EXIT_USAGE, "%s: its end is missing: %llu byte%s or more", where, (unsigned long long)missing,
                    missing > 1 ? "s" : "");
  int code = decode(&s, bytes, size, recipe->rate, &sound);
  if (!code) code = make_input(options, &s, info, recipe, tensor, frames);
  free(s.data);
  if (!code && !recipe->rate)
    complain(0, "%s: %d samples a second; --rate says what input '%s' wants", where, sound.samplerate, info->name);
  return code;
}

#else

int read_sound(const struct options *options, const char *where, const void *bytes, size_t size,
               const struct onr_value_info *info, const struct recipe *recipe, struct onr_tensor *tensor,
               int64_t *frames) {
  (void)options, (void)bytes, (void)size, (void)info, (void)recipe, (void)tensor, (void)frames;
  return complain(
      EXIT_UNSUPPORTED,
      "%s: this build reads no sound: install libsndfile and libsamplerate (Debian, Ubuntu: libsndfile1-dev "
      "and libsamplerate0-dev) and configure it again",
      where);
}

#endif
