// The ring in shared memory alone, with words as an honest and as a hostile peer would set them.
#include "core/io/shared_ring.h"

#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "test/shared_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

// A ring in memory of this test, whose words it may set as a hostile peer would.
struct SharedWords {
  static constexpr size_t kBytes = 64;
  SharedRingWords words{};
  uint8_t bytes[kBytes] = {};
  SharedRingWriter writer{words, bytes, kBytes};
  SharedRingReader reader{words, bytes, kBytes};

  ssize_t write(const void* from, size_t size) {
    const iovec piece{const_cast<void*>(from), size};
    return writer.write(&piece, 1);
  }
  ssize_t read(uint8_t* to, size_t size) { return read_some(reader, to, size); }
};

}  // namespace

TEST_CASE("shared ring: bytes come out as they went in, across every border") {
  SharedWords ring;
  std::minstd_rand random(1);
  uint8_t in = 0;
  uint8_t out = 0;
  for (int i = 0; i < 20'000; i++) {
    uint8_t some[SharedWords::kBytes + 8];
    const size_t wanted = random() % (sizeof some + 1);
    uint8_t next = in;
    for (size_t k = 0; k < wanted; k++) some[k] = next++;
    const size_t cut = wanted == 0 ? 0 : random() % wanted;
    const iovec pieces[2] = {{some, cut}, {some + cut, wanted - cut}};
    const ssize_t written = ring.writer.write(pieces, 2);
    if (written != -EAGAIN) in = static_cast<uint8_t>(in + written);
    const ssize_t read = ring.read(some, random() % sizeof some);
    for (ssize_t k = 0; k < read; k++) REQUIRE(some[k] == out++);
  }
  CHECK(ring.words.written > 200'000);
}

TEST_CASE("shared ring: who waits is rung for once, and not for what it would see anyway") {
  SharedWords ring;
  uint8_t some[SharedWords::kBytes] = {};
  ring.reader.ask();
  CHECK(ring.reader.empty());
  REQUIRE(ring.write(some, 10) == 10);
  CHECK(ring.writer.must_ring());
  CHECK_FALSE(ring.writer.must_ring());
  CHECK_FALSE(ring.reader.empty());
  ring.reader.ask();
  ring.reader.stop_asking();
  REQUIRE(ring.write(some, 10) == 10);
  CHECK_FALSE(ring.writer.must_ring());

  CHECK_FALSE(ring.writer.wait());
  REQUIRE(ring.write(some, sizeof some) == SharedWords::kBytes - 20);
  CHECK(ring.write(some, 1) == -EAGAIN);
  REQUIRE(ring.writer.wait());
  REQUIRE(ring.read(some, 31) == 31);
  CHECK_FALSE(ring.reader.must_ring());
  REQUIRE(ring.read(some, 1) == 1);
  CHECK(ring.reader.must_ring());
  CHECK_FALSE(ring.reader.must_ring());
}

TEST_CASE("shared ring: words that cannot be true are an error, and nothing is touched") {
  uint8_t some[SharedWords::kBytes] = {};
  for (const uint64_t written : {uint64_t{SharedWords::kBytes} + 1, UINT64_MAX, uint64_t{1} << 63}) {
    SharedWords ring;
    ring.words.written = written;
    CHECK(ring.read(some, sizeof some) == -EPROTO);
  }
  for (const uint64_t read : {uint64_t{1}, UINT64_MAX, uint64_t{1} << 63}) {
    SharedWords ring;
    ring.words.read = read;
    CHECK(ring.write(some, 10) == (read == UINT64_MAX ? 10 : -EPROTO));
  }
}
