// Whether two function types are the same to a caller in machine code, though their types have other names.
#pragma once

#include <type_traits>

namespace portico::test {

template <typename Ours, typename Theirs>
constexpr bool same_to_a_caller();

/// Structs are opaque on one side at least, and void* stands for any pointer; their layouts are compared where used.
template <typename Ours, typename Theirs>
constexpr bool same_behind_a_pointer() {
  using A = std::remove_cv_t<Ours>;
  using B = std::remove_cv_t<Theirs>;
  if constexpr (std::is_void_v<A> || std::is_void_v<B>)
    return true;
  else if constexpr (std::is_class_v<A> || std::is_class_v<B> || std::is_union_v<B>)
    return std::is_class_v<A> && (std::is_class_v<B> || std::is_union_v<B>);
  else
    return same_to_a_caller<A, B>();
}

/// Integers and enums are compared by size, pointers by what they point at, functions part by part.
template <typename Ours, typename Theirs>
constexpr bool same_to_a_caller() {
  using A = std::remove_cv_t<Ours>;
  using B = std::remove_cv_t<Theirs>;
  constexpr bool whole_a = std::is_integral_v<A> || std::is_enum_v<A>;
  constexpr bool whole_b = std::is_integral_v<B> || std::is_enum_v<B>;
  if constexpr (std::is_void_v<A> || std::is_void_v<B>)
    return std::is_void_v<A> && std::is_void_v<B>;
  else if constexpr (whole_a || whole_b)
    return whole_a && whole_b && sizeof(A) == sizeof(B);
  else if constexpr (std::is_pointer_v<A> || std::is_pointer_v<B>)
    return std::is_pointer_v<A> && std::is_pointer_v<B> &&
           same_behind_a_pointer<std::remove_pointer_t<A>, std::remove_pointer_t<B>>();
  else
    return std::is_same_v<A, B>;
}

template <typename Ours, typename Theirs>
struct SameFunction : std::false_type {};

template <typename R, typename... A, typename S, typename... B>
requires(sizeof...(A) == sizeof...(B)) struct SameFunction<R(A...), S(B...)>
    : std::bool_constant<same_to_a_caller<R, S>() && (same_to_a_caller<A, B>() && ... && true)> {
};

template <typename R, typename... A, typename S, typename... B>
requires(sizeof...(A) == sizeof...(B)) struct SameFunction<R(A...), S(B...) noexcept> : SameFunction<R(A...), S(B...)> {
};

/// `Slot` is a pointer to function of ours, `Theirs` a function type of the vendor's header.
template <typename Slot, typename Theirs>
inline constexpr bool kSameFunction = SameFunction<std::remove_pointer_t<Slot>, Theirs>::value;

// The comparison itself must be able to say no.
static_assert(kSameFunction<int (*)(void*, unsigned), int(char*, unsigned)>);
static_assert(!kSameFunction<int (*)(void*), int(void*, int)>);
static_assert(!kSameFunction<int (*)(int), int(long)>);
static_assert(!kSameFunction<int (*)(int*), int(long*)>);
static_assert(!kSameFunction<int (*)(float), int(int)>);
static_assert(!kSameFunction<int (*)(float), int(double)>);
static_assert(!kSameFunction<int (*)(int*), int(int)>);
static_assert(!kSameFunction<void (*)(int), int(int)>);

}  // namespace portico::test
