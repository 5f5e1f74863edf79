// The frame reader under arbitrary bytes. Each input is read at once, in the pieces that its first bytes ask
// for and, in crc mode, as late bytes; all must see the same frames and the same error. So that inputs get past
// the CRCs, a flag repairs them on the way. In secure mode the input is what a hostile peer that has the keys
// seals: it is cut where the reader will look for tags, each part is sealed, and a flag damages one byte.
//
// What is checked beside the sanitizers: a frame lies within what was given and within the limits, what
// is needed is never less than what is there already, and nothing is said of bytes that are not there.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/base/check.h"
#include "core/wire/crc32c.h"
#include "core/wire/epilogue.h"
#include "core/wire/frame_reader.h"
#include "core/wire/message_header.h"
#include "test/secure_support.h"

namespace {

using namespace msgr;
using test::Buffer;

constexpr size_t kInputMax = 4096;
constexpr size_t kFramesMax = 128;

Limits fuzz_limits() {
  Limits limits;
  limits.control_payload_bytes_max = 512;
  limits.message_bytes_max = 1024;
  return limits;
}

const Limits kLimits = fuzz_limits();

// Repairs the CRCs of the frames in `data`, as far as their lengths hold.
void repair(uint8_t* data, size_t size) {
  while (size >= kPreambleSize) {
    store_u32(data + 28, crc32c(kPreambleSeed, data, 28));
    const size_t count = data[1];
    if (count == 0 || count > kSegmentCountMax) return;
    uint32_t lengths[kSegmentCountMax] = {};
    for (size_t i = 0; i < count; i++) lengths[i] = load_u32(data + 2 + 6 * i);
    const uint64_t frame = frame_size(StreamMode::kCrc, count, lengths);
    if (frame > size) return;
    uint8_t* segment = data + kPreambleSize;
    if (lengths[0] > 0) store_u32(segment + lengths[0], crc32c(kSegmentSeed, segment, lengths[0]));
    segment += lengths[0] + (lengths[0] > 0 ? 4 : 0);
    uint8_t* slots = data + frame - 12;
    for (size_t i = 1; i < count; i++) {
      store_u32(slots + 4 * (i - 1), crc32c(kSegmentSeed, segment, lengths[i]));
      segment += lengths[i];
    }
    data += frame;
    size -= static_cast<size_t>(frame);
  }
}

// The same for the text of sealed frames, which has no other CRCs.
void repair_sealed(uint8_t* data, size_t size) {
  constexpr size_t kFirst = kPreambleSize + kSecureInline;
  while (size >= kFirst) {
    store_u32(data + 28, crc32c(kPreambleSeed, data, 28));
    const size_t count = std::min<size_t>(data[1], kSegmentCountMax);
    uint32_t lengths[kSegmentCountMax];
    for (size_t i = 0; i < kSegmentCountMax; i++) lengths[i] = load_u32(data + 2 + 6 * i);
    const uint64_t rest = frame_size(StreamMode::kSecure, count, lengths) - first_block_size(StreamMode::kSecure);
    const uint64_t text = kFirst + (rest > 0 ? rest - kSecureTag : 0);
    if (text > size) return;
    data += text;
    size -= static_cast<size_t>(text);
  }
}

const test::SecretsPair kSecrets = test::make_secrets(1);

// `data` as the text of sealed frames, as far as it goes; what is left over follows unsealed.
Buffer seal(Bytes data) {
  test::Reference sealer = test::Reference::sent_by(kSecrets.far);
  Buffer wire;
  const auto take = [&](uint64_t size) {
    const Bytes part = data.first(static_cast<size_t>(std::min<uint64_t>(size, data.size())));
    data = data.subspan(part.size());
    return part;
  };
  while (data.size() >= kPreambleSize + kSecureInline) {
    const Bytes first = take(kPreambleSize + kSecureInline);
    test::append_bytes(wire, sealer.seal(first));
    uint32_t lengths[kSegmentCountMax];
    for (size_t i = 0; i < kSegmentCountMax; i++) lengths[i] = load_u32(first.data() + 2 + 6 * i);
    const size_t count = std::min<size_t>(first[1], kSegmentCountMax);
    const uint64_t rest = frame_size(StreamMode::kSecure, count, lengths) - first_block_size(StreamMode::kSecure);
    if (rest > 0 && data.size() > 0) test::append_bytes(wire, sealer.seal(take(rest - kSecureTag)));
  }
  test::append_bytes(wire, data);
  return wire;
}

struct Outcome {
  size_t frames = 0;
  size_t consumed = 0;
  FrameError error = FrameError::kNone;
  uint32_t digest = 0;

  void add(const FrameView& frame, const uint8_t* data) {
    digest = crc32c(digest, reinterpret_cast<const uint8_t*>(&frame.wire_size), 4) + frame.tag;
    for (size_t i = 0; i < kSegmentCountMax; i++) digest = crc32c(digest, data + frame.offsets[i], frame.sizes[i]);
    consumed += frame.wire_size;
    frames++;
  }
  bool operator==(const Outcome&) const = default;
};

void check_frame(const FrameView& frame, const uint8_t* data, size_t available, bool in_session) {
  MSGR_CHECK(frame.wire_size >= kPreambleSize && frame.wire_size <= available);
  MSGR_CHECK(frame.segment_count >= 1 && frame.segment_count <= kSegmentCountMax);
  uint64_t payload = 0;
  for (size_t i = 0; i < kSegmentCountMax; i++) {
    MSGR_CHECK(uint64_t{frame.offsets[i]} + frame.sizes[i] <= frame.wire_size);
    if (i >= frame.segment_count) MSGR_CHECK(frame.sizes[i] == 0);
    payload += frame.sizes[i];
  }
  if (frame.tag == 17) {
    MSGR_CHECK(frame.sizes[0] == kMessageHeaderSize);
    MSGR_CHECK(payload - kMessageHeaderSize <=
               (in_session ? kLimits.message_bytes_max : kLimits.control_payload_bytes_max));
    (void)parse_message_header(data + frame.offsets[0]);
  } else {
    MSGR_CHECK(frame.segment_count == 1 && !frame.aborted);
    MSGR_CHECK(payload <= kLimits.control_payload_bytes_max);
  }
}

// Gives the stream in pieces of `piece` bytes, each frame from its first byte in memory of exactly the
// size that is there.
Outcome read(const uint8_t* data, size_t size, size_t piece, bool in_session, bool secure) {
  FrameReader reader(kLimits);
  reader.set_in_session(in_session);
  if (secure) {
    reader.secure(
        Aead::create(Aead::Direction::kOpen, kSecrets.near.key, kSecrets.near.receive_nonce));
  }
  // The bytes of an unfinished frame, as the reader left them.
  Buffer opened;
  Outcome outcome;
  size_t available = std::min(piece, size);
  while (outcome.frames < kFramesMax) {
    const size_t there = available - outcome.consumed;
    const std::unique_ptr<uint8_t[]> exact(new uint8_t[there]);
    std::copy_n(data + outcome.consumed, there, exact.get());
    std::copy(opened.begin(), opened.end(), exact.get());
    const ReadStatus status = reader.next(exact.get(), there);
    opened.clear();
    if (status == ReadStatus::kNeedMore) opened.assign(exact.get(), exact.get() + there);
    if (status == ReadStatus::kFrame) {
      check_frame(reader.frame(), exact.get(), there, in_session);
      outcome.add(reader.frame(), exact.get());
    } else if (status == ReadStatus::kError) {
      outcome.error = reader.fault().error;
      MSGR_CHECK(outcome.error != FrameError::kNone);
      break;
    } else {
      MSGR_CHECK(reader.needed() > there);
      const size_t around = secure ? first_block_size(StreamMode::kSecure) + 5 * kSecureBlock
                                   : kPreambleSize + kMessageHeaderSize + 4 + kEpilogueSize;
      MSGR_CHECK(reader.needed() <= around + kLimits.message_bytes_max);
      if (available == size) break;
      available = std::min(size, available + piece);
    }
  }
  return outcome;
}

// All of the stream is late, in two pieces of which the first has `cut` bytes, each in memory of exactly its size.
Outcome read_late(Bytes stream, size_t cut, bool in_session) {
  FrameReader reader(kLimits);
  reader.set_in_session(in_session);
  const std::unique_ptr<uint8_t[]> place(new uint8_t[stream.size()]);
  const auto copy = [](Bytes bytes) {
    std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    return exact;
  };
  const auto first = copy(stream.first(cut));
  const auto second = copy(stream.subspan(cut));
  LateBytes late(place.get(), {first.get(), cut}, {second.get(), stream.size() - cut});
  Outcome outcome;
  while (outcome.frames < kFramesMax) {
    uint8_t* const data = place.get() + outcome.consumed;
    const size_t there = stream.size() - outcome.consumed;
    const ReadStatus status = reader.next(data, there, late);
    if (status == ReadStatus::kError) outcome.error = reader.fault().error;
    if (status != ReadStatus::kFrame) break;
    check_frame(reader.frame(), data, there, in_session);
    outcome.add(reader.frame(), data);
  }
  late.want_all();
  MSGR_CHECK(std::equal(stream.begin(), stream.end(), place.get()));
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size < 2 || size > kInputMax) return 0;
  const uint8_t flags = input[0];
  const size_t piece = 1 + size_t{input[1]};
  size -= 2;
  static uint8_t data[kInputMax];
  std::memcpy(data, input + 2, size);
  const bool in_session = (flags & 2) != 0;
  const bool secure = (flags & 8) != 0;
  Buffer wire;
  if (secure) {
    // Every first block that the walk comes to gets a preamble that is believed.
    if ((flags & 1) != 0) repair_sealed(data, size);
    wire = seal({data, size});
    if ((flags & 16) != 0 && !wire.empty()) wire[(size_t{input[1]} * 41) % wire.size()] ^= 1;
  } else {
    if ((flags & 1) != 0) repair(data, size);
    wire.assign(data, data + size);
  }
  const Outcome whole = read(wire.data(), wire.size(), std::max<size_t>(wire.size(), 1), in_session, secure);
  if ((flags & 4) == 0) return 0;
  const Outcome pieces = read(wire.data(), wire.size(), piece, in_session, secure);
  MSGR_CHECK(pieces == whole);
  if (!secure) MSGR_CHECK(read_late(wire, std::min(piece, wire.size()), in_session) == whole);
  return 0;
}
