// Two runtimes would be two loops that know nothing of each other. SwiftPM turns on whatever anybody asks for: so who has asked
// for too much is told here. (CMake sets neither: it links libcoro.so.)
#if BundledRuntime && SharedLibrary
#error(
    "two runtimes: libcoro's traits BundledRuntime and SharedLibrary are both on; docs/swift-package.md says who may ask for which")
#endif
