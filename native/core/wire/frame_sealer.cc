#include "core/wire/frame_sealer.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/wire/epilogue.h"
#include "core/wire/frame_writer.h"
#include "core/wire/stream_mode.h"

namespace msgr {

namespace {

// A piece up to this size is copied to its place and encrypted there together with its neighbours, which
// costs less than another call of the library.
constexpr size_t kCopyMax = 512;

}  // namespace

// Where sealed bytes go. From `plain` to `at` lie bytes that are in their place and not encrypted yet.
struct FrameSealer::Output {
  uint8_t* const begin;
  uint8_t* const end;
  uint8_t* const goal;
  uint8_t* plain;
  uint8_t* at;

  [[nodiscard]] size_t room() const { return static_cast<size_t>(end - at); }
  void put(const uint8_t* data, size_t size) {
    std::memcpy(at, data, size);
    at += size;
  }
  void put_zeros(size_t size) {
    std::memset(at, 0, size);
    at += size;
  }
};

size_t FrameSealer::seal(PlainBytes& plain, MutableBytes to, size_t goal) {
  Output out{to.data(), to.data() + to.size(), to.data() + std::min(goal, to.size()), to.data(), to.data()};
  while (!plain.empty()) {
    if (segment_ == 0 && !begin_frame(plain, out)) break;
    if (segment_ == 0) continue;
    if (!seal_segments(plain, out) || !end_frame(plain, out)) break;
  }
  if (aead_->error() != AeadError::kNone || !flush(out)) return 0;
  return static_cast<size_t>(out.at - out.begin);
}

// Encrypts what lies in its place.
bool FrameSealer::flush(Output& out) {
  const auto size = static_cast<size_t>(out.at - out.plain);
  if (size > 0 && !aead_->update(out.plain, out.plain, size)) return false;
  out.plain = out.at;
  return true;
}

bool FrameSealer::begin_frame(PlainBytes& plain, Output& out) {
  if (out.at >= out.goal) return false;
  const uint8_t* frame = plain.data();
  segment_count_ = frame[1];
  for (size_t i = 0; i < kSegmentCountMax; i++) {
    lengths_[i] = load_u32(frame + kPreambleSegmentsOffset + i * kPreambleSegmentSize);
  }
  MSGR_CHECK(segment_count_ >= 1 && segment_count_ <= kSegmentCountMax);
  if (segment_count_ == 1) {
    MSGR_CHECK(plain.size() >= control_frame_size(lengths_[0]));
    if (out.room() < frame_size(StreamMode::kSecure, 1, lengths_)) return false;
    if (!seal_head(frame, lengths_[0], out)) return false;
    plain.take(control_frame_size(lengths_[0]));
    return true;
  }
  // Only messages have more than one, and then the header fits into the first operation.
  MSGR_CHECK(lengths_[0] == kMessageHeaderSize && plain.size() >= kMessageGapOffset);
  if (out.room() < first_block_size(StreamMode::kSecure)) return false;
  if (!seal_head(frame, kMessageHeaderSize, out) || !aead_->begin()) return false;
  plain.take(kMessageGapOffset);
  segment_ = 1;
  rest_ = lengths_[1];
  return true;
}

// Preamble and segment 0, which is `length` bytes long; there is room.
bool FrameSealer::seal_head(const uint8_t* frame, uint32_t length, Output& out) {
  constexpr size_t kHeadSize = kPreambleSize + kSecureInline;
  const size_t inlined = std::min<size_t>(length, kSecureInline);
  uint8_t* block = out.at;
  if (length == kMessageHeaderSize) [[likely]] {
    // Sizes that the compiler knows need no call.
    out.put(frame, kPreambleSize + kMessageHeaderSize);
    out.put_zeros(kSecureInline - kMessageHeaderSize);
  } else {
    out.put(frame, kPreambleSize + inlined);
    out.put_zeros(kSecureInline - inlined);
  }
  if (!aead_->seal(block, kHeadSize)) return false;
  out.at += kSecureTag;
  if (length > kSecureInline) {
    block = out.at;
    out.put(frame + kHeadSize, length - kSecureInline);
    out.put_zeros(secure_padding(length));
    if (!aead_->seal(block, static_cast<size_t>(out.at - block))) return false;
    out.at += kSecureTag;
  }
  out.plain = out.at;
  return true;
}

bool FrameSealer::seal_segments(PlainBytes& plain, Output& out) {
  while (segment_ < segment_count_) {
    if (rest_ > 0) {
      if (plain.empty()) return false;
      size_t size = std::min<size_t>(rest_, plain.size());
      if (size <= std::min(kCopyMax, out.room())) {
        out.put(plain.data(), size);
      } else {
        size = std::min(size, static_cast<size_t>(std::max<ptrdiff_t>(out.goal - out.at, 0)));
        if (size == 0 || !flush(out) || !aead_->update(out.at, plain.data(), size)) return false;
        out.at += size;
        out.plain = out.at;
      }
      plain.take(size);
      rest_ -= static_cast<uint32_t>(size);
      continue;
    }
    const size_t padding = secure_padding(lengths_[segment_]);
    if (out.room() < padding) return false;
    out.put_zeros(padding);
    segment_++;
    rest_ = segment_ < segment_count_ ? lengths_[segment_] : 0;
  }
  return true;
}

bool FrameSealer::end_frame(PlainBytes& plain, Output& out) {
  if (plain.empty() || out.room() < kSecureBlock + kSecureTag) return false;
  MSGR_CHECK(plain.size() >= kEpilogueSize);
  out.put(plain.data(), 1);
  out.put_zeros(kSecureBlock - 1);
  if (!flush(out) || !aead_->seal_end(out.at)) return false;
  out.at += kSecureTag;
  out.plain = out.at;
  plain.take(kEpilogueSize);
  segment_ = 0;
  return true;
}

}  // namespace msgr
