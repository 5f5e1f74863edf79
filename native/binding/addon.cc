// The addon's exports: the class NativeLoop, the tables that TypeScript is compared with, and a few
// functions that need no loop. src/native.ts declares all of them.
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>

#include "binding/napi_util.h"
#include "binding/native_loop.h"
#include "core/crypto/aead.h"
#include "core/wire/crc32c.h"
#include "core/wire/frame_error.h"

namespace msgr {
namespace {

napi_value crc32c_of(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Bytes bytes = call.bytes(1);
  napi_value result = nullptr;
  napi_create_uint32(env, crc32c(call.u32(0), bytes.data(), bytes.size()), &result);
  return result;
}

// The name of an IPv6 scope, empty when there is none.
napi_value interface_name(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  char name[IF_NAMESIZE] = "";
  if_indextoname(call.u32(0), name);
  napi_value result = nullptr;
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &result);
  return result;
}

// For tests: a socket option as bytes; undefined when it cannot be read.
napi_value socket_option(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  char value[64] = "";
  socklen_t size = sizeof value;
  if (getsockopt(call.i32(0), call.i32(1), call.i32(2), value, &size) != 0) return nullptr;
  napi_value result = nullptr;
  napi_create_buffer_copy(env, size, value, nullptr, &result);
  return result;
}

template <size_t size>
napi_value name_table(napi_env env, const NamedNumber (&names)[size]) {
  napi_value table = nullptr;
  napi_create_object(env, &table);
  for (const NamedNumber& entry : names) set_property(env, table, entry.name, number_value(env, entry.value));
  return table;
}

void set_function(napi_env env, napi_value exports, const char* name, napi_callback call) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
  set_property(env, exports, name, function);
}

napi_value frame_errors(napi_env env) {
  napi_value table = nullptr;
  napi_create_array(env, &table);
  for (const FrameErrorName& entry : kFrameErrorNames) {
    napi_value text = nullptr;
    napi_create_string_utf8(env, entry.text, NAPI_AUTO_LENGTH, &text);
    napi_set_element(env, table, static_cast<uint32_t>(entry.error), text);
  }
  return table;
}

napi_value frame_error_numbers(napi_env env) {
  napi_value table = nullptr;
  napi_create_object(env, &table);
  for (const FrameErrorName& entry : kFrameErrorNames) {
    set_property(env, table, entry.name, number_value(env, static_cast<double>(entry.error)));
  }
  return table;
}

napi_value initialize(napi_env env, napi_value exports) {
  napi_value available = nullptr;
  napi_get_boolean(env, HostLoop::available(), &available);
  set_property(env, exports, "hasHostLoop", available);
  napi_value aead = nullptr;
  napi_get_boolean(env, Aead::available(), &aead);
  set_property(env, exports, "hasAead", aead);
  set_property(env, exports, "NativeLoop", NativeLoop::define(env));
  set_property(env, exports, "recordFields", name_table(env, kRecordFields));
  set_property(env, exports, "recordKinds", name_table(env, kRecordKinds));
  set_property(env, exports, "closeReasons", name_table(env, kCloseReasons));
  set_property(env, exports, "counterNames", name_table(env, kChannelCounterNames));
  set_property(env, exports, "sendFields", name_table(env, kSendFields));
  set_property(env, exports, "controlWords", name_table(env, kControlWords));
  set_property(env, exports, "socketSteps", name_table(env, kSocketSteps));
  set_property(env, exports, "frameErrorNumbers", frame_error_numbers(env));
  set_property(env, exports, "frameErrors", frame_errors(env));
  set_function(env, exports, "crc32c", crc32c_of);
  set_function(env, exports, "interfaceName", interface_name);
  set_function(env, exports, "socketOption", socket_option);
  return exports;
}

}  // namespace
}  // namespace msgr

NAPI_MODULE_INIT() { return msgr::initialize(env, exports); }
