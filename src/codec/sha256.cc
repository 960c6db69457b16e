// The algorithm is fetched once: a fetch by name costs more than hashing a small value does.
#include "codec/sha256.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace strata::codec {

namespace {

// One context a thread, since making one costs as much as hashing 200 bytes.
class Context {
 public:
  Context() : context_(EVP_MD_CTX_new()) { STRATA_CHECK(context_ != nullptr); }
  ~Context() { EVP_MD_CTX_free(context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  EVP_MD_CTX* get() const noexcept { return context_; }

 private:
  EVP_MD_CTX* context_;
};

const EVP_MD* algorithm() {
  // Never freed: it is used until the last thread ends.
  static const EVP_MD* const fetched = [] {
    const EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    STRATA_CHECK(md != nullptr);
    return md;
  }();
  return fetched;
}

}  // namespace

Sha256 sha256(BytesView bytes) {
  thread_local const Context context;
  Sha256 digest;
  STRATA_CHECK(EVP_DigestInit_ex2(context.get(), algorithm(), nullptr) == 1);
  STRATA_CHECK(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  STRATA_CHECK(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  return digest;
}

}  // namespace strata::codec
