import CExpat

/// Reads a `web.config` with expat.
///
/// Only what stands directly in `<configuration>`, or in a `<location>` for the folder itself, counts. Document types
/// are refused, and with them every entity but the five of XML: an expansion bomb cannot even be declared.
final class WebConfigReader {
    /// Octets in one file.
    static let sizeMax = 1_048_576
    /// Elements inside one another.
    private static let depthMax = 64
    /// Octets of one attribute.
    private static let attributeMax = 65536

    private var webConfig = WebConfig()
    private let file: String
    private let diagnostics: DiagnosticCollector
    private let parser: XML_Parser
    /// Names of the open elements, `<location>` for the folder itself left out; a nil is an element that is skipped with
    /// all inside it.
    private var path: [String?] = []
    private var stopped = false

    /// Nil after an error was reported.
    static func read(_ text: [UInt8], file: String, diagnostics: DiagnosticCollector) -> WebConfig? {
        guard let parser = XML_ParserCreate(nil) else {
            diagnostics.error(.webConfig, at: SourceLocation(file: file), "not enough memory to read the file")
            return nil
        }
        defer { XML_ParserFree(parser) }
        let reader = WebConfigReader(parser, file: file, diagnostics: diagnostics)
        return reader.read(text) ? reader.webConfig : nil
    }

    private init(_ parser: XML_Parser, file: String, diagnostics: DiagnosticCollector) {
        self.parser = parser
        self.file = file
        self.diagnostics = diagnostics
    }

    private func read(_ text: [UInt8]) -> Bool {
        // The reader outlives the parse below, which alone calls back.
        XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        XML_SetElementHandler(
            parser,
            { data, name, attributes in
                guard let name, let attributes else { return }
                WebConfigReader.of(data)?.start(String(cString: name), WebConfigReader.attributes(attributes))
            },
            { data, _ in WebConfigReader.of(data)?.end() })
        XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
            WebConfigReader.of(data)?.stop("a document type declaration is not taken", "leave <!DOCTYPE out")
        }
        let status = text.withUnsafeBytes {
            XML_Parse(parser, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count), 1)
        }
        if status != XML_STATUS_OK && !stopped {
            let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "not XML"
            diagnostics.error(.webConfig, at: location, "the file is not well-formed: \(reason)")
            return false
        }
        return !stopped
    }

    private static func of(_ data: UnsafeMutableRawPointer?) -> WebConfigReader? {
        data.map { Unmanaged<WebConfigReader>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Names and values alternate, a null ends them.
    private static func attributes(_ pairs: UnsafeMutablePointer<UnsafePointer<CChar>?>) -> [(String, String)] {
        var result: [(String, String)] = []
        var index = 0
        while let name = pairs[index], let value = pairs[index + 1] {
            result.append((String(cString: name), String(cString: value)))
            index += 2
        }
        return result
    }

    private var location: SourceLocation {
        SourceLocation(
            file: file, line: Int(XML_GetCurrentLineNumber(parser)), column: Int(XML_GetCurrentColumnNumber(parser)) + 1
        )
    }

    private func stop(_ message: String, _ advice: String? = nil) {
        if !stopped { diagnostics.error(.webConfig, at: location, message, advice) }
        stopped = true
        XML_StopParser(parser, 0)
    }

    // MARK: Elements

    private func start(_ name: String, _ attributes: [(String, String)]) {
        guard !stopped else { return }
        guard path.count < Self.depthMax else { return stop("elements are nested deeper than \(Self.depthMax)") }
        if let long = attributes.first(where: { $0.1.utf8.count > Self.attributeMax }) {
            return stop("the attribute \(quoted(long.0)) is longer than \(Self.attributeMax) octets")
        }
        if path.isEmpty, name != "configuration" {
            return stop("the root element is <\(name)>", "begin with <configuration>")
        }
        if name == "location", path.compactMap({ $0 }) == ["configuration"], !path.contains(nil) {
            let scope = attributes.first { $0.0 == "path" }?.1 ?? ""
            // An empty string stands for an element that changes nothing.
            path.append(scope == "." || scope.isEmpty ? "" : nil)
            return
        }
        path.append(path.contains(nil) ? nil : name)
        guard !path.contains(nil) else { return }
        let element = path.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "/")
        switch element {
        case "configuration/system.webServer/aspNetCore": startModule(attributes)
        case "configuration/system.webServer/aspNetCore/environmentVariables/environmentVariable":
            addVariable(attributes)
        case "configuration/system.webServer/aspNetCore/environmentVariables/clear":
            webConfig.module?.environment = []
        case "configuration/system.webServer/security/requestFiltering/requestLimits": readLimits(attributes)
        default: break
        }
    }

    private func end() {
        if !path.isEmpty { path.removeLast() }
    }

    private func startModule(_ attributes: [(String, String)]) {
        guard webConfig.module == nil else { return wrong("<aspNetCore> is there twice") }
        var module = WebConfig.Module(location: location)
        for (name, value) in attributes {
            switch name {
            case "processPath": module.processPath = value
            case "arguments": module.arguments = value
            case "hostingModel": module.hostingModel = hostingModel(value)
            case "startupTimeLimit": module.startupTimeLimit = seconds(name, value, in: 0...3600)
            case "shutdownTimeLimit": module.shutdownTimeLimit = seconds(name, value, in: 0...600)
            case "requestTimeout": module.requestTimeout = timeSpan(name, value)
            case "rapidFailsPerMinute": module.rapidFailsPerMinute = number(name, value, in: 0...100)
            case "processesPerApplication": module.processes = number(name, value, in: 1...100)
            case "stdoutLogEnabled": module.stdoutLogEnabled = flag(name, value) ?? false
            case "stdoutLogFile": module.stdoutLogFile = value
            case "disableStartUpErrorPage": module.disableStartupErrorPage = flag(name, value) ?? false
            // There is no Windows token here to forward.
            case "forwardWindowsAuthToken": break
            default:
                diagnostics.warning(
                    .webConfig, at: location, "unknown attribute \(quoted(name)) of <aspNetCore> is ignored")
            }
        }
        if module.processPath?.isEmpty ?? true {
            wrong(
                "processPath is missing in <aspNetCore>", "write processPath=\"dotnet\" and arguments=\".\\NAME.dll\"")
        }
        webConfig.module = module
    }

    private func addVariable(_ attributes: [(String, String)]) {
        guard webConfig.module != nil else { return }
        guard let name = attributes.first(where: { $0.0 == "name" })?.1,
            let value = attributes.first(where: { $0.0 == "value" })?.1
        else { return wrong("<environmentVariable> needs a name and a value") }
        if let problem = EnvironmentReader.problem(inName: name) {
            return wrong("\(quoted(name)) is no name of a variable: \(problem)")
        }
        guard (webConfig.module?.environment.count ?? 0) < TableReader.elementsMax else {
            return stop("more than \(TableReader.elementsMax) environment variables")
        }
        // Names compare without regard to case there, and the later one wins.
        if let index = webConfig.module?.environment.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) {
            webConfig.module?.environment.remove(at: index)
        }
        webConfig.module?.environment.append(EnvironmentVariable(name: name, value: value))
    }

    private func readLimits(_ attributes: [(String, String)]) {
        for (name, value) in attributes {
            switch name {
            case "maxAllowedContentLength":
                webConfig.requestLimits.contentLengthMax = number(name, value, in: 0...4_294_967_295)
            case "maxUrl": webConfig.requestLimits.urlMax = number(name, value, in: 0...65534)
            case "maxQueryString": webConfig.requestLimits.queryStringMax = number(name, value, in: 0...65534)
            default: break
            }
        }
    }

    // MARK: Values

    private func wrong(_ message: String, _ advice: String? = nil) {
        diagnostics.error(.webConfig, at: location, message, advice)
    }

    private func number(_ name: String, _ text: String, in range: ClosedRange<Int>) -> Int? {
        guard text.utf8.count <= 12, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
            range.contains(number)
        else {
            wrong("\(name) is \(quoted(text))", "write a whole number, \(range.lowerBound) through \(range.upperBound)")
            return nil
        }
        return number
    }

    private func seconds(_ name: String, _ text: String, in range: ClosedRange<Int>) -> Duration? {
        number(name, text, in: range).map { .seconds($0) }
    }

    /// `hh:mm:ss`, at most 360 hours.
    private func timeSpan(_ name: String, _ text: String) -> Duration? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { part -> Int? in
            (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
        }
        guard parts.count == 3, let hours = parts[0], let minutes = parts[1], let seconds = parts[2], minutes < 60,
            seconds < 60, hours * 3600 + minutes * 60 + seconds <= 1_296_000
        else {
            wrong("\(name) is \(quoted(text))", "write hours:minutes:seconds, like 00:02:00, 360:00:00 at most")
            return nil
        }
        return .seconds(hours * 3600 + minutes * 60 + seconds)
    }

    private func flag(_ name: String, _ text: String) -> Bool? {
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default:
            wrong("\(name) is \(quoted(text))", "write true or false")
            return nil
        }
    }

    private func hostingModel(_ text: String) -> Located<HostingModel>? {
        switch text.lowercased() {
        case "inprocess": return Located(.inProcess, at: location)
        case "outofprocess", "": return Located(.outOfProcess, at: location)
        default:
            wrong("hostingModel is \(quoted(text))", "write inprocess or outofprocess")
            return nil
        }
    }
}
