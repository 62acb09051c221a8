/* names.c: open addressing with SipHash-1-3 under a key that depends on where memory lies. */
#include "onnx/file/names.h"

#include <string.h>

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static void sip_round(uint64_t v[4]) {
  v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
  v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
  v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
  v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

static uint64_t hash_name(const uint64_t key[2], const char *name) {
  uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                   key[1] ^ 0x7465646279746573u};
  const size_t length = strlen(name), whole = length & ~(size_t)7;
  uint64_t word;
  for (size_t i = 0; i <= whole; i += 8) {
    word = i == whole ? (uint64_t)length << 56 : 0;
    memcpy(&word, name + i, i == whole ? length - whole : 8);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
  }
  v[2] ^= 0xFF;
  for (int i = 0; i < 3; i++) sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void onri_names_init(struct onri_names *names, const struct onr_allocator *allocator) {
  static const char here = 0;
  *names = (struct onri_names){.allocator = allocator};
  names->key[0] = (uint64_t)(uintptr_t)names * 0x9E3779B97F4A7C15u;
  names->key[1] = (uint64_t)(uintptr_t)&here * 0xC2B2AE3D27D4EB4Fu;
}

void onri_names_clear(struct onri_names *names) {
  onri_release(names->allocator, names->entries);
  names->entries = NULL;
  names->count = names->capacity = 0;
}

/* Where the name is, or where it would go. */
static struct onri_name_entry *find(const struct onri_names *names, const char *name, uint64_t hash) {
  for (size_t i = (size_t)hash & (names->capacity - 1);; i = (i + 1) & (names->capacity - 1)) {
    struct onri_name_entry *entry = &names->entries[i];
    if (!entry->name || (entry->hash == hash && !strcmp(entry->name, name))) return entry;
  }
}

static int grow(struct onri_names *names) {
  struct onri_names larger = *names;
  larger.capacity = names->capacity ? names->capacity * 2 : 16;
  if (larger.capacity > SIZE_MAX / 2 / sizeof(*larger.entries)) return 0;
  larger.entries = onri_allocate_zeroed(names->allocator, larger.capacity * sizeof(*larger.entries));
  if (!larger.entries) return 0;
  for (size_t i = 0; i < names->capacity; i++) {
    const struct onri_name_entry *entry = &names->entries[i];
    if (entry->name) *find(&larger, entry->name, entry->hash) = *entry;
  }
  onri_release(names->allocator, names->entries);
  *names = larger;
  return 1;
}

int32_t onri_names_get(const struct onri_names *names, const char *name) {
  const struct onri_name_entry *entry;
  if (!names->count) return -1;
  entry = find(names, name, hash_name(names->key, name));
  return entry->name ? entry->value : -1;
}

int onri_names_put(struct onri_names *names, const char *name, int32_t value) {
  const uint64_t hash = hash_name(names->key, name);
  struct onri_name_entry *entry;
  if (names->count >= names->capacity / 4 * 3 && !grow(names)) return -1;
  entry = find(names, name, hash);
  if (entry->name) return 0;
  *entry = (struct onri_name_entry){name, hash, value};
  names->count++;
  return 1;
}

const char *onri_intern(struct onri_interner *interner, const char *text) {
  const struct onri_names *names = &interner->names;
  const char *copy;
  if (!*text) return "";
  if (names->count) {
    const struct onri_name_entry *entry = find(names, text, hash_name(names->key, text));
    if (entry->name) return entry->name;
  }
  copy = onri_arena_string(interner->arena, text);
  return copy && onri_names_put(&interner->names, copy, 0) == 1 ? copy : NULL;
}
