// What the frames themselves allow: MESSAGE frames of msgr2.1 with every CRC made and checked, over one TCP
// connection, and nothing of a messenger around them: no acks, no sequence check, no replay, no dispatch, one
// thread. The reader reads type and first byte of each, and waits in recv (`blocking`) or asks without end
// (`polling`). With `shared` the frames go through shared memory (core/io/shared_link.h), and the reader asks without
// end.
//
//     stream_peer server blocking|polling|shared      stream_peer client blocking|polling|shared PORT
#include <poll.h>
#include <sys/uio.h>

#include <cerrno>
#include <memory>

#include "core/io/shared_link.h"
#include "core/wire/frame_reader.h"
#include "core/wire/frame_writer.h"
#include "harness.h"
#include "socket.h"

using namespace bench;

namespace {

// As in src/limits.ts: one write, and from where on a payload is not copied.
constexpr size_t kWriteBytes = 512 << 10;
constexpr size_t kLendBytesMin = 16 << 10;
constexpr size_t kReadBytes = 512 << 10;
constexpr size_t kReadBufferBytes = 256 << 20;

// Name and token of the link, one behind the other; nobody else is here whom they would have to be kept from.
using Invitation = uint8_t[msgr::kSharedNameBytes + msgr::kSharedTokenBytes];

std::unique_ptr<msgr::SharedLink> give_link(int socket) {
  Invitation both = {};
  const auto unique = static_cast<uint64_t>(Clock::now().time_since_epoch().count());
  std::memcpy(both, &unique, sizeof unique);
  uint8_t word = 1;
  send_all(socket, both, sizeof both);
  check(receive_all(socket, &word, 1, 0), "recv");
  auto link = msgr::SharedLink::give({both, msgr::kSharedNameBytes},
                                     {both + msgr::kSharedNameBytes, msgr::kSharedTokenBytes});
  check(link != nullptr, "give");
  send_all(socket, &word, 1);
  return link;
}

std::unique_ptr<msgr::SharedLink> take_link(int socket) {
  Invitation both;
  uint8_t word = 1;
  check(receive_all(socket, both, sizeof both, 0), "recv");
  auto link = msgr::SharedLink::invite({both, msgr::kSharedNameBytes});
  check(link != nullptr, "invite");
  send_all(socket, &word, 1);
  check(receive_all(socket, &word, 1, 0), "recv");
  check(link->take({both + msgr::kSharedNameBytes, msgr::kSharedTokenBytes}), "take");
  return link;
}

class Sender {
 public:
  Sender(int socket, std::unique_ptr<msgr::SharedLink> link) : socket_(socket), link_(std::move(link)) {}

  void send(uint16_t type, const uint8_t* payload, uint32_t size) {
    const msgr::MessageHeader header{.seq = ++seq_, .type = type, .priority = 127};
    const msgr::MessageSizes sizes{0, 0, size};
    if (size >= kLendBytesMin) {
      lend(header, sizes, payload);
      return;
    }
    const auto frame_bytes = static_cast<size_t>(msgr::message_frame_size(sizes));
    if (used_ + frame_bytes > kWriteBytes) flush();
    uint8_t* frame = slab_.data() + used_;
    if (size > 0) std::memcpy(frame + msgr::kMessageGapOffset, payload, size);
    used_ += msgr::finish_message(frame, preamble_, header, sizes);
  }

  void flush() {
    if (used_ == 0) return;
    iovec vector{slab_.data(), used_};
    write(&vector, 1);
  }

 private:
  void lend(const msgr::MessageHeader& header, const msgr::MessageSizes& sizes, const uint8_t* payload) {
    const size_t before = used_ + msgr::kMessageGapOffset;
    used_ += msgr::finish_message(slab_.data() + used_, preamble_, header, sizes, nullptr, payload);
    iovec vectors[3] = {
        {slab_.data(), before},
        {const_cast<uint8_t*>(payload), sizes.data},
        {slab_.data() + before, used_ - before},
    };
    write(vectors, 3);
  }

  // What has been made of the slab, and what is lent.
  void write(iovec* vectors, size_t count) {
    for (size_t i = 0; i < count;) {
      ssize_t sent = link_ ? share(vectors + i, count - i)
                           : writev(socket_, vectors + i, static_cast<int>(count - i));
      check(sent > 0, "writev");
      for (; i < count && static_cast<size_t>(sent) >= vectors[i].iov_len; i++) {
        sent -= static_cast<ssize_t>(vectors[i].iov_len);
      }
      if (i == count) break;
      vectors[i].iov_base = static_cast<uint8_t*>(vectors[i].iov_base) + sent;
      vectors[i].iov_len -= static_cast<size_t>(sent);
    }
    used_ = 0;
  }

  ssize_t share(const iovec* vectors, size_t count) {
    for (;;) {
      const ssize_t sent = link_->write(vectors, count);
      if (sent != -EAGAIN) return sent;
      pollfd bell{link_->bell_fd(), POLLIN, 0};
      if (!link_->wait_for_room()) continue;
      poll(&bell, 1, -1);
      check(link_->clear_bell(), "bell");
    }
  }

  int socket_;
  std::unique_ptr<msgr::SharedLink> link_;
  uint64_t seq_ = 0;
  msgr::MessagePreamble preamble_;
  // Where frames are made, the last of them beyond what is written at once.
  std::vector<uint8_t> slab_ = std::vector<uint8_t>(2 * kWriteBytes);
  size_t used_ = 0;
};

int serve(bool polling, bool shares) {
  msgr::Limits limits;
  limits.control_payload_bytes_max = 64 << 10;
  limits.message_bytes_max = kReadBufferBytes / 2;
  msgr::FrameReader reader(limits);
  reader.set_in_session(true);
  const int socket = accept_one();
  const auto link = shares ? take_link(socket) : nullptr;
  // The end of the writer is seen by the socket alone.
  uint32_t looks = 0;
  const std::unique_ptr<uint8_t[]> buffer(new uint8_t[kReadBufferBytes]);
  size_t begin = 0;
  size_t end = 0;
  Counts counts;
  Run run;
  for (;;) {
    // What is cut off moves to the front, so that the buffer's first pages stay in the cache.
    if (begin > 0) {
      std::memmove(buffer.get(), buffer.get() + begin, end - begin);
      end -= begin;
      begin = 0;
    }
    const size_t room = std::min(kReadBufferBytes - end, std::max(kReadBytes, reader.needed()));
    ssize_t got;
    msgr::LateBytes late;
    if (link) {
      msgr::Bytes first;
      msgr::Bytes second;
      got = link->look(room, first, second);
      if (got > 0) late = {buffer.get() + end, first, second};
      if (reader.latest_size() < msgr::LateBytes::kFrameBytesMin) late.want_all();
      uint8_t byte;
      if (got == -EAGAIN && (++looks % 1024 != 0 || recv(socket, &byte, 1, MSG_DONTWAIT) != 0)) continue;
    } else {
      got = recv(socket, buffer.get() + end, room, polling ? MSG_DONTWAIT : 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    }
    if (got <= 0) return 0;
    end += static_cast<size_t>(got);
    const auto take_frames = [&](auto& bytes) {
      for (;;) {
        const msgr::ReadStatus status = reader.next(buffer.get() + begin, end - begin, bytes);
        if (status == msgr::ReadStatus::kNeedMore) return true;
        if (status == msgr::ReadStatus::kError) {
          std::fprintf(stderr, "a frame is damaged\n");
          return false;
        }
        const msgr::FrameView& frame = reader.frame();
        const msgr::MessageHeader header = msgr::parse_message_header(buffer.get() + begin + frame.offsets[0]);
        if (header.type == kData) {
          if (counts.messages == 0) run.restart_clock();
          counts.messages++;
          counts.bytes += frame.sizes[3];
          counts.first_byte_sum += buffer[begin + frame.offsets[3]];
        } else if (header.type == kStart) {
          counts = {};
          run = {};
        } else if (header.type == kEnd) {
          counts.report(run);
        }
        begin += frame.wire_size;
      }
    };
    msgr::PresentBytes present;
    if (!(late.size() > 0 ? take_frames(late) : take_frames(present))) return 1;
    late.want_all();
    if (link) link->passed(static_cast<size_t>(got));
  }
}

int stream(const char* port, bool shares) {
  const int socket = connect_to(port);
  Sender sender(socket, shares ? give_link(socket) : nullptr);
  Task task;
  while (read_task(task)) {
    Payloads payloads(task.size, task.rotating, 0);
    const size_t burst = burst_count(task.size);
    const uint8_t first = kDataByte;
    sender.send(kStart, &first, 1);
    Run run;
    const auto deadline = task.deadline(run.start());
    uint64_t messages = 0;
    do {
      for (size_t i = 0; i < burst; i++) sender.send(kData, payloads.next(), static_cast<uint32_t>(task.size));
      messages += burst;
    } while (Clock::now() < deadline);
    sender.flush();
    run.print(messages, 0, 0);
    end_line();
    sender.send(kEnd, &first, 1);
    sender.flush();
  }
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 3) return 2;
  end_with_parent();
  const bool polls = std::strcmp(arguments[2], "polling") == 0;
  const bool shares = std::strcmp(arguments[2], "shared") == 0;
  if (std::strcmp(arguments[1], "server") == 0) return serve(polls, shares);
  return stream(arguments[3], shares);
}
