#include "core/wire/frame_reader.h"

#include <cstring>

#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/wire/tag.h"

namespace msgr {
namespace {


}  // namespace

void FrameReader::reset() {
  needed_ = kPreambleSize;
  preamble_done_ = false;
  accepted_known_ = false;
  in_session_ = false;
  mode_ = StreamMode::kCrc;
  opener_.reset();
  fault_ = {};
}

void FrameReader::secure(std::unique_ptr<Aead> opener) {
  MSGR_CHECK(mode_ == StreamMode::kCrc && !preamble_done_);
  mode_ = StreamMode::kSecure;
  accepted_known_ = false;
  opener_ = std::move(opener);
  needed_ = first_block_size(mode_);
}

bool FrameReader::fail(FrameError error, uint64_t value, uint64_t expected, uint8_t segment) {
  fault_ = {.error = error, .tag = preamble_.tag, .segment = segment, .value = value, .expected = expected};
  return false;
}

template <typename FrameBytes>
ReadStatus FrameReader::next_of_any(uint8_t* data, size_t available, FrameBytes& bytes) {
  if (!preamble_done_) {
    if (available < first_block_size(mode_)) {
      needed_ = first_block_size(mode_);
      return ReadStatus::kNeedMore;
    }
    bytes.want(data + kPreambleSize);
    if (mode_ == StreamMode::kSecure && !open(data, kPreambleSize + kSecureInline, 0)) [[unlikely]]
      return ReadStatus::kError;
    if (!accept_preamble(data)) [[unlikely]]
      return ReadStatus::kError;
  }
  if (available < needed_) return ReadStatus::kNeedMore;
  const ReadStatus status = mode_ == StreamMode::kCrc ? finish_crc(data, bytes) : finish_secure(data);
  preamble_done_ = false;
  needed_ = first_block_size(mode_);
  return status;
}

template ReadStatus FrameReader::next_of_any(uint8_t*, size_t, PresentBytes&);
template ReadStatus FrameReader::next_of_any(uint8_t*, size_t, LateBytes&);

bool FrameReader::accept_preamble(const uint8_t* data) {
  if (accepted_known_ && is_accepted(data)) [[likely]] {
    needed_ = frame_.wire_size;
    preamble_done_ = true;
    return true;
  }
  accepted_known_ = false;
  uint32_t crc_found;
  uint32_t crc_computed;
  if (!parse_preamble(data, preamble_, crc_found, crc_computed)) [[unlikely]] {
    // The tag of a damaged preamble is as doubtful as the rest of it.
    preamble_.tag = 0;
    return fail(FrameError::kPreambleCrc, crc_found, crc_computed);
  }
  if (!check_lengths()) [[unlikely]]
    return false;
  needed_ = static_cast<size_t>(frame_size(mode_, preamble_.segment_count, preamble_.lengths));
  preamble_done_ = true;
  std::memcpy(accepted_, data, kPreambleSize);
  accepted_known_ = true;
  frame_.tag = preamble_.tag;
  frame_.segment_count = preamble_.segment_count;
  frame_.aborted = false;
  frame_.wire_size = static_cast<uint32_t>(needed_);
  if (mode_ == StreamMode::kCrc) lay_out_crc();
  return true;
}

void FrameReader::lay_out_crc() {
  uint32_t offset = kPreambleSize;
  for (size_t i = 0; i < kSegmentCountMax; i++) {
    frame_.offsets[i] = offset;
    frame_.sizes[i] = preamble_.lengths[i];
    offset += preamble_.lengths[i];
    if (i == 0 && preamble_.lengths[0] > 0) offset += sizeof(uint32_t);
  }
}

bool FrameReader::check_lengths() {
  const size_t count = preamble_.segment_count;
  uint32_t(&lengths)[kSegmentCountMax] = preamble_.lengths;
  if (count == 0 || count > kSegmentCountMax) return fail(FrameError::kSegmentCount, count, kSegmentCountMax);
  if (count > 1 && lengths[count - 1] == 0) return fail(FrameError::kLastSegmentEmpty, count, 0);
  // What a peer wrote for segments beyond the count means nothing.
  for (size_t i = count; i < kSegmentCountMax; i++) lengths[i] = 0;

  if (preamble_.tag == static_cast<uint8_t>(Tag::kMessage)) {
    if (lengths[0] != kMessageHeaderSize) {
      return fail(FrameError::kMessageHeaderSize, lengths[0], kMessageHeaderSize);
    }
    // Three u32 do not overflow 64 bits.
    const uint64_t bytes = uint64_t{lengths[1]} + lengths[2] + lengths[3];
    if (bytes > limits_->message_bytes_max) {
      return fail(FrameError::kMessageBytes, bytes, limits_->message_bytes_max);
    }
    if (!in_session_ && bytes > limits_->control_payload_bytes_max) {
      return fail(FrameError::kHandshakeMessage, bytes, limits_->control_payload_bytes_max);
    }
    return true;
  }
  if (count != 1) return fail(FrameError::kControlSegmentCount, count, 1);
  if (lengths[0] > limits_->control_payload_bytes_max) {
    return fail(FrameError::kControlPayloadBytes, lengths[0], limits_->control_payload_bytes_max);
  }
  return true;
}

// One operation in place, its tag right behind it; `segment` is named in the error.
bool FrameReader::open(uint8_t* data, size_t size, uint8_t segment) {
  const uint64_t before = opener_->nonces().taken();
  if (opener_->open(data, size)) [[likely]]
    return true;
  // Of a frame whose preamble has not verified nothing is known.
  if (!preamble_done_) preamble_.tag = 0;
  switch (opener_->error()) {
    case AeadError::kTag:
      return fail(FrameError::kTag, before, 0, segment);
    case AeadError::kNoncesUsed:
      return fail(FrameError::kNoncesUsed, before, 0, segment);
    default:
      return fail(FrameError::kCipher, before, 0, segment);
  }
}

// The first block is open already. Padding is not looked at: Ceph does not either, and a peer that knows the
// key may write there what it likes.
ReadStatus FrameReader::finish_secure(uint8_t* data) {
  const size_t count = preamble_.segment_count;
  const uint32_t length = preamble_.lengths[0];
  const size_t first = first_block_size(mode_);
  uint32_t offset = kPreambleSize;
  if (length > kSecureInline) {
    // Limits and check_lengths(): a control frame, which ends with this operation.
    MSGR_CHECK(count == 1);
    if (!open(data + first, needed_ - first - kSecureTag, 0)) [[unlikely]]
      return ReadStatus::kError;
    // Over the first block's tag, so that the segment lies in one piece.
    offset += kSecureTag;
    std::memmove(data + offset, data + kPreambleSize, kSecureInline);
  }
  frame_.offsets[0] = offset;
  frame_.sizes[0] = length;
  offset += length;
  if (count > 1) {
    if (!open(data + first, needed_ - first - kSecureTag, 1)) [[unlikely]]
      return ReadStatus::kError;
    offset = static_cast<uint32_t>(first);
  }
  for (size_t i = 1; i < kSegmentCountMax; i++) {
    frame_.offsets[i] = offset;
    frame_.sizes[i] = preamble_.lengths[i];
    offset += preamble_.lengths[i];
    if (i + 1 < count) offset += static_cast<uint32_t>(secure_padding(preamble_.lengths[i]));
  }
  if (count > 1 && !take_late_status(data[needed_ - kSecureTag - kSecureBlock])) [[unlikely]]
    return ReadStatus::kError;
  return ReadStatus::kFrame;
}

}  // namespace msgr
