#include <doctest/doctest.h>

#include "core/channel/channel.h"
#include "core/channel/sealed_output.h"
#include "test/allocations.h"
#include "test/channel_support.h"
#include "test/secure_support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

constexpr size_t kSlabBytes = 64 * 1024;

// The pool that an output takes its slab from.
struct Pool {
  Pool() : slabs(SlabPool::create(kSlabBytes, 4 * kSlabBytes)) {}
  ~Pool() { slabs->close(); }
  SlabPool* slabs;
};

void put(SealedOutput& output, Pool& pool, Bytes bytes) {
  const MutableBytes room = output.room(*pool.slabs);
  REQUIRE(room.size() >= bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  output.added(bytes.size());
}

Buffer waiting(const SealedOutput& output) {
  iovec pieces[4];
  const size_t count = output.gather(pieces, 4);
  Buffer bytes;
  for (size_t i = 0; i < count; i++)
    append_bytes(bytes, {static_cast<const uint8_t*>(pieces[i].iov_base), pieces[i].iov_len});
  return bytes;
}

}  // namespace

TEST_CASE("sealed output: random bytes in and out, in order, and a slab only while it is needed") {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Pool pool;
    Random random(seed);
    SealedOutput output;
    Buffer model;
    for (int step = 0; step < 300; step++) {
      if (random.below(2) == 0) {
        const size_t room = output.room(*pool.slabs).size();
        const Buffer bytes = random.bytes(std::min<size_t>(room, random.below(20000)));
        put(output, pool, bytes);
        append_bytes(model, bytes);
      } else {
        const size_t size = std::min<size_t>(model.size(), random.below(30000));
        output.wrote(size);
        model.erase(model.begin(), model.begin() + static_cast<ptrdiff_t>(size));
        // Little is left: it pins no slab.
        if (model.size() <= kSlabBytes / 16) REQUIRE(pool.slabs->live_count() == 0);
      }
      REQUIRE(output.size() == model.size());
      REQUIRE(waiting(output) == model);
      REQUIRE(pool.slabs->live_count() <= 1);
    }
    SealedOutput other;
    other.swap(output);
    CHECK(output.empty());
    CHECK(waiting(other) == model);
    other.clear();
    CHECK(other.empty());
    CHECK(pool.slabs->live_count() == 0);
  }
}

TEST_CASE("sealed output: what a short list of iovecs leaves out comes next") {
  Pool pool;
  SealedOutput output;
  put(output, pool, Buffer(100, 1));
  output.wrote(50);
  put(output, pool, Buffer(10, 2));
  iovec piece;
  REQUIRE(output.gather(&piece, 1) == 1);
  CHECK(piece.iov_len == 50);
  output.wrote(50);
  REQUIRE(output.gather(&piece, 1) == 1);
  CHECK(piece.iov_len == 10);
  output.wrote(10);
  CHECK(output.gather(&piece, 1) == 0);
}

TEST_CASE("secure channel: idle, it holds no slab and little memory") {
  const SecretsPair secrets = make_secrets(61);
  Endpoint endpoint;
  endpoint.channel().open();
  const uint64_t before = allocation_count();
  REQUIRE(endpoint.channel().secure(secrets.near));
  CHECK(allocation_count() - before < 16);
  endpoint.channel().start_session(true);
  CHECK(endpoint.pool().live_count() == 0);
  endpoint.channel().send_control(22, text("odd"));
  CHECK(endpoint.take_output().size() == 96);
  CHECK(endpoint.pool().live_count() == 0);
}

TEST_CASE("secure channel: keepalives of a peer that never reads cost bounded memory") {
  const SecretsPair secrets = make_secrets(62);
  Reference peer = Reference::sent_by(secrets.far);
  Endpoint endpoint;
  endpoint.channel().open();
  REQUIRE(endpoint.channel().secure(secrets.near));
  endpoint.channel().start_session(true);
  for (uint64_t i = 1; i <= 5000; i++) {
    uint8_t stamp[8];
    store_u64(stamp, i);
    endpoint.deliver(peer.seal_plain(control_frame(Tag::kKeepalive2, stamp)));
    // As a loop does until the socket takes nothing any more.
    iovec vectors[4];
    if (i == 1 || i == 1000) {
      const size_t count = endpoint.channel().gather(vectors, 4, 32 * 1024);
      if (count > 0) endpoint.channel().wrote(1);
    }
  }
  // A sealed echo takes 96 bytes where a plain one takes 44; there may be as many of each as the limit allows.
  CHECK(endpoint.channel().queued_bytes() < 4 * endpoint.limits().control_payload_bytes_max + 200);
  CHECK(endpoint.pool().live_count() <= 2);
}

TEST_CASE("secure channel: no heap allocation per message, either way") {
  const SecretsPair secrets = make_secrets(63);
  Endpoint sender;
  Endpoint receiver;
  for (Endpoint* endpoint : {&sender, &receiver}) {
    endpoint->channel().open();
    REQUIRE(endpoint->channel().secure(endpoint == &sender ? secrets.near : secrets.far));
    endpoint->channel().start_session(true);
    endpoint->count_only = true;
  }
  const Buffer front(64, 1);
  Buffer wire(1 << 20);
  const auto round = [&](size_t count) {
    for (size_t i = 0; i < count; i++) sender.send(i, front);
    for (Endpoint* from : {&sender, &receiver}) {
      Endpoint* to = from == &sender ? &receiver : &sender;
      while (from->channel().wants_output()) {
        iovec vectors[16];
        const size_t vector_count = from->channel().gather(vectors, 16, 1 << 20);
        size_t size = 0;
        for (size_t i = 0; i < vector_count; i++) {
          std::memcpy(wire.data() + size, vectors[i].iov_base, vectors[i].iov_len);
          size += vectors[i].iov_len;
        }
        from->channel().wrote(size);
        to->deliver(Bytes(wire.data(), size));
      }
      to->end_turn();
    }
  };
  for (int i = 0; i < 5; i++) round(1000);
  const uint64_t before = allocation_count();
  for (int i = 0; i < 20; i++) round(1000);
  const uint64_t after = allocation_count();
  CHECK(receiver.event_count == 25000);
  // As in crc mode: control bytes and tails between slabs.
  CHECK((after - before) / 20 < 20);
}

TEST_CASE("secure channel: a control frame that fits into no slab ends the connection instead of hanging it") {
  Endpoint endpoint;
  endpoint.channel().open();
  REQUIRE(endpoint.channel().secure(make_secrets(64).near));
  endpoint.channel().send_control(22, Buffer(endpoint.limits().slab_bytes, 1));
  CHECK(endpoint.take_output().empty());
  CHECK(endpoint.channel().failed());
  CHECK(endpoint.channel().fault().error == FrameError::kNoMemory);
}
