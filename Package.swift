// swift-tools-version: 6.2
import PackageDescription

// libcoro for Swift programs: the sources of libcoro.so, built as ordinary Swift with all its run-time checks.
// C programs use libcoro.so itself, which CMakeLists.txt builds.
let package = Package(
    name: "libcoro",
    products: [
        .library(name: "Coro", targets: ["Coro"])
    ],
    // Where the runtime is: one of the two. docs/swift-package.md says which to choose.
    traits: [
        .default(enabledTraits: ["BundledRuntime"]),
        .trait(name: "BundledRuntime", description: "The package builds the runtime, into the program."),
        .trait(name: "SharedLibrary", description: "The program is linked to an installed libcoro.so, as C programs are."),
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
        .target(
            name: "Coro",
            dependencies: [
                "CCoro",
                .target(name: "CoroRuntime", condition: .when(traits: ["BundledRuntime"])),
                .target(name: "CoroSharedLibrary", condition: .when(traits: ["SharedLibrary"])),
            ],
            linkerSettings: [.linkedLibrary("coro", .when(traits: ["SharedLibrary"]))]),
        // Where libcoro.so is, as pkg-config knows it.
        .systemLibrary(name: "CoroSharedLibrary", pkgConfig: "libcoro"),
        // Examples: what a newcomer reads first. Each has at its head what it prints.
        .executableTarget(name: "LineServer", dependencies: ["Coro"]),
        .executableTarget(name: "Crawler", dependencies: ["Coro"]),
        // The tests through the C ABI, against this build. CMake runs the same against libcoro.so.
        .executableTarget(
            name: "abi-tests", dependencies: ["CCoro", "CoroRuntime"], path: "Tests/abi", exclude: ["CMakeLists.txt"],
            cSettings: [.headerSearchPath("../../include")], linkerSettings: [.linkedLibrary("m")]),
        // The tests of the Swift API.
        .testTarget(name: "CoroTests", dependencies: ["CCoro", "Coro"]),
    ],
    swiftLanguageModes: [.v6]
)
