#include "binding/deliverer.h"

#include "binding/napi_util.h"

namespace msgr {

bool Deliverer::open(napi_env env, napi_value callback, napi_value collect_young, napi_value tables) {
  buffers_.open(env, collect_young);
  napi_value name = nullptr;
  if (napi_create_reference(env, callback, 1, &callback_) != napi_ok ||
      napi_create_string_utf8(env, "msgr2", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, nullptr, name, &context_) != napi_ok) {
    return false;
  }
  for (uint32_t i = 0; i < batches_.size(); i++) {
    napi_value slabs = nullptr;
    if (napi_create_array(env, &slabs) != napi_ok ||
        napi_create_reference(env, slabs, 1, &batches_[i].slabs) != napi_ok ||
        napi_set_element(env, tables, i, slabs) != napi_ok) {
      return false;
    }
  }
  return true;
}

void Deliverer::close(napi_env env) {
  if (callback_ != nullptr) napi_delete_reference(env, callback_);
  callback_ = nullptr;
  buffers_.close(env);
  for (BatchState& state : batches_) {
    if (state.slabs != nullptr) napi_delete_reference(env, state.slabs);
    state.slabs = nullptr;
  }
}

bool Deliverer::deliver(napi_env env, uint32_t index, ReceiveBatch& batch) {
  HandleScope scope(env);
  BatchState& state = batches_[index];
  napi_value callback = nullptr;
  if (!scope.opened() || callback_ == nullptr ||
      napi_get_reference_value(env, callback_, &callback) != napi_ok) {
    return false;
  }
  // Usually JavaScript has what it needs already.
  napi_value slabs = nullptr;
  const auto& held = batch.records().slabs();
  if (held.size() != 1 || !state.has_young(*held[0], buffers_)) {
    // The buffer that JavaScript still has must not be old by it.
    if (state.made_at == buffers_.collections()) buffers_.collect_if_due(env);
    if (napi_get_reference_value(env, state.slabs, &slabs) != napi_ok) return false;
    if (!install(env, state, batch, slabs)) return false;
  }
  napi_value answer = nullptr;
  const napi_status status = napi_call_function(env, undefined_value(env), callback, 0, nullptr, &answer);
  bool kept = true;
  if (status == napi_ok) {
    napi_get_value_bool(env, answer, &kept);
  } else if (status == napi_pending_exception) {
    // TypeScript catches what handlers throw, so this is a worker that was terminated, or a mistake of ours.
    napi_value error = nullptr;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  // close() may have been called meanwhile; the slabs of the batch are its own all the same.
  if (slabs != nullptr) uninstall(env, batch, slabs, kept);
  return kept;
}

void Deliverer::release(napi_env env) {
  if (context_ != nullptr) napi_async_destroy(env, context_);
  context_ = nullptr;
}

void Deliverer::run_ticks(napi_env env) {
  HandleScope handles(env);
  napi_callback_scope scope = nullptr;
  if (context_ == nullptr || !handles.opened()) return;
  if (napi_open_callback_scope(env, undefined_value(env), context_, &scope) != napi_ok) return;
  napi_close_callback_scope(env, scope);
}

bool Deliverer::install(napi_env env, BatchState& state, ReceiveBatch& batch, napi_value slabs) {
  const auto& held = batch.records().slabs();
  for (uint32_t i = 0; i < held.size(); i++) {
    if (i == 0 && state.has_young(*held[0], buffers_)) continue;
    const bool again = i == 0 && state.shared_id == held[0]->id();
    napi_value buffer = buffers_.make(env, *held[i], again);
    if (buffer == nullptr || napi_set_element(env, slabs, i, buffer) != napi_ok) return false;
    if (i == 0) {
      state.shared_id = held[0]->id();
      state.made_at = buffers_.collections();
    }
  }
  return true;
}

void Deliverer::uninstall(napi_env env, ReceiveBatch& batch, napi_value slabs, bool kept) {
  const auto count = static_cast<uint32_t>(batch.records().slabs().size());
  for (uint32_t i = 1; i < count; i++) {
    napi_value buffer = nullptr;
    if (!kept && napi_get_element(env, slabs, i, &buffer) == napi_ok) napi_detach_arraybuffer(env, buffer);
    napi_set_element(env, slabs, i, undefined_value(env));
  }
}

}  // namespace msgr
