// Assertions for a programmer's mistake. A peer's mistake never ends here: it is a typed result that
// closes one connection.
#pragma once

#include <cstdio>
#include <cstdlib>

// On in the test, fuzz and sanitizer builds (MSGR_CHECKS), off in the released addon, where an aborted
// process would be worse for its owner than a wrong byte for one connection.
#if defined(MSGR_CHECKS)
#define MSGR_CHECK(condition)                                                            \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
#else
#define MSGR_CHECK(condition) \
  do {                        \
    (void)sizeof(condition);  \
  } while (false)
#endif
