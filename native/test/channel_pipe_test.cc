#include <doctest/doctest.h>

#include <memory>

#include "core/channel/channel.h"
#include "test/channel_support.h"
#include "test/golden.h"
#include "test/secure_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

// How each new socket is protected.
enum class Sockets { kCrc, kSecure, kEither };

void run_pipe(uint64_t seed, Sockets sockets) {
  CAPTURE(seed);
  CAPTURE(static_cast<int>(sockets));
  Random random(seed);
  Endpoint left(small_limits(), 1 + random.below(50));
  Endpoint right(small_limits(), 1 + random.below(50));
  Endpoint* ends[2] = {&left, &right};
  bool secure = false;
  const auto open_sessions = [&] {
    secure = sockets == Sockets::kSecure || (sockets == Sockets::kEither && random.below(2) == 0);
    const SecretsPair secrets = make_secrets(random.next());
    for (int i = 0; i < 2; i++) {
      ends[i]->channel().open();
      if (secure) REQUIRE(ends[i]->channel().secure(i == 0 ? secrets.near : secrets.far));
      ends[i]->channel().acknowledge(ends[1 - i]->channel().in_seq());
      ends[i]->channel().start_session(true);
    }
  };
  open_sessions();
  Buffer pipes[2];
  struct Sent {
    Buffer front;
    Buffer data;
  };
  // Held until released, as JavaScript would.
  std::vector<std::unique_ptr<Sent>> sent[2];
  size_t checked[2] = {0, 0};
  const auto check_received = [&](int receiver) {
    Endpoint& endpoint = *ends[receiver];
    const auto& from = sent[1 - receiver];
    for (const Event& event : endpoint.events) {
      if (event.kind != RecordKind::kMessage) continue;
      REQUIRE(event.seq() == checked[receiver] + 1);
      const Sent& expected = *from[checked[receiver]];
      REQUIRE(event.front == expected.front);
      REQUIRE(event.data == expected.data);
      checked[receiver]++;
    }
    endpoint.events.clear();
  };
  const auto move_bytes = [&](int from, size_t output, size_t input) {
    append_bytes(pipes[from], ends[from]->take_output(output, 1 + random.below(8)));
    const size_t size = std::min(input, pipes[from].size());
    REQUIRE(ends[1 - from]->deliver(Bytes(pipes[from]).first(size)));
    pipes[from].erase(pipes[from].begin(), pipes[from].begin() + static_cast<ptrdiff_t>(size));
    ends[1 - from]->end_turn();
    check_received(1 - from);
  };
  for (int step = 0; step < 600; step++) {
    const int side = static_cast<int>(random.below(2));
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        auto message = std::make_unique<Sent>();
        message->front = random.bytes(random.below(300));
        const uint32_t kind = random.below(40);
        message->data = random.bytes(kind == 0 ? random.below(100000) : kind < 6 ? random.below(9000) : 0);
        ends[side]->send(sent[side].size(), message->front, {}, message->data, 0, sent[side].size() + 1);
        sent[side].push_back(std::move(message));
        break;
      }
      case 4:
        ends[side]->channel().send_control(22, text("odd"));
        break;
      case 5:
        // As if the peer had sent it, where the stream stands between two frames.
        if (!secure && pipes[1 - side].empty() && ends[side]->channel().tail().empty() &&
            ends[1 - side]->channel().queued_bytes() == 0) {
          ends[side]->deliver(kGoldenKeepalive);
        }
        break;
      case 6:
        if (random.below(8) == 0) {
          // The connection breaks: what is on the way is lost, the peers tell each other what they have.
          for (int i = 0; i < 2; i++) {
            pipes[i].clear();
            ends[i]->channel().close();
          }
          open_sessions();
        }
        break;
      default:
        move_bytes(side, random.below(20000), random.below(20000));
    }
  }
  for (int round = 0; round < 20; round++) {
    for (int side = 0; side < 2; side++) move_bytes(side, SIZE_MAX, SIZE_MAX);
  }
  for (int side = 0; side < 2; side++) {
    CHECK(checked[1 - side] == sent[side].size());
    CHECK(ends[side]->counters.outbox_count == 0);
    CHECK(ends[side]->counters.unacked_bytes == 0);
    CHECK(ends[side]->counters.queued_bytes == 0);
    CHECK(ends[side]->counters.duplicates_dropped == 0);
    CHECK(ends[side]->counters.messages_sent == sent[side].size());
  }
}

}  // namespace

TEST_CASE("channel: two of them over a pipe in random pieces, with new sockets, deliver all in order") {
  for (uint64_t seed = 1; seed <= 40; seed++) run_pipe(seed, Sockets::kCrc);
}

TEST_CASE("secure channel: two of them over a pipe in random pieces, with new sockets, deliver all in order") {
  for (uint64_t seed = 41; seed <= 60; seed++) run_pipe(seed, Sockets::kSecure);
  for (uint64_t seed = 61; seed <= 80; seed++) run_pipe(seed, Sockets::kEither);
}
