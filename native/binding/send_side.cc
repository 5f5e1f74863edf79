#include "binding/send_side.h"

#include <memory>

#include "binding/napi_util.h"

namespace msgr {
namespace {

template <typename Resolve>
void consume(EventLoop& loop, LentReleases& releases, const SendRecord* records, uint32_t count, Resolve resolve) {
  for (uint32_t i = 0; i < count; i++) {
    const SendRecord& record = records[i];
    const auto type_and_priority = static_cast<uint32_t>(record.type_and_priority);
    const auto versions = static_cast<uint32_t>(record.versions);
    const OutgoingMessage message{
        .type = static_cast<uint16_t>(type_and_priority),
        .priority = static_cast<uint16_t>(type_and_priority >> 16),
        .version = static_cast<uint16_t>(versions),
        .compat_version = static_cast<uint16_t>(versions >> 16),
        .tid = static_cast<uint32_t>(record.tid_low) | uint64_t{static_cast<uint32_t>(record.tid_high)} << 32,
        .sizes = {static_cast<uint32_t>(record.front_length), static_cast<uint32_t>(record.middle_length),
                  static_cast<uint32_t>(record.data_length)},
        .slab = resolve(static_cast<uint32_t>(record.slot)),
        .offset = static_cast<uint32_t>(record.offset),
        .lent_front = record.front_token != 0 ? record.front : nullptr,
        .lent_data = record.data_token != 0 ? record.data : nullptr,
        .front_token = static_cast<uint64_t>(static_cast<uint32_t>(record.front_token)),
        .data_token = static_cast<uint64_t>(static_cast<uint32_t>(record.data_token)),
    };
    if (!loop.append(static_cast<uint32_t>(record.channel), message)) {
      if (message.front_token != 0) releases.push_back(message.front_token);
      if (message.data_token != 0) releases.push_back(message.data_token);
    }
  }
}

}  // namespace

SendSide::SendSide(SlabPool& pool, uint8_t* memory, const SharedLayout& layout)
    : pool_(pool),
      memory_(memory),
      layout_(layout),
      control_(reinterpret_cast<int32_t*>(memory)),
      in_use_(layout.tables) {}

void SendSide::lend(uint32_t record, bool data, Bytes bytes) {
  if (record >= kSendRecords) return;
  auto* records = reinterpret_cast<SendRecord*>(
      memory_ + layout_.send_offset(static_cast<uint32_t>(control_[Control::kSendTable])));
  (data ? records[record].data : records[record].front) = bytes.data();
}

void SendSide::take(EventLoop& loop, LentReleases& releases) {
  const auto count = static_cast<uint32_t>(control_[Control::kSendCount]);
  if (count == 0) return;
  uint32_t last = ~uint32_t{0};
  Slab* slab = nullptr;
  consume(loop, releases, reinterpret_cast<const SendRecord*>(memory_ + layout_.send_offset(0)), count,
          [&](uint32_t slot) {
            if (slot != last) {
              slab = slots_[slot].slab;
              last = slot;
            }
            return slab;
          });
  start_table();
}

std::function<void(EventLoop&)> SendSide::hand_over(LentReleases& releases, const std::function<void()>& wait) {
  const auto table = static_cast<uint32_t>(control_[Control::kSendTable]);
  const auto count = static_cast<uint32_t>(control_[Control::kSendCount]);
  // Copyable, as std::function asks for it.
  auto pins = std::make_shared<std::vector<Pin>>(pins_);
  // Of the slabs that were current, the last one goes on being it.
  if (pins_.size() > 1) pins_.erase(pins_.begin(), pins_.end() - 1);
  in_use_[table].store(true);
  const auto* records = reinterpret_cast<const SendRecord*>(memory_ + layout_.send_offset(table));
  std::atomic<bool>& in_use = in_use_[table];
  auto command = [records, count, pins, &releases, &in_use](EventLoop& loop) {
    consume(loop, releases, records, count, [&](uint32_t slot) {
      for (const Pin& pin : *pins) {
        if (pin.slot == slot) return pin.slab.get();
      }
      return pins->back().slab.get();
    });
    pins->clear();
    in_use.store(false);
  };
  uint32_t next = (table + 1) % layout_.tables;
  if (in_use_[next].load()) wait();
  control_[Control::kSendTable] = static_cast<int32_t>(next);
  start_table();
  return command;
}

void SendSide::start_table() {
  control_[Control::kSendCount] = 0;
  control_[Control::kSendBytes] = 0;
}

void SendSide::rewind_if_unused() {
  if (control_[Control::kSendOffset] == 0 || !empty()) return;
  const auto slot = static_cast<uint32_t>(control_[Control::kSendSlot]);
  // The one reference is that of TypeScript's view.
  if (slot < slots_.size() && slots_[slot].slab != nullptr && slots_[slot].slab->unique()) {
    control_[Control::kSendOffset] = 0;
  }
}

napi_value SendSide::next_slab(napi_env env, uint32_t bytes) {
  if (empty()) pins_.clear();
  uint32_t found = ~uint32_t{0};
  uint32_t vacant = ~uint32_t{0};
  uint32_t idle = 0;
  for (uint32_t i = 0; i < slots_.size(); i++) {
    Slot& slot = slots_[i];
    if (slot.slab != nullptr && slot.slab->unique()) {
      if (found == ~uint32_t{0} && slot.slab->standard() && bytes <= slot.slab->capacity()) {
        found = i;
      } else if (!slot.slab->standard() || ++idle > kIdleSlots) {
        drop(env, slot);
      }
    }
    if (slot.slab == nullptr && vacant == ~uint32_t{0}) vacant = i;
  }
  if (found == ~uint32_t{0}) {
    if (vacant == ~uint32_t{0}) {
      vacant = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    }
    if (!fill(env, slots_[vacant], bytes)) return nullptr;
    found = vacant;
  }
  return make_current(env, found);
}

napi_value SendSide::make_current(napi_env env, uint32_t slot) {
  control_[Control::kSendSlot] = static_cast<int32_t>(slot);
  control_[Control::kSendOffset] = 0;
  // With one table everything is consumed on this thread, and what is pinned would never look unused.
  if (layout_.tables > 1) pins_.push_back({slot, SlabRef(*slots_[slot].slab)});
  napi_value view = nullptr;
  napi_get_reference_value(env, slots_[slot].view, &view);
  return view;
}

bool SendSide::fill(napi_env env, Slot& slot, uint32_t bytes) {
  const SlabRef slab = bytes <= pool_.slab_bytes() ? pool_.take() : pool_.take_large(bytes);
  if (!slab) return false;
  napi_value buffer = slab_buffer(env, *slab, slab->capacity());
  napi_value view = nullptr;
  if (buffer == nullptr ||
      napi_create_typedarray(env, napi_uint8_array, slab->capacity(), buffer, 0, &view) != napi_ok ||
      napi_create_reference(env, view, 1, &slot.view) != napi_ok) {
    return false;
  }
  slot.slab = slab.get();
  return true;
}

void SendSide::close(napi_env env) {
  for (Slot& slot : slots_) {
    if (slot.slab != nullptr) drop(env, slot);
  }
  pins_.clear();
}

void SendSide::drop(napi_env env, Slot& slot) {
  napi_delete_reference(env, slot.view);
  slot = Slot();
}

}  // namespace msgr
