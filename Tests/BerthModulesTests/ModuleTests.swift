import Testing

/// Everything over `TestHost`, which one test uses at a time.
@Suite(.serialized)
enum ModuleTests {}
