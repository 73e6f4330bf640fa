extension Command.Option {
    /// What every command knows.
    package static let everywhere: [Command.Option] = [
        .init(
            "socket", value: "PATH", kind: .file,
            "the control socket (default: BERTH_CONTROL_SOCKET, else /run/berth/control.sock)"),
        .init("timeout", value: "TIME", "how long to wait for the daemon (default 10s; 90s where it waits itself)"),
        .init("json", "print what the daemon says, for programs"),
    ]

    fileprivate static let onlyPool = Command.Option("pool", "NAME is a pool, even where a site bears the name")
    fileprivate static let onlySite = Command.Option("site", "NAME is a site; do not look for a pool")
}

extension Command {
    /// All commands, in the order in which help shows them. Parser, help, completion and manual page come from here.
    package static let all: [Command] = looking + acting + following + aboutItself

    private static let looking: [Command] = [
        Command(
            name: "status", summary: "Show the daemon, its sites, and what needs attention",
            run: OverviewCommands.status),
        Command(
            name: "sites", arguments: [.init("SITE", .site, isOptional: true)],
            summary: "List the sites, or show one in full", statuses: [.notFound], run: ListCommands.sites),
        Command(
            name: "why", arguments: [.init("SITE", .site)], summary: "Explain why a site answers, or does not",
            discussion: """
                Goes the way of a request: configuration, state, bindings and their endpoints, then each application \
                with its pool. Says what is wrong and what to do, and what happened last. The exit status is 0 \
                whatever the answer is.
                """,
            statuses: [.notFound], run: WhyCommand.run),
        Command(name: "applications", summary: "List the applications of all sites", run: ListCommands.applications),
        Command(name: "pools", summary: "List the application pools", run: ListCommands.pools),
        Command(name: "workers", summary: "List the worker processes", run: ListCommands.workers),
        Command(
            name: "bindings", summary: "List the URL prefixes with the sites they lead to", run: ListCommands.bindings),
        Command(name: "modules", summary: "List the native and handler modules", run: ListCommands.modules),
        Command(
            name: "requests",
            options: [
                .init("site", value: "SITE", kind: .site, "only requests to the site"),
                .init("pool", value: "POOL", kind: .pool, "only requests to the pool"),
                .init("slower-than", value: "TIME", "only requests that have run this long: 500ms, 5s, 2min"),
            ],
            summary: "List the requests that are running now",
            examples: [.init("berthctl requests --slower-than 5s", "what hangs")], run: ListCommands.requests),
        Command(
            name: "metrics", summary: "Print the counters in Prometheus' text format", run: OverviewCommands.metrics),
    ]

    private static let acting: [Command] = [
        Command(
            name: "check", arguments: [.init("FILE", .file, isOptional: true, isRepeated: true)],
            summary: "Look for errors in configuration files",
            discussion: """
                With FILE, checks these site files, or one folder with a berth.toml and a sites.d, without the \
                daemon: nothing is taken into use. Without FILE, asks the daemon to check what it would read now; \
                where it does not answer, checks the installed files without it.
                """,
            examples: [
                .init("berthctl check shop.toml && sudo cp shop.toml /etc/berth/sites.d/", "install it if it is good")
            ],
            statuses: [.notFound, .configurationHasErrors], run: ConfigurationCommands.check),
        Command(
            name: "reload", options: [.init("wait", letter: "w", "return when the new configuration is in use")],
            summary: "Read the configuration again",
            discussion: """
                Files are watched, so this is seldom needed. Sites whose files have errors keep serving as before; \
                with --wait the exit status is then 6.
                """,
            statuses: [.configurationHasErrors], run: ConfigurationCommands.reload),
        Command(
            name: "start", arguments: [.init("NAME", .siteOrPool)], options: [.onlyPool, .onlySite],
            summary: "Start a site, or a pool",
            discussion: "A site is looked for first, then a pool. Starting a pool forgets its crashes.",
            statuses: [.notFound], run: ActionCommands.start),
        Command(
            name: "stop", arguments: [.init("NAME", .siteOrPool)], options: [.onlyPool, .onlySite],
            summary: "Stop a site, or a pool",
            discussion: "Running requests are finished; new ones are answered 503. It stays so until it is started.",
            statuses: [.notFound], run: ActionCommands.stop),
        Command(
            name: "recycle", arguments: [.init("POOL", .pool)],
            summary: "Replace the workers of a pool without losing a request",
            discussion: "The new worker is ready before the old one stops taking requests.",
            statuses: [.notFound], run: ActionCommands.recycle),
    ]

    private static let following: [Command] = [
        Command(
            name: "logs", arguments: [.init("SITE", .site)],
            options: [
                .init("follow", letter: "f", "go on with new lines until interrupted"),
                .init("lines", letter: "n", value: "N", "how many of the last lines (default 100, at most 10000)"),
            ],
            summary: "Show what the workers of a site wrote to their output",
            examples: [.init("berthctl logs shop -fn 20", "the last 20 lines, and those to come")],
            statuses: [.notFound], run: StreamCommands.logs),
        Command(
            name: "events",
            options: [
                .init("follow", letter: "f", "go on with new events until interrupted"),
                .init("after", value: "NUMBER", "only events after this one"),
            ],
            summary: "Show what happened to sites, pools and workers", run: StreamCommands.events),
    ]

    private static let aboutItself: [Command] = [
        Command(name: "version", summary: "Print the release of berthctl and of berthd", run: OverviewCommands.version),
        Command(
            name: "help", arguments: [.init("COMMAND", .command, isOptional: true)],
            summary: "Explain a command", run: InterfaceCommands.help),
        Command(
            name: "completion", arguments: [.init("SHELL", .word(["bash", "zsh", "fish"]))],
            summary: "Print a completion script for a shell",
            examples: [
                .init("berthctl completion bash > /etc/bash_completion.d/berthctl", "for bash"),
                .init("berthctl completion fish > ~/.config/fish/completions/berthctl.fish", "for fish"),
            ],
            run: InterfaceCommands.completion),
        Command(
            name: "man", summary: "Print the manual page",
            examples: [.init("berthctl man | man -l -", "read it")], run: InterfaceCommands.manual),
        Command(
            name: "__complete", arguments: [.init("KIND", .word(["site", "pool", "any"]))],
            summary: "Print names for the completion scripts", isHidden: true, run: InterfaceCommands.names),
    ]
}
