// The few conversions that the binding needs, over the C interface of Node-API. Arguments come from
// src/native.ts alone, so a wrong type is a programmer's mistake: it becomes 0, false or empty, never a
// wild pointer.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/bytes.h"
#include "core/base/slab.h"

namespace msgr {

// The arguments of one call from JavaScript, and `this`.
class Call {
 public:
  static constexpr size_t kArgumentsMax = 8;

  Call(napi_env env, napi_callback_info info) : env_(env) {
    napi_get_cb_info(env, info, &count_, values_, &self_, nullptr);
  }
  [[nodiscard]] napi_env env() const { return env_; }
  [[nodiscard]] napi_value self() const { return self_; }
  [[nodiscard]] napi_value value(size_t index) const { return values_[index]; }
  [[nodiscard]] uint32_t u32(size_t index) const {
    uint32_t value = 0;
    napi_get_value_uint32(env_, values_[index], &value);
    return value;
  }
  [[nodiscard]] int32_t i32(size_t index) const {
    int32_t value = 0;
    napi_get_value_int32(env_, values_[index], &value);
    return value;
  }
  [[nodiscard]] uint64_t u64(size_t index) const {
    uint64_t value = 0;
    bool lossless = false;
    napi_get_value_bigint_uint64(env_, values_[index], &value, &lossless);
    return value;
  }
  [[nodiscard]] bool boolean(size_t index) const {
    bool value = false;
    napi_get_value_bool(env_, values_[index], &value);
    return value;
  }
  [[nodiscard]] std::string text(size_t index) const;
  // Of a typed array; valid during the call.
  [[nodiscard]] Bytes bytes(size_t index) const;

 private:
  napi_env env_;
  napi_value self_ = nullptr;
  napi_value values_[kArgumentsMax] = {};
  size_t count_ = kArgumentsMax;
};

// Fields of an options object; a field that is absent gives the fallback.
class OptionsObject {
 public:
  OptionsObject(napi_env env, napi_value object) : env_(env), object_(object) {}
  [[nodiscard]] int32_t integer(const char* name, int32_t fallback) const;
  [[nodiscard]] double number(const char* name, double fallback) const;
  [[nodiscard]] bool boolean(const char* name, bool fallback) const;
  [[nodiscard]] std::string text(const char* name) const;
  // Null when absent.
  [[nodiscard]] napi_value object(const char* name) const;

 private:
  [[nodiscard]] napi_value get(const char* name, napi_valuetype type) const;

  napi_env env_;
  napi_value object_;
};

class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) {
    opened_ = napi_open_handle_scope(env, &scope_) == napi_ok;
  }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;
  ~HandleScope() {
    if (opened_) napi_close_handle_scope(env_, scope_);
  }
  // False when the environment is going away and no value can be made any more.
  [[nodiscard]] bool opened() const { return opened_; }

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
  bool opened_;
};

[[nodiscard]] napi_value number_value(napi_env env, double value);
[[nodiscard]] napi_value boolean_value(napi_env env, bool value);
[[nodiscard]] napi_value undefined_value(napi_env env);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);
// Throws an Error with a code, for what src/native.ts turns into a MsgrError.
void throw_error(napi_env env, const char* code, const std::string& message);
// An ArrayBuffer over the slab's first `size` bytes, which holds a reference on the slab until it is
// collected. Null when the host refuses external memory.
[[nodiscard]] napi_value slab_buffer(napi_env env, Slab& slab, size_t size);

}  // namespace msgr
