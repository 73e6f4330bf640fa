import Glibc
import Testing

@testable import BerthActivation

@Suite("Start failure")
struct StartFailureTests {
    private func failure(_ cause: StartFailure.Cause, output: String = "") -> StartFailure {
        StartFailure(
            application: "shop/api", cause: cause, command: "./Shop --fast", workingDirectory: "/srv/shop", pid: 4711,
            attempts: 2, lastLines: ["line 1", "line 2"], output: output)
    }

    @Test("the reason names command, step, errno, pid and exit")
    func reasons() {
        #expect(
            failure(.notExecuted(.execute, errno: ENOENT)).reason
                == "./Shop --fast could not be started: executing the program failed: No such file or directory (errno 2)"
        )
        #expect(
            failure(.exited(.exited(status: 134))).reason
                == "./Shop --fast (pid 4711) ended with exit status 134 (128 + SIGABRT) before it listened")
        #expect(
            failure(.exited(.signalled(SIGSEGV, coreDumped: true))).reason
                == "./Shop --fast (pid 4711) ended with SIGSEGV, core dumped before it listened")
        #expect(
            failure(.timedOut(seconds: 3, place: "127.0.0.1:5000")).reason
                == "./Shop --fast (pid 4711) did not listen on 127.0.0.1:5000 within the startup time limit of 3 s")
        #expect(
            failure(.invalidPort("80")).reason
                == "ASPNETCORE_PORT is \"80\", which is no port from 1025 through 48000")
    }

    @Test("the report has command, folder, last lines and what to do")
    func report() {
        let report = failure(.exited(.exited(status: 1))).report
        for part in ["shop/api", "2 attempts", "./Shop --fast", "/srv/shop", "line 1\n    line 2", "what to do:"] {
            #expect(report.contains(part), "\(part)")
        }
    }

    @Test("what applications are known to stumble over is explained")
    func advice() {
        let icu = failure(.exited(.exited(status: 134)), output: "Couldn't find a valid ICU package installed")
        #expect(icu.advice.contains("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1"))
        let taken = failure(.exited(.exited(status: 1)), output: "OSError: [Errno 98] Address already in use")
        #expect(taken.advice.contains("PORT"))
        #expect(failure(.exited(.exited(status: 0))).advice.contains("foreground"))
        #expect(failure(.exited(.signalled(SIGKILL, coreDumped: false))).advice.contains("memory"))
        #expect(failure(.notExecuted(.execute, errno: EACCES)).advice.contains("chmod +x"))
        #expect(failure(.notExecuted(.directory, errno: ENOENT)).advice.contains("/srv/shop"))
        #expect(failure(.notExecuted(.user, errno: EPERM)).advice.contains("CAP_SETUID"))
    }
}
