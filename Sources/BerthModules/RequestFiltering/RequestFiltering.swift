public import CBerthModule

/// Refuses requests that no application should see: too long, hidden, of a forbidden kind.
///
/// Runs at the begin stage, in one pass over the path; what is not configured costs a comparison or nothing.
/// Source: IIS RequestFiltering, with its status and substatus codes.
public enum RequestFiltering {
    public static let register: berth_module_register_function = { host, module, failure in
        module.describe("request-filtering")
        module.pointee.create_instance = { host, settings, instance, failure in
            var reader = SettingsReader(settings)
            let rules = UnsafeMutablePointer<FilteringRules>.allocate(capacity: 1)
            rules.initialize(to: FilteringRules(host, &reader))
            if let text = reader.failure() {
                rules.pointee.deallocate()
                rules.deallocate()
                return failure.write(text)
            }
            instance.pointee = UnsafeMutableRawPointer(rules)
            return 0
        }
        module.pointee.destroy_instance = { instance in
            guard let rules = instance?.assumingMemoryBound(to: FilteringRules.self) else { return }
            rules.pointee.deallocate()
            rules.deallocate()
        }
        // The rules never change, so all loops read the same ones: the instance is the context.
        module.pointee.stages.0 = begin
        return 0
    }
}

private let begin: berth_stage_function = { context, request in
    guard let rules = context.map({ UnsafePointer($0.assumingMemoryBound(to: FilteringRules.self)) }) else {
        return StageAnswer.error
    }
    let host = rules.pointee.host
    let features = rules.pointee.features

    if request.pointee.content_length > Int64(rules.pointee.contentLengthMax) {
        return host.refuse(request, 413, 1, "request-filtering: content over max_content_length")
    }
    // Chunked content is counted as it is read.
    if request.pointee.content_length < 0 {
        _ = host.pointee.limit_entity(request, UInt64(rules.pointee.contentLengthMax))
    }
    let doubtful = UInt32(BERTH_REQUEST_DOUBLE_ESCAPED) | UInt32(BERTH_REQUEST_HIGH_BIT)
    if request.pointee.flags & doubtful != 0 {
        if request.pointee.flags & UInt32(BERTH_REQUEST_DOUBLE_ESCAPED) != 0, !rules.pointee.allowsDoubleEscaping {
            return host.refuse(request, 404, 11, "request-filtering: the path is escaped twice")
        }
        if request.pointee.flags & UInt32(BERTH_REQUEST_HIGH_BIT) != 0, !rules.pointee.allowsHighBit {
            return host.refuse(request, 404, 12, "request-filtering: the path holds octets above 0x7f")
        }
    }
    if request.pointee.path.length > rules.pointee.urlMax {
        return host.refuse(request, 404, 14, "request-filtering: the path is over max_url")
    }
    if request.pointee.query.length > rules.pointee.queryStringMax {
        return host.refuse(request, 404, 15, "request-filtering: the query is over max_query_string")
    }
    if features.contains(.verbs), !rules.pointee.verbs.allows(request.pointee.method) {
        return host.refuse(request, 404, 6, "request-filtering: the verb is not allowed")
    }
    let verdict = rules.checkPath(request.pointee.path)
    if verdict != .pass {
        switch verdict {
        case .hiddenSegment:
            return host.refuse(request, 404, 8, "request-filtering: the path holds a hidden segment")
        case .extensionDenied:
            return host.refuse(request, 404, 7, "request-filtering: the file name extension is not allowed")
        default: return host.refuse(request, 404, 20, "request-filtering: the path is over max_url_segments")
        }
    }
    if !features.isDisjoint(with: [.urlSequences, .querySequences, .headerLimits]) {
        return checkRarities(rules, request)
    }
    return StageAnswer.proceed
}

/// What few sites configure.
@inline(never)
private func checkRarities(_ rules: UnsafePointer<FilteringRules>, _ request: RequestPointer) -> Int32 {
    let host = rules.pointee.host
    if rules.pointee.features.contains(.urlSequences), !rules.pointee.alwaysAllowedURLs.contains(request.pointee.path),
        rules.pointee.urlSequences.matches(in: request.pointee.path)
    {
        return host.refuse(request, 404, 5, "request-filtering: the path holds a denied sequence")
    }
    if rules.pointee.features.contains(.querySequences) {
        let query = request.pointee.query
        if !rules.pointee.alwaysAllowedQueryStrings.contains(query),
            rules.pointee.querySequences.matches(in: query)
                || rules.pointee.unescapesQueryString && rules.pointee.querySequences.matches(inUnescaped: query)
        {
            return host.refuse(request, 404, 18, "request-filtering: the query holds a denied sequence")
        }
    }
    if rules.pointee.features.contains(.headerLimits), let fields = request.pointee.fields {
        for index in 0..<Int(request.pointee.field_count) {
            let field = fields[index]
            let limit = rules.pointee.headerLimits.limit(of: request.fieldName(field))
            if let limit, Int(field.value_length) > limit {
                return host.refuse(request, 431, 0, "request-filtering: a field is over its limit")
            }
        }
    }
    return StageAnswer.proceed
}
