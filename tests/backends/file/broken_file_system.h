// BrokenFileSystem: a file system that leaves out, or swaps, what the file store counts on. With it
// the crash test shows that it would notice.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "io/file_system.h"

namespace strata::backends::file {

enum class Mistake {
  none,
  no_value_sync,    ///< the value's bytes are not synced
  no_sidecar_sync,  ///< the sidecar's bytes are not synced
  no_folder_sync,   ///< no change of names is synced
  sidecar_first,    ///< the sidecar is renamed into place before the value is written
};

class BrokenFileSystem final : public io::FileSystem {
 public:
  BrokenFileSystem(io::FileSystem& below, Mistake mistake) : below_(below), mistake_(mistake) {}

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override {
    STRATA_LET(std::unique_ptr<io::File> opened, below_.open(path, mode));
    if (mistake_ == Mistake::sidecar_first && mode == io::OpenMode::truncate && is_value(path)) {
      STRATA_TRY(below_.remove(path));
      return std::unique_ptr<io::File>(new HeldFile(*this, path));
    }
    const bool lies = (mistake_ == Mistake::no_value_sync && is_value(path)) ||
                      (mistake_ == Mistake::no_sidecar_sync && path.ends_with("@temp.json"));
    if (!lies) return opened;
    return std::unique_ptr<io::File>(new UnsyncedFile(std::move(opened)));
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    STRATA_TRY(below_.rename(from, to));
    for (const auto& [path, bytes] : std::exchange(held_, {})) {
      STRATA_LET(const std::unique_ptr<io::File> late, below_.open(path, io::OpenMode::truncate));
      STRATA_TRY(late->append(bytes));
      STRATA_TRY(late->sync());
    }
    return {};
  }
  Result<> sync_directory(const std::string& path) override {
    if (mistake_ == Mistake::no_folder_sync && path.find('/') != std::string::npos) return {};
    return below_.sync_directory(path);
  }

  Result<std::unique_ptr<io::File>> open_if_exists(const std::string& path) override {
    return below_.open_if_exists(path);
  }
  Result<std::optional<io::FileInfo>> stat(const std::string& path) override {
    return below_.stat(path);
  }
  Result<> list_directory(const std::string& path, const io::DirectoryVisitor& visit) override {
    return below_.list_directory(path, visit);
  }
  Result<bool> create_directory(const std::string& path) override {
    return below_.create_directory(path);
  }
  Result<bool> remove(const std::string& path) override { return below_.remove(path); }
  Result<bool> remove_directory(const std::string& path) override {
    return below_.remove_directory(path);
  }
  Result<std::unique_ptr<io::FileLock>> lock_file(const std::string& path) override {
    return below_.lock_file(path);
  }
  Result<io::SpaceInfo> space(const std::string& path) override { return below_.space(path); }

 private:
  static bool is_value(const std::string& path) {
    return path.find('@') != std::string::npos && !path.ends_with(".json");
  }

  /// Passes all on but sync().
  class UnsyncedFile : public io::File {
   public:
    explicit UnsyncedFile(std::unique_ptr<io::File> below) : below_(std::move(below)) {}
    Result<std::size_t> pread(std::uint64_t offset, std::span<char> to) override {
      return below_->pread(offset, to);
    }
    Result<> pwrite(std::uint64_t offset, BytesView bytes) override {
      return below_->pwrite(offset, bytes);
    }
    Result<> append(BytesView bytes) override { return below_->append(bytes); }
    Result<> sync() override { return {}; }
    Result<> truncate(std::uint64_t bytes) override { return below_->truncate(bytes); }
    Result<> allocate(std::uint64_t bytes) override { return below_->allocate(bytes); }
    Result<std::uint64_t> size() override { return below_->size(); }
    Result<> close() override { return below_->close(); }
    const std::string& path() const noexcept override { return below_->path(); }

   private:
    std::unique_ptr<io::File> below_;
  };

  /// Holds its bytes back until the next rename.
  class HeldFile final : public io::File {
   public:
    HeldFile(BrokenFileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
    Result<> append(BytesView bytes) override {
      files_.held_[path_].append(bytes);
      return {};
    }
    Result<> sync() override { return {}; }
    Result<> close() override { return {}; }
    const std::string& path() const noexcept override { return path_; }
    Result<std::size_t> pread(std::uint64_t, std::span<char>) override { return unused(); }
    Result<> pwrite(std::uint64_t, BytesView) override { return unused(); }
    Result<> truncate(std::uint64_t) override { return unused(); }
    Result<> allocate(std::uint64_t) override { return unused(); }
    Result<std::uint64_t> size() override { return unused(); }

   private:
    static Error unused() { return {Code::io, "a new value file is only appended to"}; }
    BrokenFileSystem& files_;
    const std::string path_;
  };

  io::FileSystem& below_;
  const Mistake mistake_;
  std::map<std::string, Bytes> held_;
};

}  // namespace strata::backends::file
