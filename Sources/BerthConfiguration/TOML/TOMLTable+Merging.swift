extension TOMLTable {
    /// Puts single values of `other`, a later file, in the place of this table's, key by key.
    ///
    /// Tables merge; everything else is replaced whole, but for arrays of tables: an `[[application]]` merges into the
    /// one of the same `path`, a `[[module]]` into the first of the same `name`, and one that has no match is added.
    mutating func merge(_ other: TOMLTable) {
        for entry in other.entries {
            guard let index = entries.firstIndex(where: { $0.key == entry.key }) else {
                entries.append(entry)
                continue
            }
            entries[index].value.merge(entry.value, identity: Self.identity(of: entry.key))
            if case .table = entry.value.content { continue }
            entries[index].location = entry.location
        }
    }

    /// The key that tells the tables of such an array apart.
    private static func identity(of key: String) -> String? {
        switch key {
        case "application": "path"
        case "module": "name"
        default: nil
        }
    }

    /// The string at `key`; an application without a path is the one at `/`.
    fileprivate func identity(at key: String) -> String? {
        guard let entry = self[key] else { return key == "path" ? "/" : nil }
        guard case .string(let text) = entry.value.content else { return nil }
        return text
    }
}

extension TOMLValue {
    fileprivate mutating func merge(_ other: TOMLValue, identity: String?) {
        switch (content, other.content) {
        case (.table(var table), .table(let overriding)):
            table.merge(overriding)
            content = .table(table)
        case (.array(var elements), .array(let overriding)):
            guard let identity else { fallthrough }
            for element in overriding {
                if case .table(let table) = element.content, let name = table.identity(at: identity),
                    let index = elements.firstIndex(where: { $0.hasIdentity(name, at: identity) })
                {
                    elements[index].merge(element, identity: nil)
                } else {
                    elements.append(element)
                }
            }
            content = .array(elements)
        default:
            self = other
        }
    }

    private func hasIdentity(_ name: String, at key: String) -> Bool {
        guard case .table(let table) = content else { return false }
        return table.identity(at: key) == name
    }
}
