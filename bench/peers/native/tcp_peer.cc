// What it costs when nothing but the kernel stands between two programs: messages of one size back and forth over
// one TCP connection, by blocking reads, or by reads that never wait (`spinning`); or as many bytes one way as the
// frames of messages have (`stream`), by reads that never wait, from one buffer into another.
//
//     tcp_peer server blocking|spinning|stream        tcp_peer client blocking|spinning|stream PORT
//
// Before each run the client says how large its messages, or frames, will be, in eight bytes.
#include "harness.h"
#include "socket.h"

using namespace bench;

namespace {

// While a run goes on.
int receive_flags;

// Between runs nobody spins.
bool receive_size(int socket, uint64_t& size) {
  return recv(socket, &size, sizeof size, MSG_WAITALL) == sizeof size;
}

int serve() {
  const int socket = accept_one();
  uint64_t size;
  while (receive_size(socket, size)) {
    std::vector<uint8_t> message(size);
    Counts counts;
    Run run;
    for (;;) {
      if (!receive_all(socket, message.data(), size, receive_flags)) return 0;
      // The last one of a run.
      if (message[0] == 0) break;
      if (counts.pings == 0) run.restart_clock();
      counts.pings++;
      counts.first_byte_sum += message[0];
      send_all(socket, message.data(), size);
    }
    counts.report(run);
  }
  return 0;
}

// As large as one write and one read of a stream; the first byte of each says whether it is the last of a run.
constexpr size_t kBlockBytes = 512 << 10;
// What a MESSAGE frame has beside its payload (preamble, header and its CRC, epilogue).
constexpr size_t kFrameBytes = 32 + 41 + 4 + 13;
// As native/core/io/socket.cc has it within one host: what waits in more has left the caches before it is read.
constexpr int kSocketBufferBytes = 256 << 10;

void set_buffer(int socket, int option) {
  check(setsockopt(socket, SOL_SOCKET, option, &kSocketBufferBytes, sizeof kSocketBufferBytes) == 0,
        "socket buffer");
}

int serve_stream() {
  const int socket = accept_one();
  set_buffer(socket, SO_RCVBUF);
  std::vector<uint8_t> block(kBlockBytes);
  uint64_t frame_bytes;
  while (receive_size(socket, frame_bytes)) {
    Counts counts;
    Run run;
    for (;;) {
      if (!receive_all(socket, block.data(), block.size(), receive_flags)) return 0;
      if (block[0] != kDataByte) break;
      if (counts.bytes == 0) run.restart_clock();
      counts.bytes += block.size();
    }
    // So many messages would have fitted; each block was seen to begin with the byte.
    counts.messages = counts.bytes / frame_bytes;
    counts.first_byte_sum = counts.messages * kDataByte;
    counts.bytes = counts.messages * (frame_bytes - kFrameBytes);
    counts.report(run);
  }
  return 0;
}

int stream(const char* port) {
  const int socket = connect_to(port);
  set_buffer(socket, SO_SNDBUF);
  Task task;
  while (read_task(task)) {
    const uint64_t frame_bytes = task.size + kFrameBytes;
    send_all(socket, reinterpret_cast<const uint8_t*>(&frame_bytes), sizeof frame_bytes);
    std::vector<uint8_t> block(kBlockBytes, kDataByte);
    Run run;
    const auto deadline = task.deadline(run.start());
    uint64_t bytes = 0;
    do {
      send_all(socket, block.data(), block.size());
      bytes += block.size();
    } while (Clock::now() < deadline);
    run.print(bytes / frame_bytes, 0, 0);
    end_line();
    block[0] = 0;
    send_all(socket, block.data(), block.size());
  }
  return 0;
}

int ping(const char* port) {
  const int socket = connect_to(port);
  Task task;
  while (read_task(task)) {
    const uint64_t size = task.size;
    send_all(socket, reinterpret_cast<const uint8_t*>(&size), sizeof size);
    std::vector<uint8_t> message(size, kDataByte);
    RoundTrips times;
    Run run;
    const auto deadline = task.deadline(run.start());
    auto sent_at = Clock::now();
    do {
      send_all(socket, message.data(), size);
      check(receive_all(socket, message.data(), size, receive_flags), "recv");
      const auto now = Clock::now();
      times.record(ms_between(sent_at, now));
      sent_at = now;
    } while (sent_at < deadline);
    run.print(times.count(), 0, 0);
    times.print();
    end_line();
    message[0] = 0;
    send_all(socket, message.data(), size);
  }
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 3) return 2;
  end_with_parent();
  const bool is_server = std::strcmp(arguments[1], "server") == 0;
  const bool streams = std::strcmp(arguments[2], "stream") == 0;
  receive_flags = streams || std::strcmp(arguments[2], "spinning") == 0 ? MSG_DONTWAIT : 0;
  if (streams) return is_server ? serve_stream() : stream(arguments[3]);
  return is_server ? serve() : ping(arguments[3]);
}
