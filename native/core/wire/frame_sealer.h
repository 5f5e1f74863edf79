// Secure mode's writer: plain frames in, as the outbox and the control bytes keep them (frame_writer.h), the
// same frames sealed out. It sits between what waits and the socket, because each socket has keys of its own:
//
//      plain   preamble 32 │ header 41 │ crc 4 │ front │ middle │ data │ epilogue 13
//      sealed  ┌─ GCM ───────────────────┐     ┌─ GCM, each padded to 16 ──────────┐
//              preamble 32 │ header, 48   │ tag │ front │ middle │ data │ epilogue 16 │ tag
//
//      A control frame longer than 48 bytes has what is beyond them in a GCM operation of its own, with a tag
//      behind it. Facts: msgr2.rst, "secure mode" of msgr2.1.
//
// Nothing is buffered: a payload is encrypted from where it lies straight to where it leaves from, small ones
// are copied there first so that one call of the library does for several of them. Plain bytes are never
// changed, as they may be sent again. A message may be given and taken in pieces, however large it is.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/bytes.h"
#include "core/crypto/aead.h"
#include "core/wire/preamble.h"

namespace msgr {

// Plain bytes in several places, taken from the front.
class PlainBytes {
 public:
  PlainBytes(const iovec* pieces, size_t count) : piece_(pieces), end_(pieces + count) { settle(); }
  [[nodiscard]] bool empty() const { return piece_ == end_; }
  // What lies in one place from the first byte on.
  [[nodiscard]] const uint8_t* data() const { return static_cast<const uint8_t*>(piece_->iov_base) + at_; }
  [[nodiscard]] size_t size() const { return piece_->iov_len - at_; }
  void take(size_t size) {
    at_ += size;
    taken_ += size;
    settle();
  }
  // All that were taken.
  [[nodiscard]] size_t taken() const { return taken_; }

 private:
  void settle() {
    while (piece_ != end_ && at_ == piece_->iov_len) {
      piece_++;
      at_ = 0;
    }
  }

  const iovec* piece_;
  const iovec* const end_;
  size_t at_ = 0;
  size_t taken_ = 0;
};

class FrameSealer {
 public:
  explicit FrameSealer(std::unique_ptr<Aead> aead) : aead_(std::move(aead)) {}

  // Seals frames from `plain` into `to`: begins none and takes no more of a payload once `goal` bytes are
  // there, and stops when the room or the plain bytes end. Answers the bytes written; `plain` says what was
  // taken. When nothing was, there is too little room for the next step: a control frame needs all of its
  // size, a message at most 128 bytes.
  // Nothing must be skipped or given twice between two calls. Control frames, and of a message the part
  // before the gap and the epilogue, must each lie in one place.
  // After an error (the Aead's) nothing that was written counts, and no further call is allowed.
  [[nodiscard]] size_t seal(PlainBytes& plain, MutableBytes to, size_t goal);
  [[nodiscard]] AeadError error() const { return aead_->error(); }
  [[nodiscard]] Aead& aead() { return *aead_; }

 private:
  struct Output;

  // Each answers false when it cannot go on: for want of room, or for an error.
  [[nodiscard]] bool begin_frame(PlainBytes& plain, Output& out);
  [[nodiscard]] bool seal_head(const uint8_t* frame, uint32_t length, Output& out);
  [[nodiscard]] bool seal_segments(PlainBytes& plain, Output& out);
  [[nodiscard]] bool end_frame(PlainBytes& plain, Output& out);
  [[nodiscard]] bool flush(Output& out);

  std::unique_ptr<Aead> aead_;
  // The message that is under way, its third operation open: the segment that is next, 0 between two frames,
  // and how much of it is still to come.
  size_t segment_ = 0;
  uint32_t rest_ = 0;
  size_t segment_count_ = 0;
  uint32_t lengths_[kSegmentCountMax] = {};
};

}  // namespace msgr
