import Glibc

exit(EchoWorker.run(arguments: CommandLine.arguments))
