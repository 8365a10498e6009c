// SPDX-License-Identifier: MIT
// Arguments and results of mproc.hpp, decoded from any bytes: they are what was written, or bad_input or an
// exception of cereal is thrown. The first byte says of which type.
#include <deque>
#include <map>
#include <mproc/mproc.hpp>
#include <optional>
#include <set>
#include <variant>

#include "input.hh"

namespace mproc::fuzz {
namespace {

struct Plain {
  double x, y;
  int64_t n;  // no padding: its bytes are not kept
};

struct Person {
  std::string name;
  std::optional<int> age;
  std::map<std::string, std::vector<double>> marks;
  std::variant<int64_t, std::string, bool> id;
  bool member = false;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(name, age, marks, id, member);
  }
};

template <typename... T>
void Try(ByteView bytes) {
  std::tuple<T...> values;
  auto decode = [](ByteView from, auto& to) {
    std::apply([&](auto&... one) { detail::decode(from.data(), from.size(), one...); }, to);
  };
  auto encode = [](const auto& from) {
    return std::apply([](const auto&... one) { return detail::encode(one...); }, from);
  };
  try {
    decode(bytes, values);
  } catch (const bad_input&) {
    return;
  } catch (const std::exception&) {
    return;
  }
  using First = std::tuple_element_t<0, std::tuple<T...>>;
  if constexpr (std::is_same_v<First, bool>) REQUIRE(bytes[0] <= std::byte{1});
  // Sets and maps drop what comes twice: the second round is the one that must be exact.
  auto once = encode(values);
  std::tuple<T...> again;
  decode(once, again);
  REQUIRE(encode(again) == once);
}

}  // namespace
}  // namespace mproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mproc::fuzz;
  using mproc::ByteView;
  static constexpr void (*kTargets[])(ByteView) = {
      Try<Person>,
      Try<bool, int, std::string>,
      Try<std::vector<Person>>,
      Try<std::vector<std::vector<std::string>>>,
      Try<std::map<int, std::set<std::string>>, std::vector<Plain>>,
      Try<std::vector<bool>, std::optional<bool>>,
      Try<std::variant<int, std::vector<double>, Person>, Plain>,
      Try<std::map<std::string, std::pair<int, bool>>>};
  Input input(data, size);
  auto which = input.Take<uint8_t>();
  if (which < std::size(kTargets)) kTargets[which](input.rest());
  return 0;
}
