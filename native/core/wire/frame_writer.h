// Makes frames in the caller's memory, around payload bytes that lie in their place already:
//
//   ┌─────────────┬───────────┬─────────┬───────┬────────┬──────┬─────────────┐
//   │ preamble 32 │ header 41 │ crc 4   │ front │ middle │ data │ epilogue 13 │
//   └─────────────┴───────────┴─────────┴───────┴────────┴──────┴─────────────┘
//   frame         +32         +73       +77  the gap            only when front, middle or data has bytes
//
// The sender reserves message_frame_size() bytes, writes front, middle and data one behind the other at
// kMessageGapOffset, and finish_message() fills in the rest. Segments that lie elsewhere ("lent") take no
// room in the frame: the bytes behind them move up, and the outbox splices them in by iovec.
//
// The outbox keeps frames in this plain form. In secure mode they are sealed when they are written to a
// socket, as each socket has keys of its own (frame_sealer.h); they need no CRCs of the payload then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"
#include "core/wire/epilogue.h"
#include "core/wire/message_header.h"
#include "core/wire/preamble.h"
#include "core/wire/stream_mode.h"

namespace msgr {

struct MessageSizes {
  uint32_t front = 0;
  uint32_t middle = 0;
  uint32_t data = 0;
};

// Segments on the wire, the header's included: trailing empty ones are dropped.
[[nodiscard]] inline size_t message_segment_count(const MessageSizes& sizes) {
  return sizes.data > 0 ? 4 : sizes.middle > 0 ? 3 : sizes.front > 0 ? 2 : 1;
}

// The preamble of messages with the same three sizes, which mostly follow one another.
class MessagePreamble {
 public:
  MessagePreamble() { make({}); }
  // kPreambleSize bytes, until the next call.
  [[nodiscard]] const uint8_t* of(const MessageSizes& sizes) {
    if (sizes.front != sizes_.front || sizes.middle != sizes_.middle || sizes.data != sizes_.data) {
      make(sizes);
    }
    return bytes_;
  }

 private:
  void make(const MessageSizes& sizes);

  MessageSizes sizes_;
  uint8_t bytes_[kPreambleSize];
};

// Bytes of a message's frame on the wire.
[[nodiscard]] uint64_t message_frame_size(const MessageSizes& sizes);

// finish_message()'s end of a frame with more than one segment: writes the epilogue behind the gap, with CRCs
// or with zeros in their places. Answers where it ends.
inline uint8_t* finish_epilogue(uint8_t* frame, const MessageSizes& sizes, const uint8_t* lent_front,
                                const uint8_t* lent_data, StreamMode mode) {
  const size_t count = message_segment_count(sizes);
  uint8_t* gap = frame + kMessageGapOffset;
  // A dropped segment's slot is 0; an empty one in the middle gets the CRC of nothing, which is the seed.
  uint32_t crcs[3] = {};
  const auto add = [&](size_t segment, const uint8_t* lent, uint32_t size) {
    if (segment >= count) return;
    const uint8_t* data = lent != nullptr ? lent : gap;
    if (mode == StreamMode::kCrc) crcs[segment - 1] = segment_crc(data, size);
    if (lent == nullptr) gap += size;
  };
  add(1, lent_front, sizes.front);
  add(2, nullptr, sizes.middle);
  add(3, lent_data, sizes.data);
  append_epilogue(gap, kLateStatusComplete, crcs);
  return gap + kEpilogueSize;
}

// Fills in preamble, header, CRCs and epilogue. A lent segment's bytes are read for the CRC; the pointer
// is null for one that lies in the gap. Answers how many bytes of `frame` belong to the frame, which is
// message_frame_size() less the lent bytes.
// `preamble` is the caller's for all of its messages.
// `mode` is the one that the frame is likely to leave in. kSecure: the CRCs of front, middle and data are
// left out, and the payload is not read.
// Inline, as a header that went through memory in pieces would be waited for when it is read in one.
inline uint32_t finish_message(uint8_t* frame, MessagePreamble& preamble, const MessageHeader& header,
                               const MessageSizes& sizes, const uint8_t* lent_front = nullptr,
                               const uint8_t* lent_data = nullptr, StreamMode mode = StreamMode::kCrc) {
  std::memcpy(frame, preamble.of(sizes), kPreambleSize);
  const uint32_t header_crc = append_message_header(frame + kPreambleSize, header);
  store_u32(frame + kPreambleSize + kMessageHeaderSize, header_crc);
  if (message_segment_count(sizes) == 1) return kMessageGapOffset;
  return static_cast<uint32_t>(finish_epilogue(frame, sizes, lent_front, lent_data, mode) - frame);
}

// Makes the CRCs that were left out of a finished frame.
void add_message_crcs(uint8_t* frame, const uint8_t* lent_front, const uint8_t* lent_data);

// Changes ack_seq of a finished frame, CRC included.
void patch_message_ack_seq(uint8_t* frame, uint64_t ack_seq);

// Bytes of a single-segment frame with such a payload.
[[nodiscard]] inline size_t control_frame_size(size_t payload_size) {
  return kPreambleSize + payload_size + (payload_size > 0 ? sizeof(uint32_t) : 0);
}

// Writes a whole control frame of control_frame_size() bytes. `payload` must not overlap `to`.
void append_control_frame(uint8_t* to, uint8_t tag, Bytes payload);

}  // namespace msgr
