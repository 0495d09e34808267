// swift-tools-version: 6.2
import PackageDescription

// SwiftNIO's futures and coroutines: each waits for the other. SwiftNIO keeps its own threads.
let package = Package(
    name: "libcoro-nio",
    products: [
        .library(name: "CoroNIO", targets: ["CoroNIO"])
    ],
    // libcoro's own, handed on: see docs/swift-package.md.
    traits: [
        .default(enabledTraits: ["BundledRuntime"]),
        .trait(name: "BundledRuntime", description: "libcoro builds the runtime, into the program."),
        .trait(name: "SharedLibrary", description: "The program is linked to an installed libcoro.so, as C programs are."),
    ],
    dependencies: [
        .package(
            name: "libcoro", path: "../..",
            traits: [
                .trait(name: "BundledRuntime", condition: .when(traits: ["BundledRuntime"])),
                .trait(name: "SharedLibrary", condition: .when(traits: ["SharedLibrary"])),
            ]),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    ],
    targets: [
        .target(
            name: "CoroNIO",
            dependencies: [.product(name: "Coro", package: "libcoro"), .product(name: "NIOCore", package: "swift-nio")]),
        // Clients and servers of both kinds, in one process.
        .executableTarget(
            name: "LineExchange", dependencies: ["CoroNIO", .product(name: "NIOPosix", package: "swift-nio")]),
        .testTarget(
            name: "CoroNIOTests",
            dependencies: [
                "CoroNIO", .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
