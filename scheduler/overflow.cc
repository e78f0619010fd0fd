// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/overflow.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <string_view>

#include "weft/scheduler/core.h"

namespace weft {
namespace {

// Guarded by the mutex, but for what the handler reads: that stays as it is
// while the handler is installed.
std::mutex installing;
int watches = 0;
bool installed = false;
struct sigaction before;  // what handled the fault until we came

// A line of text, cut where it gets too long.
class line {
 public:
  line& operator<<(std::string_view text) {
    const std::size_t n = std::min(text.size(), text_.size() - used_);
    std::copy_n(text.begin(), n, text_.begin() + used_);
    used_ += n;
    return *this;
  }
  line& operator<<(std::uint64_t number) { return put(number, 10); }
  line& hex(std::uint64_t number) { return put(number, 16); }

  void write_out() const {
    static_cast<void>(!::write(STDERR_FILENO, text_.data(), used_));
  }

 private:
  line& put(std::uint64_t number, int base) {
    std::array<char, 20> digits;
    char* last = std::to_chars(digits.begin(), digits.end(), number, base).ptr;
    return *this << std::string_view(digits.begin(), last);
  }

  std::array<char, 1024> text_;
  std::size_t used_ = 0;
};

// As if this file did not exist. A signal that was sent does not come again by
// itself.
void as_before(int signal, siginfo_t* info, void* machine) {
  if ((before.sa_flags & SA_SIGINFO) != 0)
    return before.sa_sigaction(signal, info, machine);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
    return before.sa_handler(signal);
  sigaction(signal, &before, nullptr);
  if (info->si_code <= 0) raise(signal);
}

// The tasklet of this thread whose guard lies at `address`, or null.
const descriptor* overflowed(const void* address) {
  dispatcher* s = this_dispatcher();
  const control_block* t = s->current;
  if (t == nullptr || t == &core::of(s).main_block || !started(*t))
    return nullptr;
  const stack ground = ground_of(*t->who);
  return address >= ground.end() && address < ground.low() ? t->who : nullptr;
}

void on_fault(int signal, siginfo_t* info, void* machine) {
  const descriptor* d = info->si_code > 0 ? overflowed(info->si_addr) : nullptr;
  if (d == nullptr) return as_before(signal, info, machine);
  say_overflow(*d);
  sigaction(signal, &before, nullptr);
}

void install() {
  const std::lock_guard lock(installing);
  if (watches++ != 0 || installed) return;
  struct sigaction ours{};
  ours.sa_sigaction = &on_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  installed = sigaction(SIGSEGV, &ours, &before) == 0;
}

void uninstall() {
  const std::lock_guard lock(installing);
  if (--watches != 0) return;
  struct sigaction now{};
  sigaction(SIGSEGV, nullptr, &now);
  // Who came after us may call us: then we stay.
  if ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != &on_fault) return;
  sigaction(SIGSEGV, &before, nullptr);
  installed = false;
}

}  // namespace

void say_overflow(const descriptor& d) noexcept {
  line text;
  text << "weft: stack overflow in tasklet " << d.id;
  if (d.name) text << " '" << *d.name << "'";
  if (d.site.address != nullptr)
    (text << " (spawned by the code at 0x")
        .hex(reinterpret_cast<std::uintptr_t>(d.site.address));
  else
    text << " (spawned at " << d.site.source.file_name() << ":"
         << d.site.source.line();
  text << "): its stack of " << ground_of(d).size()
       << " bytes is too small; give it more by spawn_options::stack_size\n";
  text.write_out();
}

overflow_watch::overflow_watch() {
  stack_t now{};
  sigaltstack(nullptr, &now);
  if ((now.ss_flags & SS_DISABLE) != 0) {
    const auto size = std::max(static_cast<std::size_t>(sysconf(_SC_SIGSTKSZ)),
                               std::size_t{32} << 10);
    signal_stack_ = std::make_unique_for_overwrite<char[]>(size);
    now.ss_sp = signal_stack_.get();
    now.ss_size = size;
    now.ss_flags = 0;
    sigaltstack(&now, nullptr);
  }
  install();
}

overflow_watch::~overflow_watch() {
  uninstall();
  stack_t now{};
  sigaltstack(nullptr, &now);
  if (signal_stack_ == nullptr || now.ss_sp != signal_stack_.get()) return;
  now.ss_flags = SS_DISABLE;
  sigaltstack(&now, nullptr);
}

}  // namespace weft
