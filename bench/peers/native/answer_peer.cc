// What answering costs at least: a server that checks every CRC of the MESSAGE frames that come, answers each
// with a frame as large, and waits in recv for the next; and a client that has as many under way as it is told,
// sends them at once and asks for the answers without end, so that the server need not wake it.
//
//     answer_peer server -      answer_peer client - PORT
//
// Before each run the client says how many bytes its payloads have, in eight bytes.
#include <cerrno>
#include <memory>

#include "core/wire/frame_reader.h"
#include "core/wire/frame_writer.h"
#include "harness.h"
#include "socket.h"

using namespace bench;

namespace {

constexpr size_t kBlockBytesMax = 1 << 20;

msgr::MessageSizes sizes_of(uint64_t payload_bytes) { return {static_cast<uint32_t>(payload_bytes), 0, 0}; }

// A frame of `type`, its payload in front as a heartbeat's is. Answers its size.
size_t write_frame(uint8_t* to, msgr::MessagePreamble& preamble, uint64_t seq, uint16_t type,
                   const uint8_t* payload, uint64_t payload_bytes) {
  const msgr::MessageHeader header{.seq = seq, .type = type, .priority = 196};
  std::memcpy(to + msgr::kMessageGapOffset, payload, payload_bytes);
  return msgr::finish_message(to, preamble, header, sizes_of(payload_bytes));
}

// One run, until a frame of type kEnd is answered too: nothing comes behind that before. False when the client
// is gone.
bool serve_run(int socket, uint64_t payload_bytes) {
  msgr::Limits limits;
  limits.message_bytes_max = kBlockBytesMax;
  msgr::FrameReader reader(limits);
  reader.set_in_session(true);
  msgr::MessagePreamble preamble;
  const std::unique_ptr<uint8_t[]> in(new uint8_t[kBlockBytesMax]);
  const std::unique_ptr<uint8_t[]> out(new uint8_t[kBlockBytesMax]);
  size_t begin = 0;
  size_t end = 0;
  uint64_t seq = 0;
  Counts counts;
  Run run;
  for (;;) {
    std::memmove(in.get(), in.get() + begin, end - begin);
    end -= begin;
    begin = 0;
    const ssize_t got = recv(socket, in.get() + end, kBlockBytesMax - end, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    end += static_cast<size_t>(got);
    size_t answers = 0;
    bool ended = false;
    for (;;) {
      const msgr::ReadStatus status = reader.next(in.get() + begin, end - begin);
      if (status == msgr::ReadStatus::kNeedMore) break;
      check(status == msgr::ReadStatus::kFrame, "a frame is damaged");
      const msgr::FrameView& frame = reader.frame();
      const uint8_t* payload = in.get() + begin + frame.offsets[1];
      const msgr::MessageHeader header = msgr::parse_message_header(in.get() + begin + frame.offsets[0]);
      begin += frame.wire_size;
      ended = header.type == kEnd;
      if (!ended) {
        if (counts.pings == 0) run.restart_clock();
        counts.pings++;
        counts.first_byte_sum += payload[0];
      }
      answers += write_frame(out.get() + answers, preamble, ++seq, kPong, payload, payload_bytes);
    }
    if (answers > 0) send_all(socket, out.get(), answers);
    if (ended) break;
  }
  counts.report(run);
  return true;
}

int serve() {
  const int socket = accept_one();
  uint64_t payload_bytes;
  while (recv(socket, &payload_bytes, sizeof payload_bytes, MSG_WAITALL) == sizeof payload_bytes) {
    if (!serve_run(socket, payload_bytes)) return 0;
  }
  return 0;
}

int ping(const char* port) {
  const int socket = connect_to(port);
  Task task;
  while (read_task(task)) {
    const uint64_t payload_bytes = task.size;
    const auto frame_bytes = static_cast<size_t>(msgr::message_frame_size(sizes_of(payload_bytes)));
    const size_t block_bytes = frame_bytes * task.depth;
    check(block_bytes <= kBlockBytesMax, "so many under way");
    send_all(socket, reinterpret_cast<const uint8_t*>(&payload_bytes), sizeof payload_bytes);
    const std::vector<uint8_t> payload(payload_bytes, kDataByte);
    std::vector<uint8_t> block(block_bytes);
    std::vector<uint8_t> answer(block_bytes);
    msgr::MessagePreamble preamble;
    for (uint32_t i = 0; i < task.depth; i++) {
      write_frame(block.data() + i * frame_bytes, preamble, i + 1, kPing, payload.data(), payload_bytes);
    }
    RoundTrips times;
    Run run;
    const auto deadline = task.deadline(run.start());
    auto sent_at = Clock::now();
    uint64_t pings = 0;
    do {
      send_all(socket, block.data(), block_bytes);
      check(receive_all(socket, answer.data(), block_bytes, MSG_DONTWAIT), "recv");
      const auto now = Clock::now();
      times.record(ms_between(sent_at, now));
      sent_at = now;
      pings += task.depth;
    } while (sent_at < deadline);
    run.print(pings, 0, 0);
    times.print();
    end_line();
    const size_t last = write_frame(block.data(), preamble, 1, kEnd, payload.data(), payload_bytes);
    send_all(socket, block.data(), last);
    check(receive_all(socket, answer.data(), last, MSG_DONTWAIT), "recv");
  }
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 3) return 2;
  end_with_parent();
  return std::strcmp(arguments[1], "server") == 0 ? serve() : ping(arguments[3]);
}
