// Loops whose sessions go over to links.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>

#include "test/io_support.h"
#include "test/shared_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

constexpr uint8_t kSwitchedTag = 0x70;

// Of all links of this process, both ends.
std::vector<MutableBytes> shared_memory() {
  std::vector<MutableBytes> found;
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  REQUIRE(maps != nullptr);
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::strstr(line, "memfd:msgr2") == nullptr || std::sscanf(line, "%lx-%lx", &begin, &end) != 2) continue;
    found.emplace_back(reinterpret_cast<uint8_t*>(begin), end - begin);
  }
  std::fclose(maps);
  return found;
}

void become_busy(Host& near, uint32_t id, Host& far) {
  while (near.last(RecordKind::kBusy) == nullptr) {
    send_one(near, id, far, static_cast<uint32_t>(far.received.size()));
    REQUIRE(far.received.size() < 100'000);
  }
}

// Both directions go over to the link, as src/messenger/shared-memory.ts has it. False: a socket broke meanwhile.
bool share(Host& near, uint32_t id, Host& far, uint32_t other) {
  const Secret secret(2);
  if (!far.loop.share_invite(other, secret.name)) return false;
  REQUIRE(near.loop.share_give(id, secret.name, secret.token));
  REQUIRE(far.loop.share_take(other, secret.token));
  const auto switched = [&](Host& host) {
    const Record* frame = host.last(RecordKind::kFrame);
    return frame != nullptr && frame->type_and_priority == kSwitchedTag;
  };
  const auto broken = [&] {
    return near.last(RecordKind::kClosed) != nullptr || far.last(RecordKind::kClosed) != nullptr;
  };
  far.loop.send_control(other, kSwitchedTag, {});
  far.loop.share_output(other);
  REQUIRE(turn_until(near, far, [&] { return switched(near) || broken(); }));
  if (broken()) return false;
  near.loop.share_input(id);
  near.loop.send_control(id, kSwitchedTag, {});
  near.loop.share_output(id);
  REQUIRE(turn_until(near, far, [&] { return switched(far) || broken(); }));
  if (broken()) return false;
  far.loop.share_input(other);
  return true;
}

struct SharedHosts {
  Host near;
  Host far;
  uint32_t id;
  uint32_t other;

  explicit SharedHosts(bool lossless = true) {
    const Ends ends = open_session(near, far, lossless);
    id = ends.id;
    other = ends.other;
    REQUIRE(share(near, id, far, other));
  }
};

}  // namespace

TEST_CASE("loop: a session goes over to a link in the middle of its streams, and back to a socket when that breaks") {
  for (uint64_t seed = 0; seed < 8; seed++) {
    CAPTURE(seed);
    Host near(seed == 0 ? SocketFaults{} : SocketFaults{.failure_one_in = 200, .short_one_in = 20, .seed = seed});
    Host far;
    LastingSession session(near, far);
    constexpr uint32_t kCount = 60'000;
    constexpr uint32_t kAnswers = kCount / 4;
    uint32_t sent = 0;
    uint32_t answered = 0;
    int links = 0;
    const auto done = [&] { return far.received.size() == kCount && near.received.size() == kAnswers; };
    for (int round = 0; round < 3000 && !done(); round++) {
      if (!session.connect()) continue;
      session.start();
      const auto fill = [&] {
        send_as_room_is(near, session.id(), sent, kCount);
        send_as_room_is(far, session.other(), answered, kAnswers);
      };
      fill();
      if (!session.broken() && share(near, session.id(), far, session.other())) links++;
      turn_until(near, far, [&] {
        fill();
        return session.broken() || done();
      });
    }
    check_in_order(far, kCount);
    check_in_order(near, kAnswers);
    CHECK(links > 0);
    CHECK(turn_until(near, far, [&] {
      const ChannelCounters& counters = near.table.counters(session.id());
      return counters.outbox_count.load() == 0 && counters.queued_bytes.load() == 0;
    }));
  }
}

TEST_CASE("loop: a link is looked at while the loop is awake, and rings when it sleeps") {
  SharedHosts hosts;
  Host& near = hosts.near;
  Host& far = hosts.far;
  const uint32_t other = hosts.other;
  far.send(other, 0);
  CHECK(turn_until(near, far, [&] { return near.received.size() == 1; }));
  // Awake, whether it asks for the latest or for all: nobody rings.
  far.send(other, 1);
  far.turn(0);
  REQUIRE(near.loop.queue_latest());
  near.turn(0);
  CHECK(near.received.size() == 2);
  far.send(other, 2);
  far.turn(0);
  CHECK(near.loop.poll(0) == 1);
  near.turn(0);
  CHECK(near.received.size() == 3);
  pollfd epoll{near.loop.epoll_fd(), POLLIN, 0};
  CHECK(poll(&epoll, 1, 0) == 0);
  // What came before it goes to sleep is found then, and what comes after rings.
  far.send(other, 3);
  far.turn(0);
  near.loop.listen();
  CHECK(near.loop.has_pending());
  near.turn(0);
  CHECK(near.received.size() == 4);
  near.loop.listen();
  CHECK_FALSE(near.loop.has_pending());
  far.send(other, 4);
  far.turn(0);
  CHECK(poll(&epoll, 1, 1000) == 1);
  near.turn(0);
  CHECK(near.received.size() == 5);
}

TEST_CASE("loop: what was written into a link before the socket ended is read, paused or not") {
  for (const bool paused : {false, true}) {
    CAPTURE(paused);
    SharedHosts hosts(false);
    Host& near = hosts.near;
    Host& far = hosts.far;
    const uint32_t id = hosts.id;
    const uint32_t other = hosts.other;
    if (paused) far.loop.pause_reading(other);
    constexpr uint32_t kCount = 2000;
    for (uint32_t i = 0; i < kCount; i++) near.send(id, i);
    near.turn(0);
    near.loop.disconnect(id, 2);
    if (paused) {
      for (int i = 0; i < 50; i++) far.turn(0);
      CHECK(far.received.empty());
      CHECK(far.last(RecordKind::kClosed) == nullptr);
      far.loop.resume_reading(other);
    }
    CHECK(turn_until(near, far, [&] { return far.last(RecordKind::kClosed) != nullptr; }));
    check_in_order(far, kCount);
    CHECK((far.last(RecordKind::kClosed)->type_and_priority & 0xffff) ==
          static_cast<int32_t>(CloseReason::kPeerClosed));
  }
}

TEST_CASE("loop: a full link holds its sender back until the reader goes on") {
  SharedHosts hosts;
  Host& near = hosts.near;
  Host& far = hosts.far;
  const uint32_t id = hosts.id;
  const uint32_t other = hosts.other;
  far.loop.pause_reading(other);
  constexpr uint32_t kCount = 20'000;
  for (uint32_t i = 0; i < kCount; i++) near.send(id, i);
  for (int i = 0; i < 50; i++) {
    near.turn(0);
    far.turn(0);
  }
  CHECK(far.received.empty());
  CHECK(near.table.counters(id).queued_bytes.load() > 1'000'000);
  CHECK_FALSE(near.loop.has_output());
  far.loop.resume_reading(other);
  CHECK(turn_until(near, far, [&] { return far.received.size() == kCount; }));
}

TEST_CASE("loop: a link gives no more in a turn than a socket, and is read on in the next one") {
  SharedHosts hosts;
  Host& near = hosts.near;
  Host& far = hosts.far;
  constexpr uint32_t kCount = 4000;
  for (uint32_t i = 0; i < kCount; i++) near.send(hosts.id, i);
  near.turn(0);
  const uint64_t written = near.table.counters(hosts.id).bytes_sent.load();
  REQUIRE(written > 2 * far.limits.receive_turn_bytes_max);
  for (int turn = 1; far.received.size() < kCount; turn++) {
    REQUIRE(turn < 10);
    const uint64_t before = far.loop.bytes_received();
    // Does not sleep, although nobody rings.
    far.turn(20'000);
    CHECK(far.loop.bytes_received() - before <= far.limits.receive_turn_bytes_max);
    CHECK_FALSE(far.loop.has_pending());
    far.loop.listen();
    CHECK(far.loop.has_pending() == (far.received.size() < kCount));
  }
}

TEST_CASE("loop: a peer that writes anything anywhere into the memory costs its connection, and nothing else") {
  std::minstd_rand random(11);
  int closed = 0;
  for (int trial = 0; trial < 60; trial++) {
    CAPTURE(trial);
    SharedHosts hosts;
    Host& near = hosts.near;
    Host& far = hosts.far;
    const std::vector<MutableBytes> memory = shared_memory();
    REQUIRE(memory.size() == 2);
    // What is written there is no message, so nothing may come out of it that was not sent.
    uint32_t sent = 0;
    for (int step = 0; step < 40 && far.last(RecordKind::kClosed) == nullptr; step++) {
      for (int i = 0; i < 50; i++) near.send(hosts.id, sent++);
      for (int i = 0; i < 50; i++) far.send(hosts.other, sent);
      near.turn(0);
      const MutableBytes bytes = memory[random() % 2];
      const bool words = random() % 2 == 0;
      const size_t direction = random() % 2 * (kSharedMemoryBytes / 2);
      for (int i = 0; i < 4; i++) {
        const size_t at = direction + random() % (words ? 512 : 4096 + 64 * 1024);
        bytes[at] = static_cast<uint8_t>(random());
      }
      far.turn(0);
      near.turn(0);
    }
    if (far.last(RecordKind::kClosed) != nullptr || near.last(RecordKind::kClosed) != nullptr) closed++;
    REQUIRE(far.received.size() <= sent);
    for (uint32_t i = 0; i < far.received.size(); i++) REQUIRE(far.received[i] == i);
  }
  CHECK(closed > 20);
}

TEST_CASE("loop: bytes on the socket beside a link end the connection") {
  SharedHosts hosts;
  Host& near = hosts.near;
  Host& far = hosts.far;
  const uint32_t id = hosts.id;
  REQUIRE(send(near.loop.descriptor_of(id), "x", 1, MSG_NOSIGNAL) == 1);
  near.loop.disconnect(id, 2);
  CHECK(turn_until(near, far, [&] { return far.last(RecordKind::kClosed) != nullptr; }));
  CHECK((far.last(RecordKind::kClosed)->versions & 0xffff) == EPROTO);
}

TEST_CASE("loop: a busy session within the host is told of, once for its socket") {
  Host near;
  Host far;
  const auto [id, other] = open_session(near, far, true);
  become_busy(near, id, far);
  near.events.clear();
  for (uint32_t i = 0; i < 500; i++) send_one(near, id, far, i);
  CHECK(near.last(RecordKind::kBusy) == nullptr);
}

TEST_CASE("loop: what does not fit together makes no link") {
  Host near;
  Host far;
  const uint16_t port = listen_on(far);
  const uint32_t id = near.table.take();
  near.loop.create(id);
  const Secret secret(5);
  const uint32_t other = connect_to(near, id, 1, far, port);
  // Before the session, without an invitation, without a channel.
  CHECK_FALSE(far.loop.share_invite(other, secret.name));
  near.loop.start_session(id, true);
  far.loop.start_session(other, true);
  CHECK_FALSE(far.loop.share_take(other, secret.token));
  CHECK_FALSE(near.loop.share_give(id, secret.name, secret.token));
  CHECK_FALSE(near.loop.share_invite(77, secret.name));
  near.loop.share_output(id);
  near.loop.share_input(id);
  REQUIRE(far.loop.share_invite(other, secret.name));
  CHECK_FALSE(far.loop.share_invite(other, secret.name));
  // Given up, and tried anew.
  far.loop.share_nothing(other);
  CHECK_FALSE(near.loop.share_give(id, secret.name, secret.token));
  REQUIRE(share(near, id, far, other));
  far.loop.share_nothing(other);
  near.send(id, 0);
  CHECK(turn_until(near, far, [&] { return far.received.size() == 1; }));
}
