#include <doctest/doctest.h>

#include "core/wire/frame_writer.h"
#include "test/golden.h"
#include "test/support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

// Takes a real message apart and makes it again.
void check_message_again(Bytes golden) {
  const Limits limits = small_limits();
  FrameReader reader(limits);
  reader.set_in_session(true);
  Buffer frame(golden.begin(), golden.end());
  const FrameView& view = reader.frame();
  REQUIRE(reader.next(frame.data(), frame.size()) == ReadStatus::kFrame);
  const auto segment = [&](size_t i) { return Bytes(frame.data() + view.offsets[i], view.sizes[i]); };
  const Buffer again =
      message_frame(parse_message_header(frame.data() + view.offsets[0]), segment(1), segment(2), segment(3));
  CHECK(again == frame);
}

void check_control_again(Bytes golden) {
  const Limits limits = small_limits();
  FrameReader reader(limits);
  Buffer frame(golden.begin(), golden.end());
  const FrameView& view = reader.frame();
  REQUIRE(reader.next(frame.data(), frame.size()) == ReadStatus::kFrame);
  CHECK(view.segment_count == 1);
  CHECK(control_frame(view.tag, Bytes(frame.data() + view.offsets[0], view.sizes[0])) == frame);
}

}  // namespace

TEST_CASE("frame writer: real frames are made again byte for byte") {
  check_control_again(kGoldenHello);
  check_control_again(kGoldenWait);
  check_control_again(kGoldenAck);
  check_control_again(kGoldenKeepalive);
  check_message_again(kGoldenEmptyMessage);
  check_message_again(kGoldenDataMessage);
}

TEST_CASE("frame writer: what the real frames hold") {
  const MessageHeader header = parse_message_header(kGoldenDataMessage + kPreambleSize);
  CHECK(header.type == 51);
  CHECK(header.priority == 196);
  CHECK(load_u64(kGoldenAck + kPreambleSize) == 1);
  CHECK(control_frame_size(0) == sizeof kGoldenWait);
  CHECK(control_frame_size(8) == sizeof kGoldenAck);
}

TEST_CASE("frame writer: lent segments give the same bytes as copied ones") {
  MessagePreamble preamble;
  Random random(5);
  const MessageHeader header{.seq = 9, .tid = 10, .ack_seq = 11, .type = 42};
  for (const uint32_t middle_size : {0u, 33u}) {
    for (int lent = 1; lent < 4; lent++) {
      const Buffer front = random.bytes(5000);
      const Buffer middle = random.bytes(middle_size);
      const Buffer data = random.bytes(7000);
      const bool lend_front = (lent & 1) != 0;
      const bool lend_data = (lent & 2) != 0;
      const Buffer plain = message_frame(header, front, middle, data);

      Buffer own(plain.size());
      uint8_t* gap = own.data() + kMessageGapOffset;
      if (!lend_front) gap = std::copy(front.begin(), front.end(), gap);
      gap = std::copy(middle.begin(), middle.end(), gap);
      if (!lend_data) std::copy(data.begin(), data.end(), gap);
      const uint32_t size =
          finish_message(own.data(), preamble, header, {5000, middle_size, 7000},
                         lend_front ? front.data() : nullptr, lend_data ? data.data() : nullptr);
      CHECK(size == plain.size() - (lend_front ? 5000 : 0) - (lend_data ? 7000 : 0));

      Buffer spliced;
      auto take = [&, at = size_t{0}](size_t count) mutable {
        append_bytes(spliced, Bytes(own.data() + at, count));
        at += count;
      };
      take(kMessageGapOffset);
      lend_front ? append_bytes(spliced, front) : take(5000);
      take(middle_size);
      lend_data ? append_bytes(spliced, data) : take(7000);
      take(kEpilogueSize);
      CHECK(spliced == plain);
    }
  }
}

TEST_CASE("frame writer: messages of changing sizes get the preamble of their own") {
  Random random(6);
  MessagePreamble preamble;
  MessageSizes sizes{};
  for (uint64_t seq = 1; seq <= 300; seq++) {
    // Mostly one of the three changes, and now and then none.
    uint32_t* const parts[] = {&sizes.front, &sizes.middle, &sizes.data};
    *parts[random.below(3)] = random.below(3);
    const Buffer payload(sizes.front + sizes.middle + sizes.data, 0x5a);
    const MessageHeader header{.seq = seq};
    Buffer frame(message_frame_size(sizes));
    std::copy(payload.begin(), payload.end(), frame.begin() + kMessageGapOffset);
    CHECK(finish_message(frame.data(), preamble, header, sizes) == frame.size());
    const Bytes all(payload);
    CHECK(frame == message_frame(header, all.first(sizes.front), all.subspan(sizes.front, sizes.middle),
                                 all.last(sizes.data)));
  }
}

TEST_CASE("frame writer: ack_seq is changed in a finished frame and nothing else") {
  Random random(6);
  const Buffer front = random.bytes(100);
  MessageHeader header{.seq = 3, .tid = 4, .ack_seq = 500, .type = 42};
  Buffer frame = message_frame(header, front);
  patch_message_ack_seq(frame.data(), 0);
  header.ack_seq = 0;
  CHECK(frame == message_frame(header, front));
}
