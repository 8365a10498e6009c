// SPDX-License-Identifier: MIT
// The functions that workers run, as a list of them: `using work = mproc::functions<add, greet>`. Their order
// is their ids, so host and worker are to be built from the same list.
#ifndef MPROC_CPP_FUNCTIONS_HPP
#define MPROC_CPP_FUNCTIONS_HPP

#include <mproc/worker.h>
#include <mproc/cpp/call.hpp>
#include <mproc/cpp/codec.hpp>
#include <mproc/cpp/error.hpp>

#include <exception>
#include <memory>
#include <string_view>
#include <typeinfo>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>

#include <cstdlib>
#endif

namespace mproc {
namespace detail {

template <typename F>
struct signature;
template <typename R, typename... Args>
struct signature<R (*)(Args...)> {
  using result = R;
  using arguments = std::tuple<std::remove_cvref_t<Args>...>;
  static constexpr bool wants_call = false;
};
template <typename R, typename... Args>
struct signature<R (*)(call&, Args...)> {
  using result = R;
  using arguments = std::tuple<std::remove_cvref_t<Args>...>;
  static constexpr bool wants_call = true;
};
template <typename R, typename... Args>
struct signature<R (*)(Args...) noexcept> : signature<R (*)(Args...)> {};

template <auto Function>
using result_of = std::remove_cvref_t<typename signature<decltype(Function)>::result>;
template <auto Function>
using arguments_of = typename signature<decltype(Function)>::arguments;

// The name of a function as the compiler has it, without what differs between compilers.
template <auto Function>
constexpr std::string_view name_of() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("Function = ") + sizeof "Function = " - 1);
  text = text.substr(0, text.find_first_of(";]"));
  if (text.starts_with('&')) text.remove_prefix(1);
  return text;
}

inline std::string name_of_type(const std::exception& thrown) {
#ifdef __cpp_rtti
  const char* name = typeid(thrown).name();
#if __has_include(<cxxabi.h>)
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> plain(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                               std::free);
  if (plain) return plain.get();
#endif
  return name;
#else
  (void)thrown;
  return "exception";
#endif
}

template <typename T>
void reply(mproc_call_t* call, const T& value) {
  if constexpr (is_plain<T>) {
    check(mproc_call_reply(call, &value, sizeof value));
  } else {
    auto bytes = encode(value);
    check(mproc_call_reply(call, bytes.data(), bytes.size()));
  }
}

template <auto Function>
void run(mproc_call_t* handle, const void* data, size_t size) {
  arguments_of<Function> arguments;
  const void* bound = nullptr;
  size_t bound_size = 0;
  check(mproc_call_bound(handle, &bound, &bound_size));
  std::apply(
      [&](auto&... each) {
        decode({static_cast<const std::byte*>(bound), bound_size},
               {static_cast<const std::byte*>(data), size}, each...);
      },
      arguments);
  call running(handle);
  auto invoke = [&](auto&... each) -> decltype(auto) {
    if constexpr (signature<decltype(Function)>::wants_call) {
      return Function(running, std::move(each)...);
    } else {
      return Function(std::move(each)...);
    }
  };
  if constexpr (std::is_void_v<result_of<Function>>) {
    std::apply(invoke, arguments);
  } else {
    reply<result_of<Function>>(handle, std::apply(invoke, arguments));
  }
}

// What the table holds: runs the function, and turns what it throws into the error of the task.
template <auto Function>
int32_t entry(mproc_call_t* call, const void* data, size_t size, void*) {
  try {
    run<Function>(call, data, size);
    return 0;
  } catch (const std::exception& thrown) {
    return mproc_call_fail(call, -1, name_of_type(thrown).c_str(), thrown.what(), nullptr);
  } catch (const bad_input&) {
    return mproc_call_fail(call, -1, "mproc::bad_input", "the arguments are not those of this function",
                           nullptr);
  }  // anything else is the worker's to catch
}

}  // namespace detail

// Since 0.1.
template <auto... Functions>
struct functions {
  // The id of a function of the list, from 1. One that is not in the list does not compile.
  template <auto Function>
  static constexpr uint32_t id() {
    constexpr uint32_t found = find<Function>();
    static_assert(found != 0, "this function is not in the list mproc::functions<...> of the pool");
    return found;
  }

  // Adds all to a table, as a module's mproc_module_main does. The first status that is not OK.
  static mproc_status_t add_to(mproc_table_t* table) {
    mproc_status_t status = MPROC_OK;
    uint32_t id = 0;
    ((status = status == MPROC_OK
                   ? mproc_table_add(table, ++id, std::string(detail::name_of<Functions>()).c_str(),
                                     detail::entry<Functions>, nullptr)
                   : status),
     ...);
    return status;
  }

  // To be called at the top of main: in a worker run of this program it serves and does not return.
  static void serve() {
    mproc_table_t* table = nullptr;
    detail::check(mproc_table_create(&table));
    mproc_status_t status = add_to(table);
    if (status == MPROC_OK) status = mproc_worker_main(table);
    std::string message = mproc_last_error_message();
    mproc_table_destroy(table);
    if (status != MPROC_OK) throw error(status, message);
  }

 private:
  // Compared as types: with sanitizers g++ takes a comparison of two functions for no constant.
  template <auto Function>
  struct named {};
  template <auto Function>
  static constexpr uint32_t find() {
    uint32_t id = 0, found = 0;
    ((id++, found = std::is_same_v<named<Function>, named<Functions>> ? id : found), ...);
    return found;
  }
};

}  // namespace mproc

#endif
