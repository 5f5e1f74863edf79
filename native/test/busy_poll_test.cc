// When the loop spins, and when it has learnt not to.
#include "core/io/busy_poll.h"

#include <doctest/doctest.h>

using msgr::BusyPoll;

namespace {

constexpr uint64_t kUs = 1000;
constexpr uint32_t kWindowUs = 50;

// Traffic every `gap_us`; answers how many of `count` gaps began with a spin.
uint32_t spins(BusyPoll& poll, uint64_t& now, uint64_t gap_us, uint32_t count) {
  uint32_t spun = 0;
  for (uint32_t i = 0; i < count; i++) {
    now += gap_us * kUs;
    poll.on_traffic(now);
    if (poll.wanted(now)) spun++;
  }
  return spun;
}

}  // namespace

TEST_CASE("busy poll: messages that follow closely are waited for, rare ones are not") {
  BusyPoll poll(kWindowUs);
  uint64_t now = 1'000'000'000;
  spins(poll, now, 10, 64);
  CHECK(poll.wanted(now + 40 * kUs));
  CHECK_FALSE(poll.wanted(now + 60 * kUs));
  CHECK(spins(poll, now, 10'000, 64) < 16);
  CHECK_FALSE(poll.wanted(now));
}

TEST_CASE("busy poll: off means never") {
  BusyPoll poll(0);
  uint64_t now = 1'000'000'000;
  CHECK_FALSE(poll.enabled());
  CHECK(spins(poll, now, 1, 100) == 0);
}

TEST_CASE("busy poll: spins that always end too early are given up, and tried again later") {
  BusyPoll poll(kWindowUs);
  uint64_t now = 1'000'000'000;
  // Close enough on average to be worth a spin of the longest kind, and always a little later than that.
  const uint32_t spun = spins(poll, now, 4 * kWindowUs - 1, 200) + spins(poll, now, 4 * kWindowUs, 10'000);
  CHECK(spun < 1500);
  // Traffic that a spin would find brings it back.
  spins(poll, now, 10, 9000);
  CHECK(poll.wanted(now));
}

TEST_CASE("busy poll: where looks cost the sender nothing, bulk is polled for as well") {
  BusyPoll poll(kWindowUs);
  uint64_t now = 1'000'000'000;
  for (int i = 0; i < 64; i++) poll.on_traffic(now += 20 * kUs, {.bytes_received = 256 * 1024});
  CHECK_FALSE(poll.wanted(now));
  poll.on_traffic(now, {.bytes_received = 256 * 1024, .by_link = true});
  CHECK(poll.wanted(now));
  CHECK_FALSE(poll.looks(now));
  CHECK(poll.looks(now + 10 * kUs));
  CHECK_FALSE(poll.wanted(now + 1000 * kUs));
}

TEST_CASE("busy poll: a stream is looked at with pauses, a ping at once") {
  BusyPoll poll(kWindowUs);
  uint64_t now = 1'000'000'000;
  poll.on_traffic(now, {.bytes_received = 2000});
  CHECK(poll.looks(now));
  poll.on_traffic(now, {.bytes_received = 64 * 1024});
  CHECK_FALSE(poll.looks(now));
  CHECK_FALSE(poll.looks(now + 10 * kUs));
  CHECK(poll.looks(now + kWindowUs * kUs));
}

TEST_CASE("busy poll: what comes in bulk is slept for, until less comes") {
  BusyPoll poll(kWindowUs);
  uint64_t now = 1'000'000'000;
  spins(poll, now, 10, 64);
  poll.on_traffic(now, {.bytes_received = 256 * 1024});
  CHECK_FALSE(poll.wanted(now));
  CHECK_FALSE(poll.wanted(now + 40 * kUs));
  poll.on_traffic(now + 40 * kUs, {.bytes_received = 2000});
  CHECK(poll.wanted(now + 40 * kUs));
}

TEST_CASE("busy poll: bulk that is answered is polled for") {
  BusyPoll poll(kWindowUs);
  uint64_t now = 1'000'000'000;
  spins(poll, now, 10, 64);
  poll.on_traffic(now, {.bytes_received = 128 * 1024, .bytes_sent = 128 * 1024});
  CHECK(poll.wanted(now + 40 * kUs));
  // Acknowledgements are no answers.
  poll.on_traffic(now + 40 * kUs, {.bytes_received = 128 * 1024, .bytes_sent = 400});
  CHECK_FALSE(poll.wanted(now + 40 * kUs));
}
