#include <doctest/doctest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <new>
#include <set>
#include <string>
#include <type_traits>

#include "core/crypto/aead.h"
#include "test/allocations.h"
#include "test/secure_support.h"

using namespace msgr;
using namespace msgr::test;

// The declarations of libcrypto.h, which needs no header of OpenSSL, are those of the header.
static_assert(std::is_same_v<decltype(Libcrypto::context_new), decltype(&EVP_CIPHER_CTX_new)>);
static_assert(std::is_same_v<decltype(Libcrypto::context_free), decltype(&EVP_CIPHER_CTX_free)>);
static_assert(std::is_same_v<decltype(Libcrypto::context_control), decltype(&EVP_CIPHER_CTX_ctrl)>);
static_assert(std::is_same_v<decltype(Libcrypto::aes_128_gcm), decltype(&EVP_aes_128_gcm)>);
static_assert(std::is_same_v<decltype(Libcrypto::init), decltype(&EVP_CipherInit_ex)>);
static_assert(std::is_same_v<decltype(Libcrypto::update), decltype(&EVP_CipherUpdate)>);
static_assert(std::is_same_v<decltype(Libcrypto::finish), decltype(&EVP_CipherFinal_ex)>);
static_assert(std::is_same_v<decltype(Libcrypto::errors_clear), decltype(&ERR_clear_error)>);
static_assert(kAeadGetTag == EVP_CTRL_AEAD_GET_TAG && kAeadSetTag == EVP_CTRL_AEAD_SET_TAG);

namespace {

Buffer hex(const std::string& text) {
  Buffer bytes;
  for (size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::unique_ptr<Aead> make(Aead::Direction direction, const Buffer& key, const Buffer& nonce) {
  uint8_t key_bytes[kAeadKeySize];
  uint8_t nonce_bytes[kAeadNonceSize];
  std::copy_n(key.begin(), sizeof key_bytes, key_bytes);
  std::copy_n(nonce.begin(), sizeof nonce_bytes, nonce_bytes);
  return Aead::create(direction, key_bytes, nonce_bytes);
}

// Refused once the library has allocated anything.
const bool kLibraryIsCounted =
    CRYPTO_set_mem_functions([](size_t size, const char*, int) { return std::malloc(size); },
                             [](void* old, size_t size, const char*, int) { return std::realloc(old, size); },
                             [](void* old, const char*, int) { std::free(old); }) == 1;

const Buffer kKey = hex("feffe9928665731c6d6a8f9467308308");
const Buffer kNonce = hex("cafebabefacedbaddecaf888");

}  // namespace

TEST_CASE("aead: the library is there") { CHECK(Aead::available()); }

TEST_CASE("aead: known answers") {
  // McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 1, 2 and 3.
  struct Row {
    Buffer key;
    Buffer nonce;
    Buffer plain;
    Buffer sealed;
    Buffer tag;
  };
  const Buffer zero_key(16);
  const Buffer zero_nonce(12);
  const Row rows[] = {
      {zero_key, zero_nonce, {}, {}, hex("58e2fccefa7e3061367f1d57a4e7455a")},
      {zero_key, zero_nonce, Buffer(16), hex("0388dace60b6a392f328c2b971b2fe78"),
       hex("ab6e47d42cec13bdf53a67b21257bddf")},
      {kKey, kNonce,
       hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
           "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"),
       hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
           "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"),
       hex("4d5c2af327cd64a62cf35abd2ba6fab4")},
  };
  for (const Row& row : rows) {
    const auto sealer = make(Aead::Direction::kSeal, row.key, row.nonce);
    Buffer text = row.plain;
    text.resize(text.size() + kAeadTagSize);
    REQUIRE(sealer->begin());
    // In parts that are no blocks.
    for (size_t at = 0; at < row.plain.size(); at += 7) {
      const size_t size = std::min<size_t>(7, row.plain.size() - at);
      REQUIRE(sealer->update(text.data() + at, row.plain.data() + at, size));
    }
    REQUIRE(sealer->seal_end(text.data() + row.plain.size()));
    Buffer expected = row.sealed;
    append_bytes(expected, row.tag);
    CHECK(text == expected);
    const auto opener = make(Aead::Direction::kOpen, row.key, row.nonce);
    if (row.plain.empty()) continue;
    REQUIRE(opener->open(text.data(), row.plain.size()));
    text.resize(row.plain.size());
    CHECK(text == row.plain);
  }
}

TEST_CASE("aead: the counter of a nonce is the last eight bytes, little-endian, on any machine") {
  uint8_t first[] = {0xa0, 0xa1, 0xa2, 0xa3, 0xfe, 0xff, 0x00, 0, 0, 0, 0, 0};
  Nonces nonces(first);
  const auto next = [&] {
    Buffer nonce(kAeadNonceSize);
    CHECK(nonces.take(nonce.data()));
    return nonce;
  };
  CHECK(next() == hex("a0a1a2a3feff000000000000"));
  CHECK(next() == hex("a0a1a2a3ffff000000000000"));
  CHECK(next() == hex("a0a1a2a30000010000000000"));
  CHECK(nonces.taken() == 3);
}

TEST_CASE("aead: a counter goes round its whole range once, and no further") {
  // From the middle of the range: past 2^64 - 1 it goes on at 0.
  const uint8_t near_the_top[] = {1, 2, 3, 4, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  Nonces round(near_the_top);
  std::set<Buffer> seen;
  for (int i = 0; i < 5; i++) {
    Buffer nonce(kAeadNonceSize);
    REQUIRE(round.take(nonce.data()));
    CHECK(seen.insert(nonce).second);
  }
  CHECK(*seen.begin() == hex("010203040000000000000000"));
  // From 0, at 2^64 - 2: two are left.
  const uint8_t zero[kAeadNonceSize] = {};
  Nonces last(zero);
  last.skip(~uint64_t{0} - 1);
  uint8_t nonce[kAeadNonceSize];
  CHECK(last.take(nonce));
  CHECK(last.take(nonce));
  CHECK(load_u64(nonce + 4) == ~uint64_t{0});
  for (int i = 0; i < 3; i++) CHECK(!last.take(nonce));
}

TEST_CASE("aead: without a nonce nothing is sealed or opened") {
  for (const auto direction : {Aead::Direction::kSeal, Aead::Direction::kOpen}) {
    const auto aead = make(direction, kKey, kNonce);
    aead->nonces().skip(~uint64_t{0});
    REQUIRE(aead->begin());
    CHECK(!aead->begin());
    CHECK(aead->error() == AeadError::kNoncesUsed);
  }
}

TEST_CASE("aead: operations follow one another as the book has them, both ways") {
  const SecretsPair secrets = make_secrets(3);
  Reference reference = Reference::sent_by(secrets.near);
  const auto sealer = Aead::create(Aead::Direction::kSeal, secrets.near.key, secrets.near.send_nonce);
  const auto opener = Aead::create(Aead::Direction::kOpen, secrets.far.key, secrets.far.receive_nonce);
  Random random(4);
  for (size_t size = 1; size < 300; size++) {
    const Buffer plain = random.bytes(size);
    Buffer sealed = plain;
    sealed.resize(size + kAeadTagSize);
    REQUIRE(sealer->seal(sealed.data(), size));
    REQUIRE(sealed == reference.seal(plain));
    REQUIRE(opener->open(sealed.data(), size));
    sealed.resize(size);
    REQUIRE(sealed == plain);
  }
}

TEST_CASE("aead: every bit that differs is seen, and nothing stays in the host's list of errors") {
  const SecretsPair secrets = make_secrets(5);
  const Buffer sealed = Reference::sent_by(secrets.near).seal(Buffer(33, 1));
  for (size_t bit = 0; bit < 8 * sealed.size(); bit++) {
    const auto opener = Aead::create(Aead::Direction::kOpen, secrets.far.key, secrets.far.receive_nonce);
    Buffer changed = sealed;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    REQUIRE(!opener->open(changed.data(), 33));
    REQUIRE(opener->error() == AeadError::kTag);
    REQUIRE(ERR_peek_error() == 0);
  }
}

// What the library allocates goes through this binary, where allocations are counted.
TEST_CASE("aead: no heap allocation per operation") {
  REQUIRE(kLibraryIsCounted);
  const auto sealer = make(Aead::Direction::kSeal, kKey, kNonce);
  const auto opener = make(Aead::Direction::kOpen, kKey, kNonce);
  Buffer text(1000 + kAeadTagSize);
  bool good = true;
  const auto both_ways = [&] {
    good = sealer->seal(text.data(), 1000) && good;
    good = opener->open(text.data(), 1000) && good;
  };
  both_ways();
  const uint64_t before = allocation_count();
  for (int i = 0; i < 1000; i++) both_ways();
  const uint64_t after = allocation_count();
  CHECK(good);
  CHECK(after == before);
}

TEST_CASE("stream secrets: sizes are checked, and they wipe themselves") {
  StreamSecrets secrets;
  CHECK(secrets.assign(Buffer(16), Buffer(12), Buffer(12)));
  for (const size_t size : {0, 11, 13, 15, 17}) {
    CHECK(!secrets.assign(Buffer(size), Buffer(12), Buffer(12)));
    CHECK((size == 12 || !secrets.assign(Buffer(16), Buffer(size), Buffer(12))));
    CHECK((size == 12 || !secrets.assign(Buffer(16), Buffer(12), Buffer(size))));
  }
  // Volatile, as the compiler knows that nobody may look at what has ended.
  alignas(StreamSecrets) volatile uint8_t memory[sizeof(StreamSecrets)] = {};
  auto* kept = new (const_cast<uint8_t*>(memory)) StreamSecrets();
  REQUIRE(kept->assign(Buffer(16, 0xaa), Buffer(12, 0xaa), Buffer(12, 0xaa)));
  CHECK(memory[0] == 0xaa);
  kept->~StreamSecrets();
  for (const volatile uint8_t& byte : memory) CHECK(byte == 0);
}
