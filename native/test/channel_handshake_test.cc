#include <doctest/doctest.h>

#include "core/channel/channel.h"
#include "test/channel_support.h"
#include "test/golden.h"

using namespace msgr;
using namespace msgr::test;

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
    Record table[4];
    RecordPlace places[4];
    RecordBatch batch(table, places, 4);
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
