/* narrow.c: what narrow.py preloads: the instruction that it has put in place of cpuid is answered as cpuid is, but
 * that nothing wider than AVX2 is there. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#if !defined(__x86_64__)
#error "for x86-64 alone"
#endif

/* One of no 64-bit program: push %cs; push %es. */
static const uint8_t mark[2] = {0x0e, 0x06};

struct answer {
  uint32_t a, b, c, d;
};

static struct answer ask(uint32_t leaf, uint32_t subleaf) {
  struct answer r;
  __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
  return r;
}

static uint32_t without(uint32_t bits, const int *which, size_t count) {
  for (size_t i = 0; i < count; i++) bits &= ~(UINT32_C(1) << which[i]);
  return bits;
}
#define WITHOUT(bits, ...) without(bits, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static struct answer narrowed(uint32_t leaf, uint32_t subleaf) {
  enum { FEATURES = 7 };
  struct answer r = ask(leaf, subleaf);
  if (leaf != FEATURES) return r;
  if (subleaf == 0) {
    r.b = WITHOUT(r.b, 16, 17, 21, 26, 27, 28, 30, 31); /* AVX-512 F, DQ, IFMA, PF, ER, CD, BW, VL */
    r.c = WITHOUT(r.c, 1, 6, 11, 12, 14);               /* VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
    r.d = WITHOUT(r.d, 2, 3, 8, 22, 23, 24, 25);        /* 4VNNIW, 4FMAPS, VP2INTERSECT, FP16, AMX */
  } else if (subleaf == 1) {
    r.a = WITHOUT(r.a, 4, 5, 21, 23);    /* AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA */
    r.d = WITHOUT(r.d, 4, 5, 8, 10, 19); /* AVX-VNNI-INT8, AVX-NE-CONVERT, AMX, AVX-VNNI-INT16, AVX10 */
  }
  return r;
}

static void answer(int signal_number, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)info;
  if (memcmp((const void *)registers[REG_RIP], mark, sizeof(mark)) != 0) { /* somebody else's fault */
    signal(signal_number, SIG_DFL);
    raise(signal_number);
    return;
  }
  const struct answer r = narrowed((uint32_t)registers[REG_RAX], (uint32_t)registers[REG_RCX]);
  registers[REG_RAX] = r.a, registers[REG_RBX] = r.b, registers[REG_RCX] = r.c, registers[REG_RDX] = r.d;
  registers[REG_RIP] += sizeof(mark);
}

__attribute__((constructor)) static void begin(void) {
  struct sigaction action;
  memset(&action, 0, sizeof(action));
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGILL, &action, NULL);
}
