// Preloaded into a daemon that is counted under valgrind 3.19, which does not know openat2. Nothing is called from outside.
