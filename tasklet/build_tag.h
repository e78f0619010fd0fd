// SPDX-License-Identifier: BSL-1.0
// Private: objects that make switches differently do not link. Included by
// context.h only.
//
// The switch is inlined into every object that blocks, and the layout of a
// context depends on it and on the sanitizer: a mixture would corrupt itself.
// So each object asks for a symbol that only an inline_switch.cc compiled the
// same way defines; its name is what the linker says is missing.
#pragma once

#ifdef WEFT_INLINE_SWITCH
#define WEFT_BUILT_SWITCH weft_is_built_with_the_inline_switch
#else
#define WEFT_BUILT_SWITCH weft_is_built_with_fcontext
#endif
#if defined(WEFT_ASAN)
#define WEFT_BUILT_CHECKER _and_address_sanitizer
#elif defined(WEFT_TSAN)
#define WEFT_BUILT_CHECKER _and_thread_sanitizer
#else
#define WEFT_BUILT_CHECKER
#endif
#define WEFT_PASTE(a, b, c) a##b##c
#define WEFT_NAME(a, b, c) WEFT_PASTE(a, b, c)
#define WEFT_BUILD_TAG WEFT_NAME(, WEFT_BUILT_SWITCH, WEFT_BUILT_CHECKER)

extern "C" const char WEFT_BUILD_TAG;

namespace weft {

// Eight bytes a program, and no code. The tag is in the name: of variables with
// one name, the linker keeps one, and what the others ask for is forgotten.
[[gnu::used, gnu::retain, gnu::visibility("hidden")]]
inline constinit const char* const WEFT_NAME(
    needs_, WEFT_BUILT_SWITCH, WEFT_BUILT_CHECKER) = &WEFT_BUILD_TAG;

}  // namespace weft
