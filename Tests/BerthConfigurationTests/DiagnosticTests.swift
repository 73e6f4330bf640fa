import Testing

@testable import BerthConfiguration

@Suite("Every error says where, what, and what to write instead")
struct DiagnosticTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var expected: [String]
        var testDescription: String { name }
    }

    /// A site file with one application and `body` behind it.
    static func file(_ body: String, application: String = "hosting = \"static\"\nroot = \"/r\"") -> String {
        "[site]\nbindings = [\"http://*:80/\"]\n[[application]]\n\(application)\n\(body)"
    }

    static func binding(_ text: String) -> String {
        "[site]\nbindings = [\"\(text)\"]\n[[application]]\nhosting = \"static\"\nroot = \"/r\"\n"
    }

    static let cases: [Case] = [
        Case(
            name: "broken TOML", text: "[site]\nbindings = [\n[[",
            expected: ["shop.toml:3:3: error: Error while parsing array: encountered end-of-file"]),
        Case(
            name: "schema", text: "schema = 2\n[site]\n",
            expected: ["shop.toml:1:10: error: schema 2 is not known to this version of Berth; write schema = 1"]),
        Case(
            name: "schema of the wrong type", text: "schema = \"1\"\n" + file(""),
            expected: ["shop.toml:1:10: error: \"schema\" must be an integer, not a string; write schema = 1"]),
        Case(
            name: "unknown key at the top", text: file("[aplication]\n"),
            expected: ["shop.toml:6:2: error: unknown key \"aplication\" in a site file; write \"application\""]),
        Case(
            name: "unknown key with a neighbour", text: file("", application: "hosting = \"static\"\nroto = \"/r\""),
            expected: [
                "shop.toml:3:1: error: \"root\" is missing in [[application]]; write root = \"/srv/NAME\", the folder of the files",
                "shop.toml:5:1: error: unknown key \"roto\" in [[application]]; write \"root\"",
            ]),
        Case(
            name: "unknown key of a pool", text: file("[pool.shop]\nidle_timout = \"20min\""),
            expected: ["shop.toml:7:1: error: unknown key \"idle_timout\" in [pool.shop]; write \"idle_timeout\""]),
        Case(
            name: "unknown key far from all", text: file("[pool.shop]\nrapid_fail = { xyzzy = 1 }"),
            expected: [
                "shop.toml:7:16: error: unknown key \"xyzzy\" in [pool.shop] rapid_fail; known are crashes, enabled, window"
            ]),
        Case(
            name: "wrong type", text: file("[site.limits]\nmax_url_segments = \"32\""),
            expected: [
                "shop.toml:7:20: error: \"max_url_segments\" must be an integer, not a string; write it without quotes"
            ]),
        Case(
            name: "wrong type of an element",
            text:
                "[site]\nbindings = [\n  \"http://*:80/\",\n  80,\n]\n[[application]]\nhosting=\"static\"\nroot=\"/r\"\n",
            expected: [
                "shop.toml:4:3: error: an element of \"bindings\" must be a string, not an integer; write \"80\""
            ]),
        Case(
            name: "missing keys, all at once", text: "[site]\n[[application]]\n",
            expected: [
                "shop.toml:1:1: error: \"bindings\" is missing in [site]; write bindings = [\"http://*:8080/\"]",
                "shop.toml:2:1: error: \"hosting\" is missing in [[application]]; write hosting = \"static\"",
            ]),
        Case(
            name: "nothing at all", text: "",
            expected: [
                "shop.toml:1:1: error: \"site\" is missing in a site file; write [site] with bindings = [\"http://*:8080/\"]",
                "shop.toml:1:1: error: \"application\" is missing in a site file; write [[application]] with path, hosting and what that needs",
            ]),
        Case(
            name: "no application at the root", text: file("path = \"/x\""),
            expected: ["shop.toml:3:1: error: no application is at \"/\"; give one application path = \"/\""]),
        Case(
            name: "unit missing in a duration", text: file("startup_time_limit = 120"),
            expected: ["shop.toml:6:22: error: \"startup_time_limit\" needs a unit; write \"120s\""]),
        Case(
            name: "unit missing in a size", text: file("[site.log]\ntruncate_size = 67108864"),
            expected: ["shop.toml:7:17: error: \"truncate_size\" needs a unit; write \"64MiB\""]),
        Case(
            name: "no duration", text: file("startup_time_limit = \"2 minutes\""),
            expected: [
                "shop.toml:6:22: error: \"2 minutes\" is no duration; write whole numbers with ms, s, min, h or d, like \"1h30min\""
            ]),
        Case(
            name: "no size", text: file("[site.log]\ntruncate_size = \"64 mb\""),
            expected: [
                "shop.toml:7:17: error: \"64 mb\" is no size; write a whole number with B, KiB, MiB or GiB, like \"64MiB\""
            ]),
        Case(
            name: "out of range",
            text: file("startup_time_limit = \"3601s\"\nprocesses = 101\nrapid_fails_per_minute = -1"),
            expected: [
                "shop.toml:6:22: error: \"startup_time_limit\" is 1h1s; write 0s through 1h",
                "shop.toml:7:13: error: \"processes\" is 101; write 1 through 100",
                "shop.toml:8:26: error: \"rapid_fails_per_minute\" is -1; write 0 through 100",
            ]),
        Case(
            name: "out of range in a pool is a warning",
            text: file("[pool.shop]\nqueue_length = 9\nidle_timeout = \"1s\""),
            expected: [
                "shop.toml:7:16: warning: \"queue_length\" is 9, the default is used (5041); write 10 through 65535",
                "shop.toml:8:16: warning: \"idle_timeout\" is 1s, the default is used (5041); write 1min through 30d",
            ]),
        Case(
            name: "wrong word", text: file("", application: "hosting = \"inprocess-please\"\nroot = \"/r\""),
            expected: [
                "shop.toml:4:11: error: \"inprocess-please\" is no hosting; write \"in-process\" or \"out-of-process\" or \"static\""
            ]),
        Case(
            name: "https", text: binding("https://shop.example:443/"),
            expected: [
                "shop.toml:2:13: error: TLS is not available yet: \"https://shop.example:443/\"; write \"http://shop.example:443/\", behind something that ends TLS"
            ]),
        Case(
            name: "trailing slash", text: binding("http://shop.example:80"),
            expected: [
                "shop.toml:2:13: error: \"http://shop.example:80\": the slash at the end is missing; write \"http://shop.example:80/\""
            ]),
        Case(
            name: "trailing slash of a path", text: binding("http://shop.example:80/app"),
            expected: [
                "shop.toml:2:13: error: \"http://shop.example:80/app\": the slash at the end is missing; write \"http://shop.example:80/app/\""
            ]),
        Case(
            name: "port", text: binding("http://shop.example/"),
            expected: [
                "shop.toml:2:13: error: \"http://shop.example/\": the port is missing; write \"http://shop.example:80/\""
            ]),
        Case(
            name: "binding twice",
            text:
                "[site]\nbindings = [\"http://*:80/\", \"*:80:\"]\n[[application]]\nhosting = \"static\"\nroot = \"/r\"\n",
            expected: [
                "shop.toml:2:29: error: \"http://*:80/\" is there twice, first at shop.toml:2:13; leave one of them out"
            ]),
        Case(
            name: "application twice",
            text: file("path = \"/\"\n[[application]]\nhosting = \"static\"\nroot = \"/q\"\n"),
            expected: [
                "shop.toml:7:1: error: the application \"/\" is there twice, first at shop.toml:3:1; give one of them another path"
            ]),
        Case(
            name: "in-process in its pool", text: file("", application: "hosting = \"in-process\"\nmodule = \"/m.so\""),
            expected: [
                "shop.toml:4:1: error: an in-process application in a process of its pool (isolation = \"pool\", the default) is not available yet; write isolation = \"none\" to load the module into the daemon itself, which a crash of the module then ends"
            ]),
        Case(
            name: "isolation pool",
            text: file("", application: "hosting = \"in-process\"\nmodule = \"/m.so\"\nisolation = \"pool\""),
            expected: [
                "shop.toml:6:13: error: an in-process application in a process of its pool (isolation = \"pool\", the default) is not available yet; write isolation = \"none\" to load the module into the daemon itself, which a crash of the module then ends"
            ]),
        Case(
            name: "in-process without a module",
            text: file("", application: "hosting = \"in-process\"\nisolation = \"none\"\nmodul = \"/m.so\""),
            expected: [
                "shop.toml:3:1: error: \"module\" is missing in [[application]]; write module = \"/usr/lib/berth/modules/libNAME.so\"",
                "shop.toml:6:1: error: unknown key \"modul\" in [[application]]; write \"module\"",
            ]),
        Case(
            name: "relative root", text: file("", application: "hosting = \"static\"\nroot = \"srv\""),
            expected: [
                "shop.toml:5:8: error: \"root\" is not an absolute path: \"srv\"; write the whole path, from / on"
            ]),
        Case(
            name: "key of another model", text: file("command = [\"./x\"]"),
            expected: [
                "shop.toml:6:1: error: \"command\" has no meaning with hosting = \"static\"; leave it out, or write hosting = \"out-of-process\""
            ]),
        Case(
            name: "command and address",
            text: file("", application: "hosting = \"out-of-process\"\naddress = \"127.0.0.1:1\"\ncommand = [\"x\"]"),
            expected: [
                "shop.toml:6:1: error: \"command\" has no meaning beside \"address\", whose worker is run by somebody else; leave one of them out"
            ]),
        Case(
            name: "neither command nor address",
            text: file("", application: "hosting = \"out-of-process\"\nroot = \"/r\""),
            expected: [
                "shop.toml:3:1: error: \"command\" is missing in [[application]]; write command = [\"./NAME\"] to have it started, or address = \"unix:/run/NAME.sock\" where somebody else runs it"
            ]),
        Case(
            name: "address by name",
            text: file("", application: "hosting = \"out-of-process\"\naddress = \"localhost:9000\""),
            expected: [
                "shop.toml:5:11: error: \"localhost:9000\" is no address of a worker; write the address itself, like \"127.0.0.1:9000\""
            ]),
        Case(
            name: "hosting guessed from the keys", text: file("", application: "command = [\"x\"]\nroot = \"/r\""),
            expected: [
                "shop.toml:3:1: error: \"hosting\" is missing in [[application]]; write hosting = \"out-of-process\""
            ]),
        Case(
            name: "unknown module", text: file("[[module]]\nname = \"request-loging\""),
            expected: [
                "shop.toml:7:8: error: unknown module \"request-loging\"; write \"request-logging\", or say where it is with \"library\""
            ]),
        Case(
            name: "library of a built-in module",
            text: file("[[module]]\nname = \"request-logging\"\nlibrary = \"/x.so\""),
            expected: [
                "shop.toml:8:11: error: \"request-logging\" is a built-in module; give the library a name of its own, or leave \"library\" out"
            ]),
        Case(
            name: "module setting missing", text: file("[[module]]\nname = \"basic-authentication\""),
            expected: [
                "shop.toml:6:1: error: \"users\" is missing in [[module]]; write users = \"file:/etc/berth/NAME\""
            ]),
        Case(
            name: "module setting unknown",
            text: file("[[module]]\nname = \"request-filtering\"\nmax_content_lenght = 1"),
            expected: [
                "shop.toml:8:1: error: unknown key \"max_content_lenght\" in [[module]]; write \"max_content_length\""
            ]),
        Case(
            name: "module setting wrong", text: file("[[module]]\nname = \"basic-authentication\"\nusers = \"/etc/x\""),
            expected: ["shop.toml:8:9: error: \"/etc/x\" does not say where the file is; write \"file:/etc/x\""]),
        Case(
            name: "authorization rule",
            text: file("[[module]]\nname = \"url-authorization\"\nallow = [\"user=alice\"]\ndeny = [\"verbs=POST\"]"),
            expected: [
                "shop.toml:8:10: error: \"user=alice\" is no rule: \"user\" is none of users, roles, verbs and path; write it like \"users=alice,bob verbs=GET\"",
                "shop.toml:9:9: error: \"verbs=POST\" is no rule: it names neither users nor roles; write it like \"users=alice,bob verbs=GET\"",
            ]),
        Case(
            name: "module twice",
            text: file("[[module]]\nname = \"request-filtering\"\n[[module]]\nname = \"request-filtering\""),
            expected: [
                "shop.toml:8:1: error: \"request-filtering\" is there twice on \"/\", first at shop.toml:6:1; write one [[module]] for each path"
            ]),
        Case(
            name: "path of a module",
            text: file("[[module]]\nname = \"request-filtering\"\npaths = [\"admin\", \"/a%20b/\"]"),
            expected: [
                "shop.toml:8:10: error: \"admin\" is no path: it does not begin with /; write it like \"/admin/\"",
                "shop.toml:8:19: error: \"/a%20b/\" is no path: it holds %, and is compared with decoded paths; write it like \"/admin/\"",
            ]),
        Case(
            name: "log field", text: file("[site.log]\nfields = [\"cs-methd\", \"date\", \"date\"]"),
            expected: [
                "shop.toml:7:11: error: \"cs-methd\" is no field of the W3C log; write \"cs-method\"",
                "shop.toml:7:31: error: \"date\" is there twice",
            ]),
        Case(
            name: "log file and directory", text: file("[site.log]\nfile = \"/l\"\ndirectory = \"/d\""),
            expected: [
                "shop.toml:7:8: error: [site.log] has both \"file\" and \"directory\"; write \"file\" for one file, or \"directory\" for one file a period"
            ]),
        Case(
            name: "pool name", text: file("[pool.\"a b\"]"),
            expected: ["shop.toml:6:7: error: \"a b\" is no name of a pool: it holds a blank or a control character"]),
        Case(
            name: "pool nobody uses", text: file("[pool.shopp]"),
            expected: [
                "shop.toml:6:7: warning: no application of this site runs in the pool \"shopp\"; write [pool.shop]"
            ]),
        Case(
            name: "environment",
            text: file(
                "",
                application:
                    "hosting = \"out-of-process\"\nroot = \"/r\"\ncommand = \"x\"\nenvironment = { PORT = 80, \"A=B\" = \"\" }"
            ),
            expected: [
                "shop.toml:7:24: error: \"PORT\" must be a string, not an integer; write \"80\"",
                "shop.toml:7:28: error: \"A=B\" is no name of a variable: it holds = or a control character",
            ]),
        Case(
            name: "endpoint",
            text: file("", application: "hosting = \"out-of-process\"\nroot = \"/r\"\ncommand = \"x\"\nendpoint = 0"),
            expected: ["shop.toml:7:12: error: \"endpoint\" is 0; write 1 through 65535"]),
        Case(
            name: "default documents, media types, directories",
            text: file(
                "default_documents = [\"a/b\"]\nmedia_types = { webp = \"image/webp\", \".x\" = \"x\" }\ndirectories = { \"img\" = \"/i\", \"/a\" = \"i\" }\ncache_control = \"forever\""
            ),
            expected: [
                "shop.toml:6:22: error: \"a/b\" is no name of a file; write it like \"index.html\"",
                "shop.toml:7:17: error: \"webp\" is no file extension; write it with its dot, like \".webmanifest\"",
                "shop.toml:7:45: error: \"x\" is no media type; write it like \"application/manifest+json\"",
                "shop.toml:8:17: error: \"img\" is no virtual directory: it does not begin with /; write it like \"/img\"",
                "shop.toml:8:38: error: \"i\" is not an absolute path; write the whole path, from / on",
                "shop.toml:9:17: error: \"forever\" is no cache control; write \"none\", \"no-cache\", a duration like \"1d\", or directives like \"public, max-age=60\"",
            ]),
        Case(
            name: "site id",
            text: file("[site.limits]\nmax_connections = 0\nmin_send_rate = 240\nconnection_timeout = true"),
            expected: [
                "shop.toml:7:19: error: \"max_connections\" is 0; write 1 through 2147483647",
                "shop.toml:8:17: error: \"min_send_rate\" needs a unit; write \"240B/s\", or \"off\"",
                "shop.toml:9:22: error: \"connection_timeout\" must be a duration, not a boolean; write \"20min\", or \"off\"",
            ]),
        Case(
            name: "recycling schedule", text: file("[pool.shop.recycling]\nschedule = [\"24:00\"]"),
            expected: ["shop.toml:7:13: error: \"24:00\" is no time of day; write 00:00 through 23:59, like \"03:30\""]),
        Case(
            name: "control character", text: file("pool = \"a\\u001bb\""),
            expected: ["shop.toml:6:8: error: \"pool\" holds a control character"]),
    ]

    @Test("the file is reported as", arguments: cases)
    func diagnostics(_ example: Case) {
        let snapshot = ConfigurationLoader.check(text: example.text, name: "shop")
        let found = snapshot.diagnostics.map { $0.description.replacing("/etc/berth/sites.d/", with: "") }
        #expect(found == example.expected)
        let hasErrors = example.expected.contains { $0.contains(" error: ") }
        #expect(snapshot.rejected.map(\.name) == (hasErrors ? ["shop"] : []))
        #expect(snapshot.sites.map(\.name) == (hasErrors ? [] : ["shop"]))
    }
}
