#include <doctest/doctest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "core/base/slab.h"

using namespace msgr;

TEST_CASE("slab: the last reference gives it back, and the next taker gets it warm") {
  SlabPool* pool = SlabPool::create(10000, 1 << 20);
  // Whole pages.
  CHECK(pool->slab_bytes() % 4096 == 0);
  CHECK(pool->slab_bytes() >= 10000);
  uint64_t id = 0;
  {
    SlabRef slab = pool->take();
    REQUIRE(slab);
    id = slab->id();
    CHECK(slab->standard());
    CHECK(slab->unique());
    slab->used = 77;
    const SlabRef second = slab;
    CHECK(!slab->unique());
    slab = {};
    CHECK(pool->live_count() == 1);
    CHECK(second->used == 77);
  }
  CHECK(pool->live_count() == 0);
  CHECK(pool->idle_bytes() == pool->slab_bytes());
  const SlabRef again = pool->take();
  CHECK(again->id() == id);
  CHECK(again->used == 0);
  CHECK(pool->idle_bytes() == 0);
  pool->close();
}

TEST_CASE("slab: no more waits for reuse than the pool may keep") {
  SlabPool* pool = SlabPool::create(65536, 2 * 65536);
  {
    std::vector<SlabRef> slabs;
    for (int i = 0; i < 5; i++) slabs.push_back(pool->take());
    CHECK(pool->live_count() == 5);
  }
  CHECK(pool->live_count() == 0);
  CHECK(pool->idle_bytes() == 2 * 65536);
  pool->close();
}

TEST_CASE("slab: a large one fits, commits nothing, and serves frames of its size again") {
  SlabPool* pool = SlabPool::create(65536, 1 << 20);
  uint64_t id = 0;
  {
    const SlabRef slab = pool->take_large(200000);
    REQUIRE(slab);
    CHECK(slab->capacity() >= 200000);
    CHECK(!slab->standard());
    slab->data()[199999] = 1;
    id = slab->id();
  }
  {
    const SlabRef same = pool->take_large(190000);
    CHECK(same->id() == id);
  }
  {
    // A much smaller frame does not hold it.
    const SlabRef other = pool->take_large(1);
    CHECK(other->id() != id);
  }
  // 1.9 GB on a machine that need not have them: nothing is touched.
  const SlabRef huge = pool->take_large(1900000000);
  CHECK(huge);
  CHECK(!pool->take_large(0));
  CHECK(!pool->take_large(0x80000000));
  pool->close();
}

TEST_CASE("slab: one that outlives its pool's owner") {
  SlabPool* pool = SlabPool::create(65536, 1 << 20);
  Slab* slab = pool->take().leave();
  pool->close();
  std::memset(slab->data(), 1, slab->capacity());
  slab->release();
}

TEST_CASE("slab: taken, passed on and given back by several threads") {
  SlabPool* pool = SlabPool::create(4096, 1 << 20);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([pool, t] {
      for (int i = 0; i < 2000; i++) {
        SlabRef slab = i % 16 == 0 ? pool->take_large(5000) : pool->take();
        slab->data()[0] = static_cast<uint8_t>(t);
        slab->used = static_cast<uint32_t>(i);
        const SlabRef copy = slab;
        slab = {};
        if (copy->data()[0] != t) std::abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(pool->live_count() == 0);
  pool->close();
}
