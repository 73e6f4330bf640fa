// swift-tools-version: 6.2
import PackageDescription

// The target graph of docs/ARCHITECTURE.md; `scripts/test` enforces it with --explicit-target-dependency-import-check.

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
]

let strictC: [CSetting] = [
    .treatAllWarnings(as: .error),
    .enableWarning("all"),
    .enableWarning("extra"),
]

let strictCXX: [CXXSetting] = [
    .treatAllWarnings(as: .error),
    .enableWarning("all"),
]

func swiftTarget(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "Berth",
    products: [
        .executable(name: "berthd", targets: ["berthd"]),
        .executable(name: "berthctl", targets: ["berthctl"]),
        .library(name: "BerthModuleKit", targets: ["BerthModuleKit"]),
        .library(name: "HelloModule", type: .dynamic, targets: ["HelloModule"]),
        .library(name: "EchoModule", type: .dynamic, targets: ["EchoModule"]),
        .library(name: "FixtureModule", type: .dynamic, targets: ["FixtureModule"]),
        .library(name: "ValgrindShim", type: .dynamic, targets: ["ValgrindShim"]),
        .executable(name: "EchoWorker", targets: ["EchoWorker"]),
    ],
    targets: [
        // The system libraries.
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),

        // C: the door to the kernel, the module ABI, octet scans, toml++ behind a C interface.
        .target(
            name: "CBerthSystem", dependencies: ["CSystemd"], cSettings: strictC,
            linkerSettings: [.linkedLibrary("systemd")]),
        .target(name: "CBerthModule", cSettings: strictC),
        .target(name: "CBerthBytes", cSettings: strictC),
        .target(name: "CBerthTOML", cxxSettings: strictCXX),

        // The path of a request, from left to right.
        swiftTarget("BerthEventLoop", ["CBerthSystem"]),
        swiftTarget("BerthHTTP", ["CBerthBytes"]),
        swiftTarget("BerthListener", ["BerthEventLoop", "BerthHTTP", "CBerthBytes", "CBerthSystem"]),
        swiftTarget(
            "BerthPipeline",
            ["BerthListener", "BerthEventLoop", "BerthHTTP", "CBerthBytes", "CBerthModule", "CBerthSystem"]),
        swiftTarget("BerthModules", ["CBerthBytes", "CBerthModule", "CBerthSystem", "CCrypt"]),
        swiftTarget(
            "BerthHosting",
            [
                "BerthPipeline", "BerthListener", "BerthActivation", "BerthEventLoop", "BerthHTTP", "CBerthModule",
                "CBerthBytes",
                "CBerthSystem",
            ]),
        swiftTarget("BerthActivation", ["BerthEventLoop", "CBerthSystem"]),

        // Beside it.
        swiftTarget("BerthConfiguration", ["CBerthTOML", "CExpat"]),
        swiftTarget("BerthControl", ["BerthHTTP"]),
        swiftTarget(
            "BerthServer",
            [
                "BerthListener", "BerthPipeline", "BerthHosting", "BerthActivation", "BerthModules",
                "BerthConfiguration", "BerthControl", "BerthEventLoop", "BerthHTTP", "CBerthModule", "CBerthSystem",
            ]),
        .executableTarget(name: "berthd", dependencies: ["BerthServer"], swiftSettings: strict),
        .executableTarget(
            name: "berthctl", dependencies: ["BerthControl", "BerthConfiguration"], swiftSettings: strict),

        // What module authors use, and the shortest honest examples.
        swiftTarget("BerthModuleKit", ["CBerthModule"]),
        swiftTarget("HelloModule", path: "Sources/Examples/HelloModule", ["BerthModuleKit"]),
        .target(
            name: "EchoModule", dependencies: ["CBerthModule"], path: "Sources/Examples/EchoModule", cSettings: strictC),
        // For tests of the host: a module that misbehaves as told.
        .target(
            name: "FixtureModule", dependencies: ["CBerthModule"], path: "Tests/FixtureModule", cSettings: strictC),
        // For the counts: a system call that valgrind doesn't know.
        .target(name: "ValgrindShim", path: "Tests/ValgrindShim", cSettings: strictC),
        .executableTarget(name: "EchoWorker", path: "Sources/Examples/EchoWorker", swiftSettings: strict),
    ] + (isFuzzing ? [fuzzDriver] : testTargets),
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

/// Set by `scripts/fuzz`: the program with libFuzzer's `main` takes the place of the tests, over the same properties
/// (docs/decisions/0009-fuzz-targets.md).
var isFuzzing: Bool { Context.environment["BERTH_FUZZ"] != nil }

var fuzzed: [Target.Dependency] {
    ["BerthConfiguration", "BerthHosting", "BerthHTTP", "BerthListener", "CBerthSystem"]
}

var fuzzDriver: Target {
    .executableTarget(
        name: "BerthFuzz", dependencies: fuzzed, path: "Tests/Fuzz",
        exclude: ["Tests", "Differential", "corpus", "http.dict", "configuration.dict"],
        sources: ["Targets", "Driver"], swiftSettings: strict)
}

var testTargets: [Target] {
    [
        tests("BerthEventLoopTests", ["BerthEventLoop", "CBerthSystem"]),
        tests("BerthListenerTests", ["BerthListener", "BerthEventLoop", "BerthHTTP", "CBerthSystem"]),
        tests("BerthPipelineTests", ["BerthPipeline", "BerthListener", "BerthHTTP", "CBerthModule"]),
        tests("BerthHTTPTests", ["BerthHTTP", "CBerthBytes"]),
        tests("CBerthSystemTests", ["CBerthSystem"]),
        tests("BerthActivationTests", ["BerthActivation", "BerthEventLoop", "CBerthSystem"]),
        tests("BerthConfigurationTests", ["BerthConfiguration"]),
        tests("BerthModulesTests", ["BerthModules", "BerthModuleKit", "CBerthModule", "CBerthSystem", "CCrypt"]),
        tests("BerthControlTests", ["BerthControl", "berthctl"]),
        tests(
            "BerthServerTests",
            ["BerthServer", "BerthConfiguration", "BerthControl", "CBerthSystem", "TestSupport", "berthd", "berthctl"]),
        tests(
            "BerthHostingTests",
            [
                "BerthHosting", "BerthPipeline", "BerthListener", "BerthEventLoop", "BerthHTTP", "CBerthModule",
                "CBerthSystem", "TestSupport",
            ]
        ),
        // The properties that the fuzz targets check, on their corpus and on mutations of it.
        .testTarget(
            name: "FuzzTests", dependencies: fuzzed + ["TestSupport"], path: "Tests/Fuzz",
            exclude: ["Driver", "Differential", "corpus", "http.dict", "configuration.dict"],
            sources: ["Targets", "Tests"], swiftSettings: strict),
        // The real daemon, real workers: what scripts/test runs in a stage of its own.
        swiftTarget("TestSupport", path: "Tests/TestSupport", ["CBerthSystem"]),
        tests("IntegrationTests", ["TestSupport"]),
        // Exact counts of the release build: another stage.
        tests("BenchmarkTests", ["TestSupport"], exclude: ["thresholds.txt"]),
    ]
}
