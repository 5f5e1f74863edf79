#include <doctest/doctest.h>

#include "core/io/stream_watch.h"
#include "test/io_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

struct Watched {
  Host host;
  ChannelContext context{host.limits, *host.pool, host.releases};
  ChannelCounters counters;
  Connection one{context, counters, 1};
  Connection other{context, counters, 2};
  StreamWatch watch;
};

constexpr size_t kLarge = kLargeTransferBytes;
constexpr size_t kSmall = kLargeTransferBytes - 1;

}  // namespace

TEST_CASE("stream watch: two large transfers in a row make a stream, a single one does not") {
  Watched watched;
  CHECK_FALSE(watched.watch.moves(watched.one, kSmall));
  CHECK_FALSE(watched.watch.moves(watched.one, kLarge));
  CHECK(watched.watch.moves(watched.one, kLarge));
}

TEST_CASE("stream watch: it goes on across some small transfers, and ends with many") {
  Watched watched;
  for (int i = 0; i < 100; i++) watched.watch.moves(watched.one, kLarge);
  CHECK(watched.watch.moves(watched.one, kSmall));
  int small = 1;
  while (watched.watch.moves(watched.one, kSmall)) REQUIRE(++small < 100);
  CHECK(small == 11);
  CHECK(watched.watch.moves(watched.one, kLarge));
}

TEST_CASE("stream watch: anything of another connection ends it, and it takes many large ones to begin again") {
  for (const size_t between : {kSmall, kLarge}) {
    CAPTURE(between);
    Watched watched;
    for (int i = 0; i < 100; i++) watched.watch.moves(watched.one, kLarge);
    CHECK(watched.watch.moves(watched.one, kLarge));
    CHECK_FALSE(watched.watch.moves(watched.other, between));
    int large = 1;
    while (!watched.watch.moves(watched.one, kLarge)) REQUIRE(++large < 100);
    CHECK(large == 17);
    for (int i = 0; i < 100; i++) {
      CHECK_FALSE(watched.watch.moves(watched.other, between));
      for (int j = 0; j < 10; j++) CHECK_FALSE(watched.watch.moves(watched.one, kLarge));
    }
    // The same channel's next socket is another one.
    while (!watched.watch.moves(watched.one, kLarge)) REQUIRE(++large < 200);
    watched.one.serial++;
    CHECK_FALSE(watched.watch.moves(watched.one, kLarge));
  }
}
