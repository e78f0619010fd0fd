// SPDX-License-Identifier: BSL-1.0
// What greenlets hand each other.
#include "weft/tasklet/parcel.h"

#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "weft/tasklet/greenlet.h"
#include "weft/tests/support/counted.h"

namespace {

using namespace weft;
using weft_test::counted;

static_assert(!std::is_copy_constructible_v<parcel>);
static_assert(std::is_nothrow_move_constructible_v<parcel>);
static_assert(std::is_base_of_v<error, bad_parcel>);

struct alignas(64) aligned {
  int value;
};

TEMPLATE_TEST_CASE("a parcel keeps one value of any size", "",
                   (std::array<char, 1>), (std::array<char, 32>),
                   (std::array<char, 33>), (std::array<char, 5000>)) {
  TestType value{};
  value.front() = 'f';
  value.back() = 'b';
  parcel p = value;
  CHECK(p.has_value());
  CHECK(p.type() == typeid(TestType));
  parcel q = std::move(p);
  CHECK_FALSE(p.has_value());  // NOLINT: which is what is tested
  REQUIRE(q.get_if<TestType>() != nullptr);
  p = std::move(q);
  CHECK(p.get<TestType>().back() == 'b');
  CHECK(p.take<TestType>() == value);
  CHECK_FALSE(p.has_value());
  CHECK(p.type() == typeid(void));
}

TEST_CASE("a parcel takes what can only be moved, and what is aligned") {
  parcel p = std::make_unique<int>(4);
  CHECK(**p.get_if<std::unique_ptr<int>>() == 4);
  const auto taken = p.take<std::unique_ptr<int>>();
  CHECK(*taken == 4);
  p = aligned{5};
  CHECK(reinterpret_cast<std::uintptr_t>(&p.get<aligned>()) % 64 == 0);
  CHECK(p.take<aligned>().value == 5);
}

TEST_CASE("types are matched exactly, without const and reference") {
  const std::string word = "word";
  const std::string& reference = word;
  parcel p = reference;
  CHECK(p.get_if<std::string>() != nullptr);
  CHECK(p.get_if<const char*>() == nullptr);
  CHECK(p.get_if<std::string_view>() == nullptr);
  p = "literal";
  CHECK(p.get<const char*>() == std::string("literal"));
  p = 1;
  CHECK(p.get_if<long>() == nullptr);
  CHECK(p.get_if<unsigned>() == nullptr);
}

TEST_CASE("asking for another type is an error that names both") {
  parcel p = 1.5;
  CHECK_THROWS_WITH(p.get<int>(), std::string("weft: a parcel of type ") +
                                      typeid(double).name() +
                                      " was asked for type " +
                                      typeid(int).name());
  CHECK_THROWS_AS(p.take<int>(), bad_parcel);
  CHECK(p.get<double>() == 1.5);
  parcel empty;
  CHECK_THROWS_AS(empty.take<int>(), bad_parcel);
  CHECK(empty.get_if<int>() == nullptr);
}

TEST_CASE("a parcel ends its value once, however it goes") {
  counted::reset();
  {
    parcel p = counted(1);
    CHECK(counted::alive == 1);
    parcel q = std::move(p);
    CHECK(counted::alive == 1);
    q = parcel(2);
    CHECK(counted::alive == 0);
    q = counted(3);
    q.reset();
    CHECK(counted::alive == 0);
    q = counted(4);
    CHECK(q.take<counted>().value == 4);
    CHECK(counted::alive == 0);
    q = counted(5);
    parcel& same = q;
    q = std::move(same);
    CHECK(q.get<counted>().value == 5);
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("a move that throws leaves the value in the parcel") {
  counted::reset();
  {
    parcel p = counted(1);
    counted::throw_in = 0;
    CHECK_THROWS_AS(p.take<counted>(), weft_test::move_failed);
    counted::throw_in = -1;
    CHECK(p.has_value());
    counted c(2);
    counted::throw_in = 0;
    CHECK_THROWS_AS(parcel(std::move(c)), weft_test::move_failed);
    counted::throw_in = -1;
    CHECK(counted::alive == 2);
    // Parcels themselves never move such a value.
    counted::throw_in = 0;
    const parcel q = std::move(p);
    counted::throw_in = -1;
  }
  CHECK(counted::alive == 0);
}

TEST_CASE("several values are a tuple, one is itself, none is nothing") {
  const greenlet main = current_greenlet();
  const greenlet g([&](parcel p) {
    while (true) {
      std::string what = "?";
      if (!p.has_value()) what = "none";
      if (const auto* i = p.get_if<int>()) what = std::to_string(*i);
      if (auto* pair = p.get_if<std::tuple<int, std::string>>())
        what = std::to_string(std::get<0>(*pair)) + std::get<1>(*pair);
      if (auto* three =
              p.get_if<std::tuple<std::unique_ptr<int>, char, double>>())
        what = std::to_string(*std::get<0>(*three)) + std::get<1>(*three);
      p = main.switch_to(what);
    }
  });
  const std::string word = "word";
  CHECK(g.switch_to().take<std::string>() == "none");
  CHECK(g.switch_to(5).take<std::string>() == "5");
  CHECK(g.switch_to(6, word).take<std::string>() == "6word");
  CHECK(g.switch_to(std::make_unique<int>(7), 'c', 0.5).take<std::string>() ==
        "7c");
  CHECK(g.switch_to(parcel(8)).take<std::string>() == "8");
}

}  // namespace
