import Testing

@testable import BerthConfiguration

@Suite("Command lines mean what they mean on Windows")
struct CommandLineTests {
    @Test(
        "arguments are split as CommandLineToArgvW does it",
        arguments: [
            ("", []),
            ("  \t ", []),
            ("a b\tc", ["a", "b", "c"]),
            (#""a b" c"#, ["a b", "c"]),
            (#"a"b c"d"#, ["ab cd"]),
            (#""""#, [""]),
            (#"a "" b"#, ["a", "", "b"]),
            (#"\"a"#, ["\"a"]),
            (#""a\"b""#, ["a\"b"]),
            (#""a\\" b"#, ["a\\", "b"]),
            (#"a\\b\c"#, ["a\\\\b\\c"]),
            (#"a\\\"b"#, ["a\\\"b"]),
            (#""a""b""#, ["a\"b"]),
            (#""open end"#, ["open end"]),
            (#"a\"#, ["a\\"]),
            (#".\Shop.dll --name "x y""#, [".\\Shop.dll", "--name", "x y"]),
        ] as [(String, [String])])
    func split(_ line: String, _ expected: [String]) {
        #expect(CommandLine.split(line) == expected)
    }

    @Test(
        "variables between percent signs are expanded, unknown ones stay",
        arguments: [
            ("%A%", "1"), ("x%A%y%B%z", "x1y2z"), ("%C%", "%C%"), ("%", "%"), ("%%", "%%"),
            ("100% of %A%", "100% of 1"),
            ("%C%A%", "%C1"), ("", ""),
        ])
    func expand(_ text: String, _ expected: String) {
        #expect(CommandLine.expand(text) { ["A": "1", "B": "2"][$0] } == expected)
    }

    @Test(
        "the program is a path from the root on, or a name for PATH",
        arguments: [
            ("dotnet", "dotnet"), ("Shop", "/srv/shop/Shop"), ("./Shop", "/srv/shop/Shop"),
            ("bin/x", "/srv/shop/bin/x"),
            ("/usr/bin/env", "/usr/bin/env"), ("Shop.exe", "/srv/shop/Shop"), ("./Shop.exe", "/srv/shop/Shop"),
            ("./Real.EXE", "/srv/shop/Real.EXE"), ("other.exe", "other"), ("../x", "/srv/shop/../x"), (".exe", ".exe"),
        ])
    func executable(_ command: String, _ expected: String) {
        let files = ["/srv/shop/Shop", "/srv/shop/Real.EXE"]
        #expect(CommandLine.executable(command, root: "/srv/shop") { files.contains($0) ? .file : .absent } == expected)
    }

    @Test("only arguments that begin like relative paths get other slashes")
    func slashes() {
        #expect(CommandLine.argumentWithSlashes(#".\a\b.dll"#) == "./a/b.dll")
        #expect(CommandLine.argumentWithSlashes(#"..\b.dll"#) == "../b.dll")
        #expect(CommandLine.argumentWithSlashes(#"--pattern=\d+"#) == #"--pattern=\d+"#)
    }
}
