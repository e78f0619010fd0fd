// SPDX-License-Identifier: BSL-1.0
// What a token bucket lets through, and when: token_bucket.h, on a virtual
// clock.
#include "weft/examples/token_bucket.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/weft.h"

using namespace std::chrono_literals;

namespace {

constexpr std::string_view help =
    R"(Usage: token_bucket [OPTION]... [AT:TOKENS[:PATIENCE]]...
Tells when each of the requests gets its tokens. AT is when it comes, PATIENCE
how long it waits at most; both are milliseconds.

  --period MS  from a token to the next (100)
  --burst N    tokens that the bucket holds, at most and at first (5)
  --help       print this

Without requests, these: 0:3 0:4 0:1 150:5:400 200:1 5000:5
)";

struct request {
  std::size_t number = 0;
  std::chrono::milliseconds at{0};
  std::uint32_t tokens = 0;
  std::chrono::milliseconds patience{0};
};

struct settings {
  std::chrono::milliseconds period;
  std::uint32_t burst;
  std::vector<request> requests;
};

request parse(const std::string& text, std::uint32_t burst) {
  constexpr long longest = 1'000'000'000;
  std::array<long, 3> parts{-1, -1, longest};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (long& part : parts) {
    const auto [stop, error] = std::from_chars(at, end, part);
    at = stop;
    if (error != std::errc{} || at == end || *at != ':') break;
    ++at;
  }
  const auto [when, tokens, patience] = parts;
  if (at != end || end[-1] == ':' || when < 0 || when > longest || tokens < 1 ||
      patience < 1 || patience > longest)
    cli::fail(
        "'" + text + "' is no request as AT:TOKENS[:PATIENCE]; try --help", 2);
  if (tokens > burst)
    cli::fail(
        "there are never as many tokens as '" + text + "' wants; try --burst",
        2);
  return {.at = std::chrono::milliseconds(when),
          .tokens = static_cast<std::uint32_t>(tokens),
          .patience = std::chrono::milliseconds(patience)};
}

settings parse(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  settings given{
      .period =
          std::chrono::milliseconds(args.number("period", 100, 1, 1'000'000)),
      .burst =
          static_cast<std::uint32_t>(args.number("burst", 5, 1, 1'000'000)),
      .requests = {},
  };
  std::vector<std::string> texts = args.operands();
  if (texts.empty())
    texts = {"0:3", "0:4", "0:1", "150:5:400", "200:1", "5000:5"};
  for (const std::string& text : texts) {
    given.requests.push_back(parse(text, given.burst));
    given.requests.back().number = given.requests.size();
  }
  return given;
}

long in_ms(weft::clock::duration d) { return static_cast<long>(d / 1ms); }

void serve(const request& r, examples::token_bucket& bucket) {
  weft::sleep_until(weft::clock::time_point(r.at));
  const bool served =
      weft::with_timeout(r.patience, [&] { bucket.take(r.tokens); });
  const auto now = weft::clock::now().time_since_epoch();
  std::printf("%6ld ms  request %zu ", in_ms(now), r.number);
  if (served)
    std::printf("takes %u after %ld ms, %u left\n", r.tokens, in_ms(now - r.at),
                bucket.available());
  else
    std::printf("gives up after %ld ms\n", in_ms(now - r.at));
}

int serve_all(const settings& given) {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  examples::token_bucket bucket(given.period, given.burst);
  weft::scope requests;
  for (const request& r : given.requests)
    requests.spawn([&] { serve(r, bucket); });
  requests.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const settings given = parse(argc, argv);
  return cli::run([&] { return serve_all(given); });
}
