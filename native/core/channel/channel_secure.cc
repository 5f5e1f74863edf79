// A channel in secure mode. Everything that waits is kept as plain frames, as in crc mode, and sealed in the
// order of the wire just before it is written; a frame that is sealed counts as written, as its plain bytes
// are not needed for this socket any more.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/channel/channel.h"

namespace msgr {

namespace {

constexpr size_t kPlainPieces = 64;

FrameError frame_error(AeadError error) {
  return error == AeadError::kNoncesUsed ? FrameError::kNoncesUsed : FrameError::kCipher;
}

}  // namespace

bool Channel::secure(const StreamSecrets& secrets) {
  if (state_ == State::kIdle) return true;
  MSGR_CHECK(state_ == State::kHandshake && expectation_ == Expectation::kNothing && !sealer_);
  auto opener = Aead::create(Aead::Direction::kOpen, secrets.key, secrets.receive_nonce);
  auto sealer = Aead::create(Aead::Direction::kSeal, secrets.key, secrets.send_nonce);
  if (!opener || !sealer) return fail({FrameError::kCipher});
  reader_.secure(std::move(opener));
  sealer_ = std::make_unique<FrameSealer>(std::move(sealer));
  unsealed_control_ = control_.size() - control_written_;
  return true;
}

size_t Channel::gather_sealed(iovec* to, size_t count_max, size_t bytes_max) {
  while (sealed_.size() < bytes_max) {
    iovec pieces[kPlainPieces];
    const size_t count = gather_plain(pieces, kPlainPieces, bytes_max - sealed_.size());
    if (count == 0) break;
    const MutableBytes room = sealed_.room(context_.pool);
    if (room.empty()) {
      // The slab is full; without one there was no memory.
      if (!sealed_.empty()) break;
      (void)fail({FrameError::kNoMemory, 0, 0, context_.pool.slab_bytes(), 0});
      return 0;
    }
    PlainBytes plain(pieces, count);
    const size_t sealed = sealer_->seal(plain, room, bytes_max - sealed_.size());
    if (sealer_->error() != AeadError::kNone) {
      (void)fail({frame_error(sealer_->error()), 0, 0, sealer_->aead().nonces().taken(), 0});
      return 0;
    }
    sealed_.added(sealed);
    took_plain(plain.taken());
    if (plain.taken() > 0) continue;
    // Less than a frame's next step fits behind what waits. A control frame above a slab's size never does.
    if (sealed_.empty()) (void)fail({FrameError::kNoMemory, 0, 0, queued_bytes(), 0});
    break;
  }
  return sealed_.gather(to, count_max);
}

}  // namespace msgr
