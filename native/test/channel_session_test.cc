#include <doctest/doctest.h>

#include "core/channel/channel.h"
#include "test/channel_support.h"
#include "test/golden.h"

using namespace msgr;
using namespace msgr::test;

TEST_CASE("channel: messages arrive in order with all their fields") {
  Endpoint sender;
  Endpoint receiver;
  sender.open_session(true);
  receiver.open_session(true);
  Random random(12);
  const Buffer front = random.bytes(100);
  const Buffer middle = random.bytes(11);
  const Buffer data = random.bytes(9000);  // lent
  sender.send(0x1122334455667788, front, middle, data, 0, 99);
  sender.send(2, {});
  sender.send(3, front);
  receiver.deliver(sender.take_output());
  REQUIRE(receiver.events.size() == 3);
  const Event& event = receiver.events[0];
  CHECK(event.kind == RecordKind::kMessage);
  CHECK(event.record.type_and_priority == (70 | 127 << 16));
  CHECK(event.record.versions == (5 | 4 << 16));
  CHECK(event.tid() == 0x1122334455667788);
  CHECK(event.seq() == 1);
  CHECK(event.front == front);
  CHECK(event.middle == middle);
  CHECK(event.data == data);
  CHECK(receiver.events[1].seq() == 2);
  CHECK(receiver.events[1].front.empty());
  CHECK(receiver.events[2].seq() == 3);
  CHECK(receiver.channel().in_seq() == 3);
  CHECK(receiver.counters.messages_received == 3);
  CHECK(receiver.counters.frames_received == 3);
  CHECK(receiver.counters.in_seq == 3);
  CHECK(receiver.counters.bytes_received == sender.counters.bytes_sent);
  CHECK(sender.counters.messages_sent == 3);
  CHECK(sender.counters.unacked_bytes == sender.counters.bytes_sent);
  CHECK(sender.releases.empty());
  // The ack lets the payload go.
  sender.deliver(receiver.take_output());
  sender.end_turn();
  CHECK(sender.releases == LentReleases{99});
  CHECK(sender.counters.unacked_bytes == 0);
  const std::vector<Event> acknowledged = of_kind(sender, RecordKind::kAcknowledged);
  REQUIRE(acknowledged.size() == 1);
  CHECK(acknowledged[0].seq() == 3);
}

TEST_CASE("channel: a run of messages leaves as they would one by one") {
  // More than go into the outbox at a time, and not a multiple of it.
  constexpr uint32_t kCount = 200;
  Endpoint one_by_one(small_limits(), 256);
  Endpoint at_once(small_limits(), 256);
  one_by_one.open_session(true);
  at_once.open_session(true);
  for (Endpoint* endpoint : {&one_by_one, &at_once}) endpoint->deliver(message_with_seq(3, text("m")));
  for (uint32_t i = 0; i < kCount; i++) {
    const auto front = static_cast<uint8_t>(i);
    one_by_one.send(i, {&front, 1});
  }
  at_once.send_run(kCount);
  CHECK(at_once.counters.outbox_count == kCount);
  CHECK(at_once.counters.out_seq == kCount);
  CHECK(at_once.counters.queued_bytes == one_by_one.counters.queued_bytes);
  // It is cut in the middle of a frame, and of the run.
  Buffer output = at_once.take_output(10007);
  append_bytes(output, at_once.take_output());
  CHECK(output == one_by_one.take_output());
  CHECK(at_once.counters.messages_sent == kCount);
  for (Endpoint* endpoint : {&one_by_one, &at_once}) {
    endpoint->deliver(ack_frame(70));
    CHECK(endpoint->counters.outbox_count == kCount - 70);
  }
  CHECK(at_once.counters.unacked_bytes == one_by_one.counters.unacked_bytes);
}

TEST_CASE("channel: what came before is dropped, a gap is not") {
  Endpoint endpoint;
  endpoint.open_session(true);
  for (const uint64_t seq : {1, 2, 2, 1, 3, 10, 9, 10, 11, 0})
    endpoint.deliver(message_with_seq(seq, text("m")));
  std::vector<uint64_t> seqs;
  for (const Event& event : endpoint.events) seqs.push_back(event.seq());
  CHECK(seqs == std::vector<uint64_t>{1, 2, 3, 10, 11});
  CHECK(endpoint.counters.duplicates_dropped == 5);
  CHECK(endpoint.channel().in_seq() == 11);
  endpoint.channel().reset_in_seq();
  endpoint.deliver(message_with_seq(1, text("m")));
  CHECK(endpoint.channel().in_seq() == 1);
}

TEST_CASE("channel: an aborted message is dropped and does not count") {
  Endpoint endpoint;
  endpoint.open_session(true);
  Buffer frame = message_with_seq(1, text("given up"));
  frame[frame.size() - kEpilogueSize] = kLateStatusAborted;
  endpoint.deliver(frame);
  CHECK(endpoint.events.empty());
  CHECK(endpoint.channel().in_seq() == 0);
  endpoint.deliver(message_with_seq(1, text("said")));
  CHECK(endpoint.events.size() == 1);
}

TEST_CASE("channel: keepalives are echoed, stamp and all, before messages that wait") {
  Endpoint endpoint;
  endpoint.open_session(true);
  endpoint.send(1, text("waits"));
  endpoint.deliver(kGoldenKeepalive);
  CHECK(endpoint.events.empty());
  const std::vector<SentFrame> frames = frames_in(endpoint.take_output());
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].tag == 19);
  CHECK(frames[0].word == load_u64(kGoldenKeepalive + kPreambleSize));
  CHECK(frames[1].tag == 17);
}

TEST_CASE("channel: ACK and KEEPALIVE2 of a wrong size end the connection") {
  for (const size_t size : {0, 1, 7, 9, 100}) {
    for (const Tag tag : {Tag::kAck, Tag::kKeepalive2}) {
      Endpoint endpoint;
      endpoint.open_session(true);
      CHECK(!endpoint.deliver(control_frame(tag, Buffer(size, 1))));
      const FrameFault& fault = endpoint.channel().fault();
      CHECK(fault.error == (tag == Tag::kAck ? FrameError::kAckSize : FrameError::kKeepaliveSize));
      CHECK(fault.value == size);
      CHECK(fault.expected == 8);
    }
  }
}

TEST_CASE("channel: every other tag in session comes up, payload only") {
  for (int tag = 0; tag < 256; tag++) {
    if (tag == 17 || tag == 18 || tag == 20) continue;
    Endpoint endpoint;
    endpoint.open_session(true);
    endpoint.deliver(control_frame(static_cast<uint8_t>(tag), text("payload")));
    REQUIRE(endpoint.events.size() == 1);
    CHECK(endpoint.events[0].kind == RecordKind::kFrame);
    CHECK(endpoint.events[0].tag() == tag);
    CHECK(endpoint.events[0].front.size() == 7);
    CHECK(endpoint.events[0].data.empty());
  }
}

TEST_CASE("channel: a control frame never lies inside a partly written message") {
  for (size_t cut = 1; cut < 400; cut++) {
    Endpoint endpoint;
    endpoint.open_session(true);
    const Buffer front(100, 1);
    for (uint64_t i = 1; i <= 3; i++) endpoint.send(i, front);
    Buffer out = endpoint.take_output(cut);
    endpoint.channel().send_control(22, text("control"));
    endpoint.deliver(kGoldenKeepalive);
    endpoint.deliver(message_with_seq(1, text("to be acknowledged")));
    // The rest in pieces as odd as the first, through few iovecs.
    while (endpoint.channel().wants_output()) append_bytes(out, endpoint.take_output(cut, 1 + cut % 3));
    const std::vector<SentFrame> frames = frames_in(out);
    REQUIRE(frames.size() == 6);
    std::vector<int> tags;
    for (const SentFrame& frame : frames) tags.push_back(frame.tag);
    const size_t whole = cut / 190;
    const size_t begun = std::min<size_t>(3, whole + (cut % 190 > 0 ? 1 : 0));
    std::vector<int> expected(begun, 17);
    expected.insert(expected.end(), {22, 19, 20});
    expected.insert(expected.end(), 3 - begun, 17);
    REQUIRE(tags == expected);
  }
}
