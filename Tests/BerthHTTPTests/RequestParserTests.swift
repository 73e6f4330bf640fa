import BerthHTTP
import Testing

@Suite("request heads that are accepted")
struct RequestParserTests {
    @Test("the shortest request of HTTP/1.1")
    func shortest() {
        let request = parse("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(request.outcome == .complete)
        #expect(request.methodID == .get)
        #expect(request.path == "/")
        #expect(request.query == "")
        #expect(request.host == "x")
        #expect(request.minor == 1)
        #expect(request.framing == .none)
        #expect(request.length == 0)
        #expect(request.headLength == 27)
        #expect(request.fields == [.init(name: "Host", value: "x", id: FieldID.host.rawValue)])
    }
}
