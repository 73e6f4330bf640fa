import BerthHTTP
public import BerthListener
import CBerthModule
import CBerthSystem
import Glibc

extension Pipeline {
    /// Makes the answer of a request that ended without one: what `set_status` said, else what went wrong. Where its content did
    /// not come, the connection is cut without a word, as HTTP.sys does.
    func answer(_ request: UnsafeMutablePointer<Request>, _ context: UnsafeMutablePointer<RequestContext>) {
        var status = context.pointee.status
        var substatus = context.pointee.substatus
        if status == 0 {
            if listener.isContentMissing(request) {
                // What logs show for a request that nobody waited for. Source: ANCM.
                request.pointee.status = 400
                listener.breakOff(request)
                return
            }
            // A chain that ran to its end without anybody answering has no handler for this.
            (status, substatus) = (404, 4)
        }
        let reason = OctetRun(context.pointee.reason, Int(context.pointee.reasonLength))
        sendErrorPage(request, status: status, substatus: substatus, reason: reason)
    }

    /// A page of a few lines: the status for strangers; substatus and reason as well for a caller on this machine
    /// (IIS `httpErrors` DetailedLocalOnly). The request must not have a response yet.
    public func sendErrorPage(
        _ request: UnsafeMutablePointer<Request>, status: UInt16, substatus: UInt16, reason: OctetRun
    ) {
        request.pointee.substatus = substatus
        let phrase = StatusCode.reasonPhrase(status)
        let capacity = 2048 + 6 * min(reason.length, 2048)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { buffer in
            guard let base = buffer.baseAddress else { return }
            var out = OctetWriter(base, capacity: capacity)
            let isDetailed = isLocal(request)
            out.put("<!DOCTYPE html>\r\n<html><head><meta charset=\"utf-8\"><title>")
            putTitle(&out, status, isDetailed ? substatus : 0, phrase)
            out.put("</title></head>\r\n<body><h1>")
            putTitle(&out, status, isDetailed ? substatus : 0, phrase)
            out.put("</h1>\r\n")
            if isDetailed, reason.count > 0 {
                out.put("<p>")
                putEscaped(&out, reason, 2048)
                out.put("</p>\r\n<p><small>These details are shown to callers on this machine only.</small></p>\r\n")
            }
            out.put("</body></html>\r\n")
            send(request, status, OctetRun(base, out.count))
        }
    }

    private func send(_ request: UnsafeMutablePointer<Request>, _ status: UInt16, _ page: OctetRun) {
        runSendStage(request, status: status, substatus: request.pointee.substatus)
        var field = ResponseField(name: OctetRun("Content-Type"), value: OctetRun("text/html; charset=utf-8"))
        withUnsafePointer(to: &field) {
            var head = ResponseStart(status: status, contentLength: Int64(page.count))
            head.fields = $0
            head.fieldCount = 1
            if listener.start(request, &head) == nil, let octets = page.start {
                _ = listener.write(request, octets, page.length)
            }
        }
        listener.end(request)
    }

    private func putTitle(_ out: inout OctetWriter, _ status: UInt16, _ substatus: UInt16, _ phrase: StaticString) {
        out.put("HTTP Error ")
        out.putDecimal(UInt64(status))
        if substatus != 0 {
            out.put(".")
            out.putDecimal(UInt64(substatus))
        }
        out.put(" - ")
        out.put(phrase)
    }

    private func putEscaped(_ out: inout OctetWriter, _ run: OctetRun, _ limit: Int) {
        guard let start = run.start else { return }
        for i in 0..<min(run.length, limit) {
            switch start[i] {
            case 0x26: out.put("&amp;")
            case 0x3c: out.put("&lt;")
            case 0x3e: out.put("&gt;")
            case 0x22: out.put("&quot;")
            case 0x0a: out.put("<br>")
            case 0...0x1f, 0x7f: out.put(0x20)
            default: out.put(start[i])
            }
        }
    }

    /// Whether the caller is on this machine, and no proxy on this machine speaks for somebody else.
    private func isLocal(_ request: UnsafeMutablePointer<Request>) -> Bool {
        let (_, remote) = listener.addresses(request)
        let count = Int(request.pointee.head.fieldCount)
        if FieldSlice.first(.xForwardedFor, in: request.pointee.fields, count) != nil { return false }
        if FieldSlice.first(.forwarded, in: request.pointee.fields, count) != nil { return false }
        return withUnsafeBytes(of: remote.pointee.bytes) { bytes in
            switch remote.pointee.family {
            case 1: true
            case 4: bytes[0] == 127
            case 6: bytes[15] == 1 && bytes[0..<15].allSatisfy { $0 == 0 }
            default: false
            }
        }
    }

    /// Lets the modules of the send-response stage add fields, before a head is encoded.
    @inline(__always)
    func runSendStage(_ request: UnsafeMutablePointer<Request>, status: UInt16, substatus: UInt16) {
        let context = Self.context(of: request)
        let chain = context.pointee.chain
        if !chain.pointee.hasSendStage { return }
        let view = Self.view(of: request)
        view.pointee.status = status
        view.pointee.substatus = substatus
        let module = context.pointee.module
        context.pointee.isSending = true
        for position in chain.pointee.endEnd..<chain.pointee.sendEnd {
            let entry = chain.pointee.entries + position
            context.pointee.module = entry.pointee.module
            _ = entry.pointee.function(entry.pointee.context, view)
        }
        context.pointee.isSending = false
        context.pointee.module = module
    }
}
