#include "binding/send_side.h"

#include <memory>

#include "binding/napi_util.h"

namespace msgr {
namespace {

bool has_lent(const SendRecord& record) { return (record.channel & (kFrontLent | kDataLent)) != 0; }

// The lent payloads of a table, in the order of its records.
class LentList {
 public:
  LentList(const std::vector<LentPayload>& payloads, LentReleases& releases)
      : next_(payloads.data()), left_(payloads.size()), releases_(releases) {}

  // Those of one message. False when they were never lent.
  [[nodiscard]] bool take(const SendRecord& record, OutgoingMessage& message) {
    const bool front = (record.channel & kFrontLent) != 0;
    const bool data = (record.channel & kDataLent) != 0;
    const size_t wanted = (front ? 1 : 0) + (data ? 1 : 0);
    if (wanted > left_) return false;
    left_ -= wanted;
    if (front) {
      message.lent_front = next_->data;
      message.front_token = next_++->token;
    }
    if (data) {
      message.lent_data = next_->data;
      message.data_token = next_++->token;
    }
    return true;
  }
  // Of a message that nobody takes.
  void release(const OutgoingMessage& message) {
    if (message.front_token != 0) releases_.push_back(message.front_token);
    if (message.data_token != 0) releases_.push_back(message.data_token);
  }

 private:
  const LentPayload* next_;
  size_t left_;
  LentReleases& releases_;
};

// Messages without lent payloads from `first` on that go to the same channel.
uint32_t run_length(const SendSide::Table& table, uint32_t first) {
  uint32_t end = first + 1;
  while (end < table.count && table.records[end].channel == table.records[first].channel) end++;
  return end - first;
}

// Hands such messages to the loop. Answers the bytes of their frames, whether or not the channel is there.
uint32_t consume_run(EventLoop& loop, const SendSide::Table& table, uint32_t first, uint32_t count, uint32_t offset) {
  const SendRecord* records = table.records + first;
  uint32_t size = loop.append_run(records->channel, records, count, *table.slab, offset);
  if (size == 0) [[unlikely]] {
    for (uint32_t i = 0; i < count; i++) size += static_cast<uint32_t>(message_frame_size(records[i].sizes()));
  }
  return size;
}

// Hands one message with lent payloads to the loop. Answers the bytes of its frame that lie in the slab.
uint32_t consume_lent(EventLoop& loop, LentList& lent, const SendRecord& record, OutgoingMessage& message) {
  uint32_t size = loop.append(record.channel & ~(kFrontLent | kDataLent), message);
  if (size == 0) [[unlikely]] {
    size = static_cast<uint32_t>(message_frame_size(message.sizes));
    if (message.front_token != 0) size -= record.front_length;
    if (message.data_token != 0) size -= record.data_length;
    lent.release(message);
  }
  return size;
}

// An environment that is being terminated refuses calls before it stops JavaScript: a message may then stand
// in the table whose payload was never lent. It is the first of those that do not count any more.
void consume(EventLoop& loop, LentReleases& releases, const SendSide::Table& table,
             const std::vector<LentPayload>& lent_payloads) {
  uint32_t offset = table.offset;
  LentList lent(lent_payloads, releases);
  for (uint32_t i = 0; i < table.count;) {
    const SendRecord& record = table.records[i];
    if (!has_lent(record)) [[likely]] {
      const uint32_t count = run_length(table, i);
      offset += consume_run(loop, table, i, count, offset);
      i += count;
      continue;
    }
    OutgoingMessage message{
        .type = static_cast<uint16_t>(record.type_and_priority),
        .priority = static_cast<uint16_t>(record.type_and_priority >> 16),
        .version = static_cast<uint16_t>(record.versions),
        .compat_version = static_cast<uint16_t>(record.versions >> 16),
        .tid = record.tid(),
        .sizes = record.sizes(),
        .slab = table.slab,
        .offset = offset,
        .lent_front = nullptr,
        .lent_data = nullptr,
        .front_token = 0,
        .data_token = 0,
    };
    if (!lent.take(record, message)) return;
    offset += consume_lent(loop, lent, record, message);
    i++;
  }
}

}  // namespace

SendSide::SendSide(SlabPool& pool, uint8_t* memory, const SharedLayout& layout)
    : pool_(pool),
      memory_(memory),
      layout_(layout),
      control_(reinterpret_cast<int32_t*>(memory)),
      in_use_(layout.tables) {
  use_table(0);
}

Slab* SendSide::current() const { return slots_[static_cast<uint32_t>(control_[Control::kSendSlot])].slab; }

SendSide::Table SendSide::present() const {
  return {reinterpret_cast<const SendRecord*>(memory_ + layout_.send_offset(table_)),
          static_cast<uint32_t>(control_[Control::kSendCount]), current(),
          static_cast<uint32_t>(control_[Control::kSendStart])};
}

void SendSide::use_table(uint32_t table) {
  table_ = table;
  control_[Control::kSendTable] = static_cast<int32_t>(layout_.send_offset(table) / sizeof(int32_t));
}

void SendSide::take(EventLoop& loop, LentReleases& releases) {
  if (empty()) return;
  consume(loop, releases, present(), lent_);
  start_table();
}

std::function<void(EventLoop&)> SendSide::hand_over(LentReleases& releases,
                                                    const std::function<void()>& wait) {
  const Table table = present();
  std::atomic<bool>& in_use = in_use_[table_];
  in_use.store(true);
  // The slab is held until the table is consumed, so that it does not look unused meanwhile.
  auto command = [table, slab = SlabRef(*table.slab), lent = std::move(lent_), &releases,
                  &in_use](EventLoop& loop) mutable {
    consume(loop, releases, table, lent);
    slab = SlabRef();
    in_use.store(false);
  };
  const uint32_t next = (table_ + 1) % layout_.tables;
  if (in_use_[next].load()) wait();
  use_table(next);
  start_table();
  return command;
}

void SendSide::start_table() {
  control_[Control::kSendCount] = 0;
  control_[Control::kSendStart] = control_[Control::kSendOffset];
  lent_.clear();
}

void SendSide::rewind_if_unused() {
  if (control_[Control::kSendOffset] == 0 || !empty()) return;
  // The one reference is that of TypeScript's view.
  if (current()->unique()) begin();
}

napi_value SendSide::next_slab(napi_env env, uint32_t bytes) {
  uint32_t found = ~uint32_t{0};
  uint32_t vacant = ~uint32_t{0};
  uint32_t idle = 0;
  for (uint32_t i = 0; i < slots_.size(); i++) {
    Slot& slot = slots_[i];
    if (slot.slab != nullptr && slot.slab->unique()) {
      const Slab& slab = *slot.slab;
      const bool fits = slab.standard() && bytes <= slab.capacity();
      if (fits && found == ~uint32_t{0}) {
        found = i;
      } else if (!slab.standard() || ++idle > kIdleSlots) {
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
  begin();
  napi_value view = nullptr;
  napi_get_reference_value(env, slots_[slot].view, &view);
  return view;
}

void SendSide::begin() {
  control_[Control::kSendOffset] = 0;
  control_[Control::kSendStart] = 0;
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
}

void SendSide::drop(napi_env env, Slot& slot) {
  napi_delete_reference(env, slot.view);
  slot = Slot();
}

}  // namespace msgr
