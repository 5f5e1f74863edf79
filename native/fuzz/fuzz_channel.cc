// A channel with a hostile peer: the input is a program of what the peer sends and what the owner does,
// in the handshake and in session, in crc mode and in secure mode, over broken sockets too. Frames of the
// peer have right CRCs, or are sealed with the right key, unless the program damages them, so that what lies
// behind the reader is reached.
//
// Invariants held after each step: the counters agree with the channel, what waits for a peer that never
// reads is bounded by what the owner sent, every record points into its slab, and no message comes twice
// or out of order within a session.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "core/base/check.h"
#include "test/secure_support.h"

namespace {

using namespace msgr;
using namespace msgr::test;

class Program {
 public:
  Program(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool done() const { return at_ >= size_; }
  uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
  uint64_t number() {
    const uint8_t width = byte();
    if (width < 224) return width;
    uint64_t value = 0;
    for (int i = 0; i < (width - 224) / 4 + 1; i++) value = value << 8 | byte();
    return value;
  }
  Bytes bytes(size_t count) {
    count = std::min(count, size_ - at_);
    const Bytes part(data_ + at_, count);
    at_ += count;
    return part;
  }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

constexpr int kStepsMax = 200;

const SecretsPair kSecrets = make_secrets(1);

class Session {
 public:
  explicit Session(Program& program) : program_(program), endpoint_(small_limits(), 1 + program.byte() % 8) {
    endpoint_.on_pulled = [this] {
      if (endpoint_.channel().state() == Channel::State::kHandshake && pulls_left_ > 0) {
        pulls_left_--;
        expect();
      }
    };
  }

  void run() {
    for (int step = 0; step < kStepsMax && !program_.done(); step++) {
      one_step();
      check();
    }
  }

 private:
  Channel& channel() { return endpoint_.channel(); }

  void expect() {
    const uint8_t what = program_.byte();
    if (what % 4 == 0) {
      channel().expect_bytes(1 + what);
    } else {
      channel().expect_frame();
    }
  }

  // A socket that failed is closed, as the loop would.
  void deliver(Bytes bytes) {
    if (channel().state() == Channel::State::kIdle) return;
    if (endpoint_.deliver(bytes)) return;
    MSGR_CHECK(channel().fault().error != FrameError::kNone);
    close();
  }
  void close() {
    peer_.reset();
    channel().close();
    endpoint_.clear_failure();
    endpoint_.drop_unread();
  }

  // As the peer puts it on the wire.
  Buffer on_wire(const Buffer& frame) {
    return peer_ && frame.size() >= kPreambleSize ? peer_->seal_plain(frame) : frame;
  }

  void deliver_frame(const Buffer& plain) {
    Buffer frame = on_wire(plain);
    const uint8_t fate = program_.byte();
    if (fate == 1 && !frame.empty()) {
      frame[program_.number() % frame.size()] ^= static_cast<uint8_t>(1 + program_.byte());
    } else if (fate == 2) {
      frame.resize(program_.number() % (frame.size() + 1));
    } else if (fate == 3) {
      const size_t cut = program_.number() % (frame.size() + 1);
      deliver(Bytes(frame).first(cut));
      endpoint_.end_turn();
      deliver(Bytes(frame).subspan(cut));
      return;
    }
    deliver(frame);
  }

  void one_step() {
    switch (program_.byte() % 21) {
      case 0:
        if (channel().state() == Channel::State::kIdle) channel().open();
        break;
      case 1:
        close();
        break;
      case 2:
        if (channel().state() == Channel::State::kHandshake && !channel().wants_input()) {
          pulls_left_ = program_.byte() % 4;
          expect();
          resume();
        }
        break;
      case 3:
        if (channel().state() == Channel::State::kHandshake && !channel().wants_input()) {
          channel().start_session(program_.byte() % 4 != 0);
          resume();
        }
        break;
      case 4: {
        const Bytes payload = program_.bytes(program_.byte());
        deliver_frame(message_frame(
            {.seq = program_.number(), .tid = program_.number(), .ack_seq = program_.number(), .type = 42},
            payload, payload.first(payload.size() / 3), payload.first(payload.size() / 2)));
        break;
      }
      case 5: {
        // The next message in order, which the channel must take.
        const uint64_t seq = channel().in_seq() + 1;
        deliver_frame(message_frame({.seq = seq, .type = 42}, program_.bytes(program_.byte())));
        break;
      }
      case 6:
        deliver_frame(ack_frame(program_.number()));
        break;
      case 7:
        deliver_frame(control_frame(program_.byte(), program_.bytes(program_.byte())));
        break;
      case 8: {
        uint8_t stamp[8];
        store_u64(stamp, program_.number());
        for (int i = program_.byte(); i >= 0 && channel().state() != Channel::State::kIdle; i--)
          deliver(on_wire(control_frame(Tag::kKeepalive2, stamp)));
        break;
      }
      case 9:
        deliver(program_.bytes(program_.byte()));
        break;
      case 10: {
        // A preamble with any lengths, and a few bytes.
        Buffer frame(kPreambleSize);
        Preamble preamble{
            .tag = program_.byte(), .segment_count = program_.byte(), .lengths = {}, .alignments = {}};
        for (uint32_t& length : preamble.lengths) length = static_cast<uint32_t>(program_.number());
        append_preamble(frame.data(), preamble);
        if (peer_) {
          const Bytes text = program_.bytes(program_.byte());
          deliver(peer_->frame_behind(frame, {Buffer(text.begin(), text.end()), Buffer(text.size(), 1)}));
          break;
        }
        append_bytes(frame, program_.bytes(program_.byte()));
        deliver_frame(frame);
        break;
      }
      case 11: {
        // A large message, perhaps through a slab of its own.
        const Buffer data(program_.byte() * size_t{600}, 0x55);
        deliver_frame(message_frame({.seq = channel().in_seq() + 1, .type = 42}, {}, {}, data));
        break;
      }
      case 12: {
        const Buffer front(program_.byte(), 0x66);
        endpoint_.send(1, front);
        break;
      }
      case 13:
        endpoint_.send(1, {}, {}, lent_, 0, 1 + lent_count_++);
        break;
      case 14:
        if (channel().state() != Channel::State::kIdle) {
          owner_control_bytes_ += 300;
          channel().send_control(program_.byte(), program_.bytes(program_.byte()));
        }
        break;
      case 15:
        endpoint_.take_output(program_.number() % 5000, 1 + program_.byte() % 8);
        break;
      case 16:
        endpoint_.end_turn();
        break;
      case 17:
        if (channel().state() != Channel::State::kSession) channel().acknowledge(program_.number());
        break;
      case 18:
        if (channel().state() != Channel::State::kSession) {
          if (program_.byte() % 2 == 0) {
            channel().reset_session();
          } else {
            channel().reset_in_seq();
          }
        }
        break;
      case 19:
        if (channel().state() != Channel::State::kSession) adopt();
        break;
      case 20:
        if (channel().state() == Channel::State::kHandshake && !channel().wants_input() && !peer_) {
          MSGR_CHECK(channel().secure(kSecrets.near));
          peer_.emplace(Reference::sent_by(kSecrets.far));
        }
        break;
    }
  }

  void resume() {
    endpoint_.resume();
    if (!endpoint_.failed()) return;
    close();
  }

  // The stream of a channel that was just accepted, and has read a little.
  void adopt() {
    ChannelCounters counters;
    LentReleases releases;
    const ChannelContext context{endpoint_.limits(), endpoint_.pool(), releases};
    Channel accepted(context, counters, 9);
    accepted.open();
    peer_.reset();
    if (program_.byte() % 2 == 0) {
      MSGR_CHECK(accepted.secure(kSecrets.near));
      peer_.emplace(Reference::sent_by(kSecrets.far));
    }
    accepted.send_control(15, {});
    owner_control_bytes_ += 100;
    const Bytes unread = program_.bytes(program_.byte());
    const SlabRef slab = endpoint_.pool().take();
    std::copy(unread.begin(), unread.end(), slab->data());
    MSGR_CHECK(accepted.keep_tail(*slab, 0, static_cast<uint32_t>(unread.size())));
    endpoint_.drop_unread();
    channel().adopt(accepted);
  }

  // What was sealed before the socket took no more: a slab of it, and a small rest of the one before.
  [[nodiscard]] uint64_t sealed_bytes_max() const { return 2 * endpoint_.limits().slab_bytes; }

  void check() {
    const Channel& now = channel();
    const ChannelCounters& counters = endpoint_.counters;
    MSGR_CHECK(counters.in_seq == now.in_seq());
    MSGR_CHECK(counters.out_seq == now.out_seq());
    MSGR_CHECK(counters.queued_bytes == now.queued_bytes());
    // What a peer makes us queue: one limit's worth of echoes and acks, however it behaves; in secure mode
    // what is sealed waits beside it.
    const uint64_t plain = counters.unacked_bytes + endpoint_.limits().control_payload_bytes_max +
                           owner_control_bytes_ + 200;
    MSGR_CHECK(now.queued_bytes() <= (peer_ ? plain + sealed_bytes_max() : plain));
    uint64_t last = 0;
    for (const Event& event : endpoint_.events) {
      if (event.kind != RecordKind::kMessage) continue;
      MSGR_CHECK(event.seq() > last);
      last = event.seq();
    }
    if (!endpoint_.events.empty()) endpoint_.events.clear();
    MSGR_CHECK(endpoint_.releases.size() <= lent_count_);
  }

  Program& program_;
  Endpoint endpoint_;
  // What the peer seals with, once the stream is in secure mode.
  std::optional<Reference> peer_;
  int pulls_left_ = 0;
  uint64_t lent_count_ = 0;
  uint64_t owner_control_bytes_ = 0;
  Buffer lent_ = Buffer(5000, 0x77);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size > 4096) return 0;
  Program program(input, size);
  Session session(program);
  session.run();
  return 0;
}
