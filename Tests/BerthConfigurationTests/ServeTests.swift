import Testing

@testable import BerthConfiguration

@Suite("One folder is served without configuration")
struct ServeTests {
    private func serve(
        _ served: ConfigurationLoader.Served, _ texts: [String: String] = [:], folder: String = "/srv/my shop"
    ) -> ConfigurationSnapshot {
        ConfigurationLoader.serve(served, folder: folder, bindings: ["http://*:8080/"], files: .over(texts: texts))
    }

    @Test("a folder of files")
    func files() throws {
        let snapshot = serve(.folder)
        #expect(snapshot.diagnostics.isEmpty)
        let site = try #require(snapshot.sites.first)
        #expect(site.name == "myshop")
        #expect(site.applications.first?.hostingModel == .staticFiles)
        #expect(site.applications.first?.root == "/srv/my shop")
    }

    @Test("a published ASP.NET Core folder is started; one with another web.config is files")
    func webConfig() {
        let published = serve(.folder, ["/srv/my shop/web.config": Samples.webConfig])
        #expect(published.sites.first?.applications.first?.hostingModel == .outOfProcess)
        #expect(published.diagnostics.map(\.severity) == [.warning])
        let other = serve(.folder, ["/srv/my shop/web.config": "<configuration/>"])
        #expect(other.sites.first?.applications.first?.hostingModel == .staticFiles)
        let broken = serve(.folder, ["/srv/my shop/web.config": "<configuration>"])
        #expect(broken.sites.isEmpty)
        #expect(broken.diagnostics.map(\.location.file) == ["/srv/my shop/web.config"])
    }

    @Test("a module, and a command with whatever is in its words")
    func others() throws {
        #expect(serve(.module("/m.so")).sites.first?.applications.first?.hostingModel == .inProcess)
        let words = ["node", "a \"b\" \\c", "é"]
        guard case .outOfProcess(let settings) = serve(.command(words)).sites.first?.applications.first?.hosting,
            case .command(let command) = settings.worker
        else {
            Issue.record("not a command")
            return
        }
        #expect([command.executable] + command.arguments == words)
    }

    @Test("a name that nothing is left of is \"site\"", arguments: ["/", "/...", "/?"])
    func names(_ folder: String) {
        #expect(serve(.folder, folder: folder).sites.map(\.name) == ["site"])
    }

    @Test("a site and its parts can be built in code")
    func inCode() throws {
        let site = Site(
            name: "s", bindings: [Binding(host: .weakWildcard, endpoint: .port(8080))],
            applications: [Application(root: "/srv", hosting: .staticFiles(StaticFilesSettings()), pool: "s")])
        #expect(site.bindings[0].urlPrefix == "http://*:8080/")
        #expect(site.modules.map(\.name) == ["request-filtering", "anonymous-authentication"])
    }

    @Test("static files say to their handler what differs from the default")
    func staticSettings() {
        #expect(StaticFilesSettings().moduleSettings(at: .none).isEmpty)
        var settings = StaticFilesSettings()
        settings.directories = [VirtualDirectory(path: "/img", physicalPath: "/i")]
        settings.mediaTypes = [".x": "text/x"]
        settings.cacheControl = .maxAge(.seconds(90))
        settings.sendsETag = false
        settings.servesHiddenFiles = true
        settings.defaultDocuments = ["a"]
        #expect(
            settings.moduleSettings(at: .none).map { "\($0.name)=\($0.value)" } == [
                "directories./img=/i", "default_documents=a", "media_types..x=text/x", "cache_control=max-age=90",
                "etag=false", "hidden_files=true",
            ])
    }
}
