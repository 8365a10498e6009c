// SPDX-License-Identifier: MIT
#include "loop/post.hh"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace mproc::loop {
namespace {

TEST(Post, RunsActionsInOrderOnTheLoopsThread) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Post post;
  ASSERT_TRUE(post.Init(loop).ok());
  std::vector<int> seen;
  std::thread::id ran_on;
  std::thread other([&] {
    for (int i = 0; i < 1000; i++) post.Send([&seen, i] { seen.push_back(i); });
    post.Send([&] {
      ran_on = std::this_thread::get_id();
      loop.Stop();
    });
  });
  loop.Run();
  other.join();
  ASSERT_EQ(seen.size(), 1000U);
  for (int i = 0; i < 1000; i++) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  post.Close();
}

TEST(Post, MayBeSentToFromManyThreads) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Post post;
  ASSERT_TRUE(post.Init(loop).ok());
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; i++) {
        post.Send([&] {
          if (++count == 2000) loop.Stop();
        });
      }
    });
  }
  loop.Run();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 2000);
  post.Close();
}

TEST(Post, MayBeSentToFromAnAction) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Post post;
  ASSERT_TRUE(post.Init(loop).ok());
  bool inner = false;
  post.Send([&] {
    post.Send([&] {
      inner = true;
      loop.Stop();
    });
  });
  loop.Run();
  EXPECT_TRUE(inner);
  post.Close();
}

TEST(Post, RunsTheLastOneBehindAllThatAreThere) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Post post;
  ASSERT_TRUE(post.Init(loop).ok());
  int count = 0;
  EXPECT_TRUE(post.SendLast([&] {
    EXPECT_EQ(count, 2);
    loop.Stop();
  }));
  post.Send([&] { count++; });
  post.Send([&] { count++; });
  loop.Run();
  EXPECT_EQ(count, 2);
  post.Close();
  EXPECT_FALSE(post.SendLast([] { FAIL(); }));
}

TEST(Post, DropsWhatComesAfterClose) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  Post post;
  ASSERT_TRUE(post.Init(loop).ok());
  auto token = std::make_shared<int>(1);
  EXPECT_TRUE(post.Send([token] { FAIL(); }));
  EXPECT_TRUE(post.SendLast([token] { FAIL(); }));
  post.Close();
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(post.Send([token] { FAIL(); }));
  EXPECT_EQ(token.use_count(), 1);
  loop.RunDue();
}

TEST(Post, MayBeClosedByAnAction) {
  Loop loop;
  ASSERT_TRUE(loop.Init().ok());
  auto post = std::make_unique<Post>();
  ASSERT_TRUE(post->Init(loop).ok());
  post->Send([&] { post.reset(); });
  loop.Run();  // ends by itself: nothing is left on the loop
  EXPECT_FALSE(post);
}

}  // namespace
}  // namespace mproc::loop
