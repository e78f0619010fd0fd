// SPDX-License-Identifier: BSL-1.0
// A message that asks for a reply.
//
//   using square = weft::request<int, int>;  // asks with an int, for an int
//
//   in.receive([](square q) { q.reply(get<0>(q.body) * get<0>(q.body)); });
//   ...
//   int nine = box.ask<square>(3);           // see mailbox.h
//
// Where two requests would be of one type, derive:
//
//   struct balance : weft::request<int, account> { using request::request; };
//
// A request may be kept and answered later, or handed to somebody else. One that
// is destroyed without an answer makes the asker throw error. If the asker has
// been killed or its time has passed, the answer goes nowhere.
//
// Thread safety: the thread of the asker's scheduler. Elsewhere reply() and
//                fail() throw wrong_scheduler; to destroy it there while somebody
//                waits for the answer ends the program.
// Cost:          O(1), no allocation: the reply lies on the asker's stack.
#pragma once

#include <exception>
#include <optional>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "weft/scheduler/dispatcher.h"
#include "weft/scheduler/waits.h"
#include "weft/tasklet/error.h"

namespace weft {

// Private: the asker's side, less the type of the reply. It and the request
// point to each other until one of them ends or the answer is given.
class asker_core {
 public:
  asker_core(const asker_core&) = delete;
  asker_core& operator=(const asker_core&) = delete;

 protected:
  asker_core() = default;
  ~asker_core();
  // Park until there is an answer. Throw a failure; error where there is none.
  // False: the time passed first.
  void wait(wait_forever forever, std::source_location where);
  bool wait(wait_until until, std::source_location where);

 private:
  friend class request_core;
  void settle();
  dispatcher* home_ = this_dispatcher();
  bool done_ = false;
  std::exception_ptr failure_;
  class request_core* request_ = nullptr;
  wait_queue line_;
};

class request_core {
 public:
  request_core(request_core&& other) noexcept;
  request_core& operator=(request_core&& other) noexcept;
  ~request_core();

  // Somebody waits for the answer.
  [[nodiscard]] bool wanted() const { return asker_ != nullptr; }
  // The asker throws `what`. Throws std::invalid_argument for a null pointer,
  // error where there was an answer, wrong_scheduler.
  void fail(std::exception_ptr what);

 protected:
  request_core() = default;
  void attach(asker_core& a) noexcept;
  void require_open() const;
  [[nodiscard]] asker_core* asker() const { return asker_; }
  // The answer is there.
  void close() noexcept;

 private:
  friend class asker_core;
  void release(bool answered) noexcept;
  asker_core* asker_ = nullptr;
  bool answered_ = false;
};

template <typename Reply>
class asker;

template <typename Reply, typename... Body>
class request : public request_core {
  static_assert((std::is_nothrow_move_constructible_v<Body> && ...),
                "weft: what a request carries can be moved, and that does not "
                "throw");

 public:
  using reply_type = Reply;

  explicit request(Body... values) : body(std::move(values)...) {}

  // The asker goes on with it, at the tail of the queue. Once: throws error
  // where there was an answer, wrong_scheduler; what making the reply throws, and
  // then it is still open.
  template <typename R = Reply>
    requires(!std::is_void_v<Reply> && std::constructible_from<Reply, R>)
  void reply(R&& value) {
    require_open();
    if (asker() != nullptr) {
      Reply made(std::forward<R>(value));
      require_open();  // To make it may have taken its time.
      if (asker() != nullptr)
        static_cast<weft::asker<Reply>*>(asker())->value.emplace(
            std::move(made));
    }
    close();
  }
  void reply()
    requires std::is_void_v<Reply>
  {
    require_open();
    close();
  }

  std::tuple<Body...> body;

 private:
  template <typename>
  friend class weft::asker;
};

// Private: where the reply goes to.
template <typename Reply>
class asker : public asker_core {
 public:
  using held = std::conditional_t<std::is_void_v<Reply>, std::monostate, Reply>;

  template <typename... Body>
  void ask(request<Reply, Body...>& q) noexcept {
    q.attach(*this);
  }
  using asker_core::wait;

  std::optional<held> value;
};

}  // namespace weft
