// SPDX-License-Identifier: BSL-1.0
#include "weft/scheduler/report.h"

#include <algorithm>
#include <limits>
#include <map>
#include <ostream>
#include <sstream>
#include <utility>
#include <vector>

#include "weft/scheduler/core.h"
#include "weft/scheduler/guard.h"
#include "weft/scheduler/remote.h"

namespace weft {
namespace {

std::string describe_site(const std::source_location& site) {
  return std::string(site.file_name()) + ":" + std::to_string(site.line());
}

// " at a.cc:5"; nothing, where the place is not known.
std::string describe_place(const wait_record& w) {
  return w.site.line() == 0 ? std::string() : " at " + describe_site(w.site);
}

const wait_target* target_of(const wait_record& w) {
  return w.queue != nullptr ? w.queue->target() : nullptr;
}

// Who alone can end its wait: whom it joins, or the owner of a mutex; null:
// nobody, or anybody.
const descriptor* awaited_by(const descriptor& d) {
  const wait_record* w = d.block->waiting;
  if (w == nullptr || w->sibling != nullptr || w->crossing != 0) return nullptr;
  if (w->reason == join_reason) return static_cast<const descriptor*>(w->slot);
  const wait_target* target = target_of(*w);
  if (target == nullptr || target->kind->holder == nullptr) return nullptr;
  return target->kind->holder(*target);
}

// "joins", "waits for mutex 'accounts' of".
std::string describe_edge(const wait_record& w) {
  if (w.reason == join_reason) return "joins";
  const wait_target& target = *target_of(w);
  std::string text = std::string("waits for ") + target.kind->name;
  if (target.name) text += " '" + *target.name + "'";
  return text + " of";
}

// " on channel 'orders'"; nothing, where that has no name.
std::string describe_target(const wait_record& w) {
  const wait_target* target = target_of(w);
  if (target == nullptr || !target->name) return {};
  return std::string(" on ") + target->kind->name + " '" + *target->name + "'";
}

// A cycle of tasklets that wait for each other, each for the next; empty: none.
std::vector<const descriptor*> find_cycle(const std::vector<descriptor*>& all) {
  std::map<const descriptor*, std::size_t> seen;  // from which start
  for (std::size_t start = 0; start != all.size(); ++start) {
    const descriptor* d = all[start];
    while (d != nullptr && seen.try_emplace(d, start).second)
      d = awaited_by(*d);
    if (d == nullptr || seen[d] != start) continue;
    std::vector<const descriptor*> cycle;
    const descriptor* first = d;
    do {
      cycle.push_back(d);
      d = awaited_by(*d);
    } while (d != first);
    return cycle;
  }
  return {};
}

}  // namespace

std::string core::describe(const spawn_site& site) {
  if (site.address == nullptr) return describe_site(site.source);
  std::ostringstream text;
  text << "the code at " << site.address;
  return text.str();
}

std::string core::name_of(const descriptor& d) {
  const core& c = *static_cast<const core*>(d.owner.get());
  std::string text = &d == c.main ? "main" : "tasklet " + std::to_string(d.id);
  if (d.name) text += " '" + *d.name + "'";
  return text;
}

std::string core::describe(const descriptor& d) {
  const bool is_main = &d == static_cast<const core*>(d.owner.get())->main;
  return is_main ? name_of(d)
                 : name_of(d) + " (spawned at " + describe(d.site) + ")";
}

std::string core::describe(const wait_record& w) {
  if (w.sibling != nullptr) return describe_select(w);
  if (&w == &nowhere()) return "is paused: it was created or removed";
  return (w.pause != 0 ? "is paused in " : "waits in ") +
         describe_operation(w) + describe_place(w);
}

std::string core::describe_operation(const wait_record& w) {
  std::string text = w.reason;
  if (w.reason == join_reason)
    text += " of " + name_of(*static_cast<const descriptor*>(w.slot));
  if (w.reason == far_join_reason)
    text += " of tasklet " +
            std::to_string(static_cast<const tasklet*>(w.slot)->id()) +
            " of another scheduler";
  if (guard::guarded(w.crossing)) {
    const guarded held(guard::of(w.crossing));
    return text + describe_target(w);
  }
  return text + describe_target(w);
}

std::string core::describe_select(const wait_record& first) {
  std::string text = "waits in select";
  const char* before = " of ";
  for (const wait_record* w = &first; w->sibling != nullptr; w = w->sibling) {
    text += std::exchange(before, ", ") + describe_operation(*w) +
            describe_place(*w);
  }
  return text;
}

void core::report(std::ostream& out, std::size_t lines) {
  std::vector<descriptor*> all;
  descriptors.for_each_live([&](descriptor& d) {
    if (d.block->waiting != nullptr) all.push_back(&d);
  });
  std::ranges::sort(all, {}, [](const descriptor* d) { return d->id.get(); });
  lines = std::min(lines, all.size());
  std::string last;
  if (lines != all.size())
    last = "and " + std::to_string(all.size() - lines) + " more\n";
  const auto cycle = find_cycle(all);
  if (!cycle.empty()) {
    last += "a cycle:";
    for (const descriptor* d : cycle)
      last += ' ' + name_of(*d) + ' ' + describe_edge(*d->block->waiting);
    last += ' ' + name_of(*cycle.front()) + '\n';
  }
  // What `out` does may switch: to a channel, say.
  std::vector<tasklet> those;
  for (std::size_t i = 0; i != lines; ++i) those.push_back(handle(all[i]));
  for (const tasklet& t : those) {
    if (!t.alive()) continue;
    const descriptor& d = *described(t);
    if (d.block->waiting != nullptr)
      out << describe(d) + ' ' + describe(*d.block->waiting) + '\n';
  }
  out << last;
}

std::exception_ptr core::deadlock(const control_block& t,
                                  std::size_t lines) noexcept {
  try {
    std::ostringstream text;
    text << "Deadlock: " << describe(*t.who) << ' ' << describe(*t.waiting)
         << ", and nothing is runnable and nothing can wake anyone.";
    if (!timers.empty())
      text << " The clock stands still until somebody advances it.";
    if (lines != 0) {
      text << " All who wait, the oldest first:\n";
      report(text, lines);
      text << std::exchange(others, {});
    }
    return std::make_exception_ptr(deadlock_error(text.str()));
  } catch (...) {
    // Without memory for its text it is a std::bad_alloc.
    return std::current_exception();
  }
}

void report(std::ostream& out) {
  core::present().report(out, std::numeric_limits<std::size_t>::max());
}

}  // namespace weft
