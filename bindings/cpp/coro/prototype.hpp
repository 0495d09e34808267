// Prototypes of targets, made of C++ types.
#ifndef CORO_PROTOTYPE_HPP
#define CORO_PROTOTYPE_HPP

#include "error.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace coro {

// A struct that targets take or return by value is to be described, by a specialisation with its name and its fields as C
// writes them. They are checked against the size of T when it is first used.
//
//     template <> struct coro::layout<point> {
//         static constexpr const char *name = "point", *fields = "double x; double y;";
//     };
template <class T> struct layout;

namespace detail {

// The integer types by their size and sign, if they are none of those that C has a name for.
inline std::string sized_integer(std::size_t size, bool is_signed) {
    return (is_signed ? "int" : "uint") + std::to_string(size * 8) + "_t";
}

template <class T> std::string struct_type() {
    static_assert(std::is_trivially_copyable_v<T>, "what a target takes or returns is copied as C copies it");
    check(coro_struct_register(layout<T>::name, layout<T>::fields));
    if (coro_struct_size(layout<T>::name) != static_cast<ssize_t>(sizeof(T)))
        throw error(-EINVAL, std::string("coro::layout: struct ") + layout<T>::name + " has another size than its fields");
    return std::string("struct ") + layout<T>::name;
}

// How a prototype spells the type T.
template <class T> std::string spelled() {
    using type = std::remove_cv_t<T>;
    static_assert(!std::is_reference_v<T>, "a target takes and returns values, as C functions do: use a pointer");
    if constexpr (std::is_void_v<type>) return "void";
    else if constexpr (std::is_enum_v<type>) return spelled<std::underlying_type_t<type>>();
    else if constexpr (std::is_same_v<type, const char *>) return "const char *";
    else if constexpr (std::is_same_v<type, char *>) return "char *";
    else if constexpr (std::is_pointer_v<type>)
        return std::is_const_v<std::remove_pointer_t<type>> ? "const void *" : "void *";
    else if constexpr (std::is_same_v<type, bool>) return "bool";
    else if constexpr (std::is_same_v<type, char>) return "char";
    else if constexpr (std::is_same_v<type, int>) return "int";
    else if constexpr (std::is_same_v<type, unsigned>) return "unsigned int";
    else if constexpr (std::is_same_v<type, long>) return "long";
    else if constexpr (std::is_same_v<type, unsigned long>) return "unsigned long";
    else if constexpr (std::is_same_v<type, long long>) return "long long";
    else if constexpr (std::is_same_v<type, unsigned long long>) return "unsigned long long";
    else if constexpr (std::is_integral_v<type>) {
        static_assert(sizeof(type) <= 8, "128-bit integers can't be passed");
        return sized_integer(sizeof(type), std::is_signed_v<type>);
    } else if constexpr (std::is_same_v<type, float>) return "float";
    else if constexpr (std::is_same_v<type, double>) return "double";
    else if constexpr (std::is_same_v<type, long double>) return "long double";
    else return struct_type<type>();
}

// What stands between commas, but not between those in quotes.
inline std::vector<std::string> split_parameters(std::string_view text) {
    std::vector<std::string> parts(1);
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); i++) {
        const char c = text[i];
        if (quote == 0 && c == ',') {
            parts.emplace_back();
            continue;
        }
        if (quote == 0 && parts.back().empty() && c == ' ') continue;
        parts.back() += c;
        if (quote != 0 && c == '\\' && i + 1 < text.size()) parts.back() += text[++i];
        else if (c == quote) quote = 0;
        else if (quote == 0 && (c == '"' || c == '\'')) quote = c;
    }
    if (parts.size() == 1 && parts[0].empty()) parts.clear();
    return parts;
}

// "borrowed path" of type "const char *" is "borrowed const char *path".
inline std::string parameter(const std::string &type, std::string name) {
    std::string ownership;
    for (const char *word : {"borrowed ", "owned "}) {
        if (name.rfind(word, 0) != 0) continue;
        ownership = word;
        name.erase(0, ownership.size());
    }
    return ownership + type + (type.back() == '*' || name.empty() ? "" : " ") + name;
}

// The prototype of a function of the type R(Args...), with these names of parameters, and what belongs to them, or with none.
template <class R, class... Args> std::string prototype_with(std::string_view name, std::vector<std::string> names) {
    const std::vector<std::string> types = {spelled<Args>()...};
    if (names.empty()) names.resize(types.size());
    if (names.size() != types.size())
        throw error(-EINVAL, std::to_string(names.size()) + " parameters are named, but the function has " +
                                 std::to_string(types.size()));
    std::string all = spelled<R>() + " " + std::string(name) + "(";
    for (std::size_t i = 0; i < types.size(); i++) all += (i > 0 ? ", " : "") + parameter(types[i], names[i]);
    return all + (types.empty() ? "void)" : ")");
}

// "resize(path, width = 800)" with the types of R(Args...) is "int resize(const char *path, int width = 800)". The parentheses
// may be missing, and then the names.
template <class R, class... Args> std::string prototype(std::string_view text) {
    const std::size_t open = text.find('('), close = text.rfind(')');
    if (open == text.npos) return prototype_with<R, Args...>(text, {});
    if (close == text.npos || close < open) throw error(-EINVAL, "the list of parameters lacks a ')'");
    return prototype_with<R, Args...>(text.substr(0, open), split_parameters(text.substr(open + 1, close - open - 1)));
}

// The signature of what can be called in one way: a function, or an object with one operator().
template <class F> struct signature_of : signature_of<decltype(&F::operator())> {};
template <class R, class... Args> struct signature_of<R (*)(Args...)> { using type = R(Args...); };
template <class R, class... Args> struct signature_of<R (*)(Args...) noexcept> { using type = R(Args...); };
template <class C, class R, class... Args> struct signature_of<R (C::*)(Args...)> { using type = R(Args...); };
template <class C, class R, class... Args> struct signature_of<R (C::*)(Args...) const> { using type = R(Args...); };
template <class C, class R, class... Args> struct signature_of<R (C::*)(Args...) noexcept> { using type = R(Args...); };
template <class C, class R, class... Args> struct signature_of<R (C::*)(Args...) const noexcept> { using type = R(Args...); };

} // namespace detail
} // namespace coro

#endif
