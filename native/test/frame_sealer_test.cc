#include <doctest/doctest.h>

#include "core/wire/frame_sealer.h"
#include "test/allocations.h"
#include "test/golden_secure.h"
#include "test/secure_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

StreamSecrets golden_secrets() {
  Buffer key(16);
  for (size_t i = 0; i < key.size(); i++) key[i] = static_cast<uint8_t>(i);
  Buffer nonce{0xa0, 0xa1, 0xa2, 0xa3, 0xfe};
  nonce.resize(kAeadNonceSize, 0xff);
  StreamSecrets secrets;
  MSGR_CHECK(secrets.assign(key, nonce, nonce));
  return secrets;
}

FrameSealer make_sealer(const StreamSecrets& secrets) {
  return FrameSealer(Aead::create(Aead::Direction::kSeal, secrets.key, secrets.send_nonce));
}

iovec piece(Bytes bytes) { return {const_cast<uint8_t*>(bytes.data()), bytes.size()}; }

// Seals all of it, with so much room and such a goal at a time. The room lies in memory of exactly its size.
Buffer seal_all(FrameSealer& sealer, const std::vector<iovec>& pieces, size_t room = 1 << 20,
                size_t goal = 1 << 20) {
  Buffer sealed;
  PlainBytes plain(pieces.data(), pieces.size());
  while (!plain.empty()) {
    Buffer out(room);
    const size_t taken = plain.taken();
    const size_t size = sealer.seal(plain, out, goal);
    REQUIRE(sealer.error() == AeadError::kNone);
    REQUIRE((size > 0 || plain.taken() > taken));
    append_bytes(sealed, Bytes(out).first(size));
  }
  return sealed;
}

Buffer pattern(size_t size, size_t from) {
  Buffer bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(7 * i + from);
  return bytes;
}

const MessageHeader kHeader{.seq = 0x0102030405060708,
                            .tid = 0x1112131415161718,
                            .ack_seq = 0x2122232425262728,
                            .type = 70,
                            .priority = 127,
                            .version = 5,
                            .compat_version = 4};

// Every kind of frame, with sizes around those of a block and of a copy.
std::vector<Buffer> sample_frames() {
  Random random(11);
  std::vector<Buffer> frames;
  for (const size_t size : {0, 1, 8, 32, 47, 48, 49, 63, 64, 65, 1000, 4096})
    frames.push_back(control_frame(static_cast<uint8_t>(1 + frames.size()), random.bytes(size)));
  for (const size_t front : {0, 1, 16, 512, 513, 4096}) {
    for (const size_t middle : {0, 5}) {
      for (const size_t data : {0, 15, 600})
        frames.push_back(
            message_frame(kHeader, random.bytes(front), random.bytes(middle), random.bytes(data)));
    }
  }
  return frames;
}

}  // namespace

TEST_CASE("frame sealer: known answers") {
  FrameSealer sealer = make_sealer(golden_secrets());
  const auto check = [&](const Buffer& frame, Bytes golden) {
    CHECK(seal_all(sealer, {piece(frame)}) == Buffer(golden.begin(), golden.end()));
  };
  check(ack_frame(1), kGoldenSealedAck);
  check(control_frame(Tag::kClientIdent, pattern(49, 1)), kGoldenSealedIdent);
  check(message_frame(kHeader, pattern(5, 2), {}, pattern(20, 3)), kGoldenSealedMessage);
  check(message_frame(kHeader, {}), kGoldenSealedEmpty);
}

TEST_CASE("frame sealer: every control frame has the size of the table") {
  struct Row {
    Tag tag;
    uint32_t payload;
    size_t crc_bytes;
    size_t secure_bytes;
  };
  // Payloads as Ceph sends them with one address of each kind; of those that vary the usual one.
  constexpr Row kRows[] = {
      {Tag::kHello, 36, 72, 96},           {Tag::kAuthRequest, 60, 96, 128},
      {Tag::kAuthBadMethod, 24, 60, 96},   {Tag::kAuthReplyMore, 13, 49, 96},
      {Tag::kAuthRequestMore, 40, 76, 96}, {Tag::kAuthDone, 400, 436, 464},
      {Tag::kAuthSignature, 32, 68, 96},   {Tag::kClientIdent, 127, 163, 192},
      {Tag::kServerIdent, 83, 119, 160},   {Tag::kIdentMissingFeatures, 8, 44, 96},
      {Tag::kSessionReconnect, 77, 113, 144}, {Tag::kSessionReset, 1, 37, 96},
      {Tag::kSessionRetry, 8, 44, 96},     {Tag::kSessionRetryGlobal, 8, 44, 96},
      {Tag::kSessionReconnectOk, 8, 44, 96}, {Tag::kWait, 0, 32, 96},
      {Tag::kKeepalive2, 8, 44, 96},       {Tag::kKeepalive2Ack, 8, 44, 96},
      {Tag::kAck, 8, 44, 96},
  };
  FrameSealer sealer = make_sealer(make_secrets(1).near);
  for (const Row& row : kRows) {
    CAPTURE(static_cast<int>(row.tag));
    const Buffer frame = control_frame(row.tag, Buffer(row.payload, 1));
    const uint32_t lengths[kSegmentCountMax] = {row.payload, 0, 0, 0};
    CHECK(frame.size() == row.crc_bytes);
    CHECK(frame_size(StreamMode::kCrc, 1, lengths) == row.crc_bytes);
    CHECK(seal_all(sealer, {piece(frame)}).size() == row.secure_bytes);
    CHECK(frame_size(StreamMode::kSecure, 1, lengths) == row.secure_bytes);
  }
}

TEST_CASE("frame sealer: messages have the sizes of the table") {
  struct Row {
    uint32_t front;
    uint32_t middle;
    uint32_t data;
    size_t crc_bytes;
    size_t secure_bytes;
  };
  constexpr Row kRows[] = {
      {0, 0, 0, 77, 96},          {1, 0, 0, 91, 144},          {16, 0, 0, 106, 144},
      {17, 0, 0, 107, 160},       {101, 0, 0, 191, 240},       {0, 202, 0, 292, 336},
      {0, 0, 303, 393, 432},      {101, 202, 0, 393, 448},     {101, 0, 303, 494, 544},
      {101, 202, 303, 696, 752},  {250, 0, 4096, 4436, 4480},  {4096, 0, 0, 4186, 4224},
  };
  FrameSealer sealer = make_sealer(make_secrets(1).near);
  for (const Row& row : kRows) {
    const Buffer frame =
        message_frame(kHeader, Buffer(row.front, 1), Buffer(row.middle, 2), Buffer(row.data, 3));
    CHECK(frame.size() == row.crc_bytes);
    CHECK(seal_all(sealer, {piece(frame)}).size() == row.secure_bytes);
  }
}

TEST_CASE("frame sealer: gives what the book gives, whatever room there is, and changes no plain byte") {
  const SecretsPair secrets = make_secrets(2);
  const std::vector<Buffer> frames = sample_frames();
  Reference reference = Reference::sent_by(secrets.near);
  Buffer plain;
  Buffer expected;
  for (const Buffer& frame : frames) {
    append_bytes(plain, frame);
    append_bytes(expected, reference.seal_plain(frame));
  }
  const Buffer before = plain;
  // 4192 is what the largest control frame needs.
  for (const size_t room : {4192, 4193, 5000, 8192}) {
    for (const size_t goal : {5, 17, 1000, 8192}) {
      FrameSealer sealer = make_sealer(secrets.near);
      REQUIRE(seal_all(sealer, {piece(plain)}, room, goal) == expected);
      REQUIRE(sealer.aead().nonces().taken() == reference.count());
    }
  }
  CHECK(plain == before);
}

TEST_CASE("frame sealer: messages go through any room from 128 bytes on") {
  const SecretsPair secrets = make_secrets(2);
  Random random(12);
  Reference reference = Reference::sent_by(secrets.near);
  const Buffer frame = message_frame(kHeader, random.bytes(1000), random.bytes(33), random.bytes(700));
  const Buffer expected = reference.seal_plain(frame);
  for (size_t room = 128; room < 200; room++) {
    FrameSealer sealer = make_sealer(secrets.near);
    REQUIRE(seal_all(sealer, {piece(frame)}, room) == expected);
  }
}

TEST_CASE("frame sealer: lent payloads, and lists that end in the middle of a message") {
  const SecretsPair secrets = make_secrets(6);
  Random random(13);
  const Buffer front = random.bytes(5000);
  const Buffer middle = random.bytes(33);
  const Buffer data = random.bytes(70001);
  const Buffer whole = message_frame(kHeader, front, middle, data);
  Reference reference = Reference::sent_by(secrets.near);
  const Buffer expected = reference.seal_plain(whole);
  const Buffer head(whole.begin(), whole.begin() + kMessageGapOffset);
  const Buffer tail(whole.end() - kEpilogueSize, whole.end());
  const std::vector<iovec> pieces{piece(head), piece(front), piece(middle), piece(data), piece(tail)};
  for (const size_t room : {size_t{200}, size_t{4096}, size_t{1} << 20}) {
    FrameSealer sealer = make_sealer(secrets.near);
    REQUIRE(seal_all(sealer, pieces, room) == expected);
    // One piece at a time.
    Buffer sealed;
    FrameSealer slow = make_sealer(secrets.near);
    for (const iovec& one : pieces) append_bytes(sealed, seal_all(slow, {one}, room));
    REQUIRE(sealed == expected);
  }
}

TEST_CASE("frame sealer: a frame that has no room takes nothing and uses no nonce") {
  FrameSealer sealer = make_sealer(make_secrets(7).near);
  const Buffer control = control_frame(Tag::kAuthDone, Buffer(400, 1));
  const Buffer message = message_frame(kHeader, Buffer(10, 1));
  Buffer out(463);
  for (const Buffer* frame : {&control, &message}) {
    const iovec pieces[] = {piece(*frame)};
    PlainBytes plain(pieces, 1);
    CHECK(sealer.seal(plain, MutableBytes(out).first(frame == &control ? 463 : 95), 1 << 20) == 0);
    CHECK(plain.taken() == 0);
  }
  CHECK(sealer.aead().nonces().taken() == 0);
}

TEST_CASE("frame sealer: two nonces before the end one message leaves, and nothing after it") {
  for (const size_t payload : {0, 100}) {
    FrameSealer sealer = make_sealer(make_secrets(8).near);
    sealer.aead().nonces().skip(~uint64_t{0} - 1);
    const size_t good = payload == 0 ? 2 : 1;
    const Buffer frame = message_frame(kHeader, Buffer(payload, 1));
    for (size_t i = 0; i < good; i++) CHECK(seal_all(sealer, {piece(frame)}).size() > 0);
    const iovec pieces[] = {piece(frame)};
    PlainBytes plain(pieces, 1);
    Buffer out(1000);
    CHECK(sealer.seal(plain, out, 1000) == 0);
    CHECK(sealer.error() == AeadError::kNoncesUsed);
  }
}

TEST_CASE("frame sealer: no heap allocation per frame") {
  FrameSealer sealer = make_sealer(make_secrets(9).near);
  Buffer plain;
  for (const Buffer& frame : sample_frames()) append_bytes(plain, frame);
  const iovec pieces[] = {piece(plain)};
  Buffer out(1 << 20);
  const auto seal = [&] {
    PlainBytes bytes(pieces, 1);
    return sealer.seal(bytes, out, out.size());
  };
  const size_t size = seal();
  const uint64_t before = allocation_count();
  for (int i = 0; i < 100; i++) {
    if (seal() != size) FAIL("another size");
  }
  CHECK(allocation_count() == before);
}
