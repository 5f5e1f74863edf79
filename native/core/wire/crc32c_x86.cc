// crc32c on x86-64: the crc32 instruction of SSE4.2, three streams of it joined by PCLMULQDQ, carry-less folding
// of whole zmm registers (VPCLMULQDQ with AVX-512), and for long runs both side by side.
//
// Two facts carry all of it, in reflected arithmetic:
//   crc32_u64(0, v) is v · x^32 mod P, v being a polynomial of 64 bits;
//   clmul(a, b) of two values reads as their product · x.
// So a state is moved n bytes ahead by crc32_u64(0, clmul(state, x^(8n-33))), and a block of 128 bits is
// moved D bits ahead by clmul(low half, x^(D+31)) ^ clmul(high half, x^(D-33)).
#include "core/wire/crc32c_internal.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#define MSGR_TARGET_SSE42 __attribute__((target("sse4.2")))
#define MSGR_TARGET_PCLMUL __attribute__((target("sse4.2,pclmul")))
#define MSGR_TARGET_AVX512 __attribute__((target("sse4.2,pclmul,avx512f,avx512vl,vpclmulqdq")))

namespace msgr::crc32c_internal {

namespace {

inline uint64_t load(const uint8_t* from) {
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// One 8-byte step: load, perhaps store, mix.
template <bool kCopy>
MSGR_TARGET_SSE42 inline uint64_t step(uint64_t crc, uint8_t* to, const uint8_t* from) {
  const uint64_t value = load(from);
  if constexpr (kCopy) std::memcpy(to, &value, sizeof value);
  return _mm_crc32_u64(crc, value);
}

template <bool kCopy>
MSGR_TARGET_SSE42 inline uint32_t sse42(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  uint64_t crc = seed;
  while (size >= 8) {
    crc = step<kCopy>(crc, to, from);
    from += 8;
    if constexpr (kCopy) to += 8;
    size -= 8;
  }
  auto short_crc = static_cast<uint32_t>(crc);
  if ((size & 4) != 0) {
    uint32_t value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (kCopy) std::memcpy(to, &value, sizeof value), to += 4;
    short_crc = _mm_crc32_u32(short_crc, value);
    from += 4;
  }
  if ((size & 2) != 0) {
    uint16_t value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (kCopy) std::memcpy(to, &value, sizeof value), to += 2;
    short_crc = _mm_crc32_u16(short_crc, value);
    from += 2;
  }
  if ((size & 1) != 0) {
    if constexpr (kCopy) *to = *from;
    short_crc = _mm_crc32_u8(short_crc, *from);
  }
  return short_crc;
}

// The crc32 instruction takes 3 cycles and starts every cycle: three streams at once keep it busy.
// Below this size the joining costs more than it saves.
constexpr size_t kThreeWayBytesMin = 144;

MSGR_TARGET_PCLMUL inline uint64_t multiply(uint64_t crc, uint32_t by) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(crc)),
                                               _mm_cvtsi32_si128(static_cast<int>(by)), 0);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
}

template <bool kCopy>
MSGR_TARGET_PCLMUL inline uint32_t three_way(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  while (size >= kThreeWayBytesMin) {
    const size_t third = size / 24;
    const size_t words = third < kStreamWordsMax ? third : kStreamWordsMax;
    const size_t stride = words * 8;
    uint64_t first = seed;
    uint64_t second = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < stride; i += 8) {
      first = step<kCopy>(first, to + (kCopy ? i : 0), from + i);
      second = step<kCopy>(second, to + (kCopy ? stride + i : 0), from + stride + i);
      last = step<kCopy>(last, to + (kCopy ? 2 * stride + i : 0), from + 2 * stride + i);
    }
    const uint64_t moved = multiply(first, kShifts[2 * words]) ^ multiply(second, kShifts[words]);
    seed = static_cast<uint32_t>(last ^ _mm_crc32_u64(0, moved));
    from += 3 * stride;
    if constexpr (kCopy) to += 3 * stride;
    size -= 3 * stride;
  }
  return sse42<kCopy>(seed, to, from, size);
}

struct FoldConstants {
  uint64_t low;
  uint64_t high;
};

constexpr FoldConstants fold_by(uint32_t bits) { return {power_of_x(bits + 31), power_of_x(bits - 33)}; }

constexpr FoldConstants kFold2048 = fold_by(2048);
constexpr FoldConstants kFold1536 = fold_by(1536);
constexpr FoldConstants kFold1024 = fold_by(1024);
constexpr FoldConstants kFold512 = fold_by(512);
constexpr FoldConstants kFold384 = fold_by(384);
constexpr FoldConstants kFold256 = fold_by(256);
constexpr FoldConstants kFold128 = fold_by(128);

constexpr size_t kFoldBytesMin = 256;

MSGR_TARGET_AVX512 inline __m512i broadcast(const FoldConstants& constants) {
  return _mm512_set_epi64(static_cast<int64_t>(constants.high), static_cast<int64_t>(constants.low),
                          static_cast<int64_t>(constants.high), static_cast<int64_t>(constants.low),
                          static_cast<int64_t>(constants.high), static_cast<int64_t>(constants.low),
                          static_cast<int64_t>(constants.high), static_cast<int64_t>(constants.low));
}

// Four blocks of 128 bits moved ahead, plus what lies there.
MSGR_TARGET_AVX512 inline __m512i fold(__m512i blocks, __m512i constants, __m512i there) {
  const __m512i low = _mm512_clmulepi64_epi128(blocks, constants, 0x00);
  const __m512i high = _mm512_clmulepi64_epi128(blocks, constants, 0x11);
  return _mm512_ternarylogic_epi64(low, high, there, 0x96);
}

template <bool kCopy>
MSGR_TARGET_AVX512 inline __m512i load_block(uint8_t* to, const uint8_t* from) {
  const __m512i block = _mm512_loadu_si512(from);
  if constexpr (kCopy) _mm512_storeu_si512(to, block);
  return block;
}

// Four neighbours to the place of the last one.
MSGR_TARGET_AVX512 inline __m512i gather(__m512i a, __m512i b, __m512i c, __m512i d) {
  d = fold(c, broadcast(kFold512), d);
  d = fold(b, broadcast(kFold1024), d);
  return fold(a, broadcast(kFold1536), d);
}

// The same within a register: each block is moved to where the last one stands; the last adds itself.
MSGR_TARGET_AVX512 inline __m128i gather(__m512i blocks) {
  const __m512i by_place =
      _mm512_set_epi64(0, 0, static_cast<int64_t>(kFold128.high), static_cast<int64_t>(kFold128.low),
                       static_cast<int64_t>(kFold256.high), static_cast<int64_t>(kFold256.low),
                       static_cast<int64_t>(kFold384.high), static_cast<int64_t>(kFold384.low));
  const __m512i moved = fold(blocks, by_place, _mm512_maskz_mov_epi64(0xc0, blocks));
  alignas(64) __m128i parts[4];
  _mm512_store_si512(parts, moved);
  return _mm_xor_si128(_mm_xor_si128(parts[0], parts[1]), _mm_xor_si128(parts[2], parts[3]));
}

// The state behind 128 bits, `moved` being what other states add to it.
MSGR_TARGET_AVX512 inline uint32_t reduce(__m128i bits, uint64_t moved) {
  const uint64_t crc = _mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(bits)));
  return static_cast<uint32_t>(_mm_crc32_u64(crc, static_cast<uint64_t>(_mm_extract_epi64(bits, 1)) ^ moved));
}

template <bool kCopy>
MSGR_TARGET_AVX512 inline uint32_t avx512(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  if (size < kFoldBytesMin) return three_way<kCopy>(seed, to, from, size);

  __m512i a = load_block<kCopy>(to, from);
  __m512i b = load_block<kCopy>(to + (kCopy ? 64 : 0), from + 64);
  __m512i c = load_block<kCopy>(to + (kCopy ? 128 : 0), from + 128);
  __m512i d = load_block<kCopy>(to + (kCopy ? 192 : 0), from + 192);
  // The seed is added to the first four bytes.
  a = _mm512_xor_si512(a, _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(seed))));
  from += 256;
  if constexpr (kCopy) to += 256;
  size -= 256;

  const __m512i by2048 = broadcast(kFold2048);
  while (size >= 256) {
    a = fold(a, by2048, load_block<kCopy>(to, from));
    b = fold(b, by2048, load_block<kCopy>(to + (kCopy ? 64 : 0), from + 64));
    c = fold(c, by2048, load_block<kCopy>(to + (kCopy ? 128 : 0), from + 128));
    d = fold(d, by2048, load_block<kCopy>(to + (kCopy ? 192 : 0), from + 192));
    from += 256;
    if constexpr (kCopy) to += 256;
    size -= 256;
  }
  d = gather(a, b, c, d);
  const __m512i by512 = broadcast(kFold512);
  while (size >= 64) {
    d = fold(d, by512, load_block<kCopy>(to, from));
    from += 64;
    if constexpr (kCopy) to += 64;
    size -= 64;
  }
  // Fewer than 64 bytes.
  return sse42<kCopy>(reduce(gather(d), 0), to, from, size);
}

// A core of AMD's folds 64 bytes in four cycles, one of Intel's in two; another unit of either does a crc32 in each
// of them. So three streams of that stand before what is folded, and are as long as they can be without being waited
// for: so many words of each beside 256 bytes of vectors.
constexpr size_t kWordsBeside = 3;
constexpr size_t kRoundBytes = 256 + 3 * 8 * kWordsBeside;
constexpr size_t kRoundWordsMoved = 256 / 8 + 2 * kWordsBeside;
constexpr size_t kRoundsMax = 2 * kStreamWordsMax / kRoundWordsMoved;
// With fewer the joining costs more than it saves.
constexpr size_t kRoundsMin = 6;

// The state behind `rounds` rounds of bytes.
MSGR_TARGET_AVX512 inline uint32_t side_by_side(uint32_t seed, const uint8_t* from, size_t rounds) {
  const size_t words = kWordsBeside * rounds;
  uint64_t first = seed;
  uint64_t second = 0;
  uint64_t third = 0;
  const uint8_t* vectors = from + 3 * 8 * words;
  __m512i a = _mm512_loadu_si512(vectors);
  __m512i b = _mm512_loadu_si512(vectors + 64);
  __m512i c = _mm512_loadu_si512(vectors + 128);
  __m512i d = _mm512_loadu_si512(vectors + 192);
  const __m512i by2048 = broadcast(kFold2048);
  for (size_t round = 0;; round++) {
    for (size_t i = 0; i < kWordsBeside; i++, from += 8) {
      first = _mm_crc32_u64(first, load(from));
      second = _mm_crc32_u64(second, load(from + 8 * words));
      third = _mm_crc32_u64(third, load(from + 2 * 8 * words));
    }
    if (round + 1 == rounds) break;
    vectors += 256;
    a = fold(a, by2048, _mm512_loadu_si512(vectors));
    b = fold(b, by2048, _mm512_loadu_si512(vectors + 64));
    c = fold(c, by2048, _mm512_loadu_si512(vectors + 128));
    d = fold(d, by2048, _mm512_loadu_si512(vectors + 192));
  }
  const size_t behind = rounds * 256 / 8;
  const uint64_t moved = multiply(first, kShifts[behind + 2 * words]) ^
                         multiply(second, kShifts[behind + words]) ^ multiply(third, kShifts[behind]);
  return reduce(gather(gather(a, b, c, d)), moved);
}

MSGR_TARGET_SSE42 uint32_t sse42_crc(uint32_t seed, const uint8_t* data, size_t size) {
  return sse42<false>(seed, nullptr, data, size);
}
MSGR_TARGET_SSE42 uint32_t sse42_crc_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  return sse42<true>(seed, to, from, size);
}
MSGR_TARGET_PCLMUL uint32_t three_way_crc(uint32_t seed, const uint8_t* data, size_t size) {
  return three_way<false>(seed, nullptr, data, size);
}
MSGR_TARGET_PCLMUL uint32_t three_way_crc_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  return three_way<true>(seed, to, from, size);
}
MSGR_TARGET_AVX512 uint32_t avx512_crc(uint32_t seed, const uint8_t* data, size_t size) {
  while (size >= kRoundsMin * kRoundBytes) {
    const size_t rounds = std::min(size / kRoundBytes, kRoundsMax);
    seed = side_by_side(seed, data, rounds);
    data += rounds * kRoundBytes;
    size -= rounds * kRoundBytes;
  }
  return avx512<false>(seed, nullptr, data, size);
}
MSGR_TARGET_AVX512 uint32_t avx512_crc_copy(uint32_t seed, uint8_t* to, const uint8_t* from, size_t size) {
  return avx512<true>(seed, to, from, size);
}

}  // namespace

size_t list_x86(Crc32cImplementation* to) {
  __builtin_cpu_init();
  const bool has_sse42 = __builtin_cpu_supports("sse4.2");
  const bool has_pclmul = has_sse42 && __builtin_cpu_supports("pclmul");
  const bool has_avx512 = has_pclmul && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("vpclmulqdq");
  to[0] = {"sse4.2", has_sse42, sse42_crc, sse42_crc_copy};
  to[1] = {"sse4.2 three-way", has_pclmul, three_way_crc, three_way_crc_copy};
  to[2] = {"vpclmulqdq", has_avx512, avx512_crc, avx512_crc_copy};
  return 3;
}

}  // namespace msgr::crc32c_internal

#else

namespace msgr::crc32c_internal {

size_t list_x86(Crc32cImplementation*) { return 0; }

}  // namespace msgr::crc32c_internal

#endif
