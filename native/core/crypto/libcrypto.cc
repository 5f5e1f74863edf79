#include "core/crypto/libcrypto.h"

#include <dlfcn.h>

namespace msgr {

namespace {

template <typename Function>
bool find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
  return function != nullptr;
}

Libcrypto look_up() {
  Libcrypto found{};
  found.complete = find(found.context_new, "EVP_CIPHER_CTX_new") &&
                   find(found.context_free, "EVP_CIPHER_CTX_free") &&
                   find(found.context_control, "EVP_CIPHER_CTX_ctrl") &&
                   find(found.aes_128_gcm, "EVP_aes_128_gcm") && find(found.init, "EVP_CipherInit_ex") &&
                   find(found.update, "EVP_CipherUpdate") && find(found.finish, "EVP_CipherFinal_ex") &&
                   find(found.errors_clear, "ERR_clear_error");
  return found;
}

}  // namespace

const Libcrypto& libcrypto() {
  static const Libcrypto found = look_up();
  return found;
}

}  // namespace msgr
