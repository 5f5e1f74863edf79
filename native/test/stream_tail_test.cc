#include <doctest/doctest.h>

#include "core/channel/stream_tail.h"
#include "test/support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

struct Pool {
  SlabPool* pool = SlabPool::create(65536, 0);
  ~Pool() { pool->close(); }
};

}  // namespace

TEST_CASE("stream tail: a small one is copied and given back once") {
  Pool pool;
  Random random(8);
  StreamTail tail;
  CHECK(tail.empty());
  const Buffer bytes = random.bytes(1000);
  // 16384 is a quarter of a slab: the most that is held as a copy.
  for (const size_t needed : {size_t{0}, size_t{1001}, size_t{16384}}) {
    REQUIRE(tail.keep(bytes, needed, *pool.pool));
    CHECK(tail.size() == 1000);
    CHECK(!tail.large());
    Buffer back(1000);
    CHECK(tail.move_to(back.data()) == 1000);
    CHECK(back == bytes);
    CHECK(tail.empty());
    CHECK(tail.move_to(back.data()) == 0);
  }
  CHECK(pool.pool->live_count() == 0);
  CHECK(tail.keep({}, 100000, *pool.pool));
  CHECK(tail.empty());
}

TEST_CASE("stream tail: bytes beyond the frame are no large frame, however many they are") {
  Pool pool;
  StreamTail tail;
  const Buffer bytes(40000, 3);
  REQUIRE(tail.keep(bytes, 30000, *pool.pool));
  CHECK(!tail.large());
}

TEST_CASE("stream tail: a large frame gathers in a slab of its own") {
  Pool pool;
  Random random(9);
  const Buffer frame = random.bytes(300000);
  StreamTail tail;
  REQUIRE(tail.keep(Bytes(frame).first(100), frame.size(), *pool.pool));
  CHECK(tail.large());
  size_t at = 100;
  while (!tail.room().empty()) {
    CHECK(tail.room().size() == frame.size() - at);
    const size_t size = std::min<size_t>(tail.room().size(), 7777);
    std::copy_n(frame.begin() + static_cast<ptrdiff_t>(at), size, tail.room().begin());
    tail.filled(size);
    at += size;
  }
  const SlabRef own = tail.take();
  CHECK(own->used == frame.size());
  CHECK(std::equal(frame.begin(), frame.end(), own->data()));
  CHECK(tail.empty());
  CHECK(!tail.large());
}

TEST_CASE("stream tail: swapped and dropped") {
  Pool pool;
  StreamTail small;
  StreamTail large;
  const Buffer bytes(10, 4);
  REQUIRE(small.keep(bytes, 0, *pool.pool));
  REQUIRE(large.keep(bytes, 100000, *pool.pool));
  small.swap(large);
  CHECK(small.large());
  CHECK(!large.large());
  CHECK(pool.pool->live_count() == 1);
  small.clear();
  CHECK(small.empty());
  CHECK(pool.pool->live_count() == 0);
}
