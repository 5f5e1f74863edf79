// The keys of secure mode for one end of a byte stream: what the handshake's connection secret was cut
// into (src/protocol/stream-secrets.ts). Every copy wipes itself when it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/bytes.h"

namespace msgr {

inline constexpr size_t kAeadKeySize = 16;
inline constexpr size_t kAeadNonceSize = 12;

struct StreamSecrets {
  // The same in both directions.
  uint8_t key[kAeadKeySize];
  uint8_t receive_nonce[kAeadNonceSize];
  uint8_t send_nonce[kAeadNonceSize];

  StreamSecrets() = default;
  StreamSecrets(const StreamSecrets&) = default;
  StreamSecrets& operator=(const StreamSecrets&) = default;
  ~StreamSecrets() { explicit_bzero(this, sizeof *this); }

  // False when a part has not its size.
  [[nodiscard]] bool assign(Bytes new_key, Bytes new_receive_nonce, Bytes new_send_nonce) {
    if (new_key.size() != sizeof key || new_receive_nonce.size() != sizeof receive_nonce ||
        new_send_nonce.size() != sizeof send_nonce) {
      return false;
    }
    std::memcpy(key, new_key.data(), sizeof key);
    std::memcpy(receive_nonce, new_receive_nonce.data(), sizeof receive_nonce);
    std::memcpy(send_nonce, new_send_nonce.data(), sizeof send_nonce);
    return true;
  }
};

}  // namespace msgr
