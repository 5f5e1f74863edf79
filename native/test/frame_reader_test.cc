#include <doctest/doctest.h>

#include "core/wire/frame_reader.h"
#include "test/allocations.h"
#include "test/golden.h"
#include "test/support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

const Limits kLimits = small_limits();

FrameReader session_reader() {
  FrameReader reader(kLimits);
  reader.set_in_session(true);
  return reader;
}

// Every kind of frame that a session may see.
std::vector<Buffer> sample_frames() {
  Random random(7);
  std::vector<Buffer> frames;
  for (const Bytes golden :
       {Bytes(kGoldenHello), Bytes(kGoldenWait), Bytes(kGoldenAck), Bytes(kGoldenKeepalive),
        Bytes(kGoldenEmptyMessage), Bytes(kGoldenDataMessage)}) {
    frames.emplace_back(golden.begin(), golden.end());
  }
  const MessageHeader header{.seq = 1, .tid = 2, .ack_seq = 3, .type = 42};
  frames.push_back(message_frame(header, random.bytes(64)));
  frames.push_back(message_frame(header, {}, random.bytes(5)));
  frames.push_back(message_frame(header, {}, {}, random.bytes(33)));
  frames.push_back(message_frame(header, random.bytes(20), random.bytes(30), random.bytes(40)));
  return frames;
}

// What the reader says of a whole frame given at once.
FrameError error_of(Buffer frame, bool in_session = true) {
  FrameReader reader(kLimits);
  reader.set_in_session(in_session);
  const FrameView& view = reader.frame();
  // Behind the frame lie bytes of the next one, which must not matter.
  const size_t size = frame.size();
  frame.resize(size + 100, 0xa5);
  switch (reader.next(frame.data(), frame.size())) {
    case ReadStatus::kFrame:
      CHECK(view.wire_size == size);
      return FrameError::kNone;
    case ReadStatus::kError:
      CHECK(reader.fault().error != FrameError::kNone);
      return reader.fault().error;
    case ReadStatus::kNeedMore:
      FAIL("a whole frame needs more");
  }
  return FrameError::kNone;
}

// What it says when there is a preamble and nothing else: the limits hold before any byte is awaited.
FrameError error_of_preamble(Buffer frame, size_t* needed = nullptr, bool in_session = true) {
  FrameReader reader(kLimits);
  reader.set_in_session(in_session);
  const ReadStatus status = reader.next(frame.data(), kPreambleSize);
  if (needed != nullptr) *needed = reader.needed();
  return status == ReadStatus::kError ? reader.fault().error : FrameError::kNone;
}

}  // namespace

TEST_CASE("frame reader: every frame cut at every byte waits for the rest") {
  for (Buffer& frame : sample_frames()) {
    for (size_t cut = 0; cut < frame.size(); cut++) {
      FrameReader reader = session_reader();
      // Exactly the bytes that are there, so that a sanitizer sees one read too many.
      Buffer part(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(cut));
      const FrameView& view = reader.frame();
      REQUIRE(reader.next(part.data(), part.size()) == ReadStatus::kNeedMore);
      REQUIRE(reader.needed() == (cut < kPreambleSize ? kPreambleSize : frame.size()));
      REQUIRE(reader.in_frame() == (cut >= kPreambleSize));
      // The rest comes, at another place in memory.
      Buffer whole = frame;
      REQUIRE(reader.next(whole.data(), whole.size()) == ReadStatus::kFrame);
      REQUIRE(view.wire_size == frame.size());
    }
  }
}

TEST_CASE("frame reader: byte by byte gives every frame once") {
  Buffer stream;
  const std::vector<Buffer> frames = sample_frames();
  for (const Buffer& frame : frames) append_bytes(stream, frame);
  FrameReader reader = session_reader();
  size_t at = 0;
  size_t count = 0;
  for (size_t end = 0; end <= stream.size(); end++) {
    const FrameView& view = reader.frame();
    const ReadStatus status = reader.next(stream.data() + at, end - at);
    REQUIRE(status != ReadStatus::kError);
    if (status == ReadStatus::kFrame) {
      REQUIRE(view.wire_size == frames[count].size());
      REQUIRE(view.tag == frames[count][0]);
      at += view.wire_size;
      count++;
    }
  }
  CHECK(count == frames.size());
  CHECK(at == stream.size());
}

TEST_CASE("frame reader: every byte of a frame changed is seen") {
  // Bytes that no check covers: padding fields that Ceph ignores as well, and slots of dropped segments.
  for (const Buffer& frame : sample_frames()) {
    const bool epilogue = frame[1] > 1;
    for (size_t i = 0; i < frame.size(); i++) {
      for (const uint8_t change : {0x01, 0x80, 0xff}) {
        Buffer damaged = frame;
        damaged[i] ^= change;
        const FrameError error = error_of(damaged);
        CAPTURE(i);
        if (i < kPreambleSize) {
          REQUIRE(error == FrameError::kPreambleCrc);
          continue;
        }
        const size_t slots = frame.size() - 12;
        if (epilogue && i >= slots + 4 * (size_t{frame[1]} - 1)) {
          REQUIRE(error == FrameError::kNone);
        } else if (epilogue && i == slots - 1) {
          // late_status 0x0e, of which the low nibble counts: 0x8e is complete too, 0xf1 is aborted.
          REQUIRE(error == (change == 0x01 ? FrameError::kLateStatus : FrameError::kNone));
        } else {
          REQUIRE(error == FrameError::kSegmentCrc);
        }
      }
    }
  }
}

TEST_CASE("frame reader: every late_status") {
  const Buffer frame = message_frame({.seq = 1, .type = 42}, Buffer(10, 1));
  for (int status = 0; status < 256; status++) {
    Buffer changed = frame;
    changed[changed.size() - kEpilogueSize] = static_cast<uint8_t>(status);
    FrameReader reader = session_reader();
    const FrameView& view = reader.frame();
    const ReadStatus read = reader.next(changed.data(), changed.size());
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
      CHECK(reader.fault().value == static_cast<uint64_t>(status));
    }
  }
}

TEST_CASE("frame reader: every number of segments, with every tag") {
  for (int tag = 0; tag < 256; tag++) {
    const bool message = tag == static_cast<int>(Tag::kMessage);
    for (int count = 0; count < 256; count++) {
      Preamble preamble{.tag = static_cast<uint8_t>(tag),
                        .segment_count = static_cast<uint8_t>(count),
                        .lengths = {41, 1, 1, 1},
                        .alignments = {}};
      Buffer frame(kPreambleSize);
      append_preamble(frame.data(), preamble);
      size_t needed = 0;
      const FrameError error = error_of_preamble(frame, &needed);
      CAPTURE(tag);
      CAPTURE(count);
      if (count == 0 || count > 4) {
        REQUIRE(error == FrameError::kSegmentCount);
      } else if (count > 1 && !message) {
        REQUIRE(error == FrameError::kControlSegmentCount);
      } else {
        REQUIRE(error == FrameError::kNone);
        REQUIRE(needed == 32u + 41 + 4 + static_cast<size_t>(count - 1) + (count > 1 ? 13 : 0));
      }
    }
  }
}

TEST_CASE("frame reader: every length field at its boundary values") {
  for (const Tag tag : {Tag::kHello, Tag::kAck, Tag::kKeepalive2, Tag::kMessage}) {
    for (int count = 1; count <= 4; count++) {
      for (int field = 0; field < 4; field++) {
        for (int boundary = 0; boundary < 9; boundary++) {
          Preamble preamble{.tag = static_cast<uint8_t>(tag),
                            .segment_count = static_cast<uint8_t>(count),
                            .lengths = {41, 10, 20, 30},
                            .alignments = {}};
          const uint32_t length = preamble.lengths[field];
          const uint32_t limit = static_cast<uint32_t>(
              tag == Tag::kMessage ? kLimits.message_bytes_max : kLimits.control_payload_bytes_max);
          const uint32_t values[] = {0,          1,          length - 1, length + 1, 0x7fffffff,
                                     0x80000000, 0xffffffff, limit,      limit + 1};
          preamble.lengths[field] = values[boundary];
          Buffer frame(kPreambleSize);
          append_preamble(frame.data(), preamble);
          size_t needed = 0;
          const FrameError error = error_of_preamble(frame, &needed);
          CAPTURE(static_cast<int>(tag));
          CAPTURE(count);
          CAPTURE(field);
          CAPTURE(values[boundary]);
          uint64_t payload = 0;
          for (int i = 1; i < count; i++) payload += preamble.lengths[i];
          if (count > 1 && preamble.lengths[count - 1] == 0) {
            REQUIRE(error == FrameError::kLastSegmentEmpty);
          } else if (tag == Tag::kMessage) {
            FrameError expected = FrameError::kNone;
            if (payload > kLimits.message_bytes_max) expected = FrameError::kMessageBytes;
            if (preamble.lengths[0] != 41) expected = FrameError::kMessageHeaderSize;
            REQUIRE(error == expected);
          } else {
            FrameError expected = FrameError::kNone;
            if (preamble.lengths[0] > kLimits.control_payload_bytes_max)
              expected = FrameError::kControlPayloadBytes;
            if (count > 1) expected = FrameError::kControlSegmentCount;
            REQUIRE(error == expected);
          }
          if (error == FrameError::kNone) {
            REQUIRE(needed <= kPreambleSize + kLimits.message_bytes_max + 41 + 4 + 13);
          }
        }
      }
    }
  }
}

TEST_CASE("frame reader: three lengths whose sum overflows 32 bits") {
  Buffer frame(kPreambleSize);
  Preamble preamble{
      .tag = 17, .segment_count = 4, .lengths = {41, 0x80000000, 0x7fffffff, 2}, .alignments = {}};
  append_preamble(frame.data(), preamble);
  CHECK(error_of_preamble(frame) == FrameError::kMessageBytes);
  for (size_t i = 1; i < 4; i++) preamble.lengths[i] = 0xffffffff;
  append_preamble(frame.data(), preamble);
  CHECK(error_of_preamble(frame) == FrameError::kMessageBytes);
}

TEST_CASE("frame reader: a message header of every size but 41 is refused") {
  for (uint32_t size = 0; size < 100; size++) {
    Buffer frame(kPreambleSize);
    append_preamble(frame.data(), {.tag = 17, .segment_count = 1, .lengths = {size}, .alignments = {}});
    CHECK(error_of_preamble(frame) == (size == 41 ? FrameError::kNone : FrameError::kMessageHeaderSize));
  }
}

TEST_CASE("frame reader: before the session a message may not be longer than a control frame") {
  Buffer frame(kPreambleSize);
  const auto limit = static_cast<uint32_t>(kLimits.control_payload_bytes_max);
  append_preamble(frame.data(), {.tag = 17, .segment_count = 2, .lengths = {41, limit}, .alignments = {}});
  CHECK(error_of_preamble(frame, nullptr, false) == FrameError::kNone);
  append_preamble(frame.data(),
                  {.tag = 17, .segment_count = 2, .lengths = {41, limit + 1}, .alignments = {}});
  CHECK(error_of_preamble(frame, nullptr, false) == FrameError::kHandshakeMessage);
  CHECK(error_of_preamble(frame, nullptr, true) == FrameError::kNone);
}

TEST_CASE("frame reader: a preamble is judged the same behind one like it, or nearly like it") {
  const std::vector<Buffer> frames = sample_frames();
  for (const Buffer& before : frames) {
    for (const Buffer& frame : frames) {
      FrameReader reader = session_reader();
      const FrameView& view = reader.frame();
      for (Buffer next : {before, before, frame, frame, before}) {
        REQUIRE(reader.next(next.data(), next.size()) == ReadStatus::kFrame);
        REQUIRE(view.wire_size == next.size());
        REQUIRE(view.tag == next[0]);
        REQUIRE(view.segment_count == next[1]);
        REQUIRE(view.sizes[0] == load_u32(next.data() + kPreambleSegmentsOffset));
      }
    }
    for (size_t i = 0; i < kPreambleSize; i++) {
      FrameReader reader = session_reader();
      Buffer first = before;
      REQUIRE(reader.next(first.data(), first.size()) == ReadStatus::kFrame);
      Buffer changed = before;
      changed[i] ^= 0x10;
      REQUIRE(reader.next(changed.data(), changed.size()) == ReadStatus::kError);
      REQUIRE(reader.fault().error == FrameError::kPreambleCrc);
    }
  }
}

TEST_CASE("frame reader: bytes that are copied as they are looked at are the same, and so is what is wrong with them") {
  Random random(17);
  for (int round = 0; round < 2000; round++) {
    CAPTURE(round);
    Buffer stream;
    while (stream.size() < 8000) {
      const auto some = [&] { return random.bytes(random.below(3) == 0 ? 0 : random.below(1500)); };
      append_bytes(stream, random.below(5) == 0
                               ? control_frame(Tag::kKeepalive2, random.bytes(random.below(100)))
                               : message_frame({.seq = 1}, some(), some(), some()));
    }
    if (round % 2 == 1) stream[random.below(static_cast<uint32_t>(stream.size()))] ^= 0x20;
    // What is there already, and the two places of the rest.
    const size_t there = random.below(static_cast<uint32_t>(stream.size()));
    const size_t cut = there + random.below(static_cast<uint32_t>(stream.size() - there) + 1);
    Buffer place(stream.size(), 0xee);
    std::copy_n(stream.data(), there, place.data());
    const Bytes all = stream;
    LateBytes late(place.data() + there, all.subspan(there, cut - there), all.subspan(cut));
    FrameReader expected = session_reader();
    FrameReader reader = session_reader();
    for (size_t at = 0;;) {
      const FrameView& view = expected.frame();
      const FrameView& other = reader.frame();
      const ReadStatus status = expected.next(stream.data() + at, stream.size() - at);
      REQUIRE(reader.next(place.data() + at, stream.size() - at, late) == status);
      if (status != ReadStatus::kFrame) {
        CHECK(reader.fault().error == expected.fault().error);
        CHECK(reader.fault().segment == expected.fault().segment);
        CHECK(reader.fault().value == expected.fault().value);
        break;
      }
      REQUIRE(other.tag == view.tag);
      REQUIRE(std::equal(std::begin(view.offsets), std::end(view.offsets), std::begin(other.offsets)));
      REQUIRE(std::equal(std::begin(view.sizes), std::end(view.sizes), std::begin(other.sizes)));
      at += view.wire_size;
      // All of the frame is in its place, whoever changes the rest of it.
      REQUIRE(std::equal(stream.data() + at - view.wire_size, stream.data() + at, place.data() + at - view.wire_size));
    }
    late.want_all();
    REQUIRE(late.size() == 0);
    REQUIRE(place == stream);
  }
}

TEST_CASE("frame reader: what was let in during a session is no precedent for what comes before the next") {
  const MessageHeader header{.seq = 1};
  Buffer frame = message_frame(header, Buffer(kLimits.control_payload_bytes_max + 1));
  FrameReader reader = session_reader();
  REQUIRE(reader.next(frame.data(), frame.size()) == ReadStatus::kFrame);
  SUBCASE("the same stream") { reader.set_in_session(false); }
  SUBCASE("a new stream") { reader.reset(); }
  CHECK(reader.next(frame.data(), frame.size()) == ReadStatus::kError);
  CHECK(reader.fault().error == FrameError::kHandshakeMessage);
}

TEST_CASE("frame reader: reserved bytes, alignments and dropped lengths are not looked at") {
  Buffer frame = message_frame({.seq = 1, .type = 42}, Buffer(10, 1));
  for (size_t i = 20; i < 28; i++) frame[i] = 0xff;  // segment 3 and the reserved bytes
  frame[6] = 0x77;                                   // alignment of segment 0
  reseal_preamble(frame);
  CHECK(error_of(frame) == FrameError::kNone);
}

TEST_CASE("frame reader: an error names what was found") {
  Buffer frame = message_frame({.seq = 1, .type = 42}, Buffer(10, 1), {}, Buffer(5, 2));
  frame[frame.size() - kEpilogueSize - 1] ^= 1;  // last byte of the data
  FrameReader reader = session_reader();
  REQUIRE(reader.next(frame.data(), frame.size()) == ReadStatus::kError);
  CHECK(reader.fault().error == FrameError::kSegmentCrc);
  CHECK(reader.fault().segment == 3);
  CHECK(reader.fault().tag == 17);
  CHECK(reader.fault().value == load_u32(frame.data() + frame.size() - 4));
  CHECK(reader.fault().expected != reader.fault().value);
  reader.reset();
  Buffer hello(kGoldenHello, kGoldenHello + sizeof kGoldenHello);
  CHECK(reader.next(hello.data(), hello.size()) == ReadStatus::kFrame);
}

TEST_CASE("frame reader: no heap allocation per frame") {
  std::vector<Buffer> frames = sample_frames();
  FrameReader reader = session_reader();
  const uint64_t before = allocation_count();
  size_t seen = 0;
  for (int round = 0; round < 100; round++) {
    for (Buffer& frame : frames) {
      (void)reader.next(frame.data(), frame.size() / 2);
      if (reader.next(frame.data(), frame.size()) == ReadStatus::kFrame) seen++;
    }
  }
  const uint64_t after = allocation_count();
  CHECK(seen == 100 * frames.size());
  CHECK(after - before == 0);
}
