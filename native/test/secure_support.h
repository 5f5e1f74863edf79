// Secure mode by the book, for tests and fuzzers: frames sealed and opened with <openssl/evp.h>, a context for
// each operation and one piece after the other. It shares nothing with the core but the preamble's layout.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <vector>

#include "core/crypto/stream_secrets.h"
#include "test/support.h"

namespace msgr::test {

// Two ends of one stream.
struct SecretsPair {
  StreamSecrets near;
  StreamSecrets far;
};

inline SecretsPair make_secrets(uint64_t seed) {
  Random random(seed);
  const Buffer key = random.bytes(kAeadKeySize);
  const Buffer one = random.bytes(kAeadNonceSize);
  const Buffer other = random.bytes(kAeadNonceSize);
  SecretsPair pair;
  MSGR_CHECK(pair.near.assign(key, one, other) && pair.far.assign(key, other, one));
  return pair;
}

// One direction of a stream: counts the operations, and with them the nonces, by itself.
class Reference {
 public:
  Reference(const uint8_t (&key)[kAeadKeySize], const uint8_t (&nonce)[kAeadNonceSize]) {
    std::copy_n(key, sizeof key_, key_);
    std::copy_n(nonce, sizeof nonce_, nonce_);
  }
  // What the end with `secrets` seals, or (as its peer would) what it is to open.
  static Reference sent_by(const StreamSecrets& secrets) { return {secrets.key, secrets.send_nonce}; }
  static Reference received_by(const StreamSecrets& secrets) { return {secrets.key, secrets.receive_nonce}; }

  // Operations so far.
  [[nodiscard]] uint64_t count() const { return count_; }

  // Ciphertext and tag.
  Buffer seal(Bytes plain) {
    Buffer sealed(plain.size() + 16);
    EVP_CIPHER_CTX* context = begin(1);
    int size = 0;
    MSGR_CHECK(EVP_EncryptUpdate(context, sealed.data(), &size, plain.data(),
                                 static_cast<int>(plain.size())) == 1);
    MSGR_CHECK(EVP_EncryptFinal_ex(context, sealed.data() + size, &size) == 1);
    MSGR_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, sealed.data() + plain.size()) == 1);
    EVP_CIPHER_CTX_free(context);
    return sealed;
  }
  // Empty when the tag does not verify.
  Buffer open(Bytes sealed) {
    Buffer plain(sealed.size() - 16);
    EVP_CIPHER_CTX* context = begin(0);
    int size = 0;
    MSGR_CHECK(EVP_DecryptUpdate(context, plain.data(), &size, sealed.data(),
                                 static_cast<int>(plain.size())) == 1);
    auto* tag = const_cast<uint8_t*>(sealed.data() + plain.size());
    MSGR_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, tag) == 1);
    if (EVP_DecryptFinal_ex(context, plain.data() + size, &size) != 1) plain.clear();
    EVP_CIPHER_CTX_free(context);
    return plain;
  }

  // A frame with such a preamble, whose CRC is made here, and segments that may be something else than it
  // says. `padding` fills up to whole blocks.
  Buffer frame(Preamble preamble, const std::vector<Buffer>& segments, uint8_t late_status = 0x0e,
               uint8_t padding = 0) {
    Buffer first(kPreambleSize);
    append_preamble(first.data(), preamble);
    return frame_behind(first, segments, late_status, padding);
  }
  Buffer frame_behind(Buffer first, const std::vector<Buffer>& segments, uint8_t late_status = 0x0e,
                      uint8_t padding = 0) {
    Buffer head = padded(segments[0], padding);
    const size_t inlined = std::min<size_t>(head.size(), 48);
    append_bytes(first, Bytes(head).first(inlined));
    first.resize(80, padding);
    Buffer wire = seal(first);
    if (head.size() > 48) append_bytes(wire, seal(Bytes(head).subspan(48)));
    if (segments.size() > 1) {
      Buffer body;
      for (size_t i = 1; i < segments.size(); i++) append_bytes(body, padded(segments[i], padding));
      body.push_back(late_status);
      body.resize(body.size() + 15, padding);
      append_bytes(wire, seal(body));
    }
    return wire;
  }

  // The sealed form of a plain frame as frame_writer.h makes it.
  Buffer seal_plain(const Buffer& plain) {
    Preamble preamble;
    uint32_t found;
    uint32_t computed;
    MSGR_CHECK(parse_preamble(plain.data(), preamble, found, computed));
    std::vector<Buffer> segments;
    size_t at = kPreambleSize;
    for (size_t i = 0; i < preamble.segment_count; i++) {
      segments.emplace_back(plain.begin() + static_cast<ptrdiff_t>(at),
                            plain.begin() + static_cast<ptrdiff_t>(at + preamble.lengths[i]));
      at += preamble.lengths[i];
      if (i == 0 && preamble.lengths[0] > 0) at += 4;
    }
    return frame(preamble, segments, preamble.segment_count > 1 ? plain[at] : 0);
  }

 private:
  static Buffer padded(Buffer bytes, uint8_t padding) {
    bytes.resize((bytes.size() + 15) / 16 * 16, padding);
    return bytes;
  }
  EVP_CIPHER_CTX* begin(int encrypts) {
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    MSGR_CHECK(EVP_CipherInit_ex(context, EVP_aes_128_gcm(), nullptr, key_, nonce_, encrypts) == 1);
    // Byte by byte: a u64 in little-endian order behind the fixed four bytes.
    for (size_t i = 4; i < sizeof nonce_ && ++nonce_[i] == 0; i++) {
    }
    count_++;
    return context;
  }

  uint8_t key_[kAeadKeySize];
  uint8_t nonce_[kAeadNonceSize];
  uint64_t count_ = 0;
};

}  // namespace msgr::test
