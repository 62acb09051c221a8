/* machine_windows.c: see machine.h. */
#include "base/system/machine.h"

#include <malloc.h>
#include <windows.h>

/* Of this process' group of at most 64. */
uint32_t onri_machine_cores(void) {
  DWORD_PTR allowed = 0, of_machine;
  uint32_t count = 0;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &allowed, &of_machine)) return 1;
  for (; allowed; allowed &= allowed - 1) count++;
  return count ? count : 1;
}

uint64_t onri_machine_memory(void) {
  MEMORYSTATUSEX status = {.dwLength = sizeof(status)};
  return GlobalMemoryStatusEx(&status) ? status.ullTotalPhys : 0;
}

uint64_t onri_machine_clock(void) {
  LARGE_INTEGER ticks, rate;
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&rate);
  const uint64_t count = (uint64_t)ticks.QuadPart, second = (uint64_t)rate.QuadPart;
  return count / second * 1000000000u + count % second * 1000000000u / second;
}

uint64_t onri_machine_process(void) { return GetCurrentProcessId(); }

void *onri_machine_allocate(size_t bytes, size_t alignment) { return _aligned_malloc(bytes, alignment); }

void onri_machine_release(void *memory) { _aligned_free(memory); }
