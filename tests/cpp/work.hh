// SPDX-License-Identifier: MIT
// The functions of the test and the types that they exchange, shared by both sides.
#pragma once

#include <cstdint>
#include <map>
#include <mproc/mproc.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace work {

struct Point {  // travels as its bytes
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

struct Person {  // travels by cereal
  std::string name;
  std::optional<int> age;
  std::map<std::string, std::vector<double>> marks;
  std::variant<int64_t, std::string> id;
  bool operator==(const Person&) const = default;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(name, age, marks, id);
  }
};

enum class Colour : uint8_t { kRed, kGreen };

int64_t Square(int64_t number);
int Add(int a, int b);
double Length(const Point& point);
Point Mirror(Point point);
Colour Other(Colour colour);
bool IsOdd(int number);
std::string Shout(const std::string& text, const std::optional<std::string>& more);
Person Older(Person person, int years);
std::vector<Person> Sorted(std::vector<Person> people);
std::map<std::string, size_t> Count(const std::vector<std::string>& words);
std::vector<double> Scale(const std::vector<double>& numbers, double by);
void Nothing();
int64_t Item(mproc::call& call, int64_t number) noexcept;
std::string Worker(mproc::call& call);
int Throws(const std::string& what);
int ThrowsInt();
int Crash();
int64_t Picky(int64_t number);
bool Tell(mproc::call& call, const std::string& text);

using Functions = mproc::functions<Square, Add, Length, Mirror, Other, IsOdd, Shout, Older, Sorted, Count,
                                   Scale, Nothing, Item, Worker, Throws, ThrowsInt, Crash, Picky, Tell>;

// In sum.cc: more than one file of the program uses pools.
int64_t SumOfSquares(mproc::pool<Functions>& pool, int64_t count);

}  // namespace work
