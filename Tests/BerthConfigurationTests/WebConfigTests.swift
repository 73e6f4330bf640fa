import Testing

@testable import BerthConfiguration

@Suite("web.config")
struct WebConfigTests {
    private func read(_ text: String) -> (config: WebConfig?, errors: [String]) { read(Array(text.utf8)) }

    private func read(_ text: [UInt8]) -> (config: WebConfig?, errors: [String]) {
        let diagnostics = DiagnosticCollector()
        let config = WebConfigReader.read(text, file: "web.config", diagnostics: diagnostics)
        return (config, diagnostics.diagnostics.map(\.description))
    }

    private func module(_ attributes: String, inside: String = "") -> String {
        "<configuration><system.webServer>\n<aspNetCore \(attributes)>\(inside)</aspNetCore></system.webServer></configuration>"
    }

    @Test("the published form, with <location path=\".\"> and a byte order mark")
    func published() throws {
        let config = try #require(read("\u{FEFF}" + Samples.webConfig).config)
        let module = try #require(config.module)
        #expect(module.processPath == "dotnet")
        #expect(module.arguments == #".\Shop.dll --name "a b""#)
        #expect(module.hostingModel?.value == .inProcess)
        #expect(module.stdoutLogEnabled)
        #expect(module.environment.map(\.name) == ["ASPNETCORE_ENVIRONMENT", "DATA"])
        #expect(config.requestLimits.contentLengthMax == 1000)
    }

    @Test("UTF-16 is read too")
    func utf16() throws {
        let text = "<?xml version=\"1.0\" encoding=\"utf-16\"?>" + module("processPath=\"dotnet\"")
        var octets: [UInt8] = [0xFF, 0xFE]
        for unit in text.utf16 { octets += [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)] }
        #expect(read(octets).config?.module?.processPath == "dotnet")
    }

    @Test("without <aspNetCore> there is nothing to host; other locations are others'")
    func others() {
        #expect(read("<configuration/>").config?.module == nil)
        let other =
            "<configuration><location path=\"sub\"><system.webServer><aspNetCore processPath=\"x\"/></system.webServer></location></configuration>"
        #expect(read(other).config?.module == nil)
        #expect(read(other).errors.isEmpty)
        let misplaced =
            "<configuration><x><system.webServer><aspNetCore processPath=\"x\"/></system.webServer></x></configuration>"
        #expect(read(misplaced).config?.module == nil)
    }

    @Test(
        "what is wrong has its line and column",
        arguments: [
            ("", "web.config:1:1: error: the file is not well-formed: no element found"),
            ("<configuration>\n<a></b>\n", "web.config:2:6: error: the file is not well-formed: mismatched tag"),
            ("<web/>", "web.config:1:1: error: the root element is <web>; begin with <configuration>"),
            (
                "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\n<configuration>&b;</configuration>",
                "web.config:1:13: error: a document type declaration is not taken; leave <!DOCTYPE out"
            ),
            (
                "<configuration>&b;</configuration>",
                "web.config:1:16: error: the file is not well-formed: undefined entity"
            ),
        ])
    func malformed(_ text: String, _ expected: String) {
        let result = read(text)
        #expect(result.errors == [expected])
        #expect(result.config == nil)
    }

    @Test(
        "a wrong attribute is named",
        arguments: [
            ("processPath=\"\"", "processPath is missing in <aspNetCore>"),
            ("processPath=\"x\" hostingModel=\"both\"", "hostingModel is \"both\""),
            ("processPath=\"x\" startupTimeLimit=\"3601\"", "startupTimeLimit is \"3601\""),
            ("processPath=\"x\" startupTimeLimit=\"-1\"", "startupTimeLimit is \"-1\""),
            ("processPath=\"x\" shutdownTimeLimit=\"601\"", "shutdownTimeLimit is \"601\""),
            ("processPath=\"x\" rapidFailsPerMinute=\"101\"", "rapidFailsPerMinute is \"101\""),
            ("processPath=\"x\" processesPerApplication=\"0\"", "processesPerApplication is \"0\""),
            ("processPath=\"x\" requestTimeout=\"00:60:00\"", "requestTimeout is \"00:60:00\""),
            ("processPath=\"x\" requestTimeout=\"360:00:01\"", "requestTimeout is \"360:00:01\""),
            ("processPath=\"x\" requestTimeout=\"2\"", "requestTimeout is \"2\""),
            ("processPath=\"x\" stdoutLogEnabled=\"yes\"", "stdoutLogEnabled is \"yes\""),
        ])
    func wrong(_ attributes: String, _ expected: String) {
        let errors = read(module(attributes)).errors
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix("web.config:2:1: error: \(expected)") == true)
    }

    @Test("the bounds themselves are taken")
    func bounds() throws {
        let text = module(
            "processPath=\"x\" startupTimeLimit=\"3600\" shutdownTimeLimit=\"0\" rapidFailsPerMinute=\"100\" requestTimeout=\"360:00:00\" processesPerApplication=\"100\""
        )
        let result = read(text)
        #expect(result.errors.isEmpty)
        let module = try #require(result.config?.module)
        #expect(module.startupTimeLimit == .seconds(3600))
        #expect(module.shutdownTimeLimit == .zero)
        #expect(module.requestTimeout == .seconds(1_296_000))
    }

    @Test("the later variable of a name wins, <clear/> forgets all before it")
    func variables() {
        let inside = """
            <environmentVariables><environmentVariable name="gone" value="1"/><clear/>
            <environmentVariable name="A" value="1"/><environmentVariable name="a" value="2"/></environmentVariables>
            """
        let config = read(module("processPath=\"x\"", inside: inside)).config
        #expect(config?.module?.environment == [EnvironmentVariable(name: "a", value: "2")])
    }

    @Test("elements nest at most 64 deep")
    func depth() {
        func nested(_ depth: Int) -> String {
            "<configuration>" + String(repeating: "<a>", count: depth - 1) + String(repeating: "</a>", count: depth - 1)
                + "</configuration>"
        }
        #expect(read(nested(64)).errors.isEmpty)
        #expect(read(nested(65)).errors.count == 1)
        #expect(read(nested(100_000)).errors.count == 1)
    }
}
