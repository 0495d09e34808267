/* gcc has no nullability, and Swift wants it. */
#ifndef CORO_NULLABILITY_H
#define CORO_NULLABILITY_H

#if !defined(__clang__)
#define _Nonnull
#define _Nullable
#endif

#endif
