#include <doctest/doctest.h>

#include "core/wire/frame_reader.h"
#include "core/wire/frame_sealer.h"
#include "test/allocations.h"
#include "test/golden_secure.h"
#include "test/secure_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

const Limits kLimits = small_limits();
const SecretsPair kSecrets = make_secrets(21);
const MessageHeader kHeader{.seq = 1, .tid = 2, .ack_seq = 3, .type = 42};
constexpr size_t kFirst = 96;

Reference reference() { return Reference::sent_by(kSecrets.far); }

FrameReader make_reader(bool in_session = true, const StreamSecrets& secrets = kSecrets.near) {
  FrameReader reader(kLimits);
  reader.set_in_session(in_session);
  reader.secure(Aead::create(Aead::Direction::kOpen, secrets.key, secrets.receive_nonce));
  return reader;
}

// A frame's segments, and the plain frame they are of.
struct Sample {
  Buffer plain;
  std::vector<Buffer> segments;
};

std::vector<Sample> sample_frames() {
  Random random(22);
  std::vector<Sample> samples;
  for (const size_t size : {0, 1, 8, 47, 48, 49, 64, 65, 300}) {
    const Buffer payload = random.bytes(size);
    samples.push_back({control_frame(Tag::kClientIdent, payload), {payload}});
  }
  for (const auto& [front, middle, data] :
       {std::array{0, 0, 0}, {1, 0, 0}, {16, 0, 0}, {0, 5, 0}, {0, 0, 33}, {20, 30, 40}, {15, 0, 17}}) {
    Buffer header(kMessageHeaderSize);
    append_message_header(header.data(), kHeader);
    std::vector<Buffer> segments{header, random.bytes(static_cast<size_t>(front)),
                                 random.bytes(static_cast<size_t>(middle)),
                                 random.bytes(static_cast<size_t>(data))};
    samples.push_back({message_frame(kHeader, segments[1], segments[2], segments[3]), segments});
  }
  return samples;
}

void check_segments(const FrameView& view, const Buffer& frame, const Sample& sample) {
  REQUIRE(view.tag == sample.plain[0]);
  REQUIRE(!view.aborted);
  for (size_t i = 0; i < kSegmentCountMax; i++) {
    const Buffer expected = i < sample.segments.size() ? sample.segments[i] : Buffer();
    REQUIRE(view.sizes[i] == expected.size());
    REQUIRE(view.offsets[i] + view.sizes[i] <= frame.size());
    REQUIRE(std::equal(expected.begin(), expected.end(), frame.data() + view.offsets[i]));
  }
}

FrameError error_of(Buffer frame, bool in_session = true) {
  FrameReader reader = make_reader(in_session);
  switch (reader.next(frame.data(), frame.size())) {
    case ReadStatus::kFrame:
      return FrameError::kNone;
    case ReadStatus::kError:
      return reader.fault().error;
    case ReadStatus::kNeedMore:
      FAIL("a whole frame needs more");
  }
  return FrameError::kNone;
}

// What it says of a first block with such a preamble and nothing behind it.
FrameError error_of_preamble(const Preamble& preamble, size_t* needed = nullptr, bool in_session = true) {
  Buffer plain(80);
  append_preamble(plain.data(), preamble);
  Buffer frame = reference().seal(plain);
  FrameReader reader = make_reader(in_session);
  const ReadStatus status = reader.next(frame.data(), frame.size());
  if (needed != nullptr) *needed = reader.needed();
  return status == ReadStatus::kError ? reader.fault().error : FrameError::kNone;
}

}  // namespace

TEST_CASE("secure reader: known answers") {
  Buffer key(16);
  for (size_t i = 0; i < key.size(); i++) key[i] = static_cast<uint8_t>(i);
  Buffer nonce{0xa0, 0xa1, 0xa2, 0xa3, 0xfe};
  nonce.resize(kAeadNonceSize, 0xff);
  StreamSecrets secrets;
  REQUIRE(secrets.assign(key, nonce, nonce));
  FrameReader reader = make_reader(true, secrets);
  const FrameView& view = reader.frame();
  const auto read = [&](Bytes golden) {
    Buffer frame(golden.begin(), golden.end());
    REQUIRE(reader.next(frame.data(), frame.size()) == ReadStatus::kFrame);
    CHECK(view.wire_size == golden.size());
    return frame;
  };
  Buffer frame = read(kGoldenSealedAck);
  CHECK(view.tag == 20);
  CHECK(load_u64(frame.data() + view.offsets[0]) == 1);
  frame = read(kGoldenSealedIdent);
  CHECK(view.sizes[0] == 49);
  for (size_t i = 0; i < 49; i++) CHECK(frame[view.offsets[0] + i] == static_cast<uint8_t>(7 * i + 1));
  frame = read(kGoldenSealedMessage);
  CHECK(parse_message_header(frame.data() + view.offsets[0]).tid == 0x1112131415161718);
  for (size_t i = 0; i < 5; i++) CHECK(frame[view.offsets[1] + i] == static_cast<uint8_t>(7 * i + 2));
  CHECK(view.sizes[2] == 0);
  for (size_t i = 0; i < 20; i++) CHECK(frame[view.offsets[3] + i] == static_cast<uint8_t>(7 * i + 3));
  read(kGoldenSealedEmpty);
  CHECK(view.segment_count == 1);
}

TEST_CASE("secure reader: every frame cut at every byte waits for the rest, which may lie elsewhere") {
  for (const Sample& sample : sample_frames()) {
    const Buffer frame = reference().seal_plain(sample.plain);
    for (size_t cut = 0; cut < frame.size(); cut++) {
      FrameReader reader = make_reader();
      Buffer part(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(cut));
      const FrameView& view = reader.frame();
      REQUIRE(reader.next(part.data(), part.size()) == ReadStatus::kNeedMore);
      REQUIRE(reader.needed() == (cut < kFirst ? kFirst : frame.size()));
      REQUIRE(reader.in_frame() == (cut >= kFirst));
      // Again without anything new, then the rest behind what the reader left of the first part.
      REQUIRE(reader.next(part.data(), part.size()) == ReadStatus::kNeedMore);
      Buffer whole = part;
      append_bytes(whole, Bytes(frame).subspan(cut));
      REQUIRE(reader.next(whole.data(), whole.size()) == ReadStatus::kFrame);
      REQUIRE(view.wire_size == frame.size());
      check_segments(view, whole, sample);
    }
  }
}

TEST_CASE("secure reader: a stream byte by byte gives every frame once") {
  Buffer stream;
  const std::vector<Sample> samples = sample_frames();
  Reference sender = reference();
  for (const Sample& sample : samples) append_bytes(stream, sender.seal_plain(sample.plain));
  FrameReader reader = make_reader();
  size_t at = 0;
  size_t count = 0;
  for (size_t end = 0; end <= stream.size(); end++) {
    const FrameView& view = reader.frame();
    const ReadStatus status = reader.next(stream.data() + at, end - at);
    REQUIRE(status != ReadStatus::kError);
    if (status == ReadStatus::kFrame) {
      const Buffer frame(stream.begin() + static_cast<ptrdiff_t>(at),
                         stream.begin() + static_cast<ptrdiff_t>(end));
      check_segments(view, frame, samples[count]);
      at += view.wire_size;
      count++;
    }
  }
  CHECK(count == samples.size());
  CHECK(at == stream.size());
  CHECK(reader.opener()->nonces().taken() == sender.count());
}

TEST_CASE("secure reader: every bit of a frame that differs is refused") {
  for (const Sample& sample : sample_frames()) {
    const Buffer frame = reference().seal_plain(sample.plain);
    for (size_t bit = 0; bit < 8 * frame.size(); bit++) {
      Buffer changed = frame;
      changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      CAPTURE(bit);
      REQUIRE(error_of(changed) == FrameError::kTag);
    }
  }
}

TEST_CASE("secure reader: frames in another order, twice, left out, or of another key are refused") {
  Reference sender = reference();
  const Buffer first = sender.seal_plain(ack_frame(1));
  const Buffer second = sender.seal_plain(ack_frame(2));
  CHECK(error_of(first) == FrameError::kNone);
  CHECK(error_of(second) == FrameError::kTag);
  FrameReader reader = make_reader();
  Buffer once = first;
  Buffer twice = first;
  REQUIRE(reader.next(once.data(), once.size()) == ReadStatus::kFrame);
  REQUIRE(reader.next(twice.data(), twice.size()) == ReadStatus::kError);
  CHECK(reader.fault().error == FrameError::kTag);
  CHECK(reader.fault().value == 1);
  // What this end sealed itself does not come back to it; neither does anything in crc mode.
  CHECK(error_of(Reference::sent_by(kSecrets.near).seal_plain(ack_frame(1))) == FrameError::kTag);
  CHECK(error_of(Reference::sent_by(make_secrets(99).far).seal_plain(ack_frame(1))) == FrameError::kTag);
  Buffer plain = ack_frame(1);
  plain.resize(kFirst);
  CHECK(error_of(plain) == FrameError::kTag);
}

TEST_CASE("secure reader: a fault names the part that did not verify") {
  const auto fault_at = [&](Buffer plain, size_t byte) {
    Buffer frame = reference().seal_plain(plain);
    frame[byte] ^= 1;
    FrameReader reader = make_reader();
    REQUIRE(reader.next(frame.data(), frame.size()) == ReadStatus::kError);
    return reader.fault();
  };
  const Buffer control = control_frame(Tag::kHello, Buffer(60, 1));
  CHECK(fault_at(control, 0).tag == 0);
  CHECK(fault_at(control, kFirst).tag == 1);
  CHECK(fault_at(control, kFirst).segment == 0);
  const Buffer message = message_frame(kHeader, Buffer(60, 1));
  CHECK(fault_at(message, kFirst).tag == 17);
  CHECK(fault_at(message, kFirst).segment == 1);
  CHECK(fault_at(message, kFirst).value == 1);
}

TEST_CASE("secure reader: every late_status; padding is not looked at") {
  Preamble preamble{.tag = 17, .segment_count = 2, .lengths = {41, 10}, .alignments = {}};
  for (int status = 0; status < 256; status++) {
    Buffer frame = reference().frame(preamble, {Buffer(41, 1), Buffer(10, 2)}, static_cast<uint8_t>(status),
                                     0x77);
    FrameReader reader = make_reader();
    const FrameView& view = reader.frame();
    const ReadStatus read = reader.next(frame.data(), frame.size());
    CAPTURE(status);
    if ((status & 0x0f) == 0x0e) {
      CHECK(read == ReadStatus::kFrame);
      CHECK(!view.aborted);
    } else if ((status & 0x0f) == 0x01) {
      CHECK(read == ReadStatus::kFrame);
      CHECK(view.aborted);
    } else {
      CHECK(read == ReadStatus::kError);
      CHECK(reader.fault().error == FrameError::kLateStatus);
    }
  }
}

TEST_CASE("secure reader: the preamble's CRC counts inside the seal too") {
  Buffer plain = control_frame(Tag::kHello, Buffer(10, 1));
  plain.resize(80);
  for (size_t i = 0; i < kPreambleSize; i++) {
    Buffer changed = plain;
    changed[i] ^= 0x10;
    CHECK(error_of(reference().seal(changed)) == FrameError::kPreambleCrc);
  }
}

TEST_CASE("secure reader: a peer with the keys is held to the limits by its preamble alone") {
  // Every number of segments with every tag.
  for (int tag = 0; tag < 256; tag++) {
    const bool message = tag == static_cast<int>(Tag::kMessage);
    for (int count = 0; count < 256; count = count < 8 ? count + 1 : count + 31) {
      size_t needed = 0;
      const FrameError error = error_of_preamble({.tag = static_cast<uint8_t>(tag),
                                                  .segment_count = static_cast<uint8_t>(count),
                                                  .lengths = {41, 1, 1, 1},
                                                  .alignments = {}},
                                                 &needed);
      CAPTURE(tag);
      CAPTURE(count);
      if (count == 0 || count > 4) {
        REQUIRE(error == FrameError::kSegmentCount);
      } else if (count > 1 && !message) {
        REQUIRE(error == FrameError::kControlSegmentCount);
      } else {
        REQUIRE(error == FrameError::kNone);
        if (count > 1) REQUIRE(needed == kFirst + 16 * static_cast<size_t>(count - 1) + 32);
      }
    }
  }
  // Every length at its boundaries.
  for (const Tag tag : {Tag::kHello, Tag::kMessage}) {
    for (int count = 1; count <= 4; count++) {
      for (int field = 0; field < 4; field++) {
        const auto limit = static_cast<uint32_t>(tag == Tag::kMessage ? kLimits.message_bytes_max
                                                                      : kLimits.control_payload_bytes_max);
        for (const uint32_t value : {0u, 1u, 40u, 42u, 0x7fffffffu, 0x80000000u, 0xffffffffu, limit, limit + 1}) {
          Preamble preamble{.tag = static_cast<uint8_t>(tag),
                            .segment_count = static_cast<uint8_t>(count),
                            .lengths = {41, 10, 20, 30},
                            .alignments = {}};
          preamble.lengths[field] = value;
          uint64_t payload = 0;
          for (int i = 1; i < count; i++) payload += preamble.lengths[i];
          FrameError expected = FrameError::kNone;
          if (tag == Tag::kMessage) {
            if (payload > kLimits.message_bytes_max) expected = FrameError::kMessageBytes;
            if (preamble.lengths[0] != 41) expected = FrameError::kMessageHeaderSize;
          } else {
            if (preamble.lengths[0] > limit) expected = FrameError::kControlPayloadBytes;
            if (count > 1) expected = FrameError::kControlSegmentCount;
          }
          if (count > 1 && preamble.lengths[count - 1] == 0) expected = FrameError::kLastSegmentEmpty;
          size_t needed = 0;
          REQUIRE(error_of_preamble(preamble, &needed) == expected);
          if (expected == FrameError::kNone) REQUIRE(needed <= kFirst + kLimits.message_bytes_max + 100);
        }
      }
    }
  }
  const auto limit = static_cast<uint32_t>(kLimits.control_payload_bytes_max);
  const Preamble early{.tag = 17, .segment_count = 2, .lengths = {41, limit + 1}, .alignments = {}};
  CHECK(error_of_preamble(early, nullptr, false) == FrameError::kHandshakeMessage);
}

TEST_CASE("secure reader: reset forgets the keys") {
  FrameReader reader = make_reader();
  reader.reset();
  CHECK(reader.opener() == nullptr);
  CHECK(reader.mode() == StreamMode::kCrc);
  Buffer frame = ack_frame(1);
  CHECK(reader.next(frame.data(), frame.size()) == ReadStatus::kFrame);
}

TEST_CASE("secure reader: ends before a nonce would come twice") {
  // The nonce before the first one is the last of all.
  uint8_t before[kAeadNonceSize];
  std::copy_n(kSecrets.far.send_nonce, sizeof before, before);
  store_u64(before + 4, load_u64(before + 4) - 1);
  Buffer last = Reference(kSecrets.far.key, before).seal_plain(ack_frame(1));
  // This one was opened once already, 2^64 operations ago, and its tag would verify again.
  Buffer again = reference().seal_plain(ack_frame(1));
  FrameReader reader = make_reader();
  reader.opener()->nonces().skip(~uint64_t{0});
  CHECK(reader.next(last.data(), last.size()) == ReadStatus::kFrame);
  CHECK(reader.next(again.data(), again.size()) == ReadStatus::kError);
  CHECK(reader.fault().error == FrameError::kNoncesUsed);
}

TEST_CASE("secure reader: no heap allocation per frame") {
  Buffer stream;
  Reference sender = reference();
  size_t count = 0;
  for (int round = 0; round < 20; round++) {
    for (const Sample& sample : sample_frames()) {
      append_bytes(stream, sender.seal_plain(sample.plain));
      count++;
    }
  }
  FrameReader reader = make_reader();
  const uint64_t before = allocation_count();
  size_t seen = 0;
  for (size_t at = 0; at < stream.size();) {
    const FrameView& view = reader.frame();
    if (reader.next(stream.data() + at, 100) == ReadStatus::kNeedMore)
      (void)reader.next(stream.data() + at, stream.size() - at);
    at += view.wire_size;
    seen++;
  }
  const uint64_t after = allocation_count();
  CHECK(seen == count);
  CHECK(after == before);
}
