import CBerthSystem
import Glibc
import Testing

@Suite("Spawn")
struct SpawnTests {
    private func shell(_ script: String, _ settings: Child.Settings = Child.Settings()) throws -> (String, cberth_exit)
    {
        let child = try Child(["sh", "-c", script], settings)
        try #require(child.result == 0)
        return try child.finish()
    }

    @Test("a program runs with its arguments and environment, and its exit status is told")
    func runs() throws {
        let (output, exit) = try shell(
            "echo \"$0 $GREETING\"; exit 7", .init(environment: ["PATH=/bin", "GREETING=hello"]))
        #expect(output == "sh hello\n")
        #expect(exit.status == 7 && exit.signal == 0)
    }

    @Test("the signal that ended it is told")
    func signalled() throws {
        let (_, exit) = try shell("kill -9 $$")
        #expect(exit.signal == SIGKILL && exit.status == 0)
    }

    @Test(
        "a program that is not there fails with ENOENT at execute",
        arguments: ["nosuchprogram", "/nosuch/program", "./nosuchprogram", ""])
    func missing(path: String) throws {
        let child = try Child(["x"], .init(path: path))
        #expect(child.result == -ENOENT)
        #expect(child.spawned.failed_step == CBERTH_SPAWN_STEP_EXECUTE)
        #expect(child.spawned.pid == -1 && child.spawned.pidfd == -1)
    }

    @Test("a file that is not executable fails with EACCES at execute")
    func notExecutable() throws {
        let absolute = try Child(["x"], .init(path: "/etc/passwd"))
        #expect(absolute.result == -EACCES && absolute.spawned.failed_step == CBERTH_SPAWN_STEP_EXECUTE)
        let searched = try Child(["x"], .init(path: "passwd", environment: ["PATH=/etc"]))
        #expect(searched.result == -EACCES && searched.spawned.failed_step == CBERTH_SPAWN_STEP_EXECUTE)
    }

    @Test("a folder is no program")
    func folder() throws {
        let child = try Child(["x"], .init(path: "/usr"))
        #expect(child.result == -EACCES && child.spawned.failed_step == CBERTH_SPAWN_STEP_EXECUTE)
    }

    @Test("a working directory that is not there fails with ENOENT at directory")
    func wrongDirectory() throws {
        let child = try Child(["sh", "-c", "true"], .init(directory: "/nosuch"))
        #expect(child.result == -ENOENT)
        #expect(child.spawned.failed_step == CBERTH_SPAWN_STEP_DIRECTORY)
    }

    @Test("PATH is the child's, and entries that are not absolute are passed over")
    func search() throws {
        let relative = try Child(["sh", "-c", "true"], .init(environment: ["PATH=bin:.::"], directory: "/usr"))
        #expect(relative.result == -ENOENT)
        let (output, _) = try shell("echo found", .init(environment: ["PATH=:bin:/nosuch:/bin"]))
        #expect(output == "found\n")
        let (standard, _) = try shell("echo standard", .init(environment: []))
        #expect(standard == "standard\n")
    }

    @Test("a relative path means the working directory")
    func relativePath() throws {
        let child = try Child(["x", "-c", "pwd"], .init(path: "./sh", directory: "/bin"))
        try #require(child.result == 0)
        #expect(try child.finish().exit.status == 0)
    }

    @Test("descriptors of the daemon stay with it, also those without close-on-exec")
    func descriptors() throws {
        let leaked = fcntl(2, F_DUPFD, 200)
        defer { close(leaked) }
        try #require(leaked >= 200 && fcntl(leaked, F_GETFD) == 0)
        // Descriptor 3 is the folder that ls reads.
        let (output, _) = try shell("exec ls /proc/self/fd")
        #expect(output == "0\n1\n2\n3\n")
    }

    @Test("standard streams are blocking, whatever the daemon's end is")
    func blocking() throws {
        let (output, exit) = try shell("head -c 1000000 /dev/zero | tr '\\0' x; cat /proc/$$/fdinfo/1 >&2; exit $?")
        #expect(output.utf8.count == 1_000_000)
        #expect(exit.status == 0)
    }

    @Test("the inherited listener is descriptor 3, with LISTEN_FDS and the child's own LISTEN_PID")
    func listener() throws {
        var endpoint = cberth_endpoint()
        #expect(cberth_address_parse("127.0.0.1", &endpoint.address) == 1)
        let system = cberth_system_linux()
        let listener = system.pointee.listen_on(system, &endpoint, 5)
        try #require(listener >= 0)
        defer { close(listener) }
        let (output, _) = try shell(
            "test \"$LISTEN_PID\" = $$ && echo \"$LISTEN_FDS $(readlink /proc/$$/fd/3 | cut -c1-6) [$LISTEN_FDNAMES]\"",
            .init(environment: ["PATH=/bin", "LISTEN_FDS=7", "LISTEN_PID=1", "LISTEN_FDNAMES=x"], listener: listener))
        #expect(output == "1 socket []\n")
    }

    @Test("without a listener the daemon's own activation variables are gone")
    func noListener() throws {
        let (output, _) = try shell(
            "echo [$LISTEN_FDS][$LISTEN_PID]", .init(environment: ["PATH=/bin", "LISTEN_FDS=7", "LISTEN_PID=1"]))
        #expect(output == "[][]\n")
    }

    @Test("signals are as a program expects them: none blocked, none ignored")
    func signals() throws {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let (output, _) = try shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2 | tr '\\n' ' '")
        #expect(output == "0000000000000000 0000000000000000 ")
    }

    @Test("a child may lead a group of its own")
    func group() throws {
        let (output, _) = try shell("cut -d' ' -f5 /proc/$$/stat; echo $$", .init(flags: CBERTH_SPAWN_NEW_GROUP))
        let lines = output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == lines[1])
    }

    @Test("signals reach the process and the group, and 0 and 1 are nobody's group", arguments: [0, 1, -5] as [Int32])
    func groupSignals(wrong: Int32) throws {
        let child = try Child(["sh", "-c", "sleep 1000 & wait"], .init(flags: CBERTH_SPAWN_NEW_GROUP))
        try #require(child.result == 0)
        #expect(child.system.pointee.signal_group(child.system, wrong, SIGKILL) == -EINVAL)
        #expect(child.system.pointee.signal_group(child.system, child.spawned.pid, SIGKILL) == 0)
        // The pipe's end is reached: the grandchild has gone too.
        let (_, exit) = try child.finish()
        #expect(exit.signal == SIGKILL)
    }

    @Test("a running process is not reaped")
    func running() throws {
        let child = try Child(["sleep", "1000"])
        try #require(child.result == 0)
        var exit = cberth_exit()
        #expect(child.system.pointee.reap(child.system, child.spawned.pidfd, &exit) == 0)
        #expect(child.system.pointee.signal_process(child.system, child.spawned.pidfd, SIGTERM) == 0)
        #expect(try child.finish().exit.signal == SIGTERM)
    }

    @Test("a child dies with the thread that started it")
    func parentDeath() throws {
        final class Box: @unchecked Sendable { var child: Child? }
        let box = Box()
        let system = cberth_system_linux()
        var thread: UInt64 = 0
        let started = system.pointee.thread_start(
            system, "parent",
            { argument in
                guard let argument else { return nil }
                let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
                box.child = try? Child(["sleep", "1000"], .init(flags: CBERTH_SPAWN_DIE_WITH_PARENT))
                return nil
            }, Unmanaged.passRetained(box).toOpaque(), &thread)
        try #require(started == 0)
        #expect(system.pointee.thread_join(system, thread) == 0)
        let child = try #require(box.child)
        #expect(try child.finish().exit.signal == SIGKILL)
    }

    @Test("root starts a worker as another user, with that user's groups and no other", .enabled(if: geteuid() == 0))
    func user() throws {
        let (output, _) = try shell(
            "id -u; id -g; id -G; cat /proc/$$/status | grep CapEff | cut -f2", .init(user: 65534))
        #expect(output == "65534\n65534\n65534\n0000000000000000\n")
        let (grouped, _) = try shell("id -u; id -g", .init(user: 65534, group: 12345))
        #expect(grouped == "65534\n12345\n")
        let (unknown, _) = try shell("id -u; id -G", .init(user: 54321, group: 54322))
        #expect(unknown == "54321\n54322\n")
    }

    @Test("a worker that dies with its parent does so as another user too", .enabled(if: geteuid() == 0))
    func userAndParentDeath() throws {
        let child = try Child(["sleep", "1000"], .init(user: 65534, flags: CBERTH_SPAWN_DIE_WITH_PARENT))
        try #require(child.result == 0)
        #expect(child.system.pointee.signal_process(child.system, child.spawned.pidfd, SIGKILL) == 0)
        #expect(try child.finish().exit.signal == SIGKILL)
    }

    @Test("a folder that the user may not enter fails with EACCES at directory", .enabled(if: geteuid() == 0))
    func forbiddenDirectory() throws {
        var template = Array("/tmp/berth-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { rmdir(path) }
        let child = try Child(["sh", "-c", "true"], .init(directory: path, user: 65534))
        #expect(child.result == -EACCES && child.spawned.failed_step == CBERTH_SPAWN_STEP_DIRECTORY)
    }

    @Test("arguments too long fail with E2BIG at execute")
    func tooLong() throws {
        let child = try Child(["sh", "-c", "true", String(repeating: "x", count: 200_000)])
        #expect(child.result == -E2BIG && child.spawned.failed_step == CBERTH_SPAWN_STEP_EXECUTE)
    }
}
