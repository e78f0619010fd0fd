// SPDX-License-Identifier: BSL-1.0
// A crawler that is polite: so many fetches at once, so many requests a second
// to each host, time-outs, and retries that wait longer each time.
//
// crawler/crawl.cc is the crawler, crawler/web.h the web it crawls: one without
// a network, on a virtual clock.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string_view>

#include "weft/examples/cli.h"
#include "weft/examples/crawler/crawl.h"
#include "weft/examples/crawler/web.h"
#include "weft/weft.h"

using namespace std::chrono_literals;

namespace {

constexpr std::string_view help = R"(Usage: crawler [OPTION]...
Crawls a web that is made up, and tells what came of it.

  --pages N     of the web, 1 to 100000 (500)
  --hosts N     that they are on, 1 to 1000 (7)
  --seed N      of the web (1)
  --fetches N   at once, at most (8)
  --rate N      requests to a host in a second, at most (5)
  --timeout MS  for an answer (1000)
  --retries N   of a page that failed, or took too long (2)
  --real        take the time it takes; else the clock jumps
  --help        print this

Without --real the output depends on the other options only.
)";

struct settings {
  crawler::web_options web;
  crawler::limits allowed;
  bool real;
};

settings parse(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  const auto size = [&](const char* name, long otherwise, long most) {
    return static_cast<std::uint32_t>(args.number(name, otherwise, 1, most));
  };
  const settings given{
      .web = {.pages = size("pages", 500, 100'000),
              .hosts = size("hosts", 7, 1000),
              .seed = static_cast<std::uint64_t>(
                  args.number("seed", 1, 0, std::numeric_limits<long>::max()))},
      .allowed = {.fetches = size("fetches", 8, 100'000),
                  .rate = size("rate", 5, 100'000),
                  .retries = static_cast<int>(args.number("retries", 2, 0, 10)),
                  .timeout = std::chrono::milliseconds(
                      size("timeout", 1000, 1'000'000))},
      .real = args.flag("real"),
  };
  args.no_operands();
  return given;
}

int crawl(const settings& given) {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = given.real ? nullptr : &clock});
  crawler::web web(given.web);

  const auto begin = weft::clock::now();
  const crawler::tally t = crawler::crawl(web, 0, given.allowed);
  const auto took = weft::clock::now() - begin;

  std::printf("pages       %zu fetched, %zu given up, %zu not found\n",
              t.fetched, t.given_up, given.web.pages - t.followed);
  std::printf("links       %zu, %zu of them new\n", t.links, t.followed - 1);
  std::printf("requests    %zu answered, %zu failed, %zu timed out\n",
              t.answered, t.failed, t.timed_out);
  std::printf("retries     %zu\n", t.retries);
  std::printf("at once     %zu of %u\n", web.peak_requests(),
              given.allowed.fetches);
  std::printf("a second    %zu of %u to a host\n", web.peak_rate(),
              given.allowed.rate);
  std::printf("duration    %ld ms\n", static_cast<long>(took / 1ms));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const settings given = parse(argc, argv);
  return cli::run([&] { return crawl(given); });
}
