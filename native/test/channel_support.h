// What the tests of the channel share beside support.h.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "test/support.h"

namespace msgr::test {

inline Bytes text(const char* characters) {
  return {reinterpret_cast<const uint8_t*>(characters), std::strlen(characters)};
}

inline Buffer message_with_seq(uint64_t seq, Bytes front, uint64_t ack_seq = 0) {
  return message_frame({.seq = seq, .tid = 1000 + seq, .ack_seq = ack_seq, .type = 70, .priority = 127},
                       front);
}

// Frames of a stream, by tag and first eight payload bytes.
struct SentFrame {
  uint8_t tag;
  uint64_t word;
  uint64_t ack_seq;
};
inline std::vector<SentFrame> frames_in(Buffer stream) {
  const Limits limits = small_limits();
  FrameReader reader(limits);
  reader.set_in_session(true);
  std::vector<SentFrame> frames;
  size_t at = 0;
  while (at < stream.size()) {
    const FrameView& view = reader.frame();
    REQUIRE(reader.next(stream.data() + at, stream.size() - at) == ReadStatus::kFrame);
    SentFrame frame{view.tag, 0, 0};
    if (view.sizes[0] >= 8) frame.word = load_u64(stream.data() + at + view.offsets[0]);
    if (view.tag == 17)
      frame.ack_seq = load_u64(stream.data() + at + view.offsets[0] + kMessageHeaderAckSeqOffset);
    frames.push_back(frame);
    at += view.wire_size;
  }
  return frames;
}

inline std::vector<Event> of_kind(const Endpoint& endpoint, RecordKind kind) {
  std::vector<Event> found;
  for (const Event& event : endpoint.events) {
    if (event.kind == kind) found.push_back(event);
  }
  return found;
}

}  // namespace msgr::test
