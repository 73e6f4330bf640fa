import CBerthTOML

/// Reads TOML text into tables, through toml++.
enum TOMLDocument {
    /// Octets in one file.
    static let sizeMax = Int(CBERTH_TOML_TEXT_MAX)

    /// The document's table, or nil after the syntax error was reported.
    static func read(_ text: [UInt8], file: String, diagnostics: DiagnosticCollector) -> TOMLTable? {
        // One octet more than is read, so that an empty text has an address too.
        let document = (text + [0]).withUnsafeBytes { octets in
            octets.withMemoryRebound(to: CChar.self) { cberth_toml_parse($0.baseAddress, text.count) }
        }
        guard let document else {
            diagnostics.error(.syntax, at: SourceLocation(file: file), "not enough memory to read the file")
            return nil
        }
        defer { cberth_toml_free(document) }
        var line: UInt32 = 0
        var column: UInt32 = 0
        if let error = cberth_toml_error(document, &line, &column) {
            let location = place(line: Int(line), column: Int(column), in: text, file: file)
            diagnostics.error(.syntax, at: location, String(cString: error))
            return nil
        }
        var count: UInt32 = 0
        guard let nodes = cberth_toml_nodes(document, &count), let octets = cberth_toml_octets(document) else {
            return nil
        }
        let reader = NodeReader(
            nodes: UnsafeBufferPointer(start: nodes, count: Int(count)), octets: UnsafeRawPointer(octets), file: file)
        guard case .table(let table) = reader.value(at: 0).content else { return nil }
        return table
    }

    /// Where a syntax error is, as a place that the text has: toml++ counts on behind the line, and the file, that it found
    /// to end too early.
    private static func place(line: Int, column: Int, in text: [UInt8], file: String) -> SourceLocation {
        let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        let line = min(max(line, 1), lines.count)
        // Octets that continue a character don't count.
        let length = lines[line - 1].count { $0 & 0xC0 != 0x80 }
        return SourceLocation(file: file, line: line, column: min(max(column, 1), length + 1))
    }
}

/// Turns the flat list of the C side into values. Depth is bounded by the C side (key parts, nesting).
private struct NodeReader {
    let nodes: UnsafeBufferPointer<cberth_toml_node>
    let octets: UnsafeRawPointer
    let file: String

    func value(at index: Int) -> TOMLValue {
        let node = nodes[index]
        let location = SourceLocation(file: file, line: Int(node.line), column: Int(node.column))
        let content: TOMLValue.Content
        switch Int(node.kind) {
        case CBERTH_TOML_TABLE:
            var entries: [TOMLTable.Entry] = []
            entries.reserveCapacity(Int(node.child_count))
            forEachChild(of: index) { child in
                let node = nodes[child]
                entries.append(
                    TOMLTable.Entry(
                        key: text(node.key_offset, node.key_length),
                        location: SourceLocation(file: file, line: Int(node.key_line), column: Int(node.key_column)),
                        value: value(at: child)))
            }
            // toml++ keeps keys sorted by name; a file is read from top to bottom.
            entries.sort { ($0.location.line, $0.location.column) < ($1.location.line, $1.location.column) }
            content = .table(TOMLTable(entries: entries, location: location))
        case CBERTH_TOML_ARRAY:
            var elements: [TOMLValue] = []
            elements.reserveCapacity(Int(node.child_count))
            forEachChild(of: index) { elements.append(value(at: $0)) }
            content = .array(elements)
        case CBERTH_TOML_STRING: content = .string(text(node.text_offset, node.text_length))
        case CBERTH_TOML_INTEGER: content = .integer(node.integer)
        case CBERTH_TOML_FLOAT: content = .float(node.number)
        case CBERTH_TOML_BOOLEAN: content = .boolean(node.integer != 0)
        default: content = .dateTime
        }
        return TOMLValue(content: content, location: location)
    }

    private func forEachChild(of index: Int, _ body: (Int) -> Void) {
        var child = index + 1
        for _ in 0..<nodes[index].child_count {
            body(child)
            child = Int(nodes[child].next)
        }
    }

    private func text(_ offset: UInt32, _ length: UInt32) -> String {
        String(decoding: UnsafeRawBufferPointer(start: octets + Int(offset), count: Int(length)), as: UTF8.self)
    }
}
