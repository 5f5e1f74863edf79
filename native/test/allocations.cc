#include "test/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<uint64_t> count{0};

}  // namespace

namespace msgr::test {

uint64_t allocation_count() { return count.load(); }

}  // namespace msgr::test

// The linker sends every call of these in the binary's own objects here (--wrap).
extern "C" {
void* __real_malloc(size_t size);
void* __real_calloc(size_t number, size_t size);
void* __real_realloc(void* memory, size_t size);

void* __wrap_malloc(size_t size) {
  count++;
  return __real_malloc(size);
}
void* __wrap_calloc(size_t number, size_t size) {
  count++;
  return __real_calloc(number, size);
}
void* __wrap_realloc(void* memory, size_t size) {
  count++;
  return __real_realloc(memory, size);
}
}

void* operator new(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
