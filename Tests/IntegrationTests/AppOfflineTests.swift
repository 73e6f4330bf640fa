import Glibc
import TestSupport
import Testing

/// `app_offline.htm` takes an application down and shows itself.
@Suite("app_offline.htm")
struct AppOfflineTests {
    private static let site = """
        [site]
        bindings = ["http://*:$PORT/"]
        [[application]]
        hosting = "out-of-process"
        root = "$FOLDER/app"
        command = ["$BIN/EchoWorker"]
        """

    private func waitForPage(_ text: String, _ daemon: Daemon) throws {
        let response = try daemon.eventually("/pid", "the page is shown") { $0.status == 503 && $0.text == text }
        #expect(response["content-type"] == "text/html")
    }

    @Test("one that is there from the start is shown, and no worker is started until it is removed")
    func fromTheStart() throws {
        try withDaemon(sites: ["app": Self.site], files: ["app/app_offline.htm": "<p>soon</p>"]) { daemon in
            for method in ["GET", "POST", "DELETE"] {
                let response = try daemon.request(method, "/any/path?q", content: method == "POST" ? [1, 2] : nil)
                #expect(response.status == 503)
                #expect(response.text == "<p>soon</p>")
            }
            let head = try daemon.request("HEAD", "/")
            #expect((head.status, head["content-length"]) == (503, "11"))
            #expect(daemon.workers == [])
            try daemon.folder.remove("app/app_offline.htm")
            try daemon.eventually("/pid", "the application is back") { $0.status == 200 }
        }
    }

    @Test(
        "one that comes later ends the worker in peace, is shown, followed in its changes, and gone when it is removed",
        arguments: ["app_offline.htm", "App_Offline.HTM"])
    func later(name: String) throws {
        try withDaemon(sites: ["app": Self.site], files: ["app/other.htm": ""]) { daemon in
            let worker = try #require(Int32(try daemon.request("/pid").text.dropLast()))
            let busy = try daemon.connect()
            try busy.send("GET /stream?count=20&ms=50 HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(try busy.receiveHead().status == 200)
            try daemon.folder.write("app/\(name)", "first")
            try waitForPage("first", daemon)
            var received = 0
            while try busy.receiveLine() != "0" { received += 1 }
            #expect(received == 40, "the answer that had begun is complete: a line of length and one of content each")
            try daemon.process.output.wait(containing: "pid \(worker) stopped (offline) with exit status 0")
            #expect(daemon.workers == [])
            try daemon.folder.write("app/\(name)", "second")
            try waitForPage("second", daemon)
            // A reload changes nothing about it.
            try daemon.reload()
            #expect(try daemon.request("/pid").status == 503)
            try daemon.folder.remove("app/\(name)")
            let next = try daemon.eventually("/pid", "the application is back") { $0.status == 200 }
            #expect(next.text != "\(worker)\n")
        }
    }

    @Test("a link out of the root is not followed, and a folder of that name is no page")
    func notAFile() throws {
        try withDaemon(sites: ["app": Self.site], files: ["app/x": "", "secret": "secret"]) { daemon in
            try daemon.folder.make("app/app_offline.htm")
            #expect(try daemon.request("/pid").status == 200)
            #expect(rmdir("\(daemon.folder.path)/app/app_offline.htm") == 0)
            #expect(symlink("\(daemon.folder.path)/secret", "\(daemon.folder.path)/app/app_offline.htm") == 0)
            try waitForPage("", daemon)
        }
    }

    @Test("it takes down one application, and no other of its site")
    func scope() throws {
        let site =
            Self.site + """

                [[application]]
                path = "/other"
                hosting = "out-of-process"
                root = "$FOLDER/other"
                command = ["$BIN/EchoWorker"]
                """
        try withDaemon(sites: ["app": site], files: ["app/app_offline.htm": "down", "other/x": ""]) { daemon in
            let statuses = [try daemon.request("/pid").status, try daemon.request("/other/pid").status]
            #expect(statuses == [503, 200])
        }
    }

    @Test("an application at an address shows it too, and its worker is left alone")
    func external() throws {
        let port = try FreePort.take()
        let worker = try ChildProcess([Build.path("EchoWorker")], environment: ["PORT": "\(port)"])
        _ = try Deadline().look("the worker listens") { try? Client(port: port) }
        let site = """
            [site]
            bindings = ["http://*:$PORT/"]
            [[application]]
            hosting = "out-of-process"
            root = "$FOLDER/app"
            address = "127.0.0.1:\(port)"
            """
        try withDaemon(sites: ["app": site], files: ["app/x": ""]) { daemon in
            #expect(try daemon.request("/pid").status == 200)
            try daemon.folder.write("app/app_offline.htm", "down")
            try waitForPage("down", daemon)
            try daemon.reload()
            try waitForPage("down", daemon)
            try daemon.folder.remove("app/app_offline.htm")
            try daemon.eventually("/pid", "the application is back") { $0.text == "\(worker.pid)\n" }
        }
    }
}
