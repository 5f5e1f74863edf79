#include <doctest/doctest.h>

#include <set>

#include "core/channel/channel.h"
#include "test/allocations.h"
#include "test/channel_support.h"
#include "test/secure_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

void open_secure(Endpoint& endpoint, const StreamSecrets& secrets, bool lossless = true) {
  endpoint.channel().open();
  REQUIRE(endpoint.channel().secure(secrets));
  endpoint.channel().start_session(lossless);
}

// A frame opened by the book.
struct Opened {
  uint8_t tag;
  std::vector<Buffer> segments;
  [[nodiscard]] uint64_t seq() const { return load_u64(segments[0].data()); }
};

std::vector<Opened> open_all(Reference& reference, Bytes stream) {
  std::vector<Opened> frames;
  while (!stream.empty()) {
    const auto take = [&](size_t size) {
      REQUIRE(stream.size() >= size + 16);
      Buffer plain = reference.open(stream.first(size + 16));
      REQUIRE(plain.size() == size);
      stream = stream.subspan(size + 16);
      return plain;
    };
    const auto padded = [](size_t size) { return (size + 15) / 16 * 16; };
    const Buffer first = take(80);
    Preamble preamble;
    uint32_t found;
    uint32_t computed;
    REQUIRE(parse_preamble(first.data(), preamble, found, computed));
    Buffer head(first.begin() + 32, first.end());
    if (preamble.lengths[0] > 48) append_bytes(head, take(padded(preamble.lengths[0]) - 48));
    // Padding is zeros, and shows nothing that lay there before.
    REQUIRE(std::all_of(head.begin() + preamble.lengths[0], head.end(), [](uint8_t b) { return b == 0; }));
    head.resize(preamble.lengths[0]);
    Opened frame{preamble.tag, {head}};
    if (preamble.segment_count > 1) {
      size_t size = 16;
      for (size_t i = 1; i < preamble.segment_count; i++) size += padded(preamble.lengths[i]);
      const Buffer body = take(size);
      auto at = body.begin();
      for (size_t i = 1; i < preamble.segment_count; i++) {
        const auto end = at + preamble.lengths[i];
        const auto next = at + static_cast<ptrdiff_t>(padded(preamble.lengths[i]));
        frame.segments.emplace_back(at, end);
        REQUIRE(std::all_of(end, next, [](uint8_t b) { return b == 0; }));
        at = next;
      }
      REQUIRE(*at == 0x0e);
      REQUIRE(std::all_of(at + 1, body.end(), [](uint8_t b) { return b == 0; }));
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace

TEST_CASE("secure channel: what waits when the keys come leaves as it is, everything behind it sealed") {
  const SecretsPair secrets = make_secrets(31);
  const Buffer done = control_frame(Tag::kAuthDone, Buffer(70, 1));
  const Buffer signature = control_frame(Tag::kAuthSignature, Buffer(32, 2));
  Reference reference = Reference::sent_by(secrets.near);
  Buffer expected(text("ceph v2\n").begin(), text("ceph v2\n").end());
  append_bytes(expected, done);
  append_bytes(expected, reference.seal_plain(signature));
  append_bytes(expected, reference.seal_plain(message_with_seq(1, text("m"))));
  for (const size_t at_once : {1, 3, 50, 77, 1000}) {
    Endpoint endpoint;
    Channel& channel = endpoint.channel();
    channel.open();
    channel.send_bytes(text("ceph v2\n"));
    Buffer output = endpoint.take_output(at_once == 50 ? 3 : 0);
    channel.send_control(static_cast<uint8_t>(Tag::kAuthDone), Buffer(70, 1));
    REQUIRE(channel.secure(secrets.near));
    channel.send_control(static_cast<uint8_t>(Tag::kAuthSignature), Buffer(32, 2));
    CHECK(channel.queued_bytes() == 8 + done.size() + signature.size() - output.size());
    channel.start_session(true);
    endpoint.send(1001, text("m"));
    while (channel.wants_output()) append_bytes(output, endpoint.take_output(at_once, 1));
    // The message's other fields are those of Endpoint::send().
    REQUIRE(output.size() == expected.size());
    const size_t same = expected.size() - 96 - 48;
    CHECK(std::equal(output.begin(), output.begin() + static_cast<ptrdiff_t>(same), expected.begin()));
    CHECK(channel.queued_bytes() == 0);
  }
}

TEST_CASE("secure channel: a handshake that turns secure, cut at every byte") {
  const SecretsPair secrets = make_secrets(32);
  Reference peer = Reference::sent_by(secrets.far);
  const Buffer ident(100, 5);
  Buffer stream = control_frame(Tag::kAuthDone, Buffer(20, 1));
  append_bytes(stream, peer.seal_plain(control_frame(Tag::kAuthSignature, Buffer(32, 2))));
  append_bytes(stream, peer.seal_plain(control_frame(Tag::kServerIdent, ident)));
  append_bytes(stream, peer.seal_plain(message_with_seq(1, text("m"))));
  for (size_t cut = 0; cut <= stream.size(); cut++) {
    Endpoint endpoint;
    Channel& channel = endpoint.channel();
    channel.open();
    channel.expect_frame();
    endpoint.on_pulled = [&] {
      if (endpoint.events.size() == 1) REQUIRE(channel.secure(secrets.near));
      if (endpoint.events.size() < 3) channel.expect_frame();
      if (endpoint.events.size() == 3) channel.start_session(true);
    };
    endpoint.deliver(Bytes(stream).first(cut));
    endpoint.deliver(Bytes(stream).subspan(cut));
    REQUIRE(endpoint.events.size() == 4);
    CHECK(endpoint.events[0].data.size() == 56);
    CHECK(endpoint.events[1].front == Buffer(32, 2));
    // A sealed frame has no raw bytes to be signed.
    CHECK(endpoint.events[1].data.empty());
    CHECK(endpoint.events[2].front == ident);
    CHECK(endpoint.events[3].kind == RecordKind::kMessage);
  }
}

TEST_CASE("secure channel: messages, acks, keepalives and lent payloads both ways") {
  const SecretsPair secrets = make_secrets(33);
  Endpoint near;
  Endpoint far;
  open_secure(near, secrets.near);
  open_secure(far, secrets.far);
  Random random(33);
  const Buffer front = random.bytes(100);
  const Buffer middle = random.bytes(11);
  const Buffer data = random.bytes(300000);  // lent, and more than a slab holds
  near.send(7, front, middle, data, 0, 99);
  near.send(8, {});
  near.channel().send_control(22, text("odd"));
  far.deliver(near.take_output());
  REQUIRE(far.events.size() == 3);
  CHECK(far.events[0].kind == RecordKind::kFrame);
  CHECK(far.events[0].tag() == 22);
  CHECK(far.events[1].front == front);
  CHECK(far.events[1].middle == middle);
  CHECK(far.events[1].data == data);
  CHECK(far.events[2].seq() == 2);
  CHECK(near.counters.messages_sent == 2);
  CHECK(near.counters.frames_sent == 3);
  CHECK(near.counters.bytes_sent == far.counters.bytes_received);
  CHECK(near.counters.queued_bytes == 0);
  CHECK(near.releases.empty());
  near.deliver(far.take_output());
  near.end_turn();
  CHECK(near.releases == LentReleases{99});
  CHECK(near.counters.outbox_count == 0);
  far.deliver(Reference::sent_by(make_secrets(1).near).seal_plain(ack_frame(0)));
  CHECK(far.failed());
}

TEST_CASE("secure channel: one nonce for each operation, in the order of the wire, whatever is sent") {
  const SecretsPair secrets = make_secrets(34);
  Endpoint near;
  open_secure(near, secrets.near);
  Reference peer = Reference::sent_by(secrets.far);
  Random random(34);
  const Buffer lent = random.bytes(90000);
  Buffer stream;
  uint64_t sent = 0;
  for (int step = 0; step < 3000; step++) {
    switch (random.below(6)) {
      case 0:
        near.send(1, random.bytes(random.below(600)), random.bytes(random.below(20)));
        sent++;
        break;
      case 1:
        if (random.below(10) == 0) {
          near.send(1, {}, {}, lent, 0, 1);
          sent++;
        }
        break;
      case 2:
        near.channel().send_control(22, random.bytes(random.below(200)));
        break;
      case 3:
        near.deliver(peer.seal_plain(control_frame(Tag::kKeepalive2, random.bytes(8))));
        break;
      case 4:
        near.deliver(peer.seal_plain(message_with_seq(near.channel().in_seq() + 1, text("m"))));
        break;
      default:
        append_bytes(stream, near.take_output(random.below(20000), 1 + random.below(4)));
    }
  }
  append_bytes(stream, near.take_output());
  Reference opener = Reference::received_by(secrets.far);
  uint64_t messages = 0;
  for (const Opened& frame : open_all(opener, stream)) {
    if (frame.tag != 17) continue;
    messages++;
    REQUIRE(frame.seq() == messages);
  }
  CHECK(messages == sent);
  // Each operation verified under the next nonce: none was used twice. The two directions begin elsewhere.
  CHECK(opener.count() == near.channel().sealer()->nonces().taken());
  CHECK(peer.count() == near.channel().opener()->nonces().taken());
  CHECK(load_u64(secrets.near.send_nonce + 4) != load_u64(secrets.near.receive_nonce + 4));
}

TEST_CASE("secure channel: a new socket has new keys, and replays under them") {
  Endpoint endpoint;
  std::set<Buffer> seen;
  for (uint64_t socket = 1; socket <= 5; socket++) {
    const SecretsPair secrets = make_secrets(40 + socket);
    open_secure(endpoint, secrets.near);
    endpoint.send(socket, text("kept until it is acknowledged"));
    const Buffer output = endpoint.take_output();
    CHECK(seen.insert(Buffer(output.begin(), output.begin() + 96)).second);
    Reference opener = Reference::received_by(secrets.far);
    const std::vector<Opened> frames = open_all(opener, output);
    REQUIRE(frames.size() == socket);
    for (uint64_t seq = 1; seq <= socket; seq++) CHECK(frames[seq - 1].seq() == seq);
    CHECK(endpoint.counters.messages_sent == socket);
    endpoint.channel().close();
    CHECK(endpoint.channel().sealer() == nullptr);
    CHECK(endpoint.channel().opener() == nullptr);
  }
  CHECK(endpoint.counters.messages_replayed == 1 + 2 + 3 + 4);
}

TEST_CASE("secure channel: what was framed for it gets its CRCs when the next socket is in crc mode") {
  Random random(35);
  Endpoint endpoint;
  Endpoint plain;
  const Buffer front = random.bytes(5000);
  const Buffer data = random.bytes(7000);
  const auto send_all = [&](Endpoint& to) {
    to.send(1, text("in its gap"), text("middle"));
    to.send(2, front, {}, data);
    to.send(3, front);
    to.send(4, text("x"), {}, data);
    to.send(5, {}, {}, data);
    to.send(6, {});
  };
  open_secure(endpoint, make_secrets(36).near);
  send_all(endpoint);
  (void)endpoint.take_output(100);
  endpoint.channel().close();
  endpoint.open_session(true);
  plain.open_session(true);
  send_all(plain);
  CHECK(endpoint.take_output() == plain.take_output());
}

TEST_CASE("secure channel: a session takes over another's stream, mid-frame, keys and all") {
  const SecretsPair secrets = make_secrets(37);
  Reference peer = Reference::sent_by(secrets.far);
  Buffer incoming = peer.seal_plain(control_frame(Tag::kSessionReconnect, Buffer(200, 4)));
  append_bytes(incoming, peer.seal_plain(message_with_seq(1, text("behind"))));
  for (size_t cut = 0; cut <= incoming.size(); cut += 5) {
    Endpoint session;
    open_secure(session, make_secrets(38).near);
    session.send(1, text("waits"));
    session.channel().close();

    LentReleases releases;
    ChannelCounters counters;
    const ChannelContext context{session.limits(), session.pool(), releases};
    Channel accepted(context, counters, 9);
    accepted.open();
    REQUIRE(accepted.secure(secrets.near));
    accepted.send_control(static_cast<uint8_t>(Tag::kAuthSignature), Buffer(32, 1));
    accepted.send_control(static_cast<uint8_t>(Tag::kServerIdent), Buffer(300, 2));
    iovec vectors[2];
    Buffer output;
    REQUIRE(accepted.gather(vectors, 2, 200) == 1);
    output.assign(static_cast<uint8_t*>(vectors[0].iov_base), static_cast<uint8_t*>(vectors[0].iov_base) + 50);
    accepted.wrote(50);

    accepted.expect_frame();
    std::vector<Record> table(4);
    std::vector<RecordPlace> places(4);
    RecordBatch batch(table.data(), places.data(), 4);
    SlabRef slab = session.pool().take();
    std::copy_n(incoming.begin(), cut, slab->data());
    const ReceiveResult result = accepted.received(*slab, 0, static_cast<uint32_t>(cut), batch);
    const bool pulled = result.status == ReceiveStatus::kPulled;
    if (pulled) CHECK(batch.record(0).type_and_priority == static_cast<int>(Tag::kSessionReconnect));
    REQUIRE(accepted.keep_tail(*slab, result.consumed, static_cast<uint32_t>(cut) - result.consumed));
    batch.clear();

    Channel& channel = session.channel();
    channel.adopt(accepted);
    CHECK(accepted.opener() == nullptr);
    CHECK(accepted.sealer() == nullptr);
    CHECK(!accepted.wants_output());
    if (!pulled) channel.expect_frame();
    session.on_pulled = [&] { channel.start_session(true); };
    if (pulled) {
      channel.start_session(true);
    }
    session.resume();
    REQUIRE(session.deliver(Bytes(incoming).subspan(cut)));
    REQUIRE(!session.events.empty());
    CHECK(session.events.back().kind == RecordKind::kMessage);
    CHECK(session.events.size() == (pulled ? 1 : 2));

    append_bytes(output, session.take_output());
    Reference opener = Reference::received_by(secrets.far);
    const std::vector<Opened> frames = open_all(opener, output);
    REQUIRE(frames.size() == 4);
    CHECK(frames[0].tag == 7);
    CHECK(frames[1].tag == 9);
    CHECK(frames[2].tag == 20);
    CHECK(frames[3].seq() == 1);
  }
}

TEST_CASE("secure channel: every byte that differs ends the connection, and nothing of it is delivered") {
  const SecretsPair secrets = make_secrets(39);
  Reference peer = Reference::sent_by(secrets.far);
  Buffer stream;
  std::vector<size_t> ends;
  for (uint64_t seq = 1; seq <= 3; seq++) {
    append_bytes(stream, peer.seal_plain(message_with_seq(seq, text("payload"))));
    ends.push_back(stream.size());
  }
  for (size_t at = 0; at < stream.size(); at++) {
    Buffer changed = stream;
    changed[at] ^= static_cast<uint8_t>(1 << at % 8);
    Endpoint endpoint;
    open_secure(endpoint, secrets.near);
    REQUIRE(!endpoint.deliver(changed));
    REQUIRE(endpoint.channel().fault().error == FrameError::kTag);
    const size_t whole = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), at) - ends.begin());
    REQUIRE(endpoint.events.size() == whole);
  }
}

TEST_CASE("secure channel: without nonces the session ends with a clear error, and the next one goes on") {
  const SecretsPair secrets = make_secrets(51);
  Endpoint endpoint;
  open_secure(endpoint, secrets.near);
  endpoint.channel().sealer()->nonces().skip(~uint64_t{0} - 1);
  endpoint.send(1, text("takes the last two"));
  CHECK(endpoint.take_output().size() == 96 + 32 + 32);
  endpoint.send(2, text("finds none"));
  CHECK(endpoint.channel().wants_output());
  iovec vectors[4];
  CHECK(endpoint.channel().gather(vectors, 4, 1000) == 0);
  CHECK(endpoint.channel().failed());
  CHECK(endpoint.channel().fault().error == FrameError::kNoncesUsed);
  CHECK(endpoint.channel().gather(vectors, 4, 1000) == 0);
  endpoint.channel().close();
  CHECK(!endpoint.channel().failed());
  const SecretsPair next = make_secrets(52);
  open_secure(endpoint, next.near);
  Reference next_opener = Reference::received_by(next.far);
  CHECK(open_all(next_opener, endpoint.take_output()).size() == 2);

  Endpoint receiver;
  open_secure(receiver, secrets.near);
  receiver.channel().opener()->nonces().skip(~uint64_t{0});
  uint8_t nonce[kAeadNonceSize];
  REQUIRE(receiver.channel().opener()->nonces().take(nonce));
  CHECK(!receiver.deliver(Reference::sent_by(secrets.far).seal_plain(ack_frame(0))));
  CHECK(receiver.channel().fault().error == FrameError::kNoncesUsed);
}
