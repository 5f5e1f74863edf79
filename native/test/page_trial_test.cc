#include <doctest/doctest.h>

#include "core/io/page_trial.h"

using namespace msgr;

namespace {

constexpr uint64_t kMib = 1024 * 1024;

// A stream on a machine where a byte takes so long by either way.
struct Stream {
  PageTrial trial;
  double pages_ns = 1;
  double copies_ns = 1;
  uint64_t now_ns = 1'000'000'000;
  uint64_t given = 0;

  // Answers how many bytes of them were given as pages.
  uint64_t move(uint64_t bytes, uint64_t transfer = kMib / 2) {
    const uint64_t before = given;
    for (uint64_t moved = 0; moved < bytes; moved += transfer) {
      const bool pages = trial.gives_pages();
      if (pages) given += transfer;
      now_ns += static_cast<uint64_t>((pages ? pages_ns : copies_ns) * static_cast<double>(transfer));
      trial.moved(transfer, now_ns);
    }
    return given - before;
  }
};

}  // namespace

TEST_CASE("page trial: pages are tried first, and each way twice") {
  Stream stream;
  CHECK(stream.trial.gives_pages());
  CHECK(stream.move(48 * kMib) == 24 * kMib);
}

TEST_CASE("page trial: the faster way is kept, and the other one gets ever less") {
  for (const bool pages_win : {true, false}) {
    CAPTURE(pages_win);
    Stream stream;
    (pages_win ? stream.copies_ns : stream.pages_ns) = 1.5;
    stream.move(48 * kMib);
    CHECK(stream.trial.gives_pages() == pages_win);
    CHECK(stream.move(64 * kMib) == (pages_win ? 64 * kMib : 0));
    stream.move(10'000 * kMib);
    const uint64_t late = stream.move(10'000 * kMib);
    const uint64_t losing = pages_win ? 10'000 * kMib - late : late;
    CHECK(losing > 0);
    CHECK(losing < 150 * kMib);
  }
}

TEST_CASE("page trial: pages that win next to nothing are not given") {
  Stream stream;
  stream.copies_ns = 1.04;
  stream.move(48 * kMib);
  CHECK_FALSE(stream.trial.gives_pages());
}

TEST_CASE("page trial: another speed of the machine is noticed") {
  Stream stream;
  stream.pages_ns = 1.5;
  stream.move(20'000 * kMib);
  REQUIRE(stream.move(kMib) == 0);
  stream.pages_ns = 0.5;
  // It keeps to one way for 2 GiB at most.
  stream.move(2200 * kMib);
  CHECK(stream.move(10 * kMib) == 10 * kMib);
}

TEST_CASE("page trial: one slow turn of each way decides nothing") {
  Stream stream;
  stream.copies_ns = 1.2;
  // Both first turns meet something else that takes the processor.
  stream.pages_ns = 9;
  stream.move(12 * kMib);
  stream.pages_ns = 1;
  stream.move(36 * kMib);
  CHECK(stream.trial.gives_pages());
}

TEST_CASE("page trial: standing still is not counted") {
  Stream stream;
  stream.copies_ns = 1.2;
  // Bursts of 3 MiB, and a pause before each: as long for pages as it takes, short for copies.
  for (int burst = 0; burst < 16; burst++) {
    stream.now_ns += stream.trial.gives_pages() ? 50'000'000 : 6'000'000;
    stream.move(3 * kMib);
  }
  CHECK(stream.trial.gives_pages());
}

TEST_CASE("page trial: a turn in which nothing could be measured decides for copies") {
  Stream stream;
  for (int transfer = 0; transfer < 96; transfer++) {
    stream.now_ns += 6'000'000;
    stream.move(kMib / 2);
  }
  CHECK_FALSE(stream.trial.gives_pages());
}
