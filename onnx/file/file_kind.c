/* file_kind.c: formats that people hand in for ONNX, by their first bytes. Asked only after a file could not be read,
 * so a row may be as short as the format's own signature. */
#include "onnx/file/file_kind.h"

#include <stdio.h>
#include <string.h>

#include "base/only.h"
#include "base/text/text.h"
#include "onnx/file/scan_table.h"
#include "onnx/file/varint.h"

enum { HEAD_BYTES = 512, TAIL_BYTES = 65536, SHOWN_PATH = 200 };
enum { IR_VERSION = 0x08 }; /* the tag that every writer of models puts first */

struct kind {
  const char *name, *advice; /* advice: how a model gets out of it; NULL: there is none in it */
};

#define EXPORT "write the module with torch.onnx.export"
#define WEIGHTS "it holds weights without the network; load them into the module and " EXPORT
#define TF2ONNX "tf2onnx converts it"
#define UNPACK "unpack it first"
#define AGAIN "fetch it again"

static const struct {
  size_t offset, length;
  const char *bytes;
  struct kind kind;
} signatures[] = {
    {0, 16, "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80", {"a PyTorch checkpoint of the old format", WEIGHTS}},
    {0, 2, "\x80\x02", {"a Python pickle", "load it in Python and export the model"}},
    {0, 2, "\x80\x03", {"a Python pickle", "load it in Python and export the model"}},
    {0, 2, "\x80\x04", {"a Python pickle", "load it in Python and export the model"}},
    {0, 2, "\x80\x05", {"a Python pickle", "load it in Python and export the model"}},
    {0, 4, "GGUF", {"a GGUF file (llama.cpp)", NULL}},
    {0, 4, "ggjt", {"a GGML file (llama.cpp)", NULL}},
    {0, 4, "lmgg", {"a GGML file (whisper.cpp)", NULL}},
    {4, 4, "TFL3", {"a TensorFlow Lite model", TF2ONNX}},
    {4, 4, "ORTM", {"a model in ONNX Runtime's own format (.ort)", "take the .onnx file that it was made from"}},
    {4, 4, "ET12", {"an ExecuTorch program", EXPORT}},
    {4, 4, "PTMF", {"a TorchScript file for mobile devices", EXPORT}},
    {0, 4, "ptrt", {"a TensorRT engine", "take the .onnx file that it was made from"}},
    {0, 4, "ftrt", {"a TensorRT engine", "take the .onnx file that it was made from"}},
    {0, 8, "7767517\n", {"an ncnn network", NULL}},
    {0, 8, "\x89HDF\r\n\x1a\n", {"an HDF5 file (Keras writes its models so)", TF2ONNX " from Keras"}},
    {0, 6, "\x93NUMPY", {"a NumPy array (.npy)", NULL}},
    {0, 8, "\x89PNG\r\n\x1a\n", {"a PNG picture", NULL}},
    {0, 3, "\xff\xd8\xff", {"a JPEG picture", NULL}},
    {0, 6, "GIF87a", {"a GIF picture", NULL}},
    {0, 6, "GIF89a", {"a GIF picture", NULL}},
    {0, 4, "II*\0", {"a TIFF picture", NULL}},
    {0, 4, "MM\0*", {"a TIFF picture", NULL}},
    {8, 4, "WEBP", {"a WebP picture", NULL}},
    {8, 4, "WAVE", {"a WAVE sound", NULL}},
    {4, 8, "ftypavif", {"an AVIF picture", NULL}},
    {4, 7, "ftyphei", {"a HEIC picture", NULL}},
    {4, 4, "ftyp", {"an MP4 film", NULL}},
    {4, 4, "jP  ", {"a JPEG 2000 picture", NULL}},
    {0, 4, "OggS", {"an Ogg sound", NULL}},
    {0, 4, "fLaC", {"a FLAC sound", NULL}},
    {0, 3, "ID3", {"an MP3 sound", NULL}},
    {0, 5, "%PDF-", {"a PDF document", NULL}},
    {0, 2, "\x1f\x8b", {"a gzip archive", UNPACK}},
    {0, 3, "BZh", {"a bzip2 archive", UNPACK}},
    {0,
     6,
     "\xfd"
     "7zXZ\0",
     {"an xz archive", UNPACK}},
    {0, 4, "\x28\xb5\x2f\xfd", {"a zstd archive", UNPACK}},
    {0, 6, "7z\xbc\xaf\x27\x1c", {"a 7-Zip archive", UNPACK}},
    {0, 4, "Rar!", {"a RAR archive", UNPACK}},
    {257, 5, "ustar", {"a tar archive", UNPACK}},
    {0,
     4,
     "\x7f"
     "ELF",
     {"a program or library (ELF)", NULL}},
    {0, 4, "PAR1", {"a Parquet table", NULL}},
    {0, 6, "SQLite", {"an SQLite database", NULL}},
    {0, 2, "BM", {"a BMP picture", NULL}},
};

/* Members of zip archives, the most telling first. */
static const struct {
  const char *member;
  struct kind kind;
} archives[] = {
    {"constants.pkl", {"a TorchScript archive", "take the module that it was made from and " EXPORT}},
    {"serialized_exported_program.json",
     {"a program of torch.export (.pt2)", "torch.onnx.export takes it, after torch.export.load"}},
    {"models/model.json", {"a program of torch.export (.pt2)", "torch.onnx.export takes it, after torch.export.load"}},
    {"data.pkl", {"a PyTorch checkpoint", WEIGHTS}},
    {"model.weights.h5", {"a Keras model", TF2ONNX " from Keras"}},
    {"Manifest.json", {"a Core ML package", NULL}},
    {"saved_model.pb", {"a zip archive with a TensorFlow model", UNPACK ", then " TF2ONNX}},
    {".onnx", {"a zip archive with an ONNX model", UNPACK}},
    {".npy", {"a NumPy archive (.npz)", NULL}},
};

static const struct {
  const char *begin;
  struct kind kind;
} texts[] = {
    {"version https://git-lfs", {"a pointer of Git LFS to a file that is not here", "git lfs pull fetches it"}},
    {"<!doctype html", {"a web page", AGAIN "; the address gave a page instead of the file"}},
    {"<html", {"a web page", AGAIN "; the address gave a page instead of the file"}},
    {"<?xml", {"an XML file", NULL}},
    {"ir_version:", {"protobuf as text", "onnx.load(path, format=\"textproto\") and onnx.save make the file of it"}},
    {"{", {"a JSON file", NULL}},
    {"[", {"a JSON file", NULL}},
    {"", {"a text file", NULL}},
};

static int has(const unsigned char *bytes, size_t size, const char *part) {
  const size_t length = strlen(part);
  for (size_t i = 0; i + length <= size; i++)
    if (!memcmp(bytes + i, part, length)) return 1;
  return 0;
}

/* The names of an archive's members stand at its end. */
static const struct kind *zip_kind(const struct onri_source *source, const struct onr_allocator *allocator) {
  static const struct kind other = {"a zip archive", UNPACK};
  const size_t size = source->size < TAIL_BYTES ? (size_t)source->size : TAIL_BYTES;
  unsigned char *tail = onri_allocate(allocator, size);
  const struct kind *kind = &other;
  if (tail && onri_source_read(source, source->size - size, size, tail, NULL) == ONR_STATUS_OK)
    for (size_t i = sizeof(archives) / sizeof(archives[0]); i--;)
      if (has(tail, size, archives[i].member)) kind = &archives[i].kind;
  onri_release(allocator, tail);
  return kind;
}

/* A safetensors file begins with the length of a JSON text, and that. */
static int is_safetensors(const unsigned char *head, size_t size, uint64_t file_bytes) {
  uint64_t length = 0;
  if (size < 10 || head[8] != '{') return 0;
  for (int i = 8; i--;) length = length << 8 | head[i];
  return length >= 2 && length <= file_bytes - 8;
}

/* Printable as far as it goes: a character may be cut at the end of what was read. */
static int is_text(const unsigned char *head, size_t size) {
  for (size_t i = 0, n; i < size; i += n) {
    n = onri_utf8_sequence(head + i, size - i);
    if (!n) return size - i < 4 && i > 0 && size == HEAD_BYTES;
    if (n == 1 && (head[i] == 127 || (head[i] < ' ' && !strchr("\t\n\r\f", head[i])))) return 0;
    if (!head[i]) return 0;
  }
  return size > 0;
}

static int begins_with(const unsigned char *text, size_t size, const char *begin) {
  const size_t length = strlen(begin);
  if (size < length) return 0;
  for (size_t i = 0; i < length; i++) {
    const int c = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
    if (c != begin[i]) return 0;
  }
  return 1;
}

static const struct kind *text_kind(const unsigned char *head, size_t size) {
  size_t skip = size >= 3 && !memcmp(head, "\xef\xbb\xbf", 3) ? 3 : 0;
  while (skip < size && strchr(" \t\r\n", head[skip])) skip++;
  for (size_t i = 0;; i++)
    if (begins_with(head + skip, size - skip, texts[i].begin)) return &texts[i].kind;
}

static int is_zero(const unsigned char *head, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (head[i]) return 0;
  return 1;
}

/* NULL: none that is known. */
static const struct kind *kind_of(const struct onri_source *source, const struct onr_allocator *allocator,
                                  int wants_model) {
  static const struct kind model = {"an ONNX model", NULL}, empty = {"empty", AGAIN},
                           zeros = {"full of zeros", AGAIN "; a download may not have ended"},
                           safetensors = {"a safetensors file", WEIGHTS};
  unsigned char head[HEAD_BYTES];
  const size_t size = source->size < HEAD_BYTES ? (size_t)source->size : HEAD_BYTES;
  if (!size) return &empty;
  if (onri_source_read(source, 0, size, head, NULL) != ONR_STATUS_OK) return NULL;
  if (is_zero(head, size)) return &zeros;
  if (size >= 4 && (!memcmp(head, "PK\3\4", 4) || !memcmp(head, "PK\5\6", 4))) return zip_kind(source, allocator);
  for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
    if (size >= signatures[i].offset + signatures[i].length &&
        !memcmp(head + signatures[i].offset, signatures[i].bytes, signatures[i].length))
      return &signatures[i].kind;
  if (is_safetensors(head, size, source->size)) return &safetensors;
  if (!wants_model && size > 2 && onri_begins_as_model(head, size)) return &model;
  return is_text(head, size) ? text_kind(head, size) : NULL;
}

int onri_begins_as_model(const unsigned char *first, size_t bytes) {
  size_t at = 0;
  if (!bytes || first[0] != IR_VERSION) return 0;
  while (at < bytes) {
    uint64_t tag, value;
    if (!onri_varint_read(first, bytes, &at, &tag)) return at == bytes;
    const uint32_t number = tag >> 3 < ONRI_MAX_FIELD ? (uint32_t)(tag >> 3) : 0;
    const struct onri_field_rule *rule = onri_field_find(&onri_message_rules[ONRI_MESSAGE_MODEL], number);
    const int kind = rule ? rule->kind : 0;
    if (!kind || (tag & 7) != (kind == ONRI_FIELD_VARINT ? ONRI_WIRE_VARINT : ONRI_WIRE_DELIMITED)) return 0;
    if (!onri_varint_read(first, bytes, &at, &value)) return at == bytes;
    if ((tag & 7) == ONRI_WIRE_VARINT) continue;
    if (value >= bytes - at) return 1;
    at += (size_t)value;
  }
  return 1;
}

static int begins_as_onnx(const struct onri_source *source) {
  unsigned char first;
  return source->size && onri_source_read(source, 0, 1, &first, NULL) == ONR_STATUS_OK && first == IR_VERSION;
}

enum onr_status onri_file_kind_blame(const struct onri_source *source, const struct onr_allocator *allocator,
                                     const char *path, const char *wanted, enum onr_status status,
                                     struct onr_error *error) {
  if (!ONRI_SPEAKS) return status;
  const int unread = status == ONR_STATUS_PARSE || status == ONR_STATUS_GRAPH || status == ONR_STATUS_VERSION ||
                     status == ONR_STATUS_LIMIT || status == ONR_STATUS_DATA || status == ONR_STATUS_TYPE;
  const struct kind *kind = NULL;
  if (ONRI_PART(more) && unread && error) kind = kind_of(source, allocator, !strcmp(wanted, "ONNX model"));
  const char *quote = path ? "'" : "";
  char shown[SHOWN_PATH] = "the data", reason[256];
  if (path) onri_escape_string(path, shown, sizeof(shown));
  if (kind)
    return onr_fail(error, ONR_STATUS_PARSE, "%s%s%s is %s, no %s%s%s", quote, shown, quote, kind->name, wanted,
                    kind->advice ? ": " : "", kind->advice ? kind->advice : "");
  if (status != ONR_STATUS_PARSE || !error || begins_as_onnx(source)) return status;
  snprintf(reason, sizeof(reason), "%s", error->message);
  return onr_fail(error, ONR_STATUS_PARSE, "%s%s%s is no %s: %s", quote, shown, quote, wanted, reason);
}
