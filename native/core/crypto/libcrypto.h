// The functions of OpenSSL's libcrypto that the core calls, looked up by name in the running process: a
// Node.js executable carries and exports them, a distribution's Node.js has them from libcrypto.so. The
// addon neither links against libcrypto, which would be a second copy in the process, nor needs its headers
// to be built. Where the host has none of them, secure mode is not offered.
//
// The types are declared here as OpenSSL 3 and 1.1 and BoringSSL have them; a test compares them with
// <openssl/evp.h>.
#pragma once

#include <cstdint>

struct engine_st;
struct evp_cipher_ctx_st;
struct evp_cipher_st;

namespace msgr {

// EVP_CIPHER_CTX_ctrl's commands (EVP_CTRL_AEAD_…).
inline constexpr int kAeadGetTag = 0x10;
inline constexpr int kAeadSetTag = 0x11;

struct Libcrypto {
  evp_cipher_ctx_st* (*context_new)();
  void (*context_free)(evp_cipher_ctx_st*);
  int (*context_control)(evp_cipher_ctx_st*, int command, int size, void* data);
  const evp_cipher_st* (*aes_128_gcm)();
  // With a null cipher and key: another nonce for the same key.
  int (*init)(evp_cipher_ctx_st*, const evp_cipher_st*, engine_st*, const unsigned char* key,
              const unsigned char* nonce, int encrypts);
  int (*update)(evp_cipher_ctx_st*, unsigned char* to, int* to_size, const unsigned char* from,
                int from_size);
  int (*finish)(evp_cipher_ctx_st*, unsigned char* to, int* to_size);
  // Empties the thread's list of errors. What is left there would be taken by the host for its own, a TLS
  // socket's for example.
  void (*errors_clear)();
  // All of them were found.
  bool complete;
};

// Looked up once, by the first that asks; any thread.
[[nodiscard]] const Libcrypto& libcrypto();

}  // namespace msgr
