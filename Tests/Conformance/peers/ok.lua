-- The local answer of Apache httpd: every path and method gets 200.
function handle(r)
    r.content_type = "text/plain"
    r:write("ok\n")
    return apache2.OK
end
