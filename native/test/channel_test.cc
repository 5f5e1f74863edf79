#include <doctest/doctest.h>

#include <cstdlib>

#include "core/channel/channel.h"
#include "test/allocations.h"
#include "test/golden.h"
#include "test/support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

Bytes text(const char* characters) {
  return {reinterpret_cast<const uint8_t*>(characters), std::strlen(characters)};
}

Buffer message_with_seq(uint64_t seq, Bytes front, uint64_t ack_seq = 0) {
  return message_frame({.seq = seq, .tid = 1000 + seq, .ack_seq = ack_seq, .type = 70, .priority = 127},
                       front);
}

// Frames of a stream, by tag and first eight payload bytes.
struct SentFrame {
  uint8_t tag;
  uint64_t word;
  uint64_t ack_seq;
};
std::vector<SentFrame> frames_in(Buffer stream) {
  const Limits limits = small_limits();
  FrameReader reader(limits);
  reader.set_in_session(true);
  std::vector<SentFrame> frames;
  size_t at = 0;
  while (at < stream.size()) {
    FrameView view;
    REQUIRE(reader.next(stream.data() + at, stream.size() - at, view) == ReadStatus::kFrame);
    SentFrame frame{view.tag, 0, 0};
    if (view.sizes[0] >= 8) frame.word = load_u64(stream.data() + at + view.offsets[0]);
    if (view.tag == 17)
      frame.ack_seq = load_u64(stream.data() + at + view.offsets[0] + kMessageHeaderAckSeqOffset);
    frames.push_back(frame);
    at += view.wire_size;
  }
  return frames;
}

std::vector<Event> of_kind(const Endpoint& endpoint, RecordKind kind) {
  std::vector<Event> found;
  for (const Event& event : endpoint.events) {
    if (event.kind == kind) found.push_back(event);
  }
  return found;
}

}  // namespace

TEST_CASE("channel: idle, it takes and gives nothing") {
  Endpoint endpoint;
  Channel& channel = endpoint.channel();
  CHECK(channel.state() == Channel::State::kIdle);
  CHECK(!channel.wants_input());
  channel.send_bytes(text("lost"));
  endpoint.send(1, text("kept"));
  CHECK(!channel.wants_output());
  CHECK(endpoint.take_output().empty());
  CHECK(channel.out_seq() == 1);
  CHECK(endpoint.counters.outbox_count == 1);
}

TEST_CASE("channel: the handshake pulls, and nothing behind an answer is looked at") {
  Endpoint endpoint;
  Channel& channel = endpoint.channel();
  channel.open();
  CHECK(!channel.wants_input());
  // Banner, two frames, and bytes that make no frame: all in one go.
  Buffer stream;
  append_bytes(stream, text("ceph v2\n"));
  append_bytes(stream, kGoldenHello);
  append_bytes(stream, kGoldenWait);
  append_bytes(stream, Buffer(40, 0xee));
  channel.expect_bytes(8);
  endpoint.deliver(stream);
  REQUIRE(endpoint.events.size() == 1);
  CHECK(endpoint.events[0].kind == RecordKind::kBytes);
  CHECK(endpoint.events[0].record.channel == 7);
  CHECK(endpoint.events[0].record.generation == 1);
  CHECK(endpoint.events[0].front == Buffer(text("ceph v2\n").begin(), text("ceph v2\n").end()));
  CHECK(!channel.wants_input());

  channel.expect_frame();
  endpoint.resume();
  REQUIRE(endpoint.events.size() == 2);
  CHECK(endpoint.events[1].kind == RecordKind::kFrame);
  CHECK(endpoint.events[1].tag() == 1);
  CHECK(endpoint.events[1].front == Buffer(kGoldenHello + 32, kGoldenHello + 68));
  CHECK(endpoint.events[1].data == Buffer(kGoldenHello, kGoldenHello + sizeof kGoldenHello));

  channel.expect_frame();
  endpoint.resume();
  REQUIRE(endpoint.events.size() == 3);
  CHECK(endpoint.events[2].tag() == 16);
  CHECK(endpoint.events[2].front.empty());
  CHECK(!endpoint.failed());

  channel.expect_frame();
  endpoint.resume();
  CHECK(endpoint.failed());
  CHECK(channel.fault().error == FrameError::kPreambleCrc);
}

TEST_CASE("channel: a handshake cut at every byte") {
  Buffer stream;
  append_bytes(stream, text("ceph v2\n"));
  append_bytes(stream, kGoldenHello);
  append_bytes(stream, kGoldenEmptyMessage);
  for (size_t cut = 0; cut <= stream.size(); cut++) {
    Endpoint endpoint;
    Channel& channel = endpoint.channel();
    channel.open();
    channel.expect_bytes(8);
    endpoint.on_pulled = [&] {
      if (endpoint.events.size() < 3) channel.expect_frame();
    };
    endpoint.deliver(Bytes(stream).first(cut));
    endpoint.deliver(Bytes(stream).subspan(cut));
    REQUIRE(endpoint.events.size() == 3);
    CHECK(endpoint.events[0].front.size() == 8);
    CHECK(endpoint.events[1].data.size() == sizeof kGoldenHello);
    // A message before the session comes up as what it is: its header, whole frame beside it.
    CHECK(endpoint.events[2].kind == RecordKind::kFrame);
    CHECK(endpoint.events[2].tag() == 17);
    CHECK(endpoint.events[2].front.size() == kMessageHeaderSize);
    CHECK(channel.tail().empty());
  }
}

TEST_CASE("channel: handshake bytes and control frames leave in the order of the calls") {
  Endpoint endpoint;
  Channel& channel = endpoint.channel();
  channel.open();
  endpoint.send(1, text("waits for the session"));
  channel.send_bytes(text("banner"));
  channel.send_control(1, text("hello"));
  Buffer expected(text("banner").begin(), text("banner").end());
  append_bytes(expected, control_frame(1, text("hello")));
  // One byte at a time.
  Buffer out;
  while (channel.wants_output()) append_bytes(out, endpoint.take_output(1));
  CHECK(out == expected);
  CHECK(endpoint.counters.bytes_sent == expected.size());
  CHECK(endpoint.counters.queued_bytes == 77 + 21 + 13);
}

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

TEST_CASE("channel: acks ride on messages, and go alone when none leaves") {
  Endpoint endpoint;
  endpoint.open_session(true);
  Channel& channel = endpoint.channel();
  endpoint.deliver(message_with_seq(5, text("a")));
  endpoint.send(1, text("reply"));
  std::vector<SentFrame> frames = frames_in(endpoint.take_output());
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].tag == 17);
  CHECK(frames[0].ack_seq == 5);
  CHECK(!channel.wants_output());

  endpoint.deliver(message_with_seq(6, text("a")));
  endpoint.deliver(message_with_seq(7, text("a")));
  CHECK(channel.wants_output());
  frames = frames_in(endpoint.take_output());
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].tag == 20);
  CHECK(frames[0].word == 7);
  CHECK(!channel.wants_output());
  // A duplicate is not acknowledged again.
  endpoint.deliver(message_with_seq(7, text("a")));
  CHECK(!channel.wants_output());
}

TEST_CASE("channel: a lossy session sends no acks and keeps nothing") {
  Endpoint endpoint;
  endpoint.open_session(false);
  endpoint.send(1, text("a"));
  endpoint.deliver(message_with_seq(5, text("a"), 100));
  endpoint.deliver(ack_frame(1));
  endpoint.send(2, text("b"));
  const std::vector<SentFrame> frames = frames_in(endpoint.take_output());
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].ack_seq == 0);
  // The header says what arrived all the same, as on a real OSD's heartbeats.
  CHECK(frames[1].ack_seq == 5);
  CHECK(endpoint.counters.outbox_count == 0);
  endpoint.deliver(message_with_seq(6, text("a")));
  CHECK(!endpoint.channel().wants_output());
  endpoint.end_turn();
  CHECK(of_kind(endpoint, RecordKind::kAcknowledged).empty());
}

TEST_CASE("channel: acks of what was never sent trim nothing") {
  Endpoint endpoint;
  endpoint.open_session(true);
  endpoint.send(1, text("a"));
  endpoint.send(2, text("b"));
  endpoint.deliver(ack_frame(UINT64_MAX));
  endpoint.deliver(message_with_seq(1, text("m"), 1ull << 63));
  endpoint.end_turn();
  CHECK(of_kind(endpoint, RecordKind::kAcknowledged).empty());
  CHECK(endpoint.counters.outbox_count == 2);
  endpoint.take_output();
  endpoint.deliver(ack_frame(UINT64_MAX));
  endpoint.end_turn();
  REQUIRE(of_kind(endpoint, RecordKind::kAcknowledged).size() == 1);
  CHECK(of_kind(endpoint, RecordKind::kAcknowledged)[0].seq() == 2);
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

TEST_CASE("channel: a new socket replays what was not acknowledged, seq and payload as they were") {
  Endpoint endpoint;
  endpoint.open_session(true);
  const Buffer front(50, 7);
  for (uint64_t i = 1; i <= 5; i++) endpoint.send(i, front);
  const Buffer first = endpoint.take_output(3 * 140 + 10);
  endpoint.deliver(ack_frame(1));
  endpoint.channel().close();
  CHECK(endpoint.channel().state() == Channel::State::kIdle);
  CHECK(endpoint.counters.queued_bytes == 4 * 140);
  endpoint.send(6, front);

  endpoint.channel().open();
  CHECK(endpoint.take_output().empty());
  endpoint.channel().acknowledge(2);  // what the peer said in the handshake
  endpoint.channel().start_session(true);
  const std::vector<SentFrame> frames = frames_in(endpoint.take_output());
  REQUIRE(frames.size() == 4);
  for (size_t i = 0; i < 4; i++) CHECK(frames[i].word == 3 + i);
  CHECK(endpoint.counters.messages_replayed == 1);
  CHECK(endpoint.counters.messages_sent == 6);
}

TEST_CASE("channel: acks of an old session leave the outbox with it") {
  Endpoint endpoint;
  endpoint.open_session(true);
  endpoint.deliver(message_with_seq(500, text("m")));
  endpoint.send(1, text("carries ack 500"));
  endpoint.channel().close();
  endpoint.channel().open();
  endpoint.channel().reset_in_seq();
  endpoint.channel().start_session(true);
  const std::vector<SentFrame> frames = frames_in(endpoint.take_output());
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].word == 1);
  CHECK(frames[0].ack_seq == 0);
}

TEST_CASE("channel: a session that is reset begins at 1 both ways") {
  Endpoint endpoint;
  endpoint.open_session(true);
  const Buffer data(5000, 1);
  endpoint.send(1, text("a"), {}, data, 0, 55);
  endpoint.take_output();
  endpoint.deliver(message_with_seq(3, text("m")));
  endpoint.channel().close();
  endpoint.channel().reset_session();
  CHECK(endpoint.releases == LentReleases{55});
  CHECK(endpoint.channel().in_seq() == 0);
  CHECK(endpoint.channel().out_seq() == 0);
  CHECK(endpoint.counters.outbox_count == 0);
  endpoint.channel().open();
  endpoint.channel().start_session(true);
  endpoint.send(2, text("b"));
  const std::vector<SentFrame> frames = frames_in(endpoint.take_output());
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].word == 1);
}

TEST_CASE("channel: acknowledgements of a session after a reset are told again") {
  Endpoint endpoint;
  endpoint.open_session(true);
  for (int session = 0; session < 2; session++) {
    for (uint64_t i = 1; i <= 3; i++) endpoint.send(i, text("a"));
    endpoint.take_output();
    endpoint.deliver(ack_frame(3));
    endpoint.end_turn();
    const std::vector<Event> acknowledged = of_kind(endpoint, RecordKind::kAcknowledged);
    REQUIRE(acknowledged.size() == 1);
    CHECK(acknowledged[0].seq() == 3);
    endpoint.events.clear();
    endpoint.channel().close();
    endpoint.channel().reset_session();
    endpoint.open_session(true);
  }
}

TEST_CASE("channel: nothing of an old socket is said or believed on a new one") {
  Endpoint endpoint;
  Channel& channel = endpoint.channel();
  endpoint.open_session(true);
  endpoint.deliver(message_with_seq(1, text("whose ack the handshake carries")));
  channel.send_control(22, text("for the old socket"));
  uint8_t stamp[8] = {};
  while (channel.queued_bytes() < endpoint.limits().control_payload_bytes_max) {
    endpoint.deliver(control_frame(Tag::kKeepalive2, stamp));
  }
  endpoint.deliver(control_frame(Tag::kKeepalive2, stamp));
  endpoint.deliver(Bytes(message_with_seq(2, text("cut"))).first(60));
  CHECK(channel.wants_output());
  channel.close();
  CHECK(channel.tail().empty());
  CHECK(endpoint.counters.queued_bytes == 0);
  channel.open();
  CHECK(!channel.wants_output());
  // In the handshake again: what a session would take is too long here.
  Buffer preamble(kPreambleSize);
  append_preamble(preamble.data(),
                  {.tag = 17, .segment_count = 2, .lengths = {41, 5000, 0, 0}, .alignments = {}});
  channel.expect_frame();
  CHECK(!endpoint.deliver(preamble));
  CHECK(channel.fault().error == FrameError::kHandshakeMessage);
  endpoint.clear_failure();
  endpoint.channel().close();
  endpoint.open_session(true);
  CHECK(channel.fault().error == FrameError::kNone);
  CHECK(!channel.wants_output());
  CHECK(endpoint.take_output().empty());
}

TEST_CASE("channel: much control that leaves slowly leaves in order") {
  Endpoint endpoint;
  endpoint.channel().open();
  Random random(14);
  Buffer expected;
  Buffer out;
  for (int i = 0; i < 100; i++) {
    const Buffer payload = random.bytes(1000);
    endpoint.channel().send_control(9, payload);
    append_bytes(expected, control_frame(9, payload));
    append_bytes(out, endpoint.take_output(700));
  }
  while (endpoint.channel().wants_output()) append_bytes(out, endpoint.take_output(700));
  CHECK(out == expected);
}

TEST_CASE("channel: drained is told once, when half of a full queue is gone") {
  Endpoint endpoint;
  endpoint.open_session(true);
  const Buffer front(1000, 1);
  while (endpoint.channel().queued_bytes() < endpoint.limits().channel_queue_bytes_max)
    endpoint.send(1, front);
  endpoint.take_output(endpoint.limits().channel_queue_bytes_max / 2 - 1000);
  endpoint.end_turn();
  CHECK(endpoint.events.empty());
  endpoint.take_output(3000);
  endpoint.end_turn();
  CHECK(of_kind(endpoint, RecordKind::kDrained).size() == 1);
  endpoint.take_output();
  endpoint.end_turn();
  CHECK(of_kind(endpoint, RecordKind::kDrained).size() == 1);
  CHECK(endpoint.counters.queued_bytes == 0);
}

TEST_CASE("channel: another takes over its stream in the handshake, unread bytes and all") {
  Endpoint session;
  session.open_session(true);
  const Buffer front(50, 1);
  session.send(1, front);
  session.take_output(20);
  session.deliver(Bytes(message_with_seq(1, text("cut off"))).first(40));
  CHECK(!session.channel().tail().empty());
  session.channel().close();

  // The new socket's channel lives beside it, on the same slabs.
  ChannelCounters counters;
  LentReleases releases;
  const ChannelContext context{session.limits(), session.pool(), releases};
  Channel accepted(context, counters, 8);
  accepted.open();
  accepted.expect_frame();
  Buffer stream(kGoldenHello, kGoldenHello + sizeof kGoldenHello);
  append_bytes(stream, message_with_seq(1, text("first")));
  append_bytes(stream, Bytes(message_with_seq(2, text("second"))).first(50));
  {
    Record records[4];
    RecordBatch batch(records, 4);
    const SlabRef slab = session.pool().take();
    std::copy(stream.begin(), stream.end(), slab->data());
    const ReceiveResult result = accepted.received(*slab, 0, static_cast<uint32_t>(stream.size()), batch);
    CHECK(result.status == ReceiveStatus::kPulled);
    CHECK(result.consumed == sizeof kGoldenHello);
    CHECK(accepted.keep_tail(*slab, result.consumed, static_cast<uint32_t>(stream.size()) - result.consumed));
  }
  accepted.send_control(15, text("reconnect ok"));
  session.channel().adopt(accepted);
  CHECK(accepted.state() == Channel::State::kIdle);
  CHECK(accepted.tail().empty());
  CHECK(!accepted.wants_output());
  CHECK(session.channel().state() == Channel::State::kHandshake);
  session.channel().start_session(true);
  session.resume();
  session.deliver(Bytes(message_with_seq(2, text("second"))).subspan(50));
  REQUIRE(session.events.size() == 2);
  CHECK(session.events[0].seq() == 1);
  CHECK(session.events[1].seq() == 2);
  // The answer goes first, then the outbox from its first byte.
  const std::vector<SentFrame> frames = frames_in(session.take_output());
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].tag == 15);
  CHECK(frames[1].tag == 20);
  CHECK(frames[2].tag == 17);
  CHECK(frames[2].word == 1);
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

TEST_CASE("channel: two of them over a pipe in random pieces, with new sockets, deliver all in order") {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    CAPTURE(seed);
    Random random(seed);
    Endpoint left(small_limits(), 1 + random.below(50));
    Endpoint right(small_limits(), 1 + random.below(50));
    left.open_session(true);
    right.open_session(true);
    Endpoint* ends[2] = {&left, &right};
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
          if (pipes[1 - side].empty() && ends[side]->channel().tail().empty() &&
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
            for (int i = 0; i < 2; i++) {
              ends[i]->channel().open();
              ends[i]->channel().acknowledge(ends[1 - i]->channel().in_seq());
              ends[i]->channel().start_session(true);
            }
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
}

TEST_CASE("channel: a peer that forgot what it had gets it again and drops nothing twice") {
  // Replays without the peer's word: duplicates are dropped by seq.
  Endpoint left;
  Endpoint right;
  left.open_session(true);
  right.open_session(true);
  for (uint64_t i = 1; i <= 10; i++) left.send(i, text("m"));
  right.deliver(left.take_output());
  for (Endpoint* endpoint : {&left, &right}) {
    endpoint->channel().close();
    endpoint->channel().open();
    endpoint->channel().start_session(true);
  }
  left.send(11, text("m"));
  right.deliver(left.take_output());
  CHECK(right.events.size() == 11);
  CHECK(right.counters.duplicates_dropped == 10);
  CHECK(left.counters.messages_replayed == 10);
  CHECK(left.counters.messages_sent == 11);
}
