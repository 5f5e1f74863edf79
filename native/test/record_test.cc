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
  Record table[2];
  RecordPlace places[2];
  RecordBatch batch(table, places, 2);
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
  batch.append(RecordKind::kDrained, 3, 4);
  CHECK(batch.full());
  batch.clear();
  CHECK(batch.count() == 0);
  CHECK(pool->live_count() == 0);
  pool->close();
}

TEST_CASE("record: messages lie over their frames, run by run, and events between them in the table") {
  SlabPool* pool = SlabPool::create(4096, 0);
  Record table[8];
  RecordPlace places[8];
  RecordBatch batch(table, places, 8);
  SlabRef first = pool->take();
  SlabRef second = pool->take();
  const auto append = [&](uint32_t offset, int32_t tid) {
    Record& record = batch.append_message(offset);
    record.kind = 0;
    record.tid_low = tid;
  };
  CHECK(batch.begin_run(*first) == 0);
  append(0, 10);
  append(77, 11);
  batch.append(RecordKind::kDrained, 3, 4);
  CHECK(batch.begin_run(*first) == 0);
  append(154, 12);
  CHECK(batch.begin_run(*second) == 1);
  append(1, 13);
  REQUIRE(batch.count() == 5);
  for (const uint32_t index : {0u, 1u}) CHECK(batch.record(index).tid_low == static_cast<int32_t>(10 + index));
  CHECK(batch.record(2).kind == static_cast<int32_t>(RecordKind::kDrained));
  CHECK(batch.record(3).tid_low == 12);
  CHECK(batch.record(4).tid_low == 13);
  // Aligned upwards, so that no byte before the frame is touched.
  CHECK(places[1].word == 20);
  CHECK(places[4].word == 1);
  CHECK(places[0].source == places[1].source);
  CHECK(places[2].source == 0);
  CHECK(places[3].source != places[1].source);
  CHECK((places[3].source & 0xffff) == 1);
  CHECK((places[4].source & 0xffff) == 2);
  batch.clear();
  first = {};
  second = {};
  pool->close();
}

TEST_CASE("record: why a socket was closed") {
  const Record record = closed_record(3, 4, CloseReason::kBadFrame, 0,
                                      {.error = FrameError::kSegmentCrc,
                                       .tag = 17,
                                       .segment = 2,
                                       .value = 0x1122334455667788,
                                       .expected = 9});
  CHECK(record.kind == 6);
  CHECK(record.channel == 3);
  CHECK(record.generation == 4);
  CHECK(record.type_and_priority == (2 | 17 << 16));
  CHECK(record.versions == (8 | 2 << 16));
  CHECK(record.tid_low == 0x55667788);
  CHECK(record.tid_high == 0x11223344);
  CHECK(record.seq_low == 9);
}

TEST_CASE("limits: every member can be set by its name") {
  Limits limits;
  uint64_t value = 1;
  for (const LimitName& limit : kLimitNames) limits.*limit.member = value++;
  CHECK(sizeof(Limits) == std::size(kLimitNames) * sizeof(uint64_t));
  CHECK(limits.control_payload_bytes_max == 1);
  CHECK(limits.channel_queue_bytes_max == 6);
}
