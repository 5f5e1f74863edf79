#include "binding/napi_util.h"

namespace msgr {

std::string Call::text(size_t index) const {
  size_t size = 0;
  if (napi_get_value_string_utf8(env_, values_[index], nullptr, 0, &size) != napi_ok) return {};
  std::string text(size, '\0');
  napi_get_value_string_utf8(env_, values_[index], text.data(), size + 1, &size);
  return text;
}

Bytes Call::bytes(size_t index) const {
  napi_typedarray_type type;
  size_t size = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env_, values_[index], &type, &size, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    return {};
  }
  return {static_cast<const uint8_t*>(data), size};
}

napi_value OptionsObject::get(const char* name, napi_valuetype type) const {
  napi_value value = nullptr;
  napi_valuetype found = napi_undefined;
  if (object_ == nullptr || napi_get_named_property(env_, object_, name, &value) != napi_ok ||
      napi_typeof(env_, value, &found) != napi_ok || found != type) {
    return nullptr;
  }
  return value;
}

int32_t OptionsObject::integer(const char* name, int32_t fallback) const {
  return static_cast<int32_t>(number(name, fallback));
}

double OptionsObject::number(const char* name, double fallback) const {
  napi_value value = get(name, napi_number);
  if (value != nullptr) napi_get_value_double(env_, value, &fallback);
  return fallback;
}

bool OptionsObject::boolean(const char* name, bool fallback) const {
  napi_value value = get(name, napi_boolean);
  if (value != nullptr) napi_get_value_bool(env_, value, &fallback);
  return fallback;
}

std::string OptionsObject::text(const char* name) const {
  napi_value value = get(name, napi_string);
  if (value == nullptr) return {};
  size_t size = 0;
  napi_get_value_string_utf8(env_, value, nullptr, 0, &size);
  std::string text(size, '\0');
  napi_get_value_string_utf8(env_, value, text.data(), size + 1, &size);
  return text;
}

napi_value OptionsObject::object(const char* name) const { return get(name, napi_object); }

napi_value number_value(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

napi_value boolean_value(napi_env env, bool value) {
  napi_value result = nullptr;
  napi_get_boolean(env, value, &result);
  return result;
}

napi_value undefined_value(napi_env env) {
  napi_value result = nullptr;
  napi_get_undefined(env, &result);
  return result;
}

void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

void throw_error(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
}

napi_value slab_buffer(napi_env env, Slab& slab, size_t size) {
  napi_value buffer = nullptr;
  slab.retain();
  const auto finalize = [](napi_env, void*, void* hint) { static_cast<Slab*>(hint)->release(); };
  if (napi_create_external_arraybuffer(env, slab.data(), size, finalize, &slab, &buffer) != napi_ok) {
    slab.release();
    return nullptr;
  }
  return buffer;
}

}  // namespace msgr
