#include <doctest/doctest.h>

#include <deque>

#include "core/channel/outbox.h"
#include "test/support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

// An outbox over slabs of random bytes, and what it must put out.
struct Fixture {
  SlabPool* pool = SlabPool::create(4096, 1 << 20);
  LentReleases releases;
  Outbox outbox{releases};
  Random random{10};
  std::vector<Buffer> frames;
  // Those whose token is their number, from 1 on.
  std::deque<Buffer> lent_payloads;
  SlabRef slab;

  ~Fixture() {
    outbox.clear();
    slab = {};
    CHECK(pool->live_count() == 0);
    pool->close();
  }
  void push(uint32_t size, uint64_t seq) {
    if (!slab || slab->capacity() - slab->used < size) {
      slab = pool->take();
      random.fill({slab->data(), slab->capacity()});
    }
    outbox.push(seq, *slab, slab->used, size);
    frames.emplace_back(slab->data() + slab->used, slab->data() + slab->used + size);
    slab->used += size;
  }
  // The same with what ends a run: a gap, another slab, one or two lent pieces.
  void push_varied(uint32_t size, uint64_t seq) {
    if (slab && random.below(8) == 0) slab->used = std::min(slab->capacity(), slab->used + 3);
    if (random.below(16) == 0) slab = {};
    if (random.below(6) > 0) {
      push(size, seq);
      return;
    }
    if (!slab || slab->capacity() - slab->used < size) slab = pool->take();
    const uint8_t* frame = slab->data() + slab->used;
    Lent lent{};
    lent.count = 1 + random.below(2);
    lent.has_front = random.below(2) == 0;
    Buffer whole;
    uint32_t at = 0;
    for (uint32_t i = 0; i < lent.count; i++) {
      const uint32_t piece_at = at + random.below(size - at + 1);
      lent_payloads.push_back(random.bytes(1 + random.below(300)));
      const Buffer& payload = lent_payloads.back();
      append_bytes(whole, Bytes(frame + at, piece_at - at));
      append_bytes(whole, payload);
      lent.pieces[i] = {payload.data(), static_cast<uint32_t>(payload.size()), piece_at};
      lent.tokens[i] = lent_payloads.size();
      at = piece_at;
    }
    append_bytes(whole, Bytes(frame + at, size - at));
    outbox.push(seq, *slab, slab->used, size, &lent);
    frames.push_back(std::move(whole));
    slab->used += size;
  }
  Buffer expected(size_t from, size_t to) const {
    Buffer all;
    for (size_t i = from; i < to; i++) append_bytes(all, frames[i]);
    return all;
  }
  // Writes at most `size` bytes in one go.
  Buffer write(size_t size, size_t count_max = 64, size_t bytes_max = SIZE_MAX) {
    iovec vectors[64];
    size_t bytes = 0;
    const size_t count = outbox.gather(vectors, count_max, bytes_max, bytes);
    Buffer out;
    for (size_t i = 0; i < count; i++) {
      const auto* data = static_cast<const uint8_t*>(vectors[i].iov_base);
      out.insert(out.end(), data, data + vectors[i].iov_len);
    }
    CHECK(out.size() == bytes);
    if (out.size() > size) out.resize(size);
    outbox.wrote(out.size());
    return out;
  }
};

}  // namespace

TEST_CASE("outbox: neighbouring frames are one iovec, and one reference on their slab") {
  Fixture fixture;
  for (uint64_t seq = 1; seq <= 10; seq++) fixture.push(100, seq);
  iovec vectors[4];
  size_t bytes = 0;
  CHECK(fixture.outbox.gather(vectors, 4, SIZE_MAX, bytes) == 1);
  CHECK(bytes == 1000);
  CHECK(fixture.outbox.bytes() == 1000);
  CHECK(fixture.outbox.waiting_bytes() == 1000);
  Slab* slab = fixture.slab.get();
  fixture.slab = {};
  CHECK(slab->unique());
}

TEST_CASE("outbox: written in pieces that end at every byte") {
  for (size_t piece = 1; piece < 320; piece++) {
    Fixture fixture;
    for (uint64_t seq = 1; seq <= 3; seq++) fixture.push(static_cast<uint32_t>(90 + seq), seq);
    Buffer out;
    while (fixture.outbox.waiting_bytes() > 0) {
      append_bytes(out, fixture.write(piece));
      const size_t rest = fixture.outbox.partial_rest();
      REQUIRE(fixture.outbox.waiting_bytes() == 91 + 92 + 93 - out.size());
      const bool between = out.size() == 91 || out.size() == 91 + 92 || out.size() == 91 + 92 + 93;
      REQUIRE((rest == 0) == between);
    }
    REQUIRE(out == fixture.expected(0, 3));
    REQUIRE(fixture.outbox.written_seq() == 3);
    REQUIRE(fixture.outbox.count() == 3);
  }
}

TEST_CASE("outbox: limits of iovecs and of bytes") {
  Fixture fixture;
  // Two slabs, so at least two iovecs.
  for (uint64_t seq = 1; seq <= 60; seq++) fixture.push(100, seq);
  Buffer out = fixture.write(SIZE_MAX, 1);
  CHECK(out.size() == 4000);
  out = fixture.write(SIZE_MAX, 64, 250);
  // No more frames once 250 bytes are reached.
  CHECK(out.size() == 300);
  out = fixture.write(SIZE_MAX, 64, 200);
  CHECK(out.size() == 200);
  while (fixture.outbox.waiting_bytes() > 0) append_bytes(out, fixture.write(SIZE_MAX));
  CHECK(fixture.outbox.written_seq() == 60);
}

TEST_CASE("outbox: an acknowledgement trims what was written, never what was not") {
  Fixture fixture;
  for (uint64_t seq = 11; seq <= 20; seq++) fixture.push(100, seq);
  CHECK(fixture.outbox.acknowledge(20) == 0);
  fixture.write(550);  // 11 to 15 whole, 16 in part
  CHECK(fixture.outbox.acknowledge(10) == 0);
  CHECK(fixture.outbox.acknowledge(12) == 2);
  CHECK(fixture.outbox.first_seq() == 13);
  CHECK(fixture.outbox.bytes() == 800);
  CHECK(fixture.outbox.waiting_bytes() == 450);
  CHECK(fixture.outbox.partial_rest() == 50);
  CHECK(fixture.outbox.acknowledge(UINT64_MAX) == 3);
  CHECK(fixture.outbox.first_seq() == 16);
  CHECK(fixture.outbox.partial_rest() == 50);
  Buffer out = fixture.write(SIZE_MAX);
  CHECK(out.size() == 450);
  CHECK(fixture.outbox.acknowledge(20) == 5);
  CHECK(fixture.outbox.count() == 0);
  CHECK(fixture.outbox.bytes() == 0);
  fixture.slab = {};
  CHECK(fixture.pool->live_count() == 0);
  // Goes on with the next number.
  fixture.push(10, 21);
  CHECK(fixture.outbox.first_seq() == 21);
}

TEST_CASE("outbox: a new socket gets everything again, in order, from the first byte") {
  Fixture fixture;
  for (uint64_t seq = 1; seq <= 6; seq++) fixture.push(100, seq);
  fixture.write(350);
  fixture.outbox.acknowledge(1);
  fixture.outbox.rewind();
  CHECK(fixture.outbox.partial_rest() == 0);
  CHECK(fixture.outbox.waiting_bytes() == 500);
  // 2 and 3 were written whole before; the peer may have them, as it says when it reconnects.
  CHECK(fixture.outbox.acknowledge(2) == 1);
  CHECK(fixture.outbox.waiting_bytes() == 400);
  CHECK(fixture.write(SIZE_MAX) == fixture.expected(2, 6));
  CHECK(fixture.outbox.replayed_count() == 1);
  CHECK(fixture.outbox.written_seq() == 6);
}

TEST_CASE("outbox: an ack during a replay does not cut the frame that is being written") {
  Fixture fixture;
  for (uint64_t seq = 1; seq <= 4; seq++) fixture.push(100, seq);
  fixture.write(SIZE_MAX);
  fixture.outbox.rewind();
  Buffer out = fixture.write(150);
  CHECK(fixture.outbox.acknowledge(4) == 1);
  append_bytes(out, fixture.write(50));
  CHECK(fixture.outbox.acknowledge(4) == 3);
  CHECK(out == fixture.expected(0, 2));
  CHECK(fixture.outbox.waiting_bytes() == 0);
}

TEST_CASE("outbox: a lossy session keeps nothing that is written") {
  Fixture fixture;
  fixture.outbox.set_keep_written(false);
  for (uint64_t seq = 1; seq <= 5; seq++) fixture.push(100, seq);
  Buffer expected = fixture.expected(0, 5);
  expected.resize(250);
  CHECK(fixture.write(250) == expected);
  CHECK(fixture.outbox.count() == 3);
  CHECK(fixture.outbox.bytes() == 300);
  CHECK(fixture.outbox.waiting_bytes() == 250);
  fixture.outbox.rewind();
  CHECK(fixture.outbox.waiting_bytes() == 300);
  CHECK(fixture.write(SIZE_MAX) == fixture.expected(2, 5));
  CHECK(fixture.outbox.count() == 0);
}

TEST_CASE("outbox: a session that becomes lossy drops what had been written") {
  Fixture fixture;
  for (uint64_t seq = 1; seq <= 5; seq++) fixture.push(100, seq);
  fixture.write(200);
  fixture.outbox.set_keep_written(false);
  CHECK(fixture.outbox.count() == 3);
  CHECK(fixture.outbox.bytes() == 300);
}

TEST_CASE("outbox: lent pieces are spliced in at every cut, and released with their entry") {
  Random random(11);
  const Buffer front = random.bytes(40);
  const Buffer data = random.bytes(50);
  for (size_t piece = 1; piece < 160; piece++) {
    Fixture fixture;
    fixture.push(30, 1);
    // Head 10, front, middle 5, data, end 7.
    fixture.push(22, 2);
    const SlabRef slab = fixture.slab;
    const uint32_t offset = slab->used - 22;
    fixture.outbox.clear();
    fixture.outbox.push(1, *slab, offset - 30, 30);
    const Lent lent{
        .pieces = {{front.data(), 40, 10}, {data.data(), 50, 15}}, .count = 2, .tokens = {77, 78}};
    fixture.outbox.push(2, *slab, offset, 22, &lent);
    fixture.push(20, 3);
    Buffer expected(slab->data() + offset - 30, slab->data() + offset + 10);
    append_bytes(expected, front);
    append_bytes(expected, Bytes(slab->data() + offset + 10, 5));
    append_bytes(expected, data);
    append_bytes(expected, Bytes(slab->data() + offset + 15, 7 + 20));
    CHECK(fixture.outbox.bytes() == expected.size());
    Buffer out;
    // Few iovecs, so that lists end inside the lent frame as well.
    while (fixture.outbox.waiting_bytes() > 0) append_bytes(out, fixture.write(piece, 1 + piece % 4));
    REQUIRE(out == expected);
    CHECK(fixture.releases.empty());
    fixture.outbox.acknowledge(1);
    CHECK(fixture.releases.empty());
    fixture.outbox.acknowledge(2);
    CHECK(fixture.releases == LentReleases{77, 78});
  }
}

TEST_CASE("outbox: lent payloads are released when it is dropped") {
  LentReleases releases;
  SlabPool* pool = SlabPool::create(4096, 0);
  const Buffer data(10, 1);
  {
    Outbox outbox(releases);
    const SlabRef slab = pool->take();
    const Lent lent{.pieces = {{data.data(), 10, 4}, {}}, .count = 1, .tokens = {5, 0}};
    outbox.push(1, *slab, 0, 8, &lent);
  }
  CHECK(releases == LentReleases{5});
  CHECK(pool->live_count() == 0);
  pool->close();
}

TEST_CASE("outbox: a burst leaves no memory behind for ever") {
  Fixture fixture;
  for (uint64_t seq = 1; seq <= 20000; seq++) fixture.push(1, seq);
  while (fixture.outbox.waiting_bytes() > 0) fixture.write(SIZE_MAX);
  CHECK(fixture.outbox.ring_capacity() == 32768);
  fixture.outbox.acknowledge(20000);
  CHECK(fixture.outbox.ring_capacity() == 0);
  for (uint64_t seq = 20001; seq <= 20100; seq++) fixture.push(1, seq);
  while (fixture.outbox.waiting_bytes() > 0) fixture.write(SIZE_MAX);
  fixture.outbox.release_idle_memory();
  CHECK(fixture.outbox.ring_capacity() == 128);
  fixture.outbox.acknowledge(20100);
  CHECK(fixture.outbox.ring_capacity() == 128);
  fixture.outbox.release_idle_memory();
  CHECK(fixture.outbox.ring_capacity() == 0);
}

TEST_CASE("outbox: random pushes, writes, acks and new sockets against a plain model") {
  Fixture fixture;
  Random& random = fixture.random;
  uint64_t out_seq = 0;
  uint64_t written = 0;  // highest written whole, ever
  uint64_t first = 1;    // first still held
  size_t sent = 0;       // of the stream of this socket
  Buffer socket;         // what this socket must carry, from its first byte
  for (int step = 0; step < 20000; step++) {
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2: {
        const uint32_t size = 1 + random.below(300);
        fixture.push_varied(size, ++out_seq);
        append_bytes(socket, fixture.frames.back());
        break;
      }
      case 3:
      case 4: {
        const Buffer out = fixture.write(random.below(1000), 1 + random.below(8), 1 + random.below(2000));
        REQUIRE(std::equal(out.begin(), out.end(), socket.begin() + static_cast<ptrdiff_t>(sent)));
        sent += out.size();
        written = std::max(written, fixture.outbox.written_seq());
        break;
      }
      case 5:
      case 6: {
        const uint64_t seq = first + random.below(20);
        const size_t trimmed = fixture.outbox.acknowledge(seq);
        const uint64_t last = std::min({seq, written});
        REQUIRE(trimmed <= (last >= first ? last - first + 1 : 0));
        if (fixture.outbox.partial_rest() == 0) REQUIRE(trimmed == (last >= first ? last - first + 1 : 0));
        // An ack of what is not yet written again on this socket takes it out of the socket's stream.
        if (trimmed > 0) {
          const uint64_t next = first + trimmed;
          Buffer rest;
          for (uint64_t s = next; s <= out_seq; s++) append_bytes(rest, fixture.frames[s - 1]);
          if (fixture.outbox.waiting_bytes() == rest.size() && fixture.outbox.partial_rest() == 0) {
            socket.resize(sent);
            append_bytes(socket, rest);
          }
          first = next;
        }
        break;
      }
      default:
        if (random.below(10) == 0) {
          fixture.outbox.rewind();
          socket = fixture.expected(first - 1, out_seq);
          sent = 0;
        }
    }
    REQUIRE(fixture.outbox.count() == out_seq + 1 - first);
    if (fixture.outbox.count() > 0) REQUIRE(fixture.outbox.first_seq() == first);
    REQUIRE(fixture.outbox.waiting_bytes() == socket.size() - sent);
  }
  CHECK(out_seq > 1000);
  fixture.outbox.clear();
  CHECK(fixture.releases.size() == fixture.lent_payloads.size());
  for (size_t i = 0; i < fixture.releases.size(); i++) REQUIRE(fixture.releases[i] == i + 1);
}

TEST_CASE("outbox: a lossy session puts out runs of every kind whole, in pieces of any size") {
  Fixture fixture;
  fixture.outbox.set_keep_written(false);
  Buffer out;
  for (uint64_t seq = 1; seq <= 3000; seq++) {
    fixture.push_varied(1 + fixture.random.below(300), seq);
    if (seq % 5 > 0) continue;
    while (fixture.outbox.waiting_bytes() > fixture.random.below(600)) {
      append_bytes(out, fixture.write(fixture.random.below(900), 1 + fixture.random.below(8),
                                      1 + fixture.random.below(900)));
    }
  }
  while (fixture.outbox.waiting_bytes() > 0) append_bytes(out, fixture.write(SIZE_MAX));
  CHECK(out == fixture.expected(0, 3000));
  CHECK(fixture.outbox.count() == 0);
  CHECK(fixture.outbox.bytes() == 0);
  CHECK(fixture.releases.size() == fixture.lent_payloads.size());
}
