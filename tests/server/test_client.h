// TestClient: a blocking client on a real socket, that sends any bytes and reads replies.
//
// Always: nothing waits longer than kPatienceMs; a reply that does not come fails the test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strata::server {

class TestClient {
 public:
  static constexpr int kPatienceMs = 30'000;

  explicit TestClient(std::uint16_t port);
  explicit TestClient(const std::string& unix_path);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void send(std::string_view bytes);
  /// What the socket takes without waiting; how many bytes that were. -1: it is broken.
  long send_some(std::string_view bytes);
  /// A command as a multibulk request.
  void command(const std::vector<std::string>& words) { send(request(words)); }
  static std::string request(const std::vector<std::string>& words);

  /// One whole reply, as it came: "+OK\r\n", "$5\r\nworld\r\n". "" at the end of the connection.
  std::string reply();
  std::string call(const std::vector<std::string>& words) {
    command(words);
    return reply();
  }
  /// Whether the server has closed the connection; waits for it.
  bool closed();

 private:
  void connected();
  std::string line();
  bool fill();

  int socket_ = -1;
  std::string received_;
};

}  // namespace strata::server
