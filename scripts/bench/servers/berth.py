# Berth as a user runs it: site files in a folder, the release build of this checkout, the module loaded with dlopen,
# the default chain (request filtering, anonymous authentication), every limit and timer on. BERTH_BIN: another build.
import json
import os
import subprocess

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
BIN = os.environ.get("BERTH_BIN") or os.path.join(CHECKOUT, ".build", "release")


def version():
    berthd = os.path.join(BIN, "berthd")
    if not os.path.exists(berthd): return "not built"
    return subprocess.run([berthd, "--version"], capture_output=True, text=True).stdout.strip()


def installed(ctx, name):
    """The file as a package installs it: without debug information, which valgrind of Debian 12 cannot read either."""
    target = os.path.join(ctx.dir, name)
    if not os.path.exists(target) and subprocess.run(["strip", "-g", "-o", target, os.path.join(BIN, name)]).returncode:
        return os.path.join(BIN, name)
    return target


def quoted(text):
    return json.dumps(text, ensure_ascii=False)             # a JSON string is a TOML basic string


def site(ctx, number, host):
    application = {"path": "/"}
    if ctx.content == "hello":
        application.update(hosting="in-process", module=installed(ctx, "libHelloModule.so"), isolation="none")
    elif ctx.content == "static":
        application.update(hosting="static", root=ctx.docroot)
    else:
        address = ctx.backend if ctx.backend_kind == "tcp" else "unix:" + ctx.backend
        application.update(hosting="out-of-process", address=address)
    lines = ["schema = 1", "[site]", f"bindings = [{quoted(f'http://{host}:{ctx.port}/')}]"]
    lines += ["[[application]]"] + [f"{key} = {quoted(value)}" for key, value in application.items()]
    if ctx.log: lines += ["[[module]]", 'name = "request-logging"', f"file = {quoted(ctx.log)}"]
    ctx.write(os.path.join("sites.d", f"site{number:05d}.toml"), "\n".join(lines) + "\n")


def launch(ctx):
    if ctx.h2: raise Unsupported("no HTTP/2 yet")
    if ctx.tls: raise Unsupported("no TLS yet")
    os.mkdir(os.path.join(ctx.dir, "sites.d"))
    for folder in ("state", "run", "log"): os.mkdir(os.path.join(ctx.dir, folder))
    own = lambda name: quoted(os.path.join(ctx.dir, name))
    # Every timer is on; the idle one is longer than a run, as with the others.
    ctx.write("berth.toml", f"""schema = 1
[daemon]
loops = 1
control_socket = {own("control.sock")}
state_directory = {own("state")}
runtime_directory = {own("run")}
log_directory = {own("log")}
[timeouts]
idle_connection = "1h"
""")
    for number, host in enumerate(ctx.hosts or ["*"]): site(ctx, number, host)
    return {"cmd": [installed(ctx, "berthd"), "--config", ctx.dir]}
