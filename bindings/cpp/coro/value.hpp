// Arguments for targets whose types are known when the program runs.
#ifndef CORO_VALUE_HPP
#define CORO_VALUE_HPP

#include <coro.h>

#include <string>
#include <type_traits>

namespace coro {
namespace detail {

// An argument for a target, with its type. A struct, a long double and a text stay where they are.
template <class T> coro_value value_of(const T &value) noexcept {
    using type = std::decay_t<T>;
    static_assert(!std::is_integral_v<type> || sizeof(type) <= 8, "128-bit integers can't be passed");
    coro_value result = {};
    if constexpr (std::is_same_v<type, std::string>) {
        result.kind = CORO_VALUE_POINTER;
        result.as.p = value.c_str();
    } else if constexpr (std::is_null_pointer_v<type>) {
        result.kind = CORO_VALUE_POINTER;
        result.as.p = nullptr;
    } else if constexpr (std::is_pointer_v<type> && std::is_function_v<std::remove_pointer_t<type>>) {
        result.kind = CORO_VALUE_POINTER;
        result.as.p = reinterpret_cast<const void *>(+value);
    } else if constexpr (std::is_pointer_v<type>) {
        result.kind = CORO_VALUE_POINTER;
        result.as.p = static_cast<const void *>(value);
    } else if constexpr (std::is_enum_v<type>) {
        return value_of(static_cast<std::underlying_type_t<type>>(value));
    } else if constexpr (std::is_integral_v<type> && std::is_signed_v<type>) {
        result.kind = CORO_VALUE_SIGNED;
        result.as.i = value;
    } else if constexpr (std::is_integral_v<type>) {
        result.kind = CORO_VALUE_UNSIGNED;
        result.as.u = value;
    } else if constexpr (std::is_same_v<type, float> || std::is_same_v<type, double>) {
        result.kind = CORO_VALUE_DOUBLE;
        result.as.d = static_cast<double>(value);
    } else {
        static_assert(std::is_trivially_copyable_v<type>, "a target's arguments are what C has, and std::string");
        result.kind = CORO_VALUE_BYTES;
        result.size = sizeof(type);
        result.as.p = &value;
    }
    return result;
}

} // namespace detail

// An argument with the name of its parameter: coro::arg("width", 640).
template <class T> struct named_argument {
    const char *name;
    const T &value;
};
template <class T> named_argument<T> arg(const char *name, const T &value) noexcept { return {name, value}; }

namespace detail {

template <class T> const char *name_of(const T &) noexcept { return nullptr; }
template <class T> const char *name_of(const named_argument<T> &argument) noexcept { return argument.name; }
template <class T> coro_value value_of(const named_argument<T> &argument) noexcept { return value_of(argument.value); }

} // namespace detail
} // namespace coro

#endif
