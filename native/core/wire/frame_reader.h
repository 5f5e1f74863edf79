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

#include "core/base/limits.h"
#include "core/crypto/aead.h"
#include "core/wire/frame_bytes.h"
#include "core/wire/frame_error.h"
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
  // On kFrame the next call is for the next frame. On kError the stream is lost: fault() says why, and only
  // reset() helps. `bytes` are PresentBytes or, in crc mode, LateBytes; those of a frame are in their place.
  template <typename FrameBytes>
  [[nodiscard]] ReadStatus next(uint8_t* data, size_t available, FrameView& frame, FrameBytes& bytes);
  [[nodiscard]] ReadStatus next(uint8_t* data, size_t available, FrameView& frame) {
    PresentBytes bytes;
    return next(data, available, frame, bytes);
  }

  // After kNeedMore: bytes from the frame's first one that must be there for the next call to get
  // further: those of the preamble, and once that is known, those of the whole frame (at most
  // 2^32 - 1).
  [[nodiscard]] size_t needed() const { return needed_; }
  // Bytes of the frame whose preamble came last, 0 if there was none: the next is likely to be as large.
  [[nodiscard]] size_t latest_size() const { return accepted_known_ ? accepted_size_ : 0; }
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
  [[nodiscard]] bool accept_preamble(const uint8_t* data);
  [[nodiscard]] bool check_lengths();
  template <typename FrameBytes>
  [[nodiscard]] ReadStatus finish_crc(const uint8_t* data, FrameView& frame, FrameBytes& bytes);
  [[nodiscard]] ReadStatus finish_secure(uint8_t* data, FrameView& frame);
  [[nodiscard]] bool open(uint8_t* data, size_t size, uint8_t segment);
  [[nodiscard]] bool take_late_status(uint8_t status, FrameView& frame);
  [[nodiscard]] bool fail(FrameError error, uint64_t value, uint64_t expected, uint8_t segment = 0);

  const Limits* limits_;
  size_t needed_ = kPreambleSize;
  // The last one that was read, and its bytes: the next with the same bytes is judged already. Whatever the
  // judgement depends on besides forgets it.
  Preamble preamble_;
  uint8_t accepted_[kPreambleSize] = {};
  bool accepted_known_ = false;
  // Bytes of its frame.
  size_t accepted_size_ = 0;
  bool preamble_done_ = false;
  bool in_session_ = false;
  StreamMode mode_ = StreamMode::kCrc;
  std::unique_ptr<Aead> opener_;
  FrameFault fault_;
};

}  // namespace msgr
