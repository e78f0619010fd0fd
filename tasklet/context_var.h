// SPDX-License-Identifier: BSL-1.0
// Variables of which each greenlet has its own value.
//
//   weft::context_var<int> depth(0);
//   depth.set(1);
//   weft::greenlet g([&] { return depth.get(); });  // 0: it begins empty
//
// A greenlet's values make up its context, which may be copied from another's
// when it is made, or shared with it (greenlet_options::context). A variable
// that has not been set in a context has its default there.
//
// Lifetime:       a variable may end before the contexts that hold values of
//                 it; they keep those.
// Thread safety:  of the variable: any thread, each sees its own greenlets.
// Cost:           get() looks the variable up in a hash table.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

namespace weft {

// What a new greenlet's context begins as, seen from whoever makes it.
enum class context_policy : std::uint8_t {
  empty,  // every variable has its default (Python's greenlet)
  copy,   // the values that its maker has then
  share,  // the very context of its maker
};

// Private: the values of one context.
using context_values = std::unordered_map<std::uint64_t, std::shared_ptr<void>>;
// Of the greenlet that runs; made on demand.
context_values& current_context();
std::uint64_t next_context_key() noexcept;

template <typename T>
class context_var {
 public:
  explicit context_var(T initially = T())
      : initially_(std::move(initially)), key_(next_context_key()) {}
  context_var(const context_var&) = delete;
  context_var& operator=(const context_var&) = delete;
  ~context_var() = default;

  // Of the current greenlet. Valid until it is set or reset there, or the greenlet
  // is given another context.
  [[nodiscard]] const T& get() const {
    context_values& values = current_context();
    const auto at = values.find(key_);
    return at != values.end() ? *static_cast<const T*>(at->second.get())
                              : initially_;
  }
  // Throw std::bad_alloc with nothing changed.
  void set(T value) const {
    current_context()[key_] = std::make_shared<T>(std::move(value));
  }
  // Back to the default.
  void reset() const { current_context().erase(key_); }

 private:
  T initially_;
  std::uint64_t key_;
};

}  // namespace weft
