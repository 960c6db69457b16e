// How LPUSH on a large list would go: the root and the first block are read in one mget, and both
// change by a patch of some bytes. Losing the race is a failed condition and a new run.
#include <strata/strata.h>

namespace strata::sketch::datatypes {

struct List {
  Engine& engine;
  Keyspace names;   // roots, by the list's own name
  Keyspace blocks;  // inner blocks, by (collection id, block id)
};

Bytes encode_element(BytesView element);
Bytes encode_count(std::uint64_t count);
std::uint64_t count_in(BytesView root);
Bytes first_block_of(BytesView root);
bool has_room(BytesView block, BytesView element);
void split_first_block(WriteBatch& batch, const List& list, BytesView root, BytesView block);
constexpr std::uint64_t kCountOffset = 16;
constexpr std::uint64_t kCountBytes = 8;
constexpr std::uint64_t kHeaderBytes = 8;

Result<std::uint64_t> push_front(const List& list, BytesView name, BytesView element) {
  Read root;
  Read block;
  WriteBatch batch;
  while (true) {
    root.key = {list.names, name};
    STRATA_TRY(list.engine.mget(std::span(&root, 1)));
    if (!root.info || root.info->type != ValueType::list) {
      return Error(Code::invalid_argument, "not a list");
    }
    const Bytes block_name = first_block_of(root.value.view());
    block.key = {list.blocks, block_name};
    STRATA_TRY(list.engine.mget(std::span(&block, 1)));
    const std::uint64_t count = count_in(root.value.view()) + 1;
    batch.clear();
    batch.require_unchanged(root.key, root.info->version);
    batch.patch(root.key, kCountOffset, kCountBytes, encode_count(count));
    if (has_room(block.value.view(), element)) {
      batch.patch(block.key, kHeaderBytes, 0, encode_element(element));
    } else {
      split_first_block(batch, list, root.value.view(), block.value.view());
    }
    STRATA_LET(const Commit commit, list.engine.commit(batch));
    if (commit.applied()) return count;
  }
}

// A huge list goes away by its root; the blocks follow in steps of one range each.
Result<> erase(const List& list, BytesView name, BytesView first_block, BytesView behind_last) {
  WriteBatch batch;
  batch.remove({list.names, name});
  STRATA_TRY(list.engine.commit(batch));
  batch.clear();
  batch.delete_range(list.blocks, first_block, behind_last);
  STRATA_TRY(list.engine.commit(batch));
  return {};
}

}  // namespace strata::sketch::datatypes
