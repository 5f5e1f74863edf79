// A queue in one piece of memory, which doubles when it is full and is kept when it is empty: nothing is
// allocated per item. Items are plain values. No bounds are checked here.
#pragma once

#include <cstddef>
#include <type_traits>

namespace msgr {

template <typename Item>
class Ring {
  static_assert(std::is_trivially_copyable_v<Item>);

 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { free_memory(); }

  [[nodiscard]] size_t size() const { return size_; }
  // Items that it has room for.
  [[nodiscard]] size_t capacity() const { return capacity_; }
  // Counted from the front.
  [[nodiscard]] Item& operator[](size_t index) const { return items_[(head_ + index) & (capacity_ - 1)]; }
  [[nodiscard]] Item& back() const { return (*this)[size_ - 1]; }

  void push(const Item& item) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    (*this)[size_++] = item;
  }
  // Drops the first `count`.
  void drop(size_t count) {
    head_ = (head_ + count) & (capacity_ - 1);
    size_ -= count;
  }
  // Drops everything.
  void free_memory() {
    delete[] items_;
    items_ = nullptr;
    capacity_ = 0;
    head_ = 0;
    size_ = 0;
  }

 private:
  static constexpr size_t kFirstCapacity = 16;

  void grow() {
    const size_t capacity = capacity_ == 0 ? kFirstCapacity : 2 * capacity_;
    auto* items = new Item[capacity];
    for (size_t i = 0; i < size_; i++) items[i] = (*this)[i];
    delete[] items_;
    items_ = items;
    capacity_ = capacity;
    head_ = 0;
  }

  Item* items_ = nullptr;
  size_t capacity_ = 0;
  size_t head_ = 0;
  size_t size_ = 0;
};

}  // namespace msgr
