#include <doctest/doctest.h>

#include <cstring>

#include "core/base/limits.h"
#include "core/channel/channel_counters.h"
#include "core/channel/record.h"

using namespace msgr;

TEST_CASE("record: the tables for JavaScript say where the fields are") {
  Record record{};
  auto* words = reinterpret_cast<int32_t*>(&record);
  for (int32_t i = 0; i < 16; i++) words[i] = 100 + i;
  CHECK(record.kind == 100);
  CHECK(record.type_and_priority == 103);
  CHECK(record.seq_high == 108);
  CHECK(record.data_length == 115);
  CHECK(std::size(kRecordFields) == 16);
  for (size_t i = 0; i < std::size(kRecordFields); i++)
    CHECK(kRecordFields[i].value == static_cast<int32_t>(i));
  CHECK(std::strcmp(kRecordFields[15].name, "dataLength") == 0);
  for (size_t i = 0; i < std::size(kRecordKinds); i++)
    CHECK(kRecordKinds[i].value == static_cast<int32_t>(i));
  for (size_t i = 0; i < std::size(kFrameErrorNames); i++) {
    CHECK(static_cast<size_t>(kFrameErrorNames[i].error) == i);
  }
}

TEST_CASE("record: the counters' names say where the words are") {
  ChannelCounters counters;
  counters.frames_received = 1;
  counters.duplicates_dropped = 2;
  counters.in_seq = 3;
  counters.outbox_count = 4;
  const auto* words = reinterpret_cast<const uint64_t*>(&counters);
  CHECK(words[0] == 1);
  CHECK(words[7] == 2);
  CHECK(words[8] == 3);
  CHECK(words[12] == 4);
  for (size_t i = 0; i < std::size(kChannelCounterNames); i++) {
    CHECK(kChannelCounterNames[i].value == static_cast<int32_t>(i));
  }
}

TEST_CASE("record: a batch holds its slabs until it is cleared") {
  SlabPool* pool = SlabPool::create(4096, 0);
  Record records[2];
  RecordBatch batch(records, 2);
  SlabRef first = pool->take();
  SlabRef second = pool->take();
  CHECK(batch.slab_index(*first) == 0);
  CHECK(batch.slab_index(*second) == 1);
  CHECK(batch.slab_index(*first) == 0);
  first = {};
  second = {};
  CHECK(pool->live_count() == 2);
  batch.append(RecordKind::kOpened, 3, 4);
  CHECK(!batch.full());
  batch.append_closed(3, 4, CloseReason::kBadFrame, 0,
                      {.error = FrameError::kSegmentCrc,
                       .tag = 17,
                       .segment = 2,
                       .value = 0x1122334455667788,
                       .expected = 9});
  CHECK(batch.full());
  CHECK(records[1].kind == 6);
  CHECK(records[1].type_and_priority == (2 | 17 << 16));
  CHECK(records[1].versions == (8 | 2 << 16));
  CHECK(records[1].tid_low == 0x55667788);
  CHECK(records[1].tid_high == 0x11223344);
  CHECK(records[1].seq_low == 9);
  batch.clear();
  CHECK(batch.count() == 0);
  CHECK(pool->live_count() == 0);
  pool->close();
}

TEST_CASE("limits: every member can be set by its name") {
  Limits limits;
  uint64_t value = 1;
  for (const LimitName& limit : kLimitNames) limits.*limit.member = value++;
  CHECK(sizeof(Limits) == std::size(kLimitNames) * sizeof(uint64_t));
  CHECK(limits.control_payload_bytes_max == 1);
  CHECK(limits.channel_queue_bytes_max == 6);
}
