#include <doctest/doctest.h>

#include "core/channel/channel.h"
#include "test/channel_support.h"

using namespace msgr;
using namespace msgr::test;

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

TEST_CASE("channel: drained is told once to a sender that stopped, when half of a full queue is gone") {
  Endpoint endpoint;
  endpoint.open_session(true);
  const Buffer front(1000, 1);
  while (endpoint.channel().queued_bytes() < endpoint.limits().channel_queue_bytes_max)
    endpoint.send(1, front);
  endpoint.channel().want_drained();
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

TEST_CASE("channel: a sender that stopped is told at once when the queue is short already, or is dropped") {
  Endpoint endpoint;
  endpoint.open_session(true);
  endpoint.send(1, text("short"));
  endpoint.end_turn();
  CHECK(of_kind(endpoint, RecordKind::kDrained).empty());
  endpoint.channel().want_drained();
  endpoint.end_turn();
  CHECK(of_kind(endpoint, RecordKind::kDrained).size() == 1);

  const Buffer front(1000, 1);
  while (endpoint.channel().queued_bytes() < endpoint.limits().channel_queue_bytes_max)
    endpoint.send(2, front);
  endpoint.channel().want_drained();
  endpoint.channel().close();
  endpoint.end_turn();
  CHECK(of_kind(endpoint, RecordKind::kDrained).size() == 1);
  endpoint.channel().reset_session();
  endpoint.end_turn();
  CHECK(of_kind(endpoint, RecordKind::kDrained).size() == 2);
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

TEST_CASE("channel: within one host what is unread beyond the limit is backlog, and drains as it is acknowledged") {
  const Buffer front(1000, 1);
  for (const bool within_host : {false, true}) {
    Endpoint endpoint;
    endpoint.channel().open();
    endpoint.channel().start_session(true, within_host);
    const uint64_t unread_max = endpoint.limits().unread_within_host_bytes_max;
    const uint64_t queue_max = endpoint.limits().channel_queue_bytes_max;
    uint64_t sent = 0;
    while (endpoint.counters.unacked_bytes < unread_max + queue_max) {
      endpoint.send(++sent, front);
      endpoint.take_output();
    }
    CHECK(endpoint.counters.queued_bytes == 0);
    if (!within_host) {
      CHECK(endpoint.counters.backlog_bytes == 0);
      continue;
    }
    CHECK(endpoint.counters.backlog_bytes == endpoint.counters.unacked_bytes - unread_max);
    endpoint.channel().want_drained();
    endpoint.end_turn();
    CHECK(of_kind(endpoint, RecordKind::kDrained).empty());
    endpoint.deliver(ack_frame(sent / 2));
    endpoint.end_turn();
    CHECK(of_kind(endpoint, RecordKind::kDrained).size() == 1);
    CHECK(endpoint.counters.backlog_bytes == 0);
  }
}
