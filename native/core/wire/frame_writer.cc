#include "core/wire/frame_writer.h"

#include "core/base/check.h"
#include "core/wire/crc32c.h"
#include "core/wire/crc32c_short.h"
#include "core/wire/tag.h"

namespace msgr {

namespace {

// Hints for the receiver's buffers, as Ceph sends them: header, front, middle, data.
constexpr uint16_t kMessageAlignments[kSegmentCountMax] = {8, 8, 8, 4096};
constexpr uint16_t kControlAlignment = 8;

}  // namespace

uint64_t message_frame_size(const MessageSizes& sizes) {
  const uint32_t lengths[kSegmentCountMax] = {kMessageHeaderSize, sizes.front, sizes.middle, sizes.data};
  return frame_size(StreamMode::kCrc, message_segment_count(sizes), lengths);
}

void MessagePreamble::make(const MessageSizes& sizes) {
  const size_t count = message_segment_count(sizes);
  Preamble preamble{.tag = static_cast<uint8_t>(Tag::kMessage),
                    .segment_count = static_cast<uint8_t>(count),
                    .lengths = {kMessageHeaderSize, sizes.front, sizes.middle, sizes.data},
                    .alignments = {}};
  for (size_t i = 0; i < count; i++) preamble.alignments[i] = kMessageAlignments[i];
  append_preamble(bytes_, preamble);
  sizes_ = sizes;
}

void add_message_crcs(uint8_t* frame, const uint8_t* lent_front, const uint8_t* lent_data) {
  MSGR_CHECK(frame[0] == static_cast<uint8_t>(Tag::kMessage));
  const auto length = [&](size_t segment) {
    return load_u32(frame + kPreambleSegmentsOffset + segment * kPreambleSegmentSize);
  };
  const MessageSizes sizes{length(1), length(2), length(3)};
  if (message_segment_count(sizes) == 1) return;
  (void)finish_epilogue(frame, sizes, lent_front, lent_data, StreamMode::kCrc);
}

void patch_message_ack_seq(uint8_t* frame, uint64_t ack_seq) {
  MSGR_CHECK(frame[0] == static_cast<uint8_t>(Tag::kMessage));
  uint8_t* header = frame + kPreambleSize;
  store_u64(header + kMessageHeaderAckSeqOffset, ack_seq);
  store_u32(header + kMessageHeaderSize, crc32c_short<kMessageHeaderSize>(kSegmentSeed, header));
}

void append_control_frame(uint8_t* to, uint8_t tag, Bytes payload) {
  const auto size = static_cast<uint32_t>(payload.size());
  append_preamble(to, {.tag = tag, .segment_count = 1, .lengths = {size}, .alignments = {kControlAlignment}});
  if (size == 0) return;
  store_u32(to + kPreambleSize + size, crc32c_copy(kSegmentSeed, to + kPreambleSize, payload.data(), size));
}

}  // namespace msgr
