import BerthServer
import Glibc

exit(Program.main(CommandLine.arguments))
