/// Reads `[pool.NAME]` and `[defaults.pool]`.
enum PoolReader {
    private static let second = Duration.seconds(1)
    private static let minute = Duration.seconds(60)
    private static let hour = Duration.seconds(3600)
    private static let day = Duration.seconds(86400)

    /// Octets in a pool's name; it becomes a file name of the runtime directory.
    static let nameMax = 128

    /// What is wrong with the name; nil where nothing is. IIS forbids `| < > & "`.
    static func problem(inName name: String) -> String? {
        guard (1...nameMax).contains(name.utf8.count) else { return "it is not 1 through \(nameMax) octets long" }
        for scalar in name.unicodeScalars {
            if scalar.value <= 0x20 || (0x7F...0x9F).contains(scalar.value) {
                return "it holds a blank or a control character"
            }
            if "|<>&\"\\".unicodeScalars.contains(scalar) { return "it holds \(scalar)" }
        }
        return nil
    }

    /// Whether `pool`, which holds the defaults, now describes the pool of that entry.
    static func read(_ entry: TOMLTable.Entry, _ reader: TableReader, into pool: inout ApplicationPoolSettings) -> Bool
    {
        if let problem = problem(inName: entry.key) {
            reader.diagnostics.error(
                .invalidName, at: entry.location, "\(quoted(entry.key)) is no name of a pool: \(problem)")
            return false
        }
        pool.name = entry.key
        guard
            let table = reader.reader(
                of: entry.value, key: entry.key, name: "[pool.\(entry.key)]", rangePolicy: .warning)
        else { return false }
        read(table, into: &pool)
        pool.location = entry.location
        return true
    }

    /// Reads on top of `pool`, which holds the defaults.
    static func read(_ reader: TableReader, into pool: inout ApplicationPoolSettings) {
        pool.location = reader.location
        reader.boolean("auto_start").assign(to: &pool.autoStart)
        (reader.choice("start_mode", of: ApplicationPoolSettings.StartMode.self)?.value).assign(to: &pool.startMode)
        reader.count("queue_length", in: 10...65535).assign(to: &pool.queueLength)
        (reader.choice("load_balancer_capabilities", of: ApplicationPoolSettings.LoadBalancerCapabilities.self)?.value)
            .assign(to: &pool.loadBalancerCapabilities)
        (reader.choice("unavailable_verbosity", of: ApplicationPoolSettings.UnavailableVerbosity.self)?.value)
            .assign(to: &pool.unavailableVerbosity)
        reader.timeLimit("idle_timeout", in: minute...day * 30).assign(to: &pool.idleTimeout)
        reader.duration("startup_time_limit", in: second...hour).assign(to: &pool.startupTimeLimit)
        reader.duration("shutdown_time_limit", in: second...hour).assign(to: &pool.shutdownTimeLimit)
        reader.count("max_processes", in: 1...100).assign(to: &pool.processesMax)
        (reader.string("user", octetsMax: 256)?.value).assign(to: &pool.user)
        (reader.string("group", octetsMax: 256)?.value).assign(to: &pool.group)
        EnvironmentReader.read(reader, into: &pool.environment)

        if let ping = reader.subtable("ping", name: "\(reader.name) ping") {
            ping.boolean("enabled").assign(to: &pool.ping.enabled)
            ping.duration("interval", in: second...day).assign(to: &pool.ping.interval)
            ping.duration("response_time", in: second...day).assign(to: &pool.ping.responseTime)
            ping.finish()
            reader.notInForce("ping", "workers are not pinged; a worker that ends is seen at once all the same")
        }
        if let failure = reader.subtable("rapid_fail", name: "\(reader.name) rapid_fail") {
            failure.boolean("enabled").assign(to: &pool.rapidFail.enabled)
            failure.count("crashes", in: 1...100).assign(to: &pool.rapidFail.crashes)
            failure.duration("window", in: minute...day * 100).assign(to: &pool.rapidFail.window)
            failure.finish()
        }
        if let recycling = reader.subtable("recycling", name: "\(reader.name) recycling") {
            read(recycling, into: &pool.recycling)
        }
        reader.finish()
    }

    private static func read(_ reader: TableReader, into recycling: inout RecyclingSettings) {
        reader.timeLimit("time", in: minute...day * 300).assign(to: &recycling.time)
        if let requests = reader.countOrOff("requests", in: 1...Int(Int32.max)) { recycling.requests = requests }
        if let size = reader.sizeOrOff("private_memory", in: 1 << 20...1 << 50) { recycling.privateMemory = size }
        if let size = reader.sizeOrOff("virtual_memory", in: 1 << 20...1 << 50) { recycling.virtualMemory = size }
        if recycling.virtualMemory != nil {
            reader.notInForce("virtual_memory", "private_memory is")
        }
        reader.boolean("disallow_overlapping_rotation").assign(to: &recycling.disallowOverlappingRotation)
        reader.boolean("disallow_rotation_on_config_change").assign(to: &recycling.disallowRotationOnConfigChange)
        if let times = reader.strings("schedule", countMax: 1440) {
            var minutes: Set<Int> = []
            for time in times {
                if let minute = minuteOfDay(time.value) {
                    minutes.insert(minute)
                } else {
                    reader.diagnostics.error(
                        .wrongValue, at: time.location, "\(quoted(time.value)) is no time of day",
                        "write 00:00 through 23:59, like \"03:30\"")
                }
            }
            recycling.schedule = minutes.sorted()
        }
        reader.finish()
    }

    /// `03:30`; nil for anything else.
    private static func minuteOfDay(_ text: String) -> Int? {
        let digits = Array(text.utf8)
        guard digits.count == 5, digits[2] == UInt8(ascii: ":") else { return nil }
        var numbers: [Int] = []
        for index in [0, 1, 3, 4] {
            guard (0x30...0x39).contains(digits[index]) else { return nil }
            numbers.append(Int(digits[index]) - 0x30)
        }
        let (hour, minute) = (numbers[0] * 10 + numbers[1], numbers[2] * 10 + numbers[3])
        return hour < 24 && minute < 60 ? hour * 60 + minute : nil
    }
}
