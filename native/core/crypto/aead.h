// AES-128-GCM for one direction of a stream, over the host's OpenSSL. One cipher context, made once with
// the key; each operation sets the next nonce only and allocates nothing.
//
//      begin() ─► update() … ─► seal_end(tag) or open_end(tag)          (one operation, one nonce)
//
// There is no additional data. What update() gives while opening is not to be looked at before open_end()
// has said yes.
// Threads: one at a time. The context's key is wiped by OpenSSL when the context is freed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/crypto/libcrypto.h"
#include "core/crypto/nonce.h"

namespace msgr {

inline constexpr size_t kAeadTagSize = 16;

enum class AeadError : uint8_t {
  kNone,
  // Each nonce was used once: nothing can be sealed or opened with this key any more.
  kNoncesUsed,
  // What was opened is not what the peer sealed.
  kTag,
  // The library refused or had no memory.
  kLibrary,
};

class Aead {
 public:
  enum class Direction : uint8_t { kOpen = 0, kSeal = 1 };

  // Whether the host has what create() needs.
  [[nodiscard]] static bool available() { return libcrypto().complete; }
  // Null when it has not, or no memory. `nonce` is the first one.
  [[nodiscard]] static std::unique_ptr<Aead> create(Direction direction, const uint8_t (&key)[kAeadKeySize],
                                                    const uint8_t (&nonce)[kAeadNonceSize]);
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  ~Aead();

  // Each answers false when error() says why; the operation, and with it the stream, is over then.

  [[nodiscard]] bool begin();
  // `to` may be `from`, but they must not overlap otherwise. Below 2^31 bytes; parts need not be whole
  // blocks.
  [[nodiscard]] bool update(uint8_t* to, const uint8_t* from, size_t size);
  // Writes the tag.
  [[nodiscard]] bool seal_end(uint8_t* tag);
  [[nodiscard]] bool open_end(const uint8_t* tag);

  // A whole operation in place, with the tag right behind the `size` bytes.
  [[nodiscard]] bool seal(uint8_t* data, size_t size) {
    return begin() && update(data, data, size) && seal_end(data + size);
  }
  [[nodiscard]] bool open(uint8_t* data, size_t size) {
    return begin() && update(data, data, size) && open_end(data + size);
  }

  [[nodiscard]] AeadError error() const { return error_; }
  [[nodiscard]] Nonces& nonces() { return nonces_; }

 private:
  Aead(evp_cipher_ctx_st* context, const uint8_t (&nonce)[kAeadNonceSize])
      : library_(libcrypto()), context_(context), nonces_(nonce) {}
  [[nodiscard]] bool fail(AeadError error);

  const Libcrypto& library_;
  evp_cipher_ctx_st* const context_;
  Nonces nonces_;
  AeadError error_ = AeadError::kNone;
};

}  // namespace msgr
