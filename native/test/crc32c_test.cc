#include <doctest/doctest.h>

#include <cstring>

#include "core/wire/crc32c.h"
#include "test/support.h"

using namespace msgr;
using namespace msgr::test;

namespace {

uint32_t crc_of_text(Crc32cFunction crc, uint32_t seed, const char* text) {
  return crc(seed, reinterpret_cast<const uint8_t*>(text), std::strlen(text));
}

// One bit at a time: nothing in common with any of the implementations but the polynomial.
uint32_t crc_by_bits(uint32_t crc, Bytes bytes) {
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return crc;
}

template <typename Check>
void for_each_supported(Check check) {
  for (const Crc32cImplementation& implementation : crc32c_implementations()) {
    if (!implementation.supported) {
      MESSAGE("not on this CPU: " << std::string(implementation.name));
      continue;
    }
    CAPTURE(implementation.name);
    check(implementation);
  }
}

}  // namespace

TEST_CASE("crc32c: known vectors on every implementation") {
  for_each_supported([](const Crc32cImplementation& implementation) {
    CHECK(crc_of_text(implementation.crc, 0, "foo bar baz") == 4119623852u);
    CHECK(crc_of_text(implementation.crc, 1234, "foo bar baz") == 881700046u);
    CHECK(crc_of_text(implementation.crc, 0, "whiz bang boom") == 2360230088u);
    CHECK(crc_of_text(implementation.crc, 5678, "whiz bang boom") == 3743019208u);
    CHECK(crc_of_text(implementation.crc, 0xffffffff, "123456789") == 0x1cf96d7cu);
    CHECK(implementation.crc(0xabcdef01, nullptr, 0) == 0xabcdef01u);
  });
}

TEST_CASE("crc32c: the table version against bit by bit") {
  Random random(1);
  const Buffer bytes = random.bytes(600);
  const Crc32cImplementation& table = crc32c_implementations()[0];
  for (size_t size = 0; size <= bytes.size(); size++) {
    const Bytes part(bytes.data(), size);
    REQUIRE(table.crc(0x12345678, part.data(), part.size()) == crc_by_bits(0x12345678, part));
  }
}

TEST_CASE("crc32c: every length and alignment against the table version") {
  Random random(2);
  constexpr size_t kSizeMax = 4096;
  constexpr size_t kGuard = 64;
  const Buffer bytes = random.bytes(kSizeMax + 64);
  const Crc32cImplementation& table = crc32c_implementations()[0];
  for_each_supported([&](const Crc32cImplementation& implementation) {
    Buffer copy(kSizeMax + 64 + 2 * kGuard);
    for (const size_t alignment : {0, 1, 3, 4, 7, 8, 15, 33}) {
      for (size_t size = 0; size <= kSizeMax; size++) {
        const auto seed = static_cast<uint32_t>(random.next());
        const uint8_t* from = bytes.data() + alignment;
        const uint32_t expected = table.crc(seed, from, size);
        const uint32_t found = implementation.crc(seed, from, size);
        if (found != expected) {
          CAPTURE(size);
          CAPTURE(alignment);
          REQUIRE(found == expected);
        }
        // The copy, to another alignment, with bytes on both sides that must stay.
        uint8_t* to = copy.data() + kGuard + (alignment * 5) % 16;
        std::memset(to - kGuard / 2, 0x5a, size + kGuard);
        const uint32_t found_copying = implementation.crc_copy(seed, to, from, size);
        const bool same = found_copying == expected && (size == 0 || std::memcmp(to, from, size) == 0);
        bool guards = true;
        for (size_t i = 0; i < kGuard / 2; i++)
          guards = guards && *(to - 1 - i) == 0x5a && to[size + i] == 0x5a;
        if (!same || !guards) {
          CAPTURE(size);
          CAPTURE(alignment);
          REQUIRE(same);
          REQUIRE(guards);
        }
      }
    }
  });
}

TEST_CASE("crc32c: long buffers, and a CRC continued from a CRC") {
  Random random(3);
  const Buffer bytes = random.bytes(1 << 20);
  const Crc32cImplementation& table = crc32c_implementations()[0];
  for_each_supported([&](const Crc32cImplementation& implementation) {
    for (int round = 0; round < 50; round++) {
      const size_t size = random.below(1 << 20);
      const size_t cut = size == 0 ? 0 : random.below(static_cast<uint32_t>(size));
      const uint32_t whole = implementation.crc(0xffffffff, bytes.data(), size);
      CHECK(whole == table.crc(0xffffffff, bytes.data(), size));
      const uint32_t first = implementation.crc(0xffffffff, bytes.data(), cut);
      CHECK(implementation.crc(first, bytes.data() + cut, size - cut) == whole);
    }
  });
}

TEST_CASE("crc32c: what is used is the last that the CPU has") {
  const Crc32cImplementation* last = nullptr;
  for (const Crc32cImplementation& implementation : crc32c_implementations()) {
    if (implementation.supported) last = &implementation;
  }
  REQUIRE(last != nullptr);
  MESSAGE("in use: " << std::string(last->name));
  CHECK(crc_of_text([](uint32_t seed, const uint8_t* data, size_t size) { return crc32c(seed, data, size); },
                    0, "foo bar baz") == 4119623852u);
  Buffer to(11);
  CHECK(crc32c_copy(1234, to.data(), reinterpret_cast<const uint8_t*>("foo bar baz"), 11) == 881700046u);
  CHECK(std::memcmp(to.data(), "foo bar baz", 11) == 0);
}
