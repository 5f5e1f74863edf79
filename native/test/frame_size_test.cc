#include <doctest/doctest.h>

#include "core/wire/frame_writer.h"
#include "core/wire/stream_mode.h"
#include "test/support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

// Header, front, middle and data sizes of Ceph's unit test of its frames, and the bytes of the whole
// frame: msgr2.1 in crc mode and in secure mode.
struct Row {
  uint32_t sizes[kSegmentCountMax];
  uint64_t crc_bytes;
  uint64_t secure_bytes;
};

constexpr Row kRows[] = {
    {{0, 0, 0, 0}, 32, 96},         {{0, 0, 0, 303}, 348, 432},      {{0, 0, 202, 0}, 247, 336},
    {{0, 0, 202, 303}, 550, 640},   {{0, 101, 0, 0}, 146, 240},      {{0, 101, 0, 303}, 449, 544},
    {{0, 101, 202, 0}, 348, 448},   {{0, 101, 202, 303}, 651, 752},  {{1, 0, 0, 0}, 37, 96},
    {{1, 0, 0, 303}, 353, 432},     {{1, 0, 202, 0}, 252, 336},      {{1, 0, 202, 303}, 555, 640},
    {{1, 101, 0, 0}, 151, 240},     {{1, 101, 0, 303}, 454, 544},    {{1, 101, 202, 0}, 353, 448},
    {{1, 101, 202, 303}, 656, 752}, {{48, 0, 0, 0}, 84, 96},         {{48, 0, 0, 303}, 400, 432},
    {{48, 0, 202, 0}, 299, 336},    {{48, 0, 202, 303}, 602, 640},   {{48, 101, 0, 0}, 198, 240},
    {{48, 101, 0, 303}, 501, 544},  {{48, 101, 202, 0}, 400, 448},   {{48, 101, 202, 303}, 703, 752},
    {{49, 0, 0, 0}, 85, 128},       {{49, 0, 0, 303}, 401, 464},     {{49, 0, 202, 0}, 300, 368},
    {{49, 0, 202, 303}, 603, 672},  {{49, 101, 0, 0}, 199, 272},     {{49, 101, 0, 303}, 502, 576},
    {{49, 101, 202, 0}, 401, 480},  {{49, 101, 202, 303}, 704, 784},
};

size_t count_segments(const uint32_t (&sizes)[kSegmentCountMax]) {
  size_t count = kSegmentCountMax;
  while (count > 1 && sizes[count - 1] == 0) count--;
  return count;
}

}  // namespace

TEST_CASE("frame size: 32 combinations in both modes") {
  CHECK(std::size(kRows) == 32);
  for (const Row& row : kRows) {
    CAPTURE(row.sizes[0]);
    CAPTURE(row.sizes[1]);
    CAPTURE(row.sizes[2]);
    CAPTURE(row.sizes[3]);
    const size_t count = count_segments(row.sizes);
    CHECK(frame_size(StreamMode::kCrc, count, row.sizes) == row.crc_bytes);
    CHECK(frame_size(StreamMode::kSecure, count, row.sizes) == row.secure_bytes);
  }
}

TEST_CASE("frame size: pieces that are documented") {
  // 32, 53, 101, 202, 303, 13 and 96, 32, 112, 208, 304, 32.
  const uint32_t full[] = {49, 101, 202, 303};
  CHECK(frame_size(StreamMode::kCrc, 4, full) == 32 + 53 + 101 + 202 + 303 + 13);
  CHECK(frame_size(StreamMode::kSecure, 4, full) == 96 + 32 + 112 + 208 + 304 + 32);
  // A message with data and no middle: 32, 45, 250, 0, 4096, 13 and 96, 0, 256, 0, 4096, 32.
  const uint32_t message[] = {41, 250, 0, 4096};
  CHECK(frame_size(StreamMode::kCrc, 4, message) == 32 + 45 + 250 + 4096 + 13);
  CHECK(frame_size(StreamMode::kSecure, 4, message) == 96 + 256 + 4096 + 32);
  CHECK(message_frame_size({250, 0, 4096}) == 32 + 45 + 250 + 4096 + 13);
  // A signature, for which 68 bytes were once thought enough in both modes.
  const uint32_t signature[] = {32, 0, 0, 0};
  CHECK(frame_size(StreamMode::kCrc, 1, signature) == 68);
  CHECK(frame_size(StreamMode::kSecure, 1, signature) == 96);
}

TEST_CASE("frame size: the largest lengths do not overflow") {
  const uint32_t lengths[] = {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff};
  CHECK(frame_size(StreamMode::kCrc, 4, lengths) == 4 * uint64_t{0xffffffff} + 32 + 4 + 13);
  CHECK(frame_size(StreamMode::kSecure, 4, lengths) == 4 * (uint64_t{1} << 32) + 96 - 48 + 16 + 32);
}

TEST_CASE("frame size: message frames have the size that is said, and come back whole") {
  Random random(4);
  const Limits limits = small_limits();
  for (const uint32_t front : {0u, 1u, 101u, 4096u}) {
    for (const uint32_t middle : {0u, 1u, 202u}) {
      for (const uint32_t data : {0u, 1u, 303u, 65536u}) {
        const Buffer front_bytes = random.bytes(front);
        const Buffer middle_bytes = random.bytes(middle);
        const Buffer data_bytes = random.bytes(data);
        MessageHeader header{
            .seq = random.next(), .tid = random.next(), .ack_seq = random.next(), .type = 70};
        header.priority = 127;
        header.version = 5;
        header.compat_version = 4;
        Buffer frame = message_frame(header, front_bytes, middle_bytes, data_bytes);
        CHECK(frame.size() == message_frame_size({front, middle, data}));
        FrameReader reader(limits);
        reader.set_in_session(true);
        const FrameView& view = reader.frame();
        REQUIRE(reader.next(frame.data(), frame.size()) == ReadStatus::kFrame);
        CHECK(view.wire_size == frame.size());
        CHECK(view.segment_count == message_segment_count({front, middle, data}));
        CHECK(view.sizes[0] == kMessageHeaderSize);
        CHECK(view.sizes[1] == front);
        CHECK(view.sizes[2] == middle);
        CHECK(view.sizes[3] == data);
        CHECK(!view.aborted);
        const MessageHeader back = parse_message_header(frame.data() + view.offsets[0]);
        CHECK(back.seq == header.seq);
        CHECK(back.tid == header.tid);
        CHECK(back.ack_seq == header.ack_seq);
        CHECK(back.type == 70);
        CHECK(back.priority == 127);
        CHECK(back.version == 5);
        CHECK(back.compat_version == 4);
        CHECK(std::equal(front_bytes.begin(), front_bytes.end(), frame.data() + view.offsets[1]));
        CHECK(std::equal(middle_bytes.begin(), middle_bytes.end(), frame.data() + view.offsets[2]));
        CHECK(std::equal(data_bytes.begin(), data_bytes.end(), frame.data() + view.offsets[3]));
      }
    }
  }
}
