// Bytes in, frames out. Parses in place: nothing is copied or allocated, and the reader owns no bytes. In
// secure mode it decrypts in place too, so that the bytes are no longer those of the wire: the first block
// once it is there, the rest once the frame is whole.
//
// Invariant: a frame is handed out only when all of it is there and every check has passed; what a peer
// declares is held against the limits as soon as the preamble is there, before anybody waits for the
// rest or gets memory for it. Nothing sealed is looked at before its tag has verified.
// One reader per direction of a connection; used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/crypto/aead.h"
#include "core/wire/crc32c_short.h"
#include "core/wire/epilogue.h"
#include "core/wire/frame_bytes.h"
#include "core/wire/frame_error.h"
#include "core/wire/message_header.h"
#include "core/wire/preamble.h"
#include "core/wire/stream_mode.h"

namespace msgr {

enum class ReadStatus : uint8_t { kNeedMore, kFrame, kError };

// A frame whose bytes lie where the caller has them. Offsets count from the frame's first byte.
struct FrameView {
  uint8_t tag;
  uint8_t segment_count;
  // The sender gave the frame up (late_status): to be dropped, the stream goes on behind it.
  bool aborted;
  // Bytes on the wire: where the next frame begins.
  uint32_t wire_size;
  // Of a dropped segment: size 0, offset that of the end of the one before.
  uint32_t offsets[kSegmentCountMax];
  uint32_t sizes[kSegmentCountMax];
};

class FrameReader {
 public:
  explicit FrameReader(const Limits& limits) : limits_(&limits) {}

  // `data` begins with the first byte of a frame; `available` bytes are there. On kNeedMore call again
  // with the same frame from its first byte, as the reader left it, wherever it then lies, and more of it.
  // On kFrame the frame is whole, frame() says where its segments are, and the next call is for the next one. On
  // kError the stream is lost: fault() says why, and only reset() helps. `bytes` are PresentBytes or, in crc mode,
  // LateBytes; those of a frame are in their place.
  // Inline for a frame with the preamble of the one before, as most are, so that what is kept of one frame for the
  // next stays in registers.
  template <typename FrameBytes>
  [[nodiscard]] ReadStatus next(uint8_t* data, size_t available, FrameBytes& bytes) {
    if (accepted_known_ && !preamble_done_ && mode_ == StreamMode::kCrc && available >= frame_.wire_size) [[likely]] {
      bytes.want(data + kPreambleSize);
      if (is_accepted(data)) [[likely]] return finish_crc(data, bytes);
    }
    return next_of_any(data, available, bytes);
  }
  [[nodiscard]] ReadStatus next(uint8_t* data, size_t available) {
    PresentBytes bytes;
    return next(data, available, bytes);
  }
  // After kFrame, until the next call.
  [[nodiscard]] const FrameView& frame() const { return frame_; }

  // After kNeedMore: bytes from the frame's first one that must be there for the next call to get
  // further: those of the preamble, and once that is known, those of the whole frame (at most
  // 2^32 - 1).
  [[nodiscard]] size_t needed() const { return needed_; }
  // Bytes of the frame whose preamble came last, 0 if there was none: the next is likely to be as large.
  [[nodiscard]] size_t latest_size() const { return accepted_known_ ? frame_.wire_size : 0; }
  // Whether the preamble of an incomplete frame was accepted already.
  [[nodiscard]] bool in_frame() const { return preamble_done_; }
  [[nodiscard]] const FrameFault& fault() const { return fault_; }
  [[nodiscard]] StreamMode mode() const { return mode_; }

  // Before the session a MESSAGE breaks the protocol whatever it holds: at most so many bytes as a
  // control frame may have are taken in, to name it in the error.
  void set_in_session(bool in_session) {
    in_session_ = in_session;
    accepted_known_ = false;
  }

  // From the next frame on the stream is in secure mode. Between two frames only, and once.
  void secure(std::unique_ptr<Aead> opener);
  // For tests: null in crc mode.
  [[nodiscard]] Aead* opener() { return opener_.get(); }

  // Ready for the first frame of a new stream, in crc mode and out of session.
  void reset();

 private:
  template <typename FrameBytes>
  [[nodiscard]] ReadStatus next_of_any(uint8_t* data, size_t available, FrameBytes& bytes);
  [[nodiscard]] bool is_accepted(const uint8_t* preamble) const {
    const auto differ = [&](size_t at) { return load_u64(preamble + at) ^ load_u64(accepted_ + at); };
    static_assert(kPreambleSize == 4 * sizeof(uint64_t));
    return (differ(0) | differ(8) | differ(16) | differ(24)) == 0;
  }
  [[nodiscard]] bool accept_preamble(const uint8_t* data);
  [[nodiscard]] bool check_lengths();
  void lay_out_crc();
  template <typename FrameBytes>
  [[nodiscard]] ReadStatus finish_crc(const uint8_t* data, FrameBytes& bytes);
  [[nodiscard]] ReadStatus finish_secure(uint8_t* data);
  [[nodiscard]] bool open(uint8_t* data, size_t size, uint8_t segment);
  [[nodiscard]] bool take_late_status(uint8_t status);
  [[nodiscard]] bool fail(FrameError error, uint64_t value, uint64_t expected, uint8_t segment = 0);

  const Limits* limits_;
  size_t needed_ = kPreambleSize;
  // The last one that was read, and its bytes: the next with the same bytes is judged already. Whatever the
  // judgement depends on besides forgets it.
  Preamble preamble_;
  uint8_t accepted_[kPreambleSize] = {};
  bool accepted_known_ = false;
  // Its frame: in crc mode the next with that preamble has everything at the same places.
  FrameView frame_{};
  bool preamble_done_ = false;
  bool in_session_ = false;
  StreamMode mode_ = StreamMode::kCrc;
  std::unique_ptr<Aead> opener_;
  FrameFault fault_;
};

// Every segment's CRC, and what a sender says of the whole frame at its end.
template <typename FrameBytes>
inline ReadStatus FrameReader::finish_crc(const uint8_t* data, FrameBytes& bytes) {
  const size_t count = frame_.segment_count;
  // The sender of the frame may give it up whatever its CRCs say; Ceph looks at the CRCs first, so do we.
  if (const uint32_t size = frame_.sizes[0]; size > 0) {
    const uint8_t* segment = data + kPreambleSize;
    bytes.want(segment + size + sizeof(uint32_t));
    const uint32_t found = load_u32(segment + size);
    const uint32_t computed = size == kMessageHeaderSize ? crc32c_short<kMessageHeaderSize>(kSegmentSeed, segment)
                                                         : segment_crc(segment, size);
    if (found != computed) [[unlikely]] {
      (void)fail(FrameError::kSegmentCrc, found, computed, 0);
      return ReadStatus::kError;
    }
  }
  uint32_t computed[kSegmentCountMax];
  for (size_t i = 1; i < count; i++) {
    const uint32_t size = frame_.sizes[i];
    computed[i] = size == 0 ? kSegmentSeed : bytes.crc_of(data + frame_.offsets[i], size);
  }
  // With what the next frame most likely begins with: one copy instead of two.
  bytes.want(data + frame_.wire_size + kMessageGapOffset);
  const uint8_t* epilogue = data + frame_.wire_size - kEpilogueSize;
  for (size_t i = 1; i < count; i++) {
    const uint32_t found = epilogue_crc(epilogue, i);
    if (found != computed[i]) [[unlikely]] {
      (void)fail(FrameError::kSegmentCrc, found, computed[i], static_cast<uint8_t>(i));
      return ReadStatus::kError;
    }
  }
  return count == 1 || take_late_status(epilogue[0]) ? ReadStatus::kFrame : ReadStatus::kError;
}

inline bool FrameReader::take_late_status(uint8_t status) {
  frame_.aborted = (status & kLateStatusMask) == kLateStatusAborted;
  if (frame_.aborted || (status & kLateStatusMask) == kLateStatusComplete) [[likely]] return true;
  return fail(FrameError::kLateStatus, status, kLateStatusComplete);
}

}  // namespace msgr
