package capability

// ImportFrom returns the argument from of a Kernel's invocation Import: the core whose
// the object is, and the rights to it that the import has, as far as an import can
// have them.
func ImportFrom(core uint32, rights Rights) uint64 { return uint64(core) | uint64(rights)<<32 }
