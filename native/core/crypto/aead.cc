#include "core/crypto/aead.h"

#include "core/base/check.h"

namespace msgr {

namespace {

// For init(): what the context was made for.
constexpr int kUnchanged = -1;

}  // namespace

std::unique_ptr<Aead> Aead::create(Direction direction, const uint8_t (&key)[kAeadKeySize],
                                   const uint8_t (&nonce)[kAeadNonceSize]) {
  const Libcrypto& library = libcrypto();
  if (!library.complete) return nullptr;
  evp_cipher_ctx_st* context = library.context_new();
  if (context == nullptr) return nullptr;
  // A nonce of 12 bytes is what GCM takes unless told otherwise.
  const int encrypts = static_cast<int>(direction);
  if (library.init(context, library.aes_128_gcm(), nullptr, key, nonce, encrypts) != 1) {
    library.errors_clear();
    library.context_free(context);
    return nullptr;
  }
  return std::unique_ptr<Aead>(new Aead(context, nonce));
}

Aead::~Aead() { library_.context_free(context_); }

bool Aead::begin() {
  uint8_t nonce[kAeadNonceSize];
  if (!nonces_.take(nonce)) return fail(AeadError::kNoncesUsed);
  if (library_.init(context_, nullptr, nullptr, nullptr, nonce, kUnchanged) == 1) return true;
  return fail(AeadError::kLibrary);
}

bool Aead::update(uint8_t* to, const uint8_t* from, size_t size) {
  MSGR_CHECK(size <= 0x7fffffff);
  int done = 0;
  if (library_.update(context_, to, &done, from, static_cast<int>(size)) == 1) return true;
  return fail(AeadError::kLibrary);
}

bool Aead::seal_end(uint8_t* tag) {
  int done = 0;
  // GCM has nothing left to write; `tag` is only a place that may be written to.
  if (library_.finish(context_, tag, &done) == 1 &&
      library_.context_control(context_, kAeadGetTag, kAeadTagSize, tag) == 1) {
    return true;
  }
  return fail(AeadError::kLibrary);
}

bool Aead::open_end(const uint8_t* tag) {
  // The parameter is not const because the same function writes other things.
  if (library_.context_control(context_, kAeadSetTag, kAeadTagSize, const_cast<uint8_t*>(tag)) != 1) {
    return fail(AeadError::kLibrary);
  }
  uint8_t nothing[kAeadTagSize];
  int done = 0;
  return library_.finish(context_, nothing, &done) == 1 || fail(AeadError::kTag);
}

bool Aead::fail(AeadError error) {
  library_.errors_clear();
  error_ = error;
  return false;
}

}  // namespace msgr
