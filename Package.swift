// swift-tools-version: 6.2
import PackageDescription

// libcoro for Swift programs: the sources of libcoro.so, built as ordinary Swift with all its run-time checks.
// C programs use libcoro.so itself, which CMakeLists.txt builds.
let package = Package(
    name: "libcoro",
    products: [
        .library(name: "Coro", targets: ["Coro"])
    ],
    targets: [
        // The contract: include/coro.h.
        .systemLibrary(name: "CCoro", path: "include"),
        // What Swift can't say.
        .target(name: "CCoroPlatform", linkerSettings: [.linkedLibrary("ffi")]),
        // The runtime, which exports what coro.h declares.
        .target(
            name: "CoroRuntime",
            dependencies: ["CCoro", "CCoroPlatform"]),
        // The Swift API. It imports CCoro alone: whatever Swift can do, C can do.
        .target(name: "Coro", dependencies: ["CCoro", "CoroRuntime"]),
        // The tests through the C ABI, against this build. CMake runs the same against libcoro.so.
        .executableTarget(
            name: "abi-tests", dependencies: ["CCoro", "CoroRuntime"], path: "Tests/abi", exclude: ["CMakeLists.txt"],
            cSettings: [.headerSearchPath("../../include")], linkerSettings: [.linkedLibrary("m")]),
        // The tests of the Swift API.
        .testTarget(name: "CoroTests", dependencies: ["CCoro", "Coro"]),
    ],
    swiftLanguageModes: [.v6]
)
