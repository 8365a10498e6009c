// SPDX-License-Identifier: MIT
#include "platform/digest.hh"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "platform/cancellation.hh"

namespace mproc::platform {
namespace {

// Of libcrypto, the same in its versions 1.1 and 3.
struct Crypto {
  const void* (*digest_by_name)(const char*) = nullptr;
  unsigned char* (*hmac)(const void*, const void*, int, const unsigned char*, size_t, unsigned char*,
                         unsigned int*) = nullptr;
};

const Crypto& TheCrypto() {
  static const Crypto crypto = [] {
    CancellationOff no_cancel;
    Crypto found;
    for (const char* name : {"libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"}) {
      void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);  // stays
      if (!library) continue;
      found.digest_by_name =
          reinterpret_cast<decltype(found.digest_by_name)>(dlsym(library, "EVP_get_digestbyname"));
      found.hmac = reinterpret_cast<decltype(found.hmac)>(dlsym(library, "HMAC"));
      if (found.digest_by_name && found.hmac) return found;
    }
    return Crypto();
  }();
  return crypto;
}

}  // namespace

Result<std::vector<std::byte>> Hmac(const char* digest, ByteView key, ByteView message) {
  const Crypto& crypto = TheCrypto();
  if (!crypto.hmac)
    return Status(MPROC_ERROR_UNSUPPORTED, "connections with a key need libcrypto of OpenSSL 1.1 or later");
  const void* known = crypto.digest_by_name(digest);
  std::vector<std::byte> made(64);
  unsigned int size = 0;
  if (!known || !crypto.hmac(known, key.data(), static_cast<int>(key.size()),
                             reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                             reinterpret_cast<unsigned char*>(made.data()), &size)) {
    return Status(MPROC_ERROR_UNSUPPORTED, std::string("libcrypto offers no digest ") + digest);
  }
  made.resize(size);
  return made;
}

bool FillRandom(void* to, size_t size) {
  CancellationOff no_cancel;
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    ssize_t got = getrandom(at, size, 0);
    if (got < 0 && errno != EINTR) return false;
    if (got <= 0) continue;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool EqualInConstantTime(ByteView one, ByteView other) {
  volatile unsigned differ = 0;
  for (size_t i = 0; i < one.size(); i++) differ = differ | static_cast<unsigned>(one[i] ^ other[i]);
  return differ == 0;
}

void Wipe(void* at, size_t size) {
  if (size > 0) explicit_bzero(at, size);  // nothing may have no place
}

}  // namespace mproc::platform
