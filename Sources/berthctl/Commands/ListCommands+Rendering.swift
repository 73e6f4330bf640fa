import BerthControl

extension ListCommands {
    static func render(_ sites: [SiteRecord], _ page: inout Page) {
        var table = Table([
            .init("SITE", widthMin: 8), .init("ID", isRight: true), .init("STATE"), .init("CONDITION"),
            .init("RUNNING", isRight: true), .init("SERVED", isRight: true), .init("FAILED", isRight: true),
            .init("BINDINGS", widthMin: 16),
        ])
        for site in sites {
            table.add(
                .init(site.name), .init(site.id.map { String($0) } ?? ""), cell(site.state), cell(site.condition),
                .init(site.requestsRunning), .init(site.requestsServed),
                .init(String(site.requestsFailed), site.requestsFailed > 0 ? .warning : nil),
                .init(site.bindings.joined(separator: " ")))
        }
        page.add(table, ifEmpty: "there are no sites: put a file into /etc/berth/sites.d")
    }

    /// One site in full.
    static func render(_ site: SiteRecord, _ page: inout Page) {
        page.add(label: "site", site.name + (site.id.map { " (W3SVC\($0))" } ?? ""))
        page.add(label: "state", site.state.rawValue, style(site.state))
        page.add(label: "condition", site.condition.rawValue, style(site.condition))
        if let reason = site.reason { page.add(label: "reason", reason, .bad) }
        if let file = site.file { page.add(label: "file", file) }
        if let generation = site.generation { page.add(label: "generation", String(generation)) }
        for (index, binding) in site.bindings.enumerated() { page.add(label: index == 0 ? "bindings" : "", binding) }
        page.add(
            label: "requests",
            "\(site.requestsRunning) running, \(site.requestsServed) served, of these \(site.requestsFailed) failed")
        page.addBlank()
        render(site.applications, &page)
        if !site.diagnostics.isEmpty { page.addBlank() }
        for diagnostic in site.diagnostics { page.add(diagnostic) }
    }

    static func render(_ applications: [ApplicationRecord], _ page: inout Page) {
        var table = Table([
            .init("APPLICATION", widthMin: 8), .init("HOSTING"), .init("POOL", widthMin: 8), .init("STATE"),
            .init("TARGET", widthMin: 16),
        ])
        for application in applications {
            let style: Style? =
                switch application.availability {
                case .available: .good
                case .offline: .warning
                case .failing: .bad
                case .unknown: nil
                }
            table.add(
                .init(application.site + application.path), .init(application.hosting.rawValue),
                .init(application.pool ?? ""), .init(application.availability.rawValue, style),
                .init(application.target ?? application.root ?? ""))
        }
        page.add(table, ifEmpty: "there are no applications")
        for application in applications {
            guard let failure = application.failure else { continue }
            page.add("\(application.site)\(application.path):")
            page.add(failure: failure)
        }
    }

    static func render(_ pools: [PoolRecord], _ page: inout Page) {
        var table = Table([
            .init("POOL", widthMin: 8), .init("STATE"), .init("WORKERS", isRight: true),
            .init("QUEUED", isRight: true), .init("CRASHES", isRight: true), .init("RECYCLES", isRight: true),
            .init("APPLICATIONS", widthMin: 12),
        ])
        for pool in pools {
            let cause: String =
                switch pool.stopCause {
                case .rapidFail: " (rapid fail)"
                case .administrator, .configuration, .unknown, nil: ""
                }
            table.add(
                .init(pool.name),
                .init(pool.state.rawValue + cause, pool.stopCause == .rapidFail ? .bad : style(pool.state)),
                .init("\(pool.workers.count)/\(pool.workersMax)"),
                .init("\(pool.requestsQueued)/\(pool.requestsQueuedMax)"),
                .init(String(pool.crashes), pool.crashes > 0 ? .warning : nil), .init(pool.recycles),
                .init(pool.applications.joined(separator: " ")))
        }
        page.add(table, ifEmpty: "there are no application pools")
    }

    static func render(_ workers: [WorkerRecord], now: Timestamp, _ page: inout Page) {
        var table = Table([
            .init("PID", isRight: true), .init("POOL", widthMin: 8), .init("STATE"), .init("AGE", isRight: true),
            .init("RUNNING", isRight: true), .init("SERVED", isRight: true), .init("MEMORY", isRight: true),
            .init("USER", widthMin: 4), .init("ENDPOINT", widthMin: 12), .init("COMMAND", widthMin: 12),
        ])
        for worker in workers {
            let age = max(0, now.millisecondsSinceEpoch - worker.startedAt.millisecondsSinceEpoch)
            table.add(
                .init(worker.pid.map { String($0) } ?? "external"), .init(worker.pool),
                .init(worker.state.rawValue, worker.state == .running ? .good : .warning),
                .init(Quantity.time(milliseconds: UInt64(age))), .init(worker.requestsRunning),
                .init(worker.requestsServed), .init(worker.memoryBytes.map { Quantity.size(octets: $0) } ?? ""),
                .init(worker.user ?? ""), .init(worker.endpoint ?? ""), .init(worker.command.joined(separator: " ")))
        }
        page.add(table, ifEmpty: "no worker is running; the first request to an application starts one")
    }

    static func render(_ bindings: [BindingRecord], _ page: inout Page) {
        var table = Table([
            .init("PREFIX", widthMin: 16), .init("TIER"), .init("APPLICATION", widthMin: 8),
            .init("ENDPOINT", widthMin: 10), .init("SERVING"),
        ])
        for binding in bindings {
            table.add(
                .init(binding.prefix), .init(binding.tier.rawValue),
                .init(
                    binding.reservedFor.map { $0.isEmpty ? "reserved" : "reserved for " + $0.joined(separator: ", ") }
                        ?? binding.site + binding.application),
                .init(binding.endpoint ?? ""),
                .init(binding.isServing ? "yes" : "no", binding.isServing ? .good : .bad))
        }
        page.add(table, ifEmpty: "there are no bindings")
    }

    static func render(_ modules: [ModuleRecord], _ page: inout Page) {
        var table = Table([
            .init("MODULE", widthMin: 8), .init("KIND"), .init("STATE"), .init("ABI", isRight: true),
            .init("STAGES", widthMin: 12), .init("USED BY", widthMin: 8), .init("FILE", widthMin: 12),
        ])
        for module in modules {
            let state: Table.Cell =
                module.failure != nil
                ? .init("failed", .bad) : module.isOutdated ? .init("outdated", .warning) : .init("loaded", .good)
            table.add(
                .init(module.name), .init(module.kind.rawValue), state,
                .init(module.abiVersion.map { String($0) } ?? ""), .init(module.stages.joined(separator: " ")),
                .init(module.usedBy.joined(separator: " ")), .init(module.file ?? "built in"))
        }
        page.add(table, ifEmpty: "no module is in use")
        for module in modules {
            if let failure = module.failure {
                page.add("\(module.name):")
                page.add(failure: failure)
            }
            if module.isOutdated {
                page.add("\(module.name): its file was replaced; it takes effect with the next process", .warning)
            }
        }
    }

    static func render(_ requests: [RequestRecord], _ page: inout Page) {
        var table = Table([
            .init("ID", isRight: true), .init("ELAPSED", isRight: true), .init("STAGE", widthMin: 8),
            .init("MODULE", widthMin: 8), .init("SITE", widthMin: 8), .init("CLIENT"), .init("METHOD", widthMin: 4),
            .init("URL", widthMin: 16),
        ])
        for request in requests {
            table.add(
                .init(request.id), .init(Quantity.time(milliseconds: request.elapsedMilliseconds)),
                .init(request.stage), .init(request.module ?? ""), .init(request.site ?? ""),
                .init(request.clientAddress), .init(request.method), .init(request.host + request.url))
        }
        page.add(table, ifEmpty: "no request is running")
    }

    private static func cell(_ state: RunState) -> Table.Cell { .init(state.rawValue, style(state)) }

    private static func cell(_ condition: SiteCondition) -> Table.Cell { .init(condition.rawValue, style(condition)) }

    private static func style(_ state: RunState) -> Style? {
        switch state {
        case .started: .good
        case .starting, .stopping: .warning
        case .stopped: .bad
        case .unknown: nil
        }
    }

    private static func style(_ condition: SiteCondition) -> Style? {
        switch condition {
        case .ok: .good
        case .stale: .warning
        case .rejected: .bad
        case .unknown: nil
        }
    }
}
