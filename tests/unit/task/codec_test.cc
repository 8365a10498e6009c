// SPDX-License-Identifier: MIT
// Errors of tasks and set-ups of workers, to bytes and back.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "task/error.hh"
#include "task/setup.hh"

namespace mproc::task {
namespace {

TaskError SampleError() { return {-17, "Type", "a message", std::string("trace\nof two lines")}; }

Setup SampleSetup() {
  Setup setup;
  setup.nonce = 0x123456789abcdef0;
  setup.worker_number = 42;
  setup.worker_name = "SpawnPoolWorker-42";
  setup.host_pid = 4194304;
  setup.module = "/a/module.so";
  setup.has_initializer = true;
  setup.initializer = 7;
  setup.initializer_data = {std::byte{1}, std::byte{0}, std::byte{255}};
  setup.key = {std::byte{0}, std::byte{7}};
  setup.terms.memory = uint64_t{1} << 40;
  setup.terms.has_finalizer = true;
  setup.terms.finalizer = 8;
  setup.terms.finalizer_told = true;
  setup.terms.address_space = uint64_t{1} << 41;
  setup.terms.cpu_seconds = 9;
  setup.terms.files = 10;
  setup.terms.has_nice = true;
  setup.terms.nice = -11;
  setup.terms.cpus = {0, 1023};
  setup.terms.finalizer_data = std::string("a\0b", 3);
  return setup;
}

TEST(TaskError, ComesBackFromItsBytes) {
  for (const TaskError& error :
       {SampleError(), TaskError{},
        TaskError{INT32_MIN, "", std::string(100000, 'm'), std::string("\0\0", 2)}}) {
    TaskError back;
    ASSERT_TRUE(DecodeError(EncodeError(error), &back));
    EXPECT_EQ(back.code, error.code);
    EXPECT_EQ(back.type, error.type);
    EXPECT_EQ(back.message, error.message);
    EXPECT_EQ(back.trace, error.trace);
  }
}

TEST(TaskError, IsRefusedTruncatedOrTooLong) {
  auto bytes = EncodeError(SampleError());
  TaskError error;
  for (size_t size = 0; size < bytes.size(); size++) {
    EXPECT_FALSE(DecodeError(ByteView(bytes).first(size), &error)) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(DecodeError(bytes, &error));
}

TEST(TaskError, SurvivesNoise) {
  auto good = EncodeError(SampleError());
  std::mt19937 random(5);
  for (int round = 0; round < 20000; round++) {
    auto bytes = good;
    for (size_t n = 1 + random() % 4; n > 0; n--)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    TaskError error;
    if (DecodeError(bytes, &error)) {
      ASSERT_EQ(error.type.size() + error.message.size() + error.trace.size() + 28, bytes.size());
    }
  }
}

TEST(TaskError, BelievesNoLengthBeyondItsBytes) {
  for (uint64_t length : {uint64_t{100}, uint64_t{1} << 40, uint64_t{1} << 63, UINT64_MAX}) {
    for (size_t at : {size_t{4}, size_t{12}, size_t{20}}) {
      std::vector<std::byte> bytes(28);
      std::memcpy(bytes.data() + at, &length, sizeof length);
      TaskError error;
      EXPECT_FALSE(DecodeError(bytes, &error));
      EXPECT_LT(error.type.capacity() + error.message.capacity() + error.trace.capacity(), 200U);
    }
  }
}

TEST(Setup, ComesBackFromItsBytes) {
  auto back = DecodeSetup(EncodeSetup(SampleSetup()));
  ASSERT_TRUE(back.ok());
  task::Setup wanted = SampleSetup();
  EXPECT_EQ(back->nonce, wanted.nonce);
  EXPECT_EQ(back->worker_number, wanted.worker_number);
  EXPECT_EQ(back->worker_name, wanted.worker_name);
  EXPECT_EQ(back->host_pid, wanted.host_pid);
  EXPECT_EQ(back->module, wanted.module);
  EXPECT_EQ(back->has_initializer, wanted.has_initializer);
  EXPECT_EQ(back->initializer, wanted.initializer);
  EXPECT_EQ(back->initializer_data, wanted.initializer_data);
  EXPECT_EQ(back->key, wanted.key);
  EXPECT_EQ(back->terms.memory, wanted.terms.memory);
  EXPECT_TRUE(back->terms.has_finalizer);
  EXPECT_EQ(back->terms.address_space, wanted.terms.address_space);
  EXPECT_EQ(back->terms.cpu_seconds, wanted.terms.cpu_seconds);
  EXPECT_EQ(back->terms.files, wanted.terms.files);
  EXPECT_TRUE(back->terms.has_nice);
  EXPECT_EQ(back->terms.nice, wanted.terms.nice);
  EXPECT_EQ(back->terms.cpus, wanted.terms.cpus);
  EXPECT_EQ(back->terms.finalizer, wanted.terms.finalizer);
  EXPECT_TRUE(back->terms.finalizer_told);
  EXPECT_EQ(back->terms.finalizer_data, wanted.terms.finalizer_data);
  EXPECT_TRUE(DecodeSetup(EncodeSetup(task::Setup())).ok());
}

TEST(Setup, CarriesLargeInitializerData) {
  task::Setup setup = SampleSetup();
  setup.initializer_data.assign(3 << 20, std::byte{9});
  auto back = DecodeSetup(EncodeSetup(setup));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->initializer_data, setup.initializer_data);
}

TEST(Setup, IsRefusedTruncatedOrTooLong) {
  auto bytes = EncodeSetup(SampleSetup());
  for (size_t size = 0; size < bytes.size(); size++) {
    auto setup = DecodeSetup(ByteView(bytes).first(size));
    EXPECT_EQ(setup.status().code(), MPROC_ERROR_PROTOCOL) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(DecodeSetup(bytes).ok());
}

TEST(Setup, SurvivesNoise) {
  auto good = EncodeSetup(SampleSetup());
  std::mt19937 random(6);
  for (int round = 0; round < 20000; round++) {
    auto bytes = good;
    for (size_t n = 1 + random() % 4; n > 0; n--) {
      // Only numbers that a bool can have, where there is one.
      bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 2);
    }
    DecodeSetup(bytes).ok();
  }
}

}  // namespace
}  // namespace mproc::task
