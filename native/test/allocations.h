// Counts what the test binary takes from the heap, so that "no allocation per frame" is asserted.
#pragma once

#include <cstdint>

namespace msgr::test {

// Calls of malloc, calloc, realloc and operator new in this binary so far.
[[nodiscard]] uint64_t allocation_count();

}  // namespace msgr::test
