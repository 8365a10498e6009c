// SPDX-License-Identifier: MIT
// Keyed digests (HMAC) and random bytes. The digests are those of libcrypto, which is loaded when the first
// one is asked for: workers, which never do, start faster without it.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hh"
#include "base/status.hh"

namespace mproc::platform {

// The HMAC of `message` by the digest that libcrypto knows by this name, as "SHA256". UNSUPPORTED: there is
// no libcrypto, or it has no such digest. Any thread.
Result<std::vector<std::byte>> Hmac(const char* digest, ByteView key, ByteView message);

// Fills with random bytes that nobody can guess. False: the system has none.
bool FillRandom(void* to, size_t size);

// Takes as long wherever they differ. Both are of one size.
bool EqualInConstantTime(ByteView one, ByteView other);

// Overwrites what was secret.
void Wipe(void* at, size_t size);

}  // namespace mproc::platform
