import Glibc

extension StartFailure {
    /// What to do next, for an administrator.
    public var advice: String {
        switch cause {
        case .notExecuted(.directory, ENOENT):
            "create \(workingDirectory), or correct the application's root"
        case .notExecuted(.directory, _):
            "let the worker's user enter \(workingDirectory) and every folder above it (x permission)"
        case .notExecuted(.user, EPERM):
            "run the daemon as root or with CAP_SETUID and CAP_SETGID, or leave the pool's user out"
        case .notExecuted(.user, _):
            "check that the pool's user and group exist"
        case .notExecuted(.execute, ENOENT):
            "check that the program exists, and the interpreter its first line names; a bare name is looked for in the "
                + "application's folder and in PATH"
        case .notExecuted(.execute, EACCES):
            "make the program executable (chmod +x) for the worker's user, on a file system that is not mounted noexec"
        case .notExecuted(.execute, ENOEXEC):
            "the file is no program for this machine; a script needs a first line such as #!/bin/sh"
        case .notExecuted(.execute, E2BIG):
            "shorten the arguments and variables of the application"
        case .notExecuted(_, EAGAIN), .notExecuted(_, ENOMEM), .notExecuted(_, EMFILE), .notExecuted(_, ENFILE):
            "the machine or the service is at a limit (processes, memory, descriptors): see TasksMax, MemoryMax, LimitNOFILE"
        case .notExecuted:
            "start the command by hand as the worker's user in \(workingDirectory)"
        case .exited(let exit): adviceAfter(exit)
        case .timedOut(_, let place):
            "make the application listen on \(place), which it finds in its environment (PORT, ASPNETCORE_URLS, BERTH_SOCKET), "
                + "or raise startup_time_limit if it needs longer"
        case .wrongOwner:
            "find the other process (ss -ltnp) and stop it, or take ASPNETCORE_PORT out of the application's variables so that a "
                + "free port is chosen"
        case .invalidPort:
            "remove ASPNETCORE_PORT from the application's variables, or correct it"
        case .noEndpoint:
            "check the daemon's runtime directory and its limits"
        case .tooManyFailures:
            "read why it failed before (berthctl logs), repair it; the next request after the minute starts it again"
        }
    }

    private func adviceAfter(_ exit: WorkerExit) -> String {
        // The first thing a .NET application says on a bare server.
        if output.contains("Couldn't find a valid ICU package") {
            return
                "install the ICU library (Debian: libicu72), or set DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 among the "
                + "application's variables"
        }
        if output.contains("You must install or update .NET") || output.contains("You must install .NET") {
            return "install the framework version that the application asks for, or set DOTNET_ROOT to where it is"
        }
        if output.contains("Address already in use") || output.contains("EADDRINUSE") {
            return
                "the application listens on an address of its own choice that is taken; let it take PORT or ASPNETCORE_URLS "
                + "from its environment"
        }
        switch exit {
        case .exited(status: 0):
            return
                "the program ended by itself: it must stay and listen; one that puts itself into the background needs an "
                + "option that keeps it in the foreground"
        case .exited(status: 126), .exited(status: 127):
            return "a shell did not find or could not run a command: check the names in the script and PATH"
        case .signalled(SIGKILL, _):
            return "somebody killed it; if nobody did, it was the kernel for lack of memory (journalctl -k)"
        default:
            return
                "read what it wrote (berthctl logs); start the command by hand as the worker's user in \(workingDirectory)"
        }
    }
}
