import BerthConfiguration
import BerthControl
import BerthEventLoop
import CBerthSystem
import Glibc

/// The command line of `berthd`: what it asks for is done, and the result is the exit status.
public enum Program {
    /// Runs the program; the result is its exit status.
    ///
    /// - Parameter arguments: the name of the program, and what stands behind it.
    public static func main(_ arguments: [String]) -> Int32 {
        cberth_signals_block()
        return run(Array(arguments.dropFirst())).rawValue
    }

    private static func run(_ words: [String]) -> ProgramStatus {
        do throws(ProgramInvocation.Mistake) {
            switch try ProgramInvocation.parse(words) {
            case .run(let run): return daemon(run)
            case .serve(let serve): return self.serve(serve)
            case .check(let place): return check(place)
            case .version: say("berthd \(BerthRelease.version)\n")
            case .help: say(ProgramHelp.text)
            }
            return .ok
        } catch {
            complain("\(error.message); \(error.advice)")
            return .usage
        }
    }

    // MARK: The daemon

    private static func daemon(_ run: ProgramInvocation.Run) -> ProgramStatus {
        do throws(ProgramFailure) {
            var options = ServerOptions(source: .files(try loader(run.place)))
            options.controlSocket = run.controlSocket
            options.stateDirectory = run.stateDirectory
            do {
                let server = try Server(options)
                try server.start()
                if server.sites.isEmpty {
                    DaemonLog.warning("no site is served: drop NAME.toml into sites.d, then berthctl reload")
                }
                server.run()
            } catch {
                throw ProgramFailure(.failed, "\(error)")
            }
            return .ok
        } catch {
            DaemonLog.error(error.message)
            return error.status
        }
    }

    /// Where the daemon of a Debian machine looks, unless told otherwise.
    private static let directory = "/etc/berth"

    private static func loader(_ place: ProgramInvocation.Place) throws(ProgramFailure) -> ConfigurationLoader {
        for directory in [place.directory, place.sites].compactMap({ $0 })
        where FileAccess.system.kind(directory) != .directory {
            let reason = FileAccess.system.kind(directory) == .absent ? "does not exist" : "is no folder"
            throw ProgramFailure(.failed, "the folder \(directory) \(reason)")
        }
        var loader = ConfigurationLoader()
        // The layers of /usr/lib and /run belong to /etc/berth, also where somebody names it.
        if let directory = place.directory.map(absolute), directory != self.directory {
            loader = ConfigurationLoader(configurationDirectory: directory)
        }
        if let sites = place.sites { loader.siteDirectories = [absolute(sites)] }
        return loader
    }

    private static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    // MARK: check

    private static func check(_ place: ProgramInvocation.Place) -> ProgramStatus {
        do throws(ProgramFailure) {
            let snapshot = try loader(place).load()
            for diagnostic in snapshot.diagnostics { say(diagnostic.rendered() + "\n") }
            let errors = snapshot.diagnostics.count { $0.severity == .error }
            let warnings = snapshot.diagnostics.count - errors
            let sites = snapshot.sites.count + snapshot.rejected.count
            say("\(counted(sites, "site")), \(counted(errors, "error")), \(counted(warnings, "warning"))\n")
            return errors == 0 ? .ok : .configurationHasErrors
        } catch {
            complain(error.message)
            return error.status
        }
    }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    // MARK: serve

    private static func serve(_ serve: ProgramInvocation.Serve) -> ProgramStatus {
        do throws(ProgramFailure) {
            let plan = try ServePlan.make(target: serve.target, command: serve.command)
            let (descriptor, port) = try listen(serve)
            let folder: TemporaryFolder
            do { folder = try TemporaryFolder() } catch {
                throw ProgramFailure(.failed, "no temporary folder: \(error)")
            }
            var snapshot = plan.configuration(address: serve.address, port: port, scratch: folder.path)
            if snapshot.sites.isEmpty {
                for diagnostic in snapshot.diagnostics { complain(ServePlan.text(of: diagnostic)) }
                throw ProgramFailure(.noSite, "\(plan.path) cannot be served")
            }
            for diagnostic in snapshot.diagnostics { complain(ServePlan.text(of: diagnostic)) }
            // Said above, in the words for somebody who wrote no site file.
            snapshot.diagnostics = []
            var options = ServerOptions(source: .fixed(snapshot))
            options.controlSocket = serve.controlSocket
            options.needsControlSocket = serve.controlSocket != nil
            options.descriptors = [descriptor]
            do {
                let server = try Server(options)
                try server.start()
                if let failure = server.moduleFailures.first?.failure {
                    // What the loops have begun ends with the process.
                    throw ProgramFailure(.noSite, failure.text)
                }
                let address = IPAddress(serve.address)?.urlHost ?? serve.address
                say("Serving \(plan.path) at http://\(address):\(port)/ (\(plan.description)); press Ctrl-C to stop\n")
                server.run()
            } catch let error as ProgramFailure {
                throw error
            } catch {
                throw ProgramFailure(.failed, "\(error)")
            }
            return .ok
        } catch {
            complain(error.message)
            return error.status
        }
    }

    /// Opens the address to serve on, before anything else: what is wrong with it is the first thing to know.
    private static func listen(
        _ serve: ProgramInvocation.Serve
    ) throws(ProgramFailure) -> (descriptor: Int32, port: UInt16) {
        let system = cberth_system_linux()
        guard let address = IPAddress(serve.address) else {
            throw ProgramFailure(.addressUnavailable, "\(serve.address) is no address")
        }
        var endpoint = ListeningEndpoint.tcp(address, serve.port ?? 0)
        let descriptor = system.pointee.listen_on(system, &endpoint, EndpointTable.backlog)
        guard descriptor >= 0, system.pointee.local_endpoint(system, descriptor, &endpoint) >= 0 else {
            throw ProgramFailure(
                .addressUnavailable,
                "cannot listen on \(ListeningEndpoint.name(of: endpoint)): "
                    + "\(SystemError("bind", -descriptor).reason)\(Server.advice(-descriptor))")
        }
        return (descriptor, endpoint.address.port)
    }

    // MARK: Words

    private static func say(_ text: String) { write(1, text) }

    private static func complain(_ text: String) { write(2, "berthd: \(text)\n") }

    private static func write(_ fd: Int32, _ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            // Nobody reads what is said: there is nobody to be told.
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}
