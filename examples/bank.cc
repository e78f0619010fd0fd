// SPDX-License-Identifier: BSL-1.0
// A bank whose accounts are tasklets, and a crowd of clients who transfer money
// between them, some of whom are killed while they do.
//
// A transfer has two phases. First both accounts reserve: the one money, the
// other room for it. Each may refuse, and is waited for only so long. Then both
// commit. What is reserved and not committed in time is free again, so that a
// client may vanish at any point of the first phase; in the second a shield has
// a kill wait.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/examples/random.h"
#include "weft/weft.h"

namespace {

using namespace std::chrono_literals;

constexpr std::string_view help = R"(Usage: bank [OPTION]...
Has clients transfer money at random, and counts it afterwards.

  --accounts N   2 to 10000 (20)
  --clients N    1 to 10000 (100)
  --transfers N  that each client tries, 1 to 10000 (50)
  --kills N      clients that are killed at random times, 0 to 10000 (20)
  --seed N       another seed is another history (1)
  --help         print this

Exit status: 0 no money was lost or made, 1 some was, 2 bad usage.
)";

struct settings {
  std::int32_t accounts = 0;
  std::int32_t clients = 0;
  long transfers = 0;
  long kills = 0;
  std::uint64_t seed = 0;
};

constexpr long opening_balance = 500;
constexpr long limit = 800;  // of a balance
constexpr std::int32_t most_transferred = 200;
// That of an account with who has reserved, and of a client with accounts.
constexpr auto patience = 30ms;

struct tally {
  long done = 0;
  long refused = 0;   // by an account: no money, no room
  long given_up = 0;  // by a client: no answer in time
  long too_late = 0;  // what was reserved was free again
  long killed = 0;    // clients
  long expired = 0;   // reservations
};

enum class verb { reserve, commit, abort, refund };

struct request {
  verb what = verb::abort;
  std::uint64_t transfer = 0;
  long amount = 0;  // less than zero: it is paid out
  // Has room for the answer and outlives the client, so that the account
  // neither waits nor cares whether anybody still does.
  std::shared_ptr<weft::channel<bool>> answer;
};

class account {
 public:
  explicit account(tally& t) : tally_(t) {}

  // Its tasklet; until it is closed.
  void serve(examples::random dice) {
    while (const std::optional<request> r = next()) {
      weft::sleep_for(std::chrono::milliseconds(dice.below(3)));
      r->answer->send(decide(*r));
    }
  }
  void close() { requests_.close(); }

  // Parks until it has said yes or no.
  bool ask(verb what, std::uint64_t transfer, long amount) {
    const auto answer = std::make_shared<weft::channel<bool>>(1);
    requests_.send({what, transfer, amount, answer});
    return answer->take();
  }

  [[nodiscard]] long balance() const { return balance_; }
  [[nodiscard]] std::size_t reservations() const { return reserved_.size(); }

 private:
  struct reservation {
    std::uint64_t transfer;
    long amount;
    weft::clock::time_point until;
  };

  // Nullopt: it is closed.
  std::optional<request> next() {
    for (; !reserved_.empty(); reserved_.pop_front()) {
      // A busy account would never find that nothing has come.
      if (const auto until = reserved_.front().until;
          until > weft::clock::now()) {
        auto r = requests_.receive_until(until);
        if (r.status() != weft::op_status::timed_out) return r;
      }
      ++tally_.expired;
    }
    return requests_.receive();
  }

  bool decide(const request& r) {
    switch (r.what) {
      case verb::reserve:
        return reserve(r.transfer, r.amount);
      case verb::commit:
        return remove(r.transfer) && add(r.amount);
      case verb::abort:
        return remove(r.transfer);
      case verb::refund:
        return add(r.amount);
    }
    return false;
  }

  // As if of those that are reserved only the worst were committed.
  bool reserve(std::uint64_t transfer, long amount) {
    long least = balance_ + std::min(amount, 0L);
    long most = balance_ + std::max(amount, 0L);
    for (const reservation& other : reserved_)
      (other.amount < 0 ? least : most) += other.amount;
    if (least < 0 || most > limit) return false;
    reserved_.push_back({transfer, amount, weft::clock::now() + patience});
    return true;
  }
  bool remove(std::uint64_t transfer) {
    return std::erase_if(reserved_, [&](const reservation& r) {
             return r.transfer == transfer;
           }) != 0;
  }
  bool add(long amount) {
    balance_ += amount;
    return true;
  }

  tally& tally_;
  weft::channel<request> requests_;
  long balance_ = opening_balance;
  std::deque<reservation> reserved_;  // the oldest first
};

class bank {
 public:
  explicit bank(const settings& s) : settings_(s) {
    for (std::int32_t i = 0; i != s.accounts; ++i)
      accounts_.emplace_back(tally_);
  }

  // Until all clients have gone and no reservation is left.
  void open() {
    weft::scope accounts;
    for (account& a : accounts_)
      accounts.spawn([&a, dice = dice()] { a.serve(dice); });
    {
      std::vector<weft::tasklet> all;
      weft::scope clients;
      for (std::int32_t i = 0; i != settings_.clients; ++i)
        all.push_back(clients.spawn([this, dice = dice()] { visit(dice); }));
      clients.spawn([&, dice = dice()] { haunt(all, dice); });
    }
    weft::sleep_for(2 * patience);
    for (account& a : accounts_) a.close();
  }

  // Whether there is as much money as at first, and all of it free.
  [[nodiscard]] bool audit() const {
    long total = 0;
    std::size_t reserved = 0;
    bool overdrawn = false;
    for (const account& a : accounts_) {
      total += a.balance();
      reserved += a.reservations();
      overdrawn = overdrawn || a.balance() < 0;
    }
    const long expected = opening_balance * settings_.accounts;
    std::printf(
        "done       %ld transfers\n"
        "refused    %ld by an account\n"
        "given up   %ld by a client\n"
        "too late   %ld\n"
        "killed     %ld clients\n"
        "expired    %ld reservations\n"
        "money      %ld of %ld\n"
        "took       %ld ms\n",
        tally_.done, tally_.refused, tally_.given_up, tally_.too_late,
        tally_.killed, tally_.expired, total, expected,
        static_cast<long>(weft::clock::now().time_since_epoch() / 1ms));
    return total == expected && reserved == 0 && !overdrawn;
  }

 private:
  examples::random dice() { return examples::random(seeds_.bits()); }

  void visit(examples::random dice) try {
    for (long i = 0; i != settings_.transfers; ++i) {
      const std::int32_t from = dice.below(settings_.accounts);
      const std::int32_t other = dice.below(settings_.accounts - 1);
      const std::int32_t to = other < from ? other : other + 1;
      transfer(accounts_[static_cast<std::size_t>(from)],
               accounts_[static_cast<std::size_t>(to)],
               1 + dice.below(most_transferred), dice);
    }
  } catch (const weft::tasklet_exit&) {
    ++tally_.killed;
    throw;
  }

  void transfer(account& from, account& to, long amount,
                examples::random& dice) {
    const std::uint64_t id = ++transfers_;
    const std::optional<bool> reserved = weft::with_timeout(patience, [&] {
      return from.ask(verb::reserve, id, -amount) &&
             to.ask(verb::reserve, id, amount);
    });
    if (!reserved.value_or(false)) {
      ++(reserved ? tally_.refused : tally_.given_up);
      from.ask(verb::abort, id, 0);
      to.ask(verb::abort, id, 0);
      return;
    }
    // It looks for its pen.
    weft::sleep_for(std::chrono::milliseconds(dice.below(30)));

    const weft::shield to_the_end;
    if (!from.ask(verb::commit, id, -amount)) {
      ++tally_.too_late;
      to.ask(verb::abort, id, 0);
    } else if (!to.ask(verb::commit, id, amount)) {
      ++tally_.too_late;
      from.ask(verb::refund, id, amount);
    } else {
      ++tally_.done;
    }
  }

  // Kills clients, whatever they are at.
  void haunt(const std::vector<weft::tasklet>& clients,
             examples::random dice) const {
    for (long i = 0; i != settings_.kills; ++i) {
      weft::sleep_for(std::chrono::milliseconds(dice.below(20)));
      const std::int32_t who = dice.below(settings_.clients);
      clients[static_cast<std::size_t>(who)].kill();
    }
  }

  settings settings_;
  tally tally_;
  std::deque<account> accounts_;
  examples::random seeds_{settings_.seed};
  std::uint64_t transfers_ = 0;
};

int run(const settings& s) {
  weft::virtual_clock clock;
  const weft::scheduler scheduler({.driver = &clock});
  bank b(s);
  b.open();
  if (b.audit()) return 0;
  cli::warn("money was lost or made");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  const long accounts = args.number("accounts", 20, 2, 10'000);
  const long clients = args.number("clients", 100, 1, 10'000);
  const long transfers = args.number("transfers", 50, 1, 10'000);
  const long kills = args.number("kills", 20, 0, 10'000);
  const long seed = args.number("seed", 1, 0, 1'000'000'000);
  args.no_operands();
  return cli::run([&] {
    return run({.accounts = static_cast<std::int32_t>(accounts),
                .clients = static_cast<std::int32_t>(clients),
                .transfers = transfers,
                .kills = kills,
                .seed = static_cast<std::uint64_t>(seed)});
  });
}
