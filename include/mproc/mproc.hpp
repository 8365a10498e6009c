// SPDX-License-Identifier: MIT
// The pool for C++: functions with their own arguments and results, futures that throw. Header only, on top
// of the C interface; needs C++20.
//
//   int add(int a, int b) { return a + b; }
//   using work = mproc::functions<add>;
//
//   int main() {
//     work::serve();                        // in a worker run of this program this call does not return
//     mproc::pool<work> pool;
//     return pool.submit<add>(1, 2).get();  // 3, computed in another process
//   }
//
// Arguments and results travel by value: numbers, enums and structs that can be copied byte by byte as they
// are, everything else by cereal, where it is installed and RTTI is on; without it strings and vectors of
// these.
#ifndef MPROC_MPROC_HPP
#define MPROC_MPROC_HPP

#include <mproc/mproc.h>
#include <mproc/cpp/call.hpp>
#include <mproc/cpp/calls.hpp>
#include <mproc/cpp/error.hpp>
#include <mproc/cpp/functions.hpp>
#include <mproc/cpp/future.hpp>
#include <mproc/cpp/imap.hpp>
#include <mproc/cpp/pool.hpp>
#include <mproc/cpp/process.hpp>
#include <mproc/cpp/shared.hpp>

#endif
