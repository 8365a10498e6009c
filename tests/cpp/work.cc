// SPDX-License-Identifier: MIT
#include "work.hh"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace work {

struct Trouble : std::runtime_error {
  using std::runtime_error::runtime_error;
};

int64_t Square(int64_t number) { return number * number; }
int Add(int a, int b) { return a + b; }
double Length(const Point& point) { return std::hypot(point.x, point.y); }
Point Mirror(Point point) { return {point.y, point.x}; }
Colour Other(Colour colour) { return colour == Colour::kRed ? Colour::kGreen : Colour::kRed; }
bool IsOdd(int number) { return number % 2 != 0; }
std::string Shout(const std::string& text, const std::optional<std::string>& more) {
  std::string loud = text + more.value_or("");
  std::transform(loud.begin(), loud.end(), loud.begin(), [](unsigned char c) { return std::toupper(c); });
  return loud;
}
Person Older(Person person, int years) {
  if (person.age) *person.age += years;
  for (auto& [subject, marks] : person.marks) marks.push_back(static_cast<double>(years));
  if (auto* number = std::get_if<int64_t>(&person.id)) person.id = std::to_string(*number);
  return person;
}
std::vector<Person> Sorted(std::vector<Person> people) {
  std::sort(people.begin(), people.end(), [](auto& one, auto& other) { return one.name < other.name; });
  return people;
}
std::map<std::string, size_t> Count(const std::vector<std::string>& words) {
  std::map<std::string, size_t> counts;
  for (auto& word : words) counts[word]++;
  return counts;
}
std::vector<double> Scale(const std::vector<double>& numbers, double by) {
  std::vector<double> scaled(numbers);
  for (double& number : scaled) number *= by;
  return scaled;
}
void Nothing() {}
int64_t Item(mproc::call& call, int64_t) noexcept { return static_cast<int64_t>(call.item_index()); }
std::string Worker(mproc::call& call) { return call.worker_name(); }
int Throws(const std::string& what) { throw Trouble(what); }
int ThrowsInt() { throw 5; }
int Crash() { std::abort(); }
int64_t Picky(int64_t number) {
  if (number == 13) throw Trouble("unlucky");
  return number;
}
bool Tell(mproc::call& call, const std::string& text) {
  call.progress(1, 2);
  return call.log(MPROC_LOG_INFO, text);
}

}  // namespace work
