// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/overflow.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <mutex>

#include "weft/scheduler/core.h"
#include "weft/tasklet/stderr_line.h"

namespace weft {
namespace {

// Guarded by the mutex, but for what the handler reads: that stays as it is
// while the handler is installed.
std::mutex installing;
int watches = 0;
bool installed = false;
struct sigaction before;  // what handled the fault until we came

// As if this file did not exist, but for the mask of the handler that was
// there, and its stack. A signal that was sent does not come again by itself.
void as_before(int signal, siginfo_t* info, void* machine) {
  const bool sent = info->si_code <= 0;
  const struct sigaction theirs = before;
  if ((static_cast<unsigned>(theirs.sa_flags) & SA_RESETHAND) != 0) {
    before.sa_handler = SIG_DFL;
    before.sa_flags = 0;
  }
  if ((theirs.sa_flags & SA_SIGINFO) != 0)
    return theirs.sa_sigaction(signal, info, machine);
  if (theirs.sa_handler == SIG_IGN && sent) return;
  if (theirs.sa_handler != SIG_DFL && theirs.sa_handler != SIG_IGN)
    return theirs.sa_handler(signal);
  sigaction(signal, &before, nullptr);
  if (sent) raise(signal);
}

bool guards(const stack& ground, const void* address) {
  return ground.top != nullptr && address >= ground.end() &&
         address < ground.low();
}

// Says whose stack of this thread has its guard at `address`; false: nobody's.
bool tell_overflow(const void* address) {
  dispatcher* s = this_dispatcher();
  const control_block* t = s->current;
  if (t == nullptr) return false;
  const descriptor& d = *t->who;
  const stack strand = running_stack(d.strands);
  if (guards(strand, address)) {
    say_overflow(d, strand, true);
    return true;
  }
  if (t == &core::of(s).main_block || !started(*t) ||
      !guards(ground_of(d), address))
    return false;
  say_overflow(d, ground_of(d), false);
  return true;
}

void on_fault(int signal, siginfo_t* info, void* machine) {
  if (info->si_code <= 0 || !tell_overflow(info->si_addr))
    return as_before(signal, info, machine);
  sigaction(signal, &before, nullptr);
}

bool is_ours(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 &&
         action.sa_sigaction == &on_fault;
}

void install() {
  const std::lock_guard lock(installing);
  ++watches;
  struct sigaction now{};
  sigaction(SIGSEGV, nullptr, &now);
  // Whoever came after us calls us, unless it is nobody.
  const bool nobody = (now.sa_flags & SA_SIGINFO) == 0 &&
                      (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN);
  if (is_ours(now) || (installed && !nobody)) return;
  struct sigaction ours{};
  ours.sa_sigaction = &on_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  before = now;
  installed = sigaction(SIGSEGV, &ours, nullptr) == 0;
}

void uninstall() {
  const std::lock_guard lock(installing);
  if (--watches != 0) return;
  struct sigaction now{};
  sigaction(SIGSEGV, nullptr, &now);
  // Whoever came after us may call us: then we stay.
  if (!is_ours(now)) return;
  sigaction(SIGSEGV, &before, nullptr);
  installed = false;
}

}  // namespace

void say_overflow(const descriptor& d, const stack& ground,
                  bool of_strand) noexcept {
  stderr_line line;
  line << "stack overflow in ";
  if (of_strand) line << "a generator or greenlet of ";
  if (&d == static_cast<const core*>(d.owner.get())->main)
    line << "main";
  else
    line << "tasklet " << d.id;
  if (d.name) line << " '" << *d.name << "'";
  if (d.site.address != nullptr)
    (line << " (spawned by the code at ").address(d.site.address) << ")";
  else if (d.site.source.line() != 0)
    line << " (spawned at " << d.site.source.file_name() << ":"
         << std::uint64_t{d.site.source.line()} << ")";
  line << ": its stack of " << std::uint64_t{ground.size()}
       << " bytes is too small; give it more by "
       << (of_strand ? "generator_options or greenlet_options"
                     : "spawn_options")
       << "::stack_size";
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
