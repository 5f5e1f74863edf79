#include <doctest/doctest.h>

#include <cstdlib>

#include "core/channel/channel.h"
#include "test/allocations.h"
#include "test/channel_support.h"

using namespace msgr;
using namespace msgr::test;

TEST_CASE("channel: keepalives of a peer that never reads cost no memory, and the newest is answered") {
  Endpoint endpoint;
  endpoint.open_session(true);
  constexpr uint64_t kCount = 100000;
  for (uint64_t i = 1; i <= kCount; i++) {
    uint8_t stamp[8];
    store_u64(stamp, i);
    endpoint.deliver(control_frame(Tag::kKeepalive2, stamp));
  }
  CHECK(endpoint.channel().queued_bytes() < endpoint.limits().control_payload_bytes_max + 100);
  const std::vector<SentFrame> frames = frames_in(endpoint.take_output());
  CHECK(frames.size() < 200);
  CHECK(frames.front().word == 1);
  CHECK(frames.back().word == kCount);
}

TEST_CASE("channel: a batch that is full loses nothing") {
  Endpoint endpoint(small_limits(), 3);
  endpoint.open_session(true);
  Buffer stream;
  for (uint64_t seq = 1; seq <= 20; seq++) append_bytes(stream, message_with_seq(seq, text("m")));
  endpoint.deliver(stream);
  REQUIRE(endpoint.events.size() == 20);
  for (uint64_t seq = 1; seq <= 20; seq++) CHECK(endpoint.events[seq - 1].seq() == seq);
}

TEST_CASE("channel: a frame larger than a slab comes through a slab of its own") {
  Random random(13);
  const Buffer data = random.bytes(400000);
  Buffer stream = message_with_seq(1, text("before"));
  append_bytes(stream, message_frame({.seq = 2, .tid = 2, .type = 42}, text("big"), {}, data));
  append_bytes(stream, message_with_seq(3, text("behind")));
  for (const size_t chunk : {size_t{1000}, size_t{65536}, size_t{100000}, stream.size()}) {
    Endpoint endpoint;
    endpoint.open_session(true);
    for (size_t at = 0; at < stream.size(); at += chunk) {
      REQUIRE(endpoint.deliver(Bytes(stream).subspan(at, std::min(chunk, stream.size() - at))));
    }
    REQUIRE(endpoint.events.size() == 3);
    CHECK(endpoint.events[1].data == data);
    CHECK(endpoint.events[2].seq() == 3);
    CHECK(endpoint.channel().tail().empty());
  }
}

TEST_CASE("channel: a declared length takes no memory before its bytes come") {
  Endpoint endpoint;
  endpoint.open_session(true);
  Buffer preamble(kPreambleSize);
  append_preamble(preamble.data(),
                  {.tag = 17, .segment_count = 4, .lengths = {41, 0, 0, 512 * 1024}, .alignments = {}});
  const uint64_t before = allocation_count();
  endpoint.deliver(preamble);
  // The slab object, nothing of the frame's size: that is mapped, and not touched.
  CHECK(allocation_count() - before < 10);
  CHECK(endpoint.channel().tail().large());
  append_preamble(preamble.data(),
                  {.tag = 17, .segment_count = 4, .lengths = {41, 0, 0, 512 * 1024 + 1}, .alignments = {}});
  Endpoint other;
  other.open_session(true);
  CHECK(!other.deliver(preamble));
  CHECK(other.channel().fault().error == FrameError::kMessageBytes);
  CHECK(other.channel().tail().empty());
}

TEST_CASE("channel: an idle one is small") {
  CHECK(sizeof(Channel) < 1024);
  Endpoint endpoint;
  endpoint.open_session(true);
  endpoint.deliver(message_with_seq(1, text("m")));
  endpoint.take_output();
  CHECK(endpoint.channel().tail().empty());
  CHECK(endpoint.channel().queued_bytes() == 0);
}

TEST_CASE("channel: the count of allocations counts") {
  const uint64_t before = allocation_count();
  // Volatile, as a compiler may leave out what nobody uses.
  void* volatile first = std::malloc(10);
  uint8_t* volatile second = new uint8_t[10];
  CHECK(allocation_count() - before == 2);
  std::free(first);
  delete[] second;
}

TEST_CASE("channel: no heap allocation per message, either way") {
  Endpoint sender;
  Endpoint receiver;
  sender.open_session(true);
  receiver.open_session(true);
  receiver.count_only = true;
  sender.count_only = true;
  const Buffer front(64, 1);
  Buffer wire(1 << 20);
  const auto round = [&](size_t count) {
    for (size_t i = 0; i < count; i++) sender.send(i, front);
    iovec vectors[16];
    for (Endpoint* from : {&sender, &receiver}) {
      Endpoint* to = from == &sender ? &receiver : &sender;
      while (from->channel().wants_output()) {
        const size_t vector_count = from->channel().gather(vectors, 16, 1 << 20);
        size_t size = 0;
        for (size_t i = 0; i < vector_count; i++) {
          std::memcpy(wire.data() + size, vectors[i].iov_base, vectors[i].iov_len);
          size += vectors[i].iov_len;
        }
        from->channel().wrote(size);
        to->deliver(Bytes(wire.data(), size));
      }
      to->end_turn();
    }
  };
  for (int i = 0; i < 20; i++) round(1000);
  const uint64_t before = allocation_count();
  for (int i = 0; i < 20; i++) round(1000);
  const uint64_t after = allocation_count();
  CHECK(receiver.event_count == 40000);
  // Per round of 1000 messages: an ACK's control bytes, tails between slabs, slabs new in place of the one held.
  CHECK((after - before) / 20 < 20);
  CHECK(sender.counters.outbox_count == 0);
}

TEST_CASE("channel: no heap allocation per lent payload") {
  Endpoint sender;
  sender.open_session(false);
  const Buffer data(5000, 1);
  const auto round = [&] {
    for (int i = 0; i < 10; i++) sender.send(1, {}, {}, data, 0, 5);
    iovec vectors[64];
    while (sender.channel().wants_output()) {
      const size_t count = sender.channel().gather(vectors, 64, 1 << 20);
      size_t size = 0;
      for (size_t i = 0; i < count; i++) size += vectors[i].iov_len;
      sender.channel().wrote(size);
    }
    CHECK(sender.releases.size() == 10);
    sender.releases.clear();
  };
  for (int i = 0; i < 3; i++) round();
  const uint64_t before = allocation_count();
  round();
  CHECK(allocation_count() == before);
}
