#include "test/allocations.h"

#include <atomic>
#include <cstddef>

namespace {

std::atomic<uint64_t> count{0};

}  // namespace

namespace msgr::test {

uint64_t allocation_count() { return count.load(); }

}  // namespace msgr::test

// The linker sends every call of these in the binary's own objects here (--wrap); a definition of
// operator new would quarrel with those of the sanitizers. _Znwm and _Znam are operator new and new[] of
// a 64-bit ABI.
#define MSGR_COUNT_CALLS(result, function, parameters, arguments) \
  extern "C" result __real_##function parameters;                 \
  extern "C" result __wrap_##function parameters {                \
    count++;                                                      \
    return __real_##function arguments;                           \
  }

MSGR_COUNT_CALLS(void*, malloc, (size_t size), (size))
MSGR_COUNT_CALLS(void*, calloc, (size_t number, size_t size), (number, size))
MSGR_COUNT_CALLS(void*, realloc, (void* memory, size_t size), (memory, size))
MSGR_COUNT_CALLS(void*, _Znwm, (size_t size), (size))
MSGR_COUNT_CALLS(void*, _Znam, (size_t size), (size))
